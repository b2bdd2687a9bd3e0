#include "tests/unit/show/show_reading.h"

#include "coordinator/show/check_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static status parse_limits(show_reading *self, spec *out_spec, const char *limits)
{
    const char *text = arena_format(&self->memory, "reelmill_spec: 1\ntitle: t\nversion: \"1\"\nsource: s\nlimits:\n%s", limits);
    self->problems = (problem_list){0};
    return spec_parse(out_spec, "own", text, strlen(text), "show.yaml", &self->memory, &self->problems);
}

static const spec *shipped_spec(show_reading *self, const char *name)
{
    const library *all = library_shipped();
    for (size_t i = 0; i < all->spec_count; i++) {
        if (strcmp(all->specs[i].name, name) != 0)
            continue;
        spec *made = arena_take(&self->memory, sizeof *made);
        assert_int_equal(spec_parse(made, name, all->specs[i].text, all->specs[i].text_size, all->specs[i].source, &self->memory,
                                    &self->problems),
                         STATUS_OK);
        show_reading_no_problems(self);
        return made;
    }
    fail_msg("spec %s does not ship", name);
    return NULL;
}

static const spec_limit *limit_of(const spec *rules, const char *check)
{
    for (uint32_t i = 0; i < rules->limit_count; i++)
        if (strcmp(rules->limits[i].check, check) == 0)
            return &rules->limits[i];
    fail_msg("%s does not limit %s", rules->name, check);
    return NULL;
}

/* EBU Tech 3343 (2023) 11.2: -23.0 LUFS, +-0.2 LU in quality control, at most -1 dBTP. */
static void spec__ships_ebu_r128(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    const spec *rules = shipped_spec(&reading, "ebu-r128");
    const spec_limit *loudness = limit_of(rules, "loudness.integrated");
    assert_true(loudness->target == -23.0 && loudness->min == -23.2 && loudness->max == -22.8);
    assert_int_equal(loudness->evidence, EVIDENCE_PRIMARY);
    assert_int_equal(loudness->severity, SPEC_FAIL);
    assert_int_equal(loudness->group, -1);
    assert_string_equal(loudness->unit, "LUFS");
    assert_non_null(strstr(loudness->clause, "3343"));
    const spec_limit *peak = limit_of(rules, "peak.true");
    assert_true(peak->max == -1.0 && peak->min != peak->min && peak->target != peak->target);
    assert_int_equal(rules->limit_count, 2);
    assert_false(rules->hold_on_fail);
    assert_false(content_hash_is_zero(&rules->digest));
    show_reading_deinit(&reading);
}

static void spec__ships_limits_with_evidence_and_clause(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    const library *all = library_shipped();
    assert_true(all->spec_count >= 17);
    for (size_t i = 0; i < all->spec_count; i++) {
        const spec *rules = shipped_spec(&reading, all->specs[i].name);
        assert_true(strlen(rules->version) > 0 && strlen(rules->source) > 0);
        for (uint32_t k = 0; k < rules->limit_count; k++) {
            assert_true(strlen(rules->limits[k].clause) > 8);
            assert_true(rules->limits[k].evidence != EVIDENCE_UNVERIFIED || rules->limits[k].severity != SPEC_FAIL);
        }
    }
    assert_int_equal(shipped_spec(&reading, "none")->limit_count, 0);
    /* The contract: streaming is -14 LUFS and -1 dBTP. */
    const spec *streaming = shipped_spec(&reading, "streaming");
    assert_true(limit_of(streaming, "loudness.integrated")->target == -14.0);
    assert_true(limit_of(streaming, "peak.true")->max == -1.0);
    show_reading_deinit(&reading);
}

static void spec__reads_words_groups_and_severities(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    spec *rules = arena_take(&reading.memory, sizeof *rules);
    assert_int_equal(parse_limits(&reading, rules,
                                  "  - {check: format.container, allowed: [WAV, RF64], evidence: primary, clause: c}\n"
                                  "  - {check: format.sample_rate, min: 48000, max: 48000, evidence: secondary, clause: c, severity: warn}\n"
                                  "  - any_of:\n"
                                  "      - {check: loudness.dialogue, min: -29, max: -25, evidence: unverified, clause: c}\n"
                                  "      - {check: loudness.integrated, min: -26, max: -22, evidence: unverified, clause: c}\n"
                                  "  - all_of:\n"
                                  "      - {check: peak.true, max: -2, evidence: primary, clause: c}\n"
                                  "  - any_of: [{check: loudness.range, max: 20, evidence: primary, clause: c}]\n"),
                     STATUS_OK);
    assert_int_equal(rules->limit_count, 6);
    assert_int_equal(rules->group_count, 2);
    assert_int_equal(rules->limits[0].word_count, 2);
    assert_string_equal(rules->limits[0].words[1], "RF64");
    assert_string_equal(rules->limits[1].unit, "Hz");
    assert_int_equal(rules->limits[1].severity, SPEC_WARN);
    assert_int_equal(rules->limits[1].group, -1);
    assert_int_equal(rules->limits[2].group, 0);
    assert_int_equal(rules->limits[3].group, 0);
    assert_int_equal(rules->limits[4].group, -1);
    assert_int_equal(rules->limits[5].group, 1);
    show_reading_deinit(&reading);
}

static void spec__reads_conditions_of_levels(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    spec *rules = arena_take(&reading.memory, sizeof *rules);
    assert_int_equal(parse_limits(&reading, rules,
                                  "  - {check: loudness.dialogue, max: -25, speech_at_least: 0.15, evidence: primary, clause: c}\n"
                                  "  - {check: loudness.integrated, max: -22, speech_below: 0.15, evidence: primary, clause: c}\n"
                                  "  - {check: loudness.dialogue, max: -25, layout: \"5.1\", evidence: primary, clause: c}\n"),
                     STATUS_OK);
    assert_true(rules->limits[0].speech_at_least == 0.15 && rules->limits[0].speech_below == 0.0);
    assert_true(rules->limits[1].speech_at_least == 0.0 && rules->limits[1].speech_below == 0.15);
    assert_null(rules->limits[1].layout);
    assert_string_equal(rules->limits[2].layout, "5.1");
    show_reading_deinit(&reading);
}

static void spec__names_its_faults(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    spec *rules = arena_take(&reading.memory, sizeof *rules);
    static const struct {
        const char *limit;
        uint32_t column;
        const char *said;
    } faults[] = {
        {"  - {check: loudness.integratd, max: 1, evidence: primary, clause: c}\n", 13, "did you mean \"loudness.integrated\"?"},
        {"  - {check: peak.true, max: -1, unit: dBFS, evidence: primary, clause: c}\n", 39, "its figures are in dBTP"},
        {"  - {check: peak.true, target: -1, evidence: primary, clause: c}\n", 5, "neither min nor max"},
        {"  - {check: peak.true, min: 0, max: -1, evidence: primary, clause: c}\n", 5, "min 0 above max -1"},
        {"  - {check: loudness.integrated, min: -24, max: -22, target: -20, evidence: primary, clause: c}\n", 5, "outside"},
        {"  - {check: peak.true, max: -1, clause: c}\n", 5, "no \"evidence\""},
        {"  - {check: peak.true, max: -1, evidence: rumour, clause: c}\n", 43, "primary, secondary, unverified"},
        {"  - {check: peak.true, max: -1, evidence: primary}\n", 5, "no \"clause\""},
        {"  - {check: format.container, max: 1, allowed: [WAV], evidence: primary, clause: c}\n", 31, "unknown key \"max\""},
        {"  - {check: peak.true, max: loud, evidence: primary, clause: c}\n", 29, "must be a number"},
        {"  - {check: loudness.range, max: 9, speech_below: 15, evidence: primary, clause: c}\n", 51, "15 % is 0.15"},
        {"  - {check: loudness.range, max: 9, layout: five, evidence: primary, clause: c}\n", 45, "write one like \"5.1\""},
        {"  - {check: join.level, max: 9, layout: mono, evidence: primary, clause: c}\n", 41, "only limits on loudness and peaks"},
        {"  - any_of: [{any_of: []}]\n", 14, "groups within groups"},
    };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        assert_int_equal(parse_limits(&reading, rules, faults[i].limit), STATUS_INPUT_INVALID);
        size_t errors = reading.problems.error_count;
        if (errors == 2) /* a bad bound leaves the limit without one */
            reading.problems.error_count = 1;
        show_reading_expect(&reading, 6, faults[i].column, faults[i].said, (char *)NULL);
    }
    show_reading_deinit(&reading);
}

static void check_names__are_those_of_the_contract(void **state)
{
    (void)state;
    size_t count = 0;
    const check_name *table = check_name_table(&count);
    assert_int_equal(count, 61); /* the contract's list; join.tail, join.overlap, stems.dropout were added */
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(table[i].name, table[k].name);
    assert_null(check_name_find("loudness"));
    assert_string_equal(check_name_find("format.channels")->name, "format.channels");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spec__ships_ebu_r128),
        cmocka_unit_test(spec__ships_limits_with_evidence_and_clause),
        cmocka_unit_test(spec__reads_words_groups_and_severities),
        cmocka_unit_test(spec__reads_conditions_of_levels),
        cmocka_unit_test(spec__names_its_faults),
        cmocka_unit_test(check_names__are_those_of_the_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
