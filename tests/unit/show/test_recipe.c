#include "tests/unit/show/show_reading.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const double root_half = 0.70710678118654752440;

static const recipe *shipped_recipe(show_reading *self, const char *name)
{
    const library *all = library_shipped();
    for (size_t i = 0; i < all->recipe_count; i++) {
        if (strcmp(all->recipes[i].name, name) != 0)
            continue;
        recipe *made = arena_take(&self->memory, sizeof *made);
        assert_int_equal(recipe_parse(made, name, all->recipes[i].text, all->recipes[i].text_size, all->recipes[i].source, all,
                                      &self->memory, &self->problems),
                         STATUS_OK);
        show_reading_no_problems(self);
        return made;
    }
    fail_msg("recipe %s does not ship", name);
    return NULL;
}

/* Gain from a channel of a layout to a channel of the recipe; 0 if there is no term. */
static double gain_of(const recipe *rule, channel_layout_id layout, channel_label from, channel_label to)
{
    fold_term terms[FOLD_TERMS_MAX];
    uint32_t count = 0;
    assert_int_equal(recipe_matrix(rule, NULL, layout, terms, &count, NULL), STATUS_OK);
    double gain = 0.0;
    for (uint32_t i = 0; i < count; i++)
        if (terms[i].from == from && terms[i].to == to)
            gain += terms[i].gain;
    return gain;
}

static uint32_t term_count(const recipe *rule, channel_layout_id layout)
{
    fold_term terms[FOLD_TERMS_MAX];
    uint32_t count = 0;
    assert_int_equal(recipe_matrix(rule, NULL, layout, terms, &count, NULL), STATUS_OK);
    for (uint32_t i = 1; i < count; i++)
        assert_true(terms[i - 1].to < terms[i].to || (terms[i - 1].to == terms[i].to && terms[i - 1].from < terms[i].from));
    return count;
}

static void recipe__ships_what_this_version_names(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    static const char *const names[] = {"printmaster-5.1", "stereo-loro", "ad-narration", "me-5.1", "me-stereo",
                                        "stem", "mono", "printmaster-7.1", "printmaster-7.1.2", "dcp-5.1", "dcp-7.1",
                                        "atmos-bed", "atmos-bed-ebu", "atmos-master",
                                        "atmos-master-ebu", "stereo-ltrt", "ad-5.1", "ad-stereo", "ad-ltrt"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const recipe *rule = shipped_recipe(&reading, names[i]);
        assert_string_equal(rule->name, names[i]);
        assert_true(strlen(rule->source) > 20 && strlen(rule->description) > 10);
        assert_int_equal(rule->encoding, ENCODING_PCM_24);
        assert_int_equal(rule->order, ORDER_SMPTE);
        bool cinema = strncmp(rule->name, "dcp-", 4) == 0; /* packages are made reel by reel */
        assert_true(rule->joined == !cinema && rule->reels == cinema && !rule->multi_mono);
        assert_int_equal(rule->overload, OVERLOAD_FAIL);
        /* Narration belongs into audio description and nowhere else; cinema packages have a track of their own for it. */
        bool describes = strncmp(rule->name, "ad-", 3) == 0;
        bool narrates = false;
        for (size_t k = 0; k < rule->role_count; k++) {
            bool narration = strcmp(rule->roles[k], "narration") == 0;
            narrates = narrates || narration;
            if (cinema && narration)
                assert_int_equal(rule->places[k], CHANNEL_VIN);
        }
        assert_int_equal(narrates, describes || cinema);
    }
    assert_int_equal(library_shipped()->recipe_count, sizeof names / sizeof names[0]);
    assert_int_equal(shipped_recipe(&reading, "me-5.1")->role_count, 2);
    assert_int_equal(shipped_recipe(&reading, "printmaster-5.1")->role_count, 3);
    show_reading_deinit(&reading);
}

/* The numbers of the contract: Ls = Lss + Lrs; tops sqrt(1/2) to L/R and to Ls/Rs; mono in C; stereo in L and R. */
static void recipe_matrix__brings_every_layout_into_the_bed(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    const recipe *rule = shipped_recipe(&reading, "printmaster-5.1");
    assert_true(gain_of(rule, LAYOUT_MONO, CHANNEL_M, CHANNEL_C) == 1.0);
    assert_int_equal(term_count(rule, LAYOUT_MONO), 1);
    assert_true(gain_of(rule, LAYOUT_STEREO, CHANNEL_L, CHANNEL_L) == 1.0);
    assert_int_equal(term_count(rule, LAYOUT_STEREO), 2);
    assert_int_equal(term_count(rule, LAYOUT_5_1), 6);
    assert_int_equal(term_count(rule, LAYOUT_3_0), 3);
    assert_true(gain_of(rule, LAYOUT_5_1, CHANNEL_LFE, CHANNEL_LFE) == 1.0);
    assert_true(gain_of(rule, LAYOUT_7_1, CHANNEL_LSS, CHANNEL_LS) == 1.0);
    assert_true(gain_of(rule, LAYOUT_7_1, CHANNEL_LRS, CHANNEL_LS) == 1.0);
    assert_true(gain_of(rule, LAYOUT_7_1_2, CHANNEL_LTS, CHANNEL_L) == root_half);
    assert_true(gain_of(rule, LAYOUT_7_1_2, CHANNEL_RTS, CHANNEL_RS) == root_half);
    assert_true(gain_of(rule, LAYOUT_7_1_2, CHANNEL_LTS, CHANNEL_R) == 0.0);
    assert_int_equal(term_count(rule, LAYOUT_7_1_2), 12);
    show_reading_deinit(&reading);
}

static void recipe_matrix__folds_to_stereo_by_way_of_the_bed(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    const recipe *rule = shipped_recipe(&reading, "stereo-loro");
    assert_true(gain_of(rule, LAYOUT_5_1, CHANNEL_L, CHANNEL_L) == 1.0);
    assert_true(gain_of(rule, LAYOUT_5_1, CHANNEL_C, CHANNEL_L) == root_half);
    assert_true(gain_of(rule, LAYOUT_5_1, CHANNEL_C, CHANNEL_R) == root_half);
    assert_true(gain_of(rule, LAYOUT_5_1, CHANNEL_LS, CHANNEL_L) == root_half);
    assert_true(gain_of(rule, LAYOUT_5_1, CHANNEL_LS, CHANNEL_R) == 0.0);
    assert_int_equal(term_count(rule, LAYOUT_5_1), 6); /* LFE dropped */
    assert_true(gain_of(rule, LAYOUT_MONO, CHANNEL_M, CHANNEL_L) == root_half); /* by way of C */
    assert_true(gain_of(rule, LAYOUT_STEREO, CHANNEL_R, CHANNEL_R) == 1.0);
    assert_true(gain_of(rule, LAYOUT_7_1, CHANNEL_LSS, CHANNEL_L) == root_half);
    assert_true(gain_of(rule, LAYOUT_7_1, CHANNEL_RRS, CHANNEL_R) == root_half);
    /* A top reaches L directly and by way of Ls: sqrt(1/2) + 1/2, the half exact. */
    assert_true(gain_of(rule, LAYOUT_7_1_2, CHANNEL_LTS, CHANNEL_L) == root_half + 0.5);
    const recipe *dubbed = shipped_recipe(&reading, "me-stereo");
    assert_true(gain_of(dubbed, LAYOUT_7_1_2, CHANNEL_RTS, CHANNEL_R) == root_half + 0.5);
    show_reading_deinit(&reading);
}

/* M = sqrt(1/2) (Lo + Ro), expanded by hand: L sqrt(1/2), C 1/2 + 1/2, Ls 1/2. */
static void recipe_matrix__folds_to_mono(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    const recipe *rule = shipped_recipe(&reading, "mono");
    assert_true(gain_of(rule, LAYOUT_5_1, CHANNEL_L, CHANNEL_M) == root_half);
    assert_true(gain_of(rule, LAYOUT_5_1, CHANNEL_C, CHANNEL_M) == 1.0);
    assert_true(gain_of(rule, LAYOUT_5_1, CHANNEL_RS, CHANNEL_M) == 0.5);
    assert_true(gain_of(rule, LAYOUT_MONO, CHANNEL_M, CHANNEL_M) == 1.0);
    assert_int_equal(term_count(rule, LAYOUT_5_1), 5);
    show_reading_deinit(&reading);
}

/* A 5.1 stem in a 7.1 bed folds back to itself by Ls = Lss + Lrs. */
static void recipe_matrix__puts_lower_stems_where_they_fold_back_from(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    const recipe *up = shipped_recipe(&reading, "printmaster-7.1");
    const recipe *down = shipped_recipe(&reading, "printmaster-5.1");
    const channel_layout *bed = channel_layout_get(LAYOUT_5_1);
    for (uint32_t from = 0; from < bed->channel_count; from++)
        for (uint32_t to = 0; to < bed->channel_count; to++) {
            double sum = 0.0;
            const channel_layout *middle = channel_layout_get(LAYOUT_7_1);
            for (uint32_t k = 0; k < middle->channel_count; k++)
                sum += gain_of(up, LAYOUT_5_1, bed->labels[from], middle->labels[k]) *
                       gain_of(down, LAYOUT_7_1, middle->labels[k], bed->labels[to]);
            assert_true(sum == (from == to ? 1.0 : 0.0));
        }
    assert_int_equal(term_count(shipped_recipe(&reading, "printmaster-7.1.2"), LAYOUT_7_1_2), 10);
    show_reading_deinit(&reading);
}

static void recipe_matrix__keeps_a_stem_as_it_is(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    const recipe *rule = shipped_recipe(&reading, "stem");
    assert_true(rule->takes_stem);
    assert_int_equal(rule->layout, LAYOUT_NONE);
    for (int id = LAYOUT_NONE + 1; id < LAYOUT_COUNT; id++)
        assert_int_equal(term_count(rule, (channel_layout_id)id), channel_layout_get((channel_layout_id)id)->channel_count);
    show_reading_deinit(&reading);
}

static void recipe_matrix__refuses_a_channel_without_a_rule(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    fold_term terms[FOLD_TERMS_MAX];
    uint32_t count = 77;
    error_detail detail = {0};
    assert_int_equal(recipe_matrix(shipped_recipe(&reading, "printmaster-5.1"), "music", LAYOUT_4_0, terms, &count, &detail),
                     STATUS_INPUT_UNSUPPORTED);
    assert_int_equal(count, 77);
    assert_non_null(strstr(detail.message, "no rule for channel Cs of a 4.0 stem"));
    show_reading_deinit(&reading);
}

static status parse_own(show_reading *self, recipe *out_recipe, const char *body)
{
    const char *text = arena_format(&self->memory, "reelmill_recipe: 1\ndescription: d\nsource: s\n%s", body);
    self->problems = (problem_list){0};
    return recipe_parse(out_recipe, "own", text, strlen(text), "show.yaml", library_shipped(), &self->memory, &self->problems);
}

static void recipe__reads_gains_as_factors_and_decibels(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    static const struct {
        const char *text;
        double gain;
    } gains[] = {
        {"1", 1.0}, {"sqrt1_2", 0.70710678118654752440}, {"sqrt1_2*sqrt1_2", 0.5}, {"sqrt1_2*sqrt1_2*sqrt1_2", 0.35355339059327376220},
        {"3/4", 0.75}, {"-1", -1.0}, {"0.25*2", 0.5}, {"0 dB", 1.0}, {"-20dB", 0.1}, {"20 dB", 10.0}, {"0.7", 0.7},
        {"-3*1", -3.0}, {"-3/1", -3.0}, {"-1/2", -0.5}};
    for (size_t i = 0; i < sizeof gains / sizeof gains[0]; i++) {
        recipe rule;
        const char *body = arena_format(&reading.memory, "roles: [music]\nlayout: stereo\nfolds:\n  - {from: C, to: L, gain: %s}\n",
                                        gains[i].text);
        assert_int_equal(parse_own(&reading, &rule, body), STATUS_OK);
        /* Decibels go through pow(): one step of the last place is allowed there, none elsewhere. */
        double allowed = strstr(gains[i].text, "dB") == NULL ? 0.0 : 1e-15;
        assert_true(fabs(rule.folds[0].gain - gains[i].gain) <= allowed);
    }
    static const char *const wrong[] = {"loud", "1*", "1/0", "3 dBFS", "1e3", "--1", "100 dB", "2000"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        recipe rule;
        const char *body = arena_format(&reading.memory, "roles: [music]\nlayout: stereo\nfolds:\n  - {from: C, to: L, gain: %s}\n",
                                        wrong[i]);
        assert_int_equal(parse_own(&reading, &rule, body), STATUS_INPUT_INVALID);
        show_reading_expect(&reading, 7, 28, "gain of a fold", "sqrt1_2", (char *)NULL);
    }
    /* 20 log10 3 = 9.5 */
    recipe rule;
    assert_int_equal(parse_own(&reading, &rule, "roles: [music]\nlayout: stereo\nfolds:\n  - {from: C, to: L, gain: -3}\n"),
                     STATUS_INPUT_INVALID);
    show_reading_expect(&reading, 7, 28, "9.5 dB louder", "\"-3 dB\"", "\"-3*1\"", (char *)NULL);
    show_reading_deinit(&reading);
}

static void recipe__names_its_faults(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    recipe rule;
    assert_int_equal(parse_own(&reading, &rule, "roles: [music]\nlayout: stereo\nfold: []\n"), STATUS_INPUT_INVALID);
    show_reading_expect(&reading, 6, 1, "unknown key \"fold\"", "did you mean \"folds\"?", (char *)NULL);
    assert_int_equal(parse_own(&reading, &rule, "layout: stereo\n"), STATUS_INPUT_INVALID);
    show_reading_expect(&reading, 1, 1, "either `roles`", (char *)NULL);
    assert_int_equal(parse_own(&reading, &rule, "roles: [music]\n"), STATUS_INPUT_INVALID);
    show_reading_expect(&reading, 1, 1, "no \"layout\"", (char *)NULL);
    assert_int_equal(parse_own(&reading, &rule, "roles: [music]\nlayout: stereo\nfolds: [{from: C, to: Ls, gain: 1}]\n"),
                     STATUS_INPUT_INVALID);
    show_reading_expect(&reading, 6, 23, "leads to Ls", (char *)NULL);
    assert_int_equal(parse_own(&reading, &rule, "roles: [music]\nlayout: stereo\nfolds: [{from: C, to: L, gain: 1}, {from: C, to: L, gain: 1}]\n"),
                     STATUS_INPUT_INVALID);
    show_reading_expect(&reading, 6, 36, "from C to L stands twice", (char *)NULL);
    assert_int_equal(parse_own(&reading, &rule, "roles: [music]\nlayout: stereo\nencoding: PCM_20\n"), STATUS_INPUT_INVALID);
    show_reading_expect(&reading, 6, 11, "PCM_20", "PCM_16, PCM_24, PCM_32, FLOAT_32", (char *)NULL);
    assert_int_equal(parse_own(&reading, &rule,
                               "roles: [music, crowd]\nlayout: \"7.1\"\nencoding: PCM_16\norder: film\nfiles: multi-mono\n"
                               "assembly: both\noverload: clip\n"),
                     STATUS_OK);
    assert_true(rule.multi_mono && rule.joined && rule.reels);
    assert_int_equal(rule.order, ORDER_FILM);
    assert_int_equal(rule.overload, OVERLOAD_CLIP);
    assert_int_equal(rule.encoding, ENCODING_PCM_16);
    assert_true(rule.dither); /* 16 bits are dithered unless the recipe says no */
    assert_int_equal(parse_own(&reading, &rule, "extends: stereo-loro\nencoding: PCM_16\ndither: none\n"), STATUS_OK);
    assert_false(rule.dither);
    assert_int_equal(parse_own(&reading, &rule, "extends: stereo-loro\ndither: tpdf\n"), STATUS_OK);
    assert_true(rule.dither);
    assert_int_equal(parse_own(&reading, &rule, "extends: stereo-loro\nencoding: FLOAT_32\ndither: tpdf\n"),
                     STATUS_INPUT_INVALID);
    show_reading_expect(&reading, 6, 9, "FLOAT_32 is not rounded", (char *)NULL);
    show_reading_deinit(&reading);
}

/* ISDCF Doc 4: 1 L, 2 R, 3 C, 4 LFE, 5 Ls, 6 Rs, 7 HI, 8 VI-N; 7.1 has sides in 5 and 6, 9 Lc, 10 Rc, 11 Lrs, 12 Rrs. */
static void recipe_matrix__fills_the_tracks_of_a_cinema_package(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    fold_term terms[FOLD_TERMS_MAX];
    uint32_t count = 0;
    static const channel_label tracks[] = {CHANNEL_L,  CHANNEL_R,   CHANNEL_C,  CHANNEL_LFE, CHANNEL_LSS, CHANNEL_RSS,
                                           CHANNEL_HI, CHANNEL_VIN, CHANNEL_LC, CHANNEL_RC,  CHANNEL_LRS, CHANNEL_RRS};
    const recipe *wide = shipped_recipe(&reading, "dcp-7.1");
    assert_int_equal(channel_layout_get(wide->layout)->channel_count, 12);
    assert_memory_equal(channel_layout_get(wide->layout)->labels, tracks, sizeof tracks);
    const recipe *rule = shipped_recipe(&reading, "dcp-5.1");
    assert_int_equal(channel_layout_get(rule->layout)->channel_count, 8);
    assert_int_equal(channel_layout_index(rule->layout, CHANNEL_HI), 6);
    assert_int_equal(channel_layout_index(rule->layout, CHANNEL_VIN), 7);
    /* The room hears what it hears of the 5.1 print master; nothing of it gets into HI or VI-N. */
    const recipe *master = shipped_recipe(&reading, "printmaster-5.1");
    for (int from = LAYOUT_MONO; from < LAYOUT_DCP_5_1; from++) {
        fold_term expected[FOLD_TERMS_MAX];
        uint32_t expected_count = 0;
        status code = recipe_matrix(master, "music", (channel_layout_id)from, expected, &expected_count, NULL);
        assert_int_equal(recipe_matrix(rule, "music", (channel_layout_id)from, terms, &count, NULL), code);
        if (code != STATUS_OK)
            continue;
        assert_int_equal(count, expected_count);
        for (uint32_t i = 0; i < count; i++)
            assert_true(terms[i].from == expected[i].from && terms[i].to == expected[i].to &&
                        terms[i].gain == expected[i].gain);
    }
    assert_int_equal(recipe_matrix(rule, "narration", LAYOUT_MONO, terms, &count, NULL), STATUS_OK);
    assert_int_equal(count, 1);
    assert_true(terms[0].from == CHANNEL_M && terms[0].to == CHANNEL_VIN && terms[0].gain == 1.0);
    assert_int_equal(recipe_matrix(rule, "hearing", LAYOUT_STEREO, terms, &count, NULL), STATUS_OK);
    assert_int_equal(count, 2);
    assert_true(terms[1].from == CHANNEL_R && terms[1].to == CHANNEL_HI && terms[1].gain == 0.5);
    error_detail detail = {0};
    assert_int_equal(recipe_matrix(rule, "narration", LAYOUT_4_0, terms, &count, &detail), STATUS_INPUT_UNSUPPORTED);
    recipe own;
    assert_int_equal(parse_own(&reading, &own, "extends: dcp-5.1\nplaces: {crowd: HI}\n"), STATUS_INPUT_INVALID);
    show_reading_expect(&reading, 5, 10, "unknown key \"crowd\" in places", (char *)NULL);
    assert_int_equal(parse_own(&reading, &own, "extends: dcp-5.1\nplaces: {narration: Lts}\n"), STATUS_INPUT_INVALID);
    show_reading_expect(&reading, 5, 21, "not in the recipe's layout", (char *)NULL);
    show_reading_deinit(&reading);
}

/* What a bed in ADM cannot be is said at the line that makes it so. */
static void recipe__describes_beds_by_adm_only_where_profiles_know_them(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    recipe own;
    assert_int_equal(shipped_recipe(&reading, "atmos-bed")->adm, ADM_DOLBY);
    assert_int_equal(shipped_recipe(&reading, "atmos-bed-ebu")->adm, ADM_EBU);
    assert_false(shipped_recipe(&reading, "atmos-bed-ebu")->keeps_objects);
    assert_int_equal(shipped_recipe(&reading, "atmos-master-ebu")->adm, ADM_EBU);
    assert_true(shipped_recipe(&reading, "atmos-master-ebu")->keeps_objects);
    assert_int_equal(parse_own(&reading, &own, "extends: atmos-bed\nlayout: \"5.1\"\nfolds: []\n"), STATUS_OK);
    assert_int_equal(parse_own(&reading, &own, "extends: atmos-bed\nlayout: \"5.1.2\"\nfolds: []\n"), STATUS_INPUT_INVALID);
    show_reading_expect(&reading, 4, 10, "adm describes a bed", (char *)NULL);
    assert_int_equal(parse_own(&reading, &own, "extends: atmos-bed\nencoding: PCM_16\n"), STATUS_INPUT_INVALID);
    show_reading_expect(&reading, 4, 10, "one joined file of 24 bits", (char *)NULL);
    assert_int_equal(parse_own(&reading, &own, "extends: atmos-bed\nadm: dobly\n"), STATUS_INPUT_INVALID);
    show_reading_expect(&reading, 5, 6, "dobly", (char *)NULL);
    show_reading_deinit(&reading);
}

/* Terms with a phase follow those without; what stands on the way to `via` cannot have one. */
static void recipe__shifts_surrounds_by_90_degrees(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    fold_term terms[FOLD_TERMS_MAX];
    uint32_t count = 0;
    const recipe *rule = shipped_recipe(&reading, "stereo-ltrt");
    assert_int_equal(recipe_matrix(rule, "music", LAYOUT_7_1, terms, &count, NULL), STATUS_OK);
    assert_int_equal(count, 4 + 8); /* L, R and twice C; four surrounds to both sides */
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(terms[i].phase_90, i >= 4);
        if (i >= 4)
            assert_true(terms[i].gain == (terms[i].to == CHANNEL_L ? -0.5 : 0.5));
    }
    recipe own;
    assert_int_equal(parse_own(&reading, &own, "extends: printmaster-5.1\nfolds: [{from: Lss, to: Ls, gain: 1, phase: 90}]\n"),
                     STATUS_INPUT_INVALID);
    show_reading_expect(&reading, 5, 45, "a fold with phase 90 leads from a channel of `via`", (char *)NULL);
    assert_int_equal(parse_own(&reading, &own, "extends: printmaster-5.1\nfolds: [{from: Lss, to: Ls, gain: 1, phase: 45}]\n"),
                     STATUS_INPUT_INVALID);
    show_reading_expect(&reading, 5, 45, "\"45\"", (char *)NULL);
    show_reading_deinit(&reading);
}

static void recipe__ducks_by_seven_numbers_that_fit_together(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    const recipe *rule = shipped_recipe(&reading, "ad-5.1");
    assert_string_equal(rule->duck_role, "narration");
    assert_true(rule->duck.look_ahead == 30 && rule->duck.attack == 30 && rule->duck.hold == 50 && rule->duck.release == 80);
    assert_true(fabs(rule->duck.floor - 0.35481338923357547) < 1e-15);  /* -9 dB */
    assert_true(fabs(rule->duck.threshold - 1e-5) < 1e-19);             /* -50 dB of power */
    recipe own;
    static const struct {
        const char *keys; /* behind depth */
        uint32_t column;
        const char *said;
    } wrong[] = {
        {"-6 dB, threshold: -50 dB, look_ahead: 300 ms, attack: 300 ms, hold: 0 ms}", 7, "has no \"release\""},
        {"-6, threshold: -50 dB, look_ahead: 300 ms, attack: 300 ms, hold: 0 ms, release: 10 ms}", 33, "write decibels"},
        {"3 dB, threshold: -50 dB, look_ahead: 300 ms, attack: 300 ms, hold: 0 ms, release: 10 ms}", 33, "write decibels"},
        {"-6 dB, threshold: -50 dB, look_ahead: 300 ms, attack: 300 ms, hold: 1 ms, release: 10 ms}", 101, "multiple of 10 ms"},
        {"-6 dB, threshold: -50 dB, look_ahead: 200ms, attack: 300ms, hold: 0ms, release: 10ms}", 7, "at most look_ahead"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char text[256];
        (void)snprintf(text, sizeof text, "extends: ad-5.1\nduck: {under: narration, depth: %s\n", wrong[i].keys);
        assert_int_equal(parse_own(&reading, &own, text), STATUS_INPUT_INVALID);
        show_reading_expect(&reading, 5, wrong[i].column, wrong[i].said, (char *)NULL);
    }
    assert_int_equal(parse_own(&reading, &own, "extends: ad-5.1\nroles: [music]\n"), STATUS_INPUT_INVALID);
    show_reading_expect(&reading, 4, 10, "which `roles` does not take", (char *)NULL);
    show_reading_deinit(&reading);
}

/* A recipe of one's own is a shipped one with a line changed; what is wrong then stands at a line of the own text. */
static void recipe__extends_a_shipped_one(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    recipe rule;
    assert_int_equal(parse_own(&reading, &rule, "extends: printmaster-5.1\norder: film\n"), STATUS_OK);
    assert_string_equal(rule.name, "own");
    assert_string_equal(rule.source, "s"); /* its own word stands before the inherited one */
    assert_int_equal(rule.order, ORDER_FILM);
    const recipe *base = shipped_recipe(&reading, "printmaster-5.1");
    assert_int_equal(rule.layout, base->layout);
    assert_int_equal(rule.role_count, base->role_count);
    assert_int_equal(rule.fold_count, base->fold_count);
    assert_memory_equal(rule.folds, base->folds, sizeof rule.folds);
    assert_int_equal(parse_own(&reading, &rule, "extends: stem\nroles: [crowd]\nlayout: mono\n"), STATUS_OK);
    assert_true(!rule.takes_stem && rule.role_count == 1);
    assert_int_equal(parse_own(&reading, &rule, "extends: printmaster-51\n"), STATUS_INPUT_INVALID);
    show_reading_expect(&reading, 4, 10, "extends names \"printmaster-51\"", "did you mean \"printmaster-5.1\"", (char *)NULL);
    static const char circle[] = "reelmill_recipe: 1\nextends: own\n";
    const named_text own_text = {.name = "own", .source = "own.yaml", .text = circle, .text_size = sizeof circle - 1};
    const library own_alone = {.recipe_count = 1, .recipes = &own_text};
    reading.problems = (problem_list){0};
    assert_int_equal(recipe_parse(&rule, "own", circle, sizeof circle - 1, "show.yaml", &own_alone,
                                  &reading.memory, &reading.problems),
                     STATUS_INPUT_INVALID);
    show_reading_expect(&reading, 2, 10, "extends names \"own\", which is this recipe itself", (char *)NULL);
    /* Each of the eight inherited folds leads out of the new layout, to four channels: one sentence for each of those. */
    assert_int_equal(parse_own(&reading, &rule, "layout: mono\nextends: printmaster-5.1\n"), STATUS_INPUT_INVALID);
    assert_int_equal(reading.problems.count, 4);
    assert_int_equal(reading.problems.items[0].line, 5);
    assert_int_equal(reading.problems.items[0].column, 10);
    assert_string_equal(reading.problems.items[0].file, "show.yaml");
    assert_non_null(strstr(reading.problems.items[0].message, "a fold leads to Ls, which is neither"));
    show_reading_deinit(&reading);
}

static status parse_one_of(show_reading *self, recipe *out_recipe, const library *all, size_t index)
{
    const named_text *text = &all->recipes[index];
    self->problems = (problem_list){0};
    return recipe_parse(out_recipe, text->name, text->text, text->text_size, text->source, all, &self->memory,
                        &self->problems);
}

static void recipe__extends_by_name_but_never_itself(void **state)
{
    (void)state;
    show_reading reading;
    show_reading_init(&reading);
    static const char shipped[] = "reelmill_recipe: 1\ndescription: d\nsource: s\nroles: [music]\nlayout: stereo\n";
    static const char same_name[] = "extends: a\nencoding: PCM_32\n";
    static const char first[] = "extends: c\n";
    static const char second[] = "extends: b\n";
    const named_text texts[] = {{"a", shipped, sizeof shipped - 1, "built in"},
                                {"a", same_name, sizeof same_name - 1, "a.yaml"},
                                {"b", first, sizeof first - 1, "b.yaml"},
                                {"c", second, sizeof second - 1, "c.yaml"}};
    const library all = {.recipe_count = 4, .recipes = texts};
    recipe rule;
    assert_int_equal(parse_one_of(&reading, &rule, &all, 1), STATUS_OK);
    assert_int_equal(rule.layout, LAYOUT_STEREO);
    assert_int_equal(rule.encoding, ENCODING_PCM_32);
    assert_int_equal(parse_one_of(&reading, &rule, &all, 2), STATUS_INPUT_INVALID);
    assert_int_equal(reading.problems.count, 1);
    assert_non_null(strstr(reading.problems.items[0].message, "in a circle"));
    show_reading_deinit(&reading);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recipe__ships_what_this_version_names),
        cmocka_unit_test(recipe_matrix__brings_every_layout_into_the_bed),
        cmocka_unit_test(recipe_matrix__folds_to_stereo_by_way_of_the_bed),
        cmocka_unit_test(recipe_matrix__folds_to_mono),
        cmocka_unit_test(recipe_matrix__puts_lower_stems_where_they_fold_back_from),
        cmocka_unit_test(recipe_matrix__keeps_a_stem_as_it_is),
        cmocka_unit_test(recipe_matrix__refuses_a_channel_without_a_rule),
        cmocka_unit_test(recipe__reads_gains_as_factors_and_decibels),
        cmocka_unit_test(recipe__names_its_faults),
        cmocka_unit_test(recipe_matrix__fills_the_tracks_of_a_cinema_package),
        cmocka_unit_test(recipe__describes_beds_by_adm_only_where_profiles_know_them),
        cmocka_unit_test(recipe__shifts_surrounds_by_90_degrees),
        cmocka_unit_test(recipe__ducks_by_seven_numbers_that_fit_together),
        cmocka_unit_test(recipe__extends_a_shipped_one),
        cmocka_unit_test(recipe__extends_by_name_but_never_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
