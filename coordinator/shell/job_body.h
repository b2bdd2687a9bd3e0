/**
 * What a task of a job says to its executor, made when the task is assigned, from the plan and from what the tasks
 * before it left.
 *
 * Threads: the loop's.
 */
#ifndef COORDINATOR_SHELL_JOB_BODY_H
#define COORDINATOR_SHELL_JOB_BODY_H

#include "coordinator/core/scheduler.h"
#include "coordinator/shell/job.h"

/**
 * Appends the body of a remote task. STATUS_LIMIT when it does not fit a frame; STATUS_INPUT_INVALID with a sentence
 * for the PUBLISH of a deliverable that its spec holds back.
 */
MUST_USE status job_task_body(farm_job *self, uint64_t farm, const scheduler *scheduled, uint32_t task, byte_writer *writer,
                              error_detail *detail);

/** Which plan files the outputs of a RENDER task are, in the task's order; made once per program and piece. */
MUST_USE status job_output_map(farm_job *self, const plan_task *task, const output_map **out_map, error_detail *detail);

/** Numbers of the RENDER or INSPECT tasks of a program, in the order of their cells in the programme. */
uint32_t *job_program_tasks(const farm_job *self, uint16_t program, arena *memory, uint32_t *out_count);

/** What GAIN tasks found, in dB, [plan.deliverable_count]; NAN where there was none or it is not done. */
const double *job_gains(const farm_job *self, arena *memory);

/** What MERGE said about a deliverable; false when it has not (yet). */
bool job_merge_outcome(const farm_job *self, uint16_t deliverable, merge_outcome *out_outcome);

/** Where a run's reports lie, below its output folder; false while there are none. */
bool job_report_folder(const farm_job *self, char out[PATH_MAX_BYTES]);

#endif
