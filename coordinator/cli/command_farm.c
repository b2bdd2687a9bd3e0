#define _GNU_SOURCE
#include "coordinator/cli/cli.h"

#include "coordinator/cli/farm_ask.h"
#include "coordinator/cli/farm_job.h"
#include "coordinator/cli/forecast_text.h"
#include "coordinator/cli/job_document_write.h"
#include "coordinator/cli/show_submit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --deadline: the next HH:MM of this machine's clock, or a time with its zone. */
static status read_deadline(const char *text, uint32_t *out_deadline, error_detail *detail)
{
    double seconds = 0.0;
    time_t now = time(NULL);
    *out_deadline = text == NULL ? 0 : show_deadline_seconds(text);
    if (text == NULL || *out_deadline != 0)
        return STATUS_OK;
    if (forecast_text_until(text, now, &seconds, detail) != STATUS_OK)
        return error_detail_set(detail, STATUS_INPUT_INVALID,
                                "--deadline: '%.40s' is no time; write it like 06:00 or 2026-11-22T06:00+01:00", text);
    *out_deadline = (uint32_t)((double)now + seconds);
    return STATUS_OK;
}

/* kind: run or plan, which writes nothing. */
static status submit_show(const cli_arguments *arguments, const char *kind, farm_client *client, const loaded_show *loaded,
                          arena *memory, uint32_t *out_job, error_detail *detail)
{
    bool writes = strcmp(kind, "run") == 0;
    show_order order = {
        .options = {.kind = kind,
                    .replace = writes && cli_flag(arguments, "replace"),
                    .only = cli_text(arguments, "only"),
                    .audition = writes && cli_flag(arguments, "audition"),
                    .meter = writes ? cli_text(arguments, "meter") : NULL,
                    .cells_per_task = cli_knows(arguments, "cells-per-task") ? cli_number(arguments, "cells-per-task", 0) : 0},
        .priority = writes ? (int32_t)cli_number(arguments, "priority", 0) : 0};
    if (writes) {
        status code = read_deadline(cli_text(arguments, "deadline"), &order.options.deadline, detail);
        if (code != STATUS_OK)
            return code;
        order.options.at_once = cli_number(arguments, "at-once", 0);
    }
    return show_submit(client, loaded, &order, memory, out_job, detail);
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
    int exit_code = code == STATUS_OK ? farm_job_show_result(arguments, client, number, job, &loaded.problems, NULL)
                                      : cli_fail_detail(&detail);
    json_decref(job);
    farm_client_destroy(&client);
    arena_deinit(&memory);
    return exit_code;
}

/* What a person most likely asks next. */
static void tell_next(const json_t *ended, uint32_t job, int exit_code)
{
    const char *next = farm_text_of(ended, "next");
    if (exit_code == EXIT_QC)
        fprintf(stderr, "reelmill: `reelmill report %u --html > report.html` has the findings\n", job);
    else if (exit_code != EXIT_PASS && strncmp(next, "reelmill retry", 14) == 0)
        fprintf(stderr, "reelmill: `reelmill explain %u` says what failed, `%s` runs that again\n", job, next);
    else if (exit_code != EXIT_PASS)
        fprintf(stderr, "reelmill: `reelmill explain %u` says what failed; when that is mended, `%s`\n", job, next);
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
        if (code == STATUS_OK) {
            farm_job_print_errors(job);
            tell_next(job, number, exit_code);
        }
        json_decref(job);
    }
    farm_client_destroy(&client);
    arena_deinit(&memory);
    return exit_code;
}

/* One verb for each of the jobs; goes on after a refusal, and exits as the worst. */
static int send_to_jobs(const cli_arguments *arguments, const char *verb, job_state_wanted which)
{
    arena memory;
    error_detail detail;
    farm_client *client = NULL;
    uint32_t *numbers = NULL;
    uint32_t count = 0;
    const char *target = strcmp(verb, "prio") == 0 ? arguments->words[-1] : NULL;
    arena_init(&memory);
    status code = farm_job_connect(arguments, &client, &detail);
    if (code == STATUS_OK)
        code = farm_ask_jobs(arguments->words, arguments->word_count, client, which, &memory, &numbers, &count, &detail);
    int worst = code == STATUS_OK ? EXIT_PASS : cli_fail_detail(&detail);
    if (code == STATUS_OK && count == 0)
        fprintf(stderr, "reelmill: none of these jobs %s; nothing to do\n", which == JOBS_ENDED ? "has ended" : "is running");
    for (uint32_t i = 0; i < count && code == STATUS_OK; i++) {
        int exit_code = EXIT_PASS;
        if (farm_client_command(client, verb, numbers[i], target, cli_text(arguments, "reason"), FARM_ASK_MS, &detail) != STATUS_OK)
            exit_code = cli_fail_detail(&detail);
        worst = exit_code > worst ? exit_code : worst;
    }
    farm_client_destroy(&client);
    arena_deinit(&memory);
    return worst;
}

/* To nodes or to media roots. */
static int send_to_names(const cli_arguments *arguments, const char *verb)
{
    error_detail detail;
    farm_client *client = NULL;
    status code = farm_job_connect(arguments, &client, &detail);
    int worst = code == STATUS_OK ? EXIT_PASS : cli_fail_detail(&detail);
    for (uint32_t i = 0; i < arguments->word_count && code == STATUS_OK; i++) {
        int exit_code = EXIT_PASS;
        if (farm_client_command(client, verb, 0, arguments->words[i], cli_text(arguments, "reason"), FARM_ASK_MS, &detail) !=
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

int command_hold(const cli_arguments *arguments)
{
    return send_to_jobs(arguments, "hold", JOBS_RUNNING);
}

int command_release(const cli_arguments *arguments)
{
    return send_to_jobs(arguments, "release", JOBS_RUNNING);
}

/* N JOB...: the priority goes as the command's target. */
int command_prio(const cli_arguments *arguments)
{
    cli_arguments jobs = *arguments;
    jobs.words++;
    jobs.word_count--;
    return send_to_jobs(&jobs, "prio", JOBS_RUNNING);
}

int command_drain(const cli_arguments *arguments)
{
    return send_to_names(arguments, "drain");
}

int command_undrain(const cli_arguments *arguments)
{
    return send_to_names(arguments, "undrain");
}

int command_root_moved(const cli_arguments *arguments)
{
    return send_to_names(arguments, "root-moved");
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
        code = farm_ask_jobs(arguments->words, arguments->word_count, client, JOBS_ANY, &memory, &numbers, &count, &detail);
    int worst = code == STATUS_OK ? EXIT_PASS : cli_fail_detail(&detail);
    for (uint32_t i = 0; i < count && code == STATUS_OK; i++) {
        json_t *job = NULL;
        farm_job_watch watch = {.client = client, .job = numbers[i], .title = "waiting"};
        int exit_code = farm_job_follow(&watch, &job, &detail) == STATUS_OK
                            ? (int)json_integer_value(json_object_get(job, "exit_code"))
                            : cli_fail_detail(&detail);
        if (job != NULL) {
            cli_print(stderr, "job %u: %s %s: %s\n", numbers[i], farm_text_of(job, "title"), farm_text_of(job, "version"),
                      farm_text_of(job, "verdict")[0] == '\0' ? farm_text_of(job, "state") : farm_text_of(job, "verdict"));
            farm_job_print_errors(job);
            tell_next(job, numbers[i], exit_code);
        }
        json_decref(job);
        worst = exit_code > worst ? exit_code : worst;
    }
    farm_client_destroy(&client);
    arena_deinit(&memory);
    return worst;
}
