#include "common/base/plain_math.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

enum { SINE_TERMS = 11, ANGLE_TERMS = 12, LOG_TERMS = 11, POWER_TERMS = 24 };
/* Of each series the first left-out term is below 2^-57 of the sum, of the power of ten's below 2^-110. */

static const double pi = 0x1.921fb54442d18p+1;

double sine_of_half_turns(double x)
{
    double size = fabs(x);
    double whole = (double)(uint64_t)(size + 0.5);
    double rest = size - whole; /* -1/2 .. 1/2, exact */
    double angle = pi * rest;
    double square = angle * angle;
    double term = angle;
    double sum = angle;
    for (int k = 1; k <= SINE_TERMS; k++) {
        term = -term * square / (double)(2 * k * (2 * k + 1));
        sum += term;
    }
    bool odd = ((uint64_t)whole & 1) != 0;
    return odd != (x < 0.0) ? -sum : sum;
}

/* 1 + q / 3 + q^2 / 5 + ...: of the inverse tangent (q negative) and of the logarithm. */
static double odd_series(double q, int terms)
{
    double sum = 0.0;
    for (int k = terms; k >= 0; k--)
        sum = sum * q + 1.0 / (double)(2 * k + 1);
    return sum;
}

double half_turns_of(double y, double x)
{
    double rise = fabs(y);
    double run = fabs(x);
    if (rise <= 0.0 && run <= 0.0)
        return 0.0;
    double tangent = rise < run ? rise / run : run / rise;
    for (int i = 0; i < 2; i++) /* halves the angle: a sixteenth of a turn at most is left of an eighth */
        tangent = tangent / (1.0 + sqrt(1.0 + tangent * tangent));
    double turns = 4.0 * tangent * odd_series(-tangent * tangent, ANGLE_TERMS) / pi;
    if (rise >= run)
        turns = 0.5 - turns;
    if (x < 0.0)
        turns = 1.0 - turns;
    return y < 0.0 ? -turns : turns;
}

/* A sum of two numbers of which the second is below the last bit of the first: 106 bits, from roundings alone (Dekker). */
typedef struct pair {
    double high, low;
} pair;

static pair sum_of(double a, double b)
{
    double sum = a + b;
    double added = sum - a;
    return (pair){sum, (a - (sum - added)) + (b - added)};
}

static pair product_of(double a, double b)
{
    static const double half_of_the_bits = 0x1p27 + 1.0;
    double a_cut = a * half_of_the_bits, b_cut = b * half_of_the_bits;
    double a_high = a_cut - (a_cut - a), b_high = b_cut - (b_cut - b);
    double a_low = a - a_high, b_low = b - b_high;
    double product = a * b;
    return (pair){product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low};
}

static pair times(pair a, pair b)
{
    pair product = product_of(a.high, b.high);
    return sum_of(product.high, product.low + (a.high * b.low + a.low * b.high));
}

static pair divided(pair a, double by)
{
    double quotient = a.high / by;
    pair back = product_of(quotient, by);
    return sum_of(quotient, ((a.high - back.high) - back.low + a.low) / by);
}

double power_of_ten(double x)
{
    static const pair log2_of_ten = {0x1.a934f0979a371p+1, 0x1.7f2495fb7fa6dp-53};
    static const pair ln_2 = {0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56};
    pair octaves = times((pair){x, 0.0}, log2_of_ten);
    double whole = floor(octaves.high + 0.5);
    pair t = times(sum_of(octaves.high - whole, octaves.low), ln_2);
    pair sum = {1.0, 0.0};
    for (int k = POWER_TERMS; k > 0; k--) { /* 1 + t (1 + t/2 (1 + t/3 ...)) */
        pair rest = divided(times(t, sum), k);
        sum = sum_of(1.0, rest.high);
        sum = sum_of(sum.high, sum.low + rest.low);
    }
    return ldexp(sum.high, (int)whole);
}

double natural_log(double x)
{
    static const double ln_2 = 0x1.62e42fefa39efp-1;
    static const double root_half = 0x1.6a09e667f3bcdp-1;
    int exponent;
    double part = frexp(x, &exponent); /* 1/2 .. 1, exact */
    if (part < root_half) {
        part *= 2.0;
        exponent--;
    }
    double s = (part - 1.0) / (part + 1.0);
    return (double)exponent * ln_2 + 2.0 * s * odd_series(s * s, LOG_TERMS);
}
