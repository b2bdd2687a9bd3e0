/**
 * What the shell itself writes into the journal, beside the scheduler's facts: versioned, little-endian. A record is
 * written once and read for years; a field is never given another meaning.
 *
 * Order within a step: what a fact rests on stands before it (the document before JOB_SUBMITTED, the plan before
 * JOB_EXTENDED, the result before TASK_ENDED). A record whose fact did not follow before a crash is forgotten.
 */
#ifndef COORDINATOR_SHELL_SHELL_RECORD_H
#define COORDINATOR_SHELL_SHELL_RECORD_H

#include "common/base/byte_writer.h"
#include "coordinator/shell/cell_file.h"
#include "proto/message_types.h"

enum { SHELL_RECORD_VERSION = 3 }; /**< 2: a document has its owner; 3: an end has its outcome; 1 and 2 are still read */

typedef enum shell_record_kind {
    RECORD_FACT = 1, /**< core/fact_record.h */
    RECORD_DOCUMENT = 2,
    RECORD_RESULT = 3,
    RECORD_PLAN = 4,
    RECORD_DRAIN = 5,
    RECORD_ENDED = 6, /**< when and how a job ended, for people; believed where its plan cannot be made again */
    RECORD_FORECAST = 7, /**< when a planned job was expected to be ready, for people */
    RECORD_ROOT = 8      /**< what a media root is */
} shell_record_kind;

typedef struct document_record {
    uint32_t job;
    uint8_t request[REQUEST_BYTES];
    int32_t priority;
    uint64_t submitted_unix_ms; /**< for people */
    char owner[NAME_MAX_BYTES]; /**< "" in records of version 1 */
    message_bytes document;
} document_record;

typedef struct result_record {
    attempt_id attempt;
    uint32_t code;
    uint64_t elapsed_ms;
    cell_stretch cells;
    uint32_t cell_count;
    char detail[ERROR_MESSAGE_SIZE];
    message_bytes payload;
} result_record;

typedef struct plan_record {
    uint32_t job;
    content_hash digest;
    uint32_t slot_count;
    uint32_t cells_per_task;
    uint32_t task_count;
} plan_record;

typedef struct drain_record {
    char name[NAME_MAX_BYTES];
    bool drained;
    char reason[REASON_TEXT_BYTES];
} drain_record;

typedef struct ended_record {
    uint32_t job;
    uint64_t ended_unix_ms;
    bool has_outcome; /**< false in records of version 1 and 2 */
    bool held, has_verdict;
    uint8_t verdict;
    uint8_t exit_code;
    status code;
    char message[ERROR_MESSAGE_SIZE];
} ended_record;

typedef struct forecast_record {
    uint32_t job;
    uint64_t made_unix_ms;
    uint64_t ready_ms; /**< from then */
} forecast_record;

typedef struct root_record {
    char name[NAME_MAX_BYTES];
    char node[NAME_MAX_BYTES]; /**< who brought it; "" = it was forgotten */
    content_hash identity;
} root_record;

typedef struct shell_record {
    shell_record_kind kind;
    union {
        document_record document;
        result_record result;
        plan_record plan;
        drain_record drain;
        ended_record ended;
        forecast_record forecast;
        root_record root;
    };
} shell_record;

void shell_record_encode(const shell_record *self, byte_writer *writer);
/** Views point into bytes. STATUS_PEER_MALFORMED, or STATUS_PEER_VERSION for a later version. */
MUST_USE status shell_record_decode(shell_record *out_record, uint32_t kind, const void *bytes, size_t byte_size);

#endif
