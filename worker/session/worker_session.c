#include "worker/session/worker_session.h"

#include "common/base/ensure.h"
#include "common/media/render_program.h"
#include "proto/message_decode.h"
#include "proto/message_encode.h"
#include "worker/session/session_parts.h"

#include <stdlib.h>
#include <string.h>

/* HELLOs come soon at first, then ever later. What is said before there is a connection is lost. */
static uint32_t hello_wait_first_ms(const worker_session *self)
{
    uint32_t first = self->config.hello_interval_ms / 16;
    return first > 0 ? first : 1;
}

worker_session *worker_session_create(const worker_session_config *config)
{
    ENSURE(config->slots >= 1 && config->slots <= WORKER_SLOTS_MAX && config->root_count <= ROOTS_MAX);
    worker_session *self = calloc(1, sizeof *self);
    ENSURE(self != NULL);
    self->config = *config;
    self->hello_wait_ms = hello_wait_first_ms(self);
    byte_writer_init(&self->frame, FRAME_BYTES_MAX);
    return self;
}

void worker_session_destroy(worker_session **self)
{
    if (*self == NULL)
        return;
    held_table_deinit(&(*self)->held);
    byte_writer_deinit(&(*self)->frame);
    free(*self);
    *self = NULL;
}

uint32_t worker_session_held_count(const worker_session *self)
{
    return self->held.count;
}

void session_send(worker_session *self, const message *what, session_orders *out)
{
    byte_writer_reset(&self->frame);
    status code = message_encode(what, &self->frame);
    ENSURE(code == STATUS_OK); /* messages of this module are far below a frame */
    session_orders_add(out, ORDER_SEND, self->frame.bytes, self->frame.size);
}

/* ---- beats: what was sent when, so that an answer proves contact at that time ---- */

static uint32_t beat_next(worker_session *self, bool hello)
{
    if (++self->beat == 0)
        self->beat = 1;
    self->beats[self->beat % BEATS_KEPT] = (sent_beat){.beat = self->beat, .hello = hello, .sent_ms = self->now_ms};
    return self->beat;
}

static const sent_beat *beat_find(const worker_session *self, uint32_t beat, bool hello)
{
    const sent_beat *sent = &self->beats[beat % BEATS_KEPT];
    return beat != 0 && sent->beat == beat && sent->hello == hello ? sent : NULL;
}

/* ---- HELLO and HEARTBEAT ---- */

static bool session_waits_for_dead(const worker_session *self)
{
    for (uint32_t i = 0; i < self->held.count; i++) {
        if (self->held.items[i].state == HELD_STOPPING && self->held.items[i].forgotten)
            return true;
    }
    return false;
}

static void session_say_hello(worker_session *self, session_orders *out)
{
    message what = {.type = MESSAGE_HELLO};
    message_hello *hello = &what.hello;
    hello->protocol_version = PROTOCOL_VERSION;
    hello->render_version = RENDER_VERSION;
    memcpy(hello->engine, self->config.engine, sizeof hello->engine);
    memcpy(hello->instance, self->config.instance, sizeof hello->instance);
    memcpy(hello->name, self->config.name, sizeof hello->name);
    memcpy(hello->cpu, self->config.cpu, sizeof hello->cpu);
    memcpy(hello->roots, self->config.roots, sizeof hello->roots);
    hello->slots = self->config.slots;
    hello->root_count = self->config.root_count;
    hello->term = self->term;
    hello->farm = self->farm;
    hello->beat = beat_next(self, true);
    for (uint32_t i = 0; i < self->held.count; i++)
        hello->held[hello->held_count++] = self->held.items[i].attempt;
    session_send(self, &what, out);
    self->hello_sent_ms = self->now_ms;
    self->hello_due_ms = self->now_ms + self->hello_wait_ms;
    uint32_t twice = 2 * self->hello_wait_ms;
    self->hello_wait_ms = twice < self->config.hello_interval_ms ? twice : self->config.hello_interval_ms;
}

static void session_say_heartbeat(worker_session *self, session_orders *out)
{
    message what = {.type = MESSAGE_HEARTBEAT};
    message_heartbeat *heartbeat = &what.heartbeat;
    heartbeat->beat = beat_next(self, false);
    heartbeat->draining = self->draining;
    for (uint32_t i = 0; i < self->held.count; i++) {
        const held_attempt *item = &self->held.items[i];
        heartbeat->running[heartbeat->running_count++] =
            (message_progress){.attempt = item->attempt, .done_permille = item->done_permille};
    }
    session_send(self, &what, out);
    self->heartbeat_due_ms = self->now_ms + self->heartbeat_ms;
}

/* ---- the coordinator's answers ---- */

void session_greet_again(worker_session *self)
{
    uint64_t earliest = self->hello_sent_ms + self->config.hello_interval_ms;
    if (self->state == SESSION_WELCOMED)
        self->hello_wait_ms = hello_wait_first_ms(self);
    self->state = SESSION_GREETING;
    self->hello_due_ms = earliest > self->now_ms && self->hello_sent_ms != 0 ? earliest : self->now_ms;
}

static void session_exit(worker_session *self, int code, session_orders *out)
{
    self->state = SESSION_GONE;
    session_orders_add(out, ORDER_EXIT, "", 0)->value = code;
}

/*
 * A coordinator that restarted welcomes a HELLO that was said before its predecessor's last ASSIGN came (both waited in
 * the network). It does not know that the task runs here and gives it to somebody else when its own patience ends; so
 * its welcome is no contact for such a task.
 */
static bool session_holds_unlisted(const worker_session *self, const message_welcome *welcome)
{
    for (uint32_t i = 0; i < self->held.count; i++) {
        const held_attempt *item = &self->held.items[i];
        bool unlisted = welcome->beat - item->beat == 0 || welcome->beat - item->beat > UINT32_MAX / 2;
        if (unlisted && item->attempt.term < welcome->term && (item->state == HELD_QUEUED || item->state == HELD_RUNNING))
            return true;
    }
    return false;
}

static void session_fence(worker_session *self, session_orders *out)
{
    session_forget(self, true, out);
    self->leased = false;
    session_greet_again(self);
}

static void session_welcomed(worker_session *self, const message_welcome *welcome, session_orders *out)
{
    const sent_beat *hello = beat_find(self, welcome->beat, true);
    if (hello == NULL || hello->sent_ms + welcome->lease_ms <= self->now_ms) {
        session_orders_log(out, "event=welcome.ignored beat=%u reason=\"it answers no HELLO of late\"", welcome->beat);
        return;
    }
    if (welcome->farm == self->farm && welcome->term < self->term) {
        session_orders_log(out, "event=welcome.ignored term=%u reason=\"term %u was seen in this farm\"", welcome->term,
                           self->term);
        return;
    }
    bool news = self->state == SESSION_GREETING;
    if (self->farm != 0 && welcome->farm != self->farm) {
        session_orders_log(out, "event=farm.changed reason=\"what was held belongs to another farm\"");
        session_forget(self, false, out);
    }
    bool unlisted = session_holds_unlisted(self, welcome);
    self->farm = welcome->farm;
    self->term = welcome->term;
    self->heartbeat_ms = welcome->heartbeat_ms;
    self->lease_ms = welcome->lease_ms;
    if (unlisted) {
        session_orders_log(out, "event=fenced held=%u reason=\"the coordinator of term %u does not know what runs here\"",
                           self->held.count, welcome->term);
        session_fence(self, out);
        return;
    }
    self->contact_ms = self->leased && self->contact_ms > hello->sent_ms ? self->contact_ms : hello->sent_ms;
    self->leased = true;
    self->state = SESSION_WELCOMED;
    if (!news)
        return;
    session_orders_log(out, "event=welcomed worker=%u term=%u", welcome->worker, welcome->term);
    self->heartbeat_due_ms = self->now_ms + (self->draining ? 0 : self->heartbeat_ms);
    for (uint32_t i = 0; i < self->held.count; i++) {
        held_attempt *item = &self->held.items[i];
        session_send_frames(self, item, out);
        if (item->fetching)
            session_send_fetch(self, item, out);
    }
}

static void session_refused(worker_session *self, const message_refuse *refuse, session_orders *out)
{
    status code = refuse->code < STATUS_COUNT ? (status)refuse->code : STATUS_PEER_REFUSED;
    status_class class = status_class_of(code);
    session_orders_log(out, "event=refused code=%u detail=\"%s\"", refuse->code, refuse->detail);
    if (code == STATUS_PEER_VERSION || class == STATUS_CLASS_INPUT || class == STATUS_CLASS_LIMIT)
        session_exit(self, EXIT_REFUSED, out);
    else if (class == STATUS_CLASS_STORAGE)
        session_exit(self, EXIT_AGAIN, out);
    else
        session_greet_again(self);
}

static void session_heard_beat(worker_session *self, uint32_t beat)
{
    const sent_beat *sent = beat_find(self, beat, false);
    if (sent != NULL && self->leased && sent->sent_ms > self->contact_ms)
        self->contact_ms = sent->sent_ms;
}

static void session_chunk(worker_session *self, const message_chunk *chunk, const void *frame, size_t byte_size,
                          session_orders *out)
{
    held_attempt *item = held_table_find(&self->held, &chunk->attempt);
    if (item == NULL || !item->fetching || item->fetch.document != chunk->document ||
        item->fetch.offset != chunk->offset)
        return; /* asked twice, answered twice */
    item->fetching = false;
    session_orders_add(out, ORDER_GIVE_CHUNK, frame, byte_size)->attempt = chunk->attempt;
}

static void session_drain_begin(worker_session *self, session_orders *out)
{
    if (self->draining)
        return;
    self->draining = true;
    session_orders_log(out, "event=draining held=%u", self->held.count);
    session_return_queued(self, out);
    if (self->state == SESSION_WELCOMED)
        session_say_heartbeat(self, out);
}

static status session_dispatch(worker_session *self, const message *what, const void *frame, size_t byte_size,
                               session_orders *out)
{
    switch ((int)what->type) {
    case MESSAGE_WELCOME:
        session_welcomed(self, &what->welcome, out);
        return STATUS_OK;
    case MESSAGE_REFUSE:
        session_refused(self, &what->refuse, out);
        return STATUS_OK;
    case MESSAGE_ASSIGN:
        if (self->state == SESSION_WELCOMED) /* otherwise it was meant for who this was before */
            session_assign(self, &what->assign, out);
        return STATUS_OK;
    case MESSAGE_ACK:
        session_heard_beat(self, what->attempts.beat);
        session_acknowledged(self, &what->attempts, out);
        return STATUS_OK;
    case MESSAGE_CANCEL:
        session_cancel(self, &what->attempts, out);
        return STATUS_OK;
    case MESSAGE_DRAIN:
        session_drain_begin(self, out);
        return STATUS_OK;
    case MESSAGE_CHUNK:
        session_chunk(self, &what->chunk, frame, byte_size, out);
        return STATUS_OK;
    default:
        session_orders_log(out, "event=message.impossible type=%s", message_type_name(what->type));
        return STATUS_PEER_IMPOSSIBLE; /* a worker's or a client's message */
    }
}

status worker_session_receive(worker_session *self, uint64_t now_ms, const void *frame, size_t byte_size,
                              session_orders *out)
{
    message what;
    error_detail detail = {0};
    self->now_ms = now_ms;
    if (self->state == SESSION_GONE)
        return STATUS_OK;
    status code = message_decode(&what, frame, byte_size, NULL, &detail);
    if (code == STATUS_OK)
        code = session_dispatch(self, &what, frame, byte_size, out);
    else
        session_orders_log(out, "event=message.malformed detail=\"%s\"", detail.message);
    session_start_queued(self, out);
    session_leave_when_done(self, out);
    return code;
}

/* ---- leaving ---- */

void session_leave_when_done(worker_session *self, session_orders *out)
{
    if (!self->draining || self->state == SESSION_GONE)
        return;
    uint32_t ended = held_table_count(&self->held, HELD_ENDED);
    if (self->held.count != ended)
        return;
    /* Results are worth waiting for while there is somebody to take them. */
    if (ended > 0 && !self->leaving && self->leased)
        return;
    if (self->state == SESSION_WELCOMED) {
        message what = {.type = MESSAGE_GOODBYE};
        session_send(self, &what, out);
    }
    session_exit(self, EXIT_DRAINED, out);
}

status worker_session_drain(worker_session *self, uint64_t now_ms, session_orders *out)
{
    self->now_ms = now_ms;
    if (self->state == SESSION_GONE)
        return STATUS_OK;
    if (self->draining) {
        self->leaving = true;
        session_stop_running(self, out);
    } else {
        session_drain_begin(self, out);
    }
    session_leave_when_done(self, out);
    return STATUS_OK;
}

/* ---- time ---- */

static uint64_t resend_after_ms(const worker_session *self)
{
    return self->lease_ms / 3 > 0 ? self->lease_ms / 3 : 1;
}

status worker_session_tick(worker_session *self, uint64_t now_ms, session_orders *out)
{
    self->now_ms = now_ms;
    if (self->state == SESSION_GONE)
        return STATUS_OK;
    if (self->leased && now_ms >= self->contact_ms + self->lease_ms) {
        session_orders_log(out, "event=fenced held=%u reason=\"no answer from the coordinator for %u ms\"",
                           self->held.count, self->lease_ms);
        session_fence(self, out);
    }
    if (self->state == SESSION_GREETING && now_ms >= self->hello_due_ms && !session_waits_for_dead(self))
        session_say_hello(self, out);
    if (self->state == SESSION_WELCOMED) {
        if (now_ms >= self->heartbeat_due_ms)
            session_say_heartbeat(self, out);
        for (uint32_t i = 0; i < self->held.count; i++) {
            held_attempt *item = &self->held.items[i];
            if (item->state == HELD_ENDED && now_ms >= item->sent_ms + resend_after_ms(self))
                session_send_frames(self, item, out);
            if (item->fetching && now_ms >= item->fetch_sent_ms + resend_after_ms(self))
                session_send_fetch(self, item, out);
        }
    }
    session_start_queued(self, out);
    session_leave_when_done(self, out);
    return STATUS_OK;
}

void worker_session_connected(worker_session *self, uint64_t now_ms)
{
    if (self->state == SESSION_GONE)
        return;
    self->state = SESSION_GREETING;
    self->hello_due_ms = now_ms;
    self->hello_wait_ms = hello_wait_first_ms(self);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t worker_session_next_deadline_ms(const worker_session *self)
{
    uint64_t due = UINT64_MAX;
    if (self->state == SESSION_GONE)
        return due;
    if (self->leased)
        due = earlier(due, self->contact_ms + self->lease_ms);
    if (self->state == SESSION_GREETING)
        return session_waits_for_dead(self) ? due : earlier(due, self->hello_due_ms);
    due = earlier(due, self->heartbeat_due_ms);
    for (uint32_t i = 0; i < self->held.count; i++) {
        const held_attempt *item = &self->held.items[i];
        if (item->state == HELD_ENDED)
            due = earlier(due, item->sent_ms + resend_after_ms(self));
        if (item->fetching)
            due = earlier(due, item->fetch_sent_ms + resend_after_ms(self));
    }
    return due;
}
