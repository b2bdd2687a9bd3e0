#define _GNU_SOURCE
#include "worker/executor/executor.h"

#include "common/base/ensure.h"
#include "common/base/log.h"
#include "proto/message_decode.h"
#include "proto/message_encode.h"
#include "worker/executor/sandbox.h"
#include "worker/tasks/task_run.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    PROGRESS_INTERVAL_MS = 200,
    PROGRESS_REPEAT_MS = 1000, /* also when no permille was added: the parent takes silence for a hang */
    KEPT_BLOCK_BYTES = 32 << 20, /* the largest that the C library takes from its heap */
    KEPT_BYTES = 128 << 20,
    EXIT_BROKEN = 70 /* EX_SOFTWARE: the parent's frames or this sandbox make no sense */
};

typedef struct executor {
    const storage_roots *roots;
    dsp_table dsp;
    attempt_id attempt;
    byte_writer frame;   /* what goes out */
    uint8_t *received;   /* FRAME_BYTES_MAX */
    size_t received_size;
    message message;     /* what came in */
    uint64_t progress_ms;
    uint32_t progress_permille;
} executor;

static uint64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Blocks: the parent reads whenever it can. A parent that is gone ends this process. */
static status executor_send(executor *self, const message *what)
{
    byte_writer_reset(&self->frame);
    status code = message_encode(what, &self->frame);
    if (code != STATUS_OK)
        return code;
    while (send(EXECUTOR_SOCKET, self->frame.bytes, self->frame.size, MSG_NOSIGNAL) < 0) {
        if (errno != EINTR)
            _exit(0);
    }
    return STATUS_OK;
}

static void executor_receive(executor *self)
{
    for (;;) {
        ssize_t size = recv(EXECUTOR_SOCKET, self->received, FRAME_BYTES_MAX, MSG_TRUNC);
        if (size < 0 && errno == EINTR)
            continue;
        if (size <= 0)
            _exit(0);
        self->received_size = (size_t)size;
        error_detail detail = {0};
        if (size <= FRAME_BYTES_MAX &&
            message_decode(&self->message, self->received, (size_t)size, NULL, &detail) == STATUS_OK)
            return;
        log_line(LOG_ERROR, "executor.frame_malformed", "detail=\"%s\"", detail.message);
        _exit(EXIT_BROKEN);
    }
}

/* ---- what a task asks of its host ---- */

static status host_cell(void *context, const message_cell *cell)
{
    executor *self = context;
    message what = {.type = MESSAGE_CELL, .cell = *cell};
    what.cell.attempt = self->attempt;
    return executor_send(self, &what);
}

static void host_progress(void *context, uint32_t done_permille)
{
    executor *self = context;
    uint64_t now = monotonic_ms();
    bool same = done_permille == self->progress_permille;
    if (now < self->progress_ms + (same ? PROGRESS_REPEAT_MS : PROGRESS_INTERVAL_MS))
        return;
    self->progress_permille = done_permille;
    self->progress_ms = now;
    message what = {.type = MESSAGE_HEARTBEAT, .heartbeat = {.beat = 1, .running_count = 1}};
    what.heartbeat.running[0].attempt = self->attempt;
    what.heartbeat.running[0].done_permille = done_permille < 1000 ? done_permille : 1000;
    status code = executor_send(self, &what);
    ENSURE(code == STATUS_OK); /* a hundred bytes */
}

static status host_fetch(void *context, uint32_t document, uint64_t offset, uint8_t *bytes, size_t capacity,
                         size_t *out_size, uint64_t *out_total)
{
    executor *self = context;
    message what = {.type = MESSAGE_FETCH,
                    .fetch = {.attempt = self->attempt, .document = document, .offset = offset}};
    status code = executor_send(self, &what);
    if (code != STATUS_OK)
        return code;
    for (;;) {
        executor_receive(self);
        const message_chunk *chunk = &self->message.chunk;
        if (self->message.type != MESSAGE_CHUNK || !attempt_id_equal(&chunk->attempt, &self->attempt) ||
            chunk->document != document || chunk->offset != offset)
            continue; /* an answer to an earlier task's question */
        size_t size = chunk->bytes.size < capacity ? chunk->bytes.size : capacity;
        if (size > 0)
            memcpy(bytes, chunk->bytes.bytes, size);
        *out_size = size;
        *out_total = chunk->total_size;
        return STATUS_OK;
    }
}

/* ---- tasks ---- */

static void executor_run(executor *self, const message_task *task)
{
    const task_host host = {.context = self, .cell = host_cell, .progress = host_progress, .fetch = host_fetch};
    /* The body is a view of `received`, which a FETCH overwrites. */
    uint8_t *body = malloc(task->body.size + 1);
    ENSURE(body != NULL);
    memcpy(body, task->body.bytes, task->body.size);
    self->attempt = task->attempt;
    self->progress_ms = 0;
    self->progress_permille = 0;
    byte_writer payload;
    error_detail detail = {0};
    byte_writer_init(&payload, RESULT_PAYLOAD_MAX);
    status code = task_run((task_kind)task->kind, body, task->body.size, self->roots, &self->dsp, &host, &payload,
                           &detail);
    free(body);
    message what = {.type = MESSAGE_RESULT, .result = {.attempt = self->attempt, .code = (uint32_t)code}};
    memcpy(what.result.detail, detail.message, sizeof what.result.detail);
    if (code == STATUS_OK)
        what.result.payload = (message_bytes){.bytes = payload.bytes, .size = (uint32_t)payload.size};
    code = executor_send(self, &what);
    ENSURE(code == STATUS_OK); /* a payload within its bound fits */
    byte_writer_deinit(&payload);
}

_Noreturn void executor_main(const storage_roots *roots, const char *cpu_cap)
{
    error_detail detail = {0};
    cpu_features features = cpu_features_detect();
    if ((cpu_cap != NULL && cpu_features_cap(cpu_cap, &features) != STATUS_OK) ||
        sandbox_enter(roots, &detail) != STATUS_OK) {
        log_line(LOG_ERROR, "executor.start_failed", "detail=\"%s\"", detail.message);
        _exit(EXIT_BROKEN);
    }
    /* A task's memory is the next one's: else each would have its pages made and cleared anew. */
    (void)mallopt(M_MMAP_THRESHOLD, KEPT_BLOCK_BYTES);
    (void)mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
    executor *self = calloc(1, sizeof *self);
    ENSURE(self != NULL);
    self->roots = roots;
    self->received = malloc(FRAME_BYTES_MAX);
    ENSURE(self->received != NULL);
    byte_writer_init(&self->frame, FRAME_BYTES_MAX);
    dsp_table_init(&self->dsp, features);
    for (;;) {
        executor_receive(self);
        if (self->message.type != MESSAGE_ASSIGN || self->message.assign.task_count != 1)
            continue; /* a CHUNK for a task that is over */
        const message_task task = self->message.assign.tasks[0];
        executor_run(self, &task);
    }
}

void executor_main_if_asked(int argc, char *const *argv)
{
    char expected[sizeof EXECUTOR_ARGUMENT + EXECUTOR_VERSION_MAX] = EXECUTOR_ARGUMENT;
    const char *version = executor_link_version(expected + sizeof EXECUTOR_ARGUMENT - 1);
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts(version);
        exit(0);
    }
    if (argc < 4 || strncmp(argv[1], EXECUTOR_ARGUMENT, sizeof EXECUTOR_ARGUMENT - 1) != 0)
        return;
    if (strcmp(argv[1], expected) != 0)
        _exit(EXECUTOR_EXIT_OTHER_VERSION); /* whoever started it says so: it asks for --version */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, "reelmill-execut"); /* it is started by a descriptor, whose number would be its name */
    if (getppid() != (pid_t)strtol(argv[2], NULL, 10))
        _exit(0); /* the parent died before that took hold */
    storage_roots roots = {0};
    for (int i = 4; i < argc && roots.count < ROOTS_MAX; i++) {
        storage_root *root = &roots.items[roots.count];
        root->directory = EXECUTOR_SOCKET + 1 + (int)roots.count;
        root->writable = argv[i][0] == 'w';
        strncpy(root->name, argv[i] + 1, sizeof root->name - 1);
        roots.count++;
    }
    /* Nothing else of the parent's comes along, whatever forgot to say close-on-exec. */
    close_range(EXECUTOR_SOCKET + 1 + roots.count, ~0U, 0);
    for (uint32_t i = 0; i <= roots.count; i++)
        fcntl(EXECUTOR_SOCKET + (int)i, F_SETFD, FD_CLOEXEC);
    executor_main(&roots, strcmp(argv[3], "-") == 0 ? NULL : argv[3]);
}
