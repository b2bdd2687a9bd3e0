#include "tests/unit/show/show_reading.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void resolve_changed(show_reading *self, const char *from, const char *to)
{
    assert_int_equal(show_reading_changed(self, from, to), STATUS_OK);
    (void)show_reading_resolve(self);
    assert_int_equal(self->code == STATUS_OK, self->problems.error_count == 0);
}

static void show_resolve__finds_shipped_recipes_and_specs(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    assert_int_equal(show_reading_parse(&reading, show_reading_example), STATUS_OK);
    assert_int_equal(show_reading_resolve(&reading), STATUS_OK);
    show_reading_no_problems(&reading);
    const show_deliverable *made = reading.film.deliverables;
    assert_string_equal(made[0].recipe->name, "printmaster-5.1");
    assert_int_equal(made[0].recipe->layout, LAYOUT_5_1);
    assert_string_equal(made[0].spec->name, "ebu-r128");
    assert_ptr_equal(made[2].recipe, made[0].recipe); /* read once */
    assert_string_equal(made[3].spec->name, "none");
    assert_int_equal(made[3].spec->limit_count, 0);
    assert_true(made[4].recipe->takes_stem);
    assert_int_equal(made[4].recipe->layout, LAYOUT_5_1); /* of DX */
    assert_null(made[5].recipe);
    assert_non_null(made[5].spec);
    show_reading_deinit(&reading);
}

static void show_resolve__suggests_names_for_unknown_ones(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    resolve_changed(&reading, "recipe: me-5.1", "recipe: me51");
    show_reading_expect(&reading, 24, 5, "ME_51: there is no recipe \"me51\"", "did you mean \"me-5.1\"?", "stereo-loro", (char *)NULL);
    resolve_changed(&reading, "spec: streaming", "spec: ebu-r-128");
    show_reading_expect(&reading, 22, 5, "no spec \"ebu-r-128\"", "did you mean \"ebu-r128\"?", (char *)NULL);
    resolve_changed(&reading, "layout: \"5.1\", spec: none", "layout: 5.1, stems: [MX, FXX]");
    show_reading_expect(&reading, 26, 5, "ME_OLD: there is no stem \"FXX\"", "did you mean \"FX\"?", (char *)NULL);
    show_reading_deinit(&reading);
}

/* The narration speaks en: of a cinema package in fr-FR the VI-N is silent, which is said and no error. */
static void show_resolve__tells_of_channels_that_no_stem_of_the_language_fills(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    resolve_changed(&reading, "recipe: printmaster-5.1, language: fr-FR", "recipe: dcp-5.1, language: fr-FR");
    assert_int_equal(reading.code, STATUS_OK);
    assert_int_equal(show_reading_said(&reading, PROBLEM_WARNING, "stems of role narration are in en alone: its channel VI-N will"), 1);
    resolve_changed(&reading, "recipe: printmaster-5.1, language: fr-FR", "recipe: dcp-5.1, language: en");
    assert_int_equal(show_reading_said(&reading, PROBLEM_WARNING, "will be silent"), 0);
    show_reading_deinit(&reading);
}

static void show_resolve__checks_what_hangs_together(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    resolve_changed(&reading, "recipe: stem, stem: DX}", "recipe: stem}");
    show_reading_expect(&reading, 25, 5, "DX_ST", "add `stem: NAME`", (char *)NULL);
    resolve_changed(&reading, "stem: DX}", "stem: DZ}");
    show_reading_expect(&reading, 25, 5, "no stem \"DZ\"", (char *)NULL);
    resolve_changed(&reading, "stem: DX}", "stem: DX_RF}");
    show_reading_expect(&reading, 25, 5, "no stem \"DX_RF\"", "did you mean \"DX_FR\"?", (char *)NULL);
    resolve_changed(&reading, "recipe: me-5.1,", "recipe: me-5.1, stem: MX,");
    show_reading_expect(&reading, 24, 5, "`stem: MX` belongs to recipe stem", "remove it", (char *)NULL);
    resolve_changed(&reading, "language: fr-FR, gain", "language: de, gain");
    show_reading_expect(&reading, 23, 5, "FR_51 is in \"de\"", "en, fr-FR", (char *)NULL);
    resolve_changed(&reading, "gain: {match: PM_51}", "gain: {match: PM_15}");
    show_reading_expect(&reading, 22, 5, "\"PM_15\"", "no deliverable", (char *)NULL);
    resolve_changed(&reading, "gain: {match: PM_51}", "gain: {match: ME_OLD}");
    show_reading_expect(&reading, 22, 5, "\"ME_OLD\"", "received file", (char *)NULL);
    resolve_changed(&reading, "spec: streaming, gain: {match: PM_51}", "gain: {to: spec}");
    show_reading_expect(&reading, 22, 5, "{to: spec}", "none has no loudness target", (char *)NULL);
    show_reading_deinit(&reading);
}

static void show_resolve__finds_gains_that_match_in_a_circle(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    resolve_changed(&reading, "gain: -1.5", "gain: {match: FR_51}");
    show_reading_expect(&reading, 23, 5, "FR_51", "matches it back", (char *)NULL);
    resolve_changed(&reading, "spec: ebu-r128}", "gain: {match: PM_20}}");
    assert_int_equal(reading.problems.error_count, 2); /* both ends of the circle */
    assert_int_equal(show_reading_said(&reading, PROBLEM_ERROR, "matches it back"), 2);
    show_reading_deinit(&reading);
}

static void show_resolve__wants_stems_for_the_recipe(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    assert_int_equal(show_reading_parse(&reading, "reelmill: 1\ntitle: T\nframe_rate: 24\nstems:\n  AD: {role: narration, layout: "
                                                  "mono, file: a.wav}\ndeliverables:\n  - {name: ME, recipe: me-5.1}\n"),
                     STATUS_OK);
    assert_int_equal(show_reading_resolve(&reading), STATUS_INPUT_INVALID);
    show_reading_expect(&reading, 7, 5, "sums stems of the roles music, effects", "none of them", (char *)NULL);
    assert_int_equal(show_reading_parse(&reading, "reelmill: 1\ntitle: T\nframe_rate: 24\nstems:\n  MX: {role: music, layout: 4.0, "
                                                  "file: a.wav}\ndeliverables:\n  - {name: ME, recipe: me-5.1}\n"),
                     STATUS_OK);
    assert_int_equal(show_reading_resolve(&reading), STATUS_INPUT_INVALID);
    show_reading_expect(&reading, 7, 5, "ME cannot take stem MX", "no rule for channel Cs of a 4.0 stem", (char *)NULL);
    show_reading_deinit(&reading);
}

static void show_resolve__puts_own_texts_before_shipped_ones(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    assert_int_equal(show_reading_parse(&reading, show_reading_example), STATUS_OK);
    const library *shipped = library_shipped();
    static const char good[] = "reelmill_spec: 1\ntitle: House\nversion: \"7\"\nsource: the house\nlimits: []\n";
    named_text *specs = arena_take_array(&reading.memory, shipped->spec_count + 1, sizeof *specs);
    memcpy(specs, shipped->specs, shipped->spec_count * sizeof *specs);
    specs[shipped->spec_count] = (named_text){"streaming", good, sizeof good - 1, "specs/streaming.yaml"};
    library own = *shipped;
    own.specs = specs;
    own.spec_count++;
    assert_int_equal(show_resolve(&reading.film, &own, &reading.memory, &reading.problems), STATUS_OK);
    assert_string_equal(reading.film.deliverables[1].spec->version, "7");
    static const char bad[] = "reelmill_spec: 1\ntitel: House\n";
    specs[shipped->spec_count] = (named_text){"streaming", bad, sizeof bad - 1, "specs/streaming.yaml"};
    assert_int_equal(show_resolve(&reading.film, &own, &reading.memory, &reading.problems), STATUS_INPUT_INVALID);
    assert_int_equal(show_reading_said(&reading, PROBLEM_ERROR, "unknown key \"titel\""), 1);
    assert_string_equal(reading.problems.items[0].file, "specs/streaming.yaml");
    show_reading_deinit(&reading);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(show_resolve__finds_shipped_recipes_and_specs),
        cmocka_unit_test(show_resolve__suggests_names_for_unknown_ones),
        cmocka_unit_test(show_resolve__tells_of_channels_that_no_stem_of_the_language_fills),
        cmocka_unit_test(show_resolve__checks_what_hangs_together),
        cmocka_unit_test(show_resolve__finds_gains_that_match_in_a_circle),
        cmocka_unit_test(show_resolve__wants_stems_for_the_recipe),
        cmocka_unit_test(show_resolve__puts_own_texts_before_shipped_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
