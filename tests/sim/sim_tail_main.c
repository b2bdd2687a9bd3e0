/*
 * sim_tail: what one node at a tenth of its speed costs a job, in farms of several sizes, with the real scheduler and
 * simulated time. Ends with 1 when a farm of ten nodes or more takes over 15 % longer than with that node well, or a
 * smaller one over 15 % longer than the speed that is left allows (in a farm of four, the node was a quarter of it).
 */
#include "coordinator/core/scheduler.h"

#include "common/base/ensure.h"
#include "sim_random.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    TASK_MS = 10000,
    SLOWNESS = 10,
    HEARTBEAT_MS = 1000,
    LEASE_MS = 5000,
    HELD_MAX = 64,
    COST_MOST_PERCENT = 15
};

typedef struct tail_held {
    attempt of;
    uint64_t end_ms; /* 0 = it waits for a slot */
    uint64_t took_ms;
} tail_held;

typedef struct tail_node {
    tail_held held[HELD_MAX]; /* in the order in which they came */
    uint32_t count;
} tail_node;

typedef struct tail_farm {
    scheduler *core;
    scheduler_output out;
    sim_random random;
    uint32_t node_count, slots;
    bool slow; /* node 1 */
    tail_node *nodes;
    uint64_t now_ms;
    uint32_t executions;
} tail_farm;

static void node_remove(tail_node *node, uint32_t index)
{
    node->count--;
    for (uint32_t i = index; i < node->count; i++)
        node->held[i] = node->held[i + 1];
}

static bool same(const attempt *a, const attempt *b)
{
    return a->task == b->task && a->epoch == b->epoch;
}

static void step(tail_farm *self, const scheduler_event *event);

/* The executor is killed, and the worker says that it is over. */
static void cancelled(tail_farm *self, const scheduler_command *command)
{
    tail_node *node = &self->nodes[command->worker - 1];
    for (uint32_t i = 0; i < node->count; i++) {
        if (!same(&node->held[i].of, &command->attempt))
            continue;
        node_remove(node, i);
        const scheduler_event over = {
            .type = EVENT_TASK_RESULT,
            .result = {.worker = command->worker, .attempt = command->attempt, .code = STATUS_CANCELLED}};
        step(self, &over);
        return;
    }
}

static void step(tail_farm *self, const scheduler_event *event)
{
    ENSURE(scheduler_step(self->core, self->now_ms, event, &self->out) == STATUS_OK);
    size_t count = self->out.command_count;
    scheduler_command *commands = malloc((count + 1) * sizeof *commands);
    ENSURE(commands != NULL);
    for (size_t i = 0; i < count; i++)
        commands[i] = self->out.commands[i];
    for (size_t i = 0; i < count; i++) {
        if (!scheduler_release(self->core, self->now_ms, &commands[i]))
            continue;
        if (commands[i].type == COMMAND_ASSIGN) {
            tail_node *node = &self->nodes[commands[i].worker - 1];
            ENSURE(node->count < HELD_MAX);
            /* A task takes four fifths to six fifths of its estimate. */
            uint64_t took_ms = TASK_MS * 4 / 5 + sim_random_below(&self->random, TASK_MS * 2 / 5);
            node->held[node->count++] = (tail_held){.of = commands[i].attempt, .took_ms = took_ms};
            self->executions++;
        } else if (commands[i].type == COMMAND_CANCEL_ATTEMPT) {
            cancelled(self, &commands[i]);
        }
    }
    free(commands);
}

static void node_work(tail_farm *self, uint32_t index)
{
    tail_node *node = &self->nodes[index];
    for (uint32_t i = 0; i < node->count; i++) {
        if (node->held[i].end_ms == 0 || node->held[i].end_ms > self->now_ms)
            continue;
        const scheduler_event over = {
            .type = EVENT_TASK_RESULT,
            .result = {.worker = index + 1, .attempt = node->held[i].of, .code = STATUS_OK}};
        node_remove(node, i);
        step(self, &over);
        i = UINT32_MAX; /* from the start: the step has changed the list */
    }
    uint32_t running = 0;
    for (uint32_t i = 0; i < node->count && running < self->slots; i++, running++) {
        if (node->held[i].end_ms == 0)
            node->held[i].end_ms = self->now_ms + node->held[i].took_ms * (self->slow && index == 0 ? SLOWNESS : 1);
    }
    if ((self->now_ms + index * 7) % HEARTBEAT_MS >= 10)
        return;
    attempt running_now[HELD_MAX];
    for (uint32_t i = 0; i < node->count; i++)
        running_now[i] = node->held[i].of;
    const scheduler_event beat = {
        .type = EVENT_WORKER_HEARTBEAT,
        .heartbeat = {.worker = index + 1, .running_count = node->count, .running = running_now}};
    step(self, &beat);
}

/* How long the job takes, in ms. */
static uint64_t tail_run(uint32_t node_count, uint32_t slots, uint32_t task_count, bool slow, uint32_t *out_executions)
{
    const scheduler_config config = {.jobs_max = 4,
                                     .workers_max = node_count,
                                     .leases_max = node_count * (slots + 2) + 16,
                                     .lease_ms = LEASE_MS,
                                     .heartbeat_ms = HEARTBEAT_MS,
                                     .retry_base_ms = 500,
                                     .attempts_max = TASK_ATTEMPTS_MAX,
                                     .strikes_max = 3,
                                     .local_slots = 1,
                                     .prefetch = 1,
                                     .term = 1};
    tail_farm self = {.core = scheduler_create(&config),
                      .random = {.state = 1},
                      .node_count = node_count,
                      .slots = slots,
                      .slow = slow,
                      .nodes = calloc(node_count, sizeof *self.nodes),
                      .now_ms = 1000};
    task_spec *specs = calloc(task_count, sizeof *specs);
    ENSURE(self.core != NULL && self.nodes != NULL && specs != NULL);
    for (uint32_t i = 0; i < task_count; i++)
        specs[i] = (task_spec){.cost = TASK_MS, .affinity = (uint16_t)(i * 6 / task_count), .spare = true};
    for (uint32_t i = 1; i <= node_count; i++)
        step(&self, &(scheduler_event){.type = EVENT_WORKER_HELLO, .hello = {.worker = i, .slots = slots}});
    step(&self, &(scheduler_event){.type = EVENT_JOB_SUBMITTED, .submitted = {.job = 1}});
    step(&self, &(scheduler_event){.type = EVENT_JOB_EXTENDED,
                                   .extended = {.job = 1, .task_count = task_count, .tasks = specs}});
    job_view view = {.state = JOB_RUNNING};
    while (view.state != JOB_ENDED) {
        self.now_ms += 10;
        for (uint32_t i = 0; i < node_count; i++)
            node_work(&self, i);
        if (scheduler_next_deadline_ms(self.core) <= self.now_ms)
            step(&self, &(scheduler_event){.type = EVENT_TICK});
        ENSURE(scheduler_job_view(self.core, 1, &view) && self.now_ms < UINT64_C(100000000));
    }
    ENSURE(view.by_state[TASK_DONE] == task_count);
    *out_executions = self.executions;
    scheduler_output_deinit(&self.out);
    scheduler_destroy(&self.core);
    free(self.nodes);
    free(specs);
    return self.now_ms - 1000;
}

int main(void)
{
    static const uint32_t farms[][3] = {{4, 2, 160}, {8, 4, 640}, {10, 4, 800}, {10, 1, 200}, {20, 8, 3200}, {40, 4, 3200}};
    bool well = true;
    for (size_t i = 0; i < sizeof farms / sizeof farms[0]; i++) {
        const uint32_t *farm = farms[i];
        uint32_t executions = 0;
        uint64_t plain_ms = tail_run(farm[0], farm[1], farm[2], false, &executions);
        uint64_t slow_ms = tail_run(farm[0], farm[1], farm[2], true, &executions);
        /* What nodes - 1 and a tenth of one can do. */
        uint64_t least_ms = plain_ms * farm[0] * SLOWNESS / ((farm[0] - 1) * SLOWNESS + 1);
        uint64_t bound_ms = (farm[0] >= 10 ? plain_ms : least_ms) * (100 + COST_MOST_PERCENT) / 100;
        printf("%3u nodes x %u slots, %4u tasks: %6.1f s, with a slow node %6.1f s (+%.1f %%; its lost speed alone +%.1f %%), "
               "%u executions%s\n",
               farm[0], farm[1], farm[2], (double)plain_ms / 1000, (double)slow_ms / 1000,
               100.0 * (double)slow_ms / (double)plain_ms - 100, 100.0 * (double)least_ms / (double)plain_ms - 100,
               executions, slow_ms <= bound_ms ? "" : "  OVER THE BOUND");
        well = well && slow_ms <= bound_ms;
    }
    return well ? 0 : 1;
}
