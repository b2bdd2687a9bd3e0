#include "common/measure/stem_bleed.h"

#include "common/measure/leak_gain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BIN = 4 /* of the lowest octave, as the features count them */ };

enum { CLOSE = 45056 /* 0.94 s */ };

static const double same_leak = 0.5;     /* octaves belong to a leak from half its gain on */
static const double least_reach = 1e-5;  /* -100 dB: smaller ones are lost in the rounding of 24 bits */
static const double chance_factor = 1.5; /* against the peak out of time */
static const double cell_min = 6.5;      /* of a second cell, which is as good */
static const double far_clearer = 2.0;   /* score of a cell over that of another */

/* A leak while cells are added to it. */
typedef struct open_leak {
    stem_bleed leak;
    leak_octaves octaves; /* at the delay that is told */
    double rest;
    uint32_t clear_cells;
    bool open_ended; /* up to the end of its last cell nothing says that it has ended */
    size_t first_cell, last_cell;
    stem_beyond before, after; /* these */
    double last_score;
    uint64_t earliest; /* before this another is told */
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

/* Where a leak begins or ends, and between which frames it may: in the middle of what is open, if that is half a second at most. */
typedef struct leak_edge {
    uint64_t told, first, last;
} leak_edge;

/* In its cell or before it. */
static leak_edge leak_start(const stem_cell *cell, const stem_leak *leak)
{
    const stem_beyond *before = &leak->before;
    const uint64_t inside = cell->frame + (uint64_t)leak->first_step * STEM_STEP_FRAMES;
    const uint64_t first = before->open > 0 ? cell->frame - (uint64_t)before->open * STEM_STEP_FRAMES : inside;
    if (before->told == 0)
        return (leak_edge){inside - first <= CLOSE ? first + (inside - first) / 2 : inside, first, inside};
    return (leak_edge){cell->frame - (uint64_t)before->told * STEM_STEP_FRAMES, first,
                       cell->frame - (uint64_t)before->heard * STEM_STEP_FRAMES};
}

static uint64_t cell_end(const stem_cell *cell)
{
    return cell->frame + cell->frame_count;
}

static leak_edge leak_end(const stem_cell *cell, const stem_leak *leak)
{
    const stem_beyond *after = &leak->after;
    const uint64_t edge = cell_end(cell);
    const bool reaches = leak->last_step + 1u >= stem_step_count(cell->frame_count);
    const uint64_t inside = reaches ? edge : cell->frame + (uint64_t)(leak->last_step + 1) * STEM_STEP_FRAMES;
    const uint64_t last = after->open > 0 ? edge + (uint64_t)after->open * STEM_STEP_FRAMES : inside;
    if (after->told == 0)
        return (leak_edge){last - inside <= CLOSE ? inside + (last - inside) / 2 : inside, inside, last};
    return (leak_edge){edge + (uint64_t)after->told * STEM_STEP_FRAMES, edge + (uint64_t)after->heard * STEM_STEP_FRAMES, last};
}

/* Something beyond the cell speaks against it. */
static bool has_ended(const stem_beyond *beyond)
{
    return beyond->open > beyond->heard && beyond->open < STEM_STEPS;
}

static void begin_at(open_leak *open, const stem_cell *cell, size_t index, const stem_leak *leak)
{
    const leak_edge start = leak_start(cell, leak);
    open->leak.start_frame = start.told;
    open->leak.start_first = start.first;
    open->leak.start_last = start.last;
    open->first_cell = index;
    open->before = leak->before;
}

/*
 * Where a cell that is far clearer has looked into the one beside it and heard that the leak is not there, what that one shows at
 * another delay is chance, as of tones that both have.
 */
static bool outshines(const stem_beyond *beyond, int delay, double score, int other_delay, double other_score)
{
    return has_ended(beyond) && delay != other_delay && score >= far_clearer * other_score;
}

static void add_cell(open_leak *open, const stem_cell *cell, size_t index, const stem_leak *leak)
{
    uint32_t steps = stem_step_count(cell->frame_count);
    if (!open->used) {
        *open = (open_leak){.used = true};
        open->leak = (stem_bleed){.source = leak->source, .host = leak->host};
        begin_at(open, cell, index, leak);
    } else {
        const leak_edge start = leak_start(cell, leak);
        const bool clearer = outshines(&leak->before, leak->delay, (double)leak->score, open->leak.delay_samples, open->leak.score);
        if (start.last < open->leak.start_frame || (clearer && start.told > open->leak.start_frame))
            begin_at(open, cell, index, leak);
    }
    const leak_edge end = leak_end(cell, leak);
    /* The cell that it ends in tells that more finely than the one before, which has looked at a few windows of it. */
    if (end.told >= (has_ended(&open->after) ? open->leak.end_first : open->leak.end_frame)) {
        open->leak.end_frame = end.told;
        open->leak.end_first = end.first;
        open->leak.end_last = end.last;
        open->after = leak->after;
    }
    open->leak.cell_count++;
    open->last_cell = index;
    open->last_score = (double)leak->score;
    open->rest = fmax(open->rest, (double)leak->rest);
    open->clear_cells += (double)leak->score >= cell_min;
    open->open_ended = leak->last_open + 1u >= steps;
    const int moved = leak->delay - open->leak.delay_samples;
    const double score = (double)leak->score;
    const bool best = score > open->leak.score;
    const double factor = moved == 0 ? 0.0 : 1.0 / far_clearer; /* at another delay one may stand on other sound, too */
    if (!best && score < fmax(STEM_LEAK_SCORE_MIN, factor * open->leak.score))
        return;
    if (best && open->leak.score < fmax(STEM_LEAK_SCORE_MIN, factor * score))
        open->octaves = (leak_octaves){.of = {{0}}};
    else if (best)
        leak_octaves_move(&open->octaves, moved);
    leak_octaves_add(&open->octaves, leak, best ? 0 : moved);
    if (best) {
        open->leak.score = (double)leak->score;
        open->leak.chance = (double)leak->chance;
        open->leak.delay_samples = leak->delay;
    }
}

/* 0: nothing of the source could be there. */
static double reach_in(const stem_cell *cell, const float *table, uint32_t source_group, uint32_t host_group)
{
    if (source_group >= cell->group_count || host_group >= cell->group_count)
        return 0.0;
    double reach = (double)table[source_group * cell->group_count + host_group];
    return reach > STEM_LEAK_REACH_MOST ? HUGE_VAL : reach > 0.0 ? fmax(reach, least_reach) : 0.0;
}

/* True if a cell between would have shown the leak, so that it ended there. */
static bool would_show(const stem_programme *programme, size_t cell, uint32_t source, uint32_t host, double gain)
{
    const stem_cell *at = &programme->bleed[cell];
    const double reach = reach_in(at, at->reach, source, host);
    return at->all_pairs && reach > 0.0 && reach < same_leak * gain;
}

/* The source plays there, and the leak would not have been found. */
static bool might_hide(const stem_cell *cell, const stem_bleed *leak, const uint8_t *group_of)
{
    const float *table = leak->last_band <= STEM_BANDS_LOW ? cell->reach_low : cell->reach;
    const double reach = reach_in(cell, table, group_of[leak->source], group_of[leak->host]);
    return reach > 0.0 && (!cell->all_pairs || reach >= same_leak * fabs(leak->gain));
}

static uint64_t later_of(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t earlier_of(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Where nothing was heard that speaks against it as far as was looked, it may go on through cells that would not show it. */
static void widen_ends(open_leak *open, const stem_programme *programme, const uint8_t *group_of)
{
    stem_bleed *leak = &open->leak;
    if (open->before.open == STEM_STEPS)
        for (size_t c = open->first_cell; c-- > 0 && might_hide(&programme->bleed[c], leak, group_of);)
            leak->start_first = earlier_of(leak->start_first, programme->bleed[c].frame);
    if (open->after.open == STEM_STEPS)
        for (size_t c = open->last_cell + 1; c < programme->cell_count && might_hide(&programme->bleed[c], leak, group_of); c++)
            leak->end_last = later_of(leak->end_last, cell_end(&programme->bleed[c]));
    leak->start_first = earlier_of(later_of(leak->start_first, open->earliest), leak->start_frame);
    leak->start_last = later_of(leak->start_last, leak->start_frame);
    leak->end_first = earlier_of(leak->end_first, leak->end_frame);
}

/* False: it is none. */
static bool close_leak(open_leak *open, stem_bleeds *out, const stem_programme *programme, const uint8_t *group_of)
{
    open->used = false;
    if (open->leak.score < STEM_LEAK_SCORE_MIN || open->leak.score < chance_factor * open->leak.chance ||
        (open->rest < STEM_LEAK_REST_MIN && open->clear_cells < 2) ||
        !leak_octaves_gain(&open->octaves, &open->leak.gain, &open->leak.first_band, &open->leak.last_band))
        return false;
    widen_ends(open, programme, group_of);
    if (out->count == STEM_BLEEDS_MAX)
        out->dropped++;
    else
        out->items[out->count++] = open->leak;
    return true;
}

static bool continues(const stem_programme *programme, const open_leak *open, size_t cell, const stem_leak *leak,
                      const uint8_t *group_of)
{
    double gain = fabs(stem_leak_gain(leak));
    if (abs(open->leak.delay_samples - leak->delay) > STEM_DELAY_SLACK)
        return false;
    if (leak_start(&programme->bleed[cell], leak).told <= open->leak.end_frame)
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
static uint64_t part_leaks(open_leak *open, uint64_t own_start)
{
    stem_bleed *before = &open->leak;
    if (own_start <= before->start_frame)
        return 0;
    before->end_frame = earlier_of(before->end_frame, own_start);
    before->end_last = earlier_of(before->end_last, own_start);
    open->after = (stem_beyond){0}; /* it is open no further */
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
            if (pair->used && (is_outdone(pair, cell, leak) || outshines(&pair->after, pair->leak.delay_samples, pair->last_score,
                                                                         leak->delay, (double)leak->score)))
                continue;
            uint64_t earliest = 0;
            if (!pair->used || !continues(programme, pair, c, leak, group_of)) {
                if (another_is_followed(programme, c, i) || (pair->used && another_continues(programme, pair, c, i, group_of)))
                    continue;
                if (pair->used) {
                    const uint64_t own = cell->frame + (uint64_t)leak->first_step * STEM_STEP_FRAMES;
                    earliest = part_leaks(pair, own);
                    earliest = close_leak(pair, out_bleeds, programme, group_of) ? earliest : 0;
                }
            }
            add_cell(pair, cell, c, leak);
            if (earliest > 0) {
                pair->earliest = earliest;
                pair->leak.start_frame = later_of(pair->leak.start_frame, earliest);
            }
        }
    }
    for (size_t i = 0; i < (size_t)lanes * lanes; i++)
        if (open[i].used)
            (void)close_leak(&open[i], out_bleeds, programme, group_of);
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
