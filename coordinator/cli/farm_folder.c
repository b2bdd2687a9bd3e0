#define _GNU_SOURCE
#include "coordinator/cli/farm_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static char const folder_prefix[] = "reelmill-";

enum {
    PREFIX_LENGTH = sizeof folder_prefix - 1,
    SUFFIX_LENGTH = 6, /* what mkdtemp fills in */
    DEPTH_MAX = 8      /* a farm's state has two levels */
};

/* Removes what lies in an open folder, and closes it; links go, what they point to stays. */
static void empty_folder(int descriptor, int depth)
{
    DIR *folder = fdopendir(descriptor);
    if (folder == NULL) {
        close(descriptor);
        return;
    }
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            (depth == 0 && strcmp(entry->d_name, FARM_FOLDER_LOCK) == 0)) /* last: an interrupted sweep is taken up again */
            continue;
        if (unlinkat(descriptor, entry->d_name, 0) == 0 || (errno != EISDIR && errno != EPERM) || depth == DEPTH_MAX)
            continue;
        int inner = openat(descriptor, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (inner >= 0)
            empty_folder(inner, depth + 1);
        unlinkat(descriptor, entry->d_name, AT_REMOVEDIR);
    }
    if (depth == 0)
        unlinkat(descriptor, FARM_FOLDER_LOCK, 0);
    closedir(folder);
}

/* The lock is taken before the file has its name: a folder with that file and a free lock is a dead one. */
static int lock_folder(const char *path)
{
    static char const fresh[] = FARM_FOLDER_LOCK ".new";
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int lock = folder < 0 ? -1 : openat(folder, fresh, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    if (lock >= 0 && (flock(lock, LOCK_EX | LOCK_NB) != 0 || renameat(folder, fresh, folder, FARM_FOLDER_LOCK) != 0)) {
        unlinkat(folder, fresh, 0); /* nobody will take it for dead, nobody will remove it if it dies */
        close(lock);
        lock = -1;
    }
    if (folder >= 0)
        close(folder);
    return lock;
}

status farm_folder_make(farm_folder *out_folder, const char *base, error_detail *detail)
{
    out_folder->lock = -1;
    int length = snprintf(out_folder->path, sizeof out_folder->path, "%s/%sXXXXXX", base, folder_prefix);
    if (length < 0 || (size_t)length >= sizeof out_folder->path || mkdtemp(out_folder->path) == NULL) {
        int number = length < 0 || (size_t)length >= sizeof out_folder->path ? ENAMETOOLONG : errno;
        out_folder->path[0] = '\0';
        return error_detail_set(detail, STATUS_STORAGE_DENIED,
                                "cannot make a folder for the farm's state in '%s': %s; set TMPDIR to a local folder", base,
                                strerror(number));
    }
    out_folder->lock = lock_folder(out_folder->path);
    return STATUS_OK;
}

void farm_folder_remove(farm_folder *self)
{
    int folder = self->path[0] == '\0' ? -1 : open(self->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder >= 0) {
        empty_folder(folder, 0);
        rmdir(self->path);
    }
    if (self->lock >= 0)
        close(self->lock);
    *self = (farm_folder){.lock = -1};
}

static bool is_farm_name(const char *name)
{
    return strncmp(name, folder_prefix, PREFIX_LENGTH) == 0 && strlen(name) == PREFIX_LENGTH + SUFFIX_LENGTH;
}

/* The lock of a dead farm, now ours, or -1: it lives, or it is no farm of this user. */
static int claim_dead(int folder)
{
    struct stat info;
    if (fstat(folder, &info) != 0 || info.st_uid != geteuid() || (info.st_mode & 0077) != 0)
        return -1;
    int lock = openat(folder, FARM_FOLDER_LOCK, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (lock < 0)
        return -1;
    if (fstat(lock, &info) != 0 || !S_ISREG(info.st_mode) || info.st_uid != geteuid() || flock(lock, LOCK_EX | LOCK_NB) != 0) {
        close(lock);
        return -1;
    }
    return lock;
}

void farm_folder_sweep(const char *base)
{
    DIR *listed = opendir(base);
    if (listed == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(listed)) != NULL;) {
        if (!is_farm_name(entry->d_name))
            continue;
        int folder = openat(dirfd(listed), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int lock = folder < 0 ? -1 : claim_dead(folder);
        if (lock >= 0) {
            empty_folder(folder, 0);
            unlinkat(dirfd(listed), entry->d_name, AT_REMOVEDIR);
            close(lock);
        } else if (folder >= 0) {
            close(folder);
        }
    }
    closedir(listed);
}
