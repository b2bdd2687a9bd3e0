#include "common/base/log.h"

#include <stdarg.h>
#include <stdio.h>
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
    int more = vsnprintf(out + size, out_size - 1 - size, format, arguments);
    size += more < 0 ? 0 : (size_t)more;
    size = size < out_size - 2 ? size : out_size - 2;
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)out[i] < 0x20 || out[i] == 0x7F)
            out[i] = '?';
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
