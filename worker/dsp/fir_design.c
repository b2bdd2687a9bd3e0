#include "worker/dsp/fir_design.h"

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

/* The window at position / half, both in the same unit. */
static double kaiser(double beta, double position, double half)
{
    double ratio = position / half;
    double quarter = beta * beta / 4.0;
    return bessel_i0_of_quarter_square(quarter * (1.0 - ratio * ratio)) / bessel_i0_of_quarter_square(quarter);
}

void fir_design_phase_90(uint32_t reach, double *taps)
{
    static const double beta = 8.0;
    static const double two_over_pi = 0x1.45f306dc9c883p-1; /* the double nearest to 2/pi */
    for (uint32_t p = 0; 2 * p + 1 <= reach; p++) {
        double k = (double)(2 * p + 1);
        taps[p] = two_over_pi / k * kaiser(beta, k, (double)(reach + 1));
    }
}
