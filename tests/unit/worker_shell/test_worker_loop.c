/*
 * A whole worker as a process of its own (this program with the argument "worker"), against a coordinator played by the
 * test on a ROUTER socket over ipc. Executors run fake_task.c.
 */
#define _GNU_SOURCE
#include "common/base/ensure.h"
#include "proto/message_decode.h"
#include "proto/message_encode.h"
#include "worker/shell/executor.h"
#include "worker/shell/worker_loop.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include <cmocka.h>

enum { PATIENCE_MS = 30000, HEARTBEAT_MS = 50, LEASE_MS = 20000 };

typedef struct farm_stage {
    char folder[64];
    char endpoint[96];
    void *context;
    void *socket;
    pid_t worker;
    uint8_t route[64];
    size_t route_size;
    zmq_msg_t frame;    /* what `said` points into */
    message said;
    uint32_t beat;
    char payload[64];
} farm_stage;

static void start_worker(farm_stage *stage, const char *slots)
{
    char program[] = "test_worker_loop", argument[] = "worker", count[8];
    snprintf(count, sizeof count, "%s", slots);
    char *arguments[] = {program, argument, stage->endpoint, count, NULL};
    assert_int_equal(posix_spawn(&stage->worker, "/proc/self/exe", NULL, NULL, arguments, environ), 0);
}

static void bind_socket(farm_stage *stage)
{
    const int patience = PATIENCE_MS, mandatory = 1, linger = 0;
    stage->socket = zmq_socket(stage->context, ZMQ_ROUTER);
    assert_non_null(stage->socket);
    zmq_setsockopt(stage->socket, ZMQ_RCVTIMEO, &patience, sizeof patience);
    zmq_setsockopt(stage->socket, ZMQ_ROUTER_MANDATORY, &mandatory, sizeof mandatory);
    zmq_setsockopt(stage->socket, ZMQ_LINGER, &linger, sizeof linger);
    assert_int_equal(zmq_bind(stage->socket, stage->endpoint), 0);
}

static int stage_up(void **state)
{
    farm_stage *stage = calloc(1, sizeof *stage);
    assert_non_null(stage);
    strcpy(stage->folder, "/tmp/worker_loop_XXXXXX");
    assert_non_null(mkdtemp(stage->folder));
    snprintf(stage->endpoint, sizeof stage->endpoint, "ipc://%s/farm", stage->folder);
    stage->context = zmq_ctx_new();
    bind_socket(stage);
    zmq_msg_init(&stage->frame);
    *state = stage;
    return 0;
}

static int stage_down(void **state)
{
    farm_stage *stage = *state;
    if (stage->worker != 0) {
        kill(stage->worker, SIGKILL);
        waitpid(stage->worker, NULL, 0);
    }
    zmq_msg_close(&stage->frame);
    zmq_close(stage->socket);
    zmq_ctx_term(stage->context);
    char command[96];
    snprintf(command, sizeof command, "rm -rf '%s'", stage->folder);
    assert_int_equal(system(command), 0);
    free(stage);
    return 0;
}

/* False: the worker is not there any more. */
static bool tell_if_there(farm_stage *stage, const message *what)
{
    byte_writer writer;
    byte_writer_init(&writer, FRAME_BYTES_MAX);
    assert_int_equal(message_encode(what, &writer), STATUS_OK);
    bool sent = zmq_send(stage->socket, stage->route, stage->route_size, ZMQ_SNDMORE) >= 0 &&
                zmq_send(stage->socket, writer.bytes, writer.size, 0) >= 0;
    byte_writer_deinit(&writer);
    return sent;
}

static void tell(farm_stage *stage, const message *what)
{
    assert_true(tell_if_there(stage, what));
}

/* The next message that is no HEARTBEAT; those are answered on the way. */
static const message *hear(farm_stage *stage)
{
    for (;;) {
        int size = zmq_recv(stage->socket, stage->route, sizeof stage->route, 0);
        if (size <= 0)
            fail_msg("the worker said nothing for %d ms", PATIENCE_MS);
        stage->route_size = (size_t)size;
        assert_true(zmq_msg_recv(&stage->frame, stage->socket, 0) >= 0);
        assert_int_equal(message_decode(&stage->said, zmq_msg_data(&stage->frame), zmq_msg_size(&stage->frame), NULL, NULL),
                         STATUS_OK);
        if (stage->said.type != MESSAGE_HEARTBEAT)
            return &stage->said;
        message echo = {.type = MESSAGE_ACK, .attempts = {.beat = stage->said.heartbeat.beat}};
        (void)tell_if_there(stage, &echo); /* the last one before GOODBYE finds nobody */
    }
}

static const message *hear_type(farm_stage *stage, message_type type)
{
    const message *said = hear(stage);
    assert_string_equal(message_type_name(said->type), message_type_name(type));
    return said;
}

static void welcome(farm_stage *stage, uint32_t term)
{
    const message *hello = hear_type(stage, MESSAGE_HELLO);
    message what = {.type = MESSAGE_WELCOME,
                    .welcome = {.beat = hello->hello.beat,
                                .term = term,
                                .farm = 5,
                                .worker = 1,
                                .heartbeat_ms = HEARTBEAT_MS,
                                .lease_ms = LEASE_MS}};
    tell(stage, &what);
}

static void assign(farm_stage *stage, uint32_t task, uint32_t term, const char *body)
{
    message what = {.type = MESSAGE_ASSIGN,
                    .assign = {.task_count = 1,
                               .tasks = {{{.job = 1, .task = task, .term = term, .epoch = 1},
                                          TASK_PROBE,
                                          {(const uint8_t *)body, (uint32_t)strlen(body)}}}}};
    tell(stage, &what);
}

static const message_result *hear_result(farm_stage *stage, uint32_t task)
{
    const message *said = hear_type(stage, MESSAGE_RESULT);
    assert_int_equal(said->result.attempt.task, task);
    size_t size = said->result.payload.size;
    assert_true(size < sizeof stage->payload);
    memcpy(stage->payload, said->result.payload.bytes, size);
    stage->payload[size] = '\0';
    return &said->result;
}

static void acknowledge(farm_stage *stage, attempt_id attempt)
{
    message what = {.type = MESSAGE_ACK, .attempts = {.count = 1, .attempts = {attempt}}};
    tell(stage, &what);
}

static int exit_code_of_worker(farm_stage *stage)
{
    int how = 0;
    assert_int_equal(waitpid(stage->worker, &how, 0), stage->worker);
    stage->worker = 0;
    assert_true(WIFEXITED(how));
    return WEXITSTATUS(how);
}

static pid_t executor_process(farm_stage *stage, uint32_t task, uint32_t term)
{
    assign(stage, task, term, "pid");
    const message_result *result = hear_result(stage, task);
    assert_int_equal(result->code, STATUS_OK);
    acknowledge(stage, result->attempt);
    return (pid_t)atol(stage->payload);
}

static void worker__runs_tasks_and_drains_at_sigterm(void **state)
{
    farm_stage *stage = *state;
    start_worker(stage, "2");
    welcome(stage, 1);
    assign(stage, 1, 1, "cells 2 100");
    assert_int_equal(hear_type(stage, MESSAGE_CELL)->cell.cell, 0);
    assert_int_equal(hear_type(stage, MESSAGE_CELL)->cell.cell, 1);
    const message_result *result = hear_result(stage, 1);
    assert_int_equal(result->code, STATUS_OK);
    assert_int_equal(result->cell_count, 2);
    acknowledge(stage, result->attempt);
    assign(stage, 2, 1, "fail");
    result = hear_result(stage, 2);
    assert_int_equal(result->code, STATUS_STORAGE_FULL);
    assert_string_equal(result->detail, "the disk of out is full");
    acknowledge(stage, result->attempt);
    assert_int_equal(kill(stage->worker, SIGTERM), 0);
    hear_type(stage, MESSAGE_GOODBYE);
    assert_int_equal(exit_code_of_worker(stage), WORKER_EXIT_DRAINED);
}

static void worker__reports_a_dead_executor_and_goes_on(void **state)
{
    farm_stage *stage = *state;
    start_worker(stage, "1");
    welcome(stage, 1);
    assign(stage, 1, 1, "abort");
    assign(stage, 2, 1, "pid");
    const message_result *result = hear_result(stage, 1);
    assert_int_equal(result->code, STATUS_NODE_CRASHED);
    assert_non_null(strstr(result->detail, "SIGABRT"));
    assert_int_equal(hear_result(stage, 2)->code, STATUS_OK);
}

static void worker__cancels_by_killing(void **state)
{
    farm_stage *stage = *state;
    start_worker(stage, "1");
    welcome(stage, 1);
    pid_t executor = executor_process(stage, 1, 1);
    assign(stage, 2, 1, "wait");
    attempt_id attempt = hear_type(stage, MESSAGE_FETCH)->fetch.attempt;
    message cancel = {.type = MESSAGE_CANCEL, .attempts = {.count = 1, .attempts = {attempt}}};
    tell(stage, &cancel);
    assert_int_equal(hear_result(stage, 2)->code, STATUS_CANCELLED);
    assert_true(kill(executor, 0) != 0 && errno == ESRCH);
    assert_int_not_equal(executor_process(stage, 3, 1), executor);
}

static void worker__goes_on_when_its_coordinator_is_another_process(void **state)
{
    farm_stage *stage = *state;
    start_worker(stage, "1");
    welcome(stage, 1);
    assign(stage, 1, 1, "wait");
    hear_type(stage, MESSAGE_FETCH);
    /* The coordinator dies; the next has another socket at the same endpoint, and knows nobody. */
    zmq_close(stage->socket);
    bind_socket(stage);
    int size = zmq_recv(stage->socket, stage->route, sizeof stage->route, 0);
    assert_true(size > 0);
    stage->route_size = (size_t)size;
    assert_true(zmq_msg_recv(&stage->frame, stage->socket, 0) >= 0);
    message refuse = {.type = MESSAGE_REFUSE,
                      .refuse = {.code = STATUS_PEER_REFUSED, .detail = "unknown worker: say hello"}};
    tell(stage, &refuse);
    const message *said = hear(stage);
    while (said->type == MESSAGE_FETCH || said->type == MESSAGE_HEARTBEAT)
        said = hear(stage); /* sent before it heard that */
    assert_int_equal(said->type, MESSAGE_HELLO);
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
    tell(stage, &again);
    const message *fetch = hear_type(stage, MESSAGE_FETCH); /* what it still waits for */
    message chunk = {.type = MESSAGE_CHUNK,
                     .chunk = {.attempt = fetch->fetch.attempt,
                               .document = fetch->fetch.document,
                               .offset = fetch->fetch.offset,
                               .total_size = 5,
                               .bytes = {(const uint8_t *)"hello", 5}}};
    tell(stage, &chunk);
    assert_int_equal(hear_result(stage, 1)->code, STATUS_OK);
    assert_string_equal(stage->payload, "hello");
}

static void worker__leaves_with_78_when_refused_for_good(void **state)
{
    farm_stage *stage = *state;
    start_worker(stage, "1");
    hear_type(stage, MESSAGE_HELLO);
    message refuse = {.type = MESSAGE_REFUSE, .refuse = {.code = STATUS_PEER_VERSION, .detail = "version 2 is wanted"}};
    tell(stage, &refuse);
    assert_int_equal(exit_code_of_worker(stage), WORKER_EXIT_NEVER);
}

static void worker__leaves_at_the_second_signal_without_its_tasks(void **state)
{
    farm_stage *stage = *state;
    start_worker(stage, "1");
    welcome(stage, 1);
    pid_t executor = executor_process(stage, 1, 1);
    assign(stage, 2, 1, "wait");
    hear_type(stage, MESSAGE_FETCH);
    kill(stage->worker, SIGTERM);
    kill(stage->worker, SIGINT);
    assert_int_equal(hear_result(stage, 2)->code, STATUS_CANCELLED);
    hear_type(stage, MESSAGE_GOODBYE);
    assert_int_equal(exit_code_of_worker(stage), WORKER_EXIT_DRAINED);
    assert_true(kill(executor, 0) != 0 && errno == ESRCH);
}

static void worker__takes_its_executors_along_when_it_is_killed(void **state)
{
    farm_stage *stage = *state;
    start_worker(stage, "1");
    welcome(stage, 1);
    pid_t executor = executor_process(stage, 1, 1);
    assign(stage, 2, 1, "wait");
    hear_type(stage, MESSAGE_FETCH);
    int watched = (int)syscall(SYS_pidfd_open, executor, 0);
    assert_true(watched >= 0);
    kill(stage->worker, SIGKILL);
    struct pollfd end = {.fd = watched, .events = POLLIN};
    assert_int_equal(poll(&end, 1, PATIENCE_MS), 1); /* readable: the process has ended */
    close(watched);
}

static int run_worker(const char *endpoint, const char *slots)
{
    static worker_config config;
    int exit_code = 0;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nothing behind */
    log_set_level(LOG_SILENT);
    snprintf(config.coordinator, sizeof config.coordinator, "%s", endpoint);
    snprintf(config.name, sizeof config.name, "node-1");
    snprintf(config.cpu, sizeof config.cpu, "scalar");
    config.slots = (uint32_t)atoi(slots);
    return worker_loop_run(&config, &exit_code, NULL) == STATUS_OK ? exit_code : 99;
}

#define worker_test(f) cmocka_unit_test_setup_teardown(f, stage_up, stage_down)

int main(int argc, char **argv)
{
    executor_main_if_asked(argc, argv);
    if (argc == 4 && strcmp(argv[1], "worker") == 0)
        return run_worker(argv[2], argv[3]);
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
