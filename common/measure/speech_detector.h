/**
 * The open speech detector: where a programme speaks, by the levels of bands of its voice (speech_levels.h). It is reelmill's own
 * ("reelmill speech detector v1") and not Dolby's Dialogue Intelligence, nor does it claim its figures.
 *
 * Four layers of dense weights, each over five steps of 100 ms of the layer before, wider and wider apart, so that a step is judged
 * with 1.4 s on both sides of it; beyond the ends of the programme is silence. Levels count against their mean over these 2.9 s,
 * so the programme's loudness says nothing. The weights (speech_weights.c) were learnt by tests/speech/train.py; what they hear and
 * miss is in docs/qc-checks.md.
 *
 * Single precision, rounded at every step, in a fixed order: the same steps speak on every machine.
 */
#ifndef COMMON_MEASURE_SPEECH_DETECTOR_H
#define COMMON_MEASURE_SPEECH_DETECTOR_H

#include "common/base/status.h"
#include "common/measure/speech_levels.h"

#include <stddef.h>

enum { SPEECH_DETECTOR_VERSION = 1 };

/*
 * How far figures gated by it were off those gated by the dialogue stem of the same mix: more than the largest error over
 * programmes of speakers, music and effects that it had not learnt from (4.5 LU), and than the largest share of a piece of
 * music that was taken for speech (67 %; docs/qc-checks.md, "The speech detector"). What is nearer to a limit is not judged.
 */
#define SPEECH_DETECTOR_LUFS_ERROR 5.0
#define SPEECH_DETECTOR_SHARE_ERROR 0.7

/** The name under which reports and findings speak of it. */
const char *speech_detector_name(void);

/**
 * out_speaks: one byte for each whole step of frame_count frames, 1 where it speaks. levels: [frame_count][SPEECH_BANDS].
 * STATUS_NODE_MEMORY when out of memory.
 */
MUST_USE status speech_detector_run(const uint8_t *levels, size_t frame_count, uint8_t *out_speaks);

#endif
