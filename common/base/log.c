#include "common/base/log.h"

#include "common/base/ensure.h"
#include "common/base/plain_text.h"

#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* The mutable values of this file: set once by *_main.c before any thread starts. */
static log_level log_threshold = LOG_INFO;
static char log_identity[128];

void log_set_level(log_level level)
{
    log_threshold = level;
}

void log_set_identity(const char *pairs)
{
    snprintf(log_identity, sizeof log_identity, "%s%s", pairs[0] == '\0' ? "" : " ", pairs);
}

typedef struct log_text {
    char *out;
    size_t size, room; /* the last byte of room is for the NUL */
} log_text;

static void text_add(log_text *self, const char *bytes, size_t size, bool quoted)
{
    if (!quoted) {
        size_t room = self->room - 1 - self->size;
        size_t taken = size < room ? size : room;
        memcpy(self->out + self->size, bytes, taken);
        self->size += taken;
        return;
    }
    for (size_t i = 0; i < size; i++) {
        bool escaped = bytes[i] == '"' || bytes[i] == '\\';
        if (self->size + (escaped ? 2u : 1u) >= self->room)
            return;
        if (escaped)
            self->out[self->size++] = '\\';
        self->out[self->size++] = bytes[i];
    }
}

/* One number, by its own conversion. */
static void number_add(log_text *self, const char *spec, size_t spec_size, va_list *arguments)
{
    char one[16], text[64];
    char kind = spec[spec_size - 1];
    char width = spec_size > 2 ? spec[spec_size - 2] : '%';
    ENSURE(spec_size < sizeof one);
    memcpy(one, spec, spec_size);
    one[spec_size] = '\0';
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    if (kind == 'f')
        (void)snprintf(text, sizeof text, one, va_arg(*arguments, double));
    else if (width == 'z')
        (void)snprintf(text, sizeof text, one, va_arg(*arguments, size_t));
    else if (width == 'l' && spec[spec_size - 3] == 'l')
        (void)snprintf(text, sizeof text, one, va_arg(*arguments, unsigned long long));
    else if (width == 'l')
        (void)snprintf(text, sizeof text, one, va_arg(*arguments, unsigned long));
    else
        (void)snprintf(text, sizeof text, one, va_arg(*arguments, unsigned));
#pragma GCC diagnostic pop
    text_add(self, text, strlen(text), false);
}

static void values_add(log_text *self, const char *format, va_list *arguments)
{
    bool quoted = false; /* inside the quotes that the format has */
    while (*format != '\0') {
        size_t plain = strcspn(format, "%");
        text_add(self, format, plain, false);
        for (size_t i = 0; i < plain; i++)
            quoted = quoted != (format[i] == '"');
        format += plain;
        if (*format == '\0')
            return;
        size_t spec = 1 + strspn(format + 1, "0123456789.zl") + 1;
        char kind = format[spec - 1];
        if (kind == 's') {
            const char *value = va_arg(*arguments, const char *);
            unsigned most = UINT_MAX; /* %.40s */
            if (format[1] == '.')
                (void)sscanf(format + 2, "%9u", &most);
            text_add(self, value, strnlen(value, most), quoted);
        } else if (kind == '%') {
            text_add(self, "%", 1, false);
        } else {
            ENSURE(kind != '\0' && strchr("diuxcf", kind) != NULL);
            number_add(self, format, spec, arguments);
        }
        format += spec;
    }
}

void log_values(char *out, size_t out_size, const char *format, va_list arguments)
{
    log_text text = {.out = out, .room = out_size};
    va_list copy;
    va_copy(copy, arguments);
    values_add(&text, format, &copy);
    va_end(copy);
    out[text.size] = '\0';
}

static int format_line(char *out, size_t out_size, log_level level, const char *event, const char *format,
                       va_list arguments) PRINTF_LIKE(5, 0);

static int format_line(char *out, size_t out_size, log_level level, const char *event, const char *format, va_list arguments)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    struct timespec now;
    struct tm utc;
    char stamp[32];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
    size_t size = (size_t)snprintf(out, out_size - 1, "time=%s.%03ldZ level=%s event=%s%s%s", stamp, now.tv_nsec / 1000000,
                                   names[level], event, log_identity, format[0] == '\0' ? "" : " ");
    size = size < out_size - 2 ? size : out_size - 2;
    log_values(out + size, out_size - 1 - size, format, arguments);
    size += strlen(out + size);
    plain_text_disarm(out);
    size = strlen(out);
    out[size] = '\n';
    out[size + 1] = '\0';
    return (int)size + 1;
}

int log_format(char *out, size_t out_size, log_level level, const char *event, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = format_line(out, out_size, level, event, format, arguments);
    va_end(arguments);
    return size;
}

void log_line(log_level level, const char *event, const char *format, ...)
{
    char line[2304];
    if (level < log_threshold || level >= LOG_SILENT)
        return;
    va_list arguments;
    va_start(arguments, format);
    (void)format_line(line, sizeof line, level, event, format, arguments);
    va_end(arguments);
    fputs(line, stderr);
}
