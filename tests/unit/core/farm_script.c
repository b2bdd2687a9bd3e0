#include "farm_script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

scheduler_config farm_script_config(void)
{
    return (scheduler_config){.jobs_max = 16,
                              .workers_max = 16,
                              .leases_max = 64,
                              .lease_ms = SCRIPT_LEASE_MS,
                              .heartbeat_ms = SCRIPT_LEASE_MS / 10,
                              .retry_base_ms = SCRIPT_BACKOFF_MS,
                              .attempts_max = TASK_ATTEMPTS_MAX,
                              .strikes_max = 3,
                              .local_slots = 2,
                              .term = 1};
}

void farm_script_init(farm_script *self, const scheduler_config *config)
{
    *self = (farm_script){.config = config == NULL ? farm_script_config() : *config, .now_ms = 5000, .next_job = 1};
    self->core = scheduler_create(&self->config);
    assert_non_null(self->core);
}

void farm_script_deinit(farm_script *self)
{
    scheduler_destroy(&self->core);
    scheduler_output_deinit(&self->out);
    for (size_t i = 0; i < self->batch_count; i++) {
        for (uint32_t t = 0; t < self->batches[i].count; t++)
            free((void *)(uintptr_t)self->batches[i].specs[t].waits);
        free(self->batches[i].specs);
    }
    free(self->batches);
    free(self->facts);
}

static void batch_keep(farm_script *self, const scheduler_event *event)
{
    uint32_t count = event->extended.task_count;
    script_batch *batches = realloc(self->batches, (self->batch_count + 1) * sizeof *batches);
    task_spec *specs = calloc(count + 1u, sizeof *specs);
    assert_true(batches != NULL && specs != NULL);
    for (uint32_t i = 0; i < count; i++) {
        specs[i] = event->extended.tasks[i];
        uint32_t *waits = calloc(specs[i].wait_count + 1u, sizeof *waits);
        assert_non_null(waits);
        if (specs[i].wait_count > 0)
            memcpy(waits, specs[i].waits, specs[i].wait_count * sizeof *waits);
        specs[i].waits = waits;
    }
    batches[self->batch_count++] = (script_batch){.count = count, .specs = specs};
    self->batches = batches;
}

scheduler *farm_script_replay(const farm_script *self, uint32_t term)
{
    scheduler_config config = self->config;
    config.term = term;
    scheduler *core = scheduler_create(&config);
    assert_non_null(core);
    scheduler_set_limits(core, &self->limits);
    size_t batch = 0;
    for (size_t i = 0; i < self->fact_count; i++) {
        script_batch tasks = {0};
        if (self->facts[i].type == FACT_JOB_EXTENDED)
            tasks = self->batches[batch++];
        assert_int_equal(scheduler_apply(core, &self->facts[i], tasks.count, tasks.specs), STATUS_OK);
        uint32_t job = self->facts[i].job;
        if (self->facts[i].type == FACT_JOB_SUBMITTED && job < SCRIPT_TERMS_MAX)
            scheduler_job_terms(core, job, &self->terms[job]);
    }
    scheduler_check_invariants(core);
    return core;
}

static void farm_script_compare(const farm_script *self)
{
    scheduler *core = farm_script_replay(self, self->config.term);
    assert_true(scheduler_sequence(core) == scheduler_sequence(self->core));
    assert_true(scheduler_dump_hash(core) == scheduler_dump_hash(self->core));
    scheduler_destroy(&core);
}

status farm_script_step(farm_script *self, const scheduler_event *event)
{
    status code = scheduler_step(self->core, self->now_ms, event, &self->out);
    scheduler_fact *facts = realloc(self->facts, (self->fact_count + self->out.fact_count + 1) * sizeof *facts);
    assert_non_null(facts);
    self->facts = facts;
    for (size_t i = 0; i < self->out.fact_count; i++) {
        if (self->out.facts[i].type == FACT_JOB_EXTENDED)
            batch_keep(self, event);
        facts[self->fact_count++] = self->out.facts[i];
    }
    for (size_t i = 0; i < self->out.command_count; i++) {
        assert_true(self->out.commands[i].fact_sequence <= scheduler_sequence(self->core));
        if (!self->disk_is_slow)
            assert_true(scheduler_release(self->core, self->now_ms, &self->out.commands[i]));
    }
    scheduler_check_invariants(self->core);
    farm_script_compare(self);
    return code;
}

void farm_script_restart(farm_script *self)
{
    scheduler_destroy(&self->core);
    self->config.term++;
    self->core = farm_script_replay(self, self->config.term);
    scheduler_resume(self->core, self->now_ms);
    scheduler_check_invariants(self->core);
}

void farm_limit(farm_script *self, uint64_t key, uint32_t most)
{
    uint32_t at = 0;
    while (at < self->limits.count && self->limits.rules[at].key != key)
        at++;
    if (most == 0)
        self->limits.rules[at] = self->limits.rules[--self->limits.count];
    else
        self->limits.rules[at] = (limit_rule){.key = key, .most = most};
    self->limits.count += most != 0 && at == self->limits.count;
    scheduler_set_limits(self->core, &self->limits);
    scheduler_check_invariants(self->core);
}

uint32_t farm_submit(farm_script *self, int32_t priority, uint64_t share)
{
    uint32_t job = self->next_job++;
    scheduler_event event = {.type = EVENT_JOB_SUBMITTED,
                             .submitted = {.job = job, .priority = priority, .share = share}};
    if (job < SCRIPT_TERMS_MAX)
        event.submitted.terms = self->terms[job];
    assert_int_equal(farm_script_step(self, &event), STATUS_OK);
    return job;
}

status farm_extend(farm_script *self, uint32_t job, uint32_t count, const task_spec *specs)
{
    scheduler_event event = {.type = EVENT_JOB_EXTENDED,
                             .extended = {.job = job, .task_count = count, .tasks = specs}};
    return farm_script_step(self, &event);
}

uint32_t farm_job_of(farm_script *self, uint32_t count)
{
    uint32_t job = farm_submit(self, 0, 1);
    task_spec *specs = calloc(count, sizeof *specs);
    assert_non_null(specs);
    for (uint32_t i = 0; i < count; i++)
        specs[i] = (task_spec){.kind = 3, .affinity = UINT16_MAX, .cost = 1000};
    assert_int_equal(farm_extend(self, job, count, specs), STATUS_OK);
    free(specs);
    return job;
}

status farm_job_event(farm_script *self, scheduler_event_type type, uint32_t job)
{
    scheduler_event event = {.type = type, .job = {.job = job}};
    return farm_script_step(self, &event);
}

status farm_hello_with(farm_script *self, uint32_t worker, uint32_t slots, const attempt *held, uint32_t count)
{
    scheduler_event event = {.type = EVENT_WORKER_HELLO,
                             .hello = {.worker = worker, .slots = slots, .held_count = count, .held = held}};
    return farm_script_step(self, &event);
}

status farm_hello(farm_script *self, uint32_t worker, uint32_t slots)
{
    return farm_hello_with(self, worker, slots, NULL, 0);
}

uint32_t farm_begin(farm_script *self, uint32_t task_count, uint32_t worker_count)
{
    farm_script_init(self, NULL);
    uint32_t job = farm_job_of(self, task_count);
    for (uint32_t worker = 1; worker <= worker_count; worker++)
        farm_hello(self, worker, 1);
    return job;
}

status farm_heartbeat(farm_script *self, uint32_t worker, const attempt *running, uint32_t count)
{
    scheduler_event event = {.type = EVENT_WORKER_HEARTBEAT,
                             .heartbeat = {.worker = worker, .running_count = count, .running = running}};
    return farm_script_step(self, &event);
}

status farm_lost(farm_script *self, uint32_t worker, bool dead)
{
    scheduler_event event = {.type = EVENT_WORKER_LOST, .worker = {.worker = worker, .dead = dead}};
    return farm_script_step(self, &event);
}

status farm_result(farm_script *self, uint32_t worker, attempt of, status code)
{
    scheduler_event event = {.type = EVENT_TASK_RESULT, .result = {.worker = worker, .attempt = of, .code = code}};
    return farm_script_step(self, &event);
}

void farm_wait(farm_script *self, uint64_t ms)
{
    uint64_t end_ms = self->now_ms + ms;
    scheduler_event event = {.type = EVENT_TICK};
    scheduler_output kept = {0};
    while (self->now_ms < end_ms || scheduler_next_deadline_ms(self->core) <= end_ms) {
        uint64_t due_ms = scheduler_next_deadline_ms(self->core);
        if (due_ms > end_ms)
            due_ms = end_ms;
        if (due_ms > self->now_ms)
            self->now_ms = due_ms;
        assert_int_equal(farm_script_step(self, &event), STATUS_OK);
        if (self->out.command_count > 0) {
            scheduler_output other = kept;
            kept = self->out;
            self->out = other;
        }
    }
    scheduler_output_deinit(&self->out);
    self->out = kept;
}

uint32_t farm_count(const farm_script *self, scheduler_command_type type)
{
    uint32_t count = 0;
    for (size_t i = 0; i < self->out.command_count; i++)
        count += self->out.commands[i].type == type;
    return count;
}

scheduler_command farm_command(const farm_script *self, scheduler_command_type type, uint32_t index)
{
    for (size_t i = 0; i < self->out.command_count; i++) {
        if (self->out.commands[i].type == type && index-- == 0)
            return self->out.commands[i];
    }
    fail_msg("the step gave no such command of type %d", (int)type);
    return (scheduler_command){0};
}

attempt farm_assigned(const farm_script *self, uint32_t index)
{
    return farm_command(self, COMMAND_ASSIGN, index).attempt;
}

attempt farm_running(const farm_script *self, uint32_t job, uint32_t task)
{
    for (size_t i = self->fact_count; i-- > 0;) {
        const scheduler_fact *fact = &self->facts[i];
        if (fact->type == FACT_TASK_ASSIGNED && fact->job == job && fact->task == task)
            return (attempt){.job = job, .task = task, .term = fact->term, .epoch = fact->epoch};
    }
    fail_msg("task %u of job %u was never assigned", task, job);
    return (attempt){0};
}

task_view farm_task(const farm_script *self, uint32_t job, uint32_t task)
{
    task_view view;
    assert_true(scheduler_task_view(self->core, job, task, &view));
    return view;
}

job_view farm_job(const farm_script *self, uint32_t job)
{
    job_view view;
    assert_true(scheduler_job_view(self->core, job, &view));
    return view;
}

worker_view farm_worker(const farm_script *self, uint32_t worker)
{
    worker_view view;
    assert_true(scheduler_worker_view(self->core, worker, &view));
    return view;
}
