/**
 * A look at the headers of AIFF, CAF, W64 and FLAC before libsndfile sees the file: only uncompressed PCM and float (and
 * FLAC) get through, so that none of its other codecs ever runs on a stranger's bytes, and the promised length is held
 * against what the file holds, which libsndfile would cut without a word. Internal to worker/media.
 *
 * W64 is read by ourselves (but for 8 bit): libsndfile 1.2.0 takes float in WAVE_FORMAT_EXTENSIBLE, as ffmpeg writes it,
 * for 32-bit integers.
 */
#ifndef WORKER_MEDIA_FOREIGN_WALK_H
#define WORKER_MEDIA_FOREIGN_WALK_H

#include "worker/media/riff_format.h"

typedef struct foreign_form {
    media_container container;
    bool big_endian;
    uint32_t channel_count;
    uint32_t valid_bits;
    uint64_t frame_count; /**< promised; meaningless unless frames_known */
    bool frames_known;    /**< a FLAC stream need not say how long it is */
    bool is_float;
    bool direct;          /**< W64: little-endian samples at data_offset, as format says */
    uint64_t data_offset;
    riff_format format;
} foreign_form;

/** CONTAINER_NONE when magic begins none of the four. */
media_container foreign_walk_container(const uint8_t magic[16]);
/** False when the file is refused or could not be read; see probe_source.h. */
bool foreign_walk(probe_source *source, media_container container, foreign_form *out_form);

#endif
