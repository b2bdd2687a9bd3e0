/**
 * A show file for a folder of stems, from the files' names and what the probe found in them. It guesses, says what it
 * guessed, and leaves out what it cannot place. Pure.
 */
#ifndef COORDINATOR_SHOW_SHOW_INIT_H
#define COORDINATOR_SHOW_SHOW_INIT_H

#include "coordinator/show/show_file.h"

typedef struct init_file {
    const char *path;            /**< relative to the folder */
    uint32_t channel_count;      /**< 0: the file cannot be used */
    uint32_t sample_rate;
    bool has_time_reference;
    uint64_t time_reference;     /**< samples since midnight */
} init_file;

/**
 * The text of the show file, in the arena. notes: what was guessed (PROBLEM_INFO) and left out (PROBLEM_WARNING).
 * STATUS_INPUT_MISSING with an error in notes when nothing in the folder is a stem.
 */
MUST_USE status show_init_text(const init_file *files, size_t file_count, const char *folder_name, arena *memory,
                               const char **out_text, problem_list *notes);

#endif
