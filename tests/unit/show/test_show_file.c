#include "tests/unit/show/show_reading.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void show_file__reads_every_key_of_the_contract(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    assert_int_equal(show_reading_parse(&reading, show_reading_example), STATUS_OK);
    show_reading_no_problems(&reading);
    const show *film = &reading.film;
    assert_string_equal(film->title, "Night Train");
    assert_string_equal(film->slug, "NIGHT_TRAIN");
    assert_string_equal(film->version, "v03");
    assert_string_equal(film->date, "2026-11-20");
    assert_string_equal(frame_rate_name(&film->rate), "24");
    assert_int_equal(film->sample_rate, 48000);
    assert_string_equal(film->media, "stems");
    assert_string_equal(film->output, "out");
    assert_true(film->has_pops);
    assert_true(film->head_pop_seconds == 2.0 && film->tail_pop_seconds == 2.0);
    assert_string_equal(film->reference_file, "{reel}_GUIDE.wav");
    assert_int_equal(film->reference_layout, LAYOUT_MONO);
    show_reading_deinit(&reading);
}

static void show_file__reads_stems(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    assert_int_equal(show_reading_parse(&reading, show_reading_example), STATUS_OK);
    assert_int_equal(reading.film.stem_count, 5);
    const show_stem *stems = reading.film.stems;
    assert_string_equal(stems[0].name, "DX");
    assert_int_equal(stems[0].role, ROLE_DIALOGUE);
    assert_string_equal(stems[0].role_name, "dialogue");
    assert_int_equal(stems[0].layout, LAYOUT_5_1);
    assert_string_equal(stems[0].file, "{reel}_DX_51.wav");
    assert_true(stems[0].per_reel && !stems[0].multi_mono && !stems[0].optional && !stems[0].align_bext);
    assert_string_equal(stems[0].language, "en");
    assert_int_equal(stems[0].line, 10);
    assert_int_equal(stems[0].column, 3);
    assert_int_equal(stems[1].layout, LAYOUT_5_1); /* 5.1 unquoted */
    assert_true(stems[1].optional);
    assert_true(stems[2].multi_mono && stems[2].per_reel);
    assert_int_equal(stems[3].layout, LAYOUT_7_1_2);
    assert_true(stems[3].order_given);
    /* film: L C R Lss Rss Lrs Rrs LFE Lts Rts */
    assert_int_equal(stems[3].order.labels[1], CHANNEL_C);
    assert_int_equal(stems[3].order.labels[7], CHANNEL_LFE);
    assert_false(stems[0].order_given);
    assert_int_equal(stems[0].order.labels[3], CHANNEL_LFE);
    assert_true(stems[4].align_bext && !stems[4].per_reel);
    show_reading_deinit(&reading);
}

static void show_file__reads_reels_and_deliverables(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    assert_int_equal(show_reading_parse(&reading, show_reading_example), STATUS_OK);
    const show *film = &reading.film;
    assert_int_equal(film->reel_count, 2);
    assert_string_equal(film->reels[1].name, "R2");
    assert_int_equal(film->reels[0].start_frame, 3600 * 24);
    assert_int_equal(film->reels[0].ffoa_frame, 3608 * 24);
    assert_int_equal(film->reels[0].lfoa_frame, (3600 + 19 * 60 + 12) * 24 + 10);
    assert_true(film->reels[0].has_start && film->reels[0].has_ffoa && film->reels[0].has_lfoa);
    assert_int_equal(film->deliverable_count, 6);
    const show_deliverable *made = film->deliverables;
    assert_string_equal(made[0].spec_name, "ebu-r128");
    assert_int_equal(made[0].gain.mode, GAIN_NONE);
    assert_int_equal(made[1].gain.mode, GAIN_MATCH);
    assert_string_equal(made[1].gain.match, "PM_51");
    assert_int_equal(made[2].gain.mode, GAIN_DB);
    assert_true(made[2].gain.db == -1.5);
    assert_string_equal(made[2].language, "fr-FR");
    assert_string_equal(made[2].spec_name, "none");
    assert_int_equal(made[3].assembly, ASSEMBLY_BOTH);
    assert_string_equal(made[4].stem, "DX");
    assert_null(made[5].recipe_name);
    assert_string_equal(made[5].file, "received/ME_51.wav");
    assert_int_equal(made[5].layout, LAYOUT_5_1);
    assert_int_equal(made[5].line, 26);
    assert_int_equal(made[5].column, 5);
    show_reading_deinit(&reading);
}

static void show_file__fills_in_defaults(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    assert_int_equal(show_reading_parse(&reading, "reelmill: 1\ntitle: Été à l'Île d'Œuf – Teil 2\nframe_rate: 23.98\n"
                                                  "deliverables: [{name: A, file: a.wav}]\n"),
                     STATUS_OK);
    show_reading_no_problems(&reading);
    assert_string_equal(reading.film.slug, "ETE_A_LILE_DOEUF_-_TEIL_2");
    assert_string_equal(reading.film.version, "v01");
    assert_string_equal(reading.film.date, "");
    assert_string_equal(reading.film.media, ".");
    assert_string_equal(reading.film.output, "out");
    assert_int_equal(reading.film.sample_rate, 48000);
    assert_string_equal(frame_rate_name(&reading.film.rate), "23.976");
    assert_false(reading.film.has_pops);
    assert_null(reading.film.reference_file);
    assert_int_equal(reading.film.reel_count, 1);
    assert_string_equal(reading.film.reels[0].name, "");
    assert_int_equal(reading.film.deliverables[0].layout, LAYOUT_NONE);
    show_reading_deinit(&reading);
}

static void show_file__takes_values_the_ways_people_write_them(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    static const char *const changes[][2] = {
        {"frame_rate: 24\n", "frame_rate: \"24\"\n"},
        {"optional: true", "optional: Yes"},
        {"role: dialogue,  layout: \"5.1\"", "role: Dialogue,  layout: 51"},
        {"layout: mono, file: \"AD", "layout: \"1.0\", file: \"AD"},
        {"pops: {head: 2s, tail: 2s}", "pops: none"},
        {"pops: {head: 2s, tail: 2s}", "pops: {head: 48f}"},
        {"pops: {head: 2s, tail: 2s}", "pops: {head: 1500ms, tail: 1.5s}"},
        {"order: film", "order: [L, R, C, Lss, Rss, Lsr, Rsr, LFE, Ltm, Rtm]"},
        {"gain: -1.5", "gain: \"+3\""},
        {"gain: -1.5", "gain: -1.5 dB"},
        {"gain: -1.5", "gain: {to: spec}"},
        {"language: fr-FR, gain", "language: zh-Hant-TW, gain"},
        {"version: v03", "version: 1.0.2"},
        {"date: 2026-11-20", "date: \"2028-02-29\""},
        {"role: narration", "role: crowd-noise"},
        {"title: Night Train", "title: '*Night* \"Train\" & Co: 100%'"},
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        if (show_reading_changed(&reading, changes[i][0], changes[i][1]) != STATUS_OK)
            print_message("refused: %s: %s\n", changes[i][1], reading.problems.items[0].message);
        assert_int_equal(reading.code, STATUS_OK);
        show_reading_no_problems(&reading);
    }
    show_reading_deinit(&reading);
}

static void show_file__counts_pops_in_picture_frames(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    assert_int_equal(show_reading_changed(&reading, "head: 2s, tail: 2s", "head: 36f, tail: 500ms"), STATUS_OK);
    assert_true(reading.film.head_pop_seconds == 1.5); /* 36 / 24 */
    assert_true(reading.film.tail_pop_seconds == 0.5);
    show_reading_deinit(&reading);
}

static void show_file__reads_timecode_by_the_shows_own_rate(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    const char *text = "reelmill: 1\ntitle: T\nframe_rate: 29.97df\nreels: [{name: R1, start: \"00:59:52;00\", ffoa: "
                       "\"01:00:00;00\", lfoa: \"01:01:00;02\"}]\ndeliverables: [{name: A, file: a.wav}]\n";
    assert_int_equal(show_reading_parse(&reading, text), STATUS_OK);
    /* SMPTE ST 12-1: an hour of drop-frame timecode is 107892 frames. */
    assert_int_equal(reading.film.reels[0].ffoa_frame, 107892);
    assert_int_equal(reading.film.reels[0].lfoa_frame, 107892 + 1800);
    show_reading_deinit(&reading);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(show_file__reads_every_key_of_the_contract),
        cmocka_unit_test(show_file__reads_stems),
        cmocka_unit_test(show_file__reads_reels_and_deliverables),
        cmocka_unit_test(show_file__fills_in_defaults),
        cmocka_unit_test(show_file__takes_values_the_ways_people_write_them),
        cmocka_unit_test(show_file__counts_pops_in_picture_frames),
        cmocka_unit_test(show_file__reads_timecode_by_the_shows_own_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
