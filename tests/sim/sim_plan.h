/**
 * The jobs of a simulation, made from the seed: shaped like a real one (probes, a plan of the coordinator's own, files
 * made, renders, merge, seal, verify, publish, discard, report), with tasks that are bad in one way or another.
 */
#ifndef TESTS_SIM_SIM_PLAN_H
#define TESTS_SIM_SIM_PLAN_H

#include "coordinator/core/scheduler.h"
#include "proto/message_types.h"
#include "sim_random.h"

enum { SIM_TASKS_MAX = 64, SIM_WAITS_MAX = 1024 };

typedef enum sim_flaw {
    FLAW_NONE,
    FLAW_POISON,    /**< kills every executor */
    FLAW_HANGS,     /**< no executor ever comes back from it */
    FLAW_BAD_INPUT, /**< a person must fix it */
    FLAW_FLAKY      /**< its storage fails now and then */
} sim_flaw;

typedef struct sim_task {
    task_kind kind;
    sim_flaw flaw;
    uint32_t duration_ms;
    uint32_t cell_count;
} sim_task;

typedef struct sim_plan {
    int32_t priority;
    uint64_t share;
    job_terms terms;
    uint32_t task_count;
    uint32_t first_count; /**< tasks of the first extension, the plan task included */
    sim_task tasks[SIM_TASKS_MAX];
    task_spec specs[SIM_TASKS_MAX];
    uint32_t waits[SIM_WAITS_MAX];
    uint32_t wait_count;
} sim_plan;

enum { SIM_SHOWS = 3, SIM_ROOTS = 2, SIM_ROOT_KEY = 100 /* of root 0 */ };
/** Deadlines and limits, from their own stream of chance; every third seed has none. */
void sim_plan_terms(sim_plan *self, uint64_t seed, uint32_t client);
/** Of shows and storage roots; most: 0 = as many as there are. */
scheduler_limits sim_plan_limits(uint64_t seed);
/** flaws: permille of tasks that are bad. */
void sim_plan_make(sim_plan *self, sim_random *random, uint32_t flaws);

#endif
