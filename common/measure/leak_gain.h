/**
 * How large a leak is, from what its cells say of each octave: its gain is that of the octaves that let it pass. Pure.
 */
#ifndef COMMON_MEASURE_LEAK_GAIN_H
#define COMMON_MEASURE_LEAK_GAIN_H

#include "common/measure/stem_features.h"

/** Sums of an octave over cells and, from the squares of what each of them says, how far they differ. */
typedef struct octave_sums {
    double own, re, im, noise;
    double said, own_re, own_im, own_own;
    uint32_t count;
} octave_sums;

/** At one delay; zeros: nothing yet. */
typedef struct leak_octaves {
    octave_sums of[STEM_BANDS];
} leak_octaves;

/** To a delay that is so many samples longer; octaves that lose more than 1 % so begin anew. */
void leak_octaves_move(leak_octaves *self, int samples);
/** Of a cell whose delay is so many samples longer; of its octaves those that lose no more than 1 % so. */
void leak_octaves_add(leak_octaves *self, const stem_leak *leak, int samples);
/** False: no octave shows it. The gain is negative when it is upside down. */
bool leak_octaves_gain(const leak_octaves *self, double *out_gain, uint32_t *out_first_band, uint32_t *out_last_band);

#endif
