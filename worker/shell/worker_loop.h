/**
 * The worker as a process: a libuv loop with the session in its middle, the DEALER on one side and the executors on the
 * other. Dull on purpose: what comes in goes to the session, what it orders is done.
 */
#ifndef WORKER_SHELL_WORKER_LOOP_H
#define WORKER_SHELL_WORKER_LOOP_H

#include "worker/shell/worker_config.h"

enum {
    WORKER_EXIT_DRAINED = 0,
    WORKER_EXIT_USAGE = 2,
    WORKER_EXIT_AGAIN = 75, /**< EX_TEMPFAIL: start me again */
    WORKER_EXIT_NEVER = 78  /**< EX_CONFIG: starting again will not help */
};

/**
 * Runs until drained or refused; the exit code of the program goes to out_exit. A failure means that nothing was
 * started (a media root that cannot be opened, no executors), with a sentence.
 */
MUST_USE status worker_loop_run(const worker_config *config, int *out_exit, error_detail *detail);

/** The two keys, as far as they are configured. */
MUST_USE status worker_check_keys(const worker_config *config, error_detail *detail);
/** Reads and opens what a start would, and starts nothing: keys, media roots. */
MUST_USE status worker_check_config(const worker_config *config, error_detail *detail);

#endif
