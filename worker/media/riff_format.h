/**
 * The `fmt ` chunk of WAV, RF64, BW64 and W64: WAVEFORMAT, WAVEFORMATEX and WAVEFORMATEXTENSIBLE, as far as PCM and float
 * go. Internal to worker/media. Source: domain.md section 5; Microsoft's WAVEFORMATEXTENSIBLE page for the placing of
 * valid bits (in the most significant bits of the container).
 */
#ifndef WORKER_MEDIA_RIFF_FORMAT_H
#define WORKER_MEDIA_RIFF_FORMAT_H

#include "worker/media/probe_source.h"

enum { RIFF_FORMAT_BYTES_MIN = 16, RIFF_FORMAT_BYTES_MAX = 40 };

typedef struct riff_format {
    uint32_t sample_rate;
    uint32_t channel_count;
    uint32_t sample_bytes; /**< of the container: 1, 2, 3, 4 or 8 */
    uint32_t valid_bits;
    bool is_float;         /**< sample_bytes 4 or 8 */
    bool has_channel_mask;
    uint32_t channel_mask;
} riff_format;

/**
 * chunk_size: as the chunk states; bytes holds the first min(chunk_size, RIFF_FORMAT_BYTES_MAX) of them. False when the
 * format is broken or not ours (the file is then refused).
 */
bool riff_format_parse(probe_source *source, const uint8_t *bytes, uint64_t chunk_size, bool big_endian,
                       riff_format *out_format);
/** What the samples are for the rest of reelmill: 8 bit counts as PCM_16 with fewer valid bits. */
sample_encoding riff_format_encoding(const riff_format *self);

#endif
