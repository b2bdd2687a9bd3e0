/**
 * How a track lies against a reference over a whole stretch: matched places, sorted, for sync_model_fit().
 *
 * Reads little: 1 % of the stretch, at least eight windows of 32768 frames, each at the loudest of eight places of its part.
 * Where drift shows, the places are matched once more at the right speed; a step between two of them is narrowed down by
 * halving. Only where nothing matches within half a second are four places searched nine seconds around.
 */
#ifndef WORKER_RENDER_SYNC_ALIGN_H
#define WORKER_RENDER_SYNC_ALIGN_H

#include "common/measure/sync_model.h"
#include "worker/render/sync_match.h"

/** Fills tried, silent, frames_read and points of the measure. */
MUST_USE status sync_align(sync_matcher *matcher, uint64_t frame_count, sync_measure *measure, arena *memory);

#endif
