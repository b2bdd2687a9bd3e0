#define _GNU_SOURCE
#include "worker/render/render_parts.h"

#include <string.h>
#include <unistd.h>

status render_sink_open(render_sink *self, const task_output_file *file, sample_encoding encoding, uint64_t first_frame,
                        const storage_roots *roots, arena *memory, error_detail *detail)
{
    *self = (render_sink){.file = file, .encoding = encoding, .descriptor = -1};
    self->frame_bytes = file->channel_count * sample_encoding_bytes(encoding);
    const storage_root *root = storage_roots_find(roots, file->part.root);
    if (root == NULL)
        return error_detail_set(detail, STATUS_STORAGE_DENIED, "this worker has no media root '%s' (for '%s')",
                                file->part.root, file->part.path);
    status code = storage_open_output(root, file->part.path, &self->descriptor, detail);
    if (code != STATUS_OK)
        return code;
    /* The page that the first frame shares with the task before belongs to this task. */
    uint64_t audio_byte = first_frame * self->frame_bytes;
    if (!file->exact)
        audio_byte = audio_byte / PAGE_BYTES * PAGE_BYTES;
    self->buffer_offset = file->data_offset + audio_byte;
    self->next_frame = audio_byte / self->frame_bytes;
    self->skip_bytes = (uint32_t)(audio_byte % self->frame_bytes);
    self->buffer = arena_take(memory, SINK_BYTES + (size_t)TILE_FRAMES_MAX * self->frame_bytes);
    content_hash_stream_init(&self->span_digest);
    uint64_t leader_bytes = (uint64_t)file->leader_frames * self->frame_bytes;
    if (audio_byte < leader_bytes) { /* the leader's last bytes are zeros in memory of the arena, and silence in every encoding */
        self->buffer_used = (size_t)(leader_bytes - audio_byte);
        self->next_frame = file->leader_frames;
        self->skip_bytes = 0;
    }
    return STATUS_OK;
}

/* How much of what is held ends at a multiple of edge_bytes in the file. */
static size_t up_to_edge(const render_sink *self, uint32_t edge_bytes)
{
    size_t behind = (size_t)((self->buffer_offset + self->buffer_used) % edge_bytes);
    return behind < self->buffer_used ? self->buffer_used - behind : 0;
}

/* The span that was being written is done: it goes to the medium and back. */
static void end_span(render_sink *self)
{
    if (self->span_bytes == 0)
        return;
    uint64_t offset = self->buffer_offset - self->span_bytes;
    storage_write_behind(self->descriptor, offset, self->span_bytes);
    if (self->readback != NULL) {
        content_hash digest = content_hash_stream_digest(&self->span_digest);
        render_readback_add(self->readback, self->number, offset, self->span_bytes, &digest);
    }
    content_hash_stream_init(&self->span_digest);
    self->span_bytes = 0;
}

static status write_buffer(render_sink *self, size_t size, error_detail *detail)
{
    for (size_t at = 0, take = 0; at < size; at += take) {
        size_t room = SPAN_BYTES - (size_t)(self->buffer_offset % SPAN_BYTES);
        take = size - at < room ? size - at : room;
        status code = storage_write_at(self->descriptor, self->buffer + at, take, self->buffer_offset, detail);
        if (code != STATUS_OK)
            return code;
        if (self->readback != NULL)
            content_hash_stream_add(&self->span_digest, self->buffer + at, take);
        self->buffer_offset += take;
        self->span_bytes += take;
        if (self->buffer_offset % SPAN_BYTES == 0)
            end_span(self);
    }
    self->buffer_used -= size;
    memmove(self->buffer, self->buffer + size, self->buffer_used);
    return STATUS_OK;
}

/* Packs frames, one call for each run of channels that lie in one tile. */
static void pack_frames(const render_sink *self, const render_lanes *lanes, const render_output *output,
                        double *const *tiles, const dsp_table *dsp, uint32_t first, uint32_t count, uint8_t *destination)
{
    const task_output_file *file = self->file;
    uint32_t mixed = (uint32_t)file->channel_count - file->object_count;
    for (uint32_t c = 0; c < mixed;) {
        uint16_t tile = lanes->tile_of[output->first_lane + file->channels[c]];
        uint8_t lane_list[TILE_LANES];
        uint32_t run = 0;
        while (run < TILE_LANES && c + run < mixed &&
               lanes->tile_of[output->first_lane + file->channels[c + run]] == tile) {
            lane_list[run] = lanes->lane_of[output->first_lane + file->channels[c + run]];
            run++;
        }
        dsp->pack(self->encoding, tiles[tile] + (size_t)first * TILE_LANES, count, run, lane_list, file->channel_count, c,
                  destination);
        c += run;
    }
}

status render_sink_take(render_sink *self, const render_lanes *lanes, const render_output *output,
                        double *const *tiles, const render_objects *objects, const dsp_table *dsp, int64_t file_frame,
                        uint32_t frame_count, bool digesting, error_detail *detail)
{
    int64_t end = file_frame + (int64_t)frame_count;
    if (end > (int64_t)self->file->file_frame_count)
        end = (int64_t)self->file->file_frame_count;
    if (end <= (int64_t)self->next_frame)
        return STATUS_OK;
    if (file_frame > (int64_t)self->next_frame)
        return error_detail_set(detail, STATUS_DEFECT, "frames of '%s' were left out", self->file->part.path);
    uint32_t first = (uint32_t)((int64_t)self->next_frame - file_frame);
    uint32_t count = (uint32_t)(end - (int64_t)self->next_frame);
    uint8_t *destination = self->buffer + self->buffer_used;
    pack_frames(self, lanes, output, tiles, dsp, first, count, destination);
    if (self->file->object_count > 0)
        render_objects_pack(objects, first, count, self->frame_bytes, destination);
    size_t size = (size_t)count * self->frame_bytes;
    if (digesting)
        content_hash_stream_add(&self->digest, destination, size);
    if (self->skip_bytes > 0) {
        memmove(destination, destination + self->skip_bytes, size - self->skip_bytes);
        size -= self->skip_bytes;
        self->skip_bytes = 0;
    }
    self->buffer_used += size;
    self->next_frame += count;
    return write_buffer(self, up_to_edge(self, SINK_BYTES), detail);
}

status render_sinks_finish(render_sink *sinks, uint32_t count, render_readback *readback, error_detail *detail)
{
    status code = STATUS_OK;
    for (uint32_t i = 0; code == STATUS_OK && i < count; i++) {
        bool at_end = sinks[i].next_frame == sinks[i].file->file_frame_count;
        code = write_buffer(&sinks[i], at_end ? sinks[i].buffer_used : up_to_edge(&sinks[i], PAGE_BYTES), detail);
        if (code == STATUS_OK)
            end_span(&sinks[i]);
    }
    if (code == STATUS_OK && readback != NULL)
        render_readback_last(readback);
    return code;
}

void render_sink_close(render_sink *self)
{
    if (self->descriptor >= 0)
        close(self->descriptor);
    self->descriptor = -1;
}
