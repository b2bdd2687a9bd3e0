/* Groups of limits, places that are not located, lengths, and the identity of findings. */
#include "tests/unit/verdict/verdict_bench.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A limit of the format in an any_of group says nothing while its sibling holds, and fails with it when neither does. */
static void verdict__a_group_holds_for_limits_of_the_format_too(void **state)
{
    bench *self = *state;
    plan_file file = {.display = "PM.wav", .reel = -1, .header = {.container = CONTAINER_WAV, .encoding = ENCODING_PCM_16}};
    self->made.files = &file;
    self->made.file_count = 1;
    self->deliverable.file_count = 1;
    spec_limit *form = bench_limit(self, "format.encoding", (double)NAN, (double)NAN);
    form->words[form->word_count++] = "PCM_24";
    form->group = 0;
    spec_limit *level = bench_limit(self, "loudness.integrated", -29.0, -25.0);
    level->group = 0;
    self->rules.group_count = 1;
    programme_verdict held = bench_judge(self, 20.0, -27.0, -6.0);
    assert_int_equal(held.word, VERDICT_PASS);
    assert_int_equal(held.findings.count, 0);
    programme_verdict broken = bench_judge(self, 20.0, -20.0, -6.0);
    assert_int_equal(broken.word, VERDICT_FAIL);
    assert_int_equal(broken.findings.count, 2);
    level->group = -1; /* alone in its group, the format decides it */
    assert_int_equal(bench_judge(self, 20.0, -27.0, -6.0).word, VERDICT_FAIL);
}

/* Netflix: dialogue within 2 LU of -27, and flagged where it is not within 3 and the programme neither. */
static void verdict__a_limit_and_the_wider_one_of_a_group_are_one_finding(void **state)
{
    bench *self = *state;
    spec_limit *wide = bench_limit(self, "loudness.integrated", -30.0, -24.0);
    wide->group = 0;
    bench_limit(self, "loudness.max_momentary", (double)NAN, -21.0)->group = 0;
    spec_limit *narrow = bench_limit(self, "loudness.integrated", -29.0, -25.0);
    narrow->target = -27.0;
    self->rules.group_count = 1;
    programme_verdict both = bench_judge(self, 20.0, -20.0, -6.0);
    assert_int_equal(both.word, VERDICT_FAIL);
    assert_int_equal(both.findings.count, 2); /* and the momentary loudness, with a waiver of its own */
    const finding *told = bench_found(&both, "loudness.integrated");
    assert_ptr_equal(told->rule, narrow);
    assert_ptr_equal(told->wider, wide);
    assert_non_null(strstr(told->message, "Lower the programme by 7.0 dB. That meets the wider limit too, which it breaks as well: "
                                          "-30.0 to -24.0 LUFS, or else loudness.max_momentary of at most -21.0 LUFS."));
    programme_verdict one = bench_judge(self, 20.0, -24.5, -6.0); /* the group holds */
    assert_int_equal(one.findings.count, 1);
    assert_null(one.findings.items[0].wider);
    wide->max = -26.0; /* what the other allows may break it */
    assert_int_equal(bench_judge(self, 20.0, -20.0, -6.0).findings.count, 3);
    wide->max = -24.0;
    narrow->severity = SPEC_WARN; /* no warning hides a failure */
    assert_int_equal(bench_judge(self, 20.0, -20.0, -6.0).findings.count, 3);
}

/* Its other members need no change of their own, which could break what the narrower limit says. */
static void verdict__what_mends_the_narrower_limit_is_enough_for_the_others_of_its_group(void **state)
{
    bench *self = *state;
    static const level_step speech[] = {{0.0, -27.0}};
    self->speech = speech;
    self->speech_count = 1;
    bench_limit(self, "loudness.dialogue", -30.0, -24.0)->group = 0;
    bench_limit(self, "loudness.integrated", -27.0, -21.0)->group = 0;
    bench_limit(self, "loudness.dialogue", -29.0, -25.0);
    self->rules.group_count = 1;
    programme_verdict both = bench_judge(self, 20.0, -31.0, -6.0);
    assert_int_equal(both.word, VERDICT_FAIL);
    assert_int_equal(both.findings.count, 2);
    const finding *other = bench_found(&both, "loudness.integrated");
    assert_non_null(strstr(other->message, ". What mends loudness.dialogue is enough."));
    assert_null(strstr(other->message, "Raise"));
}

/* Places within a second of each other are one finding; it goes with its group, its places stand in the details. */
static void verdict__peaks_close_together_are_one_finding(void **state)
{
    bench *self = *state;
    enum { PLACES = 60 };
    peak_run runs[PLACES + 1];
    for (uint32_t i = 0; i < PLACES; i++)
        runs[i] = (peak_run){.kind = PEAK_RUN_TRUE, .frame = i * 1000, .frame_count = 10, .sample_count = 10,
                             .peak = 0.9 + 0.001 * i};
    /* 48,000 frames behind the last one's end would still be within the second. */
    runs[PLACES] = (peak_run){.kind = PEAK_RUN_TRUE, .frame = (PLACES - 1) * 1000 + 10 + RATE + 1, .frame_count = 1,
                              .sample_count = 1, .peak = 0.99};
    self->runs = runs;
    self->run_count = PLACES + 1;
    bench_limit(self, "peak.true", (double)NAN, -2.0)->group = 0;
    bench_limit(self, "loudness.integrated", -29.0, -25.0)->group = 0;
    self->rules.group_count = 1;
    assert_int_equal(bench_judge(self, 20.0, -27.0, -0.1).findings.count, 0);
    programme_verdict broken = bench_judge(self, 20.0, -20.0, -0.1);
    assert_int_equal(broken.findings.count, 2 + 1); /* two places, one with the figure of the programme, and the loudness */
    const finding *place = NULL;
    for (size_t i = 0; i < broken.findings.count; i++)
        if (broken.findings.items[i].has_range && place == NULL)
            place = &broken.findings.items[i];
    assert_non_null(place);
    assert_true(fabs(place->measured - 20.0 * log10(0.959)) < 1e-9); /* the highest of the first 60 */
    assert_true(place->start_sample == 0 && place->end_sample == (PLACES - 1) * 1000 + 10);
    assert_non_null(strstr(place->message, "60 true peaks over the -2.0 dBTP"));
    assert_non_null(strstr(place->details_json, "\"count\": 60, \"all\": true"));
    self->run_dropped = 1; /* one that is nowhere located may be the highest: the figure stays */
    assert_int_equal(bench_judge(self, 20.0, -20.0, -0.1).findings.count, 1 + 2 + 1 + 1);
    self->run_dropped = 0;
    self->run_count = 0;
    broken = bench_judge(self, 20.0, -20.0, -0.1);
    assert_non_null(strstr(bench_found(&broken, "peak.true")->message, "Lower the peaks by 1.9 dB."));
}

static finding_severity clipping_told(bench *self, peak_run *runs, uint32_t count, size_t findings)
{
    self->runs = runs;
    self->run_count = count;
    programme_verdict verdict = bench_judge(self, 20.0, -27.0, 0.0);
    size_t found = 0;
    for (size_t i = 0; i < verdict.findings.count; i++)
        found += strcmp(verdict.findings.items[i].check, "peak.clipping") == 0;
    assert_int_equal(found, findings);
    return bench_found(&verdict, "peak.clipping")->severity;
}

/* qc-checks.md: a place of ten samples, of three runs, or ten runs in all is a warning; what was clamped in rendering is not. */
static void verdict__clipping_is_a_warning_from_a_stated_size(void **state)
{
    bench *self = *state;
    peak_run runs[10];
    for (uint32_t i = 0; i < 10; i++)
        runs[i] = (peak_run){.kind = PEAK_RUN_CLIP, .frame = i * 1000, .frame_count = 3, .sample_count = 3, .peak = 1.0};
    assert_int_equal(clipping_told(self, runs, 2, 1), FINDING_INFO);
    assert_int_equal(clipping_told(self, runs, 3, 1), FINDING_WARN);
    runs[0].sample_count = runs[0].frame_count = 9;
    assert_int_equal(clipping_told(self, runs, 1, 1), FINDING_INFO);
    runs[0].sample_count = runs[0].frame_count = 10;
    assert_int_equal(clipping_told(self, runs, 1, 1), FINDING_WARN);
    runs[1] = (peak_run){.kind = PEAK_RUN_OVERLOAD, .frame = 5, .frame_count = 3, .sample_count = 3, .peak = 1.2};
    assert_int_equal(clipping_told(self, runs, 2, 1), FINDING_INFO);
    runs[1] = (peak_run){.kind = PEAK_RUN_CLIP, .frame = 200000, .frame_count = 3, .sample_count = 3, .peak = 1.0};
    assert_int_equal(clipping_told(self, runs, 2, 2), FINDING_WARN);
    bench_limit(self, "peak.clipping", (double)NAN, 0.0);
    runs[0].sample_count = 3;
    assert_int_equal(clipping_told(self, runs, 1, 1), FINDING_FAIL);
}

/* The finding of a check that has a place, not the one of the whole programme. */
static const finding *place_of(const programme_verdict *verdict, const char *check)
{
    for (size_t i = 0; i < verdict->findings.count; i++)
        if (verdict->findings.items[i].has_range && strcmp(verdict->findings.items[i].check, check) == 0)
            return &verdict->findings.items[i];
    fail_msg("no place of %s", check);
    return NULL;
}

/* A waiver holds for an id and a figure; more crests between the same ends, as loud at most, must not come under it. */
static void verdict__more_places_in_one_stretch_are_another_finding(void **state)
{
    static const struct {
        uint8_t kind;
        const char *check;
    } rows[] = {{PEAK_RUN_OVERLOAD, "render.overload"}, {PEAK_RUN_TRUE, "peak.true"}, {PEAK_RUN_CLIP, "peak.clipping"}};
    bench *self = *state;
    bench_limit(self, "peak.true", (double)NAN, -2.0);
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        peak_run runs[3];
        for (uint32_t i = 0; i < 3; i++)
            runs[i] = (peak_run){.kind = rows[r].kind, .frame = i * 1000, .frame_count = 4, .sample_count = 4, .peak = 0.99};
        peak_run ends[] = {runs[0], runs[2]};
        self->overload_count = rows[r].kind == PEAK_RUN_OVERLOAD ? 12 : 0;
        self->runs = ends;
        self->run_count = 2;
        programme_verdict two = bench_judge(self, 20.0, -27.0, -0.1);
        programme_verdict again = bench_judge(self, 20.0, -27.0, -0.1);
        self->runs = runs;
        self->run_count = 3;
        programme_verdict three = bench_judge(self, 20.0, -27.0, -0.1);
        const finding *first = place_of(&two, rows[r].check);
        const finding *second = place_of(&three, rows[r].check);
        assert_true(first->start_sample == second->start_sample && first->end_sample == second->end_sample);
        assert_string_equal(first->id, place_of(&again, rows[r].check)->id);
        assert_string_not_equal(first->id, second->id);
        runs[1].sample_count = 1;
        three = bench_judge(self, 20.0, -27.0, -0.1);
        assert_string_not_equal(second->id, place_of(&three, rows[r].check)->id);
    }
}

/* What was clamped comes back when the programme is lowered: advice by the peak that was left would not pass. */
static void verdict__a_clamped_peak_is_lowered_from_what_it_was(void **state)
{
    bench *self = *state;
    peak_run runs[] = {{.kind = PEAK_RUN_TRUE, .frame = 1000, .frame_count = 4, .sample_count = 4, .peak = 1.1},
                       {.kind = PEAK_RUN_OVERLOAD, .frame = 1001, .frame_count = 2, .sample_count = 2, .peak = 2.0}};
    bench_limit(self, "peak.true", (double)NAN, -2.0);
    self->runs = runs;
    self->run_count = 1;
    programme_verdict left = bench_judge(self, 20.0, -27.0, 0.83);
    assert_non_null(strstr(place_of(&left, "peak.true")->message, "Lower it by 2.8 dB there."));
    self->run_count = self->overload_count = 2;
    programme_verdict clamped = bench_judge(self, 20.0, -27.0, 0.83);
    assert_non_null(strstr(place_of(&clamped, "peak.true")->details_json, "\"trim_db\": -8, \"clamped\": true"));
    assert_non_null(strstr(place_of(&clamped, "peak.true")->message, "Lower it by at least 8.0 dB there."));
}

/* Nor do more places that are not located, and a share is told apart at 0.001: 0.142 and 0.1 of speech are not one figure. */
static void verdict__a_count_or_a_share_that_changes_is_told_apart(void **state)
{
    bench *self = *state;
    self->run_dropped = 7;
    programme_verdict seven = bench_judge(self, 20.0, -27.0, -0.1);
    self->run_dropped = 8;
    programme_verdict eight = bench_judge(self, 20.0, -27.0, -0.1);
    assert_string_not_equal(bench_found(&seven, "peak.clipping")->id, bench_found(&eight, "peak.clipping")->id);
    char figure[FINDING_FIGURE_SIZE];
    finding_figure(&(finding){.measured = 0.1424, .unit = ""}, figure);
    assert_string_equal(figure, "0.142");
    finding_figure(&(finding){.measured = -24.249, .unit = "LUFS"}, figure);
    assert_string_equal(figure, "-24.2");
}

static void verdict__tells_that_places_were_not_located(void **state)
{
    bench *self = *state;
    self->run_dropped = 7;
    programme_verdict verdict = bench_judge(self, 20.0, -27.0, -0.1);
    const finding *item = bench_found(&verdict, "peak.clipping");
    assert_non_null(item);
    assert_int_equal(item->severity, FINDING_INFO);
    assert_non_null(strstr(item->message, "7 more places"));
    assert_string_equal(item->details_json, "{\"places_not_located\": 7}");
    bench_limit(self, "peak.clipping", (double)NAN, 0.0); /* a limit on what may be among them cannot be judged */
    assert_int_equal(bench_judge(self, 20.0, -27.0, -0.1).word, VERDICT_INCOMPLETE);
}

static void verdict__length_follows_the_reels_and_the_spec(void **state)
{
    bench *self = *state;
    self->source.rate = (frame_rate){.num = 24, .den = 1, .nominal = 24};
    self->source.reels = self->reels;
    self->source.reel_count = 1;
    self->deliverable.rendered = false;
    /* 240 pictures of 24 a second are 10 s; nothing is rendered from this show. */
    self->reels[0] = (show_reel){.name = "R1", .has_ffoa = true, .ffoa_frame = 86400, .has_lfoa = true, .lfoa_frame = 86639};
    assert_int_equal(bench_judge(self, 10.0, -27.0, -6.0).word, VERDICT_PASS);
    assert_int_equal(bench_judge(self, 10.04, -27.0, -6.0).word, VERDICT_PASS); /* 0.96 pictures */
    programme_verdict longer = bench_judge(self, 10.05, -27.0, -6.0);           /* 1.2 pictures */
    assert_int_equal(longer.word, VERDICT_FAIL);
    assert_true(fabs(bench_found(&longer, "format.length")->measured - 1.2) < 1e-9);
    spec_limit *limit = bench_limit(self, "format.length", -2.0, 2.0);
    assert_int_equal(bench_judge(self, 10.05, -27.0, -6.0).word, VERDICT_PASS);
    limit->severity = SPEC_WARN;
    assert_int_equal(bench_judge(self, 10.1, -27.0, -6.0).word, VERDICT_WARN); /* 2.4 pictures */
    self->reels[0].has_lfoa = false;
    programme_verdict unknown = bench_judge(self, 10.0, -27.0, -6.0);
    assert_int_equal(unknown.word, VERDICT_INCOMPLETE);
    assert_non_null(strstr(bench_found(&unknown, "format.length")->message, "first and last frames of action"));
    self->source.rate.num = 0;
    unknown = bench_judge(self, 10.0, -27.0, -6.0);
    assert_non_null(strstr(bench_found(&unknown, "format.length")->message, "frame rate"));
}

static void verdict__codes_come_with_every_check(void **state)
{
    bench *self = *state;
    bench_limit(self, "loudness.integrated", -29.0, -25.0);
    programme_verdict verdict = bench_judge(self, 20.0, -20.0, -6.0);
    assert_string_equal(bench_found(&verdict, "loudness.integrated")->netflix_code, "020 Loudness LKFS");
    assert_string_equal(bench_found(&verdict, "loudness.integrated")->ebu_qc, "0010B");
}

/* Id of one finding; its memory is the bench's. */
static const char *id_of(bench *self, finding item, const plan_timeline *timeline)
{
    finding_list list = {.items = &item, .count = 1, .capacity = 1};
    finding_list_identify(&list, "PM", &self->source, timeline, &self->memory);
    return list.items[0].id;
}

static void verdict__identity_follows_the_place_in_the_reel(void **state)
{
    bench *self = *state;
    self->source.reels = self->reels;
    self->source.reel_count = 2;
    self->reels[0].name = "R1";
    self->reels[1].name = "R2";
    plan_piece before[2] = {{.reel = 0, .frame_count = 480000}, {.reel = 1, .programme_frame = 480000, .frame_count = 480000}};
    plan_piece after[2] = {{.reel = 0, .frame_count = 960000}, {.reel = 1, .programme_frame = 960000, .frame_count = 480000}};
    plan_timeline old = {.piece_count = 2, .pieces = before, .frame_count = 960000, .sample_rate = RATE};
    plan_timeline new = {.piece_count = 2, .pieces = after, .frame_count = 1440000, .sample_rate = RATE};
    finding item = {.check = "peak.true", .measured = -1.0, .min = (double)NAN, .max = -2.0, .target = (double)NAN, .unit = "dBTP",
                    .has_range = true, .start_sample = 580000, .end_sample = 580100, .reel = 1, .channel_count = 1,
                    .channels = {"L"}, .message = "old", .clause = ""};
    const char *id = id_of(self, item, &old);
    assert_int_equal(strlen(id), 12);
    finding moved = item; /* reel 1 grew by ten seconds, and the figure is another */
    moved.start_sample += 480000;
    moved.end_sample += 480000;
    moved.measured = -0.7;
    moved.message = "new";
    assert_string_equal(id_of(self, moved, &new), id);
    finding others[5] = {item, item, item, item, item};
    others[0].start_sample++;
    others[1].channels[0] = "R";
    others[2].max = -1.0;
    others[3].subject = "MX";
    others[4].check = "peak.sample";
    for (size_t i = 0; i < 5; i++)
        assert_string_not_equal(id_of(self, others[i], &old), id);
}

static void verdict__findings_that_are_alike_are_numbered(void **state)
{
    bench *self = *state;
    finding item = {.check = "format.encoding", .min = (double)NAN, .max = (double)NAN, .target = (double)NAN,
                    .reel = -1, .message = "",
                    .clause = ""};
    finding items[3] = {item, item, item};
    finding_list list = {.items = items, .count = 3, .capacity = 3};
    finding_list_identify(&list, "PM", &self->source, NULL, &self->memory);
    assert_string_not_equal(items[0].id, items[1].id);
    assert_string_not_equal(items[1].id, items[2].id);
    assert_int_equal(strncmp(items[0].id, items[1].id, 12), 0);
}

/* A waiver takes a finding out of the verdict while its figure as displayed is the same, and leaves it in the list. */
static void verdict__a_waiver_follows_an_unchanged_finding(void **state)
{
    bench *self = *state;
    bench_limit(self, "loudness.integrated", -29.0, -25.0);
    programme_verdict bare = bench_judge(self, 20.0, -24.2, -6.0);
    assert_int_equal(bare.word, VERDICT_FAIL);
    show_waiver waiver = {.finding = bare.findings.items[0].id, .measured = "-24.2", .who = "J. Doe", .when = "2026-11-20",
                          .why = "as agreed"};
    self->source.waivers = &waiver;
    self->source.waiver_count = 1;
    static const struct {
        double lufs;
        verdict_word word;
        bool holds;
    } rows[] = {{-24.2, VERDICT_PASS, true}, {-24.23, VERDICT_PASS, true}, {-24.3, VERDICT_FAIL, false},
                {-24.1, VERDICT_FAIL, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        programme_verdict verdict = bench_judge(self, 20.0, rows[i].lufs, -6.0);
        assert_int_equal(verdict.word, rows[i].word);
        assert_int_equal(verdict.findings.count, 1);
        assert_int_equal(verdict.findings.items[0].severity, FINDING_FAIL);
        assert_true((verdict.findings.items[0].waiver != NULL) == rows[i].holds);
        assert_true((verdict.findings.items[0].stale != NULL) == !rows[i].holds);
    }
    self->rules.limits[0].max = -25.5; /* another limit is another finding */
    assert_int_equal(bench_judge(self, 20.0, -24.2, -6.0).word, VERDICT_FAIL);
}

static double number_in(const char *json, const char *key)
{
    const char *at = strstr(json, key);
    assert_non_null(at);
    return strtod(at + strlen(key), NULL);
}

/* What explain advises passes when it is applied, and a tenth of a dB less of it does not. */
static void verdict__the_advised_trim_passes_and_nothing_smaller(void **state)
{
    bench *self = *state;
    plan_piece pieces[2] = {{.reel = 0, .frame_count = 30 * RATE},
                            {.reel = 1, .programme_frame = 30 * RATE, .frame_count = 30 * RATE}};
    self->source.reels = self->reels;
    self->source.reel_count = 2;
    self->reels[0].name = "R1";
    self->reels[1].name = "R2";
    self->timeline.pieces = pieces;
    self->timeline.piece_count = 2;
    static const level_step speech[] = {{0.0, -27.0}, {20.0, -90.0}, {40.0, -27.0}};
    static const char *const checks[] = {"loudness.integrated", "loudness.dialogue"};
    self->speech = speech;
    self->speech_count = 3;
    for (uint32_t c = 0; c < 3; c++) {
        self->rules.limit_count = 0;
        self->rules.group_count = c / 2;
        if (c < 2) {
            bench_limit(self, checks[c], -29.0, -25.0);
        } else { /* either is enough */
            bench_limit(self, checks[0], -31.0, -27.0)->group = 0;
            bench_limit(self, checks[1], -29.0, -24.9)->group = 0;
        }
        level_step mix[] = {{0.0, -26.0}, {15.0, -31.0}, {30.0, -23.4}, {45.0, -22.1}};
        programme_verdict verdict = bench_judge_steps(self, 60.0, mix, 4, -6.0);
        assert_int_equal(verdict.word, VERDICT_FAIL);
        const char *details = bench_found(&verdict, checks[c % 2])->details_json;
        assert_non_null(details);
        assert_non_null(strstr(details, c == 0 ? "\"trim_check\": \"loudness.integrated\"" : "\"trim_check\": \"loudness.dialogue\""));
        double whole = number_in(details, "\"trim_db\": ");
        double second = number_in(strstr(details, "\"R2\""), "\"trim_db\": ");
        assert_true(whole < 0.0 && second < whole);
        for (int less = 0; less < 2; less++) { /* as advised, then a tenth of a dB less */
            level_step all[] = {mix[0], mix[1], mix[2], mix[3]};
            level_step reel[] = {mix[0], mix[1], mix[2], mix[3]};
            for (size_t i = 0; i < 4; i++)
                all[i].lufs += whole + 0.1 * less;
            for (size_t i = 2; i < 4; i++)
                reel[i].lufs += second + 0.1 * less;
            verdict_word wanted = less == 0 ? VERDICT_PASS : VERDICT_FAIL;
            assert_int_equal(bench_judge_steps(self, 60.0, all, 4, -6.0).word, wanted);
            assert_int_equal(bench_judge_steps(self, 60.0, reel, 4, -6.0).word, wanted);
        }
    }
}

/* Softer, a sum that was clamped loses less than the change: in R1, where 2,000 samples were up to 3.5 dB over. */
static void verdict__the_advised_trim_makes_up_for_what_was_clamped(void **state)
{
    bench *self = *state;
    plan_piece pieces[2] = {{.frame_count = 10 * RATE}, {.reel = 1, .programme_frame = 10 * RATE, .frame_count = 10 * RATE}};
    peak_run run = {.kind = PEAK_RUN_OVERLOAD, .frame = 2 * RATE, .frame_count = RATE, .sample_count = 2000, .peak = 1.5};
    double trims[2][3], least[2][3];
    self->source.reels = self->reels;
    self->source.reel_count = 2;
    self->reels[0].name = "R1";
    self->reels[1].name = "R2";
    self->timeline.pieces = pieces;
    self->timeline.piece_count = 2;
    self->runs = &run;
    bench_limit(self, "loudness.integrated", (double)NAN, -16.0);
    for (uint32_t clamped = 0; clamped < 2; clamped++) {
        self->run_count = clamped;
        programme_verdict verdict = bench_judge_steps(self, 20.0, &(level_step){0.0, -14.0}, 1, 0.0);
        const char *details = bench_found(&verdict, "loudness.integrated")->details_json;
        trims[clamped][0] = number_in(details, "\"trim_db\": ");
        trims[clamped][1] = number_in(strstr(details, "\"R1\""), "\"trim_db\": ");
        trims[clamped][2] = number_in(strstr(details, "\"R2\""), "\"trim_db\": ");
        least[clamped][0] = number_in(details, "\"trim_least_db\": ");
        least[clamped][1] = number_in(strstr(details, "\"R1\""), "\"trim_least_db\": ");
        least[clamped][2] = number_in(strstr(details, "\"R2\""), "\"trim_least_db\": ");
    }
    for (uint32_t i = 0; i < 3; i++) /* from below it is bounded by what would do if nothing came back */
        assert_true(least[0][i] == trims[0][i] && least[1][i] == trims[0][i]);
    assert_true(fabs(trims[0][0] + 2.0) < 0.11 && trims[1][0] < trims[0][0] - 0.05 && trims[1][0] > trims[0][0] - 1.0);
    assert_true(trims[1][1] < trims[0][1] - 0.05);
    assert_true(trims[1][2] == trims[0][2]);
}

static void verdict__of_some_checks_alone_is_no_pass(void **state)
{
    bench *self = *state;
    self->deliverable.rendered = true;
    assert_int_equal(bench_judge(self, 60.0, -24.0, -6.0).word, VERDICT_PASS);
    self->made.checks = "loudness,peak";
    programme_verdict part = bench_judge(self, 60.0, -24.0, -6.0);
    assert_int_equal(part.word, VERDICT_INCOMPLETE);
    assert_non_null(bench_found(&part, "render.checks"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(verdict__a_group_holds_for_limits_of_the_format_too, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__what_mends_the_narrower_limit_is_enough_for_the_others_of_its_group, bench_set_up,
                                        bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__a_limit_and_the_wider_one_of_a_group_are_one_finding, bench_set_up,
                                        bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__peaks_close_together_are_one_finding, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__clipping_is_a_warning_from_a_stated_size, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__more_places_in_one_stretch_are_another_finding, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__a_clamped_peak_is_lowered_from_what_it_was, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__a_count_or_a_share_that_changes_is_told_apart, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__tells_that_places_were_not_located, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__length_follows_the_reels_and_the_spec, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__codes_come_with_every_check, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__identity_follows_the_place_in_the_reel, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__a_waiver_follows_an_unchanged_finding, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__the_advised_trim_passes_and_nothing_smaller, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__the_advised_trim_makes_up_for_what_was_clamped, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__of_some_checks_alone_is_no_pass, bench_set_up, bench_tear_down),
        cmocka_unit_test_setup_teardown(verdict__findings_that_are_alike_are_numbered, bench_set_up, bench_tear_down),
    };
    return cmocka_run_group_tests_name("verdict rules", tests, NULL, NULL);
}
