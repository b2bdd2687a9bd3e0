/** Inside worker/session: its state, and what its files share. */
#ifndef WORKER_SESSION_SESSION_PARTS_H
#define WORKER_SESSION_SESSION_PARTS_H

#include "common/base/byte_writer.h"
#include "worker/session/held_table.h"
#include "worker/session/worker_session.h"

enum {
    BEATS_KEPT = 32,    /**< beats whose sending time is remembered; an answer to an older one is no evidence */
    EXIT_DRAINED = 0,
    EXIT_AGAIN = 75,    /**< EX_TEMPFAIL: a new start may find its storage */
    EXIT_REFUSED = 78   /**< EX_CONFIG: starting again will not help */
};

typedef enum session_state {
    SESSION_GREETING, /**< says HELLO until WELCOME */
    SESSION_WELCOMED,
    SESSION_GONE      /**< ORDER_EXIT was given */
} session_state;

typedef struct sent_beat {
    uint32_t beat;
    bool hello;
    uint64_t sent_ms;
} sent_beat;

struct worker_session {
    worker_session_config config;
    session_state state;
    uint64_t now_ms;         /**< of the last call */
    uint64_t farm;
    uint32_t term;           /**< highest seen in that farm */
    uint32_t heartbeat_ms;
    uint32_t lease_ms;
    bool leased;             /**< the fence is armed: lease_ms from contact_ms on */
    uint64_t contact_ms;     /**< when the newest answered HELLO or HEARTBEAT was sent */
    uint32_t beat;
    sent_beat beats[BEATS_KEPT];
    uint64_t hello_due_ms;
    uint32_t hello_wait_ms;  /**< to the HELLO after the next; doubles up to the interval */
    uint64_t hello_sent_ms;
    uint64_t heartbeat_due_ms;
    bool draining;
    bool leaving;            /**< a second drain: nothing is waited for but the end of processes */
    held_table held;
    byte_writer frame;       /**< scratch */
};

/** Adds an order with a copy of bytes. The pointer is good until the next order. */
session_order *session_orders_add(session_orders *self, session_order_type type, const void *bytes, size_t byte_size);
void session_orders_log(session_orders *self, const char *format, ...) PRINTF_LIKE(2, 3);

/* ---- session_held.c: attempts ---- */
/** Starts queued attempts while slots are free. */
void session_start_queued(worker_session *self, session_orders *out);
void session_assign(worker_session *self, const message_assign *assign, session_orders *out);
void session_acknowledged(worker_session *self, const message_attempts *acked, session_orders *out);
void session_cancel(worker_session *self, const message_attempts *cancelled, session_orders *out);
/** All frames of an attempt again. */
void session_send_frames(worker_session *self, held_attempt *item, session_orders *out);
void session_send_fetch(worker_session *self, held_attempt *item, session_orders *out);
/** Kills what runs and drops what is queued, without a RESULT. What has ended stays if keep_ended. */
void session_forget(worker_session *self, bool keep_ended, session_orders *out);
/** Hands queued attempts back. */
void session_return_queued(worker_session *self, session_orders *out);
/** Kills what runs; each is reported as cancelled. */
void session_stop_running(worker_session *self, session_orders *out);

/* ---- worker_session.c ---- */
/** Says HELLO anew, soon; what runs goes on. */
void session_greet_again(worker_session *self);
void session_send(worker_session *self, const message *what, session_orders *out);
/** Leaves when draining and nothing is left to wait for. */
void session_leave_when_done(worker_session *self, session_orders *out);

#endif
