/* The worker's half of PROTOCOL.md, section by section; test_session_greeting.c has how it gets to know its coordinator. */
#include "tests/unit/worker_session/session_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* ---- tasks ---- */

static void worker_session__runs_a_task_and_keeps_its_result_until_acknowledged(void **state)
{
    (void)state;
    session_stage stage;
    stage_begin_welcome(&stage, 1);
    stage_assign(&stage, stage_attempt(5, 2));
    const session_order *start = stage_ordered(&stage, ORDER_START);
    stage_assert_attempt(&start->attempt, stage_attempt(5, 2));
    assert_int_equal(start->kind, TASK_RENDER);
    assert_int_equal(start->byte_size, 4);
    assert_memory_equal(start->bytes, "body", 4);
    worker_session_progress(stage.session, stage_attempt(5, 2), 400);
    stage_tick(&stage, stage.now_ms + STAGE_HEARTBEAT_MS);
    const message *beat = stage_sent(&stage, MESSAGE_HEARTBEAT);
    assert_int_equal(beat->heartbeat.running_count, 1);
    assert_int_equal(beat->heartbeat.running[0].done_permille, 400);
    stage_echo(&stage);
    stage.now_ms += 10;
    stage_cell(&stage, stage_attempt(5, 2), 7);
    assert_int_equal(stage_sent(&stage, MESSAGE_CELL)->cell.cell, 7);
    stage_ended(&stage, stage_attempt(5, 2), STATUS_OK);
    const message *result = stage_sent(&stage, MESSAGE_RESULT);
    assert_int_equal(result->result.code, STATUS_OK);
    assert_int_equal(result->result.cell_count, 1);
    assert_int_equal(result->result.elapsed_ms, STAGE_HEARTBEAT_MS + 10);
    uint64_t sent_ms = stage.now_ms;
    /* Not acknowledged: everything comes again after a third of the lease, in order; heartbeats list it till then. */
    while (stage.now_ms + STAGE_HEARTBEAT_MS < sent_ms + STAGE_LEASE_MS / 3) {
        stage_tick(&stage, stage.now_ms + STAGE_HEARTBEAT_MS);
        assert_int_equal(stage_sent(&stage, MESSAGE_HEARTBEAT)->heartbeat.running[0].done_permille, 1000);
        stage_echo(&stage);
    }
    assert_int_equal(worker_session_next_deadline_ms(stage.session), sent_ms + STAGE_LEASE_MS / 3);
    stage_tick(&stage, sent_ms + STAGE_LEASE_MS / 3);
    stage_sent(&stage, MESSAGE_HEARTBEAT);
    stage_sent(&stage, MESSAGE_CELL);
    stage_sent(&stage, MESSAGE_RESULT);
    stage_told_attempts(&stage, MESSAGE_ACK, stage_attempt(5, 2));
    assert_int_equal(worker_session_held_count(stage.session), 0);
    stage_end(&stage);
}

static void worker_session__queues_beyond_its_slots_and_ignores_repetitions(void **state)
{
    (void)state;
    session_stage stage;
    stage_begin_welcome(&stage, 2);
    for (uint32_t task = 1; task <= 3; task++) {
        stage_assign(&stage, stage_attempt(task, 1));
        if (task <= 2)
            stage_ordered(&stage, ORDER_START);
    }
    stage_assign(&stage, stage_attempt(1, 1));
    stage_assign(&stage, stage_attempt(3, 1));
    stage_quiet(&stage);
    assert_int_equal(worker_session_held_count(stage.session), 3);
    stage_ended(&stage, stage_attempt(2, 1), STATUS_NODE_CRASHED);
    assert_int_equal(stage_sent(&stage, MESSAGE_RESULT)->result.code, STATUS_NODE_CRASHED);
    stage_assert_attempt(&stage_ordered(&stage, ORDER_START)->attempt, stage_attempt(3, 1));
    stage_end(&stage);
}

static void worker_session__replaces_an_older_attempt_of_the_same_task(void **state)
{
    (void)state;
    session_stage stage;
    stage_begin_welcome(&stage, 1);
    stage_assign(&stage, stage_attempt(1, 2));
    stage_ordered(&stage, ORDER_START);
    stage_assign(&stage, stage_attempt(1, 1)); /* late news */
    stage_quiet(&stage);
    stage_assign(&stage, stage_attempt(1, 3));
    stage_assert_attempt(&stage_ordered(&stage, ORDER_KILL)->attempt, stage_attempt(1, 2));
    stage_ended(&stage, stage_attempt(1, 2), STATUS_NODE_CRASHED);
    const message *result = stage_sent(&stage, MESSAGE_RESULT);
    stage_assert_attempt(&result->result.attempt, stage_attempt(1, 2));
    assert_int_equal(result->result.code, STATUS_CANCELLED);
    stage_assert_attempt(&stage_ordered(&stage, ORDER_START)->attempt, stage_attempt(1, 3));
    stage_end(&stage);
}

static void worker_session__answers_cancel_only_when_the_executor_is_gone(void **state)
{
    (void)state;
    session_stage stage;
    stage_begin_at_work(&stage);
    stage_assign(&stage, stage_attempt(2, 1));
    stage_cell(&stage, stage_attempt(1, 1), 0);
    stage_sent(&stage, MESSAGE_CELL);
    stage_told_attempts(&stage, MESSAGE_CANCEL, stage_attempt(1, 1));
    stage_ordered(&stage, ORDER_KILL);
    stage_told_attempts(&stage, MESSAGE_CANCEL, stage_attempt(1, 1)); /* the first was thought lost */
    stage_cell(&stage, stage_attempt(1, 1), 1);                       /* made before the kill came */
    stage_quiet(&stage);
    stage_told_attempts(&stage, MESSAGE_CANCEL, stage_attempt(2, 1)); /* queued: over at once */
    assert_int_equal(stage_sent(&stage, MESSAGE_RESULT)->result.code, STATUS_CANCELLED);
    stage_told_attempts(&stage, MESSAGE_CANCEL, stage_attempt(3, 1)); /* never heard of */
    stage_assert_attempt(&stage_sent(&stage, MESSAGE_RESULT)->result.attempt, stage_attempt(3, 1));
    stage_ended(&stage, stage_attempt(1, 1), STATUS_NODE_CRASHED);
    const message *result = stage_sent(&stage, MESSAGE_RESULT);
    assert_int_equal(result->result.code, STATUS_CANCELLED);
    assert_int_equal(result->result.cell_count, 0);
    stage_tick(&stage, stage.now_ms + STAGE_HEARTBEAT_MS);
    assert_int_equal(stage_sent(&stage, MESSAGE_HEARTBEAT)->heartbeat.running_count, 1);
    stage_told_attempts(&stage, MESSAGE_ACK, stage_attempt(1, 1));
    assert_int_equal(worker_session_held_count(stage.session), 0);
    stage_end(&stage);
}

static void worker_session__drops_a_result_that_is_cancelled(void **state)
{
    (void)state;
    session_stage stage;
    stage_begin_at_work(&stage);
    stage_ended(&stage, stage_attempt(1, 1), STATUS_OK);
    stage_sent(&stage, MESSAGE_RESULT);
    stage_told_attempts(&stage, MESSAGE_CANCEL, stage_attempt(1, 1));
    assert_int_equal(stage_sent(&stage, MESSAGE_RESULT)->result.code, STATUS_CANCELLED);
    assert_int_equal(worker_session_held_count(stage.session), 0);
    stage_end(&stage);
}

static void worker_session__starts_nothing_while_its_spool_is_full(void **state)
{
    (void)state;
    session_stage stage;
    stage_begin(&stage, 1, 8); /* any CELL is longer than that */
    stage_welcome(&stage);
    stage_assign(&stage, stage_attempt(1, 1));
    stage_ordered(&stage, ORDER_START);
    stage_cell(&stage, stage_attempt(1, 1), 0);
    stage_sent(&stage, MESSAGE_CELL);
    stage_assign(&stage, stage_attempt(2, 1));
    stage_ended(&stage, stage_attempt(1, 1), STATUS_OK);
    stage_sent(&stage, MESSAGE_RESULT);
    stage_quiet(&stage);
    stage_told_attempts(&stage, MESSAGE_ACK, stage_attempt(1, 1));
    stage_assert_attempt(&stage_ordered(&stage, ORDER_START)->attempt, stage_attempt(2, 1));
    stage_end(&stage);
}

static void worker_session__refuses_news_of_attempts_that_do_not_run(void **state)
{
    (void)state;
    session_stage stage;
    stage_begin_welcome(&stage, 1);
    message_result result = {.attempt = stage_attempt(1, 1)};
    message_fetch fetch = {.attempt = stage_attempt(1, 1)};
    assert_int_equal(worker_session_ended(stage.session, stage.now_ms, &result, &stage.orders), STATUS_PEER_IMPOSSIBLE);
    assert_int_equal(worker_session_cell(stage.session, stage.now_ms, stage_attempt(1, 1), "x", 1, &stage.orders),
                     STATUS_PEER_IMPOSSIBLE);
    assert_int_equal(worker_session_fetch(stage.session, &fetch, &stage.orders), STATUS_PEER_IMPOSSIBLE);
    assert_int_equal(worker_session_receive(stage.session, stage.now_ms, "\x92\x06\x02", 3, &stage.orders),
                     STATUS_PEER_IMPOSSIBLE); /* GOODBYE is a worker's word */
    assert_int_equal(worker_session_receive(stage.session, stage.now_ms, "junk", 4, &stage.orders),
                     STATUS_PEER_MALFORMED);
    stage_end(&stage);
}

static void worker_session__holds_no_more_than_one_hello_can_list(void **state)
{
    (void)state;
    session_stage stage;
    stage_begin_welcome(&stage, 1);
    for (uint32_t task = 0; task < MESSAGE_ATTEMPTS_MAX; task++) {
        stage_assign(&stage, stage_attempt(task, 1));
        if (task == 0)
            stage_ordered(&stage, ORDER_START);
    }
    stage_assign(&stage, stage_attempt(MESSAGE_ATTEMPTS_MAX, 1));
    assert_int_equal(stage_sent(&stage, MESSAGE_RESULT)->result.code, STATUS_CANCELLED);
    stage_tick(&stage, stage.now_ms + STAGE_HEARTBEAT_MS);
    assert_int_equal(stage_sent(&stage, MESSAGE_HEARTBEAT)->heartbeat.running_count, MESSAGE_ATTEMPTS_MAX);
    stage_end(&stage);
}

/* ---- documents ---- */

static void worker_session__fetches_again_until_the_chunk_comes_and_hands_it_over_once(void **state)
{
    (void)state;
    session_stage stage;
    stage_begin_at_work(&stage);
    message_fetch fetch = {.attempt = stage_attempt(1, 1), .document = 2, .offset = 10};
    assert_int_equal(worker_session_fetch(stage.session, &fetch, &stage.orders), STATUS_OK);
    assert_int_equal(stage_sent(&stage, MESSAGE_FETCH)->fetch.document, 2);
    for (unsigned i = 0; i < 2; i++) {
        stage_tick(&stage, stage.now_ms + STAGE_HEARTBEAT_MS);
        stage_sent(&stage, MESSAGE_HEARTBEAT);
        stage_echo(&stage);
    }
    stage_tick(&stage, stage.now_ms + STAGE_LEASE_MS / 3 - 2 * STAGE_HEARTBEAT_MS);
    stage_sent(&stage, MESSAGE_HEARTBEAT);
    stage_sent(&stage, MESSAGE_FETCH);
    message chunk = {.type = MESSAGE_CHUNK,
                     .chunk = {.attempt = stage_attempt(1, 1),
                               .document = 2,
                               .offset = 9,
                               .total_size = 13,
                               .bytes = {(const uint8_t *)"abc", 3}}};
    stage_told(&stage, &chunk); /* another place */
    stage_quiet(&stage);
    chunk.chunk.offset = 10;
    stage_told(&stage, &chunk);
    stage_assert_attempt(&stage_ordered(&stage, ORDER_GIVE_CHUNK)->attempt, stage_attempt(1, 1));
    stage_told(&stage, &chunk);
    stage_end(&stage);
}

/* ---- the fence ---- */

static void worker_session__fences_itself_a_lease_after_it_sent_what_was_last_answered(void **state)
{
    (void)state;
    session_stage stage;
    stage_begin_welcome(&stage, 2);
    uint64_t hello_ms = stage.now_ms;
    for (uint32_t task = 1; task <= 4; task++) {
        stage_assign(&stage, stage_attempt(task, 1));
        if (task <= 2)
            stage_ordered(&stage, ORDER_START);
    }
    stage_ended(&stage, stage_attempt(1, 1), STATUS_OK);
    stage_sent(&stage, MESSAGE_RESULT);
    stage_ordered(&stage, ORDER_START); /* task 3; task 4 stays queued */
    /* The answer to the first heartbeat comes late; what counts is when the heartbeat was sent. */
    stage_tick(&stage, hello_ms + STAGE_HEARTBEAT_MS);
    stage_sent(&stage, MESSAGE_HEARTBEAT);
    uint32_t answered = stage.last_beat;
    stage_tick(&stage, hello_ms + 2 * STAGE_HEARTBEAT_MS);
    stage_sent(&stage, MESSAGE_HEARTBEAT);
    stage.now_ms += STAGE_HEARTBEAT_MS / 2;
    message ack = {.type = MESSAGE_ACK, .attempts = {.beat = answered}};
    stage_told(&stage, &ack);
    uint64_t fence_ms = hello_ms + STAGE_HEARTBEAT_MS + STAGE_LEASE_MS;
    while (stage.now_ms + STAGE_HEARTBEAT_MS / 2 < fence_ms) {
        uint64_t due = worker_session_next_deadline_ms(stage.session);
        assert_true(due > stage.now_ms && due <= fence_ms);
        if (due == fence_ms)
            break;
        stage_tick(&stage, due);
        while (stage.next < stage.orders.count) /* heartbeats and repetitions into the void */
            stage_ordered(&stage, ORDER_SEND);
    }
    stage_tick(&stage, fence_ms - 1);
    stage_quiet(&stage);
    stage_tick(&stage, fence_ms);
    stage_ordered(&stage, ORDER_KILL);
    stage_ordered(&stage, ORDER_KILL);
    stage_quiet(&stage); /* no HELLO before the processes are gone */
    stage_ended(&stage, stage_attempt(2, 1), STATUS_NODE_CRASHED);
    stage_tick(&stage, stage.now_ms + STAGE_HELLO_MS);
    stage_quiet(&stage);
    stage_ended(&stage, stage_attempt(3, 1), STATUS_NODE_CRASHED);
    stage_tick(&stage, stage.now_ms);
    const message *hello = stage_sent(&stage, MESSAGE_HELLO);
    assert_int_equal(hello->hello.held_count, 1); /* what had ended is still worth something */
    stage_assert_attempt(&hello->hello.held[0], stage_attempt(1, 1));
    stage_end(&stage);
}

static void worker_session__stays_up_while_heartbeats_are_answered(void **state)
{
    (void)state;
    session_stage stage;
    stage_begin_at_work(&stage);
    for (unsigned i = 0; i < 100; i++) {
        stage_tick(&stage, stage.now_ms + STAGE_HEARTBEAT_MS);
        stage_sent(&stage, MESSAGE_HEARTBEAT);
        stage_echo(&stage);
    }
    assert_int_equal(worker_session_held_count(stage.session), 1);
    stage_end(&stage);
}

/* ---- leaving ---- */

static void worker_session__drains_hands_back_what_waits_and_leaves_when_all_is_acknowledged(void **state)
{
    (void)state;
    session_stage stage;
    stage_begin_at_work(&stage);
    stage_assign(&stage, stage_attempt(2, 1));
    message drain = {.type = MESSAGE_DRAIN};
    stage_told(&stage, &drain);
    const message *result = stage_sent(&stage, MESSAGE_RESULT);
    stage_assert_attempt(&result->result.attempt, stage_attempt(2, 1));
    assert_int_equal(result->result.code, STATUS_CANCELLED);
    assert_true(stage_sent(&stage, MESSAGE_HEARTBEAT)->heartbeat.draining);
    stage_assign(&stage, stage_attempt(3, 1)); /* was on its way */
    assert_int_equal(stage_sent(&stage, MESSAGE_RESULT)->result.code, STATUS_CANCELLED);
    stage_ended(&stage, stage_attempt(1, 1), STATUS_OK);
    stage_sent(&stage, MESSAGE_RESULT);
    stage_told_attempts(&stage, MESSAGE_ACK, stage_attempt(2, 1));
    stage_quiet(&stage);
    stage_told_attempts(&stage, MESSAGE_ACK, stage_attempt(1, 1));
    stage_sent(&stage, MESSAGE_GOODBYE);
    assert_int_equal(stage_ordered(&stage, ORDER_EXIT)->value, 0);
    stage_end(&stage);
}

static void worker_session__leaves_at_the_second_call_once_its_executors_are_gone(void **state)
{
    (void)state;
    session_stage stage;
    stage_begin_at_work(&stage);
    assert_int_equal(worker_session_drain(stage.session, stage.now_ms, &stage.orders), STATUS_OK);
    stage_sent(&stage, MESSAGE_HEARTBEAT);
    assert_int_equal(worker_session_drain(stage.session, stage.now_ms, &stage.orders), STATUS_OK);
    stage_ordered(&stage, ORDER_KILL);
    stage_quiet(&stage);
    stage_ended(&stage, stage_attempt(1, 1), STATUS_NODE_CRASHED);
    assert_int_equal(stage_sent(&stage, MESSAGE_RESULT)->result.code, STATUS_CANCELLED);
    stage_sent(&stage, MESSAGE_GOODBYE);
    assert_int_equal(stage_ordered(&stage, ORDER_EXIT)->value, 0);
    stage_end(&stage);
}

static void worker_session__leaves_at_once_when_it_never_met_a_coordinator(void **state)
{
    (void)state;
    session_stage stage;
    stage_begin(&stage, 1, STAGE_SPOOL_PLENTY);
    stage_tick(&stage, stage.now_ms);
    stage_sent(&stage, MESSAGE_HELLO);
    assert_int_equal(worker_session_drain(stage.session, stage.now_ms, &stage.orders), STATUS_OK);
    assert_int_equal(stage_ordered(&stage, ORDER_EXIT)->value, 0);
    stage_end(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worker_session__runs_a_task_and_keeps_its_result_until_acknowledged),
        cmocka_unit_test(worker_session__queues_beyond_its_slots_and_ignores_repetitions),
        cmocka_unit_test(worker_session__replaces_an_older_attempt_of_the_same_task),
        cmocka_unit_test(worker_session__answers_cancel_only_when_the_executor_is_gone),
        cmocka_unit_test(worker_session__drops_a_result_that_is_cancelled),
        cmocka_unit_test(worker_session__starts_nothing_while_its_spool_is_full),
        cmocka_unit_test(worker_session__refuses_news_of_attempts_that_do_not_run),
        cmocka_unit_test(worker_session__holds_no_more_than_one_hello_can_list),
        cmocka_unit_test(worker_session__fetches_again_until_the_chunk_comes_and_hands_it_over_once),
        cmocka_unit_test(worker_session__fences_itself_a_lease_after_it_sent_what_was_last_answered),
        cmocka_unit_test(worker_session__stays_up_while_heartbeats_are_answered),
        cmocka_unit_test(worker_session__drains_hands_back_what_waits_and_leaves_when_all_is_acknowledged),
        cmocka_unit_test(worker_session__leaves_at_the_second_call_once_its_executors_are_gone),
        cmocka_unit_test(worker_session__leaves_at_once_when_it_never_met_a_coordinator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
