#include "coordinator/cli/qc_table.h"

#include "coordinator/cli/cli.h"
#include "coordinator/report/page.h"
#include "coordinator/verdict/verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIGURES_COLUMNS = 11 + 4 * 7 + 2 * 5, /* a row but for its name and its checks */
    NAME_COLUMNS_MIN = 9,
    NAME_COLUMNS_MAX = 60,                /* padded to so many where no terminal bounds them */
    CHECKS_COLUMNS = 2 + 20
};

static void print_figure(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (json_is_number(value))
        printf(" %6.1f", json_number_value(value));
    else
        printf(" %6s", "-");
}

/* A programme of the table. */
typedef struct table_row {
    verdict_rank rank; /* first: rows are sorted by it */
    const json_t *programme;
    const char *name;
    size_t characters; /* of the name */
} table_row;

/* The columns of the table. */
typedef struct table_form {
    size_t name_columns;
    size_t checks_columns; /* 0: no room for them */
    bool terminal;
} table_form;

static size_t count_of(const json_t *findings, const char *severity)
{
    size_t index;
    size_t count = 0;
    const json_t *item;
    json_array_foreach (findings, index, item)
        count += strcmp(json_string_value(json_object_get(item, "severity")), severity) == 0 &&
                 json_is_null(json_object_get(item, "waiver"));
    return count;
}

/* What the table calls a programme: its first file. */
static const char *file_of(const json_t *programme)
{
    const char *file = json_string_value(json_array_get(json_object_get(programme, "files"), 0));
    return file != NULL ? file : json_string_value(json_object_get(programme, "deliverable"));
}

static size_t characters_of(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

/* Length of the folder that all names begin with, its '/' included: it stands in the head once and in no row. */
static size_t shared_folder(const table_row *rows, size_t count)
{
    size_t length = count < 2 ? 0 : strlen(rows[0].name);
    for (size_t i = 1; i < count; i++) {
        size_t same = 0;
        while (same < length && rows[i].name[same] == rows[0].name[same])
            same++;
        length = same;
    }
    while (length > 0 && rows[0].name[length - 1] != '/')
        length--;
    return length;
}

/* Nine names of ten: a few may stand above their figures. */
static bool names_fit(const table_row *rows, size_t count, size_t columns)
{
    size_t fit = 0;
    for (size_t i = 0; i < count; i++)
        fit += rows[i].characters <= columns;
    return 10 * fit >= 9 * count;
}

/* On a terminal the checks give way to names; where these are too long even so, each stands above its figures and checks. */
static table_form form_of(const table_row *rows, size_t count)
{
    size_t columns = cli_columns();
    size_t room = columns > FIGURES_COLUMNS + NAME_COLUMNS_MIN ? columns - FIGURES_COLUMNS : NAME_COLUMNS_MIN;
    size_t beside = room > CHECKS_COLUMNS + NAME_COLUMNS_MIN ? room - CHECKS_COLUMNS : NAME_COLUMNS_MIN;
    size_t most = columns == 0                     ? NAME_COLUMNS_MAX
                  : names_fit(rows, count, beside) ? beside
                  : names_fit(rows, count, room)   ? room
                                                   : NAME_COLUMNS_MIN;
    table_form form = {.name_columns = NAME_COLUMNS_MIN, .checks_columns = SIZE_MAX, .terminal = columns > 0};
    for (size_t i = 0; i < count; i++)
        if (rows[i].characters > form.name_columns && rows[i].characters <= most)
            form.name_columns = rows[i].characters;
    if (form.terminal) {
        size_t left = room - form.name_columns;
        form.checks_columns = left >= CHECKS_COLUMNS - 2 ? left - 2 : 0;
    }
    return form;
}

/* The checks that decided, each once; cut to the columns that there are. */
static void print_checks(const json_t *findings, size_t columns)
{
    size_t index;
    size_t before;
    size_t used = 0;
    const json_t *item;
    json_array_foreach (findings, index, item) {
        const char *severity = json_string_value(json_object_get(item, "severity"));
        const char *check = json_string_value(json_object_get(item, "check"));
        bool told = (strcmp(severity, "fail") != 0 && strcmp(severity, "not_checked") != 0) ||
                    !json_is_null(json_object_get(item, "waiver"));
        for (before = 0; before < index && !told; before++) {
            const json_t *other = json_array_get(findings, before);
            const char *force = json_string_value(json_object_get(other, "severity"));
            told = strcmp(json_string_value(json_object_get(other, "check")), check) == 0 &&
                   json_is_null(json_object_get(other, "waiver")) &&
                   (strcmp(force, "fail") == 0 || strcmp(force, "not_checked") == 0);
        }
        if (told)
            continue;
        if (used > 0 && used + 1 + strlen(check) > columns) {
            fputs(used + 4 <= columns ? " ..." : "", stdout);
            return;
        }
        printf("%s%s", used > 0 ? " " : "  ", check);
        used += strlen(check) + (used > 0);
    }
}

static void print_row(const table_row *row, const table_form *form)
{
    const json_t *loudness = json_object_get(row->programme, "loudness");
    const json_t *second = json_object_get(row->programme, "second_meter");
    size_t pad = row->characters < form->name_columns ? form->name_columns - row->characters : 0;
    cli_print(stdout, "%-10s %s", verdict_word_name(row->rank.word), row->name);
    if (form->terminal && row->characters > form->name_columns) { /* whole, with its figures below it */
        putchar('\n');
        pad = form->name_columns + 11;
    }
    printf("%*s", (int)pad, "");
    print_figure(loudness, "integrated_lufs");
    print_figure(loudness, "range_lu");
    print_figure(loudness, "max_short_term_lufs");
    print_figure(json_object_get(row->programme, "peaks"), "true_peak_dbtp");
    printf(" %4zu %4zu", row->rank.fails, row->rank.warnings);
    if (form->checks_columns > 0)
        print_checks(json_object_get(row->programme, "findings"), form->checks_columns);
    putchar('\n');
    if (!json_is_object(second))
        return;
    printf("%*s", (int)form->name_columns + 11, "");
    print_figure(second, "integrated_lufs");
    print_figure(second, "range_lu");
    print_figure(second, "max_short_term_lufs");
    print_figure(second, "true_peak_dbtp");
    cli_print(stdout, "  by %s\n", json_string_value(json_object_get(second, "name")));
}

static void print_head(const table_row *rows, size_t folder, const table_form *form)
{
    int width = (int)form->name_columns;
    printf("%-10s %-*s %6s %6s %6s %6s %4s %4s%s\n", "VERDICT", width, "PROGRAMME", "LUFS", "LRA", "MAX-S", "dBTP", "FAIL", "WARN",
           form->checks_columns > 0 ? "  CHECKS" : "");
    if (folder > 0)
        cli_print(stdout, "%-10s %.*s:\n", "", (int)folder, rows[0].name - folder);
}

/* Of one programme alone everything; of several what fails or could not be judged: their warnings are counted in the row. */
static void print_findings(const json_t *programme, bool alone)
{
    size_t place;
    const json_t *item;
    json_array_foreach (json_object_get(programme, "findings"), place, item) {
        const char *severity = json_string_value(json_object_get(item, "severity"));
        if (!alone && strcmp(severity, "fail") != 0 && strcmp(severity, "not_checked") != 0)
            continue;
        cli_print(stdout, "            %s: %s\n", page_badge_text(severity), json_string_value(json_object_get(item, "message")));
    }
}

void qc_table_print(const json_t *report)
{
    enum { TOLD_MAX = 20 };
    const json_t *programmes = json_object_get(report, "programmes");
    size_t counts[VERDICT_FAIL + 1] = {0};
    size_t all = 0;
    size_t index;
    const json_t *programme;
    table_row *rows = calloc(json_array_size(programmes) + 1, sizeof *rows);
    json_array_foreach (programmes, index, programme) {
        if (rows == NULL || json_is_string(json_object_get(programme, "reel")))
            continue;
        const json_t *findings = json_object_get(programme, "findings");
        table_row row = {.programme = programme,
                         .name = file_of(programme),
                         .rank = {.fails = count_of(findings, "fail"), .warnings = count_of(findings, "warn"), .place = index}};
        while (row.rank.word < VERDICT_FAIL &&
               strcmp(json_string_value(json_object_get(programme, "verdict")), verdict_word_name(row.rank.word)) != 0)
            row.rank.word++;
        counts[row.rank.word]++;
        rows[all++] = row;
    }
    if (all > 1)
        qsort(rows, all, sizeof *rows, verdict_rank_compare);
    size_t folder = shared_folder(rows, all);
    for (size_t i = 0; i < all; i++) {
        rows[i].name += folder;
        rows[i].characters = characters_of(rows[i].name);
    }
    table_form form = form_of(rows, all);
    print_head(rows, folder, &form);
    for (size_t i = 0; i < all; i++) {
        print_row(&rows[i], &form);
        if (all <= TOLD_MAX)
            print_findings(rows[i].programme, all == 1);
    }
    free(rows);
    fflush(stdout); /* where both go to one file, the counts stand below the table */
    if (all > TOLD_MAX)
        fprintf(stderr, "Of so many the table tells counts alone: what was found in each stands in the report (--out DIR), or in --json.\n");
    if (all > 1)
        fprintf(stderr, "%zu programmes: %zu fail, %zu incomplete, %zu warn, %zu pass\n", all, counts[VERDICT_FAIL],
                counts[VERDICT_INCOMPLETE], counts[VERDICT_WARN], counts[VERDICT_PASS]);
}
