/**
 * One task in one executor, without a farm: the program reelmill-worker beside this one, shut in as a worker's executors are,
 * so that media is parsed where it can do nothing. For what a person asks of files that lie on this machine.
 */
#ifndef COORDINATOR_CLI_EXECUTOR_ONCE_H
#define COORDINATOR_CLI_EXECUTOR_ONCE_H

#include "common/base/byte_writer.h"
#include "coordinator/cli/private_farm.h"

/** Appends the payload of the task's RESULT, or gives its code and sentence. Waits a minute at most. */
MUST_USE status executor_once(uint32_t kind, const byte_writer *body, uint32_t root_count, const private_farm_root *roots,
                              byte_writer *payload, error_detail *detail);

#endif
