#include "coordinator/report/heat_png.h"

#include "coordinator/report/drawing.h"

#include <stdlib.h>
#include <string.h>

enum { STORED_BYTES_MAX = 65535, CHECK_MODULUS = 65521 };

static void put_big(byte_writer *writer, uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        byte_writer_u8(writer, (uint8_t)(value >> shift));
}

/* CRC of ISO 3309, as PNG wants it. */
static uint32_t crc_of(const uint8_t *bytes, size_t size)
{
    uint32_t crc = 0xFFFFFFFF;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xEDB88320 : 0);
    }
    return ~crc;
}

static void put_chunk(byte_writer *writer, const char *name, const uint8_t *bytes, size_t size)
{
    put_big(writer, (uint32_t)size);
    size_t start = writer->size;
    byte_writer_bytes(writer, name, 4);
    byte_writer_bytes(writer, bytes, size);
    if (!writer->failed)
        put_big(writer, crc_of(writer->bytes + start, size + 4));
}

/* A zlib stream of one block that is stored as it is: a picture of a few kilobytes needs no more. */
static void put_pixels(byte_writer *writer, const uint8_t *rows, size_t size)
{
    byte_writer stream;
    uint32_t a = 1;
    uint32_t b = 0;
    const uint8_t head[] = {0x78, 0x01, 1, (uint8_t)size, (uint8_t)(size >> 8), (uint8_t)~size, (uint8_t)(~size >> 8)};
    byte_writer_init(&stream, size + 32);
    byte_writer_bytes(&stream, head, sizeof head);
    byte_writer_bytes(&stream, rows, size);
    for (size_t i = 0; i < size; i++) {
        a = (a + rows[i]) % CHECK_MODULUS;
        b = (b + a) % CHECK_MODULUS;
    }
    put_big(&stream, b << 16 | a);
    writer->failed = writer->failed || stream.failed || size > STORED_BYTES_MAX;
    put_chunk(writer, "IDAT", stream.bytes, stream.size);
    byte_writer_deinit(&stream);
}

static void put_png(byte_writer *writer, const uint8_t *levels, uint32_t column_count, uint32_t row_count)
{
    static const uint8_t signature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
    uint8_t palette[3 * HEAT_LEVELS];
    byte_writer head;
    byte_writer rows;
    for (int i = 0; i < HEAT_LEVELS; i++) {
        uint32_t rgb = ink_rgb((ink)(INK_HEAT + i));
        palette[3 * i] = (uint8_t)(rgb >> 16);
        palette[3 * i + 1] = (uint8_t)(rgb >> 8);
        palette[3 * i + 2] = (uint8_t)rgb;
    }
    byte_writer_init(&head, 32);
    byte_writer_init(&rows, STORED_BYTES_MAX);
    put_big(&head, column_count);
    put_big(&head, row_count);
    byte_writer_bytes(&head, "\x04\x03\0\0\0", 5); /* 4 bits, of a palette */
    for (uint32_t row = row_count; row-- > 0;) { /* from the top */
        byte_writer_u8(&rows, 0);
        for (uint32_t c = 0; c < column_count; c += 2) {
            const uint8_t *at = &levels[(size_t)row * column_count + c];
            byte_writer_u8(&rows, (uint8_t)(at[0] << 4 | (c + 1 < column_count ? at[1] : 0)));
        }
    }
    byte_writer_bytes(writer, signature, sizeof signature);
    put_chunk(writer, "IHDR", head.bytes, head.size);
    put_chunk(writer, "PLTE", palette, sizeof palette);
    writer->failed = writer->failed || head.failed || rows.failed;
    put_pixels(writer, rows.bytes, rows.size);
    put_chunk(writer, "IEND", NULL, 0);
    byte_writer_deinit(&rows);
    byte_writer_deinit(&head);
}

void heat_png_uri(const uint8_t *levels, uint32_t column_count, uint32_t row_count, byte_writer *writer)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static const char begin[] = "data:image/png;base64,";
    byte_writer png;
    byte_writer_init(&png, 2 * STORED_BYTES_MAX);
    put_png(&png, levels, column_count, row_count);
    byte_writer_bytes(writer, begin, sizeof begin - 1);
    for (size_t i = 0; i < png.size; i += 3) {
        size_t left = png.size - i;
        uint32_t three = (uint32_t)png.bytes[i] << 16 | (left > 1 ? (uint32_t)png.bytes[i + 1] << 8 : 0) |
                         (left > 2 ? png.bytes[i + 2] : 0U);
        char four[4] = {digits[three >> 18], digits[three >> 12 & 63], '=', '='};
        if (left > 1)
            four[2] = digits[three >> 6 & 63];
        if (left > 2)
            four[3] = digits[three & 63];
        byte_writer_bytes(writer, four, sizeof four);
    }
    writer->failed = writer->failed || png.failed;
    byte_writer_deinit(&png);
}
