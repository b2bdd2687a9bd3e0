/* What a farm looks like: status and nodes in the way of squeue and sinfo, reports, logs, why something waits. */
#define _GNU_SOURCE
#include "coordinator/cli/cli.h"

#include "coordinator/cli/farm_ask.h"
#include "coordinator/cli/farm_job.h"
#include "coordinator/cli/forecast_text.h"
#include "coordinator/cli/job_selector.h"

#include "common/base/plain_text.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WATCH_MS = 1000, ENDED_SHOWN = 10 };
/* What tables need to have every column, and the widest cell that holds a name. */
enum { WIDE_COLUMNS = 112, NAME_CHARACTERS = 24, NAME_BYTES = 4 * NAME_CHARACTERS + 1 };

/* What a document becomes for people. */
typedef void print_answer(const cli_arguments *arguments, const json_t *answer);

/* "1-02:03:04" as squeue writes it, from seconds. */
static const char *time_text(double seconds, char out[32])
{
    unsigned all = seconds < 0.0 ? 0 : seconds < 4e9 ? (unsigned)seconds : 4000000000u;
    if (all >= 86400)
        snprintf(out, 32, "%u-%02u:%02u:%02u", all / 86400, all / 3600 % 24, all / 60 % 60, all % 60);
    else if (all >= 3600)
        snprintf(out, 32, "%u:%02u:%02u", all / 3600, all / 60 % 60, all % 60);
    else
        snprintf(out, 32, "%u:%02u", all / 60, all % 60);
    return out;
}

/* stdout is a terminal that a whole row does not fit on: what a row can do without goes, and its reason stands below it. */
static bool is_narrow(void)
{
    size_t columns = cli_columns();
    return columns > 0 && columns < WIDE_COLUMNS;
}

/* A name cut or padded to so many characters, whatever script it is in. */
static const char *name_cell(const char *name, size_t characters, char out[NAME_BYTES])
{
    size_t used = 0;
    for (; characters > 0; characters--) {
        size_t left = strlen(name);
        size_t length = left == 0 ? 0 : plain_text_length((const unsigned char *)name, left);
        if (left > 0 && length == 0)
            length = 1;
        memcpy(out + used, left == 0 ? " " : name, left == 0 ? 1 : length);
        used += left == 0 ? 1 : length;
        name += length;
    }
    out[used] = '\0';
    return out;
}

static void print_reason_below(const char *reason)
{
    if (reason[0] != '\0')
        cli_print(stdout, "       (%s)\n", reason);
}

static void print_job_head(void)
{
    if (is_narrow())
        printf("%6s %-2s %-14s %-8s %4s %9s %5s  %-10s %s\n", "JOB", "ST", "TITLE", "VERSION", "PRIO", "TIME", "DONE", "VERDICT",
               "NODES");
    else
        printf("%6s %-2s %-24s %-8s %-10s %4s %9s %5s %11s  %-10s %s\n", "JOB", "ST", "TITLE", "VERSION", "USER", "PRIO", "TIME",
               "DONE", "TASKS", "VERDICT", "NODES(REASON)");
}

static void print_job_row(const json_t *job)
{
    char elapsed[32], tasks[32], title[NAME_BYTES], version[NAME_BYTES], user[NAME_BYTES];
    char where[64] = "";
    double running = farm_number_of(job, "tasks_running");
    double done = farm_number_of(job, "progress") * 100.0;
    const char *reason = farm_text_of(job, "reason");
    const char *verdict = farm_text_of(job, "verdict")[0] == '\0' ? "-" : farm_text_of(job, "verdict");
    bool narrow = is_narrow();
    snprintf(tasks, sizeof tasks, "%.0f/%.0f", farm_number_of(job, "tasks_done"), farm_number_of(job, "tasks_total"));
    if (running > 0)
        snprintf(where, sizeof where, "%.0f on nodes", running);
    time_text(farm_number_of(job, "elapsed_s"), elapsed);
    name_cell(farm_text_of(job, "title"), narrow ? 14 : NAME_CHARACTERS, title);
    name_cell(farm_text_of(job, "version"), 8, version);
    name_cell(farm_text_of(job, "submitted_by"), 10, user);
    if (narrow) {
        cli_print(stdout, "%6.0f %-2s %s %s %4.0f %9s %4.0f%%  %-10s %s\n", farm_number_of(job, "job"), farm_text_of(job, "st"),
                  title, version, farm_number_of(job, "priority"), elapsed, done, verdict, where);
        print_reason_below(reason);
        return;
    }
    cli_print(stdout, "%6.0f %-2s %s %s %s %4.0f %9s %4.0f%% %11s  %-10s %s%s%s%s%s\n", farm_number_of(job, "job"),
              farm_text_of(job, "st"), title, version, user, farm_number_of(job, "priority"), elapsed, done, tasks, verdict, where,
              where[0] != '\0' && reason[0] != '\0' ? " " : "", reason[0] != '\0' ? "(" : "", reason, reason[0] != '\0' ? ")" : "");
}

/* What has not ended, and of what has the last few. */
static void print_jobs(const cli_arguments *arguments, const json_t *answer)
{
    (void)arguments;
    size_t index;
    const json_t *job;
    const json_t *jobs = json_object_get(answer, "jobs");
    uint32_t ended = 0;
    print_job_head();
    json_array_foreach (jobs, index, job)
        if (!farm_job_has_ended(job) || ended++ < ENDED_SHOWN)
            print_job_row(job);
    if (ended > ENDED_SHOWN)
        fprintf(stderr, "reelmill: %u more have ended; `reelmill status all` lists them\n", ended - ENDED_SHOWN);
    if (json_array_size(jobs) == 0)
        fputs("reelmill: no job yet; `reelmill submit SHOW.yaml` makes one\n", stderr);
}

static void print_all_jobs(const cli_arguments *arguments, const json_t *answer)
{
    (void)arguments;
    size_t index;
    const json_t *job;
    print_job_head();
    json_array_foreach (json_object_get(answer, "jobs"), index, job)
        print_job_row(job);
}

/* What several attempts or tasks ended with is one line: of the last of them, with how often. */
static void print_errors(const json_t *errors)
{
    for (size_t i = 0; i < json_array_size(errors); i++) {
        const json_t *item = json_array_get(errors, i);
        const char *message = farm_text_of(item, "message");
        size_t index, times = 0, last = 0;
        const json_t *other;
        json_array_foreach (errors, index, other)
            if (strcmp(farm_text_of(other, "message"), message) == 0) {
                times++;
                last = index;
            }
        char often[32] = "";
        if (times > 1)
            snprintf(often, sizeof often, " (%zu times)", times);
        if (last == i)
            cli_print(stdout, "  error: task %.0f: %s %s%s: %s\n", farm_number_of(item, "task"), farm_text_of(item, "kind"),
                      farm_text_of(item, "what"), often, message);
    }
}

static void print_job(const cli_arguments *arguments, const json_t *job)
{
    size_t index;
    const json_t *item;
    const json_t *tasks = json_object_get(job, "tasks");
    print_job_head();
    print_job_row(job);
    printf("tasks: %.0f; done %.0f, running %.0f, ready %.0f, waiting %.0f, backing off %.0f, failed %.0f; retries %.0f\n",
           farm_number_of(tasks, "total"), farm_number_of(tasks, "done"), farm_number_of(tasks, "running"),
           farm_number_of(tasks, "ready"), farm_number_of(tasks, "waiting"), farm_number_of(tasks, "backoff"),
           farm_number_of(tasks, "failed"), farm_number_of(job, "retries"));
    if (farm_text_of(job, "deadline")[0] != '\0')
        cli_print(stdout, "deadline: %s\n", farm_text_of(job, "deadline"));
    if (farm_text_of(job, "first")[0] != '\0')
        cli_print(stdout, "waits: %s\n", farm_text_of(job, "first"));
    json_array_foreach (json_object_get(job, "deliverables"), index, item)
        cli_print(stdout, "  %-12s %-11s %5.0f/%-5.0f cells  %s\n", farm_text_of(item, "name"), farm_text_of(item, "state"),
                  farm_number_of(item, "cells_done"), farm_number_of(item, "cells_total"), farm_text_of(item, "verdict"));
    json_array_foreach (json_object_get(job, "running"), index, item)
        cli_print(stdout, "  task %.0f: %s %s on %s, %.0f %%\n", farm_number_of(item, "task"), farm_text_of(item, "kind"),
                  farm_text_of(item, "what"), farm_text_of(item, "worker"), farm_number_of(item, "permille") / 10.0);
    print_errors(json_object_get(job, "errors"));
    if (json_is_object(json_object_get(job, "forecast")))
        forecast_text_print(json_object_get(job, "forecast"), cli_text(arguments, "by"));
}

/* sinfo's words for a node: of one that takes work, how full it is. */
static const char *node_state(const json_t *node)
{
    const char *state = farm_text_of(node, "state");
    double running = farm_number_of(node, "running");
    if (strcmp(state, "lost") == 0)
        return "down";
    if (strcmp(state, "ready") != 0)
        return state;
    return running <= 0.0 ? "idle" : running < farm_number_of(node, "slots") ? "mixed" : "alloc";
}

static void print_nodes(const cli_arguments *arguments, const json_t *answer)
{
    (void)arguments;
    size_t index;
    const json_t *node;
    bool narrow = is_narrow();
    printf("%-*s %-11s %5s %7s %6s %6s %6s  %-7s %-*s%s\n", narrow ? 16 : NAME_CHARACTERS, "NODE", "STATE", "SLOTS", "RUNNING",
           "QUEUED", "DONE", "FAILED", "CPU", narrow ? 0 : 25, "ROOTS", narrow ? "" : "REASON");
    json_array_foreach (json_object_get(answer, "nodes"), index, node) {
        char roots[256] = "", name[NAME_BYTES];
        const char *reason = farm_text_of(node, "reason");
        size_t used = 0, at;
        const json_t *root;
        json_array_foreach (json_object_get(node, "roots"), at, root)
            if (used < sizeof roots)
                used += (size_t)snprintf(roots + used, sizeof roots - used, "%s%s%s", at == 0 ? "" : ",", farm_text_of(root, "name"),
                                         json_is_true(json_object_get(root, "writable")) ? "" : ":ro");
        cli_print(stdout, "%s %-11s %5.0f %7.0f %6.0f %6.0f %6.0f  %-7s %-*s%s%s\n",
                  name_cell(farm_text_of(node, "name"), narrow ? 16 : NAME_CHARACTERS, name), node_state(node),
                  farm_number_of(node, "slots"), farm_number_of(node, "running"), farm_number_of(node, "queued"),
                  farm_number_of(node, "tasks_done"), farm_number_of(node, "tasks_failed"), farm_text_of(node, "cpu"),
                  narrow ? 0 : 24, roots, narrow ? "" : " ", narrow ? "" : reason);
        if (narrow)
            print_reason_below(reason);
    }
    if (farm_number_of(answer, "without_roots") > 0.0)
        cli_print(stderr, "reelmill: the roots of %.0f nodes are left out: there are too many\n", farm_number_of(answer, "without_roots"));
    if (farm_text_of(answer, "refused")[0] != '\0')
        cli_print(stderr, "reelmill: %s\n", farm_text_of(answer, "refused"));
    else if (json_array_size(json_object_get(answer, "nodes")) == 0)
        fputs("reelmill: no worker has connected yet; `reelmill-worker --help`, then `reelmill doctor` on its machine\n", stderr);
}

static bool everything_ended(const json_t *answer)
{
    size_t index;
    const json_t *job;
    if (json_object_get(answer, "nodes") != NULL)
        return false;
    if (json_object_get(answer, "jobs") == NULL)
        return !json_is_null(json_object_get(answer, "exit_code"));
    json_array_foreach (json_object_get(answer, "jobs"), index, job)
        if (!farm_job_has_ended(job))
            return false;
    return true;
}

/* One document as it is (print is NULL), or as a table. True once nothing in it will change any more. */
static status show_once(const cli_arguments *arguments, farm_client *client, const char *what, uint32_t job,
                        print_answer *print, bool clear_first, bool *out_ended, error_detail *detail)
{
    char *text = NULL;
    size_t size = 0;
    status code = farm_client_query(client, what, job, FARM_ASK_MS, &text, &size, detail);
    if (code != STATUS_OK)
        return code;
    json_t *answer = json_loadb(text, size, 0, NULL);
    if (clear_first)
        fputs("\033[H\033[2J", stdout);
    if (print == NULL || answer == NULL)
        fwrite(text, 1, size, stdout);
    else
        print(arguments, answer);
    fflush(stdout);
    *out_ended = answer == NULL || everything_ended(answer);
    json_decref(answer);
    free(text);
    return STATUS_OK;
}

/* A document about the one job that is named, or about none; again and again with --watch. */
static int show_query(const cli_arguments *arguments, const char *what, print_answer *print)
{
    arena memory;
    error_detail detail;
    farm_client *client = NULL;
    uint32_t *numbers = NULL;
    uint32_t count = 0;
    bool as_json = cli_knows(arguments, "json") && cli_flag(arguments, "json");
    bool watching = cli_knows(arguments, "watch") && cli_flag(arguments, "watch");
    bool ended = false;
    arena_init(&memory);
    status code = farm_job_connect(arguments, &client, &detail);
    if (code == STATUS_OK && arguments->word_count > 0)
        code = farm_ask_jobs(arguments->words, arguments->word_count, client, JOBS_ANY, &memory, &numbers, &count, &detail);
    if (code == STATUS_OK && count > 1)
        code = error_detail_set(&detail, STATUS_INPUT_INVALID, "'%s' means %u jobs; `%s` shows one at a time",
                                arguments->words[0], count, arguments->command->name);
    while (code == STATUS_OK && !ended) {
        code = show_once(arguments, client, what, count == 0 ? 0 : numbers[0], as_json ? NULL : print,
                         watching && !as_json && isatty(STDOUT_FILENO), &ended, &detail);
        if (!watching)
            break;
        if (code == STATUS_OK && !ended)
            (void)poll(NULL, 0, WATCH_MS);
    }
    farm_client_destroy(&client);
    arena_deinit(&memory);
    return code == STATUS_OK ? EXIT_PASS : cli_fail_detail(&detail);
}

/* The rows of the list that the words mean, as an answer of its own. */
static status pick_rows(const cli_arguments *arguments, farm_client *client, json_t **out_answer, error_detail *detail)
{
    json_t *answer = NULL;
    status code = farm_ask_json(client, "jobs", 0, &answer, detail);
    if (code != STATUS_OK)
        return code;
    json_t *jobs = json_object_get(answer, "jobs");
    bool *wanted = calloc(json_array_size(jobs) + 1, sizeof *wanted);
    if (wanted == NULL)
        code = error_detail_set(detail, STATUS_NODE_MEMORY, "out of memory");
    for (uint32_t i = 0; i < arguments->word_count && code == STATUS_OK; i++)
        code = job_selector_mark(arguments->words[i], jobs, wanted, detail);
    for (size_t i = json_array_size(jobs); i-- > 0 && code == STATUS_OK;)
        if (!wanted[i])
            json_array_remove(jobs, i);
    free(wanted);
    if (code == STATUS_OK)
        *out_answer = answer;
    else
        json_decref(answer);
    return code;
}

/* Several jobs: a table of those. */
static int show_several(const cli_arguments *arguments)
{
    error_detail detail;
    farm_client *client = NULL;
    bool watching = cli_flag(arguments, "watch");
    bool ended = false;
    status code = farm_job_connect(arguments, &client, &detail);
    while (code == STATUS_OK && !ended) {
        json_t *answer = NULL;
        code = pick_rows(arguments, client, &answer, &detail);
        if (code == STATUS_OK && cli_flag(arguments, "json")) {
            json_dumpf(answer, stdout, JSON_COMPACT | JSON_SORT_KEYS);
        } else if (code == STATUS_OK) {
            if (watching && isatty(STDOUT_FILENO))
                fputs("\033[H\033[2J", stdout);
            print_all_jobs(arguments, answer);
        }
        fflush(stdout);
        ended = code != STATUS_OK || everything_ended(answer);
        json_decref(answer);
        if (!watching)
            break;
        if (!ended)
            (void)poll(NULL, 0, WATCH_MS);
    }
    farm_client_destroy(&client);
    return code == STATUS_OK ? EXIT_PASS : cli_fail_detail(&detail);
}

int command_status(const cli_arguments *arguments)
{
    error_detail detail;
    double seconds = 0.0;
    uint32_t number = 0;
    const char *by = cli_text(arguments, "by");
    if (by != NULL && forecast_text_until(by, time(NULL), &seconds, &detail) != STATUS_OK)
        return cli_fail_detail(&detail);
    if (arguments->word_count == 0)
        return show_query(arguments, "jobs", print_jobs);
    bool one = arguments->word_count == 1 &&
               (job_selector_is_number(arguments->words[0], &number) || strcmp(arguments->words[0], "last") == 0);
    return one ? show_query(arguments, "job", print_job) : show_several(arguments);
}

int command_report(const cli_arguments *arguments)
{
    return show_query(arguments, cli_flag(arguments, "pdf") ? "report.pdf" : cli_flag(arguments, "html") ? "report.html" : "report.json",
                      NULL);
}

int command_nodes(const cli_arguments *arguments)
{
    return show_query(arguments, "nodes", print_nodes);
}

/* ---- logs ---- */

/* What was added since; true once the job has ended and all of it has been shown. */
static status follow_once(farm_client *client, uint32_t job, size_t *shown, bool *out_over, error_detail *detail)
{
    json_t *answer = NULL;
    status code = farm_ask_json(client, "job", job, &answer, detail); /* first: what it ended with is in the log then */
    if (code != STATUS_OK)
        return code;
    *out_over = !json_is_null(json_object_get(answer, "exit_code"));
    json_decref(answer);
    for (size_t size = 1; code == STATUS_OK && size > 0;) {
        char *text = NULL;
        code = farm_client_query_from(client, "logs", job, *shown, FARM_ASK_MS, &text, &size, detail);
        if (code == STATUS_OK)
            fwrite(text, 1, size, stdout);
        *shown += code == STATUS_OK ? size : 0;
        free(text);
    }
    fflush(stdout);
    return code;
}

int command_logs(const cli_arguments *arguments)
{
    arena memory;
    error_detail detail;
    farm_client *client = NULL;
    uint32_t *numbers = NULL;
    uint32_t count = 0;
    size_t shown = 0;
    bool follow = cli_flag(arguments, "follow") || cli_flag(arguments, "f");
    bool over = false;
    arena_init(&memory);
    status code = farm_job_connect(arguments, &client, &detail);
    if (code == STATUS_OK)
        code = farm_ask_jobs(arguments->words, 1, client, JOBS_ANY, &memory, &numbers, &count, &detail);
    if (code == STATUS_OK && count != 1)
        code = error_detail_set(&detail, STATUS_INPUT_INVALID, "'%s' means %u jobs; `logs` shows one at a time",
                                arguments->words[0], count);
    while (code == STATUS_OK && !over) {
        code = follow_once(client, numbers[0], &shown, &over, &detail);
        over = over || !follow;
        if (code == STATUS_OK && !over)
            (void)poll(NULL, 0, WATCH_MS);
    }
    farm_client_destroy(&client);
    arena_deinit(&memory);
    return code == STATUS_OK ? EXIT_PASS : cli_fail_detail(&detail);
}

/* ---- why ---- */

static void print_tasks(const json_t *list, const char *head)
{
    size_t index;
    const json_t *task;
    if (json_array_size(list) > 0)
        puts(head);
    json_array_foreach (list, index, task)
        cli_print(stdout, "  task %.0f: %s %s: %s%s%s\n", farm_number_of(task, "task"), farm_text_of(task, "kind"),
                  farm_text_of(task, "what"), farm_text_of(task, "state"), farm_text_of(task, "message")[0] != '\0' ? ": " : "", farm_text_of(task, "message"));
}

static void print_why(const cli_arguments *arguments, const json_t *answer)
{
    (void)arguments;
    size_t index;
    const json_t *item;
    const char *reason = farm_text_of(answer, "reason");
    if (json_is_integer(json_object_get(answer, "task")))
        cli_print(stdout, "job %.0f task %.0f: %s %s: %s: %s\n", farm_number_of(answer, "job"), farm_number_of(answer, "task"),
                  farm_text_of(answer, "kind"), farm_text_of(answer, "what"), farm_text_of(answer, "state"), reason);
    else
        cli_print(stdout, "job %.0f: %s: %s%s%s\n", farm_number_of(answer, "job"), farm_text_of(answer, "title"),
                  farm_text_of(answer, "st"), reason[0] != '\0' ? ": " : "", reason);
    print_tasks(json_object_get(answer, "waits"), "waits for:");
    print_tasks(json_object_get(answer, "failed"), "failed:");
    print_tasks(json_object_get(answer, "backing_off"), "will be tried again:");
    json_array_foreach (json_object_get(answer, "errors"), index, item)
        cli_print(stdout, "  attempt: %s\n", json_string_value(item));
    if (farm_number_of(answer, "skipped") > 0)
        printf("%.0f tasks were skipped because of that\n", farm_number_of(answer, "skipped"));
    if (farm_text_of(answer, "next")[0] != '\0')
        cli_print(stdout, "next: %s\n", farm_text_of(answer, "next"));
}

/* JOB, or JOB.TASK. */
int command_explain_farm(const cli_arguments *arguments)
{
    char job[32];
    char what[32] = "explain";
    unsigned task = 0;
    char rest = 0;
    const char *dot = strchr(arguments->words[0], '.');
    snprintf(job, sizeof job, "%.*s", (int)strcspn(arguments->words[0], "."), arguments->words[0]);
    if (dot != NULL && (sscanf(dot + 1, "%9u%c", &task, &rest) != 1 || dot[1] < '0' || dot[1] > '9'))
        return cli_fail(STATUS_INPUT_INVALID, "'%s' names no task; write it like 3.17: job 3, task 17 of it", arguments->words[0]);
    if (dot != NULL)
        snprintf(what, sizeof what, "explain.%u", task);
    const char *const words[] = {job};
    cli_arguments named = *arguments;
    named.words = words;
    return show_query(&named, what, print_why);
}
