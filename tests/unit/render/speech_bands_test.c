/* Levels of the voice: what a tone gives, whose channels they are, and that no cell's edge shows in them. */
#include "common/measure/cell_measure.h"
#include "common/media/channel_layout.h"
#include "worker/render/speech_bands.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PI 3.14159265358979323846

enum { FRAMES_MAX = CELL_FRAMES };

typedef struct bench {
    arena memory;
    dsp_table dsp;
    signal_tables tables;
    cell_signal cell;
    double *samples; /* [FRAMES_MAX][TILE_LANES] */
} bench;

static int set_up(void **state)
{
    bench *self = calloc(1, sizeof *self);
    arena_init(&self->memory);
    dsp_table_init(&self->dsp, CPU_SCALAR);
    signal_tables_init(&self->tables, 0);
    self->samples = calloc((size_t)FRAMES_MAX * TILE_LANES, sizeof(double));
    *state = self;
    return 0;
}

static int tear_down(void **state)
{
    bench *self = *state;
    arena_deinit(&self->memory);
    free(self->samples);
    free(self);
    return 0;
}

/* The cell first .. end, its pre-roll before it, in tiles that end with slots and with the cell. Returns its frames. */
static uint32_t take_cell(bench *self, speech_bands *bands, uint64_t first, uint64_t end, uint32_t rate)
{
    int channels[2];
    speech_bands_channels(bands, channels);
    speech_bands_begin(bands, first);
    for (uint64_t frame = first < METER_PREROLL_FRAMES ? 0 : first - METER_PREROLL_FRAMES; frame < end;) {
        uint64_t stop = cell_measure_slot_frame(cell_measure_slot_of(frame, rate) + 1, rate);
        stop = stop > end ? end : stop;
        stop = frame < first && stop > first ? first : stop;
        const double *tile = self->samples + frame * TILE_LANES;
        speech_bands_take(bands, tile + channels[0], channels[1] < 0 ? NULL : tile + channels[1], frame, (uint32_t)(stop - frame));
        frame = stop;
    }
    speech_bands_end(bands);
    return self->cell.speech_count;
}

/*
 * A sine of 937.5 Hz at full scale lies on line 20 of 46.875 Hz with the power 0.5, and a quarter of that on the lines beside
 * it: the band of these three has 0.25 of 1 a line, which is 12 sixths of 3.01 dB below 253; the triangle costs 0.1 dB, which
 * shows as one.
 */
static void speech_bands__a_tone_lies_in_its_band(void **state)
{
    bench *self = *state;
    for (uint32_t i = 0; i < 48000; i++)
        self->samples[(size_t)i * TILE_LANES + 2] = sin(2.0 * PI * 937.5 * i / 48000.0);
    speech_bands *bands = speech_bands_make(&self->dsp, &self->tables, LAYOUT_3_0, 48000, &self->cell, &self->memory);
    int channels[2];
    speech_bands_channels(bands, channels);
    assert_int_equal(channels[0], 2); /* the centre alone */
    assert_int_equal(channels[1], -1);
    assert_int_equal(take_cell(self, bands, 0, 48000, 48000), 50);
    for (uint32_t f = 2; f < 50; f++) {
        assert_int_equal(self->cell.speech[f][12], 240);
        assert_in_range(self->cell.speech[f][0], 0, 100);
    }
}

static void speech_bands__stereo_is_the_mean_of_both(void **state)
{
    bench *self = *state;
    for (uint32_t i = 0; i < 48000; i++) {
        double x = sin(2.0 * PI * 937.5 * i / 48000.0);
        self->samples[(size_t)i * TILE_LANES] = x;
        self->samples[(size_t)i * TILE_LANES + 1] = i < 24000 ? x : -x;
    }
    speech_bands *bands = speech_bands_make(&self->dsp, &self->tables, LAYOUT_STEREO, 48000, &self->cell, &self->memory);
    assert_int_equal(take_cell(self, bands, 0, 48000, 48000), 50);
    assert_int_equal(self->cell.speech[20][12], 240);
    assert_int_equal(self->cell.speech[30][12], 0); /* silent in the mean */
}

/* Two cells, the second of which begins within a slot and a frame, against the same frames as one cell. */
static void speech_bands__no_edge_of_a_cell_shows(void **state)
{
    static const uint32_t rates[] = {48000, 44100, 96000, 32000};
    bench *self = *state;
    uint32_t random = 7;
    for (size_t i = 0; i < (size_t)FRAMES_MAX; i++) {
        random = random * 1664525u + 1013904223u;
        self->samples[i * TILE_LANES] = (double)(int32_t)random * 0x1p-31;
    }
    for (size_t r = 0; r < sizeof rates / sizeof rates[0]; r++) {
        const uint64_t end = CELL_FRAMES - 3;
        const uint64_t edge = CELL_FRAMES / 2 + 1009;
        speech_bands *bands = speech_bands_make(&self->dsp, &self->tables, LAYOUT_MONO, rates[r], &self->cell, &self->memory);
        uint32_t count = take_cell(self, bands, 0, end, rates[r]);
        assert_int_equal(count, cell_measure_slot_of(end, rates[r]) / 2);
        uint8_t(*whole)[SPEECH_BANDS] = malloc(sizeof self->cell.speech);
        memcpy(whole, self->cell.speech, sizeof self->cell.speech);
        uint32_t before = take_cell(self, bands, 0, edge, rates[r]);
        assert_int_equal(before, cell_measure_slot_of(edge, rates[r]) / 2);
        assert_memory_equal(self->cell.speech, whole, (size_t)before * SPEECH_BANDS);
        assert_int_equal(take_cell(self, bands, edge, end, rates[r]), count - before);
        assert_memory_equal(self->cell.speech, whole + before, (size_t)(count - before) * SPEECH_BANDS);
        free(whole);
    }
    assert_null(speech_bands_make(&self->dsp, &self->tables, LAYOUT_MONO, 22050, &self->cell, &self->memory));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(speech_bands__a_tone_lies_in_its_band, set_up, tear_down),
        cmocka_unit_test_setup_teardown(speech_bands__stereo_is_the_mean_of_both, set_up, tear_down),
        cmocka_unit_test_setup_teardown(speech_bands__no_edge_of_a_cell_shows, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
