#define _GNU_SOURCE
#include "worker/render/render_parts.h"

#include <string.h>
#include <unistd.h>

/* What this job published was never probed (inode 0): its size is all that is known. */
static bool still_the_file(const task_input *input, const media_identity *identity)
{
    return input->identity.ino == 0 ? identity->size == input->identity.size
                                    : storage_identity_equal(identity, &input->identity);
}

status render_input_open(const task_input *input, const storage_roots *roots, int *out_descriptor,
                         media_reader **out_reader, error_detail *detail)
{
    status code = storage_open_probed(roots, input->file.root, input->file.path, &input->identity, out_descriptor, detail);
    if (code == STATUS_OK)
        code = media_reader_create(out_reader, *out_descriptor, input->container, input->encoding, input->channel_count,
                                   input->frame_count, input->data_offset, input->direct, detail);
    return code;
}

static double *take_tile(arena *memory)
{
    return arena_take_lines(memory, (size_t)TILE_FRAMES_MAX * TILE_LANES, sizeof(double));
}

static status open_file(render_file *self, const task_input *input, uint32_t rate, const storage_roots *roots,
                        arena *memory, error_detail *detail)
{
    self->descriptor = -1;
    if (input->sample_rate != rate && !sample_rate_converts(input->sample_rate, rate))
        return error_detail_set(detail, STATUS_PEER_MALFORMED, "'%s' at %u Hz cannot be had at %u Hz", input->file.path,
                                input->sample_rate, rate);
    status code = render_input_open(input, roots, &self->descriptor, &self->reader, detail);
    if (code != STATUS_OK)
        return code;
    self->encoding = media_reader_encoding(self->reader);
    self->frame_bytes = input->channel_count * sample_encoding_bytes(self->encoding);
    self->block_frames = SOURCE_BLOCK_BYTES / self->frame_bytes;
    if (self->block_frames < TILE_FRAMES_MAX)
        self->block_frames = TILE_FRAMES_MAX;
    self->block = arena_take_array(memory, self->block_frames, self->frame_bytes);
    self->aside = arena_take_array(memory, BEYOND_FRAMES, self->frame_bytes);
    return STATUS_OK;
}

/* Groups a piece's bindings by (file, tile). */
static void make_feeds(render_sources *self, const task_piece *piece, render_feeds *feeds, arena *memory)
{
    const render_program *program = &self->task->program;
    feeds->items = arena_take_array(memory, program->input_count, sizeof *feeds->items);
    for (uint32_t k = 0; k < program->input_count; k++) {
        const task_binding *binding = &piece->bindings[k];
        if (binding->file == TASK_FILE_NONE)
            continue;
        render_feed *feed = NULL;
        bool seen = false;
        for (uint32_t i = 0; i < feeds->count; i++) {
            render_feed *other = &feeds->items[i];
            seen = seen || other->file == binding->file;
            if (other->file == binding->file && other->tile == k / TILE_LANES &&
                other->file_frame == binding->file_frame && other->lane_count < TILE_LANES)
                feed = other;
        }
        if (feed == NULL) {
            feed = &feeds->items[feeds->count++];
            *feed = (render_feed){.file = binding->file,
                                  .tile = (uint16_t)(k / TILE_LANES),
                                  .file_frame = binding->file_frame,
                                  .digests = !seen};
        }
        feed->channels[feed->lane_count] = (uint8_t)binding->channel;
        feed->lanes[feed->lane_count++] = (uint8_t)(k % TILE_LANES);
    }
    for (uint32_t i = 0; i < feeds->count; i++) {
        feeds->items[i].alone = true;
        for (uint32_t k = 0; k < feeds->count; k++)
            if (k != i && feeds->items[k].tile == feeds->items[i].tile)
                feeds->items[i].alone = false;
    }
}

status render_sources_open(render_sources *self, const task_render *task, const storage_roots *roots,
                           const dsp_table *dsp, arena *memory, error_detail *detail)
{
    *self = (render_sources){.task = task, .dsp = dsp, .only = -1, .cleared_piece = UINT32_MAX};
    self->files = arena_take_lines(memory, task->input_count, sizeof *self->files); /* the digest streams want it */
    for (uint32_t i = 0; i < task->input_count; i++)
        self->files[i].descriptor = -1;
    for (uint32_t i = 0; i < task->input_count; i++) {
        status code = open_file(&self->files[i], &task->inputs[i], task->program.sample_rate, roots, memory, detail);
        if (code != STATUS_OK)
            return code;
        const render_resampler *same = NULL; /* its taps serve again */
        for (uint32_t k = 0; k < i; k++)
            if (task->inputs[k].sample_rate == task->inputs[i].sample_rate)
                same = self->files[k].resampler;
        if (task->inputs[i].sample_rate == task->program.sample_rate && task->program.speed_num == 0)
            continue;
        self->files[i].resampler = render_resampler_make(&task->inputs[i], &task->program, same, memory);
        if (self->files[i].resampler == NULL)
            return error_detail_set(detail, STATUS_PEER_MALFORMED, "'%s' cannot be had at that speed", task->inputs[i].file.path);
    }
    for (uint32_t i = 0; i < task->piece_count; i++)
        make_feeds(self, &task->pieces[i], &self->feeds[i], memory);
    self->tile_count = (task->program.input_count + TILE_LANES - 1u) / TILE_LANES;
    self->tiles = arena_take_array(memory, self->tile_count + 1u, sizeof *self->tiles);
    for (uint32_t i = 0; i < self->tile_count; i++)
        self->tiles[i] = take_tile(memory);
    if (task->program.join == JOIN_BUTT)
        return STATUS_OK;
    self->join_tiles = arena_take_array(memory, self->tile_count + 1u, sizeof *self->join_tiles);
    for (uint32_t i = 0; i < self->tile_count; i++)
        self->join_tiles[i] = take_tile(memory);
    return STATUS_OK;
}

void render_sources_close(render_sources *self)
{
    for (uint32_t i = 0; self->files != NULL && i < self->task->input_count; i++) {
        media_reader_destroy(&self->files[i].reader);
        if (self->files[i].descriptor >= 0)
            close(self->files[i].descriptor);
    }
    self->files = NULL;
}

status render_input_failed(const task_input *input, status code, error_detail *detail)
{
    if (detail == NULL)
        return code;
    error_detail said = *detail;
    return error_detail_set(detail, code, "'%s': %s%s", input->file.path, said.message,
                            code == STATUS_INPUT_TRUNCATED ? "; copy it again from its source, then submit the show again" : "");
}

status render_sources_unchanged(const render_sources *self, error_detail *detail)
{
    for (uint32_t i = 0; i < self->task->input_count; i++) {
        media_identity identity;
        status code = storage_identity(self->files[i].descriptor, &identity);
        if (code != STATUS_OK)
            return error_detail_set(detail, code, "cannot look at '%s' again", self->task->inputs[i].file.path);
        if (!still_the_file(&self->task->inputs[i], &identity))
            return error_detail_set(detail, STATUS_INPUT_CHANGED,
                                    "'%s' changed while it was read; submit the show again when the file is final",
                                    self->task->inputs[i].file.path);
    }
    return STATUS_OK;
}

status render_view_frames(render_file *file, const task_input *input, uint64_t first, uint32_t count,
                          const uint8_t **out_bytes, error_detail *detail)
{
    bool held = first >= file->block_first && first + count <= file->block_first + file->block_count;
    if (!held) {
        uint64_t left = input->frame_count - first;
        uint32_t want = left < file->block_frames ? (uint32_t)left : file->block_frames;
        file->block_count = 0;
        status code = media_reader_frames(file->reader, first, want, file->block, detail);
        if (code != STATUS_OK)
            return render_input_failed(input, code, detail);
        file->block_first = first;
        file->block_count = want;
    }
    *out_bytes = file->block + (first - file->block_first) * file->frame_bytes;
    return STATUS_OK;
}

/*
 * Lanes without a file are silent, and so is what a file does not reach; every other sample is about to be overwritten.
 * Lanes that no feed of this piece names stay as the last clearing left them.
 */
static void clear_tiles(render_sources *self, uint32_t piece, uint64_t frame, uint32_t frame_count)
{
    bool whole = piece == self->cleared_piece;
    for (uint32_t i = 0; whole && i < self->feeds[piece].count; i++) {
        const render_feed *feed = &self->feeds[piece].items[i];
        int64_t first = (int64_t)frame + feed->file_frame;
        if (self->files[feed->file].resampler != NULL)
            continue; /* it writes every frame of its lanes */
        whole = first >= 0 && first + (int64_t)frame_count <= (int64_t)self->task->inputs[feed->file].frame_count;
    }
    for (uint32_t i = 0; !whole && i < self->tile_count; i++)
        memset(self->tiles[i], 0, sizeof(double) * TILE_FRAMES_MAX * TILE_LANES);
    self->cleared_piece = piece;
}

/* Adds bytes of the file that no frame holds; the block is free for it. */
static status digest_span(render_file *file, const task_input *input, uint64_t first, uint64_t end, error_detail *detail)
{
    status code = STATUS_OK;
    file->block_count = 0;
    while (code == STATUS_OK && first < end) {
        size_t room = (size_t)file->block_frames * file->frame_bytes;
        size_t take = end - first < room ? (size_t)(end - first) : room;
        code = storage_read_at(file->descriptor, file->block, take, first, detail);
        if (code == STATUS_OK)
            content_hash_stream_add(&file->file_digest, file->block, take);
        first += take;
    }
    return code == STATUS_OK ? code : render_input_failed(input, code, detail);
}

status render_sources_digest_begin(render_sources *self, error_detail *detail)
{
    render_file *file = &self->files[0];
    file->whole = true;
    content_hash_stream_init(&file->file_digest);
    content_hash_stream_init(&file->audio_digest);
    storage_read_in_order(file->descriptor);
    return digest_span(file, &self->task->inputs[0], 0, self->task->inputs[0].data_offset, detail);
}

status render_sources_digest_end(render_sources *self, task_verify_result *out_result, error_detail *detail)
{
    render_file *file = &self->files[0];
    const task_input *input = &self->task->inputs[0];
    status code =
        digest_span(file, input, input->data_offset + input->frame_count * file->frame_bytes, input->identity.size, detail);
    if (code == STATUS_OK)
        *out_result = (task_verify_result){.file_digest = content_hash_stream_digest(&file->file_digest),
                                           .audio_digest = content_hash_stream_digest(&file->audio_digest),
                                           .identity = input->identity};
    return code;
}

static bool feeds_lane(const render_feed *feed, uint32_t lane)
{
    for (uint32_t i = 0; i < feed->lane_count; i++)
        if (feed->tile * (uint32_t)TILE_LANES + feed->lanes[i] == lane)
            return true;
    return false;
}

/* frame may lie before the piece or behind it: its files may hold what is there. */
static status fill_tiles(render_sources *self, uint32_t piece, int64_t frame, uint32_t frame_count, bool measuring,
                         error_detail *detail)
{
    for (uint32_t i = 0; i < self->feeds[piece].count; i++) {
        const render_feed *feed = &self->feeds[piece].items[i];
        const task_input *input = &self->task->inputs[feed->file];
        render_file *file = &self->files[feed->file];
        if (self->only >= 0 && !feeds_lane(feed, (uint32_t)self->only))
            continue;
        if (file->resampler != NULL) {
            status resampled = render_resampler_fill(self, feed, frame + feed->file_frame, frame_count, detail);
            if (resampled != STATUS_OK)
                return resampled;
            continue;
        }
        /* The part of the tile that the file covers; the rest stays silence. */
        int64_t first = frame + feed->file_frame;
        int64_t skipped = first < 0 ? -first : 0;
        int64_t end = first + (int64_t)frame_count;
        if (end > (int64_t)input->frame_count)
            end = (int64_t)input->frame_count;
        if (first + skipped >= end)
            continue;
        uint32_t count = (uint32_t)(end - first - skipped);
        const uint8_t *bytes = NULL;
        status code = render_view_frames(file, input, (uint64_t)(first + skipped), count, &bytes, detail);
        if (code != STATUS_OK)
            return code;
        const render_metering *metering = self->only < 0 && feed->alone && count == frame_count ? self->metering : NULL;
        if (metering != NULL) {
            self->dsp->unpack_metered(self->dsp, file->encoding, bytes, input->channel_count, count, feed->lane_count,
                                      feed->channels, feed->lanes, self->tiles[feed->tile], metering->coefficients,
                                      &metering->states[feed->tile], &metering->meters[feed->tile]);
            metering->done[feed->tile] = true;
        } else {
            self->dsp->unpack(file->encoding, bytes, input->channel_count, count, feed->lane_count, feed->channels,
                              feed->lanes, self->tiles[feed->tile] + skipped * TILE_LANES);
        }
        content_hash_stream *const streams[] = {&file->audio_digest, &file->file_digest};
        if (file->whole && measuring && feed->digests)
            content_hash_streams_add(streams, 2, bytes, (size_t)count * file->frame_bytes);
    }
    return STATUS_OK;
}

/* A received programme is what it is, and one file that runs on over the join has nothing to fade with. */
static bool lane_fades(const render_sources *self, uint32_t lane, const task_piece *outgoing, const task_piece *incoming)
{
    const task_binding *out = &outgoing->bindings[lane];
    const task_binding *in = &incoming->bindings[lane];
    if (self->task->program.inputs[lane].stem == RENDER_STEM_RECEIVED)
        return false;
    if (out->file != in->file)
        return true;
    int64_t step = in->file_frame - out->file_frame - (int64_t)outgoing->frame_count;
    return out->file != TASK_FILE_NONE && (out->channel != in->channel || step < -1 || step > 1);
}

/* Fades the part of a tile that lies in the fade at the piece's first frame, or at its last one. */
static status fade_tiles(render_sources *self, uint32_t piece, uint64_t frame, uint32_t frame_count, bool at_start,
                         error_detail *detail)
{
    const task_render *task = self->task;
    const task_piece *own = &task->pieces[piece];
    uint64_t join = own->programme_frame + (at_start ? 0 : own->frame_count);
    uint32_t other = 0;
    while (other < task->piece_count &&
           task->pieces[other].programme_frame + (at_start ? task->pieces[other].frame_count : 0) != join)
        other++;
    if (other == task->piece_count)
        return STATUS_OK; /* nothing before the first piece or behind the last; plan_task_reaches sees to all others */
    const task_piece *incoming = at_start ? own : &task->pieces[other];
    const task_piece *outgoing = at_start ? &task->pieces[other] : own;
    uint64_t length = (uint64_t)incoming->join_before + incoming->join_after;
    uint64_t begin = join - incoming->join_before;
    uint64_t first = own->programme_frame + frame;
    uint64_t from = first > begin ? first : begin;
    uint64_t end = first + frame_count < begin + length ? first + frame_count : begin + length;
    if (from >= end)
        return STATUS_OK;
    double **tiles = self->tiles;
    for (uint32_t i = 0; i < self->tile_count; i++)
        memset(self->join_tiles[i], 0, sizeof(double) * TILE_FRAMES_MAX * TILE_LANES);
    self->tiles = self->join_tiles;
    status code = fill_tiles(self, other, (int64_t)from - (int64_t)task->pieces[other].programme_frame, (uint32_t)(end - from),
                             false, detail);
    self->tiles = tiles;
    self->cleared_piece = UINT32_MAX; /* lanes without a file in this piece are silent no longer */
    for (uint64_t at = from; code == STATUS_OK && at < end; at++) {
        double gain_out = 0.0;
        double gain_in = 0.0;
        join_fade_gains((join_law)task->program.join, at - begin, length, &gain_out, &gain_in);
        for (uint32_t lane = 0; lane < task->program.input_count; lane++) {
            if (!lane_fades(self, lane, outgoing, incoming))
                continue;
            double *mine = &tiles[lane / TILE_LANES][(at - first) * TILE_LANES + lane % TILE_LANES];
            double theirs = self->join_tiles[lane / TILE_LANES][(at - from) * TILE_LANES + lane % TILE_LANES];
            *mine = at_start ? __builtin_fma(gain_in, *mine, gain_out * theirs)
                             : __builtin_fma(gain_in, theirs, gain_out * *mine);
        }
    }
    return code;
}

status render_sources_fill(render_sources *self, uint32_t piece, uint64_t frame, uint32_t frame_count, bool measuring,
                           error_detail *detail)
{
    clear_tiles(self, piece, frame, frame_count);
    if (self->metering != NULL)
        memset(self->metering->done, 0, self->tile_count * sizeof *self->metering->done);
    status code = fill_tiles(self, piece, (int64_t)frame, frame_count, measuring, detail);
    if (self->join_tiles != NULL && code == STATUS_OK)
        code = fade_tiles(self, piece, frame, frame_count, true, detail);
    if (self->join_tiles != NULL && code == STATUS_OK)
        code = fade_tiles(self, piece, frame, frame_count, false, detail);
    if (code == STATUS_OK && measuring && self->stems != NULL)
        render_stems_take(self->stems, self->tiles, frame_count);
    return code;
}

static render_file *file_of_lane(const render_sources *self, uint32_t piece, uint32_t lane)
{
    const render_feeds *feeds = &self->feeds[piece];
    for (uint32_t i = 0; i < feeds->count; i++)
        if (feeds_lane(&feeds->items[i], lane))
            return &self->files[feeds->items[i].file];
    return NULL;
}

status render_sources_beside(render_sources *self, uint32_t piece, uint32_t lane, uint64_t frame, uint32_t frame_count, float *row,
                             error_detail *detail)
{
    render_file *file = file_of_lane(self, piece, lane);
    status code = STATUS_OK;
    if (file == NULL)
        return STATUS_OK;
    const render_file pass = *file; /* goes on in its block where it was */
    file->block = file->aside;
    file->block_frames = frame_count;
    file->block_count = 0;
    self->only = (int32_t)lane;
    for (uint32_t done = 0; code == STATUS_OK && done < frame_count;) {
        uint32_t count = frame_count - done < TILE_FRAMES_MAX ? frame_count - done : TILE_FRAMES_MAX;
        code = render_sources_fill(self, piece, frame + done, count, false, detail);
        const double *samples = self->tiles[lane / TILE_LANES] + lane % TILE_LANES;
        for (uint32_t f = 0; code == STATUS_OK && f < count; f++)
            row[done + f] = (float)samples[(size_t)f * TILE_LANES];
        done += count;
    }
    self->only = -1;
    self->cleared_piece = UINT32_MAX; /* other lanes were left as they stood */
    file->block = pass.block;
    file->block_frames = pass.block_frames;
    file->block_first = pass.block_first;
    file->block_count = pass.block_count;
    return code;
}
