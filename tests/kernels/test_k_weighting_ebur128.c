/** The designed coefficients and k_energy against libebur128, an independent meter, at every usual rate. */
#include "worker/dsp/dsp_table.h"

#include <ebur128.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

/* Noise with a step in it, so that both ends of the band count; the same samples for both meters. */
static double next_sample(uint64_t *random)
{
    *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407); /* Knuth's MMIX generator */
    return (double)(int64_t)*random * 0x1p-65 + 0.125;
}

static void k_weighting__agrees_with_libebur128_at_every_rate(void **context)
{
    (void)context;
    static const uint32_t rates[] = {8000, 16000, 22050, 32000, 44100, 48000, 88200, 96000, 176400, 192000};
    dsp_table dsp;
    dsp_table_init(&dsp, cpu_features_detect());
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        const uint32_t rate = rates[i];
        const uint32_t window = rate / 10 * 4; /* libebur128's 400 ms: four times its rounded 100 ms */
        ebur128_state *meter = ebur128_init(1, rate, EBUR128_MODE_M);
        assert_non_null(meter);
        assert_int_equal(ebur128_set_channel(meter, 0, EBUR128_CENTER), EBUR128_SUCCESS);
        k_weighting_coefficients coefficients;
        k_weighting_design(rate, &coefficients);
        k_weighting_state state = {0};
        double energy[TILE_LANES] = {0};
        uint64_t random = 7;
        _Alignas(64) double tile[TILE_LANES] = {0};
        for (uint32_t frame = 0; frame < rate; frame++) {
            tile[0] = next_sample(&random);
            if (frame == rate - window)
                energy[0] = 0.0;
            dsp.k_energy(tile, 1, &coefficients, &state, energy);
            assert_int_equal(ebur128_add_frames_double(meter, tile, 1), EBUR128_SUCCESS);
        }
        double theirs;
        assert_int_equal(ebur128_loudness_momentary(meter, &theirs), EBUR128_SUCCESS);
        ebur128_destroy(&meter);
        const double ours = -0.691 + 10.0 * log10(coefficients.energy_gain * energy[0] / window);
        /*
         * libebur128 1.2.6 multiplies both stages out into one section of fourth order, whose state is some 1 / (1 -
         * pole)^4 times the signal: 2^-53 x (192000 / 2 pi 38)^2 x 8.7 dB is 6e-10 LU per rounding at the highest
         * rate.
         */
        if (fabs(ours - theirs) > 1e-8)
            fail_msg("%u Hz: ours %.12f LUFS, libebur128 %.12f LUFS", rate, ours, theirs);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(k_weighting__agrees_with_libebur128_at_every_rate),
    };
    return cmocka_run_group_tests_name("k_weighting", tests, NULL, NULL);
}
