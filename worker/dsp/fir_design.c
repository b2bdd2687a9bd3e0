#include "worker/dsp/fir_design.h"

#include "common/base/plain_math.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

/* I0(2 sqrt(q)) = sum of q^k / (k!)^2: the Kaiser window needs I0 at beta sqrt(1 - r^2), so no square root is taken. */
static double bessel_i0_of_quarter_square(double quarter_square)
{
    double sum = 1.0;
    double term = 1.0;
    for (int k = 1; k < 200 && term > sum * 0x1p-60; k++) {
        term = term * quarter_square / ((double)k * (double)k);
        sum += term;
    }
    return sum;
}

/* The window at position / half, both in the same unit, times I0(beta). */
static double kaiser(double beta, double position, double half)
{
    double ratio = position / half;
    return bessel_i0_of_quarter_square(beta * beta / 4.0 * (1.0 - ratio * ratio));
}

void fir_design_phase_90(uint32_t reach, double *taps)
{
    static const double beta = 8.0;
    static const double two_over_pi = 0x1.45f306dc9c883p-1; /* the double nearest to 2/pi */
    double whole = kaiser(beta, 0.0, 1.0);
    for (uint32_t p = 0; 2 * p + 1 <= reach; p++) {
        double k = (double)(2 * p + 1);
        taps[p] = two_over_pi / k * kaiser(beta, k, (double)(reach + 1)) / whole;
    }
}

/* sin(pi x) / (pi x) */
static double sinc(double x)
{
    static const double pi = 0x1.921fb54442d18p+1;
    return fabs(x) < 0x1p-30 ? 1.0 : sine_of_half_turns(x) / (pi * x);
}

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

enum { RESAMPLE_HALF_TAPS = 140 /* at the lower rate */ };

bool fir_resample_plan_init(fir_resample_plan *self, uint64_t rate_in, uint64_t rate_out)
{
    if (rate_in == 0 || rate_out == 0)
        return false;
    uint64_t divisor = common_divisor(rate_in, rate_out);
    if (rate_out / divisor > RESAMPLE_PHASES_MAX || rate_in / divisor > 16 * (rate_out / divisor))
        return false;
    self->up = (uint32_t)(rate_out / divisor);
    self->down = (uint32_t)(rate_in / divisor);
    uint32_t half = RESAMPLE_HALF_TAPS;
    if (self->down > self->up)
        half = (uint32_t)(((uint64_t)RESAMPLE_HALF_TAPS * self->down + self->up - 1) / self->up);
    half += half % 2;
    self->before = half;
    self->tap_count = 2 * half;
    return true;
}

void fir_design_resample(const fir_resample_plan *self, double *taps)
{
    static const double beta = 18.5;
    static const double middle = 0.9565;
    double scale = self->down > self->up ? (double)self->up / (double)self->down : 1.0;
    double cutoff = middle * scale; /* in units of the input's Nyquist frequency */
    double half = (double)self->before;
    double whole = kaiser(beta, 0.0, 1.0);
    for (uint32_t phase = 0; phase < self->up; phase++) {
        double fraction = (double)phase / (double)self->up;
        for (uint32_t k = 0; k < self->tap_count; k++) {
            double distance = (double)k - (double)(self->before - 1) - fraction; /* input frames from the output's place */
            bool inside = distance > -half && distance < half;
            taps[(size_t)phase * self->tap_count + k] =
                inside ? cutoff * sinc(cutoff * distance) * kaiser(beta, distance, half) / whole : 0.0;
        }
    }
}

/* The curve's magnitude at a frequency: the rational function that BS.468 is usually written as, 0 dB at 2 kHz. */
static double m_curve(double hertz)
{
    static const double level = 4.265795188015927; /* 10^(12.6 / 20) */
    double square = hertz * hertz;
    double even = ((-4.737338981378384e-24 * square + 2.043828333606125e-15) * square - 1.363894795463638e-7) * square + 1.0;
    double odd = ((1.306612257412824e-19 * square - 2.118150887518656e-11) * square + 5.559488023498642e-4) * hertz;
    return level * 1.246332637532143e-4 * hertz / sqrt(even * even + odd * odd);
}

uint32_t fir_design_m_weighting(uint32_t sample_rate, double *taps)
{
    enum { POINTS = 1024, CIRCLE = 4 * POINTS };
    /* cos and sin of 2 pi / CIRCLE to the last bit; turned step by step they are good to 1e-12. */
    static const double turn[2] = {0x1.ffffd88586ee6p-1, 0x1.921faaee6472dp-10};
    static const double beta = 3.0;
    uint32_t reach = M_WEIGHTING_REACH_48K * ((sample_rate + 47999) / 48000);
    uint32_t count = (2 * reach + 4) / 4 * 4;
    if (sample_rate == 0 || sample_rate > 384000)
        return 0;
    double sine[CIRCLE];
    double c = 1.0;
    double s = 0.0;
    for (uint32_t i = 0; i < CIRCLE; i++) {
        sine[i] = s;
        double next = c * turn[0] - s * turn[1];
        s = s * turn[0] + c * turn[1];
        c = next;
    }
    for (uint32_t k = 0; k < count; k++)
        taps[k] = 0.0;
    double whole = kaiser(beta, 0.0, 1.0);
    for (uint32_t k = 1; k <= reach; k++) {
        /* The sine series of the curve, by its values between 0 and half the rate. */
        double sum = 0.0;
        for (uint32_t m = 0; m < POINTS; m++)
            sum += m_curve(((double)m + 0.5) * (double)sample_rate / (2 * POINTS)) * sine[k * (2 * m + 1) % CIRCLE];
        double tap = sum / POINTS * kaiser(beta, (double)k, (double)(reach + 1)) / whole;
        taps[count - 1 - reach - k] = tap;
        taps[count - 1 - reach + k] = -tap;
    }
    return count;
}
