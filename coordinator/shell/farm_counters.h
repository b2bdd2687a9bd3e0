/**
 * What this start of the coordinator has counted: work done, failures by class, how long the journal took. Gone with the
 * process, as Prometheus expects of counters. Programme time: a second of one deliverable made or inspected.
 *
 * Threads: the loop's.
 */
#ifndef COORDINATOR_SHELL_FARM_COUNTERS_H
#define COORDINATOR_SHELL_FARM_COUNTERS_H

#include "common/base/status.h"

#include <stdbool.h>
#include <stdint.h>

enum { COUNTED_KINDS_MAX = 40, COUNTED_CLASSES_MAX = STATUS_CLASS_DEFECT + 1, COMMIT_STEPS = 8, RATE_SECONDS = 60 };

typedef struct farm_counters {
    uint64_t begun_ms;
    uint64_t programme_ms;
    uint64_t task_count[COUNTED_KINDS_MAX], task_ms[COUNTED_KINDS_MAX]; /**< that ended well */
    uint64_t failures[COUNTED_CLASSES_MAX];
    uint64_t commits[COMMIT_STEPS + 1], commit_us; /**< by step of farm_commit_step_ms, the last beyond them all */
    uint64_t commit_begun_us, commit_sequence;     /**< the one that is being timed; 0 = none */
    uint64_t second;                               /**< of the last entry of the ring */
    uint64_t lately_ms[RATE_SECONDS];              /**< programme time by second */
} farm_counters;

/** Upper edges of the journal's histogram, in ms. */
uint32_t farm_commit_step_ms(int step);
void farm_counters_task(farm_counters *self, uint64_t now_ms, uint8_t kind, uint64_t spent_ms, uint64_t programme_ms);
void farm_counters_failure(farm_counters *self, status code);
/** A record was given to the journal / the journal has all up to this one. One is timed at a time. */
void farm_counters_append(farm_counters *self, uint64_t now_us, uint64_t sequence);
void farm_counters_durable(farm_counters *self, uint64_t now_us, uint64_t sequence);
/** Hours of programme per minute, over the last minute, or since the start if that was later. */
double farm_counters_rate(farm_counters *self, uint64_t now_ms);

#endif
