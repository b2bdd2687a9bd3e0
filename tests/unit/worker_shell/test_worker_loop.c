/* The worker as a process, section by section of its life. Executors run fake_task.c. */
#define _GNU_SOURCE
#include "tests/unit/worker_shell/farm_stage.h"
#include "worker/shell/worker_loop.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

static void assign(farm_stage *stage, uint32_t task, uint32_t term, const char *body)
{
    farm_stage_assign(stage, task, term, TASK_PROBE, body, strlen(body));
}

static pid_t executor_process(farm_stage *stage, uint32_t task, uint32_t term)
{
    assign(stage, task, term, "pid");
    const message_result *result = farm_stage_hear_result(stage, task);
    assert_int_equal(result->code, STATUS_OK);
    farm_stage_acknowledge(stage, result->attempt);
    return (pid_t)atol(stage->payload);
}

static void worker__runs_tasks_and_drains_at_sigterm(void **state)
{
    farm_stage *stage = *state;
    farm_stage_start_worker(stage, "2");
    farm_stage_welcome(stage, 1);
    assign(stage, 1, 1, "cells 2 100");
    assert_int_equal(farm_stage_hear_type(stage, MESSAGE_CELL)->cell.cell, 0);
    assert_int_equal(farm_stage_hear_type(stage, MESSAGE_CELL)->cell.cell, 1);
    const message_result *result = farm_stage_hear_result(stage, 1);
    assert_int_equal(result->code, STATUS_OK);
    assert_int_equal(result->cell_count, 2);
    farm_stage_acknowledge(stage, result->attempt);
    assign(stage, 2, 1, "fail");
    result = farm_stage_hear_result(stage, 2);
    assert_int_equal(result->code, STATUS_STORAGE_FULL);
    assert_string_equal(result->detail, "the disk of out is full");
    assert_true(farm_stage_logged(stage, "event=task.ended job=1 task=2 epoch=1 code=\"storage is full\" "
                                         "detail=\"the disk of out is full\""));
    farm_stage_acknowledge(stage, result->attempt);
    assert_int_equal(kill(stage->worker, SIGTERM), 0);
    farm_stage_hear_type(stage, MESSAGE_GOODBYE);
    assert_int_equal(farm_stage_exit_code(stage), WORKER_EXIT_DRAINED);
}

static void worker__reports_a_dead_executor_and_goes_on(void **state)
{
    farm_stage *stage = *state;
    farm_stage_start_worker(stage, "1");
    farm_stage_welcome(stage, 1);
    assign(stage, 1, 1, "abort");
    assign(stage, 2, 1, "pid");
    const message_result *result = farm_stage_hear_result(stage, 1);
    assert_int_equal(result->code, STATUS_NODE_CRASHED);
    assert_non_null(strstr(result->detail, "SIGABRT"));
    assert_int_equal(farm_stage_hear_result(stage, 2)->code, STATUS_OK);
}

static void worker__cancels_by_killing(void **state)
{
    farm_stage *stage = *state;
    farm_stage_start_worker(stage, "1");
    farm_stage_welcome(stage, 1);
    pid_t executor = executor_process(stage, 1, 1);
    assign(stage, 2, 1, "wait");
    attempt_id attempt = farm_stage_hear_type(stage, MESSAGE_FETCH)->fetch.attempt;
    message cancel = {.type = MESSAGE_CANCEL, .attempts = {.count = 1, .attempts = {attempt}}};
    farm_stage_tell(stage, &cancel);
    assert_int_equal(farm_stage_hear_result(stage, 2)->code, STATUS_CANCELLED);
    assert_true(kill(executor, 0) != 0 && errno == ESRCH);
    assert_int_not_equal(executor_process(stage, 3, 1), executor);
}

static void worker__goes_on_when_its_coordinator_is_another_process(void **state)
{
    farm_stage *stage = *state;
    farm_stage_start_worker(stage, "1");
    farm_stage_welcome(stage, 1);
    assign(stage, 1, 1, "wait");
    farm_stage_hear_type(stage, MESSAGE_FETCH);
    /* The coordinator dies; the next has another socket at the same endpoint, knows nobody, and need not ask. */
    zmq_close(stage->socket);
    farm_stage_bind(stage);
    const message *said = farm_stage_hear_type(stage, MESSAGE_HELLO);
    /* Its name is the router's own: libzmq never closes a connection that loses its name to another. */
    assert_int_equal(stage->route[0], 0);
    assert_int_equal(said->hello.held_count, 1);
    assert_int_equal(said->hello.held[0].task, 1);
    assert_int_equal(said->hello.term, 1);
    message again = {.type = MESSAGE_WELCOME,
                     .welcome = {.beat = said->hello.beat,
                                 .term = 2,
                                 .farm = 5,
                                 .worker = 1,
                                 .heartbeat_ms = HEARTBEAT_MS,
                                 .lease_ms = LEASE_MS}};
    farm_stage_tell(stage, &again);
    const message *fetch = farm_stage_hear_type(stage, MESSAGE_FETCH); /* what it still waits for */
    message chunk = {.type = MESSAGE_CHUNK,
                     .chunk = {.attempt = fetch->fetch.attempt,
                               .document = fetch->fetch.document,
                               .offset = fetch->fetch.offset,
                               .total_size = 5,
                               .bytes = {(const uint8_t *)"hello", 5}}};
    farm_stage_tell(stage, &chunk);
    assert_int_equal(farm_stage_hear_result(stage, 1)->code, STATUS_OK);
    assert_string_equal(stage->payload, "hello");
}

static void worker__leaves_with_78_when_refused_for_good(void **state)
{
    farm_stage *stage = *state;
    farm_stage_start_worker(stage, "1");
    farm_stage_hear_type(stage, MESSAGE_HELLO);
    message refuse = {.type = MESSAGE_REFUSE, .refuse = {.code = STATUS_PEER_VERSION, .detail = "version 2 is wanted"}};
    farm_stage_tell(stage, &refuse);
    assert_int_equal(farm_stage_exit_code(stage), WORKER_EXIT_NEVER);
}

static void worker__leaves_at_the_second_signal_without_its_tasks(void **state)
{
    farm_stage *stage = *state;
    farm_stage_start_worker(stage, "1");
    farm_stage_welcome(stage, 1);
    pid_t executor = executor_process(stage, 1, 1);
    assign(stage, 2, 1, "wait");
    farm_stage_hear_type(stage, MESSAGE_FETCH);
    kill(stage->worker, SIGTERM);
    kill(stage->worker, SIGINT);
    assert_int_equal(farm_stage_hear_result(stage, 2)->code, STATUS_CANCELLED);
    farm_stage_hear_type(stage, MESSAGE_GOODBYE);
    assert_int_equal(farm_stage_exit_code(stage), WORKER_EXIT_DRAINED);
    assert_true(kill(executor, 0) != 0 && errno == ESRCH);
}

static void worker__takes_its_executors_along_when_it_is_killed(void **state)
{
    farm_stage *stage = *state;
    farm_stage_start_worker(stage, "1");
    farm_stage_welcome(stage, 1);
    pid_t executor = executor_process(stage, 1, 1);
    assign(stage, 2, 1, "wait");
    farm_stage_hear_type(stage, MESSAGE_FETCH);
    int watched = (int)syscall(SYS_pidfd_open, executor, 0);
    assert_true(watched >= 0);
    kill(stage->worker, SIGKILL);
    struct pollfd end = {.fd = watched, .events = POLLIN};
    assert_int_equal(poll(&end, 1, PATIENCE_MS), 1); /* readable: the process has ended */
    close(watched);
}

#define worker_test(f) cmocka_unit_test_setup_teardown(f, farm_stage_up, farm_stage_down)

int main(int argc, char **argv)
{
    int worker = farm_stage_worker(argc, argv);
    if (worker >= 0)
        return worker;
    const struct CMUnitTest tests[] = {
        worker_test(worker__runs_tasks_and_drains_at_sigterm),
        worker_test(worker__reports_a_dead_executor_and_goes_on),
        worker_test(worker__cancels_by_killing),
        worker_test(worker__goes_on_when_its_coordinator_is_another_process),
        worker_test(worker__leaves_with_78_when_refused_for_good),
        worker_test(worker__leaves_at_the_second_signal_without_its_tasks),
        worker_test(worker__takes_its_executors_along_when_it_is_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
