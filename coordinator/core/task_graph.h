/**
 * The tasks of one job and who waits for whom. One record of 16 bytes per task, and the dependents of each task in one
 * array (compressed rows: 4 bytes per task and 4 per wait); with its place in the ready queue a waiting task costs 24
 * bytes and 4 for each thing it waits for.
 *
 * Waits point to lower numbers only, so a graph has no cycles and ascending order is an order of dependence.
 * Memory is taken by task_graph_extend alone; graphs are plain values that own their arrays.
 */
#ifndef COORDINATOR_CORE_TASK_GRAPH_H
#define COORDINATOR_CORE_TASK_GRAPH_H

#include "coordinator/core/id_map.h"
#include "coordinator/core/scheduler.h"

enum {
    TASK_DEPTH_MAX = 63,
    TASK_COUNT_MAX = 15, /**< `failed` and `lost` stop counting here */
    TASK_EPOCH_MAX = 65535
};

typedef struct task_record {
    uint32_t cost;
    uint32_t link; /**< WAITING: waits that are not over; READY: place in the ready queue, SLOT_NONE while parked;
                        RUNNING: its newest lease; DONE: epoch of the attempt that counted; else without meaning */
    uint16_t affinity;
    uint16_t epoch; /**< of the newest attempt; 0 = none yet */
    unsigned kind : 6;
    unsigned local : 1;
    unsigned even_if_failed : 1;
    unsigned even_if_cancelled : 1;
    unsigned spare : 1;
    unsigned state : 3;
    unsigned code : 5;   /**< status of the last attempt that did not go well */
    unsigned failed : 4; /**< executions that failed since submission or retry */
    unsigned lost : 4;   /**< executions that were lost with their worker */
    unsigned depth : 6;  /**< longest way from a task that waits for nothing, capped: deeper tasks are begun first */
} task_record;

static_assert(sizeof(task_record) == 16, "a waiting task is 16 bytes");
static_assert(STATUS_COUNT <= 32, "a status fits the record");
static_assert(TASK_CANCELLED <= 7, "a state fits the record");

typedef struct task_graph {
    uint32_t task_count;
    uint32_t edge_count;
    task_record *tasks;
    uint32_t *first_dependent; /**< [task_count + 1], into dependents */
    uint32_t *dependents;
} task_graph;

/**
 * Makes the graph with these tasks appended, all WAITING with link = how many of their waits are not terminal; self stays
 * as it is. STATUS_PEER_IMPOSSIBLE for waits that do not point back, STATUS_LIMIT, STATUS_NODE_MEMORY.
 */
MUST_USE status task_graph_extend(const task_graph *self, uint32_t count, const task_spec *specs, task_graph *out_graph);
void task_graph_deinit(task_graph *self);
bool task_state_terminal(task_state state);
static inline task_state task_record_state(const task_record *self)
{
    return (task_state)self->state;
}

#endif
