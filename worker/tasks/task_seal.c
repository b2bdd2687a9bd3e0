/* SEAL: the header again, now with the measured loudness; then everything that was written must reach the medium. */
#include "worker/media/wave_leader.h"
#include "worker/media/wave_writer.h"
#include "worker/render/render_engine.h"
#include "worker/tasks/task_kinds.h"

#include <stdlib.h>
#include <unistd.h>

enum { SEAL_BLOCK_BYTES = 1 << 20 };

static status seal_check_size(const task_context *context, const task_seal *task, int descriptor)
{
    media_identity identity;
    status code = storage_identity(descriptor, &identity);
    if (code != STATUS_OK)
        return error_detail_set(context->detail, code, "its size cannot be read");
    uint64_t expected = wave_file_size(&task->header);
    if (identity.size == expected)
        return STATUS_OK;
    return error_detail_set(context->detail, STATUS_STORAGE_MISMATCH,
                            "the file has %llu bytes, expected %llu; something else wrote to it: find out what, then retry",
                            (unsigned long long)identity.size, (unsigned long long)expected);
}

/* ---- a leader and tail that are kept ---- */

typedef struct seal_side {
    uint32_t count;
    content_hash *cells; /* as they were written */
} seal_side;

static status seal_cell(void *user, uint32_t cell, uint32_t output_count, const content_hash *outputs, uint32_t measure_count,
                        const message_bytes *measures)
{
    seal_side *self = user;
    (void)measure_count;
    (void)measures;
    if (cell != self->count || output_count != 1)
        return STATUS_DEFECT;
    self->cells[self->count++] = outputs[0];
    return STATUS_OK;
}

/* Renders one side into the file and adds its bytes, read again and compared with what was written. */
static status seal_side_write(const task_context *context, const task_render *side, uint32_t frame_bytes, int descriptor,
                              content_hash_stream *stream)
{
    seal_side made = {.cells = calloc(side->cell_count, sizeof *made.cells)};
    uint8_t *block = malloc(SEAL_BLOCK_BYTES);
    render_observer observer = {.context = &made, .cell = seal_cell};
    status code = made.cells != NULL && block != NULL
                      ? render_run(side, context->roots, context->dsp, &observer, context->detail)
                      : error_detail_set(context->detail, STATUS_NODE_MEMORY, "no memory is left for its leader");
    uint64_t offset = side->files[0].data_offset + side->files[0].file_frame * frame_bytes;
    uint64_t left = side->pieces[0].frame_count * frame_bytes;
    for (uint32_t cell = 0; code == STATUS_OK && cell < side->cell_count; cell++) {
        content_hash_stream own;
        content_hash_stream_init(&own);
        uint64_t size = (uint64_t)CELL_FRAMES * frame_bytes;
        size = size < left ? size : left;
        left -= size;
        while (code == STATUS_OK && size > 0) {
            size_t take = size < SEAL_BLOCK_BYTES ? (size_t)size : SEAL_BLOCK_BYTES;
            code = storage_read_at(descriptor, block, take, offset, context->detail);
            if (code != STATUS_OK)
                break;
            content_hash_stream_add(&own, block, take);
            content_hash_stream_add(stream, block, take);
            offset += take;
            size -= take;
        }
        content_hash found = content_hash_stream_digest(&own);
        if (code == STATUS_OK && !content_hash_equal(&found, &made.cells[cell]))
            code = error_detail_set(context->detail, STATUS_STORAGE_MISMATCH,
                                    "its leader is not what was written; something else wrote to it: find out what, then retry");
    }
    free(made.cells);
    free(block);
    return code;
}

/* Adds leader and tail to the digests of what is before and behind the programme. */
static status seal_sides(const task_context *context, const task_seal *task, int descriptor, content_hash_stream *before,
                         content_hash_stream *behind)
{
    uint32_t frame_bytes = task->header.channel_count * sample_encoding_bytes(task->header.encoding);
    status code = STATUS_OK;
    for (uint32_t i = 0; code == STATUS_OK && i < task->side_count; i++)
        code = seal_side_write(context, &task->sides[i], frame_bytes, descriptor,
                               task->sides[i].files[0].file_frame == 0 ? before : behind);
    if (task->side_count == 0) {
        wave_leader_digest(&task->header, false, before);
        wave_leader_digest(&task->header, true, behind);
    }
    return code;
}

status task_seal_run(const task_context *context, const task_seal *task)
{
    static const uint8_t zeros[8] = {0};
    const storage_root *root = NULL;
    status code = task_root(context, &task->part, &root);
    int descriptor = -1;
    if (code == STATUS_OK)
        code = storage_open_output(root, task->part.path, &descriptor, context->detail);
    if (code != STATUS_OK)
        return code;

    byte_writer header;
    byte_writer_init(&header, task->header.data_offset);
    uint32_t trailer_size = wave_trailer_size(&task->header);
    code = task_header_build(context, &task->header, &header);
    if (code == STATUS_OK)
        code = seal_check_size(context, task, descriptor);
    if (code == STATUS_OK)
        code = storage_write_at(descriptor, header.bytes, header.size, 0, context->detail);
    if (code == STATUS_OK)
        code = storage_write_at(descriptor, zeros, trailer_size, wave_file_size(&task->header) - trailer_size,
                                context->detail);
    content_hash_stream before, behind;
    content_hash_stream_init(&before);
    content_hash_stream_init(&behind);
    content_hash_stream_add(&before, header.bytes, header.size);
    if (code == STATUS_OK)
        code = seal_sides(context, task, descriptor, &before, &behind);
    content_hash_stream_add(&behind, zeros, trailer_size);
    if (code == STATUS_OK)
        code = storage_sync(descriptor, context->detail);
    if (close(descriptor) != 0 && code == STATUS_OK)
        code = error_detail_set(context->detail, STATUS_STORAGE_IO, "closing failed; check the storage");
    if (code == STATUS_OK) {
        content_hash digest = content_hash_stream_digest(&before);
        byte_writer_bytes(context->payload, digest.bytes, sizeof digest.bytes);
        digest = content_hash_stream_digest(&behind);
        byte_writer_bytes(context->payload, digest.bytes, sizeof digest.bytes);
    }
    byte_writer_deinit(&header);
    return task_name_file(context, code, &task->part);
}
