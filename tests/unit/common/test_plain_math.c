/* Against long double over the ranges that are asked of it. */
#include "common/base/plain_math.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { TRIES = 200000 };

static const long double pi = 3.14159265358979323846264338327950288L;

/* 0 .. 1 */
static double chance(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 11) * 0x1p-53;
}

static void sine_of_half_turns__is_the_sine(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int i = 0; i < TRIES; i++) {
        double x = (chance(&seed) - 0.5) * (i % 2 == 0 ? 2.0 : 1e6);
        long double rest = remainderl((long double)x, 2.0L);
        assert_true(fabsl((long double)sine_of_half_turns(x) - sinl(pi * rest)) <= 0x1p-50L);
    }
    for (int n = -8; n <= 8; n++) {
        assert_true(sine_of_half_turns(n) == 0.0);
        assert_true(fabs(sine_of_half_turns(2.0 * n + 0.5) - 1.0) <= 0x1p-50);
        assert_true(fabs(sine_of_half_turns(2.0 * n - 0.5) + 1.0) <= 0x1p-50);
    }
}

static void half_turns_of__is_the_angle_in_every_quadrant(void **state)
{
    (void)state;
    uint64_t seed = 2;
    for (int i = 0; i < TRIES; i++) {
        double y = (chance(&seed) - 0.5) * ldexp(1.0, (int)(chance(&seed) * 40.0) - 20);
        double x = (chance(&seed) - 0.5) * ldexp(1.0, (int)(chance(&seed) * 40.0) - 20);
        assert_true(fabsl((long double)half_turns_of(y, x) - atan2l((long double)y, (long double)x) / pi) <= 0x1p-52L);
    }
    static const double points[][3] = {{0, 0, 0}, {0, 1, 0}, {1, 1, 0.25}, {1, 0, 0.5}, {1, -1, 0.75}, {0, -1, 1},
                                       {-1, 1, -0.25}, {-1, 0, -0.5}, {-1, -1, -0.75}};
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++)
        assert_true(fabs(half_turns_of(points[i][0], points[i][1]) - points[i][2]) <= 0x1p-52);
}

static void natural_log__is_the_logarithm(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (int i = 0; i < TRIES; i++) {
        double x = (0.5 + chance(&seed)) * ldexp(1.0, i % 2 == 0 ? 0 : (int)(chance(&seed) * 2000.0) - 1000);
        long double wanted = logl((long double)x);
        assert_true(fabsl((long double)natural_log(x) - wanted) <= 0x1p-51L * fabsl(wanted));
    }
    assert_true(natural_log(1.0) == 0.0);
    assert_true(natural_log(2.0) == 0x1.62e42fefa39efp-1);
}

static void assert_power_of_ten(double x)
{
    double power = power_of_ten(x);
    long double last_bit = ldexpl(1.0L, ilogb(power) - 52);
    assert_true(fabsl((long double)power - powl(10.0L, (long double)x)) <= 0.501L * last_bit);
}

static void power_of_ten__is_rounded_to_nearest(void **state)
{
    (void)state;
    uint64_t seed = 4;
    for (int i = 0; i < TRIES; i++)
        assert_power_of_ten((chance(&seed) - 0.5) * (i % 2 == 0 ? 6.0 : 600.0));
    for (int hundredths = -6000; hundredths <= 6000; hundredths++) /* gains as they are written, in dB */
        assert_power_of_ten(hundredths / 100.0 / 20.0);
    static const double exact[] = {0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0};
    for (int n = -3; n <= 3; n++)
        assert_true(power_of_ten(n) == exact[n + 3]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sine_of_half_turns__is_the_sine),
        cmocka_unit_test(half_turns_of__is_the_angle_in_every_quadrant),
        cmocka_unit_test(natural_log__is_the_logarithm),
        cmocka_unit_test(power_of_ten__is_rounded_to_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
