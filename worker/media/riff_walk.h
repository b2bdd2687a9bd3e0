/**
 * The bounded chunk walk over WAV, RIFX, RF64 and BW64: at most CONTAINER_CHUNKS_MAX chunks, every size held against what
 * the file has left, nothing allocated. Internal to worker/media. Sources: EBU Tech 3306 v2 (RF64), ITU-R BS.2088 (BW64).
 */
#ifndef WORKER_MEDIA_RIFF_WALK_H
#define WORKER_MEDIA_RIFF_WALK_H

#include "worker/media/riff_format.h"

typedef struct riff_form {
    media_container container;
    bool big_endian;
    riff_format format;
    uint64_t data_offset;
    uint64_t frame_count;
    bool has_chna;
    bool has_axml;
    uint64_t chna_offset, chna_size; /**< of the first */
    uint64_t axml_offset, axml_size;
    uint64_t dbmd_offset, dbmd_size; /**< 0, 0: none */
    media_bext bext;
} riff_form;

/** True for the first four bytes of a file that riff_walk reads. */
bool riff_walk_knows(const uint8_t magic[4]);
/** False when the file is refused or could not be read; see probe_source.h. */
bool riff_walk(probe_source *source, riff_form *out_form);

#endif
