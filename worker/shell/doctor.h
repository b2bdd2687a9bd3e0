/** Is this machine fit to be a node? One line per thing that was looked at, with what to do where something is wrong. */
#ifndef WORKER_SHELL_DOCTOR_H
#define WORKER_SHELL_DOCTOR_H

#include "worker/shell/worker_config.h"

/** pair: 0 = this machine alone; 1 or 2 = the mounts together with the other machine. Returns the exit code: 0, or 3. */
int doctor_run(const worker_config *config, uint32_t pair);

#endif
