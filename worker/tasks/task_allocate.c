/* ALLOCATE: a new inode for this generation of one output, its whole size reserved, its first header in place. */
#include "worker/media/adm_objects.h"
#include "worker/media/wave_leader.h"
#include "worker/media/wave_writer.h"
#include "worker/tasks/task_kinds.h"

#include <unistd.h>

/* The pops of a leader; the silence around them is what a new file holds. */
static status allocate_pops(const task_context *context, const output_header *header, int descriptor)
{
    const output_leader *leader = &header->leader;
    uint64_t frame_bytes = (uint64_t)header->channel_count * sample_encoding_bytes(header->encoding);
    uint64_t tail_pop = header->frame_count - leader->tail_frames + leader->tail_pop;
    byte_writer pop;
    byte_writer_init(&pop, leader->pop_frames * frame_bytes + 1);
    wave_leader_pop(header, &pop);
    status code = storage_write_at(descriptor, pop.bytes, pop.size, header->data_offset + leader->head_pop * frame_bytes,
                                   context->detail);
    if (code == STATUS_OK)
        code = storage_write_at(descriptor, pop.bytes, pop.size, header->data_offset + tail_pop * frame_bytes, context->detail);
    byte_writer_deinit(&pop);
    return code;
}

status task_header_build(const task_context *context, const output_header *header, byte_writer *writer)
{
    byte_writer chunks;
    output_header whole = *header;
    byte_writer_init(&chunks, header->data_offset);
    status code = header->object_count == 0 ? STATUS_OK : adm_objects_chunks(header, context->roots, &chunks, context->detail);
    if (code == STATUS_OK && header->object_count > 0) {
        whole.chunks = chunks.bytes;
        whole.chunks_size = (uint32_t)chunks.size;
    }
    if (code == STATUS_OK) {
        code = wave_header_build(&whole, writer);
        if (code != STATUS_OK)
            error_detail_set(context->detail, code, "the header does not fit into the %u bytes planned before the audio",
                             (unsigned)header->data_offset);
    }
    byte_writer_deinit(&chunks);
    return code;
}

status task_allocate_run(const task_context *context, const task_allocate *task)
{
    const storage_root *root = NULL;
    const storage_root *final_root = NULL;
    status code = task_root(context, &task->part, &root);
    if (code == STATUS_OK)
        code = task_root(context, &task->final, &final_root);
    /* Whatever is left of earlier generations, and of an earlier attempt of this one: late writers keep the old inode. */
    if (code == STATUS_OK)
        code = storage_remove_stale_parts(final_root, task->final.path, task->part.path, context->detail);
    task_path staged;
    if (code == STATUS_OK && task_staged_path(&task->part, &task->final, &staged)) {
        code = storage_remove_stale_parts(root, staged.path, task->part.path, context->detail);
        if (code == STATUS_OK)
            code = storage_remove(root, staged.path, context->detail);
    }
    if (code == STATUS_OK)
        code = storage_remove(root, task->part.path, context->detail);
    if (code != STATUS_OK)
        return code;

    byte_writer header;
    byte_writer_init(&header, task->header.data_offset);
    int descriptor = -1;
    code = task_name_file(context, task_header_build(context, &task->header, &header), &task->final);
    if (code == STATUS_OK)
        code = storage_create_output(root, task->part.path, wave_file_size(&task->header), &descriptor, context->detail);
    if (code == STATUS_OK) {
        code = storage_write_at(descriptor, header.bytes, header.size, 0, context->detail);
        if (code == STATUS_OK && task->header.leader.pop_frames > 0)
            code = allocate_pops(context, &task->header, descriptor);
        if (close(descriptor) != 0 && code == STATUS_OK) /* some network storage reports a full disk only here */
            code = error_detail_set(context->detail, STATUS_STORAGE_IO, "closing failed; check the storage");
        code = task_name_file(context, code, &task->part);
        if (code != STATUS_OK)
            (void)!storage_remove(root, task->part.path, NULL);
    }
    byte_writer_deinit(&header);
    return code;
}
