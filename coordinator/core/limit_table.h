/**
 * How much may run at once: of one show, on one storage root, of one job. A pool is a show or a root and counts the
 * attempts that workers hold for its jobs, whatever they do; where no rule names it, it only counts. A job is in the
 * pool of its show and in those of the roots that it reads and writes.
 *
 * A rule stops what would begin; it takes back nothing: after a lower one came, what runs goes on. A job that has ready
 * tasks and may not begin one waits in the list of the pool that is full, and is looked at again when an attempt of that
 * pool is over. Named by their slots in the job table. Not replayed: rules are configuration, terms are in the shell's
 * record of the job.
 */
#ifndef COORDINATOR_CORE_LIMIT_TABLE_H
#define COORDINATOR_CORE_LIMIT_TABLE_H

#include "coordinator/core/id_map.h"
#include "coordinator/core/scheduler.h"

enum { LIMIT_POOLS = 1 + JOB_ROOTS_MAX, LIMIT_SHOW = 0 /**< place of the show's pool in limit_member.pools */ };
/** In the place of a pool: the job's own limit. */
#define LIMIT_OWN (SLOT_NONE - 1)

typedef struct limit_pool {
    uint64_t key;
    uint32_t most;
    uint32_t running;
    uint32_t job_count;
    uint32_t waiting; /**< first job that waits for it */
    bool show;
} limit_pool;

typedef struct limit_member {
    uint32_t pools[LIMIT_POOLS]; /**< SLOT_NONE = none */
    uint32_t at_once;            /**< UINT32_MAX = as many as there are */
    uint32_t running;
    uint32_t waits_for;          /**< pool in whose list it is; SLOT_NONE = none */
    uint32_t previous, next;
} limit_member;

typedef struct limit_table {
    limit_pool *pools;
    uint32_t capacity;
    uint32_t *free_pools;
    uint32_t free_count;
    limit_member *members; /**< by job slot */
    id_map by_key;
    scheduler_limits rules;
} limit_table;

bool limit_table_init(limit_table *self, uint32_t job_slots);
void limit_table_deinit(limit_table *self);
/** Replaces every rule. Whoever waits is to be looked at again (limit_table_woken). */
void limit_table_set(limit_table *self, const scheduler_limits *rules);
void limit_table_join(limit_table *self, uint32_t job_slot, uint64_t share, const job_terms *terms);
/** It has no attempts and waits for nothing. */
void limit_table_leave(limit_table *self, uint32_t job_slot);
/** An attempt of the job begins, or is over. */
void limit_table_take(limit_table *self, uint32_t job_slot);
void limit_table_give(limit_table *self, uint32_t job_slot);
/** The pool that lets the job begin nothing now, or LIMIT_OWN; SLOT_NONE when it may. */
uint32_t limit_table_full(const limit_table *self, uint32_t job_slot);
/** Has it wait where it must, if it wants to begin something. True: it must. */
bool limit_table_holds(limit_table *self, uint32_t job_slot, bool wants);
/** Takes a job out of the list of a pool that has room again; SLOT_NONE: none waits, or there is no room. */
uint32_t limit_table_woken(limit_table *self, uint32_t pool);
void limit_table_check(const limit_table *self);

#endif
