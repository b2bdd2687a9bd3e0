/**
 * The jobs: fixed slots, found by number. A job owns its task graph and its ready queue; counts by state are kept by
 * job_record_set_state, the only place where a task's state changes.
 */
#ifndef COORDINATOR_CORE_JOB_TABLE_H
#define COORDINATOR_CORE_JOB_TABLE_H

#include "coordinator/core/ready_queue.h"

typedef struct job_record {
    bool used;
    bool held;      /**< a person said that nothing of it begins */
    uint64_t storage_since_ms; /**< first failure of its storage after the last task that was done; 0 = none */
    uint64_t storage_until_ms; /**< until then nothing of it begins; 0 = it does not wait. Neither is replayed */
    bool cancelled; /**< JOB_CANCEL was asked since submission or retry */
    bool ending;    /**< every task is terminal, FACT_JOB_ENDED is due */
    job_state state;
    uint32_t number;
    int32_t priority;
    uint32_t deadline; /**< 0 = none */
    uint64_t share;
    task_graph graph;
    ready_queue ready;
    uint32_t open_count; /**< tasks that are not terminal */
    uint32_t by_state[TASK_CANCELLED + 1];
    uint32_t retries;
    uint32_t lease_count; /**< running attempts, those of ended tasks included */
    uint32_t leftover_count; /**< those of ended tasks: told to stop, not yet stopped */
    uint64_t cost_total;
    uint64_t cost_done;
    uint64_t timed_cost;   /**< of tasks with `spare` that this process saw from start to end, */
    uint64_t timed_ms;     /**< and how long they took: what a unit of cost is worth here */
    uint32_t timed_count;
    uint32_t previous, next; /**< in the order of numbers */
} job_record;

/** May tasks of it begin? */
static inline bool job_record_begins(const job_record *self)
{
    return !self->held && self->storage_until_ms == 0;
}

typedef struct job_table {
    job_record *jobs;
    uint32_t capacity;
    uint32_t count;
    uint32_t *free_slots;
    uint32_t head, tail;
    uint32_t last_number; /**< highest number ever seen */
    bool any_seen;
    id_map by_number;
} job_table;

bool job_table_init(job_table *self, uint32_t capacity);
void job_table_deinit(job_table *self);
/** SLOT_NONE when full. The number is higher than any before. */
uint32_t job_table_add(job_table *self, uint32_t number, uint64_t share, int32_t priority);
void job_table_remove(job_table *self, uint32_t slot);
/** SLOT_NONE when unknown. */
uint32_t job_table_find(const job_table *self, uint32_t number);
/** Keeps the counts. Never from or to READY with the task still in the ready queue: that is the caller's. */
void job_record_set_state(job_record *self, uint32_t task, task_state state);
MUST_USE status job_record_extend(job_record *self, uint32_t count, const task_spec *specs);

#endif
