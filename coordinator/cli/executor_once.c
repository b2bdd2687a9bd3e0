#define _GNU_SOURCE
#include "coordinator/cli/executor_once.h"

#include "common/base/program_part.h"
#include "proto/executor_link.h"
#include "proto/message_decode.h"
#include "proto/message_encode.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Descriptors lie above every target, so that no dup2 of the child overwrites the source of a later one. */
enum { SOURCE_DESCRIPTORS = 64, ANSWER_MS = 60000 };
static_assert(SOURCE_DESCRIPTORS > EXECUTOR_SOCKET + 1 + ROOTS_MAX, "targets and sources do not meet");

/* A descriptor out of the way of the child's targets; -1 with errno. */
static int moved_up(int descriptor)
{
    int moved = descriptor < 0 ? -1 : fcntl(descriptor, F_DUPFD_CLOEXEC, SOURCE_DESCRIPTORS);
    int error = errno;
    if (descriptor >= 0)
        close(descriptor);
    errno = error;
    return moved;
}

static status open_roots(uint32_t count, const private_farm_root *roots, int *directories, error_detail *detail)
{
    for (uint32_t i = 0; i < count; i++) {
        directories[i] = moved_up(open(roots[i].directory, O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (directories[i] < 0)
            return error_detail_set(detail, STATUS_INPUT_MISSING, "the folder '%.600s' cannot be opened: %s", roots[i].directory,
                                    strerror(errno));
    }
    return STATUS_OK;
}

static int spawn(const char *program, int socket, uint32_t count, const private_farm_root *roots, const int *directories,
                 pid_t *out_process)
{
    char parent[24], cap[] = "-", argument[sizeof EXECUTOR_ARGUMENT + EXECUTOR_VERSION_MAX] = EXECUTOR_ARGUMENT;
    char names[ROOTS_MAX][NAME_MAX_BYTES + 1];
    char *arguments[EXECUTOR_ARGUMENTS_MAX + 1] = {(char *)program, argument, parent, cap};
    executor_link_version(argument + sizeof EXECUTOR_ARGUMENT - 1);
    snprintf(parent, sizeof parent, "%ld", (long)getpid());
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, socket, EXECUTOR_SOCKET);
    for (uint32_t i = 0; i < count; i++) {
        snprintf(names[i], sizeof names[i], "%c%.*s", roots[i].writable ? 'w' : 'r', NAME_MAX_BYTES - 1, roots[i].name);
        arguments[4 + i] = names[i];
        posix_spawn_file_actions_adddup2(&actions, directories[i], EXECUTOR_SOCKET + 1 + (int)i);
    }
    int failed = posix_spawn(out_process, program, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

/* Reads until the RESULT; what else an executor says (progress) is left. */
static status answer_of(int socket, uint8_t *bytes, byte_writer *payload, message *room, error_detail *detail)
{
    for (;;) {
        struct pollfd ready = {.fd = socket, .events = POLLIN};
        int count = poll(&ready, 1, ANSWER_MS);
        if (count < 0 && errno == EINTR)
            continue;
        if (count == 0)
            return error_detail_set(detail, STATUS_NODE_HUNG, "the storage gave nothing for %d s", ANSWER_MS / 1000);
        ssize_t size = recv(socket, bytes, FRAME_BYTES_MAX, MSG_TRUNC);
        if (size < 0 && errno == EINTR)
            continue;
        if (size <= 0 || size > FRAME_BYTES_MAX || message_decode(room, bytes, (size_t)size, NULL, detail) != STATUS_OK)
            return error_detail_set(detail, STATUS_NODE_CRASHED, "the process that reads the audio ended without an answer");
        if (room->type != MESSAGE_RESULT)
            continue;
        if (room->result.code != STATUS_OK)
            return error_detail_set(detail, (status)room->result.code, "%s", room->result.detail);
        byte_writer_bytes(payload, room->result.payload.bytes, room->result.payload.size);
        return payload->failed ? error_detail_set(detail, STATUS_LIMIT, "the answer is too long") : STATUS_OK;
    }
}

static status ask(int socket, uint32_t kind, const byte_writer *body, byte_writer *payload, error_detail *detail)
{
    message *what = calloc(1, sizeof *what);
    uint8_t *bytes = malloc(FRAME_BYTES_MAX);
    byte_writer frame;
    byte_writer_init(&frame, FRAME_BYTES_MAX);
    status code = what == NULL || bytes == NULL ? error_detail_set(detail, STATUS_NODE_MEMORY, "out of memory") : STATUS_OK;
    if (code == STATUS_OK) {
        what->type = MESSAGE_ASSIGN;
        what->assign.task_count = 1;
        what->assign.tasks[0] = (message_task){.attempt = {.job = 1, .task = 1, .term = 1, .epoch = 1}, .kind = kind,
                                               .body = {.bytes = body->bytes, .size = (uint32_t)body->size}};
        code = message_encode(what, &frame);
    }
    if (code == STATUS_OK && send(socket, frame.bytes, frame.size, MSG_NOSIGNAL) < 0)
        code = error_detail_set(detail, STATUS_NODE_SYSTEM, "the process that reads the audio takes no task: %s", strerror(errno));
    if (code == STATUS_OK)
        code = answer_of(socket, bytes, payload, what, detail);
    byte_writer_deinit(&frame);
    free(bytes);
    free(what);
    return code;
}

status executor_once(uint32_t kind, const byte_writer *body, uint32_t root_count, const private_farm_root *roots,
                     byte_writer *payload, error_detail *detail)
{
    char program[PATH_MAX_BYTES];
    int directories[ROOTS_MAX];
    int pair[2] = {-1, -1};
    pid_t child = 0;
    memset(directories, -1, sizeof directories);
    status code = program_part_path("reelmill-executor", program, detail);
    if (code == STATUS_OK)
        code = open_roots(root_count, roots, directories, detail);
    if (code == STATUS_OK && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        code = error_detail_set(detail, STATUS_NODE_SYSTEM, "a local socket cannot be made: %s", strerror(errno));
    int wanted = FRAME_BYTES_MAX * 2; /* one frame is one datagram */
    for (int i = 0; code == STATUS_OK && i < 2; i++)
        (void)setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &wanted, sizeof wanted);
    pair[1] = moved_up(pair[1]);
    int failed = code == STATUS_OK ? spawn(program, pair[1], root_count, roots, directories, &child) : 0;
    if (failed != 0)
        code = error_detail_set(detail, STATUS_NODE_SYSTEM, "%s cannot be started: %s; install the package reelmill whole", program,
                                strerror(failed));
    if (pair[1] >= 0)
        close(pair[1]);
    if (code == STATUS_OK) {
        code = ask(pair[0], kind, body, payload, detail);
        kill(child, SIGKILL); /* it has answered, or will not */
        int how = 0;
        while (waitpid(child, &how, 0) < 0 && errno == EINTR) {
        }
        if (code != STATUS_OK && WIFEXITED(how) && WEXITSTATUS(how) == EXECUTOR_EXIT_OTHER_VERSION)
            code = error_detail_set(detail, STATUS_NODE_SYSTEM, "%s is of another version than this program; install the package reelmill "
                                    "whole", program);
    }
    if (pair[0] >= 0)
        close(pair[0]);
    for (uint32_t i = 0; i < root_count; i++)
        if (directories[i] >= 0)
            close(directories[i]);
    return code;
}
