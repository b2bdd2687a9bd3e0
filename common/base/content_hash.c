#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>
#if defined(__x86_64__) && __has_include(<xxh_x86dispatch.h>)
#include <xxh_x86dispatch.h> /* the library's own choice of AVX2 or AVX-512 at run time: the same digests, 2 to 4 times as quick */
#endif

#include "common/base/content_hash.h"

#include <assert.h>
#include <string.h>

static_assert(sizeof(XXH3_state_t) <= sizeof(content_hash_stream), "the stream holds xxHash's state");

static content_hash content_hash_from(XXH128_hash_t hash)
{
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, hash);
    content_hash result;
    memcpy(result.bytes, canonical.digest, sizeof result.bytes);
    return result;
}

content_hash content_hash_of(const void *bytes, size_t byte_size)
{
    return content_hash_from(XXH3_128bits(bytes, byte_size));
}

bool content_hash_equal(const content_hash *a, const content_hash *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool content_hash_is_zero(const content_hash *self)
{
    static const content_hash zero;
    return content_hash_equal(self, &zero);
}

void content_hash_to_text(const content_hash *self, char out[CONTENT_HASH_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < CONTENT_HASH_BYTES; i++) {
        out[2 * i] = digits[self->bytes[i] >> 4];
        out[2 * i + 1] = digits[self->bytes[i] & 15];
    }
    out[2 * CONTENT_HASH_BYTES] = '\0';
}

void content_hash_stream_init(content_hash_stream *self)
{
    XXH3_state_t *state = (XXH3_state_t *)(void *)self->state;
    XXH3_INITSTATE(state);
    XXH3_128bits_reset(state);
}

void content_hash_stream_add(content_hash_stream *self, const void *bytes, size_t byte_size)
{
    XXH3_128bits_update((XXH3_state_t *)(void *)self->state, bytes, byte_size);
}

content_hash content_hash_stream_digest(const content_hash_stream *self)
{
    return content_hash_from(XXH3_128bits_digest((const XXH3_state_t *)(const void *)self->state));
}
