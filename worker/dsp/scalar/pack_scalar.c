#include "worker/dsp/dsp_variants.h"

#include <string.h>

/* Exact: the tile holds multiples of 2^-(bits-1) within range, so the product is an integer of that many bits. */
static void store_pcm_16(double value, uint8_t *bytes)
{
    const uint32_t raw = (uint32_t)(int32_t)(value * 0x1p15);
    bytes[0] = (uint8_t)raw;
    bytes[1] = (uint8_t)(raw >> 8);
}

static void store_pcm_24(double value, uint8_t *bytes)
{
    const uint32_t raw = (uint32_t)(int32_t)(value * 0x1p23);
    bytes[0] = (uint8_t)raw;
    bytes[1] = (uint8_t)(raw >> 8);
    bytes[2] = (uint8_t)(raw >> 16);
}

static void store_pcm_32(double value, uint8_t *bytes)
{
    const uint32_t raw = (uint32_t)(int32_t)(value * 0x1p31);
    bytes[0] = (uint8_t)raw;
    bytes[1] = (uint8_t)(raw >> 8);
    bytes[2] = (uint8_t)(raw >> 16);
    bytes[3] = (uint8_t)(raw >> 24);
}

static void store_float_32(double value, uint8_t *bytes)
{
    const float narrow = (float)value;
    memcpy(bytes, &narrow, sizeof narrow);
}

static void store_float_64(double value, uint8_t *bytes)
{
    memcpy(bytes, &value, sizeof value);
}

typedef void sample_store(double value, uint8_t *bytes);

static inline __attribute__((always_inline)) void pack_with(sample_store *store, uint32_t sample_bytes,
                                                            const double *lane, uint32_t frame_count,
                                                            uint32_t stride_channels, uint32_t channel,
                                                            uint8_t *destination)
{
    const size_t frame_bytes = (size_t)stride_channels * sample_bytes;
    uint8_t *bytes = destination + (size_t)channel * sample_bytes;
    for (uint32_t frame = 0; frame < frame_count; frame++)
        store(lane[(size_t)frame * TILE_LANES], bytes + frame * frame_bytes);
}

static void pack(sample_encoding encoding, const double *tile, uint32_t frame_count, uint32_t channel_count,
                 const uint8_t *lanes, uint32_t stride_channels, uint32_t first_channel, uint8_t *destination)
{
    for (uint32_t i = 0; i < channel_count; i++) {
        const double *lane = tile + lanes[i];
        const uint32_t channel = first_channel + i;
        switch (encoding) {
        case ENCODING_PCM_16:
            pack_with(store_pcm_16, 2, lane, frame_count, stride_channels, channel, destination);
            break;
        case ENCODING_PCM_24:
            pack_with(store_pcm_24, 3, lane, frame_count, stride_channels, channel, destination);
            break;
        case ENCODING_PCM_32:
            pack_with(store_pcm_32, 4, lane, frame_count, stride_channels, channel, destination);
            break;
        case ENCODING_FLOAT_32:
            pack_with(store_float_32, 4, lane, frame_count, stride_channels, channel, destination);
            break;
        case ENCODING_FLOAT_64:
            pack_with(store_float_64, 8, lane, frame_count, stride_channels, channel, destination);
            break;
        case ENCODING_NONE:
            break;
        }
    }
}

void pack_scalar_fill(dsp_table *table)
{
    table->pack = pack;
}
