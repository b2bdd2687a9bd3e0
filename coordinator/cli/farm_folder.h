/**
 * The folder in which a private farm keeps its state: BASE/reelmill-XXXXXX, mode 0700. While anything of the farm lives it holds
 * a lock (flock) on the file FARM_FOLDER_LOCK in it; the farm's processes inherit the descriptor. A farm that was killed cannot
 * remove its folder; the next one does, wherever the lock is free. Only folders of that name, of this user and of
 * nobody else's access, with that file in them, are touched, and no link is ever followed.
 */
#ifndef COORDINATOR_CLI_FARM_FOLDER_H
#define COORDINATOR_CLI_FARM_FOLDER_H

#include "common/base/limits.h"
#include "common/base/status.h"

#define FARM_FOLDER_LOCK "reelmill-farm.lock"

typedef struct farm_folder {
    char path[PATH_MAX_BYTES]; /**< empty when there is none */
    int lock;                  /**< held; without O_CLOEXEC, so that children hold it too. -1 where storage has no locks */
} farm_folder;

MUST_USE status farm_folder_make(farm_folder *out_folder, const char *base, error_detail *detail);
/** Removes the folder and all in it. */
void farm_folder_remove(farm_folder *self);
/** Removes what dead farms left in `base`. What cannot be removed stays. */
void farm_folder_sweep(const char *base);

#endif
