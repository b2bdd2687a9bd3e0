/**
 * Who did what: one line per deed or denial, added to a file that reelmill never changes otherwise.
 *
 *   2026-11-20T19:04:11Z who=anna role=submitter what=submit job=3 target="" outcome=ok detail=""
 *
 * A deed's line is written once it is decided, before its answer goes out. Threads: the loop's.
 */
#ifndef COORDINATOR_SHELL_AUDIT_LOG_H
#define COORDINATOR_SHELL_AUDIT_LOG_H

#include "coordinator/access/allow_list.h"

typedef struct audit_log audit_log;

typedef struct audit_entry {
    const access_grant *who; /**< NULL = a key that is not authorized */
    const char *what;        /**< submit, cancel, ...: a word */
    uint32_t job;            /**< 0 = none */
    const char *target;      /**< a node's name; NULL = none */
    status outcome;          /**< "ok", "denied" (STATUS_INPUT_DENIED) or "failed" */
    const char *detail;      /**< why, or the reason that was given; NULL = none */
} audit_entry;

/** Makes the file (mode 0640) where there is none. */
MUST_USE status audit_log_open(audit_log **out_log, const char *path, error_detail *detail);
void audit_log_close(audit_log **self);
/**
 * Goes on in a new file when that one was renamed or removed. A line that cannot be written is logged as an error, and
 * what it tells of goes on.
 */
void audit_log_add(audit_log *self, const audit_entry *entry);

#endif
