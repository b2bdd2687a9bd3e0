/* What workers say and what is concluded from it: reports, results, failures, quarantine. */
#include "coordinator/core/scheduler_state.h"

enum { MISSED_MAX = 2 /* reports in a row without an attempt that was named before: it is over */ };

void worker_events_deadline(scheduler *self, uint32_t worker_slot)
{
    const worker_record *worker = &self->workers.workers[worker_slot];
    uint64_t due = worker_record_due_ms(worker, self->now_ms, self->config.lease_ms);
    if (due == UINT64_MAX)
        index_heap_remove(&self->deadlines, deadline_of_worker(self, worker_slot));
    else
        index_heap_set(&self->deadlines,
                       (index_heap_item){.key = due, .id = deadline_of_worker(self, worker_slot)});
}

static void worker_close(scheduler *self, uint32_t slot)
{
    worker_table_close(&self->workers, slot, self->now_ms);
    worker_events_deadline(self, slot);
}

static void worker_say_state(scheduler *self, uint32_t slot, worker_state state)
{
    scheduler_say_sure(self, (scheduler_fact){.type = FACT_WORKER_STATE,
                                              .worker = self->workers.workers[slot].number,
                                              .value = (uint32_t)state});
}

/*
 * Longer with each setback in a row: for this job alone, or for all (0), as it also is when it rests for another one
 * already. The worker is open.
 */
static void worker_rest(const scheduler *self, worker_record *worker, uint32_t job)
{
    bool rests = self->now_ms < worker->rest_until_ms;
    if (!rests && worker->rest_job != 0 && worker->rest_job != job)
        worker->setbacks = 0; /* they were that job's, which may have ended long ago */
    worker->rest_job = rests && worker->rest_job != job ? 0 : job;
    uint64_t rest_ms = WORKER_REST_BASE_MS;
    for (uint32_t i = 0; i < worker->setbacks && rest_ms < WORKER_REST_MAX_MS; i++)
        rest_ms *= 2;
    worker->setbacks++;
    worker->rest_until_ms = self->now_ms + rest_ms;
}

/* ---- the end of an attempt ---- */

static void attempt_say_ended(scheduler *self, const task_lease *lease, task_state next, status code)
{
    scheduler_say_sure(self, (scheduler_fact){.type = FACT_TASK_ENDED,
                                              .job = lease->attempt.job,
                                              .task = lease->attempt.task,
                                              .term = lease->attempt.term,
                                              .epoch = lease->attempt.epoch,
                                              .worker = lease->worker,
                                              .value = (uint32_t)next,
                                              .code = code});
}

/* A task that struck down several workers is to blame, not they: their strikes are taken back. False: only one did. */
static bool strikes_forgive(scheduler *self, const task_lease *lease)
{
    uint32_t slot = trouble_table_find(&self->troubles, lease->job_slot, lease->attempt.task);
    bool others = false;
    for (uint32_t i = 0; slot != SLOT_NONE && i < self->troubles.troubles[slot].avoid_count; i++) {
        uint32_t number = self->troubles.troubles[slot].avoid[i];
        uint32_t worker = worker_table_find(&self->workers, number);
        others = others || number != lease->worker;
        if (worker != SLOT_NONE && self->workers.workers[worker].strikes > 0)
            self->workers.workers[worker].strikes--;
    }
    return others;
}

/*
 * The task has failed as often as it may, but of storage that may come back: it pauses once more, and its whole job with
 * it, since whatever of it begins now meets the same storage. False: that has gone on for too long, or the book of
 * pauses is full.
 */
static bool storage_waits(scheduler *self, const task_lease *lease, status code)
{
    job_record *job = &self->jobs.jobs[lease->job_slot];
    uint64_t since_ms = job->storage_since_ms == 0 ? self->now_ms : job->storage_since_ms;
    if (!retry_policy_storage_waits(code) || lease->worker == SCHEDULER_LOCAL || job->state != JOB_RUNNING ||
        self->now_ms - since_ms >= self->config.storage_wait_ms || self->config.retry_base_ms == 0 ||
        trouble_table_take(&self->troubles, lease->job_slot, lease->attempt.task) == SLOT_NONE)
        return false;
    task_record after = job->graph.tasks[lease->attempt.task];
    after.failed = (after.failed < TASK_COUNT_MAX ? after.failed + 1u : after.failed) & 15u;
    job->storage_since_ms = since_ms;
    job->storage_until_ms = self->now_ms + retry_policy_delay_ms(&after, self->config.retry_base_ms);
    return true;
}

/* That machine's storage may not be what the others see. */
static bool lease_asks_another(const scheduler *self, const task_lease *lease)
{
    const job_record *job = &self->jobs.jobs[lease->job_slot];
    return lease->worker != SCHEDULER_LOCAL && job->graph.tasks[lease->attempt.task].failed == 0 && self->workers.able_count > 1;
}

bool scheduler_asks_another(const scheduler *self, const attempt *tried)
{
    uint32_t lease = fact_apply_find_lease(self, tried);
    return lease != SLOT_NONE && lease_asks_another(self, &self->leases.leases[lease]);
}

/*
 * An attempt that counts is over without a good result. code STATUS_OK: nobody is to blame. True when the task is set
 * aside with proof that it and not its workers is at fault.
 */
static bool attempt_over(scheduler *self, uint32_t lease_slot, status code)
{
    const task_lease *lease = &self->leases.leases[lease_slot];
    const job_record *job = &self->jobs.jobs[lease->job_slot];
    const task_record *task = &job->graph.tasks[lease->attempt.task];
    bool alone = self->leases.leases[task->link].sibling == SLOT_NONE;
    if (job->cancelled && !task->even_if_cancelled) {
        attempt_say_ended(self, lease, alone ? TASK_CANCELLED : TASK_RUNNING, STATUS_CANCELLED);
        return false;
    }
    task_state next = retry_policy_next(code, task, self->config.attempts_max);
    if (code == STATUS_INPUT_MISSING && lease_asks_another(self, lease))
        next = TASK_READY;
    if (next != TASK_FAILED && task->epoch >= TASK_EPOCH_MAX) {
        next = TASK_FAILED;
        code = STATUS_LIMIT;
    }
    if (next == TASK_FAILED && alone && storage_waits(self, lease, code))
        next = TASK_BACKOFF;
    if (next != TASK_FAILED && !alone)
        next = TASK_RUNNING;
    bool proven = next == TASK_FAILED && retry_policy_strikes(code) && strikes_forgive(self, lease);
    attempt_say_ended(self, lease, next, code);
    return proven;
}

/*
 * Which attempts may have been executing when their worker was lost: a worker begins what it is given in the order in
 * which it came, so one that has as many before it as there are slots was waiting. (Our view of those before it may be
 * late, but only in that they are over.) Judged once for all, before the first of them is taken away.
 */
static void leases_judge(scheduler *self, uint32_t worker_slot)
{
    const worker_record *worker = &self->workers.workers[worker_slot];
    uint32_t behind = worker->running;
    for (uint32_t i = worker->first_lease; i != SLOT_NONE; i = self->leases.leases[i].next) {
        task_lease *lease = &self->leases.leases[i];
        behind--; /* the newest comes first */
        if (lease->judged)
            continue;
        lease->judged = true;
        lease->executing = lease->sent && behind < worker->slots;
    }
}

void worker_events_lease_expired(scheduler *self, uint32_t lease_slot)
{
    const task_lease *lease = &self->leases.leases[lease_slot];
    if (lease->worker_slot != SLOT_NONE) /* also behind one that was judged when its worker was lost before */
        leases_judge(self, lease->worker_slot);
    if (lease->leftover)
        fact_apply_lease_release(self, lease_slot);
    else /* of one whose worker did not come back after a restart nothing is known */
        (void)attempt_over(self, lease_slot, lease->executing ? STATUS_NODE_LOST : STATUS_OK);
}

/* ---- workers ---- */

/* Its worker is gone or, after a restart, not known yet: the HELLO of who has it may still be on its way. */
static bool lease_is_free(const scheduler *self, const task_lease *lease)
{
    return lease->worker != SCHEDULER_LOCAL &&
           (lease->worker_slot == SLOT_NONE || !self->workers.workers[lease->worker_slot].alive);
}

/* A worker says that it has this attempt. It takes over what is free: only a HELLO names that. */
static void worker_claims(scheduler *self, uint32_t worker_slot, const attempt *claimed)
{
    worker_record *worker = &self->workers.workers[worker_slot];
    uint32_t lease_slot = fact_apply_find_lease(self, claimed);
    if (lease_slot == SLOT_NONE) {
        for (uint32_t i = worker->first_lease; i != SLOT_NONE; i = self->leases.leases[i].next) {
            if (attempt_equal(&self->leases.leases[i].attempt, claimed))
                lease_slot = i;
        }
    }
    task_lease *lease = lease_slot == SLOT_NONE ? NULL : &self->leases.leases[lease_slot];
    if (lease != NULL && lease->worker_slot != worker_slot) {
        if (lease_is_free(self, lease))
            scheduler_say_sure(self, (scheduler_fact){.type = FACT_TASK_ASSIGNED,
                                                      .job = claimed->job,
                                                      .task = claimed->task,
                                                      .term = claimed->term,
                                                      .epoch = claimed->epoch,
                                                      .worker = worker->number});
        else
            lease = NULL;
    }
    scheduler_command answer = {.type = COMMAND_CANCEL_ATTEMPT, .worker = worker->number, .attempt = *claimed};
    if (lease != NULL) {
        lease->listed = lease->sent = true;
        lease->missed = 0;
        lease->report = worker->report;
        index_heap_set(&self->deadlines,
                       (index_heap_item){.key = self->now_ms + self->config.lease_ms, .id = lease_slot});
        if (lease->cancelling) /* the first word may have been lost */
            scheduler_command_add(self, answer);
        return;
    }
    task_view view;
    if (scheduler_task_view(self, claimed->job, claimed->task, &view) && view.state == TASK_DONE &&
        view.epoch == claimed->epoch)
        answer.type = COMMAND_ACK_RESULT; /* its result was counted; the word about it was lost */
    scheduler_command_add(self, answer);
}

/*
 * After a report: what it did not name. An attempt that was named before and is not any more is over, since messages of
 * one worker keep their order; two reports, to be sure.
 *
 * One that was never named may still be on its way, however slow that is, and may then be begun. But a worker that
 * sends a heartbeat has had an answer to another one that it sent less than a lease before; at most lease / heartbeat
 * + 1 lie between the two. So of more heartbeats than that, heard since the ASSIGN left, the last was sent after an
 * answer that left after the ASSIGN, and answers do not overtake it: had it arrived, it would be named.
 */
static void worker_report_end(scheduler *self, uint32_t worker_slot, bool heartbeat)
{
    const worker_record *worker = &self->workers.workers[worker_slot];
    uint32_t next = SLOT_NONE;
    bool unheard = false;
    for (uint32_t i = worker->first_lease; i != SLOT_NONE; i = next) {
        task_lease *lease = &self->leases.leases[i];
        next = lease->next;
        /* Its worker lives after all. What was before one that waited may be gone from our list and still run there:
         * that one stays free of blame. */
        lease->judged = lease->judged && !lease->executing;
        lease->executing = false;
        if (!lease->sent || lease->report == worker->report)
            continue;
        /* The worker lives, and with it what it may be running. */
        index_heap_set(&self->deadlines, (index_heap_item){.key = self->now_ms + self->config.lease_ms, .id = i});
        if (lease->listed)
            lease->missed++;
        else
            lease->reports += heartbeat;
        if (lease->missed < MISSED_MAX && lease->reports < self->reports_max)
            continue;
        unheard = unheard || !lease->listed;
        if (lease->leftover)
            fact_apply_lease_release(self, i);
        else
            (void)attempt_over(self, i, STATUS_OK);
    }
    if (unheard) {
        worker_rest(self, worker_table_open(&self->workers, worker_slot), 0);
        worker_close(self, worker_slot);
    }
}

/*
 * Reports say what was held when they were made. One that comes late (it waited in a queue while this process or a link
 * stood still) would make the newer attempts look as if they were over. The count of beats may wrap.
 */
static bool report_is_old(const worker_record *worker, uint32_t beat)
{
    return beat != 0 && worker->beat != 0 && (beat - worker->beat == 0 || beat - worker->beat > UINT32_MAX / 2);
}

static void worker_heard(scheduler *self, uint32_t slot, uint32_t beat)
{
    worker_record *worker = worker_table_open(&self->workers, slot);
    worker->alive = true;
    worker->heard_ms = self->now_ms;
    worker->beat = beat != 0 ? beat : worker->beat;
    worker->report++;
    worker_close(self, slot);
}

status worker_events_hello(scheduler *self, const scheduler_event *event)
{
    uint32_t number = event->hello.worker;
    if (number == SCHEDULER_LOCAL || event->hello.slots == 0 || event->hello.slots > WORKER_SLOTS_MAX)
        return STATUS_PEER_IMPOSSIBLE;
    uint32_t slot = worker_table_find(&self->workers, number);
    if (slot == SLOT_NONE) {
        slot = worker_table_add(&self->workers, number, event->hello.slots, self->now_ms);
        if (slot == SLOT_NONE)
            return STATUS_LIMIT;
    }
    if (report_is_old(&self->workers.workers[slot], event->hello.beat))
        return STATUS_OK; /* it was greeted; what it held then it has told anew since */
    worker_record *worker = worker_table_open(&self->workers, slot);
    worker->slots = event->hello.slots;
    worker->leaving = false;
    bool drained = event->hello.drained && !worker->drained;
    worker->drained = worker->drained || drained;
    worker_table_close(&self->workers, slot, self->now_ms);
    if (drained)
        worker_say_state(self, slot, WORKER_DRAINING);
    worker_heard(self, slot, event->hello.beat);
    for (uint32_t i = 0; i < event->hello.held_count; i++)
        worker_claims(self, slot, &event->hello.held[i]);
    worker_report_end(self, slot, false);
    return STATUS_OK;
}

/*
 * A heartbeat names what nobody here holds: the coordinator before gave it, and the HELLO that this one heard was said
 * before it came. An answer would be contact for an attempt that is about to be given to another; the word to drop it
 * could overtake a HELLO that adopts it. So the worker is to say HELLO.
 */
static bool heartbeat_names_free(const scheduler *self, uint32_t worker_slot, const scheduler_event *event)
{
    for (uint32_t i = 0; i < event->heartbeat.running_count; i++) {
        uint32_t lease = fact_apply_find_lease(self, &event->heartbeat.running[i]);
        if (lease != SLOT_NONE && self->leases.leases[lease].worker_slot != worker_slot &&
            lease_is_free(self, &self->leases.leases[lease]))
            return true;
    }
    return false;
}

status worker_events_heartbeat(scheduler *self, const scheduler_event *event)
{
    uint32_t slot = worker_table_find(&self->workers, event->heartbeat.worker);
    if (slot == SLOT_NONE)
        return STATUS_PEER_IMPOSSIBLE; /* it must say HELLO: after a restart nobody is known */
    if (report_is_old(&self->workers.workers[slot], event->heartbeat.beat))
        return STATUS_AGAIN;
    if (heartbeat_names_free(self, slot, event))
        return STATUS_PEER_IMPOSSIBLE;
    worker_record *worker = worker_table_open(&self->workers, slot);
    worker->leaving = event->heartbeat.draining;
    worker_table_close(&self->workers, slot, self->now_ms);
    worker_heard(self, slot, event->heartbeat.beat);
    for (uint32_t i = 0; i < event->heartbeat.running_count; i++)
        worker_claims(self, slot, &event->heartbeat.running[i]);
    worker_report_end(self, slot, true);
    return STATUS_OK;
}

status worker_events_lost(scheduler *self, const scheduler_event *event)
{
    uint32_t slot = worker_table_find(&self->workers, event->worker.worker);
    if (slot == SLOT_NONE)
        return STATUS_OK;
    worker_record *worker = worker_table_open(&self->workers, slot);
    worker->alive = false;
    worker_close(self, slot);
    while (event->worker.dead && worker->first_lease != SLOT_NONE) {
        const task_lease *lease = &self->leases.leases[worker->first_lease];
        if (event->worker.idle && !lease->leftover)
            (void)attempt_over(self, worker->first_lease, STATUS_OK);
        else
            worker_events_lease_expired(self, worker->first_lease);
    }
    return STATUS_OK;
}

status worker_events_drain(scheduler *self, const scheduler_event *event)
{
    uint32_t slot = worker_table_find(&self->workers, event->worker.worker);
    if (slot == SLOT_NONE)
        return STATUS_INPUT_MISSING;
    bool drained = event->type == EVENT_WORKER_DRAIN;
    if (self->workers.workers[slot].drained == drained)
        return STATUS_OK;
    worker_table_open(&self->workers, slot)->drained = drained;
    worker_close(self, slot);
    worker_say_state(self, slot, drained ? WORKER_DRAINING : WORKER_READY);
    return STATUS_OK;
}

/* ---- results ---- */

static void worker_quarantine(scheduler *self, uint32_t slot)
{
    worker_record *worker = worker_table_open(&self->workers, slot);
    uint64_t pause_ms = WORKER_QUARANTINE_BASE_MS;
    for (uint32_t i = 0; i < worker->quarantines && pause_ms < WORKER_QUARANTINE_MAX_MS; i++)
        pause_ms *= 2;
    worker->quarantines++;
    worker->trust = TRUST_NONE;
    worker->quarantine_until_ms = self->now_ms + pause_ms; /* what it struck stays, for people to see why */
    worker_close(self, slot);
    worker_say_state(self, slot, WORKER_QUARANTINED);
}

static void worker_succeeded(scheduler *self, uint32_t slot, uint32_t job)
{
    worker_record *worker = worker_table_open(&self->workers, slot);
    bool back = worker->trust == TRUST_CANARY;
    worker->tasks_done++;
    if (worker->rest_job == 0 || worker->rest_job == job) /* others say nothing of that job's storage */
        worker->setbacks = 0;
    if (worker->strikes > 0)
        worker->strikes--;
    if (worker->proofs > 0)
        worker->proofs--;
    if (back) {
        worker->trust = TRUST_FULL;
        worker->strikes = worker->proofs = 0;
        worker->quarantines = 0;
    }
    worker->strikes_differ = worker->strikes_differ && worker->strikes > 0;
    worker_close(self, slot);
    if (back)
        worker_say_state(self, slot, WORKER_READY);
}

/* Quarantine where there is enough against it. The last able worker stays: a slow farm is better than none. */
static void worker_judge(scheduler *self, uint32_t slot)
{
    const worker_record *worker = &self->workers.workers[slot];
    uint32_t most = self->config.strikes_max;
    bool enough = worker->trust == TRUST_CANARY || worker->proofs >= most ||
                  (worker->strikes >= most && worker->strikes_differ);
    if (most > 0 && enough && worker->trust != TRUST_NONE && self->workers.able_count > 1)
        worker_quarantine(self, slot);
}

static void worker_strike(worker_record *worker, const attempt *failed, status code)
{
    worker->strikes_differ = worker->strikes > 0 && (worker->strikes_differ || worker->strike_job != failed->job);
    worker->strikes++;
    worker->strike_job = failed->job;
    worker->strike_task = failed->task;
    worker->strike_code = code;
}

static void worker_failed(scheduler *self, uint32_t slot, const attempt *failed, status code, bool task_at_fault)
{
    worker_record *worker = worker_table_open(&self->workers, slot);
    worker->tasks_failed++;
    uint32_t job = job_table_find(&self->jobs, failed->job);
    bool storage_at_fault = job != SLOT_NONE && self->jobs.jobs[job].storage_until_ms != 0;
    if (retry_policy_rests(code) && !storage_at_fault)
        worker_rest(self, worker, retry_policy_strikes(code) ? 0 : failed->job);
    bool struck = retry_policy_strikes(code) && !task_at_fault;
    bool fresh = worker->strikes == 0 || worker->strike_job != failed->job || worker->strike_task != failed->task;
    if (struck && fresh)
        worker_strike(worker, failed, code);
    worker_close(self, slot);
    if (struck)
        worker_judge(self, slot);
}

/* The task was done: where it had failed before, the machine was at fault and not the task. */
static void strikes_prove(scheduler *self, const task_lease *lease)
{
    uint32_t trouble = trouble_table_find(&self->troubles, lease->job_slot, lease->attempt.task);
    for (uint32_t i = 0; trouble != SLOT_NONE && i < self->troubles.troubles[trouble].avoid_count; i++) {
        const task_trouble *entry = &self->troubles.troubles[trouble];
        uint32_t slot = worker_table_find(&self->workers, entry->avoid[i]);
        if (entry->blamed[i] == STATUS_OK || entry->avoid[i] == lease->worker || slot == SLOT_NONE)
            continue;
        self->workers.workers[slot].proofs++;
        if (entry->blamed[i] == STATUS_INPUT_MISSING) /* no strike while nobody had found it */
            worker_strike(&self->workers.workers[slot], &lease->attempt, STATUS_INPUT_MISSING);
        if (self->workers.workers[slot].trust == TRUST_FULL)
            worker_judge(self, slot);
    }
}

/* Lease of this attempt if this worker holds it and its result counts. */
static uint32_t result_lease(const scheduler *self, uint32_t worker, const attempt *wanted)
{
    uint32_t lease = fact_apply_find_lease(self, wanted);
    return lease != SLOT_NONE && self->leases.leases[lease].worker == worker ? lease : SLOT_NONE;
}

static void result_refused(scheduler *self, uint32_t worker_slot, uint32_t worker, const attempt *late, status code)
{
    if (worker_slot != SLOT_NONE) {
        uint32_t next = SLOT_NONE;
        for (uint32_t i = self->workers.workers[worker_slot].first_lease; i != SLOT_NONE; i = next) {
            next = self->leases.leases[i].next;
            if (self->leases.leases[i].leftover && attempt_equal(&self->leases.leases[i].attempt, late))
                fact_apply_lease_release(self, i);
        }
    }
    task_view view;
    bool counted = scheduler_task_view(self, late->job, late->task, &view) && view.state == TASK_DONE &&
                   view.epoch == late->epoch;
    scheduler_command command = {.worker = worker, .attempt = *late, .code = code};
    if (!counted) { /* else it is the one that was counted, said twice: its cells stay */
        command.type = COMMAND_RESULT_REFUSED;
        scheduler_command_add(self, command);
    }
    command.type = COMMAND_ACK_RESULT;
    scheduler_command_add(self, command);
}

static void result_done(scheduler *self, const task_lease *lease, bool proves)
{
    job_record *job = &self->jobs.jobs[lease->job_slot];
    const task_record *task = &job->graph.tasks[lease->attempt.task];
    if (task->spare && lease->attempt.term == self->config.term) {
        job->timed_cost += task->cost;
        job->timed_ms += task_lease_age_ms(lease, self->now_ms);
        job->timed_count++;
    }
    if (lease->worker != SCHEDULER_LOCAL)
        job->storage_since_ms = 0;
    if (proves)
        strikes_prove(self, lease);
    attempt_say_ended(self, lease, TASK_DONE, STATUS_OK);
}

status worker_events_result(scheduler *self, const scheduler_event *event)
{
    uint32_t worker = event->result.worker;
    const attempt given = event->result.attempt;
    status code = event->result.code;
    uint32_t worker_slot = worker_table_find(&self->workers, worker);
    if ((worker != SCHEDULER_LOCAL && worker_slot == SLOT_NONE) || (unsigned)code >= STATUS_COUNT)
        return STATUS_PEER_IMPOSSIBLE;
    uint32_t lease_slot = result_lease(self, worker, &given);
    if (lease_slot == SLOT_NONE) {
        uint32_t of_another = fact_apply_find_lease(self, &given);
        if (of_another == SLOT_NONE || !lease_is_free(self, &self->leases.leases[of_another]))
            result_refused(self, worker_slot, worker, &given, code);
        return STATUS_OK; /* a free one is said again, and by then adopted or over */
    }
    const task_lease *lease = &self->leases.leases[lease_slot];
    if (code == STATUS_OK) {
        result_done(self, lease, !event->result.none_found);
        if (worker_slot != SLOT_NONE)
            worker_succeeded(self, worker_slot, given.job);
    } else {
        bool asked = lease->cancelling;
        bool task_at_fault = attempt_over(self, lease_slot, code);
        if (worker_slot != SLOT_NONE && !asked && status_class_of(code) != STATUS_CLASS_WAIT)
            worker_failed(self, worker_slot, &given, code, task_at_fault);
    }
    scheduler_command_add(
        self, (scheduler_command){.type = COMMAND_ACK_RESULT, .worker = worker, .attempt = given, .code = code});
    return STATUS_OK;
}

void worker_events_due(scheduler *self, uint32_t slot)
{
    worker_record *worker = worker_table_open(&self->workers, slot);
    if (worker->alive && worker->heard_ms + self->config.lease_ms <= self->now_ms)
        worker->alive = false;
    bool canary = worker->trust == TRUST_NONE && worker->quarantine_until_ms <= self->now_ms;
    if (canary)
        worker->trust = TRUST_CANARY;
    worker_close(self, slot);
    if (canary)
        worker_say_state(self, slot, WORKER_READY);
}
