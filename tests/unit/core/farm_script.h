/**
 * A scheduler on a string: events in one line each, what came out to be asked afterwards. After every step the
 * invariants are checked and every fact so far is replayed into a fresh scheduler, which must come out equal.
 */
#ifndef TESTS_UNIT_CORE_FARM_SCRIPT_H
#define TESTS_UNIT_CORE_FARM_SCRIPT_H

#include "coordinator/core/scheduler.h"

enum { SCRIPT_LEASE_MS = 10000, SCRIPT_BACKOFF_MS = 1000, SCRIPT_TERMS_MAX = 16 };

typedef struct script_batch {
    uint32_t count;
    task_spec *specs;
} script_batch;

typedef struct farm_script {
    scheduler_config config;
    scheduler *core;
    uint64_t now_ms;
    scheduler_output out;
    scheduler_fact *facts; /* since the beginning */
    size_t fact_count;
    script_batch *batches; /* of the FACT_JOB_EXTENDED among them */
    size_t batch_count;
    uint32_t next_job;
    job_terms terms[SCRIPT_TERMS_MAX]; /* of jobs, by number: to be set before farm_submit */
    scheduler_limits limits;           /* since farm_limit; a restart has them too */
    bool disk_is_slow; /* commands are not released by themselves */
} farm_script;

scheduler_config farm_script_config(void);
void farm_script_init(farm_script *self, const scheduler_config *config);
void farm_script_deinit(farm_script *self);

status farm_script_step(farm_script *self, const scheduler_event *event);
/** A fresh scheduler with every fact so far applied (not resumed). */
scheduler *farm_script_replay(const farm_script *self, uint32_t term);
/** The coordinator dies and comes back in the next term. */
void farm_script_restart(farm_script *self);

/** Submits a job of priority 0 whose share is `share`; its number. */
uint32_t farm_submit(farm_script *self, int32_t priority, uint64_t share);
status farm_extend(farm_script *self, uint32_t job, uint32_t count, const task_spec *specs);
/** Sets or replaces the limit of this show or root; most 0 takes it away. */
void farm_limit(farm_script *self, uint64_t key, uint32_t most);
/** count tasks of cost 1000 that wait for nothing. */
uint32_t farm_job_of(farm_script *self, uint32_t count);
/** farm_script_init() by its defaults, a job of so many such tasks, workers 1 to worker_count of one slot; the job. */
uint32_t farm_begin(farm_script *self, uint32_t task_count, uint32_t worker_count);
status farm_job_event(farm_script *self, scheduler_event_type type, uint32_t job);
status farm_hello(farm_script *self, uint32_t worker, uint32_t slots);
status farm_hello_with(farm_script *self, uint32_t worker, uint32_t slots, const attempt *held, uint32_t count);
status farm_heartbeat(farm_script *self, uint32_t worker, const attempt *running, uint32_t count);
status farm_lost(farm_script *self, uint32_t worker, bool dead);
status farm_result(farm_script *self, uint32_t worker, attempt of, status code);
/** Time passes in one go, with a TICK at its end (and the ticks that the scheduler asks for on the way). */
void farm_wait(farm_script *self, uint64_t ms);

/** Commands of the last step (for farm_wait: of its last tick that gave any). */
uint32_t farm_count(const farm_script *self, scheduler_command_type type);
/** The index-th command of this type; fails the test when there is none. */
scheduler_command farm_command(const farm_script *self, scheduler_command_type type, uint32_t index);
/** The attempt of the index-th ASSIGN. */
attempt farm_assigned(const farm_script *self, uint32_t index);
/** The attempt that runs now for this task, by looking at the facts. */
attempt farm_running(const farm_script *self, uint32_t job, uint32_t task);
task_view farm_task(const farm_script *self, uint32_t job, uint32_t task);
job_view farm_job(const farm_script *self, uint32_t job);
worker_view farm_worker(const farm_script *self, uint32_t worker);

#endif
