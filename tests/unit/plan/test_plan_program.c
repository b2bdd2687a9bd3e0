/* Which stems a deliverable takes, at which gain, and who is rendered together. */
#include "tests/unit/plan/show_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Gain from (stem, channel) to channel `to` of a deliverable; 0 when there is no term. */
static double gain_of(const show_fixture *given, uint32_t deliverable, uint16_t stem, channel_label from,
                      channel_label to)
{
    const plan_deliverable *planned = &given->made->deliverables[deliverable];
    const render_program *program = &given->made->programs[planned->program];
    const render_output *output = &program->outputs[planned->program_output];
    assert_int_equal(output->deliverable, deliverable);
    int lane = output->first_lane + channel_layout_index(planned->layout, to);
    for (uint32_t i = 0; i < program->term_count; i++)
        if (program->terms[i].output == lane && program->inputs[program->terms[i].input].stem == stem &&
            program->inputs[program->terms[i].input].label == from)
            return program->terms[i].gain;
    return 0.0;
}

/* A plan's programs must be acceptable to whoever decodes them. */
static void assert_programs_canonical(const show_fixture *given)
{
    for (uint32_t i = 0; i < given->made->program_count; i++) {
        static render_term terms[PROGRAM_TERMS_MAX];
        render_program back;
        byte_writer writer;
        byte_reader reader;
        byte_writer_init(&writer, 1 << 20);
        render_program_encode(&given->made->programs[i], &writer);
        byte_reader_init(&reader, writer.bytes, writer.size);
        assert_int_equal(render_program_decode(&back, terms, PROGRAM_TERMS_MAX, &reader), STATUS_OK);
        byte_writer_deinit(&writer);
    }
}

static void plan_program__sums_the_stems_of_the_recipe(void **state)
{
    (void)state;
    show_fixture given;
    show_fixture_init(&given, "24", 48000);
    show_fixture_render(&given, "PM_51", &given.printmaster);
    show_fixture_render(&given, "PM_20", &given.stereo);
    show_fixture_render(&given, "ME_51", &given.music_and_effects);
    show_fixture_probe(&given);
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    assert_programs_canonical(&given);
    assert_int_equal(given.made->program_count, 1); /* they share stems, so each stem is read once */
    assert_int_equal(given.made->programs[0].output_count, 4); /* and where the dialogue speaks */
    assert_int_equal(given.made->programs[0].input_count, 18); /* DX, MX, FX; narration is nobody's */
    assert_true(gain_of(&given, 0, STEM_DX, CHANNEL_LFE, CHANNEL_LFE) == 1.0);
    assert_true(gain_of(&given, 0, STEM_DX, CHANNEL_L, CHANNEL_R) == 0.0);
    assert_true(gain_of(&given, 1, STEM_FX, CHANNEL_C, CHANNEL_L) == 0.70710678118654752440);
    assert_true(gain_of(&given, 1, STEM_FX, CHANNEL_LFE, CHANNEL_L) == 0.0); /* dropped below 5.1 */
    assert_true(gain_of(&given, 2, STEM_DX, CHANNEL_C, CHANNEL_C) == 0.0);
    assert_true(gain_of(&given, 2, STEM_MX, CHANNEL_C, CHANNEL_C) == 1.0);
    show_fixture_deinit(&given);
}

static void plan_program__measures_the_dialogue_once_for_all_that_take_it(void **state)
{
    (void)state;
    show_fixture given;
    show_fixture_init(&given, "24", 48000);
    show_fixture_render(&given, "PM_51", &given.printmaster);
    show_fixture_render(&given, "ME_51", &given.music_and_effects);
    show_fixture_render(&given, "PM_20", &given.stereo);
    show_fixture_render(&given, "DX_STEM", &given.single)->stem = "DX";
    show_fixture_probe(&given);
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    const render_program *program = &given.made->programs[0];
    const plan_deliverable *made = given.made->deliverables;
    assert_int_equal(program->output_count, 5);
    assert_int_equal(made[0].speech_output, 4);
    assert_int_equal(made[2].speech_output, 4);
    assert_int_equal(made[1].speech_output, PLAN_OUTPUT_NONE); /* music and effects have no dialogue */
    assert_int_equal(made[3].speech_output, PLAN_OUTPUT_NONE); /* and a stem needs no gate */
    assert_int_equal(program->outputs[4].layout, LAYOUT_MONO);
    assert_int_equal(program->outputs[4].deliverable, PLAN_DELIVERABLE_NONE);
    uint32_t terms = 0;
    for (uint32_t i = 0; i < program->term_count; i++) {
        if (program->terms[i].output != program->outputs[4].first_lane)
            continue;
        const render_lane *from = &program->inputs[program->terms[i].input];
        assert_int_equal(from->stem, STEM_DX);
        assert_int_not_equal(from->label, CHANNEL_LFE);
        assert_true(program->terms[i].gain == 0.125);
        terms++;
    }
    assert_int_equal(terms, 5);
    show_fixture_deinit(&given);
}

static void plan_program__keeps_unrelated_stems_apart(void **state)
{
    (void)state;
    show_fixture given;
    show_fixture_init(&given, "24", 48000);
    show_fixture_render(&given, "PM_51", &given.printmaster);
    show_fixture_render(&given, "AD_STEM", &given.single)->stem = "AD";
    show_fixture_render(&given, "DX_STEM", &given.single)->stem = "DX";
    show_fixture_probe(&given);
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    assert_int_equal(given.made->program_count, 2);
    assert_int_equal(given.made->deliverables[0].program, given.made->deliverables[2].program);
    assert_int_not_equal(given.made->deliverables[0].program, given.made->deliverables[1].program);
    assert_int_equal(given.made->deliverables[1].layout, LAYOUT_MONO);
    assert_int_equal(given.made->deliverables[2].layout, LAYOUT_5_1);
    assert_int_equal(given.made->deliverables[0].timeline, given.made->deliverables[1].timeline);
    show_fixture_deinit(&given);
}

static void plan_program__splits_at_the_bounds(void **state)
{
    (void)state;
    show_fixture given;
    char names[20][8];
    show_fixture_init(&given, "24", 48000);
    for (uint32_t i = 0; i < 20; i++) {
        snprintf(names[i], sizeof names[i], "PM_%u", i);
        show_fixture_render(&given, names[i], &given.printmaster);
    }
    show_fixture_probe(&given);
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    assert_programs_canonical(&given);
    /* Of 262144: measures of at most 27328 bytes each and 10365 of where the dialogue speaks, 21366 of the stems. */
    assert_int_equal(given.made->program_count, 3);
    assert_int_equal(given.made->programs[0].output_count, 8 + 1);
    assert_int_equal(given.made->programs[2].output_count, 4 + 1);
    given.printmaster.multi_mono = true;
    given.printmaster.reels = true; /* joined and reels: 12 files each, less than CELL_OUTPUTS_MAX = 128 together */
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    assert_int_equal(given.made->programs[0].output_count, 8 + 1);
    show_fixture_deinit(&given);
}

static void plan_program__takes_the_dialogue_of_the_language(void **state)
{
    (void)state;
    show_fixture given;
    show_fixture_init(&given, "24", 48000);
    given.stems[FIXTURE_STEMS] = given.stems[STEM_DX];
    given.stems[FIXTURE_STEMS].name = "DX_FR";
    given.stems[FIXTURE_STEMS].file = "{reel}_DX_FR.wav";
    given.stems[FIXTURE_STEMS].language = "fr-FR";
    given.film.stem_count++;
    show_fixture_render(&given, "PM_51", &given.printmaster);
    show_fixture_render(&given, "FR_51", &given.printmaster)->language = "fr-fr";
    show_fixture_probe(&given);
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    assert_true(gain_of(&given, 0, STEM_DX, CHANNEL_C, CHANNEL_C) == 1.0);
    assert_true(gain_of(&given, 0, FIXTURE_STEMS, CHANNEL_C, CHANNEL_C) == 0.0);
    assert_int_not_equal(given.made->deliverables[0].speech_output, given.made->deliverables[1].speech_output);
    assert_true(gain_of(&given, 1, STEM_DX, CHANNEL_C, CHANNEL_C) == 0.0);
    assert_true(gain_of(&given, 1, FIXTURE_STEMS, CHANNEL_C, CHANNEL_C) == 1.0);
    assert_true(gain_of(&given, 1, STEM_MX, CHANNEL_C, CHANNEL_C) == 1.0); /* no language: for all */
    assert_string_equal(given.made->deliverables[0].language, "en");
    assert_string_equal(given.made->deliverables[1].language, "fr-fr");
    show_fixture_deinit(&given);
}

static void plan_program__shares_the_print_masters_gain(void **state)
{
    (void)state;
    show_fixture given;
    show_fixture_init(&given, "24", 48000);
    show_deliverable *master = show_fixture_render(&given, "PM_51", &given.printmaster);
    master->gain.mode = GAIN_DB;
    master->gain.db = -6.0;
    show_fixture_render(&given, "PM_20", &given.stereo);
    show_deliverable *matched = show_fixture_render(&given, "PM_MATCH", &given.stereo);
    matched->gain.mode = GAIN_MATCH;
    matched->gain.match = "PM_51";
    show_fixture_render(&given, "ME_51", &given.music_and_effects);
    show_fixture_render(&given, "DX_STEM", &given.single)->stem = "DX";
    show_deliverable *own = show_fixture_render(&given, "ME_OWN", &given.music_and_effects);
    own->gain.mode = GAIN_DB;
    own->gain.db = 2.0;
    show_fixture_probe(&given);
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    static const double expected[] = {-6.0, 0.0, -6.0, -6.0, -6.0, 2.0};
    for (uint32_t i = 0; i < 6; i++)
        assert_true(given.made->deliverables[i].gain_db == expected[i]);
    /* 10^(-6/20) = 0.501187233627272285 (to 18 digits) */
    assert_true(fabs(gain_of(&given, 0, STEM_DX, CHANNEL_L, CHANNEL_L) - 0.501187233627272285) < 1e-16);
    assert_true(gain_of(&given, 3, STEM_MX, CHANNEL_L, CHANNEL_L) == gain_of(&given, 0, STEM_DX, CHANNEL_L, CHANNEL_L));
    assert_true(gain_of(&given, 1, STEM_DX, CHANNEL_L, CHANNEL_L) == 1.0);

    /* What is rendered at the same time does not change a gain. */
    given.options.only = "ME_51";
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    assert_true(given.made->deliverables[3].gain_db == -6.0);
    show_fixture_deinit(&given);
}

/* Stems of any layout, and the narration alone, go with one print master: that of most stems' layout. Others stand alone. */
static void plan_program__parts_share_one_print_masters_gain(void **state)
{
    (void)state;
    show_fixture given;
    show_fixture_init(&given, "24", 48000);
    recipe narrated = given.printmaster; /* narration in the mix, nothing ducked: a cinema package */
    narrated.name = "narrated";
    narrated.roles[narrated.role_count++] = "narration";
    show_deliverable *stereo = show_fixture_render(&given, "PM_20", &given.stereo);
    show_deliverable *master = show_fixture_render(&given, "PM_51", &given.printmaster);
    stereo->gain.mode = master->gain.mode = GAIN_DB;
    stereo->gain.db = -12.0;
    master->gain.db = -6.0;
    show_fixture_render(&given, "DX_STEM", &given.single)->stem = "DX";
    show_fixture_render(&given, "MX_STEM", &given.single)->stem = "MX";
    show_fixture_render(&given, "AD_MONO", &given.single)->stem = "AD";
    show_fixture_render(&given, "DCP", &narrated);
    show_fixture_probe(&given);
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    static const double expected[] = {-12.0, -6.0, -6.0, -6.0, -6.0, 0.0};
    for (uint32_t i = 0; i < 6; i++)
        assert_true(given.made->deliverables[i].gain_db == expected[i]);
    show_fixture_deinit(&given);
}

static void plan_program__matches_the_print_master_of_its_layout(void **state)
{
    (void)state;
    show_fixture given;
    show_fixture_init(&given, "24", 48000);
    recipe me_stereo = given.stereo;
    me_stereo.name = "me-stereo";
    me_stereo.role_count = 2;
    me_stereo.roles[0] = "music";
    me_stereo.roles[1] = "effects";
    given.stems[FIXTURE_STEMS] = given.stems[STEM_DX];
    given.stems[FIXTURE_STEMS].name = "DX_FR";
    given.stems[FIXTURE_STEMS].file = "{reel}_DX_FR.wav";
    given.stems[FIXTURE_STEMS].language = "fr-FR";
    given.film.stem_count++;
    static const double gains[] = {-6.0, -3.0, -1.0};
    show_deliverable *masters[3];
    masters[0] = show_fixture_render(&given, "PM_51", &given.printmaster);
    masters[1] = show_fixture_render(&given, "PM_20", &given.stereo);
    masters[2] = show_fixture_render(&given, "FR_20", &given.stereo);
    masters[2]->language = "fr-FR";
    for (uint32_t i = 0; i < 3; i++) {
        masters[i]->gain.mode = GAIN_DB;
        masters[i]->gain.db = gains[i];
    }
    show_fixture_render(&given, "ME_51", &given.music_and_effects);
    show_fixture_render(&given, "ME_20", &me_stereo);
    show_fixture_render(&given, "ME_FR", &me_stereo)->language = "fr-FR";
    show_fixture_render(&given, "AD_MONO", &given.single)->stem = "AD"; /* no print master is mono: the first one's */
    show_fixture_probe(&given);
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    static const double expected[] = {-6.0, -3.0, -1.0, -6.0, -3.0, -1.0, -6.0};
    for (uint32_t i = 0; i < 7; i++)
        assert_true(given.made->deliverables[i].gain_db == expected[i]);
    show_fixture_deinit(&given);
}

/* {to: spec}: one scan of the print master, which everything that shares its gain waits for, wanted itself or not. */
static void plan_program__scans_before_it_renders(void **state)
{
    (void)state;
    show_fixture given;
    show_fixture_init(&given, "24", 48000);
    show_deliverable *master = show_fixture_render(&given, "PM_51", &given.printmaster);
    master->gain.mode = GAIN_TO_SPEC;
    show_fixture_render(&given, "ME_51", &given.music_and_effects);
    show_fixture_probe(&given);
    for (int alone = 0; alone < 2; alone++) {
        given.options.only = alone ? "ME_51" : NULL;
        assert_int_equal(show_fixture_plan(&given), STATUS_OK);
        const plan *made = given.made;
        const plan_deliverable *source = &made->deliverables[0];
        assert_true(made->program_scans[source->scan_program] && !made->program_scans[made->deliverables[1].program]);
        assert_int_equal(made->programs[source->scan_program].outputs[0].encoding, ENCODING_NONE);
        assert_int_equal(source->timeline == UINT16_MAX, alone);
        uint32_t scans = 0;
        for (uint32_t i = 0; i < made->task_count; i++) {
            const plan_task *task = &made->tasks[i];
            bool waits = false;
            for (uint32_t w = 0; w < task->wait_count; w++)
                waits = waits || made->waits[task->first_wait + w] == source->gain_task;
            scans += task->kind == TASK_INSPECT;
            assert_int_equal(waits, task->kind == TASK_RENDER || task->kind == TASK_COMPOSE);
        }
        assert_int_equal(made->tasks[source->gain_task - made->first_task].wait_count, scans);
        double gains[] = {-2.5, (double)NAN};
        assert_true(plan_gain_db(made, 1, gains) == -2.5 && made->deliverables[1].gain_scanned);
    }
    show_fixture_deinit(&given);
}

static void plan_program__says_what_it_cannot_do(void **state)
{
    (void)state;
    show_fixture given;
    show_fixture_init(&given, "24", 48000);
    show_fixture_render(&given, "PM_51", &given.printmaster);
    show_fixture_probe(&given);
    given.options.only = "PM_52";
    assert_int_equal(show_fixture_plan(&given), STATUS_INPUT_INVALID);
    assert_int_equal(show_fixture_said(&given, PROBLEM_ERROR, "PM_52", "did you mean"), 1);
    show_fixture_deinit(&given);

    show_fixture_init(&given, "24", 48000);
    given.printmaster.role_count = 1;
    given.printmaster.roles[0] = "foley";
    show_fixture_render(&given, "FOLEY", &given.printmaster);
    show_fixture_probe(&given);
    assert_int_equal(show_fixture_plan(&given), STATUS_INPUT_INVALID);
    assert_int_equal(show_fixture_said(&given, PROBLEM_ERROR, "FOLEY", "no stem to take"), 1);
    show_fixture_deinit(&given);
}

static void plan_program__needs_only_what_is_wanted(void **state)
{
    (void)state;
    show_fixture given;
    show_fixture_init(&given, "24", 48000);
    show_fixture_render(&given, "PM_51", &given.printmaster);
    show_fixture_render(&given, "AD_STEM", &given.single)->stem = "AD";
    show_fixture_probe(&given);
    show_fixture_facts(&given, "R1_DX_51.wav")->outcome = STATUS_INPUT_MISSING;
    assert_int_equal(show_fixture_plan(&given), STATUS_INPUT_INVALID);
    given.options.only = "AD_STEM";
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    assert_int_equal(given.made->deliverables[0].timeline, 0xFFFF);
    assert_int_equal(given.made->deliverables[0].publish_task, UINT32_MAX);
    assert_int_equal(given.made->program_count, 1);
    show_fixture_deinit(&given);
}

static void plan_program__leaves_out_an_optional_stem_that_is_nowhere(void **state)
{
    (void)state;
    show_fixture given;
    show_fixture_init(&given, "24", 48000);
    given.stems[STEM_FX].optional = true;
    show_fixture_render(&given, "PM_51", &given.printmaster);
    show_fixture_probe(&given);
    show_fixture_facts(&given, "R1_FX.wav")->outcome = STATUS_INPUT_MISSING;
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    assert_int_equal(given.made->programs[0].input_count, 18);
    show_fixture_facts(&given, "R2_FX.wav")->outcome = STATUS_INPUT_MISSING;
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    assert_int_equal(given.made->programs[0].input_count, 12);
    show_fixture_deinit(&given);
}

static void plan_program__measures_received_files_as_they_are(void **state)
{
    (void)state;
    show_fixture given;
    show_fixture_init(&given, "24", 48000);
    show_deliverable *film = show_fixture_receive(&given, "OLD", "old.wav", LAYOUT_5_1);
    channel_order_of(LAYOUT_5_1, ORDER_FILM, &film->order);
    film->order_given = true;
    show_fixture_receive(&given, "MASKED", "masked.wav", LAYOUT_7_1);
    show_fixture_probe(&given);
    show_fixture_facts(&given, "old.wav")->encoding = ENCODING_PCM_16;
    media_facts *masked = show_fixture_facts(&given, "masked.wav");
    masked->has_channel_mask = true;
    masked->channel_mask = 0x63F;
    assert_int_equal(show_fixture_plan(&given), STATUS_OK);
    assert_programs_canonical(&given);
    const render_program *program = &given.made->programs[0];
    assert_int_equal(program->outputs[0].encoding, ENCODING_NONE);
    assert_int_equal(program->term_count, 6);
    for (uint16_t i = 0; i < 6; i++)
        assert_true(program->terms[i].input == i && program->terms[i].output == i && program->terms[i].gain == 1.0);
    assert_int_equal(given.made->deliverables[0].encoding, ENCODING_PCM_16);
    assert_int_equal(given.made->deliverables[0].order.labels[1], CHANNEL_C); /* L C R ... */
    assert_int_equal(given.made->deliverables[1].order.labels[4],
                     CHANNEL_LRS); /* by the mask: nobody stated an order */
    assert_int_equal(given.made->file_count, 0);
    show_fixture_deinit(&given);
}

static void plan_cell_key__depends_on_everything_a_cell_depends_on(void **state)
{
    (void)state;
    render_term terms[1] = {{.input = 0, .output = 0, .gain = 1.0}};
    render_program program = {.sample_rate = 48000,
                              .input_count = 1,
                              .output_count = 1,
                              .output_lane_count = 1,
                              .term_count = 1,
                              .terms = terms};
    program.inputs[0] = (render_lane){.stem = 0, .label = CHANNEL_M};
    program.outputs[0] = (render_output){.layout = LAYOUT_MONO, .encoding = ENCODING_PCM_24};
    content_hash digests[2] = {content_hash_of("a", 1), content_hash_of("b", 1)};
    content_hash key = plan_cell_key(&program, 0, ENCODING_PCM_24, 2, digests);
    content_hash same = plan_cell_key(&program, 0, ENCODING_PCM_24, 2, digests);
    assert_true(content_hash_equal(&key, &same));
    content_hash others[5];
    others[0] = plan_cell_key(&program, CELL_FRAMES, ENCODING_PCM_24, 2, digests);
    others[1] = plan_cell_key(&program, 0, ENCODING_PCM_16, 2, digests);
    others[2] = plan_cell_key(&program, 0, ENCODING_PCM_24, 1, digests);
    digests[1].bytes[0] ^= 1;
    others[3] = plan_cell_key(&program, 0, ENCODING_PCM_24, 2, digests);
    digests[1].bytes[0] ^= 1;
    terms[0].gain = 0.5;
    others[4] = plan_cell_key(&program, 0, ENCODING_PCM_24, 2, digests);
    for (size_t i = 0; i < 5; i++)
        assert_false(content_hash_equal(&key, &others[i]));
}

/* Nothing is written in a root under the name by which workers know the root. */
static void plan_file__does_not_lead_through_the_mark_of_a_root(void **state)
{
    (void)state;
    static const struct {
        const char *prefix;
        uint32_t said;
    } cases[] = {{".reelmill-root", 1}, {"a/.reelmill-root/b", 1}, {"a.reelmill-root", 0}, {".reelmill-roots/b.reelmill-root", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        show_fixture given;
        show_fixture_init(&given, "24", 48000);
        snprintf(given.options.out.prefix, sizeof given.options.out.prefix, "%s", cases[i].prefix);
        show_fixture_render(&given, "DX_STEM", &given.single)->stem = "DX";
        show_fixture_probe(&given);
        assert_int_equal(show_fixture_plan(&given) == STATUS_OK, cases[i].said == 0);
        assert_int_equal(show_fixture_said(&given, PROBLEM_ERROR, cases[i].prefix, "hidden") > 0, cases[i].said);
        show_fixture_deinit(&given);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan_program__sums_the_stems_of_the_recipe),
        cmocka_unit_test(plan_program__measures_the_dialogue_once_for_all_that_take_it),
        cmocka_unit_test(plan_program__keeps_unrelated_stems_apart),
        cmocka_unit_test(plan_program__splits_at_the_bounds),
        cmocka_unit_test(plan_program__takes_the_dialogue_of_the_language),
        cmocka_unit_test(plan_program__shares_the_print_masters_gain),
        cmocka_unit_test(plan_program__parts_share_one_print_masters_gain),
        cmocka_unit_test(plan_program__matches_the_print_master_of_its_layout),
        cmocka_unit_test(plan_program__scans_before_it_renders),
        cmocka_unit_test(plan_program__says_what_it_cannot_do),
        cmocka_unit_test(plan_program__needs_only_what_is_wanted),
        cmocka_unit_test(plan_program__leaves_out_an_optional_stem_that_is_nowhere),
        cmocka_unit_test(plan_program__measures_received_files_as_they_are),
        cmocka_unit_test(plan_cell_key__depends_on_everything_a_cell_depends_on),
        cmocka_unit_test(plan_file__does_not_lead_through_the_mark_of_a_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
