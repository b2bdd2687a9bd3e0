/* scheduler_check_invariants: every relation between the tables, walked in full. For tests and simulation. */
#include "coordinator/core/scheduler_state.h"

#include "common/base/ensure.h"

#include <stdlib.h>

static void lease_check(const scheduler *self, uint32_t slot)
{
    const task_lease *lease = &self->leases.leases[slot];
    const job_record *job = &self->jobs.jobs[lease->job_slot];
    ENSURE(job->used && job->number == lease->attempt.job && lease->attempt.task < job->graph.task_count);
    const task_record *task = &job->graph.tasks[lease->attempt.task];
    ENSURE(lease->attempt.epoch >= 1 && lease->attempt.epoch <= task->epoch);
    if (!lease->leftover) {
        ENSURE(task_record_state(task) == TASK_RUNNING);
        ENSURE(task->link == slot || self->leases.leases[task->link].sibling == slot);
    }
    /* Own attempts have no lease to lose; whoever's worker is known is in its list. */
    if (lease->worker == SCHEDULER_LOCAL)
        ENSURE(task->local && lease->worker_slot == SLOT_NONE);
    else
        ENSURE(!task->local && index_heap_has(&self->deadlines, slot) == lease->sent);
    if (lease->worker_slot != SLOT_NONE)
        ENSURE(self->workers.workers[lease->worker_slot].number == lease->worker);
}

static void leases_check(const scheduler *self)
{
    uint32_t used = 0;
    uint32_t own = 0;
    uint32_t attached = 0;
    for (uint32_t i = 0; i < self->leases.capacity; i++) {
        if (!self->leases.leases[i].used) {
            ENSURE(!index_heap_has(&self->deadlines, i));
            continue;
        }
        used++;
        own += self->leases.leases[i].worker == SCHEDULER_LOCAL;
        attached += self->leases.leases[i].worker_slot != SLOT_NONE;
        lease_check(self, i);
    }
    ENSURE(used + self->leases.free_count == self->leases.capacity && own == self->local_running);
    for (uint32_t i = 0; i < self->workers.capacity; i++) {
        const worker_record *worker = &self->workers.workers[i];
        uint32_t running = 0;
        for (uint32_t lease = worker->number == 0 ? SLOT_NONE : worker->first_lease; lease != SLOT_NONE;
             lease = self->leases.leases[lease].next) {
            ENSURE(self->leases.leases[lease].used && self->leases.leases[lease].worker_slot == i);
            running++;
        }
        ENSURE(running == worker->running);
        attached -= running;
    }
    ENSURE(attached == 0);
}

static void task_check(const scheduler *self, uint32_t job_slot, uint32_t number, uint32_t waiting)
{
    const job_record *job = &self->jobs.jobs[job_slot];
    const task_record *task = &job->graph.tasks[number];
    task_state state = task_record_state(task);
    uint32_t trouble = trouble_table_find(&self->troubles, job_slot, number);
    bool parked = trouble != SLOT_NONE && self->troubles.troubles[trouble].parked;
    bool pausing = trouble != SLOT_NONE && index_heap_has(&self->deadlines, deadline_of_trouble(self, trouble));
    ENSURE(parked == (state == TASK_READY && task->link == SLOT_NONE));
    ENSURE(pausing == (state == TASK_BACKOFF));
    ENSURE(trouble == SLOT_NONE || !task_state_terminal(state));
    if (state == TASK_WAITING)
        ENSURE(task->link == waiting && waiting > 0);
    else if (!task_state_terminal(state))
        ENSURE(waiting == 0);
    if (state != TASK_RUNNING)
        return;
    uint32_t second = self->leases.leases[task->link].sibling;
    ENSURE(self->leases.leases[task->link].used && !self->leases.leases[task->link].leftover);
    ENSURE(second == SLOT_NONE || (self->leases.leases[second].sibling == SLOT_NONE && task->spare));
    /* Never twice on one worker, and never two attempts of one number. */
    ENSURE(second == SLOT_NONE || (self->leases.leases[second].worker != self->leases.leases[task->link].worker &&
                                   self->leases.leases[second].attempt.epoch !=
                                       self->leases.leases[task->link].attempt.epoch));
}

static void job_check(const scheduler *self, uint32_t slot)
{
    const job_record *job = &self->jobs.jobs[slot];
    const task_graph *graph = &job->graph;
    uint32_t by_state[TASK_CANCELLED + 1] = {0};
    uint32_t open = 0;
    ready_queue_check(&job->ready, graph);
    for (uint32_t task = 0; task < graph->task_count; task++) {
        by_state[graph->tasks[task].state]++;
        open += !task_state_terminal(task_record_state(&graph->tasks[task]));
    }
    for (int state = 0; state <= TASK_CANCELLED; state++)
        ENSURE(by_state[state] == job->by_state[state]);
    ENSURE(open == job->open_count);
    ENSURE(job->state != JOB_ENDED || open == 0);
    ENSURE(job->cancelled || by_state[TASK_CANCELLED] == 0);
    ENSURE(job->ending == index_heap_has(&self->ending, slot));
    ENSURE(job->ending == (job->state != JOB_ENDED && open == 0 && (graph->task_count > 0 || job->cancelled)));
    const share_member *member = &self->shares.members[slot];
    ENSURE(member->ready[SHARE_LOCAL] == (job->ready.local_count > 0 && job_record_begins(job)));
    bool wants = job->ready.remote_count > 0 && job->leftover_count == 0 && job_record_begins(job);
    ENSURE(self->passed_job != slot || wants);
    wants = wants && self->passed_job != slot;
    /* Listed and held back by a limit: it was reached after the job was listed, and is seen when the job is chosen. */
    ENSURE(!member->ready[SHARE_REMOTE] || wants);
    ENSURE(member->ready[SHARE_REMOTE] || !wants || limit_table_full(&self->limits, slot) != SLOT_NONE);
    ENSURE(self->limits.members[slot].waits_for == SLOT_NONE || (wants && !member->ready[SHARE_REMOTE]));
    ENSURE(!job->held || job->state == JOB_RUNNING);
    /* Somebody wakes it: a task of it that is in its pause. */
    ENSURE(job->storage_until_ms == 0 || (job->state == JOB_RUNNING && job->by_state[TASK_BACKOFF] > 0));
    const share_entry *entry = &self->shares.entries[member->entry];
    ENSURE(self->shares.levels[entry->level].priority == job->priority);
    ENSURE((uint32_t)entry->rank == (job->deadline == 0 ? UINT32_MAX : job->deadline));
    uint32_t leases = 0;
    uint32_t leftovers = 0;
    uint32_t own = 0;
    for (uint32_t i = 0; i < self->leases.capacity; i++) {
        const task_lease *lease = &self->leases.leases[i];
        leases += lease->used && lease->job_slot == slot;
        own += lease->used && lease->job_slot == slot && lease->worker == SCHEDULER_LOCAL;
        leftovers += lease->used && lease->job_slot == slot && lease->leftover;
    }
    ENSURE(leases == job->lease_count && leftovers == job->leftover_count);
    ENSURE(self->limits.members[slot].running == leases - own);
}

/* A pool counts what its jobs count. */
static void limits_check(const scheduler *self)
{
    limit_table_check(&self->limits);
    for (uint32_t pool = 0; pool < self->limits.capacity; pool++) {
        uint32_t running = 0;
        uint32_t jobs = 0;
        for (uint32_t slot = self->jobs.head; self->limits.pools[pool].job_count > 0 && slot != SLOT_NONE;
             slot = self->jobs.jobs[slot].next) {
            const limit_member *member = &self->limits.members[slot];
            for (uint32_t i = 0; i < LIMIT_POOLS; i++) {
                jobs += member->pools[i] == pool;
                running += member->pools[i] == pool ? member->running : 0;
            }
        }
        ENSURE(jobs == self->limits.pools[pool].job_count);
        ENSURE(jobs == 0 || running == self->limits.pools[pool].running);
    }
}

/* Waits are kept by who is waited for: counted back here, for every task. */
static void waits_check(const scheduler *self, uint32_t slot)
{
    const task_graph *graph = &self->jobs.jobs[slot].graph;
    uint32_t *waiting = calloc((size_t)graph->task_count + 1, sizeof *waiting);
    ENSURE(waiting != NULL);
    for (uint32_t task = 0; task < graph->task_count; task++) {
        task_check(self, slot, task, waiting[task]); /* waits point back, so its count is complete */
        if (task_state_terminal(task_record_state(&graph->tasks[task])))
            continue;
        for (uint32_t i = graph->first_dependent[task]; i < graph->first_dependent[task + 1]; i++)
            waiting[graph->dependents[i]]++;
    }
    free(waiting);
}

void scheduler_check_invariants(const scheduler *self)
{
    worker_table_check(&self->workers);
    leases_check(self);
    index_heap_check(&self->deadlines);
    index_heap_check(&self->ending);
    share_queue_check(&self->shares);
    limits_check(self);
    uint32_t count = 0;
    for (uint32_t slot = self->jobs.head; slot != SLOT_NONE; slot = self->jobs.jobs[slot].next) {
        job_check(self, slot);
        waits_check(self, slot);
        count++;
    }
    ENSURE(count == self->jobs.count);
    /* Who can take work is in line, and nobody in line is idle while there is work for him, unless a step met its bound. */
    for (uint32_t i = 0; i < self->workers.capacity; i++)
        ENSURE(self->work_left ||
               index_heap_has(&self->workers.open, i) ==
                   worker_table_takes(&self->workers, &self->workers.workers[i], self->now_ms));
    ENSURE(self->work_left || self->workers.open.count == 0 || self->leases.free_count == 0 ||
           share_queue_next(&self->shares, SHARE_REMOTE) == SLOT_NONE);
}
