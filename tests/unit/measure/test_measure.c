/* Cell measures on the wire and their merge: what the whole-file tests cannot reach. */
#include "common/measure/programme_measure.h"
#include "common/media/channel_layout.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SLOTS_MAX = 4096 };

typedef struct made_cell {
    cell_measure cell;
    double slots[SLOTS_MAX];
    double decislots[SLOTS_MAX];
    peak_run runs[4];
} made_cell;

static made_cell *make_cell(uint32_t rate, uint64_t first, uint32_t frame_count, double energy_per_frame)
{
    made_cell *self = calloc(1, sizeof *self);
    cell_measure *cell = &self->cell;
    *cell = (cell_measure){.sample_rate = rate, .layout = LAYOUT_MONO, .channel_count = 1, .programme_frame = first,
                           .frame_count = frame_count, .slot_energy = self->slots, .channel_energy = self->decislots,
                           .runs = self->runs};
    cell->first_slot = cell_measure_slot_of(first, rate);
    uint64_t last = cell_measure_slot_of(first + frame_count - 1, rate);
    cell->slot_count = (uint32_t)(last - cell->first_slot + 1);
    cell->first_decislot = cell->first_slot / 10;
    cell->decislot_count = (uint32_t)(last / 10 - cell->first_decislot + 1);
    for (uint32_t i = 0; i < cell->slot_count; i++) {
        uint64_t begin = cell_measure_slot_frame(cell->first_slot + i, rate);
        uint64_t end = cell_measure_slot_frame(cell->first_slot + i + 1, rate);
        begin = begin < first ? first : begin;
        end = end > first + frame_count ? first + frame_count : end;
        self->slots[i] = energy_per_frame * (double)(end - begin);
    }
    return self;
}

/* 11,025 Hz has slots of 110 and 111 frames; every frame lies in exactly one. */
static void cell_measure__slots_tile_the_frames_at_any_rate(void **state)
{
    (void)state;
    static const uint32_t rates[] = {8000, 11025, 22050, 44100, 47952, 48000, 88200, 96000, 192000};
    for (size_t r = 0; r < sizeof rates / sizeof rates[0]; r++)
        for (uint64_t slot = 0; slot < 1000; slot++) {
            uint64_t first = cell_measure_slot_frame(slot, rates[r]);
            uint64_t next = cell_measure_slot_frame(slot + 1, rates[r]);
            assert_int_equal(first, slot * rates[r] / 100);
            assert_int_equal(cell_measure_slot_of(first, rates[r]), slot);
            assert_int_equal(cell_measure_slot_of(next - 1, rates[r]), slot);
        }
}

static double merged_loudness(uint32_t rate, uint64_t frames, uint64_t cut)
{
    programme_measure *merged = programme_measure_create(rate, LAYOUT_MONO, frames);
    for (uint64_t first = 0; first < frames; first += cut) {
        made_cell *made = make_cell(rate, first, (uint32_t)(frames - first < cut ? frames - first : cut), 0.01);
        assert_int_equal(programme_measure_add(merged, &made->cell), STATUS_OK);
        free(made);
    }
    assert_true(programme_measure_complete(merged));
    double integrated = programme_measure_loudness(merged, 0, frames).integrated_lufs;
    programme_measure_destroy(&merged);
    return integrated;
}

/* A mean square of 0.01 is -0.691 - 20 LUFS, wherever cells are cut. */
static void programme_measure__partial_slots_add_up(void **state)
{
    (void)state;
    static const uint64_t cuts[] = {1000, 4801, 9973, 44100, 307200};
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        assert_true(fabs(merged_loudness(44100, 900001, cuts[i]) + 20.691) < 1e-9);
        assert_true(fabs(merged_loudness(48000, 900001, cuts[i]) + 20.691) < 1e-9);
        assert_true(fabs(merged_loudness(11025, 900001, cuts[i]) + 20.691) < 1e-9);
    }
}

static void programme_measure__refuses_gaps_overlaps_and_strangers(void **state)
{
    (void)state;
    programme_measure *merged = programme_measure_create(48000, LAYOUT_MONO, 20000);
    made_cell *first = make_cell(48000, 0, 9600, 0.01);
    made_cell *gap = make_cell(48000, 9601, 100, 0.01);
    made_cell *beyond = make_cell(48000, 9600, 10401, 0.01);
    made_cell *other_rate = make_cell(44100, 9600, 100, 0.01);
    assert_int_equal(programme_measure_add(merged, &first->cell), STATUS_OK);
    assert_int_equal(programme_measure_add(merged, &first->cell), STATUS_PEER_IMPOSSIBLE);
    assert_int_equal(programme_measure_add(merged, &gap->cell), STATUS_PEER_IMPOSSIBLE);
    assert_int_equal(programme_measure_add(merged, &beyond->cell), STATUS_PEER_IMPOSSIBLE);
    assert_int_equal(programme_measure_add(merged, &other_rate->cell), STATUS_PEER_IMPOSSIBLE);
    assert_false(programme_measure_complete(merged));
    programme_measure_destroy(&merged);
    free(first);
    free(gap);
    free(beyond);
    free(other_rate);
}

static void programme_measure__joins_runs_that_touch_across_cells(void **state)
{
    (void)state;
    programme_measure *merged = programme_measure_create(48000, LAYOUT_MONO, 20000);
    made_cell *left = make_cell(48000, 0, 10000, 0.01);
    made_cell *right = make_cell(48000, 10000, 10000, 0.01);
    left->runs[0] = (peak_run){.kind = PEAK_RUN_CLIP, .frame = 9000, .frame_count = 10, .sample_count = 10, .peak = 1.0};
    left->runs[1] = (peak_run){.kind = PEAK_RUN_TRUE, .frame = 9700, .frame_count = 300, .sample_count = 50, .peak = 0.9};
    left->cell.run_count = 2;
    right->runs[0] = (peak_run){.kind = PEAK_RUN_TRUE, .frame = 480, .frame_count = 20, .sample_count = 5, .peak = 0.95};
    right->runs[1] = (peak_run){.kind = PEAK_RUN_TRUE, .frame = 981, .frame_count = 1, .sample_count = 1, .peak = 0.8};
    right->cell.run_count = 2;
    assert_int_equal(programme_measure_add(merged, &left->cell), STATUS_OK);
    assert_int_equal(programme_measure_add(merged, &right->cell), STATUS_OK);
    size_t count;
    const programme_run *runs = programme_measure_runs(merged, &count);
    assert_int_equal(count, 3);
    assert_int_equal(runs[1].frame, 9700);
    assert_int_equal(runs[1].frame_count, 800);
    assert_int_equal(runs[1].sample_count, 55);
    assert_true(runs[1].peak == 0.95);
    assert_int_equal(runs[2].frame, 10981); /* 481 frames behind the end of the one before */
    programme_measure_destroy(&merged);
    free(left);
    free(right);
}

/* Each window alone, hop by hop, and the first of the loudest. */
static double loudest_window(const made_cell *made, uint32_t window, uint64_t *out_frame)
{
    uint32_t rate = made->cell.sample_rate;
    double best = 0.0;
    for (uint32_t s = 0; s + window <= made->cell.slot_count; s++) {
        double sum = 0.0;
        for (uint32_t hop = s; hop < s + window; hop += 10) {
            double part = 0.0;
            for (uint32_t i = hop; i < hop + 10; i++)
                part += made->slots[i];
            sum += part;
        }
        double mean = sum / (double)(cell_measure_slot_frame(s + window, rate) - cell_measure_slot_frame(s, rate));
        if (mean > best) {
            best = mean;
            *out_frame = cell_measure_slot_frame(s, rate);
        }
    }
    return measure_loudness(best);
}

/* Swelling noise, and slots so much alike that the number of frames decides (40 of them have 4,410 or 4,411 at 11,027 Hz). */
static void programme_measure__finds_the_loudest_window(void **state)
{
    (void)state;
    static const uint32_t rates[] = {48000, 44100, 11027};
    static const double swells[] = {1.0, 1e-3, 1e-7, 0.0};
    for (size_t r = 0; r < sizeof rates / sizeof rates[0]; r++)
        for (size_t w = 0; w < sizeof swells / sizeof swells[0]; w++) {
            uint64_t frames = cell_measure_slot_frame(1503 + 7 * w, rates[r]);
            made_cell *made = make_cell(rates[r], 0, (uint32_t)frames, 0.01);
            uint32_t seed = (uint32_t)(r + 3 * w);
            for (uint32_t i = 0; i < made->cell.slot_count; i++) {
                seed = seed * 1664525u + 1013904223u;
                made->slots[i] = (1.0 + swells[w] * ((double)seed / 4294967296.0 + 0.5 * sin(i * 0.007))) * rates[r] * 1e-4;
            }
            programme_measure *merged = programme_measure_create(rates[r], LAYOUT_MONO, frames);
            assert_int_equal(programme_measure_add(merged, &made->cell), STATUS_OK);
            loudness_figures figures = programme_measure_loudness(merged, 0, frames);
            uint64_t frame = 0;
            assert_true(figures.max_momentary_lufs == loudest_window(made, 40, &frame));
            assert_int_equal(figures.max_momentary_frame, frame);
            assert_true(figures.max_short_term_lufs == loudest_window(made, 300, &frame));
            assert_int_equal(figures.max_short_term_frame, frame);
            programme_measure_destroy(&merged);
            free(made);
        }
}

static void encode(const cell_measure *cell, byte_writer *writer)
{
    byte_writer_init(writer, MEASURE_BYTES_MAX);
    cell_measure_encode(cell, writer);
    assert_false(writer->failed);
}

static void cell_measure__comes_back_as_it_went(void **state)
{
    (void)state;
    made_cell *made = make_cell(44100, 12345, 307200, 0.25);
    made->cell.channels[0] = (channel_measure){.sample_peak = 0.5, .true_peak = 0.6, .mix_peak = 1.5, .overload_count = 3,
                                               .nonfinite_count = 2};
    made->runs[0] = (peak_run){.kind = PEAK_RUN_OVERLOAD, .frame = 7, .frame_count = 3, .sample_count = 3, .peak = 1.5};
    made->cell.run_count = 1;
    byte_writer once;
    byte_writer again;
    encode(&made->cell, &once);
    cell_measure back;
    assert_int_equal(cell_measure_decode(&back, once.bytes, once.size), STATUS_OK);
    encode(&back, &again);
    assert_int_equal(once.size, again.size);
    assert_memory_equal(once.bytes, again.bytes, once.size);
    cell_measure_deinit(&back);
    byte_writer_deinit(&once);
    byte_writer_deinit(&again);
    free(made);
}

/* A cell that begins and ends within slots, with as much of everything as there may be. */
static size_t fullest_size(channel_layout_id layout, uint32_t rate, uint8_t groups)
{
    made_cell *made = make_cell(rate, 1, CELL_FRAMES, 0.25);
    peak_run *runs = calloc(PEAK_RUNS_MAX, sizeof *runs);
    cell_signal *signal = calloc(1, sizeof *signal);
    cell_measure *cell = &made->cell;
    cell->layout = (uint8_t)layout;
    cell->channel_count = (uint8_t)channel_layout_get(layout)->channel_count;
    cell->runs = runs;
    cell->run_count = PEAK_RUNS_MAX;
    for (uint32_t i = 0; i < PEAK_RUNS_MAX; i++)
        runs[i] = (peak_run){.kind = PEAK_RUN_LIMITED, .channel = (uint8_t)(cell->channel_count - 1), .frame = CELL_FRAMES - 1,
                             .frame_count = 1, .sample_count = 1, .peak = 1.5};
    uint8_t pairs[SIGNAL_PAIRS_MAX];
    *signal = (cell_signal){.groups = groups, .channel_count = cell->channel_count,
                            .pair_count = (uint8_t)cell_signal_pairs((uint8_t)layout, pairs)};
    for (uint32_t left = (groups & SIGNAL_GROUP_SOUND) != 0 ? CELL_FRAMES : 0; left > 0;) {
        uint32_t *block = &signal->block_frames[signal->block_count++];
        *block = left < cell_signal_block_frames(rate) ? left : cell_signal_block_frames(rate);
        left -= *block;
        signal->hum_count = SIGNAL_HUM_STRETCHES;
        signal->event_count = SIGNAL_EVENTS_MAX;
    }
    for (uint32_t i = 0; i < signal->event_count; i++)
        signal->events[i] = (signal_event){.kind = SIGNAL_TONE, .channel = (uint8_t)(cell->channel_count - 1),
                                           .frame = -METER_PREROLL_FRAMES, .frame_count = METER_PREROLL_FRAMES + CELL_FRAMES};
    signal->speech_count = (uint16_t)((groups & SIGNAL_GROUP_SPEECH) != 0 ? CELL_FRAMES / (rate / 50) + 1 : 0);
    cell->signal = groups == 0 ? NULL : signal;
    byte_writer written;
    byte_writer again;
    encode(cell, &written);
    cell_measure back;
    assert_int_equal(cell_measure_decode(&back, written.bytes, written.size), STATUS_OK);
    encode(&back, &again);
    assert_int_equal(written.size, again.size);
    assert_memory_equal(written.bytes, again.bytes, written.size);
    size_t size = written.size;
    cell_measure_deinit(&back);
    byte_writer_deinit(&written);
    byte_writer_deinit(&again);
    free(runs);
    free(signal);
    free(made);
    return size;
}

/* What the planner reckons with is what a cell may take, and little more. */
static void cell_measure__keeps_to_its_bound(void **state)
{
    (void)state;
    static const channel_layout_id layouts[] = {LAYOUT_MONO, LAYOUT_STEREO, LAYOUT_5_1, LAYOUT_7_1_2};
    static const uint32_t rates[] = {44100, 48000};
    static const uint8_t groups[] = {0, SIGNAL_GROUP_DEPTH | SIGNAL_GROUP_SPECTRUM, SIGNAL_GROUPS_ALL, SIGNAL_GROUPS_MAX};
    for (size_t l = 0; l < sizeof layouts / sizeof layouts[0]; l++)
        for (size_t r = 0; r < sizeof rates / sizeof rates[0]; r++)
            for (size_t g = 0; g < sizeof groups; g++) {
                size_t size = fullest_size(layouts[l], rates[r], groups[g]);
                size_t bound = cell_measure_bytes_max((uint8_t)layouts[l], rates[r], groups[g]);
                assert_true(size <= bound && size + 512 > bound);
            }
}

/* Every beginning, and every byte changed: refused or decoded into something that holds its own rules; nothing else. */
static void cell_measure__survives_any_bytes(void **state)
{
    (void)state;
    made_cell *made = make_cell(48000, 480, 2400, 0.25);
    made->runs[0] = (peak_run){.kind = PEAK_RUN_TRUE, .frame = 7, .frame_count = 3, .sample_count = 3, .peak = 0.9};
    made->cell.run_count = 1;
    byte_writer good;
    encode(&made->cell, &good);
    cell_measure back;
    for (size_t size = 0; size < good.size; size++)
        assert_int_equal(cell_measure_decode(&back, good.bytes, size), STATUS_PEER_MALFORMED);
    uint8_t *bytes = malloc(good.size);
    size_t refused = 0;
    for (size_t at = 0; at < good.size; at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            memcpy(bytes, good.bytes, good.size);
            bytes[at] ^= (uint8_t)(1u << bit);
            if (cell_measure_decode(&back, bytes, good.size) != STATUS_OK) {
                refused++;
                continue;
            }
            programme_measure *merged = programme_measure_create(back.sample_rate, back.layout,
                                                                 back.programme_frame + back.frame_count);
            if (back.programme_frame == 0)
                assert_int_equal(programme_measure_add(merged, &back), STATUS_OK);
            programme_measure_destroy(&merged);
            cell_measure_deinit(&back);
        }
    assert_true(refused > good.size); /* shapes, counts and signs are checked; digits of an energy cannot be */
    free(bytes);
    byte_writer_deinit(&good);
    free(made);
}

static void programme_measure__short_and_silent_programmes_have_no_figures(void **state)
{
    (void)state;
    static const struct {
        uint64_t frames;
        double energy;
        bool momentary, short_term, integrated, range;
    } rows[] = {
        {0, 0.01, false, false, false, false},          {19199, 0.01, false, false, false, false},
        {19200, 0.01, true, false, true, false},        {143999, 0.01, true, false, true, false},
        {144000, 0.01, true, true, true, true},         {480000, 0.0, false, false, false, false},
        {480000, 1e-8, true, true, false, false}, /* -80.7 LUFS: under the absolute gate */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        programme_measure *merged = programme_measure_create(48000, LAYOUT_MONO, rows[i].frames);
        for (uint64_t first = 0; first < rows[i].frames; first += CELL_FRAMES) {
            uint64_t left = rows[i].frames - first;
            made_cell *made = make_cell(48000, first, left < CELL_FRAMES ? (uint32_t)left : CELL_FRAMES, rows[i].energy);
            assert_int_equal(programme_measure_add(merged, &made->cell), STATUS_OK);
            free(made);
        }
        loudness_figures figures = programme_measure_loudness(merged, 0, rows[i].frames);
        assert_int_equal(!isnan(figures.max_momentary_lufs), rows[i].momentary);
        assert_int_equal(!isnan(figures.max_short_term_lufs), rows[i].short_term);
        assert_int_equal(!isnan(figures.integrated_lufs), rows[i].integrated);
        assert_int_equal(!isnan(figures.range_lu), rows[i].range);
        programme_measure_destroy(&merged);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cell_measure__slots_tile_the_frames_at_any_rate),
        cmocka_unit_test(programme_measure__partial_slots_add_up),
        cmocka_unit_test(programme_measure__refuses_gaps_overlaps_and_strangers),
        cmocka_unit_test(programme_measure__joins_runs_that_touch_across_cells),
        cmocka_unit_test(programme_measure__finds_the_loudest_window),
        cmocka_unit_test(cell_measure__comes_back_as_it_went),
        cmocka_unit_test(cell_measure__keeps_to_its_bound),
        cmocka_unit_test(cell_measure__survives_any_bytes),
        cmocka_unit_test(programme_measure__short_and_silent_programmes_have_no_figures),
    };
    return cmocka_run_group_tests_name("measure", tests, NULL, NULL);
}
