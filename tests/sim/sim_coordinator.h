/**
 * The coordinator's shell as a simulation needs it, in the same order as coordinator/shell: decode, event, step, records
 * to the journal, commands once these are durable. It can die between any two of these.
 */
#ifndef TESTS_SIM_SIM_COORDINATOR_H
#define TESTS_SIM_SIM_COORDINATOR_H

#include "sim_check.h"
#include "sim_journal.h"
#include "sim_world.h"

enum { SIM_CELLS_MAX = 1024, SIM_DEFERRED_MAX = 65536 };

typedef struct sim_cell {
    attempt_id attempt;
    uint32_t cell;
} sim_cell;

/** What a task was given out as last. */
typedef struct sim_given {
    attempt_id attempt;
    uint32_t worker;
} sim_given;

typedef struct sim_deferred {
    uint64_t sequence; /* of the journal */
    scheduler_command command;
} sim_deferred;

typedef struct sim_coordinator {
    bool up;
    uint32_t term;
    uint64_t stalled_until_ms; /* it is up, but does nothing */
    uint64_t tick_ms;          /* of the tick event under way */
    uint32_t fuse;             /* it dies after so many more small steps; UINT32_MAX = it does not */
    bool dying;
    bool pumping;
    scheduler *core;
    scheduler_output out;
    sim_journal journal;
    uint64_t journal_busy_ms;  /* when the last commit under way is done */
    sim_deferred *deferred;    /* a ring of SIM_DEFERRED_MAX */
    uint32_t deferred_first, deferred_count;
    uint32_t number_of[SIM_PROCESSES_MAX];  /* by process; 0 = unknown */
    uint32_t last_number;
    uint32_t last_job;
    uint32_t job_of[SIM_JOBS_MAX];          /* by client; 0 = not submitted */
    sim_given given[SIM_JOBS_MAX + 1][SIM_TASKS_MAX]; /* by job number */
    uint64_t clock_ahead_ms;                /* its clock is that much ahead of the simulation's */
    sim_cell cells[SIM_CELLS_MAX];
    uint32_t cell_count;
} sim_coordinator;

sim_coordinator *sim_coordinator_create(void);
void sim_coordinator_destroy(sim_coordinator **self);

/** From the journal. */
void sim_coordinator_start(sim_world *world);
/** At once, wherever it stands; some of what was not durable yet may be found later all the same. */
void sim_coordinator_crash(sim_world *world);
void sim_coordinator_event(sim_world *world, const sim_event *event);
/** People: cancel, retry, hold, release, drain, undrain something, or give it another priority. */
void sim_coordinator_people(sim_world *world);

/** The faults are over: it stands still and dies no more, everybody drained comes back, and what is held goes on. */
void sim_coordinator_calm(sim_world *world);
/** First word of a job, or the same again after a crash cut it off in the middle. */
void sim_coordinator_submit(sim_world *world, uint32_t client);

/* sim_shell.c */
uint64_t sim_shell_now_ms(const sim_world *world);
void sim_shell_note_fact(sim_coordinator *self, const scheduler_fact *fact);
void sim_shell_send_attempts(sim_world *world, uint32_t number, message_type type, uint32_t beat, const attempt_id *one);
/** One event through the scheduler. */
status sim_shell_step(sim_world *world, const scheduler_event *event, const attempt_id *ended, uint64_t payload);
/** Commands whose records are durable. */
void sim_shell_pump(sim_world *world);
/** One small step: false when the coordinator died of it. */
bool sim_shell_breath(sim_world *world);
uint64_t sim_shell_append(sim_world *world, sim_record record);
/** Client of a job number; SIM_JOBS_MAX = none. */
uint32_t sim_shell_client_of(const sim_coordinator *self, uint32_t job);
void sim_shell_arm(sim_world *world);

#endif
