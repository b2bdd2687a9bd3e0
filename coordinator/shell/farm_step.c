/* Events to the scheduler, facts to the journal, and what waits for the journal. */
#define _GNU_SOURCE
#include "coordinator/shell/farm_state.h"

#include "common/base/ensure.h"
#include "coordinator/core/fact_record.h"
#include "coordinator/shell/job_json.h"
#include "proto/message_encode.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t farm_now_ms(const farm_state *self)
{
    (void)self;
    return uv_hrtime() / 1000000;
}

uint64_t farm_unix_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Where nothing is acknowledged any more because the journal is elsewhere, that is the cause, whatever met it first. Exit code 2:
   the service does not start it again by itself, in a state folder that would be empty. */
static bool tell_moved(const farm_state *self, status code, char text[ERROR_MESSAGE_SIZE])
{
    if (code != STATUS_INPUT_CHANGED && (self->journal == NULL || journal_store_in_place(self->journal)))
        return false;
    snprintf(text, ERROR_MESSAGE_SIZE,
             "the journal '%.700s/journal.db' (or its -wal) was renamed, removed or replaced under the running coordinator; nothing "
             "more is acknowledged: put the state folder back as it was, then start it again",
             self->config.state);
    return true;
}

void farm_fail(farm_state *self, status code, const char *format, ...)
{
    char text[ERROR_MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    if (vsnprintf(text, sizeof text, format, arguments) < 0)
        text[0] = '\0';
    va_end(arguments);
    if (self->exit_code == STATUS_OK) {
        self->exit_code = tell_moved(self, code, text) ? STATUS_INPUT_CHANGED : code;
        log_line(LOG_ERROR, "farm.stopped", "class=%s reason=\"%s\"", status_class_name(status_class_of(self->exit_code)), text);
    }
    self->stopping = true;
    uv_stop(&self->loop);
}

/* ---- the journal ---- */

static void append_bytes(farm_state *self, uint32_t kind, const byte_writer *bytes, int sync_descriptor)
{
    if (self->exit_code != STATUS_OK || self->journal == NULL)
        return; /* too late: what is not in the journal did not happen */
    journal_record record = {.sequence = self->appended_sequence + 1,
                             .term = self->term,
                             .kind = kind,
                             .bytes = bytes->bytes,
                             .byte_size = bytes->size};
    status code =
        bytes->failed ? STATUS_NODE_MEMORY : journal_store_append_after(self->journal, &record, sync_descriptor);
    if (code == STATUS_OK) {
        self->appended_sequence++;
        farm_counters_append(&self->counters, uv_hrtime() / 1000, self->appended_sequence);
    } else {
        farm_fail(self, code, "the journal takes no more: %s", status_text(code));
    }
}

void farm_record(farm_state *self, const shell_record *record, int sync_descriptor)
{
    byte_writer bytes;
    byte_writer_init(&bytes, 2 * (size_t)JOB_DOCUMENT_MAX);
    shell_record_encode(record, &bytes);
    append_bytes(self, (uint32_t)record->kind, &bytes, sync_descriptor);
    byte_writer_deinit(&bytes);
}

/* ---- effects ---- */

static deferred_effect *queue_effect(effect_queue *self)
{
    if (self->count == self->capacity) {
        size_t capacity = self->capacity == 0 ? 256 : 2 * self->capacity;
        deferred_effect *items = calloc(capacity, sizeof *items);
        ENSURE(items != NULL); /* a decision that cannot be told cannot be taken back */
        for (size_t i = 0; i < self->count; i++)
            items[i] = self->items[(self->first + i) % self->capacity];
        free(self->items);
        self->items = items;
        self->first = 0;
        self->capacity = capacity;
    }
    deferred_effect *effect = &self->items[(self->first + self->count++) % self->capacity];
    *effect = (deferred_effect){0};
    return effect;
}

void farm_effects_deinit(farm_state *self)
{
    effect_queue *queue = &self->effects;
    for (size_t i = 0; i < queue->count; i++)
        free(queue->items[(queue->first + i) % queue->capacity].frame);
    free(queue->items);
    *queue = (effect_queue){0};
}

static bool encode_frame(farm_state *self, const message *said)
{
    byte_writer_reset(&self->frame);
    if (message_encode(said, &self->frame) == STATUS_OK)
        return true;
    log_line(LOG_ERROR, "message.too_large", "type=%d", (int)said->type);
    return false;
}

bool farm_send(farm_state *self, const routing_id *to, const message *said)
{
    return self->router != NULL && encode_frame(self, said) &&
           router_socket_send(self->router, to, self->frame.bytes, self->frame.size) == STATUS_OK;
}

void farm_answer_durable(farm_state *self, const routing_id *to, const message_answer *answer)
{
    message *told = calloc(1, sizeof *told); /* too large for a stack that is shared with a callback chain */
    ENSURE(told != NULL);
    told->type = MESSAGE_ANSWER;
    told->answer = *answer;
    if (self->effects.frame_bytes < ANSWERS_WAITING_END && encode_frame(self, told)) {
        deferred_effect *effect = queue_effect(&self->effects);
        effect->sequence = self->appended_sequence;
        effect->is_answer = true;
        effect->to = *to;
        effect->frame = byte_writer_detach(&self->frame, &effect->frame_size);
        self->effects.frame_bytes += effect->frame_size;
    }
    free(told);
    farm_pump(self);
}

/* Everything that a callback did is durable or not at the same time, so effects leave strictly in order. */
void farm_pump(farm_state *self)
{
    if (self->pumping)
        return;
    self->pumping = true;
    effect_queue *queue = &self->effects;
    while (queue->count > 0 && !(self->stopping && self->exit_code != STATUS_OK)) {
        pthread_mutex_lock(&self->durable_mutex);
        uint64_t durable = self->durable_sequence;
        pthread_mutex_unlock(&self->durable_mutex);
        deferred_effect effect = queue->items[queue->first];
        if (effect.sequence > durable)
            break;
        queue->first = (queue->first + 1) % queue->capacity;
        queue->count--;
        if (effect.is_answer) {
            if (self->router != NULL && effect.frame != NULL &&
                router_socket_send(self->router, &effect.to, effect.frame, effect.frame_size) != STATUS_OK)
                log_line(LOG_DEBUG, "answer.undelivered", "bytes=%zu", effect.frame_size);
            queue->frame_bytes -= effect.frame_size;
            free(effect.frame);
        } else {
            farm_command(self, &effect.command);
        }
    }
    self->pumping = false;
    farm_arm(self);
}

/* ---- facts ---- */

static attempt_id attempt_of_fact(const scheduler_fact *fact)
{
    return (attempt_id){.job = fact->job, .task = fact->task, .term = fact->term, .epoch = fact->epoch};
}

/* The sentence about a failed attempt: the worker's own, or what we know. */
static void note_failure(farm_state *self, const scheduler_fact *fact, const attempt_end *end)
{
    farm_job *job = job_list_find(&self->jobs, fact->job);
    if (job == NULL || fact->code == STATUS_OK || fact->value == TASK_CANCELLED || fact->code == STATUS_CANCELLED)
        return;
    farm_counters_failure(&self->counters, fact->code);
    const char *text = status_text(fact->code);
    attempt_id over = attempt_of_fact(fact);
    bool ours = end != NULL && attempt_id_equal(&end->attempt, &over);
    if (ours && end->detail != NULL && end->detail[0] != '\0')
        text = end->detail;
    const worker_node *node = worker_registry_by_number(&self->workers, fact->worker);
    char what[PATH_MAX_BYTES];
    job_task_what(job, fact->task, what, sizeof what);
    job_error_add(job, fact->task, fact->code, fact->value == TASK_FAILED, text);
    job_log(job, fact->value == TASK_FAILED ? LOG_ERROR : LOG_WARN, "task.failed",
            "task=%u epoch=%u term=%u worker=\"%s\" kind=%s what=\"%s\" final=%s text=\"%s\"", fact->task, fact->epoch,
            fact->term, node != NULL ? node->name : "-", task_kind_name((task_kind)job_task_kind(job, fact->task)), what,
            fact->value == TASK_FAILED ? "yes" : "no", text);
}

static void note_job_ended(farm_state *self, const scheduler_fact *fact)
{
    farm_job *job = job_list_find(&self->jobs, fact->job);
    if (job == NULL)
        return;
    job->ended = true;
    job->touched_ms = farm_now_ms(self);
    job->failed = fact->value != 0;
    job->ended_unix_ms = farm_unix_ms();
    path_claims_release(&self->claims, job->number);
    cell_file_close(&job->cells);
    job_outcome outcome = job_outcome_of(self, job);
    shell_record record = {.kind = RECORD_ENDED,
                           .ended = {.job = job->number,
                                     .ended_unix_ms = job->ended_unix_ms,
                                     .held = job->held,
                                     .has_verdict = job->has_verdict,
                                     .verdict = job->has_verdict ? (uint8_t)job->verdict : 0,
                                     .exit_code = (uint8_t)outcome.exit_code,
                                     .code = outcome.code}};
    snprintf(record.ended.message, sizeof record.ended.message, "%s", outcome.message);
    farm_record(self, &record, -1);
    farm_forecast_learn_job(self, job);
    farm_forecast_keep(self, false);
}

/* What runs again has left nothing yet. */
static void note_job_retried(farm_state *self, uint32_t number)
{
    farm_job *job = job_list_find(&self->jobs, number);
    if (job == NULL)
        return;
    job->ended = job->failed = job->cancelled = job->held = job->has_verdict = job->began_alone = false;
    job->ended_unix_ms = job->predicted_unix_ms = job->predicted_ms = 0;
    job->error_count = job->error_dropped = 0;
    for (uint32_t task = 0; task < job->result_count; task++) {
        task_view view;
        if (!scheduler_task_view(self->scheduler, number, task, &view) || view.state != TASK_DONE)
            job_result_drop(job, task);
    }
    job_generations_raise(job, self->scheduler);
}

static void journal_fact(farm_state *self, const scheduler_fact *fact, byte_writer *bytes)
{
    byte_writer_reset(bytes);
    fact_record_encode(fact, bytes);
    append_bytes(self, RECORD_FACT, bytes, -1);
}

void farm_record_forgotten(farm_state *self, uint32_t number)
{
    const scheduler_fact fact = {.type = FACT_JOB_FORGOTTEN, .job = number};
    byte_writer bytes;
    byte_writer_init(&bytes, 4096);
    journal_fact(self, &fact, &bytes);
    byte_writer_deinit(&bytes);
}

static void note_facts(farm_state *self, const attempt_end *end)
{
    byte_writer bytes;
    byte_writer_init(&bytes, 4096);
    for (size_t i = 0; i < self->output.fact_count; i++) {
        const scheduler_fact *fact = &self->output.facts[i];
        journal_fact(self, fact, &bytes);
        if (fact->type == FACT_TASK_ENDED && fact->value != TASK_DONE) {
            attempt_id over = attempt_of_fact(fact);
            cell_spool_drop(&self->spool, &over);
            note_failure(self, fact, end);
        } else if (fact->type == FACT_TASK_ENDED) {
            const farm_job *job = job_list_find(&self->jobs, fact->job);
            if (job != NULL)
                farm_tell_task(self, job, "task.done", fact->worker, fact->task, fact->epoch);
        } else if (fact->type == FACT_JOB_ENDED) {
            note_job_ended(self, fact);
        } else if (fact->type == FACT_JOB_RETRIED) {
            note_job_retried(self, fact->job);
        } else if (fact->type == FACT_JOB_CANCELLED) {
            farm_job *job = job_list_find(&self->jobs, fact->job);
            if (job != NULL)
                job->cancelled = true;
        } else if (fact->type == FACT_JOB_PRIORITY) {
            farm_job *job = job_list_find(&self->jobs, fact->job);
            if (job != NULL)
                job->priority = fact->priority;
        }
    }
    byte_writer_deinit(&bytes);
}

static void queue_commands(farm_state *self)
{
    for (size_t i = 0; i < self->output.command_count; i++) {
        deferred_effect *effect = queue_effect(&self->effects);
        effect->sequence = self->appended_sequence; /* at or after the fact it rests on */
        effect->command = self->output.commands[i];
    }
}

status farm_step(farm_state *self, const scheduler_event *event)
{
    status code = scheduler_step(self->scheduler, farm_now_ms(self), event, &self->output);
    note_facts(self, NULL);
    queue_commands(self);
    farm_pump(self);
    return code;
}

void farm_event(farm_state *self, const scheduler_event *event)
{
    status code = farm_step(self, event);
    if (code != STATUS_OK)
        log_line(LOG_DEBUG, "event.refused", "type=%d code=\"%s\"", (int)event->type, status_text(code));
}

/* ---- results ---- */

/* How the step judged the attempt: TASK_DONE, another state, or TASK_RUNNING's neighbour -1 for "does not count". */
static int judged(const farm_state *self, const attempt_id *tried)
{
    for (size_t i = 0; i < self->output.fact_count; i++) {
        const scheduler_fact *fact = &self->output.facts[i];
        attempt_id over = attempt_of_fact(fact);
        if (fact->type == FACT_TASK_ENDED && attempt_id_equal(&over, tried))
            return (int)fact->value;
    }
    return -1;
}

/* Opens the job's measure file behind the last stretch that the journal knows. */
static status need_cell_file(farm_job *job, error_detail *detail)
{
    if (job->cells.descriptor >= 0)
        return STATUS_OK;
    uint64_t end = 0;
    for (uint32_t i = 0; i < job->result_count; i++) {
        const cell_stretch *cells = &job->results[i].cells;
        if (job->results[i].done && cells->offset + cells->byte_size > end)
            end = cells->offset + cells->byte_size;
    }
    char path[PATH_MAX_BYTES];
    job_path(job, "cells", path);
    return cell_file_open(&job->cells, path, end, job->keep, detail);
}

/* The attempt counts: its cells and what it left, before the fact that says so. */
static status keep_result(farm_state *self, const attempt_end *end)
{
    farm_job *job = job_list_find(&self->jobs, end->attempt.job);
    if (job == NULL)
        return STATUS_DEFECT;
    shell_record record = {.kind = RECORD_RESULT,
                           .result = {.attempt = end->attempt,
                                      .code = (uint32_t)end->code,
                                      .elapsed_ms = end->elapsed_ms,
                                      .payload = end->payload}};
    const spooled_attempt *held = cell_spool_find(&self->spool, &end->attempt);
    status code = STATUS_OK;
    error_detail detail = {0};
    if (held != NULL && held->cell_count > 0) {
        code = need_cell_file(job, &detail);
        if (code == STATUS_OK)
            code = cell_file_write(&job->cells, held->records.bytes, held->records.size, &record.result.cells, &detail);
        if (code != STATUS_OK) {
            farm_fail(self, code, "%s", detail.message);
            return code;
        }
        cell_file_keep(&job->cells, &record.result.cells);
        record.result.cell_count = held->cell_count;
    }
    if (!job_result_keep(job, end->attempt.task, &end->payload, &record.result.cells))
        return STATUS_NODE_MEMORY;
    job->results[end->attempt.task].spent_ms = end->elapsed_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)end->elapsed_ms;
    if (held != NULL && held->cell_count > 0)
        code = job_outputs_keep(job, end->attempt.task, held->records.bytes, held->records.size);
    farm_record(self, &record, held != NULL && held->cell_count > 0 ? job->cells.descriptor : -1);
    return code;
}

static void record_failure(farm_state *self, const attempt_end *end)
{
    shell_record record = {
        .kind = RECORD_RESULT,
        .result = {.attempt = end->attempt, .code = (uint32_t)end->code, .elapsed_ms = end->elapsed_ms}};
    if (end->detail != NULL)
        snprintf(record.result.detail, sizeof record.result.detail, "%s", end->detail);
    /* Why a plan could not be made is in the payload; of others nothing is kept. */
    if (end->worker == SCHEDULER_LOCAL)
        record.result.payload = end->payload;
    farm_record(self, &record, -1);
}

void farm_step_result(farm_state *self, const attempt_end *end)
{
    scheduler_event event = {.type = EVENT_TASK_RESULT,
                             .result = {.worker = end->worker,
                                        .attempt = {.job = end->attempt.job,
                                                    .task = end->attempt.task,
                                                    .term = end->attempt.term,
                                                    .epoch = end->attempt.epoch},
                                        .code = end->code,
                                        .none_found = end->none_found}};
    status code = scheduler_step(self->scheduler, farm_now_ms(self), &event, &self->output);
    int state = judged(self, &end->attempt);
    status kept = STATUS_OK;
    if (state == TASK_DONE) {
        kept = keep_result(self, end);
        farm_forecast_learn(self, end);
        farm_count_result(self, end);
    } else if (state >= 0)
        record_failure(self, end);
    if (kept != STATUS_OK) {
        farm_fail(self, kept, "the result of task %u of job %u cannot be kept: %s", end->attempt.task, end->attempt.job,
                  status_text(kept));
        return;
    }
    if (state != TASK_DONE || code != STATUS_OK)
        cell_spool_drop(&self->spool, &end->attempt);
    note_facts(self, end);
    if (state == TASK_DONE)
        cell_spool_drop_task(&self->spool, end->attempt.job, end->attempt.task);
    queue_commands(self);
    if (code != STATUS_OK && farm_may_log_worker(self))
        log_line(LOG_WARN, "result.refused", "job=%u task=%u worker=%u code=\"%s\"", end->attempt.job,
                 end->attempt.task, end->worker, status_text(code));
    farm_pump(self);
}
