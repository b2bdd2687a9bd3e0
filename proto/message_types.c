#include "proto/message_types.h"

#include <assert.h>

/* The largest messages still fit a frame, headers and all. */
static_assert(MESSAGE_ATTEMPTS_MAX * 32 + 8192 <= FRAME_BYTES_MAX, "a HELLO or HEARTBEAT with everything held fits");
static_assert(RESULT_PAYLOAD_MAX + ERROR_MESSAGE_SIZE + 4096 <= FRAME_BYTES_MAX, "a RESULT fits");
static_assert(MESSAGE_ATTEMPTS_MAX * 6 + ROOTS_MAX * 3 + 32 <= MESSAGE_NODES_MAX,
              "the node bound allows every message");

const char *message_type_name(message_type type)
{
    switch (type) {
    case MESSAGE_HELLO:
        return "HELLO";
    case MESSAGE_HEARTBEAT:
        return "HEARTBEAT";
    case MESSAGE_CELL:
        return "CELL";
    case MESSAGE_RESULT:
        return "RESULT";
    case MESSAGE_FETCH:
        return "FETCH";
    case MESSAGE_GOODBYE:
        return "GOODBYE";
    case MESSAGE_WELCOME:
        return "WELCOME";
    case MESSAGE_REFUSE:
        return "REFUSE";
    case MESSAGE_ASSIGN:
        return "ASSIGN";
    case MESSAGE_ACK:
        return "ACK";
    case MESSAGE_CANCEL:
        return "CANCEL";
    case MESSAGE_DRAIN:
        return "DRAIN";
    case MESSAGE_CHUNK:
        return "CHUNK";
    case MESSAGE_SUBMIT_BEGIN:
        return "SUBMIT_BEGIN";
    case MESSAGE_SUBMIT_APPEND:
        return "SUBMIT_APPEND";
    case MESSAGE_SUBMIT_COMMIT:
        return "SUBMIT_COMMIT";
    case MESSAGE_QUERY:
        return "QUERY";
    case MESSAGE_COMMAND:
        return "COMMAND";
    case MESSAGE_ANSWER:
        return "ANSWER";
    }
    return "?";
}

const char *task_kind_name(task_kind kind)
{
    switch (kind) {
    case TASK_PROBE:
        return "probe";
    case TASK_ALLOCATE:
        return "allocate";
    case TASK_RENDER:
        return "render";
    case TASK_INSPECT:
        return "inspect";
    case TASK_SEAL:
        return "seal";
    case TASK_VERIFY:
        return "verify";
    case TASK_PUBLISH:
        return "publish";
    case TASK_DISCARD:
        return "discard";
    case TASK_DEPOSIT:
        return "deposit";
    case TASK_METER:
        return "meter";
    case TASK_LISTEN:
        return "listen";
    case TASK_EXCERPT:
        return "excerpt";
    case TASK_PLAN:
        return "plan";
    case TASK_MERGE:
        return "merge";
    case TASK_COMPOSE:
        return "compose";
    case TASK_GAIN:
        return "gain";
    case TASK_KIND_REMOTE_END:
        break;
    }
    return "?";
}

bool attempt_id_equal(const attempt_id *a, const attempt_id *b)
{
    return a->job == b->job && a->task == b->task && a->term == b->term && a->epoch == b->epoch;
}
