/** The weights of the speech detector, as tests/speech/train.py writes them. */
#ifndef COMMON_MEASURE_SPEECH_WEIGHTS_H
#define COMMON_MEASURE_SPEECH_WEIGHTS_H

#include "common/measure/speech_levels.h"

#include <stdint.h>

enum {
    SPEECH_NEAR_LAYERS = 2,
    SPEECH_FAR_LAYERS = 3, /**< behind the near ones */
    SPEECH_TAPS = 5,
    SPEECH_WIDTH_MAX = 32,
    SPEECH_STEP_LEVELS = SPEECH_STEP_FRAMES * SPEECH_BANDS,
    SPEECH_PACE_FEATURES = 50
};

/** One layer: output o = max(0, bias[o] + scale[o] x the sum over its taps x inputs i of input[i] x weights[o][i]), rounded. */
typedef struct speech_layer {
    uint8_t taps;     /**< steps that it takes, dilation apart */
    uint8_t dilation;
    uint8_t inputs;   /**< of each of these steps */
    uint8_t outputs;  /**< a multiple of 4, at most SPEECH_WIDTH_MAX */
    const int8_t *weights;
    const float *scale, *bias;
} speech_layer;

extern const speech_layer speech_near_layers[SPEECH_NEAR_LAYERS];
extern const speech_layer speech_far_layers[SPEECH_FAR_LAYERS];
/** How sure it is of a step: speech_bias + the sum over the last layer's outputs of output[o] x speech_out[o]. */
extern const float speech_out[];
extern const float speech_bias;

/** Of a mean that speech_pace.c takes: value = (mean over the window - mean) x scale counts once x value + squared x value^2. */
typedef struct speech_pace_weight {
    float mean, scale, once, squared;
} speech_pace_weight;

extern const speech_pace_weight speech_pace_weights[SPEECH_PACE_FEATURES];
extern const float speech_pace_bias;

#endif
