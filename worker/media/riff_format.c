#include "worker/media/riff_format.h"

#include <string.h>

enum { TAG_PCM = 1, TAG_FLOAT = 3, TAG_EXTENSIBLE = 0xFFFE };

static uint32_t format_number(const uint8_t *bytes, uint32_t byte_size, bool big_endian)
{
    uint32_t value = 0;
    for (uint32_t i = 0; i < byte_size; i++)
        value |= (uint32_t)bytes[i] << (8 * (big_endian ? byte_size - 1 - i : i));
    return value;
}

static const char *format_tag_name(uint32_t tag)
{
    static const struct {
        uint32_t tag;
        const char *name;
    } names[] = {{0x02, "MS ADPCM"}, {0x06, "A-law"}, {0x07, "mu-law"}, {0x11, "IMA ADPCM"},
                 {0x31, "GSM 6.10"}, {0x50, "MPEG"},  {0x55, "MP3"},    {0x92, "AC-3"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].tag == tag)
            return names[i].name;
    return "unknown";
}

/* The tag inside an extensible format; 0 when its GUID is not of the KSDATAFORMAT_SUBTYPE family. */
static uint32_t format_sub_tag(const uint8_t *guid, bool big_endian)
{
    static const uint8_t tail_little[] = {0x00, 0x00, 0x10, 0x00};
    static const uint8_t tail_big[] = {0x00, 0x00, 0x00, 0x10};
    static const uint8_t tail[] = {0x80, 0x00, 0x00, 0xAA, 0x00, 0x38, 0x9B, 0x71};
    uint32_t tag = format_number(guid, 4, big_endian);
    bool known = memcmp(guid + 4, big_endian ? tail_big : tail_little, 4) == 0 && memcmp(guid + 8, tail, 8) == 0;
    return known && tag <= 0xFFFF ? tag : 0;
}

static bool format_check_extension(probe_source *source, const uint8_t *bytes, uint64_t chunk_size, bool big_endian,
                                   uint32_t tag)
{
    if (tag == TAG_PCM || (tag != TAG_EXTENSIBLE && chunk_size == RIFF_FORMAT_BYTES_MIN))
        return true;
    uint32_t extension = chunk_size < 18 ? 0 : format_number(bytes + 16, 2, big_endian);
    if (chunk_size < 18 || extension > chunk_size - 18)
        return probe_refuse(source, STATUS_INPUT_INVALID,
                            "has a broken fmt chunk: %llu bytes with an extension of %u; export the file again",
                            (unsigned long long)chunk_size, (unsigned)extension);
    if (tag == TAG_EXTENSIBLE && (chunk_size < RIFF_FORMAT_BYTES_MAX || extension < 22))
        return probe_refuse(source, STATUS_INPUT_INVALID,
                            "has a broken fmt chunk: an extensible format of %llu bytes with an extension of %u, expected at "
                            "least 40 and 22; export the file again",
                            (unsigned long long)chunk_size, (unsigned)extension);
    return true;
}

static bool format_check_numbers(probe_source *source, const riff_format *format)
{
    if (format->channel_count == 0 || format->channel_count > FILE_CHANNELS_MAX)
        return probe_refuse(source, STATUS_INPUT_UNSUPPORTED, "has %u channels, expected 1 to %d",
                            (unsigned)format->channel_count, FILE_CHANNELS_MAX);
    if (format->sample_rate < SAMPLE_RATE_MIN || format->sample_rate > SAMPLE_RATE_MAX)
        return probe_refuse(source, STATUS_INPUT_UNSUPPORTED, "has a sample rate of %u Hz, expected %d to %d Hz",
                            (unsigned)format->sample_rate, SAMPLE_RATE_MIN, SAMPLE_RATE_MAX);
    return true;
}

bool riff_format_parse(probe_source *source, const uint8_t *bytes, uint64_t chunk_size, bool big_endian,
                       riff_format *out_format)
{
    if (chunk_size < RIFF_FORMAT_BYTES_MIN)
        return probe_refuse(source, STATUS_INPUT_INVALID,
                            "has a fmt chunk of %llu bytes, expected at least 16; export the file again",
                            (unsigned long long)chunk_size);
    uint32_t tag = format_number(bytes, 2, big_endian);
    uint32_t block_align = format_number(bytes + 12, 2, big_endian);
    uint32_t bits = format_number(bytes + 14, 2, big_endian);
    riff_format format = {
        .channel_count = format_number(bytes + 2, 2, big_endian),
        .sample_rate = format_number(bytes + 4, 4, big_endian),
        .valid_bits = bits,
    };
    if (!format_check_extension(source, bytes, chunk_size, big_endian, tag))
        return false;
    if (tag == TAG_EXTENSIBLE) {
        uint32_t valid = format_number(bytes + 18, 2, big_endian);
        format.channel_mask = format_number(bytes + 20, 4, big_endian);
        format.has_channel_mask = format.channel_mask != 0;
        tag = format_sub_tag(bytes + 24, big_endian);
        format.valid_bits = valid > 0 && valid < bits ? valid : bits;
    }
    if (tag != TAG_PCM && tag != TAG_FLOAT)
        return probe_refuse(source, STATUS_INPUT_UNSUPPORTED,
                            "holds %s audio (format 0x%04X), expected uncompressed PCM or float; export it as 24-bit PCM",
                            format_tag_name(tag), (unsigned)tag);
    if (!format_check_numbers(source, &format))
        return false;
    format.is_float = tag == TAG_FLOAT;
    format.sample_bytes = (bits + 7) / 8;
    bool known = format.is_float ? bits == 32 || bits == 64 : bits >= 1 && bits <= 32;
    if (!known)
        return probe_refuse(source, STATUS_INPUT_UNSUPPORTED,
                            "holds %u-bit %s, expected PCM of 8 to 32 bits or float of 32 or 64; export it as 24-bit PCM",
                            (unsigned)bits, format.is_float ? "float" : "PCM");
    if (block_align != format.channel_count * format.sample_bytes)
        return probe_refuse(source, STATUS_INPUT_UNSUPPORTED,
                            "states frames of %u bytes, but %u channels of %u bits are %u; where the bits lie is not "
                            "stated: export it as plain 24-bit PCM",
                            (unsigned)block_align, (unsigned)format.channel_count, (unsigned)bits,
                            (unsigned)(format.channel_count * format.sample_bytes));
    *out_format = format;
    return true;
}

sample_encoding riff_format_encoding(const riff_format *self)
{
    if (self->is_float)
        return self->sample_bytes == 8 ? ENCODING_FLOAT_64 : ENCODING_FLOAT_32;
    return self->sample_bytes == 4   ? ENCODING_PCM_32
           : self->sample_bytes == 3 ? ENCODING_PCM_24
                                     : ENCODING_PCM_16;
}
