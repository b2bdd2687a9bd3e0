#define _GNU_SOURCE
#include "farm_harness.h"

#include "common/base/engine_version.h"
#include "fake_executor.h"
#include "proto/message_decode.h"
#include "proto/message_encode.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#include <cmocka.h>

extern char **environ;

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void *connect_dealer(farm_harness *self)
{
    void *socket = zmq_socket(self->context, ZMQ_DEALER);
    int linger = 0;
    int reconnect_ms = 10;
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(socket, ZMQ_RECONNECT_IVL, &reconnect_ms, sizeof reconnect_ms);
    assert_int_equal(zmq_connect(socket, self->endpoint), 0);
    return socket;
}

/* ---- the coordinator's process ---- */

void farm_harness_start_coordinator(farm_harness *self)
{
    char state[96];
    snprintf(state, sizeof state, "%s/state", self->folder);
    const char *level = getenv("FARM_TEST_LOG");
    char *arguments[] = {REELMILL_COORDINATOR,
                         "--listen",
                         self->endpoint,
                         "--state",
                         state,
                         "--private",
                         "--lease-ms",
                         "2000",
                         "--root",
                         "media=/m",
                         "--log",
                         (char *)(level != NULL ? level : "silent"),
                         NULL};
    assert_int_equal(posix_spawn(&self->coordinator, arguments[0], NULL, NULL, arguments, environ), 0);
}

static int wait_for_coordinator(farm_harness *self)
{
    int ended = 0;
    assert_int_equal(waitpid(self->coordinator, &ended, 0), self->coordinator);
    self->coordinator = 0;
    return ended;
}

void farm_harness_kill_coordinator(farm_harness *self)
{
    kill(self->coordinator, SIGKILL);
    wait_for_coordinator(self);
}

void farm_harness_join_coordinator(farm_harness *self)
{
    int ended = wait_for_coordinator(self);
    assert_true(WIFEXITED(ended));
    assert_int_equal(WEXITSTATUS(ended), 0);
}

void farm_harness_stop_coordinator(farm_harness *self)
{
    kill(self->coordinator, SIGTERM);
    farm_harness_join_coordinator(self);
}

/* ---- workers ---- */

void farm_harness_start_worker(farm_harness *self, uint32_t index)
{
    fake_worker *worker = &self->workers[index];
    worker_session_config config = {.slots = 2,
                                    .hello_interval_ms = 100,
                                    .spool_bytes_max = 64 << 20,
                                    .root_count = 2,
                                    .roots = {{.name = "media"}, {.name = "out", .writable = true}}};
    uint32_t instance = ++self->instance;
    memcpy(config.instance, &instance, sizeof instance);
    snprintf(config.name, sizeof config.name, "fake-%u", index);
    snprintf(config.engine, sizeof config.engine, "%s", ENGINE_VERSION);
    snprintf(config.cpu, sizeof config.cpu, "scalar");
    *worker = (fake_worker){.alive = true, .socket = connect_dealer(self), .session = worker_session_create(&config)};
    assert_non_null(worker->session);
}

void farm_harness_kill_worker(farm_harness *self, uint32_t index)
{
    fake_worker *worker = &self->workers[index];
    if (!worker->alive)
        return;
    for (size_t i = 0; i < sizeof worker->executions / sizeof worker->executions[0]; i++)
        fake_execution_drop(&worker->executions[i]);
    session_orders_deinit(&worker->orders);
    worker_session_destroy(&worker->session);
    zmq_close(worker->socket);
    worker->alive = false;
}

static void carry_out(farm_harness *self, fake_worker *worker)
{
    for (size_t i = 0; i < worker->orders.count; i++) {
        session_order *order = &worker->orders.items[i];
        if (order->type == ORDER_SEND)
            zmq_send(worker->socket, order->bytes, order->byte_size, ZMQ_DONTWAIT);
        else if (order->type == ORDER_START)
            fake_execution_start(&self->world, worker, order);
        else if (order->type == ORDER_KILL)
            fake_execution_kill(worker, &order->attempt);
        else if (order->type == ORDER_GIVE_CHUNK)
            fake_execution_chunk(worker, order);
        else if (order->type == ORDER_EXIT)
            fail_msg("a worker was told to leave");
    }
    session_orders_clear(&worker->orders);
}

static void turn_worker(farm_harness *self, fake_worker *worker)
{
    for (int i = 0; i < 64; i++) {
        zmq_msg_t frame;
        zmq_msg_init(&frame);
        int size = zmq_msg_recv(&frame, worker->socket, ZMQ_DONTWAIT);
        if (size >= 0) {
            status code =
                worker_session_receive(worker->session, now_ms(), zmq_msg_data(&frame), (size_t)size, &worker->orders);
            assert_int_equal(code, STATUS_OK);
        }
        zmq_msg_close(&frame);
        carry_out(self, worker);
        if (size < 0)
            break;
    }
    for (size_t i = 0; i < sizeof worker->executions / sizeof worker->executions[0]; i++)
        fake_execution_turn(&self->world, worker, &worker->executions[i], now_ms());
    carry_out(self, worker);
    if (worker_session_next_deadline_ms(worker->session) <= now_ms())
        assert_int_equal(worker_session_tick(worker->session, now_ms(), &worker->orders), STATUS_OK);
    carry_out(self, worker);
}

void farm_harness_turn(farm_harness *self)
{
    self->turn++;
    zmq_pollitem_t items[HARNESS_WORKERS_MAX + 1] = {{.socket = self->client, .events = ZMQ_POLLIN}};
    int count = self->asking ? 1 : 0;
    bool busy = false;
    for (uint32_t i = 0; i < self->worker_count; i++) {
        if (!self->workers[i].alive)
            continue;
        items[count++] = (zmq_pollitem_t){.socket = self->workers[i].socket, .events = ZMQ_POLLIN};
        for (size_t k = 0; k < sizeof self->workers[i].executions / sizeof self->workers[i].executions[0]; k++)
            busy = busy || (self->workers[i].executions[k].used && !self->workers[i].executions[k].waiting);
    }
    zmq_poll(items, count, busy ? 0 : 5);
    for (uint32_t i = 0; i < self->worker_count; i++)
        if (self->workers[i].alive)
            turn_worker(self, &self->workers[i]);
}

/* ---- life ---- */

farm_harness *farm_harness_create(uint32_t worker_count)
{
    farm_harness *self = calloc(1, sizeof *self);
    assert_non_null(self);
    strcpy(self->folder, "/tmp/test_farm_XXXXXX");
    assert_non_null(mkdtemp(self->folder));
    snprintf(self->endpoint, sizeof self->endpoint, "ipc://%s/farm", self->folder);
    self->context = zmq_ctx_new();
    self->client = connect_dealer(self);
    farm_harness_start_coordinator(self);
    self->worker_count = worker_count;
    for (uint32_t i = 0; i < worker_count; i++)
        farm_harness_start_worker(self, i);
    return self;
}

static int remove_entry(const char *path, const struct stat *facts, int kind, struct FTW *walk)
{
    (void)facts;
    (void)kind;
    (void)walk;
    return remove(path);
}

void farm_harness_destroy(farm_harness **self)
{
    farm_harness *gone = *self;
    if (gone->coordinator != 0)
        farm_harness_stop_coordinator(gone);
    for (uint32_t i = 0; i < gone->worker_count; i++)
        farm_harness_kill_worker(gone, i);
    zmq_close(gone->client);
    zmq_ctx_term(gone->context);
    nftw(gone->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(gone);
    *self = NULL;
}

/* ---- the client ---- */

static bool receive_answer(farm_harness *self, const uint8_t id[REQUEST_BYTES], message_answer *out_answer,
                           char **out_bytes)
{
    bool found = false;
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    message *read = calloc(1, sizeof *read);
    arena memory;
    arena_init(&memory);
    if (zmq_msg_recv(&frame, self->client, ZMQ_DONTWAIT) >= 0 &&
        message_decode(read, zmq_msg_data(&frame), zmq_msg_size(&frame), &memory, NULL) == STATUS_OK &&
        read->type == MESSAGE_ANSWER && memcmp(read->answer.request, id, REQUEST_BYTES) == 0) {
        found = true;
        *out_answer = read->answer;
        *out_bytes = malloc((size_t)read->answer.bytes.size + 1);
        memcpy(*out_bytes, read->answer.bytes.bytes, read->answer.bytes.size);
        (*out_bytes)[read->answer.bytes.size] = '\0';
    }
    arena_deinit(&memory);
    free(read);
    zmq_msg_close(&frame);
    return found;
}

message_answer farm_harness_ask(farm_harness *self, const message *request, const uint8_t id[REQUEST_BYTES],
                                char **out_bytes)
{
    byte_writer writer;
    byte_writer_init(&writer, FRAME_BYTES_MAX);
    assert_int_equal(message_encode(request, &writer), STATUS_OK);
    message_answer answer = {0};
    uint64_t end_ms = now_ms() + HARNESS_PATIENCE_MS;
    uint64_t again_ms = 0;
    self->asking = true;
    while (!receive_answer(self, id, &answer, out_bytes)) {
        if (now_ms() >= end_ms)
            fail_msg("a request was not answered");
        if (now_ms() >= again_ms) {
            zmq_send(self->client, writer.bytes, writer.size, ZMQ_DONTWAIT);
            again_ms = now_ms() + 500;
        }
        farm_harness_turn(self);
    }
    self->asking = false;
    byte_writer_deinit(&writer);
    return answer;
}

/* Answers that came late to a request of the same id are not those of the next one. */
static void drain_client(farm_harness *self)
{
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    while (zmq_msg_recv(&frame, self->client, ZMQ_DONTWAIT) >= 0)
        continue;
    zmq_msg_close(&frame);
}

status farm_harness_submit(farm_harness *self, const char *document, const uint8_t id[REQUEST_BYTES], uint32_t *out_job,
                           char *out_detail)
{
    drain_client(self);
    size_t size = strlen(document);
    char *bytes = NULL;
    message *request = calloc(1, sizeof *request);
    request->type = MESSAGE_SUBMIT_BEGIN;
    memcpy(request->submit_begin.request, id, REQUEST_BYTES);
    request->submit_begin.document_size = size;
    request->submit_begin.document_digest = content_hash_of(document, size);
    message_answer answer = farm_harness_ask(self, request, id, &bytes);
    free(bytes);
    /* In parts of an odd size, so that offsets are put to use. */
    for (size_t offset = answer.offset; answer.code == STATUS_OK && answer.job == 0 && offset < size;) {
        memset(request, 0, sizeof *request);
        request->type = MESSAGE_SUBMIT_APPEND;
        memcpy(request->submit_append.request, id, REQUEST_BYTES);
        request->submit_append.offset = offset;
        request->submit_append.bytes.bytes = (const uint8_t *)document + offset;
        request->submit_append.bytes.size = (uint32_t)(size - offset < 777 ? size - offset : 777);
        answer = farm_harness_ask(self, request, id, &bytes);
        free(bytes);
        offset = answer.offset;
    }
    if (answer.code == STATUS_OK) {
        memset(request, 0, sizeof *request);
        request->type = MESSAGE_SUBMIT_COMMIT;
        memcpy(request->submit_commit.request, id, REQUEST_BYTES);
        drain_client(self);
        answer = farm_harness_ask(self, request, id, &bytes);
        free(bytes);
    }
    free(request);
    *out_job = answer.job;
    if (out_detail != NULL)
        memcpy(out_detail, answer.detail, sizeof answer.detail);
    return (status)answer.code;
}

static void fresh_id(farm_harness *self, uint8_t id[REQUEST_BYTES])
{
    memset(id, 0xEE, REQUEST_BYTES);
    uint32_t number = ++self->instance;
    memcpy(id, &number, sizeof number);
}

char *farm_harness_query(farm_harness *self, const char *what, uint32_t job)
{
    char *text = calloc(1, 1);
    size_t size = 0;
    size_t total = 0;
    do {
        message *request = calloc(1, sizeof *request);
        request->type = MESSAGE_QUERY;
        fresh_id(self, request->query.request);
        snprintf(request->query.what, sizeof request->query.what, "%s", what);
        request->query.job = job;
        request->query.offset = size;
        char *part = NULL;
        message_answer answer = farm_harness_ask(self, request, request->query.request, &part);
        free(request);
        if (answer.code != STATUS_OK) {
            free(part);
            free(text);
            return NULL;
        }
        assert_true(answer.offset == size);
        total = answer.total_size;
        text = realloc(text, size + answer.bytes.size + 1);
        memcpy(text + size, part, (size_t)answer.bytes.size + 1);
        size += answer.bytes.size;
        free(part);
    } while (size < total);
    return text;
}

status farm_harness_command(farm_harness *self, const char *verb, uint32_t job, const char *target)
{
    message *request = calloc(1, sizeof *request);
    request->type = MESSAGE_COMMAND;
    fresh_id(self, request->command.request);
    snprintf(request->command.verb, sizeof request->command.verb, "%s", verb);
    snprintf(request->command.target, sizeof request->command.target, "%s", target);
    request->command.job = job;
    char *bytes = NULL;
    message_answer answer = farm_harness_ask(self, request, request->command.request, &bytes);
    free(bytes);
    free(request);
    return (status)answer.code;
}

char *farm_harness_await(farm_harness *self, uint32_t job)
{
    uint64_t end_ms = now_ms() + HARNESS_PATIENCE_MS;
    for (;;) {
        char *text = farm_harness_query(self, "job.end", job);
        assert_non_null(text);
        if (strstr(text, "\"state\":\"ended\"") != NULL)
            return text;
        if (now_ms() >= end_ms)
            fail_msg("the job did not end: %s", text);
        free(text);
        for (int i = 0; i < 20; i++)
            farm_harness_turn(self);
    }
}
