#define _GNU_SOURCE
#include "coordinator/cli/cli.h"

#include "common/base/ensure.h"
#include "common/base/plain_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

size_t cli_columns(void)
{
    struct winsize size;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

static size_t find_row(const cli_arguments *self, const char *name)
{
    size_t row = 0;
    while (self->command->options[row].name != NULL && strcmp(self->command->options[row].name, name) != 0)
        row++;
    return row;
}

static size_t option_row(const cli_arguments *self, const char *name)
{
    size_t row = find_row(self, name);
    ENSURE(self->command->options[row].name != NULL);
    return row;
}

bool cli_knows(const cli_arguments *self, const char *name)
{
    return self->command->options[find_row(self, name)].name != NULL;
}

bool cli_flag(const cli_arguments *self, const char *name)
{
    return self->flags[option_row(self, name)];
}

const char *cli_text(const cli_arguments *self, const char *name)
{
    return self->texts[option_row(self, name)];
}

uint32_t cli_number(const cli_arguments *self, const char *name, uint32_t fallback)
{
    size_t row = option_row(self, name);
    return self->flags[row] ? self->numbers[row] : fallback;
}

int cli_exit_code(status code)
{
    switch (status_class_of(code)) {
    case STATUS_CLASS_OK:
        return EXIT_PASS;
    case STATUS_CLASS_INPUT:
    case STATUS_CLASS_LIMIT:
        return EXIT_INPUT;
    case STATUS_CLASS_WAIT:
    case STATUS_CLASS_PEER:
    case STATUS_CLASS_STORAGE:
    case STATUS_CLASS_NODE:
    case STATUS_CLASS_DEFECT:
    default:
        return EXIT_FARM;
    }
}

static void print_disarmed(FILE *out, const char *format, va_list arguments) PRINTF_LIKE(2, 0);

static void print_disarmed(FILE *out, const char *format, va_list arguments)
{
    char *text = NULL;
    size_t format_size = strlen(format);
    if (vasprintf(&text, format, arguments) < 0)
        return;
    bool ends = format_size > 0 && format[format_size - 1] == '\n';
    if (ends)
        text[strlen(text) - 1] = '\0';
    plain_text_disarm(text);
    fputs(text, out);
    if (ends)
        fputc('\n', out);
    free(text);
}

void cli_print(FILE *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_disarmed(out, format, arguments);
    va_end(arguments);
}

int cli_fail(status code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("reelmill: error: ", stderr);
    print_disarmed(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return cli_exit_code(code);
}

int cli_fail_detail(const error_detail *detail)
{
    return detail->message[0] == '\0' ? cli_exit_code(detail->code) : cli_fail(detail->code, "%s", detail->message);
}
