#include "common/measure/leak_fit.h"

#include "common/base/plain_math.h"

#include <math.h>

/*
 * Neighbouring bins of a Hann window share two thirds of what they say: its noise bandwidth is 1.5 bins. A window counts for at
 * most WINDOW_MOST, so that no single one outvotes the rest of the cell; and nothing of a host of digital silence is taken for
 * more than 60 dB below its window.
 */
static const double noise_bandwidth = 1.5;
static const double score_min = 3.0;      /* of a window by itself */
static const double band_score_min = 9.0; /* of an octave, squared: with less its gain is not known */
static const double window_most = 20.0;
static const double edge_score_min = 4.5; /* of a window beside the stretch whose source is too quiet to speak for the gain */
static const double least_host = 1e-6;

enum { ROUNDS = 3, STARTS = 8 };

/* Which windows are in it, and what each says for it. */
typedef struct leak_windows {
    bool present[LEAK_WINDOWS_MAX];
    double of[LEAK_WINDOWS_MAX];
    double speaks; /* those of the stretch together */
    leak_stretch stretch;
} leak_windows;

static double squared(double value)
{
    return value * value;
}

/* What the octave's host leaves when the leak is taken away at this gain. */
static double residual_of(const leak_sums *at, double re, double im)
{
    double left = at->host - 2.0 * (re * at->re + im * at->im) + (squared(re) + squared(im)) * at->own;
    return fmax(left, 0.0) + least_host * at->bins;
}

/* The octaves' sums over the windows that are in it, and how uncertain they are. */
static void add_up(stem_leak *leak, const leak_sums sums[][STEM_BANDS], const bool *present, uint32_t window_count)
{
    for (uint32_t b = 0; b < STEM_BANDS; b++) {
        double own = 0.0;
        double re = 0.0;
        double im = 0.0;
        double noise = 0.0;
        for (uint32_t w = 0; w < window_count; w++) {
            own += present[w] ? sums[w][b].own : 0.0;
            re += present[w] ? sums[w][b].re : 0.0;
            im += present[w] ? sums[w][b].im : 0.0;
        }
        for (uint32_t w = 0; w < window_count && own > 0.0; w++)
            if (present[w] && sums[w][b].bins > 0)
                noise += noise_bandwidth * sums[w][b].own * residual_of(&sums[w][b], re / own, im / own) / sums[w][b].bins;
        /* Of a host of tones neighbouring bins are not as many witnesses: the windows among themselves tell no less. */
        double apart = 0.0;
        double count = 0.0;
        for (uint32_t w = 0; w < window_count && own > 0.0; w++)
            if (present[w] && sums[w][b].own > 0.0) {
                double of_all = sums[w][b].own / own;
                apart += squared(sums[w][b].re - of_all * re) + squared(sums[w][b].im - of_all * im);
                count += 1.0;
            }
        if (count > 1.0)
            noise = fmax(noise, apart * count / (count - 1.0));
        leak->band_own[b] = (float)own;
        leak->band_re[b] = (float)re;
        leak->band_im[b] = (float)im;
        leak->band_noise[b] = (float)noise;
    }
}

bool stem_gain_known(double own, double re, double im, double noise)
{
    return own > 0.0 && squared(re) + squared(im) >= band_score_min * noise;
}

bool stem_leak_band(const stem_leak *leak, uint32_t band, double *out_re, double *out_im)
{
    double own = (double)leak->band_own[band];
    if (!stem_gain_known(own, (double)leak->band_re[band], (double)leak->band_im[band], (double)leak->band_noise[band]))
        return false;
    *out_re = (double)leak->band_re[band] / own;
    *out_im = (double)leak->band_im[band] / own;
    return true;
}

double leak_likelihood(const stem_leak *leak, const leak_sums sums[STEM_BANDS])
{
    double total = 0.0;
    for (uint32_t b = 0; b < STEM_BANDS; b++) {
        double re = 0.0;
        double im = 0.0;
        if (sums[b].own <= 0.0 || !stem_leak_band(leak, b, &re, &im))
            continue;
        double better = residual_of(&sums[b], 0.0, 0.0) / residual_of(&sums[b], re, im);
        total += sums[b].bins / noise_bandwidth * natural_log(better);
    }
    return total;
}

double leak_speaks(const stem_leak *leak, const leak_sums sums[STEM_BANDS])
{
    return fmin(fmax(leak_likelihood(leak, sums), -window_most), window_most);
}

/* The stretch of windows that together speak loudest for the leak. */
static bool find_stretch(leak_windows *self, uint32_t window_count)
{
    leak_stretch *out = &self->stretch;
    double sum = 0.0;
    uint32_t first = 0;
    self->speaks = 0.0;
    for (uint32_t w = 0; w < window_count; w++) {
        if (sum <= 0.0) {
            sum = 0.0;
            first = w;
        }
        sum += self->of[w];
        if (sum > self->speaks) {
            self->speaks = sum;
            out->first = first;
            out->last = w;
        }
    }
    while (self->speaks > 0.0 && self->of[out->first] < LEAK_PRESENT_MIN && out->first < out->last)
        out->first++;
    while (self->speaks > 0.0 && self->of[out->last] < LEAK_PRESENT_MIN && out->last > out->first)
        out->last--;
    return self->speaks >= LEAK_PRESENT_MIN;
}

/* From the windows it begins with to those that the leak is in with the gains that these show. */
static bool grow(stem_leak *leak, leak_windows *self, const leak_sums sums[][STEM_BANDS], uint32_t window_count)
{
    bool any = false;
    for (uint32_t w = 0; w < window_count; w++)
        any = any || self->present[w];
    for (uint32_t round = 0; any && round < ROUNDS; round++) {
        add_up(leak, sums, self->present, window_count);
        for (uint32_t w = 0; w < window_count; w++)
            self->of[w] = leak_speaks(leak, sums[w]);
        any = find_stretch(self, window_count);
        for (uint32_t w = 0; w < window_count; w++)
            self->present[w] = w >= self->stretch.first && w <= self->stretch.last && self->of[w] >= LEAK_PRESENT_MIN;
    }
    return any;
}

/* What the windows that are in it say together, and but for the best of them. */
static void score_windows(stem_leak *leak, const double *scores, const bool *present, uint32_t window_count, double sign)
{
    double sum = 0.0;
    double best = -HUGE_VAL;
    uint32_t count = 0;
    for (uint32_t w = 0; w < window_count; w++)
        if (present[w]) {
            double score = sign < 0.0 ? -scores[w] : scores[w];
            sum += score;
            best = fmax(best, score);
            count++;
        }
    leak->rest = count < 2 ? 0.0f : (float)((sum - best) / sqrt(count - 1.0));
    if (count > 2)
        leak->score = (float)fmax((double)leak->score, sum / sqrt((double)count));
}

static bool goes_on(uint32_t window, const double *scores, const double *speaks, double sign)
{
    return (sign < 0.0 ? -scores[window] : scores[window]) >= edge_score_min && speaks[window] > LEAK_ABSENT_MAX;
}

/* Only octaves in which it is fainter than the rounding of the host's samples show it: one of many draws of that is alike. */
static bool below_rounding(const stem_leak *leak, const leak_sums sums[][STEM_BANDS], const bool *present, uint32_t window_count)
{
    bool below = false;
    for (uint32_t b = 0; b < STEM_BANDS; b++) {
        double re = 0.0;
        double im = 0.0;
        double rounding = 0.0;
        if (!stem_leak_band(leak, b, &re, &im))
            continue;
        for (uint32_t w = 0; w < window_count; w++)
            rounding += present[w] ? sums[w][b].rounding : 0.0;
        if ((squared(re) + squared(im)) * (double)leak->band_own[b] >= rounding)
            return false;
        below = true;
    }
    return below;
}

bool leak_fit(stem_leak *leak, leak_stretch *out_stretch, const leak_sums sums[][STEM_BANDS], const double *scores,
              uint32_t window_count)
{
    *out_stretch = (leak_stretch){0};
    leak_windows best = {.speaks = 0.0};
    leak_windows tried;
    double sign = 0.0;
    double most = 0.0;
    for (uint32_t w = 0; w < window_count; w++)
        sign += scores[w];
    for (uint32_t w = 0; w < window_count; w++)
        most = fmax(most, sign < 0.0 ? -scores[w] : scores[w]);
    /* At first from the clearest alone: what is not in it would outweigh them. Where these are chance, from one part of all. */
    for (uint32_t start = 0; start <= STARTS; start++) {
        tried = (leak_windows){.speaks = 0.0};
        for (uint32_t w = 0; w < window_count; w++)
            tried.present[w] = (sign < 0.0 ? -scores[w] : scores[w]) >= (start == 0 ? fmax(score_min, most / 2.0) : score_min) &&
                               (start == 0 || w * STARTS / window_count == start - 1);
        if (grow(leak, &tried, sums, window_count) && tried.speaks > best.speaks)
            best = tried;
    }
    if (best.speaks <= 0.0)
        return false;
    *out_stretch = best.stretch;
    const bool *present = best.present;
    const double *speaks = best.of;
    add_up(leak, sums, present, window_count);
    if (below_rounding(leak, sums, present, window_count))
        return false;
    score_windows(leak, scores, present, window_count, sign);
    while (out_stretch->first > 0 && goes_on(out_stretch->first - 1, scores, speaks, sign))
        out_stretch->first--;
    while (out_stretch->last + 1 < window_count && goes_on(out_stretch->last + 1, scores, speaks, sign))
        out_stretch->last++;
    out_stretch->first_open = out_stretch->first;
    out_stretch->last_open = out_stretch->last;
    while (out_stretch->first_open > 0 && speaks[out_stretch->first_open - 1] > LEAK_ABSENT_MAX)
        out_stretch->first_open--;
    while (out_stretch->last_open + 1 < window_count && speaks[out_stretch->last_open + 1] > LEAK_ABSENT_MAX)
        out_stretch->last_open++;
    return true;
}
