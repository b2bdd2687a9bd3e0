/* SEAL: the header again, now with the measured loudness; then everything that was written must reach the medium. */
#include "worker/media/wave_leader.h"
#include "worker/media/wave_writer.h"
#include "worker/tasks/task_kinds.h"

#include <unistd.h>

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
    if (code == STATUS_OK)
        code = storage_sync(descriptor, context->detail);
    if (close(descriptor) != 0 && code == STATUS_OK)
        code = error_detail_set(context->detail, STATUS_STORAGE_IO, "closing failed; check the storage");
    if (code == STATUS_OK) {
        content_hash_stream stream;
        content_hash_stream_init(&stream);
        content_hash_stream_add(&stream, header.bytes, header.size);
        wave_leader_digest(&task->header, false, &stream);
        content_hash digest = content_hash_stream_digest(&stream);
        byte_writer_bytes(context->payload, digest.bytes, sizeof digest.bytes);
        content_hash_stream_init(&stream);
        wave_leader_digest(&task->header, true, &stream);
        content_hash_stream_add(&stream, zeros, trailer_size);
        digest = content_hash_stream_digest(&stream);
        byte_writer_bytes(context->payload, digest.bytes, sizeof digest.bytes);
    }
    byte_writer_deinit(&header);
    return task_name_file(context, code, &task->part);
}
