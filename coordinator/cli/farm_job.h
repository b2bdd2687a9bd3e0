/**
 * One job from submission to its end, as a person follows it: private farm or a farm over tcp, progress on a terminal,
 * Ctrl-C that cancels cleanly.
 */
#ifndef COORDINATOR_CLI_FARM_JOB_H
#define COORDINATOR_CLI_FARM_JOB_H

#include "coordinator/cli/cli.h"
#include "coordinator/cli/farm_client.h"
#include "coordinator/cli/private_farm.h"
#include "coordinator/show/show_file.h"

#include <jansson.h>

typedef struct farm_job_watch {
    farm_client *client;
    private_farm *farm;  /**< NULL for a farm of others */
    uint32_t job;
    bool quiet;          /**< no progress */
    const char *title;
} farm_job_watch;

/** Ctrl-C and SIGTERM set a flag from now on instead of ending the program. */
void farm_job_catch_signals(void);
/** One of them came. */
bool farm_job_interrupted(void);

/** Follows the job to its end. out_job: its last "job" document (json_decref). STATUS_CANCELLED after Ctrl-C. */
MUST_USE status farm_job_follow(const farm_job_watch *watch, json_t **out_job, error_detail *detail);

/** Prints a job document's problems and final errors on stderr, each once. */
void farm_job_print_errors(const json_t *job);

/**
 * A `check` or `plan` that has ended: problems, the plan's text and the forecast for people, one document for programs.
 * told: what was said of the show already. out_folder: where this machine would write, whose room is looked at, or NULL. The
 * exit code.
 */
int farm_job_show_result(const cli_arguments *arguments, farm_client *client, uint32_t job_number, const json_t *job,
                         const problem_list *told, const char *out_folder);

/** A private farm with a client, from a command's --workers, --cpu, --cells-per-task and --verbose. */
MUST_USE status farm_job_start_private(const cli_arguments *arguments, const private_farm_root *roots, uint32_t root_count,
                                       private_farm **out_farm, farm_client **out_client, error_detail *detail);

/** A client of the farm that --farm and its keys, or the environment, name. */
MUST_USE status farm_job_connect(const cli_arguments *arguments, farm_client **out_client, error_detail *detail);

/** Cores of this machine, at least 1. */
uint32_t farm_job_cores(void);

#endif
