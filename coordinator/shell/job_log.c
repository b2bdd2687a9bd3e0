#define _GNU_SOURCE
#include "coordinator/shell/job_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_log(const farm_job *self, int flags, off_t *out_size)
{
    char path[PATH_MAX_BYTES];
    struct stat facts;
    job_path(self, "log", path);
    int descriptor = open(path, flags | O_NOFOLLOW | O_CLOEXEC, 0600);
    *out_size = 0;
    if (descriptor >= 0 && fstat(descriptor, &facts) == 0)
        *out_size = facts.st_size;
    return descriptor;
}

void job_log_files_close(job_log_files *self)
{
    for (uint32_t i = 0; i < JOB_LOG_FILES; i++)
        if (self->items[i].job != 0)
            close(self->items[i].descriptor);
    *self = (job_log_files){0};
}

/* NULL when it cannot be opened. */
static struct job_log_file *file_of(job_log_files *files, const farm_job *job)
{
    for (uint32_t i = 0; i < JOB_LOG_FILES; i++)
        if (files->items[i].job == job->number)
            return &files->items[i];
    struct job_log_file *file = &files->items[files->next++ % JOB_LOG_FILES];
    if (file->job != 0)
        close(file->descriptor);
    file->descriptor = open_log(job, O_WRONLY | O_APPEND | O_CREAT, &file->size);
    file->job = file->descriptor < 0 ? 0 : job->number;
    return file->job == 0 ? NULL : file;
}

void job_log(const farm_job *self, log_level level, const char *event, const char *format, ...)
{
    char line[JOB_LOG_LINE_MAX];
    char text[JOB_LOG_LINE_MAX - 160];
    va_list arguments;
    va_start(arguments, format);
    log_values(text, sizeof text, format, arguments);
    va_end(arguments);
    log_line(level, event, "job=%u%s%s", self->number, text[0] == '\0' ? "" : " ", text);
    int size = log_format(line, sizeof line, level, event, "job=%u%s%s", self->number, text[0] == '\0' ? "" : " ", text);
    job_log_files alone = {0}; /* of a job outside a farm */
    struct job_log_file *file = file_of(self->logs == NULL ? &alone : self->logs, self);
    if (file != NULL && file->size < JOB_LOG_BYTES_MAX) {
        ssize_t written = write(file->descriptor, line, (size_t)size);
        file->size += written > 0 ? written : 0;
    }
    job_log_files_close(&alone);
}

char *job_log_read(const farm_job *self, size_t *out_size)
{
    off_t held = 0;
    int descriptor = open_log(self, O_RDONLY, &held);
    char *text = malloc((size_t)held + 1);
    size_t size = 0;
    for (ssize_t part = 1; text != NULL && descriptor >= 0 && size < (size_t)held && part != 0;) {
        part = read(descriptor, text + size, (size_t)held - size);
        if (part < 0 && errno != EINTR)
            break;
        size += part > 0 ? (size_t)part : 0;
    }
    if (descriptor >= 0)
        close(descriptor);
    if (text != NULL)
        text[size] = '\0';
    *out_size = size;
    return text;
}
