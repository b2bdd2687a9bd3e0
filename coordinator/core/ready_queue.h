/**
 * The ready tasks of one job, in lanes: one for the coordinator's own tasks, one per reel (affinity below 64), one for
 * the rest. A lane gives first what lies deepest in the graph (finish what was begun: deliverables come out early and
 * the long verify does not start last), then the longest by power of two of its cost (long tasks first balance the end),
 * then the lowest number. Places of members are kept in task_record.link.
 */
#ifndef COORDINATOR_CORE_READY_QUEUE_H
#define COORDINATOR_CORE_READY_QUEUE_H

#include "coordinator/core/task_graph.h"

enum { READY_REELS = 64, READY_LANE_PLAIN = READY_REELS, READY_LANE_LOCAL, READY_LANES };

typedef struct ready_lane {
    uint32_t first; /**< place in slots */
    uint32_t count;
} ready_lane;

typedef struct ready_queue {
    uint32_t *slots;   /**< [task_count] task numbers, lane by lane */
    ready_lane *lanes; /**< [READY_LANES] */
    uint64_t reels;    /**< bit r: lane r is not empty */
    uint32_t local_count;
    uint32_t remote_count;
} ready_queue;

uint32_t ready_queue_lane_of(const task_record *task);
/** Takes memory for every task of the graph and puts in those that are READY and not parked. False: out of memory. */
bool ready_queue_init(ready_queue *self, task_graph *graph);
void ready_queue_deinit(ready_queue *self);
void ready_queue_push(ready_queue *self, task_graph *graph, uint32_t task);
void ready_queue_remove(ready_queue *self, task_graph *graph, uint32_t task);
/** SLOT_NONE when empty. */
uint32_t ready_queue_top(const ready_queue *self, uint32_t lane);
/** The best remote task; one of lane `wanted` if it lies as deep as the best of all. SLOT_NONE when there is none. */
uint32_t ready_queue_pick(const ready_queue *self, const task_graph *graph, uint32_t wanted);
/** Aborts when order or places are wrong. */
void ready_queue_check(const ready_queue *self, const task_graph *graph);

#endif
