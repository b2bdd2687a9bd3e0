#define _GNU_SOURCE
#include "worker/shell/root_mount.h"

#include <limits.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool lies_in(const char *folder, const char *mount)
{
    size_t size = strlen(mount);
    return strncmp(folder, mount, size) == 0 && (folder[size] == '/' || folder[size] == '\0');
}

/* By the device, not by the system's list of mounts: a service's sandbox mounts an empty folder over itself (ReadWritePaths=). */
static bool is_bare(const char *mount)
{
    char above[PATH_MAX];
    struct stat inner;
    struct stat outer;
    int size = snprintf(above, sizeof above, "%s/..", mount);
    return size < (int)sizeof above && stat(mount, &inner) == 0 && stat(above, &outer) == 0 && inner.st_dev == outer.st_dev;
}

status root_mount_check(const char *table, const worker_config_root *root, error_detail *detail)
{
    char line[2 * PATH_MAX];
    struct mntent entry;
    status code = STATUS_OK;
    FILE *file = setmntent(table, "re");
    char *folder = realpath(root->folder, NULL);
    while (file != NULL && folder != NULL && code == STATUS_OK && getmntent_r(file, &entry, line, sizeof line) != NULL) {
        size_t size = strlen(entry.mnt_dir);
        while (size > 0 && entry.mnt_dir[size - 1] == '/')
            entry.mnt_dir[--size] = '\0';
        bool bound = hasmntopt(&entry, "bind") != NULL || hasmntopt(&entry, "rbind") != NULL;
        if (size > 0 && !bound && lies_in(folder, entry.mnt_dir) && is_bare(entry.mnt_dir))
            code = error_detail_set(detail, STATUS_INPUT_MISSING,
                                    "the folder %.700s of media root %s is not the storage: %s has %.400s for %.400s, and it is not "
                                    "mounted; mount it", root->folder, root->name, table, entry.mnt_fsname, entry.mnt_dir);
    }
    if (file != NULL)
        endmntent(file);
    free(folder);
    return code;
}
