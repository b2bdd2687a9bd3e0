#include "tests/unit/show/show_reading.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One change of the example, and the one error it must give: where, and what is said. */
typedef struct fault {
    const char *from, *to;
    uint32_t line, column;
    const char *said, *also;
} fault;

static void expect_faults(const fault *faults, size_t count)
{
    show_reading reading;
    show_reading_init(&reading);
    for (size_t i = 0; i < count; i++) {
        if (show_reading_changed(&reading, faults[i].from, faults[i].to) == STATUS_OK || reading.problems.error_count != 1)
            print_message("change: %s\n", faults[i].to);
        assert_int_equal(reading.code, STATUS_INPUT_INVALID);
        show_reading_expect(&reading, faults[i].line, faults[i].column, faults[i].said, faults[i].also, (char *)NULL);
    }
    show_reading_deinit(&reading);
}

static void show_file__names_misspelt_and_missing_keys(void **state)
{
    (void)state;
    static const fault faults[] = {
        {"media: stems", "medai: stems", 8, 1, "unknown key \"medai\"", "did you mean \"media\"?"},
        {"layout: mono, file: \"AD", "layout: mono, fiel: x, file: \"AD", 14, 42, "\"fiel\"", "did you mean \"file\"?"},
        {"{name: R1, start", "{name: R1, lfao: 1, start", 16, 16, "\"lfao\" in a reel", "did you mean \"lfoa\"?"},
        {"tail: 2s", "tial: 2s", 18, 18, "\"tial\" in pops", "\"tail\""},
        {"recipe: me-5.1,", "recipe: me-5.1, spce: none,", 24, 36, "\"spce\"", "\"spec\""},
        {"reelmill: 1\n", "", 1, 1, "no \"reelmill\"", "reelmill: 1"},
        {"reelmill: 1\n", "reelmill: 2\n", 1, 11, "form 1", "reelmill: 1"},
        {"frame_rate: 24\n", "", 1, 1, "no \"frame_rate\"", "frame_rate: 24"},
        {"role: effects,   ", "", 13, 10, "stem FX has no \"role\"", "effects"},
        {"layout: mono, file: \"AD_LONGPLAY.wav\"", "file: \"AD_LONGPLAY.wav\"", 14, 10, "no \"layout\"", "mono"},
        {"name: ME_51,  ", "", 24, 5, "no \"name\"", "PM_51"},
        {"recipe: me-5.1, ", "", 24, 5, "neither recipe nor file", "ME_51"},
        {"recipe: me-5.1,", "recipe: me-5.1, file: x.wav,", 24, 5, "both recipe and file", "ME_51"},
    };
    expect_faults(faults, sizeof faults / sizeof faults[0]);
}

static void show_file__names_values_of_the_wrong_kind(void **state)
{
    (void)state;
    static const fault faults[] = {
        {"title: Night Train", "title: [Night, Train]", 2, 8, "title must be a text", "a list"},
        {"title: Night Train", "title:", 2, 1, "title is empty", "remove the line"},
        {"reference: {file: \"{reel}_GUIDE.wav\", layout: mono}", "reference: guide.wav", 19, 12, "must be a map", "file, layout"},
        {"sample_rate: 48000", "sample_rate: 48k", 7, 14, "must be a number", "48k"},
        {"sample_rate: 48000", "sample_rate: 100", 7, 14, "8000 to 768000", "100"},
        {"sample_rate: 48000", "sample_rate: 47952.048", 7, 14, "whole number", "47952.048"},
        {"frame_rate: 24", "frame_rate: 24.5", 6, 13, "24.5", "23.976, 24, 25"},
        {"optional: true", "optional: maybe", 11, 97, "optional of stem DX_FR", "maybe"},
        {"role: music,     layout: \"5.1\"", "role: music,     layout: 5.3", 12, 36, "layout of stem MX is \"5.3\"", "7.1.2"},
        {"align: bext", "align: bwf", 14, 74, "align of stem AD", "start, bext"},
        {"pops: {head: 2s, tail: 2s}", "pops: yes", 18, 7, "pops must be `none`", "yes"},
        {"pops: {head: 2s, tail: 2s}", "pops: {head: 2}", 18, 14, "head of pops is \"2\"", "48f"},
        {"date: 2026-11-20", "date: 2026-02-29", 5, 7, "2026-02-29", "a day that exists"},
        {"date: 2026-11-20", "time: 18:30:00", 5, 7, "of the day that `date` names", "add `date`"},
        {"date: 2026-11-20", "time: 24:00:00", 5, 7, "24:00:00", "hour:minute:second"},
        {"date: 2026-11-20", "time: 18:60:00", 5, 7, "18:60:00", "hour:minute:second"},
        {"date: 2026-11-20", "time: 18.30.00", 5, 7, "18.30.00", "hour:minute:second"},
        {"date: 2026-11-20", "deadline: 2026-11-22T06:00", 5, 11, "2026-11-22T06:00", "with its zone"},
        {"date: 2026-11-20", "deadline: 2026-11-22T24:00Z", 5, 11, "24:00Z", "with its zone"},
        {"gain: {match: PM_51}", "gain: {match: PM_51, to: spec}", 22, 68, "{match: NAME} or {to: spec}", "PM_20"},
        {"gain: -1.5", "gain: loud", 23, 68, "gain of deliverable FR_51", "write decibels"},
        {"gain: -1.5", "gain: 61", 23, 68, "61", "-60 dB to 60 dB"},
        {"assembly: both", "assembly: join", 24, 46, "join", "joined, reels, both"},
        {"language: fr-FR, gain", "language: french, gain", 23, 55, "french", "fr-FR"},
        {"language: fr-FR, gain", "language: fr_FR, gain", 23, 55, "fr_FR", "language tag"},
    };
    expect_faults(faults, sizeof faults / sizeof faults[0]);
}

static void show_file__guards_names_that_become_paths(void **state)
{
    (void)state;
    static const fault faults[] = {
        {"slug: NIGHT_TRAIN", "slug: Night Train", 3, 7, "slug is \"Night Train\"", "NIGHT_TRAIN"},
        {"slug: NIGHT_TRAIN", "slug: ../X", 3, 7, "../X", "A-Z, 0-9"},
        {"title: Night Train\nslug: NIGHT_TRAIN\n", "title: 夜汽車\n", 2, 8, "no slug can be made", "slug: NIGHT_TRAIN"},
        {"version: v03", "version: v/3", 4, 10, "v/3", "file names"},
        {"version: v03", "version: ..", 4, 10, "..", "file names"},
        {"version: v03", "version: COM1", 4, 10, "Windows", "COM1"},
        {"  MX:  ", "  M X: ", 12, 3, "M X", "letters"},
        {"{name: R1,", "{name: R/1,", 16, 12, "R/1", "name of a reel"},
        {"{name: R1,", "{name: R.1,", 16, 12, "R.1", "name of a reel"},
        {"name: PM_51, ", "name: .., ", 21, 12, "..", "name of a deliverable"},
        {"name: DX_ST", "name: Report", 25, 12, "Report", "rename"},
        {"name: DX_ST", "name: aux", 25, 12, "Windows", "aux"},
        {"name: FR_51", "name: pm_51", 23, 5, "stands twice", "case alone"},
        {"name: FR_51", "name: PM_51", 23, 5, "stands twice, first in line 21", "rename"},
        {"  MX:  ", "  dx:  ", 12, 3, "DX and dx differ in case alone", "rename"},
        {"{name: R2", "{name: r1", 17, 5, "r1", "case alone"},
        {"  MX:  ", "  DX:  ", 12, 3, "the key \"DX\" stands twice, first in line 10", "keep one"},
        {"version: v03", "title: Again", 4, 1, "\"title\" stands twice, first in line 2", "keep one"},
    };
    expect_faults(faults, sizeof faults / sizeof faults[0]);
}

static void show_file__checks_timecodes_and_their_order(void **state)
{
    (void)state;
    static const fault faults[] = {
        {"\"01:00:08:00\"", "\"01:00:08:24\"", 16, 44, "ffoa of reel R1", "00 to 23"},
        {"\"01:00:08:00\"", "\"1:00:08:00\"", 16, 44, "no timecode", "01:00:08:00"},
        {"\"01:00:08:00\"", "\"01:00:08;00\"", 16, 44, "drop-frame", "ffoa of reel R1"},
        {"\"01:00:08:00\"", "\"01:60:08:00\"", 16, 44, "00 to 59", "01:60:08:00"},
        {"lfoa: \"01:19:12:10\"", "lfoa: \"01:00:07:23\"", 16, 65, "lfoa of reel R1 (01:00:07:23)", "before its ffoa"},
        {"start: \"01:00:00:00\"", "start: \"01:00:09:00\"", 16, 44, "before its start (01:00:09:00)", "first sample"},
        {", lfoa: \"01:19:12:10\"", "", 16, 5, "ffoa but no lfoa", "give both"},
        {"ffoa: \"01:00:08:00\", ", "", 16, 5, "lfoa but no ffoa", "give both"},
        {"start: \"01:00:00:00\", ", "", 16, 5, "ffoa but no start", "first sample"},
    };
    expect_faults(faults, sizeof faults / sizeof faults[0]);
}

static void show_file__knows_timecodes_that_drop_frame_leaves_out(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    assert_int_equal(show_reading_parse(&reading, "reelmill: 1\ntitle: T\nframe_rate: 29.97df\nreels:\n  - {name: R1, start: "
                                                  "\"00:01:00;01\"}\ndeliverables: [{name: A, file: a.wav}]\n"),
                     STATUS_INPUT_INVALID);
    show_reading_expect(&reading, 5, 23, "start of reel R1", "00:01:00;01", "29.97df", (char *)NULL);
    show_reading_deinit(&reading);
}

static void show_file__checks_file_patterns(void **state)
{
    (void)state;
    static const fault faults[] = {
        {"\"{reel}_FX.wav\"", "\"{rel}_FX.wav\"", 13, 51, "{rel}", "did you mean {reel}?"},
        {"\"{reel}_FX.wav\"", "\"{reel_FX.wav\"", 13, 51, "has \"{reel_FX.wav\"", "{reel} and {ch}"},
        {"\"{reel}_FX.wav\"", "\"/media/{reel}_FX.wav\"", 13, 51, "begins with '/'", "relative"},
        {"\"{reel}_FX.wav\"", "\"../{reel}_FX.wav\"", 13, 51, "no path below", "'..'"},
        {"\"{reel}_FX.wav\"", "'{reel}\\FX.wav'", 13, 51, "write '/' between folders", "file of stem FX"},
        {"\"{reel}_MX.{ch}.wav\"", "\"{reel}_MX.{ch}.wav\", order: film", 12, 71, "one file per channel", "remove it"},
        {"order: film", "order: [L, R]", 13, 75, "lists 2 channels and 7.1.2 has 10", "each"},
        {"order: film", "order: [L, R, C, LFE, Lss, Rss, Lrs, Rrs, Lts, L]", 13, 115, "L stands twice", "7.1.2"},
        {"order: film", "order: [L, R, C, LFE, Lss, Rss, Lrs, Rrs, Lts, Ls]", 13, 115, "Ls is not in the layout", "7.1.2"},
        {"layout: \"5.1\", spec: none", "order: film", 26, 48, "`order` but no `layout`", "ME_OLD"},
        {"file: \"received/ME_51.wav\", layout: \"5.1\"", "file: \"ME.{ch}.wav\"", 26, 26, "add `layout`", "ME_OLD"},
        {"layout: \"5.1\", spec: none", "layout: 5.1, gain: 2", 26, 61, "`gain` has no meaning", "never changed"},
        {"layout: \"5.1\", spec: none", "layout: 5.1, stems: DX", 26, 68, "stems of deliverable ME_OLD", "list"},
        {"assembly: both", "stems: [DX]", 24, 36, "`stems` says what a received `file` is the sum of", "remove"},
        {"assembly: both", "layout: stereo", 24, 36, "`layout` is the recipe's business", "remove"},
    };
    expect_faults(faults, sizeof faults / sizeof faults[0]);
}

static void show_file__says_when_reels_are_missing(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    assert_int_equal(show_reading_parse(&reading, "reelmill: 1\ntitle: T\nframe_rate: 24\nstems:\n  DX: {role: dialogue, layout: "
                                                  "mono, file: \"{reel}.wav\"}\ndeliverables: [{name: A, file: a.wav}]\n"),
                     STATUS_INPUT_INVALID);
    show_reading_expect(&reading, 5, 3, "stem DX has {reel}", "list them under `reels`", (char *)NULL);
    show_reading_deinit(&reading);
}

static void show_file__warns_without_refusing(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    assert_int_equal(show_reading_changed(&reading, "pops: {head: 2s", "pops: {head: 9s"), STATUS_OK);
    assert_int_equal(show_reading_said(&reading, PROBLEM_WARNING, "before the start of its files"), 2);
    assert_int_equal(show_reading_changed(&reading, "{reel}_FX.wav", "{reel}_DX_51.wav"), STATUS_OK);
    assert_int_equal(show_reading_said(&reading, PROBLEM_WARNING, "DX and FX name the same file"), 1);
    show_reading_deinit(&reading);
}

static void show_file__refuses_a_role_that_is_almost_another(void **state)
{
    (void)state;
    static const fault faults[] = {{"role: music", "role: musik", 12, 17, "musik", "did you mean \"music\"?"}};
    expect_faults(faults, 1);
}

static void show_file__lists_all_problems_of_a_file_at_once(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    assert_int_equal(
        show_reading_parse(&reading, "titel: x\nframe_rate: 24.5\nstems:\n  DX: {role: dialoge, layout: 5.2, file: /x}\n  dx: "
                                     "[1]\nreels: [{name: R1, ffoa: \"01:00:00:00\"}, 5]\ndeliverables: [{}]\n"),
        STATUS_INPUT_INVALID);
    assert_int_equal(show_reading_said(&reading, PROBLEM_ERROR, "unknown key \"titel\""), 1);
    assert_int_equal(show_reading_said(&reading, PROBLEM_ERROR, "no \"reelmill\""), 1);
    assert_int_equal(show_reading_said(&reading, PROBLEM_ERROR, "no \"title\""), 1);
    assert_int_equal(show_reading_said(&reading, PROBLEM_ERROR, "24.5"), 1);
    assert_int_equal(show_reading_said(&reading, PROBLEM_ERROR, "dialoge"), 1);
    assert_int_equal(show_reading_said(&reading, PROBLEM_ERROR, "\"5.2\""), 1);
    assert_int_equal(show_reading_said(&reading, PROBLEM_ERROR, "begins with '/'"), 1);
    assert_int_equal(show_reading_said(&reading, PROBLEM_ERROR, "stem dx must be a map"), 1);
    assert_int_equal(show_reading_said(&reading, PROBLEM_ERROR, "differ in case alone"), 1);
    assert_int_equal(show_reading_said(&reading, PROBLEM_ERROR, "ffoa but no lfoa"), 1);
    assert_int_equal(show_reading_said(&reading, PROBLEM_ERROR, "a reel must be a map"), 1);
    assert_int_equal(show_reading_said(&reading, PROBLEM_ERROR, "neither recipe nor file"), 1);
    show_reading_deinit(&reading);
}

static void show_file__bounds_what_a_show_may_list(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    static char text[65536];
    size_t used = (size_t)snprintf(text, sizeof text, "reelmill: 1\ntitle: T\nframe_rate: 24\ndeliverables:\n");
    for (int i = 0; i <= SHOW_DELIVERABLES_MAX; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "  - {name: D%d, file: a.wav}\n", i);
    assert_int_equal(show_reading_parse(&reading, text), STATUS_INPUT_INVALID);
    show_reading_expect(&reading, 5, 3, "65 deliverables", "1 to 64", (char *)NULL);
    assert_int_equal(show_reading_parse(&reading, "reelmill: 1\ntitle: T\nframe_rate: 24\nreels: []\ndeliverables: []\n"),
                     STATUS_INPUT_INVALID);
    assert_int_equal(reading.problems.error_count, 2);
    show_reading_deinit(&reading);
}

static void problem_list__keeps_counting_when_full(void **state)
{
    (void)state;
    arena memory;
    arena_init(&memory);
    problem_list list = {0};
    for (int i = 0; i < PROBLEMS_MAX + 5; i++)
        problem_list_add(&list, &memory, PROBLEM_ERROR, "f", 1, 2, "number %d\x1b[31m", i);
    assert_int_equal(list.count, PROBLEMS_MAX);
    assert_int_equal(list.dropped, 5);
    assert_int_equal(list.error_count, PROBLEMS_MAX + 5);
    assert_string_equal(list.items[7].message, "number 7?[31m");
    assert_non_null(strstr(problem_list_text(&list, &memory), "f:1:2: error: number 999?[31m\nand 5 more\n"));
    arena_deinit(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(show_file__names_misspelt_and_missing_keys),
        cmocka_unit_test(show_file__names_values_of_the_wrong_kind),
        cmocka_unit_test(show_file__guards_names_that_become_paths),
        cmocka_unit_test(show_file__checks_timecodes_and_their_order),
        cmocka_unit_test(show_file__knows_timecodes_that_drop_frame_leaves_out),
        cmocka_unit_test(show_file__checks_file_patterns),
        cmocka_unit_test(show_file__says_when_reels_are_missing),
        cmocka_unit_test(show_file__warns_without_refusing),
        cmocka_unit_test(show_file__refuses_a_role_that_is_almost_another),
        cmocka_unit_test(show_file__lists_all_problems_of_a_file_at_once),
        cmocka_unit_test(show_file__bounds_what_a_show_may_list),
        cmocka_unit_test(problem_list__keeps_counting_when_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
