#define _GNU_SOURCE
#include "coordinator/cli/file_replace.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

status file_replace(const char *path, const void *bytes, size_t byte_size, error_detail *detail)
{
    char part[PATH_MAX];
    struct stat facts;
    if ((size_t)snprintf(part, sizeof part, "%s.part", path) >= sizeof part)
        return error_detail_set(detail, STATUS_LIMIT, "the path '%.200s...' is too long", path);
    bool known = stat(path, &facts) == 0;
    if (unlink(part) != 0 && errno != ENOENT)
        return error_detail_set(detail, STATUS_STORAGE_DENIED, "cannot write '%s': %s", part, strerror(errno));
    FILE *file = fopen(part, "wxe");
    bool good = file != NULL && (!known || fchmod(fileno(file), facts.st_mode & 0777) == 0) &&
                fwrite(bytes, 1, byte_size, file) == byte_size && fflush(file) == 0 && fsync(fileno(file)) == 0;
    int cause = errno;
    if (file != NULL && fclose(file) != 0)
        good = false;
    if (good && rename(part, path) == 0)
        return STATUS_OK;
    if (file != NULL)
        unlink(part);
    return error_detail_set(detail, STATUS_STORAGE_IO, "cannot write '%s': %s", path, strerror(good ? errno : cause));
}
