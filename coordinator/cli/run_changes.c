#include "coordinator/cli/run_changes.h"

#include "coordinator/cli/cli.h"

#include <stdio.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

/* A whole programme of a deliverable. */
static const json_t *programme_of(const json_t *report, const char *deliverable)
{
    size_t index;
    const json_t *entry;
    json_array_foreach (json_object_get(report, "programmes"), index, entry)
        if (strcmp(text_of(entry, "deliverable"), deliverable) == 0 && json_is_null(json_object_get(entry, "reel")))
            return entry;
    return NULL;
}

/* The digest of a file's sound; empty: it was not made. */
static const char *sound_of(const json_t *report, const char *path)
{
    size_t index;
    const json_t *file;
    json_array_foreach (json_object_get(report, "files"), index, file)
        if (strcmp(text_of(file, "path"), path) == 0)
            return text_of(file, "audio_xxh128");
    return "";
}

/* "gain -3.20 dB (that of PM_51), was -3.21 dB", or nothing where it is the same. */
static void print_gain(const json_t *was, const json_t *is)
{
    const json_t *before = json_object_get(json_object_get(was, "gain"), "db");
    const json_t *gain = json_object_get(is, "gain");
    const json_t *now = json_object_get(gain, "db");
    if (!json_is_number(before) || !json_is_number(now) || json_number_value(before) == json_number_value(now))
        return;
    const char *of = text_of(gain, "of");
    cli_print(stderr, "gain %+.2f dB", json_number_value(now));
    if (of[0] != '\0' && strcmp(of, text_of(is, "deliverable")) != 0)
        cli_print(stderr, " (that of %s)", of);
    cli_print(stderr, ", was %+.2f dB; ", json_number_value(before));
}

void run_changes_print(const json_t *before, const json_t *now)
{
    bool begun = false;
    size_t index;
    const json_t *entry;
    json_array_foreach (json_object_get(now, "programmes"), index, entry) {
        const char *name = text_of(entry, "deliverable");
        const json_t *was = programme_of(before, name);
        const json_t *files = json_object_get(entry, "files");
        size_t count = json_array_size(files);
        size_t changed = 0;
        if (was == NULL || entry != programme_of(now, name) || !json_is_object(json_object_get(entry, "gain")))
            continue;
        for (size_t i = 0; i < count; i++) {
            const char *path = json_string_value(json_array_get(files, i));
            const char *sound = path == NULL ? "" : sound_of(now, path);
            changed += sound[0] == '\0' || strcmp(sound_of(before, path), sound) != 0;
        }
        if (!begun)
            fputs("Since the run before:\n", stderr);
        begun = true;
        cli_print(stderr, "  %-12s ", name);
        print_gain(was, entry);
        if (changed == 0)
            cli_print(stderr, "the same sound\n");
        else
            cli_print(stderr, "other sound in %zu of %zu file%s\n", changed, count, count == 1 ? "" : "s");
    }
}
