/* From events to the scheduler, to the journal, and back as commands: the order of things that everything rests on. */
#include "sim_coordinator.h"

#include "common/base/ensure.h"

#include <string.h>

uint64_t sim_shell_now_ms(const sim_world *world)
{
    return world->now_ms + world->coordinator->clock_ahead_ms;
}

bool sim_shell_breath(sim_world *world)
{
    sim_coordinator *self = world->coordinator;
    if (self->dying)
        return false;
    if (self->fuse != UINT32_MAX && self->fuse-- == 0)
        self->dying = true;
    return !self->dying;
}

uint32_t sim_shell_client_of(const sim_coordinator *self, uint32_t job)
{
    for (uint32_t client = 0; client < SIM_JOBS_MAX; client++) {
        if (job != 0 && self->job_of[client] == job)
            return client;
    }
    return SIM_JOBS_MAX;
}

uint64_t sim_shell_append(sim_world *world, sim_record record)
{
    sim_coordinator *self = world->coordinator;
    if (!sim_shell_breath(world))
        return self->journal.count;
    uint64_t sequence = sim_journal_append(&self->journal, &record);
    uint64_t lag_ms = 1 + sim_random_below(&world->random, world->weather.journal_ms);
    if (sim_random_chance(&world->random, world->weather.journal_slow))
        lag_ms += sim_random_below(&world->random, 8000);
    uint64_t time_ms = world->now_ms + lag_ms;
    if (time_ms < self->journal_busy_ms)
        time_ms = self->journal_busy_ms;
    self->journal_busy_ms = time_ms;
    sim_world_push(world, (sim_event){.time_ms = time_ms,
                                      .type = SIM_DURABLE,
                                      .a = (uint32_t)sequence,
                                      .incarnation = self->term});
    return sequence;
}

static void fact_append(sim_world *world, const scheduler_fact *fact)
{
    sim_record record = {.kind = SIM_RECORD_FACT};
    byte_writer writer;
    byte_writer_init(&writer, FACT_RECORD_BYTES);
    fact_record_encode(fact, &writer);
    ENSURE(writer.size == FACT_RECORD_BYTES);
    memcpy(record.fact, writer.bytes, sizeof record.fact);
    byte_writer_deinit(&writer);
    (void)sim_shell_append(world, record);
}

void sim_shell_note_fact(sim_coordinator *self, const scheduler_fact *fact)
{
    if (fact->type != FACT_TASK_ASSIGNED || fact->job > SIM_JOBS_MAX || fact->task >= SIM_TASKS_MAX)
        return;
    self->given[fact->job][fact->task] = (sim_given){
        .attempt = {.job = fact->job, .task = fact->task, .term = fact->term, .epoch = fact->epoch},
        .worker = fact->worker};
    if (fact->worker > self->last_number)
        self->last_number = fact->worker;
}

static void fact_say(const sim_world *world, const scheduler_fact *fact)
{
    static const char *const names[] = {"?",       "submitted", "extended", "cancelled", "retried",
                                        "ended",   "forgotten", "task assigned", "task over", "worker",
                                        "held",    "released",  "priority"};
    _Static_assert(sizeof names / sizeof names[0] == FACT_TYPE_END, "a name for each kind of fact");
    sim_world_say(world, "  fact %s: job %u task %u epoch %u/%u worker %u value %u \"%s\"", names[fact->type],
                  fact->job, fact->task, fact->term, fact->epoch, fact->worker, fact->value, status_text(fact->code));
}

static bool step_counts(const sim_coordinator *self, const attempt_id *ended)
{
    for (size_t i = 0; i < self->out.fact_count; i++) {
        const scheduler_fact *fact = &self->out.facts[i];
        if (fact->type == FACT_TASK_ENDED && fact->value == TASK_DONE && fact->job == ended->job &&
            fact->task == ended->task && fact->epoch == ended->epoch)
            return true;
    }
    return false;
}

/* A worker that did not rest and whose storage failed under one job rests for this one alone: others go on there. */
static void check_rest(sim_world *world, const scheduler_event *event, const worker_view *before)
{
    worker_view after;
    if (event->type != EVENT_TASK_RESULT || status_class_of(event->result.code) != STATUS_CLASS_STORAGE ||
        before->rest_left_ms > 0 || !scheduler_worker_view(world->coordinator->core, event->result.worker, &after))
        return;
    if (after.rest_left_ms > 0 && after.rest_job != event->result.attempt.job)
        sim_check_fail(world->check, "worker %u rests for job %u, but storage failed under job %u alone",
                       event->result.worker, after.rest_job, event->result.attempt.job);
}

/* Nothing is given to who rests for it. (Who adopts an attempt had it before.) */
static void check_given(sim_world *world, const scheduler_event *event, const scheduler_fact *fact)
{
    worker_view view;
    if (fact->type != FACT_TASK_ASSIGNED || event->type == EVENT_WORKER_HELLO ||
        !scheduler_worker_view(world->coordinator->core, fact->worker, &view) || view.rest_left_ms == 0 ||
        (view.rest_job != 0 && view.rest_job != fact->job))
        return;
    sim_check_fail(world->check, "worker %u rests and is given task %u of job %u", fact->worker, fact->task, fact->job);
}

status sim_shell_step(sim_world *world, const scheduler_event *event, const attempt_id *ended, uint64_t payload)
{
    sim_coordinator *self = world->coordinator;
    worker_view before = {0};
    if (!sim_shell_breath(world))
        return STATUS_OK;
    if (event->type == EVENT_TASK_RESULT)
        (void)scheduler_worker_view(self->core, event->result.worker, &before);
    status code = scheduler_step(self->core, sim_shell_now_ms(world), event, &self->out);
    scheduler_check_invariants(self->core);
    check_rest(world, event, &before);
    if (ended != NULL && step_counts(self, ended))
        (void)sim_shell_append(world, (sim_record){.kind = SIM_RECORD_RESULT, .attempt = *ended, .payload = payload});
    for (size_t i = 0; i < self->out.fact_count; i++) {
        fact_say(world, &self->out.facts[i]);
        check_given(world, event, &self->out.facts[i]);
        sim_shell_note_fact(self, &self->out.facts[i]);
        fact_append(world, &self->out.facts[i]);
    }
    for (size_t i = 0; i < self->out.command_count && !self->dying; i++) {
        if (self->deferred_count == SIM_DEFERRED_MAX) {
            sim_check_fail(world->check, "more than %u commands wait for the journal", (unsigned)SIM_DEFERRED_MAX);
            break;
        }
        uint32_t place = (self->deferred_first + self->deferred_count++) % SIM_DEFERRED_MAX;
        self->deferred[place] = (sim_deferred){.sequence = self->journal.count, .command = self->out.commands[i]};
    }
    sim_shell_pump(world);
    return code;
}

/* ---- commands ---- */

/* False when there is nobody; as in the real shell the scheduler is told. */
static bool worker_tell(sim_world *world, uint32_t number, const message *told)
{
    sim_coordinator *self = world->coordinator;
    for (uint32_t process = 0; process < world->process_count; process++) {
        if (self->number_of[process] != number)
            continue;
        if (world->processes[process].alive) {
            sim_network_to_process(world, process, told);
            return true;
        }
        self->number_of[process] = 0;
        const scheduler_event lost = {.type = EVENT_WORKER_LOST, .worker = {.worker = number}};
        (void)sim_shell_step(world, &lost, NULL, 0);
        return false;
    }
    return false;
}

static void command_assign(sim_world *world, const scheduler_command *command)
{
    attempt_id id = {command->attempt.job, command->attempt.task, command->attempt.term, command->attempt.epoch};
    uint32_t client = sim_shell_client_of(world->coordinator, id.job);
    ENSURE(client < SIM_JOBS_MAX);
    const sim_task *task = &world->clients[client].plan.tasks[id.task];
    if (command->worker == SCHEDULER_LOCAL) {
        uint32_t took_ms = 1 + sim_random_below(&world->random, task->duration_ms);
        sim_world_push(world, (sim_event){.time_ms = world->now_ms + took_ms,
                                          .type = SIM_LOCAL_END,
                                          .a = client,
                                          .attempt = id,
                                          .incarnation = world->coordinator->term});
        return;
    }
    const uint8_t body[2] = {(uint8_t)client, (uint8_t)id.task};
    message *told = &world->message;
    told->type = MESSAGE_ASSIGN;
    told->assign.task_count = 1;
    told->assign.tasks[0] = (message_task){
        .attempt = id, .kind = task->kind, .body = {.bytes = body, .size = sizeof body}};
    (void)worker_tell(world, command->worker, told);
}

void sim_shell_send_attempts(sim_world *world, uint32_t number, message_type type, uint32_t beat, const attempt_id *one)
{
    message *told = &world->message;
    memset(&told->attempts, 0, sizeof told->attempts);
    told->type = type;
    told->attempts.beat = beat;
    if (one != NULL) {
        told->attempts.count = 1;
        told->attempts.attempts[0] = *one;
    }
    (void)worker_tell(world, number, told);
}

static void command_run(sim_world *world, const scheduler_command *command)
{
    sim_coordinator *self = world->coordinator;
    attempt_id id = {command->attempt.job, command->attempt.task, command->attempt.term, command->attempt.epoch};
    uint32_t client = sim_shell_client_of(self, id.job);
    static const char *const names[] = {"assign", "cancel", "acknowledge", "accepted", "ended", "final", "refused"};
    if (command->type != COMMAND_TASK_FINAL)
        sim_world_say(world, "  command %s: worker %u, job %u task %u epoch %u/%u", names[command->type],
                      command->worker, id.job, id.task, id.term, id.epoch);
    switch (command->type) {
    case COMMAND_ASSIGN:
        command_assign(world, command);
        break;
    case COMMAND_CANCEL_ATTEMPT:
        if (command->worker != SCHEDULER_LOCAL && world->mutation != MUTATION_NO_CANCEL)
            sim_shell_send_attempts(world, command->worker, MESSAGE_CANCEL, 0, &id);
        break;
    case COMMAND_ACK_RESULT:
        if (command->worker == SCHEDULER_LOCAL || world->mutation == MUTATION_NO_ACK)
            break;
        sim_check_acknowledged(world->check, command->worker, id);
        sim_shell_send_attempts(world, command->worker, MESSAGE_ACK, 0, &id);
        break;
    case COMMAND_JOB_ACCEPTED:
        if (client < SIM_JOBS_MAX && !sim_random_chance(&world->random, world->weather.loss)) {
            sim_check_accepted(world->check, client, id.job);
            world->clients[client].told = true;
            world->clients[client].job = id.job;
        }
        break;
    case COMMAND_JOB_ENDED:
        sim_world_say(world, "job %u has ended%s", id.job, command->value != 0 ? ", failed" : "");
        sim_check_told_ended(world->check, id.job);
        break;
    case COMMAND_TASK_FINAL:
    case COMMAND_RESULT_REFUSED:
        break;
    }
}

void sim_shell_pump(sim_world *world)
{
    sim_coordinator *self = world->coordinator;
    if (self->pumping)
        return;
    self->pumping = true;
    while (self->deferred_count > 0 && !self->dying) {
        sim_deferred next = self->deferred[self->deferred_first];
        if (next.sequence > self->journal.durable && world->mutation != MUTATION_EARLY_RELEASE)
            break;
        self->deferred_first = (self->deferred_first + 1) % SIM_DEFERRED_MAX;
        self->deferred_count--;
        if (sim_shell_breath(world) && scheduler_release(self->core, sim_shell_now_ms(world), &next.command))
            command_run(world, &next.command);
    }
    self->pumping = false;
    sim_shell_arm(world);
}

void sim_shell_arm(sim_world *world)
{
    sim_coordinator *self = world->coordinator;
    if (self->dying || !self->up)
        return;
    uint64_t due_ms = scheduler_next_deadline_ms(self->core);
    if (due_ms == UINT64_MAX)
        return;
    due_ms = due_ms > self->clock_ahead_ms ? due_ms - self->clock_ahead_ms : 0;
    if (due_ms < world->now_ms)
        due_ms = world->now_ms;
    if (self->tick_ms <= due_ms && self->tick_ms >= world->now_ms && self->tick_ms != 0)
        return;
    self->tick_ms = due_ms;
    sim_world_push(world, (sim_event){.time_ms = due_ms, .type = SIM_COORDINATOR_TICK, .incarnation = self->term});
}
