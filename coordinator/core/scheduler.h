/**
 * The farm as a pure function: jobs, tasks, workers, leases. No clock, socket, file, thread, random source or log of its
 * own; driven by scheduler_step(event, now), it appends facts and commands. Restart is replaying facts into a fresh
 * scheduler with scheduler_apply; nothing is decided anew.
 *
 * Facts become durable in order. A command carries the sequence of the fact it rests on, and the shell releases it once
 * that fact is on disk: so nothing is acknowledged, assigned or answered that a crash could take back.
 *
 * Tasks are opaque: a kind, what they wait for, a cost, a place (affinity). What they say is made by the shell when the
 * core assigns them. Tasks are added by JOB_EXTENDED in rising number; a job ends when every task of it is terminal.
 * A task that fails for good makes the tasks that wait for it `skipped`; unrelated tasks go on.
 *
 * Threads: one at a time. Memory: everything is taken in scheduler_create, except per-job task tables, which are taken
 * when a job is extended and freed when it is forgotten. Floats are never used in decisions.
 */
#ifndef COORDINATOR_CORE_SCHEDULER_H
#define COORDINATOR_CORE_SCHEDULER_H

#include "common/base/limits.h"
#include "common/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct scheduler scheduler;

enum {
    SCHEDULER_JOB_TASKS_MAX = 1 << 22, /**< tasks of one job */
    SCHEDULER_JOB_WAITS_MAX = 1 << 26, /**< waits of one job, all tasks together */
    JOB_ROOTS_MAX = 2,                 /**< storage roots of one job: what it reads, where it writes */
    SCHEDULER_LIMITS_MAX = 256
};

typedef struct scheduler_config {
    uint32_t jobs_max;
    uint32_t workers_max;
    uint32_t leases_max;       /**< running attempts at once */
    uint32_t lease_ms;         /**< an attempt without heartbeat for this long is lost */
    uint32_t retry_base_ms;    /**< first back-off; doubles per failed attempt, at most 60 s */
    uint32_t attempts_max;     /**< failed executions after which a task is failed (TASK_ATTEMPTS_MAX) */
    uint32_t storage_wait_ms;  /**< a job whose storage is full or away is set aside for so long in all; 0 = it fails */
    uint32_t strikes_max;      /**< strikes after which a worker is quarantined (worker_table.h); 0 = never */
    uint32_t local_slots;      /**< tasks the coordinator runs itself at once */
    uint32_t term;             /**< of this start; higher than any before */
    uint32_t heartbeat_ms;     /**< how often workers report; 0 = not known, then a lost ASSIGN is noticed later */
    uint32_t prefetch;         /**< attempts sent to a worker beyond its slots; 0 or 1 */
} scheduler_config;

typedef enum task_state {
    TASK_WAITING,  /**< for other tasks */
    TASK_READY,
    TASK_BACKOFF,  /**< failed, waits for its next attempt */
    TASK_RUNNING,
    TASK_DONE,
    TASK_FAILED,
    TASK_SKIPPED,  /**< something it waits for failed */
    TASK_CANCELLED
} task_state;
/** "waiting", "ready", "backoff", ...: as status and metrics show it. */
const char *task_state_name(task_state state);

typedef enum job_state { JOB_RUNNING, JOB_CANCELLING, JOB_ENDED } job_state;

/** One new task, as JOB_EXTENDED gives it. Its number is its place in the job (first extension starts at 0). */
typedef struct task_spec {
    uint8_t kind;           /**< task_kind */
    bool local;             /**< run by the coordinator itself */
    bool even_if_failed;    /**< runs once all it waits for are terminal, whatever their outcome (report, discard) */
    bool even_if_cancelled; /**< the same, and after JOB_CANCEL too: it undoes what it waits for (discard) */
    bool spare;             /**< late in the job a second execution beside the first does no harm and helps (render,
                                 inspect); never for what waits for storage */
    uint16_t affinity;      /**< reel; workers that lately read the same reel are preferred; 0xFFFF = none */
    uint32_t cost;          /**< thousandths of a second of estimated work; for order and balance only */
    uint32_t wait_count;
    const uint32_t *waits;  /**< numbers of tasks of the same job, each lower than this task's own */
} task_spec;

/** What a submission says about order. All zero: nothing. */
typedef struct job_terms {
    uint32_t deadline;             /**< any rising clock's (the shell's: seconds of UTC); 0 = none */
    uint32_t at_once;              /**< attempts that workers may hold at once; 0 = as many as there are */
    uint64_t roots[JOB_ROOTS_MAX]; /**< hash of each storage root that it uses; 0 = none */
} job_terms;

/** At most so many attempts at once of the show or on the storage root with this hash. */
typedef struct limit_rule {
    uint64_t key;
    uint32_t most;
} limit_rule;
typedef struct scheduler_limits {
    uint32_t each_show; /**< for a show that no rule names; 0 = as many as there are */
    uint32_t count;
    limit_rule rules[SCHEDULER_LIMITS_MAX];
} scheduler_limits;

typedef struct attempt {
    uint32_t job;
    uint32_t task;
    uint32_t term;
    uint32_t epoch;
} attempt;

typedef enum scheduler_event_type {
    EVENT_JOB_SUBMITTED,   /**< job number chosen by the shell, strictly rising */
    EVENT_JOB_EXTENDED,
    EVENT_JOB_CANCEL,
    /**
     * An ended job runs again, epochs go on. Back to waiting go: tasks that failed, were skipped or cancelled; whatever
     * waits for one that goes back (so the report is made anew); and, where one goes back that an even_if_cancelled task
     * waits for, everything that this task waits for: its files were removed or will be made anew, under a new
     * generation. What was published and shares nothing with the failure stays done. STATUS_INPUT_INVALID when nothing
     * failed, STATUS_AGAIN while the job has not ended.
     */
    EVENT_JOB_RETRY,
    EVENT_JOB_FORGET,      /**< an ended job's tables may go */
    /**
     * Nothing of the job begins until RELEASE: neither a task of it nor a second execution; what runs goes on. CANCEL and
     * RETRY release too; RELEASE also ends a wait for storage. Asking twice changes nothing. STATUS_CANCELLED while it is
     * being cancelled, STATUS_INPUT_CONFLICT when it has ended.
     */
    EVENT_JOB_HOLD,
    EVENT_JOB_RELEASE,
    EVENT_JOB_PRIORITY,    /**< another priority from now on; what runs goes on. STATUS_INPUT_CONFLICT when it has ended */
    EVENT_WORKER_HELLO,
    EVENT_WORKER_HEARTBEAT,
    EVENT_WORKER_LOST,     /**< its connection ended, or the shell learnt that the process died */
    EVENT_WORKER_DRAIN,
    EVENT_WORKER_UNDRAIN,
    EVENT_TASK_RESULT,
    EVENT_TICK
} scheduler_event_type;

/** A worker is named by a number that the shell gives to each process start (never reused). */
typedef struct scheduler_event {
    scheduler_event_type type;
    union {
        struct {
            uint32_t job;
            int32_t priority;
            uint64_t share;     /**< hash of the show's slug: fair share is between these */
            job_terms terms;
        } submitted;
        struct {
            uint32_t job;
            uint32_t task_count;
            const task_spec *tasks;
        } extended;
        struct {
            uint32_t job;
        } job; /* CANCEL, RETRY, FORGET, HOLD, RELEASE */
        struct {
            uint32_t job;
            int32_t priority;
        } priority;
        struct {
            uint32_t worker;
            uint32_t slots;
            uint32_t beat;        /**< of the message, from one rising count per process; 0 = not known */
            bool drained;         /**< a person took its name out of service: it is given nothing from the start */
            uint32_t held_count;  /**< attempts it still has: adopted when current, cancelled otherwise */
            const attempt *held;
        } hello;
        struct {
            uint32_t worker;
            uint32_t beat;        /**< as in hello: one that is not newer than the last heard is dropped, STATUS_AGAIN */
            bool draining;
            uint32_t running_count;
            const attempt *running;
        } heartbeat;
        struct {
            uint32_t worker;
            bool dead;          /**< LOST: the process is known to be gone, so its attempts are over at once; otherwise
                                     they wait for its HELLO until their lease ends */
            bool idle;          /**< dead: it left of its own will and ran nothing then */
        } worker; /* LOST, DRAIN, UNDRAIN */
        struct {
            uint32_t worker;      /**< SCHEDULER_LOCAL for the coordinator's own tasks */
            attempt attempt;
            status code;
            bool none_found;      /**< done, and it found no file where there should be one: no proof against who found none */
        } result;
    };
} scheduler_event;

enum { SCHEDULER_LOCAL = 0 };

typedef enum scheduler_fact_type {
    FACT_JOB_SUBMITTED = 1,
    FACT_JOB_EXTENDED,    /**< the shell rebuilds the tasks from its plan on replay */
    FACT_JOB_CANCELLED,
    FACT_JOB_RETRIED,
    FACT_JOB_ENDED,
    FACT_JOB_FORGOTTEN,
    FACT_TASK_ASSIGNED,
    FACT_TASK_ENDED,      /**< done, failed, skipped, cancelled, or back to ready after a lost or failed attempt */
    FACT_WORKER_STATE,    /**< drained, quarantined, back */
    FACT_JOB_HELD,
    FACT_JOB_RELEASED,
    FACT_JOB_PRIORITY,    /**< its new one */
    FACT_TYPE_END
} scheduler_fact_type;

typedef struct scheduler_fact {
    scheduler_fact_type type;
    uint32_t job;
    uint32_t task;
    uint32_t term;
    uint32_t epoch;
    uint32_t worker;
    uint32_t value;  /**< task_state, worker state or task count */
    status code;
    int32_t priority;
    uint64_t share;
} scheduler_fact;

typedef enum scheduler_command_type {
    COMMAND_ASSIGN,         /**< send attempt to worker (or run it, worker = SCHEDULER_LOCAL) */
    COMMAND_CANCEL_ATTEMPT, /**< tell worker to stop attempt */
    COMMAND_ACK_RESULT,     /**< the result is durable: tell worker to forget it */
    COMMAND_JOB_ACCEPTED,   /**< answer the submitter */
    COMMAND_JOB_ENDED,      /**< value: 1 if any task failed */
    COMMAND_TASK_FINAL,     /**< task reached done, failed, skipped or cancelled (value: task_state) */
    COMMAND_RESULT_REFUSED  /**< a late or impossible result was dropped; its cells must be dropped too */
} scheduler_command_type;

typedef struct scheduler_command {
    scheduler_command_type type;
    uint64_t fact_sequence; /**< release once this fact is durable; 0 = at once */
    uint32_t worker;
    attempt attempt;        /**< job and task are set for every type that has them */
    uint32_t value;
    status code;
} scheduler_command;

/** Filled by a step; owned by the caller, reused. Grows as needed (outside the core's sealed memory). */
typedef struct scheduler_output {
    scheduler_fact *facts;
    size_t fact_count, fact_capacity;
    scheduler_command *commands;
    size_t command_count, command_capacity;
} scheduler_output;
void scheduler_output_deinit(scheduler_output *self);

/** NULL when out of memory. */
scheduler *scheduler_create(const scheduler_config *config);
void scheduler_destroy(scheduler **self);

/**
 * One event at monotonic time now_ms. Facts and commands are appended to out (cleared first); facts are numbered from
 * the last sequence on. A claim of a peer that cannot be true is refused (STATUS_PEER_IMPOSSIBLE) and changes nothing.
 */
MUST_USE status scheduler_step(scheduler *self, uint64_t now_ms, const scheduler_event *event, scheduler_output *out);
/**
 * The shell says this of every command when it carries it out, its fact being durable. False: the world has moved on
 * while the journal was busy (the attempt is over, its job cancelled or retried), and the command is to be dropped. An attempt's
 * lease begins here: one that still waits for the disk cannot be late.
 */
MUST_USE bool scheduler_release(scheduler *self, uint64_t now_ms, const scheduler_command *command);
/** Replays one fact of the journal. For FACT_JOB_EXTENDED tasks are those the plan gives (event form). */
MUST_USE status scheduler_apply(scheduler *self, const scheduler_fact *fact, uint32_t task_count, const task_spec *tasks);
/**
 * What FACT_JOB_SUBMITTED does not hold, which the shell has in its record of the job: to be told after it in a replay,
 * before the job has tasks.
 */
void scheduler_job_terms(scheduler *self, uint32_t job, const job_terms *terms);
/** How much may run at once, from now on: replaces what was set before. What runs goes on. Not replayed. */
void scheduler_set_limits(scheduler *self, const scheduler_limits *limits);
/**
 * After the last fact of a replay: running attempts wait for their workers' HELLO for one lease, then are lost. Workers
 * are not replayed; drained names are told again by the shell.
 */
void scheduler_resume(scheduler *self, uint64_t now_ms);
/** The shell arms one timer from this and sends EVENT_TICK; UINT64_MAX = nothing is due. */
uint64_t scheduler_next_deadline_ms(const scheduler *self);
/** Sequence of the last fact. */
uint64_t scheduler_sequence(const scheduler *self);

/* ---- queries: what status, nodes and explain show ---- */
typedef enum job_limit {
    JOB_LIMIT_NONE,
    JOB_LIMIT_OWN,   /**< job_terms.at_once */
    JOB_LIMIT_SHOW,
    JOB_LIMIT_ROOT   /**< JOB_LIMIT_ROOT + i: of job_terms.roots[i] */
} job_limit;
typedef struct job_view {
    job_state state;
    bool held;                /**< nothing of it begins (EVENT_JOB_HOLD) */
    bool waits_for_storage;   /**< nothing of it begins before its next try */
    uint64_t storage_wait_ms; /**< since when its storage failed, without a task that was done since; 0 = it did not */
    int32_t priority;
    uint32_t deadline;        /**< 0 = none */
    job_limit limit;          /**< the first that lets it begin nothing now */
    uint32_t limit_running, limit_most;
    uint32_t task_count;
    uint32_t by_state[TASK_CANCELLED + 1];
    uint32_t retries;         /**< failed or lost attempts so far */
    uint64_t cost_total;
    uint64_t cost_done;
} job_view;
bool scheduler_job_view(const scheduler *self, uint32_t job, job_view *out_view);
typedef struct task_view {
    task_state state;
    uint8_t kind;
    uint32_t epoch;           /**< of the attempt that counted; until one does, the newest */
    uint32_t begun;           /**< the newest of all, so also how many were begun or may have been */
    uint32_t attempts_failed;
    uint32_t worker;          /**< while running */
    status last_code;
} task_view;
bool scheduler_task_view(const scheduler *self, uint32_t job, uint32_t task, task_view *out_view);
/** Is this attempt running, or on its way, and this worker's? */
bool scheduler_worker_holds(const scheduler *self, uint32_t worker, const attempt *tried);
/** Would an end of this attempt with STATUS_INPUT_MISSING have another worker look, and not fail the task? */
bool scheduler_asks_another(const scheduler *self, const attempt *tried);
typedef enum worker_state { WORKER_READY, WORKER_DRAINING, WORKER_QUARANTINED, WORKER_LOST } worker_state;
typedef struct worker_view {
    worker_state state;
    uint32_t slots;
    uint32_t running;
    uint32_t tasks_done;
    uint32_t tasks_failed;
    uint32_t strikes, proofs;    /**< since it was last trusted; see worker_table.h */
    bool canary;                 /**< on trial: one task at a time */
    uint64_t quarantine_left_ms;
    uint64_t rest_left_ms;       /**< it gets nothing new for so long, for it failed, */
    uint32_t rest_job;           /**< of this job alone; 0 = of any */
    uint32_t strike_job, strike_task; /**< the last that struck; 0, 0 with code STATUS_OK = none yet */
    status strike_code;
} worker_view;
bool scheduler_worker_view(const scheduler *self, uint32_t worker, worker_view *out_view);

/**
 * A number over everything that a replay must bring back: jobs, task states, epochs, counters, running attempts. Equal
 * states give equal numbers; tests compare a live scheduler with one that was replayed.
 */
uint64_t scheduler_dump_hash(const scheduler *self);
/** Called after every step in tests and simulation: aborts when the tables contradict each other. */
void scheduler_check_invariants(const scheduler *self);

#endif
