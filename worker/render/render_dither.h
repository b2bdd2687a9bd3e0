/**
 * TPDF dither from a counter: the noise of a sample is a function of (seed, channel label, reel, frame in the reel) alone,
 * so it does not depend on how the work was cut, on the machine or on what ran before (design invariant 1).
 */
#ifndef WORKER_RENDER_RENDER_DITHER_H
#define WORKER_RENDER_RENDER_DITHER_H

#include "common/media/channel_layout.h"

#include <stdint.h>

/** The noise's key for one channel of one reel. */
uint64_t render_dither_key(uint32_t seed, channel_label label, uint32_t reel);
/**
 * Adds noise to one lane of frame_count frames, lane_stride doubles apart; frame is the first one's place in the reel.
 * step is the quantiser's (2^-15 for 16 bits). The noise is the sum of two even distributions of one step each: a
 * triangle within +-1 step, mean 0, power step^2 / 6.
 */
void render_dither_add(double *lane, uint32_t lane_stride, uint32_t frame_count, uint64_t key, uint64_t frame, double step);

#endif
