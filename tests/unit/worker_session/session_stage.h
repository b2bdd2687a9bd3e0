/**
 * A stage for one worker session: the test plays the coordinator and the executors, and reads what the session orders.
 * Every frame passes real encode and decode. A test ends with stage_end, which shows that nothing is left unread.
 */
#ifndef TESTS_UNIT_WORKER_SESSION_SESSION_STAGE_H
#define TESTS_UNIT_WORKER_SESSION_SESSION_STAGE_H

#include "worker/session/worker_session.h"

enum { STAGE_HELLO_MS = 500, STAGE_HEARTBEAT_MS = 1000, STAGE_LEASE_MS = 9000, STAGE_FARM = 77, STAGE_TERM = 3 };

typedef struct session_stage {
    worker_session *session;
    session_orders orders;
    size_t next;          /* first order not read yet */
    uint64_t now_ms;
    uint32_t last_beat;   /* of the last HELLO or HEARTBEAT read */
    message last;         /* last frame read by stage_sent */
} session_stage;

void stage_begin(session_stage *self, uint32_t slots, size_t spool_bytes_max);
void stage_end(session_stage *self);
/** To HELLO and WELCOME. */
void stage_welcome(session_stage *self);
void stage_tick(session_stage *self, uint64_t now_ms);
void stage_told(session_stage *self, const message *what);
void stage_told_attempts(session_stage *self, message_type type, attempt_id attempt);
void stage_assign(session_stage *self, attempt_id attempt);
void stage_cell(session_stage *self, attempt_id attempt, uint32_t cell);
void stage_ended(session_stage *self, attempt_id attempt, status code);

/** The next order is a frame of that type; it is returned decoded. */
const message *stage_sent(session_stage *self, message_type type);
/** The next order is of that type (log lines are skipped); it stays valid until the next call that acts. */
const session_order *stage_ordered(session_stage *self, session_order_type type);
/** Nothing but log lines is left. */
void stage_quiet(session_stage *self);
/** Answers the last heartbeat. */
void stage_echo(session_stage *self);

attempt_id stage_attempt(uint32_t task, uint32_t epoch);

#endif
