#include "tests/unit/worker_media/riff_builder.h"

#include <string.h>

void riff_builder_begin(byte_writer *self, const char *magic)
{
    byte_writer_reset(self);
    byte_writer_bytes(self, magic, 4);
    byte_writer_u32(self, strcmp(magic, "RIFF") == 0 ? 0 : 0xFFFFFFFFu);
    byte_writer_bytes(self, "WAVE", 4);
}

void riff_builder_header(byte_writer *self, const char *id, uint32_t byte_size)
{
    byte_writer_bytes(self, id, 4);
    byte_writer_u32(self, byte_size);
}

void riff_builder_chunk(byte_writer *self, const char *id, const void *bytes, uint32_t byte_size)
{
    riff_builder_header(self, id, byte_size);
    byte_writer_bytes(self, bytes, byte_size);
    byte_writer_zeros(self, byte_size & 1);
}

static void format_fields(byte_writer *self, uint16_t tag, uint16_t channels, uint32_t rate, uint16_t bits)
{
    uint32_t frame_bytes = (uint32_t)channels * ((bits + 7u) / 8u);
    byte_writer_u16(self, tag);
    byte_writer_u16(self, channels);
    byte_writer_u32(self, rate);
    byte_writer_u32(self, rate * frame_bytes);
    byte_writer_u16(self, (uint16_t)frame_bytes);
    byte_writer_u16(self, bits);
}

void riff_builder_format(byte_writer *self, uint16_t tag, uint16_t channels, uint32_t rate, uint16_t bits)
{
    riff_builder_header(self, "fmt ", 16);
    format_fields(self, tag, channels, rate, bits);
}

void riff_builder_extensible(byte_writer *self, uint16_t channels, uint16_t bits, uint16_t valid_bits, uint32_t mask,
                             uint16_t sub_tag)
{
    static const uint8_t tail[14] = {0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71};
    riff_builder_header(self, "fmt ", 40);
    format_fields(self, 0xFFFE, channels, 48000, bits);
    byte_writer_u16(self, 22);
    byte_writer_u16(self, valid_bits);
    byte_writer_u32(self, mask);
    byte_writer_u16(self, sub_tag);
    byte_writer_bytes(self, tail, sizeof tail);
}

void riff_builder_ds64(byte_writer *self, uint64_t riff_size, uint64_t data_size, uint64_t frame_count)
{
    riff_builder_header(self, "ds64", 28);
    byte_writer_u64(self, riff_size);
    byte_writer_u64(self, data_size);
    byte_writer_u64(self, frame_count);
    byte_writer_u32(self, 0);
}

void riff_builder_data(byte_writer *self, uint32_t byte_size)
{
    riff_builder_header(self, "data", byte_size);
    for (uint32_t i = 0; i < byte_size; i++)
        byte_writer_u8(self, (uint8_t)i);
    byte_writer_zeros(self, byte_size & 1);
}

static void bext_text(byte_writer *self, const char *text, size_t field)
{
    size_t length = strlen(text) < field ? strlen(text) : field;
    byte_writer_bytes(self, text, length);
    byte_writer_zeros(self, field - length);
}

void riff_builder_bext(byte_writer *self, uint16_t version, uint64_t time_reference, const char *description)
{
    riff_builder_header(self, "bext", 602 + 6);
    bext_text(self, description, 256);
    bext_text(self, "Mixing Stage Five, a name of 32 b", 32); /* 33 characters: the field is full, without a NUL */
    bext_text(self, "REF0001", 32);
    bext_text(self, "2026-11-20", 10);
    bext_text(self, "12:34:56", 8);
    byte_writer_u64(self, time_reference);
    byte_writer_u16(self, version);
    byte_writer_zeros(self, 64);
    for (uint16_t i = 1; i <= 5; i++)
        byte_writer_u16(self, (uint16_t)-i);
    byte_writer_zeros(self, 180);
    byte_writer_bytes(self, "A=PCM\n", 6);
}

void riff_builder_finish(byte_writer *self)
{
    byte_writer_patch_u32(self, 4, (uint32_t)(self->size - 8));
}
