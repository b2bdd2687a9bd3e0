/* Attempts: from ASSIGN to ACK. */
#include "common/base/ensure.h"
#include "proto/message_encode.h"
#include "worker/session/session_parts.h"

#include <string.h>

static uint32_t slots_taken(const worker_session *self)
{
    return held_table_count(&self->held, HELD_RUNNING) + held_table_count(&self->held, HELD_STOPPING);
}

void session_start_queued(worker_session *self, session_orders *out)
{
    uint32_t taken = slots_taken(self);
    for (uint32_t i = 0; i < self->held.count; i++) {
        held_attempt *item = &self->held.items[i];
        if (taken >= self->config.slots || self->draining || self->state == SESSION_GONE ||
            self->held.frame_bytes > self->config.spool_bytes_max)
            return;
        if (item->state != HELD_QUEUED)
            continue;
        session_order *order = session_orders_add(out, ORDER_START, item->body, item->body_size);
        order->attempt = item->attempt;
        order->kind = item->kind;
        item->state = HELD_RUNNING;
        item->started_ms = self->now_ms;
        held_table_drop_body(item); /* the order has it now; an attempt is never started twice */
        taken++;
    }
}

/* A RESULT that is said once and not kept. */
static void say_cancelled(worker_session *self, const attempt_id *attempt, const char *detail, session_orders *out)
{
    message what = {.type = MESSAGE_RESULT, .result = {.attempt = *attempt, .code = STATUS_CANCELLED}};
    strncpy(what.result.detail, detail, sizeof what.result.detail - 1);
    session_send(self, &what, out);
}

/* The attempt is over: its RESULT is kept until it is acknowledged. */
static void item_end(worker_session *self, held_attempt *item, const message_result *result, session_orders *out)
{
    message what = {.type = MESSAGE_RESULT, .result = *result};
    what.result.attempt = item->attempt;
    what.result.cell_count = item->cell_count;
    what.result.elapsed_ms = item->started_ms == 0 ? 0 : self->now_ms - item->started_ms;
    byte_writer_reset(&self->frame);
    status code = message_encode(&what, &self->frame);
    ENSURE(code == STATUS_OK); /* a payload within its bound fits */
    held_table_keep_frame(&self->held, item, self->frame.bytes, self->frame.size);
    item->state = HELD_ENDED;
    item->done_permille = 1000;
    item->fetching = false;
    item->sent_ms = self->now_ms;
    if (self->state == SESSION_WELCOMED)
        session_orders_add(out, ORDER_SEND, self->frame.bytes, self->frame.size);
}

static void item_end_cancelled(worker_session *self, held_attempt *item, const char *detail, session_orders *out)
{
    message_result result = {.code = STATUS_CANCELLED};
    strncpy(result.detail, detail, sizeof result.detail - 1);
    held_table_drop_frames(&self->held, item);
    item->cell_count = 0;
    item_end(self, item, &result, out);
}

static void item_kill(held_attempt *item, bool forget, session_orders *out)
{
    if (item->state == HELD_RUNNING)
        session_orders_add(out, ORDER_KILL, "", 0)->attempt = item->attempt;
    item->state = HELD_STOPPING;
    item->forgotten = item->forgotten || forget;
    item->fetching = false;
}

/* ---- news from the coordinator ---- */

/* True when the attempt is to be taken; what it replaces is stopped. */
static bool assign_wanted(worker_session *self, const attempt_id *attempt, session_orders *out)
{
    if (attempt->term != self->term) {
        session_orders_log(out, "event=assign.ignored job=%u task=%u term=%u reason=\"the coordinator's term is %u\"",
                           attempt->job, attempt->task, attempt->term, self->term);
        if (attempt->term > self->term)
            session_greet_again(self); /* the WELCOME of its coordinator was lost */
        return false;
    }
    for (uint32_t i = 0; i < self->held.count;) {
        held_attempt *item = held_table_find_task(&self->held, attempt->job, attempt->task, i);
        if (item == NULL)
            break;
        i = (uint32_t)(item - self->held.items) + 1;
        const attempt_id *old = &item->attempt;
        if (old->term > attempt->term || (old->term == attempt->term && old->epoch >= attempt->epoch))
            return false;
        if (item->state == HELD_RUNNING)
            item_kill(item, false, out);
        else if (item->state == HELD_QUEUED)
            item_end_cancelled(self, item, "replaced by a newer attempt", out);
    }
    return true;
}

static void assign_take(worker_session *self, const message_task *task, session_orders *out)
{
    held_attempt *item =
        held_table_add(&self->held, &task->attempt, (task_kind)task->kind, task->body.bytes, task->body.size);
    if (item == NULL)
        say_cancelled(self, &task->attempt, "the worker holds as many attempts as it can", out);
    else
        item->beat = self->beat;
}

void session_assign(worker_session *self, const message_assign *assign, session_orders *out)
{
    for (uint32_t i = 0; i < assign->task_count; i++) {
        const message_task *task = &assign->tasks[i];
        if (!assign_wanted(self, &task->attempt, out))
            continue;
        if (self->draining)
            say_cancelled(self, &task->attempt, "the worker is draining", out);
        else
            assign_take(self, task, out);
    }
    session_start_queued(self, out);
}

void session_acknowledged(worker_session *self, const message_attempts *acked, session_orders *out)
{
    for (uint32_t i = 0; i < acked->count; i++) {
        held_attempt *item = held_table_find(&self->held, &acked->attempts[i]);
        if (item == NULL)
            continue;
        if (item->state == HELD_ENDED || item->state == HELD_QUEUED)
            held_table_remove(&self->held, item);
        else /* counted elsewhere: nobody waits for it any more */
            item_kill(item, true, out);
    }
    session_start_queued(self, out);
    session_leave_when_done(self, out);
}

void session_cancel(worker_session *self, const message_attempts *cancelled, session_orders *out)
{
    for (uint32_t i = 0; i < cancelled->count; i++) {
        held_attempt *item = held_table_find(&self->held, &cancelled->attempts[i]);
        if (item != NULL && (item->state == HELD_RUNNING || item->state == HELD_STOPPING)) {
            item_kill(item, false, out);
            continue;
        }
        if (item != NULL)
            held_table_remove(&self->held, item);
        say_cancelled(self, &cancelled->attempts[i], "cancelled", out);
    }
    session_start_queued(self, out);
    session_leave_when_done(self, out);
}

void session_send_frames(worker_session *self, held_attempt *item, session_orders *out)
{
    for (size_t i = 0; i < item->frame_count; i++)
        session_orders_add(out, ORDER_SEND, item->frames[i].bytes, item->frames[i].size);
    item->sent_ms = self->now_ms;
}

void session_send_fetch(worker_session *self, held_attempt *item, session_orders *out)
{
    message what = {.type = MESSAGE_FETCH, .fetch = item->fetch};
    session_send(self, &what, out);
    item->fetch_sent_ms = self->now_ms;
}

void session_forget(worker_session *self, bool keep_ended, session_orders *out)
{
    for (uint32_t i = self->held.count; i-- > 0;) {
        held_attempt *item = &self->held.items[i];
        if (item->state == HELD_RUNNING || item->state == HELD_STOPPING) {
            held_table_drop_frames(&self->held, item);
            item_kill(item, true, out);
        } else if (item->state == HELD_QUEUED || !keep_ended) {
            held_table_remove(&self->held, item);
        }
    }
}

void session_return_queued(worker_session *self, session_orders *out)
{
    for (uint32_t i = 0; i < self->held.count; i++) {
        if (self->held.items[i].state == HELD_QUEUED)
            item_end_cancelled(self, &self->held.items[i], "the worker is draining", out);
    }
}

void session_stop_running(worker_session *self, session_orders *out)
{
    for (uint32_t i = 0; i < self->held.count; i++) {
        if (self->held.items[i].state == HELD_RUNNING)
            item_kill(&self->held.items[i], false, out);
    }
}

/* ---- news from executors ---- */

static held_attempt *find_on_executor(worker_session *self, const attempt_id *attempt)
{
    held_attempt *item = held_table_find(&self->held, attempt);
    return item != NULL && (item->state == HELD_RUNNING || item->state == HELD_STOPPING) ? item : NULL;
}

status worker_session_cell(worker_session *self, uint64_t now_ms, attempt_id attempt, const void *frame,
                           size_t byte_size, session_orders *out)
{
    self->now_ms = now_ms;
    held_attempt *item = find_on_executor(self, &attempt);
    if (item == NULL || byte_size > FRAME_BYTES_MAX)
        return STATUS_PEER_IMPOSSIBLE;
    if (item->state == HELD_STOPPING)
        return STATUS_OK; /* made before the kill came */
    if (item->cell_count == TASK_CELLS_MAX)
        return STATUS_PEER_IMPOSSIBLE;
    item->cell_count++;
    held_table_keep_frame(&self->held, item, frame, byte_size);
    if (self->state == SESSION_WELCOMED)
        session_orders_add(out, ORDER_SEND, frame, byte_size);
    return STATUS_OK;
}

void worker_session_progress(worker_session *self, attempt_id attempt, uint32_t done_permille)
{
    held_attempt *item = find_on_executor(self, &attempt);
    if (item != NULL)
        item->done_permille = done_permille < 1000 ? done_permille : 1000;
}

status worker_session_fetch(worker_session *self, const message_fetch *fetch, session_orders *out)
{
    held_attempt *item = find_on_executor(self, &fetch->attempt);
    if (item == NULL)
        return STATUS_PEER_IMPOSSIBLE;
    if (item->state == HELD_STOPPING)
        return STATUS_OK;
    item->fetching = true;
    item->fetch = *fetch;
    item->fetch_sent_ms = self->now_ms;
    if (self->state == SESSION_WELCOMED)
        session_send_fetch(self, item, out);
    return STATUS_OK;
}

status worker_session_ended(worker_session *self, uint64_t now_ms, const message_result *result, session_orders *out)
{
    self->now_ms = now_ms;
    held_attempt *item = find_on_executor(self, &result->attempt);
    if (item == NULL)
        return STATUS_PEER_IMPOSSIBLE;
    if (item->state == HELD_STOPPING && item->forgotten) {
        held_table_remove(&self->held, item);
    } else if (item->state == HELD_STOPPING) {
        item_end_cancelled(self, item, "cancelled", out);
    } else if (result->payload.size > RESULT_PAYLOAD_MAX) {
        message_result over = {.code = STATUS_DEFECT, .detail = "the task's payload is larger than a RESULT may carry"};
        item_end(self, item, &over, out);
    } else {
        item_end(self, item, result, out);
    }
    session_start_queued(self, out);
    session_leave_when_done(self, out);
    return STATUS_OK;
}
