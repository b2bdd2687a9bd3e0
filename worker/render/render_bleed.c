/*
 * Looks for what one stem leaves in another: in eight windows of each cell, by the cross-spectrum of source and host, both
 * brought to even power, each bin counted by how far the host lies below the source there. So it listens where and when the
 * host is quiet. One transform back gives the correlation at every delay at once; its peak, in standard deviations of chance,
 * is compared with the peak that the same windows give out of time.
 *
 * Everything is plain double or float arithmetic in a fixed order over the cell alone: results depend neither on the cut of
 * tasks nor on the machine.
 */
#include "worker/render/render_parts.h"

#include "common/measure/leak_fit.h"
#include "worker/dsp/lane_fft.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    SIZE = LANE_FFT_SIZE,
    SPAN = SIZE + 2 * STEM_DELAY_MAX, /* a window and what lies around it: a leak is measured against its source at its time */
    BINS = SIZE / 2,
    FIRST_BIN = 4,     /* 47 Hz at 48 kHz: below, windows of 85 ms tell nothing */
    GROUP = 8,         /* bins that are one for choosing pairs */
    GROUPS = BINS / GROUP,
    SMOOTH = 8,        /* the host's power is averaged over so many bins on each side */
    NEAR = 2,          /* bins on each side that share a Hann window's noise */
    PAIRS_TRIED = 128, /* per cell; the best and, in turn, the others */
    PAIRS_BEST = 96,
    BATCH = 2 * TILE_LANES
};

static_assert((int)LANE_FFT_SIZE == (int)STEM_WINDOW_FRAMES, "a window is one transform");

static const double active_power = 1e-6; /* -60 dBFS: below, a source does not count as playing */
static const double least_power = 1e-15; /* -150 dBFS: the host's power is never taken for less (24-bit rounding is -149) */
static const double score_min = STEM_LEAK_SCORE_MIN;
static const double heard_min = 5.0;     /* 2,049 delays of pure chance reach 4: from here on it may go on from a cell beside */
static const float weight_most = 10.0f;  /* 40 dB */
static const double reach_most = 0.1;    /* -20 dB: a pair in which only more would be found is not tried */

typedef struct bleed_pair {
    uint16_t source, host;
    double reach;  /* smallest gain that would be found */
    bool received; /* the host is a channel of a received programme */
} bleed_pair;

struct render_bleed {
    const dsp_table *dsp;
    uint32_t lane_count, tile_count;
    uint8_t group_of[STEM_BLEED_LANES_MAX];
    uint8_t label_of[STEM_BLEED_LANES_MAX];
    bool received[STEM_BLEED_LANES_MAX];
    uint32_t group_count;
    uint32_t window_count;                                 /* of this cell */
    lane_fft fft;
    double window[SIZE];
    double *captured;                                      /* [tile][window][SPAN][TILE_LANES] */
    double *real, *imaginary, *work;
    float *even_re, *even_im;                              /* [lane][window][BINS] spectra of even power */
    float *root_level, *root_inverse;                      /* [lane][window][BINS] the root of the amplitude they had */
    float *group_level, *group_inverse;                    /* [lane][window][GROUPS] */
    double power[STEM_BLEED_LANES_MAX][STEM_WINDOWS];      /* mean square; 0 everywhere: silent, and without spectra */
    bool white[STEM_BLEED_LANES_MAX];
    bleed_pair *pairs;
    uint32_t pair_count;
};

static double *aligned_doubles(arena *memory, size_t count)
{
    return (double *)(((uintptr_t)arena_take(memory, count * sizeof(double) + 64) + 63) & ~(uintptr_t)63);
}

render_bleed *render_bleed_make(const render_program *program, const dsp_table *dsp, arena *memory)
{
    if (program->input_count > STEM_BLEED_LANES_MAX)
        return NULL;
    render_bleed *self = arena_take(memory, sizeof *self);
    self->dsp = dsp;
    self->lane_count = program->input_count;
    self->tile_count = (self->lane_count + TILE_LANES - 1) / TILE_LANES;
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
        self->window[i] = 0.5 - 0.5 * self->fft.cosine[i];
    size_t frame_doubles = (size_t)SIZE * TILE_LANES;
    self->captured = aligned_doubles(memory, (size_t)self->tile_count * STEM_WINDOWS * SPAN * TILE_LANES);
    self->real = aligned_doubles(memory, frame_doubles);
    self->imaginary = aligned_doubles(memory, frame_doubles);
    self->work = aligned_doubles(memory, 2 * frame_doubles);
    size_t bins = (size_t)self->lane_count * STEM_WINDOWS * BINS;
    float **spectra[] = {&self->even_re, &self->even_im, &self->root_level, &self->root_inverse};
    for (size_t i = 0; i < sizeof spectra / sizeof spectra[0]; i++)
        *spectra[i] = arena_take_array(memory, bins, sizeof(float));
    self->group_level = arena_take_array(memory, bins / GROUP, sizeof(float));
    self->group_inverse = arena_take_array(memory, bins / GROUP, sizeof(float));
    self->pairs = arena_take_array(memory, (size_t)self->lane_count * self->lane_count, sizeof *self->pairs);
    return self;
}

void render_bleed_begin(render_bleed *self, uint32_t frame_count)
{
    self->window_count = stem_window_count(frame_count);
}

void render_bleed_take(render_bleed *self, double *const *tiles, uint32_t cell_frame, uint32_t frame_count)
{
    uint32_t window = cell_frame / (CELL_FRAMES / STEM_WINDOWS);
    uint32_t last = (cell_frame + frame_count - 1) / (CELL_FRAMES / STEM_WINDOWS);
    for (; window <= last && window < self->window_count; window++) {
        uint32_t start = stem_window_frame(window) - STEM_DELAY_MAX;
        uint32_t from = cell_frame > start ? cell_frame : start;
        uint32_t end = cell_frame + frame_count < start + SPAN ? cell_frame + frame_count : start + SPAN;
        for (uint32_t t = 0; from < end && t < self->tile_count; t++)
            memcpy(self->captured + ((size_t)(t * STEM_WINDOWS + window) * SPAN + (from - start)) * TILE_LANES,
                   tiles[t] + (size_t)(from - cell_frame) * TILE_LANES, (size_t)(end - from) * TILE_LANES * sizeof(double));
    }
}

static size_t spectrum_at(uint32_t lane, uint32_t window)
{
    return ((size_t)lane * STEM_WINDOWS + window) * BINS;
}

/* One line of the spectrum of lane l, of the first or second of the two windows that were transformed together. */
static void unpack_line(const render_bleed *self, uint32_t k, uint32_t l, bool second, float *re, float *im)
{
    size_t i = (size_t)k * TILE_LANES + l;
    size_t j = (size_t)(SIZE - k) * TILE_LANES + l;
    double r = second ? (self->imaginary[i] + self->imaginary[j]) / 2.0 : (self->real[i] + self->real[j]) / 2.0;
    double m = second ? (self->real[j] - self->real[i]) / 2.0 : (self->imaginary[i] - self->imaginary[j]) / 2.0;
    bool finite = isfinite(r) && isfinite(m);
    *re = finite ? (float)r : 0.0f;
    *im = finite ? (float)m : 0.0f;
}

static void unpack_spectrum(render_bleed *self, uint32_t lane, uint32_t l, uint32_t window, bool second)
{
    size_t at = spectrum_at(lane, window);
    double energy = 0.0;
    self->even_re[at] = self->even_im[at] = 0.0f;
    for (uint32_t k = 1; k < BINS; k++) {
        unpack_line(self, k, l, second, &self->even_re[at + k], &self->even_im[at + k]);
        energy += (double)self->even_re[at + k] * (double)self->even_re[at + k] +
                  (double)self->even_im[at + k] * (double)self->even_im[at + k];
    }
    /* A Hann window's mean square is 3/8. */
    self->power[lane][window] = 2.0 * energy / ((double)SIZE * SIZE * 3.0 / 8.0);
}

/* The power of a lane in a window, smoothed over neighbouring bins: sums[k] is that of the bins below k. */
static void add_up_power(const float *restrict re, const float *restrict im, double *restrict sums)
{
    sums[0] = 0.0;
    for (uint32_t k = 0; k < BINS; k++)
        sums[k + 1] = sums[k] + ((double)re[k] * (double)re[k] + (double)im[k] * (double)im[k]);
}

/* The power of so many bins, smoothed; never less than the least. */
static double mean_power(double sum, double bins)
{
    const double least = least_power * SIZE * 3.0 / 8.0;
    double mean = sum / bins;
    return mean > least ? mean : least;
}

static double smoothed_power(const double *sums, uint32_t k)
{
    uint32_t first = k < SMOOTH ? 0 : k - SMOOTH;
    uint32_t end = k + SMOOTH + 1 > BINS ? BINS : k + SMOOTH + 1;
    return mean_power(sums[end] - sums[first], (double)(end - first));
}

/* For choosing pairs a lane's level is looked at in every eighth bin. */
static void find_levels(render_bleed *self, uint32_t lane, uint32_t window)
{
    size_t at = spectrum_at(lane, window);
    double sums[BINS + 1];
    add_up_power(self->even_re + at, self->even_im + at, sums);
    for (uint32_t g = 0; g < GROUPS; g++) {
        double level = sqrt(smoothed_power(sums, g * GROUP + GROUP / 2));
        self->group_level[at / GROUP + g] = (float)level;
        self->group_inverse[at / GROUP + g] = (float)(1.0 / level);
    }
}

/* The spectra of a lane that is in a pair are brought to even power, and the level they had is kept beside them. */
static void whiten(render_bleed *self, uint32_t lane)
{
    if (self->white[lane])
        return;
    self->white[lane] = true;
    for (uint32_t w = 0; w < self->window_count; w++) {
        size_t at = spectrum_at(lane, w);
        double sums[BINS + 1];
        double power[BINS];
        double inverse[BINS];
        double root[BINS];
        double inverse_root[BINS];
        float *restrict re = self->even_re + at;
        float *restrict im = self->even_im + at;
        float *restrict levels = self->root_level + at;
        float *restrict inverses = self->root_inverse + at;
        add_up_power(re, im, sums);
        for (uint32_t k = 0; k < SMOOTH; k++) {
            power[k] = smoothed_power(sums, k);
            power[BINS - 1 - k] = smoothed_power(sums, BINS - 1 - k);
        }
        for (uint32_t k = SMOOTH; k < BINS - SMOOTH; k++) /* all of them over as many bins: in a loop of its own they go abreast */
            power[k] = mean_power(sums[k + SMOOTH + 1] - sums[k - SMOOTH], 2 * SMOOTH + 1);
        self->dsp->square_roots(power, BINS, power, inverse);
        self->dsp->square_roots(power, BINS, root, inverse_root);
        for (uint32_t k = 0; k < BINS; k++) {
            levels[k] = (float)root[k];
            inverses[k] = (float)inverse_root[k];
            re[k] *= (float)inverse[k];
            im[k] *= (float)inverse[k];
        }
    }
}

/* A lane's frame where a window begins, moved by up to STEM_DELAY_MAX; the next frame lies TILE_LANES behind it. */
static const double *window_frames(const render_bleed *self, uint32_t lane, uint32_t window, int moved)
{
    size_t frame = (size_t)(lane / TILE_LANES * STEM_WINDOWS + window) * SPAN + (size_t)(STEM_DELAY_MAX + moved);
    return self->captured + frame * TILE_LANES + lane % TILE_LANES;
}

static bool lane_silent(const render_bleed *self, uint32_t lane)
{
    for (uint32_t w = 0; w < self->window_count; w++) {
        const double *frames = window_frames(self, lane, w, 0);
        for (uint32_t i = 0; i < SIZE; i++)
            if (frames[(size_t)i * TILE_LANES] != 0.0)
                return false;
    }
    return true;
}

/* A window of a lane goes into lane l of the transform, as its real or imaginary part; none: silence. */
static void load_window(const render_bleed *self, const double *frames, double *part, uint32_t l)
{
    for (uint32_t i = 0; i < SIZE; i++)
        part[(size_t)i * TILE_LANES + l] = frames != NULL ? frames[(size_t)i * TILE_LANES] * self->window[i] : 0.0;
}

/* Two windows of the lane lanes[l] go into lane l of the transform. */
static void load_windows(render_bleed *self, const uint16_t *lanes, uint32_t count, uint32_t window, bool both)
{
    for (uint32_t l = 0; l < TILE_LANES; l++) {
        load_window(self, l < count ? window_frames(self, lanes[l], window, 0) : NULL, self->real, l);
        load_window(self, l < count && both ? window_frames(self, lanes[l], window + 1, 0) : NULL, self->imaginary, l);
    }
}

static void transform_windows(render_bleed *self)
{
    uint16_t playing[STEM_BLEED_LANES_MAX];
    uint32_t playing_count = 0;
    memset(self->power, 0, sizeof self->power);
    memset(self->white, 0, sizeof self->white);
    for (uint32_t lane = 0; lane < self->lane_count; lane++)
        if (!lane_silent(self, lane))
            playing[playing_count++] = (uint16_t)lane;
    for (uint32_t first = 0; first < playing_count; first += TILE_LANES)
        for (uint32_t w = 0; w < self->window_count; w += 2) {
            uint32_t count = playing_count - first < TILE_LANES ? playing_count - first : TILE_LANES;
            bool both = w + 1 < self->window_count;
            load_windows(self, playing + first, count, w, both);
            lane_fft_forward(&self->fft, self->dsp, self->real, self->imaginary, self->work);
            for (uint32_t l = 0; l < count; l++)
                for (uint32_t second = 0; second < (both ? 2u : 1u); second++) {
                    unpack_spectrum(self, playing[first + l], l, w + second, second == 1);
                    find_levels(self, playing[first + l], w + second);
                }
        }
}

/* ---- which pairs ---- */

/*
 * How a bin counts: by the root of the ratio of source to host. The ratio itself would be best for a leak that is everywhere;
 * but where the host is all but silent because nothing leaks there it must not outweigh the bins and windows in which
 * something does.
 */
static float bin_weight(float root_of_ratio)
{
    return root_of_ratio < weight_most ? root_of_ratio : weight_most;
}

/* The smallest gain that would reach the score. */
static double pair_reach(const render_bleed *self, uint32_t source, uint32_t host)
{
    double signal = 0.0;
    double noise = 0.0;
    for (uint32_t w = 0; w < self->window_count; w++) {
        if (self->power[source][w] < active_power)
            continue;
        const float *restrict level = self->group_level + spectrum_at(source, w) / GROUP;
        const float *restrict inverse = self->group_inverse + spectrum_at(host, w) / GROUP;
        float signal_here = 0.0f;
        float noise_here = 0.0f;
        for (uint32_t g = 1; g < GROUPS; g++) {
            float ratio = level[g] * inverse[g];
            float counted = bin_weight(sqrtf(ratio));
            signal_here += counted * ratio;
            noise_here += counted * counted;
        }
        signal += (double)signal_here * GROUP;
        noise += (double)noise_here * GROUP;
    }
    return signal > 0.0 ? score_min * sqrt(noise / 2.0) / signal : 0.0;
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
    for (uint32_t source = 0; source < self->lane_count; source++)
        for (uint32_t host = 0; host < self->lane_count; host++) {
            if (!pair_wanted(self, source, host))
                continue;
            if (host_silent(self, host))
                continue; /* where nothing is, nothing leaked */
            double reach = pair_reach(self, source, host);
            if (reach <= 0.0)
                continue;
            float *best = &features->reach[self->group_of[source]][self->group_of[host]];
            /* Of a pair of stems the worst channel counts: anything smaller might have been missed somewhere. */
            if ((float)reach > *best)
                *best = (float)reach;
            if (reach <= reach_most)
                self->pairs[self->pair_count++] = (bleed_pair){.source = (uint16_t)source,
                                                               .host = (uint16_t)host,
                                                               .reach = reach,
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

/* ---- one batch of pairs ---- */

/* Cross-spectrum, over all windows, of host window w and source window w + moved. Returns what chance adds up to. */
static double cross(const render_bleed *self, const bleed_pair *pair, uint32_t moved, float *restrict re, float *restrict im)
{
    float squares[BINS];
    memset(re, 0, BINS * sizeof *re);
    memset(im, 0, BINS * sizeof *im);
    memset(squares, 0, sizeof squares);
    const cross_sums sums = {re, im, squares};
    for (uint32_t w = 0; w < self->window_count; w++) {
        uint32_t at = (w + moved) % self->window_count;
        if (self->power[pair->source][at] < active_power)
            continue;
        size_t host_at = spectrum_at(pair->host, w);
        size_t source_at = spectrum_at(pair->source, at);
        const spectrum_part host = {self->even_re + host_at, self->even_im + host_at, self->root_inverse + host_at};
        const spectrum_part source = {self->even_re + source_at, self->even_im + source_at, self->root_level + source_at};
        self->dsp->cross_add(&source, &host, weight_most, BINS, &sums);
    }
    double noise = 0.0;
    for (uint32_t k = FIRST_BIN; k < BINS; k++)
        noise += (double)squares[k];
    return noise;
}

typedef struct bleed_peak {
    double score;
    int delay;
} bleed_peak;

/* Heights of the correlations of up to BATCH pairs: two in each lane, as real and imaginary part. */
static void find_peaks(render_bleed *self, const bleed_pair *pairs, uint32_t count, uint32_t moved, bleed_peak *peaks)
{
    float re[BINS];
    float im[BINS];
    double noises[BATCH] = {0.0};
    memset(self->real, 0, (size_t)SIZE * TILE_LANES * sizeof(double));
    memset(self->imaginary, 0, (size_t)SIZE * TILE_LANES * sizeof(double));
    for (uint32_t p = 0; p < count; p++) {
        uint32_t l = p / 2;
        whiten(self, pairs[p].source);
        whiten(self, pairs[p].host);
        noises[p] = cross(self, &pairs[p], moved, re, im);
        for (uint32_t k = FIRST_BIN; k < BINS; k++) {
            size_t i = (size_t)k * TILE_LANES + l;
            size_t j = (size_t)(SIZE - k) * TILE_LANES + l;
            double r = (double)re[k];
            double m = (double)im[k];
            self->real[i] += p % 2 == 0 ? r : -m;
            self->imaginary[i] += p % 2 == 0 ? m : r;
            self->real[j] += p % 2 == 0 ? r : m;
            self->imaginary[j] += p % 2 == 0 ? -m : r;
        }
    }
    lane_fft_forward(&self->fft, self->dsp, self->real, self->imaginary, self->work);
    for (uint32_t p = 0; p < count; p++) {
        const double *values = p % 2 == 0 ? self->real : self->imaginary;
        peaks[p] = (bleed_peak){0.0, 0};
        for (int delay = -STEM_DELAY_MAX; delay <= STEM_DELAY_MAX; delay++) {
            double height = fabs(values[(size_t)((uint32_t)(SIZE - delay) % SIZE) * TILE_LANES + p / 2]);
            if (height > peaks[p].score)
                peaks[p] = (bleed_peak){height, delay};
        }
        /* Both halves of the spectrum are in the sum, so the height is twice the real one's; chance: sqrt(noise / 2). */
        peaks[p].score = noises[p] > 0.0 ? peaks[p].score / 2.0 / sqrt(noises[p] / 2.0) : 0.0;
    }
}

/*
 * What source and host have in common in one window, octave by octave, with the source at the time of the leak (window w of the
 * transform that is in lane w / 2). Bins are weighted by the host's power beside them: with their own in it, bins that chance has
 * raised would count less, and the gain would come out too small. Returns how far the window stands out.
 */
static double sum_window(const render_bleed *self, const bleed_pair *pair, uint32_t w, leak_sums *sums)
{
    const float *restrict hr = self->even_re + spectrum_at(pair->host, w);
    const float *restrict hi = self->even_im + spectrum_at(pair->host, w);
    const float *restrict host_root = self->root_inverse + spectrum_at(pair->host, w);
    const float *restrict source_root = self->root_level + spectrum_at(pair->source, w);
    double height = 0.0;
    double chance = 0.0;
    uint32_t band = 0;
    for (uint32_t k = FIRST_BIN; k < BINS; k++) {
        while (band + 1 < STEM_BANDS && k >= (uint32_t)FIRST_BIN << (band + 1))
            band++;
        double near = 0.0;
        for (uint32_t i = k - NEAR; i <= k + NEAR && i < BINS; i++)
            near += (double)(hr[i] * hr[i] + hi[i] * hi[i]);
        double weight = (2 * SMOOTH + 1 - (2 * NEAR + 1)) / fmax(2 * SMOOTH + 1 - near, 3.0);
        float source_re = 0.0f;
        float source_im = 0.0f;
        unpack_line(self, k, w / 2, w % 2 == 1, &source_re, &source_im);
        double inverse = (double)host_root[k] * (double)host_root[k];
        double sr = (double)source_re * inverse;
        double si = (double)source_im * inverse;
        double re = (double)hr[k] * sr + (double)hi[k] * si;
        double im = (double)hi[k] * sr - (double)hr[k] * si;
        float root = source_root[k] * host_root[k];
        double counted = (double)bin_weight(root);
        height += counted * re / ((double)root * (double)root);
        chance += counted * counted;
        leak_sums *at = &sums[band];
        at->own += weight * (sr * sr + si * si);
        at->re += weight * re;
        at->im += weight * im;
        at->host += weight * (double)(hr[k] * hr[k] + hi[k] * hi[k]);
        at->bins++;
    }
    return chance > 0.0 ? height / sqrt(chance / 2.0) : 0.0;
}

/* The source's windows, each as much earlier as the leak is later, are transformed anew: all eight at once. */
static bool describe(render_bleed *self, const bleed_pair *pair, stem_leak *leak)
{
    leak_sums sums[STEM_WINDOWS][STEM_BANDS];
    double scores[STEM_WINDOWS] = {0.0};
    memset(sums, 0, sizeof sums);
    for (uint32_t l = 0; l < TILE_LANES; l++)
        for (uint32_t second = 0; second < 2; second++) {
            uint32_t w = 2 * l + second;
            const double *frames = w < self->window_count ? window_frames(self, pair->source, w, -leak->delay) : NULL;
            load_window(self, frames, second == 1 ? self->imaginary : self->real, l);
        }
    lane_fft_forward(&self->fft, self->dsp, self->real, self->imaginary, self->work);
    for (uint32_t w = 0; w < self->window_count; w++)
        if (self->power[pair->source][w] >= active_power)
            scores[w] = sum_window(self, pair, w, sums[w]);
    return leak_fit(leak, (const leak_sums(*)[STEM_BANDS])sums, scores, self->window_count);
}

static_assert(STEM_WINDOWS <= 2 * TILE_LANES, "the windows of a lane fit one transform");

static void try_batch(render_bleed *self, const bleed_pair *pairs, uint32_t count, stem_features *features)
{
    bleed_peak peaks[BATCH];
    bleed_peak chance[BATCH];
    find_peaks(self, pairs, count, 0, peaks);
    bool any = false;
    for (uint32_t p = 0; p < count; p++)
        any = any || peaks[p].score >= heard_min;
    if (!any)
        return;
    find_peaks(self, pairs, count, self->window_count / 2, chance);
    for (uint32_t p = 0; p < count && features->leak_count < STEM_LEAKS_MAX; p++) {
        bool in_place = self->received[pairs[p].host] && peaks[p].delay == 0;
        if (peaks[p].score < heard_min || peaks[p].score < chance[p].score || in_place)
            continue;
        stem_leak *leak = &features->leaks[features->leak_count];
        *leak = (stem_leak){.source = pairs[p].source,
                            .host = pairs[p].host,
                            .delay = (int16_t)peaks[p].delay,
                            .score = (float)peaks[p].score,
                            .chance = (float)chance[p].score};
        if (describe(self, &pairs[p], leak))
            features->leak_count++;
    }
}

void render_bleed_end(render_bleed *self, stem_features *features)
{
    features->leak_count = 0;
    features->window_count = self->window_count < 2 ? 0 : (uint8_t)self->window_count;
    features->group_count = self->window_count < 2 ? 0 : (uint8_t)self->group_count;
    if (self->window_count < 2)
        return; /* one window has nothing to be out of time with */
    transform_windows(self);
    choose_pairs(self, features, features->programme_frame / CELL_FRAMES);
    for (uint32_t first = 0; first < self->pair_count; first += BATCH)
        try_batch(self, self->pairs + first, self->pair_count - first < BATCH ? self->pair_count - first : BATCH, features);
}
