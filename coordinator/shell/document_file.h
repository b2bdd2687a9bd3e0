/**
 * Writing a document into a job's folder: under a temporary name first, so that a name there is always whole.
 *
 * Threads: any; one object belongs to one thread.
 */
#ifndef COORDINATOR_SHELL_DOCUMENT_FILE_H
#define COORDINATOR_SHELL_DOCUMENT_FILE_H

#include "coordinator/shell/job_payload.h"
#include "coordinator/shell/journal_store.h"

/** A document of the job's folder that is being written under a temporary name. */
typedef struct document_file {
    const char *folder;
    job_document_id id;
    journal_keep keep;
    int directory, descriptor;
} document_file;
MUST_USE status document_begin(document_file *out_file, const char *folder, journal_keep keep, job_document_id id);
/** Appends to a descriptor. */
MUST_USE status document_write(int descriptor, const void *bytes, size_t byte_size);
/**
 * code OK: fdatasync, rename, fsync of the folder, the syncs where it is to outlive a loss of power. Else the first failure is told
 * in detail. Closes in any case.
 */
MUST_USE status document_end(document_file *self, status code, error_detail *detail);
/** All of it at once. */
MUST_USE status job_document_write(const char *folder, journal_keep keep, job_document_id id, const void *bytes,
                                   size_t byte_size, error_detail *detail);

#endif
