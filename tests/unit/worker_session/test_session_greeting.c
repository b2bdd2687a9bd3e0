/* The worker's half of PROTOCOL.md: HELLO, WELCOME, REFUSE. */
#include "tests/unit/worker_session/session_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void worker_session__says_hello_until_it_is_welcome(void **state)
{
    (void)state;
    session_stage stage;
    stage_begin(&stage, 2, STAGE_SPOOL_PLENTY);
    stage_tick(&stage, stage.now_ms);
    const message *hello = stage_sent(&stage, MESSAGE_HELLO);
    assert_string_equal(hello->hello.name, "node-1");
    assert_int_equal(hello->hello.slots, 2);
    assert_int_equal(hello->hello.protocol_version, PROTOCOL_VERSION);
    assert_string_equal(hello->hello.roots[0].name, "out");
    /* Soon again, then ever later, until the interval is reached. */
    for (uint32_t wait_ms = STAGE_HELLO_MS / 16; wait_ms <= 2 * STAGE_HELLO_MS; wait_ms *= 2) {
        uint64_t due = stage.now_ms + (wait_ms < STAGE_HELLO_MS ? wait_ms : STAGE_HELLO_MS);
        assert_true(worker_session_next_deadline_ms(stage.session) == due);
        stage_tick(&stage, due - 1);
        stage_quiet(&stage);
        stage_tick(&stage, due);
        uint32_t before = stage.last_beat;
        stage_sent(&stage, MESSAGE_HELLO);
        assert_true(stage.last_beat > before);
    }
    worker_session_connected(stage.session, ++stage.now_ms); /* what was said before went nowhere */
    assert_true(worker_session_next_deadline_ms(stage.session) == stage.now_ms);
    stage_welcome(&stage); /* says HELLO */
    stage_tick(&stage, stage.now_ms + STAGE_HEARTBEAT_MS - 1);
    stage_quiet(&stage);
    stage_tick(&stage, stage.now_ms + 1);
    assert_int_equal(stage_sent(&stage, MESSAGE_HEARTBEAT)->heartbeat.running_count, 0);
    stage_end(&stage);
}

static void worker_session__ignores_a_welcome_that_answers_nothing_it_said(void **state)
{
    (void)state;
    session_stage stage;
    stage_begin(&stage, 1, STAGE_SPOOL_PLENTY);
    stage_tick(&stage, stage.now_ms);
    stage_sent(&stage, MESSAGE_HELLO);
    message welcome = {.type = MESSAGE_WELCOME,
                       .welcome = {.beat = stage.last_beat + 1, .term = 1, .farm = 1, .heartbeat_ms = 1,
                                   .lease_ms = 10}};
    stage_told(&stage, &welcome);
    welcome.welcome.beat = 0;
    stage_told(&stage, &welcome);
    stage_assign(&stage, stage_attempt(1, 1)); /* from one who did not welcome: not begun */
    stage_tick(&stage, stage.now_ms + STAGE_HELLO_MS);
    assert_int_equal(stage_sent(&stage, MESSAGE_HELLO)->hello.held_count, 0);
    /* An answer that took longer than the lease it gives is worth nothing. */
    stage.now_ms += 10;
    welcome.welcome.beat = stage.last_beat;
    stage_told(&stage, &welcome);
    stage_tick(&stage, stage.now_ms + STAGE_HELLO_MS);
    stage_sent(&stage, MESSAGE_HELLO);
    stage_end(&stage);
}

static void worker_session__ignores_a_coordinator_of_a_lower_term(void **state)
{
    (void)state;
    session_stage stage;
    stage_begin_welcome(&stage, 1);
    stage.now_ms += STAGE_HELLO_MS;
    stage_refused(&stage);
    stage_tick(&stage, stage.now_ms);
    assert_int_equal(stage_sent(&stage, MESSAGE_HELLO)->hello.term, STAGE_TERM);
    stage_welcomed(&stage, STAGE_FARM, STAGE_TERM - 1);
    stage_tick(&stage, stage.now_ms + STAGE_HELLO_MS);
    stage_sent(&stage, MESSAGE_HELLO); /* goes on asking */
    /* Work of another term than the WELCOME's is not taken either. */
    stage.now_ms += STAGE_HELLO_MS;
    stage_welcome(&stage);
    attempt_id old = stage_attempt(1, 9);
    old.term = STAGE_TERM - 1;
    stage_assign(&stage, old);
    stage_quiet(&stage);
    assert_int_equal(worker_session_held_count(stage.session), 0);
    stage_end(&stage);
}

static void worker_session__leaves_for_good_when_refused_for_its_version(void **state)
{
    (void)state;
    session_stage stage;
    stage_begin(&stage, 1, STAGE_SPOOL_PLENTY);
    stage_tick(&stage, stage.now_ms);
    stage_sent(&stage, MESSAGE_HELLO);
    message refuse = {.type = MESSAGE_REFUSE, .refuse = {.code = STATUS_PEER_VERSION, .detail = "too old"}};
    stage_told(&stage, &refuse);
    assert_int_equal(stage_ordered(&stage, ORDER_EXIT)->value, 78);
    assert_true(worker_session_next_deadline_ms(stage.session) == UINT64_MAX);
    stage_tick(&stage, stage.now_ms + 100000);
    stage_end(&stage);
}

/* Its media root is not the storage: only a new start looks anew. */
static void worker_session__leaves_to_be_started_again_when_its_storage_is_refused(void **state)
{
    (void)state;
    session_stage stage;
    stage_begin(&stage, 1, STAGE_SPOOL_PLENTY);
    stage_tick(&stage, stage.now_ms);
    stage_sent(&stage, MESSAGE_HELLO);
    message refuse = {.type = MESSAGE_REFUSE, .refuse = {.code = STATUS_STORAGE_MISMATCH, .detail = "another root"}};
    stage_told(&stage, &refuse);
    assert_int_equal(stage_ordered(&stage, ORDER_EXIT)->value, 75);
    stage_end(&stage);
}

static void worker_session__says_hello_with_what_it_holds_to_a_restarted_coordinator(void **state)
{
    (void)state;
    session_stage stage;
    stage_begin_at_work(&stage);
    stage_assign(&stage, stage_attempt(2, 1));
    stage_cell(&stage, stage_attempt(1, 1), 0);
    stage_sent(&stage, MESSAGE_CELL);
    stage.now_ms += STAGE_HELLO_MS;
    stage_refused(&stage);
    stage_cell(&stage, stage_attempt(1, 1), 1); /* work goes on; the cell is kept */
    stage_tick(&stage, stage.now_ms);
    const message *hello = stage_sent(&stage, MESSAGE_HELLO);
    assert_int_equal(hello->hello.farm, STAGE_FARM);
    assert_int_equal(hello->hello.held_count, 2);
    stage_assert_attempt(&hello->hello.held[0], stage_attempt(1, 1));
    stage_assert_attempt(&hello->hello.held[1], stage_attempt(2, 1));
    /* A second REFUSE, to a frame sent before, brings no second HELLO. */
    stage_refused(&stage);
    stage_tick(&stage, stage.now_ms);
    stage_quiet(&stage);
    stage_welcomed(&stage, STAGE_FARM, STAGE_TERM + 1);
    assert_int_equal(stage_sent(&stage, MESSAGE_CELL)->cell.cell, 0);
    assert_int_equal(stage_sent(&stage, MESSAGE_CELL)->cell.cell, 1);
    stage_ended(&stage, stage_attempt(1, 1), STATUS_OK);
    assert_int_equal(stage_sent(&stage, MESSAGE_RESULT)->result.cell_count, 2);
    stage_assert_attempt(&stage_ordered(&stage, ORDER_START)->attempt, stage_attempt(2, 1));
    stage_end(&stage);
}

/* Both waited in the network: an ASSIGN of the last coordinator, and the next one's answer to a HELLO from before it. */
static void worker_session__stops_what_a_new_coordinator_cannot_know_of(void **state)
{
    (void)state;
    session_stage stage;
    stage_begin_at_work(&stage);
    stage_welcomed(&stage, STAGE_FARM, STAGE_TERM + 1);
    stage_assert_attempt(&stage_ordered(&stage, ORDER_KILL)->attempt, stage_attempt(1, 1));
    stage.now_ms += STAGE_HELLO_MS;
    stage_tick(&stage, stage.now_ms);
    stage_quiet(&stage); /* no HELLO before the process is gone */
    stage_ended(&stage, stage_attempt(1, 1), STATUS_CANCELLED);
    stage_tick(&stage, stage.now_ms);
    assert_int_equal(stage_sent(&stage, MESSAGE_HELLO)->hello.held_count, 0);
    stage_end(&stage);
}

static void worker_session__forgets_everything_when_it_comes_to_another_farm(void **state)
{
    (void)state;
    session_stage stage;
    stage_begin_at_work(&stage);
    stage.now_ms += STAGE_HELLO_MS;
    stage_refused(&stage);
    stage_tick(&stage, stage.now_ms);
    stage_sent(&stage, MESSAGE_HELLO);
    stage_welcomed(&stage, STAGE_FARM + 1, 1); /* a lower term, but of another journal */
    stage_assert_attempt(&stage_ordered(&stage, ORDER_KILL)->attempt, stage_attempt(1, 1));
    stage_ended(&stage, stage_attempt(1, 1), STATUS_NODE_CRASHED);
    stage_quiet(&stage); /* nobody there asked for it */
    assert_int_equal(worker_session_held_count(stage.session), 0);
    stage_end(&stage);
}

/* A connection: HELLO again at once, whatever it was before; what runs goes on. */
static void worker_session__says_hello_first_on_a_new_connection(void **state)
{
    (void)state;
    session_stage stage;
    stage_begin_at_work(&stage);
    worker_session_connected(stage.session, stage.now_ms);
    stage_cell(&stage, stage_attempt(1, 1), 0); /* kept until it is welcome */
    stage_tick(&stage, stage.now_ms);
    assert_int_equal(stage_sent(&stage, MESSAGE_HELLO)->hello.held_count, 1);
    stage.now_ms += STAGE_HELLO_MS;
    stage_welcome(&stage);
    assert_int_equal(stage_sent(&stage, MESSAGE_CELL)->cell.cell, 0);
    stage_end(&stage);
}

/* The one before has welcomed it late, and the word of the one that gives it work now was lost. */
static void worker_session__says_hello_to_a_coordinator_of_a_higher_term(void **state)
{
    (void)state;
    session_stage stage;
    stage_begin_welcome(&stage, 2);
    stage_assign(&stage, stage_attempt(1, 1));
    stage_ordered(&stage, ORDER_START);
    attempt_id newer = stage_attempt(2, 1);
    newer.term = STAGE_TERM + 1;
    stage_assign(&stage, newer);
    assert_int_equal(worker_session_held_count(stage.session), 1);
    stage_tick(&stage, stage.now_ms + STAGE_HELLO_MS);
    const message *hello = stage_sent(&stage, MESSAGE_HELLO);
    assert_int_equal(hello->hello.held_count, 1);
    stage_assert_attempt(&hello->hello.held[0], stage_attempt(1, 1));
    stage_end(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worker_session__says_hello_until_it_is_welcome),
        cmocka_unit_test(worker_session__ignores_a_welcome_that_answers_nothing_it_said),
        cmocka_unit_test(worker_session__ignores_a_coordinator_of_a_lower_term),
        cmocka_unit_test(worker_session__leaves_for_good_when_refused_for_its_version),
        cmocka_unit_test(worker_session__leaves_to_be_started_again_when_its_storage_is_refused),
        cmocka_unit_test(worker_session__says_hello_with_what_it_holds_to_a_restarted_coordinator),
        cmocka_unit_test(worker_session__stops_what_a_new_coordinator_cannot_know_of),
        cmocka_unit_test(worker_session__forgets_everything_when_it_comes_to_another_farm),
        cmocka_unit_test(worker_session__says_hello_first_on_a_new_connection),
        cmocka_unit_test(worker_session__says_hello_to_a_coordinator_of_a_higher_term),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
