#include "common/measure/stem_phase.h"

#include "common/measure/stem_solve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * An FIR that turns by 90 degrees, of a few thousand taps, leaves about a thousandth of the energy in windows of 16,384 frames;
 * a surround that plays at all and is taken for in phase leaves more than five times as much.
 */
static const double explained_share = 0.02;
static const double better_factor = 5.0;
static const double least_own = 1e-4;
static const double known_share = 1e-2;    /* of a channel's energy, that it has by itself */
static const double quarter_slack = 15.0;  /* degrees */
static const double audible_gain = 0.1;

typedef struct bed_sums {
    uint32_t count;
    stem_cross own[STEM_BED_MAX][STEM_BED_MAX]; /* [c][d] = sum of d x conj c */
    stem_cross with[STEM_BED_MAX];              /* sum of the output x conj c */
    double output;
} bed_sums;

typedef struct cross_total {
    double re, im;
} cross_total;

static cross_total total_of(const cross_total *sums, uint32_t i, uint32_t j)
{
    cross_total at = sums[stem_sum_index(i, j)];
    if (i < j)
        at.im = -at.im;
    return at;
}

/* Sums over the stems that are in it, channel by channel. */
static void sum_bed(bed_sums *bed, const stem_model *model, const stem_truth *truth, const cross_total *sums, uint32_t output)
{
    memset(bed, 0, sizeof *bed);
    bed->count = model->bed_count;
    bed->output = total_of(sums, output, output).re;
    for (uint32_t i = model->output_count; i < model->lane_count; i++) {
        if (truth->presence[model->element_of[i]] != STEM_PRESENT)
            continue;
        uint32_t c = model->bed_of[i];
        cross_total with = total_of(sums, output, i);
        bed->with[c].re += (float)with.re;
        bed->with[c].im += (float)with.im;
        for (uint32_t j = model->output_count; j < model->lane_count; j++) {
            if (truth->presence[model->element_of[j]] != STEM_PRESENT)
                continue;
            cross_total at = total_of(sums, j, i);
            bed->own[c][model->bed_of[j]].re += (float)at.re;
            bed->own[c][model->bed_of[j]].im += (float)at.im;
        }
    }
}

/* Unknowns are the real parts, then the imaginary ones where turned; returns the energy that they leave. */
static double solve_bed(const bed_sums *bed, bool turned, double *x, double *partial)
{
    uint32_t n = bed->count;
    uint32_t count = turned ? 2 * n : n;
    double a[STEM_UNKNOWNS_MAX * STEM_UNKNOWNS_MAX] = {0.0};
    double b[STEM_UNKNOWNS_MAX] = {0.0};
    for (uint32_t i = 0; i < count; i++) {
        uint32_t c = i % n;
        b[i] = i < n ? (double)bed->with[c].re : (double)bed->with[c].im;
        for (uint32_t j = 0; j < count; j++) {
            const stem_cross *at = &bed->own[c][j % n];
            a[i * count + j] = i / n == j / n ? (double)at->re : i < n ? -(double)at->im : (double)at->im;
        }
    }
    stem_solve(count, a, b, least_own, x, partial);
    double left = bed->output;
    for (uint32_t i = 0; i < count; i++)
        left -= x[i] * b[i];
    return fmax(left, 0.0);
}

static bool find_row(stem_phase *phase, const bed_sums *bed, uint32_t output, bool *out_better)
{
    double x[STEM_UNKNOWNS_MAX];
    double partial[STEM_UNKNOWNS_MAX];
    double in_phase = solve_bed(bed, false, x, partial);
    double left = solve_bed(bed, true, x, partial);
    uint32_t n = bed->count;
    bool quarter = false;
    for (uint32_t c = 0; c < n; c++) {
        double energy = (double)bed->own[c][c].re;
        phase->gain[output][c] = sqrt(x[c] * x[c] + x[n + c] * x[n + c]);
        phase->degrees[output][c] = atan2(x[n + c], x[c]) * 180.0 / acos(-1.0);
        phase->known[output][c] = energy > 0.0 && fmin(partial[c], partial[n + c]) > known_share * energy;
        quarter = quarter || (phase->known[output][c] && phase->gain[output][c] > audible_gain &&
                              fabs(fabs(phase->degrees[output][c]) - 90.0) < quarter_slack);
    }
    *out_better = *out_better || (quarter && in_phase > better_factor * left);
    return left <= explained_share * bed->output;
}

status stem_phase_find(stem_phase *out_phase, const stem_model *model, const stem_truth *truth,
                       const stem_programme *programme)
{
    *out_phase = (stem_phase){.found = false};
    if (model->output_count != STEM_PHASE_OUTPUTS || model->lane_count > STEM_PHASE_LANES_MAX || model->bed_count == 0)
        return STATUS_OK;
    uint32_t count = stem_sum_count(model->lane_count, true);
    cross_total *sums = calloc(count, sizeof *sums);
    bed_sums *bed = malloc(sizeof *bed);
    size_t cells = 0;
    bool room = sums != NULL && bed != NULL;
    for (size_t c = 0; room && c < programme->cell_count; c++) {
        const stem_cross *phases = programme->bleed[c].phases;
        cells += phases != NULL;
        for (uint32_t i = 0; phases != NULL && i < count; i++) {
            sums[i].re += (double)phases[i].re;
            sums[i].im += (double)phases[i].im;
        }
    }
    bool better = false;
    bool explained = room && cells > 0 && cells * 2 >= programme->cell_count;
    for (uint32_t output = 0; explained && output < STEM_PHASE_OUTPUTS; output++) {
        sum_bed(bed, model, truth, sums, output);
        explained = find_row(out_phase, bed, output, &better);
    }
    out_phase->found = explained && better;
    free(sums);
    free(bed);
    return room ? STATUS_OK : STATUS_NODE_MEMORY;
}
