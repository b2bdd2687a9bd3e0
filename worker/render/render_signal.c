#include "worker/render/render_signal.h"

#include "worker/render/codec_grid.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { SPECTRUM_BLOCKS = 4 }; /* one spectrum each 400 ms */

static uint64_t millisecond_frame(uint64_t millisecond, uint32_t sample_rate)
{
    return millisecond * sample_rate / 1000;
}

static uint64_t millisecond_of(uint64_t frame, uint32_t sample_rate)
{
    uint64_t millisecond = frame * 1000 / sample_rate;
    while (millisecond_frame(millisecond + 1, sample_rate) <= frame)
        millisecond++;
    return millisecond;
}

static bool has(uint8_t groups, uint8_t group)
{
    return (groups & group) != 0;
}

/* Bytes of what the weighting for the cinema looks back on, and of the tile behind it. */
static size_t weighing_size(const signal_tables *tables)
{
    return sizeof(double) * TILE_LANES * (TILE_FRAMES_MAX + tables->m_tap_count);
}

void signal_tile_take(signal_tile *self, uint8_t groups, const signal_tables *tables, arena *memory)
{
    self->groups |= groups;
    if (has(groups, SIGNAL_GROUP_CINEMA) && self->weighing == NULL)
        self->weighing = arena_take_lines(memory, weighing_size(tables), 1);
    if (has(groups, SIGNAL_GROUP_SOUND) && self->hum == NULL)
        self->hum = arena_take_lines(memory, SIGNAL_HUM_MS, sizeof *self->hum);
}

void signal_tile_begin(signal_tile *self, const signal_tables *tables)
{
    memset(self->bits, 0, sizeof self->bits);
    self->block = UINT32_MAX;
    self->hum_count = 0;
    if (self->hum != NULL)
        memset(self->hum, 0, SIGNAL_HUM_MS * sizeof *self->hum);
    if (self->weighing != NULL)
        memset(self->weighing, 0, weighing_size(tables));
}

/*
 * Which bits are in use is judged by the lowest one. Once every lane that sounds has used the lowest that its form has, nothing
 * more can come of it in this cell.
 */
static bool bits_settled(const signal_tile *self, const double *peak)
{
    if (self->pcm_bits == 0)
        return false;
    for (uint32_t l = 0; l < TILE_LANES; l++)
        if (peak[l] > 0.0 && (self->bits[l] & UINT64_C(1) << (32 - self->pcm_bits)) == 0)
            return false;
    return true;
}

/* The energy of a tile behind the weighting, whose delay of half its length (1 ms) is left as it is. */
static void weigh(signal_tile *self, const dsp_table *dsp, const signal_tables *tables, bool counts)
{
    uint32_t history = tables->m_tap_count - 1;
    double *tile = self->weighing + (size_t)history * TILE_LANES;
    size_t size = (size_t)self->frame_count * TILE_LANES * sizeof *tile;
    memcpy(tile, self->samples, size);
    memset(self->weighted, 0, sizeof self->weighted);
    for (uint32_t i = 0; counts && i < self->frame_count; i++) {
        double out[TILE_LANES];
        dsp->fir_lanes(self->weighing + (size_t)i * TILE_LANES, tables->m_taps, tables->m_tap_count, out);
        for (uint32_t l = 0; l < TILE_LANES; l++)
            self->weighted[l] += out[l] * out[l];
    }
    memmove(self->weighing, self->weighing + (size_t)self->frame_count * TILE_LANES,
            (size_t)history * TILE_LANES * sizeof *tile);
}

/* Frame of the tile behind one of the milliseconds that follow on those that it has, or behind the tile. */
static uint32_t millisecond_end(const signal_tile *self, uint64_t programme_frame, uint32_t sample_rate, uint32_t next)
{
    uint64_t end = millisecond_frame(self->first_ms + self->ms_count + next + 1, sample_rate) - programme_frame;
    return end < self->frame_count ? (uint32_t)end : self->frame_count;
}

static void sum_milliseconds(signal_tile *self, const dsp_table *dsp, uint64_t programme_frame, uint32_t sample_rate)
{
    self->first_ms = millisecond_of(programme_frame, sample_rate);
    self->ms_count = 0;
    for (uint32_t done = 0; done < self->frame_count && self->ms_count < TILE_MS_MAX;) {
        uint32_t count = millisecond_end(self, programme_frame, sample_rate, 0) - done;
        uint32_t alike = 1; /* milliseconds of as many frames go in one call */
        while (self->ms_count + alike < TILE_MS_MAX && done + (alike + 1) * count <= self->frame_count &&
               millisecond_end(self, programme_frame, sample_rate, alike) == done + (alike + 1) * count)
            alike++;
        dsp->lane_sums(self->samples + (size_t)done * TILE_LANES, count, alike, self->ms_sums + self->ms_count);
        self->ms_count += alike;
        done += alike * count;
    }
}

/* What the block has in each lane so far. */
static void add_offsets(signal_tile *self, uint32_t sample_rate)
{
    const uint32_t block = (uint32_t)self->cell_frame / cell_signal_block_frames(sample_rate);
    if (block != self->block)
        memset(self->offset, 0, sizeof self->offset);
    self->block = block;
    for (uint32_t l = 0; l < TILE_LANES; l += 2) {
        lane_pair sum = *(const lane_pair *)(const void *)(self->offset + l);
        for (uint32_t i = 0; i < self->ms_count; i++)
            sum += *(const lane_pair *)(const void *)(self->ms_sums[i] + l);
        *(lane_pair *)(void *)(self->offset + l) = sum;
    }
}

/* Means of milliseconds for the mains lines, only those of a stretch, and the lines once a stretch is complete. */
static void keep_means(signal_tile *self, const signal_tables *tables, uint32_t sample_rate)
{
    const uint32_t stride = cell_signal_hum_stride_ms(sample_rate);
    if (self->cell_frame == 0) /* stretches begin and end with 10 ms slots, so that no tile lies across an edge */
        self->hum_first_ms = (self->first_ms + 9) / 10 * 10;
    const uint64_t first = self->first_ms < self->hum_first_ms ? self->hum_first_ms : self->first_ms;
    const uint64_t done = self->first_ms + self->ms_count;
    uint64_t place = (first - self->hum_first_ms) % stride;
    for (uint64_t millisecond = first; millisecond < done; millisecond++) {
        const double *sums = self->ms_sums[millisecond - self->first_ms];
        const double frames = /* all of the millisecond, the tile's or not */
            (double)(millisecond_frame(millisecond + 1, sample_rate) - millisecond_frame(millisecond, sample_rate));
        for (uint32_t l = 0; place < SIGNAL_HUM_MS && l < TILE_LANES; l += 2)
            *(lane_pair *)(void *)(self->hum[place] + l) += *(const lane_pair *)(const void *)(sums + l) / frames;
        place = place + 1 == stride ? 0 : place + 1;
    }
    const uint64_t wanted = self->hum_first_ms + (uint64_t)self->hum_count * stride;
    if (self->hum_count == SIGNAL_HUM_STRETCHES || done < wanted + SIGNAL_HUM_MS)
        return;
    signal_hum_powers(tables, (const double (*)[TILE_LANES])self->hum, &self->mains[self->hum_count++]);
    memset(self->hum, 0, SIGNAL_HUM_MS * sizeof *self->hum);
}

void signal_tile_measure(signal_tile *self, const dsp_table *dsp, const signal_tables *tables, const double *peak,
                         uint64_t programme_frame, uint32_t sample_rate, uint32_t frame_count, int64_t cell_frame)
{
    self->frame_count = frame_count;
    self->cell_frame = cell_frame;
    if (has(self->groups, SIGNAL_GROUP_DEPTH) && cell_frame >= 0 && !bits_settled(self, peak))
        (self->pcm_bits > 0 ? dsp->pcm_bits : dsp->used_bits)(self->samples, frame_count, self->bits);
    if (!has(self->groups, SIGNAL_GROUP_SOUND))
        return;
    dsp->signal_measure(self->samples, frame_count, &self->sums);
    if (self->weighing != NULL)
        weigh(self, dsp, tables, cell_frame >= 0);
    if (cell_frame < 0)
        return;
    sum_milliseconds(self, dsp, programme_frame, sample_rate);
    add_offsets(self, sample_rate);
    keep_means(self, tables, sample_rate);
}

void render_signal_init(render_signal *self, uint8_t groups, uint8_t layout, uint8_t channel_count, uint32_t sample_rate)
{
    self->sample_rate = sample_rate;
    self->cell.groups = groups;
    self->cell.channel_count = channel_count;
    self->cell.pair_count = (uint8_t)cell_signal_pairs(layout, self->pairs);
}

void render_signal_begin(render_signal *self)
{
    cell_signal *cell = &self->cell;
    cell->block_count = 0;
    cell->hum_count = 0;
    cell->event_count = 0;
    cell->event_dropped = 0;
    cell->late_lag = 0;
    cell->late_rest = 1.0f;
    self->grid_channel = -1;
    self->grid_rough = 0.0;
    memset(cell->bits, 0, sizeof cell->bits);
    memset(self->kind_counts, 0, sizeof self->kind_counts);
    self->block_frames = 0;
    self->block_count = 0;
    self->spectrum_count = 0;
    self->spectrum_due = false;
    for (uint32_t c = 0; c < cell->channel_count; c++)
        self->channels[c] = (signal_channel){.rough_before = (double)INFINITY, .tone_end = -1, .line_up_end = -1};
}

static float stored(double value)
{
    return (float)fmax(fmin(value, (double)FLT_MAX), -(double)FLT_MAX);
}

static void end_block(render_signal *self)
{
    cell_signal *cell = &self->cell;
    uint32_t b = self->block_count - 1;
    double frames = self->block_frames;
    self->block_frames = 0;
    if (!has(cell->groups, SIGNAL_GROUP_SOUND))
        return;
    cell->block_frames[b] = (uint32_t)frames;
    cell->block_count = (uint8_t)self->block_count;
    for (uint32_t c = 0; c < cell->channel_count; c++) {
        signal_channel *channel = &self->channels[c];
        cell->energy[b][c] = stored(channel->energy / frames);
        cell->offset[b][c] = stored(channel->offset / frames);
        if (has(cell->groups, SIGNAL_GROUP_CINEMA))
            cell->weighted[b][c] = stored(channel->weighted / frames);
        channel->energy = channel->offset = channel->weighted = 0.0;
    }
    for (uint32_t p = 0; p < cell->pair_count; p++) {
        signal_channel *left = &self->channels[self->pairs[p]];
        cell->cross[b][p] = stored(left->cross / frames);
        left->cross = 0.0;
    }
}

bool render_signal_tile_begin(render_signal *self, const signal_tile *tile)
{
    if (tile->cell_frame < 0)
        return false;
    uint32_t block = (uint32_t)tile->cell_frame / cell_signal_block_frames(self->sample_rate);
    if (block >= self->block_count) {
        if (self->block_count > 0)
            end_block(self);
        self->block_count++;
        self->spectrum_due = self->spectrum_due || (self->block_count - 1) % SPECTRUM_BLOCKS == 0;
    }
    self->block_frames += tile->frame_count;
    return self->spectrum_due && tile->frame_count >= SPECTRUM_FRAMES && has(self->cell.groups, SIGNAL_GROUP_SPECTRUM);
}

static void take_grid(render_signal *self, uint32_t channel, const signal_tile *tile, uint32_t lane)
{
    if (self->grid == NULL)
        return;
    if (tile->cell_frame > 0 && (int)channel == self->grid_channel)
        codec_grid_take(self->grid, tile->samples + lane, (uint32_t)tile->cell_frame, tile->frame_count);
    if (tile->cell_frame > 0 || (self->grid_channel >= 0 && !(tile->sums.rough[lane] > self->grid_rough)))
        return;
    self->grid_channel = (int)channel;
    self->grid_rough = tile->sums.rough[lane];
}

void render_signal_channel(render_signal *self, uint32_t channel, const signal_tile *tile, uint32_t lane,
                           const signal_tile *right, uint32_t right_lane)
{
    signal_channel *state = &self->channels[channel];
    bool sound = has(self->cell.groups, SIGNAL_GROUP_SOUND);
    if (sound)
        signal_events_take(self, channel, tile, lane);
    if (tile->cell_frame < 0)
        return;
    self->cell.bits[channel] = tile->bits[lane];
    take_grid(self, channel, tile, lane);
    if (self->spectrum_due && tile->frame_count >= SPECTRUM_FRAMES && has(self->cell.groups, SIGNAL_GROUP_SPECTRUM)) {
        for (uint32_t k = 0; k < SIGNAL_BANDS; k++)
            state->bands[k] += tile->power[k][lane];
        signal_mirror_take(&state->mirror, tile, lane, self->sample_rate);
    }
    if (!sound)
        return;
    if (right != NULL && self->cell.channel_count == 2 && self->cell.late_rest == 1.0f && self->spectrum_due &&
        tile->frame_count >= SPECTRUM_FRAMES)
        signal_late_take(&self->cell, tile->samples + lane, right->samples + right_lane, tile->frame_count);
    state->offset = tile->offset[lane];
    double energy = tile->sums.energy[lane];
    state->energy += energy;
    state->weighted += tile->weighted[lane];
    if (right == tile && right_lane == (lane ^ 1u)) {
        state->cross += tile->sums.cross[lane];
    } else if (right != NULL && energy > 0.0 && right->sums.energy[right_lane] > 0.0) {
        double cross = 0.0;
        for (uint32_t i = 0; i < tile->frame_count; i++)
            cross += tile->samples[(size_t)i * TILE_LANES + lane] * right->samples[(size_t)i * TILE_LANES + right_lane];
        state->cross += cross;
    }
    for (uint32_t stretch = self->cell.hum_count; stretch < tile->hum_count; stretch++)
        for (uint32_t i = 0; i < SIGNAL_HUM_LINES; i++) {
            self->cell.hum[stretch][channel][0][i] = stored(tile->mains[stretch].line[i][lane]);
            self->cell.hum[stretch][channel][1][i] = stored(tile->mains[stretch].beside[i][lane]);
        }
}

void render_signal_tile_end(render_signal *self, const signal_tile *tile)
{
    if (tile->cell_frame < 0)
        return;
    if (self->spectrum_due && tile->frame_count >= SPECTRUM_FRAMES) {
        self->spectrum_due = false;
        self->spectrum_count++;
    }
    if (has(self->cell.groups, SIGNAL_GROUP_SOUND))
        self->cell.hum_count = (uint8_t)tile->hum_count;
}

void render_signal_end(render_signal *self, bool programme_end)
{
    cell_signal *cell = &self->cell;
    end_block(self);
    for (uint32_t c = 0; c < cell->channel_count; c++) {
        if (programme_end && has(cell->groups, SIGNAL_GROUP_SOUND))
            signal_candidate_settle(self, c, 0.0);
        signal_mirror_end(&self->channels[c].mirror, cell->mirror[c]);
        for (uint32_t k = 0; k < SIGNAL_BANDS; k++)
            cell->spectrum[c][k] =
                self->spectrum_count > 0 ? stored(self->channels[c].bands[k] / self->spectrum_count) : 0.0f;
    }
}
