#include "worker/render/render_dither.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FRAMES = 1 << 20 };

static double *noise_make(uint64_t key, uint64_t frame, uint32_t count)
{
    double *noise = calloc(count, sizeof *noise);
    assert_non_null(noise);
    render_dither_add(noise, 1, count, key, frame, 1.0);
    return noise;
}

static double correlation(const double *a, const double *b, uint32_t count)
{
    double sum = 0.0;
    for (uint32_t i = 0; i < count; i++)
        sum += a[i] * b[i];
    return sum / count;
}

/* A triangle within +-1: mean 0, power 1/6, kurtosis 2.4, one half of it within +-(1 - sqrt(1/2)). Five sigma each. */
static void render_dither__is_a_triangle(void **state)
{
    (void)state;
    double *noise = noise_make(render_dither_key(1, CHANNEL_L, 0), 0, FRAMES);
    double mean = 0.0;
    double power = 0.0;
    uint32_t inner = 0;
    for (uint32_t i = 0; i < FRAMES; i++) {
        assert_true(fabs(noise[i]) <= 1.0);
        mean += noise[i];
        power += noise[i] * noise[i];
        inner += fabs(noise[i]) < 1.0 - sqrt(0.5);
    }
    double root = sqrt((double)FRAMES);
    assert_true(fabs(mean / FRAMES) < 5.0 * sqrt(1.0 / 6.0) / root);
    assert_true(fabs(power / FRAMES - 1.0 / 6.0) < 5.0 * sqrt(1.4) / 6.0 / root);
    assert_true(fabs((double)inner / FRAMES - 0.5) < 5.0 * 0.5 / root);
    free(noise);
}

static void render_dither__depends_on_the_place_alone(void **state)
{
    (void)state;
    uint64_t key = render_dither_key(77, CHANNEL_RS, 3);
    double *whole = noise_make(key, 1000, 4096);
    for (uint32_t first = 0; first < 4096; first += 511) {
        uint32_t count = 4096 - first < 300 ? 4096 - first : 300;
        double *part = noise_make(key, 1000 + first, count);
        assert_memory_equal(part, whole + first, count * sizeof *part);
        free(part);
    }
    double lanes[8 * 64];
    memset(lanes, 0, sizeof lanes);
    render_dither_add(lanes + 5, 8, 64, key, 1000, 1.0);
    for (uint32_t i = 0; i < 8 * 64; i++)
        assert_true(lanes[i] == (i % 8 == 5 ? whole[i / 8] : 0.0));
    free(whole);
}

/* White, and another noise for each seed, channel and reel: no correlation above five sigma. */
static void render_dither__is_white_and_its_own_everywhere(void **state)
{
    (void)state;
    double bound = 5.0 / 6.0 / sqrt((double)FRAMES);
    double *noise = noise_make(render_dither_key(1, CHANNEL_L, 0), 0, FRAMES);
    for (uint32_t lag = 1; lag <= 16; lag++)
        assert_true(fabs(correlation(noise, noise + lag, FRAMES - lag)) < bound * 1.01);
    const uint64_t keys[] = {render_dither_key(2, CHANNEL_L, 0), render_dither_key(1, CHANNEL_R, 0),
                             render_dither_key(1, CHANNEL_L, 1)};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        double *other = noise_make(keys[i], 0, FRAMES);
        assert_true(fabs(correlation(noise, other, FRAMES)) < bound);
        free(other);
    }
    free(noise);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(render_dither__is_a_triangle),
        cmocka_unit_test(render_dither__depends_on_the_place_alone),
        cmocka_unit_test(render_dither__is_white_and_its_own_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
