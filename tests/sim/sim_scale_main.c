/*
 * sim_scale [TASKS [WORKERS]]: what a task costs the scheduler alone, from ready to acknowledged, in a farm of that
 * size; without arguments a table from a thousand tasks to a million. Prints, judges nothing: the machine may be busy.
 */
#include "coordinator/core/scheduler.h"

#include "common/base/ensure.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SLOTS = 4, HEARTBEAT_EVERY = 8 /* results per heartbeat: long tasks would have more heartbeats */ };

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now); /* a busy machine counts less against it than wall time would */
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

typedef struct scale_run {
    scheduler *core;
    scheduler_output out;
    struct scale_given {
        uint32_t worker;
        attempt of;
    } *running; /* a ring */
    uint32_t first, count, capacity;
    uint64_t events, worst_ns;
} scale_run;

static void step(scale_run *self, const scheduler_event *event)
{
    uint64_t begin_ns = now_ns();
    status code = scheduler_step(self->core, self->events / 100, event, &self->out);
    uint64_t took_ns = now_ns() - begin_ns;
    ENSURE(code == STATUS_OK);
    self->events++;
    if (took_ns > self->worst_ns && event->type != EVENT_JOB_EXTENDED)
        self->worst_ns = took_ns;
    for (size_t i = 0; i < self->out.command_count; i++) {
        const scheduler_command *command = &self->out.commands[i];
        if (!scheduler_release(self->core, self->events / 100, command) || command->type != COMMAND_ASSIGN)
            continue;
        ENSURE(self->count < self->capacity);
        self->running[(self->first + self->count++) % self->capacity] =
            (struct scale_given){.worker = command->worker, .of = command->attempt};
    }
}

static void scale_measure(uint32_t task_count, uint32_t worker_count)
{
    const scheduler_config config = {.jobs_max = 16,
                                     .workers_max = worker_count,
                                     .leases_max = worker_count * SLOTS + 16,
                                     .lease_ms = 10000,
                                     .heartbeat_ms = 1000,
                                     .retry_base_ms = 1000,
                                     .attempts_max = TASK_ATTEMPTS_MAX,
                                     .strikes_max = 3,
                                     .local_slots = 2,
                                     .term = 1};
    scale_run run = {.core = scheduler_create(&config), .capacity = worker_count * SLOTS + 16};
    run.running = calloc(run.capacity, sizeof *run.running);
    task_spec *specs = calloc(task_count, sizeof *specs);
    ENSURE(run.core != NULL && run.running != NULL && specs != NULL);
    static const uint32_t wait_0[] = {0};
    for (uint32_t i = 0; i < task_count; i++)
        specs[i] = (task_spec){
            .cost = 1000 + i % 7, .affinity = (uint16_t)(i % 20), .wait_count = i > 0, .waits = wait_0};
    for (uint32_t worker = 1; worker <= worker_count; worker++)
        step(&run, &(scheduler_event){.type = EVENT_WORKER_HELLO, .hello = {.worker = worker, .slots = SLOTS}});
    step(&run, &(scheduler_event){.type = EVENT_JOB_SUBMITTED, .submitted = {.job = 1}});
    uint64_t begin_ns = now_ns();
    step(&run, &(scheduler_event){.type = EVENT_JOB_EXTENDED,
                                  .extended = {.job = 1, .task_count = task_count, .tasks = specs}});
    uint64_t extended_ns = now_ns() - begin_ns;
    run.worst_ns = 0;
    begin_ns = now_ns();
    uint64_t first_event = run.events;
    for (uint64_t results = 0; run.count > 0; results++) {
        struct scale_given given = run.running[run.first];
        run.first = (run.first + 1) % run.capacity;
        run.count--;
        if (results % HEARTBEAT_EVERY == 0)
            step(&run, &(scheduler_event){.type = EVENT_WORKER_HEARTBEAT,
                                          .heartbeat = {.worker = given.worker,
                                                        .running_count = 1,
                                                        .running = &given.of}});
        step(&run, &(scheduler_event){.type = EVENT_TASK_RESULT,
                                      .result = {.worker = given.worker, .attempt = given.of, .code = STATUS_OK}});
        while (scheduler_next_deadline_ms(run.core) <= run.events / 100 && results > 0 && results % 64 == 0)
            step(&run, &(scheduler_event){.type = EVENT_TICK});
    }
    uint64_t took_ns = now_ns() - begin_ns;
    job_view view;
    ENSURE(scheduler_job_view(run.core, 1, &view) && view.state == JOB_ENDED && view.by_state[TASK_DONE] == task_count);
    printf("%8u tasks %6u workers: %6.0f ns/event %7.0f tasks/s  extend %5.1f ms  worst step %6.2f ms\n", task_count,
           worker_count, (double)took_ns / (double)(run.events - first_event),
           (double)task_count * 1e9 / (double)took_ns, (double)extended_ns / 1e6, (double)run.worst_ns / 1e6);
    scheduler_output_deinit(&run.out);
    scheduler_destroy(&run.core);
    free(run.running);
    free(specs);
}

int main(int argc, char **argv)
{
    static const uint32_t sizes[] = {1000, 10000, 100000, 1000000};
    if (argc > 1) {
        scale_measure((uint32_t)strtoul(argv[1], NULL, 10), argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 10000);
        return 0;
    }
    for (uint32_t workers = 100; workers <= 10000; workers *= 100) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
            scale_measure(sizes[i], workers);
    }
    return 0;
}
