#define _GNU_SOURCE
#include "worker/media/storage_root.h"

#include "worker/media/storage_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

/* openat2 answers EAGAIN when a rename elsewhere races with its walk; a few repeats are enough. */
enum { OPEN_RACES_MAX = 32 };

status storage_status_of_errno(int error)
{
    switch (error) {
    case ENOENT:
        return STATUS_INPUT_MISSING;
    case ELOOP:
    case EXDEV:
    case ENOTDIR:
    case EISDIR:
    case ENAMETOOLONG:
    case EILSEQ:
        return STATUS_INPUT_INVALID;
    case EEXIST:
        return STATUS_INPUT_CONFLICT;
    case EACCES:
    case EPERM:
        return STATUS_STORAGE_DENIED;
    case ENOSPC:
    case EDQUOT:
        return STATUS_STORAGE_FULL;
    case EFBIG:
        return STATUS_LIMIT;
    case ENOMEM:
        return STATUS_NODE_MEMORY;
    case EMFILE:
    case ENFILE:
    case ENOSYS:
    case EBADF:
    case EINVAL:
    case EFAULT:
        return STATUS_NODE_SYSTEM;
    default:
        /* EROFS (a file system goes read-only when its disk fails), EIO, ESTALE, ENXIO, ENODEV, ETIMEDOUT, ENOTCONN and
         * their kind: the mount is ill. */
        return STATUS_STORAGE_IO;
    }
}

static const char *storage_advice(int error)
{
    switch (error) {
    case ENOENT:
        return "there is no such file; check its name and that the storage is mounted on this node";
    case ELOOP:
    case EXDEV:
        return "a symbolic link leads out of the media root (an absolute link counts as leading out); use a path inside it";
    case ENOTDIR:
        return "a part of the path is no folder, or is a symbolic link";
    case EISDIR:
        return "it is a folder";
    case EEXIST:
        return "a file of that name exists already";
    case ENAMETOOLONG:
        return "the file system does not take so long a name";
    case EACCES:
    case EPERM:
        return "permission denied; check the owner and mode of the file and of the folders above it";
    case EROFS:
        return "the storage is mounted read-only";
    case ENOSPC:
        return "the storage is full; free space or choose another place";
    case EDQUOT:
        return "the quota is used up";
    case EFBIG:
        return "the file system does not take so large a file";
    default:
        return NULL;
    }
}

status storage_fail(const storage_root *self, const char *path, const char *action, int error, error_detail *detail)
{
    const char *advice = storage_advice(error);
    char number[96];
    if (advice == NULL) {
        /* strerror is not reentrant; the name of the error says as much and never changes with the locale. */
        const char *name = strerrorname_np(error);
        snprintf(number, sizeof number, "%s (error %d)", name == NULL ? "unknown error" : name, error);
        advice = number;
    }
    return error_detail_set(detail, storage_status_of_errno(error), "%.700s in %s could not be %s: %s", path, self->name,
                            action, advice);
}

void storage_close(int descriptor)
{
    int saved = errno;
    if (descriptor >= 0)
        close(descriptor);
    errno = saved;
}

status storage_check_path(const storage_root *self, const char *path, error_detail *detail)
{
    size_t length = strnlen(path, PATH_MAX_BYTES);
    bool good = length > 0 && length < PATH_MAX_BYTES;
    for (size_t start = 0; good && start <= length;) {
        size_t part = strcspn(path + start, "/");
        const char *text = path + start;
        good = part > 0 && !(part == 1 && text[0] == '.') && !(part == 2 && text[0] == '.' && text[1] == '.');
        start += part + 1;
    }
    if (good)
        return STATUS_OK;
    return error_detail_set(detail, STATUS_INPUT_INVALID,
                            "\"%.700s\" is no path inside %s: expected a relative path of at most %d bytes without empty, "
                            "\".\" or \"..\" parts",
                            path, self->name, PATH_MAX_BYTES - 1);
}

const char *storage_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

status storage_roots_add(storage_roots *self, const char *name, const char *directory, bool writable, error_detail *detail)
{
    if (self->count >= ROOTS_MAX)
        return error_detail_set(detail, STATUS_LIMIT, "%s is one media root too many: at most %d are possible", name,
                                ROOTS_MAX);
    if (name[0] == '\0' || strlen(name) >= NAME_MAX_BYTES)
        return error_detail_set(detail, STATUS_INPUT_INVALID,
                                "\"%.100s\" cannot name a media root: expected 1 to %d bytes", name, NAME_MAX_BYTES - 1);
    if (storage_roots_find(self, name) != NULL)
        return error_detail_set(detail, STATUS_INPUT_CONFLICT, "the media root %s is stated twice; name each once", name);
    int descriptor = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) {
        status code = errno == ENOTDIR ? STATUS_INPUT_MISSING : storage_status_of_errno(errno);
        return error_detail_set(detail, code, "the folder %.700s of media root %s cannot be opened: %s", directory, name,
                                errno == ENOTDIR          ? "it is no folder"
                                : storage_advice(errno) ? storage_advice(errno)
                                                          : "the system refused");
    }
    storage_root *root = &self->items[self->count++];
    *root = (storage_root){.directory = descriptor, .writable = writable};
    snprintf(root->name, sizeof root->name, "%s", name);
    return STATUS_OK;
}

void storage_roots_deinit(storage_roots *self)
{
    for (uint32_t i = 0; i < self->count; i++)
        storage_close(self->items[i].directory);
    *self = (storage_roots){0};
}

const storage_root *storage_roots_find(const storage_roots *self, const char *name)
{
    for (uint32_t i = 0; i < self->count; i++)
        if (strcmp(self->items[i].name, name) == 0)
            return &self->items[i];
    return NULL;
}

static int storage_openat2(int directory, const char *path, int flags)
{
    struct open_how how = {.flags = (unsigned)flags, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    long result = -1;
    for (int i = 0; i < OPEN_RACES_MAX; i++) {
        result = syscall(SYS_openat2, directory, path, &how, sizeof how);
        if (result >= 0 || (errno != EAGAIN && errno != EINTR))
            break;
    }
    return (int)result;
}

/* The same without openat2 (kernels before 5.6, sandboxes that do not know the call): stricter, no link is followed. */
static int storage_open_strict(const storage_root *self, const char *path, int flags)
{
    int parent = storage_open_parent(self, path, false);
    if (parent < 0)
        return -1;
    int descriptor;
    do
        descriptor = openat(parent, storage_base_name(path), flags | O_NOFOLLOW);
    while (descriptor < 0 && errno == EINTR);
    storage_close(parent);
    return descriptor;
}

static int storage_open_beneath(const storage_root *self, const char *path, int flags)
{
    int descriptor = storage_openat2(self->directory, path, flags);
    if (descriptor < 0 && (errno == ENOSYS || errno == EPERM))
        descriptor = storage_open_strict(self, path, flags);
    return descriptor;
}

static status storage_check_regular(const storage_root *self, const char *path, int descriptor, error_detail *detail)
{
    struct stat info;
    if (fstat(descriptor, &info) != 0)
        return storage_fail(self, path, "examined", errno, detail);
    if (S_ISREG(info.st_mode))
        return STATUS_OK;
    const char *what = S_ISDIR(info.st_mode)    ? "a folder"
                       : S_ISFIFO(info.st_mode) ? "a named pipe"
                       : S_ISSOCK(info.st_mode) ? "a socket"
                       : S_ISLNK(info.st_mode)  ? "a symbolic link"
                                                : "a device";
    return error_detail_set(detail, STATUS_INPUT_INVALID, "%.700s in %s is %s, expected an audio file", path, self->name,
                            what);
}

status storage_open_input(const storage_root *self, const char *path, int *out_descriptor, error_detail *detail)
{
    status code = storage_check_path(self, path, detail);
    if (code != STATUS_OK)
        return code;
    /* Looked at before it is opened: opening a pipe or a device for reading can itself do something. */
    int look = storage_open_beneath(self, path, O_PATH | O_CLOEXEC);
    if (look < 0)
        return storage_fail(self, path, "opened", errno, detail);
    code = storage_check_regular(self, path, look, detail);
    storage_close(look);
    if (code != STATUS_OK)
        return code;
    int descriptor = storage_open_beneath(self, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (descriptor < 0)
        return storage_fail(self, path, "opened", errno, detail);
    code = storage_check_regular(self, path, descriptor, detail);
    if (code != STATUS_OK) {
        storage_close(descriptor);
        return code;
    }
    *out_descriptor = descriptor;
    return STATUS_OK;
}

/* FUSE (sshfs and others) and SMB mounts number files as they meet them, each machine and each mount for itself. */
static bool numbers_files_for_itself(int descriptor, const struct stat *info)
{
    struct statfs facts;
    if (major(info->st_dev) != 0 || fstatfs(descriptor, &facts) != 0) /* 0: no block device below it */
        return false;
    unsigned magic = (unsigned)facts.f_type;
    return magic == FUSE_SUPER_MAGIC || magic == CIFS_SUPER_MAGIC || magic == SMB2_SUPER_MAGIC || magic == SMB_SUPER_MAGIC;
}

status storage_identity(int descriptor, media_identity *out_identity)
{
    struct stat info;
    if (fstat(descriptor, &info) != 0)
        return storage_status_of_errno(errno);
    *out_identity = (media_identity){
        .dev = (uint64_t)info.st_dev,
        .ino = numbers_files_for_itself(descriptor, &info) ? 1 : (uint64_t)info.st_ino,
        .size = (uint64_t)info.st_size,
        .mtime_ns = (int64_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec,
        .ctime_ns = (int64_t)info.st_ctim.tv_sec * 1000000000 + info.st_ctim.tv_nsec,
    };
    return STATUS_OK;
}

bool storage_identity_equal(const media_identity *a, const media_identity *b)
{
    /* Not the device: two machines that mount the same storage number it differently. */
    return a->ino == b->ino && a->size == b->size && a->mtime_ns == b->mtime_ns &&
           a->ctime_ns == b->ctime_ns;
}

status storage_open_probed(const storage_roots *self, const char *root_name, const char *path, const media_identity *probed,
                           int *out_descriptor, error_detail *detail)
{
    const storage_root *root = storage_roots_find(self, root_name);
    media_identity found;
    *out_descriptor = -1;
    if (root == NULL)
        return error_detail_set(detail, STATUS_STORAGE_DENIED, "this worker has no media root '%s' (for '%s')", root_name, path);
    status code = storage_open_input(root, path, out_descriptor, detail);
    if (code == STATUS_INPUT_MISSING) /* it was there when it was probed: no wrong name, but storage that is away */
        return error_detail_set(detail, STATUS_STORAGE_IO,
                                "'%s' in %s is gone since it was probed; put it back, or mount the storage on this node", path,
                                root_name);
    if (code == STATUS_OK)
        code = storage_identity(*out_descriptor, &found);
    if (code == STATUS_OK && (probed->ino == 0 ? found.size != probed->size : !storage_identity_equal(&found, probed)))
        code = error_detail_set(detail, STATUS_INPUT_CHANGED,
                                "'%s' changed since it was probed; submit the show again when the file is final", path);
    if (code != STATUS_OK && *out_descriptor >= 0) {
        close(*out_descriptor);
        *out_descriptor = -1;
    }
    return code;
}

status storage_read_at(int descriptor, void *bytes, size_t byte_size, uint64_t offset, error_detail *detail)
{
    size_t done = 0;
    while (done < byte_size) {
        ssize_t got = pread(descriptor, (uint8_t *)bytes + done, byte_size - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_detail_set(detail, storage_status_of_errno(errno),
                                    "reading %zu bytes at byte %llu failed with %s; check the storage", byte_size - done,
                                    (unsigned long long)(offset + done), strerrorname_np(errno));
        if (got == 0)
            return error_detail_set(detail, STATUS_INPUT_TRUNCATED,
                                    "the file ends at byte %llu, expected bytes up to %llu; it was cut short",
                                    (unsigned long long)(offset + done), (unsigned long long)(offset + byte_size));
        done += (size_t)got;
    }
    return STATUS_OK;
}

status storage_write_at(int descriptor, const void *bytes, size_t byte_size, uint64_t offset, error_detail *detail)
{
    size_t done = 0;
    while (done < byte_size) {
        ssize_t put = pwrite(descriptor, (const uint8_t *)bytes + done, byte_size - done, (off_t)(offset + done));
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) {
            int error = put == 0 ? ENOSPC : errno; /* a write that takes nothing and names no error has no room */
            return error_detail_set(detail, storage_status_of_errno(error),
                                    "writing %zu bytes at byte %llu failed with %s; %s", byte_size - done,
                                    (unsigned long long)(offset + done), strerrorname_np(error),
                                    storage_status_of_errno(error) == STATUS_STORAGE_FULL ? "free space on the storage"
                                                                                          : "check the storage");
        }
        done += (size_t)put;
    }
    return STATUS_OK;
}

status storage_sync(int descriptor, error_detail *detail)
{
    while (fdatasync(descriptor) != 0) {
        if (errno == EINTR)
            continue;
        /* Never tried again: after a failed sync the kernel may have dropped the pages and a second one says "fine". */
        status code = storage_status_of_errno(errno);
        return error_detail_set(detail, status_class_of(code) == STATUS_CLASS_STORAGE ? code : STATUS_STORAGE_IO,
                                "the storage did not confirm what was written (%s); check it", strerrorname_np(errno));
    }
    return STATUS_OK;
}

void storage_drop_cache(int descriptor)
{
    /* Advice only: a file system that keeps its pages makes the check weaker, never wrong. */
    (void)posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
}

void storage_write_behind(int descriptor, uint64_t offset, uint64_t byte_size)
{
    (void)sync_file_range(descriptor, (off_t)offset, (off_t)byte_size, SYNC_FILE_RANGE_WRITE);
}

void storage_read_in_order(int descriptor)
{
    (void)posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
}
