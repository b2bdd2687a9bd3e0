/* What is said of a folder that was dropped and refused. */
#define _GNU_SOURCE
#include "coordinator/cli/drop_folder.h"

#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

static json_t *refusal(const char *message, const problem_list *problems, arena *memory)
{
    json_t *said = json_loads(drop_refusal(message, problems, "/in/Night Train", memory), 0, NULL);
    assert_non_null(said);
    assert_true(json_is_null(json_object_get(said, "job")));
    return said;
}

static void drop_refusal__tells_the_first_errors_of_the_show_file(void **state)
{
    arena memory;
    problem_list problems = {0};
    (void)state;
    arena_init(&memory);
    problem_list_add(&problems, &memory, PROBLEM_WARNING, "/in/Night Train/show.yaml", 1, 1, "odd");
    for (uint32_t line = 2; line < 2 + DROP_PROBLEMS_MAX + 5; line++)
        problem_list_add(&problems, &memory, PROBLEM_ERROR, line == 2 ? "/in/Night Train/recipes/a.yaml" : "/in/Night Train/show.yaml",
                         line, 3, "wrong: \"b\xE4" "d\"");
    json_t *said = refusal("", &problems, &memory);
    const json_t *told = json_object_get(said, "problems");
    assert_int_equal(json_array_size(told), DROP_PROBLEMS_MAX);
    const json_t *first = json_array_get(told, 0); /* the first error is another file's */
    assert_string_equal(json_string_value(json_object_get(first, "file")), "show.yaml");
    assert_string_equal(json_string_value(json_object_get(first, "severity")), "error");
    assert_string_equal(json_string_value(json_object_get(first, "message")), "wrong: \"b?d\"");
    assert_int_equal(json_integer_value(json_object_get(first, "line")), 3);
    assert_int_equal(json_integer_value(json_object_get(first, "column")), 3);
    const char *message = json_string_value(json_object_get(said, "message"));
    assert_non_null(strstr(message, "wrong in 25 places"));
    assert_non_null(strstr(message, "reelmill check"));
    json_decref(said);
    arena_deinit(&memory);
}

static void drop_refusal__tells_why_without_a_show_file(void **state)
{
    arena memory;
    problem_list none = {0};
    (void)state;
    arena_init(&memory);
    json_t *said = refusal("the folder's name is 'b\xE4" "d'", &none, &memory);
    assert_string_equal(json_string_value(json_object_get(said, "message")), "the folder's name is 'b?d'");
    assert_int_equal(json_array_size(json_object_get(said, "problems")), 0);
    json_decref(said);
    arena_deinit(&memory);
}

static void put(const char *folder, const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void drop_has_show__knows_its_own_text_from_a_linked_one(void **state)
{
    char folder[] = "/tmp/reelmill-drop-XXXXXX";
    char path[256], other[256];
    arena memory;
    (void)state;
    arena_init(&memory);
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/show.yaml", folder);
    snprintf(other, sizeof other, "%s/other", folder);
    assert_false(drop_has_show(folder, "secret", 6, &memory));
    put(folder, "show.yaml", "secret");
    assert_true(drop_has_show(folder, "secret", 6, &memory));
    assert_false(drop_has_show(folder, "secreT", 6, &memory));
    assert_false(drop_has_show(folder, "secret!", 7, &memory));
    assert_int_equal(rename(path, other), 0);
    assert_int_equal(symlink(other, path), 0);
    assert_false(drop_has_show(folder, "secret", 6, &memory));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(unlink(other), 0);
    assert_int_equal(rmdir(folder), 0);
    arena_deinit(&memory);
}

static uint64_t fingerprint_of(const char *folder)
{
    uint64_t fingerprint = 0;
    assert_int_equal(drop_fingerprint(folder, &fingerprint, NULL), STATUS_OK);
    return fingerprint;
}

/* A folder with a file that grows never settles: each look sees another; one that is gone is no folder to be judged. */
static void drop_fingerprint__sees_each_byte_that_comes(void **state)
{
    enum { FILES = 1000, LOOKS = 100 };
    char folder[] = "/tmp/reelmill-drop-XXXXXX";
    char path[256], name[32], away[64];
    (void)state;
    assert_non_null(mkdtemp(folder));
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "%d", i);
        put(folder, name, "x");
    }
    uint64_t before = fingerprint_of(folder);
    assert_true(fingerprint_of(folder) == before);
    snprintf(path, sizeof path, "%s/7", folder);
    for (int i = 0; i < LOOKS; i++) {
        FILE *file = fopen(path, "a");
        assert_non_null(file);
        assert_int_equal(fputc('x', file), 'x');
        assert_int_equal(fclose(file), 0);
        uint64_t after = fingerprint_of(folder);
        assert_true(after != before);
        before = after;
    }
    snprintf(away, sizeof away, "%s-away", folder);
    assert_int_equal(rename(folder, away), 0);
    error_detail detail = {0};
    assert_int_equal(drop_fingerprint(folder, &before, &detail), STATUS_STORAGE_DENIED);
    assert_string_equal(detail.message, "cannot look into it or a folder in it: No such file or directory");
    for (int i = 0; i < FILES; i++) {
        snprintf(path, sizeof path, "%s/%d", away, i);
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(rmdir(away), 0);
}

/* As NFS answers where is_nfs is set. */
static bool is_nfs;

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags)
{
    errno = EINVAL;
    return is_nfs && flags != 0 ? -1 : (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
}

/* Names of 255 bytes, the last letter of two bytes; every time the same one, of one job and of none. */
static void move_namesakes(void)
{
    static const char *const behind[] = {"", "-job7", "-job7-2", "-job7-3", "-job0", "-job0-2"};
    char folder[] = "/tmp/drop_move_XXXXXX";
    char name[256], path[384];
    assert_non_null(mkdtemp(folder));
    memset(name, 'n', 253);
    memcpy(name + 253, "\xC3\xA9", 3);
    for (size_t i = 0; i < 6; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, name);
        assert_int_equal(mkdir(path, 0700), 0);
        put(path, "reelmill-result.json", "{}");
        assert_int_equal(drop_move(folder, name, "done", i < 4 ? 7 : 0, NULL), STATUS_OK);
    }
    for (size_t i = 0; i < 6; i++) {
        int size = snprintf(path, sizeof path, "%s/done/%.*s%s", folder, (int)(255 - strlen(behind[i])), name, behind[i]);
        snprintf(path + size, sizeof path - (size_t)size, "/reelmill-result.json");
        assert_int_equal(unlink(path), 0);
        path[size] = '\0';
        assert_int_equal(rmdir(path), 0);
    }
    snprintf(path, sizeof path, "%s/done", folder);
    assert_int_equal(rmdir(path) + rmdir(folder), 0);
}

static void drop_move__finds_a_name_for_each_of_the_same_name(void **state)
{
    (void)state;
    move_namesakes();
}

static void drop_move__does_so_on_storage_that_only_knows_a_plain_rename(void **state)
{
    (void)state;
    is_nfs = true;
    move_namesakes();
    is_nfs = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drop_refusal__tells_the_first_errors_of_the_show_file),
        cmocka_unit_test(drop_refusal__tells_why_without_a_show_file),
        cmocka_unit_test(drop_has_show__knows_its_own_text_from_a_linked_one),
        cmocka_unit_test(drop_fingerprint__sees_each_byte_that_comes),
        cmocka_unit_test(drop_move__finds_a_name_for_each_of_the_same_name),
        cmocka_unit_test(drop_move__does_so_on_storage_that_only_knows_a_plain_rename),
    };
    return cmocka_run_group_tests_name("drop_folder", tests, NULL, NULL);
}
