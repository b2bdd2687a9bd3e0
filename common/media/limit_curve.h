/**
 * The gain of a true-peak limiter: a curve that depends on the peaks near a place and on nothing else, so that it is the same
 * however the work was cut. Its memory is finite; nothing is carried on.
 *
 * Time is counted in slots of 1 ms of the programme. Each slot needs a gain that brings its peak to the ceiling, and asks for
 * a dip of that depth: flat over the slot and LIMIT_FLAT_SLOTS to either side of it (farther than the meter's filter reaches),
 * deepening over `look_ahead` slots before that and gone `release` slots behind it, both along t^2 (3 - 2t). The curve is
 * the deepest of what all slots ask for. Between the edges of slots the gain is linear.
 */
#ifndef COMMON_MEDIA_LIMIT_CURVE_H
#define COMMON_MEDIA_LIMIT_CURVE_H

#include <stdbool.h>
#include <stdint.h>

enum { LIMIT_SLOTS_MAX = 1000 /**< 1 s, of each of the two times */, LIMIT_FLAT_SLOTS = 2 };

/** A peak is brought 0.3 dB below the ceiling: other meters read a little more than Annex 2, and a moving gain adds. */
#define LIMIT_MARGIN 0x1.ee9e3887110cfp-1

typedef struct limit_shape {
    double ceiling;      /**< linear true peak, above 0, at most 1 */
    uint16_t look_ahead; /**< slots, at least 1; both at most LIMIT_SLOTS_MAX */
    uint16_t release;
} limit_shape;

bool limit_shape_valid(const limit_shape *self);
/** Slots before and after an edge whose peaks decide about it. */
uint32_t limit_shape_before(const limit_shape *self);
uint32_t limit_shape_after(const limit_shape *self);
/** Frames of slots: slot s covers limit_slot_frame(s) .. limit_slot_frame(s + 1). */
uint64_t limit_slot_frame(uint64_t slot, uint32_t sample_rate);
uint64_t limit_slot_of(uint64_t frame, uint32_t sample_rate);
/**
 * Gain at the edges between slots. peaks[i] is the true peak of slot first + i; gains[k] is that at the beginning of slot
 * first + limit_shape_before() + k, for gain_count edges; peak_count is before + gain_count + after.
 */
void limit_curve_gains(const limit_shape *self, const double *peaks, uint32_t peak_count, uint32_t gain_count, double *gains);

#endif
