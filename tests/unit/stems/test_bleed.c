/* Leaks between stems: found where they can be, at the right gain and delay, and nowhere else. */
#include "common/measure/stem_bleed.h"
#include "worker/render/render_parts.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SOURCE, HOST, LANES, TILE = 480, CELLS = 2, FRAMES = CELLS * CELL_FRAMES };

typedef struct plant {
    uint64_t seed;
    double host_db;     /* level of the host's own sound; the source is at -20 dBFS */
    double leak_db;     /* 0 = none */
    int delay;
    uint32_t first, end; /* frames in which it leaks */
    double filter;      /* one-pole low-pass of the leak; 0 = none */
    double after_db;    /* of the host behind the leak; 0: as before */
    bool second;        /* cells were heard before this one: one full of noise, and one with noise in three quarters */
    uint32_t cell;      /* which of CELLS is listened to */
    uint64_t most;      /* frames of each stem that may be read beyond it */
    uint32_t pause, resume; /* frames in which the source is silent */
    double low_pass;    /* of both sounds: eight poles at this */
    bool rounded;       /* the host, to 24 bits */
} plant;

static double noise(uint64_t *seed)
{
    double sum = 0.0;
    for (int i = 0; i < 4; i++) {
        *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        sum += (double)(int64_t)*seed / 9.223372036854775808e18;
    }
    return sum * 0.8660254037844386; /* variance 1: four even ones of 1/3 each */
}

static double from_db(double db)
{
    return pow(10.0, db / 20.0);
}

static void low_pass(double *samples, double pole)
{
    for (uint32_t order = 0; order < 8; order++)
        for (uint32_t i = 1; i < FRAMES; i++)
            samples[i] = pole * samples[i - 1] + (1.0 - pole) * samples[i];
}

/* Both lanes, from the cell that is listened to. */
typedef struct heard_lanes {
    const double *lanes[LANES];
    uint32_t cell_frame, read;
} heard_lanes;

static status read_beyond(void *context, uint16_t lane, int64_t frame, uint32_t frame_count, float *row)
{
    heard_lanes *self = context;
    int64_t first = (int64_t)self->cell_frame + frame;
    assert_true(first >= 0 && first + frame_count <= FRAMES);
    self->read += frame_count;
    for (uint32_t f = 0; f < frame_count; f++)
        row[f] = (float)self->lanes[lane][first + f];
    return STATUS_OK;
}

static stem_features *listen(const plant *made)
{
    arena memory;
    arena_init(&memory);
    render_program program = {.sample_rate = 48000, .input_count = LANES};
    for (uint16_t i = 0; i < LANES; i++)
        program.inputs[i] = (render_lane){.stem = i, .label = CHANNEL_C};
    dsp_table dsp;
    dsp_table_init(&dsp, cpu_features_detect());
    render_bleed *bleed = render_bleed_make(&program, &dsp, &memory);
    assert_non_null(bleed);
    double *source = calloc(FRAMES, sizeof *source);
    double *host = calloc(FRAMES, sizeof *host);
    uint64_t seed = made->seed;
    double slow = 0.0;
    double mine = 0.0;
    for (uint32_t i = 0; i < FRAMES; i++) { /* both fall with frequency, as programme does */
        slow = 0.9 * slow + 0.43588989435406733 * noise(&seed);
        source[i] = from_db(-20.0) * slow;
        mine = 0.9 * mine + 0.43588989435406733 * noise(&seed);
        host[i] = from_db(made->after_db < 0.0 && i >= made->end ? made->after_db : made->host_db) * mine;
    }
    if (made->low_pass > 0.0) {
        low_pass(source, made->low_pass);
        low_pass(host, made->low_pass);
    }
    for (uint32_t i = made->pause; i < made->resume; i++)
        source[i] = 0.0;
    double filtered = 0.0;
    for (uint32_t i = made->first; made->leak_db != 0.0 && i < made->end; i++) {
        int64_t from = (int64_t)i - made->delay;
        double value = from >= 0 && from < FRAMES ? source[from] : 0.0;
        filtered = made->filter * filtered + (1.0 - made->filter) * value;
        host[i] += from_db(made->leak_db) * filtered;
    }
    for (uint32_t i = 0; made->rounded && i < FRAMES; i++)
        host[i] = rint(host[i] * 0x1p23) * 0x1p-23;
    double *tile = aligned_alloc(64, sizeof(double) * TILE * TILE_LANES);
    assert_non_null(tile);
    memset(tile, 0, sizeof(double) * TILE * TILE_LANES);
    heard_lanes around = {.lanes = {source, host}, .cell_frame = made->cell * CELL_FRAMES};
    stem_features *features = calloc(1, sizeof *features);
    assert_non_null(features);
    for (uint32_t before = 0; made->second && before < 2; before++) {
        const uint32_t sound_end = before == 0 ? CELL_FRAMES : CELL_FRAMES / 4 * 3;
        render_bleed_begin(bleed, CELL_FRAMES);
        for (uint32_t first = 0; first < CELL_FRAMES; first += TILE) {
            const bool sounds = first < sound_end;
            for (uint32_t i = 0; i < TILE * TILE_LANES; i++)
                tile[i] = sounds ? 0.1 * noise(&seed) : 0.0;
            render_bleed_take(bleed, 0, tile, first, TILE, (double[TILE_LANES]){0.0});
        }
        const cell_beyond nothing = {.context = &around, .frames = read_beyond};
        assert_int_equal(render_bleed_end(bleed, features, &nothing), STATUS_OK);
        memset(features, 0, sizeof *features);
    }
    render_bleed_begin(bleed, CELL_FRAMES);
    for (uint32_t first = 0; first < CELL_FRAMES; first += TILE) {
        for (uint32_t i = 0; i < TILE; i++) {
            tile[(size_t)i * TILE_LANES + SOURCE] = source[around.cell_frame + first + i];
            tile[(size_t)i * TILE_LANES + HOST] = host[around.cell_frame + first + i];
        }
        render_bleed_take(bleed, 0, tile, first, TILE, (double[TILE_LANES]){0.0});
    }
    features->lane_count = LANES;
    features->frame_count = CELL_FRAMES;
    const cell_beyond beyond = {.context = &around,
                                 .before = around.cell_frame,
                                 .after = FRAMES - CELL_FRAMES - around.cell_frame,
                                 .most = made->most,
                                 .frames = read_beyond};
    assert_int_equal(render_bleed_end(bleed, features, &beyond), STATUS_OK);
    uint32_t told = 0;
    for (uint32_t i = 0; i < features->leak_count; i++)
        told += 2 * features->leaks[i].read;
    assert_int_equal(around.read, told); /* of both stems; where nothing leaks nothing is read again */
    assert_true(told <= LANES * made->most);
    free(tile);
    free(source);
    free(host);
    arena_deinit(&memory);
    return features;
}

static double octave_db(const stem_leak *leak, uint32_t band)
{
    double re = 0.0;
    double im = 0.0;
    return stem_leak_band(leak, band, &re, &im) ? 20.0 * log10(hypot(re, im)) : -HUGE_VAL;
}

static void bleed__is_found_down_to_minus_60_db(void **state)
{
    (void)state;
    static const int delays[] = {0, 1, 37, -5, 480, 1000};
    for (int db = -20; db >= -60; db -= 5)
        for (size_t d = 0; d < sizeof delays / sizeof delays[0]; d++) {
            plant made = {.seed = (uint64_t)(1000 - db) * 31 + d, .host_db = -65.0, .leak_db = db, .delay = delays[d],
                           .end = CELL_FRAMES};
            stem_features *heard = listen(&made);
            assert_int_equal(heard->leak_count, 1);
            assert_int_equal(heard->leaks[0].source, SOURCE);
            assert_int_equal(heard->leaks[0].host, HOST);
            assert_int_equal(heard->leaks[0].delay, delays[d]);
            /* The project's accuracy; below -50 dB the host is louder than the leak by up to 15 dB: one cell tells 7 % (0.6 dB). */
            assert_true(fabs(20.0 * log10(fabs(stem_leak_gain(&heard->leaks[0]))) - db) < (db < -50 ? 1.5 : 0.5));
            assert_true((double)heard->leaks[0].score >= STEM_LEAK_SCORE_MIN && (double)heard->leaks[0].rest > 4.5);
            assert_true((double)heard->reach[0][1] < from_db(db)); /* what was found was in reach */
            free(heard);
        }
}

/* What a lane held in the cell before is gone where it is silent in this one. */
static void bleed__of_a_cell_does_not_depend_on_the_one_before(void **state)
{
    (void)state;
    plant made = {.seed = 77, .host_db = -65.0, .leak_db = -40.0, .delay = 37, .first = CELL_FRAMES / 4, .end = CELL_FRAMES / 2,
                  .after_db = -HUGE_VAL};
    stem_features *alone = listen(&made);
    made.second = true;
    stem_features *after = listen(&made);
    assert_int_equal(alone->leak_count, 1);
    assert_memory_equal(alone->leaks, after->leaks, sizeof alone->leaks[0]);
    assert_int_equal(after->leak_count, 1);
    assert_memory_equal(alone->reach, after->reach, sizeof alone->reach);
    free(alone);
    free(after);
}

static void bleed__of_chance_is_not_found(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 40; seed++) {
        plant made = {.seed = seed * 977 + 5, .host_db = -20.0 - 2.0 * (double)seed};
        stem_features *heard = listen(&made);
        for (uint32_t i = 0; i < heard->leak_count; i++) /* kept, to go on from a cell beside; never a leak by itself */
            assert_true((double)heard->leaks[i].score < STEM_LEAK_SCORE_MIN);
        free(heard);
    }
}

/*
 * Two subwoofers: in the octaves that neither holds the window leaves a skirt of each, in all bins alike, of which eight windows
 * say one thing each.
 */
static void bleed__of_chance_is_not_found_between_two_sounds_that_are_low_alone(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 40; seed++) {
        plant made = {.seed = seed * 977 + 5, .host_db = -15.0 - (double)(seed % 4) * 6.0, .low_pass = 0.99};
        stem_features *heard = listen(&made);
        for (uint32_t i = 0; i < heard->leak_count; i++)
            assert_true((double)heard->leaks[i].score < STEM_LEAK_SCORE_MIN);
        free(heard);
    }
}

/* A host that holds little but the rounding of its samples, and a trace of the source that is 13 dB fainter in all. */
static void bleed__below_the_rounding_of_24_bits_is_none(void **state)
{
    (void)state;
    for (uint64_t seed = 901; seed < 905; seed += 2) {
        plant made = {.seed = seed, .host_db = -140.0, .leak_db = -142.0, .end = CELL_FRAMES, .rounded = true};
        stem_features *heard = listen(&made);
        assert_int_equal(heard->leak_count, 0);
        free(heard);
    }
}

static void bleed__under_a_loud_host_is_out_of_reach_and_says_so(void **state)
{
    (void)state;
    plant made = {.seed = 3, .host_db = -10.0, .leak_db = -60.0, .end = CELL_FRAMES};
    stem_features *heard = listen(&made);
    assert_true(heard->leak_count == 0 || (double)heard->leaks[0].score < STEM_LEAK_SCORE_MIN);
    assert_true((double)heard->reach[0][1] > from_db(-40.0));
    free(heard);
}

/* What is left of a leak below 1.5 kHz counts for little among the bins of the treble: how large it must be is told apart. */
static void bleed__without_treble_has_a_reach_of_its_own(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 4; seed++) {
        plant made = {.seed = 500 + seed, .host_db = -60.0, .end = CELL_FRAMES, .filter = 0.97};
        stem_features *heard = listen(&made);
        double whole = 20.0 * log10((double)heard->reach[0][1]);
        double low = 20.0 * log10((double)heard->reach_low[0][1]);
        free(heard);
        made.leak_db = whole + 6.0;
        heard = listen(&made);
        assert_true(heard->leak_count == 0 || (double)heard->leaks[0].score < STEM_LEAK_SCORE_MIN);
        free(heard);
        made.leak_db = low + 6.0; /* the filter begins at 230 Hz */
        heard = listen(&made);
        assert_int_equal(heard->leak_count, 1);
        assert_true((double)heard->leaks[0].score >= STEM_LEAK_SCORE_MIN);
        free(heard);
    }
}

/* All eight windows have it and tell its gain badly: then all of the cell is asked. */
static void bleed__that_the_windows_tell_badly_is_measured_in_all_of_the_cell(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 12; seed++) {
        plant made = {.seed = 700 + seed, .host_db = -45.0, .leak_db = -45.0, .delay = 37, .end = CELL_FRAMES};
        stem_features *heard = listen(&made);
        assert_int_equal(heard->leak_count, 1);
        const stem_leak *leak = &heard->leaks[0];
        double sum = 0.0;
        double weight = 0.0;
        for (uint32_t band = 0; band < STEM_BANDS; band++) { /* each as well as it is known */
            sum += (double)leak->band_re[band] * (double)leak->band_own[band] / (double)leak->band_noise[band];
            weight += (double)leak->band_own[band] * (double)leak->band_own[band] / (double)leak->band_noise[band];
        }
        assert_true(fabs(20.0 * log10(sum / weight) - made.leak_db) < 0.5); /* of the windows alone: 1.5 */
        free(heard);
    }
}

/* A leak in windows 2 to 4, over hosts that are all but silent elsewhere and over one that is not. */
static void bleed__of_a_part_of_the_cell_is_measured_there(void **state)
{
    (void)state;
    static const double hosts[] = {-120.0, -96.0, -65.0};
    for (int db = -20; db >= -50; db -= 15)
        for (size_t h = 0; h < sizeof hosts / sizeof hosts[0]; h++) {
            plant made = {.seed = 11 + h, .host_db = hosts[h], .leak_db = db, .delay = 480, .first = 2 * CELL_FRAMES / 8,
                          .end = 5 * CELL_FRAMES / 8};
            stem_features *heard = listen(&made);
            assert_int_equal(heard->leak_count, 1);
            const stem_leak *leak = &heard->leaks[0];
            /* Told in steps of 2,048 frames, from windows of two: its first frame is in step 37, its last in step 93. */
            assert_in_range(leak->first_step, 36, 38);
            assert_in_range(leak->last_step, 92, 94);
            assert_in_range(leak->first_open, 35, 38);
            assert_in_range(leak->last_open, 92, 95);
            assert_true(fabs(20.0 * log10(fabs(stem_leak_gain(leak))) - db) < 0.5);
            free(heard);
        }
}

/* In the first two windows, 20 dB under the host, which is all but silent behind: only its own windows can show it. */
static void bleed__that_ends_with_its_host_is_heard_at_the_cells_edge(void **state)
{
    (void)state;
    plant made = {.seed = 21, .host_db = -50.0, .leak_db = -50.0, .delay = 37, .end = 2 * CELL_FRAMES / STEM_WINDOWS,
                  .after_db = -110.0};
    stem_features *heard = listen(&made);
    assert_int_equal(heard->leak_count, 1);
    assert_int_equal(heard->leaks[0].delay, 37);
    assert_int_equal(heard->leaks[0].first_step, 0);
    /* Its last frame is in step 37. */
    assert_in_range(heard->leaks[0].last_step, 36, 38);
    assert_true((double)heard->leaks[0].score < STEM_LEAK_SCORE_MIN); /* too few: it only goes on from the cell before */
    free(heard);
    made.leak_db = 0.0;
    heard = listen(&made);
    assert_int_equal(heard->leak_count, 0);
    free(heard);
}

static stem_leak followed(const plant *made)
{
    stem_features *heard = listen(made);
    assert_int_equal(heard->leak_count, 1);
    stem_leak leak = heard->leaks[0];
    free(heard);
    return leak;
}

/* To 0.25 s. */
static bool is_known(const stem_beyond *beyond)
{
    return (beyond->open - beyond->heard) * STEM_STEP_FRAMES <= 12288;
}

/* The outermost windows lie half a second from the edges, and hear what ends behind them as if it went on up to these. */
static void bleed__that_ends_between_a_window_and_the_edge_is_told_to_its_step(void **state)
{
    (void)state;
    for (uint32_t steps = 2; steps <= 8; steps += 3) {
        plant made = {.seed = 90 + steps, .host_db = -65.0, .leak_db = -50.0, .delay = 240, .most = 48000,
                      .end = CELL_FRAMES - steps * STEM_STEP_FRAMES};
        stem_leak leak = followed(&made);
        assert_in_range(leak.last_step + 1, STEM_STEPS - steps - 1, STEM_STEPS - steps + 1);
        assert_int_equal(leak.after.open, 0);
        made.first = CELL_FRAMES + steps * STEM_STEP_FRAMES;
        made.end = FRAMES;
        made.cell = 1;
        leak = followed(&made);
        assert_in_range(leak.first_step, steps - 1, steps + 1);
        assert_int_equal(leak.before.open, 0);
        made.most = 0; /* nothing is read for it */
        leak = followed(&made);
        assert_in_range(leak.first_step, steps - 1, steps + 1);
        assert_int_equal(leak.before.open, 0);
    }
}

/* Of a leak that goes on for less than the cell beside would hear the cell that shows it tells how far, to 0.25 s. */
static void bleed__that_crosses_an_edge_is_followed_beyond_it(void **state)
{
    (void)state;
    static const uint32_t steps[] = {0, 15, 30}; /* of 43 ms */
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        uint32_t over = steps[i] * STEM_STEP_FRAMES;
        plant made = {.seed = 77 + i, .host_db = -65.0, .leak_db = -50.0, .delay = -240, .end = CELL_FRAMES + over, .most = 48000};
        stem_leak leak = followed(&made);
        assert_in_range(leak.after.told, steps[i] < 4 ? 0 : steps[i] - 4, steps[i] + 4);
        assert_int_equal(leak.before.told, 0);
        assert_true(is_known(&leak.before) && is_known(&leak.after));
        made.first = CELL_FRAMES - over;
        made.end = FRAMES;
        made.cell = 1;
        leak = followed(&made);
        assert_in_range(leak.before.told, steps[i] < 4 ? 0 : steps[i] - 4, steps[i] + 4);
        assert_int_equal(leak.after.told, 0); /* nothing is known behind the piece */
        assert_true(is_known(&leak.before) && is_known(&leak.after));
    }
}

/* Where the cell beside shows it anyway one window is enough; where it is too faint for that it is followed to its end. */
static void bleed__is_followed_for_long_only_where_it_is_faint(void **state)
{
    (void)state;
    plant made = {.seed = 80, .host_db = -65.0, .leak_db = -50.0, .delay = -240, .end = CELL_FRAMES + 70 * STEM_STEP_FRAMES,
                  .most = 16000}; /* seven windows of 43 ms */
    stem_leak leak = followed(&made);
    assert_int_equal(leak.read, BEYOND_FRAMES / 4); /* of a clear one they are half as long */
    assert_in_range(leak.after.told, 35, 36); /* 1.5 s */
    made.host_db = -49.0;
    leak = followed(&made);
    assert_in_range(leak.read, 2 * BEYOND_FRAMES, 7 * BEYOND_FRAMES / 2);
    assert_in_range(leak.after.told, 66, 74);
}

/* At 0.75 s the source pauses, from which nothing follows: the leak goes on to 1.28 s. */
static void bleed__is_followed_beyond_a_pause_of_its_source(void **state)
{
    (void)state;
    plant made = {.seed = 81, .host_db = -65.0, .leak_db = -50.0, .end = CELL_FRAMES + 30 * STEM_STEP_FRAMES, .most = 48000,
                  .pause = CELL_FRAMES + 31000, .resume = CELL_FRAMES + 42000};
    stem_leak leak = followed(&made);
    assert_in_range(leak.after.told, 26, 34);
    assert_true(is_known(&leak.after));
}

/* Its source pauses across the edge: it ends where it was heard last, whatever is left open beyond. */
static void bleed__that_may_have_ended_in_a_pause_is_told_no_further(void **state)
{
    (void)state;
    plant made = {.seed = 82, .host_db = -65.0, .leak_db = -50.0, .end = CELL_FRAMES - 20 * STEM_STEP_FRAMES, .most = 1024,
                  .pause = CELL_FRAMES - 30 * STEM_STEP_FRAMES, .resume = CELL_FRAMES + 31000};
    stem_leak leak = followed(&made);
    assert_in_range(leak.last_step, STEM_STEPS - 32, STEM_STEPS - 29);
    assert_int_equal(leak.last_open, STEM_STEPS - 1);
    assert_int_equal(leak.after.told, 0);
}

/* With less to read the windows are shorter, and an end that they leave open is said to be; with none the cell's edge is told. */
static void bleed__is_followed_with_what_may_be_read(void **state)
{
    (void)state;
    plant made = {.seed = 78, .host_db = -65.0, .leak_db = -50.0, .delay = -240, .end = CELL_FRAMES + 15 * STEM_STEP_FRAMES};
    for (made.most = 0; made.most <= 4096; made.most += 512) {
        stem_leak leak = followed(&made);
        uint32_t windows = (uint32_t)made.most / 1024; /* of 21 ms; each halves what is open, whose middle is told, from 1.5 s on */
        assert_int_equal(leak.read, 1024 * windows);
        assert_int_equal(is_known(&leak.after), windows >= 4);
        assert_in_range(15, leak.after.heard, leak.after.open);
        static const uint32_t middles[] = {0, 17, 8, 13, 15};
        assert_int_equal(leak.after.told, middles[windows]);
    }
}

static void bleed__that_was_filtered_shows_in_its_bands(void **state)
{
    (void)state;
    plant made = {.seed = 12, .host_db = -80.0, .leak_db = -40.0, .end = CELL_FRAMES, .filter = 0.9};
    stem_features *heard = listen(&made);
    assert_int_equal(heard->leak_count, 1);
    const stem_leak *leak = &heard->leaks[0];
    /* One pole at 0.9: -3 dB at 800 Hz; below 375 Hz (bands 0 to 2) less than 1 dB is lost, at 6 kHz and above over 15 dB. */
    for (uint32_t band = 0; band < 3; band++)
        assert_true(fabs(octave_db(leak, band) + 40.0) < 1.5);
    assert_true(octave_db(leak, 7) < -55.0);
    free(heard);
}

/* Below 400 Hz alone, in two thirds of the cell: the windows it is searched in do not always tell, all of the cell does. */
static void bleed__without_treble_is_found_in_a_dull_host(void **state)
{
    (void)state;
    for (uint64_t seed = 400; seed < 600; seed += 31) {
        plant made = {.seed = seed, .host_db = -70.0, .leak_db = -50.0, .delay = 37, .first = CELL_FRAMES / 3, .end = CELL_FRAMES,
                      .filter = 0.95};
        stem_features *heard = listen(&made);
        assert_int_equal(heard->leak_count, 1);
        assert_in_range(heard->leaks[0].delay, 37, 37 + STEM_DELAY_SLACK + 8); /* the filter's own delay is 20 samples */
        assert_true((double)heard->leaks[0].score >= STEM_LEAK_SCORE_MIN);
        free(heard);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bleed__is_found_down_to_minus_60_db),
        cmocka_unit_test(bleed__of_a_cell_does_not_depend_on_the_one_before),
        cmocka_unit_test(bleed__of_chance_is_not_found),
        cmocka_unit_test(bleed__of_chance_is_not_found_between_two_sounds_that_are_low_alone),
        cmocka_unit_test(bleed__without_treble_has_a_reach_of_its_own),
        cmocka_unit_test(bleed__that_the_windows_tell_badly_is_measured_in_all_of_the_cell),
        cmocka_unit_test(bleed__below_the_rounding_of_24_bits_is_none),
        cmocka_unit_test(bleed__under_a_loud_host_is_out_of_reach_and_says_so),
        cmocka_unit_test(bleed__of_a_part_of_the_cell_is_measured_there),
        cmocka_unit_test(bleed__that_ends_with_its_host_is_heard_at_the_cells_edge),
        cmocka_unit_test(bleed__that_ends_between_a_window_and_the_edge_is_told_to_its_step),
        cmocka_unit_test(bleed__that_crosses_an_edge_is_followed_beyond_it),
        cmocka_unit_test(bleed__is_followed_for_long_only_where_it_is_faint),
        cmocka_unit_test(bleed__is_followed_beyond_a_pause_of_its_source),
        cmocka_unit_test(bleed__that_may_have_ended_in_a_pause_is_told_no_further),
        cmocka_unit_test(bleed__is_followed_with_what_may_be_read),
        cmocka_unit_test(bleed__that_was_filtered_shows_in_its_bands),
        cmocka_unit_test(bleed__without_treble_is_found_in_a_dull_host),
    };
    return cmocka_run_group_tests_name("bleed", tests, NULL, NULL);
}
