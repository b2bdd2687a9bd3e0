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

/**
 * The smallest change, in tenths of a dB down or up, that brings the displayed figure into minimum..maximum (NAN = open);
 * *out_gain_db is at most 20 dB either way. False when none does: the rest of the programme decides the figure. Where the sum was
 * clamped or limited there, a change down is as large as passes even if that comes back; *out_sure is false where none is, or
 * none passes.
 */
bool trim_measure_solve(const programme_measure *programme, const programme_measure *speech, uint64_t first_frame,
                        uint64_t end_frame, double minimum, double maximum, double *out_gain_db, bool *out_sure);

#endif
