/**
 * Finds 2-pops: tones of 900 to 1100 Hz, 10 to 500 ms long and flat, with nothing louder than a quarter of them within
 * 20 ms on either side. Their first and last samples are found exactly where what surrounds them is silence.
 *
 * A sine that begins or ends at a zero crossing has a first or last sample of value 0, which no reader can see: the
 * crossing before the first sample that sounds belongs to the pop, the one behind the last does not (whole cycles).
 */
#ifndef WORKER_RENDER_POP_FIND_H
#define WORKER_RENDER_POP_FIND_H

#include "common/measure/sync_measure.h"
#include "worker/render/track_reader.h"

/** Searches every channel of the track in the ranges; pops are sorted by (frame, channel) and live in memory. */
MUST_USE status pop_find(track_reader *track, uint32_t range_count, const task_listen_range *ranges,
                         sync_measure *out_measure, arena *memory, error_detail *detail);

#endif
