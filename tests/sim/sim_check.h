/**
 * What must be true of a farm, judged from outside: from what became durable, what was told, and what executors do.
 * The first breach ends the run.
 */
#ifndef TESTS_SIM_SIM_CHECK_H
#define TESTS_SIM_SIM_CHECK_H

#include "sim_world.h"

typedef struct sim_check sim_check;

sim_check *sim_check_create(void);
void sim_check_destroy(sim_check **self);
/** NULL while all is well. */
const char *sim_check_reason(const sim_check *self);
void sim_check_fail(sim_check *self, const char *format, ...) PRINTF_LIKE(2, 3);

/** The coordinator has read its journal. Of attempts that were over by then it does not know whether they still run. */
void sim_check_restarted(sim_check *self);

/** A worker has taken an attempt. */
void sim_check_arrived(sim_check *self, uint32_t process, attempt_id id);
/** A worker has killed an execution: it was not wanted any more. */
void sim_check_killed(sim_check *self, uint32_t process);
/** An executor of this process begins, and ends (however it ends). */
void sim_check_begun(sim_check *self, const sim_world *world, uint32_t process, attempt_id id);
/** It ended an attempt by itself, with this code. */
void sim_check_ended(sim_check *self, uint32_t process, attempt_id id, status code);
/** The process died, and its executors with it. */
void sim_check_died(sim_check *self, uint32_t process);

/** What a good result says of itself, and what is believed of one. */
uint64_t sim_check_payload(attempt_id id, uint32_t process);

/** Records in the order in which they became durable; each exactly once over the whole run. */
void sim_check_durable_job(sim_check *self, uint32_t client, uint32_t job);
void sim_check_durable_result(sim_check *self, attempt_id id, uint64_t payload);
void sim_check_durable_fact(sim_check *self, const sim_world *world, const scheduler_fact *fact);

/** A job was cancelled a while ago, in calm weather: only what undoes it may still be executed. */
void sim_check_stopped(sim_check *self, const sim_world *world, uint32_t job);

/** A worker was told to forget the result of this attempt. */
void sim_check_acknowledged(sim_check *self, uint32_t worker, attempt_id id);
/** A client was told that its job is accepted. */
void sim_check_accepted(sim_check *self, uint32_t client, uint32_t job);
/** A client was told that its job has ended. */
void sim_check_told_ended(sim_check *self, uint32_t job);

/** After the last event: everything ended, nothing left over. */
void sim_check_end(sim_check *self, const sim_world *world);

#endif
