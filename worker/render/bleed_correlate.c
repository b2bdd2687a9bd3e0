/* The correlations of pairs of channels, and where they are highest. */
#include "worker/render/bleed_spectra.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double bleed_chance_width(const render_bleed *self, int delay)
{
    uint32_t turn = (uint32_t)abs(delay);
    return sqrt(1.0 + 8.0 / 9.0 * (double)self->fft.cosine[turn] + (double)self->fft.cosine[2 * turn] / 18.0);
}

/* What chance adds up to in some bins from one on, of the squares of their weights. */
static double noise_of(const render_bleed *self, const float *restrict squares, uint32_t first_bin)
{
    enum { SUMS = 8 }; /* as in pair_reach() */
    const float *restrict tilt = self->tilt + first_bin;
    float sums[SUMS] = {0.0f};
    double noise = 0.0;
    for (uint32_t k = 0; k < CROSSED_BINS; k += SUMS)
        for (uint32_t i = 0; i < SUMS; i++)
            sums[i] += tilt[k + i] * tilt[k + i] * squares[k + i];
    for (uint32_t i = 0; i < SUMS; i++)
        noise += (double)sums[i];
    return noise;
}

/* The cross-spectrum, over all windows, of host window w and source window w + moved. Returns what chance adds up to. */
static double cross(const render_bleed *self, const bleed_pair *pair, uint32_t moved, uint32_t first_bin, float *re, float *im)
{
    _Alignas(64) float squares[CROSSED_BINS];
    spectrum_part sources[STEM_WINDOWS];
    spectrum_part hosts[STEM_WINDOWS];
    uint32_t count = 0;
    for (uint32_t w = 0; w < self->window_count; w++) {
        uint32_t window = (w + moved) % self->window_count;
        if (self->power[pair->source][window] < BLEED_ACTIVE_POWER)
            continue;
        size_t source = bleed_spectrum_at(pair->source, window) + first_bin;
        size_t host = bleed_spectrum_at(pair->host, w) + first_bin;
        sources[count] = (spectrum_part){self->even_re + source, self->even_im + source, self->root_level + source};
        hosts[count] = (spectrum_part){self->even_re + host, self->even_im + host, self->root_inverse + host};
        count++;
    }
    self->dsp->cross_windows(sources, hosts, count, BLEED_WEIGHT_MOST, CROSSED_BINS, &(cross_sums){re, im, squares});
    return noise_of(self, squares, first_bin);
}

/* Of up to CROSSED pairs; the rows up to the end of the last batch that have no pair are nothing. */
static void cross_pairs(render_bleed *self, const bleed_pair *pairs, uint32_t count, uint32_t moved, double noises[CROSSED])
{
    memset(noises, 0, CROSSED * sizeof *noises);
    for (uint32_t first_bin = 0; first_bin < BINS; first_bin += CROSSED_BINS)
        for (uint32_t p = 0; p < count; p++) {
            size_t at = (size_t)p * BINS_ROW + first_bin;
            if (!pairs[p].at_end)
                noises[p] += cross(self, &pairs[p], moved, first_bin, self->lines_re + at, self->lines_im + at);
        }
    for (uint32_t p = count; p % BATCH != 0; p++) {
        memset(self->lines_re + (size_t)p * BINS_ROW, 0, BINS * sizeof(float));
        memset(self->lines_im + (size_t)p * BINS_ROW, 0, BINS * sizeof(float));
    }
}

/* Cross-spectra become lines of the transform, two in each lane: that of pair 2 l, and i times that of pair 2 l + 1. */
static void place_pairs(render_bleed *self, uint32_t first)
{
    _Alignas(64) float lines[4][LINES * FFT_LANES];
    for (uint32_t block = 0; block < BINS; block += LINES) {
        for (uint32_t part = 0; part < 4; part++) {
            const float *of = part % 2 == 0 ? self->lines_re : self->lines_im;
            const float *rows[FFT_LANES];
            for (uint32_t l = 0; l < FFT_LANES; l++)
                rows[l] = of + (size_t)(first + 2 * l + part / 2) * BINS_ROW + block;
            self->dsp->lanes_of_rows(rows, self->tilt + block, LINES, lines[part]);
        }
        for (uint32_t i = 0; i < 2; i++) { /* as in bleed_unpack_lines() */
            const size_t line = fft_row(block + i);
            const size_t mirror = fft_row((SIZE - block - i) % SIZE);
            const size_t at = i * FFT_LANES;
            self->dsp->lines_together(&(line_parts){lines[0] + at, lines[1] + at, lines[2] + at, lines[3] + at},
                                      i == 0 ? 1 : LINES - 1, self->real + line, self->imaginary + line, self->real + mirror,
                                      self->imaginary + mirror);
        }
    }
    size_t row = FFT_LANES * sizeof(float);
    float *parts[] = {self->real, self->imaginary};
    for (size_t i = 0; i < 2; i++) {
        memset(parts[i], 0, FIRST_BIN * row);
        memset(parts[i] + fft_row(BINS), 0, row);
        memset(parts[i] + fft_row(SIZE - FIRST_BIN + 1), 0, (FIRST_BIN - 1) * row);
    }
}

/*
 * The same for the pairs of which an end of the cell is looked at alone: there every window counts alike, however quiet the host
 * is in it. Of a leak that ends there, into a host that is silent behind it, nothing would be seen else.
 */
static void cross_ends(render_bleed *self, const bleed_pair *pairs, uint32_t count, uint32_t moved, double noises[CROSSED])
{
    for (uint32_t p = 0; p < count; p++) {
        if (!pairs[p].at_end)
            continue;
        float *restrict re = self->lines_re + (size_t)p * BINS_ROW;
        float *restrict im = self->lines_im + (size_t)p * BINS_ROW;
        memset(re, 0, BINS * sizeof *re);
        memset(im, 0, BINS * sizeof *im);
        uint32_t first = bleed_end_window(self, pairs[p].end);
        for (uint32_t w = first; w < first + END_WINDOWS && w < self->window_count; w++) {
            _Alignas(64) float own[2][BINS];
            _Alignas(64) float squares[CROSSED_BINS];
            double noise = 0.0;
            uint32_t window = (w + moved) % self->window_count;
            if (self->power[pairs[p].source][window] < BLEED_ACTIVE_POWER)
                continue;
            for (uint32_t bin = 0; bin < BINS; bin += CROSSED_BINS) {
                size_t source = bleed_spectrum_at(pairs[p].source, window) + bin;
                size_t host = bleed_spectrum_at(pairs[p].host, w) + bin;
                self->dsp->cross_windows(
                    &(spectrum_part){self->even_re + source, self->even_im + source, self->root_level + source},
                    &(spectrum_part){self->even_re + host, self->even_im + host, self->root_inverse + host}, 1, BLEED_WEIGHT_MOST,
                    CROSSED_BINS, &(cross_sums){own[0] + bin, own[1] + bin, squares});
                noise += noise_of(self, squares, bin);
            }
            if (!(noise > 0.0))
                continue;
            const float scale = (float)(1.0 / sqrt(noise));
            for (uint32_t k = 0; k < BINS; k++) {
                re[k] += scale * own[0][k];
                im[k] += scale * own[1][k];
            }
            noises[p] += 1.0; /* that of the window, scaled as it is */
        }
    }
}

/*
 * Height of a correlation in standard deviations of chance. Both halves of the spectrum are in the sum, so the height is twice
 * the real one's; chance: sqrt(noise / 2).
 */
static double score_of(float height, double noise)
{
    return noise > 0.0 ? (double)height / 2.0 / sqrt(noise / 2.0) : 0.0;
}

/* Whether an end of a cell may be heard at any delay, of every second pair: most are not. */
static bool ends_heard(const render_bleed *self, const float *lanes, const double *noises)
{
    const double about = 0.9999; /* is_heard() decides, and is a rounding or two nearer */
    float most[FFT_LANES];
    int32_t places[FFT_LANES];
    bool any = false;
    self->dsp->lane_peaks(lanes, SIZE, STEM_DELAY_MAX, self->inverse_width, most, places);
    for (uint32_t l = 0; l < FFT_LANES; l++)
        any = any || score_of(most[l], noises[2 * l]) >= about * BLEED_END_HEARD_MIN;
    return any;
}

/*
 * Heights of the correlations of a batch of pairs, whose cross-spectra stand in rows: two in each lane, as its two parts. Of each
 * pair the so many highest that are no shoulders of a higher one; of ends that are not heard at any delay none.
 */
static void find_peaks(render_bleed *self, uint32_t first, uint32_t count, uint32_t wanted, const double *noises, bleed_peak *peaks)
{
    place_pairs(self, first);
    lane_fft_forward(&self->fft, self->dsp, self->real, self->imaginary, self->work);
    for (uint32_t part = 0; part < 2; part++) {
        float *lanes = part == 0 ? self->real : self->imaginary;
        bool heard = part < count && (wanted == 1 || ends_heard(self, lanes, noises + first + part));
        for (uint32_t n = 0; n < wanted; n++) {
            float heights[FFT_LANES] = {0.0f};
            int32_t delays[FFT_LANES] = {0};
            if (heard)
                self->dsp->lane_peaks(lanes, SIZE, STEM_DELAY_MAX, self->same_width, heights, delays);
            for (uint32_t l = 0; 2 * l + part < count; l++) {
                const uint32_t p = 2 * l + part;
                peaks[p * wanted + n] = (bleed_peak){score_of(heights[l], noises[first + p]), delays[l]};
                for (int near = -STEM_DELAY_SLACK; heard && n + 1 < wanted && near <= STEM_DELAY_SLACK; near++)
                    lanes[fft_row((uint32_t)(SIZE - delays[l] - near) % SIZE) + l] = 0.0f;
            }
        }
    }
}

void bleed_correlate(render_bleed *self, const bleed_pair *pairs, uint32_t count, uint32_t moved, uint32_t wanted,
                     bleed_peak *peaks)
{
    double noises[CROSSED];
    cross_pairs(self, pairs, count, moved, noises);
    cross_ends(self, pairs, count, moved, noises);
    for (uint32_t first = 0; first < count; first += BATCH)
        find_peaks(self, first, count - first < BATCH ? count - first : BATCH, wanted, noises, peaks + first * wanted);
}
