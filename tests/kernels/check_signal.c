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

    double expected_sums[TILE_LANES];
    double actual_sums[TILE_LANES];
    self->reference->lane_sums(tile, frame_count, expected_sums);
    self->variant->lane_sums(tile, frame_count, actual_sums);
    check_doubles(self, expected_sums, actual_sums, TILE_LANES, what);

    uint64_t expected_bits[TILE_LANES] = {1, 2, 3};
    uint64_t actual_bits[TILE_LANES] = {1, 2, 3};
    self->reference->used_bits(tile, frame_count, expected_bits);
    self->variant->used_bits(tile, frame_count, actual_bits);
    for (uint32_t lane = 0; lane < TILE_LANES; lane++)
        check_that(self, expected_bits[lane] == actual_bits[lane], "%s: bits %llx, expected %llx", what,
                   (unsigned long long)actual_bits[lane], (unsigned long long)expected_bits[lane]);
}

void check_signal(kernel_check *self)
{
    uint32_t frame_count;
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
    self->reference->lane_sums(tile, frame_count, plain);
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
    }
    tile[3] = 0x1.000002p-9;
    uint64_t bits[TILE_LANES] = {0};
    self->reference->used_bits(tile, 1, bits);
    check_that(self, (bits[3] & SIGNAL_BITS_FINER) != 0 && (bits[2] & SIGNAL_BITS_FINER) == 0, "finer than 32 bits");
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
    judge_bits(self, tile, FRAMES);
}
