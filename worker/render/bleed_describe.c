/*
 * Where in a cell a pair of channels leaks, once its delay is known, and at which gains: first from the windows that the cell is
 * searched in, then, unless all of these have it, from windows in every step of the cell.
 */
#include "worker/render/bleed_spectra.h"

#include <math.h>
#include <string.h>

static const float end_score_most = 7.5f; /* of few windows: never a leak by itself, but how one in the cell beside goes on */

/* A window of the source, at the time of the leak, and of the host. */
typedef struct pair_window {
    const float *own_re, *own_im; /* as it is */
    const float *source_root;
    const float *host_re, *host_im; /* of even power */
    const float *host_root;
} pair_window;

/*
 * What the two have in common in one window, octave by octave. Bins are weighted by the host's power beside them: with their own
 * in it, bins that chance has raised would count less, and the gain would come out too small. Returns how far the window stands
 * out.
 */
static double sum_window(const pair_window *window, const float *restrict tilt, leak_sums *sums)
{
    const float *restrict hr = window->host_re;
    const float *restrict hi = window->host_im;
    double powers[BINS + NEAR];
    double height = 0.0;
    double chance = 0.0;
    uint32_t band = 0;
    for (uint32_t k = 0; k < BINS; k++)
        powers[k] = (double)(hr[k] * hr[k] + hi[k] * hi[k]);
    for (uint32_t k = BINS; k < BINS + NEAR; k++)
        powers[k] = 0.0;
    for (uint32_t k = FIRST_BIN; k < BINS; k++) {
        while (band + 1 < STEM_BANDS && k >= (uint32_t)FIRST_BIN << (band + 1))
            band++;
        double near = 0.0;
        for (uint32_t i = k - NEAR; i <= k + NEAR; i++)
            near += powers[i];
        double others = 2 * SMOOTH + 1 - near;
        double weight = (2 * SMOOTH + 1 - (2 * NEAR + 1)) / (others > 3.0 ? others : 3.0);
        double inverse = (double)window->host_root[k] * (double)window->host_root[k];
        double sr = (double)window->own_re[k] * inverse;
        double si = (double)window->own_im[k] * inverse;
        double re = (double)hr[k] * sr + (double)hi[k] * si;
        double im = (double)hi[k] * sr - (double)hr[k] * si;
        float root = window->source_root[k] * window->host_root[k];
        double counted = (double)(bleed_bin_weight(root) * tilt[k]);
        height += counted * re / ((double)root * (double)root);
        chance += counted * counted;
        leak_sums *at = &sums[band];
        at->own += weight * (sr * sr + si * si);
        at->re += weight * re;
        at->im += weight * im;
        at->host += weight * powers[k];
        at->bins++;
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

/* Of a window in each step, half over the next one: FFT_LANES at a time, the source's beside the host's. */
static bool fit_steps(render_bleed *self, const bleed_pair *pair, stem_leak *leak, leak_stretch *out_stretch, double *out_score)
{
    leak_sums sums[STEM_STEPS][STEM_BANDS];
    double scores[STEM_STEPS] = {0.0};
    memset(sums, 0, sizeof sums);
    for (uint32_t first = 0; first < self->step_count; first += FFT_LANES) {
        uint32_t count = self->step_count - first < FFT_LANES ? self->step_count - first : FFT_LANES;
        const float *frames[FFT_LANES][2] = {{NULL}};
        for (uint32_t i = 0; i < count; i++) {
            int64_t source = step_source(self, pair, first + i);
            if (source < 0)
                continue;
            frames[i][0] = self->captured + (size_t)pair->source * CELL_ROW + (size_t)source;
            frames[i][1] = self->captured + (size_t)pair->host * CELL_ROW + (size_t)(first + i) * STEM_STEP_FRAMES;
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
    /* What several windows show, but not clearly enough, is asked of ten times as many: they were not chosen for this delay. */
    bool asked = sure ? !whole : (double)leak->rest >= STEM_LEAK_REST_MIN;
    if (asked && fit_steps(self, pair, &finer, &found, &score) && (sure || score >= STEM_LEAK_SCORE_MIN) &&
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
