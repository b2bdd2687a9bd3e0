/* Whole jobs on machines of stated speed, without faults: how long the end takes, and who is served how much. */
#include "coordinator/core/scheduler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { WORKERS = 4, TASKS_MAX = 400, HEARTBEAT_MS = 1000, STEP_MS = 10, JOBS = 2 };

typedef struct service_slot {
    bool busy;
    attempt running;
    uint64_t end_ms;
} service_slot;

typedef struct service_farm {
    scheduler *core;
    scheduler_output out;
    uint64_t now_ms;
    uint32_t slowness[WORKERS + 1];
    service_slot slots[WORKERS + 1];
    uint32_t cost[JOBS + 1];
    uint64_t served[JOBS + 1]; /* cost of what is done */
} service_farm;

static void service_step(service_farm *self, const scheduler_event *event)
{
    assert_int_equal(scheduler_step(self->core, self->now_ms, event, &self->out), STATUS_OK);
    for (size_t i = 0; i < self->out.command_count; i++) {
        const scheduler_command *command = &self->out.commands[i];
        service_slot *slot = &self->slots[command->worker];
        assert_true(scheduler_release(self->core, self->now_ms, command));
        if (command->type == COMMAND_ASSIGN) {
            assert_false(slot->busy);
            uint64_t took_ms = (uint64_t)self->cost[command->attempt.job] * self->slowness[command->worker];
            *slot = (service_slot){.busy = true, .running = command->attempt, .end_ms = self->now_ms + took_ms};
        } else if (command->type == COMMAND_CANCEL_ATTEMPT && slot->busy) {
            slot->end_ms = 0; /* killed: it answers at once */
        }
    }
}

static void service_init(service_farm *self)
{
    const scheduler_config config = {.jobs_max = 8,
                                     .workers_max = 8,
                                     .leases_max = 16,
                                     .lease_ms = 10000,
                                     .heartbeat_ms = HEARTBEAT_MS,
                                     .retry_base_ms = 1000,
                                     .attempts_max = TASK_ATTEMPTS_MAX,
                                     .strikes_max = 3,
                                     .term = 1};
    *self = (service_farm){.core = scheduler_create(&config)};
    assert_non_null(self->core);
    for (uint32_t worker = 1; worker <= WORKERS; worker++) {
        self->slowness[worker] = 1;
        const scheduler_event hello = {.type = EVENT_WORKER_HELLO, .hello = {.worker = worker, .slots = 1}};
        service_step(self, &hello);
    }
}

static void service_deinit(service_farm *self)
{
    scheduler_output_deinit(&self->out);
    scheduler_destroy(&self->core);
}

static void service_job(service_farm *self, uint32_t job, uint32_t count, uint32_t cost)
{
    static task_spec specs[TASKS_MAX];
    self->cost[job] = cost;
    for (uint32_t i = 0; i < count; i++)
        specs[i] = (task_spec){.cost = cost, .affinity = UINT16_MAX, .spare = true};
    const scheduler_event submitted = {.type = EVENT_JOB_SUBMITTED, .submitted = {.job = job, .share = job}};
    const scheduler_event extended = {.type = EVENT_JOB_EXTENDED,
                                      .extended = {.job = job, .task_count = count, .tasks = specs}};
    service_step(self, &submitted);
    service_step(self, &extended);
}

/* Ten milliseconds of the farm: what ends is told, and every second the heartbeats. */
static void service_pass(service_farm *self)
{
    self->now_ms += STEP_MS;
    for (uint32_t worker = 1; worker <= WORKERS; worker++) {
        service_slot *slot = &self->slots[worker];
        if (slot->busy && slot->end_ms <= self->now_ms) {
            bool killed = slot->end_ms == 0;
            const scheduler_event result = {.type = EVENT_TASK_RESULT,
                                            .result = {.worker = worker,
                                                       .attempt = slot->running,
                                                       .code = killed ? STATUS_CANCELLED : STATUS_OK}};
            self->served[slot->running.job] += killed ? 0 : self->cost[slot->running.job];
            slot->busy = false;
            service_step(self, &result);
        }
        if (self->now_ms % HEARTBEAT_MS == worker * STEP_MS) {
            const attempt running = slot->running;
            const scheduler_event heartbeat = {
                .type = EVENT_WORKER_HEARTBEAT,
                .heartbeat = {.worker = worker, .running_count = slot->busy, .running = &running}};
            service_step(self, &heartbeat);
        }
    }
    const scheduler_event tick = {.type = EVENT_TICK};
    if (scheduler_next_deadline_ms(self->core) <= self->now_ms)
        service_step(self, &tick);
}

static bool service_over(const service_farm *self, uint32_t job)
{
    job_view view;
    return scheduler_job_view(self->core, job, &view) && view.state == JOB_ENDED;
}

/* Of four machines one has a tenth of the speed: the job may take 15 % longer than its work divided by all speeds. */
static void scheduler__lets_one_slow_machine_cost_little(void **unused)
{
    (void)unused;
    service_farm farm;
    service_init(&farm);
    farm.slowness[4] = 10;
    service_job(&farm, 1, 200, 1000);
    while (!service_over(&farm, 1))
        service_pass(&farm);
    uint64_t ideal_ms = 200u * 1000u * 10u / 31u; /* 3 + 1/10 machines */
    assert_true(farm.now_ms * 100 <= ideal_ms * 115);
    service_deinit(&farm);
}

/* Two shows of one priority, one with tasks five times as long: while both have work, each gets half of the farm. */
static void scheduler__serves_two_shows_alike(void **unused)
{
    (void)unused;
    service_farm farm;
    service_init(&farm);
    service_job(&farm, 1, 400, 200);
    service_job(&farm, 2, 80, 1000);
    while (!service_over(&farm, 1) && !service_over(&farm, 2))
        service_pass(&farm);
    /* 80,000 of each in all; neither may be more than a tenth behind when the first is through. */
    assert_in_range(farm.served[1], 72000, 80000);
    assert_in_range(farm.served[2], 72000, 80000);
    service_deinit(&farm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scheduler__lets_one_slow_machine_cost_little),
        cmocka_unit_test(scheduler__serves_two_shows_alike),
    };
    return cmocka_run_group_tests_name("scheduler service", tests, NULL, NULL);
}
