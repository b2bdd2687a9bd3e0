#include "tests/unit/show/show_reading.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static status read_files(show_reading *self, qc_request *request, const char *const *files, size_t count)
{
    self->problems = (problem_list){0};
    request->files = files;
    request->file_count = count;
    self->code = show_for_qc(&self->film, request, &self->memory, &self->problems);
    return self->code;
}

static const char *expand(show_reading *self, uint32_t deliverable, channel_label label)
{
    const char *path =
        show_expand_pattern(self->film.deliverables[deliverable].file, "", channel_label_name(label), &self->memory);
    assert_non_null(path);
    return path;
}

static void show_for_qc__takes_each_file_as_a_programme(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    static const char *const files[] = {"a/mix.wav", "b/mix.flac", "b/MIX_2.wav", "weird {reel} {ch}.wav", "...", "Été.wav"};
    qc_request request = {.spec_name = "ebu-r128", .frame_rate_text = "25"};
    assert_int_equal(read_files(&reading, &request, files, 6), STATUS_OK);
    show_reading_no_problems(&reading);
    const show *film = &reading.film;
    assert_int_equal(film->deliverable_count, 6);
    assert_int_equal(film->reel_count, 1);
    assert_int_equal(film->sample_rate, 0);
    assert_string_equal(frame_rate_name(&film->rate), "25");
    static const char *const names[] = {"mix", "mix_2", "MIX_2_2", "weird_reel_ch", "programme", "t"};
    for (uint32_t i = 0; i < 6; i++) {
        assert_string_equal(film->deliverables[i].name, names[i]);
        assert_string_equal(expand(&reading, i, CHANNEL_L), files[i]);
        assert_null(strstr(film->deliverables[i].file, "{reel}"));
        assert_null(strstr(film->deliverables[i].file, "{ch}"));
        assert_int_equal(film->deliverables[i].layout, LAYOUT_NONE);
        assert_string_equal(film->deliverables[i].spec_name, "ebu-r128");
    }
    show_reading_deinit(&reading);
}

static void show_for_qc__groups_channels_by_name(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    static const char *const files[] = {"R1_MX.Rs.wav", "R1_MX.L.wav", "other.wav", "R1_MX.R.wav", "R1_MX.LFE.wav",
                                        "R1_MX.C.wav",  "R2_L.wav",    "R1_MX.Ls.wav", "R2_R.wav"};
    qc_request request = {.spec_name = NULL};
    assert_int_equal(read_files(&reading, &request, files, 9), STATUS_OK);
    show_reading_no_problems(&reading);
    const show *film = &reading.film;
    assert_int_equal(film->deliverable_count, 3);
    assert_string_equal(film->deliverables[0].name, "R1_MX");
    assert_string_equal(film->deliverables[0].file, "R1_MX.{ch}.wav");
    assert_int_equal(film->deliverables[0].layout, LAYOUT_5_1);
    assert_string_equal(expand(&reading, 0, CHANNEL_LFE), "R1_MX.LFE.wav");
    assert_string_equal(film->deliverables[1].name, "other");
    assert_string_equal(film->deliverables[2].file, "R2_{ch}.wav");
    assert_int_equal(film->deliverables[2].layout, LAYOUT_STEREO);
    assert_string_equal(film->deliverables[2].spec_name, "none");
    show_reading_deinit(&reading);
}

static void show_for_qc__finds_channels_by_other_spellings(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    /* As Pro Tools names 7.1: rears are Lsr and Rsr. */
    static const char *const files[] = {"{x}.L.wav",   "{x}.C.wav",   "{x}.R.wav",   "{x}.lss.wav",
                                        "{x}.Rss.wav", "{x}.Lsr.wav", "{x}.Rsr.wav", "{x}.LFE.wav"};
    qc_request request = {.spec_name = "none"};
    assert_int_equal(read_files(&reading, &request, files, 8), STATUS_OK);
    show_reading_no_problems(&reading);
    assert_int_equal(reading.film.deliverable_count, 1);
    assert_int_equal(reading.film.deliverables[0].layout, LAYOUT_7_1);
    assert_string_equal(expand(&reading, 0, CHANNEL_LRS), "{x}.Lsr.wav");
    assert_string_equal(expand(&reading, 0, CHANNEL_LSS), "{x}.lss.wav");
    assert_string_equal(expand(&reading, 0, CHANNEL_C), "{x}.C.wav");
    show_reading_deinit(&reading);
}

static void show_for_qc__takes_incomplete_groups_for_what_they_lack(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    static const char *const files[] = {"m.L.wav", "m.R.wav", "m.Ls.wav", "m.Rs.wav"};
    qc_request request = {.spec_name = "none"};
    assert_int_equal(read_files(&reading, &request, files, 4), STATUS_OK);
    assert_int_equal(reading.film.deliverable_count, 1); /* C is missing, which the look at the files will say */
    assert_int_equal(reading.film.deliverables[0].layout, LAYOUT_5_0);
    assert_string_equal(expand(&reading, 0, CHANNEL_C), "m.C.wav");
    assert_int_equal(reading.problems.count, 0);
    static const char *const five[] = {"m.L.wav", "m.R.wav", "m.C.wav", "m.Ls.wav", "m.Rs.wav"};
    assert_int_equal(read_files(&reading, &request, five, 5), STATUS_OK);
    assert_int_equal(show_reading_said(&reading, PROBLEM_WARNING, "no LFE among them"), 1);
    request.layout = LAYOUT_5_1;
    assert_int_equal(read_files(&reading, &request, five, 5), STATUS_OK);
    assert_int_equal(reading.film.deliverables[0].layout, LAYOUT_5_1);
    assert_string_equal(expand(&reading, 0, CHANNEL_LFE), "m.LFE.wav");
    request.layout = LAYOUT_NONE;
    static const char *const mixed[] = {"m.L.wav", "m.R.wav", "m.M.wav"};
    assert_int_equal(read_files(&reading, &request, mixed, 3), STATUS_OK);
    assert_int_equal(reading.film.deliverable_count, 3);
    assert_int_equal(show_reading_said(&reading, PROBLEM_WARNING, "3 files \"m.....wav\""), 1);
    static const char *const twice[] = {"m.L.wav", "m.R.wav", "m.l.wav"};
    assert_int_equal(read_files(&reading, &request, twice, 3), STATUS_OK);
    assert_int_equal(reading.film.deliverable_count, 3);
    request.layout = LAYOUT_MONO;
    assert_int_equal(read_files(&reading, &request, files, 2), STATUS_OK);
    assert_int_equal(reading.film.deliverable_count, 2);
    assert_int_equal(show_reading_said(&reading, PROBLEM_WARNING, "not those of mono"), 1);
    show_reading_deinit(&reading);
}

static void show_for_qc__applies_layout_and_order(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    static const char *const files[] = {"m.wav"};
    qc_request request = {.spec_name = "none", .layout = LAYOUT_5_1, .order_given = true, .order = ORDER_FILM};
    assert_int_equal(read_files(&reading, &request, files, 1), STATUS_OK);
    assert_true(reading.film.deliverables[0].order_given);
    assert_int_equal(reading.film.deliverables[0].order.labels[5], CHANNEL_LFE);
    request.layout = LAYOUT_NONE;
    assert_int_equal(read_files(&reading, &request, files, 1), STATUS_INPUT_INVALID);
    assert_int_equal(show_reading_said(&reading, PROBLEM_ERROR, "--layout"), 1);
    show_reading_deinit(&reading);
}

static void show_for_qc__refuses_what_cannot_be_a_job(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    qc_request request = {.spec_name = "none", .frame_rate_text = "24.5"};
    static const char *const outside[] = {"../a.wav"};
    static const char *const absolute[] = {"/a.wav"};
    assert_int_equal(read_files(&reading, &request, outside, 0), STATUS_INPUT_INVALID);
    assert_int_equal(reading.problems.error_count, 2); /* no file, no rate */
    request.frame_rate_text = NULL;
    assert_int_equal(read_files(&reading, &request, outside, 1), STATUS_INPUT_INVALID);
    assert_int_equal(show_reading_said(&reading, PROBLEM_ERROR, "without '..'"), 1);
    assert_int_equal(read_files(&reading, &request, absolute, 1), STATUS_INPUT_INVALID);
    show_reading_deinit(&reading);
}

/* A catalogue: all names alike, so that a quadratic search for free names or groups would be felt (2^31 steps). */
static void show_for_qc__stays_quick_with_many_files(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    enum { COUNT = UINT16_MAX };
    const char **files = arena_take_array(&reading.memory, COUNT, sizeof *files);
    for (int i = 0; i < COUNT; i++)
        files[i] = arena_format(&reading.memory, "%d/mix.%s.wav", i / 2, i % 2 == 0 ? "L" : "R");
    qc_request request = {.spec_name = "none"};
    assert_int_equal(read_files(&reading, &request, files, COUNT), STATUS_OK);
    assert_int_equal(reading.film.deliverable_count, COUNT / 2 + 1);
    assert_string_equal(reading.film.deliverables[COUNT / 2 - 1].name, "mix_32767");
    assert_int_equal(read_files(&reading, &request, files, (size_t)COUNT + 1), STATUS_INPUT_INVALID);
    show_reading_deinit(&reading);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(show_for_qc__takes_each_file_as_a_programme),
        cmocka_unit_test(show_for_qc__groups_channels_by_name),
        cmocka_unit_test(show_for_qc__finds_channels_by_other_spellings),
        cmocka_unit_test(show_for_qc__takes_incomplete_groups_for_what_they_lack),
        cmocka_unit_test(show_for_qc__applies_layout_and_order),
        cmocka_unit_test(show_for_qc__refuses_what_cannot_be_a_job),
        cmocka_unit_test(show_for_qc__stays_quick_with_many_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
