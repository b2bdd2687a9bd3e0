/**
 * The open speech detector: where a programme speaks, by the levels of bands of its voice (speech_levels.h). It is reelmill's own
 * ("reelmill speech detector v3") and not Dolby's Dialogue Intelligence, nor does it claim its figures.
 *
 * Five layers of dense weights, the later ones each over five steps of 100 ms of the layer before, wider and wider apart, so
 * that a step is judged with 3 s on both sides of it; beyond the ends of the programme is silence. Levels count against their
 * mean over these 6.1 s, so the programme's loudness says nothing. It is sure only of what a second cue takes for speech too
 * (speech_pace.h). The weights (speech_weights.c) were learnt by
 * tests/speech/train.py; what they hear and miss is in docs/qc-checks.md.
 *
 * Whole numbers, and single precision where they are scaled, rounded at every step in a fixed order: the same steps speak on every
 * machine.
 */
#ifndef COMMON_MEASURE_SPEECH_DETECTOR_H
#define COMMON_MEASURE_SPEECH_DETECTOR_H

#include "common/base/status.h"
#include "common/measure/speech_levels.h"

#include <stddef.h>

enum { SPEECH_DETECTOR_VERSION = 3 };

/** Of a step of 100 ms. From SPEECH_HEARD on it counts as speech; the others say how much depends on where that line lies. */
typedef enum speech_sureness { SPEECH_NONE, SPEECH_MAYBE, SPEECH_HEARD, SPEECH_SURE } speech_sureness;

/** Between one sureness and the next: the network's logarithm of the odds. */
#define SPEECH_MARGIN 1.5f

/*
 * What figures gated by it may be off those gated by the dialogue stem of the same mix, beyond what they change by from
 * SPEECH_MAYBE to SPEECH_SURE: taken from programmes of speakers, music and effects that it had not learnt from
 * (docs/qc-checks.md, "The speech detector"). What is nearer to a limit is not judged.
 */
#define SPEECH_DETECTOR_LUFS_ERROR 0.5 /**< by the square of the share that is heard: what is no speech weighs more in little */
#define SPEECH_DETECTOR_SHARE_ERROR 0.2

/** The name under which reports and findings speak of it. */
const char *speech_detector_name(void);

/**
 * out_heard: a speech_sureness for each whole step of frame_count frames. levels: [frame_count][SPEECH_BANDS].
 * STATUS_NODE_MEMORY when out of memory.
 */
MUST_USE status speech_detector_run(const uint8_t *levels, size_t frame_count, uint8_t *out_heard);

#endif
