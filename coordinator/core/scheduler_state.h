/**
 * What the scheduler is made of; shared by the files of this folder and by nobody else.
 *
 * Everything that the journal must bring back (jobs, tasks, running attempts) changes in fact_apply alone: a step
 * decides, says a fact, and fact_apply changes the tables; a replay calls the same function. So replay cannot differ
 * from what happened. What is not replayed (workers, deadlines, pauses) is changed by scheduler.c and placement.c.
 */
#ifndef COORDINATOR_CORE_SCHEDULER_STATE_H
#define COORDINATOR_CORE_SCHEDULER_STATE_H

#include "coordinator/core/job_table.h"
#include "coordinator/core/limit_table.h"
#include "coordinator/core/retry_policy.h"
#include "coordinator/core/share_queue.h"
#include "coordinator/core/task_lease.h"
#include "coordinator/core/worker_table.h"

struct scheduler {
    scheduler_config config;
    uint64_t sequence;
    uint64_t now_ms;
    bool timed;             /**< now_ms was set by a step or by resume */
    uint32_t reports_max;   /**< heartbeats after which an attempt that none of them named cannot be on its way */
    bool work_left;         /**< a step stopped at its bound: call again at once */
    uint32_t local_running;
    uint32_t passed_job;    /**< slot of a job that is in no line since every free worker rests for it; SLOT_NONE */
    uint64_t spare_due_ms;  /**< earliest next look for a second execution */
    scheduler_output *out;  /**< of the step under way; NULL while replaying */
    job_table jobs;
    share_queue shares;
    limit_table limits;
    worker_table workers;
    lease_table leases;
    trouble_table troubles;
    index_heap deadlines;   /**< leases, then workers, then troubles */
    index_heap ending;      /**< job slots whose every task is terminal, FACT_JOB_ENDED being due */
};

/* ids in deadlines */
static inline uint32_t deadline_of_worker(const scheduler *self, uint32_t slot)
{
    return self->leases.capacity + slot;
}
static inline uint32_t deadline_of_trouble(const scheduler *self, uint32_t slot)
{
    return self->leases.capacity + self->workers.capacity + slot;
}

/* fact_apply.c */
MUST_USE status fact_apply(scheduler *self, const scheduler_fact *fact, uint32_t task_count, const task_spec *tasks);
/** Ready tasks of the job came or went outside fact_apply (pause over, parked). */
void fact_apply_job_changed(scheduler *self, uint32_t job_slot);
/** A pool of limit_table has room again, perhaps: whoever waits for it is looked at again. */
void fact_apply_limit_eased(scheduler *self, uint32_t pool);
/** BACKOFF or parked: into the ready queue. */
void fact_apply_task_ready(scheduler *self, uint32_t job_slot, uint32_t task);
/** The attempt is over; nothing about its task changes. Used directly only for leftovers. */
void fact_apply_lease_release(scheduler *self, uint32_t lease);
/** Lease of exactly this attempt while its task is running; SLOT_NONE otherwise. */
uint32_t fact_apply_find_lease(const scheduler *self, const attempt *attempt);

/* scheduler.c */
/** Says a fact and applies it. It was checked before: only FACT_JOB_EXTENDED can fail (no memory, bad waits). */
MUST_USE status scheduler_say(scheduler *self, scheduler_fact fact, uint32_t task_count, const task_spec *tasks);
/** A command that rests on every fact so far. Nothing happens while replaying. */
void scheduler_command_add(scheduler *self, scheduler_command command);
/** A fact that the tables allow, because the caller looked. */
void scheduler_say_sure(scheduler *self, scheduler_fact fact);

/* worker_events.c */
MUST_USE status worker_events_hello(scheduler *self, const scheduler_event *event);
MUST_USE status worker_events_heartbeat(scheduler *self, const scheduler_event *event);
MUST_USE status worker_events_lost(scheduler *self, const scheduler_event *event);
MUST_USE status worker_events_drain(scheduler *self, const scheduler_event *event);
MUST_USE status worker_events_result(scheduler *self, const scheduler_event *event);
/** Its silence, rest or quarantine may be over. */
void worker_events_due(scheduler *self, uint32_t worker_slot);
void worker_events_lease_expired(scheduler *self, uint32_t lease);
/** Enters when worker_events_due is to be called. */
void worker_events_deadline(scheduler *self, uint32_t worker_slot);

/* placement.c */
/** Assigns ready tasks to free slots, within a bound. */
void placement_run(scheduler *self);
/** Late in a job: gives an idle slot one of the slowest running tasks a second time. */
void placement_spare(scheduler *self);
/** When placement_spare should be called next; UINT64_MAX = nothing could come of it. */
uint64_t placement_spare_due_ms(const scheduler *self);

#endif
