/**
 * Which jobs a person means: a number, a range "3-7", "last", or "all", against the coordinator's list of jobs.
 */
#ifndef COORDINATOR_CLI_JOB_SELECTOR_H
#define COORDINATOR_CLI_JOB_SELECTOR_H

#include "common/base/status.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/** True for a plain number, which needs no list of jobs. */
bool job_selector_is_number(const char *word, uint32_t *out_job);

/**
 * Marks the jobs of the list that a word means; wanted has a place per job of the list, in its order. Ranges take the jobs
 * that there are; a word that means no job at all is an error.
 */
MUST_USE status job_selector_mark(const char *word, const json_t *jobs, bool *wanted, error_detail *detail);

#endif
