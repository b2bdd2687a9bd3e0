/* What fstab says is mounted, and is not: then the folder is not the media root. /proc is what is mounted on every machine. */
#include "worker/shell/root_mount.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];
static char table[96];

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/root_mount_XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(table, sizeof table, "%s/fstab", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char path[96];
    static const char *const made[] = {"fstab", "link", "shows/in", "shows", "two words"};
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, made[i]);
        (void)remove(path);
    }
    return rmdir(folder);
}

static void make_folder(const char *name)
{
    char path[96];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(mkdir(path, 0755), 0);
}

/* fstab says that something is mounted at mount; the root is root. Both are whole paths, or lie in our folder. */
static status check(const char *mount, const char *options, const char *root, error_detail *detail)
{
    worker_config_root asked = {.name = "shows"};
    FILE *file = fopen(table, "w");
    assert_non_null(file);
    fprintf(file, "# device folder kind options\nserver:/shows %s%s%s nfs %s 0 0\n", mount[0] == '/' ? "" : folder,
            mount[0] == '/' ? "" : "/", mount, options);
    assert_int_equal(fclose(file), 0);
    snprintf(asked.folder, sizeof asked.folder, "%s%s%s", root[0] == '/' ? "" : folder, root[0] == '/' ? "" : "/", root);
    return root_mount_check(table, &asked, detail);
}

static void root_mount__refuses_the_folder_below_a_mount(void **state)
{
    (void)state;
    error_detail detail = {0};
    char link[96];
    make_folder("shows");
    make_folder("shows/in");
    make_folder("two words");
    assert_int_equal(check("shows", "defaults", "shows", &detail), STATUS_INPUT_MISSING);
    assert_non_null(strstr(detail.message, "/shows of media root shows is not the storage: "));
    assert_non_null(strstr(detail.message, "/fstab has server:/shows for "));
    assert_non_null(strstr(detail.message, " and it is not mounted; mount it"));
    assert_int_equal(check("shows/", "nofail,noauto", "shows/in", NULL), STATUS_INPUT_MISSING);
    assert_int_equal(check("two\\040words", "defaults", "two words", NULL), STATUS_INPUT_MISSING);
    snprintf(link, sizeof link, "%s/link", folder);
    assert_int_equal(symlink("shows/in", link), 0);
    assert_int_equal(check("shows", "defaults", "link", NULL), STATUS_INPUT_MISSING);
}

static void root_mount__takes_what_is_mounted_or_not_in_fstab(void **state)
{
    (void)state;
    make_folder("shows");
    make_folder("shows/in");
    make_folder("two words");
    assert_int_equal(check("/proc", "defaults", "/proc", NULL), STATUS_OK);
    assert_int_equal(check("/proc", "defaults", "/proc/self", NULL), STATUS_OK);
    assert_int_equal(check("/", "defaults", "shows", NULL), STATUS_OK);
    assert_int_equal(check("show", "defaults", "shows", NULL), STATUS_OK);
    assert_int_equal(check("shows/in", "defaults", "shows", NULL), STATUS_OK);
    assert_int_equal(check("shows", "ro,bind", "shows", NULL), STATUS_OK);
    assert_int_equal(check("shows", "defaults", "nowhere", NULL), STATUS_OK); /* who opens it says so */
    assert_int_equal(remove(table), 0);
    assert_int_equal(root_mount_check(table, &(worker_config_root){.name = "shows", .folder = "/tmp"}, NULL), STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(root_mount__refuses_the_folder_below_a_mount, set_up, tear_down),
        cmocka_unit_test_setup_teardown(root_mount__takes_what_is_mounted_or_not_in_fstab, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
