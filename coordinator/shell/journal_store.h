/**
 * The journal: one SQLite file (WAL, EXCLUSIVE, synchronous=FULL unless it need not), a writer thread of its own, group commit.
 * append(batch, term) -> durable(sequence); load(). Records are opaque blobs with a sequence and a term.
 *
 * Threads: append from the loop thread; `durable` is called on the writer thread and must only wake the loop.
 * Any commit error stops the store: nothing more becomes durable and the program must stop acknowledging.
 */
#ifndef COORDINATOR_SHELL_JOURNAL_STORE_H
#define COORDINATOR_SHELL_JOURNAL_STORE_H

#include "common/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct journal_store journal_store;

typedef struct journal_record {
    uint64_t sequence;
    uint32_t term;
    uint32_t kind; /**< of the shell: fact, job document, result payload, ... */
    const void *bytes;
    size_t byte_size;
} journal_record;

enum {
    JOURNAL_GATHER_MS = 2, /**< a transaction waits this long for company ... */
    JOURNAL_GATHER_RECORDS = 128 /**< ... or for so many records (reliability.md, 4.1) */
};

/**
 * sequence: everything up to it is on disk. code: STATUS_OK, or why the store has stopped. STATUS_INPUT_CHANGED: the journal
 * is no longer where it was opened.
 */
typedef void journal_durable_fn(void *context, uint64_t sequence, status code);
typedef status journal_load_fn(void *context, const journal_record *record);

/** What a record has to outlive before it is called durable. */
typedef enum journal_keep {
    JOURNAL_KEEP_MEDIUM, /**< a loss of power: everything is synced to the medium */
    JOURNAL_KEEP_PROCESS /**< this process: a private farm's, whose folder is never opened again after its machine went */
} journal_keep;

/** Opens or creates; takes the next term durably. STATUS_INPUT_CONFLICT when another coordinator holds it. */
MUST_USE status journal_store_open(journal_store **out_store, const char *path, journal_keep keep,
                                   journal_durable_fn *durable, void *context, uint32_t *out_term, uint64_t *out_farm,
                                   error_detail *detail);
/** False once its files were renamed, removed or replaced: the next start would not find what is written. Any thread. */
bool journal_store_in_place(const journal_store *self);
/** Commits what was appended, then closes. Accepts a half-opened store and NULL. */
void journal_store_close(journal_store **self);
/** Every record in order of sequence; call before the first append. */
MUST_USE status journal_store_load(journal_store *self, journal_load_fn *load, void *context, error_detail *detail);
typedef bool journal_drop_fn(void *context, const journal_record *record);
/** Removes the records that drop says yes to, in one step; call before the first append. The last record stays. */
MUST_USE status journal_store_purge(journal_store *self, journal_drop_fn *drop, void *context, error_detail *detail);
/** Sequence of the last record that was stored before this start; 0 = none. */
uint64_t journal_store_last_sequence(const journal_store *self);
/** Copies the record into the queue of the writer. Sequences rise strictly. */
MUST_USE status journal_store_append(journal_store *self, const journal_record *record);
/**
 * The same for a record that points into another file: the writer syncs that file before it commits the record. The
 * descriptor is duplicated, so the caller may close its own at any time.
 */
MUST_USE status journal_store_append_after(journal_store *self, const journal_record *record, int descriptor);
/**
 * A copy of the journal as it is at one moment, in a new file, while others append. Any thread; takes as long as the file
 * needs. What is only queued is not in it.
 */
MUST_USE status journal_store_copy(journal_store *self, const char *path, error_detail *detail);

#endif
