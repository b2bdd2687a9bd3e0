/**
 * The speech detector's second cue: how the levels of the bands move within the 3 s around a step. Speech comes in syllables, with
 * pauses, and its treble and bass take turns; a tone that is held, bent or struck does not, though the network of
 * speech_detector.h may take it for speech. Where this cue does not hear speech, the detector is sure of none.
 *
 * Means of whole numbers over the frames of the window, each with a weight and one of its square (speech_weights_pace.c, learnt by
 * tests/speech/train.py). The same steps pass on every machine.
 */
#ifndef COMMON_MEASURE_SPEECH_PACE_H
#define COMMON_MEASURE_SPEECH_PACE_H

#include "common/measure/speech_levels.h"

#include <stddef.h>

/** inout_heard: of each whole step of frame_count frames, what the network said; what it is sure of is lowered to SPEECH_HEARD
 *  where the pace is not that of speech. levels: [frame_count][SPEECH_BANDS]. */
void speech_pace_confirm(const uint8_t *levels, size_t frame_count, uint8_t *inout_heard);

#endif
