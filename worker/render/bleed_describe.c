/*
 * Where in a cell a pair of channels leaks, once its delay is known, and at which gains: first from the windows that the cell is
 * searched in, then, unless all of these have it and tell its gain well, from windows in every step of the cell.
 */
#include "worker/render/bleed_spectra.h"

#include <math.h>
#include <string.h>

static const float end_score_most = 7.5f; /* of few windows: never a leak by itself, but how one in the cell beside goes on */
static const double passes = 0.9;          /* of the largest gain: octaves that have less lie on a filter's slope */
static const double known_well = 1000.0;   /* to 3 %, 0.3 dB: the windows are enough to tell how large it is */

static const double rounding_power = 0x1p-46 / 12.0 * SIZE * 3.0 / 8.0; /* of 24 bits, in a bin of a Hann window */

enum {
    FAINT_STEPS = 16, /* 0.7 s */
    WINDOWS_ABREAST = BATCH / STEM_WINDOWS /* pairs whose windows fill a transform */
};

/* A window of the source, at the time of the leak, and of the host. */
typedef struct pair_window {
    const float *own_re, *own_im; /* as it is */
    const float *source_root, *source_inverse;
    const float *host_re, *host_im; /* of even power */
    const float *host_inverse, *host_weight;
} pair_window;

typedef float four_floats __attribute__((vector_size(16)));
typedef int32_t four_words __attribute__((vector_size(16)));
typedef float four_anywhere __attribute__((vector_size(16), aligned(4), may_alias));

static four_floats four_at(const float *values)
{
    return *(const four_anywhere *)(const void *)values;
}

static four_floats lower_of(four_floats a, four_floats b)
{
    const four_words lower = a < b;
    return (four_floats)(((four_words)a & lower) | ((four_words)b & ~lower));
}

/*
 * How a host's bins count, by its power beside them: with their own in it, bins that chance has raised would count less, and the
 * gain would come out too small.
 */
static void weigh_host(const float *restrict re, const float *restrict im, float *restrict weights)
{
    static_assert(FIRST_BIN % 4 == 0 && BINS % 4 == 0 && FIRST_BIN >= NEAR, "the bins that count are whole fours");
    const four_floats least = (four_floats){0.0f} + 3.0f;
    float powers[BINS + NEAR];
    for (uint32_t k = 0; k < BINS; k++)
        powers[k] = re[k] * re[k] + im[k] * im[k];
    for (uint32_t k = BINS; k < BINS + NEAR; k++)
        powers[k] = 0.0f;
    for (uint32_t k = FIRST_BIN; k < BINS; k += 4) {
        four_floats near = {0.0f};
        for (uint32_t i = 0; i <= 2 * NEAR; i++)
            near += four_at(powers + k - NEAR + i);
        const four_floats others = 2 * SMOOTH + 1 - near;
        const four_words more = others > least;
        const four_floats counted = (four_floats)(((four_words)others & more) | ((four_words)least & ~more));
        *(four_anywhere *)(void *)(weights + k) = (2 * SMOOTH + 1 - (2 * NEAR + 1)) / counted;
    }
}

static double sum_of(four_floats of)
{
    return ((double)of[0] + (double)of[1]) + ((double)of[2] + (double)of[3]);
}

/* What the two have in common in one window, octave by octave. Returns how far the window stands out. */
static double sum_window(const pair_window *window, const float *tilt, leak_sums *sums)
{
    const four_floats most = (four_floats){0.0f} + BLEED_WEIGHT_MOST;
    double height = 0.0;
    double chance = 0.0;
    static_assert(FIRST_BIN << STEM_BANDS == BINS && FIRST_BIN % 4 == 0, "the octaves take up all bins, by fours");
    for (uint32_t band = 0; band < STEM_BANDS; band++) {
        leak_sums *at = &sums[band];
        four_floats own = {0.0f}, re = {0.0f}, im = {0.0f}, host = {0.0f}, heights = {0.0f}, chances = {0.0f};
        four_floats rounding = {0.0f};
        for (uint32_t k = (uint32_t)FIRST_BIN << band; k < (uint32_t)FIRST_BIN << (band + 1); k += 4) {
            const four_floats hr = four_at(window->host_re + k);
            const four_floats hi = four_at(window->host_im + k);
            const four_floats own_re = four_at(window->own_re + k);
            const four_floats own_im = four_at(window->own_im + k);
            const four_floats host_inverse = four_at(window->host_inverse + k);
            const four_floats source_inverse = four_at(window->source_inverse + k);
            const four_floats weight = four_at(window->host_weight + k);
            const four_floats scale = host_inverse * host_inverse;
            const four_floats sr = own_re * scale;
            const four_floats si = own_im * scale;
            const four_floats root = four_at(window->source_root + k) * host_inverse;
            const four_floats counted = lower_of(root, most) * four_at(tilt + k);
            own += weight * (sr * sr + si * si);
            re += weight * (hr * sr + hi * si);
            im += weight * (hi * sr - hr * si);
            host += weight * (hr * hr + hi * hi);
            rounding += weight * (scale * scale);
            heights += counted * ((hr * own_re + hi * own_im) * (source_inverse * source_inverse));
            chances += counted * counted;
        }
        at->own += sum_of(own);
        at->re += sum_of(re);
        at->im += sum_of(im);
        at->host += sum_of(host);
        at->rounding += rounding_power * sum_of(rounding);
        at->bins += (uint32_t)FIRST_BIN << band;
        height += sum_of(heights);
        chance += sum_of(chances);
    }
    return chance > 0.0 ? height / sqrt(chance / 2.0) : 0.0;
}

/*
 * Of the windows that the cell is searched in. The source's, each as much earlier as the leak is later, are transformed anew.
 * likelihoods, NULL where not wanted: how much better all windows of the stretch are explained with the leak.
 */
static void fit_windows(render_bleed *self, const bleed_pair *const *pairs, uint32_t count, stem_leak *leaks,
                        leak_stretch *stretches, bool *clear, double *likelihoods)
{
    const float *frames[FFT_LANES][2] = {{NULL}};
    for (uint32_t i = 0; i < count * STEM_WINDOWS; i++)
        if (i % STEM_WINDOWS < self->window_count) {
            const bleed_pair *pair = pairs[i / STEM_WINDOWS];
            frames[i / 2][i % 2] = bleed_window_frames(self, pair->source, i % STEM_WINDOWS, -pair->delay);
        }
    bleed_load_windows(self, frames);
    lane_fft_forward(&self->fft, self->dsp, self->real, self->imaginary, self->work);
    bleed_unpack_lines(self);
    for (uint32_t p = 0; p < count; p++) {
        leak_sums sums[STEM_WINDOWS][STEM_BANDS];
        double scores[STEM_WINDOWS] = {0.0};
        memset(sums, 0, sizeof sums);
        for (uint32_t w = 0; w < self->window_count; w++) {
            size_t row = ((size_t)p * STEM_WINDOWS + w) * BINS_ROW;
            size_t source = bleed_spectrum_at(pairs[p]->source, w);
            size_t host = bleed_spectrum_at(pairs[p]->host, w);
            const pair_window window = {self->lines_re + row,     self->lines_im + row,        self->root_level + source,
                                        self->root_inverse + source, self->even_re + host,        self->even_im + host,
                                        self->root_inverse + host,   self->edge_weight};
            if (self->power[pairs[p]->source][w] < BLEED_ACTIVE_POWER)
                continue;
            weigh_host(window.host_re, window.host_im, self->edge_weight);
            scores[w] = sum_window(&window, self->tilt, sums[w]);
        }
        clear[p] = leak_fit(&leaks[p], &stretches[p], (const leak_sums(*)[STEM_BANDS])sums, scores, self->window_count);
        for (uint32_t w = stretches[p].first; likelihoods != NULL && clear[p] && w <= stretches[p].last; w++)
            likelihoods[p] += leak_likelihood(&leaks[p], sums[w]);
    }
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

static uint32_t least_of(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* A channel at a time of its own, and where its window of each step begins; NULL: it is not known. */
typedef struct step_track {
    uint16_t lane;
    int delay;
    bool hosts; /* something leaks into it */
    const float *frames[STEM_STEPS];
} step_track;

/* Pairs of tracks, and what they have in common step by step: up to STEPS_ABREAST of up to FFT_LANES. */
typedef struct step_tracks {
    uint32_t count, pair_count;
    step_track of[FFT_LANES];
    uint32_t sources[STEPS_ABREAST], hosts[STEPS_ABREAST];
} step_tracks;

/* Of windows of all tracks, so many steps at a time as fill a transform; two that follow on each other are one signal's parts. */
static void sum_steps(render_bleed *self, const step_tracks *tracks, uint32_t from, uint32_t end)
{
    const uint32_t abreast = FFT_LANES / tracks->count * 2;
    for (uint32_t p = 0; p < tracks->pair_count; p++) {
        memset(self->step_sums[p] + from, 0, (end - from) * sizeof self->step_sums[p][0]);
        memset(self->step_scores[p] + from, 0, (end - from) * sizeof self->step_scores[p][0]);
    }
    for (uint32_t first = from; first < end; first += abreast) {
        const uint32_t count = least_of(end - first, abreast);
        const float *frames[FFT_LANES][2] = {{NULL}};
        double powers[BATCH];
        for (uint32_t t = 0; t < tracks->count; t++)
            for (uint32_t i = 0; i < count; i++)
                frames[(t * abreast + i) / 2][i % 2] = tracks->of[t].frames[first + i];
        bleed_load_windows(self, frames);
        lane_fft_forward(&self->fft, self->dsp, self->real, self->imaginary, self->work);
        bleed_unpack_lines(self);
        for (uint32_t t = 0; t < tracks->count; t++)
            for (uint32_t i = t * abreast; i < t * abreast + count; i++) {
                const size_t at = (size_t)i * BINS_ROW;
                const even_spectrum rows = {self->edge_re + at, self->edge_im + at, self->edge_level + at, self->edge_inverse + at};
                powers[i] = bleed_even_out(self, self->lines_re + at, self->lines_im + at, &rows);
                if (tracks->of[t].hosts)
                    weigh_host(rows.re, rows.im, self->edge_weight + at);
            }
        for (uint32_t p = 0; p < tracks->pair_count; p++)
            for (uint32_t i = 0; i < count; i++) {
                const uint32_t own = tracks->sources[p] * abreast + i;
                const size_t source = (size_t)own * BINS_ROW;
                const size_t host = ((size_t)tracks->hosts[p] * abreast + i) * BINS_ROW;
                const pair_window window = {self->lines_re + source,     self->lines_im + source, self->edge_level + source,
                                            self->edge_inverse + source, self->edge_re + host,    self->edge_im + host,
                                            self->edge_inverse + host,   self->edge_weight + host};
                if (frames[own / 2][own % 2] != NULL && powers[own] >= BLEED_ACTIVE_POWER)
                    self->step_scores[p][first + i] = sum_window(&window, self->tilt, self->step_sums[p][first + i]);
            }
    }
}

/* The track of a lane so much earlier, one of them or a new one; FFT_LANES: there is no room for it. */
static uint32_t track_of(const render_bleed *self, step_tracks *tracks, uint16_t lane, int delay)
{
    uint32_t t = 0;
    while (t < tracks->count && (tracks->of[t].lane != lane || tracks->of[t].delay != delay))
        t++;
    if (t < tracks->count || t == FFT_LANES)
        return t;
    tracks->count++;
    tracks->of[t] = (step_track){.lane = lane, .delay = delay};
    const bleed_pair from = {.delay = delay};
    for (uint32_t step = 0; step < self->step_count; step++) {
        int64_t start = step_source(self, &from, step);
        if (start >= 0)
            tracks->of[t].frames[step] = self->captured + (size_t)lane * CELL_ROW + (size_t)start;
    }
    return t;
}

/* False: there is no room for it. */
static bool add_pair(const render_bleed *self, step_tracks *tracks, const bleed_pair *pair)
{
    const uint32_t before = tracks->count;
    if (tracks->pair_count == STEPS_ABREAST)
        return false;
    const uint32_t source = track_of(self, tracks, pair->source, pair->delay);
    const uint32_t host = track_of(self, tracks, pair->host, 0);
    if (source == FFT_LANES || host == FFT_LANES) {
        tracks->count = before;
        return false;
    }
    tracks->of[host].hosts = true;
    tracks->sources[tracks->pair_count] = source;
    tracks->hosts[tracks->pair_count++] = host;
    return true;
}

/* The step in which a window's share of the cell begins. */
static uint32_t window_step(const render_bleed *self, uint32_t window)
{
    return window * self->step_count / self->window_count;
}

static void tell_steps(stem_leak *leak, const leak_stretch *steps)
{
    leak->first_step = (uint8_t)steps->first;
    leak->last_step = (uint8_t)steps->last;
    leak->first_open = (uint8_t)steps->first_open;
    leak->last_open = (uint8_t)(steps->last_open < steps->last ? steps->last : steps->last_open);
}

static void tell_windows(const render_bleed *self, stem_leak *leak, const leak_stretch *stretch)
{
    uint32_t last = self->step_count - 1;
    uint32_t last_window = self->window_count - 1;
    const leak_stretch steps = {
        window_step(self, stretch->first),
        stretch->last == last_window ? last : least_of(window_step(self, stretch->last + 1) - 1, last),
        window_step(self, stretch->first_open),
        stretch->last_open == last_window ? last : least_of(window_step(self, stretch->last_open + 1) - 1, last)};
    tell_steps(leak, &steps);
}

/*
 * What several windows show, or all together, but not clearly enough, is asked of ten times as many: they were not chosen for
 * this delay. A tone that both have for a moment is no leak.
 */
static bool is_sure(const bleed_pair *pair, const stem_leak *leak)
{
    return !pair->at_end && (double)leak->score >= STEM_LEAK_SCORE_MIN;
}

/*
 * How well the octaves that let it pass say together how large it is: one over the square of their relative error. One that lacks
 * its treble may be known best far above its filter.
 */
static double gain_known(const stem_leak *leak)
{
    double gains[STEM_BANDS];
    double weights[STEM_BANDS];
    double least = 0.0; /* of the largest, by two standard deviations */
    double known = 0.0;
    for (uint32_t b = 0; b < STEM_BANDS; b++) {
        double re = 0.0;
        double im = 0.0;
        bool heard = stem_leak_band(leak, b, &re, &im);
        double own = (double)leak->band_own[b];
        gains[b] = heard ? sqrt(re * re + im * im) : 0.0;
        weights[b] = heard ? gains[b] * gains[b] * own * own / (double)leak->band_noise[b] : 0.0;
        least = heard ? fmax(least, gains[b] * (1.0 - 2.0 / sqrt(weights[b]))) : least;
    }
    for (uint32_t b = 0; b < STEM_BANDS; b++)
        known += gains[b] >= passes * least ? weights[b] : 0.0;
    return known;
}

static bool is_whole(const render_bleed *self, const leak_stretch *stretch)
{
    return stretch->first == 0 && stretch->last == self->window_count - 1;
}

static bool is_asked(const render_bleed *self, const bleed_pair *pair, const stem_leak *leak, const leak_stretch *stretch)
{
    return is_sure(pair, leak) ? !is_whole(self, stretch) || gain_known(leak) < known_well
                               : pair->stands_out || (double)leak->rest >= STEM_LEAK_REST_MIN;
}

/* What the windows have told, more finely by the steps, if these tell the same. */
static void fit_steps(const render_bleed *self, const bleed_pair *pair, const leak_sums sums[][STEM_BANDS], const double *scores,
                      const leak_stretch *stretch, stem_leak *leak)
{
    stem_leak finer = *leak;
    leak_stretch found;
    if (!leak_fit(&finer, &found, sums, scores, self->step_count))
        return;
    double score = stretch_score(scores, &found, STEM_STEPS + 1);
    uint32_t best = found.first;
    for (uint32_t step = found.first; step <= found.last; step++)
        best = fabs(scores[step]) > fabs(scores[best]) ? step : best;
    bool sure = is_sure(pair, leak);
    bool faint = !sure && pair->stands_out;
    if ((!sure && score < STEM_LEAK_SCORE_MIN) || (faint && found.last - found.first < FAINT_STEPS))
        return;
    /* Of a leak that stops in between and comes again they tell one part: then it is told as the windows have it. */
    if (found.first > window_step(self, stretch->first + 1) || found.last + 1 < window_step(self, stretch->last))
        return;
    finer.score = sure ? leak->score : (float)score; /* how sure it is stays with the windows that were not chosen for it */
    finer.rest = fmaxf((float)stretch_score(scores, &found, best), leak->rest);
    /* A window is two steps long; before the first and behind the last of them nothing is known. */
    uint32_t last = self->step_count - 1;
    const leak_stretch steps = {step_source(self, pair, found.first == 0 ? 0 : found.first - 1) < 0 ? 0 : found.first,
                                step_source(self, pair, found.last + 1) < 0 ? last : found.last + 1, found.first_open,
                                step_source(self, pair, found.last_open + 1) < 0 ? last : found.last_open + 1};
    if (!is_whole(self, stretch)) /* else windows at both edges have it, and the steps tell its gain alone */
        tell_steps(&finer, &steps);
    *leak = finer;
}

uint32_t bleed_best_shown(render_bleed *self, const bleed_pair *tried, uint32_t count)
{
    static_assert(END_PEAKS % WINDOWS_ABREAST == 0, "as many as are fitted at a time");
    uint32_t best = 0;
    double most = 0.0;
    for (uint32_t first = 0; first < count; first += WINDOWS_ABREAST) {
        const uint32_t abreast = least_of(count - first, WINDOWS_ABREAST);
        const bleed_pair *pairs[WINDOWS_ABREAST];
        stem_leak leaks[WINDOWS_ABREAST] = {{0}};
        leak_stretch stretches[WINDOWS_ABREAST];
        bool clear[WINDOWS_ABREAST];
        double likelihoods[WINDOWS_ABREAST] = {0.0};
        for (uint32_t i = 0; i < abreast; i++)
            pairs[i] = &tried[first + i];
        fit_windows(self, pairs, abreast, leaks, stretches, clear, likelihoods);
        for (uint32_t i = 0; i < abreast; i++) {
            if (clear[i] && likelihoods[i] > most) {
                most = likelihoods[i];
                best = first + i;
            }
        }
    }
    return best;
}

void bleed_describe(render_bleed *self, const bleed_pair *const *pairs, uint32_t count, stem_leak *leaks, bool *clear)
{
    leak_stretch stretches[CROSSED];
    uint32_t asked[CROSSED];
    uint32_t asked_count = 0;
    for (uint32_t first = 0; first < count; first += WINDOWS_ABREAST)
        fit_windows(self, pairs + first, least_of(count - first, WINDOWS_ABREAST), leaks + first, stretches + first, clear + first,
                    NULL);
    for (uint32_t p = 0; p < count; p++) {
        if (!clear[p])
            continue;
        if (is_asked(self, pairs[p], &leaks[p], &stretches[p]))
            asked[asked_count++] = p;
        if (pairs[p]->at_end)
            leaks[p].score = fminf(leaks[p].score, end_score_most);
        tell_windows(self, &leaks[p], &stretches[p]);
    }
    for (uint32_t first = 0; first < asked_count;) {
        step_tracks tracks = {.count = 0};
        while (first + tracks.pair_count < asked_count && add_pair(self, &tracks, pairs[asked[first + tracks.pair_count]]))
            continue;
        sum_steps(self, &tracks, 0, self->step_count);
        for (uint32_t i = 0; i < tracks.pair_count; i++) {
            const uint32_t p = asked[first + i];
            fit_steps(self, pairs[p], (const leak_sums(*)[STEM_BANDS])self->step_sums[i], self->step_scores[i], &stretches[p],
                      &leaks[p]);
        }
        first += tracks.pair_count;
    }
}

bool bleed_end_inside(render_bleed *self, stem_leak *leak, bool at_end)
{
    const bleed_pair pair = {.source = leak->source, .host = leak->host, .delay = leak->delay};
    const uint32_t share = self->step_count / self->window_count;
    const uint32_t first = at_end ? self->step_count - share : 0;
    step_tracks tracks = {.count = 0};
    double sum = 0.0;
    double most = 0.0;
    uint32_t kept = 0; /* from inside on */
    (void)add_pair(self, &tracks, &pair);
    sum_steps(self, &tracks, first, first + share);
    for (uint32_t i = 0; i < share; i++) {
        sum += leak_speaks(leak, (const leak_sums *)self->step_sums[0][at_end ? first + i : share - 1 - i]);
        if (sum >= most) {
            most = sum;
            kept = i + 1;
        }
    }
    if (sum - most > LEAK_ABSENT_MAX)
        return false;
    const uint32_t edge = at_end ? least_of(first + kept, self->step_count - 1) : share - kept; /* a window is two steps long */
    if (at_end ? edge < leak->first_step : edge > leak->last_step)
        return false;
    *(at_end ? &leak->last_step : &leak->first_step) = (uint8_t)edge;
    *(at_end ? &leak->last_open : &leak->first_open) = (uint8_t)edge;
    return true;
}

double bleed_sum_pair(render_bleed *self, const float *source, const float *host, leak_sums sums[STEM_BANDS])
{
    const step_tracks tracks = {.count = 2,
                                .pair_count = 1,
                                .of = {{.hosts = false, .frames = {source}}, {.hosts = true, .frames = {host}}},
                                .sources = {0},
                                .hosts = {1}};
    sum_steps(self, &tracks, 0, 1);
    memcpy(sums, self->step_sums[0][0], STEM_BANDS * sizeof *sums);
    return self->step_scores[0][0];
}
