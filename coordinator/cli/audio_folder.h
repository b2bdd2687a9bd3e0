/** The audio files below a folder, by their names alone: nothing is opened. */
#ifndef COORDINATOR_CLI_AUDIO_FOLDER_H
#define COORDINATOR_CLI_AUDIO_FOLDER_H

#include "common/base/arena.h"

#include <stdbool.h>
#include <stdint.h>

/** What may hold sound, and is passed over: links to folders, links named like audio that lead nowhere, films. */
typedef enum audio_passed_over { AUDIO_FOLDER_LINK, AUDIO_DEAD_LINK, AUDIO_FILM, AUDIO_PASSED_OVER } audio_passed_over;

typedef struct audio_folder {
    uint32_t count;
    const char **items; /**< relative to the folder, in order of audio_folder_order; in the arena */
    bool too_many;      /**< there are more than count_max */
    bool too_large;     /**< so many entries, audio or not, that not all were looked at */
    struct {
        uint32_t count;
        const char *first; /**< by name, relative to the folder */
    } passed_over[AUDIO_PASSED_OVER];
} audio_folder;

enum { AUDIO_FOLDER_ENTRIES = 16 }; /**< for each of count_max: what is looked at, audio or not */

/**
 * Hidden files and folders, and folders that cannot be read or lie deeper than eight, are passed over, and so are links to
 * folders, which may lead back, and the rest of audio_passed_over: the caller tells of these by audio_folder_left_out.
 */
void audio_folder_list(audio_folder *out_list, const char *folder, uint32_t count_max, arena *memory);
/** A line on each audio_passed_over that there was; "" if there was none. Nothing in it is obeyed by a terminal. */
const char *audio_folder_left_out(const audio_folder *list, const char *folder, arena *memory);
/** For qsort and bsearch over items. */
int audio_folder_order(const void *a, const void *b);

#endif
