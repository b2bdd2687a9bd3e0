#include "common/measure/trim_measure.h"

#include <math.h>
#include <stdlib.h>

enum { STEP_SLOTS = 10, BLOCK_STEPS = 4, BLOCK_SPEECH_STEPS = 2, TENTHS_MAX = 200 };

/* Energy of each whole 100 ms step with the change applied. */
static double *trimmed_steps(const programme_measure *programme, const trim *change, size_t step_count)
{
    uint32_t rate = programme_measure_rate(programme);
    uint64_t slot_count = 0;
    const double *slots = programme_measure_slots(programme, &slot_count);
    double factor = pow(10.0, change->gain_db / 10.0);
    double *steps = calloc(step_count + 1, sizeof *steps);
    for (size_t i = 0; steps != NULL && i < step_count; i++)
        for (uint64_t s = i * STEP_SLOTS; s < (i + 1) * STEP_SLOTS; s++) {
            uint64_t frame = cell_measure_slot_frame(s, rate);
            steps[i] += slots[s] * (frame >= change->first_frame && frame < change->end_frame ? factor : 1.0);
        }
    return steps;
}

static bool block_counts(const uint8_t *speaks, size_t first)
{
    uint32_t sum = 0;
    for (size_t i = first; speaks != NULL && i < first + BLOCK_STEPS; i++)
        sum += speaks[i];
    return speaks == NULL || sum >= BLOCK_SPEECH_STEPS;
}

double trim_measure_loudness(const programme_measure *programme, const programme_measure *speech, const trim *change)
{
    uint32_t rate = programme_measure_rate(programme);
    size_t count = cell_measure_slot_of(programme_measure_frame_count(programme), rate) / STEP_SLOTS;
    double *steps = trimmed_steps(programme, change, count);
    double *blocks = calloc(count + 1, sizeof *blocks);
    uint8_t *speaks = speech == NULL ? NULL : calloc(count + 1, 1);
    double lufs = (double)NAN;
    if (steps != NULL && blocks != NULL && (speech == NULL || speaks != NULL)) {
        if (speech != NULL)
            (void)speech_measure_steps(speech, speaks, count);
        size_t block_count = 0;
        double sum = 0.0;
        for (size_t s = 0; s + BLOCK_STEPS <= count; s++) {
            if (!block_counts(speaks, s))
                continue;
            uint64_t frames = cell_measure_slot_frame((s + BLOCK_STEPS) * STEP_SLOTS, rate) -
                              cell_measure_slot_frame(s * STEP_SLOTS, rate);
            double energy = 0.0;
            for (size_t i = s; i < s + BLOCK_STEPS; i++)
                energy += steps[i];
            blocks[block_count] = energy / (double)frames;
            sum += blocks[block_count++];
        }
        if (speech == NULL)
            lufs = measure_gated_loudness(blocks, block_count);
        else if (sum > 0.0)
            lufs = measure_loudness(sum / (double)block_count);
    }
    free(steps);
    free(blocks);
    free(speaks);
    return lufs;
}

/* As verdicts display: half away from zero, of the decimal number a person would write down. */
static double displayed(double lufs)
{
    return copysign(floor(fabs(lufs) * 10.0 + 0.5 + 1e-9) / 10.0, lufs);
}

bool trim_measure_solve(const programme_measure *programme, const programme_measure *speech, uint64_t first_frame,
                        uint64_t end_frame, double minimum, double maximum, double *out_gain_db)
{
    trim change = {.first_frame = first_frame, .end_frame = end_frame, .gain_db = 0.0};
    bool lower = displayed(trim_measure_loudness(programme, speech, &change)) > maximum;
    int low = 0; /* not enough */
    int high = TENTHS_MAX + 1;
    while (high - low > 1) {
        int middle = low + (high - low) / 2;
        change.gain_db = (lower ? -middle : middle) / 10.0;
        double shown = displayed(trim_measure_loudness(programme, speech, &change));
        if (lower ? shown <= maximum : shown >= minimum)
            high = middle;
        else
            low = middle;
    }
    /* A gate may jump past the other limit; then no change of this part alone passes. */
    change.gain_db = (lower ? -high : high) / 10.0;
    double shown = displayed(trim_measure_loudness(programme, speech, &change));
    if (high > TENTHS_MAX || shown < minimum || shown > maximum)
        return false;
    *out_gain_db = change.gain_db;
    return true;
}
