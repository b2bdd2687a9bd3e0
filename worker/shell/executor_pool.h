/**
 * The parent's side of the executors: one process per slot, kept alive, given one task at a time. An executor that dies
 * is started again; the task it ran (and no other) is reported as crashed, with the signal's name. What executors send
 * is checked like a stranger's; nonsense costs them their life. So does silence: one that runs a task and says nothing
 * (no cell, no progress, no question) for hang_ms is killed and its task reported as hung. One that was killed and stands
 * in the kernel (a dead mount) is given up after 3/8 of hang_ms: its task is reported as hung and its slot gets another
 * process; one more than there are slots is hopeless.
 *
 * Threads: the loop's. Calls of executor_listener come from the loop, never from within a call of this module.
 */
#ifndef WORKER_SHELL_EXECUTOR_POOL_H
#define WORKER_SHELL_EXECUTOR_POOL_H

#include "proto/message_types.h"
#include "worker/media/storage_root.h"

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

typedef struct executor_pool executor_pool;

/**
 * Tasks report progress at least once per cell or file part, which takes seconds. What may be silent for longer is one
 * call to slow storage: fdatasync of what a page cache holds back (25 GB at 100 MB/s take 250 s).
 */
enum { EXECUTOR_HANG_MS = 300000 };

/** frame, and what messages point to, live during the call. */
typedef struct executor_listener {
    void *context;
    /** Anything but STATUS_OK ends the executor. */
    status (*cell)(void *context, attempt_id attempt, const void *frame, size_t byte_size);
    void (*progress)(void *context, attempt_id attempt, uint32_t done_permille);
    void (*fetch)(void *context, const message_fetch *fetch);
    /** The attempt is over, and no process runs it any more (but for one that was killed and stands in the kernel). */
    void (*ended)(void *context, const message_result *result);
    /** Executors die or fail to start before any task, again and again: this worker is of no use. */
    void (*hopeless)(void *context, const char *reason);
} executor_listener;

typedef struct executor_pool_config {
    const char *program;         /**< the executors'; opened once, so a later installation changes none of this pool's */
    uint32_t slots;
    const char *cpu_cap;         /**< NULL = none */
    const storage_roots *roots;  /**< view, as long as the pool lives */
    uint32_t hang_ms;            /**< 0 = EXECUTOR_HANG_MS */
} executor_pool_config;

MUST_USE status executor_pool_create(executor_pool **out_pool, uv_loop_t *loop, const executor_pool_config *config,
                                     const executor_listener *listener, error_detail *detail);
/** Runs a task in a free slot; there must be one (the session counts). It waits there for an executor to be started. */
void executor_pool_start(executor_pool *self, attempt_id attempt, task_kind kind, const void *body, size_t body_size);
/** `ended` follows when the process is gone. An attempt that is not there is none's fault: it ended meanwhile. */
void executor_pool_kill(executor_pool *self, attempt_id attempt);
/** Hands a CHUNK frame to the executor of that attempt. */
void executor_pool_give(executor_pool *self, attempt_id attempt, const void *frame, size_t byte_size);
/** Kills every executor, waits for their end and lets go of the loop. Nothing is reported any more. */
void executor_pool_close(executor_pool **self);
/** Process ids of living executors, for tests: at most capacity of them are written. */
size_t executor_pool_processes(const executor_pool *self, pid_t *out_ids, size_t capacity);

#endif
