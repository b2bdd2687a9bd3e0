/* The spectra of windows of all lanes, as the search for bleed needs them. */
#include "worker/render/bleed_spectra.h"

#include <math.h>
#include <string.h>

static const double least_power = 1e-15; /* -150 dBFS: the host's power is never taken for less (24-bit rounding is -149) */

/* Both parts of a line, or nothing of it where one is no number. */
static void keep_line(float re, float im, float *out_re, float *out_im)
{
    float none = (re - re) + (im - im); /* 0, or not a number */
    *out_re = none == 0.0f ? re : 0.0f;
    *out_im = none == 0.0f ? im : 0.0f;
}

void bleed_unpack_lines(render_bleed *self)
{
    _Alignas(64) float lines[4][LINES * FFT_LANES]; /* both parts of each lane's first window, then of its second */
    for (uint32_t first = 0; first < BINS; first += LINES) {
        for (uint32_t k = first; k < first + LINES; k++) {
            const float *re = self->real + (size_t)k * FFT_LANES;
            const float *im = self->imaginary + (size_t)k * FFT_LANES;
            const float *mirror_re = self->real + (size_t)((SIZE - k) % SIZE) * FFT_LANES;
            const float *mirror_im = self->imaginary + (size_t)((SIZE - k) % SIZE) * FFT_LANES;
            const size_t at = (size_t)(k - first) * FFT_LANES;
            for (uint32_t l = 0; l < FFT_LANES; l++) {
                keep_line((re[l] + mirror_re[l]) * 0.5f, (im[l] - mirror_im[l]) * 0.5f, &lines[0][at + l], &lines[1][at + l]);
                keep_line((im[l] + mirror_im[l]) * 0.5f, (mirror_re[l] - re[l]) * 0.5f, &lines[2][at + l], &lines[3][at + l]);
            }
        }
        for (uint32_t part = 0; part < 4; part++) {
            float *rows[FFT_LANES];
            for (uint32_t l = 0; l < FFT_LANES; l++)
                rows[l] = (part % 2 == 0 ? self->lines_re : self->lines_im) + (size_t)(2 * l + part / 2) * BINS_ROW + first;
            self->dsp->rows_of_lanes(lines[part], LINES, rows);
        }
    }
    for (uint32_t p = 0; p < BATCH; p++)
        self->lines_re[(size_t)p * BINS_ROW] = self->lines_im[(size_t)p * BINS_ROW] = 0.0f;
}

/* The power of two spectra, smoothed over neighbouring bins: sums[k] is that of the bins below k, and waits for the one before. */
static void add_up_powers(const float *restrict re, const float *restrict im, double sums[2][BINS + 1])
{
    const float *restrict re_2 = re + BINS_ROW;
    const float *restrict im_2 = im + BINS_ROW;
    double sum = sums[0][0] = 0.0;
    double sum_2 = sums[1][0] = 0.0;
    for (uint32_t k = 0; k < BINS; k++) {
        sum += (double)re[k] * (double)re[k] + (double)im[k] * (double)im[k];
        sum_2 += (double)re_2[k] * (double)re_2[k] + (double)im_2[k] * (double)im_2[k];
        sums[0][k + 1] = sum;
        sums[1][k + 1] = sum_2;
    }
}

/* The power of so many bins, smoothed; held between the least and 1e30 as a float, so that the loops over bins go abreast. */
static float mean_power(double sum, double bins)
{
    const float least = (float)(least_power * SIZE * 3.0 / 8.0);
    const float most = 1e30f;
    float mean = (float)(sum / bins);
    mean = mean > least ? mean : least;
    return mean < most ? mean : most;
}

static float smoothed_power(const double *sums, uint32_t k)
{
    uint32_t first = k < SMOOTH ? 0 : k - SMOOTH;
    uint32_t end = k + SMOOTH + 1 > BINS ? BINS : k + SMOOTH + 1;
    return mean_power(sums[end] - sums[first], (double)(end - first));
}

static double even_out(const render_bleed *self, const float *re, const float *im, const double *restrict sums,
                       const bleed_rows *rows)
{
    float power[BINS];
    float inverse[BINS];
    float *restrict even_re = rows->re;
    float *restrict even_im = rows->im;
    for (uint32_t k = 0; k < SMOOTH; k++) {
        power[k] = smoothed_power(sums, k);
        power[BINS - 1 - k] = smoothed_power(sums, BINS - 1 - k);
    }
    for (uint32_t k = SMOOTH; k < BINS - SMOOTH; k++) /* all of them over as many bins: in a loop of its own they go abreast */
        power[k] = mean_power(sums[k + SMOOTH + 1] - sums[k - SMOOTH], 2 * SMOOTH + 1);
    self->dsp->square_roots(power, BINS, power, inverse);
    self->dsp->square_roots(power, BINS, rows->level, rows->inverse);
    for (uint32_t k = 0; k < BINS; k++) {
        even_re[k] = re[k] * inverse[k];
        even_im[k] = im[k] * inverse[k];
    }
    /* A Hann window's mean square is 3/8. */
    return 2.0 * sums[BINS] / ((double)SIZE * SIZE * 3.0 / 8.0);
}

void bleed_even_out(const render_bleed *self, const float *re, const float *im, const bleed_rows rows[2], double out_powers[2])
{
    double sums[2][BINS + 1];
    add_up_powers(re, im, sums);
    for (uint32_t i = 0; i < 2; i++)
        out_powers[i] = even_out(self, re + i * BINS_ROW, im + i * BINS_ROW, sums[i], &rows[i]);
}

static bleed_rows rows_of(const render_bleed *self, size_t at)
{
    return (bleed_rows){self->even_re + at, self->even_im + at, self->root_level + at, self->root_inverse + at};
}

/* Takes two spectra over, and their power. For choosing pairs a lane's level is looked at in every eighth bin. */
static void take_spectra(render_bleed *self, uint32_t lane, uint32_t window, const float *re, const float *im)
{
    static_assert(STEM_WINDOWS % 2 == 0, "there is room for the second where there is one for the first");
    size_t at = bleed_spectrum_at(lane, window);
    bleed_even_out(self, re, im, (bleed_rows[]){rows_of(self, at), rows_of(self, at + BINS_ROW)}, &self->power[lane][window]);
    for (uint32_t i = 0; i < 2; i++, at += BINS_ROW) {
        for (uint32_t g = 0; g < GROUPS; g++) {
            self->group_root[at / GROUP + g] = self->root_level[at + g * GROUP + GROUP / 2];
            self->group_inverse[at / GROUP + g] = self->root_inverse[at + g * GROUP + GROUP / 2];
        }
        self->group_root[at / GROUP] = 0.0f; /* its bins are below the first that counts, or beside it */
    }
}

const float *bleed_window_frames(const render_bleed *self, uint32_t lane, uint32_t window, int moved)
{
    return self->captured + (size_t)lane * CELL_ROW + (size_t)((int)stem_window_frame(self->frame_count, window) + moved);
}

static bool lane_silent(const render_bleed *self, uint32_t lane)
{
    for (uint32_t w = 0; w < self->window_count; w++) {
        const float *frames = bleed_window_frames(self, lane, w, 0);
        for (uint32_t i = 0; i < SIZE; i++)
            if (frames[i] != 0.0f)
                return false;
    }
    return true;
}

void bleed_load_windows(render_bleed *self, const float *frames[FFT_LANES][2])
{
    const float *rows[2][FFT_LANES];
    for (uint32_t i = 0; i < 2 * FFT_LANES; i++)
        rows[i % 2][i / 2] = frames[i / 2][i % 2] == NULL ? self->silence : frames[i / 2][i % 2];
    self->dsp->lanes_of_rows(rows[0], self->window, SIZE, self->real);
    self->dsp->lanes_of_rows(rows[1], self->window, SIZE, self->imaginary);
}

void bleed_transform_windows(render_bleed *self)
{
    uint16_t playing[STEM_BLEED_LANES_MAX];
    uint32_t playing_count = 0;
    uint32_t twos = (self->window_count + 1) / 2; /* windows of a lane go by twos, as one signal's parts */
    memset(self->power, 0, sizeof self->power);
    for (uint32_t lane = 0; lane < self->lane_count; lane++)
        if (!lane_silent(self, lane))
            playing[playing_count++] = (uint16_t)lane;
    for (uint32_t first = 0; first < playing_count * twos; first += FFT_LANES) {
        uint32_t count = playing_count * twos - first < FFT_LANES ? playing_count * twos - first : FFT_LANES;
        const float *frames[FFT_LANES][2] = {{NULL}};
        for (uint32_t p = 0; p < 2 * count; p++) {
            uint32_t window = (first + p / 2) % twos * 2 + p % 2;
            if (window < self->window_count)
                frames[p / 2][p % 2] = bleed_window_frames(self, playing[(first + p / 2) / twos], window, 0);
        }
        bleed_load_windows(self, frames);
        lane_fft_forward(&self->fft, self->dsp, self->real, self->imaginary, self->work);
        bleed_unpack_lines(self);
        for (uint32_t l = 0; l < count; l++)
            take_spectra(self, playing[(first + l) / twos], (first + l) % twos * 2, self->lines_re + 2 * l * BINS_ROW,
                         self->lines_im + 2 * l * BINS_ROW);
    }
}
