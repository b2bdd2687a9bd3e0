/**
 * How a track lies against a reference over a whole stretch: matched places, sorted, for sync_model_fit().
 *
 * Reads little of the track: 1 % of the stretch, in short ones 6 s at most, twice that where it has a step. Of each part of the
 * stretch that place of eight is heard where the track is loudest beside the reference: a window of 4096 frames, where that is
 * not enough one of 16384. By itself a peak must stand out of chance's by far; where the places before expect it, to the
 * sample, less is enough, as chance has thousands of others to choose from. The reference is read around them, for it costs no
 * second reading. Where drift shows, the places are matched once more at the right speed; a step between two of them is
 * narrowed down by halving. Of places in a row without a match one is heard for longer; only where nothing matches within half a
 * second are four places searched nine seconds around.
 */
#ifndef WORKER_RENDER_SYNC_ALIGN_H
#define WORKER_RENDER_SYNC_ALIGN_H

#include "common/measure/sync_model.h"
#include "worker/render/sync_match.h"

/** Fills tried, silent, frames_read and points of the measure. */
MUST_USE status sync_align(sync_matcher *matcher, uint64_t frame_count, sync_measure *measure, arena *memory);

#endif
