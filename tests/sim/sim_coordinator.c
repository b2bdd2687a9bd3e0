#include "sim_coordinator.h"

#include "common/base/ensure.h"
#include "proto/message_decode.h"

#include <stdlib.h>
#include <string.h>

sim_coordinator *sim_coordinator_create(void)
{
    sim_coordinator *self = calloc(1, sizeof *self);
    if (self != NULL) {
        self->fuse = UINT32_MAX;
        self->deferred = malloc(SIM_DEFERRED_MAX * sizeof *self->deferred);
    }
    return self;
}

void sim_coordinator_destroy(sim_coordinator **self)
{
    if (*self == NULL)
        return;
    scheduler_destroy(&(*self)->core);
    scheduler_output_deinit(&(*self)->out);
    sim_journal_deinit(&(*self)->journal);
    free((*self)->deferred);
    free(*self);
    *self = NULL;
}

/* ---- the journal, as the checks and a replay see it ---- */

static scheduler_fact fact_read(const sim_record *record)
{
    scheduler_fact fact;
    ENSURE(fact_record_decode(&fact, record->fact, sizeof record->fact) == STATUS_OK);
    return fact;
}

static void journal_check(sim_world *world)
{
    sim_journal *journal = &world->coordinator->journal;
    for (; journal->checked < journal->durable; journal->checked++) {
        const sim_record *record = &journal->records[journal->checked];
        if (record->kind == SIM_RECORD_JOB) {
            sim_check_durable_job(world->check, record->client, record->job);
        } else if (record->kind == SIM_RECORD_RESULT) {
            sim_check_durable_result(world->check, record->attempt, record->payload);
        } else {
            scheduler_fact fact = fact_read(record);
            sim_check_durable_fact(world->check, world, &fact);
        }
    }
}

static scheduler *replay(sim_world *world, sim_coordinator *self, uint64_t count)
{
    const scheduler_config config = {.jobs_max = SIM_JOBS_MAX,
                                     .workers_max = 24,
                                     .leases_max = 24,
                                     .lease_ms = SIM_LEASE_MS,
                                     .heartbeat_ms = SIM_HEARTBEAT_MS,
                                     .retry_base_ms = 500,
                                     .attempts_max = TASK_ATTEMPTS_MAX,
                                     .storage_wait_ms = world->seed % 3 == 0 ? 0 : 20000,
                                     .strikes_max = 3,
                                     .local_slots = 2,
                                     .prefetch = world->seed % 2 == 0,
                                     .term = self->term};
    scheduler *core = scheduler_create(&config);
    ENSURE(core != NULL);
    scheduler_set_limits(core, &world->limits);
    bool planned[SIM_JOBS_MAX] = {false};
    uint32_t job_of[SIM_JOBS_MAX] = {0};
    for (uint64_t i = 0; i < count; i++) {
        const sim_record *record = &self->journal.records[i];
        if (record->kind == SIM_RECORD_JOB)
            job_of[record->client] = record->job;
        if (record->kind != SIM_RECORD_FACT)
            continue;
        scheduler_fact fact = fact_read(record);
        const task_spec *specs = NULL;
        if (fact.type == FACT_JOB_EXTENDED) {
            uint32_t client = 0;
            while (client < SIM_JOBS_MAX - 1 && job_of[client] != fact.job)
                client++;
            const sim_plan *plan = &world->clients[client].plan;
            specs = planned[client] ? plan->specs + plan->first_count : plan->specs;
            planned[client] = true;
        }
        status code = scheduler_apply(core, &fact, fact.value, specs);
        if (code != STATUS_OK)
            sim_check_fail(world->check, "record %u of the journal does not apply: %s", (unsigned)i + 1,
                           status_text(code));
        if (code != STATUS_OK)
            break;
        for (uint32_t client = 0; fact.type == FACT_JOB_SUBMITTED && client < SIM_JOBS_MAX; client++) {
            if (job_of[client] == fact.job)
                scheduler_job_terms(core, fact.job, &world->clients[client].plan.terms);
        }
    }
    return core;
}

/* Whatever is on disk must lead to the state that is in memory. */
static void replay_compare(sim_world *world)
{
    sim_coordinator *self = world->coordinator;
    scheduler *again = replay(world, self, self->journal.count);
    if (scheduler_dump_hash(again) != scheduler_dump_hash(self->core))
        sim_check_fail(world->check, "a replay of the journal differs from the scheduler that wrote it");
    scheduler_destroy(&again);
}

void sim_coordinator_start(sim_world *world)
{
    sim_coordinator *self = world->coordinator;
    if (self->up)
        return;
    self->up = true;
    self->dying = self->pumping = false;
    self->term++;
    self->tick_ms = self->stalled_until_ms = 0;
    self->deferred_first = self->deferred_count = self->cell_count = 0;
    self->last_number = self->last_job = 0;
    memset(self->number_of, 0, sizeof self->number_of);
    memset(self->job_of, 0, sizeof self->job_of);
    memset(self->given, 0, sizeof self->given);
    journal_check(world);
    for (uint64_t i = 0; i < self->journal.count; i++) {
        const sim_record *record = &self->journal.records[i];
        if (record->kind == SIM_RECORD_JOB) {
            self->job_of[record->client] = record->job;
            self->last_job = record->job;
        } else if (record->kind == SIM_RECORD_FACT) {
            scheduler_fact fact = fact_read(record);
            sim_shell_note_fact(self, &fact);
        }
    }
    self->core = replay(world, self, self->journal.count);
    scheduler_resume(self->core, sim_shell_now_ms(world));
    scheduler_check_invariants(self->core);
    sim_check_restarted(world->check);
    sim_world_say(world, "the coordinator starts, term %u, %u records", self->term, (unsigned)self->journal.count);
    for (uint32_t client = 0; client < SIM_JOBS_MAX; client++) {
        /* A crash between the job's record and its facts: the real shell submits again from its record. */
        job_view view;
        if (self->job_of[client] != 0 && (!scheduler_job_view(self->core, self->job_of[client], &view) ||
                                          (view.task_count == 0 && view.state == JOB_RUNNING)))
            sim_coordinator_submit(world, client);
    }
    if (world->healed)
        sim_coordinator_calm(world);
    sim_shell_arm(world);
}

void sim_coordinator_crash(sim_world *world)
{
    sim_coordinator *self = world->coordinator;
    if (!self->up)
        return;
    /* A write may have reached the disk though nobody was told: some of the tail is kept, in order. */
    uint64_t kept = self->journal.durable;
    kept += sim_random_below(&world->random, (uint32_t)(self->journal.count - kept) + 1);
    if (world->mutation == MUTATION_LOST_TAIL) {
        uint32_t most = self->journal.durable < 20 ? (uint32_t)self->journal.durable : 20;
        kept = self->journal.durable - sim_random_below(&world->random, most + 1);
    }
    sim_world_say(world, "the coordinator dies; %u of %u records are kept", (unsigned)kept,
                  (unsigned)self->journal.count);
    sim_journal_cut(&self->journal, kept);
    self->journal.durable = kept;
    if (self->journal.checked > kept)
        self->journal.checked = kept;
    self->journal_busy_ms = 0;
    scheduler_destroy(&self->core);
    self->up = self->dying = false;
    self->fuse = UINT32_MAX;
    uint32_t pause_ms = world->healed ? 100 : sim_random_below(&world->random, 4 * SIM_LEASE_MS);
    sim_world_push(world, (sim_event){.time_ms = world->now_ms + pause_ms, .type = SIM_COORDINATOR_START});
}

/* ---- clients ---- */

void sim_coordinator_submit(sim_world *world, uint32_t client)
{
    sim_coordinator *self = world->coordinator;
    const sim_plan *plan = &world->clients[client].plan;
    if (self->job_of[client] == 0) {
        self->job_of[client] = ++self->last_job;
        (void)sim_shell_append(world, (sim_record){.kind = SIM_RECORD_JOB, .client = client, .job = self->last_job});
    }
    uint32_t job = self->job_of[client];
    job_view view;
    if (!self->dying && !scheduler_job_view(self->core, job, &view)) {
        const scheduler_event submitted = {
            .type = EVENT_JOB_SUBMITTED,
            .submitted = {.job = job, .priority = plan->priority, .share = plan->share, .terms = plan->terms}};
        ENSURE(sim_shell_step(world, &submitted, NULL, 0) == STATUS_OK);
    }
    const scheduler_event first = {.type = EVENT_JOB_EXTENDED,
                                   .extended = {.job = job, .task_count = plan->first_count, .tasks = plan->specs}};
    ENSURE(sim_shell_step(world, &first, NULL, 0) == STATUS_OK);
}

static void client_speaks(sim_world *world, uint32_t client)
{
    sim_coordinator *self = world->coordinator;
    if (world->clients[client].told)
        return;
    sim_world_push(world, (sim_event){.time_ms = world->now_ms + 1000, .type = SIM_CLIENT, .a = client});
    if (!self->up || self->stalled_until_ms > world->now_ms || sim_random_chance(&world->random, world->weather.loss))
        return;
    if (self->job_of[client] == 0) {
        sim_coordinator_submit(world, client);
        return;
    }
    /* Asked again: answered once what is known of it is durable. */
    if (self->journal.durable == self->journal.count && !sim_random_chance(&world->random, world->weather.loss)) {
        sim_check_accepted(world->check, client, self->job_of[client]);
        world->clients[client].told = true;
        world->clients[client].job = self->job_of[client];
    }
}

void sim_coordinator_people(sim_world *world)
{
    sim_coordinator *self = world->coordinator;
    uint32_t what = sim_random_below(&world->random, 14);
    uint32_t job = self->job_of[sim_random_below(&world->random, world->client_count)];
    scheduler_event event = {.job = {.job = job}};
    if (what < 2) {
        event.type = EVENT_JOB_CANCEL;
    } else if (what < 7) {
        event.type = EVENT_JOB_RETRY;
    } else if (what >= 10) {
        event.type = what < 12 ? EVENT_JOB_HOLD : what < 13 ? EVENT_JOB_RELEASE : EVENT_JOB_PRIORITY;
        if (what == 13)
            event.priority.priority = (int32_t)sim_random_below(&world->random, 3) - 1;
    } else {
        event = (scheduler_event){.type = what < 9 ? EVENT_WORKER_DRAIN : EVENT_WORKER_UNDRAIN,
                                  .worker = {.worker = sim_random_below(&world->random, self->last_number + 1)}};
    }
    if (job != 0)
        (void)sim_shell_step(world, &event, NULL, 0);
}

void sim_coordinator_calm(sim_world *world)
{
    sim_coordinator *self = world->coordinator;
    self->fuse = UINT32_MAX; /* a standstill under way ends by itself: what waits for it must keep its order */
    for (uint32_t number = 1; self->up && number <= self->last_number; number++) {
        const scheduler_event back = {.type = EVENT_WORKER_UNDRAIN, .worker = {.worker = number}};
        (void)sim_shell_step(world, &back, NULL, 0);
    }
    for (uint32_t client = 0; client < SIM_JOBS_MAX; client++) {
        const scheduler_event go = {.type = EVENT_JOB_RELEASE, .job = {.job = self->job_of[client]}};
        if (self->up && self->job_of[client] != 0)
            (void)sim_shell_step(world, &go, NULL, 0);
    }
}

/* ---- workers ---- */

static attempt attempt_of(const attempt_id *id)
{
    return (attempt){.job = id->job, .task = id->task, .term = id->term, .epoch = id->epoch};
}

/* The mutation: reports are believed in whatever order they come. */
static uint32_t beat_of(const sim_world *world, uint32_t beat)
{
    return world->mutation == MUTATION_OLD_REPORTS ? 0 : beat;
}

static void on_hello(sim_world *world, uint32_t process, const message_hello *hello)
{
    sim_coordinator *self = world->coordinator;
    if (self->number_of[process] == 0)
        self->number_of[process] = ++self->last_number;
    attempt held[MESSAGE_ATTEMPTS_MAX];
    uint32_t held_count = hello->farm == sim_farm_id ? hello->held_count : 0;
    for (uint32_t i = 0; i < held_count; i++)
        held[i] = attempt_of(&hello->held[i]);
    const scheduler_event event = {.type = EVENT_WORKER_HELLO,
                                   .hello = {.worker = self->number_of[process],
                                             .slots = hello->slots,
                                             .beat = beat_of(world, hello->beat),
                                             .held_count = held_count,
                                             .held = held}};
    message *welcome = &world->message;
    uint32_t beat = hello->beat; /* hello lies in world->message */
    memset(welcome, 0, sizeof *welcome);
    welcome->type = MESSAGE_WELCOME;
    welcome->welcome = (message_welcome){.beat = beat,
                                         .term = self->term,
                                         .farm = sim_farm_id,
                                         .worker = self->number_of[process],
                                         .heartbeat_ms = SIM_HEARTBEAT_MS,
                                         .lease_ms = SIM_LEASE_MS};
    if (world->mutation == MUTATION_NO_FENCE)
        welcome->welcome.lease_ms = 600000;
    sim_network_to_process(world, process, welcome);
    (void)sim_shell_step(world, &event, NULL, 0);
}

static void refuse_unknown(sim_world *world, uint32_t process)
{
    message *refuse = &world->message;
    memset(refuse, 0, sizeof *refuse);
    refuse->type = MESSAGE_REFUSE;
    refuse->refuse.code = STATUS_PEER_REFUSED;
    sim_network_to_process(world, process, refuse);
}

static void on_heartbeat(sim_world *world, uint32_t process, const message_heartbeat *heartbeat)
{
    sim_coordinator *self = world->coordinator;
    uint32_t number = self->number_of[process];
    uint32_t beat = heartbeat->beat;
    attempt running[MESSAGE_ATTEMPTS_MAX];
    for (uint32_t i = 0; i < heartbeat->running_count; i++)
        running[i] = attempt_of(&heartbeat->running[i].attempt);
    const scheduler_event event = {.type = EVENT_WORKER_HEARTBEAT,
                                   .heartbeat = {.worker = number,
                                                 .beat = beat_of(world, beat),
                                                 .draining = heartbeat->draining,
                                                 .running_count = heartbeat->running_count,
                                                 .running = running}};
    status code = sim_shell_step(world, &event, NULL, 0);
    if (self->dying)
        return;
    if (code == STATUS_OK)
        sim_shell_send_attempts(world, number, MESSAGE_ACK, beat, NULL);
    else if (code != STATUS_AGAIN)
        refuse_unknown(world, process);
}

static void on_cell(sim_coordinator *self, const message_cell *cell)
{
    for (uint32_t i = 0; i < self->cell_count; i++) {
        if (self->cells[i].cell == cell->cell && attempt_id_equal(&self->cells[i].attempt, &cell->attempt))
            return;
    }
    uint32_t place = self->cell_count < SIM_CELLS_MAX ? self->cell_count++ : cell->attempt.epoch % SIM_CELLS_MAX;
    self->cells[place] = (sim_cell){.attempt = cell->attempt, .cell = cell->cell};
}

static void cells_forget(sim_coordinator *self, uint32_t job, uint32_t task)
{
    for (uint32_t i = 0; i < self->cell_count; i++) {
        if (self->cells[i].attempt.job == job && self->cells[i].attempt.task == task)
            self->cells[i--] = self->cells[--self->cell_count];
    }
}

static void on_result(sim_world *world, uint32_t number, const message_result *result)
{
    sim_coordinator *self = world->coordinator;
    attempt_id ended = result->attempt;
    uint32_t cells = 0;
    for (uint32_t i = 0; i < self->cell_count; i++)
        cells += attempt_id_equal(&self->cells[i].attempt, &ended);
    task_view view;
    bool counted = scheduler_task_view(self->core, ended.job, ended.task, &view) && view.state == TASK_DONE;
    if (result->code >= STATUS_COUNT || (result->code == STATUS_OK && !counted && cells < result->cell_count))
        return; /* cells were lost on the way: everything comes again */
    uint64_t payload = 0;
    if (result->payload.size == sizeof payload)
        memcpy(&payload, result->payload.bytes, sizeof payload);
    scheduler_event event = {
        .type = EVENT_TASK_RESULT,
        .result = {.worker = number, .attempt = attempt_of(&ended), .code = (status)result->code}};
    bool known = ended.job <= SIM_JOBS_MAX && ended.task < SIM_TASKS_MAX &&
                 self->given[ended.job][ended.task].worker != 0;
    if (known && world->mutation == MUTATION_STALE_RESULT) {
        event.result.worker = self->given[ended.job][ended.task].worker;
        ended = self->given[ended.job][ended.task].attempt;
        event.result.attempt = attempt_of(&ended);
    }
    if (known && world->mutation == MUTATION_ANY_SENDER)
        event.result.worker = self->given[ended.job][ended.task].worker;
    if (sim_shell_step(world, &event, &ended, payload) == STATUS_OK)
        cells_forget(self, ended.job, ended.task);
}

static void on_frame(sim_world *world, const sim_event *event)
{
    sim_coordinator *self = world->coordinator;
    uint32_t process = event->a;
    message *heard = &world->heard;
    if (message_decode(heard, event->bytes, event->byte_size, NULL, NULL) != STATUS_OK) {
        if (!world->processes[process].lied)
            sim_check_fail(world->check, "a frame of process %u does not decode", process);
        return;
    }
    uint32_t number = self->number_of[process];
    sim_world_say(world, "process %u (worker %u) says %s", process, number, message_type_name(heard->type));
    for (uint32_t i = 0; heard->type == MESSAGE_HEARTBEAT && i < heard->heartbeat.running_count; i++) {
        const attempt_id *of = &heard->heartbeat.running[i].attempt;
        sim_world_say(world, "  it holds job %u task %u epoch %u/%u", of->job, of->task, of->term, of->epoch);
    }
    if (heard->type == MESSAGE_HELLO) {
        on_hello(world, process, &heard->hello);
    } else if (number == 0) {
        if (heard->type != MESSAGE_GOODBYE)
            refuse_unknown(world, process);
    } else if (heard->type == MESSAGE_HEARTBEAT) {
        on_heartbeat(world, process, &heard->heartbeat);
    } else if (heard->type == MESSAGE_CELL) {
        on_cell(self, &heard->cell);
    } else if (heard->type == MESSAGE_RESULT) {
        on_result(world, number, &heard->result);
    } else if (heard->type == MESSAGE_GOODBYE) {
        const scheduler_event lost = {.type = EVENT_WORKER_LOST, .worker = {.worker = number, .dead = true}};
        self->number_of[process] = 0;
        (void)sim_shell_step(world, &lost, NULL, 0);
    }
}

/* ---- its own tasks and time ---- */

static void local_end(sim_world *world, const sim_event *event)
{
    const sim_plan *plan = &world->clients[event->a].plan;
    job_view view;
    status code = STATUS_OK;
    bool planning = plan->tasks[event->attempt.task].kind == TASK_PLAN;
    if (planning && scheduler_job_view(world->coordinator->core, event->attempt.job, &view)) {
        if (view.by_state[TASK_FAILED] > 0)
            code = STATUS_INPUT_INVALID; /* a probe failed: nothing can be planned */
        else if (view.task_count == plan->first_count) {
            const scheduler_event more = {.type = EVENT_JOB_EXTENDED,
                                          .extended = {.job = event->attempt.job,
                                                       .task_count = plan->task_count - plan->first_count,
                                                       .tasks = plan->specs + plan->first_count}};
            code = sim_shell_step(world, &more, NULL, 0);
        }
    }
    const scheduler_event ended = {
        .type = EVENT_TASK_RESULT,
        .result = {.worker = SCHEDULER_LOCAL, .attempt = attempt_of(&event->attempt), .code = code}};
    sim_check_ended(world->check, UINT32_MAX, event->attempt, code);
    (void)sim_shell_step(world, &ended, NULL, 0);
}

/* The mutation: whoever was silent is believed to run what it was given. */
static void leases_keep(sim_world *world)
{
    sim_coordinator *self = world->coordinator;
    for (uint32_t number = 1; number <= self->last_number; number++) {
        attempt running[MESSAGE_ATTEMPTS_MAX];
        uint32_t count = 0;
        for (uint32_t i = 0; i < SIM_JOBS_MAX * SIM_TASKS_MAX && count < MESSAGE_ATTEMPTS_MAX; i++) {
            const sim_given *given = &self->given[1 + i / SIM_TASKS_MAX][i % SIM_TASKS_MAX];
            task_view view;
            if (given->worker == number &&
                scheduler_task_view(self->core, given->attempt.job, given->attempt.task, &view) &&
                view.state == TASK_RUNNING && view.worker == number)
                running[count++] = attempt_of(&given->attempt);
        }
        const scheduler_event event = {
            .type = EVENT_WORKER_HEARTBEAT,
            .heartbeat = {.worker = number, .running_count = count, .running = running}};
        if (count > 0)
            (void)sim_shell_step(world, &event, NULL, 0);
    }
}

static void tick(sim_world *world)
{
    const scheduler_event event = {.type = EVENT_TICK};
    world->coordinator->tick_ms = 0;
    if (world->mutation == MUTATION_DEAD_LEASES)
        leases_keep(world);
    (void)sim_shell_step(world, &event, NULL, 0);
    if (!world->coordinator->dying && sim_random_chance(&world->random, 10))
        replay_compare(world);
}

void sim_coordinator_event(sim_world *world, const sim_event *event)
{
    sim_coordinator *self = world->coordinator;
    if (event->type == SIM_COORDINATOR_START) {
        sim_coordinator_start(world);
        return;
    }
    if (event->type == SIM_CLIENT) {
        client_speaks(world, event->a);
    } else {
        bool of_now = event->type == SIM_TO_COORDINATOR || event->incarnation == self->term;
        if (!self->up || !of_now)
            return;
        if (event->type == SIM_DURABLE) { /* the journal's own thread goes on while the loop stands still */
            self->journal.durable = event->a;
            journal_check(world);
            if (self->stalled_until_ms <= world->now_ms)
                sim_shell_pump(world);
        } else if (self->stalled_until_ms > world->now_ms) {
            sim_world_push_again(world, event, self->stalled_until_ms);
            return;
        } else if (event->type == SIM_TO_COORDINATOR) {
            on_frame(world, event);
        } else if (event->type == SIM_LOCAL_END) {
            local_end(world, event);
        } else if (event->type == SIM_COORDINATOR_TICK && event->time_ms >= self->tick_ms) {
            tick(world);
        }
    }
    if (self->dying)
        sim_coordinator_crash(world);
}
