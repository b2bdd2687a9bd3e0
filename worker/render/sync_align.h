/**
 * How a track lies against a reference over a whole stretch: matched places, sorted, for sync_model_fit().
 *
 * Reads little of the track: 1 % of the stretch, in short ones 7 s, twice that where it has a step. Places, each the loudest
 * of eight probes of its part, are windows of 16384 frames that are read once; two thirds of what may be read go to them and
 * their probes, the rest to longer windows of places that did not match. The reference is read around them, for it costs no
 * second reading. Where drift shows, the places are matched once more at the right speed; a step between two of them is
 * narrowed down by halving. Only where nothing matches within half a second are four places searched nine seconds around.
 */
#ifndef WORKER_RENDER_SYNC_ALIGN_H
#define WORKER_RENDER_SYNC_ALIGN_H

#include "common/measure/sync_model.h"
#include "worker/render/sync_match.h"

/** Fills tried, silent, frames_read and points of the measure. */
MUST_USE status sync_align(sync_matcher *matcher, uint64_t frame_count, sync_measure *measure, arena *memory);

#endif
