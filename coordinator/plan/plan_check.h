/**
 * The handoff check, in two files: plan_check_file.c looks at one file at a time, plan_check.c at what hangs together.
 * Nothing outside coordinator/plan includes this.
 */
#ifndef COORDINATOR_PLAN_PLAN_CHECK_H
#define COORDINATOR_PLAN_PLAN_CHECK_H

#include "coordinator/plan/plan_parts.h"

/** No file is longer: 265 days at 48 kHz. Keeps every sum of positions far from overflow. */
#define PLAN_FILE_FRAMES_MAX (UINT64_C(1) << 40)

typedef struct check_run {
    const plan_source *source;
    const bool *needed; /**< inputs, NULL = all */
    const bool *wanted; /**< deliverables, NULL = all */
    plan_notes *notes;
    plan_timeline joined;
} check_run;

/** True if the input is needed by what is wanted. */
bool plan_check_counts(const check_run *self, uint32_t input);
/** One finding about one input; text is a clause that follows "stem DX, reel R2: ". */
void plan_check_say(const check_run *self, problem_severity severity, const plan_input *input, const char *text);
/** Everything that can be said of one file alone. */
void plan_check_file(const check_run *self, uint32_t index);

#endif
