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
} audio_folder;

/** Hidden files and folders, and folders that cannot be read or lie deeper than eight, are passed over. */
void audio_folder_list(audio_folder *out_list, const char *folder, uint32_t count_max, arena *memory);
/** For qsort and bsearch over items. */
int audio_folder_order(const void *a, const void *b);

#endif
