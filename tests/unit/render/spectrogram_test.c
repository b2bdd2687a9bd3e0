/* The levels of a spectrogram against what a sine is by definition, and on hostile lengths. */
#include "proto/task_body.h"
#include "worker/render/spectrogram.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { RATE = 48000, FRAMES = 2 * RATE };

static uint32_t row_of(double hz)
{
    return (uint32_t)(log2(hz / EXCERPT_LOW_HZ) * EXCERPT_ROWS_PER_OCTAVE);
}

static uint8_t level_of(double db)
{
    return (uint8_t)((db - EXCERPT_LOW_DB) / EXCERPT_STEP_DB);
}

static void spectrogram__places_a_sine_where_and_as_loud_as_it_is(void **state)
{
    (void)state;
    static const struct {
        double hz, db;
    } sines[] = {{1000.0, -20.0}, {60.0, -3.0}, {12000.0, -60.0}};
    double *samples = calloc(FRAMES, sizeof *samples);
    double *silence = calloc(FRAMES, sizeof *silence);
    const double *const channels[] = {silence, samples};
    dsp_table dsp;
    dsp_table_init(&dsp, CPU_SCALAR);
    uint8_t levels[EXCERPT_ROWS_MAX * EXCERPT_COLUMNS];
    assert_int_equal(spectrogram_rows(RATE), 37); /* 40 Hz x 2^(37 / 4) is the first edge over 24 kHz */
    for (size_t i = 0; i < sizeof sines / sizeof sines[0]; i++) {
        arena memory;
        arena_init(&memory);
        for (uint32_t n = 0; n < FRAMES / 2; n++) /* the second half stays silent */
            samples[n] = pow(10.0, sines[i].db / 20.0) * sin(2.0 * 3.14159265358979323846 * sines[i].hz * n / RATE);
        spectrogram_make(&dsp, channels, 2, FRAMES, RATE, levels, &memory);
        uint32_t row = row_of(sines[i].hz);
        assert_int_equal(levels[row * EXCERPT_COLUMNS + 20], level_of(sines[i].db - 0.5)); /* at most 1.4 dB between two bins */
        assert_int_equal(levels[(row + 18) % 37 * EXCERPT_COLUMNS + 20], 0); /* far away, beyond what a window spreads */
        for (uint32_t r = 0; r < 37; r++)
            assert_int_equal(levels[r * EXCERPT_COLUMNS + 80], 0);
        arena_deinit(&memory);
    }
    free(silence);
    free(samples);
}

static void spectrogram__of_a_few_frames_is_a_picture_too(void **state)
{
    (void)state;
    const double one = 1.0;
    const double *const channels[] = {&one};
    dsp_table dsp;
    dsp_table_init(&dsp, CPU_SCALAR);
    static const uint32_t rates[] = {8000, 44100, 192000, 768000};
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        arena memory;
        arena_init(&memory);
        uint32_t rows = spectrogram_rows(rates[i]);
        assert_true(rows >= 1 && rows <= EXCERPT_ROWS_MAX);
        uint8_t *levels = malloc((size_t)rows * EXCERPT_COLUMNS); /* exactly: no level is written beside it */
        spectrogram_make(&dsp, channels, 1, 1, rates[i], levels, &memory);
        for (uint32_t k = 0; k < rows * EXCERPT_COLUMNS; k++)
            assert_true(levels[k] < EXCERPT_LEVELS);
        free(levels);
        arena_deinit(&memory);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spectrogram__places_a_sine_where_and_as_loud_as_it_is),
        cmocka_unit_test(spectrogram__of_a_few_frames_is_a_picture_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
