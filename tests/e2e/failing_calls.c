/*
 * Loaded into the programs by LD_PRELOAD: one call on a file fails, as storage does. REELMILL_FAILING is
 * "PROGRAM CALL N ERROR FILE": the N-th (from 1) CALL of all processes of PROGRAM (coordinator, worker, executor, reelmill)
 * on a file or folder fails with the number ERROR, or with "short" does half of what it should. FILE holds numbers that all
 * processes share: how often each call was made, in the order below, and how often one failed.
 */
#define _GNU_SOURCE
#undef _FORTIFY_SOURCE /* its inlines are of the very calls that are replaced here */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef enum failing_call {
    CALL_OPEN, CALL_READ, CALL_WRITE, CALL_SYNC, CALL_TRUNCATE, CALL_ALLOCATE, CALL_RENAME, CALL_LINK, CALL_UNLINK, CALL_MKDIR,
    CALL_STAT, CALL_CLOSE, CALL_COUNT
} failing_call;

static const char *const call_names[CALL_COUNT] = {"open",   "read", "write",  "sync",  "truncate", "allocate",
                                                   "rename", "link", "unlink", "mkdir", "stat",     "close"};

typedef struct failing_counts {
    _Atomic uint64_t made[CALL_COUNT];
    _Atomic uint64_t failed;
} failing_counts;

static struct {
    failing_call call;
    uint64_t which;
    int number; /* 0: short */
    failing_counts *counts;
} plan;

/* As glibc hands main's arguments to what it loads. */
__attribute__((constructor)) static void plan_read(int argc, char **argv)
{
    (void)argc;
    const char *text = getenv("REELMILL_FAILING");
    char program[32] = "";
    char call[32] = "";
    char number[16] = "";
    char file[512] = "";
    unsigned long long which = 0;
    if (text == NULL || sscanf(text, "%31s %31s %llu %15s %511s", program, call, &which, number, file) != 5)
        return;
    const char *name = strrchr(argv[0], '/') == NULL ? argv[0] : strrchr(argv[0], '/') + 1;
    const char *own = strcmp(name, "reelmill") == 0 ? name : strncmp(name, "reelmill-", 9) == 0 ? name + 9 : "";
    int descriptor = strcmp(own, program) == 0 ? open(file, O_RDWR | O_CLOEXEC) : -1;
    if (descriptor < 0)
        return;
    void *shared = mmap(NULL, sizeof *plan.counts, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    close(descriptor);
    while (plan.call < CALL_COUNT && strcmp(call, call_names[plan.call]) != 0)
        plan.call++;
    plan.which = which;
    plan.number = atoi(number);
    plan.counts = shared == MAP_FAILED ? NULL : shared;
}

static bool is_hit(failing_call call)
{
    if (plan.counts == NULL || atomic_fetch_add(&plan.counts->made[call], 1) + 1 != plan.which || call != plan.call)
        return false;
    atomic_fetch_add(&plan.counts->failed, 1);
    errno = plan.number;
    return true;
}

static bool is_file(int descriptor)
{
    struct stat found;
    int kept = errno;
    bool is = plan.counts != NULL && syscall(SYS_fstat, descriptor, &found) == 0 &&
              (S_ISREG(found.st_mode) || S_ISDIR(found.st_mode));
    errno = kept;
    return is;
}

static bool is_storage(const char *path)
{
    return strncmp(path, "/proc", 5) != 0 && strncmp(path, "/sys", 4) != 0 && strncmp(path, "/dev", 4) != 0 &&
           strncmp(path, "/etc", 4) != 0 && strncmp(path, "/usr", 4) != 0;
}

static size_t size_done(size_t size)
{
    return size / 2;
}

#define REAL(name) ((__typeof__(&name))(uintptr_t)dlsym(RTLD_NEXT, #name))

/* Calls that take or give bytes: they fail, or do half. */
#define BYTES_CALL(name, label, declared, given)                                                                       \
    ssize_t name declared                                                                                              \
    {                                                                                                                  \
        if (is_file(descriptor) && is_hit(label)) {                                                                    \
            if (plan.number != 0)                                                                                      \
                return -1;                                                                                             \
            size = size_done(size);                                                                                    \
        }                                                                                                              \
        return REAL(name) given;                                                                                       \
    }

/* Calls that are made on a descriptor, or on a path. */
#define CALL(name, label, meant, declared, given)                                                                      \
    int name declared                                                                                                  \
    {                                                                                                                  \
        if ((meant) && is_hit(label))                                                              \
            return -1;                                                                                                 \
        return REAL(name) given;                                                                                       \
    }

BYTES_CALL(read, CALL_READ, (int descriptor, void *bytes, size_t size), (descriptor, bytes, size))
BYTES_CALL(pread64, CALL_READ, (int descriptor, void *bytes, size_t size, off64_t at), (descriptor, bytes, size, at))
BYTES_CALL(write, CALL_WRITE, (int descriptor, const void *bytes, size_t size), (descriptor, bytes, size))
BYTES_CALL(pwrite64, CALL_WRITE, (int descriptor, const void *bytes, size_t size, off64_t at), (descriptor, bytes, size, at))
CALL(fsync, CALL_SYNC, is_file(descriptor), (int descriptor), (descriptor))
CALL(fdatasync, CALL_SYNC, is_file(descriptor), (int descriptor), (descriptor))
CALL(sync_file_range, CALL_SYNC, is_file(descriptor), (int descriptor, off64_t at, off64_t size, unsigned flags),
     (descriptor, at, size, flags))
CALL(ftruncate64, CALL_TRUNCATE, is_file(descriptor), (int descriptor, off64_t size), (descriptor, size))
CALL(fallocate64, CALL_ALLOCATE, is_file(descriptor), (int descriptor, int mode, off64_t at, off64_t size),
     (descriptor, mode, at, size))
CALL(rename, CALL_RENAME, true, (const char *from, const char *to), (from, to))
CALL(renameat, CALL_RENAME, true, (int a, const char *from, int b, const char *to), (a, from, b, to))
CALL(renameat2, CALL_RENAME, true, (int a, const char *from, int b, const char *to, unsigned flags), (a, from, b, to, flags))
CALL(linkat, CALL_LINK, true, (int a, const char *from, int b, const char *to, int flags), (a, from, b, to, flags))
CALL(unlink, CALL_UNLINK, true, (const char *path), (path))
CALL(unlinkat, CALL_UNLINK, true, (int a, const char *path, int flags), (a, path, flags))
CALL(mkdir, CALL_MKDIR, true, (const char *path, mode_t mode), (path, mode))
CALL(mkdirat, CALL_MKDIR, true, (int a, const char *path, mode_t mode), (a, path, mode))
CALL(fstat64, CALL_STAT, is_file(descriptor), (int descriptor, struct stat64 *found), (descriptor, found))
CALL(fstatat64, CALL_STAT, is_storage(path), (int a, const char *path, struct stat64 *found, int flags), (a, path, found, flags))
CALL(statx, CALL_STAT, is_storage(path), (int a, const char *path, int flags, unsigned mask, struct statx *found),
     (a, path, flags, mask, found))

/* A close that fails has closed. */
int close(int descriptor)
{
    bool hit = is_file(descriptor) && is_hit(CALL_CLOSE);
    int done = (int)syscall(SYS_close, descriptor);
    if (!hit)
        return done;
    errno = plan.number;
    return -1;
}

static mode_t mode_of(int flags, va_list rest)
{
    return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
}

int open64(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = mode_of(flags, rest);
    va_end(rest);
    return is_storage(path) && is_hit(CALL_OPEN) ? -1 : REAL(open64)(path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = mode_of(flags, rest);
    va_end(rest);
    return is_storage(path) && is_hit(CALL_OPEN) ? -1 : REAL(openat64)(folder, path, flags, mode);
}

/* openat2 has no function of its own, nor has what the kernel reads by a queue: that fails, or was half, where it is waited for. */
long syscall(long number, ...)
{
    long given[6];
    va_list rest;
    va_start(rest, number);
    for (int i = 0; i < 6; i++)
        given[i] = va_arg(rest, long);
    va_end(rest);
    if (number == SYS_openat2 && is_hit(CALL_OPEN))
        return -1;
    bool hit = number == SYS_io_getevents && is_hit(CALL_READ);
    if (hit && plan.number == EINTR)
        return -1;
    long result = REAL(syscall)(number, given[0], given[1], given[2], given[3], given[4], given[5]);
    if (hit && result == 1) {
        struct io_event *event = (struct io_event *)(uintptr_t)given[3];
        event->res = plan.number != 0 ? -plan.number : (int64_t)size_done((size_t)event->res);
    }
    return result;
}
