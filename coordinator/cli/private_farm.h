/**
 * A farm for one occasion: a private coordinator and workers as child processes, over ipc sockets in a fresh folder of
 * mode 0700. `run`, `qc`, `check` and `plan` use it. A child that dies is started again (within bounds); the children die
 * with the parent (PR_SET_PDEATHSIG), so no process is left behind whatever ends the CLI; a folder is, and the next farm
 * removes it (farm_folder.h).
 */
#ifndef COORDINATOR_CLI_PRIVATE_FARM_H
#define COORDINATOR_CLI_PRIVATE_FARM_H

#include "common/base/limits.h"
#include "common/base/status.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct private_farm private_farm;

typedef struct private_farm_root {
    const char *name;
    const char *directory; /**< absolute */
    bool writable;
} private_farm_root;

typedef struct private_farm_config {
    uint32_t worker_count;      /**< processes; 0 = one */
    uint32_t slots_per_worker;  /**< executors each; 0 = 1 */
    const char *cpu;            /**< cap of the instruction set, NULL = none */
    uint32_t cells_per_task;    /**< 0 = chosen by the planner */
    uint32_t root_count;
    private_farm_root roots[ROOTS_MAX];
    const char *state_directory; /**< where the journal lies during the run; removed by private_farm_stop */
    bool verbose;               /**< children log to stderr; otherwise to files in the state folder */
} private_farm_config;

MUST_USE status private_farm_start(private_farm **out_farm, const private_farm_config *config, error_detail *detail);
/** "ipc:///..." for farm_client_create. */
const char *private_farm_endpoint(const private_farm *self);
/** Looks after the children: restarts what died. STATUS_NODE_CRASHED when one keeps dying. Call a few times a second. */
MUST_USE status private_farm_tend(private_farm *self, error_detail *detail);
/** Stops every child (workers at once, the coordinator cleanly) and waits for it; removes the state folder. */
void private_farm_stop(private_farm **self);

#endif
