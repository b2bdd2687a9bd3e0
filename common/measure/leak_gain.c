#include "common/measure/leak_gain.h"

#include "common/base/plain_math.h"
#include "common/measure/stem_bleed.h"

#include <math.h>

static const double same_leak = 0.5;     /* octaves belong to a leak from half its gain on */
static const double gain_of = 0.95;      /* of those that let it pass (-0.4 dB) the gain is told: not of a filter's slope */
static const double slope_of = 0.9;      /* -0.9 dB in an octave: a filter takes something of the one beside it, too */
static const double flat_known = 300.0;  /* to 6 %: then what lies beside a slope is left out */
static const double well_known = 100.0;  /* to a tenth */
static const double octave_step = 6.0;   /* 15.6 dB: a filter of the second order has 12 dB an octave */

/* Of sounds that hold the same tone each cell is sure of itself: what cells say apart tells more of it. */
static double noise_of(const octave_sums *sums)
{
    if (sums->count < 2 || sums->own <= 0.0)
        return sums->noise;
    const double re = sums->re / sums->own;
    const double im = sums->im / sums->own;
    const double apart = sums->said - 2.0 * (re * sums->own_re + im * sums->own_im) + (re * re + im * im) * sums->own_own;
    return fmax(sums->noise, apart * sums->count / (sums->count - 1.0));
}

static octave_sums octave_of(const stem_leak *leak, uint32_t band)
{
    const double own = (double)leak->band_own[band];
    const double re = (double)leak->band_re[band];
    const double im = (double)leak->band_im[band];
    return (octave_sums){own, re, im, (double)leak->band_noise[band], re * re + im * im, own * re, own * im, own * own, own > 0.0};
}

static void add_octave(octave_sums *all, const octave_sums *one)
{
    all->own += one->own;
    all->re += one->re;
    all->im += one->im;
    all->noise += one->noise;
    all->said += one->said;
    all->own_re += one->own_re;
    all->own_im += one->own_im;
    all->own_own += one->own_own;
    all->count += one->count;
}

/* By how many half turns the phase at the lowest frequency of an octave is off, and so at the highest by twice as many. */
static double turned_by(uint32_t band, int samples)
{
    return stem_band_low_hz(band, 2) * samples; /* of 2 Hz a sample is half a second */
}

/* Beside its delay a leak's treble is lost: what cells say at two delays counts together in octaves that lose less than 1 %. */
static bool is_alike(uint32_t band, int samples)
{
    return fabs(turned_by(band, samples)) < 0.16;
}

static void turn_by(double *re, double *im, double cosine, double sine)
{
    const double was = *re;
    *re = cosine * was - sine * *im;
    *im = sine * was + cosine * *im;
}

/* To a delay that is so many samples longer, at which the leak seems as much earlier. */
static void turn(octave_sums *sums, uint32_t band, int samples)
{
    const double middle = 1.5 * turned_by(band, samples);
    const double cosine = sine_of_half_turns(middle + 0.5);
    const double sine = sine_of_half_turns(middle);
    turn_by(&sums->re, &sums->im, cosine, sine);
    turn_by(&sums->own_re, &sums->own_im, cosine, sine);
}

void leak_octaves_move(leak_octaves *self, int samples)
{
    for (uint32_t b = 0; b < STEM_BANDS; b++)
        if (is_alike(b, samples))
            turn(&self->of[b], b, samples);
        else
            self->of[b] = (octave_sums){0};
}

void leak_octaves_add(leak_octaves *self, const stem_leak *leak, int samples)
{
    for (uint32_t b = 0; b < STEM_BANDS; b++) {
        octave_sums one = octave_of(leak, b);
        if (!is_alike(b, samples))
            continue;
        turn(&one, b, -samples);
        add_octave(&self->of[b], &one);
    }
}

/* Gain of an octave, less what chance adds to it; 0 where it is not known. *out_weight: one over its relative error squared. */
static double band_gain(const octave_sums *sums, double *out_weight)
{
    const double noise = noise_of(sums);
    *out_weight = 0.0;
    if (!stem_gain_known(sums->own, sums->re, sums->im, noise))
        return 0.0;
    const double error = noise / (sums->own * sums->own);
    const double power = (sums->re * sums->re + sums->im * sums->im) / (sums->own * sums->own);
    /* A gain is never known better than to one percent: the strongest octave is not alone in what is told. */
    *out_weight = power / (error + 1e-4 * power);
    return sqrt(fmax(power - error, 0.0));
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
bool leak_octaves_gain(const leak_octaves *self, double *out_gain, uint32_t *out_first_band, uint32_t *out_last_band)
{
    double gains[STEM_BANDS];
    double weights[STEM_BANDS];
    double most = 0.0; /* at least, by two standard deviations: of nine octaves chance raises one by that */
    double sign = 0.0;
    uint32_t first = 0;
    uint32_t last = 0;
    for (uint32_t b = 0; b < STEM_BANDS; b++)
        gains[b] = band_gain(&self->of[b], &weights[b]);
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
            sign += copysign(weights[b], self->of[b].re); /* far above a filter it has turned */
            if ((b == first || !beside_slope(gains, weights, b, b - 1)) && (b == last || !beside_slope(gains, weights, b, b + 1)))
                add_gain(&flat, gains[b], weights[b]);
        }
        *out_first_band = any ? *out_first_band : b;
        *out_last_band = b;
        any = true;
    }
    if (passed.weight <= 0.0)
        return false;
    const gain_sum *told = flat.weight >= flat_known ? &flat : &passed;
    *out_gain = copysign(told->product / told->weight, sign);
    return true;
}
