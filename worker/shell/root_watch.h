/**
 * Is what is mounted at the folders of the media roots still what was opened when the worker started? A worker holds its
 * roots open, so storage that went away and was mounted again is not reached through them.
 *
 * Looks off the loop, since a dead mount may not answer; one look at a time.
 */
#ifndef WORKER_SHELL_ROOT_WATCH_H
#define WORKER_SHELL_ROOT_WATCH_H

#include "worker/media/storage_root.h"
#include "worker/shell/worker_config.h"

#include <uv.h>

typedef struct root_watch {
    uv_work_t work;
    bool looking;
    const worker_config *config;
    const storage_roots *roots;
    uint32_t found; /**< index of a root with something else mounted; UINT32_MAX = none */
    void (*remounted)(void *context, const char *root);
    void *context;
} root_watch;

/** remounted is called on the loop's thread. config and roots are views for as long as the loop runs. */
void root_watch_init(root_watch *self, const worker_config *config, const storage_roots *roots,
                     void (*remounted)(void *context, const char *root), void *context);
/** Begins a look, unless one is under way. */
void root_watch_look(root_watch *self, uv_loop_t *loop);

#endif
