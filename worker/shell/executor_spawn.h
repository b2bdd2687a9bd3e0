/** Starts the process of an executor: this very program, with a socket and the media roots at fixed descriptors. */
#ifndef WORKER_SHELL_EXECUTOR_SPAWN_H
#define WORKER_SHELL_EXECUTOR_SPAWN_H

#include "worker/media/storage_root.h"

#include <sys/types.h>

/** The parent's end of the socket pair is non-blocking and close-on-exec; the caller owns it. */
MUST_USE status executor_spawn(const storage_roots *roots, const char *cpu_cap, pid_t *out_process, int *out_socket,
                               error_detail *detail);

#endif
