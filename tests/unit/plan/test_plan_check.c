/* The handoff check: each fault alone, named with its file, and all faults of a folder in one run. */
#include "tests/unit/plan/show_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static status check(show_fixture *given)
{
    given->problems = (problem_list){0};
    return plan_check(&given->film, &given->inputs, given->facts, &given->memory, &given->problems);
}

static void expect(show_fixture *given, problem_severity severity, const char *first, const char *second)
{
    status code = check(given);
    if (show_fixture_said(given, severity, first, second) != 1)
        fail_msg("expected one problem with \"%s\" and \"%s\", got:\n%s", first, second,
                 problem_list_text(&given->problems, &given->memory));
    assert_int_equal(code, severity == PROBLEM_ERROR ? STATUS_INPUT_INVALID : STATUS_OK);
    assert_int_equal(given->problems.count, 1);
}

static void fixture(show_fixture *given, const char *rate)
{
    show_fixture_init(given, rate, 48000);
    show_fixture_render(given, "PM_51", &given->printmaster);
    show_fixture_probe(given);
}

static void plan_check__passes_a_complete_show(void **state)
{
    (void)state;
    show_fixture given;
    fixture(&given, "23.976");
    assert_int_equal(check(&given), STATUS_OK);
    assert_int_equal(given.problems.count, 0);
    show_fixture_deinit(&given);
}

static void plan_check__names_a_missing_file(void **state)
{
    (void)state;
    show_fixture given;
    fixture(&given, "24");
    media_facts *facts = show_fixture_facts(&given, "R2_DX_51.wav");
    *facts = (media_facts){.outcome = STATUS_INPUT_MISSING, .message = "not there"};
    expect(&given, PROBLEM_ERROR, "stem DX, reel R2", "\"R2_DX_51.wav\" is not there");
    assert_int_equal(given.problems.items[0].line, 10);
    assert_string_equal(given.problems.items[0].file, "show.yaml");

    given.stems[STEM_DX].optional = true;
    show_fixture_probe(&given);
    *show_fixture_facts(&given, "R2_DX_51.wav") = *facts;
    expect(&given, PROBLEM_INFO, "stem DX, reel R2", "optional");
    show_fixture_deinit(&given);
}

static void plan_check__names_one_missing_channel_of_an_optional_stem(void **state)
{
    (void)state;
    show_fixture given;
    show_fixture_init(&given, "24", 48000);
    given.stems[STEM_MX].optional = true;
    show_fixture_render(&given, "PM_51", &given.printmaster);
    show_fixture_probe(&given);
    show_fixture_facts(&given, "R1_MX.Ls.wav")->outcome = STATUS_INPUT_MISSING;
    assert_int_equal(check(&given), STATUS_INPUT_INVALID);
    assert_int_equal(show_fixture_said(&given, PROBLEM_ERROR, "channel Ls", "all channels or none"), 1);
    show_fixture_deinit(&given);
}

static void plan_check__passes_on_why_a_file_does_not_open(void **state)
{
    (void)state;
    show_fixture given;
    fixture(&given, "24");
    media_facts *facts = show_fixture_facts(&given, "R1_FX.wav");
    facts->outcome = STATUS_INPUT_TRUNCATED;
    snprintf(facts->message, sizeof facts->message, "\"R1_FX.wav\" promises 10 bytes and holds 5");
    expect(&given, PROBLEM_ERROR, "stem FX, reel R1", "promises 10 bytes");
    show_fixture_deinit(&given);
}

static void plan_check__names_wrong_rate_channels_and_emptiness(void **state)
{
    (void)state;
    show_fixture given;
    fixture(&given, "24");
    media_facts *facts = show_fixture_facts(&given, "R1_FX.wav");
    media_facts good = *facts;
    facts->sample_rate = 32000;
    expect(&given, PROBLEM_ERROR, "32000 Hz", "48000 Hz");
    *facts = good;
    facts->channel_count = 2;
    expect(&given, PROBLEM_ERROR, "has 2 channels", "needs 6");
    *facts = good;
    facts->frame_count = 0;
    expect(&given, PROBLEM_ERROR, "R1_FX.wav", "no audio");
    *facts = good;
    show_fixture_facts(&given, "R1_MX.C.wav")->channel_count = 6;
    expect(&given, PROBLEM_ERROR, "stem MX, reel R1, channel C", "needs 1");
    show_fixture_deinit(&given);
}

/* 44.1 kHz: 147 frames where the show has 160. */
static void plan_check__says_what_it_converts(void **state)
{
    (void)state;
    show_fixture given;
    fixture(&given, "24");
    media_facts *facts = show_fixture_facts(&given, "R1_FX.wav");
    facts->sample_rate = 44100;
    facts->bext.time_reference = facts->bext.time_reference * 147 / 160;
    facts->frame_count = (facts->frame_count * 147 + 159) / 160;
    assert_int_equal(check(&given), STATUS_OK);
    assert_int_equal(show_fixture_said(&given, PROBLEM_INFO, "R1_FX.wav", "is converted to the show's 48000 Hz"), 1);
    assert_int_equal(show_fixture_said(&given, PROBLEM_WARNING, "", ""), 0);
    show_fixture_deinit(&given);
    fixture(&given, "24");
    facts = show_fixture_facts(&given, "AD_LONGPLAY.wav"); /* aligned by bext */
    facts->sample_rate = 44100;
    facts->bext.time_reference = facts->bext.time_reference * 147 / 160 + 1;
    facts->frame_count = facts->frame_count * 147 / 160;
    assert_int_equal(check(&given), STATUS_INPUT_INVALID);
    assert_int_equal(show_fixture_said(&given, PROBLEM_ERROR, "lies between two samples", "align it by `start`"), 1);
    show_fixture_deinit(&given);
}

static void plan_check__warns_about_a_mask_that_disagrees(void **state)
{
    (void)state;
    show_fixture given;
    show_fixture_init(&given, "24", 48000);
    given.stems[STEM_FX].layout = LAYOUT_7_1;
    channel_order_of(LAYOUT_7_1, ORDER_SMPTE, &given.stems[STEM_FX].order);
    show_fixture_receive(&given, "OLD", "old.wav", LAYOUT_5_1);
    show_fixture_probe(&given);
    media_facts *facts = show_fixture_facts(&given, "R1_FX.wav");
    facts->has_channel_mask = true;
    facts->channel_mask = 0x63F; /* rear before side: domain.md section 5 */
    expect(&given, PROBLEM_WARNING, "L R C LFE Lrs Rrs Lss Rss", "L R C LFE Lss Rss Lrs Rrs");
    facts->channel_mask = 0xFF;
    expect(&given, PROBLEM_WARNING, "0xff", "does not name");
    channel_order_of(LAYOUT_7_1, ORDER_WAVE, &given.stems[STEM_FX].order);
    facts->channel_mask = 0x63F;
    assert_int_equal(check(&given), STATUS_OK);
    assert_int_equal(given.problems.count, 0);
    show_fixture_deinit(&given);
}

static void plan_check__wants_the_last_frame_of_action(void **state)
{
    (void)state;
    show_fixture given;
    fixture(&given, "24");
    /* All stems of reel 1 end one sample before the LFOA's end: (114058 + 1 - 86400) x 2000 = 55318000. */
    for (uint32_t i = 0; i < given.inputs.count; i++)
        if (given.inputs.items[i].reel == 0)
            given.facts[i].frame_count = 55318000 - 1;
    assert_int_equal(check(&given), STATUS_INPUT_INVALID);
    assert_int_equal(
        show_fixture_said(&given, PROBLEM_ERROR, "before the last frame of action 01:19:12:10", "55318000"), 8);
    for (uint32_t i = 0; i < given.inputs.count; i++)
        if (given.inputs.items[i].reel == 0)
            given.facts[i].frame_count = 55318000;
    assert_int_equal(check(&given), STATUS_OK);
    show_fixture_deinit(&given);
}

static void plan_check__tells_longer_from_shorter_siblings(void **state)
{
    (void)state;
    show_fixture given;
    fixture(&given, "24");
    show_fixture_facts(&given, "R1_FX.wav")->frame_count += 480;
    expect(&given, PROBLEM_INFO, "\"R1_FX.wav\" is longer than the other stems", "0.010 s more");
    show_fixture_facts(&given, "R1_FX.wav")->frame_count -= 960;
    expect(&given, PROBLEM_ERROR, "\"R1_FX.wav\" is shorter than the other stems", "0.010 s less");
    show_fixture_deinit(&given);
}

/* 44100 / 48000 = 147 / 160 = 0.91875; a sample is lost in rounding. */
static void plan_check__names_sound_of_another_rate(void **state)
{
    (void)state;
    show_fixture given;
    fixture(&given, "24");
    uint64_t usual = show_fixture_facts(&given, "R1_MX.L.wav")->frame_count;
    show_fixture_facts(&given, "R1_FX.wav")->frame_count = usual * 147 / 160;
    expect(&given, PROBLEM_ERROR, "\"R1_FX.wav\"", "0.9187 times as long as the other stems: that is 44.1 kHz sound labelled 48 kHz");
    show_fixture_facts(&given, "R1_FX.wav")->frame_count = usual * 160 / 147;
    expect(&given, PROBLEM_WARNING, "\"R1_FX.wav\" is longer than the other stems", "that is 48 kHz sound labelled 44.1 kHz");
    show_fixture_deinit(&given);
}

static void plan_check__blames_the_shorter_of_two(void **state)
{
    (void)state;
    show_fixture given;
    show_fixture_init(&given, "24", 48000);
    given.stems[STEM_MX] = given.stems[STEM_FX];
    given.film.stem_count = 2; /* DX and one more: no majority */
    show_fixture_probe(&given);
    show_fixture_facts(&given, "R1_FX.wav")->frame_count += 480;
    expect(&given, PROBLEM_ERROR, "\"R1_DX_51.wav\" is shorter", "0.010 s less");
    show_fixture_facts(&given, "R1_FX.wav")->frame_count -= 960;
    expect(&given, PROBLEM_ERROR, "\"R1_FX.wav\" is shorter", "0.010 s less");
    show_fixture_deinit(&given);
}

static void plan_check__wants_equal_lengths_where_the_whole_file_is_programme(void **state)
{
    (void)state;
    show_fixture given;
    show_fixture_init(&given, "24", 48000);
    for (uint32_t i = 0; i < 2; i++)
        given.reels[i].has_ffoa = given.reels[i].has_lfoa = given.reels[i].has_start = false;
    given.film.stem_count = 3;
    show_fixture_render(&given, "PM_51", &given.printmaster);
    show_fixture_probe(&given);
    assert_int_equal(check(&given), STATUS_OK);
    show_fixture_facts(&given, "R2_DX_51.wav")->frame_count += 1;
    expect(&given, PROBLEM_ERROR, "\"R2_DX_51.wav\" is longer than", "whole file is programme");
    show_fixture_deinit(&given);
}

static void plan_check__says_which_reels_the_reference_is_not_held_against(void **state)
{
    (void)state;
    show_fixture given;
    fixture(&given, "24");
    given.film.reference_file = "GUIDE.wav";
    assert_int_equal(check(&given), STATUS_OK);
    assert_int_equal(given.problems.count, 0);
    for (uint32_t i = 0; i < given.film.reel_count; i++)
        given.reels[i].has_ffoa = given.reels[i].has_lfoa = given.reels[i].has_start = false;
    assert_int_equal(check(&given), STATUS_OK);
    assert_int_equal(show_fixture_said(&given, PROBLEM_WARNING, "are not held against the reference", "reel R1"), 1);
    assert_int_equal(show_fixture_said(&given, PROBLEM_WARNING, "are not held against the reference", "reel R2"), 1);
    show_fixture_deinit(&given);
}

static void plan_check__names_a_reference_made_by_the_24_fps_rule(void **state)
{
    (void)state;
    show_fixture given;
    fixture(&given, "23.976");
    media_facts *facts = show_fixture_facts(&given, "R1_DX_51.wav");
    facts->bext.present = true;
    facts->bext.time_reference = 172972800; /* 01:00:00:00 at 23.976, domain.md section 5 */
    assert_int_equal(check(&given), STATUS_OK);
    assert_int_equal(given.problems.count, 0);
    facts->bext.time_reference = 172800000; /* the same timecode at 24 */
    expect(&given, PROBLEM_WARNING, "24 fps rule", "3.600 s");
    facts->bext.time_reference = 172972800 - 48000;
    expect(&given, PROBLEM_ERROR, "172924800", "1.000 s earlier");
    facts->bext.time_reference = 172972801; /* within a picture frame: somebody's rounding */
    expect(&given, PROBLEM_WARNING, "172972801", "0.000 s later");
    facts->bext.time_reference = UINT64_C(172800) * 2002; /* 02:00:00:00: reel 2's start */
    expect(&given, PROBLEM_ERROR, "start of reel R2", "wrong reel");
    facts->bext.time_reference = 0; /* not set */
    assert_int_equal(check(&given), STATUS_OK);
    show_fixture_deinit(&given);
}

static void plan_check__wants_aligned_files_to_have_a_place(void **state)
{
    (void)state;
    show_fixture given;
    fixture(&given, "23.976");
    media_facts *facts = show_fixture_facts(&given, "AD_LONGPLAY.wav");
    media_facts good = *facts;
    facts->bext.present = false;
    expect(&given, PROBLEM_ERROR, "AD_LONGPLAY.wav", "no bext");
    *facts = good;
    facts->bext.time_reference = 172800000;
    expect(&given, PROBLEM_ERROR, "24 fps rule", "placed wrongly");
    *facts = good;
    facts->bext.time_reference = 0;
    expect(&given, PROBLEM_ERROR, "wholly outside the programme", "00:00:00:00");
    *facts = good;
    facts->frame_count -= 48000;
    expect(&given, PROBLEM_WARNING, "does not cover", "ends before");
    *facts = good;
    given.stems[STEM_AD].align_bext = false;
    facts->frame_count -= 48000;
    expect(&given, PROBLEM_ERROR, "long-play", "1.000 s more");
    facts->frame_count += 96000;
    expect(&given, PROBLEM_INFO, "long-play", "48000 frames longer");
    show_fixture_deinit(&given);
}

static void plan_check__lists_all_problems_in_one_run(void **state)
{
    (void)state;
    show_fixture given;
    fixture(&given, "24");
    show_fixture_facts(&given, "R1_DX_51.wav")->outcome = STATUS_INPUT_MISSING;
    show_fixture_facts(&given, "R2_DX_51.wav")->sample_rate = 32000;
    show_fixture_facts(&given, "R1_FX.wav")->channel_count = 5;
    show_fixture_facts(&given, "R2_MX.Rs.wav")->frame_count = 100;
    assert_int_equal(check(&given), STATUS_INPUT_INVALID);
    assert_int_equal(given.problems.error_count, 4);
    show_fixture_deinit(&given);
}

static void plan_check__wants_the_dialogue_of_a_stated_language(void **state)
{
    (void)state;
    show_fixture given;
    show_fixture_init(&given, "24", 48000);
    given.stems[FIXTURE_STEMS] = given.stems[STEM_DX];
    given.stems[FIXTURE_STEMS].name = "DX_FR";
    given.stems[FIXTURE_STEMS].file = "{reel}_DX_FR.wav";
    given.stems[FIXTURE_STEMS].language = "fr-FR";
    given.stems[FIXTURE_STEMS].optional = true;
    given.film.stem_count++;
    show_fixture_render(&given, "PM_51", &given.printmaster);
    show_fixture_render(&given, "FR_51", &given.printmaster)->language = "fr-FR";
    show_fixture_probe(&given);
    assert_int_equal(check(&given), STATUS_OK);
    show_fixture_facts(&given, "R1_DX_FR.wav")->outcome = STATUS_INPUT_MISSING;
    assert_int_equal(check(&given), STATUS_OK); /* one reel may lack it */
    show_fixture_facts(&given, "R2_DX_FR.wav")->outcome = STATUS_INPUT_MISSING;
    assert_int_equal(check(&given), STATUS_INPUT_INVALID);
    assert_int_equal(show_fixture_said(&given, PROBLEM_ERROR, "FR_51", "in fr-FR from the optional stem DX_FR"), 1);
    given.deliverables[1].language = "de";
    assert_int_equal(check(&given), STATUS_INPUT_INVALID);
    assert_int_equal(show_fixture_said(&given, PROBLEM_ERROR, "FR_51", "in \"de\" and no dialogue stem"), 1);
    given.deliverables[1].language = "fr-FR";
    given.options.only = "PM_51";
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    show_fixture_deinit(&given);
}

static void plan_check__asks_for_a_layout_it_cannot_guess(void **state)
{
    (void)state;
    show_fixture given;
    show_fixture_init(&given, "24", 48000);
    show_fixture_receive(&given, "OLD", "old.wav", LAYOUT_NONE);
    show_fixture_probe(&given);
    show_fixture_facts(&given, "old.wav")->channel_count = 5;
    expect(&given, PROBLEM_ERROR, "old.wav", "state `layout`");
    show_fixture_facts(&given, "old.wav")->channel_count = 6;
    assert_int_equal(check(&given), STATUS_OK);
    show_fixture_facts(&given, "old.wav")->sample_rate = 44100;
    expect(&given, PROBLEM_WARNING, "44100 Hz", "its own rate");
    show_fixture_deinit(&given);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan_check__passes_a_complete_show),
        cmocka_unit_test(plan_check__names_a_missing_file),
        cmocka_unit_test(plan_check__names_one_missing_channel_of_an_optional_stem),
        cmocka_unit_test(plan_check__passes_on_why_a_file_does_not_open),
        cmocka_unit_test(plan_check__names_wrong_rate_channels_and_emptiness),
        cmocka_unit_test(plan_check__says_what_it_converts),
        cmocka_unit_test(plan_check__warns_about_a_mask_that_disagrees),
        cmocka_unit_test(plan_check__wants_the_last_frame_of_action),
        cmocka_unit_test(plan_check__tells_longer_from_shorter_siblings),
        cmocka_unit_test(plan_check__names_sound_of_another_rate),
        cmocka_unit_test(plan_check__blames_the_shorter_of_two),
        cmocka_unit_test(plan_check__wants_equal_lengths_where_the_whole_file_is_programme),
        cmocka_unit_test(plan_check__says_which_reels_the_reference_is_not_held_against),
        cmocka_unit_test(plan_check__names_a_reference_made_by_the_24_fps_rule),
        cmocka_unit_test(plan_check__wants_aligned_files_to_have_a_place),
        cmocka_unit_test(plan_check__lists_all_problems_in_one_run),
        cmocka_unit_test(plan_check__wants_the_dialogue_of_a_stated_language),
        cmocka_unit_test(plan_check__asks_for_a_layout_it_cannot_guess),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
