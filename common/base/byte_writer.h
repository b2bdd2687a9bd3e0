/**
 * Appends little-endian values to a growing buffer. The one way in which reelmill writes binary: headers of media
 * files, cell measures, journal records, render programs.
 *
 * A failed allocation or a size over the given bound sets `failed` and later calls do nothing, so callers check once.
 */
#ifndef COMMON_BASE_BYTE_WRITER_H
#define COMMON_BASE_BYTE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct byte_writer {
    uint8_t *bytes;
    size_t size;     /**< bytes written */
    size_t capacity;
    size_t size_max;
    bool failed;
} byte_writer;

void byte_writer_init(byte_writer *self, size_t size_max);
void byte_writer_deinit(byte_writer *self);
/** Empty again, memory kept. */
void byte_writer_reset(byte_writer *self);
/** Hands the buffer to the caller, who frees it with free(); the writer is empty afterwards. NULL when it failed. */
uint8_t *byte_writer_detach(byte_writer *self, size_t *out_size);

void byte_writer_u8(byte_writer *self, uint8_t value);
void byte_writer_u16(byte_writer *self, uint16_t value);
void byte_writer_u24(byte_writer *self, uint32_t value); /**< below 2^24 */
void byte_writer_u32(byte_writer *self, uint32_t value);
void byte_writer_u64(byte_writer *self, uint64_t value);
void byte_writer_f64(byte_writer *self, double value); /**< IEEE 754 bits */
void byte_writer_bytes(byte_writer *self, const void *bytes, size_t byte_size);
void byte_writer_zeros(byte_writer *self, size_t byte_size);
/** A u32 length and that many bytes. */
void byte_writer_blob(byte_writer *self, const void *bytes, size_t byte_size);
/** A blob of the text without its NUL. */
void byte_writer_text(byte_writer *self, const char *text);
/** Overwrites four bytes written before, for sizes known late. */
void byte_writer_patch_u32(byte_writer *self, size_t offset, uint32_t value);

#endif
