/** The audio files below a folder, by their names alone: nothing is opened. */
#ifndef COORDINATOR_CLI_AUDIO_FOLDER_H
#define COORDINATOR_CLI_AUDIO_FOLDER_H

#include "common/base/arena.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct audio_folder {
    uint32_t count;
    const char **items; /**< relative to the folder, in order of audio_folder_order; in the arena */
    bool too_many;      /**< there are more than count_max */
    bool too_large;     /**< so many entries, audio or not, that not all were looked at */
    uint32_t link_count; /**< links to folders */
    const char *link;    /**< the first of them by name, relative to the folder */
} audio_folder;

enum { AUDIO_FOLDER_ENTRIES = 16 }; /**< for each of count_max: what is looked at, audio or not */

/**
 * Hidden files and folders, and folders that cannot be read or lie deeper than eight, are passed over, and so are links to
 * folders, which may lead back: the caller tells of them by audio_folder_links.
 */
void audio_folder_list(audio_folder *out_list, const char *folder, uint32_t count_max, arena *memory);
/** A line on the links to folders that were passed over; "" if there were none. Nothing in it is obeyed by a terminal. */
const char *audio_folder_links(const audio_folder *list, const char *folder, arena *memory);
/** For qsort and bsearch over items. */
int audio_folder_order(const void *a, const void *b);

#endif
