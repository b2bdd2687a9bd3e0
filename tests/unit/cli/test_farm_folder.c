/* What dead farms leave is removed; nothing else is. */
#define _GNU_SOURCE
#include "coordinator/cli/farm_folder.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char const lock_name[] = FARM_FOLDER_LOCK;

typedef struct stage {
    char base[64];
    char text[PATH_MAX_BYTES];
} stage;

static const char *inside(stage *self, const char *name)
{
    snprintf(self->text, sizeof self->text, "%s/%s", self->base, name);
    return self->text;
}

static void put(stage *self, const char *name)
{
    int descriptor = open(inside(self, name), O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(descriptor >= 0);
    close(descriptor);
}

static void put_folder(stage *self, const char *name, mode_t mode)
{
    assert_int_equal(mkdir(inside(self, name), 0700), 0);
    assert_int_equal(chmod(self->text, mode), 0);
}

static bool is_there(stage *self, const char *name)
{
    struct stat info;
    return lstat(inside(self, name), &info) == 0;
}

static int stage_setup(void **state)
{
    stage *self = calloc(1, sizeof *self);
    assert_non_null(self);
    strcpy(self->base, "/tmp/farm-folder-XXXXXX");
    assert_non_null(mkdtemp(self->base));
    *state = self;
    return 0;
}

static int stage_teardown(void **state)
{
    stage *self = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", self->base);
    int left = system(command); /* NOLINT: a name of our own */
    free(self);
    return left;
}

/* Dies as a process does: its descriptors close, its folder stays. */
static void make_dead(stage *self, char out_name[32])
{
    farm_folder folder;
    assert_int_equal(farm_folder_make(&folder, self->base, NULL), STATUS_OK);
    assert_true(folder.lock >= 0);
    close(folder.lock);
    snprintf(out_name, 32, "%.20s", strrchr(folder.path, '/') + 1);
}

static void farm_folder__of_a_dead_farm_is_removed_with_all_in_it(void **state)
{
    stage *self = *state;
    char name[32], inner[64];
    make_dead(self, name);
    put_folder(self, "outside", 0700);
    put(self, "outside/kept");
    snprintf(inner, sizeof inner, "%s/job-1", name);
    put_folder(self, inner, 0700);
    snprintf(inner, sizeof inner, "%s/job-1/cells", name);
    put(self, inner);
    snprintf(inner, sizeof inner, "%s/job-1/link", name);
    assert_int_equal(symlink("../../outside", inside(self, inner)), 0);
    farm_folder_sweep(self->base);
    assert_false(is_there(self, name));
    assert_true(is_there(self, "outside/kept"));
}

static void farm_folder__of_a_living_farm_stays(void **state)
{
    stage *self = *state;
    farm_folder folder;
    assert_int_equal(farm_folder_make(&folder, self->base, NULL), STATUS_OK);
    const char *name = strrchr(folder.path, '/') + 1;
    int child_holds = dup(folder.lock); /* what a child inherits */
    farm_folder_sweep(self->base);
    assert_true(is_there(self, name));
    close(folder.lock);
    folder.lock = -1;
    farm_folder_sweep(self->base); /* the program is dead, a child lives */
    assert_true(is_there(self, name));
    close(child_holds);
    farm_folder_sweep(self->base);
    assert_int_not_equal(access(folder.path, F_OK), 0);
    farm_folder_remove(&folder); /* nothing is there any more, and that is no harm */
    assert_int_equal(farm_folder_make(&folder, self->base, NULL), STATUS_OK);
    farm_folder_remove(&folder);
    assert_int_equal(folder.lock, -1);
    farm_folder_sweep(self->base);
}

static void farm_folder__of_others_stays(void **state)
{
    stage *self = *state;
    char dead[32], name[64];
    /* A name that only looks like it, no lock, others can write, the lock is a link or a folder, the folder is a link. */
    static const char *const plain[] = {"reelmill-backups", "reelmill-abc", "other-abcdef", "reelmill-wider0"};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        put_folder(self, plain[i], strcmp(plain[i], "reelmill-wider0") == 0 ? 0770 : 0700);
        snprintf(name, sizeof name, "%s/%s", plain[i], lock_name);
        put(self, name);
    }
    put_folder(self, "reelmill-nolock", 0700);
    put_folder(self, "reelmill-a_link", 0700);
    put(self, "file");
    snprintf(name, sizeof name, "reelmill-a_link/%s", lock_name);
    assert_int_equal(symlink("../file", inside(self, name)), 0);
    put_folder(self, "reelmill-folder", 0700);
    snprintf(name, sizeof name, "reelmill-folder/%s", lock_name);
    put_folder(self, name, 0700);
    put(self, "reelmill-a_file");
    put_folder(self, "elsewhere", 0700);
    char elsewhere[96];
    snprintf(elsewhere, sizeof elsewhere, "%s/elsewhere", self->base);
    stage other = {0};
    snprintf(other.base, sizeof other.base, "%.60s", elsewhere);
    make_dead(&other, dead);
    snprintf(name, sizeof name, "elsewhere/%s", dead);
    assert_int_equal(symlink(name, inside(self, "reelmill-linked")), 0);
    farm_folder_sweep(self->base);
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        char lock[64];
        snprintf(lock, sizeof lock, "%s/%s", plain[i], lock_name);
        assert_true(is_there(self, lock));
    }
    assert_true(is_there(self, "reelmill-nolock"));
    assert_true(is_there(self, "reelmill-a_link"));
    assert_true(is_there(self, "reelmill-folder"));
    assert_true(is_there(self, "reelmill-a_file"));
    assert_true(is_there(self, "reelmill-linked"));
    assert_true(is_there(self, name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(farm_folder__of_a_dead_farm_is_removed_with_all_in_it, stage_setup, stage_teardown),
        cmocka_unit_test_setup_teardown(farm_folder__of_a_living_farm_stays, stage_setup, stage_teardown),
        cmocka_unit_test_setup_teardown(farm_folder__of_others_stays, stage_setup, stage_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
