#define _GNU_SOURCE
#include "coordinator/cli/cli.h"

#include "coordinator/cli/farm_job.h"
#include "coordinator/cli/job_document_write.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ASK_MS = 10000, SUBMIT_MS = 30000, WATCH_MS = 1000 };

static status connect_farm(const cli_arguments *arguments, farm_client **out_client, error_detail *detail)
{
    const char *endpoint = cli_text(arguments, "farm");
    if (endpoint == NULL)
        endpoint = getenv("REELMILL_FARM");
    if (endpoint == NULL)
        return error_detail_set(detail, STATUS_INPUT_MISSING,
                                "which farm? give --farm tcp://HOST:PORT or set REELMILL_FARM");
    return farm_client_create(out_client, endpoint, detail);
}

static status job_number(const char *word, uint32_t *out_job, error_detail *detail)
{
    unsigned number = 0;
    char rest = 0;
    if (sscanf(word, "%9u%c", &number, &rest) != 1 || number == 0)
        return error_detail_set(detail, STATUS_INPUT_INVALID, "'%s' is no job number; `reelmill status` lists the jobs",
                                word);
    *out_job = number;
    return STATUS_OK;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

static double number_of(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
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

static status submit_show(const cli_arguments *arguments, farm_client *client, const loaded_show *loaded, arena *memory,
                          uint32_t *out_job, error_detail *detail)
{
    char *text = NULL;
    size_t size = 0;
    status code = farm_client_query(client, "roots", 0, ASK_MS, &text, &size, detail);
    if (code != STATUS_OK)
        return code;
    json_t *answer = json_loadb(text, size, 0, NULL);
    const json_t *roots = json_object_get(answer, "roots");
    free(text);
    job_options options = {.kind = "run", .replace = cli_flag(arguments, "replace"), .only = cli_text(arguments, "only")};
    code = map_folder(roots, loaded->media_folder, &options.media, detail);
    if (code == STATUS_OK)
        code = map_folder(roots, loaded->out_folder, &options.out, detail);
    json_decref(answer);
    if (code != STATUS_OK)
        return code;
    const char *document = job_document_of_show(loaded, &options, memory);
    if (document == NULL)
        return error_detail_set(detail, STATUS_LIMIT, "the show file with its recipes and specs is too large");
    return farm_client_submit(client, document, strlen(document), (int32_t)cli_number(arguments, "priority", 0), SUBMIT_MS,
                              out_job, detail);
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
        code = connect_farm(arguments, &client, &detail);
    if (code == STATUS_OK)
        code = submit_show(arguments, client, &loaded, &memory, &number, &detail);
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

static void print_jobs(const json_t *answer)
{
    size_t index;
    const json_t *job;
    printf("%6s %-10s %-24s %-8s %6s %8s  %s\n", "JOB", "STATE", "TITLE", "VERSION", "DONE", "TIME", "VERDICT");
    json_array_foreach (json_object_get(answer, "jobs"), index, job)
        printf("%6.0f %-10s %-24.24s %-8s %5.0f%% %7.1fs  %s\n", number_of(job, "job"), text_of(job, "state"),
               text_of(job, "title"), text_of(job, "version"), number_of(job, "progress") * 100.0,
               number_of(job, "elapsed_s"), text_of(job, "verdict"));
}

static void print_job(const json_t *job)
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
}

static void print_nodes(const json_t *answer)
{
    size_t index;
    const json_t *node;
    printf("%-24s %-12s %5s %7s %6s %6s  %-7s %s\n", "NODE", "STATE", "SLOTS", "RUNNING", "DONE", "FAILED", "CPU",
           "REASON");
    json_array_foreach (json_object_get(answer, "nodes"), index, node)
        printf("%-24.24s %-12s %5.0f %7.0f %6.0f %6.0f  %-7s %s\n", text_of(node, "name"), text_of(node, "state"),
               number_of(node, "slots"), number_of(node, "running"), number_of(node, "tasks_done"),
               number_of(node, "tasks_failed"), text_of(node, "cpu"), text_of(node, "reason"));
}

static bool everything_ended(const json_t *answer)
{
    size_t index;
    const json_t *job;
    if (json_object_get(answer, "jobs") == NULL)
        return !json_is_null(json_object_get(answer, "exit_code"));
    json_array_foreach (json_object_get(answer, "jobs"), index, job)
        if (strcmp(text_of(job, "state"), "ended") != 0 && !json_is_integer(json_object_get(job, "exit_code")))
            return false;
    return true;
}

/* Asks for one document and shows it: as it is, or as a table; again and again with --watch. */
static int show_query(const cli_arguments *arguments, const char *what, void (*print)(const json_t *answer))
{
    error_detail detail;
    farm_client *client = NULL;
    uint32_t number = 0;
    status code = STATUS_OK;
    if (arguments->word_count > 0)
        code = job_number(arguments->words[0], &number, &detail);
    if (code == STATUS_OK)
        code = connect_farm(arguments, &client, &detail);
    for (bool again = code == STATUS_OK; again;) {
        char *text = NULL;
        size_t size = 0;
        code = farm_client_query(client, what, number, ASK_MS, &text, &size, &detail);
        again = false;
        if (code != STATUS_OK)
            break;
        json_t *answer = json_loadb(text, size, 0, NULL);
        bool watching = cli_flag(arguments, "watch");
        if (watching && isatty(STDOUT_FILENO) && !cli_flag(arguments, "json"))
            fputs("\033[H\033[2J", stdout);
        if (print == NULL || answer == NULL || cli_flag(arguments, "json"))
            fwrite(text, 1, size, stdout);
        else
            print(answer);
        fflush(stdout);
        again = watching && answer != NULL && !everything_ended(answer);
        json_decref(answer);
        free(text);
        if (again)
            (void)poll(NULL, 0, WATCH_MS);
    }
    farm_client_destroy(&client);
    return code == STATUS_OK ? EXIT_PASS : cli_fail_detail(&detail);
}

int command_status(const cli_arguments *arguments)
{
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

static int send_command(const cli_arguments *arguments, const char *verb, bool about_job)
{
    error_detail detail;
    farm_client *client = NULL;
    uint32_t number = 0;
    status code = about_job ? job_number(arguments->words[0], &number, &detail) : STATUS_OK;
    if (code == STATUS_OK)
        code = connect_farm(arguments, &client, &detail);
    if (code == STATUS_OK)
        code = farm_client_command(client, verb, number, about_job ? NULL : arguments->words[0],
                                   cli_text(arguments, "reason"), ASK_MS, &detail);
    farm_client_destroy(&client);
    return code == STATUS_OK ? EXIT_PASS : cli_fail_detail(&detail);
}

int command_cancel(const cli_arguments *arguments)
{
    return send_command(arguments, "cancel", true);
}

int command_retry(const cli_arguments *arguments)
{
    return send_command(arguments, "retry", true);
}

int command_drain(const cli_arguments *arguments)
{
    return send_command(arguments, "drain", false);
}
