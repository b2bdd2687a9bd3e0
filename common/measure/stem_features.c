#include "common/measure/stem_features.h"

#include "common/base/ensure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STEM_FEATURES_MAGIC = 0x31534D53 };

uint32_t stem_sum_count(uint32_t lane_count, bool crossed)
{
    return crossed ? lane_count * (lane_count + 1) / 2 : lane_count;
}

uint32_t stem_block_frames(uint32_t lane_count, bool crossed)
{
    uint32_t blocks = crossed ? STEM_BLOCKS_CROSSED : STEM_BLOCKS_ENERGY;
    uint32_t most = crossed ? STEM_SUMS_BYTES_CROSSED : STEM_SUMS_BYTES_ENERGY;
    while (blocks > 1 && blocks * stem_sum_count(lane_count, crossed) * 8 > most)
        blocks /= 2;
    return CELL_FRAMES / blocks;
}

uint32_t stem_block_count(uint32_t lane_count, bool crossed, uint32_t frame_count)
{
    uint32_t frames = stem_block_frames(lane_count, crossed);
    return (frame_count + frames - 1) / frames;
}

uint32_t stem_window_count(uint32_t frame_count)
{
    uint32_t fit = frame_count < 2 * STEM_DELAY_MAX ? 0 : (frame_count - 2 * STEM_DELAY_MAX) / STEM_WINDOW_FRAMES;
    return fit < STEM_WINDOWS ? fit : STEM_WINDOWS;
}

uint32_t stem_window_frame(uint32_t frame_count, uint32_t window)
{
    uint32_t share = (frame_count - 2 * STEM_DELAY_MAX) / stem_window_count(frame_count);
    return STEM_DELAY_MAX + window * share + (share - STEM_WINDOW_FRAMES) / 2;
}

uint32_t stem_step_count(uint32_t frame_count)
{
    return frame_count < STEM_STEP_FRAMES ? 1 : frame_count / STEM_STEP_FRAMES;
}

static void encode_float(byte_writer *writer, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    byte_writer_u32(writer, bits);
}

static float decode_float(byte_reader *reader)
{
    uint32_t bits = byte_reader_u32(reader);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void encode_leak(const stem_leak *leak, byte_writer *writer)
{
    byte_writer_u16(writer, leak->source);
    byte_writer_u16(writer, leak->host);
    byte_writer_u16(writer, (uint16_t)leak->delay);
    encode_float(writer, leak->score);
    encode_float(writer, leak->chance);
    encode_float(writer, leak->rest);
    const uint8_t windows[] = {leak->first_step, leak->last_step, leak->first_open, leak->last_open,
                               leak->before.heard, leak->before.told, leak->before.open,
                               leak->after.heard,  leak->after.told,  leak->after.open};
    for (size_t i = 0; i < sizeof windows; i++)
        byte_writer_u8(writer, windows[i]);
    byte_writer_u32(writer, leak->read);
    for (uint32_t i = 0; i < STEM_BANDS; i++) {
        encode_float(writer, leak->band_own[i]);
        encode_float(writer, leak->band_re[i]);
        encode_float(writer, leak->band_im[i]);
        encode_float(writer, leak->band_noise[i]);
    }
}

static bool beyond_valid(const stem_beyond *beyond)
{
    return beyond->heard <= beyond->told && beyond->told <= beyond->open && beyond->open <= STEM_STEPS;
}

/* False when a number is out of range. */
static bool decode_leak(byte_reader *reader, const stem_features *features, stem_leak *leak)
{
    uint32_t lane_count = features->lane_count;
    uint32_t step_count = stem_step_count(features->frame_count);
    leak->source = byte_reader_u16(reader);
    leak->host = byte_reader_u16(reader);
    leak->delay = (int16_t)byte_reader_u16(reader);
    leak->score = decode_float(reader);
    leak->chance = decode_float(reader);
    leak->rest = decode_float(reader);
    bool valid = leak->source < lane_count && leak->host < lane_count && leak->delay >= -STEM_DELAY_MAX &&
                 leak->delay <= STEM_DELAY_MAX && isfinite(leak->score) && isfinite(leak->chance) && isfinite(leak->rest);
    uint8_t *const windows[] = {&leak->first_step, &leak->last_step, &leak->first_open,
                                &leak->last_open,  &leak->before.heard, &leak->before.told, &leak->before.open,
                                &leak->after.heard, &leak->after.told, &leak->after.open};
    for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++)
        *windows[i] = byte_reader_u8(reader);
    leak->read = byte_reader_u32(reader);
    valid = valid && leak->first_open <= leak->first_step &&
            leak->first_step <= leak->last_step && leak->last_step <= leak->last_open && leak->last_open < step_count &&
            beyond_valid(&leak->before) && beyond_valid(&leak->after) &&
            (uint64_t)leak->before.open * STEM_STEP_FRAMES <= features->programme_frame;
    for (uint32_t i = 0; i < STEM_BANDS; i++) {
        leak->band_own[i] = decode_float(reader);
        leak->band_re[i] = decode_float(reader);
        leak->band_im[i] = decode_float(reader);
        leak->band_noise[i] = decode_float(reader);
        valid = valid && isfinite(leak->band_own[i]) && isfinite(leak->band_re[i]) && isfinite(leak->band_im[i]) &&
                isfinite(leak->band_noise[i]) && leak->band_own[i] >= 0.0f && leak->band_noise[i] >= 0.0f;
    }
    return valid;
}

static void encode_bleed(const stem_features *self, byte_writer *writer)
{
    byte_writer_u8(writer, self->window_count);
    byte_writer_u8(writer, self->group_count);
    byte_writer_u8(writer, self->all_pairs ? 1 : 0);
    byte_writer_u16(writer, (uint16_t)self->leak_count);
    for (uint32_t a = 0; a < self->group_count; a++)
        for (uint32_t b = 0; b < self->group_count; b++) {
            encode_float(writer, self->reach[a][b]);
            encode_float(writer, self->reach_low[a][b]);
        }
    for (uint32_t i = 0; i < self->leak_count; i++)
        encode_leak(&self->leaks[i], writer);
    byte_writer_u16(writer, (uint16_t)self->gap_count);
    for (uint32_t i = 0; i < self->gap_count; i++) {
        const stem_gap *gap = &self->gaps[i];
        byte_writer_u16(writer, gap->lane);
        byte_writer_u8(writer, (uint8_t)((gap->from_before ? 1 : 0) | (gap->goes_on ? 2 : 0)));
        byte_writer_u32(writer, gap->start);
        byte_writer_u32(writer, gap->end);
    }
    byte_writer_u32(writer, self->click_frames);
    byte_writer_u16(writer, (uint16_t)self->click_count);
    for (uint32_t i = 0; i < self->click_count; i++) {
        byte_writer_u16(writer, self->clicks[i].lane);
        byte_writer_u32(writer, (uint32_t)self->clicks[i].frame);
    }
    for (uint32_t i = 0; i < self->group_count; i++) {
        byte_writer_u16(writer, (uint16_t)self->shifts[i].samples);
        encode_float(writer, self->shifts[i].score);
        encode_float(writer, self->shifts[i].score_in_place);
        encode_float(writer, self->shifts[i].left);
    }
    byte_writer_u8(writer, self->phased ? 1 : 0);
    for (uint32_t i = 0; self->phased && i < stem_sum_count(self->lane_count, true); i++) {
        encode_float(writer, self->phases[i].re);
        encode_float(writer, self->phases[i].im);
    }
}

/* False when a number is out of range. */
static bool decode_places(byte_reader *reader, stem_features *made)
{
    made->gap_count = byte_reader_u16(reader);
    bool valid = !reader->failed && made->gap_count <= STEM_GAPS_MAX;
    for (uint32_t i = 0; valid && i < made->gap_count; i++) {
        stem_gap *gap = &made->gaps[i];
        gap->lane = byte_reader_u16(reader);
        uint8_t ends = byte_reader_u8(reader);
        gap->from_before = (ends & 1u) != 0;
        gap->goes_on = (ends & 2u) != 0;
        gap->start = byte_reader_u32(reader);
        gap->end = byte_reader_u32(reader);
        valid = !reader->failed && gap->lane < made->lane_count && ends < 4 && gap->start < gap->end &&
                gap->end <= made->frame_count;
    }
    made->click_frames = valid ? byte_reader_u32(reader) : 0;
    made->click_count = valid ? byte_reader_u16(reader) : 0;
    valid = valid && !reader->failed && made->click_count <= STEM_CLICKS_MAX && made->click_frames <= CELL_FRAMES;
    for (uint32_t i = 0; valid && i < made->click_count; i++) {
        stem_click *click = &made->clicks[i];
        click->lane = byte_reader_u16(reader);
        click->frame = (int32_t)byte_reader_u32(reader);
        valid = !reader->failed && click->lane < made->lane_count && click->frame >= -METER_PREROLL_FRAMES &&
                click->frame < (int32_t)made->frame_count;
    }
    for (uint32_t i = 0; valid && i < made->group_count; i++) {
        stem_shift_peak *peak = &made->shifts[i];
        peak->samples = (int16_t)byte_reader_u16(reader);
        peak->score = decode_float(reader);
        peak->score_in_place = decode_float(reader);
        peak->left = decode_float(reader);
        valid = peak->samples >= -STEM_SHIFT_MAX && peak->samples <= STEM_SHIFT_MAX && isfinite(peak->score) &&
                isfinite(peak->score_in_place) && isfinite(peak->left) && peak->left >= 0.0f;
    }
    return valid && !reader->failed;
}

/* False when a number is out of range. */
static bool decode_phases(byte_reader *reader, stem_features *made)
{
    uint8_t phased = byte_reader_u8(reader);
    made->phased = phased == 1;
    bool valid = phased <= 1 && (!made->phased || (made->crossed && made->lane_count <= STEM_PHASE_LANES_MAX));
    for (uint32_t i = 0; valid && made->phased && i < stem_sum_count(made->lane_count, true); i++) {
        made->phases[i].re = decode_float(reader);
        made->phases[i].im = decode_float(reader);
        valid = isfinite(made->phases[i].re) && isfinite(made->phases[i].im);
    }
    for (uint32_t i = 0; valid && made->phased && i < made->lane_count; i++)
        valid = made->phases[stem_sum_index(i, i)].re >= 0.0f;
    return valid && !reader->failed;
}

static bool decode_bleed(byte_reader *reader, stem_features *made)
{
    made->window_count = byte_reader_u8(reader);
    made->group_count = byte_reader_u8(reader);
    uint8_t all_pairs = byte_reader_u8(reader);
    made->all_pairs = all_pairs == 1;
    made->leak_count = byte_reader_u16(reader);
    if (reader->failed || all_pairs > 1 || made->window_count > stem_window_count(made->frame_count) ||
        made->group_count > STEM_GROUPS_MAX || made->leak_count > STEM_LEAKS_MAX)
        return false;
    bool valid = true;
    for (uint32_t a = 0; a < made->group_count; a++)
        for (uint32_t b = 0; b < made->group_count; b++) {
            made->reach[a][b] = decode_float(reader);
            made->reach_low[a][b] = decode_float(reader);
            valid = valid && isfinite(made->reach[a][b]) && made->reach[a][b] >= 0.0f && isfinite(made->reach_low[a][b]) &&
                    made->reach_low[a][b] >= 0.0f;
        }
    for (uint32_t i = 0; valid && i < made->leak_count; i++)
        valid = decode_leak(reader, made, &made->leaks[i]);
    return valid && !reader->failed && decode_places(reader, made) && decode_phases(reader, made);
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
    encode_bleed(self, writer);
    size_t count = (size_t)self->block_count * stem_sum_count(self->lane_count, self->crossed);
    for (size_t i = 0; i < count; i++)
        byte_writer_f64(writer, self->sums[i]);
}

size_t stem_features_bytes_max(uint32_t lane_count, uint32_t group_count)
{
    size_t head = 4 + 2 + 2 + 4 + 8 + 4 + 4 + 4;
    size_t leak = 3 * 2 + 3 * 4 + 10 + 4 + STEM_BANDS * 4 * 4;
    size_t bleed = 3 + 2 + (size_t)group_count * group_count * 2 * 4 + STEM_LEAKS_MAX * leak + 2 +
                   (size_t)STEM_GAPS_MAX * (2 + 1 + 4 + 4) + 4 + 2 +
                   (size_t)STEM_CLICKS_MAX * (2 + 4) + (size_t)group_count * (2 + 3 * 4) + 1;
    return head + bleed + (size_t)stem_block_count(lane_count, false, CELL_FRAMES) * lane_count * 8;
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
        made.block_count != stem_block_count(made.lane_count, made.crossed, made.frame_count) ||
        !decode_bleed(&reader, &made))
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
    for (size_t i = 0; i < self->cell_count; i++) {
        free(self->cells[i]);
        free(self->bleed[i].reach);
        free(self->bleed[i].reach_low);
        free(self->bleed[i].leaks);
        free(self->bleed[i].gaps);
        free(self->bleed[i].clicks);
        free(self->bleed[i].shifts);
        free(self->bleed[i].phases);
    }
    free(self->cells);
    free(self->bleed);
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

/* A copy of the leaks, as small as it is. */
static stem_cell keep_bleed(const stem_features *features)
{
    uint32_t groups = features->group_count;
    stem_cell kept = {.frame = features->programme_frame,
                      .frame_count = features->frame_count,
                      .window_count = features->window_count,
                      .group_count = features->group_count,
                      .reach = malloc(((size_t)groups * groups + 1) * sizeof(float)),
                      .reach_low = malloc(((size_t)groups * groups + 1) * sizeof(float)),
                      .all_pairs = features->all_pairs,
                      .leak_count = features->leak_count,
                      .leaks = malloc((features->leak_count + 1) * sizeof(stem_leak)),
                      .gap_count = features->gap_count,
                      .gaps = malloc((features->gap_count + 1) * sizeof(stem_gap)),
                      .click_frames = features->click_frames,
                      .click_count = features->click_count,
                      .clicks = malloc((features->click_count + 1) * sizeof(stem_click)),
                      .shifts = malloc((groups + 1) * sizeof(stem_shift_peak))};
    ENSURE(kept.reach != NULL && kept.reach_low != NULL && kept.leaks != NULL && kept.gaps != NULL && kept.clicks != NULL &&
           kept.shifts != NULL);
    if (features->phased) {
        size_t bytes = stem_sum_count(features->lane_count, true) * sizeof(stem_cross);
        kept.phases = malloc(bytes);
        ENSURE(kept.phases != NULL);
        memcpy(kept.phases, features->phases, bytes);
    }
    memcpy(kept.gaps, features->gaps, features->gap_count * sizeof(stem_gap));
    memcpy(kept.clicks, features->clicks, features->click_count * sizeof(stem_click));
    memcpy(kept.shifts, features->shifts, groups * sizeof(stem_shift_peak));
    for (uint32_t a = 0; a < groups; a++) {
        memcpy(kept.reach + (size_t)a * groups, features->reach[a], groups * sizeof(float));
        memcpy(kept.reach_low + (size_t)a * groups, features->reach_low[a], groups * sizeof(float));
    }
    memcpy(kept.leaks, features->leaks, features->leak_count * sizeof(stem_leak));
    return kept;
}

status stem_programme_add(stem_programme *self, stem_features *features)
{
    if (features->programme_frame != self->frame_count || features->lane_count != self->lane_count ||
        features->crossed != self->crossed)
        return STATUS_STORAGE_MISMATCH;
    uint32_t frames = stem_block_frames(self->lane_count, self->crossed);
    uint32_t sum_count = stem_sum_count(self->lane_count, self->crossed);
    size_t capacity = self->cell_capacity;
    self->bleed = grow(self->bleed, sizeof *self->bleed, self->cell_count, 1, &capacity);
    self->cells = grow(self->cells, sizeof *self->cells, self->cell_count, 1, &self->cell_capacity);
    self->bleed[self->cell_count] = keep_bleed(features);
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
