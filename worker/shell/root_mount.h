/**
 * Is a media root mounted? Of a root below a folder for which fstab has a file system, and that is not mounted there, only the
 * empty folder below the mount is seen, or an old copy: what was written to it no other machine would find.
 *
 * Looked at before the root is opened. Afterwards it is held open, and stays the same whatever is mounted.
 */
#ifndef WORKER_SHELL_ROOT_MOUNT_H
#define WORKER_SHELL_ROOT_MOUNT_H

#include "worker/shell/worker_config.h"

#define ROOT_MOUNT_TABLE "/etc/fstab"

/**
 * STATUS_INPUT_MISSING with a sentence. Fine is also what table does not name or names as a bind mount (which cannot be told
 * from the folder), a folder that is not there, and a machine without table.
 */
MUST_USE status root_mount_check(const char *table, const worker_config_root *root, error_detail *detail);

#endif
