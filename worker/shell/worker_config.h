/** What reelmill-worker was told: flags over the file of --config over defaults. */
#ifndef WORKER_SHELL_WORKER_CONFIG_H
#define WORKER_SHELL_WORKER_CONFIG_H

#include "common/base/limits.h"
#include "common/base/log.h"
#include "common/base/status.h"
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
    uint32_t slots;                        /**< default: the processors this process may use */
    char cpu[16];                          /**< cap of the instruction set, "" = none */
    uint32_t root_count;
    worker_config_root roots[ROOTS_MAX];
    log_level log;
    bool private_farm; /**< of one CLI: dies with its parent */
    bool version;      /**< --version: print it and leave */
    bool help;
} worker_config;

/** argv as main gets it. STATUS_INPUT_* or STATUS_LIMIT with a sentence. */
MUST_USE status worker_config_read(worker_config *out_config, int argc, char *const *argv, error_detail *detail);
/** The text of `--help`. */
const char *worker_config_usage(void);

/* ---- for worker_config_file.c: one setting, as a flag or a key of the file ---- */
/** STATUS_AGAIN: there is no such key. where: "--slots" or "file:line:column". */
MUST_USE status worker_config_set(worker_config *self, const char *where, const char *key, const char *value,
                                  error_detail *detail);
/** A root of that name replaces one that is there. */
MUST_USE status worker_config_add_root(worker_config *self, const char *where, const char *name, const char *folder,
                                       bool writable, error_detail *detail);
/**
 * Reads a YAML file: coordinator, key, coordinator_key, plain, name, slots, cpu, hang_s, log, and
 * roots: {NAME: FOLDER, NAME: {path: FOLDER, mode: ro}}.
 */
MUST_USE status worker_config_read_file(worker_config *self, const char *path, error_detail *detail);

#endif
