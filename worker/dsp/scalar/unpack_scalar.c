#include "worker/dsp/dsp_variants.h"

#include <string.h>

static double load_pcm_16(const uint8_t *bytes)
{
    const uint32_t raw = (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 24;
    return (double)(int32_t)raw * 0x1p-31;
}

static double load_pcm_24(const uint8_t *bytes)
{
    const uint32_t raw = (uint32_t)bytes[0] << 8 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 24;
    return (double)(int32_t)raw * 0x1p-31;
}

static double load_pcm_32(const uint8_t *bytes)
{
    const uint32_t raw =
        (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
    return (double)(int32_t)raw * 0x1p-31;
}

static double load_float_32(const uint8_t *bytes)
{
    float value;
    memcpy(&value, bytes, sizeof value);
    return (double)value;
}

static double load_float_64(const uint8_t *bytes)
{
    double value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

typedef double sample_load(const uint8_t *bytes);

static inline __attribute__((always_inline)) void unpack_with(sample_load *load, uint32_t sample_bytes,
                                                              const uint8_t *source, uint32_t source_channels,
                                                              uint32_t frame_count, uint8_t channel, double *lane)
{
    const size_t frame_bytes = (size_t)source_channels * sample_bytes;
    const uint8_t *bytes = source + (size_t)channel * sample_bytes;
    for (uint32_t frame = 0; frame < frame_count; frame++)
        lane[(size_t)frame * TILE_LANES] = load(bytes + frame * frame_bytes);
}

static void unpack(sample_encoding encoding, const uint8_t *source, uint32_t source_channels, uint32_t frame_count,
                   uint32_t lane_count, const uint8_t *channels, const uint8_t *lanes, double *tile)
{
    for (uint32_t i = 0; i < lane_count; i++) {
        double *lane = tile + lanes[i];
        switch (encoding) {
        case ENCODING_PCM_16:
            unpack_with(load_pcm_16, 2, source, source_channels, frame_count, channels[i], lane);
            break;
        case ENCODING_PCM_24:
            unpack_with(load_pcm_24, 3, source, source_channels, frame_count, channels[i], lane);
            break;
        case ENCODING_PCM_32:
            unpack_with(load_pcm_32, 4, source, source_channels, frame_count, channels[i], lane);
            break;
        case ENCODING_FLOAT_32:
            unpack_with(load_float_32, 4, source, source_channels, frame_count, channels[i], lane);
            break;
        case ENCODING_FLOAT_64:
            unpack_with(load_float_64, 8, source, source_channels, frame_count, channels[i], lane);
            break;
        case ENCODING_NONE:
            break;
        }
    }
}

void unpack_scalar_fill(dsp_table *table)
{
    table->unpack = unpack;
}
