/*
 * VERIFY: every byte of a file read back, from the medium rather than from the cache it was written through, and held
 * against the digests of what was computed. One sequential pass feeds all digests: of the file, of its audio, of each range.
 * Audio that who wrote it has read back already (worker/render/render_readback.c) may come from the cache in this pass.
 */
#include "worker/tasks/task_kinds.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { VERIFY_BLOCK_BYTES = 256 << 10 }; /* read once into the second-level cache, hashed from there */

typedef struct verify_pass {
    const task_context *context;
    const task_verify *task;
    int descriptor;
    int medium;          /* for storage_read_medium(), if only what SEAL wrote need be read so; -1: all is read alike */
    media_identity identity;
    uint64_t offset;
    uint8_t *block;      /* VERIFY_BLOCK_BYTES */
    uint8_t *room;       /* for storage_read_medium() of so many */
    content_hash_stream file_stream;
    content_hash_stream audio_stream;
} verify_pass;

static status verify_mismatch(const verify_pass *self, const char *what, uint64_t first_byte, uint64_t end_byte)
{
    return error_detail_set(self->context->detail, STATUS_STORAGE_MISMATCH,
                            "%s (bytes %llu to %llu) reads back differently from what was written; the storage or its path "
                            "is not to be trusted: check it, then retry",
                            what, (unsigned long long)first_byte, (unsigned long long)end_byte);
}

/* The next bytes. The pages on which header and trailer lie were written after the audio on them was read back. */
static status verify_read(verify_pass *self, size_t take, const uint8_t **out_bytes)
{
    const task_verify *task = self->task;
    uint64_t first = task->data_offset + PAGE_BYTES - 1;
    uint64_t last = task->data_offset + task->data_size;
    first -= first % PAGE_BYTES;
    last -= last % PAGE_BYTES;
    *out_bytes = self->block;
    if (self->medium < 0 || (self->offset >= first && self->offset + take <= last))
        return storage_read_at(self->descriptor, self->block, take, self->offset, self->context->detail);
    return storage_read_medium(STORAGE_QUEUE_NONE, self->medium, self->room, take, self->offset, out_bytes,
                               self->context->detail);
}

/* Reads up to byte `end`, adding to the file's digest, to the audio's where audio is set, and, where there is something
 * to compare it with, to out_digest. */
static status verify_span(verify_pass *self, uint64_t end, bool audio, content_hash *out_digest)
{
    content_hash_stream span;
    content_hash_stream_init(&span);
    status code = STATUS_OK;
    while (code == STATUS_OK && self->offset < end) {
        uint64_t left = end - self->offset;
        size_t take = left < VERIFY_BLOCK_BYTES ? (size_t)left : VERIFY_BLOCK_BYTES;
        const uint8_t *bytes = NULL;
        code = verify_read(self, take, &bytes);
        if (code != STATUS_OK)
            break;
        content_hash_stream *streams[STREAMS_TOGETHER_MAX] = {&self->file_stream};
        size_t count = 1;
        if (audio)
            streams[count++] = &self->audio_stream;
        if (self->task->range_count > 0)
            streams[count++] = &span;
        content_hash_streams_add(streams, count, bytes, take);
        self->offset += take;
        task_progress(self->context, self->offset, self->identity.size);
    }
    *out_digest = content_hash_stream_digest(&span);
    return code;
}

static status verify_audio(verify_pass *self)
{
    const task_verify *task = self->task;
    content_hash digest;
    if (task->range_count == 0)
        return verify_span(self, task->data_offset + task->data_size, true, &digest);
    uint64_t frame = 0;
    for (uint32_t i = 0; i < task->range_count; i++) {
        const task_verify_range *range = &task->ranges[i];
        uint64_t first_byte = self->offset;
        status code = verify_span(self, first_byte + range->frame_count * task->bytes_per_frame, true, &digest);
        if (code != STATUS_OK)
            return code;
        if (!content_hash_equal(&digest, &range->digest)) {
            char what[96];
            snprintf(what, sizeof what, "range %u, frames %llu to %llu", (unsigned)i, (unsigned long long)frame,
                     (unsigned long long)(frame + range->frame_count));
            return verify_mismatch(self, what, first_byte, self->offset);
        }
        frame += range->frame_count;
    }
    return STATUS_OK;
}

static status verify_pass_run(verify_pass *self)
{
    const task_verify *task = self->task;
    bool compare = task->range_count > 0;
    content_hash digest;
    status code = verify_span(self, task->data_offset, false, &digest);
    if (code == STATUS_OK && compare && !content_hash_equal(&digest, &task->header_digest))
        code = verify_mismatch(self, "the header", 0, self->offset);
    if (code == STATUS_OK)
        code = verify_audio(self);
    uint64_t audio_end = self->offset;
    if (code == STATUS_OK)
        code = verify_span(self, self->identity.size, false, &digest);
    if (code == STATUS_OK && compare && !content_hash_equal(&digest, &task->trailer_digest))
        code = verify_mismatch(self, "what follows the audio", audio_end, self->offset);
    return code;
}

/* The body's own sums: a body that contradicts itself is the coordinator's defect, not the storage's. */
static bool verify_body_sound(const task_verify *task)
{
    uint64_t frames = 0;
    for (uint32_t i = 0; i < task->range_count; i++)
        if (__builtin_add_overflow(frames, task->ranges[i].frame_count, &frames))
            return false;
    uint64_t bytes;
    if (__builtin_mul_overflow(frames, (uint64_t)task->bytes_per_frame, &bytes))
        return false;
    return task->data_size <= (uint64_t)INT64_MAX - task->data_offset && (task->range_count == 0 || bytes == task->data_size);
}

static status verify_check_size(verify_pass *self)
{
    const task_verify *task = self->task;
    status code = storage_identity(self->descriptor, &self->identity);
    if (code != STATUS_OK)
        return error_detail_set(self->context->detail, code, "its size cannot be read");
    uint64_t size = self->identity.size;
    bool made_here = task->range_count > 0;
    uint64_t least = task->data_offset + task->data_size;
    if ((task->file_size == 0 || size == task->file_size) && size >= least)
        return STATUS_OK;
    return error_detail_set(self->context->detail, made_here ? STATUS_STORAGE_MISMATCH : STATUS_INPUT_CHANGED,
                            "the file has %llu bytes, expected %llu; something else changed it: find out what, then run again",
                            (unsigned long long)size,
                            (unsigned long long)(task->file_size != 0 ? task->file_size : least));
}

/* Before the pass: what was made here must be on the medium, and what is read must come from there. */
static status verify_prepare(verify_pass *self, const storage_root *root)
{
    const task_context *context = self->context;
    const task_verify *task = self->task;
    bool made_here = task->range_count > 0;
    status code = verify_check_size(self);
    /* What was received is only named by its digest: its pages may stay, another task is measuring them. */
    if (code != STATUS_OK || !made_here)
        return code;
    code = storage_sync(self->descriptor, context->detail);
    if (code == STATUS_OK && task->read_back)
        code = storage_open_input(root, task->file.path, &self->medium, context->detail);
    if (code == STATUS_OK && self->medium >= 0 && !storage_read_past_cache(self->medium)) {
        close(self->medium);
        self->medium = -1;
    }
    if (code == STATUS_OK && self->medium < 0)
        storage_drop_cache(self->descriptor); /* only clean pages can be dropped: hence the sync */
    return code;
}

status task_verify_run(const task_context *context, const task_verify *task)
{
    if (!verify_body_sound(task))
        return error_detail_set(context->detail, STATUS_PEER_MALFORMED,
                                "the ranges to verify in %.600s do not cover its audio", task->file.path);
    const storage_root *root = NULL;
    verify_pass pass = {.context = context, .task = task, .descriptor = -1, .medium = -1};
    status code = task_root(context, &task->file, &root);
    if (code == STATUS_OK)
        code = storage_open_input(root, task->file.path, &pass.descriptor, context->detail);
    if (code != STATUS_OK)
        return code;
    pass.block = malloc(VERIFY_BLOCK_BYTES);
    pass.room = aligned_alloc(PAGE_BYTES, VERIFY_BLOCK_BYTES + 2 * PAGE_BYTES);
    content_hash_stream_init(&pass.file_stream);
    content_hash_stream_init(&pass.audio_stream);
    code = pass.block == NULL || pass.room == NULL
               ? error_detail_set(context->detail, STATUS_NODE_MEMORY, "no memory is left to read it back")
               : verify_prepare(&pass, root);
    storage_read_in_order(pass.descriptor);
    if (code == STATUS_OK)
        code = verify_pass_run(&pass);
    if (code == STATUS_INPUT_TRUNCATED)
        code = task->range_count > 0 ? STATUS_STORAGE_MISMATCH : STATUS_INPUT_CHANGED;
    free(pass.block);
    free(pass.room);
    close(pass.descriptor);
    if (pass.medium >= 0)
        close(pass.medium);
    if (code != STATUS_OK)
        return task_name_file(context, code, &task->file);
    task_verify_result result = {.file_digest = content_hash_stream_digest(&pass.file_stream),
                                 .audio_digest = content_hash_stream_digest(&pass.audio_stream),
                                 .identity = pass.identity};
    task_verify_result_encode(&result, context->payload);
    return STATUS_OK;
}
