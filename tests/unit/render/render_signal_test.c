/* The features of the signal checks: what was planted into noise from a seed is found where it was planted. */
#include "common/base/limits.h"
#include "common/measure/programme_signal.h"
#include "common/media/channel_layout.h"
#include "worker/render/codec_grid.h"
#include "worker/render/render_signal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PI 3.14159265358979323846

enum { RATE = 48000, FRAMES = 2 * CELL_FRAMES, CHANNELS = 2, HISTORY = TRUE_PEAK_HISTORY };

typedef struct bench {
    double *channels[CHANNELS];
    uint64_t random;
    programme_signal programme;
} bench;

static double uniform(bench *self)
{
    self->random = self->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(int64_t)self->random * 0x1p-63;
}

static int set_up(void **state)
{
    bench *self = calloc(1, sizeof *self);
    self->random = 20261121;
    for (int c = 0; c < CHANNELS; c++)
        self->channels[c] = calloc(FRAMES, sizeof(double));
    *state = self;
    return 0;
}

static int tear_down(void **state)
{
    bench *self = *state;
    for (int c = 0; c < CHANNELS; c++)
        free(self->channels[c]);
    programme_signal_deinit(&self->programme);
    free(self);
    return 0;
}

/* Noise that falls by 6 dB per octave above about 1 kHz, at that RMS: programme is duller than white noise. */
static void fill_noise(bench *self, double level)
{
    for (int c = 0; c < CHANNELS; c++) {
        double low = 0.0;
        for (uint32_t i = 0; i < FRAMES; i++) {
            low += 0.13 * (uniform(self) - low);
            self->channels[c][i] = low * level / 0.152; /* sqrt(1/3 x 0.13 / 1.87) */
        }
    }
}

/* Runs both cells as the engine does: pre-roll from the cell before, tiles cut at slots. */
static void take_groups(bench *self, uint8_t groups)
{
    dsp_table dsp;
    dsp_table_init(&dsp, CPU_SCALAR);
    arena memory;
    arena_init(&memory);
    static signal_tables tables;
    signal_tables_init(&tables, 0);
    static render_signal signal;
    memset(&signal, 0, sizeof signal);
    render_signal_init(&signal, groups, LAYOUT_STEREO, CHANNELS, RATE);
    static _Alignas(64) double samples[(TILE_FRAMES_MAX + HISTORY + 5) * TILE_LANES];
    static _Alignas(64) signal_tile tile;
    double *first = samples + (HISTORY + 5) * TILE_LANES; /* 64-byte aligned */
    memset(&tile, 0, sizeof tile);
    tile.samples = first;
    signal_tile_take(&tile, groups, &tables, &memory);
    for (uint64_t start = 0; start < FRAMES; start += CELL_FRAMES) {
        render_signal_begin(&signal);
        memset(samples, 0, sizeof samples);
        signal_tile_begin(&tile, &tables);
        for (uint64_t frame = start < METER_PREROLL_FRAMES ? 0 : start - METER_PREROLL_FRAMES; frame < start + CELL_FRAMES;) {
            uint32_t count = 480 - (uint32_t)(frame % 480);
            for (uint32_t i = 0; i < count; i++)
                for (int c = 0; c < CHANNELS; c++)
                    first[i * TILE_LANES + (uint32_t)c] = self->channels[c][frame + i];
            double peak[TILE_LANES];
            dsp.peak(first, count, peak);
            signal_tile_measure(&tile, &dsp, &tables, peak, frame, RATE, count, (int64_t)frame - (int64_t)start);
            if (render_signal_tile_begin(&signal, &tile))
                signal_tile_spectrum(&tile, &dsp, &tables, frame, RATE);
            render_signal_channel(&signal, 0, &tile, 0, &tile, 1);
            render_signal_channel(&signal, 1, &tile, 1, NULL, 0);
            render_signal_tile_end(&signal, &tile);
            memmove(first - HISTORY * TILE_LANES, first + (count - HISTORY) * TILE_LANES, HISTORY * TILE_LANES * sizeof(double));
            frame += count;
        }
        render_signal_end(&signal, start + CELL_FRAMES == FRAMES);
        byte_writer writer;
        byte_writer_init(&writer, MEASURE_BYTES_MAX);
        cell_signal_encode(&signal.cell, &writer);
        cell_signal *back = calloc(1, sizeof *back);
        byte_reader reader;
        byte_reader_init(&reader, writer.bytes, writer.size);
        assert_true(cell_signal_decode(back, LAYOUT_STEREO, CHANNELS, CELL_FRAMES, &reader));
        assert_true(byte_reader_complete(&reader));
        assert_true(programme_signal_add(&self->programme, back, start, CELL_FRAMES, RATE));
        free(back);
        byte_writer_deinit(&writer);
    }
    arena_deinit(&memory);
}

static void take(bench *self)
{
    take_groups(self, SIGNAL_GROUPS_ALL);
}

static const programme_event *event_at(const bench *self, int kind, uint32_t channel, uint64_t frame, uint64_t slack)
{
    for (size_t i = 0; i < self->programme.event_count; i++) {
        const programme_event *event = &self->programme.events[i];
        uint64_t off = event->frame > frame ? event->frame - frame : frame - event->frame;
        if (event->kind == kind && event->channel == channel && off <= slack)
            return event;
    }
    return NULL;
}

static size_t events_of(const bench *self, int kind)
{
    size_t count = 0;
    for (size_t i = 0; i < self->programme.event_count; i++)
        count += self->programme.events[i].kind == kind;
    return count;
}

static void render_signal__noise_has_no_events(void **state)
{
    bench *self = *state;
    fill_noise(self, 0.1);
    take(self);
    assert_int_equal(self->programme.event_count, 0);
    assert_int_equal(self->programme.block_count, 2 * 64);
    assert_int_equal(self->programme.hum_count, 2 * SIGNAL_HUM_STRETCHES);
}

static void render_signal__finds_single_samples_wherever_tiles_end(void **state)
{
    bench *self = *state;
    fill_noise(self, 0.01);
    /* Around the edges of tiles (480) and of the cell, and in the middle. Level 0.1: 20 dB over the noise. */
    static const uint32_t places[] = {9600, 19201, 28802, 38403, 48477, 57598, 67199, 100200, 307199, 350401};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        self->channels[i % 2][places[i]] += i % 3 == 0 ? -0.1 : 0.1;
    take(self);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        const programme_event *event = event_at(self, SIGNAL_CLICK, (uint32_t)(i % 2), places[i], 1);
        if (event == NULL)
            fail_msg("the click at %u was not found", places[i]);
        assert_true(fabs(event->level / 0.1 - 1.0) < 0.2); /* the noise moves the figure */
        assert_true(event->frame_count >= 3 && event->frame_count <= 9); /* 5, and what the noise adds or an edge cuts */
    }
    assert_int_equal(events_of(self, SIGNAL_CLICK), sizeof places / sizeof places[0]);
}

/* The right channel is the left one, so many samples later; without sound at the beginning, as programmes have it. */
static void render_signal__a_copy_is_found_however_late_it_is(void **state)
{
    bench *self = *state;
    fill_noise(self, 0.1);
    take(self);
    assert_true(self->programme.cells[0].late_rest > 0.5f); /* two noises */
    static const int lags[] = {1, 48, -7};
    for (size_t i = 0; i < sizeof lags / sizeof lags[0]; i++) {
        programme_signal_deinit(&self->programme);
        programme_signal_init(&self->programme, FRAMES);
        for (int f = 0; f < FRAMES; f++) {
            self->channels[0][f] *= f > RATE;
            self->channels[1][f] = f >= lags[i] && f - lags[i] < FRAMES ? 0.5 * self->channels[0][f - lags[i]] : 0.0;
        }
        take(self);
        for (size_t c = 0; c < 2; c++) {
            assert_int_equal(self->programme.cells[c].late_lag, lags[i]);
            assert_true(self->programme.cells[c].late_rest < 1e-6f);
        }
    }
}

/* What a codec's grid shows in a cell of that sound, 1 for no sound at all. */
static float grid_bits_of(const double *sound, uint64_t cell)
{
    dsp_table dsp;
    dsp_table_init(&dsp, CPU_SCALAR);
    arena memory;
    arena_init(&memory);
    cell_signal signal = {.grid_bits = 1.0f};
    codec_grid *grid = codec_grid_make(&dsp, &signal, &memory);
    static double tile[480 * TILE_LANES];
    codec_grid_begin(grid, cell * CELL_FRAMES);
    for (uint32_t frame = 0; frame + 480 <= 9600; frame += 480) {
        for (uint32_t i = 0; i < 480; i++)
            tile[i * TILE_LANES] = sound[frame + i];
        codec_grid_take(grid, tile, frame, 480);
    }
    arena_deinit(&memory);
    return signal.grid_bits;
}

/* Tones whose periods fit into the blocks of a codec are small in all lines of a transform at once, now and then. */
static void render_signal__neither_noise_nor_a_tone_has_a_codecs_grid(void **state)
{
    bench *self = *state;
    fill_noise(self, 0.1);
    for (uint64_t cell = 0; cell < 16; cell++)
        assert_true(grid_bits_of(self->channels[0], cell) < 0.2f);
    for (int halves = 13; halves <= 125; halves += 14) {
        for (uint32_t i = 0; i < 9600; i++) /* rounded to 24 bits */
            self->channels[0][i] = rint(0x1p23 * 0.3 * sin(PI * halves * (i + 0.3) / SIGNAL_GRID_FRAMES)) * 0x1p-23;
        for (uint64_t cell = 0; cell < 24; cell++)
            assert_true(grid_bits_of(self->channels[0], cell) < 0.2f);
    }
}

static void render_signal__an_onset_is_no_click(void **state)
{
    bench *self = *state;
    fill_noise(self, 0.001);
    for (uint32_t i = 0; i < 24000; i++) /* a shot: full level at once, decaying over 100 ms */
        self->channels[0][100000 + i] += uniform(self) * exp(-(double)i / 4800.0);
    take(self);
    assert_int_equal(events_of(self, SIGNAL_CLICK), 0);
}

static void render_signal__finds_drop_outs_from_one_millisecond(void **state)
{
    bench *self = *state;
    fill_noise(self, 0.1);
    static const uint32_t places[][2] = {{30000, 48}, {60013, 100}, {90470, 700}, {307150, 400}, {350000, 4799}};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        memset(self->channels[1] + places[i][0], 0, places[i][1] * sizeof(double));
    memset(self->channels[1] + 400000, 0, 20000 * sizeof(double));
    memset(self->channels[0] + 200000, 0, 47 * sizeof(double)); /* too short */
    take(self);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        const programme_event *event = event_at(self, SIGNAL_DROPOUT, 1, places[i][0], 0);
        if (event == NULL)
            fail_msg("the drop-out at %u was not found", places[i][0]);
        assert_int_equal(event->frame_count, places[i][1]);
    }
    assert_int_equal(events_of(self, SIGNAL_DROPOUT), 5);
    assert_non_null(event_at(self, SIGNAL_STOP, 1, 400000, 0));
    assert_non_null(event_at(self, SIGNAL_START, 1, 420000, 0));
    assert_int_equal(events_of(self, SIGNAL_STOP) + events_of(self, SIGNAL_START), 2);
}

static void render_signal__finds_tones_and_their_frequency(void **state)
{
    bench *self = *state;
    fill_noise(self, 0.00003);
    for (uint32_t i = 0; i < 48000; i++)
        self->channels[0][290000 + i] += 0.1 * sin(2.0 * PI * 1000.0 * i / RATE);
    take(self);
    const programme_event *event = event_at(self, SIGNAL_TONE, 0, 290000, 960);
    assert_non_null(event);
    assert_true(event->frame_count >= 47000 && event->frame_count <= 48000);
    assert_true(fabs(event->level - 0.1) < 0.001);
    assert_true(fabs(asin(sqrt(event->figure) / 2.0) / PI * RATE - 1000.0) < 1.0);
    assert_int_equal(events_of(self, SIGNAL_TONE), 1);
}

/* The line-up tone 16 dB over noise, across a cell's edge; and a note of 988 Hz as far over it. */
static void render_signal__finds_a_line_up_tone_over_other_sound_but_no_note(void **state)
{
    bench *self = *state;
    for (uint32_t i = 0; i < FRAMES; i++) {
        bool sounds = i >= CELL_FRAMES - 24000 && i < CELL_FRAMES + 24000;
        self->channels[0][i] = 0.02 * uniform(self) + (sounds ? 0.1 * sin(2.0 * PI * 1001.0 * i / RATE) : 0.0);
        self->channels[1][i] = 0.02 * uniform(self) + (sounds ? 0.1 * sin(2.0 * PI * 987.77 * i / RATE) : 0.0);
    }
    take(self);
    assert_int_equal(events_of(self, SIGNAL_TONE), 1);
    const programme_event *event = event_at(self, SIGNAL_TONE, 0, CELL_FRAMES - 24000, 960);
    assert_non_null(event);
    assert_true(event->frame_count >= 47000 && event->frame_count <= 48000);
    assert_true(fabs(event->level - 0.1) < 0.01);
    assert_true(fabs(asin(sqrt(event->figure) / 2.0) / PI * RATE - 1001.0) < 1.0);
}

static void render_signal__sums_hum_and_spectrum_are_those_of_the_samples(void **state)
{
    bench *self = *state;
    for (uint32_t i = 0; i < FRAMES; i++) {
        self->channels[0][i] = 0.02 + 0.01 * sin(2.0 * PI * 50.0 * i / RATE);
        self->channels[1][i] = -0.5 * ldexp(rint(ldexp(0.3 * sin(2.0 * PI * 6000.0 * i / RATE), 15)), -15);
    }
    take(self);
    const signal_block *block = &self->programme.blocks[70];
    /* A sine of amplitude a has a mean square of a^2 / 2; a block of 100 ms holds whole periods. */
    assert_true(fabs((double)block->energy[0] - (0.0004 + 0.00005)) < 1e-8);
    assert_true(fabs((double)block->offset[0] - 0.02) < 1e-7);
    assert_true(fabs((double)block->energy[1] - 0.15 * 0.15 / 2) < 1e-6);
    assert_true(fabs((double)block->cross[0]) < 1e-6);
    const signal_hum *hum = &self->programme.hums[3];
    /* 1 ms means lower 50 Hz by sin(x) / x with x = pi / 20: 0.4 %. The offset lies far from the lines. */
    assert_true(fabs((double)hum->power[0][0][0] / (0.00005 * 0.99180) - 1.0) < 1e-3);
    assert_true((double)hum->power[0][1][0] < 1e-4 * (double)hum->power[0][0][0]);
    assert_true((double)hum->power[0][0][3] < 1e-4 * (double)hum->power[0][0][0]);
    const signal_cell *cell = &self->programme.cells[1];
    assert_true(fabs((double)cell->spectrum[1][32] / 0.01125 - 1.0) < 1e-4); /* 6 kHz = 32 bands of 187.5 Hz */
    assert_true((double)cell->spectrum[1][40] < 1e-9);
    assert_true(cell->bits[1] != 0 && (cell->bits[1] & 0x7FFF) == 0 && (cell->bits[1] & 0x8000) != 0); /* 17 bits */
}

/* The square of the sum over the programme: 1 in the mean by chance, and the number of windows where there is nothing else. */
static double mirror_square(const bench *self, uint32_t channel, uint32_t source, uint32_t turn)
{
    double sum[2] = {0.0, 0.0};
    for (size_t i = 0; i < self->programme.cell_count; i++)
        for (int part = 0; part < 2; part++)
            sum[part] += (double)self->programme.cells[i].mirror[channel][source][turn][part];
    return (sum[0] * sum[0] + sum[1] * sum[1]) / (double)self->programme.cell_count;
}

static void render_signal__the_image_of_another_rate_turns_with_that_rate_alone(void **state)
{
    bench *self = *state;
    double samples[2] = {uniform(self), uniform(self)}; /* noise of 44.1 kHz, drawn through as straight lines */
    uint64_t taken = 1;
    for (uint32_t i = 0; i < FRAMES; i++) {
        for (; taken * RATE <= (uint64_t)i * 44100; taken++) {
            samples[0] = samples[1];
            samples[1] = uniform(self);
        }
        const double place = 1.0 - ((double)taken - (double)i * 44100.0 / RATE);
        self->channels[0][i] = 0.1 * (samples[0] + place * (samples[1] - samples[0]));
        self->channels[1][i] = 0.1 * uniform(self);
    }
    take(self);
    assert_true(mirror_square(self, 0, 1, 0) > 25.0); /* of 32 windows */
    for (uint32_t k = 0; k < CHANNELS * SIGNAL_SOURCES * SIGNAL_MIRROR_TURNS; k++) {
        uint32_t c = k / SIGNAL_MIRROR_TURNS / SIGNAL_SOURCES, s = k / SIGNAL_MIRROR_TURNS % SIGNAL_SOURCES;
        bool image = c == 0 && s == 1 && k % SIGNAL_MIRROR_TURNS == 0;
        assert_true(image || mirror_square(self, c, s, k % SIGNAL_MIRROR_TURNS) < 6.25);
    }
    assert_true(mirror_square(self, 1, 2, 0) == 0.0); /* at 48 kHz nothing lies above 24 */
}

/* The higher the rate, the lower the line about which 32 kHz would mirror: from 384 kHz on fewer lie below it than are compared. */
static void render_signal__looks_for_images_up_to_the_highest_rate(void **state)
{
    bench *self = *state;
    static const uint32_t rates[] = {96000, 192000, 352800, 384000, 705600, SAMPLE_RATE_MAX};
    signal_tile *tile = aligned_alloc(_Alignof(signal_tile), sizeof *tile);
    assert_non_null(tile);
    memset(tile, 0, sizeof *tile);
    for (uint32_t k = 0; k < SIGNAL_BANDS; k++)
        for (uint32_t part = 0; part < 2; part++)
            tile->lines[k][part][0] = uniform(self);
    for (size_t r = 0; r < sizeof rates / sizeof rates[0]; r++) {
        signal_mirror mirror = {0};
        signal_mirror_take(&mirror, tile, 0, rates[r]);
        for (uint32_t s = 0; s < SIGNAL_SOURCES; s++)
            for (uint32_t t = 0; t < SIGNAL_MIRROR_TURNS; t++)
                assert_true(mirror.squares[s][t] > 0.0 && mirror.squares[s][t] <= 1.0);
    }
    free(tile);
}

/* Of two programmes' cells, all but their padding. */
static void assert_same_cells(const programme_signal *a, const programme_signal *b)
{
    assert_int_equal(a->cell_count, b->cell_count);
    for (size_t i = 0; i < a->cell_count; i++) {
        assert_memory_equal(a->cells[i].bits, b->cells[i].bits, sizeof a->cells[i].bits);
        assert_memory_equal(a->cells[i].spectrum, b->cells[i].spectrum, sizeof a->cells[i].spectrum);
        assert_memory_equal(a->cells[i].mirror, b->cells[i].mirror, sizeof a->cells[i].mirror);
    }
}

static void assert_same_blocks(const programme_signal *a, const programme_signal *b)
{
    assert_int_equal(a->block_count, b->block_count);
    for (size_t i = 0; i < a->block_count; i++)
        assert_memory_equal(&a->blocks[i], &b->blocks[i], offsetof(signal_block, weighted) + sizeof a->blocks[i].weighted);
    assert_int_equal(a->hum_count, b->hum_count);
    for (size_t i = 0; i < a->hum_count; i++)
        assert_memory_equal(&a->hums[i], &b->hums[i], offsetof(signal_hum, power) + sizeof a->hums[i].power);
}

/* A group is the same alone as among the others, and what was not asked for is not there. */
static void render_signal__groups_do_not_depend_on_each_other(void **state)
{
    bench *self = *state;
    fill_noise(self, 0.1);
    take(self);
    programme_signal whole = self->programme;
    self->programme = (programme_signal){0};
    take_groups(self, SIGNAL_GROUP_DEPTH | SIGNAL_GROUP_SPECTRUM);
    assert_int_equal(whole.groups, SIGNAL_GROUPS_ALL);
    assert_int_equal(self->programme.groups, SIGNAL_GROUP_DEPTH | SIGNAL_GROUP_SPECTRUM);
    assert_int_equal(self->programme.block_count + self->programme.hum_count + self->programme.event_count, 0);
    assert_same_cells(&self->programme, &whole);
    programme_signal_deinit(&self->programme);
    take_groups(self, SIGNAL_GROUP_SOUND);
    assert_same_blocks(&self->programme, &whole);
    assert_true(self->programme.cells[0].bits[0] == 0 && self->programme.cells[0].spectrum[0][5] == 0.0f);
    programme_signal_deinit(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(render_signal__noise_has_no_events, set_up, tear_down),
        cmocka_unit_test_setup_teardown(render_signal__finds_single_samples_wherever_tiles_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(render_signal__a_copy_is_found_however_late_it_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(render_signal__neither_noise_nor_a_tone_has_a_codecs_grid, set_up, tear_down),
        cmocka_unit_test_setup_teardown(render_signal__an_onset_is_no_click, set_up, tear_down),
        cmocka_unit_test_setup_teardown(render_signal__finds_drop_outs_from_one_millisecond, set_up, tear_down),
        cmocka_unit_test_setup_teardown(render_signal__finds_tones_and_their_frequency, set_up, tear_down),
        cmocka_unit_test_setup_teardown(render_signal__finds_a_line_up_tone_over_other_sound_but_no_note, set_up, tear_down),
        cmocka_unit_test_setup_teardown(render_signal__sums_hum_and_spectrum_are_those_of_the_samples, set_up, tear_down),
        cmocka_unit_test_setup_teardown(render_signal__the_image_of_another_rate_turns_with_that_rate_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(render_signal__looks_for_images_up_to_the_highest_rate, set_up, tear_down),
        cmocka_unit_test_setup_teardown(render_signal__groups_do_not_depend_on_each_other, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("render_signal", tests, NULL, NULL);
}
