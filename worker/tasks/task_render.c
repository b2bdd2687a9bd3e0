/* RENDER and INSPECT: the engine does the work; finished cells go to the parent as messages. */
#include "worker/render/render_engine.h"
#include "worker/tasks/task_kinds.h"

#include <string.h>

static status render_cell(void *user, uint32_t cell, uint32_t output_count, const content_hash *outputs, uint32_t measure_count,
                          const message_bytes *measures)
{
    const task_host *host = ((const task_context *)user)->host;
    if (measure_count > CELL_MEASURES_MAX)
        return STATUS_DEFECT;
    message_cell done = {.cell = cell,
                         .output_count = output_count,
                         .outputs = outputs,
                         .measure_count = measure_count};
    if (measure_count > 0)
        memcpy(done.measures, measures, measure_count * sizeof measures[0]);
    return host->cell(host->context, &done);
}

static void render_progress(void *user, uint32_t done_permille)
{
    const task_host *host = ((const task_context *)user)->host;
    if (host->progress != NULL)
        host->progress(host->context, done_permille);
}

static void render_digested(void *user, const task_verify_result *result)
{
    task_verify_result_encode(result, ((const task_context *)user)->payload);
}

static void render_read_back(void *user)
{
    byte_writer_u8(((const task_context *)user)->payload, 1);
}

status task_render_run(const task_context *context, const task_render *task)
{
    render_observer observer = {.context = (void *)context,
                                .cell = render_cell,
                                .progress = render_progress,
                                .digested = render_digested,
                                .read_back = render_read_back};
    return render_run(task, context->roots, context->dsp, &observer, context->detail);
}
