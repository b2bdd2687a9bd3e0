#include "worker/media/media_codecs.h"

#include <sndfile.h>
#include <stdbool.h>
#include <stdio.h>

const char *media_codecs_library(void)
{
    return sf_version_string();
}

static bool has_format(int wanted)
{
    int count = 0;
    sf_command(NULL, SFC_GET_FORMAT_MAJOR_COUNT, &count, sizeof count);
    for (int i = 0; i < count; i++) {
        SF_FORMAT_INFO info = {.format = i};
        if (sf_command(NULL, SFC_GET_FORMAT_MAJOR, &info, sizeof info) == 0 && (info.format & SF_FORMAT_TYPEMASK) == wanted)
            return true;
    }
    return false;
}

void media_codecs_missing(char *out, size_t out_size)
{
    static const struct {
        int format;
        const char *name;
    } wanted[] = {{SF_FORMAT_AIFF, "AIFF"}, {SF_FORMAT_CAF, "CAF"}, {SF_FORMAT_FLAC, "FLAC"}, {SF_FORMAT_W64, "W64"}};
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0] && used < out_size; i++)
        if (!has_format(wanted[i].format))
            used += (size_t)snprintf(out + used, out_size - used, "%s%s", used == 0 ? "" : ", ", wanted[i].name);
}
