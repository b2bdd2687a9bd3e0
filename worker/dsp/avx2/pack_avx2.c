/**
 * Doubles to bytes, eight samples at a time.
 *
 * As avx512/pack_avx512.c: adding 1.5 x 2^(53-b) leaves a sample's integer value in the low bits of the mantissa; low
 * words are put in the order of the channels, squeezed to the sample size, and stored by exact sizes: no byte outside
 * is touched.
 */
#include "worker/dsp/dsp_variants.h"

#include <immintrin.h>
#include <stdbool.h>
#include <string.h>

typedef struct packer {
    __m256d bias;
    __m256i pick;    /**< vpermd: words in the order of the channels */
    __m256i squeeze; /**< vpshufb: four samples to the low bytes of their 128-bit part */
    __m256i join;    /**< vpermd: the parts one behind the other */
    uint32_t byte_count;
} packer;

/* Eight 32-bit words in the order 0 1 4 5 2 3 6 7 from doubles 0..7. */
typedef __m256i pick_words(const packer *self, __m256d low, __m256d high);

static inline __attribute__((always_inline)) __m256i words_pcm(const packer *self, __m256d low, __m256d high)
{
    const __m256 a = _mm256_castpd_ps(_mm256_add_pd(low, self->bias));
    const __m256 b = _mm256_castpd_ps(_mm256_add_pd(high, self->bias));
    return _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0x88));
}

static inline __attribute__((always_inline)) __m256i words_float_32(const packer *self, __m256d low, __m256d high)
{
    (void)self;
    const __m256d both = _mm256_castps_pd(_mm256_set_m128(_mm256_cvtpd_ps(high), _mm256_cvtpd_ps(low)));
    return _mm256_castpd_si256(_mm256_permute4x64_pd(both, 0xD8));
}

static inline __attribute__((always_inline)) void store_bytes(uint8_t *to, __m256i bytes, uint32_t byte_count)
{
    __m128i rest = _mm256_castsi256_si128(bytes);
    if (byte_count >= 16) {
        _mm_storeu_si128((void *)to, rest);
        to += 16;
        byte_count -= 16;
        rest = _mm256_extracti128_si256(bytes, 1);
    }
    if (byte_count == 16) {
        _mm_storeu_si128((void *)to, rest);
        return;
    }
    if (byte_count & 8) {
        _mm_storel_epi64((void *)to, rest);
        to += 8;
        rest = _mm_srli_si128(rest, 8);
    }
    uint64_t last = (uint64_t)_mm_cvtsi128_si64(rest);
    if (byte_count & 4) {
        memcpy(to, &last, 4);
        to += 4;
        last >>= 32;
    }
    if (byte_count & 2) {
        memcpy(to, &last, 2);
        to += 2;
        last >>= 16;
    }
    if (byte_count & 1)
        *to = (uint8_t)last;
}

/* vpshufb for one 128-bit part: four samples to its low bytes. Of 16, 24 and 32 bits. */
static const uint8_t squeezes[3][16] = {
    {0, 1, 4, 5, 8, 9, 12, 13, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80},
    {0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 0x80, 0x80, 0x80, 0x80},
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}};
/* vpermd: the words that are filled in each part, one part behind the other. */
static const uint32_t joins[3][8] = {{0, 1, 4, 5}, {0, 1, 2, 4, 5, 6}, {0, 1, 2, 3, 4, 5, 6, 7}};

/* order[i]: which of the eight doubles is sample i of the stored order; sample_count 1..8. */
static inline __attribute__((always_inline)) packer packer_for(uint32_t sample_bytes, bool is_float,
                                                               const uint8_t *order, uint32_t sample_count)
{
    static const uint8_t word_of[8] = {0, 1, 4, 5, 2, 3, 6, 7};
    _Alignas(32) uint32_t pick[8] = {0};
    for (uint32_t i = 0; i < sample_count; i++)
        pick[i] = word_of[order[i]];
    const double bias = is_float ? 0.0 : 1.5 * (double)(UINT64_C(1) << (53 - 8 * sample_bytes));
    const __m128i squeeze_part = _mm_loadu_si128((const void *)squeezes[sample_bytes - 2]);
    return (packer){.bias = _mm256_set1_pd(bias),
                    .pick = _mm256_load_si256((const void *)pick),
                    .squeeze = _mm256_broadcastsi128_si256(squeeze_part),
                    .join = _mm256_loadu_si256((const void *)joins[sample_bytes - 2]),
                    .byte_count = sample_count * sample_bytes};
}

static inline __attribute__((always_inline)) __m256i packer_bytes(const packer *self, pick_words *words,
                                                                  uint32_t sample_bytes, __m256d low, __m256d high)
{
    const __m256i ordered = _mm256_permutevar8x32_epi32(words(self, low, high), self->pick);
    if (sample_bytes == 4)
        return ordered;
    return _mm256_permutevar8x32_epi32(_mm256_shuffle_epi8(ordered, self->squeeze), self->join);
}

/* Four doubles from anywhere. Plain loads: a gather is slower, and many times so with the microcode of 2023. */
static inline __attribute__((always_inline)) __m256d collect(const double *row, const uint32_t at[4])
{
    const __m128d a = _mm_loadh_pd(_mm_load_sd(row + at[0]), row + at[1]);
    const __m128d b = _mm_loadh_pd(_mm_load_sd(row + at[2]), row + at[3]);
    return _mm256_set_m128d(b, a);
}

/* One or two channels with nothing between them: eight or four frames at once. Returns the frames done. */
static inline __attribute__((always_inline)) uint32_t pack_narrow(pick_words *words, uint32_t sample_bytes,
                                                                  const double *tile, uint32_t frame_count,
                                                                  uint32_t channel_count, const uint8_t *lanes,
                                                                  uint8_t *destination)
{
    static const uint8_t order[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    const packer self = packer_for(sample_bytes, words == words_float_32, order, 8);
    const uint32_t frames = 8 / channel_count;
    uint32_t at[8];
    for (uint32_t i = 0; i < 8; i++)
        at[i] = channel_count == 1 ? i * TILE_LANES + lanes[0] : i / 2 * TILE_LANES + lanes[i % 2];
    uint32_t frame = 0;
    for (; frame + frames <= frame_count; frame += frames) {
        const double *row = tile + (size_t)frame * TILE_LANES;
        const __m256i out = packer_bytes(&self, words, sample_bytes, collect(row, at), collect(row, at + 4));
        store_bytes(destination, out, 8 * sample_bytes);
        destination += 8 * sample_bytes;
    }
    return frame;
}

static inline __attribute__((always_inline)) void pack_rows(pick_words *words, uint32_t sample_bytes,
                                                            const double *tile, uint32_t frame_count,
                                                            uint32_t channel_count, const uint8_t *lanes,
                                                            uint64_t frame_bytes, uint8_t *destination)
{
    uint32_t frame = 0;
    if (channel_count <= 2 && frame_bytes == (uint64_t)channel_count * sample_bytes)
        frame = pack_narrow(words, sample_bytes, tile, frame_count, channel_count, lanes, destination);
    const packer self = packer_for(sample_bytes, words == words_float_32, lanes, channel_count);
    for (; frame < frame_count; frame++) {
        const double *row = tile + (size_t)frame * TILE_LANES;
        const __m256i out =
            packer_bytes(&self, words, sample_bytes, _mm256_load_pd(row), _mm256_load_pd(row + 4));
        store_bytes(destination + frame * frame_bytes, out, self.byte_count);
    }
}

#define PACK_PCM words_pcm
#define PACK_FLOAT_32 words_float_32
#include "worker/dsp/pack_samples.h"

void pack_avx2_fill(dsp_table *table)
{
    table->pack = pack;
}
