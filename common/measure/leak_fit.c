#include "common/measure/leak_fit.h"

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
static const double present_min = 2.0;    /* log likelihood */
static const double absent_max = -3.0;
static const double edge_score_min = 4.5; /* of a window beside the stretch whose source is too quiet to speak for the gain */
static const double least_host = 1e-6;

enum { ROUNDS = 3 };

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
        leak->band_own[b] = (float)own;
        leak->band_re[b] = (float)re;
        leak->band_im[b] = (float)im;
        leak->band_noise[b] = (float)noise;
    }
}

bool stem_leak_band(const stem_leak *leak, uint32_t band, double *out_re, double *out_im)
{
    double own = (double)leak->band_own[band];
    double energy = squared((double)leak->band_re[band]) + squared((double)leak->band_im[band]);
    if (own <= 0.0 || energy < band_score_min * (double)leak->band_noise[band])
        return false;
    *out_re = (double)leak->band_re[band] / own;
    *out_im = (double)leak->band_im[band] / own;
    return true;
}

/* How much better the window is explained with the leak than without, as a log likelihood. */
static double likelihood(const stem_leak *leak, const leak_sums *sums)
{
    double total = 0.0;
    for (uint32_t b = 0; b < STEM_BANDS; b++) {
        double re = 0.0;
        double im = 0.0;
        if (sums[b].own <= 0.0 || !stem_leak_band(leak, b, &re, &im))
            continue;
        total += sums[b].bins / noise_bandwidth * log(residual_of(&sums[b], 0.0, 0.0) / residual_of(&sums[b], re, im));
    }
    return fmin(fmax(total, -window_most), window_most);
}

/* The stretch of windows that together speak loudest for the leak. */
static bool find_stretch(leak_stretch *out, const double *speaks, uint32_t window_count)
{
    double best = 0.0;
    double sum = 0.0;
    uint32_t first = 0;
    for (uint32_t w = 0; w < window_count; w++) {
        if (sum <= 0.0) {
            sum = 0.0;
            first = w;
        }
        sum += speaks[w];
        if (sum > best) {
            best = sum;
            out->first = first;
            out->last = w;
        }
    }
    while (best > 0.0 && speaks[out->first] < present_min && out->first < out->last)
        out->first++;
    while (best > 0.0 && speaks[out->last] < present_min && out->last > out->first)
        out->last--;
    return best >= present_min;
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
    return (sign < 0.0 ? -scores[window] : scores[window]) >= edge_score_min && speaks[window] > absent_max;
}

bool leak_fit(stem_leak *leak, leak_stretch *out_stretch, const leak_sums sums[][STEM_BANDS], const double *scores,
              uint32_t window_count)
{
    *out_stretch = (leak_stretch){0};
    bool present[LEAK_WINDOWS_MAX] = {false};
    double speaks[LEAK_WINDOWS_MAX] = {0.0};
    double sign = 0.0;
    double best = 0.0;
    for (uint32_t w = 0; w < window_count; w++)
        sign += scores[w];
    for (uint32_t w = 0; w < window_count; w++)
        best = fmax(best, sign < 0.0 ? -scores[w] : scores[w]);
    bool any = false;
    for (uint32_t w = 0; w < window_count; w++) { /* at first the clearest alone: what is not in it would outweigh them */
        present[w] = (sign < 0.0 ? -scores[w] : scores[w]) >= fmax(score_min, best / 2.0);
        any = any || present[w];
    }
    for (uint32_t round = 0; any && round < ROUNDS; round++) {
        add_up(leak, sums, present, window_count);
        for (uint32_t w = 0; w < window_count; w++)
            speaks[w] = likelihood(leak, sums[w]);
        any = find_stretch(out_stretch, speaks, window_count);
        for (uint32_t w = 0; w < window_count; w++)
            present[w] = w >= out_stretch->first && w <= out_stretch->last && speaks[w] >= present_min;
    }
    if (!any)
        return false;
    add_up(leak, sums, present, window_count);
    score_windows(leak, scores, present, window_count, sign);
    while (out_stretch->first > 0 && goes_on(out_stretch->first - 1, scores, speaks, sign))
        out_stretch->first--;
    while (out_stretch->last + 1 < window_count && goes_on(out_stretch->last + 1, scores, speaks, sign))
        out_stretch->last++;
    out_stretch->first_open = out_stretch->first;
    out_stretch->last_open = out_stretch->last;
    while (out_stretch->first_open > 0 && speaks[out_stretch->first_open - 1] > absent_max)
        out_stretch->first_open--;
    while (out_stretch->last_open + 1 < window_count && speaks[out_stretch->last_open + 1] > absent_max)
        out_stretch->last_open++;
    return true;
}
