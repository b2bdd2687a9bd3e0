/** A folder of its own for one test, under $TMPDIR or /tmp, removed with all it holds afterwards. */
#ifndef TESTS_UNIT_WORKER_MEDIA_TEMP_FOLDER_H
#define TESTS_UNIT_WORKER_MEDIA_TEMP_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct temp_folder {
    char path[512];
} temp_folder;

void temp_folder_create(temp_folder *self);
void temp_folder_remove(temp_folder *self);
/** The absolute path of name in the folder; valid until the next four calls. */
const char *temp_folder_path(const temp_folder *self, const char *name);
/** Writes a whole file. Folders in name must exist. */
void temp_folder_write(const temp_folder *self, const char *name, const void *bytes, size_t byte_size);
bool temp_folder_has(const temp_folder *self, const char *name);
/** Bytes of a whole file, to be freed. */
uint8_t *temp_folder_read(const temp_folder *self, const char *name, size_t *out_size);
/** Makes a folder in the folder. */
void temp_folder_make(const temp_folder *self, const char *name);

/** Deterministic numbers for test content (splitmix64). */
uint64_t test_random(uint64_t *state);

#endif
