/**
 * A stage for one worker session: the test plays the coordinator and the executors, and reads what the session orders.
 * Every frame passes real encode and decode. A test ends with stage_end, which shows that nothing is left unread.
 */
#ifndef TESTS_UNIT_WORKER_SESSION_SESSION_STAGE_H
#define TESTS_UNIT_WORKER_SESSION_SESSION_STAGE_H

#include "worker/session/worker_session.h"

enum { STAGE_HELLO_MS = 500, STAGE_HEARTBEAT_MS = 1000, STAGE_LEASE_MS = 9000, STAGE_FARM = 77, STAGE_TERM = 3 };
enum { STAGE_SPOOL_PLENTY = 1 << 20 };

typedef struct session_stage {
    worker_session *session;
    session_orders orders;
    size_t next;          /* first order not read yet */
    uint64_t now_ms;
    uint32_t last_beat;   /* of the last HELLO or HEARTBEAT read */
    message last;         /* last frame read by stage_sent */
} session_stage;

void stage_begin(session_stage *self, uint32_t slots, size_t spool_bytes_max);
/** With room in its spool, and welcome. */
void stage_begin_welcome(session_stage *self, uint32_t slots);
/** One slot, and attempt 1 of task 1 in it. */
void stage_begin_at_work(session_stage *self);
void stage_end(session_stage *self);
/** To HELLO and WELCOME. */
void stage_welcome(session_stage *self);
/** A WELCOME that answers the last HELLO, from a coordinator of that farm and term. */
void stage_welcomed(session_stage *self, uint64_t farm, uint32_t term);
/** A REFUSE from one that does not know this worker. */
void stage_refused(session_stage *self);
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
void stage_assert_attempt(const attempt_id *got, attempt_id wanted);

#endif
