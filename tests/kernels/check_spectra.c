#include "tests/kernels/kernel_check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { BINS_MAX = 2048, PARTS = 6, SUMS = 3, WINDOWS = 3 };

static void cross_once(kernel_check *self, uint32_t bin_count, hostility kind, placement where)
{
    static float parts[WINDOWS][PARTS][BINS_MAX], expected[SUMS][BINS_MAX];
    float *actual[SUMS];
    spectrum_part sources[WINDOWS], hosts[WINDOWS];
    const uint32_t window_count = check_below(self, WINDOWS + 1);
    for (uint32_t w = 0; w < WINDOWS; w++) {
        float(*of)[BINS_MAX] = parts[w];
        for (uint32_t i = 0; i < PARTS; i++)
            check_fill_floats(self, of[i], bin_count, i % 3 == 2 ? DATA_NOISE : kind);
        sources[w] = (spectrum_part){of[0], of[1], of[2]};
        hosts[w] = (spectrum_part){of[3], of[4], of[5]};
    }
    for (uint32_t i = 0; i < SUMS; i++)
        actual[i] = (float *)(void *)guarded_place(&self->memory[i], bin_count * sizeof(float), where, 4 * check_below(self, 4));
    float most = (float)fabs(check_uniform(self)) / 4.0f;
    self->reference->cross_windows(sources, hosts, window_count, most, bin_count,
                                   &(cross_sums){expected[0], expected[1], expected[2]});
    self->variant->cross_windows(sources, hosts, window_count, most, bin_count,
                                 &(cross_sums){actual[0], actual[1], actual[2]});
    char what[64];
    (void)snprintf(what, sizeof what, "%s, %u bins, %u windows", hostility_name(kind), bin_count, window_count);
    for (uint32_t i = 0; i < SUMS; i++) {
        check_floats(self, expected[i], actual[i], bin_count, what);
        check_that(self, guarded_intact(&self->memory[i], (const uint8_t *)actual[i], bin_count * sizeof(float)), "%s: margin",
                   what);
    }
}

/* A spectrum's powers and their means, and then the spectrum, evened out by these. */
static void even_once(kernel_check *self, uint32_t bin_count, hostility kind, placement where)
{
    enum { ROWS = 4 };
    static float spectrum[2][BINS_MAX], expected[ROWS][BINS_MAX];
    float *actual[ROWS];
    for (uint32_t i = 0; i < 2; i++)
        check_fill_floats(self, spectrum[i], bin_count, kind);
    for (uint32_t i = 0; i < ROWS; i++)
        actual[i] = (float *)(void *)guarded_place(&self->memory[i], bin_count * sizeof(float), where, 4 * check_below(self, 4));
    char what[64];
    (void)snprintf(what, sizeof what, "%s, %u bins evened out", hostility_name(kind), bin_count);
    self->reference->mean_powers(spectrum[0], spectrum[1], bin_count, expected[0], expected[1]);
    self->variant->mean_powers(spectrum[0], spectrum[1], bin_count, actual[0], actual[1]);
    for (uint32_t i = 0; i < 2; i++)
        check_floats(self, expected[i], actual[i], bin_count, what);
    static float means[BINS_MAX];
    memcpy(means, expected[1], bin_count * sizeof(float));
    const float least = (float)fabs(check_uniform(self)); /* of noise, many means are below, and some above `most` */
    self->reference->even_out(spectrum[0], spectrum[1], means, bin_count, least, 0.75f,
                              &(even_spectrum){expected[0], expected[1], expected[2], expected[3]});
    self->variant->even_out(spectrum[0], spectrum[1], means, bin_count, least, 0.75f,
                            &(even_spectrum){actual[0], actual[1], actual[2], actual[3]});
    for (uint32_t i = 0; i < ROWS; i++) {
        check_floats(self, expected[i], actual[i], bin_count, what);
        check_that(self, guarded_intact(&self->memory[i], (const uint8_t *)actual[i], bin_count * sizeof(float)), "%s: margin",
                   what);
    }
}

/* Lines of a transform taken apart and put together again, as many times as its rows have a mirror. */
static void lines_once(kernel_check *self, uint32_t count, hostility kind, placement where)
{
    enum { ROWS_MAX = 64, PART = ROWS_MAX * FFT_LANES };
    static _Alignas(64) float whole[4][PART], expected[4][PART], back[2][4][PART];
    float *actual[4];
    const size_t values = (size_t)count * FFT_LANES;
    const size_t last = values - FFT_LANES; /* mirrors go downwards */
    for (uint32_t i = 0; i < 4; i++) {
        check_fill_floats(self, whole[i], values, kind);
        actual[i] = (float *)(void *)guarded_place(&self->memory[i], values * sizeof(float), where, 0);
    }
    self->reference->lines_apart(whole[0], whole[1], whole[2] + last, whole[3] + last, count,
                                 &(line_parts){expected[0], expected[1], expected[2], expected[3]});
    self->variant->lines_apart(whole[0], whole[1], whole[2] + last, whole[3] + last, count,
                               &(line_parts){actual[0], actual[1], actual[2], actual[3]});
    char what[64];
    (void)snprintf(what, sizeof what, "%s, %u lines", hostility_name(kind), count);
    for (uint32_t i = 0; i < 4; i++) {
        check_floats(self, expected[i], actual[i], (uint32_t)values, what);
        check_that(self, guarded_intact(&self->memory[i], (const uint8_t *)actual[i], values * sizeof(float)), "%s: margin", what);
    }
    for (uint32_t i = 0; i < 2; i++)
        (i == 0 ? self->reference : self->variant)
            ->lines_together(&(line_parts){whole[0], whole[1], whole[2], whole[3]}, count, back[i][0], back[i][1],
                             back[i][2] + last, back[i][3] + last);
    for (uint32_t i = 0; i < 4; i++)
        check_floats(self, back[0][i], back[1][i], (uint32_t)values, what);
}

static void peaks_once(kernel_check *self, uint32_t size, uint32_t reach, hostility kind, placement where)
{
    enum { SIZE_MOST = 256 };
    float widths[SIZE_MOST / 2], heights[2][FFT_LANES];
    int32_t places[2][FFT_LANES];
    const size_t values = fft_row(size);
    float *lanes = (float *)(void *)guarded_place(&self->memory[0], values * sizeof(float), where, 0);
    check_fill_floats(self, lanes, values, kind);
    for (uint32_t i = 0; i <= reach; i++)
        widths[i] = (float)(1 + i % 3); /* of equal ones the first counts */
    self->reference->lane_peaks(lanes, size, reach, widths, heights[0], places[0]);
    self->variant->lane_peaks(lanes, size, reach, widths, heights[1], places[1]);
    char what[64];
    (void)snprintf(what, sizeof what, "%s, peaks of %u within %u", hostility_name(kind), size, reach);
    check_floats(self, heights[0], heights[1], FFT_LANES, what);
    for (uint32_t l = 0; l < FFT_LANES; l++)
        check_that(self, places[0][l] == places[1][l], "%s: %d for %d", what, places[1][l], places[0][l]);
}

void check_spectra(kernel_check *self)
{
    for (uint32_t kind = 0; kind < DATA_KIND_COUNT; kind++) {
        const placement where = (placement)(kind % PLACEMENT_COUNT);
        for (uint32_t rows = 1; rows <= FFT_RADIX; rows += 1 + check_below(self, 31))
            lines_once(self, rows, (hostility)kind, where);
        peaks_once(self, FFT_RADIX, check_below(self, FFT_RADIX / 2), (hostility)kind, where);
        peaks_once(self, 4 * FFT_RADIX, check_below(self, 2 * FFT_RADIX), (hostility)kind, where);
    }
    uint32_t count;
    for (uint32_t index = 0; check_frame_count(index, &count); index++)
        for (uint32_t kind = 0; kind < DATA_KIND_COUNT; kind++)
            if (count <= BINS_MAX && check_below(self, 100) < self->effort) {
                cross_once(self, count, (hostility)kind, (placement)((index + kind) % PLACEMENT_COUNT));
                if (count >= 16)
                    even_once(self, count / 16 * 16, (hostility)kind, (placement)((index + kind) % PLACEMENT_COUNT));
            }
}

/* Two real signals as one: taken apart their transforms, and together what it was. A peak stands where it was put. */
static void judge_lines(kernel_check *self)
{
    enum { ROWS = 8 };
    static _Alignas(64) float line[2][FFT_LANES], mirror[2][FFT_LANES], parts[4][FFT_LANES], back[4][FFT_LANES];
    for (uint32_t l = 0; l < FFT_LANES; l++) { /* of e + i o, with e = 3 - 4i and o = 5 + 7i, and the conjugates of both */
        line[0][l] = 3.0f - 7.0f;
        line[1][l] = -4.0f + 5.0f;
        mirror[0][l] = 3.0f + 7.0f;
        mirror[1][l] = 4.0f + 5.0f;
    }
    const line_parts apart = {parts[0], parts[1], parts[2], parts[3]};
    self->reference->lines_apart(line[0], line[1], mirror[0], mirror[1], 1, &apart);
    self->reference->lines_together(&apart, 1, back[0], back[1], back[2], back[3]);
    const float wanted[4] = {3.0f, -4.0f, 5.0f, 7.0f};
    for (uint32_t i = 0; i < 4; i++)
        for (uint32_t l = 0; l < FFT_LANES; l++) {
            check_that(self, parts[i][l] == wanted[i], "part %u of lane %u", i, l);
            check_that(self, back[i][l] == (i < 2 ? line[i][l] : mirror[i - 2][l]), "line %u of lane %u", i, l);
        }
    static _Alignas(64) float lanes[ROWS * FFT_LANES];
    float heights[FFT_LANES];
    int32_t places[FFT_LANES];
    for (uint32_t l = 0; l < FFT_LANES; l++) /* at 2, -1, 0 and nowhere within 2 */
        lanes[fft_row(l % 4 == 0 ? ROWS - 2 : l % 4 == 1 ? 1 : l % 4 == 2 ? 0 : ROWS / 2) + l] = -2.0f;
    self->reference->lane_peaks(lanes, ROWS, 2, (const float[]){1.0f, 2.0f, 3.0f}, heights, places);
    for (uint32_t l = 0; l < FFT_LANES; l++) {
        const int32_t at = l % 4 == 0 ? 2 : l % 4 == 1 ? -1 : 0;
        const float height = l % 4 == 0 ? 6.0f : l % 4 == 1 ? 4.0f : l % 4 == 2 ? 2.0f : 0.0f;
        check_that(self, places[l] == at && heights[l] == height, "peak of lane %u at %d", l, places[l]);
    }
}

/* Against long double: a sum of three rounded products of single precision, and a spectrum evened out. */
void judge_spectra(kernel_check *self)
{
    judge_lines(self);
    enum { BINS = 256 };
    static float parts[PARTS][BINS], sums[SUMS][BINS];
    const float most = 0.25f;
    for (uint32_t i = 0; i < PARTS; i++)
        check_fill_floats(self, parts[i], BINS, DATA_NOISE);
    const spectrum_part source = {parts[0], parts[1], parts[2]};
    const spectrum_part host = {parts[3], parts[4], parts[5]};
    self->reference->cross_windows(&source, &host, 1, most, BINS, &(cross_sums){sums[0], sums[1], sums[2]});
    for (uint32_t k = 0; k < BINS; k++) {
        long double weight = (long double)parts[2][k] * (long double)parts[5][k];
        long double counted = weight < (long double)most ? weight : (long double)most;
        long double sr = (long double)parts[0][k], si = (long double)parts[1][k];
        long double hr = (long double)parts[3][k], hi = (long double)parts[4][k];
        long double re = counted * (hr * sr + hi * si);
        long double im = counted * (hi * sr - hr * si);
        /* At most 2 in size, five roundings of 2^-24 each. */
        check_that(self, fabsl((long double)sums[0][k] - re) <= 10.0L * 0x1p-24L, "real part %u", k);
        check_that(self, fabsl((long double)sums[1][k] - im) <= 10.0L * 0x1p-24L, "imaginary part %u", k);
        check_that(self, fabsl((long double)sums[2][k] - counted * counted) <= 3.0L * 0x1p-24L, "square %u", k);
    }
    static float powers[BINS], means[BINS], even[4][BINS];
    const long double least = 0.5L, highest = 0.75L; /* of a mean power of 0.67 */
    const long double off = 20.0L * 0x1p-24L;        /* roundings */
    self->reference->mean_powers(parts[0], parts[1], BINS, powers, means);
    self->reference->even_out(parts[0], parts[1], means, BINS, (float)least, (float)highest,
                              &(even_spectrum){even[0], even[1], even[2], even[3]});
    for (uint32_t k = 0; k < BINS; k++) {
        long double sum = 0.0L, count = 0.0L;
        for (uint32_t i = k < MEAN_REACH ? 0 : k - MEAN_REACH; i < BINS && i <= k + MEAN_REACH; i++, count += 1.0L)
            sum += (long double)powers[i];
        const long double power =
            (long double)parts[0][k] * (long double)parts[0][k] + (long double)parts[1][k] * (long double)parts[1][k];
        const long double amplitude = sqrtl(fminl(fmaxl(sum / count, least), highest));
        check_that(self, fabsl((long double)powers[k] - power) <= off, "power %u", k);
        check_that(self, fabsl((long double)means[k] - sum / count) <= off, "mean %u", k);
        check_that(self, fabsl((long double)even[0][k] * amplitude - (long double)parts[0][k]) <= off, "even real part %u", k);
        check_that(self, fabsl((long double)even[1][k] * amplitude - (long double)parts[1][k]) <= off, "even imaginary part %u", k);
        check_that(self, fabsl((long double)even[2][k] - sqrtl(amplitude)) <= off, "level %u", k);
        check_that(self, fabsl((long double)even[3][k] * sqrtl(amplitude) - 1.0L) <= off, "one over level %u", k);
    }
}
