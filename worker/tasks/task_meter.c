/* METER: the second opinion over a whole programme, for the report alone. */
#include "worker/render/second_meter.h"
#include "worker/tasks/task_kinds.h"

status task_meter_run(const task_context *context, const task_meter *task)
{
    task_meter_result result;
    status code = second_meter_run(task, context->roots, context->dsp, context->host->progress, context->host->context,
                                   &result, context->detail);
    if (code == STATUS_OK)
        task_meter_result_encode(&result, context->payload);
    return code;
}
