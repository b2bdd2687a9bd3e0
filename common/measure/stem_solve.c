#include "common/measure/stem_solve.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* One Cholesky factorisation with pivots, of the matrix scaled to a diagonal of ones. */
typedef struct factor {
    uint32_t count, rank;
    uint32_t order[STEM_UNKNOWNS_MAX];          /* [rank] unknowns in the order of their pivots */
    double scale[STEM_UNKNOWNS_MAX];
    double l[STEM_UNKNOWNS_MAX][STEM_UNKNOWNS_MAX]; /* [row in order][column in order], lower */
} factor;

static void factor_make(factor *self, uint32_t count, const double *a, double least)
{
    double left[STEM_UNKNOWNS_MAX]; /* energy that the pivots so far do not explain */
    double rows[STEM_UNKNOWNS_MAX][STEM_UNKNOWNS_MAX];
    bool taken[STEM_UNKNOWNS_MAX] = {false};
    self->count = count;
    self->rank = 0;
    for (uint32_t i = 0; i < count; i++) {
        double energy = a[i * count + i];
        self->scale[i] = energy > 0.0 ? 1.0 / sqrt(energy) : 0.0;
        left[i] = energy > 0.0 ? 1.0 : 0.0;
    }
    for (uint32_t step = 0; step < count; step++) {
        uint32_t best = count;
        for (uint32_t i = 0; i < count; i++)
            if (!taken[i] && left[i] > least && (best == count || left[i] > left[best]))
                best = i;
        if (best == count)
            break;
        double pivot = sqrt(left[best]);
        for (uint32_t i = 0; i < count; i++) {
            if (taken[i])
                continue;
            double sum = a[i * count + best] * self->scale[i] * self->scale[best];
            for (uint32_t k = 0; k < step; k++)
                sum -= rows[i][k] * rows[best][k];
            rows[i][step] = sum / pivot;
        }
        rows[best][step] = pivot;
        taken[best] = true;
        for (uint32_t i = 0; i < count; i++)
            if (!taken[i])
                left[i] -= rows[i][step] * rows[i][step];
        memcpy(self->l[step], rows[best], (step + 1) * sizeof(double));
        self->order[self->rank++] = best;
    }
}

/* Solves L L' y = right in place, for the unknowns in pivot order. */
static void factor_solve(const factor *self, double *right)
{
    for (uint32_t i = 0; i < self->rank; i++) {
        for (uint32_t k = 0; k < i; k++)
            right[i] -= self->l[i][k] * right[k];
        right[i] /= self->l[i][i];
    }
    for (uint32_t i = self->rank; i-- > 0;) {
        for (uint32_t k = i + 1; k < self->rank; k++)
            right[i] -= self->l[k][i] * right[k];
        right[i] /= self->l[i][i];
    }
}

uint32_t stem_solve(uint32_t count, const double *a, const double *b, double least, double *x, double *partial)
{
    factor made;
    double right[STEM_UNKNOWNS_MAX];
    factor_make(&made, count, a, least);
    for (uint32_t i = 0; i < count; i++)
        x[i] = partial[i] = 0.0;
    for (uint32_t i = 0; i < made.rank; i++)
        right[i] = b[made.order[i]] * made.scale[made.order[i]];
    factor_solve(&made, right);
    for (uint32_t i = 0; i < made.rank; i++)
        x[made.order[i]] = right[i] * made.scale[made.order[i]];
    for (uint32_t i = 0; i < made.rank; i++) {
        uint32_t unknown = made.order[i];
        memset(right, 0, made.rank * sizeof(double));
        right[i] = 1.0;
        factor_solve(&made, right); /* column i of the inverse */
        partial[unknown] = 1.0 / (right[i] * made.scale[unknown] * made.scale[unknown]);
    }
    return made.rank;
}
