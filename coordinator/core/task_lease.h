/**
 * Running attempts. A lease belongs to one attempt of one task and to the worker that holds it. It ends when the worker
 * has been silent for lease_ms (it has fenced itself by then), or when its reports show that it does not have the
 * attempt: two in a row without one that was named before, or so many without one that was never named that its ASSIGN
 * cannot be on its way any more (worker_events.c has the argument). A worker's leases form a list; the attempts of one
 * task (two at most: the spare) form a chain from task_record.link by `sibling`.
 */
#ifndef COORDINATOR_CORE_TASK_LEASE_H
#define COORDINATOR_CORE_TASK_LEASE_H

#include "coordinator/core/worker_table.h"

typedef struct task_lease {
    bool used;
    bool sent;       /**< its ASSIGN has left; before that it has no deadline */
    bool listed;     /**< a heartbeat or a HELLO has named it: it was really begun */
    bool cancelling; /**< the worker was told to stop it */
    bool leftover;   /**< its task went on without it: it only fills a slot, its result does not count */
    bool judged;     /**< its worker is lost, and `executing` says whether it may have been begun */
    bool executing;
    uint8_t missed;  /**< reports in a row that did not name it, after one that did */
    uint32_t job_slot;
    attempt attempt;
    uint32_t worker;      /**< number; SCHEDULER_LOCAL for the coordinator's own */
    uint32_t worker_slot; /**< SLOT_NONE for own, and while its worker is not known */
    uint32_t sibling;
    uint32_t previous, next; /**< in the worker's list */
    uint32_t reports;        /**< heartbeats since it was sent, while it is not listed */
    uint32_t report;         /**< of the worker's heartbeat that named it last */
    uint64_t begun_ms;
} task_lease;

typedef struct lease_table {
    task_lease *leases;
    uint32_t *free_slots;
    uint32_t capacity;
    uint32_t free_count;
} lease_table;

bool lease_table_init(lease_table *self, uint32_t capacity);
void lease_table_deinit(lease_table *self);
/** SLOT_NONE when full. The lease is in no list yet. */
uint32_t lease_table_take(lease_table *self);
/** The lease is in no list any more. */
void lease_table_give(lease_table *self, uint32_t lease);
/** Into and out of the list of a worker; the worker's `running` follows. The caller has the worker open. */
void lease_table_attach(lease_table *self, uint32_t lease, worker_record *worker, uint32_t worker_slot);
void lease_table_detach(lease_table *self, uint32_t lease, worker_record *worker);
/** How long it has been running; 0 while it waits to be sent. */
uint64_t task_lease_age_ms(const task_lease *self, uint64_t now_ms);
bool attempt_equal(const attempt *a, const attempt *b);

#endif
