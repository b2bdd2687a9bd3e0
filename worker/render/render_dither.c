#include "worker/render/render_dither.h"

/* The finaliser of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014). */
static uint64_t mix_bits(uint64_t value)
{
    value = (value ^ (value >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94D049BB133111EB);
    return value ^ (value >> 31);
}

/* The odd step of SplitMix64: 2^64 over the golden ratio. */
static const uint64_t golden_step = UINT64_C(0x9E3779B97F4A7C15);

uint64_t render_dither_key(uint32_t seed, channel_label label, uint32_t reel)
{
    uint64_t key = mix_bits((uint64_t)seed + golden_step);
    key = mix_bits((key ^ (uint64_t)label) + golden_step);
    return mix_bits((key ^ (uint64_t)reel) + golden_step);
}

void render_dither_add(double *lane, uint32_t lane_stride, uint32_t frame_count, uint64_t key, uint64_t frame, double step)
{
    double scale = step * 0x1p-32;
    for (uint32_t i = 0; i < frame_count; i++) {
        uint64_t bits = mix_bits(key + (frame + i + 1) * golden_step);
        /* Both halves and the sum are whole numbers below 2^34: exact. Centred by (2^32 - 1), the mean of the sum. */
        int64_t triangle = (int64_t)(bits >> 32) + (int64_t)(bits & UINT32_MAX) - (int64_t)UINT32_MAX;
        lane[(size_t)i * lane_stride] += (double)triangle * scale;
    }
}
