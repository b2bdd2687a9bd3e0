/**
 * Every result code of reelmill, its text and the class that says how to react to it.
 *
 * A function that can fail returns `status` and is marked MUST_USE; results go to `out_*` parameters, which are left
 * untouched on failure. Callers switch on the class first. QC findings are not errors: a meter that finds a fault
 * returns STATUS_OK.
 */
#ifndef COMMON_BASE_STATUS_H
#define COMMON_BASE_STATUS_H

#include <stddef.h>

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(text_index, first_index) __attribute__((format(printf, text_index, first_index)))

/** How to react. The word of the class is what `outcome.class` says in JSON. */
typedef enum status_class {
    STATUS_CLASS_OK,
    STATUS_CLASS_WAIT,    /**< nothing is wrong; try later */
    STATUS_CLASS_PEER,    /**< the peer said something impossible: tell it, drop it */
    STATUS_CLASS_INPUT,   /**< the person must fix a file or a command line; never retried */
    STATUS_CLASS_LIMIT,   /**< a bound of limits.h was met; never retried */
    STATUS_CLASS_STORAGE, /**< a disk or mount failed; retried elsewhere without penalty */
    STATUS_CLASS_NODE,    /**< this machine or process failed; retried elsewhere */
    STATUS_CLASS_DEFECT   /**< our own bug */
} status_class;

/* X(name, class, text). The numbers are on the wire and in journals: new ones are added at the end. */
#define STATUS_TABLE(X)                                                                            \
    X(STATUS_OK, STATUS_CLASS_OK, "done")                                                          \
    X(STATUS_AGAIN, STATUS_CLASS_WAIT, "not now")                                                  \
    X(STATUS_CANCELLED, STATUS_CLASS_WAIT, "cancelled")                                            \
    X(STATUS_PEER_MALFORMED, STATUS_CLASS_PEER, "malformed message")                               \
    X(STATUS_PEER_VERSION, STATUS_CLASS_PEER, "unsupported protocol version")                      \
    X(STATUS_PEER_IMPOSSIBLE, STATUS_CLASS_PEER, "a claim that cannot be true")                    \
    X(STATUS_PEER_REFUSED, STATUS_CLASS_PEER, "refused")                                           \
    X(STATUS_INPUT_SYNTAX, STATUS_CLASS_INPUT, "syntax error")                                     \
    X(STATUS_INPUT_INVALID, STATUS_CLASS_INPUT, "invalid value")                                   \
    X(STATUS_INPUT_MISSING, STATUS_CLASS_INPUT, "missing")                                         \
    X(STATUS_INPUT_TRUNCATED, STATUS_CLASS_INPUT, "truncated")                                     \
    X(STATUS_INPUT_UNSUPPORTED, STATUS_CLASS_INPUT, "unsupported")                                 \
    X(STATUS_INPUT_CHANGED, STATUS_CLASS_INPUT, "changed while in use")                            \
    X(STATUS_INPUT_CONFLICT, STATUS_CLASS_INPUT, "conflicts with something that exists")           \
    X(STATUS_LIMIT, STATUS_CLASS_LIMIT, "over a limit")                                            \
    X(STATUS_STORAGE_FULL, STATUS_CLASS_STORAGE, "storage is full")                                \
    X(STATUS_STORAGE_IO, STATUS_CLASS_STORAGE, "input/output error")                               \
    X(STATUS_STORAGE_DENIED, STATUS_CLASS_STORAGE, "permission denied")                            \
    X(STATUS_STORAGE_MISMATCH, STATUS_CLASS_STORAGE, "the bytes read back differ")                 \
    X(STATUS_NODE_MEMORY, STATUS_CLASS_NODE, "out of memory")                                      \
    X(STATUS_NODE_SYSTEM, STATUS_CLASS_NODE, "system call failed")                                 \
    X(STATUS_NODE_CRASHED, STATUS_CLASS_NODE, "the process died")                                  \
    X(STATUS_NODE_LOST, STATUS_CLASS_NODE, "the worker was lost")                                  \
    X(STATUS_DEFECT, STATUS_CLASS_DEFECT, "a defect in reelmill")                                  \
    X(STATUS_NODE_HUNG, STATUS_CLASS_NODE, "the process made no progress")                               \
    X(STATUS_INPUT_DENIED, STATUS_CLASS_INPUT, "not allowed")                                      \
    X(STATUS_NODE_WRONG, STATUS_CLASS_NODE, "the worker sent what cannot be true")

typedef enum status {
#define STATUS_ENUM(name, class, text) name,
    STATUS_TABLE(STATUS_ENUM)
#undef STATUS_ENUM
        STATUS_COUNT
} status;

status_class status_class_of(status code);
/** The text of the table, never NULL; codes outside the enum give "unknown status". */
const char *status_text(status code);
/** "ok", "wait", "peer", "input", "limit", "storage", "node", "defect". */
const char *status_class_name(status_class class);

/** Longest message of an error_detail, NUL included. */
#define ERROR_MESSAGE_SIZE 1024

/**
 * What a person is told about a failure: one sentence naming the file, the place (line:column, channel, timecode or
 * byte), what was found, what was expected and what to do. An optional last parameter of functions that read something
 * from outside; NULL is allowed and ignored. Text is UTF-8, bounded, and holds no control characters.
 */
typedef struct error_detail {
    status code;
    char message[ERROR_MESSAGE_SIZE];
} error_detail;

/** Writes code and sentence (by plain_text_disarm) and returns code, so that `return error_detail_set(...)` reads well. */
status error_detail_set(error_detail *detail, status code, const char *format, ...) PRINTF_LIKE(3, 4);

#endif
