#include "worker/media/wave_writer.h"

#include <string.h>

enum {
    TAG_PCM = 1,
    TAG_FLOAT = 3,
    TAG_EXTENSIBLE = 0xFFFE,
    DS64_BYTES = 28,
    BEXT_FIXED_BYTES = 602,
    CHUNK_HEADER_BYTES = 8
};

#define SIZE_IN_DS64 0xFFFFFFFFu

static uint64_t wave_data_size(const output_header *header)
{
    return header->frame_count * header->channel_count * sample_encoding_bytes(header->encoding);
}

uint32_t wave_trailer_size(const output_header *header)
{
    return (uint32_t)(wave_data_size(header) & 1);
}

uint64_t wave_file_size(const output_header *header)
{
    return header->data_offset + wave_data_size(header) + wave_trailer_size(header);
}

static void wave_text(byte_writer *writer, const char *text, size_t field_bytes)
{
    size_t length = strnlen(text, field_bytes);
    byte_writer_bytes(writer, text, length);
    byte_writer_zeros(writer, field_bytes - length);
}

static void wave_bext(const output_header *header, byte_writer *writer)
{
    const media_bext *bext = &header->bext;
    size_t history = strnlen(header->coding_history, sizeof header->coding_history);
    byte_writer_bytes(writer, "bext", 4);
    byte_writer_u32(writer, (uint32_t)(BEXT_FIXED_BYTES + history));
    wave_text(writer, bext->description, 256);
    wave_text(writer, bext->originator, 32);
    wave_text(writer, bext->originator_reference, 32);
    wave_text(writer, bext->origination_date, 10);
    wave_text(writer, bext->origination_time, 8);
    byte_writer_u64(writer, bext->time_reference);
    byte_writer_u16(writer, bext->version);
    byte_writer_zeros(writer, 64); /* UMID: ours would have to hold a clock or a random number */
    bool loudness = bext->version >= 2;
    byte_writer_u16(writer, loudness ? (uint16_t)bext->loudness_value : 0);
    byte_writer_u16(writer, loudness ? (uint16_t)bext->loudness_range : 0);
    byte_writer_u16(writer, loudness ? (uint16_t)bext->max_true_peak_level : 0);
    byte_writer_u16(writer, loudness ? (uint16_t)bext->max_momentary_loudness : 0);
    byte_writer_u16(writer, loudness ? (uint16_t)bext->max_short_term_loudness : 0);
    byte_writer_zeros(writer, 180);
    byte_writer_bytes(writer, header->coding_history, history);
    byte_writer_zeros(writer, history & 1);
}

static void wave_format(const output_header *header, byte_writer *writer)
{
    uint32_t bits = sample_encoding_bits(header->encoding);
    uint32_t frame_bytes = header->channel_count * sample_encoding_bytes(header->encoding);
    bool is_float = sample_encoding_is_float(header->encoding);
    bool extensible = header->channel_count > 2 && !header->plain_format;
    byte_writer_bytes(writer, "fmt ", 4);
    byte_writer_u32(writer, extensible ? 40 : is_float ? 18 : 16);
    byte_writer_u16(writer, extensible ? TAG_EXTENSIBLE : is_float ? TAG_FLOAT : TAG_PCM);
    byte_writer_u16(writer, (uint16_t)header->channel_count);
    byte_writer_u32(writer, header->sample_rate);
    byte_writer_u32(writer, header->sample_rate * frame_bytes);
    byte_writer_u16(writer, (uint16_t)frame_bytes);
    byte_writer_u16(writer, (uint16_t)bits);
    if (extensible) {
        static const uint8_t guid_tail[12] = {0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xAA, 0x00, 0x38, 0x9B, 0x71};
        byte_writer_u16(writer, 22);
        byte_writer_u16(writer, (uint16_t)bits);
        byte_writer_u32(writer, header->channel_mask);
        byte_writer_u32(writer, is_float ? TAG_FLOAT : TAG_PCM);
        byte_writer_bytes(writer, guid_tail, sizeof guid_tail);
    } else if (is_float) {
        byte_writer_u16(writer, 0);
    }
    if (is_float) { /* Microsoft asks for the frame count beside every format that is not PCM */
        byte_writer_bytes(writer, "fact", 4);
        byte_writer_u32(writer, 4);
        byte_writer_u32(writer, header->frame_count < SIZE_IN_DS64 ? (uint32_t)header->frame_count : SIZE_IN_DS64);
    }
}

static bool wave_header_possible(const output_header *header)
{
    bool large = header->container == CONTAINER_RF64 || header->container == CONTAINER_BW64;
    bool container = header->container == CONTAINER_WAV || large;
    if (!container || sample_encoding_bytes(header->encoding) == 0 || header->channel_count == 0 ||
        header->channel_count > FILE_CHANNELS_MAX || header->sample_rate == 0 || header->sample_rate > SAMPLE_RATE_MAX ||
        header->data_offset > OUTPUT_OFFSET_MAX || header->frame_count > INT64_MAX / (FILE_CHANNELS_MAX * 8) - OUTPUT_OFFSET_MAX)
        return false;
    return large || wave_file_size(header) - CHUNK_HEADER_BYTES < SIZE_IN_DS64;
}

status wave_header_build(const output_header *header, byte_writer *writer)
{
    if (!wave_header_possible(header))
        return STATUS_LIMIT;
    size_t start = writer->size;
    bool large = header->container != CONTAINER_WAV;
    uint64_t riff_size = wave_file_size(header) - CHUNK_HEADER_BYTES;
    byte_writer_bytes(writer, header->container == CONTAINER_BW64 ? "BW64" : large ? "RF64" : "RIFF", 4);
    byte_writer_u32(writer, large ? SIZE_IN_DS64 : (uint32_t)riff_size);
    byte_writer_bytes(writer, large ? "WAVEds64" : "WAVEJUNK", 8);
    byte_writer_u32(writer, DS64_BYTES);
    byte_writer_u64(writer, large ? riff_size : 0);
    byte_writer_u64(writer, large ? wave_data_size(header) : 0);
    byte_writer_u64(writer, large ? header->frame_count : 0);
    byte_writer_u32(writer, 0);
    if (header->bext.present)
        wave_bext(header, writer);
    wave_format(header, writer);
    byte_writer_bytes(writer, header->chunks, header->chunks_size);

    /* `data` begins at data_offset; the gap before it is a chunk of its own, so it is nothing or at least 8 bytes. */
    size_t used = writer->size - start;
    size_t last = CHUNK_HEADER_BYTES;
    if (writer->failed || used + last > header->data_offset ||
        (used + last != header->data_offset && used + last + CHUNK_HEADER_BYTES > header->data_offset))
        return STATUS_LIMIT;
    if (used + last != header->data_offset) {
        size_t gap = header->data_offset - used - last - CHUNK_HEADER_BYTES;
        byte_writer_bytes(writer, "JUNK", 4);
        byte_writer_u32(writer, (uint32_t)gap);
        byte_writer_zeros(writer, gap);
    }
    byte_writer_bytes(writer, "data", 4);
    byte_writer_u32(writer, large ? SIZE_IN_DS64 : (uint32_t)wave_data_size(header));
    return writer->failed ? STATUS_LIMIT : STATUS_OK;
}
