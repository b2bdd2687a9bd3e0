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
    off_t held = 0;
    int descriptor = open_log(self, O_WRONLY | O_APPEND | O_CREAT, &held);
    if (descriptor < 0)
        return;
    if (held < JOB_LOG_BYTES_MAX)
        (void)!write(descriptor, line, (size_t)size);
    close(descriptor);
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
