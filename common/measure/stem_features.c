#include "common/measure/stem_features.h"

#include "common/base/ensure.h"

#include <math.h>
#include <stdlib.h>

enum { HEAD_BYTES = 32, STEM_FEATURES_MAGIC = 0x31534D53 };

uint32_t stem_sum_count(uint32_t lane_count, bool crossed)
{
    return crossed ? lane_count * (lane_count + 1) / 2 : lane_count;
}

uint32_t stem_block_frames(uint32_t lane_count, bool crossed)
{
    uint32_t blocks = STEM_BLOCKS_PER_CELL;
    while (blocks > 1 && HEAD_BYTES + blocks * stem_sum_count(lane_count, crossed) * 8 > STEM_FEATURES_BYTES)
        blocks /= 2;
    return CELL_FRAMES / blocks;
}

uint32_t stem_block_count(uint32_t lane_count, bool crossed, uint32_t frame_count)
{
    uint32_t frames = stem_block_frames(lane_count, crossed);
    return (frame_count + frames - 1) / frames;
}

void stem_features_encode(const stem_features *self, byte_writer *writer)
{
    byte_writer_u32(writer, STEM_FEATURES_MAGIC);
    byte_writer_u16(writer, STEM_FEATURES_VERSION);
    byte_writer_u16(writer, self->lane_count);
    byte_writer_u32(writer, self->sample_rate);
    byte_writer_u64(writer, self->programme_frame);
    byte_writer_u32(writer, self->frame_count);
    byte_writer_u32(writer, self->crossed ? 1 : 0);
    byte_writer_u32(writer, self->block_count);
    size_t count = (size_t)self->block_count * stem_sum_count(self->lane_count, self->crossed);
    for (size_t i = 0; i < count; i++)
        byte_writer_f64(writer, self->sums[i]);
}

static bool sums_valid(const stem_features *self)
{
    uint32_t count = stem_sum_count(self->lane_count, self->crossed);
    for (uint32_t b = 0; b < self->block_count; b++) {
        const double *sums = self->sums + (size_t)b * count;
        for (uint32_t i = 0; i < count; i++)
            if (!isfinite(sums[i]))
                return false;
        for (uint32_t i = 0; i < self->lane_count; i++)
            if (sums[self->crossed ? stem_sum_index(i, i) : i] < 0.0)
                return false;
    }
    return true;
}

status stem_features_decode(stem_features *out_features, const void *bytes, size_t byte_size)
{
    byte_reader reader;
    stem_features made = {0};
    byte_reader_init(&reader, bytes, byte_size);
    bool known = byte_reader_u32(&reader) == STEM_FEATURES_MAGIC && byte_reader_u16(&reader) == STEM_FEATURES_VERSION;
    made.lane_count = byte_reader_u16(&reader);
    made.sample_rate = byte_reader_u32(&reader);
    made.programme_frame = byte_reader_u64(&reader);
    made.frame_count = byte_reader_u32(&reader);
    uint32_t crossed = byte_reader_u32(&reader);
    made.block_count = byte_reader_u32(&reader);
    made.crossed = crossed == 1;
    if (reader.failed || !known || crossed > 1 || made.lane_count < 1 || made.frame_count < 1 ||
        made.lane_count > (made.crossed ? STEM_CROSSED_LANES_MAX : PROGRAM_INPUT_LANES_MAX) ||
        made.sample_rate < SAMPLE_RATE_MIN || made.sample_rate > SAMPLE_RATE_MAX || made.frame_count > CELL_FRAMES ||
        made.programme_frame > UINT64_MAX / 2 ||
        made.block_count != stem_block_count(made.lane_count, made.crossed, made.frame_count))
        return STATUS_PEER_MALFORMED;
    size_t count = (size_t)made.block_count * stem_sum_count(made.lane_count, made.crossed);
    if (byte_reader_left(&reader) != count * 8)
        return STATUS_PEER_MALFORMED;
    made.sums = malloc(count * sizeof *made.sums);
    if (made.sums == NULL)
        return STATUS_NODE_MEMORY;
    for (size_t i = 0; i < count; i++)
        made.sums[i] = byte_reader_f64(&reader);
    if (!sums_valid(&made)) {
        free(made.sums);
        return STATUS_PEER_MALFORMED;
    }
    *out_features = made;
    return STATUS_OK;
}

void stem_features_deinit(stem_features *self)
{
    free(self->sums);
    self->sums = NULL;
}

void stem_programme_init(stem_programme *self, uint32_t lane_count, bool crossed)
{
    *self = (stem_programme){.lane_count = lane_count, .crossed = crossed};
}

void stem_programme_deinit(stem_programme *self)
{
    for (size_t i = 0; i < self->cell_count; i++)
        free(self->cells[i]);
    free(self->cells);
    free(self->blocks);
    *self = (stem_programme){0};
}

/* Room for `more` items behind count, doubling. */
static void *grow(void *items, size_t item_bytes, size_t count, size_t more, size_t *capacity)
{
    if (count + more <= *capacity)
        return items;
    *capacity = 2 * (count + more);
    void *grown = realloc(items, *capacity * item_bytes);
    ENSURE(grown != NULL);
    return grown;
}

status stem_programme_add(stem_programme *self, stem_features *features)
{
    if (features->programme_frame != self->frame_count || features->lane_count != self->lane_count ||
        features->crossed != self->crossed)
        return STATUS_STORAGE_MISMATCH;
    uint32_t frames = stem_block_frames(self->lane_count, self->crossed);
    uint32_t sum_count = stem_sum_count(self->lane_count, self->crossed);
    self->cells = grow(self->cells, sizeof *self->cells, self->cell_count, 1, &self->cell_capacity);
    self->blocks =
        grow(self->blocks, sizeof *self->blocks, self->block_count, features->block_count, &self->block_capacity);
    self->cells[self->cell_count++] = features->sums;
    for (uint32_t b = 0; b < features->block_count; b++) {
        uint32_t left = features->frame_count - b * frames;
        self->blocks[self->block_count++] = (stem_block){.frame = features->programme_frame + (uint64_t)b * frames,
                                                         .frame_count = left < frames ? left : frames,
                                                         .sums = features->sums + (size_t)b * sum_count};
    }
    self->frame_count += features->frame_count;
    features->sums = NULL;
    return STATUS_OK;
}
