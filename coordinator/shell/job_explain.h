/**
 * Why a job or a task is where it is: the states in the way of squeue, and what it waits for or died of, in sentences.
 *
 * Threads: the loop's.
 */
#ifndef COORDINATOR_SHELL_JOB_EXPLAIN_H
#define COORDINATOR_SHELL_JOB_EXPLAIN_H

#include "coordinator/shell/job.h"

#include <jansson.h>

struct farm_state;

/** PD pending, R running, H held, CG cancelling, CD completed, F failed, CA cancelled. */
const char *job_short_state(const struct farm_state *farm, const farm_job *job);
/** Why it does not run, or how it failed, in one sentence; "" = nothing is to be said. */
void job_reason(const struct farm_state *farm, const farm_job *job, char *out, size_t out_size);
/** Which jobs with work ready go before it; "" = none, or it has nothing ready. Looks at every job: for one, not in lists. */
void job_others_first(const struct farm_state *farm, const farm_job *job, char *out, size_t out_size);
/** The command that most likely helps; of a job that is awake. */
json_t *job_next_json(const struct farm_state *farm, const farm_job *job);
/**
 * {"reelmill":1, "job","title","st","reason", "next": a command to try or null,
 *  "task":null, "failed":[{"task","kind","what","message"}], "backing_off":[...], "skipped":N}; of a task:
 * "task":N, "kind","what","state","reason","attempts_failed","epoch","worker",
 *  "waits":[{"task","kind","what","state"}], "errors":[...]. task: UINT32_MAX = of the whole job. NULL with detail.
 */
char *job_explain_json(const struct farm_state *farm, const farm_job *job, uint32_t task, size_t *out_size,
                       error_detail *detail);

#endif
