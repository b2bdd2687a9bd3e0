/**
 * The workers: fixed slots, found by number, and a heap of those that can take a task now, the least loaded first. A
 * worker that is lost keeps its record (for `nodes`, and for its return) until the slot is needed.
 *
 * How a worker that fails is treated: after each failure in a row it rests a little longer (a node whose disk is gone
 * must not eat the queue). Where storage failed it rests for that job alone, whose files may be what is gone, and for
 * all once another job's storage fails too before the rest is over. A failure that says something about the node
 * (retry_policy_strikes) is a strike, one per task; when the task then succeeds elsewhere it is proven that the node
 * was at fault, when it fails for good after failing elsewhere too the strike is taken back. A file that is not there
 * (STATUS_INPUT_MISSING) is a strike only once that is proven. `strikes_max` strikes by
 * tasks of different jobs, or as many proofs, put the worker in quarantine: the tasks of one bad job alone do not.
 * When that has passed it gets one task at a time (the canary) until one succeeds.
 */
#ifndef COORDINATOR_CORE_WORKER_TABLE_H
#define COORDINATOR_CORE_WORKER_TABLE_H

#include "coordinator/core/index_heap.h"
#include "coordinator/core/scheduler.h"

enum {
    WORKER_REST_BASE_MS = 250,
    WORKER_REST_MAX_MS = 8000,
    WORKER_QUARANTINE_BASE_MS = 60000, /**< doubles with each canary that fails */
    WORKER_QUARANTINE_MAX_MS = 960000
};

typedef enum worker_trust { TRUST_FULL, TRUST_NONE, TRUST_CANARY } worker_trust;

typedef struct worker_record {
    uint32_t number; /**< 0 = unused slot */
    uint32_t slots;
    bool alive;
    bool drained; /**< by an operator */
    bool leaving; /**< says so itself */
    worker_trust trust;
    uint32_t running;     /**< attempts given to it and not over */
    uint32_t first_lease; /**< list of them */
    uint32_t tasks_done, tasks_failed;
    uint32_t strikes, proofs;
    bool strikes_differ;              /**< they are of several jobs */
    uint32_t strike_job, strike_task; /**< the last one: a task strikes once in a row */
    status strike_code;
    uint32_t setbacks;                /**< failures in a row */
    uint32_t quarantines;             /**< in a row */
    uint64_t heard_ms;
    uint32_t beat; /**< of the newest report; 0 = none had one */
    uint64_t rest_until_ms;
    uint32_t rest_job;  /**< it rests, or rested last, for this job alone; 0 = for all */
    uint64_t quarantine_until_ms;
    uint32_t near_job; /**< what it read last */
    uint16_t near_affinity;
    uint32_t report; /**< number of its last heartbeat, to mark what that one listed */
} worker_record;

typedef struct worker_table {
    worker_record *workers;
    uint32_t capacity;
    uint32_t *free_slots;
    uint32_t free_count;
    uint32_t able_count; /**< could take tasks if they had nothing to do */
    uint32_t prefetch;
    id_map by_number;
    index_heap open; /**< with credit */
} worker_table;

bool worker_table_init(worker_table *self, uint32_t capacity, uint32_t prefetch);
void worker_table_deinit(worker_table *self);
uint32_t worker_table_find(const worker_table *self, uint32_t number);
/** A fresh record. A lost worker with nothing running gives way when the table is full; else SLOT_NONE. */
uint32_t worker_table_add(worker_table *self, uint32_t number, uint32_t slots, uint64_t now_ms);
/** Trusted, alive and neither drained nor leaving: true even while it rests or is busy. */
bool worker_record_able(const worker_record *self);
/** It takes nothing of this job now. One that rests for all is not among those with credit either. */
bool worker_record_rests(const worker_record *self, uint32_t job, uint64_t now_ms);
/** It can take a task now, of some job: it is in `open`. */
bool worker_table_takes(const worker_table *self, const worker_record *worker, uint64_t now_ms);
/**
 * Changes of anything that decides whether a worker gets tasks happen between these two, so that able_count and the
 * heap follow.
 */
worker_record *worker_table_open(worker_table *self, uint32_t slot);
void worker_table_close(worker_table *self, uint32_t slot, uint64_t now_ms);
/** When something about this worker falls due by time alone (silence, rest, quarantine); UINT64_MAX = never. */
uint64_t worker_record_due_ms(const worker_record *self, uint64_t now_ms, uint32_t lease_ms);
void worker_table_check(const worker_table *self);

#endif
