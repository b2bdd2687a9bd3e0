/** What reelmill-worker was told: flags over the file of --config over defaults. */
#ifndef WORKER_SHELL_WORKER_CONFIG_H
#define WORKER_SHELL_WORKER_CONFIG_H

#include "common/base/limits.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "common/settings/settings_program.h"
#include "proto/secure_socket.h"

#include <stdbool.h>
#include <stdint.h>

enum { WORKER_ENDPOINT_MAX = 256, WORKER_FOLDER_MAX = 4096 };

typedef struct worker_config_root {
    char name[NAME_MAX_BYTES];
    char folder[WORKER_FOLDER_MAX];
    bool writable;
} worker_config_root;

typedef struct worker_config {
    char coordinator[WORKER_ENDPOINT_MAX]; /**< default: tcp://127.0.0.1:7070 */
    link_config link;                      /**< keys of the link to it */
    char name[NAME_MAX_BYTES];             /**< default: the host's */
    uint32_t hang_s;                       /**< an executor this long without progress is killed; 0 = default */
    char alive[WORKER_FOLDER_MAX];         /**< file whose time is set while the loop turns; "" = none */
    uint32_t slots;                        /**< default: the processors this process may use */
    char executor[PATH_MAX_BYTES];         /**< the executors' program; main says where it is */
    char cpu[16];                          /**< cap of the instruction set, "" = none */
    uint32_t root_count;
    worker_config_root roots[ROOTS_MAX];
    log_level log;
    bool private_farm; /**< of one CLI: dies with its parent */
    bool version, help, manual; /**< print it and leave */
    bool check;                 /**< --check-config */
    bool doctor;                /**< --doctor */
    uint32_t pair;              /**< --pair: which of two machines this is; 0 = none */
    int argument_count;         /**< what main got, to read all of it again; lives as long as main */
    char *const *arguments;
} worker_config;

/** argv as main gets it. STATUS_INPUT_* or STATUS_LIMIT with a sentence. */
MUST_USE status worker_config_read(worker_config *out_config, int argc, char *const *argv, error_detail *detail);
/** The table that the flags, the file's keys, the help and the manual come from. */
const setting_program *worker_config_program(void);

#endif
