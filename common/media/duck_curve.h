/**
 * How far a programme is ducked under narration: a curve that depends on the narration near a place and on nothing else, so
 * that it is the same however the work was cut. No checkpoint is needed: its memory is finite.
 *
 * Time is counted in slots of 10 ms of the programme (common/measure). A slot is active when narration speaks in it: the
 * power of the narration, summed over its channels, averaged over the slot, reaches the threshold. Each active slot asks for
 * a trapezoid: from `look_ahead` slots before it the duck deepens over `attack` slots, stays until `hold` slots after the
 * active slot's end, and is gone `release` slots later. The curve is the largest of what all active slots ask for: pauses
 * shorter than hold are ridden over, longer ones open as far as they last. Between the edges of slots the gain is linear.
 */
#ifndef COMMON_MEDIA_DUCK_CURVE_H
#define COMMON_MEDIA_DUCK_CURVE_H

#include <stdbool.h>
#include <stdint.h>

enum { DUCK_SLOTS_MAX = 1000 /**< 10 s, of each of the four times */ };

typedef struct duck_shape {
    double threshold;    /**< mean square, linear */
    double floor;        /**< gain of the programme under narration, 0 .. 1 */
    uint16_t look_ahead; /**< slots, as all four */
    uint16_t attack;     /**< at least 1, at most look_ahead: the programme is down when narration begins */
    uint16_t hold;
    uint16_t release;    /**< at least 1 */
} duck_shape;

bool duck_shape_valid(const duck_shape *self);
/** Slots before and after an edge whose activity decides about it. */
uint32_t duck_shape_before(const duck_shape *self);
uint32_t duck_shape_after(const duck_shape *self);
/**
 * Gain at the edges between slots. active[i] says whether slot first + i is active; gains[k] is that at the beginning of
 * slot first + duck_shape_before() + k, for gain_count edges; active_count is before + gain_count + after.
 */
void duck_curve_gains(const duck_shape *self, const bool *active, uint32_t active_count, uint32_t gain_count, double *gains);

#endif
