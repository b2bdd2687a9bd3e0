#define _GNU_SOURCE
#include "coordinator/shell/document_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void temporary_name(job_document_id id, char out[64])
{
    snprintf(out, 64, "%s.new", job_document_file(id));
}

status document_begin(document_file *out_file, const char *folder, journal_keep keep, job_document_id id)
{
    char temporary[64];
    temporary_name(id, temporary);
    int directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int descriptor = directory < 0 ? -1 : openat(directory, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    *out_file = (document_file){.folder = folder, .id = id, .keep = keep, .directory = directory, .descriptor = descriptor};
    return descriptor < 0 ? STATUS_STORAGE_DENIED : STATUS_OK;
}

status document_write(int descriptor, const void *bytes, size_t byte_size)
{
    const char *at = bytes;
    for (size_t done = 0; done < byte_size;) {
        ssize_t part = write(descriptor, at + done, byte_size - done);
        if (part < 0 && errno == EINTR)
            continue;
        if (part <= 0)
            return errno == ENOSPC || errno == EDQUOT ? STATUS_STORAGE_FULL : STATUS_STORAGE_IO;
        done += (size_t)part;
    }
    return STATUS_OK;
}

status document_end(document_file *self, status code, error_detail *detail)
{
    const char *name = job_document_file(self->id);
    char temporary[64];
    int number = errno;
    temporary_name(self->id, temporary);
    bool synced = self->keep == JOURNAL_KEEP_MEDIUM;
    if (code == STATUS_OK && synced && fdatasync(self->descriptor) != 0)
        code = STATUS_STORAGE_IO;
    if (self->descriptor >= 0 && close(self->descriptor) != 0 && code == STATUS_OK)
        code = STATUS_STORAGE_IO;
    if (code == STATUS_OK && (renameat(self->directory, temporary, self->directory, name) != 0 ||
                              (synced && fsync(self->directory) != 0))) {
        code = STATUS_STORAGE_IO;
        number = errno;
    }
    if (self->directory >= 0)
        close(self->directory);
    if (code != STATUS_OK)
        error_detail_set(detail, code, "cannot write '%s' into the state folder '%s': %s", name, self->folder, strerror(number));
    return code;
}

status job_document_write(const char *folder, journal_keep keep, job_document_id id, const void *bytes,
                          size_t byte_size, error_detail *detail)
{
    document_file file;
    status code = document_begin(&file, folder, keep, id);
    if (code == STATUS_OK)
        code = document_write(file.descriptor, bytes, byte_size);
    return document_end(&file, code, detail);
}
