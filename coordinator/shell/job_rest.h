/**
 * A job that has ended and that nobody asks about is put to rest: its document, plan, results and errors leave memory for
 * one file of its folder, and come back when somebody asks. What rows of jobs show stays. The journal has it all: the file
 * saves reading that, is made anew by every start, and is believed only if this process wrote it (job->rest_digest).
 *
 * Threads: the loop's.
 */
#ifndef COORDINATOR_SHELL_JOB_REST_H
#define COORDINATOR_SHELL_JOB_REST_H

#include "coordinator/shell/job.h"

struct farm_state;

/** "STATE/job-N/rest" */
#define JOB_REST_FILE "rest"

/** The plan made again from the same show and facts, as `digest` says; False: it cannot be, or is another one. */
bool job_plan_again(farm_job *self, uint32_t slot_count, uint32_t cells_per_task, const content_hash *digest);

/** Of an ended job. False: it could not be written down and stays in memory. */
bool farm_job_rest(const struct farm_state *farm, farm_job *job);
/** The job with all that it has. Nothing is done for one that does not rest. */
MUST_USE status farm_job_wake(const struct farm_state *farm, farm_job *job, error_detail *detail);
/** Puts to rest what nobody has asked about for a while; looks at most once a second. */
void farm_rest_old(struct farm_state *farm);

#endif
