/**
 * A program of the operator's that is told of every job's end: an argument list, never a shell; the job's document on its
 * standard input, the most asked for in its environment (REELMILL_JOB, _TITLE, _VERSION, _VERDICT, _EXIT_CODE). It has
 * END_HOOK_LIMIT_MS, then its process group is killed. HOOKS_AT_ONCE run beside each other, the rest waits in order; of
 * more than HOOKS_WAITING_MAX the newest are dropped, and the log says so. A coordinator that dies forgets what waits.
 *
 * Threads: the loop's.
 */
#ifndef COORDINATOR_SHELL_END_HOOK_H
#define COORDINATOR_SHELL_END_HOOK_H

#include "common/base/status.h"

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

enum { HOOKS_AT_ONCE = 2, HOOKS_WAITING_MAX = 1000, END_HOOK_LIMIT_MS = 60000 };

typedef struct end_hook end_hook;

typedef struct end_hook_news {
    uint32_t job;
    const char *title, *version, *verdict; /**< "" where there is none */
    int exit_code;
    char *document; /**< taken */
    size_t document_size;
} end_hook_news;

/** arguments: NULL-terminated, borrowed for good. */
MUST_USE status end_hook_create(end_hook **out_hook, uv_loop_t *loop, const char *const *arguments, uint32_t limit_ms);
void end_hook_tell(end_hook *self, const end_hook_news *news);
/** News that nobody was told of, since the start: more waited than HOOKS_WAITING_MAX. NULL is fine. */
uint64_t end_hook_dropped(const end_hook *self);
/** Kills what runs and forgets what waits; its handles go with the loop's next turns. NULL is fine. */
void end_hook_close(end_hook **self);

#endif
