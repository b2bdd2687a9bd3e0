/**
 * K-weighting coefficients for any rate.
 *
 * ITU-R BS.1770-5, Annex 1, tabulates 48 kHz and asks for the same response at other rates. The analogue prototypes
 * below are the ones of libebur128 and ffmpeg, whose bilinear transform at 48 kHz gives the two tables back (the test
 * says how closely): a high shelf of 3.99984 dB at 1681.97 Hz and a high pass at 38.1355 Hz. Only + - * / are used:
 * the result is the same on every machine that follows IEEE 754.
 */
#include "worker/dsp/dsp_table.h"

#define SHELF_HZ 1681.974450955533
#define SHELF_Q 0.7071752369554196
/* 10^(3.999843853973347 / 20), and that to the power 0.4996667741545416, computed to 40 digits. */
#define SHELF_GAIN 1.584864701130855615453362924031130132447
#define SHELF_GAIN_BAND 1.258720930232561767262307435158029966633
#define HIGH_PASS_HZ 38.13547087602444
#define HIGH_PASS_Q 0.5003270373238773
#define PI 3.141592653589793238462643383279502884197

/**
 * tan(x) by Lambert's continued fraction x / (1 - x^2 / (3 - x^2 / (5 - ...))), cut after 11 levels.
 *
 * For |x| <= 0.67 (SHELF_HZ at 8 kHz) the cut part is below 1e-20 of the value; each level's rounding is damped by
 * x^2 / (2n + 1)^2, so the result is within 4 units of the last place.
 */
static double tangent(double x)
{
    const double square = x * x;
    double denominator = 21.0;
    for (int odd = 19; odd >= 1; odd -= 2)
        denominator = (double)odd - square / denominator;
    return x / denominator;
}

static void design_shelf(double sample_rate, double stage[5])
{
    const double k = tangent(PI * SHELF_HZ / sample_rate);
    const double a0 = 1.0 + k / SHELF_Q + k * k;
    stage[0] = (SHELF_GAIN + SHELF_GAIN_BAND * k / SHELF_Q + k * k) / a0;
    stage[1] = 2.0 * (k * k - SHELF_GAIN) / a0;
    stage[2] = (SHELF_GAIN - SHELF_GAIN_BAND * k / SHELF_Q + k * k) / a0;
    stage[3] = 2.0 * (k * k - 1.0) / a0;
    stage[4] = (1.0 - k / SHELF_Q + k * k) / a0;
}

static void design_high_pass(double sample_rate, double stage[5])
{
    const double k = tangent(PI * HIGH_PASS_HZ / sample_rate);
    const double a0 = 1.0 + k / HIGH_PASS_Q + k * k;
    stage[0] = 1.0;
    stage[1] = -2.0;
    stage[2] = 1.0;
    stage[3] = 2.0 * (k * k - 1.0) / a0;
    stage[4] = (1.0 - k / HIGH_PASS_Q + k * k) / a0;
}

void k_weighting_design(uint32_t sample_rate, k_weighting_coefficients *out_coefficients)
{
    /* BS.1770-5, Annex 1, tables 1 and 2. */
    static const k_weighting_coefficients tabled = {
        .stage = {{1.53512485958697, -2.69169618940638, 1.19839281085285, -1.69065929318241, 0.73248077421585},
                  {1.0, -2.0, 1.0, -1.99004745483398, 0.99007225036621}}};
    double *const shelf = out_coefficients->stage[0];
    *out_coefficients = tabled;
    if (sample_rate != 48000) {
        design_shelf((double)sample_rate, shelf);
        design_high_pass((double)sample_rate, out_coefficients->stage[1]);
    }
    out_coefficients->shelf[0] = shelf[1] / shelf[0];
    out_coefficients->shelf[1] = shelf[2] / shelf[0];
    out_coefficients->energy_gain = shelf[0] * shelf[0];
}
