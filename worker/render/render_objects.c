/*
 * Object tracks on their way from an ADM file to another: samples of 24 bits that nothing touches. Outside a file, and where a
 * reel has none, they are silent.
 */
#include "worker/render/render_parts.h"

#include <string.h>

enum { OBJECT_BYTES = 3 };

void render_objects_open(render_objects *self, const task_render *task, render_sources *sources, arena *memory)
{
    *self = (render_objects){.task = task, .sources = sources};
    if (task->object_count > 0)
        self->frames = arena_take(memory, (size_t)TILE_FRAMES_MAX * task->object_count * OBJECT_BYTES);
}

/* The frames of one file that its objects from `first_object` on take. */
static status take_file(render_objects *self, const task_binding *objects, uint32_t first_object, uint64_t frame,
                        uint32_t frame_count, error_detail *detail)
{
    const task_binding *binding = &objects[first_object];
    const task_input *input = &self->task->inputs[binding->file];
    render_file *file = &self->sources->files[binding->file];
    int64_t first = (int64_t)frame + binding->file_frame;
    int64_t skipped = first < 0 ? -first : 0;
    int64_t end = first + (int64_t)frame_count;
    if (end > (int64_t)input->frame_count)
        end = (int64_t)input->frame_count;
    if (first + skipped >= end)
        return STATUS_OK;
    uint32_t count = (uint32_t)(end - first - skipped);
    const uint8_t *bytes = NULL;
    status code = render_view_frames(file, input, (uint64_t)(first + skipped), count, &bytes, detail);
    if (code != STATUS_OK)
        return code;
    size_t stride = (size_t)self->task->object_count * OBJECT_BYTES;
    for (uint32_t i = first_object; i < self->task->object_count; i++) {
        if (objects[i].file != binding->file)
            continue;
        const uint8_t *from = bytes + (size_t)objects[i].channel * OBJECT_BYTES;
        uint8_t *to = self->frames + (size_t)skipped * stride + (size_t)i * OBJECT_BYTES;
        for (uint32_t k = 0; k < count; k++)
            memcpy(to + k * stride, from + (size_t)k * file->frame_bytes, OBJECT_BYTES);
    }
    return STATUS_OK;
}

status render_objects_fill(render_objects *self, uint32_t piece, uint64_t frame, uint32_t frame_count, error_detail *detail)
{
    const task_binding *objects = self->task->pieces[piece].objects;
    uint32_t count = self->task->object_count;
    if (count == 0)
        return STATUS_OK;
    memset(self->frames, 0, (size_t)frame_count * count * OBJECT_BYTES);
    for (uint32_t i = 0; i < count; i++) {
        bool taken = objects[i].file == TASK_FILE_NONE;
        for (uint32_t k = 0; k < i && !taken; k++)
            taken = objects[k].file == objects[i].file;
        status code = taken ? STATUS_OK : take_file(self, objects, i, frame, frame_count, detail);
        if (code != STATUS_OK)
            return code;
    }
    return STATUS_OK;
}

void render_objects_pack(const render_objects *self, uint32_t first, uint32_t count, uint32_t frame_bytes, uint8_t *frames)
{
    size_t size = (size_t)self->task->object_count * OBJECT_BYTES;
    for (uint32_t i = 0; i < count; i++)
        memcpy(frames + (size_t)(i + 1) * frame_bytes - size, self->frames + (first + i) * size, size);
}
