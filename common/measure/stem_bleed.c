#include "common/measure/stem_bleed.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BIN = 4 /* of the lowest octave, as the features count them */ };

static const double least_share = 0.02; /* an octave with less of the weight says nothing */
static const double same_leak = 0.5;    /* octaves and windows belong to a leak from half its gain on */

/* A leak while cells are added to it. */
typedef struct open_leak {
    stem_bleed leak;
    double band_product[STEM_BANDS], band_weight[STEM_BANDS];
    size_t last_cell;
    bool used;
} open_leak;

/* What a Hann window has in common with itself `delay` samples later; the share of a leak that a pair of windows sees. */
static double window_overlap(int delay)
{
    double x = fabs((double)delay) / STEM_WINDOW_FRAMES;
    double turn = 6.283185307179586 * x;
    return (1.0 - x) * (2.0 / 3.0 + cos(turn) / 3.0) + sin(turn) / 6.283185307179586;
}

double stem_leak_gain(const stem_leak *leak)
{
    double product = 0.0;
    double weight = 0.0;
    for (uint32_t w = 0; w < STEM_WINDOWS; w++) {
        product += (double)leak->window_product[w];
        weight += (double)leak->window_weight[w];
    }
    return weight > 0.0 ? product / weight : 0.0;
}

/* First and last window of a cell in which the leak is there. */
static void window_range(const stem_leak *leak, uint32_t window_count, uint32_t *out_first, uint32_t *out_last)
{
    double most = 0.0;
    *out_first = 0;
    *out_last = window_count - 1;
    for (uint32_t w = 0; w < window_count; w++)
        if (leak->window_weight[w] > 0.0f)
            most = fmax(most, fabs((double)(leak->window_product[w] / leak->window_weight[w])));
    double least = fmin(fabs(stem_leak_gain(leak)), most) * same_leak;
    bool found = false;
    for (uint32_t w = 0; w < window_count; w++) {
        if (leak->window_weight[w] <= 0.0f || fabs((double)(leak->window_product[w] / leak->window_weight[w])) < least)
            continue;
        *out_first = found ? *out_first : w;
        *out_last = w;
        found = true;
    }
}

/* The share of the octaves' sums that comes from windows in which the leak is there. */
static void window_share(const stem_leak *leak, uint32_t first, uint32_t last, double *out_product, double *out_weight)
{
    double product = 0.0;
    double weight = 0.0;
    double product_there = 0.0;
    double weight_there = 0.0;
    for (uint32_t w = 0; w < STEM_WINDOWS; w++) {
        product += (double)leak->window_product[w];
        weight += (double)leak->window_weight[w];
        product_there += w >= first && w <= last ? (double)leak->window_product[w] : 0.0;
        weight_there += w >= first && w <= last ? (double)leak->window_weight[w] : 0.0;
    }
    *out_product = fabs(product) > 0.0 ? product_there / product : 1.0;
    *out_weight = weight > 0.0 ? weight_there / weight : 1.0;
}

static void add_cell(open_leak *open, const stem_cell *cell, size_t index, const stem_leak *leak)
{
    uint32_t first = 0;
    uint32_t last = 0;
    window_range(leak, cell->window_count, &first, &last);
    uint64_t step = CELL_FRAMES / STEM_WINDOWS;
    if (!open->used) {
        *open = (open_leak){.used = true};
        open->leak = (stem_bleed){.source = leak->source, .host = leak->host, .start_frame = cell->frame + first * step};
    }
    open->leak.end_frame = cell->frame + (last + 1) * step;
    if (last + 1 >= cell->window_count || open->leak.end_frame > cell->frame + cell->frame_count)
        open->leak.end_frame = cell->frame + cell->frame_count;
    open->leak.cell_count++;
    open->last_cell = index;
    if ((double)leak->score > open->leak.score) {
        open->leak.score = (double)leak->score;
        open->leak.chance = (double)leak->chance;
        open->leak.delay_samples = leak->delay;
    }
    double product_share = 1.0;
    double weight_share = 1.0;
    window_share(leak, first, last, &product_share, &weight_share);
    for (uint32_t b = 0; b < STEM_BANDS; b++) {
        open->band_product[b] += (double)leak->band_product[b] * product_share;
        open->band_weight[b] += (double)leak->band_weight[b] * weight_share;
    }
}

/* The octaves that carry it, and its gain in them. */
static void close_leak(open_leak *open, stem_bleeds *out)
{
    double total = 0.0;
    double most = 0.0;
    for (uint32_t b = 0; b < STEM_BANDS; b++)
        total += open->band_weight[b];
    for (uint32_t b = 0; b < STEM_BANDS; b++)
        if (open->band_weight[b] > 2.0 * least_share * total)
            most = fmax(most, fabs(open->band_product[b] / open->band_weight[b]));
    double product = 0.0;
    double weight = 0.0;
    bool any = false;
    for (uint32_t b = 0; b < STEM_BANDS; b++) {
        if (open->band_weight[b] <= least_share * total ||
            fabs(open->band_product[b] / open->band_weight[b]) < same_leak * most)
            continue;
        product += open->band_product[b];
        weight += open->band_weight[b];
        open->leak.first_band = any ? open->leak.first_band : b;
        open->leak.last_band = b;
        any = true;
    }
    open->used = false;
    if (weight <= 0.0)
        return;
    open->leak.gain = product / weight / window_overlap(open->leak.delay_samples);
    if (out->count == STEM_BLEEDS_MAX)
        out->dropped++;
    else
        out->items[out->count++] = open->leak;
}

/* True if a cell between would have shown the leak, so that it ended there. */
static bool would_show(const stem_programme *programme, size_t cell, uint32_t source, uint32_t host, double gain)
{
    const stem_cell *at = &programme->bleed[cell];
    if (source >= at->group_count || host >= at->group_count)
        return false;
    double reach = (double)at->reach[source * at->group_count + host];
    return reach > 0.0 && reach < same_leak * gain;
}

static bool continues(const stem_programme *programme, const open_leak *open, size_t cell, const stem_leak *leak,
                      const uint8_t *group_of)
{
    double gain = fabs(stem_leak_gain(leak));
    if (abs(open->leak.delay_samples - leak->delay) > 1)
        return false;
    for (size_t between = open->last_cell + 1; between < cell; between++)
        if (would_show(programme, between, group_of[leak->source], group_of[leak->host], gain))
            return false;
    return true;
}

/* Of leaks from several channels of one stem into one channel at one time the clearest is told: the others are like it. */
static void drop_echoes(stem_bleeds *self, const uint8_t *group_of)
{
    uint32_t kept = 0;
    bool drop[STEM_BLEEDS_MAX] = {false};
    for (uint32_t i = 0; i < self->count; i++)
        for (uint32_t k = 0; k < self->count; k++) {
            const stem_bleed *a = &self->items[i];
            const stem_bleed *b = &self->items[k];
            bool same = i != k && a->host == b->host && group_of[a->source] == group_of[b->source] &&
                        a->start_frame < b->end_frame && b->start_frame < a->end_frame;
            if (same && !drop[k] && (a->score < b->score || (a->score == b->score && k < i)))
                drop[i] = true;
        }
    for (uint32_t i = 0; i < self->count; i++)
        if (!drop[i])
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
            if (pair->used && !continues(programme, pair, c, leak, group_of))
                close_leak(pair, out_bleeds);
            add_cell(pair, cell, c, leak);
        }
    }
    for (size_t i = 0; i < (size_t)lanes * lanes; i++)
        if (open[i].used)
            close_leak(&open[i], out_bleeds);
    free(open);
    drop_echoes(out_bleeds, group_of);
    if (out_bleeds->count > 1)
        qsort(out_bleeds->items, out_bleeds->count, sizeof out_bleeds->items[0], by_time);
    return STATUS_OK;
}

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return left < right ? -1 : left > right;
}

double stem_bleed_reach(const stem_programme *programme, uint32_t source_group, uint32_t host_group, double *out_best)
{
    double *reaches = malloc((programme->cell_count + 1) * sizeof *reaches);
    size_t count = 0;
    *out_best = 0.0;
    if (reaches == NULL)
        return 0.0;
    for (size_t c = 0; c < programme->cell_count; c++) {
        const stem_cell *cell = &programme->bleed[c];
        if (source_group >= cell->group_count || host_group >= cell->group_count)
            continue;
        double reach = (double)cell->reach[source_group * cell->group_count + host_group];
        if (reach > 0.0)
            reaches[count++] = reach;
    }
    double common = 0.0;
    if (count > 0) {
        qsort(reaches, count, sizeof *reaches, by_size);
        *out_best = reaches[0];
        common = reaches[count * 9 / 10 < count ? count * 9 / 10 : count - 1];
    }
    free(reaches);
    return common;
}

double stem_band_low_hz(uint32_t band, uint32_t sample_rate)
{
    return (double)(FIRST_BIN << band) * (double)sample_rate / STEM_WINDOW_FRAMES;
}

double stem_band_high_hz(uint32_t band, uint32_t sample_rate)
{
    return 2.0 * stem_band_low_hz(band, sample_rate);
}
