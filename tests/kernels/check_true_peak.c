#include "tests/kernels/kernel_check.h"
#include "worker/dsp/true_peak_taps.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* ITU-R BS.1770-5, Annex 2: phases 0 and 1; phase 2 is phase 1 reversed, phase 3 is phase 0 reversed. */
static const double taps[2][TRUE_PEAK_TAPS] = {
    {0.0017089843750, 0.0109863281250, -0.0196533203125, 0.0332031250000, -0.0594482421875, 0.1373291015625,
     0.9721679687500, -0.1022949218750, 0.0476074218750, -0.0266113281250, 0.0148925781250, -0.0083007812500},
    {-0.0291748046875, 0.0292968750000, -0.0517578125000, 0.0891113281250, -0.1665039062500, 0.4650878906250,
     0.7797851562500, -0.2003173828125, 0.1015625000000, -0.0582275390625, 0.0330810546875, -0.0189208984375}};

static double tap_of(uint32_t phase, uint32_t k)
{
    return phase < 2 ? taps[phase][k] : taps[3 - phase][TRUE_PEAK_TAPS - 1 - k];
}

static double *place_tile(kernel_check *self, uint32_t frame_count, placement where)
{
    const size_t bytes = ((size_t)frame_count + TRUE_PEAK_HISTORY) * TILE_LANES * sizeof(double);
    double *first = (double *)(void *)guarded_place(&self->memory[0], bytes, where, 0);
    return first + TRUE_PEAK_HISTORY * TILE_LANES;
}

static void true_peak_once(kernel_check *self, uint32_t frame_count, hostility kind, placement where)
{
    double *tile = place_tile(self, frame_count, where);
    const size_t values = (size_t)frame_count * TILE_LANES;
    check_fill(self, tile - TRUE_PEAK_HISTORY * TILE_LANES, values + TRUE_PEAK_HISTORY * TILE_LANES, kind);
    char what[96];
    (void)snprintf(what, sizeof what, "%s, %u frames", hostility_name(kind), frame_count);

    double expected[TILE_LANES];
    self->reference->true_peak(tile, frame_count, expected);
    double *actual = (double *)(void *)guarded_place(&self->memory[1], sizeof expected, where, 8);
    self->variant->true_peak(tile, frame_count, actual);
    check_doubles(self, expected, actual, TILE_LANES, what);
    check_that(self, guarded_intact(&self->memory[1], (const uint8_t *)actual, sizeof expected), "%s: margin", what);

    /* Floors from far below to just around the peaks, where leaving something out would show. */
    static const double shares[] = {0.0, 0.3, 0.7, 0.9, 0.999, 1.0, 1.001, 3.0};
    double floors[TILE_LANES];
    double raised[TILE_LANES];
    double expected_raised[TILE_LANES];
    for (uint32_t lane = 0; lane < TILE_LANES; lane++) {
        floors[lane] = isfinite(expected[lane]) ? expected[lane] * shares[check_below(self, 8)] : 1.0;
        expected_raised[lane] = fmax(expected[lane], floors[lane]);
    }
    double expected_sample[TILE_LANES];
    double sample[TILE_LANES];
    self->reference->peak(tile, frame_count, expected_sample);
    self->variant->true_peak_over(tile, frame_count, floors, NULL, raised, sample);
    check_doubles(self, expected_raised, raised, TILE_LANES, what);
    check_doubles(self, expected_sample, sample, TILE_LANES, what);
    double blocks[TILE_BLOCKS_MAX][TILE_LANES];
    for (uint32_t first = 0; first < frame_count; first += TRUE_PEAK_BLOCK_FRAMES)
        self->reference->peak(tile + (size_t)first * TILE_LANES,
                              frame_count - first < TRUE_PEAK_BLOCK_FRAMES ? frame_count - first : TRUE_PEAK_BLOCK_FRAMES,
                              blocks[first / TRUE_PEAK_BLOCK_FRAMES]);
    self->variant->true_peak_over(tile, frame_count, floors, (const double (*)[TILE_LANES])blocks, raised, sample);
    check_doubles(self, expected_raised, raised, TILE_LANES, what);
    check_doubles(self, expected_sample, sample, TILE_LANES, what);
    self->reference->true_peak_over(tile, frame_count, floors, NULL, raised, sample);
    check_doubles(self, expected_raised, raised, TILE_LANES, what);
    check_doubles(self, expected_sample, sample, TILE_LANES, what);

    double *expected_frames = (double *)(void *)guarded_place(&self->memory[2], values * sizeof(double), where, 0);
    double *actual_frames = (double *)(void *)guarded_place(&self->memory[3], values * sizeof(double), where, 0);
    self->reference->true_peak_frames(tile, frame_count, expected_frames);
    self->variant->true_peak_frames(tile, frame_count, actual_frames);
    check_doubles(self, expected_frames, actual_frames, values, what);
    check_that(self, guarded_intact(&self->memory[3], (const uint8_t *)actual_frames, values * sizeof(double)),
               "%s: margin of frames", what);

    const uint32_t lane_mask = check_below(self, 256);
    double masked[TILE_LANES];
    double all_masked[TILE_LANES];
    for (uint32_t lane = 0; lane < TILE_LANES; lane++) {
        all_masked[lane] = -7.0;
        masked[lane] = lane_mask >> lane & 1 ? expected[lane] : -7.0;
    }
    self->variant->true_peak_lanes(tile, frame_count, lane_mask, all_masked);
    check_doubles(self, masked, all_masked, TILE_LANES, what);
}

/*
 * Floors that a sieve could take for out of reach: all lanes have one just below or at their peak, and the samples are
 * random shares of the worst case of some phase, so that outer and inner taps add up in every proportion. Some tiles have lanes
 * that are silent.
 */
static void true_peak_sieved_once(kernel_check *self, uint32_t frame_count)
{
    static const double shares[] = {0.9, 0.99, 0.999999, 1.0 - 0x1p-30, 1.0 - 0x1p-53, 1.0};
    static const double levels[] = {1.0, 0x1p-23, 1e-12, 1e-20, 1e-45, 1e-310, 1e31, 1e39, 1e301};
    static const double sizes[] = {1.0, 1.0, 0.999, 0.5, 0.1, 0.0};
    double *tile = place_tile(self, frame_count, AT_END);
    const double share = shares[check_below(self, 6)];
    const bool alike = check_below(self, 4) > 0; /* a block is left out only when all its lanes are */
    const uint32_t sounding = check_below(self, 2) == 0 ? TILE_LANES : 1 + check_below(self, TILE_LANES);
    for (uint32_t lane = 0; lane < TILE_LANES; lane++) {
        const double level = levels[check_below(self, 3) == 0 ? check_below(self, 9) : 0];
        const uint32_t phase = check_below(self, 4);
        for (int frame = -TRUE_PEAK_HISTORY; frame < (int)frame_count; frame++) {
            const uint32_t k = (uint32_t)(TRUE_PEAK_TAPS - 1 - (frame + TRUE_PEAK_HISTORY) % TRUE_PEAK_TAPS);
            tile[frame * TILE_LANES + (int)lane] = lane >= sounding ? 0.0
                                                   : alike && lane > 0
                                                       ? tile[frame * TILE_LANES]
                                                       : copysign(level * sizes[check_below(self, 6)], tap_of(phase, k));
        }
    }
    double expected[TILE_LANES];
    double floors[TILE_LANES];
    double raised[TILE_LANES];
    self->reference->true_peak(tile, frame_count, expected);
    for (uint32_t lane = 0; lane < TILE_LANES; lane++)
        floors[lane] = isfinite(expected[lane]) ? expected[lane] * share : 1.0;
    double sample[TILE_LANES];
    self->variant->true_peak_over(tile, frame_count, floors, NULL, raised, sample);
    for (uint32_t lane = 0; lane < TILE_LANES; lane++)
        expected[lane] = fmax(expected[lane], floors[lane]);
    char what[64];
    (void)snprintf(what, sizeof what, "floors at %.17g of the peaks, %u frames", share, frame_count);
    check_doubles(self, expected, raised, TILE_LANES, what);
}

void check_true_peak(kernel_check *self)
{
    uint32_t frame_count;
    for (uint32_t index = 0; check_frame_count(index, &frame_count); index++)
        for (uint32_t kind = 0; kind < DATA_KIND_COUNT; kind++)
            if (check_below(self, 100) < self->effort)
                true_peak_once(self, frame_count, (hostility)kind, (placement)((index + kind) % PLACEMENT_COUNT));
    for (uint32_t round = 0; round < check_rounds(self, 2000); round++)
        true_peak_sieved_once(self, 1 + check_below(self, 10 * TRUE_PEAK_BLOCK_FRAMES));
}

/*
 * PCM: 2^13 x tap and 2^31 x sample are integers, so the plain FIR in 64-bit integers is the truth, to the last bit.
 */
static void judge_pcm(kernel_check *self, uint32_t bits)
{
    enum { FRAMES = 40 };
    double *tile = place_tile(self, FRAMES, AT_END);
    check_fill_pcm(self, tile - TRUE_PEAK_HISTORY * TILE_LANES, (FRAMES + TRUE_PEAK_HISTORY) * TILE_LANES, bits);
    double expected[FRAMES * TILE_LANES];
    double expected_peak[TILE_LANES] = {0};
    for (int at = 0; at < FRAMES * TILE_LANES; at++) {
        int64_t largest = 0;
        for (uint32_t phase = 0; phase < 4; phase++) {
            int64_t sum = 0;
            for (uint32_t k = 0; k < TRUE_PEAK_TAPS; k++)
                sum += (int64_t)(tap_of(phase, k) * 0x1p13) * (int64_t)(tile[at - (int)k * TILE_LANES] * 0x1p31);
            sum = sum < 0 ? -sum : sum;
            largest = sum > largest ? sum : largest;
        }
        expected[at] = ldexp((double)largest, -44);
        expected_peak[at % TILE_LANES] = fmax(expected_peak[at % TILE_LANES], expected[at]);
    }
    double *frames = (double *)(void *)guarded_place(&self->memory[1], sizeof expected, AT_END, 0);
    double peaks[TILE_LANES];
    self->reference->true_peak_frames(tile, FRAMES, frames);
    self->reference->true_peak(tile, FRAMES, peaks);
    char what[48];
    (void)snprintf(what, sizeof what, "integer FIR, %u bits", bits);
    check_doubles(self, expected, frames, FRAMES * TILE_LANES, what);
    check_doubles(self, expected_peak, peaks, TILE_LANES, what);
}

/*
 * Any double: sums and differences round once (2^-53 of twice the largest sample), each of the 6 products of a half
 * rounds once, the joining once: within 9 x 2^-53 x 2 x (sum of |tap|) x the largest sample of the true value.
 */
static void judge_float(kernel_check *self)
{
    enum { FRAMES = 40 };
    double *tile = place_tile(self, FRAMES, AT_END);
    check_fill(self, tile - TRUE_PEAK_HISTORY * TILE_LANES, (FRAMES + TRUE_PEAK_HISTORY) * TILE_LANES, DATA_OVER);
    double *frames =
        (double *)(void *)guarded_place(&self->memory[1], FRAMES * TILE_LANES * sizeof(double), AT_END, 0);
    self->reference->true_peak_frames(tile, FRAMES, frames);
    for (int at = 0; at < FRAMES * TILE_LANES; at++) {
        long double largest = 0.0L;
        for (uint32_t phase = 0; phase < 4; phase++) {
            long double sum = 0.0L;
            for (uint32_t k = 0; k < TRUE_PEAK_TAPS; k++)
                sum += (long double)tap_of(phase, k) * (long double)tile[at - (int)k * TILE_LANES];
            largest = fmaxl(largest, fabsl(sum));
        }
        const long double bound = 9 * 0x1p-53L * 2 * (long double)TRUE_PEAK_GAIN_MAX * 4.0L;
        check_that(self, fabsl(largest - (long double)frames[at]) <= bound, "frame %d: %La, expected %La", at,
                   (long double)frames[at], largest);
    }
}

/* The bound that pruning stands on, and a signal that meets it: sample signs equal to the signs of a phase's taps. */
static void judge_gain(kernel_check *self)
{
    double gain[4] = {0};
    for (uint32_t phase = 0; phase < 4; phase++)
        for (uint32_t k = 0; k < TRUE_PEAK_TAPS; k++)
            gain[phase] += fabs(tap_of(phase, k)); /* exact: multiples of 2^-13 */
    for (uint32_t phase = 0; phase < 4; phase++)
        check_that(self, gain[phase] <= TRUE_PEAK_GAIN_MAX, "phase %u sums to %.17g", phase, gain[phase]);
    check_that(self, gain[0] <= TRUE_PEAK_OUTER_GAIN_MAX && gain[3] == gain[0], "phase 0 sums to %.17g", gain[0]);
    check_that(self, gain[1] == 2.0228271484375 && gain[2] == gain[1], "phase 1 sums to %.17g", gain[1]);
    _Alignas(64) double tile[(TRUE_PEAK_HISTORY + 1) * TILE_LANES];
    for (uint32_t k = 0; k < TRUE_PEAK_TAPS; k++)
        for (uint32_t lane = 0; lane < TILE_LANES; lane++)
            tile[(TRUE_PEAK_HISTORY - k) * TILE_LANES + lane] = copysign(1.0, tap_of(1 + lane % 2, k));
    double peaks[TILE_LANES];
    self->reference->true_peak(tile + TRUE_PEAK_HISTORY * TILE_LANES, 1, peaks);
    for (uint32_t lane = 0; lane < TILE_LANES; lane++)
        check_that(self, peaks[lane] == gain[1], "worst case of phase %u reads %.17g", 1 + lane % 2, peaks[lane]);
}

void judge_true_peak(kernel_check *self)
{
    for (uint32_t round = 0; round < check_rounds(self, 20); round++) {
        judge_pcm(self, 16);
        judge_pcm(self, 24);
        judge_pcm(self, 32);
        judge_float(self);
    }
    judge_gain(self);
}
