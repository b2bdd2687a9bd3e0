/**
 * When a job will be ready: its tasks placed on a farm's slots by the planner's estimates and the nodes' paces, in the
 * way the scheduler does it (what is ready goes to a free slot, the longest first). Pure, deterministic, no floats.
 *
 * Bounded: a job of more than FORECAST_TASKS_MAX tasks is not placed task by task; its time is then work divided by slots,
 * or the longest chain of waits where that is more.
 */
#ifndef COORDINATOR_FORECAST_READY_FORECAST_H
#define COORDINATOR_FORECAST_READY_FORECAST_H

#include "common/base/status.h"
#include "coordinator/forecast/pace_table.h"

enum { FORECAST_TASKS_MAX = 20000, FORECAST_SLOTS_MAX = 16384, FORECAST_POINTS_MAX = 15 };

/** Slots of one pace. */
typedef struct forecast_node {
    uint32_t slots;
    uint32_t paces[PACE_KINDS_MAX]; /**< thousandths */
} forecast_node;

typedef struct forecast_farm {
    uint32_t node_count;
    const forecast_node *nodes;
    forecast_node local;   /**< the coordinator's own slots */
    forecast_node average; /**< paces of a node as they are here; `slots` is not read */
    uint32_t job_paces[PACE_KINDS_MAX]; /**< of whole jobs by size; all 0 = as their tasks */
    uint64_t ahead_ms;     /**< slot time of others' work that goes first or takes its share */
} forecast_farm;

typedef struct forecast_task {
    uint8_t kind;
    bool local;
    bool done;
    uint32_t cost_ms;      /**< as planned; of a running task what is left of it */
    uint32_t wait_count;
    const uint32_t *waits; /**< numbers; those below first_number are over */
} forecast_task;

typedef struct forecast_point {
    uint32_t slots;
    uint64_t ready_ms;
} forecast_point;

typedef struct ready_forecast {
    uint64_t work_ms;  /**< slot time that is left, at the average pace */
    uint32_t slots, nodes; /**< of the farm */
    uint64_t ready_ms; /**< from now; UINT64_MAX: there are no slots */
    uint64_t placed_ms; /**< the same before whole jobs' pace and others' work came to it */
    uint32_t point_count;
    forecast_point points[FORECAST_POINTS_MAX]; /**< the same for 1, 2, 4, ... slots of average pace */
} ready_forecast;

/** STATUS_NODE_MEMORY, or STATUS_OK. Task i has the number first_number + i and waits for lower numbers only. */
MUST_USE status ready_forecast_make(ready_forecast *out_forecast, const forecast_farm *farm, const forecast_task *tasks,
                                    uint32_t task_count, uint32_t first_number);
/** Looking back: what tasks that took cost_ms each make of a job on so many slots; UINT64_MAX: they could not all be done.
 *  What the job took beyond it passed between them. STATUS_AGAIN: too many to place. */
MUST_USE status ready_forecast_spent(uint64_t *out_ms, uint32_t slots, uint32_t local_slots, const forecast_task *tasks,
                                     uint32_t task_count, uint32_t first_number);

#endif
