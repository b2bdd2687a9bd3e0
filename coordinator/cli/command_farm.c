#define _GNU_SOURCE
#include "coordinator/cli/cli.h"

#include "coordinator/cli/farm_job.h"
#include "coordinator/cli/forecast_text.h"
#include "coordinator/cli/job_document_write.h"
#include "coordinator/cli/job_selector.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ASK_MS = 10000, SUBMIT_MS = 30000, WATCH_MS = 1000 };

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

static double number_of(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static bool job_has_ended(const json_t *job)
{
    return strcmp(text_of(job, "state"), "ended") == 0 || json_is_integer(json_object_get(job, "exit_code"));
}

/* Of several jobs that one word means, which take part. */
typedef enum job_state_wanted { JOBS_ANY, JOBS_RUNNING, JOBS_ENDED } job_state_wanted;

/* The numbers of the jobs that the command's words mean. A plain number is passed on as it is: the farm knows best. */
static status pick_jobs(const cli_arguments *arguments, farm_client *client, job_state_wanted which, arena *memory,
                        uint32_t **out_numbers, uint32_t *out_count, error_detail *detail)
{
    uint32_t number = 0;
    bool plain = true;
    *out_count = 0;
    for (uint32_t i = 0; i < arguments->word_count; i++)
        plain = plain && job_selector_is_number(arguments->words[i], &number);
    if (plain) {
        *out_numbers = arena_take_array(memory, arguments->word_count, sizeof **out_numbers);
        for (uint32_t i = 0; i < arguments->word_count; i++)
            (void)job_selector_is_number(arguments->words[i], &(*out_numbers)[(*out_count)++]);
        return STATUS_OK;
    }
    char *text = NULL;
    size_t size = 0;
    status code = farm_client_query(client, "jobs", 0, ASK_MS, &text, &size, detail);
    if (code != STATUS_OK)
        return code;
    json_t *answer = json_loadb(text, size, 0, NULL);
    free(text);
    const json_t *jobs = json_object_get(answer, "jobs");
    size_t count = json_array_size(jobs);
    bool *wanted = arena_take_array(memory, count + 1, sizeof *wanted);
    memset(wanted, 0, (count + 1) * sizeof *wanted);
    *out_numbers = arena_take_array(memory, count + 1, sizeof **out_numbers);
    for (uint32_t i = 0; i < arguments->word_count && code == STATUS_OK; i++)
        code = job_selector_mark(arguments->words[i], jobs, wanted, detail);
    for (size_t i = count; i-- > 0 && code == STATUS_OK;) { /* the list is newest first */
        const json_t *job = json_array_get(jobs, i);
        if (wanted[i] && (which == JOBS_ANY || job_has_ended(job) == (which == JOBS_ENDED)))
            (*out_numbers)[(*out_count)++] = (uint32_t)number_of(job, "job");
    }
    json_decref(answer);
    return code;
}

/* Finds the named media root that a folder of this machine lies in, as the coordinator knows them. */
static status map_folder(const json_t *roots, const char *folder, plan_place *out_place, error_detail *detail)
{
    size_t best = 0;
    size_t index;
    const json_t *root;
    char *resolved = realpath(folder, NULL);
    const char *path = resolved == NULL ? folder : resolved;
    json_array_foreach (roots, index, root) {
        const char *prefix = text_of(root, "path");
        size_t length = strlen(prefix);
        while (length > 1 && prefix[length - 1] == '/')
            length--;
        if (length < best || strncmp(path, prefix, length) != 0 || (path[length] != '/' && path[length] != '\0'))
            continue;
        const char *rest = path + length + (path[length] == '/' ? 1 : 0);
        best = length;
        snprintf(out_place->root, sizeof out_place->root, "%s", text_of(root, "name"));
        snprintf(out_place->prefix, sizeof out_place->prefix, "%s", rest);
    }
    status code = best > 0 ? STATUS_OK
                           : error_detail_set(detail, STATUS_INPUT_INVALID,
                                              "the folder '%s' lies under no media root of this farm (%zu roots); `--root` of the coordinator names them",
                                              path, json_array_size(roots));
    free(resolved);
    return code;
}

/* kind: run or plan, which writes nothing. */
static status submit_show(const cli_arguments *arguments, const char *kind, farm_client *client, const loaded_show *loaded,
                          arena *memory, uint32_t *out_job, error_detail *detail)
{
    char *text = NULL;
    size_t size = 0;
    status code = farm_client_query(client, "roots", 0, ASK_MS, &text, &size, detail);
    if (code != STATUS_OK)
        return code;
    json_t *answer = json_loadb(text, size, 0, NULL);
    const json_t *roots = json_object_get(answer, "roots");
    free(text);
    bool writes = strcmp(kind, "run") == 0;
    job_options options = {.kind = kind,
                           .replace = writes && cli_flag(arguments, "replace"),
                           .only = cli_text(arguments, "only"),
                           .meter = writes ? cli_text(arguments, "meter") : NULL,
                           .cells_per_task = cli_knows(arguments, "cells-per-task") ? cli_number(arguments, "cells-per-task", 0) : 0};
    code = map_folder(roots, loaded->media_folder, &options.media, detail);
    if (code == STATUS_OK)
        code = map_folder(roots, loaded->out_folder, &options.out, detail);
    json_decref(answer);
    if (code != STATUS_OK)
        return code;
    const char *document = job_document_of_show(loaded, &options, memory);
    if (document == NULL)
        return error_detail_set(detail, STATUS_LIMIT, "the show file with its recipes and specs is too large");
    int32_t priority = writes ? (int32_t)cli_number(arguments, "priority", 0) : 0;
    return farm_client_submit(client, document, strlen(document), priority, SUBMIT_MS, out_job, detail);
}

int command_plan_on_farm(const cli_arguments *arguments)
{
    arena memory;
    error_detail detail;
    loaded_show loaded;
    farm_client *client = NULL;
    json_t *job = NULL;
    uint32_t number = 0;
    double seconds = 0.0;
    arena_init(&memory);
    const char *by = cli_text(arguments, "by");
    status code = by == NULL ? STATUS_OK : forecast_text_until(by, time(NULL), &seconds, &detail);
    if (code == STATUS_OK)
        code = loaded_show_read(&loaded, arguments->words[0], NULL, &memory, &detail);
    if (code == STATUS_OK)
        code = farm_job_connect(arguments, &client, &detail);
    if (code == STATUS_OK)
        code = submit_show(arguments, "plan", client, &loaded, &memory, &number, &detail);
    farm_job_watch watch = {.client = client, .job = number, .quiet = true, .title = ""};
    if (code == STATUS_OK)
        code = farm_job_follow(&watch, &job, &detail);
    int exit_code = code == STATUS_OK ? farm_job_show_result(arguments, client, number, job) : cli_fail_detail(&detail);
    json_decref(job);
    farm_client_destroy(&client);
    arena_deinit(&memory);
    return exit_code;
}

int command_submit(const cli_arguments *arguments)
{
    arena memory;
    error_detail detail;
    loaded_show loaded;
    farm_client *client = NULL;
    uint32_t number = 0;
    arena_init(&memory);
    status code = loaded_show_read(&loaded, arguments->words[0], NULL, &memory, &detail);
    if (code == STATUS_OK)
        code = farm_job_connect(arguments, &client, &detail);
    if (code == STATUS_OK)
        code = submit_show(arguments, "run", client, &loaded, &memory, &number, &detail);
    int exit_code = code == STATUS_OK ? EXIT_PASS : cli_fail_detail(&detail);
    if (code == STATUS_OK && cli_flag(arguments, "json"))
        printf("{\"reelmill\": 1, \"job\": %u}\n", number);
    else if (code == STATUS_OK)
        printf("%u\n", number);
    if (code == STATUS_OK && cli_flag(arguments, "wait")) {
        json_t *job = NULL;
        fflush(stdout);
        farm_job_catch_signals();
        farm_job_watch watch = {.client = client, .job = number, .title = loaded.show.title};
        code = farm_job_follow(&watch, &job, &detail);
        exit_code = code == STATUS_OK ? (int)json_integer_value(json_object_get(job, "exit_code")) : cli_fail_detail(&detail);
        if (code == STATUS_OK)
            farm_job_print_errors(job);
        json_decref(job);
    }
    farm_client_destroy(&client);
    arena_deinit(&memory);
    return exit_code;
}

static void print_jobs(const cli_arguments *arguments, const json_t *answer)
{
    size_t index;
    const json_t *job;
    (void)arguments;
    printf("%6s %-10s %-24s %-8s %6s %8s  %s\n", "JOB", "STATE", "TITLE", "VERSION", "DONE", "TIME", "VERDICT");
    json_array_foreach (json_object_get(answer, "jobs"), index, job)
        printf("%6.0f %-10s %-24.24s %-8s %5.0f%% %7.1fs  %s\n", number_of(job, "job"), text_of(job, "state"),
               text_of(job, "title"), text_of(job, "version"), number_of(job, "progress") * 100.0,
               number_of(job, "elapsed_s"), text_of(job, "verdict"));
    if (json_array_size(json_object_get(answer, "jobs")) == 0)
        fputs("reelmill: no job yet; `reelmill submit SHOW.yaml` makes one\n", stderr);
}

static void print_job(const cli_arguments *arguments, const json_t *job)
{
    const json_t *tasks = json_object_get(job, "tasks");
    printf("job %.0f: %s %s, %s, %.0f %% done, %.1f s\n", number_of(job, "job"), text_of(job, "title"),
           text_of(job, "version"), text_of(job, "state"), number_of(job, "progress") * 100.0, number_of(job, "elapsed_s"));
    printf("tasks: %.0f; done %.0f, running %.0f, ready %.0f, waiting %.0f, backing off %.0f, failed %.0f; retries %.0f\n",
           number_of(tasks, "total"), number_of(tasks, "done"), number_of(tasks, "running"), number_of(tasks, "ready"),
           number_of(tasks, "waiting"), number_of(tasks, "backoff"), number_of(tasks, "failed"), number_of(job, "retries"));
    size_t index;
    const json_t *item;
    json_array_foreach (json_object_get(job, "deliverables"), index, item)
        printf("  %-12s %-11s %5.0f/%-5.0f cells  %s\n", text_of(item, "name"), text_of(item, "state"),
               number_of(item, "cells_done"), number_of(item, "cells_total"), text_of(item, "verdict"));
    json_array_foreach (json_object_get(job, "errors"), index, item)
        printf("  error: %s %s: %s\n", text_of(item, "kind"), text_of(item, "what"), text_of(item, "message"));
    if (json_is_object(json_object_get(job, "forecast")))
        forecast_text_print(json_object_get(job, "forecast"), cli_text(arguments, "by"));
}

static void print_nodes(const cli_arguments *arguments, const json_t *answer)
{
    size_t index;
    const json_t *node;
    (void)arguments;
    printf("%-24s %-12s %5s %7s %6s %6s  %-7s %s\n", "NODE", "STATE", "SLOTS", "RUNNING", "DONE", "FAILED", "CPU",
           "REASON");
    json_array_foreach (json_object_get(answer, "nodes"), index, node)
        printf("%-24.24s %-12s %5.0f %7.0f %6.0f %6.0f  %-7s %s\n", text_of(node, "name"), text_of(node, "state"),
               number_of(node, "slots"), number_of(node, "running"), number_of(node, "tasks_done"),
               number_of(node, "tasks_failed"), text_of(node, "cpu"), text_of(node, "reason"));
    if (json_array_size(json_object_get(answer, "nodes")) == 0)
        fputs("reelmill: no worker has connected yet\n", stderr);
}

static bool everything_ended(const json_t *answer)
{
    size_t index;
    const json_t *job;
    if (json_object_get(answer, "jobs") == NULL)
        return !json_is_null(json_object_get(answer, "exit_code"));
    json_array_foreach (json_object_get(answer, "jobs"), index, job)
        if (!job_has_ended(job))
            return false;
    return true;
}

/* What a document becomes for people. */
typedef void (*print_fn)(const cli_arguments *arguments, const json_t *answer);

/* One document as it is, or as a table. True once nothing in it will change any more. */
static status show_once(const cli_arguments *arguments, farm_client *client, const char *what, uint32_t job,
                        print_fn print, bool clear_first, bool *out_ended, error_detail *detail)
{
    char *text = NULL;
    size_t size = 0;
    status code = farm_client_query(client, what, job, ASK_MS, &text, &size, detail);
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

/* Asks for a document about the one job that is named, or about none, and shows it; again and again with --watch. */
static int show_query(const cli_arguments *arguments, const char *what, print_fn print)
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
        code = pick_jobs(arguments, client, JOBS_ANY, &memory, &numbers, &count, &detail);
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

int command_status(const cli_arguments *arguments)
{
    error_detail detail;
    double seconds = 0.0;
    const char *by = cli_text(arguments, "by");
    if (by != NULL && forecast_text_until(by, time(NULL), &seconds, &detail) != STATUS_OK)
        return cli_fail_detail(&detail);
    return arguments->word_count == 0 ? show_query(arguments, "jobs", print_jobs)
                                      : show_query(arguments, "job", print_job);
}

int command_report(const cli_arguments *arguments)
{
    return show_query(arguments, cli_flag(arguments, "html") ? "report.html" : "report.json", NULL);
}

int command_logs(const cli_arguments *arguments)
{
    return show_query(arguments, "logs", NULL);
}

int command_nodes(const cli_arguments *arguments)
{
    return show_query(arguments, "nodes", print_nodes);
}

/* One verb for each of the jobs; goes on after a refusal, and exits as the worst. */
static int send_to_jobs(const cli_arguments *arguments, const char *verb, job_state_wanted which)
{
    arena memory;
    error_detail detail;
    farm_client *client = NULL;
    uint32_t *numbers = NULL;
    uint32_t count = 0;
    arena_init(&memory);
    status code = farm_job_connect(arguments, &client, &detail);
    if (code == STATUS_OK)
        code = pick_jobs(arguments, client, which, &memory, &numbers, &count, &detail);
    int worst = code == STATUS_OK ? EXIT_PASS : cli_fail_detail(&detail);
    if (code == STATUS_OK && count == 0)
        fprintf(stderr, "reelmill: none of these jobs %s; nothing to do\n", which == JOBS_ENDED ? "has ended" : "is running");
    for (uint32_t i = 0; i < count && code == STATUS_OK; i++) {
        int exit_code = EXIT_PASS;
        if (farm_client_command(client, verb, numbers[i], NULL, cli_text(arguments, "reason"), ASK_MS, &detail) != STATUS_OK)
            exit_code = cli_fail_detail(&detail);
        worst = exit_code > worst ? exit_code : worst;
    }
    farm_client_destroy(&client);
    arena_deinit(&memory);
    return worst;
}

static int send_to_nodes(const cli_arguments *arguments, const char *verb)
{
    error_detail detail;
    farm_client *client = NULL;
    status code = farm_job_connect(arguments, &client, &detail);
    int worst = code == STATUS_OK ? EXIT_PASS : cli_fail_detail(&detail);
    for (uint32_t i = 0; i < arguments->word_count && code == STATUS_OK; i++) {
        int exit_code = EXIT_PASS;
        if (farm_client_command(client, verb, 0, arguments->words[i], cli_text(arguments, "reason"), ASK_MS, &detail) !=
            STATUS_OK)
            exit_code = cli_fail_detail(&detail);
        worst = exit_code > worst ? exit_code : worst;
    }
    farm_client_destroy(&client);
    return worst;
}

int command_cancel(const cli_arguments *arguments)
{
    return send_to_jobs(arguments, "cancel", JOBS_RUNNING);
}

int command_retry(const cli_arguments *arguments)
{
    return send_to_jobs(arguments, "retry", JOBS_ENDED);
}

int command_drain(const cli_arguments *arguments)
{
    return send_to_nodes(arguments, "drain");
}

int command_undrain(const cli_arguments *arguments)
{
    return send_to_nodes(arguments, "undrain");
}

/* Ctrl-C ends the waiting, not the jobs. */
int command_wait(const cli_arguments *arguments)
{
    arena memory;
    error_detail detail;
    farm_client *client = NULL;
    uint32_t *numbers = NULL;
    uint32_t count = 0;
    arena_init(&memory);
    status code = farm_job_connect(arguments, &client, &detail);
    if (code == STATUS_OK)
        code = pick_jobs(arguments, client, JOBS_ANY, &memory, &numbers, &count, &detail);
    int worst = code == STATUS_OK ? EXIT_PASS : cli_fail_detail(&detail);
    for (uint32_t i = 0; i < count && code == STATUS_OK; i++) {
        json_t *job = NULL;
        farm_job_watch watch = {.client = client, .job = numbers[i], .title = "waiting"};
        int exit_code = farm_job_follow(&watch, &job, &detail) == STATUS_OK
                            ? (int)json_integer_value(json_object_get(job, "exit_code"))
                            : cli_fail_detail(&detail);
        if (job != NULL) {
            fprintf(stderr, "job %u: %s %s: %s\n", numbers[i], text_of(job, "title"), text_of(job, "version"),
                    text_of(job, "verdict")[0] == '\0' ? text_of(job, "state") : text_of(job, "verdict"));
            farm_job_print_errors(job);
        }
        json_decref(job);
        worst = exit_code > worst ? exit_code : worst;
    }
    farm_client_destroy(&client);
    arena_deinit(&memory);
    return worst;
}
