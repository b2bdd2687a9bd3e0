/** What reelmill-coordinator was told: flags over the file of --config over defaults. */
#ifndef COORDINATOR_SHELL_FARM_CONFIG_H
#define COORDINATOR_SHELL_FARM_CONFIG_H

#include "common/base/limits.h"
#include "common/base/log.h"
#include "common/base/status.h"
#include "common/settings/settings_program.h"
#include "coordinator/core/scheduler.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    STATE_MAX_BYTES = PATH_MAX_BYTES - 64, /**< leaves room for the names of what lies in it */
    FARM_LISTEN_MAX = 8,
    ON_END_WORDS_MAX = 16,
    ON_END_BYTES_MAX = 512,
    ENDPOINT_MAX_BYTES = 256,
    FARM_LEASE_MS = 5000,
    FARM_HEARTBEAT_MS = 1000,
    FARM_KEEP_JOBS_DAYS = 90,
    FARM_STORAGE_WAIT_MINUTES = 720 /* a night: until somebody is there who frees space */
};

typedef struct farm_root {
    char name[NAME_MAX_BYTES];
    char path[PATH_MAX_BYTES];
} farm_root;

/** At most so many tasks on workers at once. */
typedef struct farm_limit {
    bool root; /**< of a storage root; otherwise of a show, by its slug, "*" being every show that has no line */
    char name[NAME_MAX_BYTES];
    uint32_t most;
} farm_limit;

typedef struct farm_config {
    uint32_t listen_count;
    char listen[FARM_LISTEN_MAX][ENDPOINT_MAX_BYTES]; /**< default: tcp://127.0.0.1:7070 */
    char state[STATE_MAX_BYTES]; /**< folder of the journal and the jobs; default: reelmill-state */
    char key[PATH_MAX_BYTES];        /**< file of the coordinator's secret key; "" = none */
    char authorized[PATH_MAX_BYTES]; /**< file of the keys that may connect; "" = none */
    bool plain;                      /**< loopback tcp without keys */
    char http[ENDPOINT_MAX_BYTES];   /**< address of the read-only pages, "" = none */
    uint32_t root_count;
    farm_root roots[ROOTS_MAX]; /**< this machine's idea of the media roots; only told to clients, never opened */
    uint32_t limit_count;
    farm_limit limits[SCHEDULER_LIMITS_MAX];
    uint32_t on_end_count; /**< arguments of the program that is told of a job's end; 0 = none */
    char on_end[ON_END_WORDS_MAX][ON_END_BYTES_MAX];
    uint32_t lease_ms;
    uint32_t heartbeat_ms;
    uint32_t keep_jobs_days; /**< ended jobs are forgotten after so many; 0 = never */
    uint32_t storage_wait_minutes; /**< a job waits so long for storage that is full or away; 0 = it fails */
    uint32_t cells_per_task; /**< 0 = chosen by the planner */
    bool private_farm; /**< of one CLI: dies with its parent, may be told to shut down */
    log_level log;
    bool version, help, manual; /**< print it and leave */
    bool check;                 /**< --check-config */
    int argument_count;         /**< what main got, to read all of it again; lives as long as main */
    char *const *arguments;
} farm_config;

/** argv as main gets it. STATUS_INPUT_* with a sentence. */
MUST_USE status farm_config_read(farm_config *out_config, int argc, char *const *argv, error_detail *detail);
/** The table that the flags, the file's keys, the help and the manual come from. */
const setting_program *farm_config_program(void);

#endif
