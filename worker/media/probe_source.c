#include "worker/media/probe_source.h"

#include "worker/media/storage_root.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Longest part of a file's name in a sentence: the rest of the message must fit behind it. */
enum { DISPLAY_BYTES_MAX = 600 };

bool probe_read(probe_source *self, uint64_t offset, void *bytes, size_t byte_size)
{
    error_detail detail = {0};
    status code = storage_read_at(self->descriptor, bytes, byte_size, offset, &detail);
    if (code == STATUS_OK)
        return true;
    if (code == STATUS_INPUT_TRUNCATED)
        return probe_refuse(self, code, "ends in the middle of its header: %s", detail.message);
    self->failure = code;
    snprintf(self->facts->message, sizeof self->facts->message, "%.*s: %.400s", DISPLAY_BYTES_MAX, self->display,
             detail.message);
    return false;
}

static bool read_text(void *context, uint64_t offset, void *bytes, size_t byte_size)
{
    return probe_read(context, offset, bytes, byte_size);
}

adm_source probe_text(probe_source *self, uint64_t offset, uint64_t byte_size)
{
    return (adm_source){.read = read_text, .context = self, .first = offset, .size = byte_size};
}

bool probe_refuse(probe_source *self, status code, const char *format, ...)
{
    char sentence[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);

    size_t length = strlen(self->display);
    bool cut = length > DISPLAY_BYTES_MAX;
    error_detail detail = {0};
    status set = error_detail_set(&detail, code, "%s%s %s", cut ? "..." : "",
                                  cut ? self->display + length - DISPLAY_BYTES_MAX : self->display, sentence);
    self->facts->outcome = set;
    memcpy(self->facts->message, detail.message, sizeof detail.message);
    return false;
}

bool probe_refuse_truncated(probe_source *self, uint64_t frames_found, uint64_t frames_expected)
{
    return probe_refuse(self, STATUS_INPUT_TRUNCATED,
                        "is truncated: its header promises %llu frames, the file holds %llu; copy it again from its source",
                        (unsigned long long)frames_expected, (unsigned long long)frames_found);
}
