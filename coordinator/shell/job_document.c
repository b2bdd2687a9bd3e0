#include "coordinator/shell/job_document.h"

#include "common/base/limits.h"

#include <jansson.h>
#include <string.h>

static const char *const kind_names[] = {
    [JOB_KIND_RUN] = "run", [JOB_KIND_QC] = "qc", [JOB_KIND_CHECK] = "check", [JOB_KIND_PLAN] = "plan"};
enum { KIND_COUNT = sizeof kind_names / sizeof kind_names[0], LEFT_OUT_MAX_BYTES = 2 * ERROR_MESSAGE_SIZE };

const char *job_kind_name(job_kind kind)
{
    return (unsigned)kind < KIND_COUNT ? kind_names[kind] : "?";
}

/* What every reader below needs. A failed reader has its sentence in detail. */
typedef struct document_reader {
    arena *arena;
    error_detail *detail;
    status code;
} document_reader;

static void refuse(document_reader *self, status code, const char *where, const char *what)
{
    if (self->code == STATUS_OK)
        self->code = error_detail_set(self->detail, code, "job document: %s: %s", where, what);
}

/* Refuses keys that are not in the list (NULL-terminated). */
static bool closed_object(document_reader *self, const json_t *value, const char *where, const char *const *keys)
{
    if (!json_is_object(value)) {
        refuse(self, STATUS_INPUT_INVALID, where, value == NULL ? "missing" : "an object is expected");
        return false;
    }
    for (void *item = json_object_iter((json_t *)value); item != NULL;
         item = json_object_iter_next((json_t *)value, item)) {
        const char *const *key = keys;
        while (*key != NULL && strcmp(*key, json_object_iter_key(item)) != 0)
            key++;
        if (*key != NULL)
            continue;
        refuse(self, STATUS_INPUT_INVALID, where,
               arena_format(self->arena, "unknown key '%.64s'", json_object_iter_key(item)));
        return false;
    }
    return true;
}

/* A text of 1 (or 0 if empty is allowed) to size_max - 1 bytes. Jansson has checked the UTF-8 and refused NULs. */
static const char *read_text(document_reader *self, const json_t *value, const char *where, size_t size_max,
                             bool may_be_empty, size_t *out_size)
{
    if (!json_is_string(value)) {
        refuse(self, STATUS_INPUT_INVALID, where, value == NULL ? "missing" : "a text is expected");
        return "";
    }
    size_t size = json_string_length(value);
    if (size >= size_max) {
        refuse(self, STATUS_LIMIT, where,
               arena_format(self->arena, "%zu bytes are too many, at most %zu are allowed", size, size_max - 1));
        return "";
    }
    if (size == 0 && !may_be_empty)
        refuse(self, STATUS_INPUT_INVALID, where, "the text is empty");
    if (out_size != NULL)
        *out_size = size;
    return arena_copy_bytes(self->arena, json_string_value(value), size);
}

/* Null and missing give NULL. */
static const char *read_optional(document_reader *self, const json_t *value, const char *where, size_t size_max)
{
    return value == NULL || json_is_null(value) ? NULL : read_text(self, value, where, size_max, false, NULL);
}

static named_text *read_texts(document_reader *self, const json_t *list, const char *where, size_t *out_count)
{
    static const char *const keys[] = {"name", "text", "source", NULL};
    *out_count = 0;
    if (list == NULL)
        return NULL;
    if (!json_is_array(list) || json_array_size(list) > JOB_TEXTS_MAX) {
        refuse(self, json_is_array(list) ? STATUS_LIMIT : STATUS_INPUT_INVALID, where,
               "a list of at most 256 texts is expected");
        return NULL;
    }
    size_t count = json_array_size(list);
    named_text *texts = arena_take_array(self->arena, count, sizeof *texts);
    for (size_t i = 0; i < count && self->code == STATUS_OK; i++) {
        const json_t *item = json_array_get(list, i);
        const char *place = arena_format(self->arena, "%s[%zu]", where, i);
        if (!closed_object(self, item, place, keys))
            break;
        texts[i].name = read_text(self, json_object_get(item, "name"), place, NAME_MAX_BYTES, false, NULL);
        texts[i].text =
            read_text(self, json_object_get(item, "text"), place, SHOW_TEXT_MAX + 1, true, &texts[i].text_size);
        texts[i].source = read_text(self, json_object_get(item, "source"), place, PATH_MAX_BYTES, false, NULL);
    }
    *out_count = count;
    return texts;
}

static void read_place(document_reader *self, const json_t *places, const char *name, plan_place *out_place)
{
    static const char *const keys[] = {"root", "prefix", NULL};
    const char *where = arena_format(self->arena, "places.%s", name);
    const json_t *place = json_object_get(places, name);
    if (!closed_object(self, place, where, keys))
        return;
    const char *root = read_text(self, json_object_get(place, "root"), where, NAME_MAX_BYTES, false, NULL);
    const char *prefix = read_text(self, json_object_get(place, "prefix"), where, PATH_MAX_BYTES, true, NULL);
    if (self->code != STATUS_OK)
        return;
    if (!task_path_valid(root) || strchr(root, '/') != NULL) {
        refuse(self, STATUS_INPUT_INVALID, where, "the root must be the name of a media root, without '/'");
        return;
    }
    if (prefix[0] != '\0' && !task_path_valid(prefix)) {
        refuse(self, STATUS_INPUT_INVALID, where, "the prefix must be a relative path without '.' and '..', or empty");
        return;
    }
    memcpy(out_place->root, root, strlen(root) + 1);
    memcpy(out_place->prefix, prefix, strlen(prefix) + 1);
}

static void read_show(document_reader *self, const json_t *job_show, job_document *document)
{
    static const char *const keys[] = {"name", "text", NULL};
    if (!closed_object(self, job_show, "show", keys))
        return;
    document->show_name = read_text(self, json_object_get(job_show, "name"), "show.name", PATH_MAX_BYTES, false, NULL);
    document->show_text = read_text(self, json_object_get(job_show, "text"), "show.text", SHOW_TEXT_MAX + 1, true,
                                    &document->show_text_size);
}

static void read_files(document_reader *self, const json_t *list, qc_request *request)
{
    size_t count = json_array_size(list);
    if (!json_is_array(list) || count == 0 || count > JOB_FILES_MAX) {
        refuse(self, count > JOB_FILES_MAX ? STATUS_LIMIT : STATUS_INPUT_INVALID, "qc.files",
               "a list of 1 to 65536 files is expected");
        return;
    }
    const char **files = arena_take_array(self->arena, count, sizeof *files);
    for (size_t i = 0; i < count && self->code == STATUS_OK; i++) {
        files[i] = read_text(self, json_array_get(list, i), "qc.files", PATH_MAX_BYTES, false, NULL);
        if (self->code == STATUS_OK && !task_path_valid(files[i]))
            refuse(self, STATUS_INPUT_INVALID, "qc.files",
                   arena_format(self->arena, "'%.200s' is no path below the media root, or holds a control character: rename the file", files[i]));
    }
    request->file_count = count;
    request->files = files;
}

static void read_left_out(document_reader *self, const json_t *list, qc_request *request)
{
    size_t count = json_array_size(list);
    if (list == NULL)
        return;
    if (!json_is_array(list) || count > JOB_FILES_MAX) {
        refuse(self, json_is_array(list) ? STATUS_LIMIT : STATUS_INPUT_INVALID, "qc.left_out", "a list of at most 65536 texts is expected");
        return;
    }
    const char **texts = arena_take_array(self->arena, count, sizeof *texts);
    for (size_t i = 0; i < count && self->code == STATUS_OK; i++)
        texts[i] = read_text(self, json_array_get(list, i), "qc.left_out", LEFT_OUT_MAX_BYTES, false, NULL);
    request->left_out_count = count;
    request->left_out = texts;
}

static void read_qc(document_reader *self, const json_t *qc, qc_request *request)
{
    static const char *const keys[] = {"files", "spec", "layout", "order", "frame_rate", "left_out", NULL};
    static const struct {
        const char *name;
        channel_order_id id;
    } orders[] = {{"smpte", ORDER_SMPTE}, {"film", ORDER_FILM}, {"wave", ORDER_WAVE}};
    if (!closed_object(self, qc, "qc", keys))
        return;
    read_files(self, json_object_get(qc, "files"), request);
    read_left_out(self, json_object_get(qc, "left_out"), request);
    const char *name = read_optional(self, json_object_get(qc, "spec"), "qc.spec", NAME_MAX_BYTES);
    request->spec_name = name != NULL ? name : "none";
    const char *layout = read_optional(self, json_object_get(qc, "layout"), "qc.layout", NAME_MAX_BYTES);
    request->layout = layout != NULL ? channel_layout_from_name(layout) : LAYOUT_NONE;
    if (layout != NULL && request->layout == LAYOUT_NONE)
        refuse(self, STATUS_INPUT_INVALID, "qc.layout",
               arena_format(self->arena, "'%s' is no layout; use mono, stereo, 5.1, 7.1, 7.1.2 ...", layout));
    const char *order = read_optional(self, json_object_get(qc, "order"), "qc.order", NAME_MAX_BYTES);
    size_t i = 0;
    while (order != NULL && i < sizeof orders / sizeof orders[0] && strcmp(order, orders[i].name) != 0)
        i++;
    if (i == sizeof orders / sizeof orders[0]) {
        refuse(self, STATUS_INPUT_INVALID, "qc.order", "smpte, film or wave is expected");
        return;
    }
    request->order_given = order != NULL;
    request->order = orders[i].id;
    request->frame_rate_text =
        read_optional(self, json_object_get(qc, "frame_rate"), "qc.frame_rate", FRAME_RATE_TEXT_SIZE + 8);
}

static uint32_t read_number(document_reader *self, const json_t *options, const char *key, uint32_t most)
{
    const json_t *number = json_object_get(options, key);
    json_int_t value = json_integer_value(number);
    if (number == NULL)
        return 0;
    if (json_is_integer(number) && value >= 0 && value <= most)
        return (uint32_t)value;
    refuse(self, STATUS_INPUT_INVALID, arena_format(self->arena, "options.%s", key),
           arena_format(self->arena, "a whole number from 0 to %u is expected", most));
    return 0;
}

static void read_options(document_reader *self, const json_t *options, job_document *document)
{
    static const char *const keys[] = {"replace", "only", "cells_per_task", "meter", "checks", "figures_only", "audition",
                                       "deadline", "at_once", NULL};
    if (options == NULL || !closed_object(self, options, "options", keys))
        return;
    const json_t *replace = json_object_get(options, "replace");
    if (replace != NULL && !json_is_boolean(replace))
        refuse(self, STATUS_INPUT_INVALID, "options.replace", "true or false is expected");
    document->replace = json_is_true(replace);
    const json_t *figures_only = json_object_get(options, "figures_only");
    if (figures_only != NULL && !json_is_boolean(figures_only))
        refuse(self, STATUS_INPUT_INVALID, "options.figures_only", "true or false is expected");
    document->figures_only = json_is_true(figures_only);
    const json_t *audition = json_object_get(options, "audition");
    if (audition != NULL && !json_is_boolean(audition))
        refuse(self, STATUS_INPUT_INVALID, "options.audition", "true or false is expected");
    document->audition = json_is_true(audition);
    document->only = read_optional(self, json_object_get(options, "only"), "options.only",
                                   (size_t)SHOW_DELIVERABLES_MAX * NAME_MAX_BYTES);
    document->checks = read_optional(self, json_object_get(options, "checks"), "options.checks", JOB_CHECKS_MAX);
    document->meter = read_optional(self, json_object_get(options, "meter"), "options.meter", NAME_MAX_BYTES);
    if (document->meter != NULL && strcmp(document->meter, SECOND_METER_NAME) != 0)
        refuse(self, STATUS_INPUT_INVALID, "options.meter",
               arena_format(self->arena, "'%s' is no meter; " SECOND_METER_NAME " is the one there is", document->meter));
    document->cells_per_task = read_number(self, options, "cells_per_task", TASK_CELLS_MAX);
    document->deadline = read_number(self, options, "deadline", UINT32_MAX);
    document->at_once = read_number(self, options, "at_once", LEASES_MAX);
}

static void read_document(document_reader *self, const json_t *root, job_document *document)
{
    static const char *const keys[] = {"reelmill", "kind", "show", "qc", "recipes", "specs", "places", "options", NULL};
    static const char *const place_keys[] = {"media", "out", NULL};
    if (!closed_object(self, root, "document", keys))
        return;
    const json_t *version = json_object_get(root, "reelmill");
    if (!json_is_integer(version) || json_integer_value(version) != 1)
        refuse(self, STATUS_INPUT_UNSUPPORTED, "reelmill",
               "version 1 is expected; submit with a reelmill of this version");
    const char *kind = read_text(self, json_object_get(root, "kind"), "kind", NAME_MAX_BYTES, false, NULL);
    size_t k = 0;
    while (k < KIND_COUNT && strcmp(kind, kind_names[k]) != 0)
        k++;
    if (k == KIND_COUNT) {
        refuse(self, STATUS_INPUT_INVALID, "kind", "run, qc, check or plan is expected");
        return;
    }
    document->kind = (job_kind)k;
    bool of_files = json_object_get(root, "qc") != NULL;
    if (of_files && (document->kind == JOB_KIND_RUN || document->kind == JOB_KIND_PLAN))
        refuse(self, STATUS_INPUT_INVALID, "qc", "has no place in a job of this kind");
    if (of_files && json_object_get(root, "show") != NULL)
        refuse(self, STATUS_INPUT_INVALID, "show", "has no place beside qc");
    if (of_files)
        read_qc(self, json_object_get(root, "qc"), &document->qc);
    else
        read_show(self, json_object_get(root, "show"), document);
    document->recipes = read_texts(self, json_object_get(root, "recipes"), "recipes", &document->recipe_count);
    document->specs = read_texts(self, json_object_get(root, "specs"), "specs", &document->spec_count);
    const json_t *places = json_object_get(root, "places");
    if (closed_object(self, places, "places", place_keys)) {
        read_place(self, places, "media", &document->media);
        const json_t *out = json_object_get(places, "out");
        document->has_out = document->kind == JOB_KIND_RUN;
        if (document->has_out || (out != NULL && !json_is_null(out)))
            read_place(self, places, "out", &document->out);
    }
    read_options(self, json_object_get(root, "options"), document);
}

/* Jansson parses by recursion up to depth 2048; a document needs 4. Checked first, so hostile nesting costs nothing. */
static bool nesting_fits(const char *text, size_t size)
{
    enum { DEPTH_MAX = 8 };
    int depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '{' || c == '['))
            depth++;
        else if (!quoted && (c == '}' || c == ']'))
            depth--;
        if (depth > DEPTH_MAX)
            return false;
    }
    return true;
}

status job_document_parse(job_document *out_document, const char *text, size_t text_size, arena *memory,
                          error_detail *detail)
{
    if (text_size > JOB_DOCUMENT_MAX)
        return error_detail_set(detail, STATUS_LIMIT, "job document: %zu bytes are too many, at most %d are allowed",
                                text_size, JOB_DOCUMENT_MAX);
    if (!nesting_fits(text, text_size))
        return error_detail_set(detail, STATUS_INPUT_SYNTAX, "job document: it is nested too deeply");
    json_error_t error;
    json_t *root = json_loadb(text, text_size, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL)
        return error_detail_set(detail, STATUS_INPUT_SYNTAX, "job document:%d:%d: %s", error.line, error.column,
                                error.text);
    job_document document = {0};
    document_reader reader = {.arena = memory, .detail = detail};
    read_document(&reader, root, &document);
    json_decref(root);
    if (reader.code == STATUS_OK)
        *out_document = document;
    return reader.code;
}
