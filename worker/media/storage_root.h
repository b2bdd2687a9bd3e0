/**
 * A named media root of this node: the only way in which a worker touches files. Paths are relative; resolving never
 * leaves the root (openat2 RESOLVE_BENEATH; outputs also without symlinks). A small interface, so that an object store can
 * be a second implementation later.
 *
 * Threads: a root is const after open and may be shared; descriptors belong to the caller.
 */
#ifndef WORKER_MEDIA_STORAGE_ROOT_H
#define WORKER_MEDIA_STORAGE_ROOT_H

#include "common/base/limits.h"
#include "common/base/status.h"
#include "common/media/media_facts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct storage_root {
    char name[NAME_MAX_BYTES];
    int directory; /**< O_PATH descriptor of the mount */
    bool writable;
} storage_root;

typedef struct storage_roots {
    uint32_t count;
    storage_root items[ROOTS_MAX];
} storage_roots;

/** Adds a root. STATUS_INPUT_MISSING / STATUS_STORAGE_DENIED with a sentence. */
MUST_USE status storage_roots_add(storage_roots *self, const char *name, const char *directory, bool writable,
                                  error_detail *detail);
void storage_roots_deinit(storage_roots *self);
/** NULL if there is no such root. */
const storage_root *storage_roots_find(const storage_roots *self, const char *name);

/** Opens an input for reading; the caller closes. Regular files only (a FIFO or device is refused without blocking). */
MUST_USE status storage_open_input(const storage_root *self, const char *path, int *out_descriptor, error_detail *detail);
/** Who an open file is, on every machine that mounts the storage: its number is 1 where numbers differ from mount to mount. */
MUST_USE status storage_identity(int descriptor, media_identity *out_identity);
bool storage_identity_equal(const media_identity *a, const media_identity *b);
/**
 * Opens an input that must still be the file that was probed; the caller closes. inode 0: a file that was never probed, whose size
 * is all that is known. STATUS_INPUT_CHANGED, or STATUS_STORAGE_IO where it is gone, with a sentence that names it.
 */
MUST_USE status storage_open_probed(const storage_roots *self, const char *root, const char *path, const media_identity *probed,
                                    int *out_descriptor, error_detail *detail);
/** Makes missing folders (no symlinks followed) and a new file (O_EXCL); reserves byte_size by fallocate where possible. */
MUST_USE status storage_create_output(const storage_root *self, const char *path, uint64_t byte_size, int *out_descriptor,
                                      error_detail *detail);
/** Opens an existing output for writing (and reading); no symlink on the way. */
MUST_USE status storage_open_output(const storage_root *self, const char *path, int *out_descriptor, error_detail *detail);
/** Opens an existing output for reading; no symlink on the way. */
MUST_USE status storage_open_published(const storage_root *self, const char *path, int *out_descriptor,
                                       error_detail *detail);
/** Whole-extent pwrite and pread: short counts are continued, EINTR retried; a short file is STATUS_INPUT_TRUNCATED. */
MUST_USE status storage_write_at(int descriptor, const void *bytes, size_t byte_size, uint64_t offset, error_detail *detail);
MUST_USE status storage_read_at(int descriptor, void *bytes, size_t byte_size, uint64_t offset, error_detail *detail);
MUST_USE status storage_sync(int descriptor, error_detail *detail);
/** Asks the kernel to forget cached pages of the file, so that what is read next comes from the medium. */
void storage_drop_cache(int descriptor);
/** Starts writing a range to the medium and does not wait: what is synced later is then mostly there. Advice only. */
void storage_write_behind(int descriptor, uint64_t offset, uint64_t byte_size);
/** Waits until a range is written. What was written to several files so needs one commit and not one each when they are synced. */
MUST_USE status storage_wait_written(int descriptor, uint64_t offset, uint64_t byte_size, error_detail *detail);
/**
 * Turns a descriptor into one for storage_read_medium(). False, and it reads on as before, where the file does not lie on a
 * disk of this machine or its file system has no such reading.
 */
MUST_USE bool storage_read_past_cache(int descriptor);
/** The room that reading so much needs. */
size_t storage_medium_room(uint64_t offset, size_t byte_size);
/**
 * Where a reading waits for the medium without keeping those out who write to the same file, as pread does on ext4. For one
 * thread. NONE: the system gives none, or none is needed; the reading is a pread.
 */
typedef unsigned long storage_queue;
static const storage_queue STORAGE_QUEUE_NONE = 0;
storage_queue storage_queue_open(void);
/** The process keeps it for who opens one next. */
void storage_queue_close(storage_queue self);
/**
 * Reads what lies on the medium, past the page cache; what of it is still to be written is written first. room: at a page edge
 * of memory; *out_bytes lies in it.
 */
MUST_USE status storage_read_medium(storage_queue queue, int descriptor, uint8_t *room, size_t byte_size, uint64_t offset,
                                    const uint8_t **out_bytes, error_detail *detail);
/** The file will be read from front to back: the system reads further ahead. Advice only. */
void storage_read_in_order(int descriptor);
MUST_USE status storage_rename(const storage_root *self, const char *from, const char *to, bool replace,
                               error_detail *detail);
/** A missing file is fine. */
MUST_USE status storage_remove(const storage_root *self, const char *path, error_detail *detail);
/** Removes the folders of path that are empty, from the innermost outwards; never the root. Best effort. */
void storage_remove_empty_folders(const storage_root *self, const char *path);
/**
 * Removes `<final>.*.part` next to final, but those of a farm that lasts and is not that of `part`: work in flight, or what a
 * lost farm left, which a person has to know. STATUS_INPUT_INVALID then, with a sentence. A private farm (PRIVATE_FARM_BITS) that
 * was killed comes back for nothing.
 */
MUST_USE status storage_remove_stale_parts(const storage_root *self, const char *final, const char *part, error_detail *detail);
/** Removes the plain files of a folder but those of these names; folders in it stay, and so does what a farm that lasts and is not
 * that of `part` makes there: STATUS_INPUT_INVALID then, with a sentence. */
MUST_USE status storage_keep_only(const storage_root *self, const char *folder, uint32_t name_count, const char *const *names,
                                  const char *part, error_detail *detail);
/**
 * A folder gets another name in one step. *out_done is false, and nothing changed, where a folder of that name holds anything
 * already.
 */
MUST_USE status storage_rename_folder(const storage_root *self, const char *from, const char *to, bool *out_done,
                                      error_detail *detail);
/** fsync of the folder that holds path, and of those above it up to the root: a new folder is itself a new entry. */
MUST_USE status storage_sync_folder(const storage_root *self, const char *path, error_detail *detail);

#endif
