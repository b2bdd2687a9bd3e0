/* The spectra of windows of all lanes, as the search for bleed needs them. */
#include "worker/render/bleed_spectra.h"

#include <math.h>
#include <string.h>

static const double least_power = 1e-15; /* -150 dBFS: the host's power is never taken for less (24-bit rounding is -149) */

static void keep_line(double re, double im, float *out_re, float *out_im)
{
    bool finite = isfinite(re) && isfinite(im);
    *out_re = finite ? (float)re : 0.0f;
    *out_im = finite ? (float)im : 0.0f;
}

/* Row by row, as they lie: lane by lane each row would come from memory sixteen times. */
void bleed_unpack_lines(render_bleed *self, uint32_t count)
{
    for (uint32_t p = 0; p < 2 * count; p++)
        self->lines_re[p * BINS_ROW] = self->lines_im[p * BINS_ROW] = 0.0f;
    for (uint32_t k = 1; k < BINS; k++) {
        const double *re = self->real + (size_t)k * TILE_LANES;
        const double *im = self->imaginary + (size_t)k * TILE_LANES;
        const double *mirror_re = self->real + (size_t)(SIZE - k) * TILE_LANES;
        const double *mirror_im = self->imaginary + (size_t)(SIZE - k) * TILE_LANES;
        for (uint32_t l = 0; l < count; l++) {
            float *lines_re = self->lines_re + (size_t)(2 * l) * BINS_ROW + k;
            float *lines_im = self->lines_im + (size_t)(2 * l) * BINS_ROW + k;
            keep_line((re[l] + mirror_re[l]) / 2.0, (im[l] - mirror_im[l]) / 2.0, lines_re, lines_im);
            keep_line((im[l] + mirror_im[l]) / 2.0, (mirror_re[l] - re[l]) / 2.0, lines_re + BINS_ROW, lines_im + BINS_ROW);
        }
    }
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

/* Brings a spectrum to even power and keeps the level it had. sums: of its power. */
static void even_out(const render_bleed *self, size_t at, const float *re, const float *im, const double *sums)
{
    double power[BINS];
    double inverse[BINS];
    double root[BINS];
    double inverse_root[BINS];
    float *restrict even_re = self->even_re + at;
    float *restrict even_im = self->even_im + at;
    float *restrict levels = self->root_level + at;
    float *restrict inverses = self->root_inverse + at;
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
        even_re[k] = re[k] * (float)inverse[k];
        even_im[k] = im[k] * (float)inverse[k];
    }
}

/* Takes a spectrum over, and its power. For choosing pairs a lane's level is looked at in every eighth bin. */
static void take_spectrum(render_bleed *self, uint32_t lane, uint32_t window, const float *re, const float *im)
{
    size_t at = bleed_spectrum_at(lane, window);
    double sums[BINS + 1];
    add_up_power(re, im, sums);
    /* A Hann window's mean square is 3/8. */
    self->power[lane][window] = 2.0 * sums[BINS] / ((double)SIZE * SIZE * 3.0 / 8.0);
    even_out(self, at, re, im, sums);
    for (uint32_t g = 0; g < GROUPS; g++) {
        self->group_root[at / GROUP + g] = self->root_level[at + g * GROUP + GROUP / 2];
        self->group_inverse[at / GROUP + g] = self->root_inverse[at + g * GROUP + GROUP / 2];
    }
    self->group_root[at / GROUP] = 0.0f; /* its bins are below the first that counts, or beside it */
}

const float *bleed_window_frames(const render_bleed *self, uint32_t lane, uint32_t window, int moved)
{
    return self->captured + (size_t)(lane * STEM_WINDOWS + window) * SPAN_ROW + (size_t)(STEM_DELAY_MAX + moved);
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

void bleed_load_windows(render_bleed *self, const float *frames[TILE_LANES][2], uint32_t count)
{
    for (uint32_t l = 0; l < count; l++)
        if (frames[l][1] == NULL)
            frames[l][1] = self->silence;
    for (uint32_t i = 0; i < SIZE; i++) {
        double *re = self->real + (size_t)i * TILE_LANES;
        double *im = self->imaginary + (size_t)i * TILE_LANES;
        for (uint32_t l = 0; l < count; l++) {
            re[l] = (double)frames[l][0][i] * self->window[i];
            im[l] = (double)frames[l][1][i] * self->window[i];
        }
        for (uint32_t l = count; l < TILE_LANES; l++)
            re[l] = im[l] = 0.0;
    }
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
    for (uint32_t first = 0; first < playing_count * twos; first += TILE_LANES) {
        uint32_t count = playing_count * twos - first < TILE_LANES ? playing_count * twos - first : TILE_LANES;
        const float *frames[TILE_LANES][2] = {{NULL}};
        for (uint32_t p = 0; p < 2 * count; p++) {
            uint32_t window = (first + p / 2) % twos * 2 + p % 2;
            if (window < self->window_count)
                frames[p / 2][p % 2] = bleed_window_frames(self, playing[(first + p / 2) / twos], window, 0);
        }
        bleed_load_windows(self, frames, count);
        lane_fft_forward(&self->fft, self->dsp, self->real, self->imaginary, self->work);
        bleed_unpack_lines(self, count);
        for (uint32_t p = 0; p < 2 * count; p++)
            if (frames[p / 2][p % 2] != self->silence)
                take_spectrum(self, playing[(first + p / 2) / twos], (first + p / 2) % twos * 2 + p % 2,
                              self->lines_re + p * BINS_ROW, self->lines_im + p * BINS_ROW);
    }
}
