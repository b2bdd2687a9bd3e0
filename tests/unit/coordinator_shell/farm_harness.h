/**
 * A farm in a test: the real reelmill-coordinator as a process, workers with the real session and executors that only
 * pretend, and one client, all in one thread over real sockets. What the pretended executors "write" is kept in a world
 * that checks every task against what the tasks before it said.
 */
#ifndef TESTS_UNIT_COORDINATOR_SHELL_FARM_HARNESS_H
#define TESTS_UNIT_COORDINATOR_SHELL_FARM_HARNESS_H

#include "proto/task_body.h"
#include "worker/session/worker_session.h"

#include <sys/types.h>

enum { HARNESS_WORKERS_MAX = 8, HARNESS_FILES_MAX = 256, HARNESS_PATIENCE_MS = 60000 };

/** What lies on the pretended storage. */
typedef struct world_file {
    char path[PATH_MAX_BYTES]; /**< of the .part while it has one */
    char final[PATH_MAX_BYTES];
    uint64_t frame_count;
    bool sealed, verified, published, discarded;
} world_file;

typedef struct world {
    uint64_t file_frames;      /**< of every input */
    const char *missing;       /**< name of an input that is not there, or NULL */
    const struct fake_worker *blind; /**< it alone does not find that; NULL: nobody does */
    uint32_t file_count;
    world_file files[HARNESS_FILES_MAX];
    uint32_t deposits;         /**< documents written */
    size_t deposit_size[TASK_DOCUMENTS_MAX]; /**< by number of the document */
    uint32_t render_crashes;   /**< so many RENDER attempts still crash */
    uint32_t excerpts;         /**< EXCERPT attempts that ended; of three one crashes and one leaves what is none */
    bool excerpts_hang;        /**< they do not end */
    uint32_t wrong_cells;      /**< so many cells are still sent with a measure that is none */
    uint32_t publish_refusals; /**< so many PUBLISH tasks still find another file there */
    uint32_t starts[64];       /**< by task kind */
} world;

/** One pretended execution; ends some turns after it began. */
typedef struct fake_execution {
    bool used;
    attempt_id attempt;
    task_kind kind;
    uint8_t *body;
    size_t body_size;
    uint32_t turns_left;
    uint32_t document;         /**< DEPOSIT: being fetched */
    byte_writer fetched;
    bool waiting;              /**< for a CHUNK */
} fake_execution;

typedef struct fake_worker {
    bool alive;
    bool crashes;              /**< whatever it executes */
    void *socket;
    worker_session *session;
    session_orders orders;
    fake_execution executions[8];
} fake_worker;

typedef struct farm_harness {
    char folder[64];
    char endpoint[128];
    pid_t coordinator;
    void *context;
    void *client;
    bool asking;               /**< an answer is waited for; others that come late lie unread and wake nobody */
    uint32_t worker_count;
    fake_worker workers[HARNESS_WORKERS_MAX];
    world world;
    uint64_t turn;
    uint32_t instance;         /**< of the next worker */
} farm_harness;

farm_harness *farm_harness_create(uint32_t worker_count);
/** Stops the coordinator by SIGTERM and expects exit code 0. */
void farm_harness_destroy(farm_harness **self);
void farm_harness_kill_coordinator(farm_harness *self);
void farm_harness_start_coordinator(farm_harness *self);
void farm_harness_stop_coordinator(farm_harness *self);
/** Waits for a coordinator that ends by itself, and expects exit code 0. */
void farm_harness_join_coordinator(farm_harness *self);
void farm_harness_kill_worker(farm_harness *self, uint32_t index);
void farm_harness_start_worker(farm_harness *self, uint32_t index);
/** One turn: everything that waits is read, everything due is done; at most a few milliseconds. */
void farm_harness_turn(farm_harness *self);

/** Sends a request again and again until it is answered; the answer's bytes are the caller's to free. */
message_answer farm_harness_ask(farm_harness *self, const message *request, const uint8_t id[REQUEST_BYTES],
                                char **out_bytes);
/** Submits under the given id; the answer's code, and the job's number. */
status farm_harness_submit(farm_harness *self, const char *document, const uint8_t id[REQUEST_BYTES], uint32_t *out_job,
                           char *out_detail);
/** NUL-terminated, the caller's to free; NULL when the answer is no success. */
char *farm_harness_query(farm_harness *self, const char *what, uint32_t job);
status farm_harness_command(farm_harness *self, const char *verb, uint32_t job, const char *target);
/** Turns until the job has ended; its "job" document, the caller's to free. */
char *farm_harness_await(farm_harness *self, uint32_t job);

const world_file *world_find_final(const world *self, const char *final);

#endif
