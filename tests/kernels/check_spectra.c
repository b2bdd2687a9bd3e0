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

void check_spectra(kernel_check *self)
{
    uint32_t count;
    for (uint32_t index = 0; check_frame_count(index, &count); index++)
        for (uint32_t kind = 0; kind < DATA_KIND_COUNT; kind++)
            if (count <= BINS_MAX && check_below(self, 100) < self->effort) {
                cross_once(self, count, (hostility)kind, (placement)((index + kind) % PLACEMENT_COUNT));
                if (count >= 16)
                    even_once(self, count / 16 * 16, (hostility)kind, (placement)((index + kind) % PLACEMENT_COUNT));
            }
}

/* Against long double: a sum of three rounded products of single precision, and a spectrum evened out. */
void judge_spectra(kernel_check *self)
{
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
