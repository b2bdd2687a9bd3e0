/* The writing half of storage_root.h. No path here ever follows a symbolic link: folders are walked one by one. */
#define _GNU_SOURCE
#include "worker/media/storage_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static int storage_enter_folder(int parent, const char *name, bool create)
{
    for (;;) {
        int folder = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (folder >= 0)
            return folder;
        if (errno == EINTR)
            continue;
        if (errno != ENOENT || !create)
            return -1;
        if (mkdirat(parent, name, 0777) != 0 && errno != EEXIST)
            return -1;
        create = false; /* made by us or by a neighbour: the next look finds it, or something is wrong */
    }
}

int storage_open_parent(const storage_root *self, const char *path, bool create)
{
    int folder = fcntl(self->directory, F_DUPFD_CLOEXEC, 0);
    char name[PATH_MAX_BYTES];
    for (const char *slash = strchr(path, '/'); folder >= 0 && slash != NULL; slash = strchr(path, '/')) {
        size_t length = (size_t)(slash - path);
        memcpy(name, path, length);
        name[length] = '\0';
        int next = storage_enter_folder(folder, name, create);
        storage_close(folder);
        folder = next;
        path = slash + 1;
    }
    return folder;
}

/* Is its folder there, or the one above that? (A deliverable's own folder has another name until it is published.) */
static bool folder_near(const storage_root *self, const char *path)
{
    char above[PATH_MAX_BYTES];
    int folder = storage_open_parent(self, path, false);
    snprintf(above, sizeof above, "%s", path);
    char *slash = strrchr(above, '/');
    if (folder < 0 && slash != NULL) {
        *slash = '\0';
        folder = strchr(above, '/') != NULL ? storage_open_parent(self, above, false) : -1;
    }
    if (folder < 0)
        return false;
    storage_close(folder);
    return true;
}

/* What this job makes is not there: no wrong name in somebody's show, but storage that does not keep what it has. */
static status storage_fail_own(const storage_root *self, const char *path, const char *action, int error,
                               error_detail *detail)
{
    if (error != ENOENT)
        return storage_fail(self, path, action, error, detail);
    if (folder_near(self, path)) /* the storage is there: waiting for it brings nothing back */
        return error_detail_set(detail, STATUS_STORAGE_MISMATCH,
                                "%.700s in %s could not be %s: it is gone, though its storage is there; it was removed, or this "
                                "coordinator came back from a backup that is older than what was made; `reelmill retry JOB` makes "
                                "it anew",
                                path, self->name, action);
    return error_detail_set(detail, STATUS_STORAGE_IO,
                            "%.700s in %s could not be %s: it or its folder is gone; it was removed or moved away, or the "
                            "storage is not mounted on this node",
                            path, self->name, action);
}

static status storage_check_writable(const storage_root *self, const char *path, error_detail *detail)
{
    status code = storage_check_path(self, path, detail);
    if (code == STATUS_OK && !self->writable)
        return error_detail_set(detail, STATUS_STORAGE_DENIED,
                                "%.700s cannot be written: this worker has %s read-only; choose another output root", path,
                                self->name);
    return code;
}

static uint64_t storage_free_bytes(int descriptor)
{
    struct statvfs info;
    if (fstatvfs(descriptor, &info) != 0)
        return 0;
    return (uint64_t)info.f_bavail * (uint64_t)info.f_frsize;
}

static status storage_fail_full(const storage_root *self, const char *path, uint64_t byte_size, int descriptor,
                                error_detail *detail)
{
    (void)!ftruncate(descriptor, 0); /* what a half-done reservation holds is free as well */
    return error_detail_set(detail, STATUS_STORAGE_FULL,
                            "%.700s in %s needs %llu bytes and %llu are free; free space or choose another output folder",
                            path, self->name, (unsigned long long)byte_size,
                            (unsigned long long)storage_free_bytes(descriptor));
}

/* The whole size now, so that running out of space is known before anything is rendered. */
static status storage_reserve(const storage_root *self, const char *path, int descriptor, uint64_t byte_size,
                              error_detail *detail)
{
    if (byte_size == 0)
        return STATUS_OK;
    if (byte_size > INT64_MAX)
        return storage_fail(self, path, "made", EFBIG, detail);
    int result;
    do
        result = fallocate(descriptor, 0, 0, (off_t)byte_size);
    while (result != 0 && errno == EINTR);
    if (result == 0)
        return STATUS_OK;
    if (errno == ENOSPC || errno == EDQUOT)
        return storage_fail_full(self, path, byte_size, descriptor, detail);
    if (errno != EOPNOTSUPP && errno != ENOSYS)
        return storage_fail(self, path, "reserved", errno, detail);
    /* Storage that cannot reserve: what is free now is the best that can be known. */
    if (storage_free_bytes(descriptor) < byte_size)
        return storage_fail_full(self, path, byte_size, descriptor, detail);
    do
        result = ftruncate(descriptor, (off_t)byte_size);
    while (result != 0 && errno == EINTR);
    return result == 0 ? STATUS_OK : storage_fail(self, path, "reserved", errno, detail);
}

status storage_create_output(const storage_root *self, const char *path, uint64_t byte_size, int *out_descriptor,
                             error_detail *detail)
{
    status code = storage_check_writable(self, path, detail);
    if (code != STATUS_OK)
        return code;
    int parent = storage_open_parent(self, path, true);
    if (parent < 0)
        return storage_fail_own(self, path, "made", errno, detail);
    int descriptor;
    do
        descriptor = openat(parent, storage_base_name(path), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    while (descriptor < 0 && errno == EINTR);
    if (descriptor < 0)
        code = storage_fail_own(self, path, "made", errno, detail);
    else
        code = storage_reserve(self, path, descriptor, byte_size, detail);
    if (code == STATUS_OK) {
        *out_descriptor = descriptor;
    } else if (descriptor >= 0) {
        unlinkat(parent, storage_base_name(path), 0); /* nothing half made stays behind */
        storage_close(descriptor);
    }
    storage_close(parent);
    return code;
}

static status storage_open_plain(const storage_root *self, const char *path, int flags, int *out_descriptor,
                                 error_detail *detail)
{
    bool own = flags != O_RDONLY;
    int parent = storage_open_parent(self, path, false);
    if (parent < 0)
        return (own ? storage_fail_own : storage_fail)(self, path, "opened", errno, detail);
    int descriptor;
    do
        descriptor = openat(parent, storage_base_name(path), flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    while (descriptor < 0 && errno == EINTR);
    int error = errno;
    storage_close(parent);
    if (descriptor < 0)
        return (own ? storage_fail_own : storage_fail)(self, path, "opened", error, detail);
    struct stat info;
    if (fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) {
        storage_close(descriptor);
        return error_detail_set(detail, STATUS_INPUT_CONFLICT, "%.700s in %s is no regular file; move it away", path,
                                self->name);
    }
    *out_descriptor = descriptor;
    return STATUS_OK;
}

status storage_open_output(const storage_root *self, const char *path, int *out_descriptor, error_detail *detail)
{
    status code = storage_check_writable(self, path, detail);
    return code != STATUS_OK ? code : storage_open_plain(self, path, O_RDWR, out_descriptor, detail);
}

status storage_open_published(const storage_root *self, const char *path, int *out_descriptor, error_detail *detail)
{
    status code = storage_check_path(self, path, detail);
    return code != STATUS_OK ? code : storage_open_plain(self, path, O_RDONLY, out_descriptor, detail);
}

/* Without RENAME_NOREPLACE (NFS): a hard link never replaces; without hard links a look before the rename must do. */
static int storage_rename_kept(int from_folder, const char *from, int to_folder, const char *to)
{
    int result = renameat2(from_folder, from, to_folder, to, RENAME_NOREPLACE);
    if (result == 0 || (errno != EINVAL && errno != ENOSYS))
        return result;
    if (linkat(from_folder, from, to_folder, to, 0) == 0)
        return unlinkat(from_folder, from, 0);
    if (errno != EPERM && errno != EOPNOTSUPP && errno != EMLINK && errno != ENOSYS)
        return -1;
    struct stat info;
    if (fstatat(to_folder, to, &info, AT_SYMLINK_NOFOLLOW) == 0) {
        errno = EEXIST;
        return -1;
    }
    return errno == ENOENT ? renameat(from_folder, from, to_folder, to) : -1;
}

status storage_rename(const storage_root *self, const char *from, const char *to, bool replace, error_detail *detail)
{
    status code = storage_check_writable(self, from, detail);
    if (code == STATUS_OK)
        code = storage_check_writable(self, to, detail);
    if (code != STATUS_OK)
        return code;
    int from_folder = storage_open_parent(self, from, false);
    if (from_folder < 0)
        return storage_fail(self, from, "renamed", errno, detail);
    int to_folder = storage_open_parent(self, to, true);
    if (to_folder < 0) {
        code = storage_fail(self, to, "made", errno, detail);
        storage_close(from_folder);
        return code;
    }
    int result = replace ? renameat(from_folder, storage_base_name(from), to_folder, storage_base_name(to))
                         : storage_rename_kept(from_folder, storage_base_name(from), to_folder, storage_base_name(to));
    if (result != 0)
        code = storage_fail(self, errno == ENOENT ? from : to, "published", errno, detail);
    storage_close(from_folder);
    storage_close(to_folder);
    return code;
}

status storage_remove(const storage_root *self, const char *path, error_detail *detail)
{
    status code = storage_check_writable(self, path, detail);
    if (code != STATUS_OK)
        return code;
    int parent = storage_open_parent(self, path, false);
    if (parent < 0)
        return errno == ENOENT ? STATUS_OK : storage_fail(self, path, "removed", errno, detail);
    if (unlinkat(parent, storage_base_name(path), 0) != 0 && errno != ENOENT)
        code = storage_fail(self, path, "removed", errno, detail);
    storage_close(parent);
    return code;
}

void storage_remove_empty_folders(const storage_root *self, const char *path)
{
    char folder[PATH_MAX_BYTES];
    if (!self->writable || storage_check_path(self, path, NULL) != STATUS_OK)
        return;
    snprintf(folder, sizeof folder, "%s", path);
    for (char *slash = strrchr(folder, '/'); slash != NULL; slash = strrchr(folder, '/')) {
        *slash = '\0';
        int parent = storage_open_parent(self, folder, false);
        if (parent < 0)
            continue; /* gone already; the folder above may still be empty */
        int result = unlinkat(parent, storage_base_name(folder), AT_REMOVEDIR);
        int error = errno;
        storage_close(parent);
        if (result != 0 && error != ENOENT)
            return;
    }
}

enum { FARM_DIGITS = 16 };

/*
 * `<final>.<farm>-<job>-<generation>.part`: the middle is hexadecimal digits with a hyphen among them, so that "A.wav" claims
 * neither "A.wav.old.wav.1-1.part" nor an "A.wav.backup.part" of somebody's own.
 */
static bool storage_is_part_of(const char *name, const char *final)
{
    static const char suffix[] = ".part";
    size_t final_length = strlen(final);
    size_t length = strlen(name);
    size_t ends = sizeof suffix - 1;
    if (length <= final_length + 1 + ends || strncmp(name, final, final_length) != 0 || name[final_length] != '.')
        return false;
    size_t middle = length - final_length - 1 - ends;
    const char *inner = name + final_length + 1;
    return strcmp(name + length - ends, suffix) == 0 && strspn(inner, "0123456789abcdef-") == middle &&
           memchr(inner, '-', middle) != NULL;
}

/* The number of the farm whose .part file this is; 0: of none, or of one whose number is shorter. */
static uint64_t storage_farm_of(const char *name)
{
    const char *part = strrchr(name, '.');
    const char *farm = part;
    if (part == NULL || strcmp(part, ".part") != 0)
        return 0;
    while (farm > name && farm[-1] != '.')
        farm--;
    bool numbered = farm > name && strspn(farm, "0123456789abcdef") == FARM_DIGITS && farm[FARM_DIGITS] == '-' &&
                    strspn(farm, "0123456789abcdef-") == (size_t)(part - farm);
    return numbered ? strtoull(farm, NULL, 16) : 0;
}

/* A .part file of another farm than own_part, and of one that lasts: work in flight. */
static status storage_refuse_anothers(const storage_root *self, const char *name, const char *own_part, error_detail *detail)
{
    uint64_t farm = storage_farm_of(name);
    if (farm >> PRIVATE_FARM_BITS == 0 || farm == storage_farm_of(own_part))
        return STATUS_OK;
    return error_detail_set(detail, STATUS_INPUT_INVALID,
                            "'%.400s' in %s is of another farm, which is making this file: wait until its job has ended or "
                            "cancel it there; where that farm is no more, remove the file. Then run again",
                            name, self->name);
}

status storage_remove_stale_parts(const storage_root *self, const char *final, const char *part, error_detail *detail)
{
    status code = storage_check_writable(self, final, detail);
    if (code != STATUS_OK)
        return code;
    int parent = storage_open_parent(self, final, false);
    if (parent < 0)
        return errno == ENOENT ? STATUS_OK : storage_fail(self, final, "prepared", errno, detail);
    int readable = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = readable < 0 ? NULL : fdopendir(readable);
    if (folder == NULL) {
        code = storage_fail(self, final, "prepared", errno, detail);
        storage_close(readable);
        storage_close(parent);
        return code;
    }
    struct dirent *entry;
    while (code == STATUS_OK && (errno = 0, entry = readdir(folder)) != NULL) {
        if (!storage_is_part_of(entry->d_name, storage_base_name(final)))
            continue;
        code = storage_refuse_anothers(self, entry->d_name, storage_base_name(part), detail);
        if (code == STATUS_OK && unlinkat(parent, entry->d_name, 0) != 0 && errno != ENOENT)
            code = storage_fail(self, final, "freed of its stale .part files", errno, detail);
    }
    if (code == STATUS_OK && errno != 0 && errno != ENOENT)
        code = storage_fail(self, final, "prepared", errno, detail);
    closedir(folder);
    storage_close(parent);
    return code;
}

status storage_keep_only(const storage_root *self, const char *folder, uint32_t name_count, const char *const *names,
                         const char *part, error_detail *detail)
{
    status code = storage_check_writable(self, folder, detail);
    if (code != STATUS_OK)
        return code;
    int parent = storage_open_parent(self, folder, false);
    int readable = parent < 0 ? -1
                              : openat(parent, storage_base_name(folder), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *listed = readable < 0 ? NULL : fdopendir(readable);
    if (listed == NULL) {
        code = storage_fail(self, folder, "prepared", errno, detail);
        storage_close(readable);
        storage_close(parent);
        return code;
    }
    struct dirent *entry;
    while (code == STATUS_OK && (errno = 0, entry = readdir(listed)) != NULL) {
        bool kept = false;
        for (uint32_t i = 0; i < name_count && !kept; i++)
            kept = strcmp(entry->d_name, names[i]) == 0;
        if (!kept)
            code = storage_refuse_anothers(self, entry->d_name, storage_base_name(part), detail);
        if (!kept && code == STATUS_OK && unlinkat(dirfd(listed), entry->d_name, 0) != 0 && errno != ENOENT && errno != EISDIR &&
            errno != EPERM)
            code = storage_fail(self, folder, "freed of stale files", errno, detail);
    }
    closedir(listed);
    storage_close(parent);
    return code;
}

status storage_rename_folder(const storage_root *self, const char *from, const char *to, bool *out_done, error_detail *detail)
{
    status code = storage_check_writable(self, from, detail);
    if (code == STATUS_OK)
        code = storage_check_writable(self, to, detail);
    if (code != STATUS_OK)
        return code;
    int from_parent = storage_open_parent(self, from, false);
    int to_parent = from_parent < 0 ? -1 : storage_open_parent(self, to, true);
    int result = to_parent < 0 ? -1
                               : renameat(from_parent, storage_base_name(from), to_parent, storage_base_name(to));
    *out_done = result == 0;
    if (result != 0 && errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR)
        code = storage_fail(self, to, "published", errno, detail);
    storage_close(from_parent);
    storage_close(to_parent);
    return code;
}

static int storage_sync_directory(int folder)
{
    int readable = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (readable < 0)
        return -1;
    int result;
    do
        result = fsync(readable);
    while (result != 0 && errno == EINTR);
    /* Some network file systems know no fsync of a folder; their renames are synchronous. */
    if (result != 0 && (errno == EINVAL || errno == EOPNOTSUPP || errno == ENOSYS))
        result = 0;
    storage_close(readable);
    return result;
}

status storage_sync_folder(const storage_root *self, const char *path, error_detail *detail)
{
    status code = storage_check_writable(self, path, detail);
    char place[PATH_MAX_BYTES];
    snprintf(place, sizeof place, "%s", code == STATUS_OK ? path : "");
    /* The folders above too: one that was just made is itself a new entry of its parent. */
    while (code == STATUS_OK) {
        int folder = storage_open_parent(self, place, false);
        if (folder < 0 || storage_sync_directory(folder) != 0)
            code = storage_fail_own(self, path, "made durable", errno, detail);
        storage_close(folder);
        char *slash = strrchr(place, '/');
        if (slash == NULL)
            break;
        *slash = '\0';
    }
    return code;
}
