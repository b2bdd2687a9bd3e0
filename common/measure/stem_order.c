#include "common/measure/stem_order.h"

#include "common/measure/stem_solve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * A channel holds another one's sound where that leaves less than a twentieth of its energy, and a tenth of what its own
 * place leaves. Of a programme that is the stems' sum nothing is left but rounding; of the wrong channel of the same mix
 * half and more, unless both are nearly the same sound, which are not told apart.
 */
static const double explained_share = 0.05;
static const double better_factor = 0.1;
static const double least_own = 1e-4;
static const double silence_power = 1e-10;

/* The part of an output's energy that no gains of the stems' sums in another output explain: 1 = all of it. */
static double unexplained(const stem_model *model, const double *sums, uint32_t output, uint32_t row)
{
    uint32_t count = model->element_count;
    const double *gains = model->nominal[row];
    double a[STEM_ELEMENTS_MAX * STEM_ELEMENTS_MAX];
    double b[STEM_ELEMENTS_MAX];
    double x[STEM_ELEMENTS_MAX];
    double partial[STEM_ELEMENTS_MAX];
    memset(a, 0, (size_t)count * count * sizeof *a);
    memset(b, 0, count * sizeof *b);
    for (uint32_t i = model->output_count; i < model->lane_count; i++) {
        if (gains[i] == 0.0)
            continue;
        uint32_t e = model->element_of[i];
        b[e] += gains[i] * sums[stem_sum_index(i, output)];
        for (uint32_t j = model->output_count; j < model->lane_count; j++)
            a[e * count + model->element_of[j]] += gains[i] * gains[j] * sums[stem_sum_index(i, j)];
    }
    stem_solve(count, a, b, least_own, x, partial);
    double own = sums[stem_sum_index(output, output)];
    double left = own;
    for (uint32_t e = 0; e < count; e++)
        left -= x[e] * b[e]; /* at the minimum */
    return own > 0.0 ? fmin(fmax(left / own, 0.0), 1.0) : 1.0;
}

/* Channels that tell nothing keep their place where it is free, and take what is left over otherwise. */
static bool fill(stem_order *self, uint32_t count, uint32_t told)
{
    uint32_t taken = 0;
    for (uint32_t o = 0; o < count; o++)
        if (told >> o & 1u) {
            if (taken >> self->holds[o] & 1u)
                return false;
            taken |= 1u << self->holds[o];
        }
    for (uint32_t pass = 0; pass < 2; pass++)
        for (uint32_t o = 0; o < count; o++) {
            if (told >> o & 1u)
                continue;
            uint32_t wanted = o;
            while (pass == 1 && (taken >> wanted & 1u))
                wanted = (wanted + 1) % count;
            if (taken >> wanted & 1u)
                continue;
            self->holds[o] = (uint8_t)wanted;
            taken |= 1u << wanted;
            told |= 1u << o;
        }
    return true;
}

static void match(stem_order *self, const stem_model *model, const double *sums, double frames)
{
    uint32_t count = model->output_count;
    uint32_t told = 0;
    double worst = 0.0;
    double best_at_home = 1.0;
    for (uint32_t o = 0; o < count; o++) {
        if (sums[stem_sum_index(o, o)] <= silence_power * frames)
            continue;
        double home = unexplained(model, sums, o, o);
        double best = home;
        uint32_t at = o;
        for (uint32_t row = 0; row < count; row++) {
            double left = row == o ? home : unexplained(model, sums, o, row);
            if (left < best) {
                best = left;
                at = row;
            }
        }
        bool moved = at != o && best < explained_share && best < better_factor * home;
        if (!moved && home >= explained_share)
            continue;
        self->known = true;
        self->holds[o] = (uint8_t)(moved ? at : o);
        told |= 1u << o;
        if (moved) {
            worst = fmax(worst, best);
            best_at_home = fmin(best_at_home, home);
            self->permuted = true;
        }
    }
    self->sure = told;
    self->permuted = self->permuted && fill(self, count, told);
    self->explained_db = 10.0 * log10(fmax(worst, 1e-12));
    self->elsewhere_db = 10.0 * log10(fmax(best_at_home, 1e-12));
}

status stem_order_find(stem_order *out_order, const stem_model *model, const stem_programme *programme,
                       uint64_t first_frame, uint64_t end_frame)
{
    uint32_t count = stem_sum_count(model->lane_count, true);
    double *sums = calloc(count, sizeof *sums);
    double frames = 0.0;
    if (sums == NULL)
        return STATUS_NODE_MEMORY;
    for (size_t b = 0; b < programme->block_count; b++) {
        const stem_block *block = &programme->blocks[b];
        if (block->frame < first_frame || block->frame >= end_frame)
            continue;
        frames += block->frame_count;
        for (uint32_t i = 0; i < count; i++)
            sums[i] += block->sums[i];
    }
    stem_order order = {.known = false};
    for (uint32_t o = 0; o < LAYOUT_CHANNELS_MAX; o++)
        order.holds[o] = (uint8_t)o;
    if (frames > 0.0)
        match(&order, model, sums, frames);
    free(sums);
    *out_order = order;
    return STATUS_OK;
}

void stem_order_apply(const stem_order *order, stem_model *model)
{
    stem_model was = *model;
    for (uint32_t o = 0; o < model->output_count; o++)
        memcpy(model->nominal[o], was.nominal[order->holds[o]], sizeof model->nominal[o]);
}
