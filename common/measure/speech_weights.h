/** The weights of the speech detector, as tests/speech/train.py writes them. */
#ifndef COMMON_MEASURE_SPEECH_WEIGHTS_H
#define COMMON_MEASURE_SPEECH_WEIGHTS_H

#include "common/measure/speech_levels.h"

#include <stdint.h>

enum { SPEECH_LAYERS = 4, SPEECH_TAPS = 5, SPEECH_WIDTH_MAX = 24, SPEECH_STEP_LEVELS = SPEECH_STEP_FRAMES * SPEECH_BANDS };

/** One layer: output o = max(0, bias[o] + scale[o] x the sum over its inputs i of input[i] x weights[i x outputs + o]). */
typedef struct speech_layer {
    uint8_t taps;     /**< steps that it takes, dilation apart */
    uint8_t dilation;
    uint8_t inputs;   /**< of each of these steps */
    uint8_t outputs;  /**< a multiple of 8, at most SPEECH_WIDTH_MAX */
    const int8_t *weights;
    const float *scale, *bias;
} speech_layer;

extern const speech_layer speech_layers[SPEECH_LAYERS];
/** A step speaks where speech_bias + the sum over the last layer's outputs of output[o] x speech_out[o] is above 0. */
extern const float speech_out[SPEECH_WIDTH_MAX];
extern const float speech_bias;

#endif
