#include "common/measure/speech_detector.h"

#include "common/base/ensure.h"
#include "common/measure/speech_weights.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { REACH = 14, CHUNK_STEPS = 512, STEP_WEIGHTS_MAX = SPEECH_TAPS * SPEECH_WIDTH_MAX };
static_assert((int)SPEECH_STEP_LEVELS <= (int)STEP_WEIGHTS_MAX, "the first layer is no wider than the others");

/* How levels are handed to the first layer: thirty-two of them are 1, and nothing counts beyond these bounds. */
static const float level_scale = 1.0f / 32.0f;
static const float level_lowest = -3.0f;
static const float level_highest = 2.5f;

const char *speech_detector_name(void)
{
    static_assert(SPEECH_DETECTOR_VERSION == 1, "the name says the version");
    return "reelmill speech detector v1";
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
static void normalise(const uint8_t *levels, size_t step_count, int64_t first, size_t count, float *out)
{
    const int64_t last = (int64_t)step_count;
    memset(out, 0, count * SPEECH_STEP_LEVELS * sizeof *out);
    uint64_t sum = 0;
    int64_t begin = first - REACH < 0 ? 0 : first - REACH; /* steps begin .. end are in the sum */
    int64_t end = begin;
    for (int64_t s = first < 0 ? 0 : first; s < first + (int64_t)count && s < last; s++) {
        for (; end < last && end <= s + REACH; end++)
            sum += step_sum(levels, (size_t)end);
        for (; begin + REACH < s; begin++)
            sum -= step_sum(levels, (size_t)begin);
        float mean = (float)((double)sum / (double)((end - begin) * SPEECH_STEP_LEVELS));
        float *to = out + (s - first) * SPEECH_STEP_LEVELS;
        for (uint32_t i = 0; i < SPEECH_STEP_LEVELS; i++) {
            float level = ((float)levels[(size_t)s * SPEECH_STEP_LEVELS + i] - mean) * level_scale;
            to[i] = level < level_lowest ? level_lowest : level > level_highest ? level_highest : level;
        }
    }
}

/* One layer over all steps; returns the count of its outputs' steps. */
static size_t run_layer(const speech_layer *layer, const float *in, size_t in_count, float *out)
{
    float weights[STEP_WEIGHTS_MAX * SPEECH_WIDTH_MAX];
    const uint32_t outputs = layer->outputs;
    const uint32_t width = layer->inputs;
    ENSURE(layer->taps * width <= STEP_WEIGHTS_MAX && outputs <= SPEECH_WIDTH_MAX && outputs % 8 == 0);
    for (uint32_t i = 0; i < layer->taps * width * outputs; i++)
        weights[i] = (float)layer->weights[i];
    size_t count = in_count - (size_t)(layer->taps - 1) * layer->dilation;
    for (size_t s = 0; s < count; s++) {
        float sums[SPEECH_WIDTH_MAX] = {0.0f};
        const float *weight = weights;
        for (uint32_t tap = 0; tap < layer->taps; tap++) {
            const float *from = in + (s + (size_t)tap * layer->dilation) * width;
            for (uint32_t i = 0; i < width; i++, weight += outputs)
                for (uint32_t block = 0; block < outputs; block += 8)
                    for (uint32_t o = block; o < block + 8; o++)
                        sums[o] += from[i] * weight[o];
        }
        for (uint32_t o = 0; o < outputs; o++) {
            float value = layer->bias[o] + layer->scale[o] * sums[o];
            out[s * outputs + o] = value > 0.0f ? value : 0.0f;
        }
    }
    return count;
}

/* Whether the steps first .. first + count speak; `from` and `to` have room for CHUNK_STEPS and REACH on both sides. */
static void run_chunk(const uint8_t *levels, size_t step_count, size_t first, size_t count, float *from, float *to,
                      uint8_t *out_speaks)
{
    size_t left = count + 2 * REACH;
    normalise(levels, step_count, (int64_t)first - REACH, left, from);
    for (uint32_t i = 0; i < SPEECH_LAYERS; i++) {
        left = run_layer(&speech_layers[i], from, left, to);
        float *swap = from;
        from = to;
        to = swap;
    }
    ENSURE(left == count);
    const uint32_t outputs = speech_layers[SPEECH_LAYERS - 1].outputs;
    for (size_t s = 0; s < count; s++) {
        float sum = speech_bias;
        for (uint32_t o = 0; o < outputs; o++)
            sum += from[s * outputs + o] * speech_out[o];
        out_speaks[first + s] = sum > 0.0f;
    }
}

status speech_detector_run(const uint8_t *levels, size_t frame_count, uint8_t *out_speaks)
{
    const size_t room = (size_t)(CHUNK_STEPS + 2 * REACH) * SPEECH_STEP_LEVELS;
    size_t step_count = frame_count / SPEECH_STEP_FRAMES;
    float *values = malloc(2 * room * sizeof *values);
    if (values == NULL)
        return STATUS_NODE_MEMORY;
    for (size_t first = 0; first < step_count; first += CHUNK_STEPS)
        run_chunk(levels, step_count, first, step_count - first < CHUNK_STEPS ? step_count - first : CHUNK_STEPS, values,
                  values + room, out_speaks);
    free(values);
    return STATUS_OK;
}
