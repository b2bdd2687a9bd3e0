/**
 * What a media root is, the same on every machine that mounts the same storage there: made of a file in it and of that
 * file's number, so that a copy of a root is another one. The coordinator compares.
 *
 * Looked at when a worker starts: the root is held open afterwards, and stays the same whatever is mounted.
 */
#ifndef WORKER_SHELL_ROOT_IDENTITY_H
#define WORKER_SHELL_ROOT_IDENTITY_H

#include "proto/message_types.h" /* ROOT_IDENTITY_FILE */
#include "worker/media/storage_root.h"

/** Zero where the root has no such file. STATUS_STORAGE_*, STATUS_INPUT_* with a sentence. */
MUST_USE status root_identity_read(const storage_root *root, content_hash *out_identity, error_detail *detail);
/** Makes the file where there is none; one of all who try it at once does. */
MUST_USE status root_identity_make(const storage_root *root, error_detail *detail);

#endif
