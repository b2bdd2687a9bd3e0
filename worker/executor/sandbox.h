/**
 * What an executor gives up before its first task, so that hostile audio is parsed where it can do nothing: no core
 * dumps, no new privileges, a ceiling on memory for good, files only below the media roots (Landlock, as far as the
 * kernel has it), and of the kernel's calls those that tasks need (seccomp, x86-64 and arm64): no network, no programs, no
 * other processes, no modes, owners, times or attributes of files, no devices' calls, no new code. A call of these ends the
 * executor where somebody who took it over would want it, and does not exist (ENOSYS) where it is merely not in the list.
 *
 * Under a sanitizer memory is not limited and seccomp is left out: the sanitizers need both themselves.
 */
#ifndef WORKER_EXECUTOR_SANDBOX_H
#define WORKER_EXECUTOR_SANDBOX_H

#include "worker/media/storage_root.h"

#include <stdbool.h>

/** Highest Landlock version of this kernel, 0 = none. */
int sandbox_landlock_version(void);
/** True when seccomp filters are part of this build. */
bool sandbox_has_seccomp(void);
/** Cannot be undone. STATUS_NODE_SYSTEM when something the kernel has cannot be put in place. */
MUST_USE status sandbox_enter(const storage_roots *roots, error_detail *detail);

#endif
