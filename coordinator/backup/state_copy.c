#define _GNU_SOURCE
#include "coordinator/backup/state_copy.h"

#include "common/base/limits.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 3, COPY_BYTES = 1 << 20, TERM_RAISE = 1 << 20 };

static status fail_path(error_detail *detail, const char *doing, const char *path)
{
    status code = errno == ENOSPC || errno == EDQUOT ? STATUS_STORAGE_FULL
                  : errno == EACCES || errno == EPERM || errno == EROFS ? STATUS_STORAGE_DENIED
                                                                        : STATUS_STORAGE_IO;
    return error_detail_set(detail, code, "%s '%.400s' failed: %s", doing, path, strerror(errno));
}

status state_sync_folder(const char *folder, error_detail *detail)
{
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = descriptor >= 0 && (fsync(descriptor) == 0 || errno == EINVAL);
    status code = done ? STATUS_OK : fail_path(detail, "syncing", folder);
    if (descriptor >= 0)
        close(descriptor);
    return code;
}

/* Up to its end of now; what is added meanwhile belongs to a later moment. */
static status copy_bytes(int from, int to, const char *path, char *buffer, error_detail *detail)
{
    for (;;) {
        ssize_t size = read(from, buffer, COPY_BYTES);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return fail_path(detail, "reading", path);
        if (size == 0)
            return fdatasync(to) == 0 ? STATUS_OK : fail_path(detail, "syncing the copy of", path);
        for (ssize_t done = 0; done < size;) {
            ssize_t part = write(to, buffer + done, (size_t)(size - done));
            if (part < 0 && errno != EINTR)
                return fail_path(detail, "writing the copy of", path);
            done += part > 0 ? part : 0;
        }
    }
}

/* A file that is gone meanwhile (a temporary one) is none. */
static status copy_file(const char *from_path, const char *to_path, error_detail *detail)
{
    int from = open(from_path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (from < 0)
        return errno == ENOENT ? STATUS_OK : fail_path(detail, "opening", from_path);
    int to = open(to_path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    char *buffer = malloc(COPY_BYTES);
    status code = STATUS_OK;
    if (to < 0)
        code = fail_path(detail, "making", to_path);
    else if (buffer == NULL)
        code = error_detail_set(detail, STATUS_NODE_MEMORY, "out of memory");
    else
        code = copy_bytes(from, to, from_path, buffer, detail);
    free(buffer);
    close(from);
    if (to >= 0 && close(to) != 0 && code == STATUS_OK)
        code = fail_path(detail, "closing", to_path);
    return code;
}

static bool is_journal(const char *name)
{
    return strncmp(name, "journal.db", strlen("journal.db")) == 0;
}

static status copy_folder(const char *from, const char *to, int depth, error_detail *detail);

static status copy_entry(const char *from, const char *to, const char *name, int depth, error_detail *detail)
{
    char from_path[PATH_MAX_BYTES];
    char to_path[PATH_MAX_BYTES];
    struct stat facts;
    if (snprintf(from_path, sizeof from_path, "%s/%s", from, name) >= (int)sizeof from_path ||
        snprintf(to_path, sizeof to_path, "%s/%s", to, name) >= (int)sizeof to_path)
        return error_detail_set(detail, STATUS_LIMIT, "the name '%.200s/%.200s' is too long", to, name);
    if (lstat(from_path, &facts) != 0)
        return errno == ENOENT ? STATUS_OK : fail_path(detail, "looking at", from_path);
    if (S_ISREG(facts.st_mode))
        return copy_file(from_path, to_path, detail);
    if (!S_ISDIR(facts.st_mode) || depth == DEPTH_MAX)
        return STATUS_OK; /* sockets; nothing of ours lies deeper */
    if (mkdir(to_path, 0700) != 0)
        return fail_path(detail, "making", to_path);
    return copy_folder(from_path, to_path, depth + 1, detail);
}

/* Depth is bounded, so recursion is. Hidden entries and the journal, which is not copied as a file, are passed over. */
static status copy_folder(const char *from, const char *to, int depth, error_detail *detail)
{
    DIR *folder = opendir(from);
    if (folder == NULL)
        return fail_path(detail, "opening", from);
    status code = STATUS_OK;
    for (struct dirent *entry; code == STATUS_OK && (entry = readdir(folder)) != NULL;)
        if (entry->d_name[0] != '.' && !(depth == 0 && is_journal(entry->d_name)))
            code = copy_entry(from, to, entry->d_name, depth, detail);
    closedir(folder);
    return code == STATUS_OK ? state_sync_folder(to, detail) : code;
}

status state_copy_files(const char *state, const char *target, error_detail *detail)
{
    return copy_folder(state, target, 0, detail);
}

/* ---- back ---- */

static status need_empty(const char *state, error_detail *detail)
{
    if (mkdir(state, 0700) != 0 && errno != EEXIST)
        return fail_path(detail, "making", state);
    DIR *folder = opendir(state);
    if (folder == NULL)
        return fail_path(detail, "opening", state);
    bool empty = true;
    for (struct dirent *entry; empty && (entry = readdir(folder)) != NULL;)
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    closedir(folder);
    return empty ? STATUS_OK
                 : error_detail_set(detail, STATUS_INPUT_CONFLICT,
                                    "the state folder '%.400s' is not empty; stop its coordinator, move it away, and restore into "
                                    "an empty one", state);
}

static int take_text(void *context, int count, char **values, char **names)
{
    (void)names;
    if (count > 0 && values[0] != NULL)
        snprintf(context, 64, "%s", values[0]);
    return 0;
}

static status revive_journal(const char *path, error_detail *detail)
{
    sqlite3 *database = NULL;
    char verdict[64] = "";
    char format[64] = "";
    char raise[160];
    snprintf(raise, sizeof raise, "UPDATE farm SET value = value + %d WHERE key = 'term'", TERM_RAISE);
    int result = sqlite3_open_v2(path, &database, SQLITE_OPEN_READWRITE, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_exec(database, "PRAGMA integrity_check", take_text, verdict, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_exec(database, "SELECT value FROM farm WHERE key = 'format'", take_text, format, NULL);
    bool good = result == SQLITE_OK && strcmp(verdict, "ok") == 0 && format[0] != '\0';
    if (good)
        result = sqlite3_exec(database, raise, NULL, NULL, NULL);
    status code = STATUS_OK;
    if (!good || result != SQLITE_OK)
        code = error_detail_set(detail, STATUS_STORAGE_MISMATCH, "the backup's journal is damaged: %s; take another backup",
                                result != SQLITE_OK ? sqlite3_errstr(result) : verdict);
    sqlite3_close(database);
    return code;
}

static uint32_t count_jobs(const char *folder)
{
    uint32_t jobs = 0;
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;)
        jobs += strncmp(entry->d_name, "job-", 4) == 0 ? 1 : 0;
    if (entries != NULL)
        closedir(entries);
    return jobs;
}

/* Owner of a folder that is there; root's own where it is not. */
static void look_at_owner(const char *folder, struct stat *out_owner)
{
    if (lstat(folder, out_owner) != 0)
        *out_owner = (struct stat){0};
}

/*
 * Root restores for the service's user as that user: whoever owns the folder, or the one above it, can put links there at any
 * moment, and must not reach with them what only root may. There is no way back within this process.
 */
static status become_owner(const char *state, error_detail *detail)
{
    char above[PATH_MAX_BYTES];
    struct stat owner;
    if (geteuid() != 0)
        return STATUS_OK;
    if (snprintf(above, sizeof above, "%s", state) >= (int)sizeof above)
        return error_detail_set(detail, STATUS_LIMIT, "the folder's name is too long");
    look_at_owner(state, &owner);
    char *slash = strrchr(above, '/');
    if (slash != NULL)
        slash[slash == above ? 1 : 0] = '\0';
    if (owner.st_uid == 0) /* root's own, or not there yet: who owns what it lies in can put something else there */
        look_at_owner(slash == NULL ? "." : above, &owner);
    if (owner.st_uid == 0)
        return STATUS_OK;
    if (setgroups(0, NULL) != 0 || setresgid(owner.st_gid, owner.st_gid, owner.st_gid) != 0 ||
        setresuid(owner.st_uid, owner.st_uid, owner.st_uid) != 0)
        return fail_path(detail, "becoming the owner of", state);
    return STATUS_OK;
}

status state_restore(const char *backup, const char *state, uint32_t *out_jobs, error_detail *detail)
{
    char saved[PATH_MAX_BYTES];
    char fresh[PATH_MAX_BYTES];
    char final[PATH_MAX_BYTES];
    if (snprintf(saved, sizeof saved, "%s/journal.db", backup) >= (int)sizeof saved ||
        snprintf(fresh, sizeof fresh, "%s/restored.db", state) >= (int)sizeof fresh)
        return error_detail_set(detail, STATUS_LIMIT, "the folder's name is too long");
    snprintf(final, sizeof final, "%s/journal.db", state);
    status code = become_owner(state, detail);
    if (code != STATUS_OK)
        return code;
    if (access(saved, R_OK) != 0)
        return error_detail_set(detail, STATUS_INPUT_MISSING, "'%.400s' holds no backup that user %u can read: %s", saved,
                                (unsigned)geteuid(), strerror(errno));
    code = need_empty(state, detail);
    if (code == STATUS_OK)
        code = copy_file(saved, fresh, detail);
    if (code == STATUS_OK)
        code = revive_journal(fresh, detail);
    if (code == STATUS_OK)
        code = state_copy_files(backup, state, detail);
    if (code == STATUS_OK)
        *out_jobs = count_jobs(state);
    /* Last: without a journal of this name a coordinator would begin anew, and nobody takes half a state for a whole one. */
    if (code == STATUS_OK && rename(fresh, final) != 0)
        code = fail_path(detail, "naming", final);
    return code == STATUS_OK ? state_sync_folder(state, detail) : code;
}
