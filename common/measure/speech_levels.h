/**
 * Levels of bands from which the speech detector hears: one frame each 20 ms of the programme, one byte a band, in steps of a
 * sixth of 3.01 dB. 0 is silence; a byte of 253 has the mean power of 1 in each of its lines of the spectrum.
 */
#ifndef COMMON_MEASURE_SPEECH_LEVELS_H
#define COMMON_MEASURE_SPEECH_LEVELS_H

#include "common/base/limits.h"

#include <stdint.h>

enum {
    SPEECH_BANDS = 22,           /**< from 70 to 5508 Hz */
    SPEECH_FRAME_SLOTS = 2,      /**< of 10 ms */
    SPEECH_STEP_FRAMES = 5,      /**< frames in a step of 100 ms */
    SPEECH_RATE_MIN = 32000,     /**< programmes at lower rates are not listened to */
    SPEECH_FRAMES_MAX = CELL_FRAMES / (SPEECH_RATE_MIN / 50) + 2 /**< of a cell */
};

#endif
