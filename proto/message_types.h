/**
 * Every message between coordinator, workers and clients, as plain structs. PROTOCOL.md is the normative text;
 * message_encode.h and message_decode.h turn these into msgpack frames and back.
 *
 * A message is one ZeroMQ frame of at most FRAME_BYTES_MAX: a msgpack array [type, version, field...]. Text fields are
 * bounded UTF-8 without NUL. Blobs (task bodies, facts, measures) are the versioned little-endian binaries of common/
 * and task_body.h, opaque here. Time on the wire is relative (milliseconds), never a date.
 *
 * Views: pointers in a decoded message point into the frame it was decoded from, and live as long as that frame.
 */
#ifndef PROTO_MESSAGE_TYPES_H
#define PROTO_MESSAGE_TYPES_H

#include "common/base/content_hash.h"
#include "common/base/limits.h"
#include "common/base/status.h"

#include <stdbool.h>
#include <stdint.h>

enum { PROTOCOL_VERSION = 2 };

/** Bounds of single messages. */
enum {
    MESSAGE_TASKS_MAX = 64,     /**< tasks in one ASSIGN */
    MESSAGE_ATTEMPTS_MAX = 256, /**< attempts in one HELLO, HEARTBEAT, ACK or CANCEL: all that a worker may hold */
    RESULT_PAYLOAD_MAX = DOCUMENT_CHUNK_MAX,
    ENGINE_TEXT_BYTES = 32,
    CPU_TEXT_BYTES = 16,
    REASON_TEXT_BYTES = 256,
    CELL_INPUTS_MAX = TASK_FILES_MAX,
    CELL_OUTPUTS_MAX = 128,  /**< output files of one task */
    INSTANCE_BYTES = 16,
    REQUEST_BYTES = 16
};

typedef enum message_type {
    /* worker to coordinator */
    MESSAGE_HELLO = 1,
    MESSAGE_HEARTBEAT = 2,
    MESSAGE_CELL = 3,
    MESSAGE_RESULT = 4,
    MESSAGE_FETCH = 5,
    MESSAGE_GOODBYE = 6,
    /* coordinator to worker */
    MESSAGE_WELCOME = 16,
    MESSAGE_REFUSE = 17,
    MESSAGE_ASSIGN = 18,
    MESSAGE_ACK = 19,
    MESSAGE_CANCEL = 20,
    MESSAGE_DRAIN = 21,
    MESSAGE_CHUNK = 22,
    /* client to coordinator */
    MESSAGE_SUBMIT_BEGIN = 32,
    MESSAGE_SUBMIT_APPEND = 33,
    MESSAGE_SUBMIT_COMMIT = 34,
    MESSAGE_QUERY = 35,
    MESSAGE_COMMAND = 36,
    /* coordinator to client */
    MESSAGE_ANSWER = 48
} message_type;
/** "HELLO", "HEARTBEAT", ...; "?" outside. */
const char *message_type_name(message_type type);

/** A byte string inside a frame. */
typedef struct message_bytes {
    const uint8_t *bytes;
    uint32_t size;
} message_bytes;

/** One execution of one task. (term, epoch) grows strictly for a task; only the current one's result counts. */
typedef struct attempt_id {
    uint32_t job;
    uint32_t task;
    uint32_t term;
    uint32_t epoch;
} attempt_id;
bool attempt_id_equal(const attempt_id *a, const attempt_id *b);

/** What a task does; also the `kind` of design.md. The last four run in the coordinator itself and are never sent. */
typedef enum task_kind {
    TASK_PROBE = 1,
    TASK_ALLOCATE = 2,
    TASK_RENDER = 3,  /**< with outputs that are written */
    TASK_INSPECT = 4, /**< the same engine, outputs measured only */
    TASK_SEAL = 5,
    TASK_VERIFY = 6,
    TASK_PUBLISH = 7,
    TASK_DISCARD = 8,
    TASK_DEPOSIT = 9, /**< writes the reports; the job's commit point */
    TASK_METER = 10,  /**< libebur128 over a whole programme, for the report alone */
    TASK_LISTEN = 11, /**< targeted reads of one track: pops, and how it lies against the reference */
    TASK_EXCERPT = 12, /**< targeted reads around findings: spectrograms and, if wanted, files to listen to; fails no job */
    TASK_KIND_REMOTE_END,
    TASK_PLAN = 32,   /**< local: show + facts to tasks */
    TASK_MERGE = 33,  /**< local: measures of one deliverable to figures and verdict */
    TASK_COMPOSE = 34,/**< local: the reports */
    TASK_GAIN = 35    /**< local: measures of a scan to the gain that brings a deliverable to its spec */
} task_kind;
/** "probe", "allocate", ...; "?" outside. */
const char *task_kind_name(task_kind kind);

/** In the root itself; made by the first worker that may. Of what it holds and which file it is the identity is made. */
#define ROOT_IDENTITY_FILE ".reelmill-root"

typedef struct message_root {
    char name[NAME_MAX_BYTES];
    bool writable;
    content_hash identity; /**< of what is mounted there, the same on every machine that mounts it; zero: not known */
} message_root;

typedef struct message_hello {
    uint32_t protocol_version;
    uint32_t render_version;
    char engine[ENGINE_TEXT_BYTES]; /**< engine version text; results of one job come from one render_version */
    uint8_t instance[INSTANCE_BYTES]; /**< fresh per process start */
    char name[NAME_MAX_BYTES];     /**< host name or what the configuration says, for people */
    uint32_t slots;
    char cpu[CPU_TEXT_BYTES];                /**< "scalar", "avx2", "avx512", "neon" */
    uint32_t root_count;
    message_root roots[ROOTS_MAX];
    uint32_t term;                 /**< highest term this worker has seen; it refuses a lower coordinator */
    uint64_t farm;                 /**< farm whose attempts it holds, 0 = none yet; held counts in that farm only */
    uint32_t beat;                 /**< rises with every HELLO and HEARTBEAT; WELCOME gives it back */
    uint32_t held_count;           /**< attempts queued, running, or whose result was not acknowledged */
    attempt_id held[MESSAGE_ATTEMPTS_MAX];
} message_hello;

typedef struct message_progress {
    attempt_id attempt;
    uint32_t done_permille;
} message_progress;

typedef struct message_heartbeat {
    uint32_t beat;          /**< rises with every HELLO and HEARTBEAT; the ACK that answers gives it back */
    uint32_t running_count; /**< everything held: queued (0), running, result not acknowledged (1000) */
    message_progress running[MESSAGE_ATTEMPTS_MAX];
    bool draining; /**< the worker was told by its engine (SIGTERM) to stop taking work */
} message_heartbeat;

/** One finished cell of a RENDER or INSPECT attempt. */
typedef struct message_cell {
    attempt_id attempt;
    uint32_t cell;                       /**< index in the piece */
    uint32_t input_count;
    const content_hash *inputs; /**< per bound file of the piece: digest of what was read for this cell (view) */
    uint32_t output_count;
    const content_hash *outputs;         /**< per output file of the task: digest of the bytes of this cell (view) */
    uint32_t measure_count;
    message_bytes measures[CELL_MEASURES_MAX]; /**< per program output: a cell_measure; then, if the task takes them: a
                                                    stem_features */
} message_cell;

typedef struct message_result {
    attempt_id attempt;
    uint32_t code;          /**< status */
    char detail[ERROR_MESSAGE_SIZE];
    uint32_t cell_count;    /**< CELL messages that were sent for it */
    uint64_t elapsed_ms;
    message_bytes payload;  /**< by kind, see task_body.h */
} message_result;

/** Asks for a part of a document of a job (reports for DEPOSIT). */
typedef struct message_fetch {
    attempt_id attempt;
    uint32_t document;
    uint64_t offset;
} message_fetch;

typedef struct message_chunk {
    attempt_id attempt;
    uint32_t document;
    uint64_t offset;
    uint64_t total_size;
    message_bytes bytes; /**< at most DOCUMENT_CHUNK_MAX; empty when the document is not there */
} message_chunk;

typedef struct message_welcome {
    uint32_t beat;           /**< of the HELLO that this answers */
    uint32_t term;
    uint64_t farm;           /**< random id of the journal */
    uint32_t worker;         /**< number of this worker in the farm */
    uint32_t heartbeat_ms;
    uint32_t lease_ms;       /**< without contact for this long the worker kills its executors and says HELLO anew */
} message_welcome;

typedef struct message_refuse {
    uint32_t code;
    char detail[ERROR_MESSAGE_SIZE];
} message_refuse;

typedef struct message_task {
    attempt_id attempt;
    uint32_t kind;
    message_bytes body;
} message_task;

typedef struct message_assign {
    uint32_t task_count;
    message_task tasks[MESSAGE_TASKS_MAX];
} message_assign;

/**
 * ACK: these results are on disk (or not wanted), forget them. CANCEL: stop these (kill the executor) and answer with a
 * RESULT. Every HEARTBEAT is answered by an ACK with its beat, which may name no attempt.
 */
typedef struct message_attempts {
    uint32_t beat; /**< of the HEARTBEAT that this ACK answers; 0 = none, and always 0 in CANCEL */
    uint32_t count;
    attempt_id attempts[MESSAGE_ATTEMPTS_MAX];
} message_attempts;

typedef struct message_submit_begin {
    uint8_t request[REQUEST_BYTES]; /**< chosen by the client; the same request answered twice gives the same job */
    uint64_t document_size;
    content_hash document_digest;
    int32_t priority;
} message_submit_begin;

typedef struct message_submit_append {
    uint8_t request[REQUEST_BYTES];
    uint64_t offset;
    message_bytes bytes;
} message_submit_append;

typedef struct message_submit_commit {
    uint8_t request[REQUEST_BYTES];
} message_submit_commit;

/** what: "about", "roots", "jobs", "job", "job.end", "nodes", "plan", "report.json", "report.html", "report.pdf", "measures.bin", "logs",
 * "explain", "explain.TASK". The answer is a document. */
typedef struct message_query {
    uint8_t request[REQUEST_BYTES];
    char what[NAME_MAX_BYTES];
    uint32_t job;
    uint64_t offset;
} message_query;

/** verb: "cancel", "retry", "hold", "release", "prio" (target: the new priority in decimal), "drain", "undrain", "shutdown" (private farms only). */
typedef struct message_command {
    uint8_t request[REQUEST_BYTES];
    char verb[NAME_MAX_BYTES];
    uint32_t job;
    char target[NAME_MAX_BYTES]; /**< node name */
    char reason[REASON_TEXT_BYTES]; /**< of "backup": the folder */
} message_command;

/** Answers SUBMIT_*, QUERY and COMMAND. Documents longer than a chunk are asked for again from offset + size. */
typedef struct message_answer {
    uint8_t request[REQUEST_BYTES];
    uint32_t code; /**< status */
    char detail[ERROR_MESSAGE_SIZE];
    uint32_t job;
    uint64_t total_size;
    uint64_t offset;
    message_bytes bytes;
} message_answer;

typedef struct message {
    message_type type;
    union {
        message_hello hello;
        message_heartbeat heartbeat;
        message_cell cell;
        message_result result;
        message_fetch fetch;
        message_welcome welcome;
        message_refuse refuse;
        message_assign assign;
        message_attempts attempts; /* ACK, CANCEL */
        message_chunk chunk;
        message_submit_begin submit_begin;
        message_submit_append submit_append;
        message_submit_commit submit_commit;
        message_query query;
        message_command command;
        message_answer answer;
    }; /* DRAIN and GOODBYE have no fields */
} message;

#endif
