#define _GNU_SOURCE
#include "common/base/byte_reader.h"

#include <endian.h>
#include <string.h>

void byte_reader_init(byte_reader *self, const void *bytes, size_t byte_size)
{
    *self = (byte_reader){.bytes = bytes, .size = byte_size};
}

const uint8_t *byte_reader_view(byte_reader *self, size_t byte_size)
{
    if (self->failed || byte_size > self->size - self->offset) {
        self->failed = true;
        return NULL;
    }
    const uint8_t *at = self->bytes + self->offset;
    self->offset += byte_size;
    return at;
}

/* Inlined with its size known it is one load: of a programme's measures a coordinator reads millions of values. */
static inline uint64_t byte_reader_little(byte_reader *self, size_t byte_size)
{
    const uint8_t *at = byte_reader_view(self, byte_size);
    uint64_t value = 0;
    if (at != NULL)
        memcpy(&value, at, byte_size);
    return le64toh(value);
}

uint8_t byte_reader_u8(byte_reader *self)
{
    return (uint8_t)byte_reader_little(self, 1);
}

uint16_t byte_reader_u16(byte_reader *self)
{
    return (uint16_t)byte_reader_little(self, 2);
}

uint32_t byte_reader_u24(byte_reader *self)
{
    return (uint32_t)byte_reader_little(self, 3);
}

uint32_t byte_reader_u32(byte_reader *self)
{
    return (uint32_t)byte_reader_little(self, 4);
}

uint64_t byte_reader_u64(byte_reader *self)
{
    return byte_reader_little(self, 8);
}

double byte_reader_f64(byte_reader *self)
{
    uint64_t bits = byte_reader_u64(self);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

const uint8_t *byte_reader_blob(byte_reader *self, size_t size_max, size_t *out_size)
{
    uint32_t size = byte_reader_u32(self);
    if (size > size_max)
        self->failed = true;
    const uint8_t *at = byte_reader_view(self, size);
    *out_size = at == NULL ? 0 : size;
    return at;
}

void byte_reader_text(byte_reader *self, char *out, size_t out_size)
{
    size_t size = 0;
    const uint8_t *at = byte_reader_blob(self, out_size - 1, &size);
    if (at != NULL && memchr(at, '\0', size) != NULL) {
        self->failed = true;
        at = NULL;
    }
    if (at == NULL)
        size = 0;
    else
        memcpy(out, at, size);
    out[size] = '\0';
}

size_t byte_reader_left(const byte_reader *self)
{
    return self->failed ? 0 : self->size - self->offset;
}

bool byte_reader_complete(const byte_reader *self)
{
    return !self->failed && self->offset == self->size;
}
