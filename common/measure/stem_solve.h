/**
 * Least squares from energies and cross-energies, for a handful of unknowns. Plain double arithmetic in a fixed order.
 */
#ifndef COMMON_MEASURE_STEM_SOLVE_H
#define COMMON_MEASURE_STEM_SOLVE_H

#include <stdint.h>

enum { STEM_UNKNOWNS_MAX = 64 };

/**
 * Minimises |p - sum x[i] z[i]|^2 given a[i][j] = <z[i], z[j]> (row-major, count x count) and b[i] = <z[i], p>. An unknown
 * whose own energy beyond the others is less than `least` of its energy cannot be told apart from them: it is left out,
 * x = 0 and partial = 0. Returns how many are left.
 *
 * partial[i] is the energy of z[i] that no combination of the other unknowns explains: the variance of x[i] is that of the
 * noise over partial[i].
 */
uint32_t stem_solve(uint32_t count, const double *a, const double *b, double least, double *x, double *partial);

#endif
