/* Events to decisions. What a decision changes is in fact_apply.c, who runs what in placement.c. */
#include "coordinator/core/scheduler_state.h"

#include "common/base/ensure.h"

#include <stdlib.h>

enum {
    STEP_DEADLINES_MAX = 512, /* deadlines handled in one step */
    STEP_ENDINGS_MAX = 256
};

static bool scheduler_init(scheduler *self, const scheduler_config *config)
{
    self->config = *config;
    self->passed_job = SLOT_NONE;
    if (self->config.attempts_max == 0 || self->config.attempts_max > TASK_COUNT_MAX)
        self->config.attempts_max = TASK_ATTEMPTS_MAX;
    if (self->config.prefetch > WORKER_SLOTS_MAX)
        self->config.prefetch = WORKER_SLOTS_MAX;
    self->reports_max = (config->heartbeat_ms == 0 ? 30 : config->lease_ms / config->heartbeat_ms) + 3;
    /* A storage outage puts more tasks in trouble than run at once: they fail and others take their slots. */
    uint32_t troubles = config->leases_max < 256 ? 1024 : config->leases_max * 4;
    bool jobs = job_table_init(&self->jobs, config->jobs_max);
    bool shares = share_queue_init(&self->shares, config->jobs_max);
    bool limits = limit_table_init(&self->limits, config->jobs_max);
    bool workers = worker_table_init(&self->workers, config->workers_max, self->config.prefetch);
    bool leases = lease_table_init(&self->leases, config->leases_max);
    bool book = trouble_table_init(&self->troubles, troubles);
    bool deadlines = index_heap_init(&self->deadlines, config->leases_max + config->workers_max + troubles);
    bool ending = index_heap_init(&self->ending, config->jobs_max);
    return jobs && shares && limits && workers && leases && book && deadlines && ending;
}

scheduler *scheduler_create(const scheduler_config *config)
{
    ENSURE(config->jobs_max > 0 && config->jobs_max <= JOBS_MAX && config->workers_max > 0 &&
           config->workers_max <= WORKERS_MAX && config->leases_max > 0 && config->leases_max <= 1u << 24 &&
           config->lease_ms > 0);
    scheduler *self = calloc(1, sizeof *self);
    if (self != NULL && !scheduler_init(self, config))
        scheduler_destroy(&self);
    return self;
}

void scheduler_destroy(scheduler **self)
{
    if (*self == NULL)
        return;
    job_table_deinit(&(*self)->jobs);
    share_queue_deinit(&(*self)->shares);
    limit_table_deinit(&(*self)->limits);
    worker_table_deinit(&(*self)->workers);
    lease_table_deinit(&(*self)->leases);
    trouble_table_deinit(&(*self)->troubles);
    index_heap_deinit(&(*self)->deadlines);
    index_heap_deinit(&(*self)->ending);
    free(*self);
    *self = NULL;
}

void scheduler_output_deinit(scheduler_output *self)
{
    free(self->facts);
    free(self->commands);
    *self = (scheduler_output){0};
}

/* Room for one more; a decision that cannot be told cannot be taken back, so running out of memory ends the process. */
static void *output_grow(void *items, size_t count, size_t *capacity, size_t item_size)
{
    if (count < *capacity)
        return items;
    size_t wanted = *capacity == 0 ? 64 : *capacity * 2;
    void *grown = realloc(items, wanted * item_size);
    ENSURE(grown != NULL);
    *capacity = wanted;
    return grown;
}

status scheduler_say(scheduler *self, scheduler_fact fact, uint32_t task_count, const task_spec *tasks)
{
    self->sequence++;
    status code = fact_apply(self, &fact, task_count, tasks);
    if (code != STATUS_OK) {
        self->sequence--;
        return code;
    }
    scheduler_output *out = self->out;
    out->facts = output_grow(out->facts, out->fact_count, &out->fact_capacity, sizeof *out->facts);
    out->facts[out->fact_count++] = fact;
    return STATUS_OK;
}

void scheduler_say_sure(scheduler *self, scheduler_fact fact)
{
    status code = scheduler_say(self, fact, 0, NULL);
    ENSURE(code == STATUS_OK);
}

void scheduler_command_add(scheduler *self, scheduler_command command)
{
    scheduler_output *out = self->out;
    if (out == NULL)
        return;
    command.fact_sequence = self->sequence;
    out->commands = output_grow(out->commands, out->command_count, &out->command_capacity, sizeof *out->commands);
    out->commands[out->command_count++] = command;
}

/* ---- jobs ---- */

static uint32_t event_job(const scheduler *self, const scheduler_event *event)
{
    return job_table_find(&self->jobs, event->job.job);
}

static status on_submitted(scheduler *self, const scheduler_event *event)
{
    status code = scheduler_say(self,
                                (scheduler_fact){.type = FACT_JOB_SUBMITTED,
                                                 .job = event->submitted.job,
                                                 .priority = event->submitted.priority,
                                                 .share = event->submitted.share},
                                0, NULL);
    if (code != STATUS_OK)
        return code;
    scheduler_job_terms(self, event->submitted.job, &event->submitted.terms);
    scheduler_command_add(self, (scheduler_command){.type = COMMAND_JOB_ACCEPTED,
                                                    .attempt = {.job = event->submitted.job}});
    return STATUS_OK;
}

static status on_extended(scheduler *self, const scheduler_event *event)
{
    return scheduler_say(self,
                         (scheduler_fact){.type = FACT_JOB_EXTENDED,
                                          .job = event->extended.job,
                                          .value = event->extended.task_count},
                         event->extended.task_count, event->extended.tasks);
}

static status on_job_cancel(scheduler *self, const scheduler_event *event)
{
    uint32_t slot = event_job(self, event);
    if (slot == SLOT_NONE)
        return STATUS_INPUT_MISSING;
    if (self->jobs.jobs[slot].state == JOB_RUNNING)
        scheduler_say_sure(self, (scheduler_fact){.type = FACT_JOB_CANCELLED, .job = event->job.job});
    return STATUS_OK; /* asking twice, or too late, is no mistake */
}

static status on_job_retry(scheduler *self, const scheduler_event *event)
{
    uint32_t slot = event_job(self, event);
    if (slot == SLOT_NONE)
        return STATUS_INPUT_MISSING;
    const job_record *job = &self->jobs.jobs[slot];
    if (job->state != JOB_ENDED)
        return STATUS_AGAIN;
    if (job->by_state[TASK_DONE] == job->graph.task_count && job->graph.task_count > 0)
        return STATUS_INPUT_INVALID; /* nothing failed */
    for (uint32_t task = 0; task < job->graph.task_count; task++) {
        if (job->graph.tasks[task].epoch >= TASK_EPOCH_MAX)
            return STATUS_LIMIT;
    }
    scheduler_say_sure(self, (scheduler_fact){.type = FACT_JOB_RETRIED, .job = event->job.job});
    return STATUS_OK;
}

static status on_job_forget(scheduler *self, const scheduler_event *event)
{
    uint32_t slot = event_job(self, event);
    if (slot == SLOT_NONE)
        return STATUS_INPUT_MISSING;
    if (self->jobs.jobs[slot].state != JOB_ENDED)
        return STATUS_AGAIN;
    scheduler_say_sure(self, (scheduler_fact){.type = FACT_JOB_FORGOTTEN, .job = event->job.job});
    return STATUS_OK;
}

/* Held and released are facts only where they change something. */
static status on_job_hold(scheduler *self, const scheduler_event *event, bool held)
{
    uint32_t slot = event_job(self, event);
    if (slot == SLOT_NONE)
        return STATUS_INPUT_MISSING;
    const job_record *job = &self->jobs.jobs[slot];
    if (job->state != JOB_RUNNING)
        return job->state == JOB_ENDED ? STATUS_INPUT_CONFLICT : STATUS_CANCELLED;
    if (job->held != held || (!held && job->storage_until_ms != 0))
        scheduler_say_sure(
            self, (scheduler_fact){.type = held ? FACT_JOB_HELD : FACT_JOB_RELEASED, .job = event->job.job});
    return STATUS_OK;
}

static status on_job_priority(scheduler *self, const scheduler_event *event)
{
    uint32_t slot = job_table_find(&self->jobs, event->priority.job);
    if (slot == SLOT_NONE)
        return STATUS_INPUT_MISSING;
    const job_record *job = &self->jobs.jobs[slot];
    if (job->state == JOB_ENDED)
        return STATUS_INPUT_CONFLICT;
    if (job->priority != event->priority.priority)
        scheduler_say_sure(self, (scheduler_fact){.type = FACT_JOB_PRIORITY,
                                                  .job = event->priority.job,
                                                  .priority = event->priority.priority});
    return STATUS_OK;
}

/* ---- time ---- */

static void trouble_due(scheduler *self, uint32_t slot)
{
    const task_trouble *trouble = &self->troubles.troubles[slot];
    index_heap_remove(&self->deadlines, deadline_of_trouble(self, slot));
    job_record *job = &self->jobs.jobs[trouble->job_slot];
    fact_apply_task_ready(self, trouble->job_slot, trouble->task);
    if (job->storage_until_ms <= self->now_ms)
        job->storage_until_ms = 0;
    fact_apply_job_changed(self, trouble->job_slot);
}

static void deadlines_run(scheduler *self)
{
    for (uint32_t i = 0; i < STEP_DEADLINES_MAX; i++) {
        if (self->deadlines.count == 0 || self->deadlines.items[0].key > self->now_ms)
            return;
        uint32_t id = self->deadlines.items[0].id;
        if (id < self->leases.capacity)
            worker_events_lease_expired(self, id);
        else if (id < deadline_of_trouble(self, 0))
            worker_events_due(self, id - self->leases.capacity);
        else
            trouble_due(self, id - deadline_of_trouble(self, 0));
    }
    self->work_left = true;
}

/*
 * When this process itself stood still (stopped, swapped out, a jump of its clock), heartbeats wait unread: nobody is
 * late before they were heard. next_deadline asks to be called four times per lease, so a longer gap is our own. A leap
 * of the clock by less than half a lease is not noticed: leases then end that much too early, and a task may run twice.
 */
static void stall_forgive(scheduler *self, uint64_t now_ms)
{
    uint64_t gap_ms = now_ms - self->now_ms;
    if (!self->timed || gap_ms <= self->config.lease_ms / 2)
        return;
    for (uint32_t i = 0; i < self->leases.capacity; i++) {
        if (!index_heap_has(&self->deadlines, i))
            continue;
        index_heap_item item = self->deadlines.items[self->deadlines.places[i]];
        item.key += gap_ms;
        index_heap_set(&self->deadlines, item);
    }
    for (uint32_t i = 0; i < self->workers.capacity; i++) {
        worker_record *worker = &self->workers.workers[i];
        if (worker->number == 0 || !worker->alive)
            continue;
        worker->heard_ms += gap_ms;
        worker_events_deadline(self, i);
    }
}

static void endings_run(scheduler *self)
{
    for (uint32_t i = 0; i < STEP_ENDINGS_MAX && self->ending.count > 0; i++) {
        const job_record *job = &self->jobs.jobs[self->ending.items[0].id];
        bool failed = job->by_state[TASK_FAILED] > 0;
        status code = job->cancelled ? STATUS_CANCELLED : STATUS_OK;
        for (uint32_t task = 0; failed && code == STATUS_OK && task < job->graph.task_count; task++) {
            if (task_record_state(&job->graph.tasks[task]) == TASK_FAILED)
                code = (status)job->graph.tasks[task].code;
        }
        scheduler_say_sure(self, (scheduler_fact){.type = FACT_JOB_ENDED, .job = job->number, .value = failed});
        scheduler_command_add(self, (scheduler_command){.type = COMMAND_JOB_ENDED,
                                                        .attempt = {.job = job->number},
                                                        .value = failed,
                                                        .code = code});
    }
    if (self->ending.count > 0)
        self->work_left = true;
}

static status event_run(scheduler *self, const scheduler_event *event)
{
    switch (event->type) {
    case EVENT_JOB_SUBMITTED:
        return on_submitted(self, event);
    case EVENT_JOB_EXTENDED:
        return on_extended(self, event);
    case EVENT_JOB_CANCEL:
        return on_job_cancel(self, event);
    case EVENT_JOB_RETRY:
        return on_job_retry(self, event);
    case EVENT_JOB_FORGET:
        return on_job_forget(self, event);
    case EVENT_JOB_HOLD:
    case EVENT_JOB_RELEASE:
        return on_job_hold(self, event, event->type == EVENT_JOB_HOLD);
    case EVENT_JOB_PRIORITY:
        return on_job_priority(self, event);
    case EVENT_WORKER_HELLO:
        return worker_events_hello(self, event);
    case EVENT_WORKER_HEARTBEAT:
        return worker_events_heartbeat(self, event);
    case EVENT_WORKER_LOST:
        return worker_events_lost(self, event);
    case EVENT_WORKER_DRAIN:
    case EVENT_WORKER_UNDRAIN:
        return worker_events_drain(self, event);
    case EVENT_TASK_RESULT:
        return worker_events_result(self, event);
    case EVENT_TICK:
        placement_spare(self);
        return STATUS_OK;
    }
    return STATUS_PEER_IMPOSSIBLE;
}

status scheduler_step(scheduler *self, uint64_t now_ms, const scheduler_event *event, scheduler_output *out)
{
    out->fact_count = 0;
    out->command_count = 0;
    self->out = out;
    if (!self->timed || now_ms > self->now_ms) {
        if (self->timed)
            stall_forgive(self, now_ms);
        self->now_ms = now_ms;
        self->timed = true;
    }
    self->work_left = false;
    status code = event_run(self, event);
    deadlines_run(self);
    endings_run(self);
    placement_run(self);
    self->out = NULL;
    return code;
}

bool scheduler_release(scheduler *self, uint64_t now_ms, const scheduler_command *command)
{
    if (command->type == COMMAND_JOB_ENDED) { /* unless it was retried meanwhile */
        uint32_t job_slot = job_table_find(&self->jobs, command->attempt.job);
        return job_slot == SLOT_NONE || self->jobs.jobs[job_slot].state == JOB_ENDED;
    }
    if (command->type != COMMAND_ASSIGN)
        return true;
    uint32_t slot = fact_apply_find_lease(self, &command->attempt);
    task_lease *lease = slot == SLOT_NONE ? NULL : &self->leases.leases[slot];
    if (lease == NULL || lease->worker != command->worker)
        return false;
    lease->begun_ms = now_ms > self->now_ms ? now_ms : self->now_ms;
    if (lease->worker != SCHEDULER_LOCAL && !lease->sent)
        index_heap_set(&self->deadlines,
                       (index_heap_item){.key = lease->begun_ms + self->config.lease_ms, .id = slot});
    lease->sent = true;
    /* A worker need not begin what it is told to stop next: it answers that it has none. Our own task must run to be
     * over. */
    return !lease->cancelling || lease->worker == SCHEDULER_LOCAL;
}

status scheduler_apply(scheduler *self, const scheduler_fact *fact, uint32_t task_count, const task_spec *tasks)
{
    ENSURE(self->out == NULL && !self->timed);
    status code = fact_apply(self, fact, task_count, tasks);
    if (code == STATUS_OK)
        self->sequence++;
    return code;
}

void scheduler_job_terms(scheduler *self, uint32_t job_number, const job_terms *terms)
{
    uint32_t slot = job_table_find(&self->jobs, job_number);
    ENSURE(slot != SLOT_NONE && self->jobs.jobs[slot].graph.task_count == 0);
    job_record *job = &self->jobs.jobs[slot];
    job->deadline = terms->deadline;
    limit_table_leave(&self->limits, slot);
    limit_table_join(&self->limits, slot, job->share, terms);
    share_queue_leave(&self->shares, slot);
    share_queue_join(&self->shares, slot, (share_place){job->number, job->share, job->priority, job->deadline});
}

void scheduler_set_limits(scheduler *self, const scheduler_limits *limits)
{
    limit_table_set(&self->limits, limits);
    for (uint32_t pool = 0; pool < self->limits.capacity; pool++)
        fact_apply_limit_eased(self, pool);
    self->work_left = self->timed; /* what may begin now is begun in the next step, which is due at once */
}

void scheduler_resume(scheduler *self, uint64_t now_ms)
{
    /* While replaying the clock stood at 0, so every deadline is a distance: it begins now. Own tasks died with us. */
    for (uint32_t i = 0; i < self->deadlines.count; i++)
        self->deadlines.items[i].key += now_ms;
    for (uint32_t i = 0; i < self->leases.capacity; i++) {
        task_lease *lease = &self->leases.leases[i];
        if (!lease->used)
            continue;
        lease->begun_ms = now_ms;
        lease->listed = false; /* until its worker says HELLO with it */
        if (lease->worker == SCHEDULER_LOCAL)
            index_heap_set(&self->deadlines, (index_heap_item){.key = now_ms, .id = i});
    }
    self->now_ms = now_ms;
    self->timed = true;
}

uint64_t scheduler_next_deadline_ms(const scheduler *self)
{
    if (self->work_left || self->ending.count > 0)
        return self->now_ms;
    uint64_t due = self->deadlines.count > 0 ? self->deadlines.items[0].key : UINT64_MAX;
    uint64_t spare = placement_spare_due_ms(self);
    if (spare < due)
        due = spare;
    /* While anything can expire, often enough to tell our own standstill from their silence (stall_forgive). */
    if (due != UINT64_MAX && due > self->now_ms + self->config.lease_ms / 4)
        due = self->now_ms + self->config.lease_ms / 4;
    return due;
}

uint64_t scheduler_sequence(const scheduler *self)
{
    return self->sequence;
}
