#include "common/measure/stem_bleed.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BIN = 4 /* of the lowest octave, as the features count them */ };

static const double same_leak = 0.5;     /* octaves belong to a leak from half its gain on */
static const double gain_of = 0.95;      /* of those that let it pass (-0.4 dB) the gain is told: not of a filter's slope */
static const double slope_of = 0.9;      /* -0.9 dB in an octave: a filter takes something of the one beside it, too */
static const double flat_known = 300.0;  /* to 6 %: then what lies beside a slope is left out */
static const double well_known = 100.0;  /* to a tenth */
static const double least_reach = 1e-5;  /* -100 dB: smaller ones are lost in the rounding of 24 bits */
static const double octave_step = 6.0;   /* 15.6 dB: a filter of the second order has 12 dB an octave */
static const double chance_factor = 1.5; /* against the peak out of time */
static const double cell_min = 6.5;      /* of a second cell, which is as good */

/* Of what each cell says of an octave: squares, from which follows how far cells differ. */
typedef struct octave_spread {
    double said, own_re, own_im, own;
    uint32_t count;
} octave_spread;

/* A leak while cells are added to it. */
typedef struct open_leak {
    stem_bleed leak;
    stem_leak sum; /* of the octaves */
    octave_spread spread[STEM_BANDS];
    double rest;
    uint32_t clear_cells;
    bool open_ended; /* up to the end of its last cell nothing says that it has ended */
    size_t last_cell;
    bool used;
} open_leak;

double stem_leak_gain(const stem_leak *leak)
{
    double product = 0.0;
    double weight = 0.0;
    for (uint32_t b = 0; b < STEM_BANDS; b++) {
        double re = 0.0;
        double im = 0.0;
        if (!stem_leak_band(leak, b, &re, &im))
            continue;
        product += copysign(hypot(re, im), re) * (double)leak->band_own[b];
        weight += (double)leak->band_own[b];
    }
    return weight > 0.0 ? product / weight : 0.0;
}

/* Gain of an octave, less what chance adds to it; 0 where it is not known. *out_weight: one over its relative error squared. */
static double band_gain(const stem_leak *sum, uint32_t band, double *out_weight)
{
    double re = 0.0;
    double im = 0.0;
    *out_weight = 0.0;
    if (!stem_leak_band(sum, band, &re, &im))
        return 0.0;
    double own = (double)sum->band_own[band];
    double error = (double)sum->band_noise[band] / (own * own);
    double power = re * re + im * im;
    /* A gain is never known better than to one percent: the strongest octave is not alone in what is told. */
    *out_weight = power / (error + 1e-4 * power);
    return sqrt(fmax(power - error, 0.0));
}

/* Where it is first heard, in its cell or before it. */
static uint64_t leak_start(const stem_cell *cell, const stem_leak *leak)
{
    return leak->before > 0 ? cell->frame - (uint64_t)leak->before * STEM_STEP_FRAMES
                            : cell->frame + (uint64_t)leak->first_step * STEM_STEP_FRAMES;
}

static uint64_t leak_end(const stem_cell *cell, const stem_leak *leak)
{
    return leak->last_step + 1u >= stem_step_count(cell->frame_count) || leak->after > 0
               ? cell->frame + cell->frame_count + (uint64_t)leak->after * STEM_STEP_FRAMES
               : cell->frame + (uint64_t)(leak->last_step + 1) * STEM_STEP_FRAMES;
}

/* Of sounds that hold the same tone each cell is sure of itself: what cells say apart tells more of it. */
static void spread_noise(stem_leak *sum, const octave_spread *spread, uint32_t band)
{
    double own = (double)sum->band_own[band];
    if (spread->count < 2 || own <= 0.0)
        return;
    double re = (double)sum->band_re[band] / own;
    double im = (double)sum->band_im[band] / own;
    double apart = spread->said - 2.0 * (re * spread->own_re + im * spread->own_im) + (re * re + im * im) * spread->own;
    double noise = apart * spread->count / (spread->count - 1.0);
    sum->band_noise[band] = fmaxf(sum->band_noise[band], (float)noise);
}

static void add_cell(open_leak *open, const stem_cell *cell, size_t index, const stem_leak *leak)
{
    uint32_t steps = stem_step_count(cell->frame_count);
    if (!open->used) {
        *open = (open_leak){.used = true};
        open->leak = (stem_bleed){.source = leak->source, .host = leak->host, .start_frame = leak_start(cell, leak),
                                   .start_short = leak->start_short};
    }
    uint64_t end = leak_end(cell, leak);
    open->leak.end_short = end >= open->leak.end_frame ? leak->end_short : open->leak.end_short;
    open->leak.end_frame = end > open->leak.end_frame ? end : open->leak.end_frame;
    open->leak.cell_count++;
    open->last_cell = index;
    open->rest = fmax(open->rest, (double)leak->rest);
    open->clear_cells += (double)leak->score >= cell_min;
    open->open_ended = leak->last_open + 1u >= steps;
    bool best = (double)leak->score > open->leak.score;
    bool alike = leak->delay == open->leak.delay_samples && open->leak.score >= STEM_LEAK_SCORE_MIN;
    bool counts = best || (alike && (double)leak->score >= STEM_LEAK_SCORE_MIN);
    if (best) {
        open->leak.score = (double)leak->score;
        open->leak.chance = (double)leak->chance;
        open->leak.delay_samples = leak->delay;
    }
    /* A sample beside the delay the treble is lost: the gain is that of the clear cells whose delay is the one that is told. */
    if (best && !alike) {
        memset(&open->sum, 0, sizeof open->sum);
        memset(&open->spread, 0, sizeof open->spread);
    }
    for (uint32_t b = 0; b < STEM_BANDS && counts; b++) {
        double own = (double)leak->band_own[b];
        double re = (double)leak->band_re[b];
        double im = (double)leak->band_im[b];
        octave_spread *spread = &open->spread[b];
        spread->said += re * re + im * im;
        spread->own_re += own * re;
        spread->own_im += own * im;
        spread->own += own * own;
        spread->count += own > 0.0;
        open->sum.band_own[b] += leak->band_own[b];
        open->sum.band_re[b] += leak->band_re[b];
        open->sum.band_im[b] += leak->band_im[b];
        open->sum.band_noise[b] += leak->band_noise[b];
    }
}

/* A gain that is lower, or higher, than that of an octave by so many standard deviations. */
static double gain_at(double gain, double weight, double deviations)
{
    return gain * fmax(1.0 + deviations / sqrt(weight), 0.0);
}

/*
 * Gains of octaves of one leak, as well as they are known, next to each other or with unknown ones between: more than a filter does
 * in an octave is another sound that the two have in common.
 */
static bool follows(const double *gains, const double *weights, uint32_t at, uint32_t next)
{
    return gains[at] > 0.0 && gains[next] > 0.0 &&
           gain_at(gains[next], weights[next], -2.0) < octave_step * gain_at(gains[at], weights[at], 2.0) &&
           gain_at(gains[at], weights[at], -2.0) < octave_step * gain_at(gains[next], weights[next], 2.0);
}

/* The octaves around one that shows it well in which the gain goes on without a jump. */
static void find_octaves(const double *gains, const double *weights, uint32_t *out_first, uint32_t *out_last)
{
    uint32_t best = 0;
    for (uint32_t b = 1; b < STEM_BANDS; b++)
        if (weights[b] > weights[best])
            best = b;
    /* Of those known half as well, or to a tenth, the loudest: far above a low-pass the last trace of it may be known best. */
    double enough = fmin(weights[best] / 4.0, well_known);
    for (uint32_t b = 0; b < STEM_BANDS; b++)
        if (weights[b] >= enough && gains[b] > gains[best])
            best = b;
    *out_first = *out_last = best;
    for (uint32_t b = best; b-- > 0 && (weights[b] <= 0.0 || follows(gains, weights, *out_first, b));)
        *out_first = weights[b] > 0.0 ? b : *out_first;
    for (uint32_t b = best + 1; b < STEM_BANDS && (weights[b] <= 0.0 || follows(gains, weights, *out_last, b)); b++)
        *out_last = weights[b] > 0.0 ? b : *out_last;
}

typedef struct gain_sum {
    double product, weight;
} gain_sum;

static void add_gain(gain_sum *sum, double gain, double weight)
{
    sum->product += gain * weight;
    sum->weight += weight;
}

/* In the octave next to it a filter takes so much away, by two standard deviations, that it begins in this one. */
static bool beside_slope(const double *gains, const double *weights, uint32_t band, uint32_t next)
{
    return gains[next] > 0.0 && gain_at(gains[next], weights[next], 2.0) < slope_of * gains[band];
}

/* The octaves that carry it, and its gain in those that let it pass. */
static bool find_gain(open_leak *open)
{
    double gains[STEM_BANDS];
    double weights[STEM_BANDS];
    double most = 0.0; /* at least, by two standard deviations: of nine octaves chance raises one by that */
    double sign = 0.0;
    uint32_t first = 0;
    uint32_t last = 0;
    for (uint32_t b = 0; b < STEM_BANDS; b++) {
        spread_noise(&open->sum, &open->spread[b], b);
        gains[b] = band_gain(&open->sum, b, &weights[b]);
    }
    find_octaves(gains, weights, &first, &last);
    for (uint32_t b = first; b <= last; b++)
        most = weights[b] > 0.0 ? fmax(most, gain_at(gains[b], weights[b], -2.0)) : most;
    gain_sum passed = {0.0, 0.0};
    gain_sum flat = {0.0, 0.0};
    bool any = false;
    for (uint32_t b = first; b <= last; b++) {
        if (weights[b] <= 0.0 || gains[b] < same_leak * most)
            continue;
        if (gains[b] >= gain_of * most) {
            add_gain(&passed, gains[b], weights[b]);
            sign += copysign(weights[b], (double)open->sum.band_re[b]); /* far above a filter it has turned */
            if ((b == first || !beside_slope(gains, weights, b, b - 1)) && (b == last || !beside_slope(gains, weights, b, b + 1)))
                add_gain(&flat, gains[b], weights[b]);
        }
        open->leak.first_band = any ? open->leak.first_band : b;
        open->leak.last_band = b;
        any = true;
    }
    if (passed.weight <= 0.0)
        return false;
    const gain_sum *told = flat.weight >= flat_known ? &flat : &passed;
    open->leak.gain = copysign(told->product / told->weight, sign);
    return true;
}

/* False: it is none. */
static bool close_leak(open_leak *open, stem_bleeds *out)
{
    open->used = false;
    if (open->leak.score < STEM_LEAK_SCORE_MIN || open->leak.score < chance_factor * open->leak.chance ||
        (open->rest < STEM_LEAK_REST_MIN && open->clear_cells < 2) || !find_gain(open))
        return false;
    if (out->count == STEM_BLEEDS_MAX)
        out->dropped++;
    else
        out->items[out->count++] = open->leak;
    return true;
}

/* True if a cell between would have shown the leak, so that it ended there. */
static bool would_show(const stem_programme *programme, size_t cell, uint32_t source, uint32_t host, double gain)
{
    const stem_cell *at = &programme->bleed[cell];
    if (!at->all_pairs || source >= at->group_count || host >= at->group_count)
        return false;
    double reach = (double)at->reach[source * at->group_count + host];
    return reach > 0.0 && reach < same_leak * gain;
}

static bool continues(const stem_programme *programme, const open_leak *open, size_t cell, const stem_leak *leak,
                      const uint8_t *group_of)
{
    double gain = fabs(stem_leak_gain(leak));
    if (abs(open->leak.delay_samples - leak->delay) > STEM_DELAY_SLACK)
        return false;
    if (leak_start(&programme->bleed[cell], leak) <= open->leak.end_frame)
        return true; /* heard from one to the other */
    if (!open->open_ended || leak->first_open > 0)
        return false;
    for (size_t between = open->last_cell + 1; between < cell; between++)
        if (would_show(programme, between, group_of[leak->source], group_of[leak->host], gain))
            return false;
    return true;
}

/* At another delay a clearer one is heard there. */
static bool is_outdone(const open_leak *open, const stem_cell *cell, const stem_leak *leak)
{
    return abs(open->leak.delay_samples - leak->delay) > STEM_DELAY_SLACK && (double)leak->score < open->leak.score &&
           cell->frame + (uint64_t)leak->last_step * STEM_STEP_FRAMES < open->leak.end_frame;
}

/* Of the same two channels and cell another leak goes on with the open one. */
static bool another_continues(const stem_programme *programme, const open_leak *open, size_t cell, uint32_t but,
                              const uint8_t *group_of)
{
    const stem_cell *at = &programme->bleed[cell];
    for (uint32_t i = 0; i < at->leak_count; i++)
        if (i != but && at->leaks[i].source == at->leaks[but].source && at->leaks[i].host == at->leaks[but].host &&
            continues(programme, open, cell, &at->leaks[i], group_of))
            return true;
    return false;
}

/* In the next cell a leak of the same two channels goes on with it. */
static bool is_followed(const stem_programme *programme, size_t cell, const stem_leak *leak)
{
    if (cell + 1 == programme->cell_count || leak->last_open + 1u < stem_step_count(programme->bleed[cell].frame_count))
        return false;
    const stem_cell *next = &programme->bleed[cell + 1];
    for (uint32_t i = 0; i < next->leak_count; i++)
        if (next->leaks[i].source == leak->source && next->leaks[i].host == leak->host && next->leaks[i].first_open == 0 &&
            abs(next->leaks[i].delay - leak->delay) <= STEM_DELAY_SLACK)
            return true;
    return false;
}

/* Of several delays that the end of a cell shows, the one that the next cell shows too; else the first. */
static bool another_is_followed(const stem_programme *programme, size_t cell, uint32_t but)
{
    const stem_cell *at = &programme->bleed[cell];
    if ((double)at->leaks[but].score >= STEM_LEAK_SCORE_MIN || is_followed(programme, cell, &at->leaks[but]))
        return false;
    for (uint32_t i = 0; i < at->leak_count; i++)
        if (at->leaks[i].source == at->leaks[but].source && at->leaks[i].host == at->leaks[but].host &&
            is_followed(programme, cell, &at->leaks[i]))
            return true;
    return false;
}

/* A leak ends where another of its two channels begins in a cell of its own; returns from when on the other may be told. */
static uint64_t part_leaks(stem_bleed *before, uint64_t own_start)
{
    if (own_start <= before->start_frame)
        return 0;
    before->end_frame = before->end_frame < own_start ? before->end_frame : own_start;
    return before->end_frame;
}

static bool meet(const stem_bleed *a, const stem_bleed *b)
{
    return a->start_frame < b->end_frame && b->start_frame < a->end_frame;
}

/*
 * What leaks makes more sound alike than itself. Of leaks from several channels of one stem into one channel the clearest is told;
 * of two stems that hold the same sound the one that has less of it is the host; and what two hosts have of one source is no leak
 * between them.
 */
static bool echo_of(const stem_bleed *a, const stem_bleed *b, const uint8_t *group_of)
{
    bool same_source = group_of[a->source] == group_of[b->source];
    bool turned = group_of[a->source] == group_of[b->host] && group_of[a->host] == group_of[b->source];
    return (same_source && a->host == b->host && a->score < b->score) || (turned && fabs(a->gain) > fabs(b->gain));
}

/* Half of a or more lies within b. */
static bool covers(const stem_bleed *b, const stem_bleed *a)
{
    uint64_t first = a->start_frame > b->start_frame ? a->start_frame : b->start_frame;
    uint64_t end = a->end_frame < b->end_frame ? a->end_frame : b->end_frame;
    return end > first && (end - first) * 2 >= a->end_frame - a->start_frame;
}

static bool shared_source(const stem_bleeds *self, const bool *drop, const stem_bleed *a, const uint8_t *group_of)
{
    for (uint32_t i = 0; i < self->count; i++)
        for (uint32_t k = 0; k < self->count; k++) {
            const stem_bleed *here = &self->items[i];  /* of a third stem, in a's host */
            const stem_bleed *there = &self->items[k]; /* and in a's source */
            if (!drop[i] && !drop[k] && group_of[here->host] == group_of[a->host] && group_of[there->host] == group_of[a->source] &&
                group_of[here->source] == group_of[there->source] && group_of[here->source] != group_of[a->source] &&
                covers(here, a) && covers(there, a) && a->score < fmax(here->score, there->score))
                return true;
        }
    return false;
}

static void drop_echoes(stem_bleeds *self, const uint8_t *group_of)
{
    uint32_t kept = 0;
    bool drop[STEM_BLEEDS_MAX] = {false};
    bool shared[STEM_BLEEDS_MAX] = {false};
    for (uint32_t i = 0; i < self->count; i++)
        for (uint32_t k = 0; k < self->count && !drop[i]; k++)
            drop[i] = i != k && meet(&self->items[i], &self->items[k]) && echo_of(&self->items[i], &self->items[k], group_of);
    for (uint32_t i = 0; i < self->count; i++)
        shared[i] = !drop[i] && shared_source(self, drop, &self->items[i], group_of);
    for (uint32_t i = 0; i < self->count; i++)
        if (!drop[i] && !shared[i])
            self->items[kept++] = self->items[i];
    self->count = kept;
}

static int by_time(const void *a, const void *b)
{
    const stem_bleed *left = a;
    const stem_bleed *right = b;
    if (left->start_frame != right->start_frame)
        return left->start_frame < right->start_frame ? -1 : 1;
    if (left->source != right->source)
        return left->source < right->source ? -1 : 1;
    return (int)left->host - (int)right->host;
}

status stem_bleed_find(stem_bleeds *out_bleeds, const stem_programme *programme, const uint8_t *group_of)
{
    uint32_t lanes = programme->lane_count < STEM_BLEED_LANES_MAX ? programme->lane_count : STEM_BLEED_LANES_MAX;
    out_bleeds->count = out_bleeds->dropped = 0;
    open_leak *open = calloc((size_t)lanes * lanes + 1, sizeof *open);
    if (open == NULL)
        return STATUS_NODE_MEMORY;
    for (size_t c = 0; c < programme->cell_count; c++) {
        const stem_cell *cell = &programme->bleed[c];
        for (uint32_t i = 0; i < cell->leak_count; i++) {
            const stem_leak *leak = &cell->leaks[i];
            if (leak->source >= lanes || leak->host >= lanes)
                continue;
            open_leak *pair = &open[(size_t)leak->source * lanes + leak->host];
            if (pair->used && is_outdone(pair, cell, leak))
                continue;
            uint64_t earliest = 0;
            if (!pair->used || !continues(programme, pair, c, leak, group_of)) {
                if (another_is_followed(programme, c, i) || (pair->used && another_continues(programme, pair, c, i, group_of)))
                    continue;
                if (pair->used) {
                    earliest = part_leaks(&pair->leak, cell->frame + (uint64_t)leak->first_step * STEM_STEP_FRAMES);
                    earliest = close_leak(pair, out_bleeds) ? earliest : 0;
                }
            }
            add_cell(pair, cell, c, leak);
            if (pair->leak.start_frame < earliest)
                pair->leak.start_frame = earliest;
        }
    }
    for (size_t i = 0; i < (size_t)lanes * lanes; i++)
        if (open[i].used)
            (void)close_leak(&open[i], out_bleeds);
    free(open);
    drop_echoes(out_bleeds, group_of);
    if (out_bleeds->count > 1)
        qsort(out_bleeds->items, out_bleeds->count, sizeof out_bleeds->items[0], by_time);
    return STATUS_OK;
}

typedef struct cell_reach {
    double gain;
    uint32_t frame_count;
} cell_reach;

static int by_gain(const void *a, const void *b)
{
    double left = ((const cell_reach *)a)->gain;
    double right = ((const cell_reach *)b)->gain;
    return left < right ? -1 : left > right;
}

/* 0: nothing of the source could be there. */
static double reach_in(const stem_cell *cell, const float *table, uint32_t source_group, uint32_t host_group)
{
    if (source_group >= cell->group_count || host_group >= cell->group_count)
        return 0.0;
    double reach = (double)table[source_group * cell->group_count + host_group];
    return reach > STEM_LEAK_REACH_MOST ? HUGE_VAL : reach > 0.0 ? fmax(reach, least_reach) : 0.0;
}

/* What is reached in that share of the time of cells. */
static double reach_of_share(cell_reach *cells, size_t count, double share)
{
    qsort(cells, count, sizeof *cells, by_gain);
    double whole = 0.0;
    double sum = 0.0;
    size_t at = 0;
    for (size_t i = 0; i < count; i++)
        whole += (double)cells[i].frame_count;
    for (; at + 1 < count; at++) {
        sum += (double)cells[at].frame_count;
        if (sum >= share * whole)
            break;
    }
    return count > 0 ? cells[at].gain : 0.0;
}

status stem_bleed_reach(stem_reach *out_reach, const stem_programme *programme, uint32_t source_group, uint32_t host_group)
{
    *out_reach = (stem_reach){0};
    cell_reach *cells = malloc((2 * programme->cell_count + 1) * sizeof *cells);
    cell_reach *low_cells = cells + programme->cell_count;
    size_t count = 0;
    double worst = 0.0;
    if (cells == NULL)
        return STATUS_NODE_MEMORY;
    for (size_t c = 0; c < programme->cell_count; c++) {
        const stem_cell *cell = &programme->bleed[c];
        double reach = reach_in(cell, cell->reach, source_group, host_group);
        if (reach <= 0.0)
            continue;
        low_cells[count] = (cell_reach){reach_in(cell, cell->reach_low, source_group, host_group), cell->frame_count};
        cells[count++] = (cell_reach){reach, cell->frame_count};
        if (reach > worst || (reach >= worst && out_reach->end_frame == cell->frame)) { /* the first stretch of the worst */
            out_reach->start_frame = reach > worst ? cell->frame : out_reach->start_frame;
            out_reach->end_frame = cell->frame + cell->frame_count;
            worst = reach;
        }
    }
    out_reach->half = reach_of_share(cells, count, 0.5);
    out_reach->most = reach_of_share(cells, count, 0.9);
    out_reach->low = reach_of_share(low_cells, count, 0.9);
    free(cells);
    return STATUS_OK;
}

double stem_band_low_hz(uint32_t band, uint32_t sample_rate)
{
    return (double)(FIRST_BIN << band) * (double)sample_rate / STEM_WINDOW_FRAMES;
}

double stem_band_high_hz(uint32_t band, uint32_t sample_rate)
{
    return 2.0 * stem_band_low_hz(band, sample_rate);
}
