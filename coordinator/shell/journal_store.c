#define _GNU_SOURCE
#include "coordinator/shell/journal_store.h"

#include "common/base/ensure.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { JOURNAL_FORMAT = 1, COPY_PAGES = 256 };

/* A record on its way to the writer; its bytes follow the struct. */
typedef struct queued_record {
    struct queued_record *next;
    uint64_t sequence;
    uint32_t term;
    uint32_t kind;
    int descriptor; /* synced before the commit; -1 = none */
    size_t byte_size;
    uint8_t bytes[];
} queued_record;

/* A file that was opened, and the name it was opened by. */
typedef struct named_file {
    const char *path; /* SQLite's */
    dev_t device;
    ino_t number;
} named_file;

struct journal_store {
    sqlite3 *database;
    named_file files[2]; /* the database and its log; set once */
    sqlite3_stmt *insert;
    journal_keep keep;
    journal_durable_fn *durable;
    void *context;
    uint64_t last_loaded;
    uint64_t last_appended;

    pthread_t writer;
    bool writer_started;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    /* under the mutex */
    queued_record *first;
    queued_record **last;
    size_t queued_count;
    bool stopping;
    status failure; /* STATUS_OK while commits succeed */
};

static status code_of_sqlite(int result)
{
    switch (result & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return STATUS_INPUT_CONFLICT;
    case SQLITE_FULL:
        return STATUS_STORAGE_FULL;
    case SQLITE_NOMEM:
        return STATUS_NODE_MEMORY;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
        return STATUS_STORAGE_DENIED;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        return STATUS_STORAGE_MISMATCH;
    default:
        return STATUS_STORAGE_IO;
    }
}

static status fail_sqlite(journal_store *self, const char *path, const char *doing, int result, error_detail *detail)
{
    status code = code_of_sqlite(result);
    if (code == STATUS_INPUT_CONFLICT)
        return error_detail_set(detail, code,
                                "the journal '%s' is in use by another coordinator; stop it or give this one another "
                                "--state folder",
                                path);
    return error_detail_set(detail, code, "%s the journal '%s' failed: %s; its folder must be local and writable",
                            doing, path,
                            self->database != NULL ? sqlite3_errmsg(self->database) : sqlite3_errstr(result));
}

/* Settings of reliability.md 4.1. EXCLUSIVE before WAL: then no shared-memory file is used and a second opener fails.
 */
static int set_up_database(sqlite3 *database, journal_keep keep)
{
    const char *const statements[] = {
        keep == JOURNAL_KEEP_PROCESS ? "PRAGMA synchronous=OFF" : "PRAGMA synchronous=FULL",
        "PRAGMA locking_mode=EXCLUSIVE",
        "PRAGMA journal_mode=WAL",
        "PRAGMA foreign_keys=ON",
        "PRAGMA wal_autocheckpoint=2000",
        "BEGIN IMMEDIATE",
        "CREATE TABLE IF NOT EXISTS farm (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT",
        "CREATE TABLE IF NOT EXISTS record (sequence INTEGER PRIMARY KEY, term INTEGER NOT NULL, kind INTEGER NOT "
        "NULL, "
        "bytes BLOB NOT NULL) STRICT",
    };
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        int result = sqlite3_exec(database, statements[i], NULL, NULL, NULL);
        if (result != SQLITE_OK)
            return result;
    }
    return SQLITE_OK;
}

/* One value of the table farm; found is false when it is not there. */
static int read_value(sqlite3 *database, const char *key, int64_t *out_value, bool *out_found)
{
    sqlite3_stmt *query = NULL;
    int result = sqlite3_prepare_v2(database, "SELECT value FROM farm WHERE key = ?1", -1, &query, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_bind_text(query, 1, key, -1, SQLITE_STATIC);
    if (result == SQLITE_OK)
        result = sqlite3_step(query);
    *out_found = result == SQLITE_ROW;
    if (*out_found)
        *out_value = sqlite3_column_int64(query, 0);
    sqlite3_finalize(query);
    return result == SQLITE_ROW || result == SQLITE_DONE ? SQLITE_OK : result;
}

static int write_value(sqlite3 *database, const char *key, int64_t value)
{
    sqlite3_stmt *update = NULL;
    int result = sqlite3_prepare_v2(database,
                                    "INSERT INTO farm(key, value) VALUES(?1, ?2) ON CONFLICT(key) DO UPDATE "
                                    "SET value = excluded.value",
                                    -1, &update, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_bind_text(update, 1, key, -1, SQLITE_STATIC);
    if (result == SQLITE_OK)
        result = sqlite3_bind_int64(update, 2, value);
    if (result == SQLITE_OK)
        result = sqlite3_step(update);
    sqlite3_finalize(update);
    return result == SQLITE_DONE ? SQLITE_OK : result;
}

static status take_term(journal_store *self, const char *path, uint32_t *out_term, uint64_t *out_farm,
                        error_detail *detail)
{
    int64_t format = 0;
    int64_t term = 0;
    int64_t farm = 0;
    bool has_format = false;
    bool has_term = false;
    bool has_farm = false;
    int result = read_value(self->database, "format", &format, &has_format);
    if (result == SQLITE_OK)
        result = read_value(self->database, "term", &term, &has_term);
    if (result == SQLITE_OK)
        result = read_value(self->database, "farm", &farm, &has_farm);
    if (result == SQLITE_OK && has_format && format != JOURNAL_FORMAT)
        return error_detail_set(detail, STATUS_INPUT_UNSUPPORTED,
                                "the journal '%s' has format %lld, this coordinator writes format %d; use the version "
                                "that made it or another --state folder",
                                path, (long long)format, JOURNAL_FORMAT);
    if (result == SQLITE_OK && (term < 0 || term >= UINT32_MAX))
        return error_detail_set(detail, STATUS_LIMIT, "the journal '%s' has no term left after %lld", path,
                                (long long)term);
    if (!has_farm && getrandom(&farm, sizeof farm, 0) != (ssize_t)sizeof farm)
        return error_detail_set(detail, STATUS_NODE_SYSTEM, "no random numbers to be had: %s", strerror(errno));
    if (result == SQLITE_OK)
        result = write_value(self->database, "format", JOURNAL_FORMAT);
    if (result == SQLITE_OK)
        result = write_value(self->database, "farm", farm);
    if (result == SQLITE_OK)
        result = write_value(self->database, "term", term + 1);
    if (result == SQLITE_OK)
        result = sqlite3_exec(self->database, "COMMIT", NULL, NULL, NULL);
    if (result != SQLITE_OK)
        return fail_sqlite(self, path, "opening", result, detail);
    *out_term = (uint32_t)(term + 1);
    *out_farm = (uint64_t)farm;
    return STATUS_OK;
}

/* ---- where the files are ---- */

static void note_places(journal_store *self)
{
    const char *path = sqlite3_db_filename(self->database, "main");
    const char *const paths[] = {path, sqlite3_filename_wal(path)};
    for (size_t i = 0; i < sizeof self->files / sizeof self->files[0]; i++) {
        struct stat facts;
        if (self->keep == JOURNAL_KEEP_MEDIUM && stat(paths[i], &facts) == 0)
            self->files[i] = (named_file){.path = paths[i], .device = facts.st_dev, .number = facts.st_ino};
    }
}

bool journal_store_in_place(const journal_store *self)
{
    for (size_t i = 0; i < sizeof self->files / sizeof self->files[0]; i++) {
        const named_file *file = &self->files[i];
        struct stat facts;
        if (file->path == NULL)
            continue;
        if (stat(file->path, &facts) != 0 ? errno == ENOENT || errno == ENOTDIR
                                          : facts.st_dev != file->device || facts.st_ino != file->number)
            return false;
    }
    return true;
}

/* ---- the writer thread ---- */

/*
 * Waits for records, then up to JOURNAL_GATHER_MS for more: company saves a sync, so where none is made nobody waits for it. Takes
 * all. NULL: the store is being closed and is empty.
 */
static queued_record *take_batch(journal_store *self)
{
    pthread_mutex_lock(&self->mutex);
    while (self->first == NULL && !self->stopping)
        pthread_cond_wait(&self->wake, &self->mutex);
    bool gathers = self->keep == JOURNAL_KEEP_MEDIUM && !self->stopping;
    if (gathers && self->first != NULL && self->queued_count < JOURNAL_GATHER_RECORDS) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += JOURNAL_GATHER_MS * 1000000L;
        if (until.tv_nsec >= 1000000000L) {
            until.tv_nsec -= 1000000000L;
            until.tv_sec++;
        }
        while (!self->stopping && self->queued_count < JOURNAL_GATHER_RECORDS &&
               pthread_cond_timedwait(&self->wake, &self->mutex, &until) == 0) {
        }
    }
    queued_record *batch = self->first;
    self->first = NULL;
    self->last = &self->first;
    self->queued_count = 0;
    pthread_mutex_unlock(&self->mutex);
    return batch;
}

/* What records point at must be on disk before they are. An error of fdatasync is final: it is told once only. */
static status sync_targets(queued_record *batch, journal_keep keep)
{
    status code = STATUS_OK;
    for (queued_record *record = batch; record != NULL; record = record->next) {
        if (record->descriptor < 0)
            continue;
        if (code == STATUS_OK && keep == JOURNAL_KEEP_MEDIUM && fdatasync(record->descriptor) != 0)
            code = errno == ENOSPC || errno == EDQUOT ? STATUS_STORAGE_FULL : STATUS_STORAGE_IO;
        close(record->descriptor);
        record->descriptor = -1;
    }
    return code;
}

static status write_batch(journal_store *self, const queued_record *batch, uint64_t *out_sequence)
{
    int result = sqlite3_exec(self->database, "BEGIN", NULL, NULL, NULL);
    for (; result == SQLITE_OK && batch != NULL; batch = batch->next) {
        /* A blob of no bytes is still a blob: a NULL pointer would bind NULL. */
        const void *bytes = batch->byte_size > 0 ? (const void *)batch->bytes : "";
        sqlite3_reset(self->insert);
        result = sqlite3_bind_int64(self->insert, 1, (int64_t)batch->sequence);
        if (result == SQLITE_OK)
            result = sqlite3_bind_int64(self->insert, 2, batch->term);
        if (result == SQLITE_OK)
            result = sqlite3_bind_int64(self->insert, 3, batch->kind);
        if (result == SQLITE_OK)
            result = sqlite3_bind_blob64(self->insert, 4, bytes, batch->byte_size, SQLITE_STATIC);
        if (result == SQLITE_OK)
            result = sqlite3_step(self->insert);
        if (result == SQLITE_DONE)
            result = SQLITE_OK;
        *out_sequence = batch->sequence;
    }
    sqlite3_reset(self->insert);
    if (result == SQLITE_OK)
        result = sqlite3_exec(self->database, "COMMIT", NULL, NULL, NULL);
    return result == SQLITE_OK ? STATUS_OK : code_of_sqlite(result);
}

static void free_batch(queued_record *batch)
{
    while (batch != NULL) {
        queued_record *next = batch->next;
        if (batch->descriptor >= 0)
            close(batch->descriptor);
        free(batch);
        batch = next;
    }
}

static void *write_journal(void *context)
{
    journal_store *self = context;
    uint64_t sequence = 0;
    for (queued_record *batch; (batch = take_batch(self)) != NULL; free_batch(batch)) {
        uint64_t reached = sequence;
        status code = sync_targets(batch, self->keep);
        if (code == STATUS_OK)
            code = write_batch(self, batch, &reached);
        if (code == STATUS_OK && !journal_store_in_place(self))
            code = STATUS_INPUT_CHANGED; /* it is on disk, where the next start does not look for it */
        if (code == STATUS_OK) {
            sequence = reached;
            self->durable(self->context, sequence, STATUS_OK);
            continue;
        }
        /* Nothing after a failed commit may ever become durable: what came before it is missing. */
        pthread_mutex_lock(&self->mutex);
        self->failure = code;
        pthread_mutex_unlock(&self->mutex);
        free_batch(batch);
        self->durable(self->context, sequence, code);
        return NULL;
    }
    return NULL;
}

/* ---- the interface ---- */

static status start_writer(journal_store *self, error_detail *detail)
{
    int failure = pthread_create(&self->writer, NULL, write_journal, self);
    if (failure != 0)
        return error_detail_set(detail, STATUS_NODE_SYSTEM, "cannot start the journal's thread: %s", strerror(failure));
    self->writer_started = true;
    return STATUS_OK;
}

static status open_database(journal_store *self, const char *path, uint32_t *out_term, uint64_t *out_farm,
                            error_detail *detail)
{
    int result = sqlite3_open_v2(path, &self->database,
                                 SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX, NULL);
    if (result == SQLITE_OK)
        result = set_up_database(self->database, self->keep);
    if (result != SQLITE_OK)
        return fail_sqlite(self, path, "opening", result, detail);
    status code = take_term(self, path, out_term, out_farm, detail);
    if (code != STATUS_OK)
        return code;
    result =
        sqlite3_prepare_v2(self->database, "INSERT INTO record(sequence, term, kind, bytes) VALUES(?1, ?2, ?3, ?4)", -1,
                           &self->insert, NULL);
    sqlite3_stmt *query = NULL;
    if (result == SQLITE_OK)
        result = sqlite3_prepare_v2(self->database, "SELECT coalesce(max(sequence), 0) FROM record", -1, &query, NULL);
    if (result == SQLITE_OK && sqlite3_step(query) == SQLITE_ROW)
        self->last_loaded = (uint64_t)sqlite3_column_int64(query, 0);
    sqlite3_finalize(query);
    self->last_appended = self->last_loaded;
    note_places(self);
    return result == SQLITE_OK ? STATUS_OK : fail_sqlite(self, path, "reading", result, detail);
}

status journal_store_open(journal_store **out_store, const char *path, journal_keep keep, journal_durable_fn *durable,
                          void *context, uint32_t *out_term, uint64_t *out_farm, error_detail *detail)
{
    journal_store *self = calloc(1, sizeof *self);
    if (self == NULL)
        return error_detail_set(detail, STATUS_NODE_MEMORY, "out of memory");
    self->keep = keep;
    self->durable = durable;
    self->context = context;
    self->last = &self->first;
    pthread_mutex_init(&self->mutex, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&self->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    uint32_t term = 0;
    uint64_t farm = 0;
    status code = open_database(self, path, &term, &farm, detail);
    if (code == STATUS_OK)
        code = start_writer(self, detail);
    if (code != STATUS_OK) {
        journal_store_close(&self);
        return code;
    }
    *out_store = self;
    *out_term = term;
    *out_farm = farm;
    return STATUS_OK;
}

void journal_store_close(journal_store **self)
{
    journal_store *store = *self;
    if (store == NULL)
        return;
    if (store->writer_started) {
        pthread_mutex_lock(&store->mutex);
        store->stopping = true;
        pthread_cond_signal(&store->wake);
        pthread_mutex_unlock(&store->mutex);
        pthread_join(store->writer, NULL);
    }
    free_batch(store->first);
    sqlite3_finalize(store->insert);
    int stays = 1; /* by its name: that may be another one's by now */
    if (store->database != NULL && !journal_store_in_place(store))
        (void)sqlite3_file_control(store->database, "main", SQLITE_FCNTL_PERSIST_WAL, &stays);
    sqlite3_close(store->database);
    pthread_cond_destroy(&store->wake);
    pthread_mutex_destroy(&store->mutex);
    free(store);
    *self = NULL;
}

uint64_t journal_store_last_sequence(const journal_store *self)
{
    return self->last_loaded;
}

status journal_store_load(journal_store *self, journal_load_fn *load, void *context, error_detail *detail)
{
    sqlite3_stmt *query = NULL;
    int result = sqlite3_prepare_v2(self->database, "SELECT sequence, term, kind, bytes FROM record ORDER BY sequence",
                                    -1, &query, NULL);
    status code = STATUS_OK;
    while (code == STATUS_OK && result == SQLITE_OK && sqlite3_step(query) == SQLITE_ROW) {
        journal_record record = {
            .sequence = (uint64_t)sqlite3_column_int64(query, 0),
            .term = (uint32_t)sqlite3_column_int64(query, 1),
            .kind = (uint32_t)sqlite3_column_int64(query, 2),
            .bytes = sqlite3_column_blob(query, 3),
            .byte_size = (size_t)sqlite3_column_bytes(query, 3),
        };
        code = load(context, &record);
        if (code != STATUS_OK)
            error_detail_set(detail, code, "record %llu of the journal cannot be used: %s",
                             (unsigned long long)record.sequence,
                             code == STATUS_PEER_VERSION ? "a newer reelmill wrote it; install that one again" : status_text(code));
    }
    int ended = sqlite3_finalize(query);
    if (code == STATUS_OK && (result != SQLITE_OK || ended != SQLITE_OK))
        code = fail_sqlite(self, sqlite3_db_filename(self->database, "main"), "reading",
                           result != SQLITE_OK ? result : ended, detail);
    return code;
}

status journal_store_append(journal_store *self, const journal_record *record)
{
    return journal_store_append_after(self, record, -1);
}

status journal_store_append_after(journal_store *self, const journal_record *record, int descriptor)
{
    ENSURE(record->sequence > self->last_appended);
    queued_record *queued = malloc(sizeof *queued + record->byte_size);
    if (queued == NULL)
        return STATUS_NODE_MEMORY;
    *queued = (queued_record){.sequence = record->sequence,
                              .term = record->term,
                              .kind = record->kind,
                              .descriptor = -1,
                              .byte_size = record->byte_size};
    if (record->byte_size > 0)
        memcpy(queued->bytes, record->bytes, record->byte_size);
    if (descriptor >= 0) {
        queued->descriptor = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
        if (queued->descriptor < 0) {
            free(queued);
            return STATUS_NODE_SYSTEM;
        }
    }
    pthread_mutex_lock(&self->mutex);
    status code = self->failure;
    if (code == STATUS_OK) {
        *self->last = queued;
        self->last = &queued->next;
        self->queued_count++;
        /* The writer sleeps either for the first record or for a full batch; others need not wake it. */
        if (self->queued_count == 1 || self->queued_count == JOURNAL_GATHER_RECORDS)
            pthread_cond_signal(&self->wake);
    }
    pthread_mutex_unlock(&self->mutex);
    if (code != STATUS_OK) {
        free_batch(queued);
        return code;
    }
    self->last_appended = record->sequence;
    return STATUS_OK;
}

/* The connection is used by the writer's thread too: SQLite serialises them (FULLMUTEX), and puts what is committed
 * meanwhile into the copy as well. A step inside the writer's transaction finds it locked and is done again. */
status journal_store_copy(journal_store *self, const char *path, error_detail *detail)
{
    sqlite3 *copy = NULL;
    int result = sqlite3_open_v2(path, &copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
    sqlite3_backup *backup = result == SQLITE_OK ? sqlite3_backup_init(copy, "main", self->database, "main") : NULL;
    if (result == SQLITE_OK && backup == NULL)
        result = sqlite3_errcode(copy);
    while (backup != NULL && result != SQLITE_DONE) {
        result = sqlite3_backup_step(backup, COPY_PAGES);
        if (result == SQLITE_BUSY || result == SQLITE_LOCKED)
            (void)poll(NULL, 0, JOURNAL_GATHER_MS);
        else if (result != SQLITE_OK)
            break;
    }
    if (backup != NULL && sqlite3_backup_finish(backup) == SQLITE_OK && result == SQLITE_DONE)
        result = SQLITE_OK;
    status code = result == SQLITE_OK ? STATUS_OK
                                      : error_detail_set(detail, code_of_sqlite(result), "copying the journal to '%.400s' failed: %s",
                                                         path, sqlite3_errstr(result));
    sqlite3_close(copy);
    return code;
}

status journal_store_purge(journal_store *self, journal_drop_fn *drop, void *context, error_detail *detail)
{
    sqlite3_stmt *query = NULL;
    sqlite3_stmt *removal = NULL;
    int result = sqlite3_exec(self->database, "BEGIN", NULL, NULL, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_prepare_v2(self->database, "SELECT sequence, kind, bytes FROM record WHERE sequence < ?1", -1, &query, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_bind_int64(query, 1, (int64_t)self->last_loaded);
    if (result == SQLITE_OK)
        result = sqlite3_prepare_v2(self->database, "DELETE FROM record WHERE sequence = ?1", -1, &removal, NULL);
    while (result == SQLITE_OK && sqlite3_step(query) == SQLITE_ROW) {
        journal_record record = {.sequence = (uint64_t)sqlite3_column_int64(query, 0),
                                 .kind = (uint32_t)sqlite3_column_int64(query, 1),
                                 .bytes = sqlite3_column_blob(query, 2),
                                 .byte_size = (size_t)sqlite3_column_bytes(query, 2)};
        if (!drop(context, &record))
            continue;
        sqlite3_reset(removal);
        result = sqlite3_bind_int64(removal, 1, (int64_t)record.sequence);
        if (result == SQLITE_OK && sqlite3_step(removal) != SQLITE_DONE)
            result = sqlite3_errcode(self->database);
    }
    sqlite3_finalize(query);
    sqlite3_finalize(removal);
    int end = sqlite3_exec(self->database, result == SQLITE_OK ? "COMMIT" : "ROLLBACK", NULL, NULL, NULL);
    result = result == SQLITE_OK ? end : result;
    return result == SQLITE_OK ? STATUS_OK
                               : error_detail_set(detail, code_of_sqlite(result), "old records cannot be removed from the journal: %s",
                                                  sqlite3_errmsg(self->database));
}
