/**
 * What each node was seen to need for the planner's millisecond, by kind of task: its pace, in thousandths. 1000 is as
 * planned, 2500 two and a half times as long. Pure: results go in, paces come out.
 *
 * A node's own pace counts once it has done PACE_SAMPLES_MIN tasks of the kind; before that the farm's, and where nobody
 * has done any, 1000. Old results fade: beyond PACE_SAMPLES_MAX the sums are halved. Node "" is the coordinator itself.
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
    PACE_SAMPLES_MAX = 400,
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
/** True once anything was learnt about work of any node. */
bool pace_table_known(const pace_table *self);

/** Puts back what was kept of an earlier start. False: it cannot have been kept by pace_table_learn. */
bool pace_table_restore(pace_table *self, const char *node, uint8_t kind, const pace_sum *sum);

#endif
