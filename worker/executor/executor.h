/**
 * The inside of an executor: the process that runs tasks, one at a time. It is a program of its own, reelmill-executor, started
 * by executor_pool with an internal first argument, a SEQPACKET socket at descriptor EXECUTOR_SOCKET and the media
 * roots at the descriptors after it. It parses what strangers wrote; its parent does not, and has no code that could.
 *
 * It dies with its parent (PR_SET_PDEATHSIG), shuts itself in (sandbox.h) before its first task, and ends when the
 * socket closes. Frames on the socket: PROTOCOL.md, "Executors".
 */
#ifndef WORKER_EXECUTOR_EXECUTOR_H
#define WORKER_EXECUTOR_EXECUTOR_H

#include "proto/executor_link.h"
#include "worker/media/storage_root.h"

#include <stddef.h>

/** To be called first in main: becomes an executor, or tells executor_link_version(), and never returns, when
 * the arguments say so. One that a program of another version started leaves with EXECUTOR_EXIT_OTHER_VERSION. */
void executor_main_if_asked(int argc, char *const *argv);
/** The executor's main: takes tasks from EXECUTOR_SOCKET until it closes. cpu_cap NULL = none. Never returns. */
_Noreturn void executor_main(const storage_roots *roots, const char *cpu_cap);

#endif
