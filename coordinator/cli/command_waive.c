#define _GNU_SOURCE
#include "coordinator/cli/cli.h"
#include "coordinator/cli/file_replace.h"
#include "coordinator/cli/job_document_write.h"
#include "coordinator/cli/report_read.h"
#include "coordinator/verdict/verdict.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A text in double quotes of YAML; NULL where it holds control characters. */
static const char *quoted(const char *text, arena *memory)
{
    char *made = arena_take(memory, 2 * strlen(text) + 3);
    size_t used = 0;
    made[used++] = '"';
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7F)
            return NULL;
        if (*text == '"' || *text == '\\')
            made[used++] = '\\';
        made[used++] = *text;
    }
    made[used] = '"';
    return made;
}

/* The finding's figure as waivers name it. */
static const char *figure_in(const json_t *item, arena *memory)
{
    const json_t *measured = json_object_get(item, "measured");
    finding read = {.measured_word = json_string_value(measured),
                    .unit = json_string_value(json_object_get(item, "unit")),
                    .measured = json_is_number(measured) ? json_number_value(measured) : (double)NAN};
    char figure[FINDING_FIGURE_SIZE];
    finding_figure(&read, figure);
    return arena_copy_text(memory, figure);
}

/* The show's text with one entry more: behind the line `waivers:` if there is one, else at the end. */
static const char *text_with(const char *text, const char *entry, arena *memory)
{
    const char *at = text;
    if (text[strspn(text, " \t\r\n")] == '{')
        return NULL; /* JSON: a person has to write it into it */
    while (at != NULL && strncmp(at, "waivers:", 8) != 0) {
        at = strchr(at, '\n');
        at = at == NULL ? NULL : at + 1;
    }
    if (at == NULL) {
        size_t size = strlen(text);
        return arena_format(memory, "%s%swaivers:\n%s", text, size > 0 && text[size - 1] != '\n' ? "\n" : "", entry);
    }
    size_t line = strcspn(at, "\n");
    if (line != strlen("waivers:") && strspn(at + 8, " \t\r") != line - 8)
        return NULL; /* and a list in one line */
    size_t before = (size_t)(at - text) + line + (at[line] == '\n' ? 1 : 0);
    return arena_format(memory, "%.*s%s%s%s", (int)before, text, text[before - 1] == '\n' ? "" : "\n", entry, text + before);
}

static const char *today(arena *memory)
{
    time_t now = time(NULL);
    struct tm day;
    gmtime_r(&now, &day);
    return arena_format(memory, "%04d-%02d-%02d", day.tm_year + 1900, day.tm_mon + 1, day.tm_mday);
}

static status write_waiver(const cli_arguments *arguments, const char *figure, arena *memory, error_detail *detail)
{
    const char *path = arguments->words[0];
    const char *who = quoted(cli_text(arguments, "who"), memory);
    const char *why = quoted(cli_text(arguments, "why"), memory);
    const char *measured = quoted(figure, memory);
    if (who == NULL || why == NULL || measured == NULL)
        return error_detail_set(detail, STATUS_INPUT_INVALID, "--who and --why hold control characters; write them in one line");
    const char *entry = arena_format(memory, "  - {finding: \"%s\", measured: %s, who: %s, when: \"%s\", why: %s}\n",
                                     arguments->words[1], measured, who, today(memory), why);
    const char *text = NULL;
    size_t size = 0;
    status code = read_text_file(path, SHOW_TEXT_MAX, memory, &text, &size, detail);
    if (code != STATUS_OK)
        return code;
    const char *made = text_with(text, entry, memory);
    if (made == NULL)
        return error_detail_set(detail, STATUS_INPUT_INVALID,
                                "'%s' has braces or brackets where the waiver would go; write it into its waivers: %s", path,
                                entry);
    show read;
    problem_list problems = {0};
    code = show_file_parse(&read, made, strlen(made), path, memory, &problems);
    if (code != STATUS_OK)
        return error_detail_set(detail, code, "with the waiver '%s' could not be read any more: %s", path,
                                problems.count > 0 ? problems.items[problems.count - 1].message : "its form breaks");
    return file_replace(path, made, strlen(made), detail);
}

static int waive(const cli_arguments *arguments, arena *memory)
{
    error_detail detail = {0};
    if (cli_text(arguments, "who") == NULL || cli_text(arguments, "why") == NULL)
        return cli_fail(STATUS_INPUT_INVALID, "a waiver needs --who and --why");
    loaded_show loaded;
    status code = loaded_show_read(&loaded, arguments->words[0], NULL, memory, &detail);
    if (code != STATUS_OK)
        return cli_fail_detail(&detail);
    const char *report = cli_text(arguments, "report");
    if (report == NULL)
        report = report_of_show(&loaded, memory);
    json_t *document = NULL;
    const json_t *item = NULL;
    code = report_read_finding(report, arguments->words[1], memory, &document, &item, &detail);
    if (code != STATUS_OK)
        return cli_fail_detail(&detail);
    const char *figure = figure_in(item, memory);
    const char *said = arena_copy_text(memory, json_string_value(json_object_get(item, "message")));
    json_decref(document);
    code = write_waiver(arguments, figure, memory, &detail);
    if (code != STATUS_OK)
        return cli_fail_detail(&detail);
    fprintf(stderr, "waived from the next run on, while its figure is %s: %s\n", figure, said);
    return EXIT_PASS;
}

int command_waive(const cli_arguments *arguments)
{
    arena memory;
    arena_init(&memory);
    int code = waive(arguments, &memory);
    arena_deinit(&memory);
    return code;
}
