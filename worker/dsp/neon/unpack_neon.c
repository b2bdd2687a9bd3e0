/**
 * Bytes to doubles, two samples a register.
 *
 * As avx512/unpack_avx512.c: a pair of samples is looked up out of a 16-byte window into two 64-bit elements, one
 * exclusive or makes them 2^(53-b) + 1 + sample, one subtraction leaves the sample. Windows that would reach past the
 * end of the source, and pairs too far apart for one window, are taken sample by sample.
 */
#include "worker/dsp/dsp_variants.h"

#include <arm_neon.h>
#include <stdbool.h>
#include <string.h>

enum { WINDOW_BYTES = 16 };

/** Two entries of the list that go to neighbouring lanes, or one. */
typedef struct couple {
    uint8_t bytes[16]; /**< table look-up; 0x80 gives 0 */
    uint64_t offset;   /**< of the window from the frame */
    uint32_t lane;     /**< of the first */
    bool both;
} couple;

/** One call, resolved. */
typedef struct request {
    const uint8_t *source;
    uint64_t frame_bytes;
    uint64_t source_bytes;
    uint32_t sample_bytes;
    bool is_float;
    uint32_t frame_count;
    double *tile;
} request;

static inline __attribute__((always_inline)) float64x2_t decode_pcm(uint8x16_t raw, uint32_t bits)
{
    const double bias = (double)(UINT64_C(1) << (53 - bits));
    const uint64x2_t sign = vdupq_n_u64(UINT64_C(1) << (bits - 1));
    const uint64x2_t exponent = vorrq_u64(vreinterpretq_u64_f64(vdupq_n_f64(bias)), sign);
    const uint64x2_t biased = veorq_u64(vreinterpretq_u64_u8(raw), exponent);
    return vsubq_f64(vreinterpretq_f64_u64(biased), vdupq_n_f64(bias + 1.0));
}

static inline __attribute__((always_inline)) float64x2_t decode(uint8x16_t raw, uint32_t bits)
{
    if (bits != 0)
        return decode_pcm(raw, bits);
    return vcvt_f64_f32(vreinterpret_f32_u32(vmovn_u64(vreinterpretq_u64_u8(raw))));
}

static double decode_one(const request *self, const uint8_t *bytes)
{
    if (self->is_float && self->sample_bytes == 8) {
        double value;
        memcpy(&value, bytes, sizeof value);
        return value;
    }
    if (self->is_float) {
        float value;
        memcpy(&value, bytes, sizeof value);
        return (double)value;
    }
    uint32_t raw = 0;
    for (uint32_t i = 0; i < self->sample_bytes; i++)
        raw |= (uint32_t)bytes[i] << (8 * (4 - self->sample_bytes + i));
    return (double)(int32_t)raw * 0x1p-31;
}

static void unpack_singly(const request *self, uint32_t first_frame, uint8_t channel, uint8_t lane)
{
    for (uint32_t frame = first_frame; frame < self->frame_count; frame++)
        self->tile[(size_t)frame * TILE_LANES + lane] =
            decode_one(self, self->source + frame * self->frame_bytes + (uint64_t)channel * self->sample_bytes);
}

/* bits: of PCM; 0 for 32-bit float. Returns the frames done. */
static inline __attribute__((always_inline)) uint32_t unpack_couple(const request *self, const couple *how,
                                                                    uint32_t bits)
{
    if (self->source_bytes < how->offset + WINDOW_BYTES)
        return 0;
    const uint64_t room = (self->source_bytes - how->offset - WINDOW_BYTES) / self->frame_bytes + 1;
    const uint32_t count = room < self->frame_count ? (uint32_t)room : self->frame_count;
    const uint8x16_t pick = vld1q_u8(how->bytes);
    const uint8_t *window = self->source + how->offset;
    double *lane = self->tile + how->lane;
    for (uint32_t i = 0; i < count; i++, window += self->frame_bytes, lane += TILE_LANES) {
        const float64x2_t x = decode(vqtbl1q_u8(vld1q_u8(window), pick), bits);
        if (how->both)
            vst1q_f64(lane, x);
        else
            vst1q_lane_f64(lane, x, 0);
    }
    return count;
}

static bool couple_init(couple *self, const request *call, uint8_t channel, uint8_t lane, bool both,
                        uint8_t next_channel)
{
    const uint64_t at[2] = {(uint64_t)channel * call->sample_bytes, (uint64_t)next_channel * call->sample_bytes};
    const uint64_t low = both && at[1] < at[0] ? at[1] : at[0];
    self->offset = low;
    self->lane = lane;
    self->both = both;
    for (uint32_t i = 0; i < 2; i++) {
        const bool used = i == 0 || both;
        if (used && at[i] - low + call->sample_bytes > WINDOW_BYTES)
            return false;
        for (uint32_t b = 0; b < 8; b++)
            self->bytes[i * 8 + b] = used && b < call->sample_bytes ? (uint8_t)(at[i] - low + b) : 0x80;
    }
    return true;
}

static void unpack(sample_encoding encoding, const uint8_t *source, uint32_t source_channels, uint32_t frame_count,
                   uint32_t lane_count, const uint8_t *channels, const uint8_t *lanes, double *tile)
{
    static const uint8_t sample_bytes[] = {[ENCODING_NONE] = 0,   [ENCODING_PCM_16] = 2,   [ENCODING_PCM_24] = 3,
                                           [ENCODING_PCM_32] = 4, [ENCODING_FLOAT_32] = 4, [ENCODING_FLOAT_64] = 8};
    request self = {.source = source,
                    .frame_bytes = (uint64_t)source_channels * sample_bytes[encoding],
                    .sample_bytes = sample_bytes[encoding],
                    .is_float = encoding == ENCODING_FLOAT_32 || encoding == ENCODING_FLOAT_64,
                    .frame_count = frame_count,
                    .tile = tile};
    self.source_bytes = frame_count * self.frame_bytes;
    if (encoding == ENCODING_NONE)
        return;
    for (uint32_t i = 0; i < lane_count;) {
        couple how;
        bool both = i + 1 < lane_count && lanes[i + 1] == lanes[i] + 1;
        if (both && !couple_init(&how, &self, channels[i], lanes[i], true, channels[i + 1]))
            both = false;
        if (!both)
            (void)couple_init(&how, &self, channels[i], lanes[i], false, 0); /* one sample fits any window */
        uint32_t done = 0;
        if (encoding == ENCODING_PCM_16)
            done = unpack_couple(&self, &how, 16);
        else if (encoding == ENCODING_PCM_24)
            done = unpack_couple(&self, &how, 24);
        else if (encoding == ENCODING_PCM_32)
            done = unpack_couple(&self, &how, 32);
        else if (encoding == ENCODING_FLOAT_32)
            done = unpack_couple(&self, &how, 0);
        unpack_singly(&self, done, channels[i], lanes[i]);
        if (both)
            unpack_singly(&self, done, channels[i + 1], lanes[i + 1]);
        i += both ? 2 : 1;
    }
}

void unpack_neon_fill(dsp_table *table)
{
    table->unpack = unpack;
}
