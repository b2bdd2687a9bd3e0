/*
 * The cross-spectra of a received stereo programme and the channels of its stems, added over 300 Hz to 6 kHz in two windows of a
 * cell: what turns channels in phase, as Lt/Rt does, is in their imaginary parts.
 */
#include "worker/render/render_parts.h"

#include "worker/dsp/fft.h"

#include <math.h>
#include <string.h>

enum {
    LOG2 = 14,
    SIZE = 1 << LOG2,
    WINDOWS = 2,
    LOW_HZ = 300,
    HIGH_HZ = 6000
};

static const cell_windows windows = {SIZE, WINDOWS};

struct render_phases {
    uint32_t lane_count, window_count;
    uint32_t first_bin, bin_count;
    fft_plan fft;
    double *window;
    double *sound;                        /* [lane][WINDOWS][SIZE] */
    double *re, *im;                      /* of one transform */
    double *spectra_re, *spectra_im;      /* [lane][bin_count] of one window */
    double *sums_re, *sums_im;
};

render_phases *render_phases_make(const render_program *program, const dsp_table *dsp, arena *memory)
{
    uint32_t lanes = program->input_count;
    uint32_t outputs = 0;
    for (uint32_t i = 0; i < lanes; i++)
        outputs += program->inputs[i].stem == RENDER_STEM_RECEIVED;
    if (outputs != 2 || lanes > STEM_PHASE_LANES_MAX)
        return NULL;
    render_phases *self = arena_take(memory, sizeof *self);
    *self = (render_phases){.lane_count = lanes};
    self->first_bin = (uint32_t)((uint64_t)LOW_HZ * SIZE / program->sample_rate);
    self->bin_count = (uint32_t)((uint64_t)HIGH_HZ * SIZE / program->sample_rate) - self->first_bin;
    if (self->first_bin + self->bin_count >= SIZE / 2)
        return NULL;
    fft_plan_init(&self->fft, dsp, LOG2, memory);
    self->window = fft_hann_window(&self->fft, memory);
    self->sound = arena_take_array(memory, (size_t)lanes * WINDOWS * SIZE, sizeof(double));
    self->re = arena_take_array(memory, SIZE, sizeof(double));
    self->im = arena_take_array(memory, SIZE, sizeof(double));
    self->spectra_re = arena_take_array(memory, (size_t)lanes * self->bin_count, sizeof(double));
    self->spectra_im = arena_take_array(memory, (size_t)lanes * self->bin_count, sizeof(double));
    self->sums_re = arena_take_array(memory, STEM_PHASE_SUMS_MAX, sizeof(double));
    self->sums_im = arena_take_array(memory, STEM_PHASE_SUMS_MAX, sizeof(double));
    return self;
}

void render_phases_begin(render_phases *self, uint32_t frame_count)
{
    self->window_count = cell_windows_within(windows, frame_count);
    memset(self->sound, 0, (size_t)self->lane_count * WINDOWS * SIZE * sizeof(double));
}

void render_phases_take(render_phases *self, double *const *tiles, uint32_t frame, uint32_t frame_count)
{
    for (uint32_t w = 0; w < self->window_count; w++)
        for (uint32_t lane = 0; lane < self->lane_count; lane++)
            cell_window_add(windows, w, tiles, lane, frame, frame_count, self->sound + ((size_t)lane * WINDOWS + w) * SIZE);
}

/* Two lanes in one transform. */
static void find_spectra(render_phases *self, uint32_t lane, uint32_t w)
{
    bool pair = lane + 1 < self->lane_count;
    const double *a = self->sound + ((size_t)lane * WINDOWS + w) * SIZE;
    const double *b = pair ? a + (size_t)WINDOWS * SIZE : NULL;
    for (uint32_t i = 0; i < SIZE; i++) {
        self->re[i] = a[i] * self->window[i];
        self->im[i] = pair ? b[i] * self->window[i] : 0.0;
    }
    fft_run(&self->fft, self->re, self->im);
    for (uint32_t i = 0; i < self->bin_count; i++) {
        uint32_t k = self->first_bin + i;
        size_t at = (size_t)lane * self->bin_count + i;
        self->spectra_re[at] = self->re[k] + self->re[SIZE - k];
        self->spectra_im[at] = self->im[k] - self->im[SIZE - k];
        if (!pair)
            continue;
        self->spectra_re[at + self->bin_count] = self->im[k] + self->im[SIZE - k];
        self->spectra_im[at + self->bin_count] = self->re[SIZE - k] - self->re[k];
    }
}

static void add_products(render_phases *self)
{
    for (uint32_t i = 0; i < self->lane_count; i++)
        for (uint32_t j = 0; j <= i; j++) {
            const double *ar = self->spectra_re + (size_t)i * self->bin_count;
            const double *ai = self->spectra_im + (size_t)i * self->bin_count;
            const double *br = self->spectra_re + (size_t)j * self->bin_count;
            const double *bi = self->spectra_im + (size_t)j * self->bin_count;
            double re = 0.0;
            double im = 0.0;
            for (uint32_t k = 0; k < self->bin_count; k++) {
                re += ar[k] * br[k] + ai[k] * bi[k];
                im += ai[k] * br[k] - ar[k] * bi[k];
            }
            self->sums_re[stem_sum_index(i, j)] += re;
            self->sums_im[stem_sum_index(i, j)] += im;
        }
}

void render_phases_end(render_phases *self, stem_features *features)
{
    uint32_t count = stem_sum_count(self->lane_count, true);
    memset(self->sums_re, 0, count * sizeof(double));
    memset(self->sums_im, 0, count * sizeof(double));
    for (uint32_t w = 0; w < self->window_count; w++) {
        for (uint32_t lane = 0; lane < self->lane_count; lane += 2)
            find_spectra(self, lane, w);
        add_products(self);
    }
    features->phased = self->window_count > 0;
    for (uint32_t i = 0; i < count; i++) {
        features->phases[i] = (stem_cross){(float)self->sums_re[i], (float)self->sums_im[i]};
        features->phased = features->phased && isfinite(features->phases[i].re) && isfinite(features->phases[i].im);
    }
}
