/* What is found below a folder, and what is not followed. */
#define _GNU_SOURCE
#include "coordinator/cli/audio_folder.h"
#include "tests/unit/worker_media/temp_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void link_to(const temp_folder *folder, const char *target, const char *name)
{
    assert_int_equal(symlink(target, temp_folder_path(folder, name)), 0);
}

/* Two rings in each folder: followed, they would be gone round in 4 to the 8th ways. */
static void audio_folder__follows_links_to_files_alone(void **state)
{
    (void)state;
    temp_folder folder;
    audio_folder found;
    arena memory;
    char told[4096];
    arena_init(&memory);
    temp_folder_create(&folder);
    temp_folder_make(&folder, "R1");
    temp_folder_write(&folder, "R1/a.wav", "", 0);
    link_to(&folder, "R1/a.wav", "b.wav");
    link_to(&folder, "nowhere", "notes.txt");
    audio_folder_list(&found, folder.path, 8, &memory);
    assert_int_equal(found.count, 2);
    assert_string_equal(audio_folder_left_out(&found, folder.path, &memory), "");
    link_to(&folder, ".", "z");
    audio_folder_list(&found, folder.path, 8, &memory);
    snprintf(told, sizeof told, "reelmill: '%s/z' is a link to a folder and is left out; name that folder itself, or put it "
             "there\n", folder.path);
    assert_string_equal(audio_folder_left_out(&found, folder.path, &memory), told);
    link_to(&folder, ".", "x\x1B[2J\n\xE4");
    link_to(&folder, "..", "R1/y");
    link_to(&folder, "..", "R1/x\x1B[2J\n\xE4");
    audio_folder_list(&found, folder.path, 8, &memory);
    assert_false(found.too_many || found.too_large);
    assert_int_equal(found.count, 2);
    assert_string_equal(found.items[0], "R1/a.wav");
    assert_string_equal(found.items[1], "b.wav");
    snprintf(told, sizeof told, "reelmill: '%s/R1/x?[2J?" "?' and 3 more are links to folders and are left out; name that folder itself, "
             "or put it there\n", folder.path);
    assert_string_equal(audio_folder_left_out(&found, folder.path, &memory), told);

    /* What would have been judged, were it there, and what may hold sound that nobody looks for. */
    link_to(&folder, "nowhere", "R1/c.wav");
    link_to(&folder, "nowhere", "d.wav");
    temp_folder_write(&folder, "cut.MOV", "", 0);
    audio_folder_list(&found, folder.path, 8, &memory);
    assert_int_equal(found.count, 2);
    char more[2048];
    snprintf(more, sizeof more,
             "reelmill: '%s/R1/c.wav' and 1 more are links that lead nowhere and are left out; mount what it leads to, or put the file "
             "there\nreelmill: '%s/cut.MOV' is a film, in which no sound is looked for, and is left out; take its sound out as WAV\n",
             folder.path, folder.path);
    strcat(told, more);
    assert_string_equal(audio_folder_left_out(&found, folder.path, &memory), told);
    temp_folder_remove(&folder);
    arena_deinit(&memory);
}

/* For one file 16 entries are looked at, the folder that they lie in among them. */
static void audio_folder__looks_at_so_many_entries(void **state)
{
    (void)state;
    temp_folder folder;
    audio_folder found;
    arena memory;
    char name[32];
    arena_init(&memory);
    temp_folder_create(&folder);
    temp_folder_make(&folder, "R1");
    for (int i = 0; i < 15; i++) {
        snprintf(name, sizeof name, "R1/%d.txt", i);
        temp_folder_write(&folder, name, "", 0);
    }
    audio_folder_list(&found, folder.path, 1, &memory);
    assert_false(found.too_large);
    temp_folder_write(&folder, "16.txt", "", 0);
    audio_folder_list(&found, folder.path, 1, &memory);
    assert_true(found.too_large);
    temp_folder_remove(&folder);
    arena_deinit(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(audio_folder__follows_links_to_files_alone),
        cmocka_unit_test(audio_folder__looks_at_so_many_entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
