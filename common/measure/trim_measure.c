#include "common/measure/trim_measure.h"

#include <math.h>
#include <stdlib.h>

static const double weighted_most = 3.6; /* of the energy that was lost: the K shelf's 4 dB and the weight of a surround */
enum { STEP_SLOTS = 10, RING_SLOTS = 4, BLOCK_STEPS = 4, BLOCK_SPEECH_STEPS = 2, TENTHS_MAX = 200 };

/*
 * What slots may hold of the sum before it was clamped or limited. lost: of what clamping took off, the energy; limited: how
 * far the limiter was down at most, as a factor. Of each run that has a part in the change, and in the slots behind it, in which
 * the weighting rings out.
 */
typedef struct restoration {
    double *lost, *limited; /* [slot]; NULL: nothing is to be restored */
} restoration;

static bool comes_back(const programme_run *run, const trim *change)
{
    return (run->kind == PEAK_RUN_OVERLOAD || run->kind == PEAK_RUN_LIMITED) && run->frame < change->end_frame &&
           run->frame + run->frame_count > change->first_frame;
}

static bool restoration_make(restoration *out, const programme_measure *programme, const trim *change, uint64_t slot_count)
{
    uint32_t rate = programme_measure_rate(programme);
    size_t run_count = 0;
    const programme_run *runs = programme_measure_runs(programme, &run_count);
    *out = (restoration){0};
    for (size_t i = 0; i < run_count; i++) {
        const programme_run *run = &runs[i];
        uint64_t end = run->frame + run->frame_count;
        if (!comes_back(run, change))
            continue;
        if (out->lost == NULL)
            out->lost = calloc(2 * slot_count + 1, sizeof *out->lost);
        if (out->lost == NULL)
            return false;
        out->limited = out->lost + slot_count;
        uint64_t last = cell_measure_slot_of(end, rate) + RING_SLOTS;
        /* Of many samples those of one slot: twice their average; in energy half way between clamped and the highest. */
        double of_slot = fmin(1.0, 2.0 * (double)rate / (100.0 * (double)run->frame_count));
        double over = (run->peak - 1.0) * (run->peak - 1.0) / 2.0;
        for (uint64_t s = cell_measure_slot_of(run->frame, rate); s <= last && s < slot_count; s++)
            if (run->kind == PEAK_RUN_LIMITED)
                out->limited[s] = fmax(out->limited[s], run->peak);
            else
                out->lost[s] += (double)run->sample_count * of_slot * over;
    }
    return true;
}

/* Amplitudes add at worst. */
static double restored(const restoration *self, uint64_t slot, double energy)
{
    if (self->lost == NULL)
        return energy;
    double amplitude = sqrt(energy) * fmax(self->limited[slot], 1.0) + sqrt(weighted_most * self->lost[slot]);
    return amplitude * amplitude;
}

/* Energy of each whole 100 ms step with the change applied. */
static double *trimmed_steps(const programme_measure *programme, const trim *change, size_t step_count)
{
    uint32_t rate = programme_measure_rate(programme);
    uint64_t slot_count = 0;
    const double *slots = programme_measure_slots(programme, &slot_count);
    double factor = pow(10.0, change->gain_db / 10.0);
    double *steps = calloc(step_count + 1, sizeof *steps);
    restoration back = {0};
    if (steps == NULL || (change->restored && !restoration_make(&back, programme, change, slot_count))) {
        free(steps);
        return NULL;
    }
    for (size_t i = 0; i < step_count; i++)
        for (uint64_t s = i * STEP_SLOTS; s < (i + 1) * STEP_SLOTS; s++) {
            uint64_t frame = cell_measure_slot_frame(s, rate);
            bool inside = frame >= change->first_frame && frame < change->end_frame;
            steps[i] += inside ? restored(&back, s, slots[s]) * factor : slots[s];
        }
    free(back.lost);
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

/* The smallest change in tenths of a dB that brings the figure past a limit, and not past the other one; 0: none does. */
static int smallest_tenths(const programme_measure *programme, const programme_measure *speech, trim change, bool lower,
                           double minimum, double maximum)
{
    const bool worst = change.restored;
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
    change.restored = false;
    double least = displayed(trim_measure_loudness(programme, speech, &change));
    change.restored = worst;
    double most = displayed(trim_measure_loudness(programme, speech, &change));
    return high > TENTHS_MAX || least < minimum || most > maximum ? 0 : high;
}

trim_advice trim_measure_solve(const programme_measure *programme, const programme_measure *speech, uint64_t first_frame,
                               uint64_t end_frame, double minimum, double maximum)
{
    trim change = {.first_frame = first_frame, .end_frame = end_frame};
    bool lower = displayed(trim_measure_loudness(programme, speech, &change)) > maximum;
    int least = smallest_tenths(programme, speech, change, lower, minimum, maximum);
    size_t run_count = 0;
    const programme_run *runs = programme_measure_runs(programme, &run_count);
    for (size_t i = 0; lower && i < run_count && !change.restored; i++)
        change.restored = comes_back(&runs[i], &change);
    int sure = change.restored ? smallest_tenths(programme, speech, change, lower, minimum, maximum) : least;
    int advised = sure > 0 ? sure : least;
    least = least > 0 ? least : advised;
    return (trim_advice){.gain_db = (lower ? -advised : advised) / 10.0,
                         .least_db = (lower ? -least : least) / 10.0,
                         .passes = advised > 0,
                         .sure = sure > 0};
}
