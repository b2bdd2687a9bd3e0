#define _GNU_SOURCE
/*
 * Looks for what one stem leaves in another: in eight windows of each cell, by the cross-spectrum of source and host, both
 * brought to even power, each bin counted by how far the host lies below the source there and, by the fourth root of its
 * frequency, low ones for more: else the many bins of the treble outvote a leak that has none. So it listens where and when the
 * host is quiet. One transform back gives the correlation at every delay at once; its peak, in standard deviations of chance,
 * is compared with the peak that the same windows give out of time.
 *
 * Everything is plain double or float arithmetic in a fixed order over the cell alone: results depend neither on the cut of
 * tasks nor on the machine.
 */
#include "worker/render/bleed_spectra.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static const double score_min = STEM_LEAK_SCORE_MIN;
static const double heard_min = 4.2; /* times bleed_chance_width(): chance gets there in 1 of 18 pairs, at one of 2,049 delays */
static const double nearly = 0.6;    /* of the highest peak */
static const double low_least = 1e-6; /* of all of a source lies in its lowest octaves at least: then no leak of these would show */
static const double end_reach_most = 0.00316; /* -50 dB: an end of the cell is looked at alone where that little would be found */

static void *take_aligned(arena *memory, size_t byte_size)
{
    return (void *)(((uintptr_t)arena_take(memory, byte_size + 64) + 63) & ~(uintptr_t)63);
}

static float *aligned_floats(arena *memory, size_t count)
{
    return take_aligned(memory, count * sizeof(float));
}

render_bleed *render_bleed_make(const render_program *program, const dsp_table *dsp, arena *memory)
{
    if (program->input_count > STEM_BLEED_LANES_MAX)
        return NULL;
    render_bleed *self = arena_take(memory, sizeof *self);
    self->dsp = dsp;
    self->lane_count = program->input_count;
    for (uint32_t i = 0; i < self->lane_count; i++) {
        if (i == 0 || program->inputs[i].stem != program->inputs[i - 1].stem)
            self->group_count++;
        self->group_of[i] = (uint8_t)(self->group_count - 1);
        self->label_of[i] = program->inputs[i].label;
        self->received[i] = program->inputs[i].stem == RENDER_STEM_RECEIVED;
    }
    if (self->group_count < 2 || self->group_count > STEM_GROUPS_MAX)
        return NULL;
    lane_fft_init(&self->fft);
    for (uint32_t i = 0; i < SIZE; i++)
        self->window[i] = 0.5f - 0.5f * self->fft.cosine[i];
    for (uint32_t k = FIRST_BIN; k < BINS; k++)
        self->tilt[k] = 1.0f / sqrtf(sqrtf((float)k)); /* roots alone: the same on every machine */
    bleed_make_skirts(self);
    for (int delay = 0; delay <= STEM_DELAY_MAX; delay++) {
        self->inverse_width[delay] = (float)(1.0 / bleed_chance_width(self, delay));
        self->same_width[delay] = 1.0f;
    }
    for (uint32_t g = 1; g < GROUPS; g++)
        self->group_tilt[g] = self->tilt[g * GROUP + GROUP / 2];
    self->captured = aligned_floats(memory, (size_t)self->lane_count * CELL_ROW);
    uintptr_t page = ((uintptr_t)self->captured + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    (void)madvise((void *)page, ((size_t)self->lane_count * CELL_ROW - PAGE_BYTES) * sizeof(float), MADV_HUGEPAGE); /* advice */
    self->silence = arena_take_array(memory, SIZE, sizeof *self->silence);
    self->real = aligned_floats(memory, LANE_FFT_FLOATS);
    self->imaginary = aligned_floats(memory, LANE_FFT_FLOATS);
    self->work = aligned_floats(memory, 2 * (size_t)LANE_FFT_FLOATS);
    size_t bins = (size_t)self->lane_count * STEM_WINDOWS * BINS_ROW;
    float **spectra[] = {&self->even_re, &self->even_im, &self->root_level, &self->root_inverse};
    for (size_t i = 0; i < sizeof spectra / sizeof spectra[0]; i++)
        *spectra[i] = aligned_floats(memory, bins);
    self->lines_re = aligned_floats(memory, (size_t)CROSSED * BINS_ROW);
    self->lines_im = aligned_floats(memory, (size_t)CROSSED * BINS_ROW);
    self->group_root = aligned_floats(memory, bins / GROUP);
    self->group_inverse = aligned_floats(memory, bins / GROUP);
    float **edges[] = {&self->edge_re, &self->edge_im, &self->edge_level, &self->edge_inverse, &self->edge_weight};
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++)
        *edges[i] = aligned_floats(memory, (size_t)BATCH * BINS_ROW);
    self->pairs = arena_take_array(memory, (size_t)self->lane_count * self->lane_count, sizeof *self->pairs);
    self->ends = arena_take_array(memory, (size_t)BLEED_ENDS * PAIRS_TRIED, sizeof *self->ends);
    self->heard_ends = arena_take_array(memory, (size_t)BLEED_ENDS * PAIRS_TRIED * END_PEAKS, sizeof *self->heard_ends);
    self->step_sums = arena_take_array(memory, STEPS_ABREAST, sizeof *self->step_sums);
    self->step_scores = arena_take_array(memory, STEPS_ABREAST, sizeof *self->step_scores);
    for (size_t i = 0; i < 2; i++)
        self->beyond[i] = arena_take_array(memory, SIZE, sizeof(float));
    return self;
}

void render_bleed_begin(render_bleed *self, uint32_t frame_count)
{
    self->frame_count = frame_count;
    self->step_count = stem_step_count(frame_count);
    self->window_count = stem_window_count(frame_count);
    memset(self->sounded, 0, sizeof self->sounded);
}

static float *frames_at(const render_bleed *self, uint32_t lane, uint32_t cell_frame)
{
    return self->captured + (size_t)lane * CELL_ROW + cell_frame;
}

/* A lane's next frames are kept, or silence, which is there already but for what is left of the cell before. */
static void note_frames(render_bleed *self, uint32_t lane, uint32_t cell_frame, uint32_t frame_count, bool sounds)
{
    uint32_t end = cell_frame + frame_count;
    uint32_t *held = &self->held[lane];
    if (!sounds && cell_frame < *held) {
        memset(frames_at(self, lane, cell_frame), 0, (*held < end ? *held - cell_frame : frame_count) * sizeof(float));
        *held = *held <= end ? self->sounded[lane] : *held;
    }
    if (sounds) {
        self->sounded[lane] = end;
        *held = *held < end ? end : *held;
    }
}

void render_bleed_take(render_bleed *self, uint32_t tile, const double *samples, uint32_t cell_frame, uint32_t frame_count,
                       double squares[TILE_LANES])
{
    const uint32_t first = tile * TILE_LANES;
    const uint32_t count = self->lane_count - first < TILE_LANES ? self->lane_count - first : TILE_LANES;
    float *rows[TILE_LANES] = {NULL};
    float *late[TILE_LANES] = {NULL};
    bool any_late = false;
    for (uint32_t lane = 0; lane < count; lane++) { /* what sounded until now will go on, mostly */
        bool goes_on = cell_frame > 0 && self->sounded[first + lane] == cell_frame;
        rows[lane] = goes_on ? frames_at(self, first + lane, cell_frame) : NULL;
    }
    self->dsp->rows_of_tile(samples, frame_count, count, rows, squares);
    for (uint32_t lane = 0; lane < count; lane++) {
        bool sounds = squares[lane] != 0.0; /* squares that add up to nothing are those of silence */
        late[lane] = sounds && rows[lane] == NULL ? frames_at(self, first + lane, cell_frame) : NULL;
        any_late = any_late || late[lane] != NULL;
        note_frames(self, first + lane, cell_frame, frame_count, sounds);
    }
    double again[TILE_LANES] = {0.0};
    if (any_late)
        self->dsp->rows_of_tile(samples, frame_count, count, late, again);
}

/* ---- which pairs ---- */

/* What a leak at unity and chance add up to in some windows; `low`: one that has the lowest octaves alone. */
typedef struct reach_sums {
    double signal, low, noise;
} reach_sums;

/* The smallest gain that would reach the score; 0: the source does not play. */
static double reach_of(double signal, double noise)
{
    return signal > 0.0 ? score_min * sqrt(noise / 2.0) / signal : 0.0;
}

static double sum_eight(const float of[8])
{
    double sum = 0.0;
    for (uint32_t i = 0; i < 8; i++)
        sum += (double)of[i];
    return sum;
}

/* In the whole cell; `ends`: in the windows at its beginning and end alone. */
static reach_sums pair_reach(const render_bleed *self, uint32_t source, uint32_t host, reach_sums ends[BLEED_ENDS])
{
    reach_sums all = {0.0, 0.0, 0.0};
    memset(ends, 0, BLEED_ENDS * sizeof *ends);
    for (uint32_t w = 0; w < self->window_count; w++) {
        if (self->power[source][w] < BLEED_ACTIVE_POWER)
            continue;
        enum { SUMS = 8 }; /* sums that do not wait for each other; the same ones on every machine */
        static_assert(LOW_GROUPS % SUMS == 0, "the lowest octaves end with a round");
        const float *restrict root = self->group_root + bleed_spectrum_at(source, w) / GROUP;
        const float *restrict inverse = self->group_inverse + bleed_spectrum_at(host, w) / GROUP;
        float signals[SUMS] = {0.0f};
        float noises[SUMS] = {0.0f};
        reach_sums own = {0.0, 0.0, 0.0};
        for (uint32_t g = 0; g < GROUPS; g += SUMS) {
            if (g == LOW_GROUPS)
                own.low = sum_eight(signals) * GROUP;
            for (uint32_t i = 0; i < SUMS; i++) {
                float of_pair = root[g + i] * inverse[g + i];
                float counted = bleed_bin_weight(of_pair) * self->group_tilt[g + i];
                signals[i] += counted * (of_pair * of_pair);
                noises[i] += counted * counted;
            }
        }
        own.signal = sum_eight(signals) * GROUP;
        own.noise = sum_eight(noises) * GROUP;
        all.signal += own.signal;
        all.low += own.low;
        all.noise += own.noise;
        for (uint32_t end = 0; end < BLEED_ENDS; end++)
            if (w >= bleed_end_window(self, end) && w < bleed_end_window(self, end) + END_WINDOWS) {
                ends[end].signal += own.signal;
                ends[end].noise += own.noise;
            }
    }
    return all;
}

static bool host_silent(const render_bleed *self, uint32_t lane)
{
    double power = 0.0;
    for (uint32_t w = 0; w < self->window_count; w++)
        power += self->power[lane][w];
    return power == 0.0;
}

static int by_reach(const void *a, const void *b)
{
    const bleed_pair *left = a;
    const bleed_pair *right = b;
    if (left->received != right->received)
        return left->received ? -1 : 1;
    if (left->reach != right->reach)
        return left->reach < right->reach ? -1 : 1;
    if (left->source != right->source)
        return left->source < right->source ? -1 : 1;
    return (int)left->host - (int)right->host;
}

/* A received programme holds the stems by intent: there only the same channel is looked at, for a delay. */
static bool pair_wanted(const render_bleed *self, uint32_t source, uint32_t host)
{
    if (self->group_of[source] == self->group_of[host] || self->received[source])
        return false;
    return !self->received[host] || self->label_of[source] == self->label_of[host];
}

static void choose_pairs(render_bleed *self, stem_features *features, uint64_t turn)
{
    self->pair_count = 0;
    features->all_pairs = true;
    memset(features->reach, 0, sizeof features->reach);
    memset(features->reach_low, 0, sizeof features->reach_low);
    for (uint32_t source = 0; source < self->lane_count; source++)
        for (uint32_t host = 0; host < self->lane_count; host++) {
            if (!pair_wanted(self, source, host))
                continue;
            if (host_silent(self, host))
                continue; /* where nothing is, nothing leaked */
            reach_sums ends[BLEED_ENDS];
            const reach_sums sums = pair_reach(self, source, host, ends);
            const double reach = reach_of(sums.signal, sums.noise);
            if (reach <= 0.0)
                continue;
            /* Of a pair of stems the worst channel counts: anything smaller might have been missed somewhere. */
            float *most = &features->reach[self->group_of[source]][self->group_of[host]];
            float *most_low = &features->reach_low[self->group_of[source]][self->group_of[host]];
            const double low = reach_of(fmax(sums.low, low_least * sums.signal), sums.noise);
            *most = fmaxf(*most, (float)reach);
            *most_low = fmaxf(*most_low, (float)low);
            if (reach <= STEM_LEAK_REACH_MOST)
                self->pairs[self->pair_count++] = (bleed_pair){.source = (uint16_t)source,
                                                               .host = (uint16_t)host,
                                                               .reach = reach,
                                                               .end_reach = {reach_of(ends[0].signal, ends[0].noise),
                                                                             reach_of(ends[1].signal, ends[1].noise)},
                                                               .received = self->received[host]};
        }
    if (self->pair_count > 1)
        qsort(self->pairs, self->pair_count, sizeof self->pairs[0], by_reach);
    uint32_t received = 0; /* at most one for each channel of a stem; they stand first and are all tried */
    while (received < self->pair_count && self->pairs[received].received)
        received++;
    if (self->pair_count - received <= PAIRS_TRIED)
        return;
    /* The others have their turn from cell to cell. */
    features->all_pairs = false;
    bleed_pair *ranked = self->pairs + received;
    uint32_t others = self->pair_count - received - PAIRS_BEST;
    uint32_t first = (uint32_t)(turn * (PAIRS_TRIED - PAIRS_BEST) % others);
    bleed_pair chosen[PAIRS_TRIED - PAIRS_BEST];
    for (uint32_t i = 0; i < PAIRS_TRIED - PAIRS_BEST; i++)
        chosen[i] = ranked[PAIRS_BEST + (first + i) % others];
    memcpy(ranked + PAIRS_BEST, chosen, sizeof chosen);
    self->pair_count = received + PAIRS_TRIED;
}

/* ---- what is heard ---- */

/* The cell as a whole has shown it too. */
static bool known_leak(const stem_features *features, const stem_leak *leak)
{
    for (uint32_t i = 0; i < features->leak_count; i++)
        if (features->leaks[i].source == leak->source && features->leaks[i].host == leak->host &&
            abs(features->leaks[i].delay - leak->delay) <= STEM_DELAY_SLACK)
            return true;
    return false;
}

/*
 * Of sounds that repeat, or hold their tones, a leak is heard at several delays nearly as well, and chance may make another than
 * its own the highest: then the one counts with which the windows are explained best.
 */
static void choose_delays(render_bleed *self, bleed_pair *pairs, uint32_t count)
{
    bleed_peak peaks[CROSSED * END_PEAKS];
    bleed_correlate(self, pairs, count, 0, END_PEAKS, peaks);
    for (uint32_t p = 0; p < count; p++) {
        bleed_pair tried[END_PEAKS];
        uint32_t tried_count = 0;
        for (const bleed_peak *peak = peaks + (size_t)p * END_PEAKS; peak < peaks + (size_t)(p + 1) * END_PEAKS; peak++)
            if (peak->score >= nearly * pairs[p].score && !self->received[pairs[p].host]) {
                tried[tried_count] = pairs[p];
                tried[tried_count].delay = peak->delay;
                tried[tried_count++].score = peak->score;
            }
        if (tried_count > 1)
            pairs[p] = tried[bleed_best_shown(self, tried, tried_count)];
    }
}

/* Of up to CROSSED pairs that are heard: which of them are leaks. */
static void try_heard(render_bleed *self, const bleed_pair *pairs, uint32_t count, stem_features *features)
{
    bleed_peak chance[CROSSED];
    bleed_pair kept[CROSSED];
    const bleed_pair *likely[CROSSED];
    uint32_t likely_count = 0;
    stem_leak leaks[CROSSED];
    bool clear[CROSSED];
    bleed_correlate(self, pairs, count, self->window_count / 2, 1, chance);
    for (uint32_t p = 0; p < count; p++) {
        bool in_place = self->received[pairs[p].host] && pairs[p].delay == 0;
        if (pairs[p].score >= chance[p].score && !in_place) {
            chance[likely_count] = chance[p];
            likely[likely_count] = &kept[likely_count];
            kept[likely_count++] = pairs[p];
        }
    }
    if (likely_count > 0 && !kept[0].at_end)
        choose_delays(self, kept, likely_count);
    for (uint32_t p = 0; p < likely_count; p++)
        leaks[p] = (stem_leak){.source = likely[p]->source,
                               .host = likely[p]->host,
                               .delay = (int16_t)likely[p]->delay,
                               .score = (float)likely[p]->score,
                               .chance = (float)chance[p].score};
    bleed_describe(self, likely, likely_count, leaks, clear);
    for (uint32_t p = 0; p < likely_count && features->leak_count < STEM_LEAKS_MAX; p++) {
        if (!clear[p] || (likely[p]->at_end && known_leak(features, &leaks[p])))
            continue;
        features->leaks[features->leak_count++] = leaks[p];
    }
}

static bool is_heard(const render_bleed *self, bleed_pair *pair, const bleed_peak *peak)
{
    pair->score = peak->score;
    pair->delay = peak->delay;
    double width = bleed_chance_width(self, peak->delay);
    pair->stands_out = !pair->at_end && peak->score >= BLEED_END_HEARD_MIN * width;
    return peak->score >= (pair->at_end ? BLEED_END_HEARD_MIN : heard_min) * width;
}

/*
 * Leaves only the pairs whose correlation rises out of chance, in their order: what is asked about those costs as much again.
 * Those of which an end of the cell would show what the whole does not are put into `ends`.
 */
static void keep_heard(render_bleed *self)
{
    uint32_t heard = 0;
    self->end_count = 0;
    for (uint32_t first = 0; first < self->pair_count; first += CROSSED) {
        uint32_t count = self->pair_count - first < CROSSED ? self->pair_count - first : CROSSED;
        bleed_peak peaks[CROSSED];
        bleed_correlate(self, self->pairs + first, count, 0, 1, peaks);
        for (uint32_t p = 0; p < count; p++) {
            bleed_pair pair = self->pairs[first + p];
            if (is_heard(self, &pair, &peaks[p]))
                self->pairs[heard++] = pair;
            if (pair.score >= score_min)
                continue;
            pair.at_end = true;
            for (pair.end = 0; pair.end < BLEED_ENDS && !pair.received && self->window_count > END_WINDOWS; pair.end++)
                if (pair.end_reach[pair.end] > 0.0 && pair.end_reach[pair.end] <= end_reach_most)
                    self->ends[self->end_count++] = pair;
        }
    }
    self->pair_count = heard;
    heard = 0;
    for (uint32_t first = 0; first < self->end_count; first += CROSSED) {
        uint32_t count = self->end_count - first < CROSSED ? self->end_count - first : CROSSED;
        bleed_peak peaks[CROSSED * END_PEAKS];
        bleed_correlate(self, self->ends + first, count, 0, END_PEAKS, peaks);
        for (uint32_t i = 0; i < count * END_PEAKS; i++) {
            bleed_pair pair = self->ends[first + i / END_PEAKS];
            if (is_heard(self, &pair, &peaks[i]))
                self->heard_ends[heard++] = pair;
        }
    }
    self->end_count = heard;
}

static void try_all(render_bleed *self, const bleed_pair *pairs, uint32_t count, stem_features *features)
{
    for (uint32_t first = 0; first < count; first += CROSSED)
        try_heard(self, pairs + first, count - first < CROSSED ? count - first : CROSSED, features);
}

status render_bleed_end(render_bleed *self, stem_features *features, const cell_beyond *beyond)
{
    features->leak_count = 0;
    features->window_count = self->window_count < 2 ? 0 : (uint8_t)self->window_count;
    features->group_count = self->window_count < 2 ? 0 : (uint8_t)self->group_count;
    if (self->window_count < 2)
        return STATUS_OK; /* one window has nothing to be out of time with */
    bleed_transform_windows(self);
    choose_pairs(self, features, features->programme_frame / CELL_FRAMES);
    keep_heard(self);
    try_all(self, self->pairs, self->pair_count, features);
    try_all(self, self->heard_ends, self->end_count, features);
    return bleed_look_beyond(self, features, beyond);
}
