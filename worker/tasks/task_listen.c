/* LISTEN: targeted reads of one track. */
#include "worker/render/pop_find.h"
#include "worker/render/sync_align.h"
#include "worker/render/sync_overlap.h"
#include "worker/tasks/task_kinds.h"

static status align(const task_context *context, const task_listen *task, track_reader *track, sync_measure *found,
                    arena *memory)
{
    track_reader *reference = NULL;
    sync_matcher matcher;
    status code = track_reader_open(&reference, task->reference_count, task->references, context->roots, context->dsp, memory,
                                    context->detail);
    if (code == STATUS_OK) {
        sync_matcher_init(&matcher, context->dsp, track, (int64_t)task->frame, reference, (int64_t)task->reference_frame,
                          context->detail);
        code = task->join ? sync_overlap(&matcher, task->frame_count, found, memory)
                          : sync_align(&matcher, task->frame_count, found, memory);
        sync_matcher_deinit(&matcher);
    }
    track_reader_close(reference);
    return code;
}

status task_listen_run(const task_context *context, const task_listen *task)
{
    arena memory;
    arena_init(&memory);
    track_reader *track = NULL;
    sync_measure found = {0};
    status code = track_reader_open(&track, task->input_count, task->inputs, context->roots, context->dsp, &memory,
                                    context->detail);
    if (code == STATUS_OK)
        code = pop_find(track, task->range_count, task->ranges, &found, &memory, context->detail);
    if (code == STATUS_OK && task->reference_count > 0)
        code = align(context, task, track, &found, &memory);
    if (code == STATUS_OK)
        sync_measure_encode(&found, context->payload);
    track_reader_close(track);
    arena_deinit(&memory);
    return code;
}
