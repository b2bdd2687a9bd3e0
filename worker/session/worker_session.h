/**
 * The worker's half of the protocol (proto/PROTOCOL.md), pure: messages, executor news and time in; messages and
 * executor orders out.
 *
 * It says HELLO until WELCOME, keeps at most `slots` attempts running and a few queued, sends heartbeats with progress,
 * keeps every CELL and RESULT until the coordinator has acknowledged them (and sends them again after a reconnect), and
 * fences itself: when lease_ms have passed since it sent the last HELLO or HEARTBEAT that was answered, every executor
 * is killed, what was queued or ran is dropped (what had ended is kept), and once those processes are gone it says
 * HELLO anew. A coordinator of a lower term than the highest seen in its farm is ignored.
 *
 * Orders are carried out in their order. An executor's process that was ordered killed is reported by
 * worker_session_ended when it is gone, and by nothing else.
 *
 * Threads: one. Time: any monotonic milliseconds that never go back. Memory: out of memory ends the process (ENSURE).
 * The shell (worker/shell) owns sockets, processes and clocks.
 */
#ifndef WORKER_SESSION_WORKER_SESSION_H
#define WORKER_SESSION_WORKER_SESSION_H

#include "proto/message_types.h"

typedef struct worker_session worker_session;

typedef struct worker_session_config {
    uint8_t instance[INSTANCE_BYTES];
    char name[NAME_MAX_BYTES];
    char engine[ENGINE_TEXT_BYTES];
    char cpu[CPU_TEXT_BYTES];
    uint32_t slots;
    uint32_t root_count;
    message_root roots[ROOTS_MAX];
    uint32_t hello_interval_ms; /**< the longest: the first follow after a sixteenth of it, doubling */
    size_t spool_bytes_max;   /**< unacknowledged results kept; over it no new task is started */
} worker_session_config;

typedef enum session_order_type {
    ORDER_SEND,          /**< send frame; one that cannot be queued is lost, and that is allowed */
    ORDER_START,         /**< run task (kind, body) of attempt in a free executor */
    ORDER_KILL,          /**< kill the executor that runs attempt */
    ORDER_GIVE_CHUNK,    /**< hand a CHUNK frame to the executor that runs attempt */
    ORDER_LOG,           /**< text for the log */
    ORDER_EXIT           /**< leave with the exit code in value: 0 drained, 75 start again, 78 refused for good */
} session_order_type;

typedef struct session_order {
    session_order_type type;
    attempt_id attempt;
    task_kind kind;
    uint8_t *bytes;      /**< frame, body or text; owned by the order until worker_session_orders_clear */
    size_t byte_size;
    int value;
} session_order;

typedef struct session_orders {
    session_order *items;
    size_t count, capacity;
} session_orders;
void session_orders_clear(session_orders *self);
void session_orders_deinit(session_orders *self);

worker_session *worker_session_create(const worker_session_config *config);
void worker_session_destroy(worker_session **self);

/** A frame from the coordinator. Malformed frames are counted and dropped (STATUS_PEER_MALFORMED, for the log). */
MUST_USE status worker_session_receive(worker_session *self, uint64_t now_ms, const void *frame, size_t byte_size,
                                       session_orders *out);
/**
 * An executor made one cell: frame is an encoded MESSAGE_CELL for the attempt it runs (the caller has checked both).
 * STATUS_PEER_IMPOSSIBLE when that attempt does not run, or has more cells than a task can have.
 */
MUST_USE status worker_session_cell(worker_session *self, uint64_t now_ms, attempt_id attempt, const void *frame,
                                    size_t byte_size, session_orders *out);
void worker_session_progress(worker_session *self, attempt_id attempt, uint32_t done_permille);
/** An executor asks for a part of a document. */
MUST_USE status worker_session_fetch(worker_session *self, const message_fetch *fetch, session_orders *out);
/**
 * An executor ended an attempt, or died (code STATUS_NODE_CRASHED). cell_count and elapsed_ms are filled in here.
 * STATUS_PEER_IMPOSSIBLE when that attempt does not run.
 */
MUST_USE status worker_session_ended(worker_session *self, uint64_t now_ms, const message_result *result,
                                     session_orders *out);
/** The engine asked for a drain (SIGTERM). A second call kills what runs and exits. ORDER_EXIT is the last order. */
MUST_USE status worker_session_drain(worker_session *self, uint64_t now_ms, session_orders *out);
/** A connection has come about, on which nobody knows it: a HELLO is due at once. */
void worker_session_connected(worker_session *self, uint64_t now_ms);
MUST_USE status worker_session_tick(worker_session *self, uint64_t now_ms, session_orders *out);
/** When the next tick is due; UINT64_MAX = never. */
uint64_t worker_session_next_deadline_ms(const worker_session *self);
/** Attempts held: queued, running, and ended but not acknowledged. */
uint32_t worker_session_held_count(const worker_session *self);

#endif
