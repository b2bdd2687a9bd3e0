#define _GNU_SOURCE
#include "coordinator/shell/journal_store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* What the writer said last, and a way to wait for it. */
typedef struct watcher {
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    uint64_t sequence;
    status code;
} watcher;

static void watcher_init(watcher *self)
{
    *self = (watcher){0};
    pthread_mutex_init(&self->mutex, NULL);
    pthread_cond_init(&self->wake, NULL);
}

static void on_durable(void *context, uint64_t sequence, status code)
{
    watcher *self = context;
    pthread_mutex_lock(&self->mutex);
    self->sequence = sequence;
    self->code = code;
    pthread_cond_broadcast(&self->wake);
    pthread_mutex_unlock(&self->mutex);
}

/* Waits until `sequence` is durable or the store has stopped. */
static status watcher_wait(watcher *self, uint64_t sequence)
{
    pthread_mutex_lock(&self->mutex);
    while (self->sequence < sequence && self->code == STATUS_OK)
        pthread_cond_wait(&self->wake, &self->mutex);
    status code = self->code;
    pthread_mutex_unlock(&self->mutex);
    return code;
}

typedef struct fixture {
    char folder[64];
    char path[128];
    watcher watch;
    journal_store *store;
    uint32_t term;
    uint64_t farm;
} fixture;

static int set_up(void **state)
{
    fixture *self = calloc(1, sizeof *self);
    strcpy(self->folder, "/tmp/test_journal_XXXXXX");
    if (mkdtemp(self->folder) == NULL)
        return -1;
    snprintf(self->path, sizeof self->path, "%s/journal.db", self->folder);
    watcher_init(&self->watch);
    *state = self;
    return 0;
}

static int tear_down(void **state)
{
    fixture *self = *state;
    journal_store_close(&self->store);
    static const char *const names[] = {"journal.db", "journal.db-wal", "journal.db-shm", "cells"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[160];
        snprintf(path, sizeof path, "%s/%s", self->folder, names[i]);
        unlink(path);
    }
    rmdir(self->folder);
    free(self);
    return 0;
}

static void open_store(fixture *self)
{
    error_detail detail = {0};
    status code =
        journal_store_open(&self->store, self->path, JOURNAL_KEEP_MEDIUM, on_durable, &self->watch, &self->term, &self->farm,
                           &detail);
    if (code != STATUS_OK)
        fail_msg("%s", detail.message);
}

/* The bytes of record n, so that each says who it is. */
static size_t record_text(uint64_t sequence, char out[64])
{
    return (size_t)snprintf(out, 64, "record %llu of the test", (unsigned long long)sequence);
}

static status append_record(journal_store *store, uint64_t sequence, uint32_t term)
{
    char text[64];
    size_t size = record_text(sequence, text);
    journal_record record = {.sequence = sequence, .term = term, .kind = 7, .bytes = text, .byte_size = size};
    return journal_store_append(store, &record);
}

typedef struct reader {
    uint64_t last;
    uint32_t count;
    uint32_t last_term;
    bool wrong;
} reader;

static status read_record(void *context, const journal_record *record)
{
    reader *self = context;
    char text[64];
    size_t size = record_text(record->sequence, text);
    if (record->sequence != self->last + 1 || record->kind != 7 || record->byte_size != size ||
        memcmp(record->bytes, text, size) != 0)
        self->wrong = true;
    self->last = record->sequence;
    self->last_term = record->term;
    self->count++;
    return STATUS_OK;
}

static status know_no_record(void *context, const journal_record *record)
{
    (void)context;
    (void)record;
    return STATUS_PEER_VERSION;
}

static void journal_store__gives_back_what_was_appended_in_order(void **state)
{
    fixture *self = *state;
    open_store(self);
    assert_int_equal(self->term, 1);
    uint64_t farm = self->farm;
    for (uint64_t i = 1; i <= 1000; i++)
        assert_int_equal(append_record(self->store, i, self->term), STATUS_OK);
    assert_int_equal(watcher_wait(&self->watch, 1000), STATUS_OK);
    journal_store_close(&self->store);

    open_store(self);
    assert_int_equal(self->term, 2);
    assert_true(self->farm == farm);
    assert_true(journal_store_last_sequence(self->store) == 1000);
    reader read = {0};
    error_detail detail = {0};
    assert_int_equal(journal_store_load(self->store, read_record, &read, &detail), STATUS_OK);
    assert_false(read.wrong);
    assert_int_equal(read.count, 1000);
    assert_int_equal(read.last_term, 1);
    assert_int_equal(journal_store_load(self->store, know_no_record, NULL, &detail), STATUS_PEER_VERSION);
    assert_string_equal(detail.message, "record 1 of the journal cannot be used: a newer reelmill wrote it; install that one again");
}

static void journal_store__commits_what_was_appended_before_it_is_closed(void **state)
{
    fixture *self = *state;
    open_store(self);
    for (uint64_t i = 1; i <= 10; i++)
        assert_int_equal(append_record(self->store, i, self->term), STATUS_OK);
    journal_store_close(&self->store);
    open_store(self);
    assert_true(journal_store_last_sequence(self->store) == 10);
}

static void journal_store__keeps_a_record_without_bytes(void **state)
{
    fixture *self = *state;
    open_store(self);
    journal_record record = {.sequence = 1, .term = 1, .kind = 7};
    assert_int_equal(journal_store_append(self->store, &record), STATUS_OK);
    assert_int_equal(watcher_wait(&self->watch, 1), STATUS_OK);
    journal_store_close(&self->store);
    open_store(self);
    assert_true(journal_store_last_sequence(self->store) == 1);
}

static void journal_store__refuses_a_second_coordinator(void **state)
{
    fixture *self = *state;
    open_store(self);
    fflush(NULL);
    pid_t child = fork(); /* locks of one process do not hold against itself */
    assert_true(child >= 0);
    if (child == 0) {
        journal_store *second = NULL;
        uint32_t term = 0;
        uint64_t farm = 0;
        error_detail detail = {0};
        status code = journal_store_open(&second, self->path, JOURNAL_KEEP_MEDIUM, on_durable, &self->watch, &term, &farm,
                                         &detail);
        _exit(code == STATUS_INPUT_CONFLICT && strstr(detail.message, "another coordinator") != NULL ? 0 : 1);
    }
    int ended = 0;
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_true(WIFEXITED(ended));
    assert_int_equal(WEXITSTATUS(ended), 0);
}

static void journal_store__says_what_is_no_journal(void **state)
{
    fixture *self = *state;
    FILE *file = fopen(self->path, "w");
    assert_non_null(file);
    for (int i = 0; i < 400; i++)
        fputs("this is a text file, not a database. ", file);
    fclose(file);
    error_detail detail = {0};
    assert_int_equal(
        journal_store_open(&self->store, self->path, JOURNAL_KEEP_MEDIUM, on_durable, &self->watch, &self->term, &self->farm,
                           &detail),
        STATUS_STORAGE_MISMATCH);
    assert_null(self->store);
    assert_non_null(strstr(detail.message, self->path));
}

static void journal_store__syncs_and_lets_go_of_the_file_a_record_points_into(void **state)
{
    fixture *self = *state;
    char path[160];
    snprintf(path, sizeof path, "%s/cells", self->folder);
    int lowest = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(lowest);
    open_store(self);
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, "cells", 5), 5);
    journal_record record = {.sequence = 1, .term = 1, .kind = 7, .bytes = "x", .byte_size = 1};
    assert_int_equal(journal_store_append_after(self->store, &record, descriptor), STATUS_OK);
    close(descriptor);
    assert_int_equal(watcher_wait(&self->watch, 1), STATUS_OK);
    journal_store_close(&self->store); /* the writer has ended, so its copy of the descriptor is closed too */
    int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(next, lowest); /* the lowest free number is what it was: nothing leaked */
    close(next);
}

/* A pipe cannot be synced (EINVAL): what such a record points at is not on disk, so nothing may become durable. */
static void journal_store__stops_for_good_when_a_sync_fails(void **state)
{
    fixture *self = *state;
    open_store(self);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    journal_record record = {.sequence = 1, .term = 1, .kind = 7, .bytes = "x", .byte_size = 1};
    assert_int_equal(journal_store_append_after(self->store, &record, ends[1]), STATUS_OK);
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(watcher_wait(&self->watch, 1), STATUS_STORAGE_IO);
    record.sequence = 2;
    assert_int_equal(journal_store_append(self->store, &record), STATUS_STORAGE_IO);
    journal_store_close(&self->store);
    open_store(self);
    assert_true(journal_store_last_sequence(self->store) == 0);
}

static void move_in(const fixture *self, const char *from, const char *to)
{
    char before[160];
    char after[160];
    snprintf(before, sizeof before, "%s/%s", self->folder, from);
    snprintf(after, sizeof after, "%s/%s", self->folder, to);
    assert_int_equal(rename(before, after), 0);
}

/* What is written into a file that nobody finds by its name is kept for nobody: neither of the two, alone or replaced. */
static void journal_store__acknowledges_nothing_once_its_files_are_elsewhere(void **state)
{
    fixture *self = *state;
    static const char *const names[] = {"journal.db", "journal.db-wal"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        self->watch.code = STATUS_OK;
        self->watch.sequence = 0;
        open_store(self);
        assert_int_equal(append_record(self->store, 2 * i + 1, self->term), STATUS_OK);
        assert_int_equal(watcher_wait(&self->watch, 2 * i + 1), STATUS_OK);
        assert_true(journal_store_in_place(self->store));
        move_in(self, names[i], "elsewhere");
        assert_false(journal_store_in_place(self->store));
        char path[160];
        snprintf(path, sizeof path, "%s/%s", self->folder, names[i]);
        int other = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
        assert_true(other >= 0);
        close(other);
        assert_false(journal_store_in_place(self->store));
        assert_int_equal(append_record(self->store, 2 * i + 2, self->term), STATUS_OK);
        assert_int_equal(watcher_wait(&self->watch, 2 * i + 2), STATUS_INPUT_CHANGED);
        assert_int_equal(append_record(self->store, 2 * i + 3, self->term), STATUS_INPUT_CHANGED);
        journal_store_close(&self->store);
        assert_int_equal(access(path, F_OK), 0); /* the other's was not removed with ours */
        move_in(self, "elsewhere", names[i]);
    }
    open_store(self);
    reader read = {0};
    error_detail detail = {0};
    assert_int_equal(journal_store_load(self->store, read_record, &read, &detail), STATUS_OK);
    assert_false(read.wrong);
    assert_true(read.count >= 3); /* what was acknowledged, and perhaps what was not */
}

/* In a process of its own, because the limit on file size stays. */
static void full_disk_child(fixture *self)
{
    signal(SIGXFSZ, SIG_IGN);
    open_store(self);
    struct rlimit limit = {.rlim_cur = 256 << 10, .rlim_max = 256 << 10};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        _exit(2);
    static char bytes[64 << 10];
    uint64_t acknowledged = 0;
    for (uint64_t i = 1; i <= 64; i++) {
        journal_record record = {.sequence = i, .term = 1, .kind = 7, .bytes = bytes, .byte_size = sizeof bytes};
        if (journal_store_append(self->store, &record) != STATUS_OK || watcher_wait(&self->watch, i) != STATUS_OK)
            break;
        acknowledged = i;
    }
    _exit(acknowledged < 64 && self->watch.code != STATUS_OK ? (int)(100 + acknowledged) : 1);
}

static void journal_store__acknowledges_nothing_once_the_disk_is_full(void **state)
{
    fixture *self = *state;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        full_disk_child(self);
    int ended = 0;
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_true(WIFEXITED(ended));
    assert_in_range(WEXITSTATUS(ended), 100, 163);
    uint64_t acknowledged = (uint64_t)WEXITSTATUS(ended) - 100;
    open_store(self);
    assert_true(journal_store_last_sequence(self->store) >= acknowledged);
}

/* Appends without end and says through the pipe what is durable. */
static void crash_child(fixture *self, int pipe_end, uint64_t first)
{
    open_store(self);
    uint64_t next = first;
    for (;;) {
        for (int i = 0; i < 20; i++)
            if (append_record(self->store, next++, self->term) != STATUS_OK)
                _exit(1);
        /* Half of the batches are not waited for, so that the kill meets transactions under way. */
        uint64_t wanted = next - 11;
        if (watcher_wait(&self->watch, wanted) != STATUS_OK)
            _exit(1);
        pthread_mutex_lock(&self->watch.mutex);
        uint64_t durable = self->watch.sequence;
        pthread_mutex_unlock(&self->watch.mutex);
        if (write(pipe_end, &durable, sizeof durable) != sizeof durable)
            _exit(1);
    }
}

static void journal_store__loses_nothing_acknowledged_when_it_is_killed(void **state)
{
    fixture *self = *state;
    uint64_t stored = 0;
    for (uint32_t round = 1; round <= 12; round++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        fflush(NULL);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            close(ends[0]);
            crash_child(self, ends[1], stored + 1);
        }
        close(ends[1]);
        uint64_t acknowledged = 0;
        for (uint32_t i = 0; i < 3 + 7 * round; i++)
            assert_int_equal(read(ends[0], &acknowledged, sizeof acknowledged), sizeof acknowledged);
        kill(child, SIGKILL);
        int ended = 0;
        assert_int_equal(waitpid(child, &ended, 0), child);
        assert_true(WIFSIGNALED(ended));
        close(ends[0]);
        open_store(self);
        assert_int_equal(self->term, 2 * round); /* every start takes a term: the child's and this one */
        reader read_back = {0};
        error_detail detail = {0};
        assert_int_equal(journal_store_load(self->store, read_record, &read_back, &detail), STATUS_OK);
        assert_false(read_back.wrong);
        assert_true(read_back.last >= acknowledged);
        assert_true(acknowledged > stored);
        stored = read_back.last;
        journal_store_close(&self->store);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(journal_store__gives_back_what_was_appended_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(journal_store__commits_what_was_appended_before_it_is_closed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(journal_store__keeps_a_record_without_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(journal_store__refuses_a_second_coordinator, set_up, tear_down),
        cmocka_unit_test_setup_teardown(journal_store__says_what_is_no_journal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(journal_store__syncs_and_lets_go_of_the_file_a_record_points_into, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(journal_store__stops_for_good_when_a_sync_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(journal_store__acknowledges_nothing_once_its_files_are_elsewhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(journal_store__acknowledges_nothing_once_the_disk_is_full, set_up, tear_down),
        cmocka_unit_test_setup_teardown(journal_store__loses_nothing_acknowledged_when_it_is_killed, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
