/**
 * What the two halves of storage_root.h share: inputs (storage_root.c) and outputs (storage_output.c). Not for others.
 */
#ifndef WORKER_MEDIA_STORAGE_INTERNAL_H
#define WORKER_MEDIA_STORAGE_INTERNAL_H

#include "worker/media/storage_root.h"

/**
 * Reaction to an errno of a file operation. Access to a place that a person named wrongly is INPUT; a medium or mount
 * that misbehaves is STORAGE; what this process ran out of is NODE.
 */
status storage_status_of_errno(int error);
/** Sets the sentence `<root>/<path> could not be <action>: <reason and what to do>` and returns the status of error. */
status storage_fail(const storage_root *self, const char *path, const char *action, int error, error_detail *detail);
/** Relative, no empty, "." or ".." component, shorter than PATH_MAX_BYTES; else STATUS_INPUT_INVALID with a sentence. */
MUST_USE status storage_check_path(const storage_root *self, const char *path, error_detail *detail);
/** The last component of a checked path. */
const char *storage_base_name(const char *path);
/**
 * O_PATH descriptor of the folder that holds path, walked component by component without following a symbolic link, or
 * -1 with errno. create: missing folders are made.
 */
int storage_open_parent(const storage_root *self, const char *path, bool create);
/** close() that keeps errno: the number of an earlier failure is what the caller reports. */
void storage_close(int descriptor);

#endif
