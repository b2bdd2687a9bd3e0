/**
 * The matrix of a received stereo programme whose channels were turned in phase on the way (Lt/Rt): gain and angle of each of the
 * stems' channels in each output, by least squares over the complex cross-spectra that cells carry which gains alone do not
 * explain. Pure.
 */
#ifndef COMMON_MEASURE_STEM_PHASE_H
#define COMMON_MEASURE_STEM_PHASE_H

#include "common/measure/stem_truth.h"

enum { STEM_PHASE_OUTPUTS = 2 };

typedef struct stem_phase {
    bool found; /**< gains with angles explain it, gains alone do not, and one of the angles is a quarter of a turn */
    double gain[STEM_PHASE_OUTPUTS][STEM_BED_MAX];    /**< linear, not negative */
    double degrees[STEM_PHASE_OUTPUTS][STEM_BED_MAX]; /**< -180 to 180; that the programme is ahead */
    bool known[STEM_PHASE_OUTPUTS][STEM_BED_MAX];     /**< the channel plays, and not as a copy of others */
} stem_phase;

/** truth: which stems are in it. STATUS_NODE_MEMORY only. */
MUST_USE status stem_phase_find(stem_phase *out_phase, const stem_model *model, const stem_truth *truth,
                                const stem_programme *programme);

#endif
