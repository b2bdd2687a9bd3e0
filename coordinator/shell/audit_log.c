#define _GNU_SOURCE
#include "coordinator/shell/audit_log.h"

#include "common/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { AUDIT_LINE_MAX = 1024, AUDIT_TEXT_MAX = 300 };

struct audit_log {
    int descriptor;
    char path[PATH_MAX_BYTES + 32]; /* as the event loop makes it */
};

static int open_file(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
}

status audit_log_open(audit_log **out_log, const char *path, error_detail *detail)
{
    int descriptor = open_file(path);
    if (descriptor < 0)
        return error_detail_set(detail, STATUS_STORAGE_DENIED, "the audit log '%.300s' cannot be written: %s", path,
                                strerror(errno));
    audit_log *self = malloc(sizeof *self);
    if (self == NULL) {
        close(descriptor);
        return error_detail_set(detail, STATUS_NODE_MEMORY, "out of memory");
    }
    self->descriptor = descriptor;
    snprintf(self->path, sizeof self->path, "%s", path);
    *out_log = self;
    return STATUS_OK;
}

void audit_log_close(audit_log **self)
{
    if (*self == NULL)
        return;
    close((*self)->descriptor);
    free(*self);
    *self = NULL;
}

/* What is written to a file that was renamed or removed under us is looked for in vain. */
static void follow_name(audit_log *self)
{
    struct stat ours;
    struct stat named;
    if (fstat(self->descriptor, &ours) == 0 && stat(self->path, &named) == 0 && ours.st_ino == named.st_ino &&
        ours.st_dev == named.st_dev)
        return;
    int fresh = open_file(self->path);
    if (fresh < 0)
        return; /* better there than nowhere */
    close(self->descriptor);
    self->descriptor = fresh;
}

/* Text that came from outside cannot end its field or its line. */
static void copy_quoted(char out[AUDIT_TEXT_MAX], const char *text)
{
    size_t size = 0;
    for (; text != NULL && text[size] != '\0' && size < AUDIT_TEXT_MAX - 1; size++) {
        unsigned char letter = (unsigned char)text[size];
        out[size] = letter == '"' ? '\'' : letter < ' ' || letter == 127 || letter == '\\' ? '?' : text[size];
    }
    out[size] = '\0';
}

/* A word that came from outside, as one. */
static void copy_word(char out[40], const char *text)
{
    size_t size = strspn(text, "abcdefghijklmnopqrstuvwxyz._-");
    snprintf(out, 40, "%.*s", size == 0 ? 1 : (int)size, size == 0 ? "?" : text);
}

static const char *outcome_word(status outcome)
{
    return outcome == STATUS_OK ? "ok" : outcome == STATUS_INPUT_DENIED ? "denied" : "failed";
}

void audit_log_add(audit_log *self, const audit_entry *entry)
{
    char line[AUDIT_LINE_MAX];
    char target[AUDIT_TEXT_MAX];
    char detail[AUDIT_TEXT_MAX];
    char moment[32];
    char what[40];
    struct tm parts;
    time_t now = time(NULL);
    gmtime_r(&now, &parts);
    strftime(moment, sizeof moment, "%Y-%m-%dT%H:%M:%SZ", &parts);
    copy_word(what, entry->what);
    copy_quoted(target, entry->target);
    copy_quoted(detail, entry->detail);
    int size = snprintf(line, sizeof line, "%s who=%s role=%s what=%s job=%u target=\"%s\" outcome=%s detail=\"%s\"\n",
                        moment, entry->who == NULL ? "-" : entry->who->name,
                        entry->who == NULL ? "-" : access_role_name(entry->who->role), what, entry->job, target,
                        outcome_word(entry->outcome), detail);
    follow_name(self);
    if (size < 0 || (size_t)size >= sizeof line || write(self->descriptor, line, (size_t)size) != size)
        log_line(LOG_ERROR, "audit.lost", "who=%s what=%s reason=\"%s\"",
                 entry->who == NULL ? "-" : entry->who->name, what, strerror(errno));
}
