#include "worker/dsp/fft.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const double tau = 6.283185307179586476925;

static double noise(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (double)(int32_t)*state / 2147483648.0;
}

/* Every bin against the sum that defines it. */
static void fft__is_the_discrete_fourier_transform(void **state)
{
    (void)state;
    dsp_table dsp;
    dsp_table_init(&dsp, CPU_SCALAR);
    for (uint32_t log2_size = 1; log2_size <= 9; log2_size++) {
        arena memory = {0};
        fft_plan plan;
        fft_plan_init(&plan, &dsp, log2_size, &memory);
        double x[512], y[512], re[512], im[512];
        uint32_t seed = log2_size;
        for (uint32_t i = 0; i < plan.size; i++) {
            re[i] = x[i] = noise(&seed);
            im[i] = y[i] = noise(&seed);
        }
        fft_run(&plan, re, im);
        for (uint32_t k = 0; k < plan.size; k++) {
            double wanted_re = 0.0;
            double wanted_im = 0.0;
            for (uint32_t n = 0; n < plan.size; n++) {
                double angle = -tau * (double)((uint64_t)n * k % plan.size) / (double)plan.size;
                wanted_re += x[n] * cos(angle) - y[n] * sin(angle);
                wanted_im += x[n] * sin(angle) + y[n] * cos(angle);
            }
            assert_true(fabs(re[k] - wanted_re) < 1e-11 && fabs(im[k] - wanted_im) < 1e-11);
        }
        arena_deinit(&memory);
    }
}

/* Swapped parts make it the inverse times the size, also where the twiddles went through most halvings. */
static void fft__comes_back_from_large_sizes(void **state)
{
    (void)state;
    dsp_table dsp;
    dsp_table_init(&dsp, CPU_SCALAR);
    arena memory = {0};
    fft_plan plan;
    fft_plan_init(&plan, &dsp, 17, &memory);
    double *re = arena_take_array(&memory, plan.size, sizeof *re);
    double *im = arena_take_array(&memory, plan.size, sizeof *im);
    uint32_t seed = 1;
    for (uint32_t i = 0; i < plan.size; i++)
        re[i] = noise(&seed);
    fft_run(&plan, re, im);
    fft_run(&plan, im, re);
    seed = 1;
    for (uint32_t i = 0; i < plan.size; i++) {
        assert_true(fabs(re[i] / (double)plan.size - noise(&seed)) < 1e-13);
        assert_true(fabs(im[i] / (double)plan.size) < 1e-13);
    }
    arena_deinit(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fft__is_the_discrete_fourier_transform),
        cmocka_unit_test(fft__comes_back_from_large_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
