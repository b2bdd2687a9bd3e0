/**
 * A whole farm in one thread: the real scheduler, the real worker sessions, every message through the real encoder and
 * decoder; simulated time, network, journal, machines and people. One seed decides everything, and the same seed gives
 * the same run.
 *
 * First faults come as the seed weighs them; then they stop, and every job must end. Checks run all the while
 * (sim_check.h). A mutation breaks one rule on purpose, to show that the checks would see it.
 */
#ifndef TESTS_SIM_SIM_WORLD_H
#define TESTS_SIM_SIM_WORLD_H

#include "common/base/byte_writer.h"
#include "coordinator/core/scheduler.h"
#include "proto/message_types.h"
#include "sim_plan.h"
#include "sim_random.h"
#include "worker/session/worker_session.h"

enum {
    SIM_JOBS_MAX = 5,
    SIM_NODES_MAX = 6,
    SIM_PROCESSES_MAX = 160, /* process starts; a node is not restarted beyond that */
    SIM_SLOTS_MAX = 3,
    SIM_HEARTBEAT_MS = 1000,
    SIM_LEASE_MS = 5000,
    SIM_HANG_MS = 12000,     /* an executor that hangs is killed after this */
    SIM_FAULTS_MS = 60000,   /* faults come until here, */
    SIM_END_MS = 3600000,    /* and by then everything must be over: backoffs of a minute, quarantines of an hour */
    SIM_EVENTS_MAX = 2000000
};
static const uint64_t sim_farm_id = 0x5eed;

typedef enum sim_mutation {
    MUTATION_NONE,
    MUTATION_EARLY_RELEASE, /* commands leave before the journal has what they rest on */
    MUTATION_STALE_RESULT,  /* a late attempt's result is taken for the current one's */
    MUTATION_ANY_SENDER,    /* a result counts whoever sent it */
    MUTATION_DEAD_LEASES,   /* leases of silent workers are renewed for ever */
    MUTATION_LOST_TAIL,     /* a crash takes back what the journal called durable */
    MUTATION_NO_ACK,        /* results are never acknowledged */
    MUTATION_NO_FENCE,      /* workers do not stop when they are not heard */
    MUTATION_NO_CANCEL,     /* nobody is ever told to stop */
    MUTATION_OLD_REPORTS,   /* a late report is believed as if it were the newest */
    MUTATION_COUNT
} sim_mutation;
const char *sim_mutation_name(sim_mutation mutation);

/** How likely each fault is in this seed. */
typedef struct sim_weather {
    uint32_t loss;            /* permille of frames */
    uint32_t doubling;
    uint32_t long_delay;
    uint32_t late_report;     /* permille of heartbeats of which a copy comes much later */
    uint32_t delay_ms;
    bool reorder;
    uint32_t partition;       /* permille per second and node, as are the next ones */
    uint32_t process_crash;
    uint32_t freeze;
    uint32_t coordinator_crash; /* permille per second */
    uint32_t coordinator_stall;
    uint32_t storage_outage;  /* permille per second: every task fails with it for a while */
    uint32_t executor_crash;  /* permille of executions */
    uint32_t bad_node;        /* permille of the executions on node 1 that fail by its fault */
    uint32_t flaws;           /* permille of tasks */
    uint32_t journal_ms;      /* usual durability lag */
    uint32_t journal_slow;    /* permille of commits that take seconds */
    uint32_t liar;            /* permille per second and node: forged results and heartbeats */
    uint32_t people;          /* permille per second: cancel, retry, drain */
    uint32_t slow_node;       /* factor of node 0, 1 = none */
    uint32_t clock_jump;      /* permille per second: the coordinator's clock leaps ahead */
} sim_weather;

typedef enum sim_event_type {
    SIM_TO_COORDINATOR, /* frame from process a arrives */
    SIM_TO_PROCESS,     /* frame to process a arrives */
    SIM_PROCESS_TICK,
    SIM_CELL,           /* executor of process a has made cell b of attempt */
    SIM_EXECUTION_END,
    SIM_EXECUTION_KILLED,
    SIM_NODE_START,     /* node a gets a new process */
    SIM_COORDINATOR_TICK,
    SIM_COORDINATOR_START,
    SIM_LOCAL_END,      /* the coordinator's own task */
    SIM_DURABLE,        /* everything up to record a is on disk */
    SIM_CLIENT,         /* client a speaks: submits, or asks again */
    SIM_SECOND,         /* the weather of one second */
    SIM_CALM_CANCEL,    /* in calm weather somebody cancels a job, */
    SIM_CALM_CHECK      /* and soon nobody works for it any more */
} sim_event_type;

typedef struct sim_event {
    uint64_t time_ms;
    uint64_t order;
    sim_event_type type;
    uint32_t a, b;
    uint32_t incarnation; /* of the coordinator, where it matters */
    attempt_id attempt;
    uint8_t *bytes;       /* owned */
    size_t byte_size;
} sim_event;

/** One execution of an attempt by an executor. */
typedef struct sim_execution {
    bool used;
    bool killed; /* the kill is under way */
    attempt_id attempt;
    uint64_t end_ms;
    status code;
    uint32_t cell_count;
} sim_execution;

/** A process start on a node; its number is its identity for ever. */
typedef struct sim_process {
    bool alive;
    uint32_t node;
    uint64_t frozen_until_ms;
    uint64_t tick_ms; /* of the tick event that is under way */
    worker_session *session;
    sim_execution executions[SIM_SLOTS_MAX];
    uint64_t inbound_ms, outbound_ms; /* last delivery on each way: links keep order */
    bool lied;                        /* it has forged messages; some are no messages at all */
    bool liar;                        /* it has said that it holds less than it does */
} sim_process;

typedef struct sim_node {
    uint32_t slots;
    uint32_t process;      /* UINT32_MAX = none now */
    uint32_t slowness;
    uint64_t cut_in_ms;    /* until then nothing arrives here, */
    uint64_t cut_out_ms;   /* nothing leaves */
} sim_node;

typedef struct sim_client {
    sim_plan plan;
    bool told;         /* that the job is accepted */
    uint32_t job;
    uint64_t next_ms;
} sim_client;

struct sim_coordinator;
struct sim_check;

typedef struct sim_world {
    uint64_t seed;
    sim_mutation mutation;
    bool verbose;
    sim_random random;
    sim_weather weather;
    uint64_t now_ms;
    bool healed;
    bool disordered; /* this seed has had frames that overtook others; the last of them may come late */

    sim_event *events; /* a heap by (time, order) */
    size_t event_count, event_capacity;
    uint64_t event_order;
    uint64_t events_done;

    uint32_t node_count;
    sim_node nodes[SIM_NODES_MAX];
    uint32_t process_count;
    sim_process processes[SIM_PROCESSES_MAX];
    uint32_t client_count;
    sim_client clients[SIM_JOBS_MAX];
    scheduler_limits limits;
    uint64_t storage_out_ms; /* until then storage fails */

    struct sim_coordinator *coordinator;
    struct sim_check *check;
    session_orders orders;   /* reused */
    byte_writer frame;       /* reused */
    message message;         /* reused: it is large */
    message heard;           /* the same, for what arrives */
    uint64_t over_ms;        /* since when every job has ended */
} sim_world;

/** Runs one seed to its end. False: a check failed, and out_reason says which. */
bool sim_world_run(uint64_t seed, sim_mutation mutation, bool verbose, char *out_reason, size_t reason_size,
                   uint64_t *out_events);

/* ---- for the parts of the simulation ---- */

void sim_world_push(sim_world *self, sim_event event);
/** The same event later, with its own copy of the bytes. */
void sim_world_push_again(sim_world *self, const sim_event *event, uint64_t time_ms);
/** A line of the story, with --verbose. */
void sim_world_say(const sim_world *self, const char *format, ...) PRINTF_LIKE(2, 3);

/* sim_network.c: frames with the weather's loss, doubling, delay and order */
void sim_network_to_coordinator(sim_world *self, uint32_t process, const uint8_t *bytes, size_t byte_size);
void sim_network_to_process(sim_world *self, uint32_t process, const message *told);

/* sim_machine.c: nodes, processes, executors */
void sim_machine_start(sim_world *self, uint32_t node);
void sim_machine_kill(sim_world *self, uint32_t process);
void sim_machine_event(sim_world *self, const sim_event *event);
/** Forged messages in this process's name. */
void sim_machine_lie(sim_world *self, uint32_t process);

/* sim_weather.c */
void sim_weather_make(sim_world *self);
void sim_weather_second(sim_world *self);
void sim_weather_heal(sim_world *self);
void sim_weather_cancel(sim_world *self);

#endif
