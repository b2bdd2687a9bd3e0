#include "common/measure/sync_model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { SECOND = 48000, POINTS = 10 };

/* Ten places a minute apart; `late` as given by offset, drift and a step behind place 5. */
static void make_points(sync_point *points, double offset, double drift, double step)
{
    for (uint32_t i = 0; i < POINTS; i++) {
        uint64_t place = (uint64_t)(i + 1) * 60 * SECOND;
        points[i] = (sync_point){.place = place,
                                 .late = offset + drift * (double)place + (i > 5 ? step : 0.0) + (i % 2 == 0 ? 0.2 : -0.2),
                                 .score = 50.0f};
    }
}

static void sync_model__finds_a_constant_offset_without_drift(void **state)
{
    (void)state;
    sync_point points[POINTS];
    sync_model model;
    make_points(points, -480.0, 0.0, 0.0);
    sync_model_fit(&model, points, POINTS);
    assert_true(model.known);
    assert_true(model.drift == 0.0);
    assert_int_equal(model.segment_count, 1);
    assert_true(round(model.segments[0].offset) == -480.0);
    assert_int_equal(model.used, POINTS);
}

static void sync_model__finds_drift_and_a_step_together(void **state)
{
    (void)state;
    sync_point points[POINTS];
    sync_model model;
    make_points(points, 7.0, 100e-6, 2000.0);
    sync_model_fit(&model, points, POINTS);
    assert_true(fabs(model.drift - 100e-6) < 0.05e-6);
    assert_int_equal(model.segment_count, 2);
    assert_true(model.segments[0].last == points[5].place && model.segments[1].first == points[6].place);
    assert_true(fabs(model.segments[1].offset - model.segments[0].offset - 2000.0) < 1.0);
}

/* As effects under a whole mix had them, ten minutes that do not drift: low peaks lie beside where the high ones are. */
static void sync_model__makes_no_drift_of_low_peaks(void **state)
{
    (void)state;
    static const struct {
        double seconds, late;
        float score;
    } found[] = {{0.17, 0.042, 24.9f},    {3.92, -2.227, 9.1f},   {108.86, 0.448, 11.2f}, {168.82, -1.197, 12.8f},
                 {266.27, 0.012, 22.1f},  {356.22, 0.033, 31.4f}, {401.19, 0.008, 24.5f}, {446.17, 2.121, 11.4f},
                 {551.11, -0.045, 26.4f}, {599.83, 0.973, 12.8f}};
    sync_point points[POINTS];
    sync_model model;
    for (uint32_t i = 0; i < POINTS; i++)
        points[i] = (sync_point){.place = (uint64_t)(found[i].seconds * SECOND), .late = found[i].late, .score = found[i].score};
    sync_model_fit(&model, points, POINTS);
    assert_true(model.known);
    assert_true(model.drift == 0.0);
    assert_true(round(model.segments[0].offset) == 0.0);
}

static void sync_model__passes_over_single_wrong_matches(void **state)
{
    (void)state;
    sync_point points[POINTS];
    sync_model model;
    make_points(points, 3.0, 0.0, 0.0);
    points[0].late = 9000.0;
    points[4].late = -70000.0;
    sync_model_fit(&model, points, POINTS);
    assert_true(sync_model_explains(&model, &points[3]));
    assert_false(sync_model_explains(&model, &points[4]));
    assert_int_equal(model.segment_count, 1);
    assert_int_equal(model.used, POINTS - 2);
    assert_true(round(model.segments[0].offset) == 3.0);
}

static void sync_model__knows_nothing_from_places_that_disagree(void **state)
{
    (void)state;
    sync_point points[POINTS];
    sync_model model;
    uint32_t seed = 5;
    for (uint32_t turn = 0; turn < 1000; turn++) {
        for (uint32_t i = 0; i < POINTS; i++) {
            seed = seed * 1664525u + 1013904223u;
            points[i] = (sync_point){.place = (uint64_t)(i + 1) * 60 * SECOND, .late = (double)(seed >> 16) - 32768.0};
        }
        sync_model_fit(&model, points, POINTS);
        assert_false(model.known);
    }
    sync_model_fit(&model, points, 2);
    assert_false(model.known);
    sync_model_fit(&model, points, 0);
    assert_false(model.known);
}

static void sync_measure__comes_back_and_is_bounded(void **state)
{
    (void)state;
    sync_pop pops[] = {{.channel = 2, .frame = 288000, .frame_count = 2000, .power = 0.01f, .frequency_hz = 1000.0f}};
    sync_point points[POINTS];
    make_points(points, 5.0, 0.0, 0.0);
    uint64_t lost[] = {5, 6 * SECOND};
    sync_measure measure = {.pop_count = 1, .pops = pops, .tried = 12, .silent = 2, .frames_read = 99, .point_count = POINTS,
                            .points = points, .lost_count = 2, .lost = lost};
    byte_writer writer;
    byte_writer_init(&writer, 1 << 16);
    sync_measure_encode(&measure, &writer);
    assert_false(writer.failed);
    arena memory = {0};
    sync_measure back;
    assert_int_equal(sync_measure_decode(&back, writer.bytes, writer.size, &memory), STATUS_OK);
    assert_int_equal(back.pop_count, 1);
    assert_int_equal(back.pops[0].frame, 288000);
    assert_int_equal(back.point_count, POINTS);
    assert_true(back.points[9].late == points[9].late);
    assert_int_equal(back.lost_count, 2);
    assert_int_equal(back.lost[1], 6 * SECOND);
    assert_true(back.tried == 12 && back.silent == 2 && back.frames_read == 99);
    for (size_t size = 0; size < writer.size; size++)
        assert_int_equal(sync_measure_decode(&back, writer.bytes, size, &memory), STATUS_PEER_MALFORMED);
    writer.bytes[6] = 0xFF; /* the count of pops */
    assert_int_equal(sync_measure_decode(&back, writer.bytes, writer.size, &memory), STATUS_PEER_MALFORMED);
    arena_deinit(&memory);
    byte_writer_deinit(&writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sync_model__finds_a_constant_offset_without_drift),
        cmocka_unit_test(sync_model__finds_drift_and_a_step_together),
        cmocka_unit_test(sync_model__makes_no_drift_of_low_peaks),
        cmocka_unit_test(sync_model__passes_over_single_wrong_matches),
        cmocka_unit_test(sync_model__knows_nothing_from_places_that_disagree),
        cmocka_unit_test(sync_measure__comes_back_and_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
