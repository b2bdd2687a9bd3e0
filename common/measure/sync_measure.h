/**
 * What listening to one track (a stem of a reel, a received programme) found: 2-pops, to the sample, and how it lies against
 * the reference at places. Made by LISTEN tasks, carried in their results, judged by coordinator/verdict.
 *
 * A pop is a short tone of about 1 kHz that stands alone. Nothing here says whether it belongs where it is.
 */
#ifndef COMMON_MEASURE_SYNC_MEASURE_H
#define COMMON_MEASURE_SYNC_MEASURE_H

#include "common/base/arena.h"
#include "common/base/byte_reader.h"
#include "common/base/byte_writer.h"
#include "common/base/status.h"

#include <stdbool.h>
#include <stdint.h>

enum { SYNC_MEASURE_VERSION = 6, SYNC_POPS_MAX = 256, SYNC_POINTS_MAX = 256, SYNC_PLACES_MAX = 66 };

typedef struct sync_pop {
    uint16_t channel;     /**< of the track: channels of its files, file after file */
    uint64_t frame;       /**< of the file: the first that sounds */
    uint32_t frame_count;
    float power;          /**< mean square; of a full-scale sine 0.5 */
    float frequency_hz;
} sync_pop;

/** A place at which track and reference hold the same sound. */
typedef struct sync_point {
    uint64_t place;       /**< frames of the reference since the beginning of the stretch that is compared */
    double late;          /**< frames by which the track is later there */
    float score;          /**< peak of the correlation over the RMS of the rest */
} sync_point;

typedef struct sync_measure {
    uint32_t pop_count;   /**< by (frame, channel) */
    uint32_t pop_dropped; /**< beyond SYNC_POPS_MAX */
    sync_pop *pops;
    uint32_t tried;       /**< places that were compared; 0 without a reference */
    uint32_t silent;      /**< of them, places at which the track is silent */
    uint64_t frames_read; /**< of the track, for comparing */
    uint32_t point_count; /**< by place */
    sync_point *points;
    uint32_t lost_count;  /**< places that sound and at which nothing matched, or something that no other place confirms */
    uint64_t *lost;       /**< ascending, as sync_point.place */
} sync_measure;

/** What may be called a pop where nothing says that one belongs there, and a phone or a machine may beep: frames of 1/24 to 1/60 s,
 * by half and twice, at 1 kHz. */
bool sync_pop_is_plain(const sync_pop *pop, uint32_t sample_rate);

void sync_measure_encode(const sync_measure *self, byte_writer *writer);
/** STATUS_PEER_MALFORMED for anything out of range. */
MUST_USE status sync_measure_decode(sync_measure *out_measure, const void *bytes, size_t byte_size, arena *arena);

#endif
