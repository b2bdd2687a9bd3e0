/**
 * Copies of a coordinator's state folder, and a state folder from such a copy.
 *
 * A backup is a folder with the same content: the journal as it was at one moment, and the jobs' files as they were after
 * it. What the journal points into is only ever added to, so files of a later moment fit it. A backup has its name only
 * when it is whole and on the medium.
 *
 * Threads: any; nothing is shared.
 */
#ifndef COORDINATOR_BACKUP_STATE_COPY_H
#define COORDINATOR_BACKUP_STATE_COPY_H

#include "common/base/status.h"

#include <stdint.h>

/** Copies everything of a state folder but the journal into target, which exists. STATUS_STORAGE_* with a sentence. */
MUST_USE status state_copy_files(const char *state, const char *target, error_detail *detail);

/** fsync of a folder. */
MUST_USE status state_sync_folder(const char *folder, error_detail *detail);

/**
 * Makes a state folder (which is empty or not there) from a backup. The journal is checked, and its term raised far over
 * any that the lost coordinator can have had, so that workers, which refuse lower terms, and results of attempts of the
 * lost time cannot be taken for the new one's. out_jobs: job folders that were brought back.
 */
MUST_USE status state_restore(const char *backup, const char *state, uint32_t *out_jobs, error_detail *detail);

#endif
