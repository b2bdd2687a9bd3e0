/**
 * What each node was seen to need for the planner's millisecond, by kind of task: its pace, in thousandths. 1000 is as
 * planned, 2500 two and a half times as long. Pure: results go in, paces come out.
 *
 * A node's own pace counts once it has done PACE_SAMPLES_MIN tasks of the kind; before that the farm's, and where nobody
 * has done any, 1000. The coordinator's own tasks are of kinds that no node does: there the first counts. Old results fade:
 * beyond PACE_SAMPLES_MAX the sums are halved, so a machine that others begin or cease to use is known anew after a few
 * dozen tasks. Node "" is the coordinator itself.
 *
 * Beside them, how much longer whole jobs took than their tasks placed on slots: what passes between tasks (messages, the
 * journal, a slot that waits) is no task's. It is kept by the size of jobs, since it weighs less in a long one.
 *
 * Threads: one at a time. Memory: one entry per node name, at most PACE_NODES_MAX; then the least lately used goes.
 */
#ifndef COORDINATOR_FORECAST_PACE_TABLE_H
#define COORDINATOR_FORECAST_PACE_TABLE_H

#include "common/base/limits.h"
#include "common/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PACE_KINDS_MAX = 40, /**< above every task_kind */
    PACE_SAMPLES_MIN = 3,
    PACE_SAMPLES_MAX = 48,
    PACE_JOBS_MAX = 4, /**< jobs of a size that are remembered so */
    PACE_JOB_MIN = 500, PACE_JOB_MAX = 4000, /**< beyond it was something else */
    PACE_NODES_MAX = 4096,
    PACE_UNIT = 1000,
    PACE_MAX = 1000 * PACE_UNIT /**< slower than that is a fault, not a pace */
};

typedef struct pace_sum {
    uint64_t planned_ms;
    uint64_t spent_ms;
    uint32_t samples;
} pace_sum;

typedef struct pace_node {
    char name[NAME_MAX_BYTES];
    uint64_t used; /**< rises with every result */
    pace_sum sums[PACE_KINDS_MAX];
} pace_node;

typedef struct pace_table {
    pace_node *nodes;
    size_t count, capacity;
    uint64_t clock;
    pace_sum farm[PACE_KINDS_MAX]; /**< all nodes, the coordinator apart */
} pace_table;

void pace_table_deinit(pace_table *self);
/** A task of this kind that was planned as planned_ms took spent_ms on a node. What makes no sense is dropped. */
void pace_table_learn(pace_table *self, const char *node, uint8_t kind, uint64_t planned_ms, uint64_t spent_ms);
/** In thousandths, 1 to PACE_MAX. node NULL: the farm's. */
uint32_t pace_table_pace(const pace_table *self, const char *node, uint8_t kind);
/** The tasks of a job that had the farm for itself, as long as they really took, make planned_ms; it took spent_ms. */
void pace_table_learn_job(pace_table *self, uint64_t planned_ms, uint64_t spent_ms);
/** In thousandths, by size of job; PACE_UNIT where none was seen. */
void pace_table_jobs(const pace_table *self, uint32_t out_paces[PACE_KINDS_MAX]);
/** Which size a job has whose tasks are to take planned_ms: doublings of a tenth of a second. */
uint8_t pace_job_size(uint64_t planned_ms);
/** True once anything was learnt about work of any node. */
bool pace_table_known(const pace_table *self);

/** Puts back what was kept of an earlier start. False: it cannot have been kept by pace_table_learn. */
bool pace_table_restore(pace_table *self, const char *node, uint8_t kind, const pace_sum *sum);

#endif
