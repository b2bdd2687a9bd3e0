#include "common/base/plain_math.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

enum { SINE_TERMS = 11, ANGLE_TERMS = 12, LOG_TERMS = 11 }; /* of each series the first left-out term is below 2^-57 of the sum */

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
