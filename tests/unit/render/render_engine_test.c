/* The engine over real files: exact bytes, for any cut and any instruction set, and figures that are those of the bytes. */
#include "common/measure/programme_measure.h"
#include "tests/unit/render/render_scene.h"
#include "worker/render/track_reader.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <ebur128.h>

/* ITU-R BS.1770-5, Annex 2: the first two phases; the others are these reversed. */
static const double annex_2[2][12] = {
    {0.0017089843750, 0.0109863281250, -0.0196533203125, 0.0332031250000, -0.0594482421875, 0.1373291015625,
     0.9721679687500, -0.1022949218750, 0.0476074218750, -0.0266113281250, 0.0148925781250, -0.0083007812500},
    {-0.0291748046875, 0.0292968750000, -0.0517578125000, 0.0891113281250, -0.1665039062500, 0.4650878906250,
     0.7797851562500, -0.2003173828125, 0.1015625000000, -0.0582275390625, 0.0330810546875, -0.0189208984375}};

static cpu_features best;
static scene_result whole; /* in tasks as long as they go, with the best instruction set */

static int setup(void **state)
{
    if (scene_create(state) != 0)
        return -1;
    best = cpu_features_detect();
    whole = scene_run(*state, SCENE_CELLS, best);
    return 0;
}

static int teardown(void **state)
{
    scene_result_free(&whole);
    return scene_destroy(state);
}

/* ---- bytes ---- */

typedef struct error_sum {
    double mean, power; /* in steps */
    uint64_t count;
} error_sum;

static void render_engine__every_sample_is_the_nearest_to_the_exact_mix(void **state)
{
    const scene *self = *state;
    uint64_t clamped = 0;
    uint64_t nonfinite = 0;
    error_sum dithered = {0};
    for (uint32_t output = OUTPUT_51; output <= OUTPUT_STEREO_FLOAT; output++)
        for (uint32_t c = 0; c < (output == OUTPUT_51 ? 6u : 2u); c++) {
            double *samples = scene_channel(self, &whole, output, c);
            for (uint64_t f = 0; f < self->frame_count; f++) {
                long double exact;
                nonfinite += !scene_mix(self, self->program.outputs[output].first_lane + c, f, &exact);
                double actual = samples[f];
                if (output == OUTPUT_STEREO_FLOAT) {
                    assert_true(fabsl((long double)actual - exact) <= ldexpl(fabsl(exact), -24) + 0x1p-149L);
                    continue;
                }
                long double step = output == OUTPUT_51 ? 0x1p-23L : 0x1p-15L;
                if (exact < -1.0L || exact > 1.0L - step) {
                    clamped++;
                    exact = exact < 0.0L ? -1.0L : 1.0L - step;
                } else if (output == OUTPUT_STEREO_16 && fabsl(exact) < 0.99L) {
                    double error = (double)(((long double)actual - exact) / step);
                    dithered.mean += error;
                    dithered.power += error * error;
                    dithered.count++;
                }
                if (output == OUTPUT_STEREO_16) { /* TPDF of up to one step beside the half that rounding takes */
                    assert_true(fabsl((long double)actual - exact) <= step * 1.5L + 0x1p-47L);
                    continue;
                }
                /* Sixteen roundings in double, each below 2^-53 of a value below 4, beside the half step. */
                assert_true(fabsl((long double)actual - exact) <= step / 2 + 0x1p-47L);
            }
            free(samples);
        }
    assert_true(clamped > 100); /* the scene does overload */
    /*
     * Non-subtractive TPDF: the whole error has mean 0 and power step^2 / 4 (1/6 of the noise, 1/12 of the rounding),
     * whatever the signal (Lipshitz, Wannamaker, Vanderkooy: Quantization and Dither, JAES 1992). Five sigma: the mean of
     * n errors has a deviation of 0.5 / sqrt(n), their mean power less than 0.35 / sqrt(n).
     */
    double count = (double)dithered.count;
    assert_true(count > 5e5);
    assert_true(fabs(dithered.mean / count) < 5.0 * 0.5 / sqrt(count));
    assert_true(fabs(dithered.power / count - 0.25) < 5.0 * 0.35 / sqrt(count));
    assert_int_equal(nonfinite, 10); /* C of the 5.1 takes the float stem: NaN and infinity, 1e30 only overloads */
}

static void render_engine__cutting_the_work_changes_nothing(void **state)
{
    for (uint32_t cells = 1; cells <= 2; cells++) {
        scene_result cut = scene_run(*state, cells, best);
        scene_results_equal(&whole, &cut);
        scene_result_free(&cut);
    }
}

static void render_engine__instruction_sets_give_the_same_bits(void **state)
{
    static const cpu_features sets[] = {CPU_SCALAR, CPU_AVX2};
    for (size_t i = 0; i < 2; i++) {
        cpu_features features;
        if (cpu_features_cap(cpu_features_name(sets[i]), &features) != STATUS_OK) {
            print_message("this CPU has no %s; not compared\n", cpu_features_name(sets[i]));
            continue;
        }
        scene_result other = scene_run(*state, SCENE_CELLS, features);
        scene_results_equal(&whole, &other);
        scene_result_free(&other);
    }
}

static void render_engine__a_reels_file_is_its_part_of_the_joined_one(void **state)
{
    const scene *self = *state;
    static const uint32_t film[6] = {0, 2, 1, 4, 5, 3};
    for (uint32_t r = 0; r < SCENE_REELS; r++)
        for (uint64_t f = 0; f < self->reel_frames[r]; f++)
            for (uint32_t c = 0; c < 6; c++)
                assert_memory_equal(whole.files[FILE_REEL_51 + r].bytes + (f * 6 + film[c]) * 3,
                                    whole.files[FILE_51].bytes + ((self->programme_frame[r] + f) * 6 + c) * 3, 3);
}

/* ---- digests ---- */

static void render_engine__digests_are_those_of_the_bytes_written(void **state)
{
    const scene *self = *state;
    static const uint32_t frame_bytes[] = {18, 2, 2, 8};
    for (uint32_t r = 0; r < SCENE_REELS; r++)
        for (uint64_t cell = 0; cell * CELL_FRAMES < self->reel_frames[r]; cell++)
            for (uint32_t i = 0; i < 5; i++) {
                uint64_t first = cell * CELL_FRAMES + (i < 4 ? self->programme_frame[r] : 0);
                uint64_t left = self->reel_frames[r] - cell * CELL_FRAMES;
                uint32_t size = i < 4 ? frame_bytes[i] : 18;
                content_hash expected =
                    content_hash_of(whole.files[i < 4 ? i : FILE_REEL_51 + r].bytes + first * size,
                                    (left < CELL_FRAMES ? left : CELL_FRAMES) * size);
                assert_memory_equal(&expected, &whole.outputs[r][cell][i], sizeof expected);
            }
}

/* ---- figures ---- */

static programme_measure *merge(const scene *self, uint32_t output)
{
    programme_measure *merged = programme_measure_create(48000, self->program.outputs[output].layout, self->frame_count);
    for (uint32_t r = 0; r < SCENE_REELS; r++)
        for (uint32_t c = 0; c < SCENE_CELLS && whole.measures[r][c][output].bytes != NULL; c++) {
            cell_measure cell;
            assert_int_equal(cell_measure_decode(&cell, whole.measures[r][c][output].bytes,
                                                 whole.measures[r][c][output].size),
                             STATUS_OK);
            assert_int_equal(programme_measure_add(merged, &cell), STATUS_OK);
            cell_measure_deinit(&cell);
        }
    assert_true(programme_measure_complete(merged));
    return merged;
}

static uint64_t located_frames(const programme_measure *merged, uint32_t channel)
{
    size_t count;
    const programme_run *runs = programme_measure_runs(merged, &count);
    uint64_t frames = 0;
    for (size_t i = 0; i < count; i++)
        if (runs[i].kind == PEAK_RUN_TRUE && runs[i].channel == channel)
            frames += runs[i].sample_count;
    return frames;
}

static void render_engine__peaks_are_those_of_the_whole_file(void **state)
{
    const scene *self = *state;
    for (uint32_t output = OUTPUT_51; output <= OUTPUT_STEREO_FLOAT; output++) {
        programme_measure *merged = merge(self, output);
        peak_figures peaks = programme_measure_peaks(merged);
        for (uint32_t c = 0; c < (output == OUTPUT_51 ? 6u : 2u); c++) {
            double newest[12] = {0};
            double *samples = scene_channel(self, &whole, output, c);
            double sample_peak = 0.0;
            double true_peak = 0.0;
            bool over = false;
            uint64_t located = 0; /* frames above the bound from which true peaks are located */
            for (uint64_t f = 0; f < self->frame_count + 11; f++) {
                memmove(newest + 1, newest, 11 * sizeof *newest);
                newest[0] = f < self->frame_count ? samples[f] : 0.0;
                sample_peak = fmax(sample_peak, fabs(newest[0]));
                double frame_peak = 0.0;
                for (uint32_t phase = 0; phase < 4; phase++) {
                    double y = 0.0;
                    for (uint32_t k = 0; k < 12; k++)
                        y += newest[k] * (phase < 2 ? annex_2[phase][k] : annex_2[3 - phase][11 - k]);
                    frame_peak = fmax(frame_peak, fabs(y));
                }
                true_peak = fmax(true_peak, frame_peak);
                if (measure_db(frame_peak) > PEAK_LOCATE_DBTP && (f < self->frame_count || !over))
                    located++; /* what rings out after the end belongs to the last frame */
                over = measure_db(frame_peak) > PEAK_LOCATE_DBTP || (over && f >= self->frame_count);
            }
            assert_int_equal(located_frames(merged, c), located);
            assert_true(peaks.channels[c].sample_peak == sample_peak);
            double expected = measure_db(fmax(true_peak, sample_peak));
            assert_true(fabs(measure_db(peaks.channels[c].true_peak) - expected) <= 1e-6);
            free(samples);
        }
        programme_measure_destroy(&merged);
    }
}

/* Runs of frames over a bound, at most 480 frames apart, as cell_measure.h has them. */
static size_t overload_runs(const scene *self, uint32_t lane, programme_run *runs, uint64_t *out_samples)
{
    size_t count = 0;
    *out_samples = 0;
    for (uint64_t f = 0; f < self->frame_count; f++) {
        long double value;
        if (!scene_mix(self, lane, f, &value))
            continue;
        long double steps = rintl(value * 0x1p23L);
        if (steps >= -0x1p23L && steps <= 0x1p23L - 1.0L)
            continue;
        (*out_samples)++;
        if (count == 0 || f > runs[count - 1].frame + runs[count - 1].frame_count + 480)
            runs[count++] = (programme_run){.frame = f};
        runs[count - 1].frame_count = f + 1 - runs[count - 1].frame;
        runs[count - 1].sample_count++;
        runs[count - 1].peak = fmax(runs[count - 1].peak, (double)fabsl(value));
    }
    return count;
}

static void render_engine__overloads_are_counted_and_located(void **state)
{
    const scene *self = *state;
    programme_measure *merged = merge(self, OUTPUT_51);
    peak_figures peaks = programme_measure_peaks(merged);
    programme_run *expected = calloc(100000, sizeof *expected);
    size_t run_count;
    const programme_run *runs = programme_measure_runs(merged, &run_count);
    uint64_t total = 0;
    for (uint32_t c = 0; c < 6; c++) {
        uint64_t samples;
        size_t count = overload_runs(self, c, expected, &samples);
        assert_int_equal(peaks.channels[c].overload_count, samples);
        assert_int_equal(peaks.channels[c].nonfinite_count, c == 2 ? 10 : 0);
        total += count;
        size_t seen = 0;
        for (size_t i = 0; i < run_count; i++) {
            if (runs[i].kind != PEAK_RUN_OVERLOAD || runs[i].channel != c)
                continue;
            assert_true(seen < count);
            assert_int_equal(runs[i].frame, expected[seen].frame);
            assert_int_equal(runs[i].frame_count, expected[seen].frame_count);
            assert_int_equal(runs[i].sample_count, expected[seen].sample_count);
            assert_true(fabs(runs[i].peak / expected[seen].peak - 1.0) < 1e-12);
            seen++;
        }
        assert_int_equal(seen, count);
    }
    assert_int_equal(peaks.run_dropped, 0);
    assert_true(total > 10);
    free(expected);
    programme_measure_destroy(&merged);
}

/* The first witness of loudness: libebur128 over the samples of the file, asked every 10 ms. */
static void render_engine__loudness_is_that_of_the_whole_file(void **state)
{
    const scene *self = *state;
    for (uint32_t output = OUTPUT_51; output <= OUTPUT_STEREO_FLOAT; output++) {
        uint32_t channels = output == OUTPUT_51 ? 6 : 2;
        ebur128_state *witness = ebur128_init(channels, 48000, EBUR128_MODE_M | EBUR128_MODE_S | EBUR128_MODE_I);
        static const int map[6] = {EBUR128_LEFT,   EBUR128_RIGHT,         EBUR128_CENTER,
                                   EBUR128_UNUSED, EBUR128_LEFT_SURROUND, EBUR128_RIGHT_SURROUND};
        double *samples[6];
        for (uint32_t c = 0; c < channels; c++)
            samples[c] = scene_channel(self, &whole, output, c);
        for (uint32_t c = 0; c < channels; c++)
            assert_int_equal(ebur128_set_channel(witness, c, map[c]), EBUR128_SUCCESS);
        double momentary = -HUGE_VAL;
        double short_term = -HUGE_VAL;
        for (uint64_t f = 0; f < self->frame_count; f += 480) {
            double block[480 * 6];
            size_t count = self->frame_count - f < 480 ? (size_t)(self->frame_count - f) : 480;
            for (size_t i = 0; i < count; i++)
                for (uint32_t c = 0; c < channels; c++)
                    block[i * channels + c] = samples[c][f + i];
            assert_int_equal(ebur128_add_frames_double(witness, block, count), EBUR128_SUCCESS);
            double now;
            if (count == 480 && f + count >= 19200 && ebur128_loudness_momentary(witness, &now) == EBUR128_SUCCESS)
                momentary = fmax(momentary, now);
            if (count == 480 && f + count >= 144000 && ebur128_loudness_shortterm(witness, &now) == EBUR128_SUCCESS)
                short_term = fmax(short_term, now);
        }
        double integrated;
        assert_int_equal(ebur128_loudness_global(witness, &integrated), EBUR128_SUCCESS);
        ebur128_destroy(&witness);
        for (uint32_t c = 0; c < channels; c++)
            free(samples[c]);
        programme_measure *merged = merge(self, output);
        loudness_figures figures = programme_measure_loudness(merged, 0, self->frame_count);
        assert_true(fabs(figures.integrated_lufs - integrated) <= 0.01);
        assert_true(fabs(figures.max_momentary_lufs - momentary) <= 0.01);
        assert_true(fabs(figures.max_short_term_lufs - short_term) <= 0.01);
        programme_measure_destroy(&merged);
    }
}

static void render_engine__hostile_floats_leave_finite_figures(void **state)
{
    const scene *self = *state;
    programme_measure *merged = merge(self, OUTPUT_MEASURED);
    peak_figures peaks = programme_measure_peaks(merged);
    assert_int_equal(peaks.nonfinite_count, 10);
    assert_true(peaks.sample_peak == (double)1e30f);
    assert_true(isfinite(programme_measure_loudness(merged, 0, self->frame_count).integrated_lufs));
    programme_measure_destroy(&merged);
}

/* ---- outputs that share samples ---- */

typedef struct kept_measures {
    scene_bytes measures[SCENE_CELLS][2];
} kept_measures;

static status keep_measures(void *context, uint32_t cell, uint32_t output_count, const content_hash *outputs,
                            uint32_t measure_count, const message_bytes *measures)
{
    kept_measures *kept = context;
    (void)output_count, (void)outputs;
    for (uint32_t i = 0; i < measure_count; i++) {
        kept->measures[cell][i] = (scene_bytes){.bytes = malloc(measures[i].size), .size = measures[i].size};
        memcpy(kept->measures[cell][i].bytes, measures[i].bytes, measures[i].size);
    }
    return STATUS_OK;
}

/* The first reel's 5.1, the stereo of its L and R, or both: of the same terms, so L and R are mixed once. */
static void measure_shared(scene *self, bool surround, bool stereo, kept_measures *out_kept)
{
    render_term terms[32];
    task_piece piece = {.frame_count = self->reel_frames[0], .bindings = self->bindings[0]};
    task_render task = {.program = {.sample_rate = 48000, .input_count = SCENE_LANES, .terms = terms},
                        .input_count = 4, .inputs = self->inputs[0], .piece_count = 1, .pieces = &piece, .cell_count = 2,
                        .signal_groups = SIGNAL_GROUPS_ALL, .programme_end = true, .programme_frame_count = self->reel_frames[0]};
    render_program *program = &task.program;
    for (int part = surround ? 0 : 1; part < (stereo ? 2 : 1); part++) {
        uint16_t channels = part == 0 ? 6 : 2;
        for (uint32_t i = 0; i < self->program.term_count; i++)
            if (self->terms[i].output < channels) {
                terms[program->term_count] = self->terms[i];
                terms[program->term_count++].output += program->output_lane_count;
            }
        program->outputs[program->output_count++] = (render_output){.layout = part == 0 ? LAYOUT_5_1 : LAYOUT_STEREO,
                                                                    .encoding = ENCODING_PCM_24,
                                                                    .first_lane = program->output_lane_count};
        program->output_lane_count = (uint16_t)(program->output_lane_count + channels);
    }
    memset(out_kept, 0, sizeof *out_kept);
    dsp_table dsp;
    dsp_table_init(&dsp, best);
    error_detail detail = {0};
    render_observer observer = {.context = out_kept, .cell = keep_measures};
    assert_int_equal(render_run(&task, &self->roots, &dsp, &observer, &detail), STATUS_OK);
}

static void render_engine__what_outputs_share_is_told_of_each(void **state)
{
    kept_measures both;
    kept_measures alone[2];
    uint64_t overloads = 0;
    uint32_t run_count = 0;
    measure_shared(*state, true, true, &both);
    measure_shared(*state, true, false, &alone[0]);
    measure_shared(*state, false, true, &alone[1]);
    for (uint32_t cell = 0; cell < 2; cell++)
        for (uint32_t i = 0; i < 2; i++) {
            assert_int_equal(both.measures[cell][i].size, alone[i].measures[cell][0].size);
            assert_memory_equal(both.measures[cell][i].bytes, alone[i].measures[cell][0].bytes, both.measures[cell][i].size);
            cell_measure measure;
            assert_int_equal(cell_measure_decode(&measure, both.measures[cell][i].bytes, both.measures[cell][i].size), STATUS_OK);
            run_count += i == 1 ? measure.run_count : 0;
            overloads += i == 1 ? measure.channels[0].overload_count : 0;
            cell_measure_deinit(&measure);
            free(both.measures[cell][i].bytes);
            free(alone[i].measures[cell][0].bytes);
        }
    assert_true(overloads > 0 && run_count > 1); /* what is located, is located in the stereo too */
}

/* ---- inputs that change ---- */

static void render_engine__refuses_an_input_that_changed_after_the_probe(void **state)
{
    scene *self = *state;
    task_input input = self->inputs[0][1];
    input.identity.mtime_ns++;
    render_term term = {.gain = 1.0};
    task_binding binding = {0};
    task_piece piece = {.frame_count = 1000, .bindings = &binding};
    task_render task = {.program = {.sample_rate = 48000, .input_count = 1, .output_count = 1, .output_lane_count = 1,
                                    .term_count = 1, .terms = &term},
                        .input_count = 1, .inputs = &input, .piece_count = 1, .pieces = &piece, .cell_count = 1,
                        .programme_end = true, .programme_frame_count = 1000};
    task.program.outputs[0] = (render_output){.layout = LAYOUT_MONO};
    dsp_table dsp;
    dsp_table_init(&dsp, best);
    error_detail detail = {0};
    render_observer observer = {0};
    assert_int_equal(render_run(&task, &self->roots, &dsp, &observer, &detail), STATUS_INPUT_CHANGED);
    assert_non_null(strstr(detail.message, "r0_1.wav"));
}

static void render_engine__names_an_input_that_shrinks_while_it_is_read(void **state)
{
    scene *self = *state;
    arena memory;
    arena_init(&memory);
    dsp_table dsp;
    dsp_table_init(&dsp, best);
    track_reader *reader = NULL;
    error_detail detail = {0};
    static double samples[1000];
    const task_input *input = &self->inputs[0][0];
    uint64_t last = input->frame_count - 1000;
    assert_int_equal(track_reader_open(&reader, 1, input, &self->roots, &dsp, &memory, &detail), STATUS_OK);
    char name[1100];
    (void)snprintf(name, sizeof name, "media/%s", input->file.path);
    assert_int_equal(truncate(temp_folder_path(&self->folder, name), (off_t)input->identity.size / 2), 0);
    assert_int_equal(track_reader_read_sum(reader, (int64_t)last, 1000, samples, &detail), STATUS_INPUT_TRUNCATED);
    assert_ptr_equal(strstr(detail.message, input->file.path), detail.message + 1);
    assert_non_null(strstr(detail.message, "copy it again from its source"));
    track_reader_close(reader);
    arena_deinit(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(render_engine__every_sample_is_the_nearest_to_the_exact_mix),
        cmocka_unit_test(render_engine__cutting_the_work_changes_nothing),
        cmocka_unit_test(render_engine__instruction_sets_give_the_same_bits),
        cmocka_unit_test(render_engine__a_reels_file_is_its_part_of_the_joined_one),
        cmocka_unit_test(render_engine__digests_are_those_of_the_bytes_written),
        cmocka_unit_test(render_engine__peaks_are_those_of_the_whole_file),
        cmocka_unit_test(render_engine__overloads_are_counted_and_located),
        cmocka_unit_test(render_engine__loudness_is_that_of_the_whole_file),
        cmocka_unit_test(render_engine__hostile_floats_leave_finite_figures),
        cmocka_unit_test(render_engine__what_outputs_share_is_told_of_each),
        cmocka_unit_test(render_engine__refuses_an_input_that_changed_after_the_probe),
        cmocka_unit_test(render_engine__names_an_input_that_shrinks_while_it_is_read), /* last: the file is broken then */
    };
    return cmocka_run_group_tests_name("render_engine", tests, setup, teardown);
}
