/**
 * Reads little-endian values from bytes that somebody else wrote. Never reads past the end: a short buffer sets
 * `failed`, every later read gives zero, and the caller checks once at the end. Borrows the bytes.
 */
#ifndef COMMON_BASE_BYTE_READER_H
#define COMMON_BASE_BYTE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct byte_reader {
    const uint8_t *bytes;
    size_t size;
    size_t offset;
    bool failed;
} byte_reader;

void byte_reader_init(byte_reader *self, const void *bytes, size_t byte_size);
uint8_t byte_reader_u8(byte_reader *self);
uint16_t byte_reader_u16(byte_reader *self);
uint32_t byte_reader_u24(byte_reader *self);
uint32_t byte_reader_u32(byte_reader *self);
uint64_t byte_reader_u64(byte_reader *self);
double byte_reader_f64(byte_reader *self);
/** A view of the next byte_size bytes, or NULL. Valid as long as the buffer. */
const uint8_t *byte_reader_view(byte_reader *self, size_t byte_size);
/** A view of a blob written by byte_writer_blob of at most size_max bytes. */
const uint8_t *byte_reader_blob(byte_reader *self, size_t size_max, size_t *out_size);
/** Copies a text blob with a NUL into out; a text that does not fit in out_size, or that holds a NUL, fails the reader. */
void byte_reader_text(byte_reader *self, char *out, size_t out_size);
size_t byte_reader_left(const byte_reader *self);
/** True when nothing failed and every byte was read. */
bool byte_reader_complete(const byte_reader *self);

#endif
