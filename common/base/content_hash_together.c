/*
 * Several XXH3 streams over the same bytes. XXH3 adds up stripes of 64 bytes, each mixed with the part of the secret that
 * its place in a block of 16 stripes decides, and stirs the sums behind each block. What a stripe adds does not depend on
 * the sums: streams that are at the same place of a block take it from one mixing. A stream's state stays one that the
 * library itself makes of such bytes, and the library finishes it: the last 1 to BUFFER bytes wait in the buffer, the 64
 * before them at its end.
 */
#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

#include "common/base/content_hash.h"

#include <string.h>

enum { STRIPE = 64, BLOCK_STRIPES = 16, BUFFER = XXH3_INTERNALBUFFER_SIZE, SECRET_STEP = 8 };

/* Takes stripes from `place` of a block on; the place behind them comes back. */
typedef size_t take_fn(XXH3_state_t *const *states, size_t count, const uint8_t *bytes, size_t place, size_t stripes);

#ifdef __x86_64__
#include <immintrin.h>

#define STIR_FACTOR 0x9E3779B1LL

#define UNROLL_ALL _Pragma("GCC unroll 3")
#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* With a literal count the sums stay in registers. */
__attribute__((target("avx2"))) ALWAYS_INLINE size_t take_256(XXH3_state_t *const *states, const size_t count,
                                                              const uint8_t *bytes, size_t place, size_t stripes)
{
    const uint8_t *secret = states[0]->extSecret;
    const uint8_t *stir = secret + states[0]->secretLimit;
    const __m256i factor = _mm256_set1_epi64x(STIR_FACTOR);
    __m256i sums[STREAMS_TOGETHER_MAX][2];
    UNROLL_ALL
    for (size_t s = 0; s < count; s++)
        UNROLL_ALL
        for (size_t half = 0; half < 2; half++)
            sums[s][half] = _mm256_loadu_si256((const void *)&states[s]->acc[4 * half]);
    while (stripes > 0) {
        const size_t end = BLOCK_STRIPES - place < stripes ? BLOCK_STRIPES : place + stripes;
        stripes -= end - place;
        for (; place < end; place++, bytes += STRIPE) {
            UNROLL_ALL
            for (size_t half = 0; half < 2; half++) {
                const __m256i data = _mm256_loadu_si256((const void *)(bytes + 32 * half));
                const __m256i key = _mm256_loadu_si256((const void *)(secret + place * SECRET_STEP + 32 * half));
                const __m256i keyed = _mm256_xor_si256(data, key);
                const __m256i product = _mm256_mul_epu32(keyed, _mm256_srli_epi64(keyed, 32));
                const __m256i added = _mm256_add_epi64(product, _mm256_shuffle_epi32(data, _MM_SHUFFLE(1, 0, 3, 2)));
                UNROLL_ALL
                for (size_t s = 0; s < count; s++)
                    sums[s][half] = _mm256_add_epi64(sums[s][half], added);
            }
        }
        if (place < BLOCK_STRIPES)
            break;
        place = 0;
        UNROLL_ALL
        for (size_t s = 0; s < count; s++)
            UNROLL_ALL
            for (size_t half = 0; half < 2; half++) {
                const __m256i key = _mm256_loadu_si256((const void *)(stir + 32 * half));
                const __m256i x = _mm256_xor_si256(_mm256_xor_si256(sums[s][half], _mm256_srli_epi64(sums[s][half], 47)), key);
                const __m256i high = _mm256_slli_epi64(_mm256_mul_epu32(_mm256_srli_epi64(x, 32), factor), 32);
                sums[s][half] = _mm256_add_epi64(_mm256_mul_epu32(x, factor), high);
            }
    }
    UNROLL_ALL
    for (size_t s = 0; s < count; s++)
        UNROLL_ALL
        for (size_t half = 0; half < 2; half++)
            _mm256_storeu_si256((void *)&states[s]->acc[4 * half], sums[s][half]);
    return place;
}

__attribute__((target("avx512f"))) ALWAYS_INLINE size_t take_512(XXH3_state_t *const *states, const size_t count,
                                                                 const uint8_t *bytes, size_t place, size_t stripes)
{
    const uint8_t *secret = states[0]->extSecret;
    const __m512i stir = _mm512_loadu_si512(secret + states[0]->secretLimit);
    const __m512i factor = _mm512_set1_epi64(STIR_FACTOR);
    __m512i sums[STREAMS_TOGETHER_MAX];
    UNROLL_ALL
    for (size_t s = 0; s < count; s++)
        sums[s] = _mm512_loadu_si512(states[s]->acc);
    while (stripes > 0) {
        const size_t end = BLOCK_STRIPES - place < stripes ? BLOCK_STRIPES : place + stripes;
        stripes -= end - place;
        for (; place < end; place++, bytes += STRIPE) {
            const __m512i data = _mm512_loadu_si512(bytes);
            const __m512i keyed = _mm512_xor_si512(data, _mm512_loadu_si512(secret + place * SECRET_STEP));
            const __m512i product = _mm512_mul_epu32(keyed, _mm512_srli_epi64(keyed, 32));
            const __m512i added = _mm512_add_epi64(product, _mm512_shuffle_epi32(data, _MM_PERM_BADC));
            UNROLL_ALL
            for (size_t s = 0; s < count; s++)
                sums[s] = _mm512_add_epi64(sums[s], added);
        }
        if (place < BLOCK_STRIPES)
            break;
        place = 0;
        UNROLL_ALL
        for (size_t s = 0; s < count; s++) {
            const __m512i x = _mm512_xor_si512(_mm512_xor_si512(sums[s], _mm512_srli_epi64(sums[s], 47)), stir);
            const __m512i high = _mm512_slli_epi64(_mm512_mul_epu32(_mm512_srli_epi64(x, 32), factor), 32);
            sums[s] = _mm512_add_epi64(_mm512_mul_epu32(x, factor), high);
        }
    }
    UNROLL_ALL
    for (size_t s = 0; s < count; s++)
        _mm512_storeu_si512(states[s]->acc, sums[s]);
    return place;
}

__attribute__((target("avx2"))) static size_t take_avx2(XXH3_state_t *const *states, size_t count, const uint8_t *bytes,
                                                        size_t place, size_t stripes)
{
    return count == 2 ? take_256(states, 2, bytes, place, stripes) : take_256(states, 3, bytes, place, stripes);
}

__attribute__((target("avx512f"))) static size_t take_avx512(XXH3_state_t *const *states, size_t count, const uint8_t *bytes,
                                                             size_t place, size_t stripes)
{
    return count == 2 ? take_512(states, 2, bytes, place, stripes) : take_512(states, 3, bytes, place, stripes);
}

/* NULL: not on this processor. */
static take_fn *quickest_take(void)
{
    return __builtin_cpu_supports("avx512f") ? take_avx512 : __builtin_cpu_supports("avx2") ? take_avx2 : NULL;
}
#else
static take_fn *quickest_take(void)
{
    return NULL;
}
#endif

static void take_stripes(take_fn *take, XXH3_state_t *const *states, size_t count, const uint8_t *bytes, size_t stripes)
{
    const size_t place = take(states, count, bytes, states[0]->nbStripesSoFar, stripes);
    for (size_t s = 0; s < count; s++)
        states[s]->nbStripesSoFar = place;
}

/* Their next stripe has the same bytes and the same place. */
static bool in_step(const XXH3_state_t *a, const XXH3_state_t *b)
{
    return a->bufferedSize == b->bufferedSize && a->nbStripesSoFar == b->nbStripesSoFar &&
           memcmp(a->buffer, b->buffer, a->bufferedSize) == 0;
}

/* More than the buffer's room, to streams that are in step. */
static void add_in_step(take_fn *take, XXH3_state_t *const *states, size_t count, const uint8_t *bytes, size_t byte_size)
{
    XXH3_state_t *first = states[0];
    for (size_t s = 0; s < count; s++)
        states[s]->totalLen += byte_size;
    if (first->bufferedSize > 0) {
        const size_t room = BUFFER - first->bufferedSize;
        memcpy(first->buffer + first->bufferedSize, bytes, room);
        take_stripes(take, states, count, first->buffer, BUFFER / STRIPE);
        bytes += room;
        byte_size -= room;
    }
    const size_t taken = (byte_size - 1) / BUFFER * BUFFER;
    if (taken > 0) {
        take_stripes(take, states, count, bytes, taken / STRIPE);
        memcpy(first->buffer + BUFFER - STRIPE, bytes + taken - STRIPE, STRIPE);
    }
    first->bufferedSize = (XXH32_hash_t)(byte_size - taken);
    memcpy(first->buffer, bytes + taken, first->bufferedSize);
    for (size_t s = 1; s < count; s++) {
        states[s]->bufferedSize = first->bufferedSize;
        memcpy(states[s]->buffer, first->buffer, BUFFER);
    }
}

/* Adds to those that are in step with the first, if there are any, and leaves the others, whose number comes back. */
static size_t add_to_those_in_step(take_fn *take, content_hash_stream **streams, size_t count, const void *bytes, size_t byte_size)
{
    XXH3_state_t *together[STREAMS_TOGETHER_MAX];
    content_hash_stream *rest[STREAMS_TOGETHER_MAX];
    size_t found = 0;
    size_t left = 0;
    for (size_t s = 0; s < count; s++) {
        XXH3_state_t *state = (XXH3_state_t *)(void *)streams[s]->state;
        if (s == 0 || in_step(together[0], state))
            together[found++] = state;
        else
            rest[left++] = streams[s];
    }
    if (found < 2 || together[0]->bufferedSize + byte_size <= BUFFER)
        return count;
    add_in_step(take, together, found, bytes, byte_size);
    memcpy(streams, rest, left * sizeof *streams);
    return left;
}

void content_hash_streams_add(content_hash_stream *const *streams, size_t count, const void *bytes, size_t byte_size)
{
    content_hash_stream *left[STREAMS_TOGETHER_MAX];
    take_fn *take = quickest_take();
    memcpy(left, streams, count * sizeof *left);
    if (take != NULL)
        count = add_to_those_in_step(take, left, count, bytes, byte_size);
    for (size_t s = 0; s < count; s++)
        content_hash_stream_add(left[s], bytes, byte_size);
}
