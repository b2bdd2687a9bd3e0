/*
 * At which time each stem lies in a received programme, in cells that gains of the stems' channels do not explain: the phase
 * transform of both as the sum of their channels (without LFE), over two windows of a cell. It asks for no level and no matrix, so
 * it works on any layout; what else is in the mix is noise to it. Of its highest peaks, and of few samples around none, the one is
 * right with which the stems' sums explain the programme's best: music repeats, and the peak of dull sound is flat.
 */
#include "worker/render/render_parts.h"

#include "common/measure/stem_solve.h"
#include "worker/dsp/fft.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    SIZE = STEM_SHIFT_FRAMES,
    WINDOWS = STEM_SHIFT_WINDOWS,
    PEAKS = 3,
    NEAR = 3,
    FIT_FRAMES = SIZE - 2 * STEM_SHIFT_MAX, /* that every lag leaves in a window */
    FIT_GROUPS_MAX = 13                     /* the programme and twelve stems; of more, the highest peak is taken */
};

static_assert((int)FIT_FRAMES > 0 && (int)FIT_FRAMES % 4 == 0, "sums run four abreast");
static_assert((1 << STEM_SHIFT_LOG2) == (int)STEM_SHIFT_FRAMES && (int)SIZE <= (int)CELL_FRAMES / (int)WINDOWS, "a window is one transform and lies in a cell");

static const cell_windows windows = {SIZE, WINDOWS};
static const double active_power = 1e-6; /* -60 dBFS */
static const double least_line = 1e-6;   /* lines 60 dB below the strongest say nothing */
static const double audible_power = 1e-8; /* -80 dBFS over the cell: a residual below is told nowhere */
static const double least_own = 1e-4;    /* as in the truth */
static const double least_left = 1e-10;  /* of the programme's energy: rounding */

typedef struct shift_fit {
    double a[FIT_GROUPS_MAX * FIT_GROUPS_MAX], b[FIT_GROUPS_MAX], own;
} shift_fit;

struct render_shifts {
    uint32_t lane_count, output_count, group_count, window_count;
    uint8_t group_of[PROGRAM_INPUT_LANES_MAX];
    bool mixed[PROGRAM_INPUT_LANES_MAX]; /* not an LFE */
    fft_plan fft;
    double *window;
    double *sound; /* [group][WINDOWS][SIZE] */
    double *re, *im, *cross_re, *cross_im;
    shift_fit fit; /* with all stems in place */
    render_phases *phases; /* or NULL; taken in the same cells */
};

render_shifts *render_shifts_make(const render_program *program, const dsp_table *dsp, arena *memory)
{
    if (program->input_count == 0 || program->inputs[0].stem != RENDER_STEM_RECEIVED)
        return NULL;
    render_shifts *self = arena_take(memory, sizeof *self);
    *self = (render_shifts){.lane_count = program->input_count};
    for (uint32_t i = 0; i < self->lane_count; i++) {
        self->group_count += i == 0 || program->inputs[i].stem != program->inputs[i - 1].stem;
        if (self->group_count > STEM_GROUPS_MAX)
            return NULL;
        self->group_of[i] = (uint8_t)(self->group_count - 1);
        self->mixed[i] = program->inputs[i].label != CHANNEL_LFE;
        self->output_count += program->inputs[i].stem == RENDER_STEM_RECEIVED;
    }
    if (self->group_count < 2)
        return NULL;
    self->phases = render_phases_make(program, dsp, memory);
    fft_plan_init(&self->fft, dsp, STEM_SHIFT_LOG2, memory);
    self->window = fft_hann_window(&self->fft, memory);
    self->sound = arena_take_array(memory, (size_t)self->group_count * WINDOWS * SIZE, sizeof(double));
    double **parts[] = {&self->re, &self->im, &self->cross_re, &self->cross_im};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        *parts[i] = arena_take_array(memory, SIZE, sizeof(double));
    return self;
}

void render_shifts_begin(render_shifts *self, uint32_t frame_count)
{
    self->window_count = cell_windows_within(windows, frame_count);
    memset(self->sound, 0, (size_t)self->group_count * WINDOWS * SIZE * sizeof(double));
    if (self->phases != NULL)
        render_phases_begin(self->phases, frame_count);
}

void render_shifts_take(render_shifts *self, double *const *tiles, uint32_t frame, uint32_t frame_count)
{
    if (self->phases != NULL)
        render_phases_take(self->phases, tiles, frame, frame_count);
    for (uint32_t w = 0; w < self->window_count; w++)
        for (uint32_t lane = 0; lane < self->lane_count; lane++)
            if (self->mixed[lane])
                cell_window_add(windows, w, tiles, lane, frame, frame_count,
                                self->sound + ((size_t)self->group_of[lane] * WINDOWS + w) * SIZE);
}

/* Adds the phases that programme and stem have between them in one window; returns how many. */
static uint32_t add_phases(render_shifts *self, uint32_t group, uint32_t w)
{
    const double *programme = self->sound + (size_t)w * SIZE;
    const double *stem = self->sound + ((size_t)group * WINDOWS + w) * SIZE;
    double power = 0.0;
    for (uint32_t i = 0; i < SIZE; i++) {
        self->re[i] = programme[i] * self->window[i];
        self->im[i] = stem[i] * self->window[i];
        power += stem[i] * stem[i];
    }
    if (!isfinite(power) || power < active_power * SIZE)
        return 0;
    fft_run(&self->fft, self->re, self->im);
    double most = 0.0;
    for (uint32_t pass = 0, count = 0; pass < 2; pass++)
        for (uint32_t k = 1; k < SIZE / 2; k++) {
            /* Two real signals in one transform. */
            double pr = self->re[k] + self->re[SIZE - k];
            double pi = self->im[k] - self->im[SIZE - k];
            double sr = self->im[k] + self->im[SIZE - k];
            double si = self->re[SIZE - k] - self->re[k];
            double line = sr * sr + si * si;
            if (pass == 0) {
                most = fmax(most, line);
                continue;
            }
            double cr = pr * sr + pi * si;
            double ci = pi * sr - pr * si;
            double length = sqrt(cr * cr + ci * ci);
            if (line >= least_line * most && length > 0.0 && isfinite(length)) {
                self->cross_re[k] += cr / length;
                self->cross_im[k] += ci / length;
                count++;
            }
            if (k + 1 == SIZE / 2)
                return count;
        }
    return 0;
}

/* ---- which of the peaks it is ---- */

static double dot(const render_shifts *self, uint32_t a, int lag_a, uint32_t b, int lag_b)
{
    double sums[4] = {0.0};
    for (uint32_t w = 0; w < self->window_count; w++) {
        const double *left = self->sound + ((size_t)a * WINDOWS + w) * SIZE + (STEM_SHIFT_MAX - lag_a);
        const double *right = self->sound + ((size_t)b * WINDOWS + w) * SIZE + (STEM_SHIFT_MAX - lag_b);
        for (uint32_t f = 0; f < FIT_FRAMES; f += 4)
            for (uint32_t k = 0; k < 4; k++)
                sums[k] += left[f + k] * right[f + k];
    }
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

static void fill_fit(render_shifts *self)
{
    uint32_t count = self->group_count - 1;
    shift_fit *fit = &self->fit;
    for (uint32_t i = 0; i < count; i++) {
        fit->b[i] = dot(self, i + 1, 0, 0, 0);
        for (uint32_t j = 0; j <= i; j++)
            fit->a[i * count + j] = fit->a[j * count + i] = dot(self, i + 1, 0, j + 1, 0);
    }
    fit->own = dot(self, 0, 0, 0, 0);
}

/* The part of the programme's energy that no gains explain, with one stem, or all of them (group 0), at another time. */
static double part_left(render_shifts *self, uint32_t group, int lag)
{
    uint32_t count = self->group_count - 1;
    shift_fit at = self->fit;
    for (uint32_t i = 0; i < count && lag != 0; i++) {
        if (group == 0) {
            at.b[i] = dot(self, i + 1, lag, 0, 0);
            for (uint32_t j = 0; j <= i; j++)
                at.a[i * count + j] = at.a[j * count + i] = dot(self, i + 1, lag, j + 1, lag);
            continue;
        }
        uint32_t e = group - 1;
        at.a[i * count + e] = at.a[e * count + i] = dot(self, i + 1, i == e ? lag : 0, group, lag);
    }
    if (group > 0 && lag != 0)
        at.b[group - 1] = dot(self, group, lag, 0, 0);
    double x[FIT_GROUPS_MAX];
    double partial[FIT_GROUPS_MAX];
    stem_solve(count, at.a, at.b, least_own, x, partial);
    double left = at.own;
    for (uint32_t i = 0; i < count; i++)
        left -= x[i] * at.b[i];
    return fmax(left / at.own, 0.0) + least_left;
}

/* Of a few candidates the lag that leaves the least, where that is less than half of what no shift leaves. */
static void choose_lag(render_shifts *self, uint32_t group, const int *peaks, uint32_t peak_count, double in_place,
                       stem_shift_peak *peak)
{
    double best = 0.5 * in_place;
    for (uint32_t i = 0; i <= peak_count; i++) /* around no shift too: there the peak of a dull sound is flat */
        for (int near = -NEAR; near <= NEAR; near++) {
            int lag = (i < peak_count ? peaks[i] : 0) + near;
            if (lag == 0 || lag < -STEM_SHIFT_MAX || lag > STEM_SHIFT_MAX || (i < peak_count && abs(lag) <= NEAR) ||
                (i < peak_count && abs(near) > 1))
                continue;
            double left = part_left(self, group, lag);
            if (left < best) {
                best = left;
                peak->samples = (int16_t)lag;
                peak->left = (float)(left / in_place);
            }
        }
}

/* The highest peaks of the correlation, apart from each other. */
static uint32_t find_peaks(const render_shifts *self, int *out_lags)
{
    for (uint32_t count = 0; count < PEAKS; count++) {
        double most = 0.0;
        for (int lag = -STEM_SHIFT_MAX; lag <= STEM_SHIFT_MAX; lag++) {
            bool taken = false;
            for (uint32_t i = 0; i < count; i++)
                taken = taken || abs(lag - out_lags[i]) <= NEAR;
            double height = fabs(self->cross_re[(uint32_t)(lag + SIZE) % SIZE]);
            if (!taken && height > most) {
                most = height;
                out_lags[count] = lag;
            }
        }
        if (most <= 0.0)
            return count;
    }
    return PEAKS;
}

/* True where gains of the stems' channels do not explain what the cell holds: only there a stem may lie at another time. */
static bool needs_search(const render_shifts *self, const stem_features *features)
{
    uint32_t outputs = self->output_count;
    uint32_t count = self->lane_count - outputs;
    if (count > STEM_UNKNOWNS_MAX)
        return true;
    double a[STEM_UNKNOWNS_MAX * STEM_UNKNOWNS_MAX] = {0.0};
    uint32_t sum_count = stem_sum_count(self->lane_count, true);
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < count; j++)
            for (uint32_t block = 0; block < features->block_count; block++)
                a[i * count + j] += features->sums[(size_t)block * sum_count + stem_sum_index(outputs + i, outputs + j)];
    for (uint32_t o = 0; o < outputs; o++) {
        double b[STEM_UNKNOWNS_MAX] = {0.0};
        double x[STEM_UNKNOWNS_MAX];
        double partial[STEM_UNKNOWNS_MAX];
        double left = 0.0;
        for (uint32_t block = 0; block < features->block_count; block++) {
            const double *sums = features->sums + (size_t)block * sum_count;
            left += sums[stem_sum_index(o, o)];
            for (uint32_t i = 0; i < count; i++)
                b[i] += sums[stem_sum_index(o, outputs + i)];
        }
        stem_solve(count, a, b, least_own, x, partial);
        for (uint32_t i = 0; i < count; i++)
            left -= x[i] * b[i];
        if (left > audible_power * features->frame_count)
            return true;
    }
    return false;
}

static uint32_t find_group(render_shifts *self, uint32_t group, stem_shift_peak *peak, int *out_lags)
{
    uint32_t count = 0;
    memset(self->cross_re, 0, SIZE * sizeof(double));
    memset(self->cross_im, 0, SIZE * sizeof(double));
    for (uint32_t w = 0; w < self->window_count; w++)
        count += add_phases(self, group, w);
    if (count == 0)
        return 0;
    fft_run(&self->fft, self->cross_im, self->cross_re); /* swapped: the inverse */
    uint32_t peak_count = find_peaks(self, out_lags);
    double unit = sqrt(count / 2.0);
    peak->samples = peak_count == 0 ? 0 : (int16_t)out_lags[0];
    peak->score = peak_count == 0 ? 0.0f : (float)(fabs(self->cross_re[(uint32_t)(out_lags[0] + SIZE) % SIZE]) / unit);
    peak->score_in_place = (float)(fabs(self->cross_re[0]) / unit);
    return peak_count;
}

void render_shifts_end(render_shifts *self, stem_features *features)
{
    memset(features->shifts, 0, sizeof features->shifts);
    features->phased = false;
    if (!needs_search(self, features))
        return;
    if (self->phases != NULL)
        render_phases_end(self->phases, features);
    int whole[FIT_GROUPS_MAX];
    uint32_t whole_count = 0;
    bool fits = self->group_count <= FIT_GROUPS_MAX && self->window_count > 0;
    if (fits)
        fill_fit(self);
    fits = fits && isfinite(self->fit.own) && self->fit.own > active_power * FIT_FRAMES;
    double in_place = fits ? part_left(self, 0, 0) : 1.0;
    for (uint32_t group = 1; group < self->group_count; group++) {
        int lags[PEAKS];
        stem_shift_peak *peak = &features->shifts[group];
        uint32_t peak_count = find_group(self, group, peak, lags);
        peak->left = 1.0f;
        if (peak_count == 0 || !fits)
            continue;
        choose_lag(self, group, lags, peak_count, in_place, peak);
        whole[whole_count++] = lags[0];
    }
    features->shifts[0].left = 1.0f;
    if (whole_count > 0)
        choose_lag(self, 0, whole, whole_count, in_place, &features->shifts[0]);
}
