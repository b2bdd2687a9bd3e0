/**
 * Output paths that unfinished jobs have claimed: two jobs never write the same file. Case is ignored, because some
 * storage does.
 *
 * Threads: the loop's.
 */
#ifndef COORDINATOR_SHELL_PATH_CLAIMS_H
#define COORDINATOR_SHELL_PATH_CLAIMS_H

#include "coordinator/plan/plan.h"

typedef struct path_claim {
    content_hash path; /**< of root, NUL, path, lower-case */
    uint32_t job;
} path_claim;

typedef struct path_claims {
    path_claim *items; /**< in order of path */
    size_t count, capacity;
} path_claims;

void path_claims_deinit(path_claims *self);
/**
 * Claims every output file of the plan. STATUS_INPUT_CONFLICT when another job has one of them: its number and the
 * first such file are given. Nothing is claimed then.
 */
MUST_USE status path_claims_take(path_claims *self, uint32_t job, const plan *job_plan, uint32_t *out_other,
                                 const plan_file **out_file);
void path_claims_release(path_claims *self, uint32_t job);

#endif
