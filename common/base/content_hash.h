/**
 * XXH3-128 of bytes: the identity of cells, artefacts, specs and files. Not a cryptographic digest: it proves that
 * bytes are what was written, not who wrote them.
 */
#ifndef COMMON_BASE_CONTENT_HASH_H
#define COMMON_BASE_CONTENT_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CONTENT_HASH_BYTES = 16, CONTENT_HASH_TEXT_SIZE = 33 };

/** Big-endian canonical form of XXH128_hash_t, so that text and bytes agree. */
typedef struct content_hash {
    uint8_t bytes[CONTENT_HASH_BYTES];
} content_hash;

content_hash content_hash_of(const void *bytes, size_t byte_size);
bool content_hash_equal(const content_hash *a, const content_hash *b);
bool content_hash_is_zero(const content_hash *self);
/** 32 lower-case hexadecimal digits and a NUL. */
void content_hash_to_text(const content_hash *self, char out[CONTENT_HASH_TEXT_SIZE]);

/** Hashing in pieces. One thread. The stream is plain memory: copying it forks the hash. */
typedef struct content_hash_stream {
    _Alignas(64) uint8_t state[640];
} content_hash_stream;
void content_hash_stream_init(content_hash_stream *self);
void content_hash_stream_add(content_hash_stream *self, const void *bytes, size_t byte_size);
/**
 * Adds the same bytes to each of at most STREAMS_TOGETHER_MAX streams, all different. Those whose last KiB began at the same
 * byte, as a cell's, an audio's and a file's do where each begins at a page, take little more time than one.
 */
enum { STREAMS_TOGETHER_MAX = 3 };
void content_hash_streams_add(content_hash_stream *const *streams, size_t count, const void *bytes, size_t byte_size);
content_hash content_hash_stream_digest(const content_hash_stream *self);

#endif
