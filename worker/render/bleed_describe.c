/*
 * Where in a cell a pair of channels leaks, once its delay is known, and at which gains: first from the windows that the cell is
 * searched in, then, unless all of these have it, from windows in every step of the cell.
 */
#include "worker/render/bleed_spectra.h"

#include <math.h>
#include <string.h>

static const double clear_beyond = 45.0; /* a third of it is what the eight windows of that cell hear of those nearest to it */
static const float end_score_most = 7.5f; /* of few windows: never a leak by itself, but how one in the cell beside goes on */

enum {
    FAINT_STEPS = 16, /* 0.7 s */
    BEYOND_OPEN = 20  /* 0.85 s: a source that pauses so long before the last of the steps may play on behind it */
};

/* A window of the source, at the time of the leak, and of the host. */
typedef struct pair_window {
    const float *own_re, *own_im; /* as it is */
    const float *source_root;
    const float *host_re, *host_im; /* of even power */
    const float *host_root;
} pair_window;

/* Where a window of the source, at the time of the leak, and one of the host begin; NULL: one of them is not known. */
typedef struct pair_frames {
    const float *source, *host;
} pair_frames;

/*
 * What the two have in common in one window, octave by octave. Bins are weighted by the host's power beside them: with their own
 * in it, bins that chance has raised would count less, and the gain would come out too small. Returns how far the window stands
 * out.
 */
static double sum_window(const pair_window *window, const float *restrict tilt, leak_sums *sums)
{
    const float *restrict hr = window->host_re;
    const float *restrict hi = window->host_im;
    const float *restrict own_re = window->own_re;
    const float *restrict own_im = window->own_im;
    const float *restrict source_root = window->source_root;
    const float *restrict host_root = window->host_root;
    double powers[BINS + NEAR];
    double weights[BINS], own[BINS], re[BINS], im[BINS], heights[BINS], chances[BINS];
    double height = 0.0;
    double chance = 0.0;
    for (uint32_t k = 0; k < BINS; k++)
        powers[k] = (double)(hr[k] * hr[k] + hi[k] * hi[k]);
    for (uint32_t k = BINS; k < BINS + NEAR; k++)
        powers[k] = 0.0;
    for (uint32_t k = FIRST_BIN; k < BINS; k++) {
        double near = 0.0;
        for (uint32_t i = 0; i <= 2 * NEAR; i++)
            near += powers[k - NEAR + i];
        double others = 2 * SMOOTH + 1 - near;
        weights[k] = others > 3.0 ? others : 3.0;
    }
    for (uint32_t k = FIRST_BIN; k < BINS; k++) { /* apart from the sums, which wait for each other: so it goes abreast */
        double weight = (2 * SMOOTH + 1 - (2 * NEAR + 1)) / weights[k];
        double inverse = (double)host_root[k] * (double)host_root[k];
        double sr = (double)own_re[k] * inverse;
        double si = (double)own_im[k] * inverse;
        double both_re = (double)hr[k] * sr + (double)hi[k] * si;
        double both_im = (double)hi[k] * sr - (double)hr[k] * si;
        float root = source_root[k] * host_root[k];
        double counted = (double)(bleed_bin_weight(root) * tilt[k]);
        weights[k] = weight * powers[k];
        own[k] = weight * (sr * sr + si * si);
        re[k] = weight * both_re;
        im[k] = weight * both_im;
        heights[k] = counted * both_re / ((double)root * (double)root);
        chances[k] = counted * counted;
    }
    static_assert(FIRST_BIN << STEM_BANDS == BINS, "the octaves take up all bins");
    for (uint32_t band = 0; band < STEM_BANDS; band++) {
        leak_sums at = sums[band];
        for (uint32_t k = (uint32_t)FIRST_BIN << band; k < (uint32_t)FIRST_BIN << (band + 1); k++) {
            height += heights[k];
            chance += chances[k];
            at.own += own[k];
            at.re += re[k];
            at.im += im[k];
            at.host += weights[k];
        }
        at.bins += (uint32_t)FIRST_BIN << band;
        sums[band] = at;
    }
    return chance > 0.0 ? height / sqrt(chance / 2.0) : 0.0;
}

/* Of the windows that the cell is searched in. The source's, each as much earlier as the leak is later, are transformed anew. */
static bool fit_windows(render_bleed *self, const bleed_pair *pair, stem_leak *leak, leak_stretch *out_stretch)
{
    leak_sums sums[STEM_WINDOWS][STEM_BANDS];
    double scores[STEM_WINDOWS] = {0.0};
    const float *frames[FFT_LANES][2] = {{NULL}};
    for (uint32_t w = 0; w < self->window_count; w++)
        frames[w / 2][w % 2] = bleed_window_frames(self, pair->source, w, -pair->delay);
    bleed_load_windows(self, frames);
    lane_fft_forward(&self->fft, self->dsp, self->real, self->imaginary, self->work);
    bleed_unpack_lines(self);
    memset(sums, 0, sizeof sums);
    for (uint32_t w = 0; w < self->window_count; w++) {
        size_t source = bleed_spectrum_at(pair->source, w);
        size_t host = bleed_spectrum_at(pair->host, w);
        const pair_window window = {self->lines_re + w * BINS_ROW, self->lines_im + w * BINS_ROW, self->root_level + source,
                                    self->even_re + host, self->even_im + host, self->root_inverse + host};
        if (self->power[pair->source][w] >= BLEED_ACTIVE_POWER)
            scores[w] = sum_window(&window, self->tilt, sums[w]);
    }
    return leak_fit(leak, out_stretch, (const leak_sums(*)[STEM_BANDS])sums, scores, self->window_count);
}

/* Where the source's window of a step begins; -1: it, or the host's, is not in the cell. */
static int64_t step_source(const render_bleed *self, const bleed_pair *pair, uint32_t step)
{
    int64_t host = (int64_t)step * STEM_STEP_FRAMES;
    int64_t source = host - pair->delay;
    int64_t most = (int64_t)self->frame_count - SIZE;
    return host <= most && source >= 0 && source <= most ? source : -1;
}

/* What all windows of a stretch say together, those too that speak against it; but for one and the two that lie half over it. */
static double stretch_score(const double *scores, const leak_stretch *stretch, uint32_t but)
{
    double sum = 0.0;
    double count = 0.0;
    for (uint32_t step = stretch->first; step <= stretch->last; step++) {
        if (step + 1 >= but && step <= but + 1)
            continue;
        sum += scores[step];
        count += scores[step] != 0.0 ? 1.0 : 0.0;
    }
    return count > 0.0 ? fabs(sum) / sqrt(count) : 0.0;
}

/* Of windows of both, FFT_LANES at a time, the source's beside the host's. */
static void sum_steps(render_bleed *self, const pair_frames *steps, uint32_t step_count,
                      leak_sums sums[][STEM_BANDS], double *scores)
{
    memset(sums, 0, step_count * sizeof sums[0]);
    memset(scores, 0, step_count * sizeof scores[0]);
    for (uint32_t first = 0; first < step_count; first += FFT_LANES) {
        uint32_t count = step_count - first < FFT_LANES ? step_count - first : FFT_LANES;
        const float *frames[FFT_LANES][2] = {{NULL}};
        for (uint32_t i = 0; i < count; i++) {
            frames[i][0] = steps[first + i].source;
            frames[i][1] = steps[first + i].host;
        }
        bleed_load_windows(self, frames);
        lane_fft_forward(&self->fft, self->dsp, self->real, self->imaginary, self->work);
        bleed_unpack_lines(self);
        for (uint32_t i = 0; i < count; i++) {
            if (frames[i][0] == NULL)
                continue;
            size_t source = (size_t)(2 * i) * BINS_ROW;
            size_t host = source + BINS_ROW;
            double powers[2];
            const bleed_rows rows[2] = {
                {self->edge_re + source, self->edge_im + source, self->edge_level + source, self->edge_inverse + source},
                {self->edge_re + host, self->edge_im + host, self->edge_level + host, self->edge_inverse + host}};
            const pair_window window = {self->lines_re + source, self->lines_im + source, rows[0].level,
                                        rows[1].re, rows[1].im, rows[1].inverse};
            bleed_even_out(self, self->lines_re + source, self->lines_im + source, rows, powers);
            if (powers[0] < BLEED_ACTIVE_POWER)
                continue;
            scores[first + i] = sum_window(&window, self->tilt, sums[first + i]);
        }
    }
}

/* Of a window in each step of the cell, half over the next one. */
static bool fit_steps(render_bleed *self, const bleed_pair *pair, stem_leak *leak, leak_stretch *out_stretch, double *out_score)
{
    leak_sums sums[STEM_STEPS][STEM_BANDS];
    double scores[STEM_STEPS];
    pair_frames steps[STEM_STEPS] = {{NULL, NULL}};
    for (uint32_t step = 0; step < self->step_count; step++) {
        int64_t source = step_source(self, pair, step);
        if (source < 0)
            continue;
        steps[step].source = self->captured + (size_t)pair->source * CELL_ROW + (size_t)source;
        steps[step].host = self->captured + (size_t)pair->host * CELL_ROW + (size_t)step * STEM_STEP_FRAMES;
    }
    sum_steps(self, steps, self->step_count, sums, scores);
    if (!leak_fit(leak, out_stretch, (const leak_sums(*)[STEM_BANDS])sums, scores, self->step_count))
        return false;
    *out_score = stretch_score(scores, out_stretch, STEM_STEPS + 1);
    uint32_t best = out_stretch->first;
    for (uint32_t step = out_stretch->first; step <= out_stretch->last; step++)
        best = fabs(scores[step]) > fabs(scores[best]) ? step : best;
    leak->rest = (float)stretch_score(scores, out_stretch, best);
    return true;
}

/* The step in which a window's share of the cell begins. */
static uint32_t window_step(const render_bleed *self, uint32_t window)
{
    return window * self->step_count / self->window_count;
}

static uint32_t least_of(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

bool bleed_describe(render_bleed *self, const bleed_pair *pair, stem_leak *leak)
{
    leak_stretch stretch;
    if (!fit_windows(self, pair, leak, &stretch))
        return false;
    uint32_t last = self->step_count - 1;
    uint32_t last_window = self->window_count - 1;
    leak_stretch steps = {window_step(self, stretch.first),
                          stretch.last == last_window ? last : least_of(window_step(self, stretch.last + 1) - 1, last),
                          window_step(self, stretch.first_open),
                          stretch.last_open == last_window ? last : least_of(window_step(self, stretch.last_open + 1) - 1, last)};
    stem_leak finer = *leak;
    leak_stretch found;
    double score = 0.0;
    bool sure = !pair->at_end && (double)leak->score >= STEM_LEAK_SCORE_MIN;
    if (pair->at_end)
        leak->score = fminf(leak->score, end_score_most);
    bool whole = stretch.first == 0 && stretch.last == last_window;
    /*
     * What several windows show, or all together, but not clearly enough, is asked of ten times as many: they were not chosen for
     * this delay. A tone that both have for a moment is no leak.
     */
    bool faint = !sure && pair->stands_out;
    bool asked = sure ? !whole : faint || (double)leak->rest >= STEM_LEAK_REST_MIN;
    if (asked && fit_steps(self, pair, &finer, &found, &score) && (sure || score >= STEM_LEAK_SCORE_MIN) &&
        (!faint || found.last - found.first >= FAINT_STEPS) &&
        /* Of a leak that stops in between and comes again they tell one part: then it is told as the windows have it. */
        found.first <= window_step(self, stretch.first + 1) && found.last + 1 >= window_step(self, stretch.last)) {
        /* A window is two steps long; before the first and behind the last of them nothing is known. */
        steps.first = step_source(self, pair, found.first == 0 ? 0 : found.first - 1) < 0 ? 0 : found.first;
        steps.last = step_source(self, pair, found.last + 1) < 0 ? last : found.last + 1;
        steps.first_open = found.first_open;
        steps.last_open = step_source(self, pair, found.last_open + 1) < 0 ? last : found.last_open + 1;
        finer.score = sure ? leak->score : (float)score; /* how sure it is stays with the windows that were not chosen for it */
        finer.rest = fmaxf(finer.rest, leak->rest);
        *leak = finer;
    }
    leak->first_step = (uint8_t)steps.first;
    leak->last_step = (uint8_t)steps.last;
    leak->first_open = (uint8_t)steps.first_open;
    leak->last_open = (uint8_t)(steps.last_open < steps.last ? steps.last : steps.last_open);
    return true;
}

/*
 * Steps that a leak goes on for beyond an edge of the cell, as far as the piece does: of the nearest first, then of more, unless it
 * is so clear in those that the cell there tells the rest by itself.
 */
static status steps_beyond(render_bleed *self, const bleed_pair *pair, const stem_leak *leak, bool at_end,
                           const bleed_beyond *beyond, uint32_t *out_count)
{
    enum { AROUND = STEM_STEP_FRAMES + STEM_DELAY_MAX }; /* the first window lies half in the cell */
    leak_sums sums[BEYOND_STEPS][STEM_BANDS];
    double scores[BEYOND_STEPS];
    pair_frames steps[BEYOND_STEPS];
    const uint16_t lanes[2] = {pair->source, pair->host};
    uint64_t left = at_end ? beyond->after : beyond->before;
    uint32_t most = left / STEM_STEP_FRAMES < BEYOND_STEPS + 1 ? (uint32_t)(left / STEM_STEP_FRAMES) : BEYOND_STEPS + 1;
    *out_count = 0;
    for (uint32_t known = 0; known + 1 < most && self->frame_count >= AROUND;) {
        uint32_t end = least_of(known + BEYOND_READ, most - 1);
        uint32_t frames = (end - known) * STEM_STEP_FRAMES;
        int64_t first = at_end ? (int64_t)self->frame_count + ((int64_t)known - 1) * STEM_STEP_FRAMES - STEM_DELAY_MAX
                               : -(int64_t)end * STEM_STEP_FRAMES - STEM_DELAY_MAX;
        status code = beyond->frames(beyond->context, lanes, first, frames + STEM_STEP_FRAMES + 2 * STEM_DELAY_MAX, self->beyond);
        if (code != STATUS_OK)
            return code;
        for (uint32_t i = known; i < end; i++) {
            int64_t host = at_end ? (int64_t)self->frame_count + ((int64_t)i - 1) * STEM_STEP_FRAMES - first
                                  : -(int64_t)(i + 1) * STEM_STEP_FRAMES - first;
            steps[i].host = self->beyond[1] + host;
            steps[i].source = self->beyond[0] + host - pair->delay;
        }
        sum_steps(self, steps + known, end - known, sums + known, scores + known);
        *out_count = leak_goes_on(leak, (const leak_sums(*)[STEM_BANDS])sums, end);
        const leak_stretch stretch = {.first = 0, .last = end - 1};
        if (end == BEYOND_NEAR &&
            (*out_count + BEYOND_OPEN < end || stretch_score(scores, &stretch, STEM_STEPS + 1) >= clear_beyond))
            break;
        known = end;
    }
    return STATUS_OK;
}

status bleed_look_beyond(render_bleed *self, const bleed_pair *pair, stem_leak *leak, const bleed_beyond *beyond)
{
    uint32_t before = 0;
    uint32_t after = 0;
    status code = STATUS_OK;
    if (leak->first_open == 0)
        code = steps_beyond(self, pair, leak, false, beyond, &before);
    if (code == STATUS_OK && leak->last_open + 1u >= self->step_count)
        code = steps_beyond(self, pair, leak, true, beyond, &after);
    leak->before = (uint8_t)before;
    leak->after = (uint8_t)after;
    return code;
}
