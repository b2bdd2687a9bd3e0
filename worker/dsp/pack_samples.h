/**
 * pack() for all levels: the including file has pack_rows(), whose first parameter says how samples become words, and names
 * its values for PCM and float in PACK_PCM and PACK_FLOAT_32. With PACK_OWN_FLOAT_64 it has pack_float_64() too. Inside
 * worker/dsp only.
 */
#ifndef WORKER_DSP_PACK_SAMPLES_H
#define WORKER_DSP_PACK_SAMPLES_H

#include "worker/dsp/dsp_variants.h"

#include <string.h>

#ifdef PACK_PCM /* alone, this header has nothing to say */

#ifndef PACK_OWN_FLOAT_64
static void pack_float_64(const double *tile, uint32_t frame_count, uint32_t channel_count, const uint8_t *lanes,
                          uint64_t frame_bytes, uint8_t *destination)
{
    for (uint32_t frame = 0; frame < frame_count; frame++) {
        const double *row = tile + (size_t)frame * TILE_LANES;
        uint8_t *bytes = destination + frame * frame_bytes;
        for (uint32_t i = 0; i < channel_count; i++)
            memcpy(bytes + i * 8, row + lanes[i], 8);
    }
}
#endif

static void pack(sample_encoding encoding, const double *tile, uint32_t frame_count, uint32_t channel_count,
                 const uint8_t *lanes, uint32_t stride_channels, uint32_t first_channel, uint8_t *destination)
{
    const uint64_t stride = stride_channels;
    while (channel_count > 0) {
        /* A list may repeat lanes and so be longer than a tile is wide. */
        const uint32_t some = channel_count < TILE_LANES ? channel_count : TILE_LANES;
        const uint64_t first = first_channel;
        switch (encoding) {
        case ENCODING_PCM_16:
            pack_rows(PACK_PCM, 2, tile, frame_count, some, lanes, stride * 2, destination + first * 2);
            break;
        case ENCODING_PCM_24:
            pack_rows(PACK_PCM, 3, tile, frame_count, some, lanes, stride * 3, destination + first * 3);
            break;
        case ENCODING_PCM_32:
            pack_rows(PACK_PCM, 4, tile, frame_count, some, lanes, stride * 4, destination + first * 4);
            break;
        case ENCODING_FLOAT_32:
            pack_rows(PACK_FLOAT_32, 4, tile, frame_count, some, lanes, stride * 4, destination + first * 4);
            break;
        case ENCODING_FLOAT_64:
            pack_float_64(tile, frame_count, some, lanes, stride * 8, destination + first * 8);
            break;
        case ENCODING_NONE:
            break;
        }
        channel_count -= some;
        first_channel += some;
        lanes += some;
    }
}

#endif
#endif
