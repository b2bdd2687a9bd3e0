/**
 * Which job is next: the highest priority, then the earliest deadline, then the share (show) that was served least, then
 * the lowest job number.
 *
 * Jobs without a deadline come after those with one, but while both wait they are given a quarter of what is given (by
 * cost) at their priority: the others cannot starve them. Among jobs with a deadline nobody starves, because new
 * deadlines lie ahead of the clock and so, in the end, behind any that is set.
 *
 * Fairness is between jobs of equal priority and deadline, and by start-time fair queueing (Goyal, Vin, Cheng 1996): what
 * a share is given is added to its account, the one with the lowest account is next, and one that comes (back) begins at
 * the account that was served last, so nobody is owed for the time when he had nothing to do. Counting running tasks
 * instead would give most of the slots to the show with the shorter tasks.
 *
 * An entry lists its jobs that have ready tasks, in rising number; heaps (of the coordinator's own tasks and of the
 * workers', each by class) hold the entries that have any. Jobs are named by their slot in the job table.
 */
#ifndef COORDINATOR_CORE_SHARE_QUEUE_H
#define COORDINATOR_CORE_SHARE_QUEUE_H

#include "coordinator/core/index_heap.h"

typedef enum share_side { SHARE_LOCAL, SHARE_REMOTE, SHARE_SIDES } share_side;

/** Jobs with a deadline, and those without. */
typedef enum share_class { SHARE_DATED, SHARE_UNDATED, SHARE_CLASSES } share_class;

/** What a job brings along. */
typedef struct share_place {
    uint32_t number;
    uint64_t share;    /**< hash of its show */
    int32_t priority;
    uint32_t deadline; /**< 0 = none */
} share_place;

typedef struct share_entry {
    uint64_t key;
    uint64_t rank;          /**< priority and deadline, the first to be served being the least */
    share_class class;
    uint32_t job_count;     /**< jobs that refer to this entry */
    uint32_t first_number;  /**< job number that made the entry: the last tie-break */
    uint32_t clock;         /**< of its rank */
    uint32_t level;         /**< of its priority */
    uint64_t account;       /**< cost of what was given to it, from where it began */
    uint32_t head, tail;    /**< job slots, rising by number */
    uint32_t ready_jobs[SHARE_SIDES];
} share_entry;

/** Entries of one rank share a clock: the account that was served last. */
typedef struct share_clock {
    uint64_t rank;
    uint32_t user_count;
    uint64_t account;
} share_clock;

/** Entries of one priority share a level: what divides it between the two classes, on each side. */
typedef struct share_level {
    int32_t priority;
    uint32_t user_count;
    uint32_t listed[SHARE_SIDES][SHARE_CLASSES]; /**< entries that have ready jobs */
    int64_t lead[SHARE_SIDES]; /**< what dated jobs were given beyond three times what others were, since both wait */
} share_level;

/** One job's membership. */
typedef struct share_member {
    uint32_t number;
    uint32_t entry;
    uint32_t previous, next;
    bool listed;
    bool ready[SHARE_SIDES];
} share_member;

typedef struct share_queue {
    share_entry *entries;
    share_member *members; /**< by job slot */
    uint32_t *free_entries;
    uint32_t free_count;
    share_clock *clocks;
    uint32_t *free_clocks;
    uint32_t free_clock_count;
    share_level *levels;
    uint32_t *free_levels;
    uint32_t free_level_count;
    id_map by_key;
    id_map by_rank;
    id_map by_priority;
    index_heap heaps[SHARE_SIDES][SHARE_CLASSES];
} share_queue;

bool share_queue_init(share_queue *self, uint32_t job_slots);
void share_queue_deinit(share_queue *self);
void share_queue_join(share_queue *self, uint32_t job_slot, share_place place);
/** The job has no ready tasks and no attempts any more. */
void share_queue_leave(share_queue *self, uint32_t job_slot);
/** Says whether the job has ready tasks on each side. */
void share_queue_ready(share_queue *self, uint32_t job_slot, bool local, bool remote);
/** The job is given a task of this side. */
void share_queue_charge(share_queue *self, uint32_t job_slot, share_side side, uint32_t cost);
/** Slot of the next job with ready tasks on this side, or SLOT_NONE. */
uint32_t share_queue_next(const share_queue *self, share_side side);
void share_queue_check(const share_queue *self);

#endif
