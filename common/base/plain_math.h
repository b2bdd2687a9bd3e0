/**
 * The functions of libm that measurements need, in additions, multiplications, divisions and square roots only, whose results
 * IEEE 754 fixes to the last bit. A C library picks its own by the processor (with or without fused multiply-add), and their
 * last bits differ: nothing that a worker measures may come from those, and nothing that a coordinator says of what is rendered.
 */
#ifndef COMMON_BASE_PLAIN_MATH_H
#define COMMON_BASE_PLAIN_MATH_H

/** sin(pi x), to 2^-50 for |x| < 2^52. A quarter turn further, x + 0.5, it is the cosine. */
double sine_of_half_turns(double x);

/** The angle of the point (x, y) in half turns, -1 to 1 (atan2(y, x) / pi), to 2^-52; 0 for (0, 0). */
double half_turns_of(double y, double x);

/** The natural logarithm, to 2^-51 of it. x is positive, normal and finite. */
double natural_log(double x);

/** 10^x, to half a bit and a thousandth, |x| <= 300; 1 of 0. Of a twentieth of decibels it is their gain. */
double power_of_ten(double x);

#endif
