/**
 * Doubles to bytes, up to sixteen samples a store.
 *
 * Adding 1.5 x 2^(53-b) to a multiple of 2^-(b-1) within -1 .. 1 leaves its integer value in the low bits of the
 * mantissa, so no conversion is needed: the low words of two frames are picked in the order of the channels, squeezed
 * to the sample size and stored under a mask.
 */
#include "worker/dsp/dsp_variants.h"

#include <immintrin.h>
#include <stdbool.h>

typedef struct packer {
    __m512d bias;
    __m512i pick;    /**< which of 16 words of a frame (32 of two) goes where */
    __m512i squeeze; /**< vpshufb: four samples to the low bytes of their 128-bit part */
    __m512i join;    /**< vpermd: the parts one behind the other */
    __mmask64 write;
    __mmask64 write_single; /**< for one frame of the two */
} packer;

/* Sixteen 32-bit words, low word first, from two rows of eight. */
typedef __m512i pick_words(const packer *self, __m512d row, __m512d next_row);

static inline __attribute__((always_inline)) __m512i pick_pcm(const packer *self, __m512d row, __m512d next_row)
{
    const __m512d a = _mm512_add_pd(row, self->bias);
    const __m512d b = _mm512_add_pd(next_row, self->bias);
    return _mm512_permutex2var_epi32(_mm512_castpd_si512(a), self->pick, _mm512_castpd_si512(b));
}

static inline __attribute__((always_inline)) __m512i pick_float_32(const packer *self, __m512d row,
                                                                   __m512d next_row)
{
    const __m256 a = _mm512_cvtpd_ps(row);
    const __m256 b = _mm512_cvtpd_ps(next_row);
    const __m512 both = _mm512_insertf32x8(_mm512_castps256_ps512(a), b, 1);
    return _mm512_castps_si512(_mm512_permutexvar_ps(self->pick, both));
}

static inline __attribute__((always_inline)) __m512i squeeze(const packer *self, __m512i words, uint32_t sample_bytes)
{
    if (sample_bytes == 4)
        return words;
    return _mm512_permutexvar_epi32(self->join, _mm512_shuffle_epi8(words, self->squeeze));
}

static __mmask64 low_bytes(uint32_t byte_count)
{
    return byte_count >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << byte_count) - 1;
}

/* vpshufb for one 128-bit part: four samples to its low bytes. Of 16, 24 and 32 bits. */
static const uint8_t squeezes[3][16] = {
    {0, 1, 4, 5, 8, 9, 12, 13, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80},
    {0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 0x80, 0x80, 0x80, 0x80},
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}};
/* vpermd: the words that are filled in each part, one part behind the other. */
static const uint32_t joins[3][16] = {{0, 1, 4, 5, 8, 9, 12, 13},
                                      {0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14},
                                      {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}};

/* Stored in order: the lanes of the list, of one frame or of two. */
static inline __attribute__((always_inline)) packer packer_for(uint32_t sample_bytes, bool is_float,
                                                               const uint8_t *lanes, uint32_t channel_count,
                                                               uint32_t frames)
{
    _Alignas(64) uint32_t pick[16] = {0};
    for (uint32_t frame = 0, at = 0; frame < frames; frame++)
        for (uint32_t i = 0; i < channel_count; i++)
            pick[at++] = is_float ? frame * 8 + lanes[i] : frame * 16 + lanes[i] * 2u;
    const double bias = is_float ? 0.0 : 1.5 * (double)(UINT64_C(1) << (53 - 8 * sample_bytes));
    const __m128i squeeze_part = _mm_loadu_si128((const void *)squeezes[sample_bytes - 2]);
    return (packer){.bias = _mm512_set1_pd(bias),
                    .pick = _mm512_load_si512(pick),
                    .squeeze = _mm512_broadcast_i32x4(squeeze_part),
                    .join = _mm512_loadu_si512(joins[sample_bytes - 2]),
                    .write = low_bytes(frames * channel_count * sample_bytes),
                    .write_single = low_bytes(channel_count * sample_bytes)};
}

/* Eight doubles from anywhere. Plain loads: a gather is slower, and many times so with the microcode of 2023. */
static inline __attribute__((always_inline)) __m512d collect(const double *row, const uint32_t at[8])
{
    const __m128d a = _mm_loadh_pd(_mm_load_sd(row + at[0]), row + at[1]);
    const __m128d b = _mm_loadh_pd(_mm_load_sd(row + at[2]), row + at[3]);
    const __m128d c = _mm_loadh_pd(_mm_load_sd(row + at[4]), row + at[5]);
    const __m128d d = _mm_loadh_pd(_mm_load_sd(row + at[6]), row + at[7]);
    return _mm512_insertf64x4(_mm512_castpd256_pd512(_mm256_set_m128d(b, a)), _mm256_set_m128d(d, c), 1);
}

/*
 * One or two channels with nothing between them: sixteen samples of as many frames as it takes. Returns the frames
 * done.
 */
static inline __attribute__((always_inline)) uint32_t pack_narrow(pick_words *words, uint32_t sample_bytes,
                                                                  const double *tile, uint32_t frame_count,
                                                                  uint32_t channel_count, const uint8_t *lanes,
                                                                  uint8_t *destination)
{
    static const uint8_t order[16] = {0, 1, 2, 3, 4, 5, 6, 7};
    const packer self = packer_for(sample_bytes, words == pick_float_32, order, 8, 2);
    const uint32_t frames = 16 / channel_count;
    uint32_t at[16];
    for (uint32_t i = 0; i < 16; i++)
        at[i] = channel_count == 1 ? i * TILE_LANES + lanes[0] : i / 2 * TILE_LANES + lanes[i % 2];
    uint32_t frame = 0;
    for (; frame + frames <= frame_count; frame += frames) {
        const double *row = tile + (size_t)frame * TILE_LANES;
        const __m512i out = words(&self, collect(row, at), collect(row, at + 8));
        _mm512_mask_storeu_epi8(destination, self.write, squeeze(&self, out, sample_bytes));
        destination += 16 * sample_bytes;
    }
    return frame;
}

static inline __attribute__((always_inline)) void pack_rows(pick_words *words, uint32_t sample_bytes,
                                                            const double *tile, uint32_t frame_count,
                                                            uint32_t channel_count, const uint8_t *lanes,
                                                            uint64_t frame_bytes, uint8_t *destination)
{
    /* Two frames go out in one store when nothing lies between them. */
    const uint32_t frames = frame_bytes == (uint64_t)channel_count * sample_bytes ? 2 : 1;
    const packer self = packer_for(sample_bytes, words == pick_float_32, lanes, channel_count, frames);
    uint32_t frame = 0;
    if (channel_count <= 2 && frames == 2)
        frame = pack_narrow(words, sample_bytes, tile, frame_count, channel_count, lanes, destination);
    for (; frame + frames <= frame_count; frame += frames) {
        const double *row = tile + (size_t)frame * TILE_LANES;
        const __m512d next = _mm512_load_pd(frames == 2 ? row + TILE_LANES : row);
        const __m512i out = squeeze(&self, words(&self, _mm512_load_pd(row), next), sample_bytes);
        _mm512_mask_storeu_epi8(destination + frame * frame_bytes, self.write, out);
    }
    if (frame < frame_count) {
        const __m512d row = _mm512_load_pd(tile + (size_t)frame * TILE_LANES);
        _mm512_mask_storeu_epi8(destination + frame * frame_bytes, self.write_single,
                                squeeze(&self, words(&self, row, row), sample_bytes));
    }
}

static void pack_float_64(const double *tile, uint32_t frame_count, uint32_t channel_count, const uint8_t *lanes,
                          uint64_t frame_bytes, uint8_t *destination)
{
    _Alignas(64) uint64_t order[8] = {0};
    for (uint32_t i = 0; i < channel_count; i++)
        order[i] = lanes[i];
    const __m512i pick = _mm512_load_si512(order);
    const __mmask8 write = (__mmask8)low_bytes(channel_count);
    for (uint32_t frame = 0; frame < frame_count; frame++) {
        const __m512d row = _mm512_load_pd(tile + (size_t)frame * TILE_LANES);
        _mm512_mask_storeu_epi64(destination + frame * frame_bytes, write,
                                 _mm512_castpd_si512(_mm512_permutexvar_pd(pick, row)));
    }
}

#define PACK_PCM pick_pcm
#define PACK_FLOAT_32 pick_float_32
#define PACK_OWN_FLOAT_64
#include "worker/dsp/pack_samples.h"

void pack_avx512_fill(dsp_table *table)
{
    table->pack = pack;
}
