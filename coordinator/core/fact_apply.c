/* The one place where jobs, tasks and running attempts change. See scheduler_state.h. */
#include "coordinator/core/scheduler_state.h"

#include "common/base/ensure.h"

void fact_apply_job_changed(scheduler *self, uint32_t job_slot)
{
    job_record *job = &self->jobs.jobs[job_slot];
    /* While the loser of two attempts still writes, nothing of the job begins: the next may be the seal of its file. */
    bool wants = job->ready.remote_count > 0 && job->leftover_count == 0 && job_record_begins(job);
    if (self->passed_job == job_slot && !wants)
        self->passed_job = SLOT_NONE;
    wants = wants && self->passed_job != job_slot;
    bool remote = !limit_table_holds(&self->limits, job_slot, wants) && wants;
    share_queue_ready(&self->shares, job_slot, job->ready.local_count > 0 && job_record_begins(job), remote);
    bool over = job->state != JOB_ENDED && job->open_count == 0 && (job->graph.task_count > 0 || job->cancelled);
    if (over && !job->ending)
        index_heap_set(&self->ending, (index_heap_item){.key = job->number, .id = job_slot});
    if (!over && job->ending)
        index_heap_remove(&self->ending, job_slot);
    job->ending = over;
}

void fact_apply_limit_eased(scheduler *self, uint32_t pool)
{
    uint32_t job_slot = SLOT_NONE;
    while ((job_slot = limit_table_woken(&self->limits, pool)) != SLOT_NONE)
        fact_apply_job_changed(self, job_slot);
}

void fact_apply_task_ready(scheduler *self, uint32_t job_slot, uint32_t task)
{
    job_record *job = &self->jobs.jobs[job_slot];
    job_record_set_state(job, task, TASK_READY);
    ready_queue_push(&job->ready, &job->graph, task);
}

/* Takes a READY or BACKOFF task out of whatever holds it. */
static void task_unqueue(scheduler *self, uint32_t job_slot, uint32_t task)
{
    job_record *job = &self->jobs.jobs[job_slot];
    task_record *record = &job->graph.tasks[task];
    if (task_record_state(record) == TASK_READY && record->link != SLOT_NONE) {
        ready_queue_remove(&job->ready, &job->graph, task);
        return;
    }
    uint32_t trouble = trouble_table_find(&self->troubles, job_slot, task);
    ENSURE(trouble != SLOT_NONE);
    if (self->troubles.troubles[trouble].parked)
        trouble_table_unpark(&self->troubles, trouble);
    else
        index_heap_remove(&self->deadlines, deadline_of_trouble(self, trouble));
}

static void task_make_terminal(scheduler *self, uint32_t job_slot, uint32_t task, task_state state)
{
    job_record *job = &self->jobs.jobs[job_slot];
    task_record *record = &job->graph.tasks[task];
    job_record_set_state(job, task, state);
    record->link = SLOT_NONE;
    uint32_t trouble = trouble_table_find(&self->troubles, job_slot, task);
    if (trouble != SLOT_NONE) {
        index_heap_remove(&self->deadlines, deadline_of_trouble(self, trouble));
        trouble_table_give(&self->troubles, trouble);
    }
    const attempt last = {.job = job->number, .task = task, .epoch = record->epoch};
    scheduler_command_add(self, (scheduler_command){.type = COMMAND_TASK_FINAL,
                                                    .attempt = last,
                                                    .value = (uint32_t)state,
                                                    .code = (status)record->code});
}

static bool task_runs_anyway(const task_record *task)
{
    return task->even_if_failed || task->even_if_cancelled;
}

/*
 * A terminal task tells those that wait for it; those that cannot run any more are skipped and tell theirs. The work
 * list runs through `link`, which means nothing in a terminal task.
 */
static void task_tell_dependents(scheduler *self, uint32_t job_slot, uint32_t first)
{
    task_graph *graph = &self->jobs.jobs[job_slot].graph;
    uint32_t last = first;
    graph->tasks[first].link = SLOT_NONE;
    for (uint32_t task = first; task != SLOT_NONE; task = graph->tasks[task].link) {
        bool good = task_record_state(&graph->tasks[task]) == TASK_DONE;
        for (uint32_t i = graph->first_dependent[task]; i < graph->first_dependent[task + 1]; i++) {
            uint32_t other = graph->dependents[i];
            task_record *record = &graph->tasks[other];
            if (task_record_state(record) != TASK_WAITING)
                continue;
            if (!good && !task_runs_anyway(record)) {
                record->code = graph->tasks[task].code;
                task_make_terminal(self, job_slot, other, TASK_SKIPPED);
                graph->tasks[last].link = other;
                last = other;
            } else if (--record->link == 0) {
                fact_apply_task_ready(self, job_slot, other);
            }
        }
    }
}

static status apply_submitted(scheduler *self, const scheduler_fact *fact)
{
    if (self->jobs.any_seen && fact->job <= self->jobs.last_number)
        return STATUS_PEER_IMPOSSIBLE;
    uint32_t slot = job_table_add(&self->jobs, fact->job, fact->share, fact->priority);
    if (slot == SLOT_NONE)
        return STATUS_LIMIT;
    share_queue_join(&self->shares, slot, (share_place){fact->job, fact->share, fact->priority, 0});
    limit_table_join(&self->limits, slot, fact->share, &(job_terms){0});
    return STATUS_OK;
}

static status apply_extended(scheduler *self, uint32_t job_slot, uint32_t count, const task_spec *tasks)
{
    job_record *job = &self->jobs.jobs[job_slot];
    if (job->state == JOB_ENDED)
        return STATUS_PEER_IMPOSSIBLE;
    if (job->cancelled)
        return STATUS_CANCELLED;
    uint32_t first = job->graph.task_count;
    status code = job_record_extend(job, count, tasks);
    if (code != STATUS_OK)
        return code;
    for (uint32_t i = 0; i < count; i++) {
        task_record *record = &job->graph.tasks[first + i];
        if (task_record_state(record) != TASK_WAITING)
            continue;
        bool doomed = false;
        for (uint32_t w = 0; w < tasks[i].wait_count && !task_runs_anyway(record); w++) {
            const task_record *before = &job->graph.tasks[tasks[i].waits[w]];
            task_state state = task_record_state(before);
            if (task_state_terminal(state) && state != TASK_DONE) {
                doomed = true;
                record->code = before->code;
            }
        }
        if (doomed) {
            task_make_terminal(self, job_slot, first + i, TASK_SKIPPED);
            task_tell_dependents(self, job_slot, first + i);
        } else if (record->link == 0) {
            fact_apply_task_ready(self, job_slot, first + i);
        }
    }
    return STATUS_OK;
}

static status apply_cancelled(scheduler *self, uint32_t job_slot)
{
    job_record *job = &self->jobs.jobs[job_slot];
    if (job->state != JOB_RUNNING)
        return STATUS_PEER_IMPOSSIBLE;
    job->state = JOB_CANCELLING;
    job->cancelled = true;
    job->held = false;
    job->storage_since_ms = job->storage_until_ms = 0;
    /* First all are marked, then those that undo are told: nobody is skipped who was cancelled. */
    for (uint32_t task = 0; task < job->graph.task_count; task++) {
        task_record *record = &job->graph.tasks[task];
        task_state state = task_record_state(record);
        if (record->even_if_cancelled || task_state_terminal(state))
            continue;
        if (state == TASK_RUNNING) {
            for (uint32_t i = record->link; i != SLOT_NONE; i = self->leases.leases[i].sibling) {
                task_lease *lease = &self->leases.leases[i];
                lease->cancelling = true;
                scheduler_command_add(self, (scheduler_command){.type = COMMAND_CANCEL_ATTEMPT,
                                                                .worker = lease->worker,
                                                                .attempt = lease->attempt});
            }
            continue;
        }
        if (state != TASK_WAITING)
            task_unqueue(self, job_slot, task);
        record->code = STATUS_CANCELLED;
        task_make_terminal(self, job_slot, task, TASK_CANCELLED);
    }
    for (uint32_t task = 0; task < job->graph.task_count; task++) {
        if (task_record_state(&job->graph.tasks[task]) == TASK_CANCELLED)
            task_tell_dependents(self, job_slot, task);
    }
    return STATUS_OK;
}

/* Two bits of `link`, which says little in a terminal task: this one goes back to waiting; something that this one (it
 * undoes) waits for goes back. */
static const uint32_t retry_bit = (uint32_t)1 << 31;
static const uint32_t undo_bit = (uint32_t)1 << 30;

/* One pass forward (what rests on what goes back, goes back) and one back (the set that one task undoes stands or falls
 * as one: its files are gone or will be made anew). True when a mark was added. */
static bool retry_spread(task_graph *graph)
{
    bool changed = false;
    for (uint32_t task = 0; task < graph->task_count; task++) {
        if ((graph->tasks[task].link & retry_bit) == 0)
            continue;
        for (uint32_t i = graph->first_dependent[task]; i < graph->first_dependent[task + 1]; i++) {
            task_record *other = &graph->tasks[graph->dependents[i]];
            other->link |= other->even_if_cancelled ? retry_bit | undo_bit : retry_bit;
        }
    }
    for (uint32_t task = 0; task < graph->task_count; task++) {
        if ((graph->tasks[task].link & retry_bit) != 0)
            continue;
        for (uint32_t i = graph->first_dependent[task]; i < graph->first_dependent[task + 1]; i++) {
            if ((graph->tasks[graph->dependents[i]].link & undo_bit) != 0) {
                graph->tasks[task].link |= retry_bit;
                changed = true;
            }
        }
    }
    return changed;
}

static void retry_mark(task_graph *graph)
{
    for (uint32_t task = 0; task < graph->task_count; task++) {
        task_record *record = &graph->tasks[task];
        bool done = task_record_state(record) == TASK_DONE;
        record->link = done ? record->link & ~(retry_bit | undo_bit) : retry_bit;
    }
    /* Each turn takes in at least one more set, so there are no more turns than tasks that undo. */
    while (retry_spread(graph))
        continue;
}

static status apply_retried(scheduler *self, uint32_t job_slot)
{
    job_record *job = &self->jobs.jobs[job_slot];
    if (job->state != JOB_ENDED)
        return STATUS_PEER_IMPOSSIBLE;
    task_graph *graph = &job->graph;
    retry_mark(graph);
    job->state = JOB_RUNNING;
    job->cancelled = false;
    for (uint32_t task = 0; task < graph->task_count; task++) {
        task_record *record = &graph->tasks[task];
        if ((record->link & retry_bit) == 0)
            continue;
        job_record_set_state(job, task, TASK_WAITING);
        record->link = 0;
        record->failed = record->lost = 0;
        record->code = STATUS_OK;
    }
    for (uint32_t task = 0; task < graph->task_count; task++) {
        if (task_record_state(&graph->tasks[task]) != TASK_WAITING)
            continue;
        for (uint32_t i = graph->first_dependent[task]; i < graph->first_dependent[task + 1]; i++)
            graph->tasks[graph->dependents[i]].link++;
    }
    for (uint32_t task = 0; task < graph->task_count; task++) {
        if (task_record_state(&graph->tasks[task]) == TASK_WAITING && graph->tasks[task].link == 0)
            fact_apply_task_ready(self, job_slot, task);
    }
    return STATUS_OK;
}

static status apply_held(job_record *job, bool held)
{
    if (job->state != JOB_RUNNING)
        return STATUS_PEER_IMPOSSIBLE;
    job->held = held;
    job->storage_until_ms = held ? job->storage_until_ms : 0;
    return STATUS_OK;
}

/* It leaves the share of its old priority and joins that of the new one, at the account that was served there last. */
static status apply_priority(scheduler *self, uint32_t job_slot, int32_t priority)
{
    job_record *job = &self->jobs.jobs[job_slot];
    if (job->state == JOB_ENDED)
        return STATUS_PEER_IMPOSSIBLE;
    share_queue_ready(&self->shares, job_slot, false, false);
    share_queue_leave(&self->shares, job_slot);
    job->priority = priority;
    share_queue_join(&self->shares, job_slot, (share_place){job->number, job->share, priority, job->deadline});
    return STATUS_OK;
}

static status apply_forgotten(scheduler *self, uint32_t job_slot)
{
    job_record *job = &self->jobs.jobs[job_slot];
    if (job->state != JOB_ENDED)
        return STATUS_PEER_IMPOSSIBLE;
    for (uint32_t lease = 0; job->lease_count > 0 && lease < self->leases.capacity; lease++) {
        if (self->leases.leases[lease].used && self->leases.leases[lease].job_slot == job_slot)
            fact_apply_lease_release(self, lease);
    }
    share_queue_leave(&self->shares, job_slot);
    limit_table_leave(&self->limits, job_slot);
    job_table_remove(&self->jobs, job_slot);
    return STATUS_OK;
}

uint32_t fact_apply_find_lease(const scheduler *self, const attempt *wanted)
{
    uint32_t job_slot = job_table_find(&self->jobs, wanted->job);
    if (job_slot == SLOT_NONE)
        return SLOT_NONE;
    const job_record *job = &self->jobs.jobs[job_slot];
    if (wanted->task >= job->graph.task_count)
        return SLOT_NONE;
    const task_record *record = &job->graph.tasks[wanted->task];
    if (task_record_state(record) != TASK_RUNNING)
        return SLOT_NONE;
    uint32_t lease = record->link;
    while (lease != SLOT_NONE && !attempt_equal(&self->leases.leases[lease].attempt, wanted))
        lease = self->leases.leases[lease].sibling;
    return lease;
}

static void lease_place(scheduler *self, uint32_t lease, uint32_t worker)
{
    task_lease *record = &self->leases.leases[lease];
    if (record->worker_slot != SLOT_NONE) {
        uint32_t old = record->worker_slot;
        lease_table_detach(&self->leases, lease, worker_table_open(&self->workers, old));
        worker_table_close(&self->workers, old, self->now_ms);
    }
    record->worker = worker;
    record->sent = true;
    if (worker == SCHEDULER_LOCAL)
        return;
    uint32_t slot = worker_table_find(&self->workers, worker);
    if (slot != SLOT_NONE) {
        lease_table_attach(&self->leases, lease, worker_table_open(&self->workers, slot), slot);
        worker_table_close(&self->workers, slot, self->now_ms);
    }
    index_heap_set(&self->deadlines, (index_heap_item){.key = self->now_ms + self->config.lease_ms, .id = lease});
}

void fact_apply_lease_release(scheduler *self, uint32_t lease)
{
    task_lease *record = &self->leases.leases[lease];
    job_record *job = &self->jobs.jobs[record->job_slot];
    if (record->worker_slot != SLOT_NONE) {
        uint32_t slot = record->worker_slot;
        lease_table_detach(&self->leases, lease, worker_table_open(&self->workers, slot));
        worker_table_close(&self->workers, slot, self->now_ms);
    }
    bool own = record->worker == SCHEDULER_LOCAL;
    uint32_t job_slot = record->job_slot;
    if (own)
        self->local_running--;
    else
        limit_table_give(&self->limits, job_slot);
    job->lease_count--;
    index_heap_remove(&self->deadlines, lease);
    lease_table_give(&self->leases, lease);
    for (uint32_t i = 0; i < LIMIT_POOLS && !own; i++) {
        if (self->limits.members[job_slot].pools[i] != SLOT_NONE)
            fact_apply_limit_eased(self, self->limits.members[job_slot].pools[i]);
    }
    if (record->leftover) {
        job->leftover_count--;
        fact_apply_job_changed(self, record->job_slot);
    }
}

static status apply_assigned(scheduler *self, uint32_t job_slot, const scheduler_fact *fact)
{
    job_record *job = &self->jobs.jobs[job_slot];
    if (job->state == JOB_ENDED || fact->task >= job->graph.task_count)
        return STATUS_PEER_IMPOSSIBLE;
    task_record *record = &job->graph.tasks[fact->task];
    const attempt given = {.job = fact->job, .task = fact->task, .term = fact->term, .epoch = fact->epoch};
    if (record->local != (fact->worker == SCHEDULER_LOCAL))
        return STATUS_PEER_IMPOSSIBLE;
    uint32_t lease = fact_apply_find_lease(self, &given);
    if (lease != SLOT_NONE) { /* the same attempt in another worker's name: adopted after a restart */
        lease_place(self, lease, fact->worker);
        return STATUS_OK;
    }
    task_state state = task_record_state(record);
    bool second = state == TASK_RUNNING && self->leases.leases[record->link].sibling == SLOT_NONE && record->spare;
    if (fact->epoch != record->epoch + 1u || fact->epoch > TASK_EPOCH_MAX ||
        (state != TASK_READY && state != TASK_BACKOFF && !second))
        return STATUS_PEER_IMPOSSIBLE;
    lease = lease_table_take(&self->leases);
    if (lease == SLOT_NONE)
        return STATUS_LIMIT;
    if (!second)
        task_unqueue(self, job_slot, fact->task);
    task_lease *entry = &self->leases.leases[lease];
    entry->job_slot = job_slot;
    entry->attempt = given;
    entry->begun_ms = self->now_ms;
    entry->sibling = second ? record->link : SLOT_NONE;
    if (fact->worker == SCHEDULER_LOCAL)
        self->local_running++;
    else
        limit_table_take(&self->limits, job_slot);
    lease_place(self, lease, fact->worker);
    record->link = lease;
    record->epoch = (uint16_t)fact->epoch;
    job_record_set_state(job, fact->task, TASK_RUNNING);
    job->lease_count++;
    share_queue_charge(&self->shares, job_slot, record->local ? SHARE_LOCAL : SHARE_REMOTE, record->cost);
    return STATUS_OK;
}

static void chain_unlink(scheduler *self, task_record *record, uint32_t lease)
{
    if (record->link == lease)
        record->link = self->leases.leases[lease].sibling;
    else
        self->leases.leases[record->link].sibling = SLOT_NONE;
    self->leases.leases[lease].sibling = SLOT_NONE;
}

/*
 * The task is over while a second attempt of it runs: that one is told to stop and holds its slot until it has. One
 * whose ASSIGN still waits for the journal is over at once: it will not leave. One whose worker has not come back after a
 * restart holds its slot until its lease ends; in a replay nobody knows whether it still runs, and it is let go.
 */
static void chain_strand(scheduler *self, uint32_t lease)
{
    task_lease *record = &self->leases.leases[lease];
    bool known = record->worker_slot != SLOT_NONE;
    bool replaying = self->out == NULL;
    if (!record->sent || (!known && replaying)) {
        fact_apply_lease_release(self, lease);
        return;
    }
    record->leftover = true;
    record->cancelling = true;
    self->jobs.jobs[record->job_slot].leftover_count++;
    if (known)
        scheduler_command_add(self, (scheduler_command){.type = COMMAND_CANCEL_ATTEMPT,
                                                        .worker = record->worker,
                                                        .attempt = record->attempt});
}

static void ended_count(job_record *job, task_record *record, const scheduler_fact *fact)
{
    if (fact->value == TASK_DONE || fact->value == TASK_CANCELLED)
        return;
    retry_count counter = retry_policy_counter(fact->code);
    if (counter == RETRY_COUNT_FAILED && record->failed < TASK_COUNT_MAX)
        record->failed = (record->failed + 1u) & 15u;
    if (counter == RETRY_COUNT_LOST && record->lost < TASK_COUNT_MAX)
        record->lost = (record->lost + 1u) & 15u;
    if (counter != RETRY_COUNT_NONE && (fact->value == TASK_READY || fact->value == TASK_BACKOFF))
        job->retries++;
}

static void ended_again(scheduler *self, uint32_t job_slot, const scheduler_fact *fact)
{
    job_record *job = &self->jobs.jobs[job_slot];
    task_record *record = &job->graph.tasks[fact->task];
    /* Also where it was only never begun: somebody who is deaf must not be asked for ever. */
    uint32_t trouble = SLOT_NONE;
    if (fact->worker != SCHEDULER_LOCAL || fact->code != STATUS_OK)
        trouble = trouble_table_take(&self->troubles, job_slot, fact->task);
    if (trouble != SLOT_NONE)
        task_trouble_avoid(&self->troubles.troubles[trouble], fact->worker, fact->code);
    uint32_t delay_ms = retry_policy_delay_ms(record, self->config.retry_base_ms);
    if (fact->value == TASK_READY || trouble == SLOT_NONE || delay_ms == 0) {
        fact_apply_task_ready(self, job_slot, fact->task);
        return;
    }
    job_record_set_state(job, fact->task, TASK_BACKOFF);
    record->link = SLOT_NONE;
    index_heap_set(&self->deadlines,
                   (index_heap_item){.key = self->now_ms + delay_ms, .id = deadline_of_trouble(self, trouble)});
}

static status apply_ended(scheduler *self, uint32_t job_slot, const scheduler_fact *fact)
{
    job_record *job = &self->jobs.jobs[job_slot];
    const attempt over = {.job = fact->job, .task = fact->task, .term = fact->term, .epoch = fact->epoch};
    uint32_t lease = fact_apply_find_lease(self, &over);
    if (lease == SLOT_NONE)
        return STATUS_PEER_IMPOSSIBLE;
    task_record *record = &job->graph.tasks[fact->task];
    task_state next = (task_state)fact->value;
    bool alone = self->leases.leases[record->link].sibling == SLOT_NONE;
    bool goes_on = next == TASK_RUNNING && !alone; /* in its other attempt */
    bool again = (next == TASK_READY || next == TASK_BACKOFF) && alone;
    bool final = task_state_terminal(next) && next != TASK_SKIPPED;
    if (!goes_on && !again && !final)
        return STATUS_PEER_IMPOSSIBLE;
    chain_unlink(self, record, lease);
    fact_apply_lease_release(self, lease);
    ended_count(job, record, fact);
    if (fact->code != STATUS_OK)
        record->code = (unsigned)fact->code & 31u;
    if (next == TASK_RUNNING)
        return STATUS_OK;
    if (!task_state_terminal(next)) {
        ended_again(self, job_slot, fact);
        return STATUS_OK;
    }
    if (next == TASK_DONE)
        record->code = STATUS_OK;
    uint32_t other = record->link;
    if (other != SLOT_NONE)
        chain_strand(self, other);
    task_make_terminal(self, job_slot, fact->task, next);
    task_tell_dependents(self, job_slot, fact->task);
    if (next == TASK_DONE)
        record->link = fact->epoch;
    return STATUS_OK;
}

static status apply_of_job(scheduler *self, uint32_t slot, const scheduler_fact *fact, uint32_t count,
                           const task_spec *tasks)
{
    switch (fact->type) {
    case FACT_JOB_EXTENDED:
        return fact->value == count ? apply_extended(self, slot, count, tasks) : STATUS_PEER_IMPOSSIBLE;
    case FACT_JOB_CANCELLED:
        return apply_cancelled(self, slot);
    case FACT_JOB_RETRIED:
        return apply_retried(self, slot);
    case FACT_JOB_ENDED:
        if (!self->jobs.jobs[slot].ending)
            return STATUS_PEER_IMPOSSIBLE;
        self->jobs.jobs[slot].state = JOB_ENDED;
        self->jobs.jobs[slot].held = false;
        self->jobs.jobs[slot].storage_since_ms = self->jobs.jobs[slot].storage_until_ms = 0;
        return STATUS_OK;
    case FACT_JOB_HELD:
    case FACT_JOB_RELEASED:
        return apply_held(&self->jobs.jobs[slot], fact->type == FACT_JOB_HELD);
    case FACT_JOB_PRIORITY:
        return apply_priority(self, slot, fact->priority);
    case FACT_TASK_ASSIGNED:
        return apply_assigned(self, slot, fact);
    case FACT_TASK_ENDED:
        return apply_ended(self, slot, fact);
    case FACT_JOB_SUBMITTED:
    case FACT_JOB_FORGOTTEN:
    case FACT_WORKER_STATE:
    case FACT_TYPE_END:
        break;
    }
    return STATUS_PEER_IMPOSSIBLE;
}

status fact_apply(scheduler *self, const scheduler_fact *fact, uint32_t task_count, const task_spec *tasks)
{
    if (fact->type == FACT_WORKER_STATE)
        return STATUS_OK; /* for people and for the shell; workers are not replayed */
    if (fact->type == FACT_JOB_SUBMITTED)
        return apply_submitted(self, fact);
    uint32_t slot = job_table_find(&self->jobs, fact->job);
    if (slot == SLOT_NONE)
        return STATUS_PEER_IMPOSSIBLE;
    if (fact->type == FACT_JOB_FORGOTTEN)
        return apply_forgotten(self, slot);
    status code = apply_of_job(self, slot, fact, task_count, tasks);
    if (code == STATUS_OK)
        fact_apply_job_changed(self, slot);
    return code;
}
