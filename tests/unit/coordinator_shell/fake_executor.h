/** Executors that pretend: they check what they are told against what was said before, and answer as real ones do. */
#ifndef TESTS_UNIT_COORDINATOR_SHELL_FAKE_EXECUTOR_H
#define TESTS_UNIT_COORDINATOR_SHELL_FAKE_EXECUTOR_H

#include "farm_harness.h"

void fake_execution_start(world *world_of, fake_worker *worker, const session_order *order);
void fake_execution_turn(world *world_of, fake_worker *worker, fake_execution *execution, uint64_t now_ms);
void fake_execution_kill(fake_worker *worker, const attempt_id *attempt);
void fake_execution_chunk(fake_worker *worker, const session_order *order);
void fake_execution_drop(fake_execution *execution);

#endif
