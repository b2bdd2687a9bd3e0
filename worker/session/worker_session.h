/**
 * The worker's half of the protocol, pure: messages, executor news and time in; messages and executor orders out.
 *
 * It says HELLO until WELCOME, keeps at most `slots` attempts running and a few queued, sends heartbeats with progress,
 * keeps every CELL and RESULT until the coordinator has acknowledged them (and sends them again after a reconnect), and
 * fences itself: without contact for lease_ms every executor is killed, what it held is dropped, and it says HELLO anew.
 * A coordinator of a lower term than the highest seen is ignored.
 *
 * Threads: one. The shell (worker/shell) owns sockets, processes and clocks.
 */
#ifndef WORKER_SESSION_WORKER_SESSION_H
#define WORKER_SESSION_WORKER_SESSION_H

#include "proto/message_types.h"

typedef struct worker_session worker_session;

typedef struct worker_session_config {
    uint8_t instance[INSTANCE_BYTES];
    char name[NAME_MAX_BYTES];
    char engine[32];
    char cpu[16];
    uint32_t slots;
    uint32_t root_count;
    message_root roots[ROOTS_MAX];
    uint32_t hello_interval_ms;
    size_t spool_bytes_max;   /**< unacknowledged results kept; over it no new task is started */
} worker_session_config;

typedef enum session_order_type {
    ORDER_SEND,          /**< send frame */
    ORDER_START,         /**< run task (kind, body) of attempt in a free executor */
    ORDER_KILL,          /**< kill the executor that runs attempt */
    ORDER_GIVE_CHUNK,    /**< hand a CHUNK frame to the executor that runs attempt */
    ORDER_LOG,           /**< text for the log */
    ORDER_EXIT           /**< drained: leave with exit code 0 (or 78 when refused for good, code in value) */
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
/** An executor made one cell: frame is an encoded MESSAGE_CELL for the attempt it runs. */
MUST_USE status worker_session_cell(worker_session *self, uint64_t now_ms, attempt_id attempt, const void *frame,
                                    size_t byte_size, session_orders *out);
void worker_session_progress(worker_session *self, attempt_id attempt, uint32_t done_permille);
/** An executor asks for a part of a document. */
MUST_USE status worker_session_fetch(worker_session *self, const message_fetch *fetch, session_orders *out);
/** An executor ended an attempt, or died (code STATUS_NODE_CRASHED). */
MUST_USE status worker_session_ended(worker_session *self, uint64_t now_ms, const message_result *result,
                                     session_orders *out);
/** The engine asked for a drain (SIGTERM). A second call kills what runs and exits. */
MUST_USE status worker_session_drain(worker_session *self, uint64_t now_ms, session_orders *out);
MUST_USE status worker_session_tick(worker_session *self, uint64_t now_ms, session_orders *out);
uint64_t worker_session_next_deadline_ms(const worker_session *self);

#endif
