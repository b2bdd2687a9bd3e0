/**
 * What a programme would measure if a part of it were louder or softer: from its stored energies alone, by the blocks and
 * gates that made the figure. The part is cut at 10 ms slots; a block across its edge takes each slot at its own gain.
 */
#ifndef COMMON_MEASURE_TRIM_MEASURE_H
#define COMMON_MEASURE_TRIM_MEASURE_H

#include "common/measure/speech_measure.h"

/** A part of a programme and the gain it would get. */
typedef struct trim {
    uint64_t first_frame, end_frame;
    double gain_db;
    bool restored; /**< what was clamped or limited there comes back as its sum may have been: softer, less is taken off it */
} trim;

/** Integrated loudness (speech NULL), or dialogue loudness in the blocks where the stem speaks. NAN if it does not exist. */
double trim_measure_loudness(const programme_measure *programme, const programme_measure *speech, const trim *change);

/** The smallest change of a part that passes, in tenths of a dB down or up, at most 20 dB either way. */
typedef struct trim_advice {
    double gain_db;  /**< passes whatever comes back of what was clamped or limited there; not sure: if nothing does */
    double least_db; /**< passes if nothing comes back: from here to gain_db lies what is enough */
    bool passes;     /**< false: no change does, the rest of the programme decides the figure; both are 0 */
    bool sure;       /**< false: none passes, or none whatever comes back */
} trim_advice;

/** What brings the displayed figure into minimum..maximum (NAN = open). */
trim_advice trim_measure_solve(const programme_measure *programme, const programme_measure *speech, uint64_t first_frame,
                               uint64_t end_frame, double minimum, double maximum);

#endif
