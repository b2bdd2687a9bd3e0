#include "common/measure/speech_detector.h"

#include "common/base/ensure.h"
#include "common/measure/speech_pace.h"
#include "common/measure/speech_weights.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    REACH = 30,
    CHUNK_STEPS = 512,
    VALUE_ONE = 256,            /* values between layers are whole numbers of this part of 1 */
    LEVEL_STEP = VALUE_ONE / 32, /* thirty-two levels are 1, and nothing counts beyond these bounds */
    LEVEL_LOWEST = -3 * VALUE_ONE,
    LEVEL_HIGHEST = 5 * VALUE_ONE / 2,
    STEP_WEIGHTS_MAX = SPEECH_TAPS * SPEECH_WIDTH_MAX
};
static_assert((int)SPEECH_STEP_LEVELS <= (int)STEP_WEIGHTS_MAX, "the first layer is no wider than the others");
static_assert((int64_t)STEP_WEIGHTS_MAX * INT16_MAX * INT8_MAX <= INT32_MAX, "sums of products fit");

/* How sure the network is where a step may be speech, where it counts as speech, and where it hardly can be anything else. */
static const float sure_of[] = {-SPEECH_MARGIN, 0.0f, SPEECH_MARGIN};

const char *speech_detector_name(void)
{
    static_assert(SPEECH_DETECTOR_VERSION == 3, "the name says the version");
    return "reelmill speech detector v3";
}

static uint32_t step_sum(const uint8_t *levels, size_t step)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < SPEECH_STEP_LEVELS; i++)
        sum += levels[step * SPEECH_STEP_LEVELS + i];
    return sum;
}

/*
 * Levels of the steps from first on against the mean of all steps within REACH of their own; silence before the programme's first
 * step and behind its last.
 */
static void normalise(const uint8_t *levels, size_t step_count, int64_t first, size_t count, int16_t *out)
{
    const int64_t last = (int64_t)step_count;
    memset(out, 0, count * SPEECH_STEP_LEVELS * sizeof *out);
    int64_t sum = 0;
    int64_t begin = first - REACH < 0 ? 0 : first - REACH; /* steps begin .. end are in the sum */
    int64_t end = begin;
    for (int64_t s = first < 0 ? 0 : first; s < first + (int64_t)count && s < last; s++) {
        for (; end < last && end <= s + REACH; end++)
            sum += step_sum(levels, (size_t)end);
        for (; begin + REACH < s; begin++)
            sum -= step_sum(levels, (size_t)begin);
        const int64_t level_count = (end - begin) * SPEECH_STEP_LEVELS;
        const int32_t mean = (int32_t)((LEVEL_STEP * sum + level_count / 2) / level_count);
        int16_t *to = out + (s - first) * SPEECH_STEP_LEVELS;
        for (uint32_t i = 0; i < SPEECH_STEP_LEVELS; i++) {
            int32_t level = LEVEL_STEP * levels[(size_t)s * SPEECH_STEP_LEVELS + i] - mean;
            to[i] = (int16_t)(level < LEVEL_LOWEST ? LEVEL_LOWEST : level > LEVEL_HIGHEST ? LEVEL_HIGHEST : level);
        }
    }
}

/* Of four outputs at once. Whole numbers, so that any order of adding gives the same. */
static inline void add_products(const int16_t *values, const int16_t *weights, uint32_t count, int32_t out[4])
{
    int32_t a = 0;
    int32_t b = 0;
    int32_t c = 0;
    int32_t d = 0;
    for (uint32_t i = 0; i < count; i++) {
        a += values[i] * weights[i];
        b += values[i] * weights[count + i];
        c += values[i] * weights[2 * count + i];
        d += values[i] * weights[3 * count + i];
    }
    out[0] = a;
    out[1] = b;
    out[2] = c;
    out[3] = d;
}

/* One layer over all steps; returns the count of its outputs' steps. */
static size_t run_layer(const speech_layer *layer, const int16_t *in, size_t in_count, int16_t *out)
{
    int16_t weights[STEP_WEIGHTS_MAX * SPEECH_WIDTH_MAX];
    const uint32_t outputs = layer->outputs;
    const uint32_t width = layer->inputs;
    const uint32_t size = layer->taps * width;
    ENSURE(size <= STEP_WEIGHTS_MAX && outputs <= SPEECH_WIDTH_MAX && outputs % 4 == 0);
    for (uint32_t i = 0; i < size * outputs; i++)
        weights[i] = layer->weights[i];
    size_t count = in_count - (size_t)(layer->taps - 1) * layer->dilation;
    for (size_t s = 0; s < count; s++) {
        int16_t values[STEP_WEIGHTS_MAX];
        for (uint32_t tap = 0; tap < layer->taps; tap++)
            memcpy(values + (size_t)tap * width, in + (s + (size_t)tap * layer->dilation) * width, width * sizeof *values);
        int32_t sums[SPEECH_WIDTH_MAX];
        for (uint32_t o = 0; o < outputs; o += 4)
            add_products(values, weights + (size_t)o * size, size, sums + o);
        for (uint32_t o = 0; o < outputs; o++) {
            float value = layer->bias[o] + layer->scale[o] * (float)sums[o];
            value = value > 0.0f ? value : 0.0f;
            out[s * outputs + o] = (int16_t)((value < (float)INT16_MAX ? value : (float)INT16_MAX) + 0.5f);
        }
    }
    return count;
}

/* What the steps first .. first + count are; `from` and `to` have room for CHUNK_STEPS and REACH on both sides. */
static void run_chunk(const uint8_t *levels, size_t step_count, size_t first, size_t count, int16_t *from, int16_t *to,
                      uint8_t *out_heard)
{
    size_t left = count + 2 * REACH;
    normalise(levels, step_count, (int64_t)first - REACH, left, from);
    for (uint32_t i = 0; i < SPEECH_NEAR_LAYERS + SPEECH_FAR_LAYERS; i++) {
        const speech_layer *layer = i < SPEECH_NEAR_LAYERS ? &speech_near_layers[i] : &speech_far_layers[i - SPEECH_NEAR_LAYERS];
        left = run_layer(layer, from, left, to);
        int16_t *swap = from;
        from = to;
        to = swap;
    }
    ENSURE(left == count);
    const uint32_t outputs = speech_far_layers[SPEECH_FAR_LAYERS - 1].outputs;
    for (size_t s = 0; s < count; s++) {
        float sum = speech_bias;
        for (uint32_t o = 0; o < outputs; o++)
            sum += (float)from[s * outputs + o] * speech_out[o];
        out_heard[first + s] = (uint8_t)((sum > sure_of[0]) + (sum > sure_of[1]) + (sum > sure_of[2]));
    }
}

status speech_detector_run(const uint8_t *levels, size_t frame_count, uint8_t *out_heard)
{
    const size_t room = (size_t)(CHUNK_STEPS + 2 * REACH) * SPEECH_STEP_LEVELS;
    size_t step_count = frame_count / SPEECH_STEP_FRAMES;
    int16_t *values = malloc(2 * room * sizeof *values);
    if (values == NULL)
        return STATUS_NODE_MEMORY;
    for (size_t first = 0; first < step_count; first += CHUNK_STEPS)
        run_chunk(levels, step_count, first, step_count - first < CHUNK_STEPS ? step_count - first : CHUNK_STEPS, values,
                  values + room, out_heard);
    free(values);
    speech_pace_confirm(levels, frame_count, out_heard);
    return STATUS_OK;
}
