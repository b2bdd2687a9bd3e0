/**
 * Bytes to doubles, four samples a register.
 *
 * As avx512/unpack_avx512.c, each pair of samples is shuffled out of a 16-byte window into two 64-bit elements, one
 * xor makes them 2^(53-b) + 1 + sample, one subtraction leaves the sample. Frames whose windows would reach past the
 * end of the source, and pairs too far apart for one window, are taken sample by sample.
 */
#include "worker/dsp/dsp_variants.h"

#include <immintrin.h>
#include <stdbool.h>
#include <string.h>

enum { WIDTH = 4, WINDOW_BYTES = 16, FLOAT_WINDOW_BYTES = 32 };

/** Four samples of one register. */
typedef struct quad {
    _Alignas(32) uint64_t bytes[4];  /**< vpshufb, a byte each; 0x80 clears a byte */
    _Alignas(32) uint32_t words[8];  /**< vpermps, for floats */
    _Alignas(32) int64_t lanes[4];   /**< all ones where an element holds a sample */
    uint64_t offset[2];              /**< of each pair's window; of floats, both the one window */
    uint32_t window_bytes;
    bool full;
} quad;

/** One call, resolved. */
typedef struct request {
    const uint8_t *source;
    uint64_t frame_bytes;
    uint64_t source_bytes;
    uint32_t sample_bytes;
    bool is_float;
    uint32_t frame_count;
    uint32_t lane_count;
    const uint8_t *channels;
    const uint8_t *lanes;
    double *tile;
} request;

typedef __m256d decode(const request *self, const quad *how, const uint8_t *frame);

static inline __attribute__((always_inline)) __m256i load_pairs(const quad *how, const uint8_t *frame)
{
    const __m128i first = _mm_loadu_si128((const void *)(frame + how->offset[0]));
    const __m128i second = _mm_loadu_si128((const void *)(frame + how->offset[1]));
    const __m256i both = _mm256_inserti128_si256(_mm256_castsi128_si256(first), second, 1);
    return _mm256_shuffle_epi8(both, _mm256_load_si256((const void *)how->bytes));
}

static inline __attribute__((always_inline)) __m256d decode_pcm(const quad *how, const uint8_t *frame, uint32_t bits)
{
    const double bias = (double)(UINT64_C(1) << (53 - bits));
    const __m256i sign = _mm256_set1_epi64x((long long)(UINT64_C(1) << (bits - 1)));
    const __m256i exponent = _mm256_or_si256(_mm256_castpd_si256(_mm256_set1_pd(bias)), sign);
    const __m256i raw = _mm256_xor_si256(load_pairs(how, frame), exponent);
    return _mm256_sub_pd(_mm256_castsi256_pd(raw), _mm256_set1_pd(bias + 1.0));
}

static inline __attribute__((always_inline)) __m256d decode_pcm_16(const request *self, const quad *how,
                                                                   const uint8_t *frame)
{
    (void)self;
    return decode_pcm(how, frame, 16);
}

static inline __attribute__((always_inline)) __m256d decode_pcm_24(const request *self, const quad *how,
                                                                   const uint8_t *frame)
{
    (void)self;
    return decode_pcm(how, frame, 24);
}

static inline __attribute__((always_inline)) __m256d decode_pcm_32(const request *self, const quad *how,
                                                                   const uint8_t *frame)
{
    (void)self;
    return decode_pcm(how, frame, 32);
}

/* Four floats out of one window of 32 bytes. */
static inline __attribute__((always_inline)) __m256d decode_float_32(const request *self, const quad *how,
                                                                     const uint8_t *frame)
{
    (void)self;
    const __m256 window = _mm256_loadu_ps((const void *)(frame + how->offset[0]));
    const __m256 words = _mm256_permutevar8x32_ps(window, _mm256_load_si256((const void *)how->words));
    return _mm256_cvtps_pd(_mm256_castps256_ps128(words));
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

/* Sample by sample: frames first_frame.. of entries first_entry .. end_entry of the list. */
static void unpack_singly(const request *self, uint32_t first_frame, uint32_t first_entry, uint32_t end_entry)
{
    for (uint32_t frame = first_frame; frame < self->frame_count; frame++) {
        const uint8_t *bytes = self->source + frame * self->frame_bytes;
        double *row = self->tile + (size_t)frame * TILE_LANES;
        for (uint32_t i = first_entry; i < end_entry; i++)
            row[self->lanes[i]] = decode_one(self, bytes + (uint64_t)self->channels[i] * self->sample_bytes);
    }
}

/* Floats: false if the four do not fit one window. */
static bool quad_init_float(quad *self, const uint64_t offsets[4], uint32_t used)
{
    uint64_t low = UINT64_MAX;
    uint64_t high = 0;
    for (uint32_t i = 0; i < WIDTH; i++) {
        if (!(used >> i & 1))
            continue;
        low = offsets[i] < low ? offsets[i] : low;
        high = offsets[i] > high ? offsets[i] : high;
    }
    self->window_bytes = FLOAT_WINDOW_BYTES;
    if (used != 0 && high - low + sizeof(float) > FLOAT_WINDOW_BYTES)
        return false;
    self->offset[0] = self->offset[1] = used != 0 ? low : 0;
    for (uint32_t i = 0; i < 2 * WIDTH; i++)
        self->words[i] = i < WIDTH && used >> i & 1 ? (uint32_t)(offsets[i] - low) / 4 : 0;
    for (uint32_t i = 0; i < WIDTH; i++)
        self->lanes[i] = used >> i & 1 ? -1 : 0;
    return true;
}

/*
 * offsets[i]: byte of element i's sample from the frame, for the elements of `used`. False if a pair is too far
 * apart.
 */
static bool quad_init(quad *self, const uint64_t offsets[4], uint32_t used, const request *call)
{
    const uint32_t sample_bytes = call->sample_bytes;
    self->full = used == 15;
    if (call->is_float)
        return quad_init_float(self, offsets, used);
    self->window_bytes = WINDOW_BYTES;
    for (uint32_t pair = 0; pair < 2; pair++) {
        const bool has[2] = {used >> (2 * pair) & 1, used >> (2 * pair + 1) & 1};
        const uint64_t at[2] = {offsets[2 * pair], offsets[2 * pair + 1]};
        const uint64_t low = !has[1] || (has[0] && at[0] < at[1]) ? at[0] : at[1];
        self->offset[pair] = has[0] || has[1] ? low : 0;
        for (uint32_t i = 0; i < 2; i++) {
            if (has[i] && at[i] - low + sample_bytes > WINDOW_BYTES)
                return false;
            self->lanes[2 * pair + i] = has[i] ? -1 : 0;
            const uint64_t window_bytes =
                UINT64_C(0x0706050403020100) + (at[i] - low) * (has[i] ? UINT64_C(0x0101010101010101) : 0);
            const uint64_t kept = has[i] ? ~UINT64_C(0) >> (64 - 8 * sample_bytes) : 0;
            self->bytes[pair * 2 + i] = (window_bytes & kept) | (UINT64_C(0x8080808080808080) & ~kept);
        }
    }
    return true;
}

/* Steps of `step` bytes that the register can be loaded at without leaving the source, at most `count`. */
static uint32_t quad_room(const quad *self, const request *call, uint64_t step, uint32_t count)
{
    const uint64_t offset = self->offset[0] > self->offset[1] ? self->offset[0] : self->offset[1];
    while (count > 0 && offset + (count - 1) * step + self->window_bytes > call->source_bytes)
        count--; /* a handful of turns: the last windows only; a division would take longer */
    return count;
}

static inline __attribute__((always_inline)) void store_lanes(const quad *how, bool full, double *lanes, __m256d x)
{
    if (full)
        _mm256_store_pd(lanes, x);
    else
        _mm256_maskstore_pd(lanes, _mm256_load_si256((const void *)how->lanes), x);
}

/* `count` frames of both registers; low_full and high_full are literals, so that each loop is bare. */
static inline __attribute__((always_inline)) void unpack_whole_rows(decode *sample, const request *self,
                                                                    const quad *low, const quad *high, bool low_full,
                                                                    bool high_full, uint32_t count)
{
    const uint8_t *frame = self->source;
    const uint64_t step = self->frame_bytes;
    double *row = self->tile;
    for (; count > 0; count--, frame += step, row += TILE_LANES) {
        store_lanes(low, low_full, row, sample(self, low, frame));
        store_lanes(high, high_full, row + WIDTH, sample(self, high, frame));
    }
}

/* A frame is two registers. Returns the frames done, 0 when the lanes do not fit the windows. */
static inline __attribute__((always_inline)) uint32_t unpack_wide(decode *sample, const request *self)
{
    uint64_t offsets[TILE_LANES] = {0};
    uint32_t used = 0;
    for (uint32_t i = 0; i < self->lane_count; i++) {
        offsets[self->lanes[i]] = (uint64_t)self->channels[i] * self->sample_bytes;
        used |= 1u << self->lanes[i];
    }
    quad low;
    quad high;
    if (!quad_init(&low, offsets, used & 15, self) ||
        !quad_init(&high, offsets + WIDTH, used >> 4, self))
        return 0;
    const uint32_t low_count = quad_room(&low, self, self->frame_bytes, self->frame_count);
    const uint32_t count = quad_room(&high, self, self->frame_bytes, low_count);
    if (low.full && high.full)
        unpack_whole_rows(sample, self, &low, &high, true, true, count);
    else if (low.full)
        unpack_whole_rows(sample, self, &low, &high, true, false, count);
    else
        unpack_whole_rows(sample, self, &low, &high, false, false, count);
    return count;
}

/* One lane, four frames a register; or two neighbouring lanes, two frames. Returns the frames done. */
static inline __attribute__((always_inline)) uint32_t unpack_narrow(decode *sample, const request *self)
{
    const bool pair = self->lane_count == 2 && self->lanes[1] == self->lanes[0] + 1;
    if (self->lane_count != 1 && !pair)
        return 0;
    const uint32_t frames = pair ? 2 : 4;
    uint64_t offsets[WIDTH];
    for (uint32_t i = 0; i < WIDTH; i++) {
        const uint32_t channel = self->channels[pair ? i % 2 : 0];
        offsets[i] = (pair ? i / 2 : i) * self->frame_bytes + (uint64_t)channel * self->sample_bytes;
    }
    quad how;
    if (!quad_init(&how, offsets, 15, self))
        return 0;
    const uint64_t step = frames * self->frame_bytes;
    const uint32_t count = quad_room(&how, self, step, self->frame_count / frames);
    double *lane = self->tile + self->lanes[0];
    for (uint32_t i = 0; i < count; i++, lane += frames * TILE_LANES) {
        const __m256d x = sample(self, &how, self->source + i * step);
        const __m128d front = _mm256_castpd256_pd128(x);
        const __m128d back = _mm256_extractf128_pd(x, 1);
        if (pair) {
            _mm_storeu_pd(lane, front);
            _mm_storeu_pd(lane + TILE_LANES, back);
        } else {
            _mm_storel_pd(lane, front);
            _mm_storeh_pd(lane + TILE_LANES, front);
            _mm_storel_pd(lane + 2 * TILE_LANES, back);
            _mm_storeh_pd(lane + 3 * TILE_LANES, back);
        }
    }
    return count * frames;
}

static inline __attribute__((always_inline)) void unpack_with(decode *sample, request *self)
{
    uint32_t done = unpack_narrow(sample, self);
    if (done == 0)
        done = unpack_wide(sample, self);
    unpack_singly(self, done, 0, self->lane_count);
}

static void unpack_pcm_16(request *self)
{
    unpack_with(decode_pcm_16, self);
}

static void unpack_pcm_24(request *self)
{
    unpack_with(decode_pcm_24, self);
}

static void unpack_pcm_32(request *self)
{
    unpack_with(decode_pcm_32, self);
}

static void unpack_float_32(request *self)
{
    unpack_with(decode_float_32, self);
}

static void unpack(sample_encoding encoding, const uint8_t *source, uint32_t source_channels, uint32_t frame_count,
                   uint32_t lane_count, const uint8_t *channels, const uint8_t *lanes, double *tile)
{
    static const uint8_t sample_bytes[] = {[ENCODING_NONE] = 0,     [ENCODING_PCM_16] = 2,   [ENCODING_PCM_24] = 3,
                                           [ENCODING_PCM_32] = 4,   [ENCODING_FLOAT_32] = 4, [ENCODING_FLOAT_64] = 8};
    request self = {.source = source,
                    .frame_bytes = (uint64_t)source_channels * sample_bytes[encoding],
                    .sample_bytes = sample_bytes[encoding],
                    .is_float = encoding == ENCODING_FLOAT_32 || encoding == ENCODING_FLOAT_64,
                    .frame_count = frame_count,
                    .lane_count = lane_count,
                    .channels = channels,
                    .lanes = lanes,
                    .tile = tile};
    self.source_bytes = frame_count * self.frame_bytes;
    switch (encoding) {
    case ENCODING_PCM_16:
        unpack_pcm_16(&self);
        break;
    case ENCODING_PCM_24:
        unpack_pcm_24(&self);
        break;
    case ENCODING_PCM_32:
        unpack_pcm_32(&self);
        break;
    case ENCODING_FLOAT_32:
        unpack_float_32(&self);
        break;
    case ENCODING_FLOAT_64:
        unpack_singly(&self, 0, 0, lane_count); /* whole elements: nothing to shuffle */
        break;
    case ENCODING_NONE:
        break;
    }
}

void unpack_avx2_fill(dsp_table *table)
{
    table->unpack = unpack;
}
