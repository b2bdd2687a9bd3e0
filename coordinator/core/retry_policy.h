/**
 * What becomes of a task whose attempt did not end well, and the book of tasks in trouble.
 *
 * | what ended the attempt              | the task                                             | its worker      |
 * | ----------------------------------- | ---------------------------------------------------- | --------------- |
 * | INPUT, LIMIT                        | failed at once                                       | -               |
 * | no such file, for the first time    | another looks too, at once: where its mounts differ  | proven if found |
 * | PEER, DEFECT                        | tried once more, elsewhere                           | -               |
 * | STORAGE                             | tried elsewhere after a pause, attempts_max times    | rests for it    |
 * | ... full, read-only or ill storage  | and then waits, with its whole job, storage_wait_ms  | -               |
 * | NODE (crash, memory, system)        | as STORAGE                                           | rests, a strike |
 * | NODE_LOST, WAIT not asked for       | the same, but counted apart, RETRY_LOST_MAX times    | -               |
 * | never begun: ASSIGN got lost        | ready again elsewhere, not counted (code STATUS_OK)  | rests           |
 * | never begun: it waited for a slot   | the same                                             | -               |
 * | any of these after JOB_CANCEL       | cancelled, unless it is even_if_cancelled            | as above        |
 *
 * "Rests for it": takes nothing of the same job for a while (worker_table.h). The book holds where a task failed (it
 * goes elsewhere while there is an elsewhere) and its pause. It has a fixed size; a task that finds it full is ready
 * again at once and may go anywhere: attempts_max still bounds it.
 */
#ifndef COORDINATOR_CORE_RETRY_POLICY_H
#define COORDINATOR_CORE_RETRY_POLICY_H

#include "coordinator/core/task_graph.h"

enum { RETRY_LOST_MAX = 10, RETRY_DEFECTS_MAX = 2, RETRY_BACKOFF_MAX_MS = 60000, TROUBLE_AVOID_MAX = 4 };

typedef enum retry_count { RETRY_COUNT_NONE, RETRY_COUNT_FAILED, RETRY_COUNT_LOST } retry_count;

/** Which of the task's counters an end with this code adds to. */
retry_count retry_policy_counter(status code);
/** TASK_BACKOFF, TASK_READY or TASK_FAILED, from the task's counters before this end. */
task_state retry_policy_next(status code, const task_record *task, uint32_t attempts_max);
/** Pause before the next attempt, from the counters after this end: base, twice that, ... at most a minute. */
uint32_t retry_policy_delay_ms(const task_record *task, uint32_t base_ms);
/** True when the code says that storage is full, read-only or away: it may come back as it was. */
bool retry_policy_storage_waits(status code);
/** True when the code says something about the machine that ran the task. */
bool retry_policy_strikes(status code);
/** True when the machine should pause before it takes more. */
bool retry_policy_rests(status code);

typedef struct task_trouble {
    bool used;
    bool parked; /**< ready, but every worker with credit is one to avoid */
    uint32_t job_slot;
    uint32_t task;
    uint64_t key;
    uint32_t avoid[TROUBLE_AVOID_MAX]; /**< worker numbers */
    status blamed[TROUBLE_AVOID_MAX];  /**< what happened there, where it may have been the machine's fault; else STATUS_OK */
    uint32_t avoid_count;
    uint32_t previous, next; /**< in the list of parked tasks */
} task_trouble;

typedef struct trouble_table {
    task_trouble *troubles;
    uint32_t *free_slots;
    uint32_t capacity;
    uint32_t free_count;
    uint32_t parked_head, parked_tail;
    id_map by_task;
} trouble_table;

bool trouble_table_init(trouble_table *self, uint32_t capacity);
void trouble_table_deinit(trouble_table *self);
/** SLOT_NONE when the task has none. */
uint32_t trouble_table_find(const trouble_table *self, uint32_t job_slot, uint32_t task);
/** The task's entry, made when there is none; SLOT_NONE when full. */
uint32_t trouble_table_take(trouble_table *self, uint32_t job_slot, uint32_t task);
void trouble_table_give(trouble_table *self, uint32_t trouble);
/** The oldest is forgotten when there are more than TROUBLE_AVOID_MAX. */
void task_trouble_avoid(task_trouble *self, uint32_t worker, status code);
bool task_trouble_avoids(const task_trouble *self, uint32_t worker);
void trouble_table_park(trouble_table *self, uint32_t trouble);
void trouble_table_unpark(trouble_table *self, uint32_t trouble);

#endif
