#include "common/measure/speech_measure.h"

#include "common/measure/speech_detector.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    STEP_SLOTS = 10,       /* 100 ms */
    BLOCK_STEPS = 4,       /* 400 ms */
    BLOCK_SPEECH_STEPS = 2,
    WINDOW_STEPS = 30,     /* 3 s */
    WINDOW_SPEECH_STEPS = 15,
    HANG_OVER_STEPS = 3
};
static const double below_stem_lu = 20.0;
static const double floor_lufs = -50.0;

/* Mean power of a run of steps. */
static double step_power(const programme_measure *self, uint64_t step, uint32_t count)
{
    uint64_t slot_count = 0;
    const double *slots = programme_measure_slots(self, &slot_count);
    uint64_t first = step * STEP_SLOTS;
    uint64_t end = first + (uint64_t)count * STEP_SLOTS;
    double sum = 0.0;
    for (uint64_t s = first; s < end; s++)
        sum += slots[s];
    uint32_t rate = programme_measure_rate(self);
    return sum / (double)(cell_measure_slot_frame(end, rate) - cell_measure_slot_frame(first, rate));
}

static size_t whole_steps(const programme_measure *self)
{
    return cell_measure_slot_of(programme_measure_frame_count(self), programme_measure_rate(self)) / STEP_SLOTS;
}

/* The stem's own integrated loudness, as it was measured: at SPEECH_SUM_GAIN. */
static double stem_loudness(const programme_measure *speech, size_t step_count)
{
    double *blocks = calloc(step_count + 1, sizeof *blocks);
    size_t count = 0;
    for (size_t s = 0; blocks != NULL && s + BLOCK_STEPS <= step_count; s++)
        blocks[count++] = step_power(speech, s, BLOCK_STEPS) / (SPEECH_SUM_GAIN * SPEECH_SUM_GAIN);
    double lufs = measure_gated_loudness(blocks, count);
    free(blocks);
    return lufs;
}

/* The same, where a detector's step counts from so sure on. */
static size_t steps_from(const programme_measure *speech, speech_sureness least, uint8_t *out_speaks, size_t capacity)
{
    size_t count = whole_steps(speech);
    if (count > capacity)
        count = capacity;
    size_t heard_count = 0;
    const uint8_t *heard = programme_measure_heard(speech, &heard_count);
    if (heard != NULL) {
        if (count > heard_count)
            count = heard_count;
        for (size_t i = 0; i < count; i++)
            out_speaks[i] = heard[i] >= (uint8_t)least;
        return count;
    }
    double stem = stem_loudness(speech, count);
    /* A stem without any block above the gates never speaks. */
    double threshold = isnan(stem) ? (double)INFINITY
                                   : measure_power(fmax(stem - below_stem_lu, floor_lufs)) * SPEECH_SUM_GAIN * SPEECH_SUM_GAIN;
    size_t hang_over = 0;
    for (size_t i = 0; i < count; i++) {
        bool speaks = step_power(speech, i, 1) >= threshold;
        out_speaks[i] = speaks || hang_over > 0;
        hang_over = speaks ? HANG_OVER_STEPS : hang_over > 0 ? hang_over - 1 : 0;
    }
    return count;
}

size_t speech_measure_steps(const programme_measure *speech, uint8_t *out_speaks, size_t capacity)
{
    return steps_from(speech, SPEECH_HEARD, out_speaks, capacity);
}

static uint32_t speaking(const uint8_t *speaks, size_t first, uint32_t count)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += speaks[first + i];
    return sum;
}

/* Powers of the programme's windows of which enough steps speak. */
static size_t take_windows(const programme_measure *programme, const uint8_t *speaks, size_t first, size_t end,
                           uint32_t window, uint32_t enough, double *out_powers)
{
    size_t count = 0;
    for (size_t s = first; s + window <= end; s++)
        if (speaking(speaks, s, window) >= enough)
            out_powers[count++] = step_power(programme, s, window);
    return count;
}

/* Everything that a gate gives for the steps first..end; powers has room for as many. */
static void take_figures(dialogue_figures *self, const programme_measure *programme, const uint8_t *speaks, size_t first,
                         size_t end, double *powers)
{
    size_t spoken = 0;
    for (size_t i = first; i < end; i++)
        spoken += speaks[i];
    self->speech_share = (double)spoken / (double)(end - first);
    size_t count = take_windows(programme, speaks, first, end, BLOCK_STEPS, BLOCK_SPEECH_STEPS, powers);
    double sum = 0.0;
    for (size_t i = 0; i < count; i++)
        sum += powers[i];
    if (sum > 0.0)
        self->lufs = measure_loudness(sum / (double)count);
    self->gated_lufs = measure_gated_loudness(powers, count);
    self->block_count = count;
    count = take_windows(programme, speaks, first, end, WINDOW_STEPS, WINDOW_SPEECH_STEPS, powers);
    if (count > 0)
        self->range_lu = measure_range(powers, count);
}

static const dialogue_figures no_figures = {
    .lufs = (double)NAN, .gated_lufs = (double)NAN, .range_lu = (double)NAN, .speech_share = (double)NAN};

/* How far the detector may be off: as much as its figures change between what may be speech and what surely is, and a base. */
static void take_errors(dialogue_figures *self, const programme_measure *programme, uint8_t *speaks, size_t step_count,
                        size_t first, size_t end, double *powers)
{
    static const speech_sureness others[] = {SPEECH_MAYBE, SPEECH_SURE};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        dialogue_figures other = no_figures;
        (void)steps_from(programme, others[i], speaks, step_count);
        take_figures(&other, programme, speaks, first, end, powers);
        self->lufs_error = fmax(self->lufs_error, fabs(other.lufs - self->lufs)); /* NAN counts as nothing: share_error tells */
        self->share_error = fmax(self->share_error, fabs(other.speech_share - self->speech_share));
    }
    if (self->speech_share > 0.0)
        self->lufs_error += SPEECH_DETECTOR_LUFS_ERROR / (self->speech_share * self->speech_share);
    self->share_error += SPEECH_DETECTOR_SHARE_ERROR;
}

dialogue_figures speech_measure_dialogue(const programme_measure *programme, const programme_measure *speech,
                                         uint64_t first_frame, uint64_t end_frame)
{
    dialogue_figures figures = no_figures;
    if (programme == NULL || speech == NULL ||
        programme_measure_frame_count(programme) != programme_measure_frame_count(speech) ||
        programme_measure_rate(programme) != programme_measure_rate(speech))
        return figures;
    uint32_t rate = programme_measure_rate(programme);
    size_t steps = whole_steps(programme);
    size_t first = (size_t)((cell_measure_slot_of(first_frame, rate) + STEP_SLOTS - 1) / STEP_SLOTS);
    size_t end = (size_t)(cell_measure_slot_of(end_frame, rate) / STEP_SLOTS);
    if (end > steps)
        end = steps;
    if (first >= end)
        return figures;
    uint8_t *speaks = calloc(steps, 1);
    double *powers = calloc(end - first, sizeof *powers);
    if (speaks != NULL && powers != NULL) {
        size_t heard_count = 0;
        (void)speech_measure_steps(speech, speaks, steps);
        figures.gate = programme_measure_heard(speech, &heard_count) != NULL ? DIALOGUE_GATE_DETECTOR : DIALOGUE_GATE_STEM;
        take_figures(&figures, programme, speaks, first, end, powers);
        if (figures.gate == DIALOGUE_GATE_DETECTOR)
            take_errors(&figures, speech, speaks, steps, first, end, powers);
    }
    free(speaks);
    free(powers);
    return figures;
}
