#include "common/measure/speech_pace.h"

#include "common/base/ensure.h"
#include "common/measure/speech_detector.h"
#include "common/measure/speech_weights.h"

#include <stdbool.h>
#include <string.h>

enum {
    REACH = 75,           /* frames on both sides of a step's middle one */
    WINDOW = 2 * REACH + 1,
    RING = 64,            /* frames of which the groups are kept: more than the longest lag */
    GROUPS = 5,
    PEAKS = 2,
    GROUP_ONE = 12,       /* levels of a group are in parts of this of a level */
    FAR = 60,             /* what is farther apart counts as so far */
    GROUP_FAR = GROUP_ONE * FAR,
    RISE_LAG = 2
};

/* Frames between which levels of groups, and tilts, are compared. */
static const uint8_t lags[] = {1, 2, 4, 8, 16, 32};
static const uint8_t tilt_lags[] = {1, 4, 16};
/* Treble and presence against the bass. */
static const uint8_t tilts[][2] = {{4, 1}, {3, 1}};
/* Bands of which the loudest one stays or moves. */
static const uint8_t peaks[PEAKS][2] = {{0, 9}, {9, 18}};
/* Beyond so many deviations nothing counts. */
static const float edge = 4.0f;

/* Numbers of the last WINDOW frames and their sums, and what the next frames are compared with. */
typedef struct pace {
    int16_t moves[WINDOW][SPEECH_PACE_FEATURES];
    int32_t sums[SPEECH_PACE_FEATURES];
    int32_t groups[RING][GROUPS];
    uint32_t peaks[PEAKS];
} pace;

static int32_t at_most(int32_t value, int32_t most)
{
    return value < most ? value : most;
}

static int32_t apart(int32_t a, int32_t b)
{
    return a < b ? b - a : a - b;
}

/* `lag` before a frame; the programme's first one stands for all before it. */
static size_t before(size_t frame, size_t lag)
{
    return frame > lag ? frame - lag : 0;
}

static void group_levels(const uint8_t *frame, int32_t out[GROUPS])
{
    static const uint8_t edges[GROUPS + 1] = {0, 6, 10, 14, 18, SPEECH_BANDS};
    static const uint8_t parts[GROUPS] = {2, 3, 3, 3, 3}; /* GROUP_ONE by the bands of the group */
    for (uint32_t g = 0; g < GROUPS; g++) {
        out[g] = 0;
        for (uint32_t b = edges[g]; b < edges[g + 1]; b++)
            out[g] += frame[b];
        out[g] *= parts[g];
    }
}

/* The first of the loudest. */
static uint32_t loudest(const uint8_t *frame, const uint8_t bands[2])
{
    uint32_t best = 0; /* the level, and under it how early it is */
    for (uint32_t b = bands[0]; b < bands[1]; b++) {
        uint32_t rank = (uint32_t)frame[b] << 8 | (255 - b);
        best = rank > best ? rank : best;
    }
    return 255 - (best & 255);
}

static int32_t flux(const uint8_t *a, const uint8_t *b)
{
    int32_t sum = 0;
    for (uint32_t i = 0; i < SPEECH_BANDS; i++) {
        uint8_t moved = (uint8_t)(a[i] < b[i] ? b[i] - a[i] : a[i] - b[i]); /* bytes, so that many are taken at once */
        sum += moved < FAR ? moved : FAR;
    }
    return sum;
}

/* How the groups moved: by each lag, and up. */
static int16_t *move_groups(const pace *self, size_t frame, const int32_t now[GROUPS], int16_t *to)
{
    enum { LAGS = sizeof lags / sizeof lags[0] };
    const int32_t *then[LAGS];
    for (uint32_t k = 0; k < LAGS; k++)
        then[k] = self->groups[before(frame, lags[k]) % RING];
    for (uint32_t g = 0; g < GROUPS; g++) {
        for (uint32_t k = 0; k < LAGS; k++)
            *to++ = (int16_t)at_most(apart(now[g], then[k][g]), GROUP_FAR);
        int32_t rise = now[g] - self->groups[before(frame, RISE_LAG) % RING][g];
        *to++ = (int16_t)(rise > 0 ? at_most(rise, GROUP_FAR) : 0);
    }
    return to;
}

static void take_frame(pace *self, const uint8_t *levels, size_t frame)
{
    const uint8_t *here = levels + frame * SPEECH_BANDS;
    int32_t *now = self->groups[frame % RING];
    group_levels(here, now);
    int16_t *moves = self->moves[frame % WINDOW];
    int16_t *to = move_groups(self, frame, now, moves);
    for (uint32_t t = 0; t < sizeof tilts / sizeof tilts[0]; t++)
        for (uint32_t k = 0; k < sizeof tilt_lags / sizeof tilt_lags[0]; k++) {
            const int32_t *then = self->groups[before(frame, tilt_lags[k]) % RING];
            int32_t moved = apart(now[tilts[t][0]] - now[tilts[t][1]], then[tilts[t][0]] - then[tilts[t][1]]);
            *to++ = (int16_t)at_most(moved, GROUP_FAR);
        }
    for (size_t lag = 1; lag <= 2; lag++)
        *to++ = (int16_t)flux(here, levels + before(frame, lag) * SPEECH_BANDS);
    for (uint32_t p = 0; p < PEAKS; p++) {
        uint32_t peak = loudest(here, peaks[p]);
        *to++ = frame > 0 && peak != self->peaks[p];
        self->peaks[p] = peak;
    }
    int32_t total = now[0] + now[1] + now[2] + now[3] + now[4];
    for (uint32_t g = 0; g < GROUPS; g++)
        *to++ = (int16_t)(GROUPS * now[g] - total);
    ENSURE(to == moves + SPEECH_PACE_FEATURES);
    for (uint32_t i = 0; i < SPEECH_PACE_FEATURES; i++)
        self->sums[i] += moves[i];
}

/* Whether it is more likely than not. */
static bool is_speech(const pace *self, size_t count)
{
    float sum = speech_pace_bias;
    for (uint32_t i = 0; i < SPEECH_PACE_FEATURES; i++) {
        const speech_pace_weight *weight = &speech_pace_weights[i];
        float value = ((float)((double)self->sums[i] / (double)count) - weight->mean) * weight->scale;
        value = value < -edge ? -edge : value > edge ? edge : value;
        sum += weight->once * value + weight->squared * (value * value);
    }
    return sum > 0.0f;
}

void speech_pace_confirm(const uint8_t *levels, size_t frame_count, uint8_t *inout_heard)
{
    pace self;
    memset(&self, 0, sizeof self);
    size_t begin = 0; /* frames begin .. end are in the sums */
    size_t end = 0;
    for (size_t step = 0; step < frame_count / SPEECH_STEP_FRAMES; step++) {
        size_t middle = step * SPEECH_STEP_FRAMES + SPEECH_STEP_FRAMES / 2;
        for (; begin + REACH < middle; begin++)
            for (uint32_t i = 0; i < SPEECH_PACE_FEATURES; i++)
                self.sums[i] -= self.moves[begin % WINDOW][i];
        for (; end < frame_count && end <= middle + REACH; end++)
            take_frame(&self, levels, end);
        if (inout_heard[step] == SPEECH_SURE && !is_speech(&self, end - begin))
            inout_heard[step] = SPEECH_HEARD;
    }
}
