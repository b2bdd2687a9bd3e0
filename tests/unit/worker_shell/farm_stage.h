/**
 * A whole worker as a process of its own (the test program started again with the argument "worker"), and a coordinator
 * played by the test on a ROUTER socket over ipc.
 */
#ifndef TESTS_UNIT_WORKER_SHELL_FARM_STAGE_H
#define TESTS_UNIT_WORKER_SHELL_FARM_STAGE_H

#include "proto/message_types.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <zmq.h>

enum { PATIENCE_MS = 30000, HEARTBEAT_MS = 50, LEASE_MS = 20000 };

typedef struct farm_stage {
    char folder[64];    /* the worker's roots media (read only) and out lie in it */
    char endpoint[96];
    void *context;
    void *socket;
    pid_t worker;
    uint8_t route[64];
    size_t route_size;
    zmq_msg_t frame;    /* what `said` points into */
    message said;
    char payload[4096];
    size_t payload_size;
} farm_stage;

/** First in main: becomes the worker or an executor when started as one. Returns the worker's exit code, or -1. */
int farm_stage_worker(int argc, char **argv);

/** cmocka setup and teardown. */
int farm_stage_up(void **state);
int farm_stage_down(void **state);
void farm_stage_start_worker(farm_stage *stage, const char *slots);
/** Does a line of the worker's log so far hold these words? */
bool farm_stage_logged(const farm_stage *stage, const char *words);
void farm_stage_bind(farm_stage *stage);
void farm_stage_tell(farm_stage *stage, const message *what);
/** The next message that is no HEARTBEAT; those are answered on the way. */
const message *farm_stage_hear(farm_stage *stage);
const message *farm_stage_hear_type(farm_stage *stage, message_type type);
void farm_stage_welcome(farm_stage *stage, uint32_t term);
void farm_stage_assign(farm_stage *stage, uint32_t task, uint32_t term, task_kind kind, const void *body,
                       size_t body_size);
/** The payload is copied into the stage, with a NUL. */
const message_result *farm_stage_hear_result(farm_stage *stage, uint32_t task);
void farm_stage_acknowledge(farm_stage *stage, attempt_id attempt);
int farm_stage_exit_code(farm_stage *stage);

#endif
