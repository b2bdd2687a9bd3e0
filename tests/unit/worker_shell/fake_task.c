/*
 * task_run for tests of the shell: the body is a word and its arguments. In an executor of the test program, this is
 * what runs.
 *
 *   cells N SIZE     N cells with a measure of SIZE bytes each, progress between, payload "done"
 *   pid              payload: this process's id in decimal
 *   fetch DOC        the whole document as payload
 *   wait             asks for document 99 and so waits until killed or answered
 *   fail             STATUS_STORAGE_FULL with a sentence
 *   abort            dies of SIGABRT
 *   stop             stands still (SIGSTOP)
 *   exit N           leaves with that code
 *   garbage          sends four bytes that are no frame
 *   stranger         sends a RESULT of another task
 *   giant            sends a frame over the size limit
 *   cut N            sends a CELL without its last N bytes
 *   counts           sends a CELL that announces 2^32 - 1 measures
 *   twice            asks for two documents at once
 *   read ROOT PATH   opens below a root; payload "read", or the failure's status
 *   write ROOT PATH  the same for writing a new file
 *   open PATH        opens an absolute path; payload "opened" or "denied"
 *   socket           asks for a network socket
 *   fork             asks for another process
 *   signal           sends its parent a signal
 *   owner            has a descriptor send its parent signals
 *   call NAME        makes that system call with arguments that mean nothing, or as somebody who took over would
 *   limits           payload: "fixed" when no limit of the sandbox may be raised again
 *   type             types into the terminal; payload "refused" or "survived"
 *   code             maps memory that can be executed, and makes such of its own; payload "refused" or "survived"
 *   number N         makes the system call of that number; payload "unknown" or "survived"
 */
#define _GNU_SOURCE
#include "proto/message_encode.h"
#include "worker/executor/executor.h"
#include "worker/tasks/task_run.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

static void say(byte_writer *payload, const char *text)
{
    byte_writer_bytes(payload, text, strlen(text));
}

static status make_cells(const task_host *host, unsigned count, unsigned size)
{
    status code = STATUS_OK;
    uint8_t *measure = calloc(1, size + 1);
    for (uint32_t i = 0; i < count && code == STATUS_OK; i++) {
        message_cell cell = {.cell = i, .measure_count = size > 0 ? 1 : 0};
        if (size > MEASURE_BYTES_MAX) { /* as much as a frame holds */
            cell.measure_count = 2;
            cell.measures[1] = (message_bytes){measure, size - MEASURE_BYTES_MAX};
            size = MEASURE_BYTES_MAX;
        }
        cell.measures[0] = (message_bytes){measure, size};
        code = host->cell(host->context, &cell);
        host->progress(host->context, (i + 1) * 1000 / count);
    }
    free(measure);
    return code;
}

static status fetch_all(const task_host *host, unsigned document, byte_writer *payload)
{
    uint64_t offset = 0;
    uint64_t total = 1;
    while (offset < total) {
        uint8_t bytes[4096];
        size_t size = 0;
        status code = host->fetch(host->context, document, offset, bytes, sizeof bytes, &size, &total);
        if (code != STATUS_OK || size == 0)
            return code;
        byte_writer_bytes(payload, bytes, size);
        offset += size;
    }
    return STATUS_OK;
}

static status use_root(const storage_roots *roots, const char *verb, const char *name, const char *path,
                       byte_writer *payload)
{
    const storage_root *root = storage_roots_find(roots, name);
    if (root == NULL)
        return STATUS_INPUT_MISSING;
    bool writing = strcmp(verb, "write") == 0;
    int descriptor = openat(root->directory, path, writing ? O_WRONLY | O_CREAT | O_CLOEXEC : O_RDONLY | O_CLOEXEC,
                            0600);
    say(payload, descriptor < 0 ? "denied" : verb);
    if (descriptor >= 0)
        close(descriptor);
    return STATUS_OK;
}

static const attempt_id of_the_test = {.job = 1, .task = 7, .term = 1, .epoch = 1};

/* Frames that a task of this number could send, but for one lie. */
static void lie(const char *word, int number)
{
    static const uint8_t huge[] = {0xdd, 0xff, 0xff, 0xff, 0xff}; /* an array of 2^32 - 1 */
    static const uint8_t giant[FRAME_BYTES_MAX + 1];
    message what = {.type = MESSAGE_CELL, .cell = {.attempt = of_the_test}};
    byte_writer writer;
    if (strcmp(word, "twice") == 0)
        what = (message){.type = MESSAGE_FETCH, .fetch = {.attempt = of_the_test}};
    byte_writer_init(&writer, FRAME_BYTES_MAX + sizeof huge);
    if (message_encode(&what, &writer) != STATUS_OK)
        abort();
    if (strcmp(word, "giant") == 0)
        (void)!write(EXECUTOR_SOCKET, giant, sizeof giant);
    if (strcmp(word, "cut") == 0)
        (void)!write(EXECUTOR_SOCKET, writer.bytes, writer.size - (size_t)number);
    for (int i = 0; i < 2 && strcmp(word, "twice") == 0; i++)
        (void)!write(EXECUTOR_SOCKET, writer.bytes, writer.size);
    if (strcmp(word, "counts") == 0) {
        writer.size--; /* its count of measures, the last thing in it: none */
        byte_writer_bytes(&writer, huge, sizeof huge);
        (void)!write(EXECUTOR_SOCKET, writer.bytes, writer.size);
    }
    byte_writer_deinit(&writer);
}

static void misbehave(const char *word, int number)
{
    if (strcmp(word, "giant") == 0 || strcmp(word, "cut") == 0 || strcmp(word, "counts") == 0 || strcmp(word, "twice") == 0)
        lie(word, number);
    if (strcmp(word, "abort") == 0)
        abort();
    if (strcmp(word, "stop") == 0)
        raise(SIGSTOP);
    if (strcmp(word, "exit") == 0)
        _exit(number);
    if (strcmp(word, "garbage") == 0)
        (void)!write(EXECUTOR_SOCKET, "junk", 4);
    if (strcmp(word, "stranger") == 0) {
        message what = {.type = MESSAGE_RESULT, .result = {.attempt = {.job = 4711}}};
        byte_writer writer;
        byte_writer_init(&writer, FRAME_BYTES_MAX);
        if (message_encode(&what, &writer) == STATUS_OK)
            (void)!write(EXECUTOR_SOCKET, writer.bytes, writer.size);
        byte_writer_deinit(&writer);
    }
    if (strcmp(word, "socket") == 0)
        close(socket(AF_INET, SOCK_STREAM, 0));
    if (strcmp(word, "fork") == 0 && fork() == 0)
        _exit(0);
    if (strcmp(word, "signal") == 0)
        (void)syscall(SYS_tgkill, getppid(), getppid(), SIGCONT);
    if (strcmp(word, "owner") == 0)
        (void)fcntl(EXECUTOR_SOCKET, F_SETOWN, getppid());
}

static void make_call(const char *name)
{
    const struct rlimit limit = {1024, 1024};
    const struct timespec times[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}}; /* changes nothing where it is let through */
    if (strcmp(name, "setrlimit") == 0)
        (void)syscall(SYS_setrlimit, RLIMIT_NOFILE, &limit);
    if (strcmp(name, "prlimit64") == 0)
        (void)prlimit(0, RLIMIT_NOFILE, &limit, NULL);
    if (strcmp(name, "dumpable") == 0)
        (void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    if (strcmp(name, "pdeathsig") == 0)
        (void)prctl(PR_SET_PDEATHSIG, 0);
    if (strcmp(name, "utimensat") == 0)
        (void)utimensat(AT_FDCWD, "/", times, 0);
    if (strcmp(name, "removexattr") == 0)
        (void)removexattr("/", "user.none");
    if (strcmp(name, "lremovexattr") == 0)
        (void)lremovexattr("/", "user.none");
    if (strcmp(name, "fremovexattr") == 0)
        (void)fremovexattr(-1, "user.none");
    if (strcmp(name, "truncate") == 0)
        (void)!truncate("/none", 0);
#if defined(__x86_64__)
    if (strcmp(name, "utime") == 0)
        (void)syscall(SYS_utime, "/none", NULL);
    if (strcmp(name, "utimes") == 0)
        (void)syscall(SYS_utimes, "/none", NULL);
    if (strcmp(name, "futimesat") == 0)
        (void)syscall(SYS_futimesat, -1, "none", NULL);
#endif
}

static const char *test_limits(void)
{
    static const __rlimit_resource_t resources[] = {RLIMIT_AS, RLIMIT_NOFILE, RLIMIT_CORE, RLIMIT_NPROC};
    for (size_t i = 0; i < sizeof resources / sizeof resources[0]; i++) {
        struct rlimit limit;
        if (getrlimit(resources[i], &limit) != 0 || limit.rlim_max == RLIM_INFINITY || limit.rlim_max != limit.rlim_cur)
            return "open";
    }
    return "fixed";
}

static const char *ask_kernel(const char *word, long number)
{
    if (strcmp(word, "limits") == 0)
        return test_limits();
    if (strcmp(word, "code") == 0) {
        const int data = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS;
        char *own = mmap(NULL, 4096, data, flags, -1, 0);
        bool refused = mmap(NULL, 4096, data | PROT_EXEC, flags, -1, 0) == MAP_FAILED && errno == EACCES;
        return own != MAP_FAILED && refused && mprotect(own, 4096, PROT_READ | PROT_EXEC) != 0 && errno == EACCES ? "refused"
                                                                                                                  : "survived";
    }
    if (strcmp(word, "type") == 0)
        return ioctl(-1, TIOCSTI, "x") != 0 && errno == ENOTTY ? "refused" : "survived"; /* the kernel says EBADF */
    return syscall(number, -1, NULL, NULL, 0, 0, 0) == -1 && errno == ENOSYS ? "unknown" : "survived";
}

status task_run(task_kind kind, const void *body, size_t body_size, const storage_roots *roots, const dsp_table *dsp,
                const task_host *host, byte_writer *payload, error_detail *detail)
{
    (void)kind;
    (void)dsp;
    char text[512], word[32] = "", first[128] = "", second[256] = "";
    snprintf(text, sizeof text, "%.*s", (int)body_size, (const char *)body);
    if (sscanf(text, "%31s %127s %255s", word, first, second) < 1)
        return STATUS_PEER_MALFORMED;
    if (strcmp(word, "cells") == 0) {
        status code = make_cells(host, (unsigned)atoi(first), (unsigned)atoi(second));
        say(payload, "done");
        return code;
    }
    if (strcmp(word, "pid") == 0) {
        snprintf(text, sizeof text, "%ld", (long)getpid());
        say(payload, text);
        return STATUS_OK;
    }
    if (strcmp(word, "fetch") == 0)
        return fetch_all(host, (unsigned)atoi(first), payload);
    if (strcmp(word, "wait") == 0)
        return fetch_all(host, 99, payload);
    if (strcmp(word, "fail") == 0)
        return error_detail_set(detail, STATUS_STORAGE_FULL, "the disk of out is full");
    if (strcmp(word, "read") == 0 || strcmp(word, "write") == 0)
        return use_root(roots, word, first, second, payload);
    if (strcmp(word, "open") == 0) {
        int descriptor = open(first, O_RDONLY | O_CLOEXEC);
        say(payload, descriptor >= 0 ? "opened" : "denied");
        return STATUS_OK;
    }
    if (strcmp(word, "limits") == 0 || strcmp(word, "type") == 0 || strcmp(word, "number") == 0 || strcmp(word, "code") == 0) {
        say(payload, ask_kernel(word, strtol(first, NULL, 10)));
        return STATUS_OK;
    }
    if (strcmp(word, "call") == 0)
        make_call(first);
    misbehave(word, atoi(first));
    say(payload, "survived");
    return STATUS_OK;
}
