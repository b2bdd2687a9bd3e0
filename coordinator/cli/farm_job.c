#define _GNU_SOURCE
#include "coordinator/cli/farm_job.h"

#include "coordinator/cli/forecast_text.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

enum { POLL_MS = 150, ASK_MS = 60000, CANCEL_PATIENCE_POLLS = 60, BAR_WIDTH = 28 };

/* Set by the signal handler, read by the one thread there is: the only mutable value of this file. */
static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

void farm_job_catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

bool farm_job_interrupted(void)
{
    return interrupted != 0;
}

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static status tend_farm(void *context, error_detail *detail)
{
    return private_farm_tend(context, detail);
}

uint32_t farm_job_cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int count = CPU_COUNT(&set);
    return count < 1 ? 1 : (uint32_t)count;
}

status farm_job_start_private(const cli_arguments *arguments, const private_farm_root *roots, uint32_t root_count,
                              private_farm **out_farm, farm_client **out_client, error_detail *detail)
{
    const char *temporary = getenv("TMPDIR");
    private_farm_config config = {.worker_count = cli_number(arguments, "workers", farm_job_cores()),
                                  .slots_per_worker = 1,
                                  .cells_per_task =
                                      cli_knows(arguments, "cells-per-task") ? cli_number(arguments, "cells-per-task", 0) : 0,
                                  .root_count = root_count,
                                  .state_directory = temporary != NULL && temporary[0] == '/' ? temporary : "/var/tmp",
                                  .verbose = cli_flag(arguments, "verbose")};
    if (cli_knows(arguments, "cpu"))
        config.cpu = cli_text(arguments, "cpu");
    memcpy(config.roots, roots, root_count * sizeof *roots);
    farm_job_catch_signals();
    status code = private_farm_start(out_farm, &config, detail);
    if (code != STATUS_OK)
        return code;
    code = farm_client_create(out_client, private_farm_endpoint(*out_farm), NULL, detail);
    if (code != STATUS_OK)
        private_farm_stop(out_farm);
    else
        farm_client_set_tend(*out_client, tend_farm, *out_farm);
    return code;
}

status farm_job_connect(const cli_arguments *arguments, farm_client **out_client, error_detail *detail)
{
    const char *endpoint = cli_text(arguments, "farm");
    if (endpoint == NULL)
        endpoint = getenv("REELMILL_FARM");
    if (endpoint == NULL)
        return error_detail_set(detail, STATUS_INPUT_MISSING,
                                "which farm? give --farm tcp://HOST:PORT or set REELMILL_FARM");
    link_config link;
    link_config_from_environment(&link);
    if (cli_text(arguments, "key") != NULL)
        snprintf(link.key, sizeof link.key, "%s", cli_text(arguments, "key"));
    if (cli_text(arguments, "coordinator-key") != NULL)
        snprintf(link.coordinator_key, sizeof link.coordinator_key, "%s", cli_text(arguments, "coordinator-key"));
    link.plain = link.plain || cli_flag(arguments, "plain");
    return farm_client_create(out_client, endpoint, &link, detail);
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

/* One line, rewritten in place: bar, cells, rate and time left. Only on a terminal. */
static void show_progress(const farm_job_watch *watch, const json_t *job)
{
    const json_t *cells = json_object_get(job, "cells");
    double done = number_of(cells, "done");
    double total = number_of(cells, "total");
    double progress = number_of(job, "progress");
    double elapsed = number_of(job, "elapsed_s");
    progress = progress < 0.0 ? 0.0 : progress > 1.0 ? 1.0 : progress;
    char bar[BAR_WIDTH + 1];
    for (int i = 0; i < BAR_WIDTH; i++)
        bar[i] = i < (int)(progress * BAR_WIDTH) ? '#' : '.';
    bar[BAR_WIDTH] = '\0';
    char left[48] = "";
    if (progress > 0.02) { /* before that a guess is worth nothing */
        unsigned seconds = (unsigned)(elapsed * (1.0 - progress) / progress + 0.5);
        if (seconds < 3600)
            snprintf(left, sizeof left, ", about %u:%02u left", seconds / 60, seconds % 60);
        else
            snprintf(left, sizeof left, ", about %u h %02u min left", seconds / 3600, seconds / 60 % 60);
    }
    fputc('\r', stderr);
    cli_print(stderr, "%.24s", watch->title);
    fprintf(stderr, " [%s] %3.0f %%  %.0f/%.0f cells, %.1f cells/s%s\033[K", bar, progress * 100.0, done, total,
            elapsed > 0.1 ? done / elapsed : 0.0, left);
    fflush(stderr);
}

static status ask_job(const farm_job_watch *watch, const char *what, json_t **out_job, error_detail *detail)
{
    char *text = NULL;
    size_t size = 0;
    status code = farm_client_query(watch->client, what, watch->job, ASK_MS, &text, &size, detail);
    if (code != STATUS_OK)
        return code;
    *out_job = json_loadb(text, size, 0, NULL);
    free(text);
    return *out_job == NULL ? error_detail_set(detail, STATUS_PEER_MALFORMED, "the coordinator's answer is no JSON")
                            : STATUS_OK;
}

static bool job_has_ended(const json_t *job)
{
    return !json_is_null(json_object_get(job, "exit_code"));
}

/* Asks for the cancel once and then waits until the job has cleaned up, within reason. */
static status wind_down(const farm_job_watch *watch, error_detail *detail)
{
    error_detail ignored;
    fputs("\nreelmill: stopping; what is not finished is removed\n", stderr);
    interrupted = 0;
    if (farm_client_command(watch->client, "cancel", watch->job, NULL, "interrupted", ASK_MS, &ignored) == STATUS_OK) {
        for (int i = 0; i < CANCEL_PATIENCE_POLLS && interrupted == 0; i++) {
            json_t *job = NULL;
            if (watch->farm != NULL && private_farm_tend(watch->farm, &ignored) != STATUS_OK)
                break;
            if (ask_job(watch, "job", &job, &ignored) != STATUS_OK)
                break;
            bool ended = job_has_ended(job);
            json_decref(job);
            if (ended)
                break;
            (void)poll(NULL, 0, POLL_MS);
        }
    }
    return error_detail_set(detail, STATUS_CANCELLED, "cancelled; nothing unfinished was published");
}

status farm_job_follow(const farm_job_watch *watch, json_t **out_job, error_detail *detail)
{
    bool bar = !watch->quiet && isatty(STDERR_FILENO);
    for (;;) {
        uint64_t asked_ms = now_ms();
        json_t *job = NULL;
        if (interrupted != 0)
            return wind_down(watch, detail);
        status code = watch->farm == NULL ? STATUS_OK : private_farm_tend(watch->farm, detail);
        if (code == STATUS_OK)
            code = ask_job(watch, "job.end", &job, detail);
        if (code == STATUS_CANCELLED)
            continue;
        if (code != STATUS_OK)
            return code;
        if (bar)
            show_progress(watch, job);
        if (job_has_ended(job)) {
            if (bar)
                fputs("\r\033[K", stderr);
            *out_job = job;
            return STATUS_OK;
        }
        json_decref(job);
        uint64_t waited_ms = now_ms() - asked_ms;
        if (waited_ms < POLL_MS / 2) /* too many wait for the end of a job */
            (void)poll(NULL, 0, POLL_MS - (int)waited_ms);
    }
}

/* One line for a problem, in the form that editors jump to. */
static void print_problem(const json_t *item)
{
    double line = number_of(item, "line");
    cli_print(stderr, "%s", text_of(item, "file")[0] == '\0' ? "reelmill" : text_of(item, "file"));
    if (line > 0)
        fprintf(stderr, ":%.0f:%.0f", line, number_of(item, "column"));
    cli_print(stderr, ": %s: %s\n", text_of(item, "severity"), text_of(item, "message"));
}

static bool is_final(const json_t *error, const char *message)
{
    return json_is_true(json_object_get(error, "final")) && strcmp(text_of(error, "message"), message) == 0;
}

/* Tasks that failed of the same are one line: the first of them, and how many more. Said by the first alone. */
static bool print_failed(const json_t *errors, size_t at)
{
    const json_t *item = json_array_get(errors, at);
    const char *message = text_of(item, "message");
    size_t more = 0;
    for (size_t i = 0; i < json_array_size(errors); i++) {
        if (i < at && is_final(json_array_get(errors, i), message))
            return false;
        more += i > at && is_final(json_array_get(errors, i), message) ? 1 : 0;
    }
    cli_print(stderr, "reelmill: error: %s%s%s", text_of(item, "kind"), text_of(item, "what")[0] == '\0' ? "" : " ",
              text_of(item, "what"));
    if (more > 0)
        fprintf(stderr, " and %zu more", more);
    cli_print(stderr, ": %s\n", message);
    return true;
}

void farm_job_print_errors(const json_t *job)
{
    size_t index;
    const json_t *item;
    bool told = false; /* what is wrong is said once: by problems of the input, else by failed tasks, else by the outcome */
    json_array_foreach (json_object_get(job, "problems"), index, item) {
        print_problem(item);
        told = told || strcmp(text_of(item, "severity"), "error") == 0;
    }
    const json_t *errors = json_object_get(job, "errors");
    json_array_foreach (errors, index, item)
        if (json_is_true(json_object_get(item, "final")) && (!told || strcmp(text_of(item, "kind"), "plan") != 0))
            told = print_failed(errors, index) || told;
    const json_t *outcome = json_object_get(job, "outcome");
    if (!told && text_of(outcome, "message")[0] != '\0' && strcmp(text_of(outcome, "class"), "ok") != 0)
        cli_print(stderr, "reelmill: error: %s\n", text_of(outcome, "message"));
}

/* The coordinator reads the show too, and finds the same. */
static void leave_out_told(json_t *problems, const problem_list *told)
{
    for (size_t i = json_array_size(problems); i-- > 0;)
        for (size_t k = 0; k < told->count; k++)
            if (strcmp(text_of(json_array_get(problems, i), "message"), told->items[k].message) == 0 &&
                number_of(json_array_get(problems, i), "line") == (double)told->items[k].line) {
                json_array_remove(problems, i);
                break;
            }
}

/* The folder, or the next above it that is there, has room for everything that would be written; a run would wait for it. */
static void warn_of_room(const char *out_folder, double wanted)
{
    char folder[PATH_MAX_BYTES];
    struct statvfs facts;
    snprintf(folder, sizeof folder, "%s", out_folder);
    while (statvfs(folder, &facts) != 0) {
        char *slash = strrchr(folder, '/');
        if (slash == NULL || folder[1] == '\0') /* not even the root can be asked */
            return;
        slash[slash == folder ? 1 : 0] = '\0';
    }
    double there = (double)facts.f_bavail * (double)facts.f_frsize;
    if (facts.f_blocks != 0 && there < wanted) /* 0: it does not count */
        cli_print(stderr, "reelmill: warning: the deliverables take %.2f GB and the disk of the output folder '%s' has %.2f GB left; make "
                          "room, or run with another --out\n", wanted / 1e9, out_folder, there / 1e9);
}

int farm_job_show_result(const cli_arguments *arguments, farm_client *client, uint32_t job_number, const json_t *job,
                         const problem_list *told, const char *out_folder)
{
    error_detail detail;
    char *text = NULL;
    size_t size = 0;
    status code = farm_client_query(client, "result", job_number, ASK_MS, &text, &size, &detail);
    if (code != STATUS_OK) {
        farm_job_print_errors(job);
        return cli_fail_detail(&detail);
    }
    json_t *result = json_loadb(text, size, 0, NULL);
    int exit_code = (int)json_integer_value(json_object_get(result, "exit_code"));
    if (cli_flag(arguments, "json"))
        fwrite(text, 1, size, stdout);
    leave_out_told(json_object_get(result, "problems"), told);
    farm_job_print_errors(result);
    if (out_folder != NULL)
        warn_of_room(out_folder, number_of(result, "write_bytes"));
    const char *plan_lines = text_of(json_object_get(result, "plan"), "text");
    if (!cli_flag(arguments, "json") && plan_lines[0] != '\0')
        fputs(plan_lines, stdout);
    if (!cli_flag(arguments, "json") && strcmp(arguments->command->name, "check") == 0)
        puts(exit_code == 0 ? "check: everything is there, complete and consistent"
                            : "check: the handoff is not complete; see above");
    if (!cli_flag(arguments, "json") && json_is_object(json_object_get(result, "forecast")))
        forecast_text_print(json_object_get(result, "forecast"), cli_text(arguments, "by"));
    json_decref(result);
    free(text);
    return exit_code;
}
