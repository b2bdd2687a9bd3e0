/* Nodes, the worker processes on them, and their executors. */
#include "sim_check.h"
#include "sim_coordinator.h"

#include "common/base/ensure.h"
#include "proto/message_decode.h"
#include "proto/message_encode.h"

#include <stdio.h>
#include <string.h>

static sim_execution *execution_of(sim_process *self, const attempt_id *id)
{
    for (uint32_t i = 0; i < SIM_SLOTS_MAX; i++) {
        if (self->executions[i].used && attempt_id_equal(&self->executions[i].attempt, id))
            return &self->executions[i];
    }
    return NULL;
}

static void orders_run(sim_world *world, uint32_t process);

static void process_tick(sim_world *world, uint32_t process)
{
    sim_process *self = &world->processes[process];
    ENSURE(worker_session_tick(self->session, world->now_ms, &world->orders) == STATUS_OK);
    orders_run(world, process);
}

static void process_arm(sim_world *world, uint32_t process)
{
    sim_process *self = &world->processes[process];
    if (!self->alive)
        return;
    uint64_t due_ms = worker_session_next_deadline_ms(self->session);
    if (due_ms == UINT64_MAX || (self->tick_ms <= due_ms && self->tick_ms > world->now_ms))
        return;
    self->tick_ms = due_ms > world->now_ms ? due_ms : world->now_ms + 1;
    sim_world_push(world, (sim_event){.time_ms = self->tick_ms, .type = SIM_PROCESS_TICK, .a = process});
}

/* What this execution will come to, from the task's flaw, the weather and chance. */
static status execution_code(sim_world *world, uint32_t node, const sim_task *task)
{
    static const status crashes[] = {STATUS_NODE_CRASHED, STATUS_NODE_MEMORY, STATUS_NODE_SYSTEM, STATUS_DEFECT,
                                     STATUS_NODE_HUNG};
    /* And its storage may not be what the others see. */
    static const status broken[] = {STATUS_NODE_CRASHED, STATUS_NODE_MEMORY, STATUS_NODE_SYSTEM, STATUS_INPUT_MISSING};
    if (task->flaw == FLAW_POISON)
        return STATUS_NODE_CRASHED;
    if (task->flaw == FLAW_HANGS)
        return STATUS_NODE_HUNG;
    if (task->flaw == FLAW_BAD_INPUT)
        return STATUS_INPUT_TRUNCATED;
    if (world->storage_out_ms > world->now_ms)
        return sim_random_chance(&world->random, 500) ? STATUS_STORAGE_FULL : STATUS_STORAGE_IO;
    if (task->flaw == FLAW_FLAKY && sim_random_chance(&world->random, 400))
        return STATUS_STORAGE_MISMATCH;
    if (node == 1 && sim_random_chance(&world->random, world->weather.bad_node))
        return broken[sim_random_below(&world->random, sizeof broken / sizeof broken[0])];
    if (sim_random_chance(&world->random, world->weather.executor_crash))
        return crashes[sim_random_below(&world->random, sizeof crashes / sizeof crashes[0])];
    return STATUS_OK;
}

static void execution_begin(sim_world *world, uint32_t process, const session_order *order)
{
    sim_process *self = &world->processes[process];
    uint32_t slot = 0;
    while (slot < world->nodes[self->node].slots && self->executions[slot].used)
        slot++;
    if (slot == world->nodes[self->node].slots) {
        sim_check_fail(world->check, "process %u began more tasks than it has slots", process);
        return;
    }
    sim_check_begun(world->check, world, process, order->attempt);
    /* The body says which task it is, as a real one would. */
    if (order->byte_size != 2 || order->bytes[0] >= SIM_JOBS_MAX || order->bytes[1] >= SIM_TASKS_MAX) {
        sim_check_fail(world->check, "process %u got a broken body", process);
        return;
    }
    const sim_task *task = &world->clients[order->bytes[0]].plan.tasks[order->bytes[1]];
    uint32_t took_ms = task->duration_ms * world->nodes[self->node].slowness;
    took_ms = took_ms / 2 + sim_random_below(&world->random, took_ms + 1) + 1;
    status code = execution_code(world, self->node, task);
    if (code == STATUS_NODE_HUNG)
        took_ms = SIM_HANG_MS; /* it says nothing more, until its worker has had enough */
    self->executions[slot] = (sim_execution){.used = true,
                                             .attempt = order->attempt,
                                             .code = code,
                                             .cell_count = task->cell_count,
                                             .end_ms = world->now_ms + took_ms};
    for (uint32_t cell = 0; cell < task->cell_count && code != STATUS_NODE_HUNG; cell++)
        sim_world_push(world, (sim_event){.time_ms = world->now_ms + took_ms * (cell + 1) / (task->cell_count + 1),
                                          .type = SIM_CELL,
                                          .a = process,
                                          .b = cell,
                                          .attempt = order->attempt});
    sim_world_push(world, (sim_event){.time_ms = world->now_ms + took_ms,
                                      .type = SIM_EXECUTION_END,
                                      .a = process,
                                      .attempt = order->attempt});
}

static void execution_kill(sim_world *world, uint32_t process, const attempt_id *id)
{
    sim_execution *execution = execution_of(&world->processes[process], id);
    if (execution == NULL || execution->killed)
        return;
    execution->killed = true;
    sim_check_killed(world->check, process);
    sim_world_push(world, (sim_event){.time_ms = world->now_ms + sim_random_between(&world->random, 1, 5),
                                      .type = SIM_EXECUTION_KILLED,
                                      .a = process,
                                      .attempt = *id});
}

/* Carries out what the session ordered; orders may lead to more. */
static void orders_run(sim_world *world, uint32_t process)
{
    session_orders orders = world->orders;
    world->orders = (session_orders){0};
    bool leaves = false;
    for (size_t i = 0; i < orders.count; i++) {
        const session_order *order = &orders.items[i];
        switch (order->type) {
        case ORDER_SEND:
            sim_network_to_coordinator(world, process, order->bytes, order->byte_size);
            break;
        case ORDER_START:
            execution_begin(world, process, order);
            break;
        case ORDER_KILL:
            execution_kill(world, process, &order->attempt);
            break;
        case ORDER_LOG:
            sim_world_say(world, "process %u: %.*s", process, (int)order->byte_size, (const char *)order->bytes);
            break;
        case ORDER_EXIT:
            leaves = true;
            break;
        case ORDER_GIVE_CHUNK:
            break;
        }
    }
    session_orders_clear(&orders);
    session_orders_deinit(&world->orders);
    world->orders = orders;
    if (leaves) {
        sim_world_say(world, "process %u leaves", process);
        sim_machine_kill(world, process);
        return;
    }
    process_arm(world, process);
}

void sim_machine_start(sim_world *world, uint32_t node)
{
    if (world->process_count == SIM_PROCESSES_MAX || world->nodes[node].process != UINT32_MAX)
        return;
    uint32_t process = world->process_count++;
    sim_process *self = &world->processes[process];
    *self = (sim_process){.alive = true, .node = node};
    worker_session_config config = {
        .slots = world->nodes[node].slots, .hello_interval_ms = 500, .spool_bytes_max = 1 << 20};
    /* The instance names the process, as sixteen random bytes would. */
    config.instance[0] = (uint8_t)process;
    config.instance[1] = 0xAA;
    (void)snprintf(config.name, sizeof config.name, "node%u", node);
    (void)snprintf(config.engine, sizeof config.engine, "sim");
    (void)snprintf(config.cpu, sizeof config.cpu, "scalar");
    self->session = worker_session_create(&config);
    ENSURE(self->session != NULL);
    world->nodes[node].process = process;
    sim_world_say(world, "process %u starts on node %u", process, node);
    process_tick(world, process);
}

void sim_machine_kill(sim_world *world, uint32_t process)
{
    sim_process *self = &world->processes[process];
    if (!self->alive)
        return;
    sim_world_say(world, "process %u dies", process);
    self->alive = false;
    sim_check_died(world->check, process);
    worker_session_destroy(&self->session);
    memset(self->executions, 0, sizeof self->executions);
    world->nodes[self->node].process = UINT32_MAX;
    uint32_t pause_ms = world->healed ? 100 : sim_random_between(&world->random, 50, 8000);
    sim_world_push(world, (sim_event){.time_ms = world->now_ms + pause_ms, .type = SIM_NODE_START, .a = self->node});
}

static void cell_made(sim_world *world, uint32_t process, const sim_event *event)
{
    sim_process *self = &world->processes[process];
    const sim_execution *execution = execution_of(self, &event->attempt);
    if (execution == NULL || execution->killed)
        return;
    /* A cell that says which attempt and which place it is of; nothing is measured here. */
    content_hash digest = content_hash_of(&event->attempt, sizeof event->attempt);
    message *made = &world->message;
    made->type = MESSAGE_CELL;
    made->cell = (message_cell){.attempt = event->attempt, .cell = event->b, .output_count = 1, .outputs = &digest};
    byte_writer_reset(&world->frame);
    ENSURE(message_encode(made, &world->frame) == STATUS_OK);
    ENSURE(worker_session_cell(self->session, world->now_ms, event->attempt, world->frame.bytes, world->frame.size,
                               &world->orders) == STATUS_OK);
    orders_run(world, process);
}

static void execution_over(sim_world *world, uint32_t process, const sim_event *event)
{
    sim_process *self = &world->processes[process];
    sim_execution *execution = execution_of(self, &event->attempt);
    bool killed = event->type == SIM_EXECUTION_KILLED;
    if (execution == NULL || execution->killed != killed)
        return;
    uint64_t payload = sim_check_payload(event->attempt, process);
    message *ended = &world->message;
    memset(&ended->result, 0, sizeof ended->result);
    ended->result.attempt = event->attempt;
    ended->result.code = (uint32_t)(killed ? STATUS_NODE_CRASHED : execution->code);
    ended->result.cell_count = ended->result.code == STATUS_OK ? execution->cell_count : 0;
    ended->result.elapsed_ms = 1;
    ended->result.payload = (message_bytes){.bytes = (const uint8_t *)&payload, .size = sizeof payload};
    sim_check_ended(world->check, process, event->attempt, (status)ended->result.code);
    execution->used = false;
    ENSURE(worker_session_ended(self->session, world->now_ms, &ended->result, &world->orders) == STATUS_OK);
    orders_run(world, process);
}

static void frame_arrives(sim_world *world, uint32_t process, const sim_event *event)
{
    worker_session *session = world->processes[process].session;
    uint32_t held = worker_session_held_count(session);
    if (worker_session_receive(session, world->now_ms, event->bytes, event->byte_size, &world->orders) != STATUS_OK)
        sim_check_fail(world->check, "process %u refuses a frame of the coordinator", process);
    /* An attempt that was taken: if it is not begun now it waits for a slot. [type, version, ...] */
    message *heard = &world->heard;
    if (worker_session_held_count(session) > held && event->bytes[1] == MESSAGE_ASSIGN && !world->disordered &&
        message_decode(heard, event->bytes, event->byte_size, NULL, NULL) == STATUS_OK)
        sim_check_arrived(world->check, process, heard->assign.tasks[0].attempt);
    orders_run(world, process);
}

void sim_machine_event(sim_world *world, const sim_event *event)
{
    uint32_t process = event->a;
    if (event->type == SIM_NODE_START) {
        sim_machine_start(world, event->a);
        return;
    }
    sim_process *self = &world->processes[process];
    if (!self->alive)
        return;
    if (self->frozen_until_ms > world->now_ms) {
        sim_world_push_again(world, event, self->frozen_until_ms);
        return;
    }
    if (self->frozen_until_ms != 0) {
        self->frozen_until_ms = 0; /* it wakes, and looks at its clock first */
        process_tick(world, process);
        if (!self->alive)
            return;
    }
    switch (event->type) {
    case SIM_PROCESS_TICK:
        if (event->time_ms == self->tick_ms)
            process_tick(world, process);
        else
            process_arm(world, process);
        break;
    case SIM_TO_PROCESS:
        frame_arrives(world, process, event);
        break;
    case SIM_CELL:
        cell_made(world, process, event);
        break;
    case SIM_EXECUTION_END:
    case SIM_EXECUTION_KILLED:
        execution_over(world, process, event);
        break;
    case SIM_TO_COORDINATOR:
    case SIM_NODE_START:
    case SIM_COORDINATOR_TICK:
    case SIM_COORDINATOR_START:
    case SIM_LOCAL_END:
    case SIM_DURABLE:
    case SIM_CLIENT:
    case SIM_SECOND:
    case SIM_CALM_CANCEL:
    case SIM_CALM_CHECK:
        break;
    }
}

/* An attempt that somebody runs, or one that never was. */
static attempt_id lie_attempt(sim_world *world, uint32_t process)
{
    attempt_id id = {.job = sim_random_below(&world->random, SIM_JOBS_MAX + 2),
                          .task = sim_random_below(&world->random, SIM_TASKS_MAX),
                          .term = world->coordinator->term,
                          .epoch = sim_random_between(&world->random, 300, 400)}; /* not one that it might get */
    for (uint32_t tries = 0; tries < 8; tries++) {
        uint32_t other = sim_random_below(&world->random, world->process_count);
        const sim_execution *of = &world->processes[other].executions[sim_random_below(&world->random, SIM_SLOTS_MAX)];
        if (other != process && world->processes[other].alive && of->used)
            return of->attempt;
    }
    return id;
}

void sim_machine_lie(sim_world *world, uint32_t process)
{
    static const status codes[] = {STATUS_OK, STATUS_OK, STATUS_INPUT_MISSING, STATUS_NODE_CRASHED, STATUS_CANCELLED};
    sim_process *self = &world->processes[process];
    attempt_id id = lie_attempt(world, process);
    if (execution_of(self, &id) != NULL)
        return; /* about its own attempts it is believed */
    uint64_t payload = sim_check_payload(id, process);
    message *lie = &world->message;
    memset(lie, 0, sizeof *lie);
    self->lied = true;
    if (sim_random_chance(&world->random, 700)) {
        lie->type = MESSAGE_RESULT;
        lie->result.attempt = id;
        lie->result.code = (uint32_t)codes[sim_random_below(&world->random, sizeof codes / sizeof codes[0])];
        lie->result.payload = (message_bytes){.bytes = (const uint8_t *)&payload, .size = sizeof payload};
    } else {
        lie->type = MESSAGE_HEARTBEAT;
        lie->heartbeat.running_count = 1;
        lie->heartbeat.running[0].attempt = id;
        self->liar = true; /* it names less than it holds: what becomes of that is its own doing */
    }
    byte_writer_reset(&world->frame);
    ENSURE(message_encode(lie, &world->frame) == STATUS_OK);
    if (sim_random_chance(&world->random, 200)) /* and some of it is noise */
        world->frame.bytes[sim_random_below(&world->random, (uint32_t)world->frame.size)] ^= 0x55u;
    sim_network_to_coordinator(world, process, world->frame.bytes, world->frame.size);
}
