/* Verdicts at the edges of limits, from a table made by hand: judged as displayed, at 0.1, half away from zero. */
#include "tests/unit/verdict/verdict_bench.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void verdict__judges_levels_as_displayed(void **state)
{
    static const struct {
        double lufs, dbtp;
        verdict_word word;
    } rows[] = {
        {-27.0, -6.0, VERDICT_PASS}, {-25.0, -6.0, VERDICT_PASS},   {-24.95, -6.0, VERDICT_FAIL},
        {-25.04, -6.0, VERDICT_PASS}, {-25.05, -6.0, VERDICT_PASS}, {-24.96, -6.0, VERDICT_PASS}, /* shown -25.0 */
        {-29.04, -6.0, VERDICT_PASS}, {-29.06, -6.0, VERDICT_FAIL}, /* shown -29.0, -29.1 */
        {-27.0, -2.0, VERDICT_PASS}, {-27.0, -1.96, VERDICT_PASS},  {-27.0, -1.94, VERDICT_FAIL}, /* shown -2.0, -2.0, -1.9 */
        {-27.0, -2.04, VERDICT_PASS}, {-27.0, -1.9501, VERDICT_PASS}, {-27.0, -1.9499, VERDICT_FAIL}, /* to both sides of -1.95 */
    };
    bench *self = *state;
    bench_limit(self, "loudness.integrated", -29.0, -25.0);
    bench_limit(self, "peak.true", (double)NAN, -2.0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        /* -24.95 itself cannot be met exactly in binary: a hair above it shows as -24.9. */
        double lufs = rows[i].lufs == -24.95 ? -24.9499999 : rows[i].lufs;
        programme_verdict verdict = bench_judge(self, 20.0, lufs, rows[i].dbtp);
        if (verdict.word != rows[i].word)
            fail_msg("%.2f LUFS, %.2f dBTP: %s, not %s", rows[i].lufs, rows[i].dbtp, verdict_word_name(verdict.word),
                     verdict_word_name(rows[i].word));
    }
    assert_true(verdict_displayed(-24.95) == -25.0 || verdict_displayed(-24.95) == -24.9); /* the nearest double decides */
    assert_true(verdict_displayed(-0.25) == -0.3 && verdict_displayed(0.25) == 0.3);       /* exact halves: away from zero */
}

static void verdict__what_does_not_exist_is_no_pass(void **state)
{
    bench *self = *state;
    bench_limit(self, "loudness.integrated", -29.0, -25.0);
    bench_limit(self, "loudness.range", (double)NAN, 20.0);
    programme_verdict silent = bench_judge(self, 20.0, -(double)INFINITY, -(double)INFINITY);
    assert_int_equal(silent.word, VERDICT_INCOMPLETE);
    assert_int_equal(silent.findings.count, 3); /* the two limits, and the silence itself */
    programme_verdict blink = bench_judge(self, 0.3, -27.0, -6.0); /* no gating block of 400 ms */
    assert_int_equal(blink.word, VERDICT_INCOMPLETE);
    assert_true(isnan(blink.loudness.integrated_lufs));
    programme_verdict brief = bench_judge(self, 2.9, -27.0, -6.0); /* loudness, but no window of 3 s */
    assert_int_equal(brief.word, VERDICT_INCOMPLETE);
    assert_true(fabs(brief.loudness.integrated_lufs + 27.0) < 1e-9);
    assert_int_equal(brief.findings.count, 1);
    assert_string_equal(brief.findings.items[0].check, "loudness.range");
    assert_int_equal(brief.findings.items[0].severity, FINDING_NOT_CHECKED);
}

static void verdict__a_check_that_nobody_measures_is_no_pass(void **state)
{
    bench *self = *state;
    bench_limit(self, "loudness.dialogue", -29.0, -25.0);
    programme_verdict verdict = bench_judge(self, 20.0, -27.0, -6.0);
    assert_int_equal(verdict.word, VERDICT_INCOMPLETE);
    assert_string_equal(verdict.findings.items[0].check, "loudness.dialogue");
}

static void verdict__severity_and_evidence_bound_what_a_breach_is(void **state)
{
    static const struct {
        spec_severity severity;
        spec_evidence evidence;
        verdict_word word;
    } rows[] = {
        {SPEC_FAIL, EVIDENCE_PRIMARY, VERDICT_FAIL},    {SPEC_FAIL, EVIDENCE_SECONDARY, VERDICT_FAIL},
        {SPEC_FAIL, EVIDENCE_UNVERIFIED, VERDICT_WARN}, {SPEC_WARN, EVIDENCE_PRIMARY, VERDICT_WARN},
        {SPEC_INFO, EVIDENCE_PRIMARY, VERDICT_PASS},
    };
    bench *self = *state;
    spec_limit *limit = bench_limit(self, "loudness.integrated", -29.0, -25.0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        limit->severity = rows[i].severity;
        limit->evidence = rows[i].evidence;
        programme_verdict verdict = bench_judge(self, 20.0, -20.0, -6.0);
        assert_int_equal(verdict.word, rows[i].word);
        assert_int_equal(verdict.findings.count, 1);
    }
}

/* any_of: a delivery limit beside a stricter one; one member that holds is enough. */
static void verdict__a_group_passes_with_one_member(void **state)
{
    bench *self = *state;
    bench_limit(self, "loudness.integrated", -29.0, -25.0)->group = 0;
    bench_limit(self, "loudness.max_momentary", (double)NAN, -20.0)->group = 0;
    self->rules.group_count = 1;
    assert_int_equal(bench_judge(self, 20.0, -27.0, -6.0).word, VERDICT_PASS);
    assert_int_equal(bench_judge(self, 20.0, -22.0, -6.0).word, VERDICT_PASS); /* the second holds */
    programme_verdict neither = bench_judge(self, 20.0, -19.0, -6.0);
    assert_int_equal(neither.word, VERDICT_FAIL);
    assert_non_null(strstr(neither.findings.items[0].message, "-29.0 to -25.0 LUFS, or else loudness.max_momentary of at most -20.0 LUFS. "));
}

/* Netflix's two steps: flagged only if dialogue and programme both fail. Without a dialogue figure a pass of the other is one. */
static void verdict__a_group_with_an_unknown_member_fails_never(void **state)
{
    bench *self = *state;
    bench_limit(self, "loudness.dialogue", -30.0, -24.0)->group = 0;
    bench_limit(self, "loudness.integrated", -27.0, -21.0)->group = 0;
    self->rules.group_count = 1;
    assert_int_equal(bench_judge(self, 20.0, -24.0, -6.0).word, VERDICT_PASS);
    programme_verdict loud = bench_judge(self, 20.0, -19.0, -6.0);
    assert_int_equal(loud.word, VERDICT_INCOMPLETE);
    assert_int_equal(loud.findings.count, 2);
    assert_string_equal(loud.findings.items[0].check, "loudness.dialogue");
    assert_int_equal(loud.findings.items[1].severity, FINDING_INFO);
}

static void verdict__holds_back_only_what_fails_and_is_told_to(void **state)
{
    bench *self = *state;
    bench_limit(self, "loudness.integrated", -29.0, -25.0);
    assert_true(bench_judge(self, 20.0, -20.0, -6.0).publish);
    self->rules.hold_on_fail = true;
    assert_false(bench_judge(self, 20.0, -20.0, -6.0).publish);
    assert_true(bench_judge(self, 20.0, -27.0, -6.0).publish);
}

static void verdict__advice_aims_at_the_target_and_minds_the_peaks(void **state)
{
    bench *self = *state;
    bench_limit(self, "loudness.integrated", -23.2, -22.8)->target = -23.0;
    bench_limit(self, "peak.true", (double)NAN, -1.0);
    programme_verdict low = bench_judge(self, 20.0, -26.0, -10.0);
    assert_non_null(strstr(low.findings.items[0].message, "Raise the programme by 3.0 dB."));
    programme_verdict peaky = bench_judge(self, 20.0, -26.0, -3.0);
    assert_non_null(strstr(peaky.findings.items[0].message, "limit its peaks, which would reach 0.0 dBTP"));
    programme_verdict high = bench_judge(self, 20.0, -20.0, -10.0);
    assert_non_null(strstr(high.findings.items[0].message, "Lower the programme by 3.0 dB."));
}

static void verdict__worst_word_wins(void **state)
{
    (void)state;
    static const verdict_word order[] = {VERDICT_PASS, VERDICT_WARN, VERDICT_INCOMPLETE, VERDICT_FAIL};
    for (size_t a = 0; a < 4; a++)
        for (size_t b = 0; b < 4; b++)
            assert_int_equal(verdict_worst(order[a], order[b]), order[a > b ? a : b]);
}

static void verdict__locates_silence_from_three_seconds_on(void **state)
{
    bench *self = *state;
    static const level_step sound[] = {{0.0, -27.0}, {5.0, -90.0}, {9.0, -27.0}, {12.0, -90.0}, {14.9, -27.0}};
    self->piece = (plan_piece){.frame_count = 20 * RATE};
    programme_verdict verdict = bench_judge_steps(self, 20.0, sound, 5, -6.0);
    const finding *item = bench_found(&verdict, "signal.silence"); /* 4 s from 5 s on; the 2.9 s from 12 s on are too short */
    assert_non_null(item);
    assert_int_equal(verdict.findings.count, 1);
    assert_int_equal(item->severity, FINDING_INFO);
    assert_true(item->start_sample == 5 * RATE && item->end_sample == 9 * RATE);
    assert_true(item->measured == 4.0);
    assert_int_equal(verdict.word, VERDICT_PASS);

    self->made_by.takes_stem = true; /* a stem may be silent as long as it likes, unless a limit says otherwise */
    verdict = bench_judge_steps(self, 20.0, sound, 5, -6.0);
    assert_int_equal(verdict.findings.count, 0);
    bench_limit(self, "signal.silence", (double)NAN, 2.0)->severity = SPEC_WARN;
    verdict = bench_judge_steps(self, 20.0, sound, 5, -6.0);
    assert_int_equal(verdict.findings.count, 2);
    assert_int_equal(verdict.word, VERDICT_WARN);
}

static void verdict__soft_sound_is_no_silence(void **state)
{
    bench *self = *state;
    programme_verdict verdict = bench_judge(self, 20.0, -69.9, -40.0);
    assert_null(bench_found(&verdict, "signal.silence"));
    verdict = bench_judge(self, 20.05, -70.1, -40.0); /* to its last frame, which is behind the last 100 ms */
    const finding *item = bench_found(&verdict, "signal.silence");
    assert_non_null(item);
    assert_true(item->start_sample == 0 && item->end_sample == 962400); /* 20.05 x 48000 */
}

static void verdict__tells_the_step_at_a_reel_join(void **state)
{
    bench *self = *state;
    plan_piece pieces[2] = {{.reel = 0, .frame_count = 10 * RATE},
                            {.reel = 1, .programme_frame = 10 * RATE, .frame_count = 10 * RATE}};
    static const level_step louder[] = {{0.0, -27.0}, {10.0, -21.0}};
    static const level_step silent[] = {{0.0, -27.0}, {10.0, -90.0}, {13.02, -27.0}};
    static const level_step scene[] = {{0.0, -27.0}, {10.0, -24.2}}; /* 2.8 LU: not told without a limit */
    self->source.reels = self->reels;
    self->source.reel_count = 2;
    self->reels[0] = (show_reel){.name = "R1"};
    self->reels[1] = (show_reel){.name = "R2"};
    self->timeline.pieces = pieces;
    self->timeline.piece_count = 2;
    programme_verdict verdict = bench_judge_steps(self, 20.0, louder, 2, -6.0);
    const finding *item = bench_found(&verdict, "join.level");
    assert_non_null(item);
    assert_true(fabs(item->measured - 6.0) < 1e-9);
    assert_int_equal(item->reel, 1);
    assert_int_equal(item->severity, FINDING_INFO);
    assert_non_null(strstr(item->message, "R2 begins 6.0 LU louder than R1 ends at 10.000 s"));
    assert_non_null(strstr(item->details_json, "\"head_to_match_db\": -6.0}"));

    verdict = bench_judge_steps(self, 20.0, scene, 2, -6.0);
    assert_null(bench_found(&verdict, "join.level"));

    spec_limit *limit = bench_limit(self, "join.level", (double)NAN, 6.0);
    assert_int_equal(bench_judge_steps(self, 20.0, louder, 2, -6.0).word, VERDICT_PASS);
    limit->max = 5.9;
    verdict = bench_judge_steps(self, 20.0, louder, 2, -6.0);
    assert_int_equal(verdict.word, VERDICT_FAIL);
    assert_non_null(strstr(bench_found(&verdict, "join.level")->details_json, "\"head_least_db\": -0.1}"));
    assert_int_equal(bench_judge_steps(self, 20.0, silent, 3, -6.0).word, VERDICT_INCOMPLETE);
    assert_int_equal(bench_judge_steps(self, 20.0, scene, 2, -6.0).word, VERDICT_PASS);
    limit->max = 2.7;
    assert_int_equal(bench_judge_steps(self, 20.0, scene, 2, -6.0).word, VERDICT_FAIL);
    limit->max = 6.0;
    spec_limit *jump = bench_limit(self, "join.peak", (double)NAN, -5.0); /* below what places are known of */
    assert_int_equal(bench_judge_steps(self, 20.0, scene, 2, -6.0).word, VERDICT_PASS);
    verdict = bench_judge_steps(self, 20.0, scene, 2, -4.0);
    assert_int_equal(verdict.word, VERDICT_INCOMPLETE);
    assert_int_equal(bench_found(&verdict, "join.peak")->severity, FINDING_NOT_CHECKED);
    jump->max = -3.0;
    assert_int_equal(bench_judge_steps(self, 20.0, scene, 2, -4.0).word, VERDICT_PASS);
    jump->max = -5.0;
    pieces[1].spans_reels = true; /* edges of reels not known: no joins */
    verdict = bench_judge_steps(self, 20.0, louder, 2, -6.0);
    assert_null(bench_found(&verdict, "join.level"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(verdict__judges_levels_as_displayed, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__what_does_not_exist_is_no_pass, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__a_check_that_nobody_measures_is_no_pass, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__severity_and_evidence_bound_what_a_breach_is, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__a_group_passes_with_one_member, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__a_group_with_an_unknown_member_fails_never, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__holds_back_only_what_fails_and_is_told_to, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__advice_aims_at_the_target_and_minds_the_peaks, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__locates_silence_from_three_seconds_on, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__soft_sound_is_no_silence, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__tells_the_step_at_a_reel_join, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__worst_word_wins, bench_set_up, bench_tear_down),
    };
    return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
