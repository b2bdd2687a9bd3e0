/**
 * Configuration files of programs: YAML mappings of plain values, read into one call per value, each with its place, so
 * that whatever is wrong is told with file, line and column. What a key means is the caller's.
 *
 * A list of plain values is the same key several times. Keys nest at most SETTINGS_DEPTH_MAX deep.
 */
#ifndef COMMON_SETTINGS_SETTINGS_FILE_H
#define COMMON_SETTINGS_SETTINGS_FILE_H

#include "common/base/status.h"

#include <stdint.h>

enum { SETTINGS_DEPTH_MAX = 4, SETTINGS_PLACE_MAX = 320 };

/** One value; texts live during the call. */
typedef struct settings_entry {
    uint32_t depth;                       /**< of keys: `roots: {media: {mode: ro}}` has 3 */
    const char *keys[SETTINGS_DEPTH_MAX]; /**< "roots", "media", "mode" */
    const char *value;
    char place[SETTINGS_PLACE_MAX];     /**< "worker.yaml:3:8", of the value */
    char key_place[SETTINGS_PLACE_MAX]; /**< of the innermost key */
} settings_entry;

/** STATUS_AGAIN: there is no such key; the caller of settings_file_read is then told so with the key's place. */
typedef status settings_take(void *context, const settings_entry *entry, error_detail *detail);

/** allowed: the keys of the top level, for the sentence about an unknown one. Stops at the first thing that is wrong. */
MUST_USE status settings_file_read(const char *path, const char *allowed, settings_take *take, void *context,
                                   error_detail *detail);

#endif
