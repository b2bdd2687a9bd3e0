#include "tests/kernels/kernel_check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { HISTORY = 4 };

static void check_sums(kernel_check *self, const signal_sums *expected, const signal_sums *actual, const char *what)
{
    check_doubles(self, expected->energy, actual->energy, TILE_LANES, what);
    check_doubles(self, expected->cross, actual->cross, TILE_LANES, what);
    check_doubles(self, expected->rough, actual->rough, TILE_LANES, what);
    check_doubles(self, expected->rough_peak, actual->rough_peak, TILE_LANES, what);
    check_doubles(self, &expected->tone[0][0], &actual->tone[0][0], (size_t)3 * TILE_LANES, what);
    check_that(self, memcmp(expected->quiet_count, actual->quiet_count, sizeof actual->quiet_count) == 0, "%s: quiet",
               what);
}

static void signal_once(kernel_check *self, uint32_t frame_count, hostility kind, placement where)
{
    const size_t values = ((size_t)frame_count + HISTORY) * TILE_LANES;
    double *tile =
        (double *)(void *)guarded_place(&self->memory[0], values * sizeof(double), where, 0) + HISTORY * TILE_LANES;
    check_fill(self, tile - HISTORY * TILE_LANES, values, kind);
    char what[64];
    (void)snprintf(what, sizeof what, "%s, %u frames", hostility_name(kind), frame_count);
    signal_sums expected;
    signal_sums *actual = (signal_sums *)(void *)guarded_place(&self->memory[1], sizeof *actual, where, 0);
    self->reference->signal_measure(tile, frame_count, &expected);
    self->variant->signal_measure(tile, frame_count, actual);
    check_sums(self, &expected, actual, what);
    check_that(self, guarded_intact(&self->memory[1], (const uint8_t *)actual, sizeof *actual), "%s: margin", what);

    enum { STRETCHES = 12 };
    double expected_sums[STRETCHES][TILE_LANES];
    double actual_sums[STRETCHES][TILE_LANES];
    for (uint32_t stretches = 1; stretches <= STRETCHES; stretches++) {
        memset(expected_sums, 0, sizeof expected_sums);
        memset(actual_sums, 0, sizeof actual_sums);
        self->reference->lane_sums(tile, frame_count / stretches, stretches, expected_sums);
        self->variant->lane_sums(tile, frame_count / stretches, stretches, actual_sums);
        check_doubles(self, &expected_sums[0][0], &actual_sums[0][0], STRETCHES * TILE_LANES, what);
    }

    uint64_t expected_bits[TILE_LANES] = {1, 2, 3};
    uint64_t actual_bits[TILE_LANES] = {1, 2, 3};
    self->reference->used_bits(tile, frame_count, expected_bits);
    self->variant->used_bits(tile, frame_count, actual_bits);
    self->reference->pcm_bits(tile, frame_count, expected_bits);
    self->variant->pcm_bits(tile, frame_count, actual_bits);
    for (uint32_t lane = 0; lane < TILE_LANES; lane++)
        check_that(self, expected_bits[lane] == actual_bits[lane], "%s: bits %llx, expected %llx", what,
                   (unsigned long long)actual_bits[lane], (unsigned long long)expected_bits[lane]);
}

/* Any rotations and any window will do for the same bits; these are the ones the engine uses, within a rounding. */
static void fill_turns(double *window, double (*turn)[2])
{
    for (int i = 0; i < SPECTRUM_FRAMES; i++) {
        const double angle = 2.0 * 3.14159265358979323846 * i / SPECTRUM_FRAMES;
        window[i] = 0.5 - 0.5 * cos(angle);
        if (i < SPECTRUM_FRAMES / 2) {
            turn[i][0] = cos(angle);
            turn[i][1] = -sin(angle);
        }
    }
}

static void spectrum_once(kernel_check *self, hostility kind, placement where)
{
    static double window[SPECTRUM_FRAMES], turn[SPECTRUM_FRAMES / 2][2];
    static _Alignas(64) double expected[SPECTRUM_FRAMES / 2][TILE_LANES];
    static _Alignas(64) double lines[2][SPECTRUM_FRAMES / 2][2][TILE_LANES];
    const size_t values = (size_t)SPECTRUM_FRAMES * TILE_LANES;
    double *tile = (double *)(void *)guarded_place(&self->memory[0], values * sizeof(double), where, 0);
    uint8_t *actual = guarded_place(&self->memory[1], sizeof expected, where, 0);
    check_fill(self, tile, values, kind);
    fill_turns(window, turn);
    self->reference->spectrum(tile, window, (const double (*)[2])turn, expected, lines[0]);
    self->variant->spectrum(tile, window, (const double (*)[2])turn, (double (*)[TILE_LANES])(void *)actual, lines[1]);
    check_doubles(self, &lines[0][0][0][0], &lines[1][0][0][0], sizeof lines[0] / sizeof(double), hostility_name(kind));
    check_doubles(self, &expected[0][0], (const double *)(const void *)actual, sizeof expected / sizeof(double),
                  hostility_name(kind));
    check_that(self, guarded_intact(&self->memory[1], actual, sizeof expected), "%s: margin", hostility_name(kind));
}

void check_signal(kernel_check *self)
{
    uint32_t frame_count;
    for (uint32_t kind = 0; kind < DATA_KIND_COUNT; kind++)
        for (uint32_t where = 0; where < PLACEMENT_COUNT; where++)
            spectrum_once(self, (hostility)kind, (placement)where);
    for (uint32_t index = 0; check_frame_count(index, &frame_count); index++)
        for (uint32_t kind = 0; kind < DATA_KIND_COUNT; kind++)
            if (check_below(self, 100) < self->effort)
                signal_once(self, frame_count, (hostility)kind, (placement)(index % PLACEMENT_COUNT));
}

/* Within n roundings of the sum of magnitudes (each term below rounds at most 8 times). */
static void judge_near(kernel_check *self, double actual, long double wanted, long double magnitudes, const char *what)
{
    check_that(self, fabsl((long double)actual - wanted) <= magnitudes * 600 * 0x1p-53L, "%s: %.17g, expected %.17Lg",
               what, actual, wanted);
}

static void judge_sums(kernel_check *self, const double *tile, uint32_t frame_count, uint32_t lane)
{
    signal_sums sums;
    double plain[TILE_LANES];
    self->reference->signal_measure(tile, frame_count, &sums);
    self->reference->lane_sums(tile, frame_count, 1, &plain);
    static const int binomial[5] = {1, -4, 6, -4, 1};
    long double sum = 0, size = 0, energy = 0, cross = 0, rough = 0, rough_peak = 0, tone[3] = {0}, tone_size = 0;
    uint64_t quiet = 0;
    for (uint32_t i = 0; i < frame_count; i++) {
        const double *x = tile + (size_t)i * TILE_LANES + lane;
        long double difference = 0;
        for (int k = 0; k < 5; k++)
            difference += (long double)binomial[k] * (long double)x[-k * TILE_LANES];
        const long double outer = (long double)x[0] + (long double)x[-2 * TILE_LANES];
        const long double middle = (long double)x[-1 * TILE_LANES];
        sum += (long double)x[0];
        size += fabsl((long double)x[0]);
        energy += (long double)x[0] * (long double)x[0];
        cross += (long double)x[0] * (long double)tile[(size_t)i * TILE_LANES + (lane ^ 1u)];
        rough += difference * difference;
        rough_peak = fmaxl(rough_peak, fabsl(difference));
        tone[0] += outer * outer;
        tone[1] += outer * middle;
        tone[2] += middle * middle;
        tone_size += outer * outer + fabsl(outer * middle) + middle * middle;
        quiet += x[0] < 0x1p-16 && x[0] > -0x1p-16;
    }
    judge_near(self, plain[lane], sum, size, "sum");
    judge_near(self, sums.energy[lane], energy, energy, "energy");
    judge_near(self, sums.cross[lane], cross, (long double)frame_count, "cross");
    judge_near(self, sums.rough[lane], rough, 256.0L * (long double)frame_count, "rough");
    judge_near(self, sums.rough_peak[lane], rough_peak, 16.0L, "rough peak");
    for (int k = 0; k < 3; k++)
        judge_near(self, sums.tone[k][lane], tone[k], tone_size, "tone");
    check_that(self, sums.quiet_count[lane] == quiet, "quiet samples");
}

/* A depth of b bits leaves the lower bits of the word clear; a float that needs more is said to be finer. */
static void judge_bits(kernel_check *self, double *tile, uint32_t frame_count)
{
    static const uint32_t depths[] = {8, 16, 20, 24, 32};
    for (size_t d = 0; d < sizeof depths / sizeof depths[0]; d++) {
        check_fill_pcm(self, tile, (size_t)frame_count * TILE_LANES, depths[d]);
        uint64_t wanted[TILE_LANES] = {0};
        for (uint32_t i = 0; i < frame_count * TILE_LANES; i++)
            wanted[i % TILE_LANES] |= (uint32_t)(int32_t)ldexp(tile[i], 31);
        uint64_t bits[TILE_LANES] = {0};
        self->reference->used_bits(tile, frame_count, bits);
        check_that(self, memcmp(bits, wanted, sizeof bits) == 0, "words of %u bits", depths[d]);
        memset(bits, 0, sizeof bits);
        self->reference->pcm_bits(tile, frame_count, bits);
        check_that(self, memcmp(bits, wanted, sizeof bits) == 0, "words of %u bits, PCM", depths[d]);
    }
    tile[3] = 0x1.000002p-9;
    uint64_t bits[TILE_LANES] = {0};
    self->reference->used_bits(tile, 1, bits);
    check_that(self, (bits[3] & SIGNAL_BITS_FINER) != 0 && (bits[2] & SIGNAL_BITS_FINER) == 0, "finer than 32 bits");
}

/* The definition: a discrete Fourier transform in long double; a sine of amplitude 1 in the middle of a band has power 0.5. */
static void judge_spectrum(kernel_check *self, const double *tile)
{
    static double window[SPECTRUM_FRAMES], turn[SPECTRUM_FRAMES / 2][2];
    static _Alignas(64) double power[SPECTRUM_FRAMES / 2][TILE_LANES], lines[SPECTRUM_FRAMES / 2][2][TILE_LANES];
    fill_turns(window, turn);
    self->reference->spectrum(tile, window, (const double (*)[2])turn, power, lines);
    const uint32_t lane = check_below(self, TILE_LANES);
    for (int k = 1; k < SPECTRUM_FRAMES / 2; k++) {
        long double re = 0, im = 0, size = 0;
        for (int i = 0; i < SPECTRUM_FRAMES; i++) {
            const long double x = (long double)tile[(size_t)i * TILE_LANES + lane] * (long double)window[i];
            const long double turns = (long double)(k * i % SPECTRUM_FRAMES) / SPECTRUM_FRAMES;
            const long double angle = 2.0L * 3.14159265358979323846264338L * turns;
            re += x * cosl(angle);
            im -= x * sinl(angle);
            size += fabsl(x);
        }
        judge_near(self, power[k][lane], (re * re + im * im) * 2 / (64.0L * 64.0L * 4), size * size / 4096, "spectrum");
        judge_near(self, lines[k][0][lane], re, size, "real part");
        judge_near(self, lines[k][1][lane], im, size, "imaginary part");
    }
}

void judge_signal(kernel_check *self)
{
    enum { FRAMES = 480 };
    _Alignas(64) static double memory[(FRAMES + HISTORY) * TILE_LANES];
    double *tile = memory + HISTORY * TILE_LANES;
    for (uint32_t round = 0; round < check_rounds(self, 20); round++) {
        check_fill(self, memory, (FRAMES + HISTORY) * TILE_LANES, round % 2 == 0 ? DATA_NOISE : DATA_ALTERNATING);
        for (uint32_t lane = 0; lane < TILE_LANES; lane++)
            judge_sums(self, tile, 1 + check_below(self, FRAMES), lane);
    }
    check_fill(self, memory, (FRAMES + HISTORY) * TILE_LANES, DATA_NOISE);
    judge_spectrum(self, tile);
    judge_bits(self, tile, FRAMES);
}
