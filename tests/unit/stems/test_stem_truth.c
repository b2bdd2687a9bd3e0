/* Least squares against numbers made by hand, and what a programme was made of against how it was made. */
#include "common/measure/stem_solve.h"
#include "common/measure/stem_truth.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void stem_solve__finds_gains_and_leaves_copies_out(void **state)
{
    (void)state;
    /* z0 = (1,0,0), z1 = (1,1,0), z2 = 2 z0; p = 3 z0 - 2 z1 = (1,-2,0) */
    double a[9] = {1, 1, 2, 1, 2, 2, 2, 2, 4};
    double b[3] = {1, -1, 2};
    double x[3];
    double partial[3];
    assert_int_equal(stem_solve(3, a, b, 1e-6, x, partial), 2);
    assert_true(fabs(x[1] + 2.0) < 1e-12 && fabs(x[0] + 2.0 * x[2] - 3.0) < 1e-12);
    assert_true((x[0] == 0.0) != (x[2] == 0.0));
    assert_true(fabs(partial[1] - 1.0) < 1e-12); /* what z1 has beyond z0 is (0,1,0) */
}

enum { LANES = 8, OUTPUTS = 2, FRAMES = 3 * CELL_FRAMES + 12345 };

/* Two stems of three channels; the programme folds both: out0 = c0 + 0.5 c2, out1 = c1 + 0.5 c2. */
typedef struct scene {
    stem_model model;
    stem_programme programme;
    uint64_t seed;
} scene;

static double noise(scene *self)
{
    self->seed = self->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(int64_t)(self->seed >> 11 << 11) / 9.3e18 * 0.1;
}

typedef void (*fault_maker)(double *lanes, uint64_t frame, scene *self);

static void make(scene *self, fault_maker fault)
{
    *self = (scene){.seed = 7};
    self->model = (stem_model){.output_count = OUTPUTS, .lane_count = LANES, .element_count = 2, .bed_count = 3};
    for (uint32_t lane = OUTPUTS; lane < LANES; lane++) {
        uint32_t channel = (lane - OUTPUTS) % 3;
        self->model.element_of[lane] = (uint8_t)((lane - OUTPUTS) / 3);
        self->model.bed_of[lane] = (uint8_t)channel;
        for (uint32_t o = 0; o < OUTPUTS; o++)
            self->model.nominal[o][lane] = channel == o ? 1.0 : channel == 2 ? 0.5 : 0.0;
    }
    stem_programme_init(&self->programme, LANES, true);
    uint32_t block_frames = stem_block_frames(LANES, true);
    for (uint64_t cell = 0; cell < FRAMES; cell += CELL_FRAMES) {
        uint32_t frames = FRAMES - cell < CELL_FRAMES ? (uint32_t)(FRAMES - cell) : CELL_FRAMES;
        stem_features made = {.sample_rate = 48000, .programme_frame = cell, .frame_count = frames, .lane_count = LANES,
                              .crossed = true, .block_count = stem_block_count(LANES, true, frames)};
        made.sums = calloc((size_t)made.block_count * stem_sum_count(LANES, true), sizeof(double));
        for (uint32_t i = 0; i < frames; i++) {
            double lanes[LANES] = {0.0};
            for (uint32_t lane = OUTPUTS; lane < LANES; lane++)
                lanes[lane] = noise(self);
            for (uint32_t o = 0; o < OUTPUTS; o++)
                for (uint32_t lane = OUTPUTS; lane < LANES; lane++)
                    lanes[o] += self->model.nominal[o][lane] * lanes[lane];
            if (fault != NULL)
                fault(lanes, cell + i, self);
            double *sums = made.sums + (size_t)(i / block_frames) * stem_sum_count(LANES, true);
            for (uint32_t a = 0; a < LANES; a++)
                for (uint32_t b = 0; b <= a; b++)
                    sums[stem_sum_index(a, b)] += lanes[a] * lanes[b];
        }
        assert_int_equal(stem_programme_add(&self->programme, &made), STATUS_OK);
    }
}

static stem_truth *find_where(scene *self, fault_maker fault, stem_belonging second)
{
    stem_truth *truth = malloc(sizeof *truth);
    make(self, fault);
    self->model.belongs[1] = second;
    assert_int_equal(stem_truth_find(truth, &self->model, &self->programme), STATUS_OK);
    stem_programme_deinit(&self->programme);
    return truth;
}

static stem_truth *find(scene *self, fault_maker fault)
{
    return find_where(self, fault, STEM_BY_MAJORITY);
}

static bool during(uint64_t frame)
{
    return frame >= 2 * 38400 && frame < 10 * 38400; /* whole blocks */
}

static void lose_second_stem(double *lanes, uint64_t frame, scene *self)
{
    for (uint32_t o = 0; during(frame) && o < OUTPUTS; o++)
        for (uint32_t lane = OUTPUTS + 3; lane < LANES; lane++)
            lanes[o] -= self->model.nominal[o][lane] * lanes[lane];
}

static void keep_little_of_the_second_stem(double *lanes, uint64_t frame, scene *self)
{
    for (uint32_t o = 0; during(frame) && o < OUTPUTS; o++)
        for (uint32_t lane = OUTPUTS + 3; lane < LANES; lane++)
            lanes[o] -= 0.97 * self->model.nominal[o][lane] * lanes[lane];
}

static void keep_second_stem_at_the_end(double *lanes, uint64_t frame, scene *self)
{
    for (uint32_t o = 0; frame < 20 * 38400 && o < OUTPUTS; o++) /* of 24 blocks */
        for (uint32_t lane = OUTPUTS + 3; lane < LANES; lane++)
            lanes[o] -= self->model.nominal[o][lane] * lanes[lane];
}

static void raise_first_stem(double *lanes, uint64_t frame, scene *self)
{
    for (uint32_t lane = OUTPUTS; during(frame) && lane < OUTPUTS + 3; lane++)
        lanes[1] += 0.25 * self->model.nominal[1][lane] * lanes[lane];
}

static void fold_otherwise(double *lanes, uint64_t frame, scene *self)
{
    (void)frame;
    (void)self;
    lanes[0] += 0.2 * (lanes[4] + lanes[7]); /* c2 at 0.7 instead of 0.5, into the first output */
}

static void turn_down(double *lanes, uint64_t frame, scene *self)
{
    (void)frame;
    (void)self;
    lanes[0] *= 0.5;
    lanes[1] *= 0.5;
}

static void add_a_stranger(double *lanes, uint64_t frame, scene *self)
{
    if (during(frame))
        lanes[1] += noise(self);
}

static void stem_truth__of_a_true_sum_has_no_fault(void **state)
{
    (void)state;
    scene self;
    stem_truth *truth = find(&self, NULL);
    assert_true(truth->nulls && !truth->matrix_wrong && truth->run_count == 0 && truth->programme_gain == 1.0);
    assert_true(truth->presence[0] == STEM_PRESENT && truth->presence[1] == STEM_PRESENT);
    for (uint32_t o = 0; o < OUTPUTS; o++)
        for (uint32_t c = 0; c < 3; c++)
            assert_true(truth->matrix_known[o][c] &&
                        fabs(truth->matrix[o][c] - truth->matrix_nominal[o][c]) < 1e-6);
    free(truth);
}

static void expect_run(const stem_truth *truth, stem_fault fault, uint8_t element, uint32_t outputs, double gain_db)
{
    assert_int_equal(truth->run_count, 1);
    const stem_run *run = &truth->runs[0];
    assert_int_equal(run->fault, fault);
    assert_int_equal(run->element, element);
    assert_int_equal(run->outputs, outputs);
    assert_int_equal(run->start_frame, 2 * 38400);
    assert_int_equal(run->end_frame, 10 * 38400);
    if (fault == STEM_FAULT_GAIN)
        assert_true(fabs(run->gain_db - gain_db) < 0.01);
}

static void stem_truth__tells_missing_gain_and_stranger_apart(void **state)
{
    (void)state;
    scene self;
    stem_truth *truth = find(&self, lose_second_stem);
    expect_run(truth, STEM_FAULT_MISSING, 1, 3, 0.0);
    assert_false(truth->nulls || truth->runs[0].heard);
    free(truth);
    truth = find(&self, keep_little_of_the_second_stem);
    expect_run(truth, STEM_FAULT_MISSING, 1, 3, 0.0);
    assert_true(truth->runs[0].heard && fabs(truth->runs[0].gain_db - 20.0 * log10(0.03)) < 0.01);
    free(truth);
    truth = find(&self, raise_first_stem);
    expect_run(truth, STEM_FAULT_GAIN, 0, 2, 20.0 * log10(1.25));
    free(truth);
    truth = find(&self, add_a_stranger);
    expect_run(truth, STEM_FAULT_UNEXPLAINED, UINT8_MAX, 2, 0.0);
    free(truth);
}

static void stem_truth__holds_a_stem_against_where_it_belongs(void **state)
{
    (void)state;
    scene self;
    stem_truth *truth = find_where(&self, keep_second_stem_at_the_end, STEM_BELONGS);
    assert_int_equal(truth->presence[1], STEM_PRESENT);
    assert_true(truth->run_count == 1 && truth->runs[0].fault == STEM_FAULT_MISSING && truth->runs[0].start_frame == 0 &&
                truth->runs[0].end_frame == 20 * 38400);
    free(truth);
    truth = find(&self, keep_second_stem_at_the_end);
    assert_int_equal(truth->presence[1], STEM_ABSENT);
    assert_true(truth->run_count == 1 && truth->runs[0].fault == STEM_FAULT_EXTRA && truth->runs[0].start_frame == 20 * 38400);
    free(truth);
    truth = find_where(&self, NULL, STEM_FOREIGN);
    assert_true(truth->run_count == 1 && truth->runs[0].fault == STEM_FAULT_EXTRA && fabs(truth->runs[0].gain_db) < 1e-6);
    free(truth);
}

static void stem_truth__solves_the_matrix_that_was_used(void **state)
{
    (void)state;
    scene self;
    stem_truth *truth = find(&self, fold_otherwise);
    assert_true(truth->matrix_wrong && truth->run_count == 0);
    assert_true(fabs(truth->matrix[0][2] - 0.7) < 1e-6 && fabs(truth->matrix[1][2] - 0.5) < 1e-6);
    assert_true(fabs(truth->matrix_nominal[0][2] - 0.5) < 1e-12);
    free(truth);
}

static void fold_otherwise_and_turn_down(double *lanes, uint64_t frame, scene *self)
{
    fold_otherwise(lanes, frame, self);
    turn_down(lanes, frame, self);
}

static void stem_truth__tells_the_level_of_the_whole_and_the_matrix_apart(void **state)
{
    (void)state;
    scene self;
    stem_truth *truth = find(&self, fold_otherwise_and_turn_down);
    assert_true(truth->matrix_wrong && truth->run_count == 0);
    assert_true(fabs(truth->programme_gain - 0.5) < 1e-6);
    const double wanted[OUTPUTS] = {0.7, 0.5};
    for (uint32_t o = 0; o < OUTPUTS; o++)
        assert_true(fabs(truth->matrix[o][o] - 1.0) < 1e-6 && fabs(truth->matrix[o][2] - wanted[o]) < 1e-6);
    free(truth);
}

static void stem_truth__finds_the_gain_that_all_stems_share(void **state)
{
    (void)state;
    scene self;
    stem_truth *truth = find(&self, turn_down);
    assert_true(fabs(truth->programme_gain - 0.5) < 1e-9);
    assert_true(truth->nulls && truth->run_count == 0 && !truth->matrix_wrong);
    free(truth);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stem_solve__finds_gains_and_leaves_copies_out),
        cmocka_unit_test(stem_truth__of_a_true_sum_has_no_fault),
        cmocka_unit_test(stem_truth__tells_missing_gain_and_stranger_apart),
        cmocka_unit_test(stem_truth__holds_a_stem_against_where_it_belongs),
        cmocka_unit_test(stem_truth__solves_the_matrix_that_was_used),
        cmocka_unit_test(stem_truth__tells_the_level_of_the_whole_and_the_matrix_apart),
        cmocka_unit_test(stem_truth__finds_the_gain_that_all_stems_share),
    };
    return cmocka_run_group_tests_name("stem_truth", tests, NULL, NULL);
}
