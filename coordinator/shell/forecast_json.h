/**
 * A forecast as JSON: {"ready_in_s", "work_s", "slots", "nodes", "learnt": false = by the planner's estimates alone,
 * "by_slots": [{"slots","ready_s"}]}; of a job also "predicted_s", what was expected when it was
 * planned, and, once it has ended, "actual_s" from then; and "after": "storage" or "release" where that is what it waits for
 * before "ready_in_s" begins to count, else null.
 * "ready_in_s" is null while no node takes work.
 */
#ifndef COORDINATOR_SHELL_FORECAST_JSON_H
#define COORDINATOR_SHELL_FORECAST_JSON_H

#include "coordinator/shell/job.h"

#include <jansson.h>

struct farm_state;

/** age_ms: how long ago it was made. */
json_t *forecast_json(const ready_forecast *forecast, uint64_t age_ms, bool learnt);
/** null where there is nothing to say. */
json_t *job_forecast_json(const struct farm_state *farm, farm_job *job);

#endif
