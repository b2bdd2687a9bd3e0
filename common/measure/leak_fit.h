/**
 * From what source and host of a leak have in common, window by window and octave by octave, to where in the cell the leak is
 * and how large it is. Pure.
 *
 * Model: host = gain of the octave x source + noise, whose level every window has of its own. A window speaks for the leak by
 * how much better it is explained with it than without: so a window in which the host pauses and the leak is not there speaks
 * against it however quiet it is, and takes no part in the gain.
 */
#ifndef COMMON_MEASURE_LEAK_FIT_H
#define COMMON_MEASURE_LEAK_FIT_H

#include "common/measure/stem_features.h"

/** Of one window and octave, at the leak's delay; bins may be weighted, all four sums alike. */
typedef struct leak_sums {
    double own;    /**< energy of the source */
    double re, im; /**< host x conjugate of the source */
    double host;   /**< energy of the host */
    double rounding; /**< energy that rounding to 24 bits leaves in the host */
    uint32_t bins;
} leak_sums;

/** From the first to the last window in which a leak is heard, and on both sides those that say nothing against it. */
typedef struct leak_stretch {
    uint32_t first, last;
    uint32_t first_open, last_open;
} leak_stretch;

enum { LEAK_WINDOWS_MAX = STEM_STEPS };

/**
 * Fills the octaves of *leak, `rest` and, where the windows that are in it say more than all, `score`. scores[w]: how far window w
 * stands out at the leak's delay by itself, in standard deviations of chance. Returns false if no window does, or if it is fainter
 * than the rounding of the host's samples in all octaves that show it.
 */
bool leak_fit(stem_leak *leak, leak_stretch *out_stretch, const leak_sums sums[][STEM_BANDS], const double *scores,
              uint32_t window_count);

#define LEAK_PRESENT_MIN 2.0 /**< log likelihood from which on a window speaks for a leak, */
#define LEAK_ABSENT_MAX -3.0 /**< and up to which it speaks against it */

/** How much better a window is explained with the leak, whose octaves are known, than without, as a log likelihood. */
double leak_likelihood(const stem_leak *leak, const leak_sums sums[STEM_BANDS]);
/** The same, of which no window has more than its share. */
double leak_speaks(const stem_leak *leak, const leak_sums sums[STEM_BANDS]);

#endif
