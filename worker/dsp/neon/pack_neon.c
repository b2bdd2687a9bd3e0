/**
 * Doubles to bytes, up to eight samples at a time.
 *
 * As avx512/pack_avx512.c: adding 1.5 x 2^(53-b) leaves a sample's integer value in the low bits of the mantissa. Two
 * table look-ups over the eight biased doubles put the low bytes in the order of the channels; stores have exact
 * sizes.
 */
#include "worker/dsp/dsp_variants.h"

#include <arm_neon.h>
#include <stdbool.h>
#include <string.h>

/* Bytes at most 16 of them. */
static inline __attribute__((always_inline)) void store_bytes(uint8_t *to, uint8x16_t bytes, uint32_t byte_count)
{
    if (byte_count == 16) {
        vst1q_u8(to, bytes);
        return;
    }
    const uint64x2_t halves = vreinterpretq_u64_u8(bytes);
    uint64_t rest = vgetq_lane_u64(halves, 0);
    if (byte_count & 8) {
        memcpy(to, &rest, 8);
        to += 8;
        rest = vgetq_lane_u64(halves, 1);
    }
    if (byte_count & 4) {
        memcpy(to, &rest, 4);
        to += 4;
        rest >>= 32;
    }
    if (byte_count & 2) {
        memcpy(to, &rest, 2);
        to += 2;
        rest >>= 16;
    }
    if (byte_count & 1)
        *to = (uint8_t)rest;
}

/* The eight 32-bit words of a frame: low words of the biased mantissas, or floats. */
static inline __attribute__((always_inline)) uint8x16x2_t words_of(const double *row, float64x2_t bias, bool is_float)
{
    uint32x2_t word[4];
    for (int i = 0; i < 4; i++) {
        const float64x2_t x = vld1q_f64(row + i * 2);
        word[i] =
            is_float ? vreinterpret_u32_f32(vcvt_f32_f64(x)) : vmovn_u64(vreinterpretq_u64_f64(vaddq_f64(x, bias)));
    }
    uint8x16x2_t words;
    words.val[0] = vreinterpretq_u8_u32(vcombine_u32(word[0], word[1]));
    words.val[1] = vreinterpretq_u8_u32(vcombine_u32(word[2], word[3]));
    return words;
}

static inline __attribute__((always_inline)) void pack_rows(bool is_float, uint32_t sample_bytes, const double *tile,
                                                            uint32_t frame_count, uint32_t channel_count,
                                                            const uint8_t *lanes, uint64_t frame_bytes,
                                                            uint8_t *destination)
{
    uint8_t order[32];
    const uint32_t byte_count = channel_count * sample_bytes;
    for (uint32_t i = 0; i < sizeof order; i++)
        order[i] = i < byte_count ? (uint8_t)(lanes[i / sample_bytes] * 4u + i % sample_bytes) : 0xFF;
    const uint8x16_t first = vld1q_u8(order);
    const uint8x16_t second = vld1q_u8(order + 16);
    const float64x2_t bias =
        vdupq_n_f64(is_float ? 0.0 : 1.5 * (double)(UINT64_C(1) << (53 - 8 * sample_bytes)));
    for (uint32_t frame = 0; frame < frame_count; frame++, destination += frame_bytes) {
        const uint8x16x2_t words = words_of(tile + (size_t)frame * TILE_LANES, bias, is_float);
        store_bytes(destination, vqtbl2q_u8(words, first), byte_count < 16 ? byte_count : 16);
        if (byte_count > 16)
            store_bytes(destination + 16, vqtbl2q_u8(words, second), byte_count - 16);
    }
}

#define PACK_PCM false
#define PACK_FLOAT_32 true
#include "worker/dsp/pack_samples.h"

void pack_neon_fill(dsp_table *table)
{
    table->pack = pack;
}
