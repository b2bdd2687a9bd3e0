#define _GNU_SOURCE
#include "common/base/byte_writer.h"

#include "common/base/ensure.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

void byte_writer_init(byte_writer *self, size_t size_max)
{
    *self = (byte_writer){.size_max = size_max};
}

void byte_writer_deinit(byte_writer *self)
{
    free(self->bytes);
    *self = (byte_writer){0};
}

void byte_writer_reset(byte_writer *self)
{
    self->size = 0;
    self->failed = false;
}

uint8_t *byte_writer_detach(byte_writer *self, size_t *out_size)
{
    if (self->failed)
        return NULL;
    if (self->bytes == NULL)
        self->bytes = calloc(1, 1);
    uint8_t *bytes = self->bytes;
    *out_size = self->size;
    *self = (byte_writer){.size_max = self->size_max};
    return bytes;
}

/* Room for byte_size more bytes at the end, or NULL with `failed` set. */
static uint8_t *byte_writer_extend(byte_writer *self, size_t byte_size)
{
    if (self->failed || byte_size > self->size_max - self->size) {
        self->failed = true;
        return NULL;
    }
    size_t need = self->size + byte_size;
    if (need > self->capacity) {
        size_t capacity = self->capacity == 0 ? 256 : self->capacity;
        while (capacity < need)
            capacity *= 2;
        uint8_t *bytes = realloc(self->bytes, capacity);
        if (bytes == NULL) {
            self->failed = true;
            return NULL;
        }
        self->bytes = bytes;
        self->capacity = capacity;
    }
    uint8_t *at = self->bytes + self->size;
    self->size = need;
    return at;
}

static inline void byte_writer_little(byte_writer *self, uint64_t value, size_t byte_size)
{
    uint8_t *at = byte_writer_extend(self, byte_size);
    uint64_t little = htole64(value);
    if (at != NULL)
        memcpy(at, &little, byte_size);
}

void byte_writer_u8(byte_writer *self, uint8_t value)
{
    byte_writer_little(self, value, 1);
}

void byte_writer_u16(byte_writer *self, uint16_t value)
{
    byte_writer_little(self, value, 2);
}

void byte_writer_u24(byte_writer *self, uint32_t value)
{
    byte_writer_little(self, value, 3);
}

void byte_writer_u32(byte_writer *self, uint32_t value)
{
    byte_writer_little(self, value, 4);
}

void byte_writer_u64(byte_writer *self, uint64_t value)
{
    byte_writer_little(self, value, 8);
}

void byte_writer_f64(byte_writer *self, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    byte_writer_u64(self, bits);
}

void byte_writer_bytes(byte_writer *self, const void *bytes, size_t byte_size)
{
    uint8_t *at = byte_writer_extend(self, byte_size);
    if (at != NULL && byte_size > 0)
        memcpy(at, bytes, byte_size);
}

void byte_writer_zeros(byte_writer *self, size_t byte_size)
{
    uint8_t *at = byte_writer_extend(self, byte_size);
    if (at != NULL && byte_size > 0)
        memset(at, 0, byte_size);
}

void byte_writer_blob(byte_writer *self, const void *bytes, size_t byte_size)
{
    if (byte_size > UINT32_MAX) {
        self->failed = true;
        return;
    }
    byte_writer_u32(self, (uint32_t)byte_size);
    byte_writer_bytes(self, bytes, byte_size);
}

void byte_writer_text(byte_writer *self, const char *text)
{
    byte_writer_blob(self, text, strlen(text));
}

void byte_writer_patch_u32(byte_writer *self, size_t offset, uint32_t value)
{
    if (self->failed)
        return;
    ENSURE(offset + 4 <= self->size);
    for (size_t i = 0; i < 4; i++)
        self->bytes[offset + i] = (uint8_t)(value >> (8 * i));
}
