#define _GNU_SOURCE
#include "tests/unit/worker_shell/farm_stage.h"

#include "common/base/ensure.h"
#include "proto/message_decode.h"
#include "proto/message_encode.h"
#include "worker/executor/executor.h"
#include "worker/shell/worker_loop.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

void farm_stage_start_worker(farm_stage *stage, const char *slots)
{
    char program[] = "reelmill-worker", argument[] = "worker", count[8];
    snprintf(count, sizeof count, "%s", slots);
    char *arguments[] = {program, argument, stage->endpoint, stage->folder, count, NULL};
    char log[96];
    posix_spawn_file_actions_t actions;
    snprintf(log, sizeof log, "%s/log", stage->folder);
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    assert_int_equal(posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log, O_WRONLY | O_CREAT | O_APPEND, 0600), 0);
    assert_int_equal(posix_spawn(&stage->worker, "/proc/self/exe", &actions, NULL, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
}

void farm_stage_bind(farm_stage *stage)
{
    const int patience = PATIENCE_MS, mandatory = 1, linger = 0;
    stage->socket = zmq_socket(stage->context, ZMQ_ROUTER);
    assert_non_null(stage->socket);
    zmq_setsockopt(stage->socket, ZMQ_RCVTIMEO, &patience, sizeof patience);
    zmq_setsockopt(stage->socket, ZMQ_ROUTER_MANDATORY, &mandatory, sizeof mandatory);
    zmq_setsockopt(stage->socket, ZMQ_LINGER, &linger, sizeof linger);
    assert_int_equal(zmq_bind(stage->socket, stage->endpoint), 0);
}

int farm_stage_up(void **state)
{
    farm_stage *stage = calloc(1, sizeof *stage);
    assert_non_null(stage);
    strcpy(stage->folder, "/tmp/worker_loop_XXXXXX");
    assert_non_null(mkdtemp(stage->folder));
    snprintf(stage->endpoint, sizeof stage->endpoint, "ipc://%s/farm", stage->folder);
    char path[96];
    snprintf(path, sizeof path, "%s/media", stage->folder);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/out", stage->folder);
    assert_int_equal(mkdir(path, 0700), 0);
    stage->context = zmq_ctx_new();
    farm_stage_bind(stage);
    zmq_msg_init(&stage->frame);
    *state = stage;
    return 0;
}

int farm_stage_down(void **state)
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

bool farm_stage_logged(const farm_stage *stage, const char *words)
{
    char path[96], line[2048];
    bool found = false;
    snprintf(path, sizeof path, "%s/log", stage->folder);
    FILE *log = fopen(path, "r");
    assert_non_null(log);
    while (!found && fgets(line, sizeof line, log) != NULL)
        found = strstr(line, words) != NULL;
    fclose(log);
    return found;
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

void farm_stage_tell(farm_stage *stage, const message *what)
{
    assert_true(tell_if_there(stage, what));
}

/* The next message that is no HEARTBEAT; those are answered on the way. */
const message *farm_stage_hear(farm_stage *stage)
{
    for (;;) {
        int size = zmq_recv(stage->socket, stage->route, sizeof stage->route, 0);
        if (size <= 0)
            fail_msg("the worker said nothing for %d ms", PATIENCE_MS);
        stage->route_size = (size_t)size;
        assert_true(zmq_msg_recv(&stage->frame, stage->socket, 0) >= 0);
        assert_int_equal(message_decode(&stage->said, zmq_msg_data(&stage->frame), zmq_msg_size(&stage->frame), NULL,
                                        NULL),
                         STATUS_OK);
        if (stage->said.type != MESSAGE_HEARTBEAT)
            return &stage->said;
        message echo = {.type = MESSAGE_ACK, .attempts = {.beat = stage->said.heartbeat.beat}};
        (void)tell_if_there(stage, &echo); /* the last one before GOODBYE finds nobody */
    }
}

const message *farm_stage_hear_type(farm_stage *stage, message_type type)
{
    const message *said = farm_stage_hear(stage);
    while (said->type == MESSAGE_HELLO && type != MESSAGE_HELLO) /* on its way before the worker was welcomed */
        said = farm_stage_hear(stage);
    assert_string_equal(message_type_name(said->type), message_type_name(type));
    return said;
}

void farm_stage_welcome(farm_stage *stage, uint32_t term)
{
    const message *hello = farm_stage_hear_type(stage, MESSAGE_HELLO);
    message what = {.type = MESSAGE_WELCOME,
                    .welcome = {.beat = hello->hello.beat,
                                .term = term,
                                .farm = 5,
                                .worker = 1,
                                .heartbeat_ms = HEARTBEAT_MS,
                                .lease_ms = LEASE_MS}};
    farm_stage_tell(stage, &what);
}

void farm_stage_assign(farm_stage *stage, uint32_t task, uint32_t term, task_kind kind, const void *body,
                       size_t body_size)
{
    message what = {.type = MESSAGE_ASSIGN,
                    .assign = {.task_count = 1,
                               .tasks = {{{.job = 1, .task = task, .term = term, .epoch = 1},
                                          (uint32_t)kind,
                                          {body, (uint32_t)body_size}}}}};
    farm_stage_tell(stage, &what);
}

const message_result *farm_stage_hear_result(farm_stage *stage, uint32_t task)
{
    const message *said = farm_stage_hear_type(stage, MESSAGE_RESULT);
    assert_int_equal(said->result.attempt.task, task);
    size_t size = said->result.payload.size;
    assert_true(size < sizeof stage->payload);
    memcpy(stage->payload, said->result.payload.bytes, size);
    stage->payload[size] = '\0';
    stage->payload_size = size;
    return &said->result;
}

void farm_stage_acknowledge(farm_stage *stage, attempt_id attempt)
{
    message what = {.type = MESSAGE_ACK, .attempts = {.count = 1, .attempts = {attempt}}};
    farm_stage_tell(stage, &what);
}

int farm_stage_exit_code(farm_stage *stage)
{
    int how = 0;
    assert_int_equal(waitpid(stage->worker, &how, 0), stage->worker);
    stage->worker = 0;
    assert_true(WIFEXITED(how));
    return WEXITSTATUS(how);
}

static int run_worker(const char *endpoint, const char *folder, const char *slots)
{
    int exit_code = 0;
    worker_config *config = calloc(1, sizeof *config);
    ENSURE(config != NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nothing behind */
    log_set_level(LOG_INFO);
    snprintf(config->coordinator, sizeof config->coordinator, "%s", endpoint);
    snprintf(config->name, sizeof config->name, "node-1");
    snprintf(config->executor, sizeof config->executor, "/proc/self/exe");
    snprintf(config->cpu, sizeof config->cpu, "scalar");
    config->slots = (uint32_t)atoi(slots);
    config->root_count = 2;
    snprintf(config->roots[0].name, sizeof config->roots[0].name, "media");
    snprintf(config->roots[0].folder, sizeof config->roots[0].folder, "%s/media", folder);
    snprintf(config->roots[1].name, sizeof config->roots[1].name, "out");
    snprintf(config->roots[1].folder, sizeof config->roots[1].folder, "%s/out", folder);
    config->roots[1].writable = true;
    status code = worker_loop_run(config, &exit_code, NULL);
    free(config);
    return code == STATUS_OK ? exit_code : 99;
}

int farm_stage_worker(int argc, char **argv)
{
    executor_main_if_asked(argc, argv);
    return argc == 5 && strcmp(argv[1], "worker") == 0 ? run_worker(argv[2], argv[3], argv[4]) : -1;
}
