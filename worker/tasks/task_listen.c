/* LISTEN: targeted reads of one track. */
#include "worker/render/pop_find.h"
#include "worker/tasks/task_kinds.h"

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
    if (code == STATUS_OK)
        sync_measure_encode(&found, context->payload);
    track_reader_close(track);
    arena_deinit(&memory);
    return code;
}
