/**
 * A folder dropped into a watched one, and what is known about it on disk. Its file DROP_NOTE holds the request that its
 * submission has (written and synced before anything is sent) and then the job's number: whoever comes after a crash sends
 * the same request again and gets the same job, or goes on waiting for it.
 */
#ifndef COORDINATOR_CLI_DROP_FOLDER_H
#define COORDINATOR_CLI_DROP_FOLDER_H

#include "common/base/limits.h"
#include "common/base/status.h"
#include "coordinator/show/show_file.h"

#include <stdbool.h>
#include <stdint.h>

#define DROP_NOTE ".reelmill-watch"
enum { DROP_REQUEST_BYTES = 16, DROP_ENTRIES_MAX = 20000, DROP_DEPTH_MAX = 8, DROP_PROBLEMS_MAX = 20 };

typedef struct drop_note {
    bool present;
    uint8_t request[DROP_REQUEST_BYTES];
    uint32_t job; /**< 0: not known yet */
} drop_note;

/** Of a note that is damaged: STATUS_STORAGE_MISMATCH with a sentence. */
MUST_USE status drop_note_read(drop_note *out_note, const char *folder, error_detail *detail);
/** Is it the note of the job whose document has this `request_digest`? Whoever fills the folder may have written any number. */
bool drop_note_is_of(const drop_note *note, const char *request_digest);
/** Replaces it in one step and syncs it. */
MUST_USE status drop_note_write(const drop_note *note, const char *folder, error_detail *detail);
/** The document of its end beside its files, as reelmill-result.json; replaces what has that name. */
MUST_USE status drop_result_write(const char *folder, const char *text, error_detail *detail);
/**
 * The document of a drop that was refused. why: one sentence, empty where the errors of its show.yaml say it: of these
 * DROP_PROBLEMS_MAX are then in `problems`. Those of other files stay out: they may be links, and quote what is not theirs
 * to read who fill the folder. In the arena; "" without memory.
 */
const char *drop_refusal(const char *why, const problem_list *problems, const char *folder, arena *memory);
/** Is this the text of a show.yaml that lies in the folder itself, no link? Only then errors may quote it. */
bool drop_has_show(const char *folder, const char *text, size_t size, arena *memory);
/** A number over names, sizes and times of all that lies in the folder: while files are copied in it changes. */
MUST_USE status drop_fingerprint(const char *folder, uint64_t *out_fingerprint, error_detail *detail);
/** The preset's text with {folder} replaced, as FOLDER/show.yaml, unless there is one. name: the folder's own. */
MUST_USE status drop_make_show(const char *folder, const char *name, const char *preset, error_detail *detail);
/** Moves FOLDER/NAME to FOLDER/WHERE/NAME, or NAME-jobN if that is taken. */
MUST_USE status drop_move(const char *watched, const char *name, const char *where, uint32_t job, error_detail *detail);

#endif
