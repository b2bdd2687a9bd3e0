#include "tests/unit/worker_session/session_stage.h"

#include "common/base/byte_writer.h"
#include "proto/message_decode.h"
#include "proto/message_encode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

void stage_begin(session_stage *self, uint32_t slots, size_t spool_bytes_max)
{
    *self = (session_stage){.now_ms = 100000};
    worker_session_config config = {.name = "node-1",
                                    .engine = "reelmill test",
                                    .cpu = "scalar",
                                    .slots = slots,
                                    .root_count = 1,
                                    .roots = {{.name = "out", .writable = true}},
                                    .hello_interval_ms = STAGE_HELLO_MS,
                                    .spool_bytes_max = spool_bytes_max};
    memset(config.instance, 0xAB, sizeof config.instance);
    self->session = worker_session_create(&config);
}

void stage_end(session_stage *self)
{
    stage_quiet(self);
    worker_session_destroy(&self->session);
    session_orders_deinit(&self->orders);
}

static void forget_read(session_stage *self)
{
    stage_quiet(self);
    session_orders_clear(&self->orders);
    self->next = 0;
}

void stage_tick(session_stage *self, uint64_t now_ms)
{
    forget_read(self);
    assert_true(now_ms >= self->now_ms);
    self->now_ms = now_ms;
    assert_int_equal(worker_session_tick(self->session, now_ms, &self->orders), STATUS_OK);
}

void stage_told(session_stage *self, const message *what)
{
    forget_read(self);
    byte_writer writer;
    byte_writer_init(&writer, FRAME_BYTES_MAX);
    assert_int_equal(message_encode(what, &writer), STATUS_OK);
    assert_int_equal(
        worker_session_receive(self->session, self->now_ms, writer.bytes, writer.size, &self->orders), STATUS_OK);
    byte_writer_deinit(&writer);
}

void stage_told_attempts(session_stage *self, message_type type, attempt_id attempt)
{
    message what = {.type = type, .attempts = {.count = 1, .attempts = {attempt}}};
    stage_told(self, &what);
}

void stage_assign(session_stage *self, attempt_id attempt)
{
    message what = {.type = MESSAGE_ASSIGN,
                    .assign = {.task_count = 1, .tasks = {{attempt, TASK_RENDER, {(const uint8_t *)"body", 4}}}}};
    stage_told(self, &what);
}

void stage_cell(session_stage *self, attempt_id attempt, uint32_t cell)
{
    forget_read(self);
    message what = {.type = MESSAGE_CELL, .cell = {.attempt = attempt, .cell = cell}};
    byte_writer writer;
    byte_writer_init(&writer, FRAME_BYTES_MAX);
    assert_int_equal(message_encode(&what, &writer), STATUS_OK);
    assert_int_equal(worker_session_cell(self->session, self->now_ms, attempt, writer.bytes, writer.size,
                                         &self->orders),
                     STATUS_OK);
    byte_writer_deinit(&writer);
}

void stage_ended(session_stage *self, attempt_id attempt, status code)
{
    forget_read(self);
    message_result result = {.attempt = attempt, .code = code, .detail = "said by the test"};
    assert_int_equal(worker_session_ended(self->session, self->now_ms, &result, &self->orders), STATUS_OK);
}

void stage_welcomed(session_stage *self, uint64_t farm, uint32_t term)
{
    message welcome = {.type = MESSAGE_WELCOME,
                       .welcome = {.beat = self->last_beat,
                                   .term = term,
                                   .farm = farm,
                                   .worker = 1,
                                   .heartbeat_ms = STAGE_HEARTBEAT_MS,
                                   .lease_ms = STAGE_LEASE_MS}};
    stage_told(self, &welcome);
}

void stage_refused(session_stage *self)
{
    message refuse = {.type = MESSAGE_REFUSE, .refuse = {.code = STATUS_PEER_REFUSED, .detail = "unknown worker"}};
    stage_told(self, &refuse);
}

void stage_welcome(session_stage *self)
{
    stage_tick(self, self->now_ms);
    stage_sent(self, MESSAGE_HELLO);
    stage_welcomed(self, STAGE_FARM, STAGE_TERM);
}

void stage_begin_welcome(session_stage *self, uint32_t slots)
{
    stage_begin(self, slots, STAGE_SPOOL_PLENTY);
    stage_welcome(self);
}

void stage_begin_at_work(session_stage *self)
{
    stage_begin_welcome(self, 1);
    stage_assign(self, stage_attempt(1, 1));
    stage_ordered(self, ORDER_START);
}

const session_order *stage_ordered(session_stage *self, session_order_type type)
{
    while (self->next < self->orders.count && self->orders.items[self->next].type == ORDER_LOG && type != ORDER_LOG)
        self->next++;
    if (self->next == self->orders.count)
        fail_msg("an order of type %d was expected, and there is none", (int)type);
    const session_order *order = &self->orders.items[self->next++];
    assert_int_equal(order->type, type);
    return order;
}

const message *stage_sent(session_stage *self, message_type type)
{
    const session_order *order = stage_ordered(self, ORDER_SEND);
    assert_int_equal(message_decode(&self->last, order->bytes, order->byte_size, NULL, NULL), STATUS_OK);
    assert_string_equal(message_type_name(self->last.type), message_type_name(type));
    if (type == MESSAGE_HELLO)
        self->last_beat = self->last.hello.beat;
    if (type == MESSAGE_HEARTBEAT)
        self->last_beat = self->last.heartbeat.beat;
    return &self->last;
}

void stage_quiet(session_stage *self)
{
    for (; self->next < self->orders.count; self->next++) {
        if (self->orders.items[self->next].type != ORDER_LOG)
            fail_msg("an order of type %d was not expected", (int)self->orders.items[self->next].type);
    }
}

void stage_echo(session_stage *self)
{
    message what = {.type = MESSAGE_ACK, .attempts = {.beat = self->last_beat}};
    stage_told(self, &what);
}

attempt_id stage_attempt(uint32_t task, uint32_t epoch)
{
    return (attempt_id){.job = 1, .task = task, .term = STAGE_TERM, .epoch = epoch};
}

void stage_assert_attempt(const attempt_id *got, attempt_id wanted)
{
    assert_true(attempt_id_equal(got, &wanted));
}
