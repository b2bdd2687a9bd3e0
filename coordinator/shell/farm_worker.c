/* What workers say and are told. Every claim is checked against the plan and the scheduler before it counts. */
#define _GNU_SOURCE
#include "coordinator/shell/farm_state.h"

#include "common/measure/cell_measure.h"
#include "common/measure/stem_features.h"
#include "coordinator/core/retry_policy.h"
#include "coordinator/shell/job_body.h"
#include "coordinator/shell/job_json.h"
#include "coordinator/shell/job_payload.h"
#include "proto/task_body.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FORGET_NODES_MS = 600000 };
static const char unknown_worker[] = "unknown worker: say hello";

static attempt attempt_of(const attempt_id *id)
{
    return (attempt){.job = id->job, .task = id->task, .term = id->term, .epoch = id->epoch};
}

static attempt_id id_of(const attempt *given)
{
    return (attempt_id){.job = given->job, .task = given->task, .term = given->term, .epoch = given->epoch};
}

/* Messages are tens of kilobytes; they live on the heap, zeroed. */
static message *new_message(message_type type)
{
    message *made = calloc(1, sizeof *made);
    if (made != NULL)
        made->type = type;
    return made;
}

/* UNREACHABLE: what it holds waits for its HELLO until the leases end. LEFT: of its own will, running nothing. */
typedef enum lost_how { LOST_UNREACHABLE, LOST_DEAD, LOST_LEFT } lost_how;

static void lose_worker(farm_state *self, worker_node *node, lost_how how, const char *why)
{
    if (!node->connected)
        return;
    node->connected = false;
    node->left = how == LOST_LEFT;
    if (farm_may_log_worker(self))
        log_line(LOG_WARN, "worker.lost", "worker=%u name=\"%s\" reason=\"%s\"", node->number, node->name, why);
    scheduler_event event = {
        .type = EVENT_WORKER_LOST,
        .worker = {.worker = node->number, .dead = how != LOST_UNREACHABLE, .idle = how == LOST_LEFT}};
    farm_event(self, &event);
}

void farm_send_away(farm_state *self, worker_node *node, status code, const char *text)
{
    farm_tell_refused(self, node->owner, node->name, text);
    farm_send_refuse(self, &node->route, code, text);
    lose_worker(self, node, LOST_UNREACHABLE, "it was sent away");
}

/* False when it did not arrive; the worker then counts as lost and is asked for a HELLO when it speaks again. */
static bool tell_worker(farm_state *self, uint32_t number, const message *told)
{
    worker_node *node = worker_registry_by_number(&self->workers, number);
    if (node == NULL || !node->connected)
        return false;
    if (farm_send(self, &node->route, told))
        return true;
    lose_worker(self, node, LOST_UNREACHABLE, "a message could not be delivered");
    return false;
}

/* ---- HELLO, HEARTBEAT, GOODBYE ---- */

/* Names are unique in a private farm, whose CLI starts a dead worker again at once: nobody waits for its former self. */
static void bury_former_self(farm_state *self, const message_hello *hello)
{
    for (size_t i = 0; self->config.private_farm && i < self->workers.count; i++) {
        worker_node *node = self->workers.nodes[i];
        if (node->connected && strcmp(node->name, hello->name) == 0 &&
            memcmp(node->instance, hello->instance, INSTANCE_BYTES) != 0)
            lose_worker(self, node, LOST_DEAD, "it was started again");
    }
}

static void on_hello(farm_state *self, const routing_id *from, const access_grant *who, const message_hello *hello)
{
    char text[REFUSED_TEXT_BYTES];
    status refused = farm_refuses_hello(self, who, hello, text, sizeof text);
    if (refused != STATUS_OK) {
        farm_tell_refused(self, who->name, hello->name, text);
        farm_send_refuse(self, from, refused, text);
        return;
    }
    bury_former_self(self, hello);
    worker_node *node = worker_registry_hello(&self->workers, from, who->name, hello, farm_now_ms(self));
    message *welcome = new_message(MESSAGE_WELCOME);
    attempt *held = calloc(MESSAGE_ATTEMPTS_MAX, sizeof *held);
    if (node == NULL || welcome == NULL || held == NULL) {
        farm_send_refuse(self, from, STATUS_AGAIN, "the coordinator has no room for another worker now");
        free(welcome);
        free(held);
        return;
    }
    memcpy(node->key, who->key, sizeof node->key);
    farm_learn_roots(self, node);
    welcome->welcome = (message_welcome){.term = self->term,
                                         .farm = self->farm_id,
                                         .worker = node->number,
                                         .heartbeat_ms = self->config.heartbeat_ms,
                                         .lease_ms = self->config.lease_ms,
                                         .beat = hello->beat};
    /* What it did for another farm means nothing here. */
    uint32_t held_count = hello->farm == self->farm_id ? hello->held_count : 0;
    if (farm_may_log_worker(self))
        log_line(LOG_INFO, "worker.joined", "worker=%u name=\"%s\" slots=%u cpu=%s held=%u", node->number, node->name,
                 node->slots, node->cpu, held_count);
    scheduler_event event = {.type = EVENT_WORKER_HELLO,
                             .hello = {.worker = node->number,
                                       .slots = node->slots,
                                       .beat = hello->beat,
                                       .drained = worker_registry_drained(&self->workers, node->name) != NULL,
                                       .held_count = held_count,
                                       .held = held}};
    for (uint32_t i = 0; i < held_count; i++)
        held[i] = attempt_of(&hello->held[i]);
    if (farm_send(self, from, welcome)) {
        status code = farm_step(self, &event);
        if (code != STATUS_OK)
            farm_send_refuse(self, from, STATUS_AGAIN, status_text(code));
    }
    free(welcome);
    free(held);
}

static void send_attempts(farm_state *self, uint32_t worker, message_type type, uint32_t beat, const attempt_id *tried)
{
    message *told = new_message(type);
    if (told == NULL)
        return;
    told->attempts.beat = beat;
    if (tried != NULL) {
        told->attempts.count = 1;
        told->attempts.attempts[0] = *tried;
    }
    (void)tell_worker(self, worker, told);
    free(told);
}

static void on_heartbeat(farm_state *self, worker_node *node, const message_heartbeat *beat)
{
    attempt *running = calloc(MESSAGE_ATTEMPTS_MAX, sizeof *running);
    if (running == NULL)
        return;
    for (uint32_t i = 0; i < beat->running_count; i++)
        running[i] = attempt_of(&beat->running[i].attempt);
    node->draining = beat->draining;
    node->progress_count = beat->running_count;
    memcpy(node->progress, beat->running, beat->running_count * sizeof *beat->running);
    scheduler_event event = {.type = EVENT_WORKER_HEARTBEAT,
                             .heartbeat = {.worker = node->number,
                                           .beat = beat->beat,
                                           .draining = beat->draining,
                                           .running_count = beat->running_count,
                                           .running = running}};
    routing_id route = node->route;
    uint32_t number = node->number;
    status code = farm_step(self, &event);
    free(running);
    if (code == STATUS_AGAIN)
        log_line(LOG_DEBUG, "heartbeat.late", "worker=%u beat=%u", number, beat->beat);
    else if (code != STATUS_OK)
        farm_send_refuse(self, &route, STATUS_PEER_REFUSED, unknown_worker);
    else
        send_attempts(self, number, MESSAGE_ACK, beat->beat, NULL); /* contact: without it the worker fences itself */
}

/* ---- CELL ---- */

/* The plan says what a cell of this task must look like; a measure of anything else is a lie or a defect. */
static bool measure_fits(const farm_job *job, const plan_task *task, uint32_t cell, uint32_t output,
                         const message_bytes *bytes)
{
    const render_program *program = &job->plan->programs[task->program];
    const plan_piece *piece = &job->plan->timelines[task->timeline].pieces[task->piece];
    cell_measure measure;
    if (cell_measure_decode(&measure, bytes->bytes, bytes->size) != STATUS_OK)
        return false;
    uint64_t first = (uint64_t)cell * CELL_FRAMES;
    uint64_t left = piece->frame_count - first;
    uint8_t groups = measure.signal == NULL ? 0 : measure.signal->groups;
    bool fits = measure.sample_rate == program->sample_rate && measure.layout == program->outputs[output].layout &&
                groups == render_output_signal_groups(&program->outputs[output], job->plan->signal_groups) &&
                measure.programme_frame == piece->programme_frame + first &&
                measure.frame_count == (left < CELL_FRAMES ? left : CELL_FRAMES);
    cell_measure_deinit(&measure);
    return fits;
}

/* The same of the stems' features, which follow the measures where the plan takes them. */
static bool stems_fit(const plan *made, const plan_task *task, uint32_t cell, const message_bytes *bytes)
{
    const render_program *program = &made->programs[task->program];
    const plan_piece *piece = &made->timelines[task->timeline].pieces[task->piece];
    stem_features features;
    if (stem_features_decode(&features, bytes->bytes, bytes->size) != STATUS_OK)
        return false;
    uint64_t first = (uint64_t)cell * CELL_FRAMES;
    uint64_t left = piece->frame_count - first;
    bool fits = features.sample_rate == program->sample_rate && features.lane_count == program->input_count &&
                features.crossed == (made->program_stems[task->program] == STEMS_CROSSED) &&
                features.programme_frame == piece->programme_frame + first &&
                features.frame_count == (left < CELL_FRAMES ? left : CELL_FRAMES);
    stem_features_deinit(&features);
    return fits;
}

static bool makes_cells(const plan_task *task)
{
    return task != NULL && (task->kind == TASK_RENDER || task->kind == TASK_INSPECT);
}

/* NULL when the cell fits the task that its sender holds, else why not. */
static const char *judge_cell(farm_job *job, const message_cell *cell)
{
    const plan_task *task = job == NULL ? NULL : job_task(job, cell->attempt.task);
    if (!makes_cells(task))
        return "no such task makes cells";
    if (cell->cell < task->first_cell || cell->cell - task->first_cell >= task->cell_count)
        return "it is none of the task's cells";
    const output_map *map = NULL;
    if (job_output_map(job, task, &map, NULL) != STATUS_OK || cell->output_count != map->count)
        return "it has digests of another number of files";
    const render_program *program = &job->plan->programs[task->program];
    bool stems = job->plan->program_stems[task->program] != STEMS_NONE;
    if (cell->measure_count != program->output_count + (stems ? 1u : 0u))
        return "it has measures of another number of outputs";
    if (stems && !stems_fit(job->plan, task, cell->cell, &cell->measures[program->output_count]))
        return "the features of its stems do not fit the plan";
    for (uint32_t i = 0; i < program->output_count; i++)
        if (!measure_fits(job, task, cell->cell, i, &cell->measures[i]))
            return "a measure does not fit the plan";
    return NULL;
}

/*
 * A cell that does not fit the attempt that its sender holds spoils the attempt: it is told to stop, and whatever RESULT
 * it ends with counts as the machine's failure. So nothing waits for what will never come, and nobody else begins the
 * task while this one may still write.
 */
static void on_cell(farm_state *self, const worker_node *node, const message_cell *cell)
{
    attempt tried = attempt_of(&cell->attempt);
    const spooled_attempt *before = cell_spool_find(&self->spool, &cell->attempt);
    if (!scheduler_worker_holds(self->scheduler, node->number, &tried) || (before != NULL && before->spoiled != NULL)) {
        log_line(LOG_DEBUG, "cell.dropped", "worker=%u job=%u task=%u cell=%u", node->number, tried.job, tried.task,
                 cell->cell);
        return;
    }
    const char *reason = judge_cell(job_list_find(&self->jobs, cell->attempt.job), cell);
    status kept = reason == NULL ? cell_spool_add(&self->spool, node->number, cell) : STATUS_NODE_WRONG;
    if (kept == STATUS_LIMIT)
        reason = "it is more than a task can have";
    if (reason == NULL)
        return; /* kept; or no room now, or adopted by another: it comes again or its attempt ends */
    if (farm_may_log_worker(self))
        log_line(LOG_WARN, "cell.refused", "worker=%u job=%u task=%u cell=%u reason=\"%s\"", node->number, tried.job,
                 tried.task, cell->cell, reason);
    if (cell_spool_spoil(&self->spool, node->number, cell, reason))
        send_attempts(self, node->number, MESSAGE_CANCEL, 0, &cell->attempt);
}

/* ---- RESULT ---- */

enum { INCOMPLETE_MAX = 8, REFUSAL_TEXT_BYTES = 256 };

/*
 * Pictures fail no job, and PUBLISH, which waits for them, is not skipped for want of them: a task ends well without
 * those that could not be made or do not fit. What was interrupted is tried again, see assign().
 */
static bool lacks_pictures(const farm_state *self, const farm_job *job, const message_result *result)
{
    const spooled_attempt *held = cell_spool_find(&self->spool, &result->attempt);
    bool interrupted = result->code == STATUS_CANCELLED || result->code == STATUS_AGAIN;
    if (job_task_kind(job, result->attempt.task) != TASK_EXCERPT)
        return false;
    if ((held != NULL && held->spoiled != NULL) || (result->code != STATUS_OK && !interrupted))
        return true;
    return result->code == STATUS_OK && !payload_fits(TASK_EXCERPT, false, &result->payload);
}

/* A good result that lacks what it must have left is no good result; of a spoiled attempt nothing is believed. */
static status judge_result(const farm_state *self, const worker_node *node, const farm_job *job,
                           const message_result *result, char text[REFUSAL_TEXT_BYTES])
{
    const spooled_attempt *held = cell_spool_find(&self->spool, &result->attempt);
    const plan_task *task = job_task(job, result->attempt.task);
    if (held != NULL && held->spoiled != NULL) {
        snprintf(text, REFUSAL_TEXT_BYTES, "node '%s' sent a wrong cell %u: %s; the task is tried on another node",
                 node->name, held->spoiled_cell, held->spoiled);
        return STATUS_NODE_WRONG;
    }
    if (result->code != STATUS_OK)
        return (status)result->code;
    bool fits = payload_fits(job_task_kind(job, result->attempt.task), task != NULL && task->of_input, &result->payload);
    if (fits && (!makes_cells(task) || result->cell_count == task->cell_count))
        return STATUS_OK;
    snprintf(text, REFUSAL_TEXT_BYTES, "the result of node '%s' is not what this task leaves; it is tried on another node",
             node->name);
    return STATUS_NODE_WRONG;
}

/* Cells of a current attempt that are still missing; the worker sends all of them again (PROTOCOL.md, RESULT). */
static bool cells_missing(const farm_state *self, const farm_job *job, const message_result *result)
{
    const plan_task *task = job_task(job, result->attempt.task);
    task_view view;
    if (result->code != STATUS_OK || !makes_cells(task) ||
        !scheduler_task_view(self->scheduler, job->number, result->attempt.task, &view) || view.state != TASK_RUNNING)
        return false;
    const spooled_attempt *held = cell_spool_find(&self->spool, &result->attempt);
    return held == NULL || held->cell_count < task->cell_count;
}

static void on_result(farm_state *self, const worker_node *node, const message_result *result)
{
    const char *text = result->detail;
    char why[REFUSAL_TEXT_BYTES] = "";
    char missing[ERROR_MESSAGE_SIZE];
    status code = (status)result->code;
    message_bytes payload = result->payload;
    bool none_found = false;
    attempt tried = attempt_of(&result->attempt);
    const farm_job *job = job_list_find(&self->jobs, result->attempt.job);
    if (job != NULL && lacks_pictures(self, job, result)) {
        code = STATUS_OK;
        payload = (message_bytes){0};
    } else if (job != NULL && result->attempt.task < job_task_count(job)) {
        code = judge_result(self, node, job, result, why);
        if (code == STATUS_OK && cells_missing(self, job, result) &&
            scheduler_worker_holds(self->scheduler, node->number, &tried)) {
            uint32_t times = cell_spool_incomplete(&self->spool, node->number, &result->attempt);
            if (farm_may_log_worker(self))
                log_line(LOG_INFO, "result.incomplete", "job=%u task=%u worker=%u times=%u", result->attempt.job,
                         result->attempt.task, node->number, times);
            if (times < INCOMPLETE_MAX)
                return; /* some were lost with a connection: all come again */
            code = STATUS_NODE_WRONG;
            snprintf(why, sizeof why, "node '%s' says that it made this task's cells and does not send them", node->name);
        }
        if (why[0] != '\0')
            text = why;
        uint32_t cell = 0;
        uint32_t other = 0;
        if (code == STATUS_OK && cell_spool_differs(&self->spool, &result->attempt, &cell, &other)) {
            snprintf(why, sizeof why,
                     "workers %u and %u made different things of cell %u of this task, which cannot be: one of the two "
                     "machines computes or reads wrongly",
                     node->number, other, cell);
            code = STATUS_DEFECT;
            text = why;
        }
        none_found = code == STATUS_OK && job_task_kind(job, result->attempt.task) == TASK_PROBE &&
                     payload_finds_none(&result->payload, missing);
        if (none_found && scheduler_asks_another(self->scheduler, &tried)) {
            code = STATUS_INPUT_MISSING; /* where nobody else can look it stays a fact that the plan tells of */
            text = missing;
        }
    }
    attempt_end end = {.worker = node->number,
                       .attempt = result->attempt,
                       .code = code,
                       .detail = text,
                       .elapsed_ms = result->elapsed_ms,
                       .payload = payload,
                       .none_found = none_found};
    farm_step_result(self, &end);
}

/* ---- FETCH ---- */

static void on_fetch(farm_state *self, const worker_node *node, const message_fetch *fetch)
{
    message *chunk = new_message(MESSAGE_CHUNK);
    uint8_t *bytes = malloc(DOCUMENT_CHUNK_MAX);
    const farm_job *job = job_list_find(&self->jobs, fetch->attempt.job);
    if (chunk == NULL || bytes == NULL) {
        free(chunk);
        free(bytes);
        return;
    }
    chunk->chunk = (message_chunk){.attempt = fetch->attempt, .document = fetch->document, .offset = fetch->offset};
    /* A worker reads the documents of the tasks that it was given. */
    attempt tried = attempt_of(&fetch->attempt);
    if (job != NULL && scheduler_worker_holds(self->scheduler, node->number, &tried) &&
        fetch->document < DOCUMENTS_COMPOSED && fetch->offset < INT64_MAX) {
        char path[PATH_MAX_BYTES];
        job_path(job, job_document_file((job_document_id)fetch->document), path);
        int descriptor = open(path, O_RDONLY | O_CLOEXEC);
        off_t size = descriptor < 0 ? 0 : lseek(descriptor, 0, SEEK_END);
        ssize_t part = descriptor < 0 ? 0 : pread(descriptor, bytes, DOCUMENT_CHUNK_MAX, (off_t)fetch->offset);
        if (descriptor >= 0)
            close(descriptor);
        chunk->chunk.total_size = size > 0 ? (uint64_t)size : 0;
        chunk->chunk.bytes = (message_bytes){.bytes = bytes, .size = part > 0 ? (uint32_t)part : 0};
    }
    (void)tell_worker(self, node->number, chunk);
    free(bytes);
    free(chunk);
}

bool farm_worker_message(farm_state *self, const routing_id *from, const access_grant *who, const message *said)
{
    bool theirs = said->type == MESSAGE_HEARTBEAT || said->type == MESSAGE_CELL || said->type == MESSAGE_RESULT ||
                  said->type == MESSAGE_FETCH || said->type == MESSAGE_GOODBYE;
    if (said->type == MESSAGE_HELLO) {
        on_hello(self, from, who, &said->hello);
        return true;
    }
    if (!theirs)
        return false;
    worker_node *node = worker_registry_by_route(&self->workers, from, who->name);
    if (node == NULL) {
        if (said->type != MESSAGE_GOODBYE)
            farm_send_refuse(self, from, STATUS_PEER_REFUSED, unknown_worker);
        return true;
    }
    node->heard_ms = farm_now_ms(self);
    if (said->type == MESSAGE_HEARTBEAT)
        on_heartbeat(self, node, &said->heartbeat);
    else if (said->type == MESSAGE_CELL)
        on_cell(self, node, &said->cell);
    else if (said->type == MESSAGE_RESULT)
        on_result(self, node, &said->result);
    else if (said->type == MESSAGE_FETCH)
        on_fetch(self, node, &said->fetch);
    else
        lose_worker(self, node, LOST_LEFT, "it said goodbye");
    return true;
}

void farm_workers_revoked(farm_state *self)
{
    for (size_t i = 0; i < self->workers.count; i++)
        if (!key_guard_lists(self->guard, self->workers.nodes[i]->owner, self->workers.nodes[i]->key))
            lose_worker(self, self->workers.nodes[i], LOST_UNREACHABLE, "its key was revoked");
}

void farm_workers_tend(farm_state *self)
{
    uint64_t now_ms = farm_now_ms(self);
    if (now_ms <= self->config.lease_ms)
        return;
    size_t at = 0;
    for (worker_node *node; (node = worker_registry_silent(&self->workers, now_ms - self->config.lease_ms, &at)) != NULL;)
        lose_worker(self, node, LOST_UNREACHABLE, "it was silent for a lease");
    if (now_ms > FORGET_NODES_MS)
        worker_registry_forget(&self->workers, now_ms - FORGET_NODES_MS);
}

/* ---- commands of the scheduler ---- */

void farm_tell_task(const farm_state *self, const farm_job *job, const char *event, uint32_t worker, uint32_t task,
                    uint32_t epoch)
{
    const worker_node *node = worker_registry_by_number(&self->workers, worker);
    job_log(job, LOG_DEBUG, event, "task=%u epoch=%u worker=\"%s\" kind=%s", task, epoch, node == NULL ? "-" : node->name,
            task_kind_name((task_kind)job_task_kind(job, task)));
}

/* The farm's number in the names of .part files: whose they are, and whether it lasts. */
static uint64_t farm_in_names(const farm_state *self)
{
    return self->config.private_farm ? self->farm_id & (((uint64_t)1 << PRIVATE_FARM_BITS) - 1) : self->farm_id;
}

static void assign(farm_state *self, const scheduler_command *command)
{
    attempt_id tried = id_of(&command->attempt);
    farm_job *job = job_list_find(&self->jobs, tried.job);
    if (job == NULL || self->stopping)
        return; /* what was not begun is begun again after the next start */
    if (command->worker == SCHEDULER_LOCAL) {
        job_runner_start(self, &tried);
        return;
    }
    attempt_end nothing_to_do = {.worker = command->worker, .attempt = tried, .code = STATUS_OK};
    bool pictures = job_task_kind(job, tried.task) == TASK_EXCERPT;
    /* Reports that have nowhere to go are had by asking. Pictures are given up where another loss would fail their task. */
    if ((job_task_kind(job, tried.task) == TASK_DEPOSIT && !job->source->document.has_out) ||
        (pictures && tried.epoch >= RETRY_LOST_MAX)) {
        farm_step_result(self, &nothing_to_do);
        return;
    }
    byte_writer body;
    byte_writer_init(&body, FRAME_BYTES_MAX);
    error_detail detail = {0};
    status code = job_task_body(job, farm_in_names(self), self->scheduler, tried.task, &body, &detail);
    message *told = code == STATUS_OK ? new_message(MESSAGE_ASSIGN) : NULL;
    if (told != NULL) {
        told->assign.task_count = 1;
        told->assign.tasks[0] = (message_task){.attempt = tried,
                                               .kind = job_task_kind(job, tried.task),
                                               .body = {.bytes = body.bytes, .size = (uint32_t)body.size}};
        (void)tell_worker(self, command->worker, told);
        farm_tell_task(self, job, "task.assigned", command->worker, tried.task, tried.epoch);
    } else if (code != STATUS_OK) {
        attempt_end end = {.worker = command->worker, .attempt = tried, .code = code, .detail = detail.message};
        farm_step_result(self, pictures ? &nothing_to_do : &end);
    }
    free(told);
    byte_writer_deinit(&body);
}

static void task_final(farm_state *self, const scheduler_command *command)
{
    farm_job *job = job_list_find(&self->jobs, command->attempt.job);
    if (job == NULL || command->value > TASK_CANCELLED || command->value == TASK_DONE || command->value == TASK_FAILED)
        return; /* the last two are told where it is known who did it */
    char event[32];
    task_view view = {0};
    (void)scheduler_task_view(self->scheduler, job->number, command->attempt.task, &view);
    snprintf(event, sizeof event, "task.%s", task_state_name((task_state)command->value));
    farm_tell_task(self, job, event, command->worker, command->attempt.task, view.epoch);
}

static void tell_hook(farm_state *self, farm_job *job)
{
    if (job_is_question(job))
        return;
    end_hook_news news = {.job = job->number,
                          .title = job->title == NULL ? "" : job->title,
                          .version = job->version == NULL ? "" : job->version,
                          .verdict = job->has_verdict ? verdict_word_name((verdict_word)job->verdict) : "",
                          .exit_code = job_outcome_of(self, job).exit_code};
    news.document = job_status_json(self, job, &news.document_size);
    if (news.document != NULL)
        end_hook_tell(self->hook, &news);
}

static void job_over(farm_state *self, const scheduler_command *command)
{
    farm_job *job = job_list_find(&self->jobs, command->attempt.job);
    if (job != NULL)
        job_log(job, LOG_INFO, "job.ended", "failed=%s", command->value != 0 ? "yes" : "no");
    if (job != NULL && self->hook != NULL)
        tell_hook(self, job);
}

void farm_command(farm_state *self, const scheduler_command *command)
{
    attempt_id tried = id_of(&command->attempt);
    if (!scheduler_release(self->scheduler, farm_now_ms(self), command))
        return; /* the world moved on while the journal was busy */
    switch (command->type) {
    case COMMAND_ASSIGN:
        assign(self, command);
        break;
    case COMMAND_CANCEL_ATTEMPT:
        /* Local work is short and reads only: it ends by itself and its result is refused. */
        if (command->worker != SCHEDULER_LOCAL)
            send_attempts(self, command->worker, MESSAGE_CANCEL, 0, &tried);
        break;
    case COMMAND_ACK_RESULT:
        if (command->worker != SCHEDULER_LOCAL)
            send_attempts(self, command->worker, MESSAGE_ACK, 0, &tried);
        break;
    case COMMAND_RESULT_REFUSED:
        if (farm_may_log_worker(self))
            log_line(LOG_INFO, "result.late", "job=%u task=%u epoch=%u worker=%u", tried.job, tried.task, tried.epoch,
                     command->worker);
        break;
    case COMMAND_JOB_ACCEPTED:
        client_job_accepted(self, tried.job);
        break;
    case COMMAND_JOB_ENDED:
        job_over(self, command);
        break;
    case COMMAND_TASK_FINAL:
        task_final(self, command);
        break;
    }
}
