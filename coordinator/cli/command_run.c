#define _GNU_SOURCE
#include "coordinator/cli/cli.h"

#include "coordinator/cli/farm_job.h"
#include "coordinator/cli/job_document_write.h"
#include "coordinator/cli/report_read.h"
#include "coordinator/cli/run_changes.h"
#include "coordinator/report/page.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SUBMIT_MS = 30000, ASK_MS = 30000 };

/* mkdir -p, for the folder that becomes the root of what a job writes. */
static status make_folders(const char *path, error_detail *detail)
{
    char part[PATH_MAX];
    if (strlen(path) >= sizeof part)
        return error_detail_set(detail, STATUS_LIMIT, "the output folder's name is too long");
    strcpy(part, path);
    for (char *c = part + 1;; c++) {
        if (*c != '/' && *c != '\0')
            continue;
        char kept = *c;
        *c = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            return error_detail_set(detail, STATUS_STORAGE_DENIED,
                                    "cannot make the output folder '%s': %s; choose another with --out", part,
                                    strerror(errno));
        if (kept == '\0')
            break;
        *c = kept;
    }
    if (access(path, W_OK | X_OK) != 0)
        return error_detail_set(detail, STATUS_STORAGE_DENIED,
                                "cannot write to the output folder '%s': %s; choose another with --out", path,
                                strerror(errno));
    return STATUS_OK;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

static bool fails(const json_t *worst)
{
    return strcmp(text_of(worst, "severity"), "fail") == 0 || strcmp(text_of(worst, "severity"), "not_checked") == 0;
}

/* True if an earlier deliverable of the job, whose lines stand above, fails in the same words. */
static bool told_above(const json_t *deliverables, size_t index, const json_t *worst)
{
    for (size_t i = 0; i < index; i++) {
        size_t place;
        const json_t *other;
        json_array_foreach (json_object_get(json_array_get(deliverables, i), "worst"), place, other)
            if (fails(other) && strcmp(text_of(other, "message"), text_of(worst, "message")) == 0)
                return true;
    }
    return false;
}

/* How many findings of a severity are not told here, as part of a line that may have begun. */
static bool print_count(size_t count, const char *one, const char *several, const char *which, bool begun)
{
    if (count > 0)
        fprintf(stderr, "%s%zu %s%s", begun ? ", " : "      ", count, count == 1 ? one : several, which);
    return begun || count > 0;
}

/* What fails and what could not be judged, once each; how much else there is, which the report tells. */
static void print_findings(const json_t *deliverables, size_t index)
{
    const json_t *item = json_array_get(deliverables, index);
    const json_t *counts = json_object_get(item, "findings");
    size_t left = (size_t)(json_integer_value(json_object_get(counts, "fail")) + json_integer_value(json_object_get(counts, "not_checked")));
    size_t told = 0, above = 0;
    size_t place;
    const json_t *worst;
    json_array_foreach (json_object_get(item, "worst"), place, worst) {
        if (!fails(worst))
            continue;
        if (told_above(deliverables, index, worst)) {
            above++;
            continue;
        }
        told++;
        cli_print(stderr, "      %s: %s\n", page_badge_text(text_of(worst, "severity")), text_of(worst, "message"));
    }
    left = left > told + above ? left - told - above : 0;
    bool begun = print_count(above, "failure", "failures", " as above", false);
    begun = print_count(left, "failure", "failures", " more", begun);
    begun = print_count((size_t)json_integer_value(json_object_get(counts, "warn")), "warning", "warnings", "", begun);
    if (begun)
        fprintf(stderr, ", in the report\n");
}

/* What a person wants to see at the end: the verdict, a line per deliverable, and where things are. */
static void print_summary(const json_t *job, const char *out_folder)
{
    const json_t *deliverables = json_object_get(job, "deliverables");
    size_t index;
    const json_t *item;
    json_array_foreach (deliverables, index, item) {
        bool judged = json_is_string(json_object_get(item, "verdict"));
        bool failed = strcmp(text_of(item, "state"), "failed") == 0; /* why stands above: it is an error of the job */
        cli_print(stderr, "  %-12s %-11s ", text_of(item, "name"), failed && judged ? "unpublished" : text_of(item, "state"));
        const char *verdict = judged ? text_of(item, "verdict") : "-";
        const json_t *first = json_array_get(json_object_get(item, "files"), 0);
        if (first != NULL && !failed)
            cli_print(stderr, "%-10s %s/%s\n", verdict, out_folder, json_string_value(first));
        else
            cli_print(stderr, "%s\n", verdict);
        print_findings(deliverables, index);
    }
    const char *verdict = text_of(job, "verdict");
    const char *reports = text_of(job, "report_folder");
    if (verdict[0] != '\0')
        cli_print(stderr, "Verdict: %s\n", verdict);
    if (reports[0] != '\0')
        cli_print(stderr, "Report:  %s/%s/report.html\n", out_folder, reports);
    if (strstr(reports, "/report/") != NULL)
        cli_print(stderr, "         What an earlier run published was left as it is, and so was its report, in "
                          "%s/%s/%s/report.\n",
                  out_folder, text_of(job, "slug"), text_of(job, "version"));
}

/* With --meter: our figures and the other meter's, programme by programme. */
static status print_meters(farm_client *client, uint32_t job, error_detail *detail)
{
    static const char *const keys[] = {"integrated_lufs", "range_lu", "max_short_term_lufs"};
    char *text = NULL;
    size_t size = 0;
    status code = farm_client_query(client, "report.json", job, ASK_MS, &text, &size, detail);
    json_t *report = code == STATUS_OK ? json_loadb(text, size, 0, NULL) : NULL;
    free(text);
    size_t index;
    const json_t *programme;
    fprintf(stderr, "  %-12s %-11s %8s %8s %8s %8s\n", "", "METER", "LUFS", "LRA", "MAX-S", "dBTP");
    json_array_foreach (json_object_get(report, "programmes"), index, programme) {
        const json_t *second = json_object_get(programme, "second_meter");
        if (!json_is_object(second))
            continue;
        for (int k = 0; k < 2; k++) {
            const json_t *loudness = k == 0 ? json_object_get(programme, "loudness") : second;
            const json_t *peaks = k == 0 ? json_object_get(programme, "peaks") : second;
            cli_print(stderr, "  %-12s %-11s", k == 0 ? text_of(programme, "deliverable") : "",
                      k == 0 ? "reelmill" : text_of(second, "name"));
            for (size_t i = 0; i <= sizeof keys / sizeof keys[0]; i++) {
                const json_t *figure = i < sizeof keys / sizeof keys[0] ? json_object_get(loudness, keys[i])
                                                                        : json_object_get(peaks, "true_peak_dbtp");
                if (json_is_number(figure))
                    fprintf(stderr, " %8.1f", json_number_value(figure));
                else
                    fprintf(stderr, " %8s", "-");
            }
            fputc('\n', stderr);
        }
    }
    json_decref(report);
    return code;
}

static status print_document(farm_client *client, const char *what, uint32_t job, error_detail *detail)
{
    char *text = NULL;
    size_t size = 0;
    status code = farm_client_query(client, what, job, ASK_MS, &text, &size, detail);
    if (code == STATUS_OK)
        fwrite(text, 1, size, stdout);
    free(text);
    return code;
}

/* The report that lies where a run of the show leaves it, or NULL: *out is the caller's to release. */
static const json_t *standing_report(const loaded_show *loaded, json_t **out)
{
    arena memory;
    error_detail detail;
    const char *path = NULL;
    arena_init(&memory);
    path = report_of_show(loaded, &memory);
    *out = NULL;
    if (access(path, R_OK) != 0 || report_read(path, &memory, out, &detail) != STATUS_OK)
        *out = NULL;
    arena_deinit(&memory);
    return *out;
}

/* before: what lay there when the run began; NULL: nothing. What the run left there is nothing new. */
static void print_changes(const loaded_show *loaded, const json_t *job, const json_t *before)
{
    json_t *now = NULL;
    const char *reports = text_of(job, "report_folder");
    bool written = reports[0] != '\0' && strstr(reports, "/report/") == NULL;
    if (before != NULL && written && standing_report(loaded, &now) != NULL)
        run_changes_print(before, now);
    json_decref(now);
}

static int follow_and_show(const cli_arguments *arguments, const loaded_show *loaded, const farm_job_watch *watch,
                           bool rendering, const json_t *before)
{
    error_detail detail;
    json_t *job = NULL;
    status code = farm_job_follow(watch, &job, &detail);
    if (code != STATUS_OK)
        return cli_fail_detail(&detail);
    int exit_code = (int)json_integer_value(json_object_get(job, "exit_code"));
    if (!rendering) {
        exit_code = farm_job_show_result(arguments, watch->client, watch->job, job, &loaded->problems, loaded->out_folder);
    } else {
        farm_job_print_errors(job);
        if (cli_flag(arguments, "json"))
            code = print_document(watch->client, "report.json", watch->job, &detail);
        print_summary(job, loaded->out_folder);
        print_changes(loaded, job, before);
        if (code == STATUS_OK && cli_text(arguments, "meter") != NULL)
            code = print_meters(watch->client, watch->job, &detail);
        if (code != STATUS_OK && exit_code == EXIT_PASS)
            exit_code = cli_fail_detail(&detail);
    }
    json_decref(job);
    return exit_code;
}

/* A show's job on a private farm. kind: run, check or plan. */
static int run_show(const cli_arguments *arguments, const char *kind)
{
    arena memory;
    error_detail detail;
    loaded_show loaded;
    bool rendering = strcmp(kind, "run") == 0;
    private_farm *farm = NULL;
    farm_client *client = NULL;
    uint32_t job = 0;
    json_t *before = NULL;
    arena_init(&memory);
    status code = loaded_show_read(&loaded, arguments->words[0], rendering ? cli_text(arguments, "out") : NULL, &memory, &detail);
    if (code != STATUS_OK && strcmp(kind, "check") == 0 && loaded.media_folder != NULL)
        code = STATUS_OK; /* what is wrong with deliverables is said; the files are looked at all the same */
    if (code == STATUS_OK && access(loaded.media_folder, R_OK | X_OK) != 0)
        code = error_detail_set(&detail, STATUS_INPUT_MISSING, "%s: cannot read the media folder '%s': %s", loaded.display,
                                loaded.media_folder, strerror(errno));
    if (code == STATUS_OK && rendering)
        code = make_folders(loaded.out_folder, &detail);
    if (code == STATUS_OK && rendering)
        (void)standing_report(&loaded, &before);
    private_farm_root roots[2] = {{.name = "media", .directory = code == STATUS_OK ? loaded.media_folder : ""},
                                  {.name = "out", .directory = code == STATUS_OK ? loaded.out_folder : "", .writable = true}};
    if (code == STATUS_OK)
        code = farm_job_start_private(arguments, roots, rendering ? 2 : 1, &farm, &client, &detail);
    if (code == STATUS_OK) {
        job_options options = {.kind = kind,
                               .replace = rendering && cli_flag(arguments, "replace"),
                               .only = cli_text(arguments, "only"),
                               .audition = rendering && cli_flag(arguments, "audition"),
                               .checks = rendering ? cli_text(arguments, "checks") : NULL,
                               .meter = rendering ? cli_text(arguments, "meter") : NULL,
                               .cells_per_task = cli_number(arguments, "cells-per-task", 0),
                               .media = {.root = "media"},
                               .out = {.root = "out"}};
        const char *document = job_document_of_show(&loaded, &options, &memory);
        code = document == NULL ? error_detail_set(&detail, STATUS_LIMIT, "the show file with its recipes and specs is too large")
                                : farm_client_submit(client, document, strlen(document), 0, NULL, SUBMIT_MS, &job, &detail);
    }
    int exit_code;
    if (code != STATUS_OK) {
        exit_code = cli_fail_detail(&detail);
    } else {
        farm_job_watch watch = {.client = client, .farm = farm, .job = job, .quiet = !rendering || cli_flag(arguments, "verbose"),
                                .title = loaded.show.title};
        exit_code = follow_and_show(arguments, &loaded, &watch, rendering, before);
    }
    json_decref(before);
    farm_client_destroy(&client);
    private_farm_stop(&farm);
    arena_deinit(&memory);
    return exit_code;
}

int command_run(const cli_arguments *arguments)
{
    return run_show(arguments, "run");
}

int command_check(const cli_arguments *arguments)
{
    return run_show(arguments, "check");
}

int command_plan(const cli_arguments *arguments)
{
    return cli_text(arguments, "farm") != NULL ? command_plan_on_farm(arguments) : run_show(arguments, "plan");
}
