#include "coordinator/shell/forecast_json.h"

#include "coordinator/shell/farm_state.h"

static json_t *seconds_json(uint64_t ms)
{
    return json_real((double)ms / 1000.0);
}

json_t *forecast_json(const ready_forecast *forecast, uint64_t age_ms, bool learnt)
{
    json_t *object = json_object();
    uint64_t ready_ms = forecast->ready_ms > age_ms ? forecast->ready_ms - age_ms : 0;
    json_object_set_new(object, "ready_in_s", forecast->ready_ms == UINT64_MAX ? json_null() : seconds_json(ready_ms));
    json_object_set_new(object, "work_s", seconds_json(forecast->work_ms));
    json_object_set_new(object, "slots", json_integer(forecast->slots));
    json_object_set_new(object, "nodes", json_integer(forecast->nodes));
    json_object_set_new(object, "learnt", json_boolean(learnt));
    json_t *points = json_array();
    for (uint32_t i = 0; i < forecast->point_count; i++)
        json_array_append_new(points, json_pack("{s:i, s:o}", "slots", (int)forecast->points[i].slots, "ready_s",
                                                seconds_json(forecast->points[i].ready_ms)));
    json_object_set_new(object, "by_slots", points);
    return object;
}

json_t *job_forecast_json(const farm_state *farm, farm_job *job)
{
    uint64_t age_ms = 0;
    const ready_forecast *forecast = farm_forecast_job(farm, job, &age_ms);
    if (forecast == NULL && job->predicted_unix_ms == 0)
        return json_null();
    json_t *object = forecast == NULL ? json_object() : forecast_json(forecast, age_ms, pace_table_known(&farm->paces));
    job_view view;
    bool open = !job->ended && scheduler_job_view(farm->scheduler, job->number, &view);
    json_object_set_new(object, "after", open && view.held                ? json_string("release")
                                         : open && view.waits_for_storage ? json_string("storage")
                                                                          : json_null());
    bool predicted = job->predicted_unix_ms != 0;
    json_object_set_new(object, "predicted_s", predicted ? seconds_json(job->predicted_ms) : json_null());
    bool over = predicted && job->ended && job->ended_unix_ms >= job->predicted_unix_ms;
    json_object_set_new(object, "actual_s", over ? seconds_json(job->ended_unix_ms - job->predicted_unix_ms) : json_null());
    return object;
}
