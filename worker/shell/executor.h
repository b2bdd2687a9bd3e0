/**
 * One executor process per slot: started with posix_spawn, one SEQPACKET socketpair, root descriptors inherited, then
 * limits, no_new_privs, Landlock and seccomp before the first task. It parses what strangers wrote; the parent does not.
 * A crash blames exactly the task it ran; a cancel is a kill; the parent's death is the executor's (PR_SET_PDEATHSIG).
 */
#ifndef WORKER_SHELL_EXECUTOR_H
#define WORKER_SHELL_EXECUTOR_H

#include "worker/media/storage_root.h"

/** Descriptor on which an executor finds its socket. */
enum { EXECUTOR_SOCKET = 3 };

/** The executor's main: takes tasks from EXECUTOR_SOCKET until it closes. Never returns. */
_Noreturn void executor_main(const storage_roots *roots, const char *cpu_cap);

#endif
