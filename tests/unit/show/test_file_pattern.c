#include "coordinator/show/file_pattern.h"
#include "coordinator/show/channel_suffix.h"
#include "tests/unit/show/show_reading.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void show_expand_pattern__puts_reel_and_channel_in(void **state)
{
    (void)state;
    arena memory;
    arena_init(&memory);
    assert_string_equal(show_expand_pattern("{reel}/{reel}_MX.{ch}.wav", "R1", "Ls", &memory), "R1/R1_MX.Ls.wav");
    assert_string_equal(show_expand_pattern("a.wav", NULL, NULL, &memory), "a.wav");
    assert_string_equal(show_expand_pattern("{ch}{Lrs=Lsr}.wav", "", "Lrs", &memory), "Lsr.wav");
    assert_string_equal(show_expand_pattern("{ch}{Lrs=Lsr}.wav", "", "Lss", &memory), "Lss.wav");
    assert_string_equal(show_expand_pattern("{brace}reel}.wav", "R1", "", &memory), "{reel}.wav");
    assert_string_equal(show_expand_pattern("}x.wav", "R1", "", &memory), "}x.wav");
    arena_deinit(&memory);
}

static void show_expand_pattern__never_leaves_the_media_folder(void **state)
{
    (void)state;
    arena memory;
    arena_init(&memory);
    static const char *const wrong[] = {"/a.wav", "../a.wav", "a/../b.wav", "a//b.wav", "./a.wav", "", "a/", "{reel}/a.wav",
                                        "{x}.wav", "a{", "{reel", "{L=}.wav", "{L=a/b}.wav"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_null(show_expand_pattern(wrong[i], "..", "L", &memory));
    assert_null(show_expand_pattern("{reel}/a.wav", "", "L", &memory));
    char longest[PATH_MAX_BYTES + 1];
    memset(longest, 'a', sizeof longest);
    longest[PATH_MAX_BYTES] = '\0';
    assert_null(show_expand_pattern(longest, "", "", &memory));
    longest[PATH_MAX_BYTES - 1] = '\0';
    assert_non_null(show_expand_pattern(longest, "", "", &memory));
    arena_deinit(&memory);
}

static void file_pattern__literal_means_the_very_name(void **state)
{
    (void)state;
    arena memory;
    arena_init(&memory);
    static const char *const names[] = {"a.wav", "{reel}.wav", "{ch}{brace}{{}}.wav", "a{", "\xFF odd.wav"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *pattern = file_pattern_literal(names[i], &memory);
        assert_string_equal(show_expand_pattern(pattern, "R1", "L", &memory), names[i]);
        assert_null(strstr(pattern, "{reel}"));
        assert_null(strstr(pattern, "{ch}"));
    }
    arena_deinit(&memory);
}

static void channel_suffix__splits_what_names_a_channel(void **state)
{
    (void)state;
    arena memory;
    arena_init(&memory);
    static const struct {
        const char *name;
        channel_label label;
        const char *before;
    } names[] = {
        {"a/R1_MX.Ls.wav", CHANNEL_LS, "a/R1_MX."}, {"R1-LFE.wav", CHANNEL_LFE, "R1-"}, {"R1_MX_l.WAV", CHANNEL_L, "R1_MX_"},
        {"R1.Lsr.wav", CHANNEL_LRS, "R1."},         {"R1_MX.wav", CHANNEL_NONE, ""},    {"L.wav", CHANNEL_NONE, ""},
        {"R1.L", CHANNEL_NONE, ""},                 {"a.L/x.wav", CHANNEL_NONE, ""},    {"_L.wav", CHANNEL_NONE, ""},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        channel_suffix suffix;
        bool found = channel_suffix_split(names[i].name, &suffix, &memory);
        assert_int_equal(found, names[i].label != CHANNEL_NONE);
        if (!found)
            continue;
        assert_int_equal(suffix.label, names[i].label);
        assert_string_equal(suffix.before, names[i].before);
    }
    arena_deinit(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(show_expand_pattern__puts_reel_and_channel_in),
        cmocka_unit_test(show_expand_pattern__never_leaves_the_media_folder),
        cmocka_unit_test(file_pattern__literal_means_the_very_name),
        cmocka_unit_test(channel_suffix__splits_what_names_a_channel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
