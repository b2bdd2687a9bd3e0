/**
 * What a worker holds: attempts queued, running, being stopped, and ended but not acknowledged, with the frames that
 * the coordinator has not acknowledged. In order of arrival. At most MESSAGE_ATTEMPTS_MAX, so that one HELLO lists them
 * all.
 */
#ifndef WORKER_SESSION_HELD_TABLE_H
#define WORKER_SESSION_HELD_TABLE_H

#include "proto/message_types.h"

#include <stddef.h>

typedef enum held_state {
    HELD_QUEUED,
    HELD_RUNNING,
    HELD_STOPPING, /**< its executor was ordered killed and is not gone yet */
    HELD_ENDED     /**< RESULT is the last of its frames */
} held_state;

typedef struct held_frame {
    uint8_t *bytes;
    size_t size;
} held_frame;

typedef struct held_attempt {
    attempt_id attempt;
    task_kind kind;
    held_state state;
    uint32_t beat;           /**< the last that was sent before it came: only later HELLOs list it */
    bool forgotten;          /**< STOPPING: nobody wants to hear how it ends */
    uint8_t *body;           /**< while QUEUED */
    size_t body_size;
    uint32_t done_permille;
    uint64_t started_ms;
    uint32_t cell_count;
    held_frame *frames;      /**< CELLs in order, then RESULT */
    size_t frame_count, frame_capacity;
    uint64_t sent_ms;        /**< when the frames of an ENDED attempt were last sent */
    bool fetching;
    message_fetch fetch;     /**< not answered yet */
    uint64_t fetch_sent_ms;
} held_attempt;

typedef struct held_table {
    uint32_t count;
    held_attempt items[MESSAGE_ATTEMPTS_MAX];
    size_t frame_bytes; /**< of all frames */
} held_table;

void held_table_deinit(held_table *self);
/** NULL when full. Copies body. */
held_attempt *held_table_add(held_table *self, const attempt_id *attempt, task_kind kind, const void *body,
                             size_t body_size);
held_attempt *held_table_find(held_table *self, const attempt_id *attempt);
/** Any attempt of that task, the first from index on; NULL = none. */
held_attempt *held_table_find_task(held_table *self, uint32_t job, uint32_t task, uint32_t from);
/** Later items move one place down. */
void held_table_remove(held_table *self, held_attempt *item);
uint32_t held_table_count(const held_table *self, held_state state);
void held_table_keep_frame(held_table *self, held_attempt *item, const void *bytes, size_t byte_size);
void held_table_drop_body(held_attempt *item);
void held_table_drop_frames(held_table *self, held_attempt *item);

#endif
