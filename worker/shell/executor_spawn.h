/** Starts the process of an executor: its program, with a socket and the media roots at fixed descriptors. */
#ifndef WORKER_SHELL_EXECUTOR_SPAWN_H
#define WORKER_SHELL_EXECUTOR_SPAWN_H

#include "worker/media/storage_root.h"

#include <sys/types.h>

/** A descriptor of the program for executor_spawn(); the caller closes it. */
MUST_USE status executor_program_open(const char *path, int *out_program, error_detail *detail);
/**
 * Whether that program, which is at `path`, is of the worker's own version. STATUS_PEER_VERSION: it is not, and the sentence says
 * what was found and expected; another status: it could not be asked, or gave no answer for so long.
 */
MUST_USE status executor_program_check(int program, const char *path, int patience_ms, error_detail *detail);
/** The parent's end of the socket pair is non-blocking and close-on-exec; the caller owns it. */
MUST_USE status executor_spawn(int program, const storage_roots *roots, const char *cpu_cap, pid_t *out_process,
                               int *out_socket, error_detail *detail);

#endif
