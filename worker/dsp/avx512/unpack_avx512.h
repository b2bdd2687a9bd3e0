/**
 * Bytes to doubles, eight samples a register.
 *
 * A window of up to 64 source bytes is shuffled so that each 64-bit element holds one raw sample in its low bytes.
 * For PCM of b bits the sign bit is flipped and the exponent of 2^(53-b) set by one xor: the element is then 2^(53-b)
 * + 1 + sample exactly, because the last place of such a number is 2^-(b-1). One subtraction gives the sample,
 * without conversion or scaling. Windows at the end of the source are read under a mask: no byte outside is touched.
 * Inside worker/dsp/avx512 only.
 */
#ifndef WORKER_DSP_AVX512_UNPACK_AVX512_H
#define WORKER_DSP_AVX512_UNPACK_AVX512_H

#include <immintrin.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __AVX512BW__ /* alone, this header has nothing to say */

enum { WINDOW_BYTES = 64 };

/** How the eight samples of a register are picked from a window. */
typedef struct pick {
    _Alignas(64) uint32_t words[16]; /**< vpermd: each 128-bit part gets the words of its two samples */
    _Alignas(32) uint32_t singles[8]; /**< vpermd: the word of each sample, for samples that are whole words */
    _Alignas(64) uint64_t bytes[8];  /**< vpshufb within the parts, a byte each; 0x80 clears a byte */
    uint64_t offset;                 /**< of the window from the frame */
    __mmask64 read;                  /**< bytes of the window that are needed */
    uint32_t byte_count;             /**< length of the window */
    __mmask8 lanes;                  /**< elements that hold a sample */
} pick;

typedef struct sample_decoder {
    __m512i words;
    __m512i singles;
    __m512i bytes;
    __m512i exponent;
    __m512d bias;
} sample_decoder;

static inline __attribute__((always_inline)) __m512d decode_pcm(const sample_decoder *self, __m512i window)
{
    const __m512i raw = _mm512_shuffle_epi8(_mm512_permutexvar_epi32(self->words, window), self->bytes);
    return _mm512_sub_pd(_mm512_castsi512_pd(_mm512_xor_si512(raw, self->exponent)), self->bias);
}

/*
 * offsets[i]: byte of element i's sample from the frame, for the elements of `lanes`. False if a window cannot hold
 * them.
 */
static __attribute__((noinline)) bool pick_init(pick *self, const uint64_t offsets[8], __mmask8 lanes, uint32_t sample_bytes)
{
    uint64_t low = UINT64_MAX;
    uint64_t end = 0;
    for (uint32_t i = 0; i < 8; i++) {
        if (!(lanes >> i & 1))
            continue;
        low = offsets[i] < low ? offsets[i] : low;
        end = offsets[i] + sample_bytes > end ? offsets[i] + sample_bytes : end;
    }
    if (end - low > WINDOW_BYTES)
        return false;
    self->offset = low;
    self->byte_count = (uint32_t)(end - low);
    self->read = self->byte_count == 64 ? ~UINT64_C(0) : (UINT64_C(1) << self->byte_count) - 1;
    self->lanes = lanes;
    for (uint32_t i = 0; i < 8; i++) {
        /* Even elements use words 0 and 1 of their part, odd ones 2 and 3. */
        const uint32_t word = i / 2 * 4 + i % 2 * 2;
        const bool used = lanes >> i & 1;
        const uint32_t from = used ? (uint32_t)(offsets[i] - low) : 0;
        self->singles[i] = from / 4;
        self->words[word] = from / 4;
        self->words[word + 1] = from / 4 + 1 < 16 ? from / 4 + 1 : 15;
        const uint64_t part_bytes =
            UINT64_C(0x0706050403020100) + (i % 2 * 8 + from % 4) * UINT64_C(0x0101010101010101);
        const uint64_t kept = used ? ~UINT64_C(0) >> (64 - 8 * sample_bytes) : 0;
        self->bytes[i] = (part_bytes & kept) | (UINT64_C(0x8080808080808080) & ~kept);
    }
    return true;
}

static inline sample_decoder decoder_for(const pick *self, uint32_t bits)
{
    const double bias = (double)(UINT64_C(1) << (53 - bits));
    const uint64_t sign = UINT64_C(1) << (bits - 1);
    const __m512i exponent = _mm512_castpd_si512(_mm512_set1_pd(bias));
    return (sample_decoder){.words = _mm512_load_si512(self->words),
                            .singles = _mm512_castsi256_si512(_mm256_load_si256((const void *)self->singles)),
                            .bytes = _mm512_load_si512(self->bytes),
                            .exponent = _mm512_or_si512(exponent, _mm512_set1_epi64((int64_t)sign)),
                            .bias = _mm512_set1_pd(bias + 1.0)};
}

/** Where the windows of a run lie: window w at source + w x step, the last byte of the source before `end`. */
typedef struct window_run {
    const uint8_t *window;
    uint64_t step;
    uint32_t count;
    uint32_t whole; /**< windows of which all bytes of the load lie within the source */
    bool half;      /**< a load of 32 bytes is enough; it crosses fewer cache lines */
} window_run;

static inline window_run run_for(const pick *self, bool half, const uint8_t *source, uint64_t source_bytes, uint64_t step,
                          uint32_t count)
{
    const uint64_t load_bytes = half ? WINDOW_BYTES / 2 : WINDOW_BYTES;
    uint32_t whole = count;
    while (whole > 0 && self->offset + (whole - 1) * step + load_bytes > source_bytes)
        whole--; /* a handful of turns: the last windows only; a division would take longer */
    return (window_run){source + self->offset, step, count, whole, half};
}

static inline __attribute__((always_inline)) __m512i load_window(const uint8_t *window, bool half)
{
    return half ? _mm512_castsi256_si512(_mm256_loadu_si256((const void *)window)) : _mm512_loadu_si512(window);
}

#endif
#endif
