/* The curve against its definition: the largest of what every active slot asks for. */
#include "common/media/duck_curve.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SLOTS = 400, SLOTS_MAX = SLOTS + 300 };

/* What slot `slot` asks for at an edge, by the text of the header. */
static double asked(const duck_shape *shape, int edge, int slot)
{
    int from = edge - slot;
    int fall = from - 1 - shape->hold;
    if (from <= -(int)shape->look_ahead || fall >= shape->release)
        return 0.0;
    if (from < -(int)shape->look_ahead + shape->attack)
        return (double)(from + shape->look_ahead) / shape->attack;
    return fall <= 0 ? 1.0 : 1.0 - (double)fall / shape->release;
}

static void expect_definition(const duck_shape *shape, const bool *active, uint32_t gain_count)
{
    double gains[SLOTS_MAX];
    uint32_t before = duck_shape_before(shape);
    uint32_t active_count = before + gain_count + duck_shape_after(shape);
    assert_true(duck_shape_valid(shape) && active_count <= SLOTS_MAX);
    duck_curve_gains(shape, active, active_count, gain_count, gains);
    for (uint32_t k = 0; k < gain_count; k++) {
        double share = 0.0;
        for (uint32_t slot = 0; slot < active_count; slot++)
            if (active[slot])
                share = fmax(share, asked(shape, (int)(before + k), (int)slot));
        assert_true(fabs(gains[k] - (1.0 - (1.0 - shape->floor) * share)) < 1e-15);
    }
}

static void duck_curve__is_the_largest_of_what_active_slots_ask_for(void **state)
{
    (void)state;
    static const duck_shape shapes[] = {{1e-5, 0.355, 30, 30, 50, 80}, {1e-5, 0.0, 1, 1, 0, 1}, {1e-5, 0.5, 40, 7, 3, 90}};
    bool active[SLOTS_MAX];
    srand(20261121);
    for (int round = 0; round < 60; round++) {
        int one_in = 1 << (round % 9 + 1);
        for (int i = 0; i < SLOTS_MAX; i++)
            active[i] = rand() % one_in == 0 && round % 10 != 9;
        expect_definition(&shapes[round % 3], active, SLOTS);
    }
}

/* A window cut anywhere gives the same bits: that is what makes work divisible. */
static void duck_curve__does_not_depend_on_the_window(void **state)
{
    (void)state;
    const duck_shape shape = {1e-5, 0.355, 30, 20, 50, 80};
    uint32_t before = duck_shape_before(&shape);
    uint32_t after = duck_shape_after(&shape);
    bool active[SLOTS_MAX];
    double whole[SLOTS], part[SLOTS];
    srand(7);
    for (int i = 0; i < SLOTS_MAX; i++)
        active[i] = rand() % 60 == 0;
    duck_curve_gains(&shape, active, before + SLOTS + after, SLOTS, whole);
    for (uint32_t first = 0; first < SLOTS; first += 37)
        for (uint32_t count = 1; first + count <= SLOTS; count += 53) {
            duck_curve_gains(&shape, active + first, before + count + after, count, part);
            assert_memory_equal(part, whole + first, count * sizeof *part);
        }
}

static void duck_curve__refuses_shapes_that_make_no_sense(void **state)
{
    (void)state;
    const duck_shape good = {1e-5, 0.355, 30, 30, 50, 80};
    assert_true(duck_shape_valid(&good));
    duck_shape shape = good;
    shape.attack = 31; /* narration would begin before the programme is down */
    assert_false(duck_shape_valid(&shape));
    shape = good;
    shape.release = 0;
    assert_false(duck_shape_valid(&shape));
    shape = good;
    shape.floor = 1.01;
    assert_false(duck_shape_valid(&shape));
    shape = good;
    shape.threshold = (double)NAN;
    assert_false(duck_shape_valid(&shape));
    shape = good;
    shape.hold = DUCK_SLOTS_MAX + 1;
    assert_false(duck_shape_valid(&shape));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(duck_curve__is_the_largest_of_what_active_slots_ask_for),
        cmocka_unit_test(duck_curve__does_not_depend_on_the_window),
        cmocka_unit_test(duck_curve__refuses_shapes_that_make_no_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
