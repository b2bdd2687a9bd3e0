/**
 * Can two writers of a media root make one file together? Two sides, two processes of a machine or of two machines, write
 * every other page of a file in place, sync, and then both read all of it back; with the calls that tasks use. Then each
 * writes over the other's pages, and both read again what they have read before. They find each other by files in a folder
 * of the root, which is removed at the end.
 */
#ifndef WORKER_SHELL_MOUNT_CHECK_H
#define WORKER_SHELL_MOUNT_CHECK_H

#include "worker/media/storage_root.h"

/** side: 0 begins and cleans up, 1 joins. folder: of both sides, in the root. Waits patience_ms for the other at each step. */
MUST_USE status mount_check(const storage_root *root, const char *folder, int side, uint32_t patience_ms, error_detail *detail);
/** The same between two processes of this machine; the second is made by fork. */
MUST_USE status mount_check_alone(const storage_root *root, error_detail *detail);

#endif
