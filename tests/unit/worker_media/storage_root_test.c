#define _GNU_SOURCE
#include "tests/unit/worker_media/temp_folder.h"
#include "worker/media/storage_root.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* The root is a folder inside the temporary one, so that there is an outside to escape to: OUTSIDE/secret. */
typedef struct fixture {
    temp_folder folder;
    storage_roots roots;
    const storage_root *root;      /* writable */
    const storage_root *read_only; /* the same folder */
} fixture;

static int fixture_create(void **state)
{
    fixture *self = calloc(1, sizeof *self);
    temp_folder_create(&self->folder);
    temp_folder_make(&self->folder, "root");
    temp_folder_make(&self->folder, "outside");
    temp_folder_write(&self->folder, "outside/secret", "secret", 6);
    error_detail detail;
    assert_int_equal(storage_roots_add(&self->roots, "out", temp_folder_path(&self->folder, "root"), true, &detail), STATUS_OK);
    assert_int_equal(storage_roots_add(&self->roots, "media", temp_folder_path(&self->folder, "root"), false, &detail),
                     STATUS_OK);
    self->root = storage_roots_find(&self->roots, "out");
    self->read_only = storage_roots_find(&self->roots, "media");
    *state = self;
    return 0;
}

static int fixture_destroy(void **state)
{
    fixture *self = *state;
    storage_roots_deinit(&self->roots);
    temp_folder_remove(&self->folder);
    free(self);
    return 0;
}

static void fixture_link(const fixture *self, const char *target, const char *name)
{
    assert_int_equal(symlink(target, temp_folder_path(&self->folder, name)), 0);
}

static void storage_roots__are_found_by_name_and_refuse_what_cannot_be(void **state)
{
    fixture *self = *state;
    error_detail detail;
    assert_null(storage_roots_find(&self->roots, "ou"));
    assert_int_equal(storage_roots_add(&self->roots, "out", self->folder.path, true, &detail), STATUS_INPUT_CONFLICT);
    assert_int_equal(storage_roots_add(&self->roots, "", self->folder.path, true, &detail), STATUS_INPUT_INVALID);
    assert_int_equal(storage_roots_add(&self->roots, "gone", temp_folder_path(&self->folder, "gone"), true, &detail),
                     STATUS_INPUT_MISSING);
    assert_non_null(strstr(detail.message, "gone"));
    assert_int_equal(
        storage_roots_add(&self->roots, "file", temp_folder_path(&self->folder, "outside/secret"), true, &detail),
        STATUS_INPUT_MISSING);
    char name[16];
    for (uint32_t i = self->roots.count; i < ROOTS_MAX; i++) {
        snprintf(name, sizeof name, "r%u", (unsigned)i);
        assert_int_equal(storage_roots_add(&self->roots, name, self->folder.path, false, &detail), STATUS_OK);
    }
    assert_int_equal(storage_roots_add(&self->roots, "more", self->folder.path, false, &detail), STATUS_LIMIT);
}

static void storage_open_input__reads_files_and_follows_links_that_stay_inside(void **state)
{
    fixture *self = *state;
    temp_folder_make(&self->folder, "root/reels");
    temp_folder_write(&self->folder, "root/reels/R1.wav", "one", 3);
    fixture_link(self, "reels/R1.wav", "root/linked.wav");
    fixture_link(self, "reels", "root/folder");
    const char *paths[] = {"reels/R1.wav", "linked.wav", "folder/R1.wav"};
    for (size_t i = 0; i < 3; i++) {
        int descriptor = -1;
        char bytes[4] = "";
        assert_int_equal(storage_open_input(self->read_only, paths[i], &descriptor, NULL), STATUS_OK);
        assert_int_equal(storage_read_at(descriptor, bytes, 3, 0, NULL), STATUS_OK);
        assert_string_equal(bytes, "one");
        assert_true((fcntl(descriptor, F_GETFD) & FD_CLOEXEC) != 0);
        close(descriptor);
    }
}

/* Every way out that is known; whatever opens must not be the secret, and must not be outside. */
static void storage_open_input__opens_nothing_outside_the_root(void **state)
{
    fixture *self = *state;
    char absolute[1024];
    snprintf(absolute, sizeof absolute, "%s", temp_folder_path(&self->folder, "outside/secret"));
    temp_folder_make(&self->folder, "root/a");
    fixture_link(self, "../outside/secret", "root/relative_link");
    fixture_link(self, absolute, "root/absolute_link");
    fixture_link(self, "../outside", "root/folder_link");
    fixture_link(self, "/", "root/slash_link");
    fixture_link(self, "chain_b", "root/chain_a");
    fixture_link(self, "a/../../outside/secret", "root/chain_b");
    fixture_link(self, "loop", "root/loop");
    fixture_link(self, "/proc/self/root", "root/magic");
    char deep[PATH_MAX_BYTES + 64];
    memset(deep, 'x', sizeof deep);
    deep[sizeof deep - 1] = '\0';
    char component[300];
    memset(component, 'y', sizeof component);
    component[sizeof component - 1] = '\0';
    const char *hostile[] = {
        absolute, "../outside/secret", "a/../../outside/secret", "..", ".", "", "/", "//", "./a", "a/", "a//b", "a/./b",
        "/etc/passwd", "a/..", "relative_link", "absolute_link", "folder_link/secret", "slash_link/etc/passwd", "chain_a",
        "loop", "magic/etc/passwd", deep, component, "a\\..\\..\\outside\\secret", "%2e%2e/outside/secret",
        "\xff\xfe", "a/\n../x", "...", "~root/.profile", "a/...", "relative_link/", "a/../relative_link",
    };
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        int descriptor = -1;
        error_detail detail = {0};
        status code = storage_open_input(self->read_only, hostile[i], &descriptor, &detail);
        if (code == STATUS_OK || descriptor != -1)
            fail_msg("\"%.60s\" was opened", hostile[i]);
        assert_int_equal(status_class_of(code), STATUS_CLASS_INPUT);
        assert_true(strlen(detail.message) > 10);
        /* The same for everything that writes, renames or removes. */
        if (strcmp(hostile[i], "...") == 0 || strcmp(hostile[i], "a/...") == 0 || strchr(hostile[i], '%') != NULL ||
            strchr(hostile[i], '\\') != NULL || strchr(hostile[i], '~') != NULL || strchr(hostile[i], '\n') != NULL ||
            hostile[i][0] == '\xff' || hostile[i] == component)
            continue; /* odd, but inside: a new file of that name would be fine */
        assert_int_not_equal(storage_create_output(self->root, hostile[i], 1, &descriptor, NULL), STATUS_OK);
        assert_int_not_equal(storage_open_output(self->root, hostile[i], &descriptor, NULL), STATUS_OK);
        assert_int_not_equal(storage_open_published(self->root, hostile[i], &descriptor, NULL), STATUS_OK);
    }
    size_t size = 0;
    uint8_t *secret = temp_folder_read(&self->folder, "outside/secret", &size);
    assert_int_equal(size, 6);
    assert_memory_equal(secret, "secret", 6);
    free(secret);
}

static void storage_open_input__refuses_pipes_sockets_and_folders_without_blocking(void **state)
{
    fixture *self = *state;
    assert_int_equal(mkfifo(temp_folder_path(&self->folder, "root/pipe.wav"), 0666), 0);
    temp_folder_make(&self->folder, "root/folder.wav");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%.100s", temp_folder_path(&self->folder, "root/socket.wav"));
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    const char *paths[] = {"pipe.wav", "folder.wav", "socket.wav"};
    const char *words[] = {"named pipe", "folder", "socket"};
    for (size_t i = 0; i < 3; i++) {
        int descriptor = -1;
        error_detail detail;
        assert_int_equal(storage_open_input(self->read_only, paths[i], &descriptor, &detail), STATUS_INPUT_INVALID);
        assert_non_null(strstr(detail.message, words[i]));
        assert_non_null(strstr(detail.message, paths[i]));
    }
    close(listener);
}

static void storage_open_input__tells_missing_from_denied(void **state)
{
    fixture *self = *state;
    int descriptor = -1;
    error_detail detail;
    assert_int_equal(storage_open_input(self->read_only, "no/such.wav", &descriptor, &detail), STATUS_INPUT_MISSING);
    assert_non_null(strstr(detail.message, "no/such.wav"));
    assert_non_null(strstr(detail.message, "media"));
    if (geteuid() == 0) {
        print_message("root may read everything: the denied half is not tried\n");
        return;
    }
    temp_folder_write(&self->folder, "root/closed.wav", "x", 1);
    assert_int_equal(chmod(temp_folder_path(&self->folder, "root/closed.wav"), 0), 0);
    assert_int_equal(storage_open_input(self->read_only, "closed.wav", &descriptor, &detail), STATUS_STORAGE_DENIED);
}

static void storage_create_output__makes_folders_and_reserves_the_whole_size(void **state)
{
    fixture *self = *state;
    int descriptor = -1;
    const uint64_t size = 3 * 1024 * 1024 + 5;
    assert_int_equal(storage_create_output(self->root, "A/v01/PM/A.wav.1-1.part", size, &descriptor, NULL), STATUS_OK);
    struct stat info;
    assert_int_equal(fstat(descriptor, &info), 0);
    assert_int_equal(info.st_size, size);
    assert_true((uint64_t)info.st_blocks * 512 >= size);
    close(descriptor);
    error_detail detail;
    assert_int_equal(storage_create_output(self->root, "A/v01/PM/A.wav.1-1.part", size, &descriptor, &detail),
                     STATUS_INPUT_CONFLICT);
    assert_int_equal(storage_open_output(self->root, "A/v01/PM/A.wav.1-1.part", &descriptor, NULL), STATUS_OK);
    close(descriptor);
}

static void storage_outputs__follow_no_link_even_inside_the_root(void **state)
{
    fixture *self = *state;
    temp_folder_make(&self->folder, "root/real");
    temp_folder_write(&self->folder, "root/real/x.wav", "x", 1);
    fixture_link(self, "real", "root/alias");
    fixture_link(self, "real/x.wav", "root/x.wav");
    int descriptor = -1;
    assert_int_not_equal(storage_create_output(self->root, "alias/new.part", 1, &descriptor, NULL), STATUS_OK);
    assert_int_not_equal(storage_open_output(self->root, "x.wav", &descriptor, NULL), STATUS_OK);
    assert_int_not_equal(storage_open_published(self->root, "x.wav", &descriptor, NULL), STATUS_OK);
    assert_int_not_equal(storage_open_output(self->root, "alias/x.wav", &descriptor, NULL), STATUS_OK);
    assert_int_not_equal(storage_rename(self->root, "real/x.wav", "alias/y.wav", true, NULL), STATUS_OK);
    assert_int_not_equal(storage_remove(self->root, "alias/x.wav", NULL), STATUS_OK);
    assert_true(temp_folder_has(&self->folder, "root/real/x.wav"));
    assert_false(temp_folder_has(&self->folder, "root/real/new.part"));
}

static void storage_outputs__are_refused_in_a_read_only_root(void **state)
{
    fixture *self = *state;
    temp_folder_write(&self->folder, "root/x.wav", "x", 1);
    int descriptor = -1;
    error_detail detail;
    assert_int_equal(storage_create_output(self->read_only, "n.wav", 1, &descriptor, &detail), STATUS_STORAGE_DENIED);
    assert_non_null(strstr(detail.message, "read-only"));
    assert_int_equal(storage_open_output(self->read_only, "x.wav", &descriptor, NULL), STATUS_STORAGE_DENIED);
    assert_int_equal(storage_rename(self->read_only, "x.wav", "y.wav", false, NULL), STATUS_STORAGE_DENIED);
    assert_int_equal(storage_remove(self->read_only, "x.wav", NULL), STATUS_STORAGE_DENIED);
    assert_int_equal(storage_remove_stale_parts(self->read_only, "x.wav", "x.wav.1-1.part", NULL), STATUS_STORAGE_DENIED);
    storage_remove_empty_folders(self->read_only, "x.wav");
    assert_true(temp_folder_has(&self->folder, "root/x.wav"));
}

static void storage_extents__are_written_and_read_whole_and_a_short_file_is_told(void **state)
{
    fixture *self = *state;
    int descriptor = -1;
    assert_int_equal(storage_create_output(self->root, "x", 0, &descriptor, NULL), STATUS_OK);
    uint8_t bytes[10000];
    uint8_t back[10000];
    uint64_t seed = 1;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)test_random(&seed);
    assert_int_equal(storage_write_at(descriptor, bytes, sizeof bytes, 7, NULL), STATUS_OK);
    assert_int_equal(storage_sync(descriptor, NULL), STATUS_OK);
    assert_int_equal(storage_wait_written(descriptor, 0, 7, NULL), STATUS_OK);
    storage_drop_cache(descriptor);
    assert_int_equal(storage_read_at(descriptor, back, sizeof back, 7, NULL), STATUS_OK);
    assert_memory_equal(bytes, back, sizeof bytes);
    error_detail detail;
    assert_int_equal(storage_read_at(descriptor, back, 10, 10000, &detail), STATUS_INPUT_TRUNCATED);
    assert_non_null(strstr(detail.message, "10007")); /* 7 + 10000: where the file ends */
    close(descriptor);
    assert_int_equal(storage_read_at(descriptor, back, 1, 0, &detail), STATUS_NODE_SYSTEM);
    assert_int_equal(storage_write_at(descriptor, back, 1, 0, &detail), STATUS_NODE_SYSTEM);
    assert_int_equal(storage_wait_written(descriptor, 7, 1, &detail), STATUS_STORAGE_IO);
    assert_non_null(strstr(detail.message, "1 bytes at byte 7"));
}

static void storage_read_medium__gives_any_stretch_as_it_was_written_a_moment_ago(void **state)
{
    fixture *self = *state;
    static uint8_t bytes[5 * PAGE_BYTES + 100];
    uint64_t seed = 2;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)test_random(&seed);
    int writer = -1;
    int reader = -1;
    assert_int_equal(storage_create_output(self->root, "x", 0, &writer, NULL), STATUS_OK);
    assert_int_equal(storage_write_at(writer, bytes, sizeof bytes, 0, NULL), STATUS_OK);
    assert_int_equal(storage_open_input(self->read_only, "x", &reader, NULL), STATUS_OK);
    if (!storage_read_past_cache(reader))
        print_message("the test's folder is on no disk: its medium is the cache\n");
    uint8_t *room = aligned_alloc(PAGE_BYTES, 8 * PAGE_BYTES);
    assert_non_null(room);
    static const struct {
        uint64_t offset;
        size_t size;
    } stretches[] = {{0, PAGE_BYTES}, {0, sizeof bytes}, {1, 1}, {PAGE_BYTES - 1, 2}, {PAGE_BYTES, 3 * PAGE_BYTES},
                     {5 * PAGE_BYTES + 99, 1}, {4000, 5 * PAGE_BYTES + 100 - 4000}, {2 * PAGE_BYTES + 7, 0}};
    storage_queue queues[] = {STORAGE_QUEUE_NONE, storage_queue_open()};
    const uint8_t *found = NULL;
    error_detail detail;
    for (size_t q = 0; q < 2; q++) {
        for (size_t i = 0; i < sizeof stretches / sizeof stretches[0]; i++) {
            uint64_t at = stretches[i].offset;
            assert_true(storage_medium_room(at, stretches[i].size) <= 8 * PAGE_BYTES);
            assert_int_equal(storage_read_medium(queues[q], reader, room, stretches[i].size, at, &found, NULL), STATUS_OK);
            assert_memory_equal(found, bytes + at, stretches[i].size);
            bytes[at] ^= 0x40; /* what the next one covers differs in the cache */
            assert_int_equal(storage_write_at(writer, bytes + at, 1, at, NULL), STATUS_OK);
        }
        status beyond = storage_read_medium(queues[q], reader, room, 101, 5 * PAGE_BYTES, &found, &detail);
        assert_int_equal(beyond, STATUS_INPUT_TRUNCATED);
        assert_non_null(strstr(detail.message, "20580")); /* 5 x 4096 + 100 */
        beyond = storage_read_medium(queues[q], reader, room, 1, 6 * PAGE_BYTES, &found, &detail);
        assert_int_equal(beyond, STATUS_INPUT_TRUNCATED);
        assert_int_equal(storage_read_medium(queues[q], writer + 1000, room, 1, 0, &found, &detail), STATUS_NODE_SYSTEM);
        assert_non_null(strstr(detail.message, "EBADF"));
    }
    storage_queue_close(queues[1]);
    free(room);
    close(reader);
    close(writer);
}

/* A file size limit makes pwrite take a part first and refuse the rest then: both halves of the loop in one call. */
static void storage_write_at__continues_after_a_short_count_and_tells_what_stopped_it(void **state)
{
    fixture *self = *state;
    int descriptor = -1;
    uint8_t bytes[20000];
    memset(bytes, 'z', sizeof bytes);
    assert_int_equal(storage_create_output(self->root, "x", 0, &descriptor, NULL), STATUS_OK);
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit small = {.rlim_cur = 12345, .rlim_max = before.rlim_max};
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    error_detail detail = {0};
    status code = storage_write_at(descriptor, bytes, sizeof bytes, 0, &detail);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    assert_int_equal(code, STATUS_LIMIT);
    assert_non_null(strstr(detail.message, "7655 bytes at byte 12345")); /* 20000 - 12345 */
    media_identity identity;
    assert_int_equal(storage_identity(descriptor, &identity), STATUS_OK);
    assert_int_equal(identity.size, 12345);
    close(descriptor);
}

static void storage_identity__changes_with_content_and_inode(void **state)
{
    fixture *self = *state;
    temp_folder_write(&self->folder, "root/x", "1", 1);
    temp_folder_write(&self->folder, "root/y", "1", 1);
    int x = -1;
    int y = -1;
    media_identity before;
    media_identity after;
    assert_int_equal(storage_open_output(self->root, "x", &x, NULL), STATUS_OK);
    assert_int_equal(storage_open_output(self->root, "y", &y, NULL), STATUS_OK);
    assert_int_equal(storage_identity(x, &before), STATUS_OK);
    assert_true(storage_identity_equal(&before, &before));
    after = before;
    after.dev++; /* as another machine numbers the same mount */
    assert_true(storage_identity_equal(&before, &after));
    assert_int_equal(storage_identity(y, &after), STATUS_OK);
    assert_false(storage_identity_equal(&before, &after));
    struct timespec times[2] = {{.tv_sec = 1, .tv_nsec = 2}, {.tv_sec = 3, .tv_nsec = 4}};
    assert_int_equal(futimens(x, times), 0);
    assert_int_equal(storage_identity(x, &after), STATUS_OK);
    assert_false(storage_identity_equal(&before, &after));
    assert_int_equal(after.mtime_ns, 3000000004);
    close(x);
    close(y);
}

static void storage_rename__replaces_only_when_told(void **state)
{
    fixture *self = *state;
    temp_folder_write(&self->folder, "root/a.part", "new", 3);
    temp_folder_write(&self->folder, "root/a.wav", "old", 3);
    error_detail detail;
    assert_int_equal(storage_rename(self->root, "a.part", "a.wav", false, &detail), STATUS_INPUT_CONFLICT);
    assert_non_null(strstr(detail.message, "a.wav"));
    assert_int_equal(storage_rename(self->root, "a.part", "sub/b.wav", false, NULL), STATUS_OK);
    assert_int_equal(storage_rename(self->root, "sub/b.wav", "a.wav", true, NULL), STATUS_OK);
    size_t size = 0;
    uint8_t *bytes = temp_folder_read(&self->folder, "root/a.wav", &size);
    assert_memory_equal(bytes, "new", 3);
    free(bytes);
    assert_int_equal(storage_rename(self->root, "gone", "x", false, &detail), STATUS_INPUT_MISSING);
    assert_int_equal(storage_sync_folder(self->root, "sub/b.wav", NULL), STATUS_OK);
    assert_int_equal(storage_sync_folder(self->root, "a.wav", NULL), STATUS_OK);
}

static void storage_remove__accepts_what_is_gone_and_clears_empty_folders_only(void **state)
{
    fixture *self = *state;
    temp_folder_make(&self->folder, "root/a");
    temp_folder_make(&self->folder, "root/a/b");
    temp_folder_make(&self->folder, "root/a/b/c");
    temp_folder_write(&self->folder, "root/a/b/c/x", "x", 1);
    temp_folder_write(&self->folder, "root/a/keep", "x", 1);
    assert_int_equal(storage_remove(self->root, "a/b/c/x", NULL), STATUS_OK);
    assert_int_equal(storage_remove(self->root, "a/b/c/x", NULL), STATUS_OK);
    assert_int_equal(storage_remove(self->root, "never/was/x", NULL), STATUS_OK);
    storage_remove_empty_folders(self->root, "a/b/c/x");
    assert_false(temp_folder_has(&self->folder, "root/a/b"));
    assert_true(temp_folder_has(&self->folder, "root/a/keep"));
    storage_remove_empty_folders(self->root, "top");
    assert_true(temp_folder_has(&self->folder, "root"));
}

static void storage_remove_stale_parts__takes_parts_of_that_name_alone(void **state)
{
    fixture *self = *state;
    const char *gone[] = {"root/A.wav.1-1.part", "root/A.wav.7-2.part", "root/A.wav.0000cccccccccccc-7-2.part"};
    const char *kept[] = {"root/A.wav",          "root/A.wav.old.wav.1-1.part", "root/B.wav.1-1.part",
                          "root/A.wav..part",    "root/A.wav.1-1.part.x",  "root/A.wavx.1-1.part",        "root/A.wav.part",
                          "root/A.wav.backup.part", "root/A.wav.11.part"};
    for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++)
        temp_folder_write(&self->folder, gone[i], "x", 1);
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        temp_folder_write(&self->folder, kept[i], "x", 1);
    assert_int_equal(storage_remove_stale_parts(self->root, "A.wav", "A.wav.9-9.part", NULL), STATUS_OK);
    for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++)
        assert_false(temp_folder_has(&self->folder, gone[i]));
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        assert_true(temp_folder_has(&self->folder, kept[i]));
    assert_int_equal(storage_remove_stale_parts(self->root, "no/folder/A.wav", "no/folder/A.wav.1-1.part", NULL), STATUS_OK);

    /* What a farm that lasts makes: its own goes, another's is work in flight. */
    error_detail detail = {0};
    static const char own[] = "A.wav.12345678abcdef00-2-1.part";
    temp_folder_write(&self->folder, "root/A.wav.12345678abcdef00-1-1.part", "x", 1);
    assert_int_equal(storage_remove_stale_parts(self->root, "A.wav", own, &detail), STATUS_OK);
    assert_false(temp_folder_has(&self->folder, "root/A.wav.12345678abcdef00-1-1.part"));
    temp_folder_write(&self->folder, "root/A.wav.12345678abcdef01-1-1.part", "x", 1);
    assert_int_equal(storage_remove_stale_parts(self->root, "A.wav", own, &detail), STATUS_INPUT_INVALID);
    assert_non_null(strstr(detail.message, "'A.wav.12345678abcdef01-1-1.part' in out is of another farm"));
    assert_true(temp_folder_has(&self->folder, "root/A.wav.12345678abcdef01-1-1.part"));
}

static void storage_keep_only__leaves_what_another_farm_makes(void **state)
{
    fixture *self = *state;
    error_detail detail = {0};
    static const char *const names[] = {"A.wav"};
    static const char own[] = "stage/A.wav.12345678abcdef00-2-1.part";
    static const char *const gone[] = {"root/stage/A.wav.12345678abcdef00-1-1.part", "root/stage/B.wav.0000cccccccccccc-7-2.part"};
    temp_folder_make(&self->folder, "root/stage");
    temp_folder_write(&self->folder, "root/stage/A.wav", "x", 1);
    for (size_t i = 0; i < 2; i++)
        temp_folder_write(&self->folder, gone[i], "x", 1);
    assert_int_equal(storage_keep_only(self->root, "stage", 1, names, own, &detail), STATUS_OK);
    assert_false(temp_folder_has(&self->folder, gone[0]) || temp_folder_has(&self->folder, gone[1]));
    assert_true(temp_folder_has(&self->folder, "root/stage/A.wav"));
    temp_folder_write(&self->folder, "root/stage/C.wav.12345678abcdef01-1-1.part", "x", 1);
    assert_int_equal(storage_keep_only(self->root, "stage", 1, names, own, &detail), STATUS_INPUT_INVALID);
    assert_non_null(strstr(detail.message, "'C.wav.12345678abcdef01-1-1.part' in out is of another farm"));
    assert_true(temp_folder_has(&self->folder, "root/stage/C.wav.12345678abcdef01-1-1.part"));
}

static bool file_put(const char *path, const char *text)
{
    int descriptor = open(path, O_WRONLY | O_CLOEXEC);
    bool good = descriptor >= 0 && write(descriptor, text, strlen(text)) == (ssize_t)strlen(text);
    if (descriptor >= 0)
        close(descriptor);
    return good;
}

/* Without being root: root of a user namespace of one's own, with this user as its root. */
static bool own_user_namespace(void)
{
    char users[64];
    char groups[64];
    snprintf(users, sizeof users, "0 %u 1", (unsigned)geteuid());
    snprintf(groups, sizeof groups, "0 %u 1", (unsigned)getegid());
    return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && file_put("/proc/self/setgroups", "deny") &&
           file_put("/proc/self/uid_map", users) && file_put("/proc/self/gid_map", groups);
}

/* In a child with its own mounts: a tmpfs of 1 MiB. 0 good, 77 not permitted, else the number of the failed step. */
static int full_storage_child(const char *folder)
{
    if (unshare(CLONE_NEWNS) != 0 && !own_user_namespace())
        return 77;
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 || mount("none", folder, "tmpfs", 0, "size=1m") != 0)
        return 77;
    storage_roots roots = {0};
    error_detail detail = {0};
    if (storage_roots_add(&roots, "out", folder, true, &detail) != STATUS_OK)
        return 1;
    const storage_root *root = storage_roots_find(&roots, "out");
    int descriptor = -1;
    if (storage_create_output(root, "big.part", 4194304, &descriptor, &detail) != STATUS_STORAGE_FULL)
        return 2;
    if (strstr(detail.message, "big.part") == NULL || strstr(detail.message, "4194304") == NULL ||
        strstr(detail.message, "1048576") == NULL) /* needed; free: the whole tmpfs, nothing half reserved is left */
        return 3;
    if (storage_open_output(root, "big.part", &descriptor, NULL) != STATUS_STORAGE_MISMATCH)
        return 4;
    /* Space that runs out while writing to what could not be reserved. */
    if (storage_create_output(root, "grow.part", 0, &descriptor, &detail) != STATUS_OK)
        return 5;
    static uint8_t block[65536];
    status code = STATUS_OK;
    for (uint64_t offset = 0; code == STATUS_OK && offset < 4194304; offset += sizeof block)
        code = storage_write_at(descriptor, block, sizeof block, offset, &detail);
    if (code != STATUS_STORAGE_FULL || strstr(detail.message, "free space") == NULL)
        return 6;
    return 0;
}

static void storage_create_output__says_at_once_that_the_disk_is_too_small(void **state)
{
    fixture *self = *state;
    temp_folder_make(&self->folder, "small");
    const char *folder = temp_folder_path(&self->folder, "small");
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(full_storage_child(folder));
    int result = 0;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFEXITED(result));
    if (WEXITSTATUS(result) == 77) {
        print_message("mounting a tmpfs is not permitted here: the full disk is not tried\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(result), 0);
}

/* A kernel or a sandbox without openat2, as seen by a child: the call answers ENOSYS. */
static int old_kernel_child(const storage_root *root)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), /* seccomp_data.nr */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        return 77;
    int descriptor = -1;
    if (storage_open_input(root, "a/x.wav", &descriptor, NULL) != STATUS_OK)
        return 1;
    const char *refused[] = {"escape", "inside_link", "folder_link/secret", "a/../../outside/secret", "a"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (status_class_of(storage_open_input(root, refused[i], &descriptor, NULL)) != STATUS_CLASS_INPUT)
            return 2 + (int)i;
    return 0;
}

static void storage_open_input__stays_inside_without_openat2(void **state)
{
    fixture *self = *state;
    temp_folder_make(&self->folder, "root/a");
    temp_folder_write(&self->folder, "root/a/x.wav", "x", 1);
    fixture_link(self, "../outside/secret", "root/escape");
    fixture_link(self, "a/x.wav", "root/inside_link");
    fixture_link(self, "../outside", "root/folder_link");
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(old_kernel_child(self->read_only));
    int result = 0;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFEXITED(result));
    if (WEXITSTATUS(result) == 77) {
        print_message("system call filters are not permitted here: life without openat2 is not tried\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(result), 0);
}

int main(void)
{
#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, fixture_create, fixture_destroy)
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(storage_roots__are_found_by_name_and_refuse_what_cannot_be),
        WITH_FOLDER(storage_open_input__reads_files_and_follows_links_that_stay_inside),
        WITH_FOLDER(storage_open_input__opens_nothing_outside_the_root),
        WITH_FOLDER(storage_open_input__refuses_pipes_sockets_and_folders_without_blocking),
        WITH_FOLDER(storage_open_input__tells_missing_from_denied),
        WITH_FOLDER(storage_create_output__makes_folders_and_reserves_the_whole_size),
        WITH_FOLDER(storage_outputs__follow_no_link_even_inside_the_root),
        WITH_FOLDER(storage_outputs__are_refused_in_a_read_only_root),
        WITH_FOLDER(storage_extents__are_written_and_read_whole_and_a_short_file_is_told),
        WITH_FOLDER(storage_read_medium__gives_any_stretch_as_it_was_written_a_moment_ago),
        WITH_FOLDER(storage_write_at__continues_after_a_short_count_and_tells_what_stopped_it),
        WITH_FOLDER(storage_identity__changes_with_content_and_inode),
        WITH_FOLDER(storage_rename__replaces_only_when_told),
        WITH_FOLDER(storage_remove__accepts_what_is_gone_and_clears_empty_folders_only),
        WITH_FOLDER(storage_remove_stale_parts__takes_parts_of_that_name_alone),
        WITH_FOLDER(storage_keep_only__leaves_what_another_farm_makes),
        WITH_FOLDER(storage_create_output__says_at_once_that_the_disk_is_too_small),
        WITH_FOLDER(storage_open_input__stays_inside_without_openat2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
