/* Verdicts of limits on dialogue, from tables made by hand: the share of speech, its 15 % rule, and what no stem can tell. */
#include "tests/unit/verdict/verdict_bench.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Netflix's rule: dialogue -27 +-2 from 15 % of speech on, the programme -24 +-2 below that. */
static void limit_like_netflix(bench *self)
{
    bench_limit(self, "loudness.dialogue", -29.0, -25.0)->speech_at_least = 0.15;
    bench_limit(self, "loudness.integrated", -26.0, -22.0)->speech_below = 0.15;
}

/*
 * 100 s of programme at one level; the stem speaks for so many seconds, less the hang-over of 0.3 s, so that 1 s of it is 1 %
 * of the steps. What a person would say of each row by hand.
 */
static void verdict__the_share_of_speech_decides_what_is_judged(void **state)
{
    static const struct {
        double lufs, speech_s;
        verdict_word word;
        const char *check;
    } rows[] = {
        {-27.0, 16.0, VERDICT_PASS, NULL},
        {-27.0, 15.0, VERDICT_PASS, NULL},
        {-27.0, 14.0, VERDICT_FAIL, "loudness.integrated"}, /* judged as a programme: -27 is below -26 */
        {-24.0, 16.0, VERDICT_FAIL, "loudness.dialogue"},   /* judged as dialogue: -24 is above -25 */
        {-24.0, 14.0, VERDICT_PASS, NULL},
        {-24.0, 0.0, VERDICT_PASS, NULL},
        {-25.0, 16.0, VERDICT_PASS, NULL},
        {-25.04, 16.0, VERDICT_PASS, NULL},  /* shown -25.0 */
        {-25.05, 16.0, VERDICT_PASS, NULL},  /* shown -25.1 */
        {-24.96, 16.0, VERDICT_PASS, NULL},  /* shown -25.0 */
        {-24.949, 16.0, VERDICT_FAIL, "loudness.dialogue"}, /* shown -24.9 */
        {-29.04, 16.0, VERDICT_PASS, NULL},  /* shown -29.0 */
        {-29.05, 16.0, VERDICT_FAIL, "loudness.dialogue"},  /* shown -29.1 */
    };
    bench *self = *state;
    limit_like_netflix(self);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        level_step speech[] = {{0.0, -90.0}, {20.0, -27.0}, {20.0 + rows[i].speech_s - 0.305, -90.0}};
        self->speech = speech;
        self->speech_count = rows[i].speech_s > 0.0 ? 3 : 1;
        programme_verdict verdict = bench_judge(self, 100.0, rows[i].lufs, -6.0);
        if (fabs(verdict.dialogue.speech_share - rows[i].speech_s / 100.0) > 1e-12)
            fail_msg("row %zu: a share of %.17g", i, verdict.dialogue.speech_share);
        if (verdict.word != rows[i].word)
            fail_msg("row %zu, %.2f LUFS, %.0f s of speech: %s, not %s", i, rows[i].lufs, rows[i].speech_s,
                     verdict_word_name(verdict.word), verdict_word_name(rows[i].word));
        assert_int_equal(verdict.findings.count, rows[i].check == NULL ? 0 : 1);
        if (rows[i].check != NULL)
            assert_string_equal(verdict.findings.items[0].check, rows[i].check);
    }
}

static void verdict__dialogue_is_the_mix_where_the_stem_speaks(void **state)
{
    bench *self = *state;
    /* Music at -20 beside dialogue at -30 in the mix: only the second counts. */
    static const level_step mix[] = {{0.0, -20.0}, {40.0, -30.0}, {60.0, -20.0}};
    static const level_step speech[] = {{0.0, -90.0}, {40.0, -31.0}, {59.7, -90.0}};
    self->piece = (plan_piece){.frame_count = 100 * RATE};
    self->speech = speech;
    self->speech_count = 3;
    programme_verdict verdict = bench_judge_steps(self, 100.0, mix, 3, -6.0);
    /* 200 steps speak; of the blocks that hang over an edge with two steps, two on each side take half of -20 with them. */
    assert_int_equal(verdict.dialogue.block_count, 201);
    double edge = (pow(10.0, -3.0) + pow(10.0, -2.0)) / 2.0;
    double nearer = (3.0 * pow(10.0, -3.0) + pow(10.0, -2.0)) / 4.0;
    double mean = (197.0 * pow(10.0, -3.0) + 2.0 * edge + 2.0 * nearer) / 201.0;
    assert_true(fabs(verdict.dialogue.lufs - 10.0 * log10(mean)) < 1e-9);
    assert_true(fabs(verdict.dialogue.speech_share - 0.2) < 1e-12);
    assert_true(verdict.dialogue.range_lu >= 0.0);
}

static void verdict__room_tone_is_no_speech(void **state)
{
    bench *self = *state;
    static const level_step tone[] = {{0.0, -55.0}};
    static const level_step soft[] = {{0.0, -27.0}, {50.0, -46.9}, {60.0, -47.1}};
    self->speech = tone; /* alone in its stem, and below -50 */
    self->speech_count = 1;
    assert_true(bench_judge(self, 100.0, -27.0, -6.0).dialogue.speech_share == 0.0);
    self->speech = soft; /* 20 LU below the rest is the bound: 60 s, and the hang-over */
    self->speech_count = 3;
    assert_true(fabs(bench_judge(self, 100.0, -27.0, -6.0).dialogue.speech_share - 0.603) < 1e-12);
}

static void verdict__without_a_stem_dialogue_is_not_checked(void **state)
{
    bench *self = *state;
    limit_like_netflix(self);
    programme_verdict verdict = bench_judge(self, 20.0, -27.0, -6.0);
    assert_int_equal(verdict.word, VERDICT_INCOMPLETE);
    assert_int_equal(verdict.findings.count, 2); /* nobody knows which of the two is in force */
    assert_non_null(strstr(verdict.findings.items[0].message, "no dialogue stem"));
    bench_limit(self, "loudness.speech_share", 0.15, (double)NAN);
    assert_int_equal(bench_judge(self, 20.0, -27.0, -6.0).findings.count, 3);
}

static programme_verdict judge_heard(bench *self, double dialogue_lufs, double integrated_lufs)
{
    figure_facts facts = {.deliverable = "PM", .show = &self->source, .layout = LAYOUT_5_1, .sample_rate = RATE,
                          .frame_count = 100 * RATE, .loudness = {.integrated_lufs = integrated_lufs},
                          .dialogue = {.gate = DIALOGUE_GATE_DETECTOR, .lufs = dialogue_lufs, .speech_share = 0.905,
                                       .block_count = 1, .lufs_error = 1.02, .share_error = 0.31}};
    programme_verdict verdict;
    assert_int_equal(verdict_judge_figures(&verdict, &facts, &self->rules, &self->memory), STATUS_OK);
    return verdict;
}

/* Gliding notes of one instrument were 90.5 % speech to the detector, with 1.02 LU of stated error: they passed by it. */
static void verdict__nothing_passes_by_the_detector_alone(void **state)
{
    bench *self = *state;
    limit_like_netflix(self);
    (void)bench_judge(self, 20.0, -24.0, -6.0); /* fills the spec */
    programme_verdict verdict = judge_heard(self, -27.0, -27.0);
    assert_int_equal(verdict.word, VERDICT_INCOMPLETE);
    assert_int_equal(verdict.findings.count, 1);
    assert_non_null(strstr(verdict.findings.items[0].message, "That 90.5 % of it is speech is told by reelmill speech detector"));
    assert_int_equal(judge_heard(self, -20.0, -27.0).word, VERDICT_FAIL);
    assert_int_equal(judge_heard(self, -25.5, -27.0).findings.count, 1); /* too near: that says it already */
    /* One of either will do: what the whole programme decides needs no ear for speech. */
    self->rules.limits[0].speech_at_least = self->rules.limits[1].speech_below = 0.0;
    self->rules.limits[0].group = self->rules.limits[1].group = 0;
    self->rules.group_count = 1;
    assert_int_equal(judge_heard(self, -27.0, -24.0).word, VERDICT_PASS);
    assert_int_equal(judge_heard(self, -20.0, -24.0).word, VERDICT_PASS);
    assert_int_equal(judge_heard(self, -27.0, -20.0).word, VERDICT_INCOMPLETE);
    assert_int_equal(judge_heard(self, -20.0, -20.0).word, VERDICT_FAIL);
}

/*
 * Without a stem the speech detector says where speech is, and may be off by its errors: what is nearer to a limit is no verdict.
 * Limits -29 to -25 from 15 % on, -26 to -22 below; the rows lie 0.2 on either side of limit + error.
 */
static void verdict__what_the_detector_cannot_tell_is_not_judged(void **state)
{
    const double lu = 1.0;
    const double share = 0.1;
    const struct {
        double lufs, share;
        verdict_word word;
    } rows[] = {
        {-25.0 + lu + 0.2, 0.99, VERDICT_FAIL},
        {-25.0 + lu - 0.2, 0.99, VERDICT_INCOMPLETE},
        {-25.0, 0.99, VERDICT_INCOMPLETE},
        {-29.0 - lu - 0.2, 0.99, VERDICT_FAIL},
        {-29.0 - lu + 0.2, 0.99, VERDICT_INCOMPLETE},
        {-25.0 + lu + 0.2, 0.15 + share - 0.01, VERDICT_INCOMPLETE}, /* not sure of 15 % */
        {-25.0 + lu + 0.2, 0.15 + share + 0.01, VERDICT_FAIL},
        {-25.0 + lu + 0.2, 0.15 - share + 0.01, VERDICT_INCOMPLETE}, /* perhaps there is more after all */
        {-25.0 + lu + 0.2, 0.15 - share - 0.01, VERDICT_PASS},       /* less than 15 %: the programme counts, at -24 */
        {-27.0, 0.99, VERDICT_INCOMPLETE}, /* within, by the detector's word alone: no silent pass */
    };
    bench *self = *state;
    limit_like_netflix(self);
    (void)bench_judge(self, 20.0, -24.0, -6.0); /* fills the spec */
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        figure_facts facts = {.deliverable = "PM", .show = &self->source, .layout = LAYOUT_5_1, .sample_rate = RATE,
                              .frame_count = 100 * RATE, .loudness = {.integrated_lufs = -24.0},
                              .dialogue = {.gate = DIALOGUE_GATE_DETECTOR, .lufs = rows[i].lufs, .speech_share = rows[i].share,
                                           .block_count = 1, .lufs_error = lu, .share_error = share}};
        programme_verdict verdict;
        assert_int_equal(verdict_judge_figures(&verdict, &facts, &self->rules, &self->memory), STATUS_OK);
        if (verdict.word != rows[i].word)
            fail_msg("row %zu, %.1f LUFS, %.2f: %s, not %s", i, rows[i].lufs, rows[i].share, verdict_word_name(verdict.word),
                     verdict_word_name(rows[i].word));
        const finding *told = bench_found(&verdict, "loudness.dialogue");
        assert_int_equal(told == NULL, rows[i].word == VERDICT_PASS);
        assert_true(told == NULL || strstr(told->message, "not Dolby") != NULL);
    }
}

static void verdict__short_and_silent_programmes_have_no_dialogue(void **state)
{
    static const struct {
        double seconds, lufs;
        verdict_word word;
    } rows[] = {
        {0.3, -27.0, VERDICT_INCOMPLETE},      /* no block of 400 ms */
        {2.9, -27.0, VERDICT_PASS},            /* blocks, but no window of 3 s: nothing here asks for one */
        {20.0, -(double)INFINITY, VERDICT_INCOMPLETE}, /* the stem speaks and the mix is silent: no figure */
    };
    bench *self = *state;
    static const level_step speech[] = {{0.0, -27.0}};
    self->speech = speech;
    self->speech_count = 1;
    bench_limit(self, "loudness.dialogue", -29.0, -25.0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(bench_judge(self, rows[i].seconds, rows[i].lufs, -6.0).word, rows[i].word);
    bench_limit(self, "loudness.dialogue_range", (double)NAN, 10.0);
    programme_verdict brief = bench_judge(self, 2.9, -27.0, -6.0);
    assert_int_equal(brief.word, VERDICT_INCOMPLETE);
    assert_string_equal(brief.findings.items[0].check, "loudness.dialogue_range");

    /* Nor is a share that breaks its limit a breach where its alternative is not known: it is told, in whole sentences. */
    self->rules.limits[1].group = bench_limit(self, "loudness.speech_share", (double)NAN, 0.5)->group = 0;
    self->rules.group_count = 1;
    brief = bench_judge(self, 2.9, -27.0, -6.0);
    const char *told = "";
    for (size_t i = 0; i < brief.findings.count; i++)
        if (strcmp(brief.findings.items[i].check, "loudness.speech_share") == 0)
            told = brief.findings.items[i].message;
    assert_non_null(strstr(told, ". That could not be judged, so this decides nothing."));
    assert_null(strstr(told, ".."));
}

static void verdict__shares_are_judged_in_percent(void **state)
{
    static const level_step speech[] = {{0.0, -27.0}, {13.7, -90.0}}; /* 14 % with the hang-over */
    bench *self = *state;
    self->speech = speech;
    self->speech_count = 2;
    spec_limit *limit = bench_limit(self, "loudness.speech_share", 0.14, (double)NAN);
    assert_int_equal(bench_judge(self, 100.0, -27.0, -6.0).word, VERDICT_PASS);
    limit->min = 0.141;
    programme_verdict verdict = bench_judge(self, 100.0, -27.0, -6.0);
    assert_int_equal(verdict.word, VERDICT_FAIL);
    assert_non_null(strstr(verdict.findings.items[0].message, "14.0 %; test allows at least 14.1 %"));
}

static void verdict__a_re_render_is_not_judged_by_its_bed(void **state)
{
    bench *self = *state;
    bench_limit(self, "loudness.integrated", -29.0, -25.0)->layout = "5.1";
    programme_verdict verdict = bench_judge(self, 20.0, -27.0, -6.0); /* a mono programme */
    assert_int_equal(verdict.word, VERDICT_INCOMPLETE);
    assert_non_null(strstr(verdict.findings.items[0].message, "5.1 re-render"));
}

static void verdict__a_group_passes_over_what_is_not_in_force(void **state)
{
    bench *self = *state;
    static const level_step silent[] = {{0.0, -90.0}};
    self->speech = silent;
    self->speech_count = 1;
    limit_like_netflix(self);
    self->rules.limits[0].group = self->rules.limits[1].group = 0;
    self->rules.group_count = 1;
    assert_int_equal(bench_judge(self, 20.0, -24.0, -6.0).word, VERDICT_PASS);
    assert_int_equal(bench_judge(self, 20.0, -27.0, -6.0).word, VERDICT_FAIL); /* dialogue cannot hold for it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(verdict__the_share_of_speech_decides_what_is_judged, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__dialogue_is_the_mix_where_the_stem_speaks, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__room_tone_is_no_speech, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__without_a_stem_dialogue_is_not_checked, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__what_the_detector_cannot_tell_is_not_judged, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__nothing_passes_by_the_detector_alone, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__short_and_silent_programmes_have_no_dialogue, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__shares_are_judged_in_percent, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__a_re_render_is_not_judged_by_its_bed, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__a_group_passes_over_what_is_not_in_force, bench_set_up, bench_tear_down),
    };
    return cmocka_run_group_tests_name("verdict dialogue", tests, NULL, NULL);
}
