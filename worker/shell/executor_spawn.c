#define _GNU_SOURCE
#include "worker/shell/executor_spawn.h"

#include "proto/executor_link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Source descriptors lie above every target, so that no dup2 of the child overwrites the source of a later one. */
enum { SOURCE_DESCRIPTORS = 64 };
static_assert(SOURCE_DESCRIPTORS > EXECUTOR_SOCKET + 1 + ROOTS_MAX, "targets and sources do not meet");

/* One frame is one datagram: the buffer of the sender must hold the largest. */
static status size_buffers(int socket, error_detail *detail)
{
    int wanted = FRAME_BYTES_MAX * 2;
    int got = 0;
    socklen_t size = sizeof got;
    setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &wanted, sizeof wanted);
    if (getsockopt(socket, SOL_SOCKET, SO_SNDBUF, &got, &size) != 0 || got < FRAME_BYTES_MAX + 64)
        return error_detail_set(detail, STATUS_NODE_SYSTEM,
                                "the kernel gives a local socket %d bytes, a message needs %d: raise net.core.wmem_max "
                                "to 212992 or more",
                                got, FRAME_BYTES_MAX + 64);
    return STATUS_OK;
}

static status make_sockets(int sockets[2], error_detail *detail)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return error_detail_set(detail, STATUS_NODE_SYSTEM, "a local socket cannot be made: %s", strerror(errno));
    status code = size_buffers(pair[0], detail);
    if (code == STATUS_OK)
        code = size_buffers(pair[1], detail);
    sockets[0] = pair[0];
    sockets[1] = fcntl(pair[1], F_DUPFD_CLOEXEC, SOURCE_DESCRIPTORS);
    close(pair[1]);
    if (code == STATUS_OK && (sockets[1] < 0 || fcntl(pair[0], F_SETFL, O_NONBLOCK) != 0))
        code = error_detail_set(detail, STATUS_NODE_SYSTEM, "a local socket cannot be prepared: %s", strerror(errno));
    if (code != STATUS_OK) {
        close(pair[0]);
        if (sockets[1] >= 0)
            close(sockets[1]);
    }
    return code;
}

status executor_program_open(const char *path, int *out_program, error_detail *detail)
{
    int opened = open(path, O_PATH | O_CLOEXEC);
    bool runs = opened >= 0 && access(path, X_OK) == 0;
    *out_program = runs ? fcntl(opened, F_DUPFD_CLOEXEC, SOURCE_DESCRIPTORS) : -1;
    status code = *out_program >= 0 ? STATUS_OK
                                    : error_detail_set(detail, STATUS_NODE_SYSTEM, "the executors' program %s cannot be run: %s; "
                                                       "install reelmill anew, on a file system that programs may be started from",
                                                       path, strerror(errno));
    if (opened >= 0)
        close(opened);
    return code;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Up to the end of a pipe, or as much as fits. 0, or why not. */
static int read_words(int descriptor, char *out, size_t out_size, int patience_ms)
{
    struct pollfd ready = {.fd = descriptor, .events = POLLIN};
    int64_t until_ms = now_ms() + patience_ms;
    for (size_t got = 0; got + 1 < out_size;) {
        int64_t left_ms = until_ms - now_ms();
        int found = poll(&ready, 1, left_ms > 0 ? (int)left_ms : 0);
        ssize_t more = found > 0 ? read(descriptor, out + got, out_size - 1 - got) : -1;
        if (found != 0 && more < 0 && errno == EINTR)
            continue;
        if (more <= 0)
            return found == 0 ? ETIMEDOUT : more == 0 ? 0 : errno;
        got += (size_t)more;
        out[got] = '\0';
    }
    return 0;
}

/* What a program prints of itself with --version, its first line. 0, or why it cannot be asked. */
static int ask_version(int program, char *out, size_t out_size, int patience_ms)
{
    int ends[2];
    char path[32], name[] = "reelmill-executor", argument[] = "--version";
    char *arguments[] = {name, argument, NULL};
    pid_t child = 0;
    out[0] = '\0';
    if (pipe2(ends, O_CLOEXEC) != 0)
        return errno;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    snprintf(path, sizeof path, "/proc/self/fd/%d", program);
    int failed = posix_spawn(&child, path, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    bool started = failed == 0;
    failed = started ? read_words(ends[0], out, out_size, patience_ms) : failed;
    close(ends[0]);
    out[strcspn(out, "\n")] = '\0';
    if (!started)
        return failed;
    kill(child, SIGKILL); /* it has said all, or will not */
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
    }
    return failed;
}

status executor_program_check(int program, const char *path, int patience_ms, error_detail *detail)
{
    char found[EXECUTOR_VERSION_MAX], expected[EXECUTOR_VERSION_MAX];
    executor_link_version(expected);
    int failed = ask_version(program, found, sizeof found, patience_ms);
    if (failed != 0)
        return error_detail_set(detail, STATUS_NODE_SYSTEM, "the executors' program %s cannot be asked for its version (%s); look at "
                                "this machine's load and limits", path, strerrorname_np(failed));
    if (strcmp(found, expected) == 0)
        return STATUS_OK;
    return error_detail_set(detail, STATUS_PEER_VERSION, "the executors' program %s says of itself '%s', and this worker is '%s': they "
                            "were not installed together; install reelmill anew, whole", path, found, expected);
}

static int spawn_with(int program, const storage_roots *roots, const char *cpu_cap, int socket, const int *directories,
                      pid_t *out_process)
{
    char parent[24], path[32];
    char names[ROOTS_MAX][NAME_MAX_BYTES + 1];
    char name[] = "reelmill-executor", cap[32];
    char argument[sizeof EXECUTOR_ARGUMENT + EXECUTOR_VERSION_MAX] = EXECUTOR_ARGUMENT;
    char *arguments[EXECUTOR_ARGUMENTS_MAX + 1] = {name, argument, parent, cap};
    executor_link_version(argument + sizeof EXECUTOR_ARGUMENT - 1);
    snprintf(parent, sizeof parent, "%ld", (long)getpid());
    snprintf(cap, sizeof cap, "%s", cpu_cap == NULL ? "-" : cpu_cap);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, socket, EXECUTOR_SOCKET);
    for (uint32_t i = 0; i < roots->count; i++) {
        snprintf(names[i], sizeof names[i], "%c%s", roots->items[i].writable ? 'w' : 'r', roots->items[i].name);
        arguments[4 + i] = names[i];
        posix_spawn_file_actions_adddup2(&actions, directories[i], EXECUTOR_SOCKET + 1 + (int)i);
    }
    /* A process group of its own: the terminal's Ctrl-C is for the parent, which then drains. */
    sigset_t all, none;
    sigfillset(&all);
    sigdelset(&all, SIGKILL);
    sigdelset(&all, SIGSTOP);
    sigemptyset(&none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    snprintf(path, sizeof path, "/proc/self/fd/%d", program);
    int result = posix_spawn(out_process, path, &actions, &attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return result;
}

status executor_spawn(int program, const storage_roots *roots, const char *cpu_cap, pid_t *out_process,
                      int *out_socket, error_detail *detail)
{
    int sockets[2] = {-1, -1};
    int directories[ROOTS_MAX];
    status code = make_sockets(sockets, detail);
    if (code != STATUS_OK)
        return code;
    uint32_t count = 0;
    int result = 0;
    while (result == 0 && count < roots->count) {
        directories[count] = fcntl(roots->items[count].directory, F_DUPFD_CLOEXEC, SOURCE_DESCRIPTORS);
        if (directories[count] < 0)
            result = errno;
        else
            count++;
    }
    if (result == 0)
        result = spawn_with(program, roots, cpu_cap, sockets[1], directories, out_process);
    while (count > 0)
        close(directories[--count]);
    close(sockets[1]);
    if (result != 0) {
        close(sockets[0]);
        return error_detail_set(detail, STATUS_NODE_SYSTEM, "an executor process cannot be started: %s",
                                strerror(result));
    }
    *out_socket = sockets[0];
    return STATUS_OK;
}
