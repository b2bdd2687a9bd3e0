/* Questions about the state that change nothing. */
#include "coordinator/core/scheduler_state.h"

static void limit_view(const scheduler *self, uint32_t job_slot, job_view *view)
{
    const limit_member *member = &self->limits.members[job_slot];
    uint32_t full = limit_table_full(&self->limits, job_slot);
    if (full == LIMIT_OWN) {
        view->limit = JOB_LIMIT_OWN;
        view->limit_running = member->running;
        view->limit_most = member->at_once;
    }
    for (uint32_t i = 0; i < LIMIT_POOLS && full < LIMIT_OWN && view->limit == JOB_LIMIT_NONE; i++) {
        if (member->pools[i] != full)
            continue;
        view->limit = (job_limit)(JOB_LIMIT_SHOW + i);
        view->limit_running = self->limits.pools[full].running;
        view->limit_most = self->limits.pools[full].most;
    }
}

bool scheduler_job_view(const scheduler *self, uint32_t job_number, job_view *out_view)
{
    uint32_t slot = job_table_find(&self->jobs, job_number);
    if (slot == SLOT_NONE)
        return false;
    const job_record *job = &self->jobs.jobs[slot];
    *out_view = (job_view){.state = job->state,
                           .held = job->held,
                           .waits_for_storage = job->storage_until_ms != 0,
                           .storage_wait_ms = job->storage_since_ms == 0 ? 0 : self->now_ms - job->storage_since_ms + 1,
                           .priority = job->priority,
                           .deadline = job->deadline,
                           .task_count = job->graph.task_count,
                           .retries = job->retries,
                           .cost_total = job->cost_total,
                           .cost_done = job->cost_done};
    for (int state = 0; state <= TASK_CANCELLED; state++)
        out_view->by_state[state] = job->by_state[state];
    limit_view(self, slot, out_view);
    return true;
}

bool scheduler_task_view(const scheduler *self, uint32_t job_number, uint32_t task, task_view *out_view)
{
    uint32_t slot = job_table_find(&self->jobs, job_number);
    if (slot == SLOT_NONE || task >= self->jobs.jobs[slot].graph.task_count)
        return false;
    const task_record *record = &self->jobs.jobs[slot].graph.tasks[task];
    task_state state = task_record_state(record);
    *out_view = (task_view){.state = state,
                            .kind = (uint8_t)record->kind,
                            .epoch = state == TASK_DONE ? record->link : record->epoch,
                            .begun = record->epoch,
                            .attempts_failed = record->failed,
                            .worker = state == TASK_RUNNING ? self->leases.leases[record->link].worker : 0,
                            .last_code = (status)record->code};
    return true;
}

bool scheduler_worker_holds(const scheduler *self, uint32_t worker, const attempt *tried)
{
    uint32_t slot = job_table_find(&self->jobs, tried->job);
    if (slot == SLOT_NONE || tried->task >= self->jobs.jobs[slot].graph.task_count)
        return false;
    const task_record *record = &self->jobs.jobs[slot].graph.tasks[tried->task];
    if (task_record_state(record) != TASK_RUNNING)
        return false;
    for (uint32_t i = record->link; i != SLOT_NONE; i = self->leases.leases[i].sibling)
        if (self->leases.leases[i].worker == worker && attempt_equal(&self->leases.leases[i].attempt, tried))
            return true;
    return false;
}

bool scheduler_worker_view(const scheduler *self, uint32_t worker, worker_view *out_view)
{
    uint32_t slot = worker_table_find(&self->workers, worker);
    if (slot == SLOT_NONE)
        return false;
    const worker_record *record = &self->workers.workers[slot];
    worker_state state = WORKER_READY;
    if (!record->alive)
        state = WORKER_LOST;
    else if (record->drained || record->leaving)
        state = WORKER_DRAINING;
    else if (record->trust == TRUST_NONE)
        state = WORKER_QUARANTINED;
    *out_view = (worker_view){.state = state,
                              .slots = record->slots,
                              .running = record->running,
                              .tasks_done = record->tasks_done,
                              .tasks_failed = record->tasks_failed,
                              .strikes = record->strikes,
                              .proofs = record->proofs,
                              .canary = record->trust == TRUST_CANARY,
                              .quarantine_left_ms = record->trust == TRUST_NONE &&
                                                            record->quarantine_until_ms > self->now_ms
                                                        ? record->quarantine_until_ms - self->now_ms
                                                        : 0,
                              .rest_left_ms =
                                  record->rest_until_ms > self->now_ms ? record->rest_until_ms - self->now_ms : 0,
                              .rest_job = record->rest_until_ms > self->now_ms ? record->rest_job : 0,
                              .strike_job = record->strike_job,
                              .strike_task = record->strike_task,
                              .strike_code = record->strike_code};
    return true;
}

static void hash_add(uint64_t *hash, uint64_t value)
{
    /* FNV-1a over the eight bytes, little end first. */
    for (int byte = 0; byte < 8; byte++) {
        *hash ^= value >> (8 * byte) & 0xffu;
        *hash *= 0x100000001b3u;
    }
}

static void hash_add_task(const scheduler *self, const task_record *task, uint64_t *hash)
{
    task_state state = task_record_state(task);
    hash_add(hash, state == TASK_BACKOFF ? TASK_READY : state); /* pauses are not replayed */
    hash_add(hash, (uint64_t)task->epoch << 32 | (uint32_t)task->code);
    hash_add(hash, (uint64_t)task->failed << 32 | (uint32_t)task->lost);
    if (state == TASK_WAITING || state == TASK_DONE)
        hash_add(hash, task->link);
    uint32_t first = state == TASK_RUNNING ? task->link : SLOT_NONE;
    for (uint32_t i = first; i != SLOT_NONE; i = self->leases.leases[i].sibling) {
        const task_lease *lease = &self->leases.leases[i];
        hash_add(hash, (uint64_t)lease->attempt.term << 32 | lease->attempt.epoch);
        hash_add(hash, (uint64_t)lease->worker << 1 | lease->cancelling);
    }
}

uint64_t scheduler_dump_hash(const scheduler *self)
{
    uint64_t hash = 0xcbf29ce484222325u;
    hash_add(&hash, self->sequence);
    for (uint32_t slot = self->jobs.head; slot != SLOT_NONE; slot = self->jobs.jobs[slot].next) {
        const job_record *job = &self->jobs.jobs[slot];
        hash_add(&hash, job->number);
        hash_add(&hash, (uint64_t)job->state << 2 | (uint64_t)job->held << 1 | job->cancelled);
        hash_add(&hash, (uint32_t)job->priority);
        hash_add(&hash, job->share);
        hash_add(&hash, job->deadline);
        hash_add(&hash, job->retries);
        hash_add(&hash, job->cost_done);
        hash_add(&hash, job->graph.task_count);
        for (uint32_t task = 0; task < job->graph.task_count; task++)
            hash_add_task(self, &job->graph.tasks[task], &hash);
    }
    return hash;
}

const char *task_state_name(task_state state)
{
    static const char *const names[] = {"waiting", "ready", "backoff", "running", "done", "failed", "skipped", "cancelled"};
    return state <= TASK_CANCELLED ? names[state] : "?";
}
