/* Names of files to stems and reels, and the show file made of them. */
#include "coordinator/show/init_name.h"
#include "coordinator/show/show_init.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static int set_up(void **state)
{
    static arena memory;
    arena_init(&memory);
    *state = &memory;
    return 0;
}

static int tear_down(void **state)
{
    arena_deinit(*state);
    return 0;
}

static void init_name__reads_the_usual_names(void **state)
{
    static const struct {
        const char *path, *pattern, *reel, *stem, *language, *title;
        channel_label channel;
    } rows[] = {
        {"NT_R1_DX_51.wav", "NT_{reel}_DX_51.wav", "R1", "DX", "", "NT", CHANNEL_NONE},
        {"Night Train_R02_MX.Ls.wav", "Night Train_{reel}_MX.{ch}.wav", "R02", "MX", "", "Night Train", CHANNEL_LS},
        {"Reel 3/music.Lsr.aif", "Reel {reel}/music.{ch}{Lrs=Lsr}.aif", "3", "MX", "", "", CHANNEL_LRS},
        {"reel2_dialogue_fr.flac", "{reel}_dialogue_fr.flac", "reel2", "DX", "fr", "", CHANNEL_NONE},
        {"FILM-R4-D.wav", "FILM-{reel}-D.wav", "R4", "DX", "", "FILM", CHANNEL_NONE},
        {"FILM_M_FX_R1.wav", "FILM_M_FX_{reel}.wav", "R1", "FX", "", "FILM M", CHANNEL_NONE},
        {"AD_LONGPLAY.wav", "AD_LONGPLAY.wav", "", "AD", "", "", CHANNEL_NONE},
        {"odd{name}_R1_SFX.wav", "odd{brace}name}_{reel}_SFX.wav", "R1", "FX", "", "odd{name}", CHANNEL_NONE},
        {"R1_room.wav", "{reel}_room.wav", "R1", "", "", "", CHANNEL_NONE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        init_name name;
        assert_true(init_name_parse(&name, rows[i].path, *state));
        assert_string_equal(name.pattern, rows[i].pattern);
        assert_string_equal(name.reel, rows[i].reel);
        assert_string_equal(name.stem, rows[i].stem);
        assert_string_equal(name.language, rows[i].language);
        assert_string_equal(name.title, rows[i].title);
        assert_int_equal(name.channel, rows[i].channel);
        assert_int_equal(name.has_role, rows[i].stem[0] != '\0');
    }
}

static void init_name__passes_over_what_is_no_audio(void **state)
{
    static const char *const paths[] = {"notes.txt", "R1_DX.wav.part", "wav", "folder.wav/readme"};
    init_name name;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        assert_false(init_name_parse(&name, paths[i], *state));
}

/* What it writes is a show file that parses and resolves. */
static void show_init__writes_a_show_that_parses(void **state)
{
    arena *memory = *state;
    static const init_file files[] = {
        {"T_R10_DX.wav", 6, 48000, true, 10ULL * 3600 * 48000},
        {"T_R2_DX.wav", 6, 48000, true, 2ULL * 3600 * 48000 + 2000},
        {"T_R2_DX_FR.wav", 6, 48000, false, 0},
        {"T_R2_MX.L.wav", 1, 48000, false, 0},
        {"T_R2_MX.R.wav", 1, 48000, false, 0},
        {"T_R10_MX.L.wav", 1, 48000, false, 0},
        {"T_R10_MX.R.wav", 1, 48000, false, 0},
        {"T_R2_FX.wav", 6, 48000, false, 0},
        {"T_R10_FX.wav", 6, 48000, false, 0},
        {"T_R2_BG.wav", 5, 48000, false, 0},    /* five channels are no layout */
        {"T_VO.wav", 1, 48000, true, 90000},    /* long play, placed */
        {"T_NARR_old.wav", 1, 48000, false, 0}, /* long play, not placed */
        {"T_R2_room.wav", 1, 48000, false, 0},
        {"T_R2_EFX.wav", 0, 0, false, 0},       /* not readable */
    };
    const char *text = NULL;
    problem_list notes = {0};
    assert_int_equal(show_init_text(files, sizeof files / sizeof files[0], "folder", memory, &text, &notes), STATUS_OK);
    show made;
    problem_list problems = {0};
    assert_int_equal(show_file_parse(&made, text, strlen(text), "show.yaml", memory, &problems), STATUS_OK);
    assert_int_equal(show_resolve(&made, library_shipped(), memory, &problems), STATUS_OK);
    assert_string_equal(made.title, "T");
    assert_int_equal(made.reel_count, 2);
    assert_string_equal(made.reels[0].name, "R2");
    assert_int_equal(made.reels[0].start_frame, 2 * 3600 * 24 + 1); /* 2,000 samples are one frame */
    assert_string_equal(made.reels[1].name, "R10");
    static const char *const stems[] = {"DX", "DX_FR", "MX", "FX", "AD"};
    assert_int_equal(made.stem_count, 5);
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(made.stems[i].name, stems[i]);
    assert_int_equal(made.stems[2].layout, LAYOUT_STEREO);
    assert_true(made.stems[4].align_bext);
    assert_int_equal(made.deliverable_count, 4);
    size_t left_out = 0;
    for (size_t i = 0; i < notes.count; i++)
        left_out += notes.items[i].severity == PROBLEM_WARNING;
    assert_int_equal(left_out, 4);
}

static void show_init__refuses_a_folder_without_stems(void **state)
{
    static const init_file files[] = {{"readme.wav", 2, 48000, false, 0}};
    const char *text = NULL;
    problem_list notes = {0};
    assert_int_equal(show_init_text(files, 1, "folder", *state, &text, &notes), STATUS_INPUT_MISSING);
    assert_int_equal(notes.error_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(init_name__reads_the_usual_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(init_name__passes_over_what_is_no_audio, set_up, tear_down),
        cmocka_unit_test_setup_teardown(show_init__writes_a_show_that_parses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(show_init__refuses_a_folder_without_stems, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("show_init", tests, NULL, NULL);
}
