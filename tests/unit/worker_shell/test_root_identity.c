/* Two workers see one root and agree; a copy of it is another; where nothing may be written nothing is. */
#include "worker/shell/root_identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/root_identity_XXXXXX");
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    char path[96];
    (void)state;
    snprintf(path, sizeof path, "%s/" ROOT_IDENTITY_FILE, folder);
    (void)remove(path);
    return rmdir(folder); /* fails where anything else was left */
}

static content_hash look(bool writable, bool make)
{
    storage_roots roots = {0};
    content_hash identity;
    assert_int_equal(storage_roots_add(&roots, "shows", folder, writable, NULL), STATUS_OK);
    if (make)
        assert_int_equal(root_identity_make(&roots.items[0], NULL), writable ? STATUS_OK : STATUS_STORAGE_DENIED);
    assert_int_equal(root_identity_read(&roots.items[0], &identity, NULL), STATUS_OK);
    storage_roots_deinit(&roots);
    return identity;
}

static void root_identity__is_one_for_all_who_see_the_root(void **state)
{
    (void)state;
    content_hash before = look(false, true);
    assert_true(content_hash_is_zero(&before));
    content_hash first = look(true, true);
    content_hash second = look(true, true); /* comes late: what is there stays */
    content_hash reader = look(false, false);
    assert_false(content_hash_is_zero(&first));
    assert_true(content_hash_equal(&first, &second) && content_hash_equal(&first, &reader));
}

static void root_identity__of_a_copy_is_another(void **state)
{
    (void)state;
    content_hash first = look(true, true);
    char path[96], copy[104], bytes[64];
    snprintf(path, sizeof path, "%s/" ROOT_IDENTITY_FILE, folder);
    snprintf(copy, sizeof copy, "%s.copy", path);
    FILE *from = fopen(path, "r");
    FILE *to = fopen(copy, "w");
    assert_true(from != NULL && to != NULL);
    size_t size = fread(bytes, 1, sizeof bytes, from);
    assert_int_equal(fwrite(bytes, 1, size, to), size);
    assert_int_equal(fclose(from) + fclose(to), 0);
    assert_int_equal(rename(copy, path), 0);
    content_hash second = look(true, false);
    assert_false(content_hash_is_zero(&second) || content_hash_equal(&first, &second));
}

static void root_identity__is_none_of_an_empty_file(void **state)
{
    (void)state;
    char path[96];
    snprintf(path, sizeof path, "%s/" ROOT_IDENTITY_FILE, folder);
    FILE *file = fopen(path, "w");
    assert_true(file != NULL && fclose(file) == 0);
    content_hash identity = look(true, true);
    assert_true(content_hash_is_zero(&identity));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(root_identity__is_one_for_all_who_see_the_root, set_up, tear_down),
        cmocka_unit_test_setup_teardown(root_identity__of_a_copy_is_another, set_up, tear_down),
        cmocka_unit_test_setup_teardown(root_identity__is_none_of_an_empty_file, set_up, tear_down)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
