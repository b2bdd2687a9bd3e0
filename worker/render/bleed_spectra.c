/* The spectra of windows of all lanes, as the search for bleed needs them. */
#include "worker/render/bleed_spectra.h"

#include <math.h>
#include <string.h>

static const double least_power = 1e-15; /* -150 dBFS: the host's power is never taken for less (24-bit rounding is -149) */

void bleed_unpack_lines(render_bleed *self)
{
    _Alignas(64) float lines[4][LINES * FFT_LANES]; /* both parts of each lane's first window, then of its second */
    for (uint32_t first = 0; first < BINS; first += LINES) {
        for (uint32_t i = 0; i < 2; i++) { /* the mirror of the block's first line stands apart from those of the others */
            const size_t line = fft_row(first + i);
            const size_t mirror = fft_row((SIZE - first - i) % SIZE);
            const size_t at = i * FFT_LANES;
            self->dsp->lines_apart(self->real + line, self->imaginary + line, self->real + mirror, self->imaginary + mirror,
                                   i == 0 ? 1 : LINES - 1,
                                   &(line_parts){lines[0] + at, lines[1] + at, lines[2] + at, lines[3] + at});
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

/* The first bin of a part of a spectrum, and of the one behind the last. */
static uint32_t part_first(uint32_t part)
{
    return part == 0 ? 0 : (uint32_t)FIRST_BIN << (part - 1);
}

/* What each part of a spectrum has of its bins' powers. */
static void sum_parts(const float *restrict powers, double parts[SPECTRUM_PARTS])
{
    enum { SUMS = 8 };
    for (uint32_t part = 0; part < SPECTRUM_PARTS; part++) {
        const uint32_t first = part_first(part);
        const uint32_t count = part_first(part + 1) - first;
        float sums[SUMS] = {0.0f}; /* that do not wait for each other */
        for (uint32_t k = 0; count < SUMS && k < count; k++)
            sums[k] += powers[first + k];
        for (uint32_t k = 0; count >= SUMS && k < count; k += SUMS)
            for (uint32_t i = 0; i < SUMS; i++)
                sums[i] += powers[first + k + i];
        parts[part] = 0.0;
        for (uint32_t i = 0; i < SUMS; i++)
            parts[part] += (double)sums[i];
    }
}

/* Quarters of a part are looked at alike. */
static uint32_t quarter_first(uint32_t part, uint32_t quarter)
{
    return part_first(part) + part_first(part) / 4 * quarter;
}

void bleed_make_skirts(render_bleed *self)
{
    const double over = 100.0 / 30.0;
    for (uint32_t part = 1; part < SPECTRUM_PARTS; part++)
        for (uint32_t quarter = 0; quarter < 4; quarter++)
            for (uint32_t other = 0; other < SPECTRUM_PARTS; other++) {
                const double distance = other < part ? quarter_first(part, quarter) + 1.0 - part_first(other + 1)
                                                     : part_first(other) + 1.0 - quarter_first(part, quarter + 1);
                const double squared = distance * distance;
                if (other + 1 < part || other > part + 1)
                    self->skirts[part][quarter][other] = (float)(over / (squared * squared * squared));
            }
}

static void raise_to_skirts(const render_bleed *self, const double parts[SPECTRUM_PARTS], float *restrict means)
{
    for (uint32_t part = 1; part < SPECTRUM_PARTS; part++)
        for (uint32_t quarter = 0; quarter < 4; quarter++) {
            float least = 0.0f;
            for (uint32_t other = 0; other < SPECTRUM_PARTS; other++)
                least += self->skirts[part][quarter][other] * (float)parts[other];
            for (uint32_t k = quarter_first(part, quarter); k < quarter_first(part, quarter + 1); k++)
                means[k] = means[k] > least ? means[k] : least;
        }
}

double bleed_even_out(const render_bleed *self, const float *re, const float *im, const even_spectrum *out)
{
    float powers[BINS], means[BINS];
    double parts[SPECTRUM_PARTS];
    double sum = 0.0;
    self->dsp->mean_powers(re, im, BINS, powers, means);
    sum_parts(powers, parts);
    for (uint32_t part = 0; part < SPECTRUM_PARTS; part++)
        sum += parts[part];
    raise_to_skirts(self, parts, means);
    self->dsp->even_out(re, im, means, BINS, (float)(least_power * SIZE * 3.0 / 8.0), 1e30f, out);
    return 2.0 * sum / ((double)SIZE * SIZE * 3.0 / 8.0); /* a Hann window's mean square is 3/8 */
}

/* Takes a spectrum over, and its power. For choosing pairs a lane's level is looked at in every eighth bin. */
static void take_spectrum(render_bleed *self, uint32_t lane, uint32_t window, const float *re, const float *im)
{
    const size_t at = bleed_spectrum_at(lane, window);
    const even_spectrum rows = {self->even_re + at, self->even_im + at, self->root_level + at, self->root_inverse + at};
    self->power[lane][window] = bleed_even_out(self, re, im, &rows);
    for (uint32_t g = 0; g < GROUPS; g++) {
        self->group_root[at / GROUP + g] = self->root_level[at + g * GROUP + GROUP / 2];
        self->group_inverse[at / GROUP + g] = self->root_inverse[at + g * GROUP + GROUP / 2];
    }
    self->group_root[at / GROUP] = 0.0f; /* its bins are below the first that counts, or beside it */
}

const float *bleed_window_frames(const render_bleed *self, uint32_t lane, uint32_t window, int moved)
{
    return self->captured + (size_t)lane * CELL_ROW + (size_t)((int)stem_window_frame(self->frame_count, window) + moved);
}

static bool lane_silent(const render_bleed *self, uint32_t lane)
{
    for (uint32_t w = 0; w < self->window_count; w++) {
        const float *frames = bleed_window_frames(self, lane, w, 0);
        const uint32_t start = stem_window_frame(self->frame_count, w);
        const uint32_t held = self->held[lane] > start ? self->held[lane] - start : 0; /* behind them nothing is */
        for (uint32_t i = 0; i < SIZE && i < held; i++)
            if (frames[i] != 0.0f)
                return false;
    }
    return true;
}

void bleed_load_windows(render_bleed *self, const float *frames[FFT_LANES][2])
{
    enum { CACHE_LINE = 64 / sizeof(float), AHEAD = LINES };
    const float *rows[2][FFT_LANES];
    for (uint32_t i = 0; i < 2 * FFT_LANES; i++)
        rows[i % 2][i / 2] = frames[i / 2][i % 2] == NULL ? self->silence : frames[i / 2][i % 2];
    for (uint32_t first = 0; first < SIZE; first += LINES) {
        self->dsp->lanes_of_rows(rows[0], self->window + first, LINES, self->real + fft_row(first));
        self->dsp->lanes_of_rows(rows[1], self->window + first, LINES, self->imaginary + fft_row(first));
        for (uint32_t i = 0; i < 2 * FFT_LANES; i++) {
            rows[i % 2][i / 2] += LINES;
            for (uint32_t at = 0; at < LINES; at += CACHE_LINE) /* too many rows for the cache to see what comes next */
                __builtin_prefetch(rows[i % 2][i / 2] + AHEAD + at);
        }
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
        for (uint32_t i = 0; i < 2 * count; i++) {
            uint32_t window = (first + i / 2) % twos * 2 + i % 2;
            if (window < self->window_count)
                take_spectrum(self, playing[(first + i / 2) / twos], window, self->lines_re + (size_t)i * BINS_ROW,
                              self->lines_im + (size_t)i * BINS_ROW);
        }
    }
}
