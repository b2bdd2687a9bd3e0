#include "coordinator/cli/report_read.h"

#include <string.h>

enum { REPORT_SIZE_MAX = 256 << 20 };

const char *report_of_show(const loaded_show *loaded, arena *memory)
{
    return arena_format(memory, "%s/%s/%s/report/report.json", loaded->out_folder, loaded->show.slug, loaded->show.version);
}

/* The finding of that id in a list of entries that have findings. */
static const json_t *find_in(const json_t *entries, const char *id)
{
    size_t index;
    size_t place;
    const json_t *entry;
    const json_t *item;
    json_array_foreach (entries, index, entry) {
        json_array_foreach (json_object_get(entry, "findings"), place, item) {
            const char *found = json_string_value(json_object_get(item, "id"));
            if (found != NULL && strcmp(found, id) == 0)
                return item;
        }
    }
    return NULL;
}

status report_read(const char *path, arena *memory, json_t **out_document, error_detail *detail)
{
    const char *text = NULL;
    size_t size = 0;
    status code = read_text_file(path, REPORT_SIZE_MAX, memory, &text, &size, detail);
    if (code != STATUS_OK)
        return code;
    json_t *document = json_loadb(text, size, 0, NULL);
    if (!json_is_array(json_object_get(document, "programmes"))) {
        json_decref(document);
        return error_detail_set(detail, STATUS_INPUT_INVALID, "'%s' is no report of reelmill", path);
    }
    *out_document = document;
    return STATUS_OK;
}

status report_read_finding(const char *path, const char *id, arena *memory, json_t **out_document,
                           const json_t **out_finding, error_detail *detail)
{
    json_t *document = NULL;
    status code = report_read(path, memory, &document, detail);
    if (code != STATUS_OK)
        return code;
    const json_t *item = find_in(json_object_get(document, "programmes"), id);
    if (item == NULL)
        item = find_in(json_object_get(document, "stems"), id);
    if (item == NULL) {
        json_decref(document);
        return error_detail_set(detail, STATUS_INPUT_MISSING, "'%s' has no finding '%s'; its findings carry their ids", path, id);
    }
    *out_document = document;
    *out_finding = item;
    return STATUS_OK;
}
