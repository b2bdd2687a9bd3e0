#define _GNU_SOURCE
#include "coordinator/shell/pace_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct place {
    char folder[32], path[48];
} place;

static int make_place(void **state)
{
    place *made = calloc(1, sizeof *made);
    strcpy(made->folder, "/tmp/pace_file.XXXXXX");
    assert_non_null(mkdtemp(made->folder));
    snprintf(made->path, sizeof made->path, "%s/paces", made->folder);
    *state = made;
    return 0;
}

static int remove_place(void **state)
{
    place *gone = *state;
    (void)unlink(gone->path);
    assert_int_equal(rmdir(gone->folder), 0); /* nothing else was left in it */
    free(gone);
    return 0;
}

static void pace_file__brings_back_what_was_learnt(void **state)
{
    const place *here = *state;
    pace_table table = {0}, again = {0};
    error_detail detail;
    assert_int_equal(pace_file_read(&table, here->path, &detail), STATUS_OK); /* no file yet */
    for (int i = 0; i < PACE_SAMPLES_MIN; i++) {
        pace_table_learn(&table, "node with a space", 3, 1000, 2500);
        pace_table_learn(&table, "", 33, 100, 50);
    }
    pace_table_learn(&table, "two\nlines", 3, 1000, 1000); /* cannot stand in a line: left out */
    assert_int_equal(pace_file_write(&table, here->path, &detail), STATUS_OK);
    assert_int_equal(pace_file_read(&again, here->path, &detail), STATUS_OK);
    assert_int_equal(again.count, 2);
    assert_int_equal(pace_table_pace(&again, "node with a space", 3), 2500);
    assert_int_equal(pace_table_pace(&again, "", 33), 500);
    pace_table_deinit(&table);
    pace_table_deinit(&again);
}

static void pace_file__names_the_line_that_is_wrong(void **state)
{
    const place *here = *state;
    static const char *const wrong[] = {"3 10 10\n", "99 10 10 1 x\n", "3 0 10 1 x\n", "3 10 10 4000 x\n", "-3 10 10 1 x\n", "\n"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        FILE *file = fopen(here->path, "w");
        fprintf(file, "reelmill paces 1: kind, planned ms, spent ms, samples, node\n3 10 20 3 good\n%s", wrong[i]);
        assert_int_equal(fclose(file), 0);
        pace_table table = {0};
        error_detail detail;
        assert_int_equal(pace_file_read(&table, here->path, &detail), STATUS_STORAGE_MISMATCH);
        assert_non_null(strstr(detail.message, "paces:3 "));
        assert_int_equal(pace_table_pace(&table, "good", 3), 2000);
        pace_table_deinit(&table);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pace_file__brings_back_what_was_learnt, make_place, remove_place),
        cmocka_unit_test_setup_teardown(pace_file__names_the_line_that_is_wrong, make_place, remove_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
