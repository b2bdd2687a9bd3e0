#include "coordinator/cli/qc_table.h"

#include "coordinator/cli/cli.h"
#include "coordinator/report/page.h"
#include "coordinator/verdict/verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_figure(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (json_is_number(value))
        printf(" %8.1f", json_number_value(value));
    else
        printf(" %8s", "-");
}

/* Under a programme's line, in the same columns. */
static void print_second_meter(const json_t *second)
{
    if (!json_is_object(second))
        return;
    printf("%-11s", "");
    print_figure(second, "integrated_lufs");
    print_figure(second, "range_lu");
    print_figure(second, "max_short_term_lufs");
    print_figure(second, "true_peak_dbtp");
    cli_print(stdout, "  by %s\n", json_string_value(json_object_get(second, "name")));
}

/* A programme of the table. */
typedef struct table_row {
    verdict_rank rank; /* first: rows are sorted by it */
    const json_t *programme;
} table_row;

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

static void print_row(const table_row *row)
{
    const json_t *loudness = json_object_get(row->programme, "loudness");
    printf("%-11s", verdict_word_name(row->rank.word));
    print_figure(loudness, "integrated_lufs");
    print_figure(loudness, "range_lu");
    print_figure(loudness, "max_short_term_lufs");
    print_figure(json_object_get(row->programme, "peaks"), "true_peak_dbtp");
    const char *file = json_string_value(json_array_get(json_object_get(row->programme, "files"), 0));
    cli_print(stdout, " %5zu %5zu  %s\n", row->rank.fails, row->rank.warnings,
              file != NULL ? file : json_string_value(json_object_get(row->programme, "deliverable")));
    print_second_meter(json_object_get(row->programme, "second_meter"));
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
                         .rank = {.fails = count_of(findings, "fail"), .warnings = count_of(findings, "warn"), .place = index}};
        while (row.rank.word < VERDICT_FAIL &&
               strcmp(json_string_value(json_object_get(programme, "verdict")), verdict_word_name(row.rank.word)) != 0)
            row.rank.word++;
        counts[row.rank.word]++;
        rows[all++] = row;
    }
    if (all > 1)
        qsort(rows, all, sizeof *rows, verdict_rank_compare);
    printf("%-11s %8s %8s %8s %8s %5s %5s  %s\n", "VERDICT", "LUFS", "LRA", "MAX-S", "dBTP", "FAIL", "WARN", "PROGRAMME");
    for (size_t i = 0; i < all; i++) {
        print_row(&rows[i]);
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
