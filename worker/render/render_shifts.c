/*
 * At which time each stem lies in a received programme: the phase transform of both as the sum of their channels (without
 * LFE), over two windows of a cell. It asks for no level and no matrix, so it works on any layout; what else is in the mix is
 * noise to it.
 */
#include "worker/render/render_parts.h"

#include "worker/dsp/fft.h"

#include <math.h>
#include <string.h>

enum {
    SIZE = STEM_SHIFT_FRAMES,
    WINDOWS = STEM_SHIFT_WINDOWS,
    STEP = CELL_FRAMES / STEM_SHIFT_WINDOWS,
    OFFSET = (STEP - SIZE) / 2
};

static_assert((1 << STEM_SHIFT_LOG2) == (int)STEM_SHIFT_FRAMES && (int)SIZE <= (int)STEP, "a window is one transform and lies in a cell");

static const double active_power = 1e-6; /* -60 dBFS */
static const double least_line = 1e-6;   /* lines 60 dB below the strongest say nothing */

struct render_shifts {
    uint32_t lane_count, group_count, window_count;
    uint8_t group_of[PROGRAM_INPUT_LANES_MAX];
    bool mixed[PROGRAM_INPUT_LANES_MAX]; /* not an LFE */
    fft_plan fft;
    double *window;
    double *sound; /* [group][WINDOWS][SIZE] */
    double *re, *im, *cross_re, *cross_im;
};

render_shifts *render_shifts_make(const render_program *program, arena *memory)
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
    }
    if (self->group_count < 2)
        return NULL;
    fft_plan_init(&self->fft, STEM_SHIFT_LOG2, memory);
    self->window = arena_take_array(memory, SIZE, sizeof(double));
    for (uint32_t i = 0; i < SIZE; i++) { /* a Hann window, of the plan's cosines */
        double cosine = i < SIZE / 2 ? self->fft.cosine[i] : -self->fft.cosine[i - SIZE / 2];
        self->window[i] = 0.5 - 0.5 * cosine;
    }
    self->sound = arena_take_array(memory, (size_t)self->group_count * WINDOWS * SIZE, sizeof(double));
    double **parts[] = {&self->re, &self->im, &self->cross_re, &self->cross_im};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        *parts[i] = arena_take_array(memory, SIZE, sizeof(double));
    return self;
}

void render_shifts_begin(render_shifts *self, uint32_t frame_count)
{
    self->window_count = 0;
    while (self->window_count < WINDOWS && self->window_count * STEP + OFFSET + SIZE <= frame_count)
        self->window_count++;
    memset(self->sound, 0, (size_t)self->group_count * WINDOWS * SIZE * sizeof(double));
}

void render_shifts_take(render_shifts *self, double *const *tiles, uint32_t frame, uint32_t frame_count)
{
    for (uint32_t w = 0; w < self->window_count; w++) {
        uint32_t start = w * STEP + OFFSET;
        uint32_t from = frame > start ? frame : start;
        uint32_t end = frame + frame_count < start + SIZE ? frame + frame_count : start + SIZE;
        for (uint32_t lane = 0; from < end && lane < self->lane_count; lane++) {
            const double *samples = tiles[lane / TILE_LANES] + lane % TILE_LANES;
            double *sound = self->sound + ((size_t)self->group_of[lane] * WINDOWS + w) * SIZE;
            for (uint32_t f = from; self->mixed[lane] && f < end; f++)
                sound[f - start] += samples[(size_t)(f - frame) * TILE_LANES];
        }
    }
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

void render_shifts_end(render_shifts *self, stem_features *features)
{
    memset(features->shifts, 0, sizeof features->shifts);
    for (uint32_t group = 1; group < self->group_count; group++) {
        memset(self->cross_re, 0, SIZE * sizeof(double));
        memset(self->cross_im, 0, SIZE * sizeof(double));
        uint32_t count = 0;
        for (uint32_t w = 0; w < self->window_count; w++)
            count += add_phases(self, group, w);
        if (count == 0)
            continue;
        fft_run(&self->fft, self->cross_im, self->cross_re); /* swapped: the inverse */
        double most = 0.0;
        stem_shift_peak *peak = &features->shifts[group];
        for (int lag = -STEM_SHIFT_MAX; lag <= STEM_SHIFT_MAX; lag++) {
            double height = fabs(self->cross_re[(uint32_t)(lag + SIZE) % SIZE]);
            if (height > most) {
                most = height;
                peak->samples = (int16_t)lag;
            }
        }
        peak->score = (float)(most / sqrt(count / 2.0));
        peak->score_in_place = (float)(fabs(self->cross_re[0]) / sqrt(count / 2.0));
    }
}
