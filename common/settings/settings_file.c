#define _GNU_SOURCE
#include "common/settings/settings_file.h"

#include "common/base/ensure.h"
#include "common/base/limits.h"
#include "common/base/plain_text.h"

#include <errno.h>
#include <libfyaml.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct settings_walk {
    const char *path;
    const char *allowed;
    settings_take *take;
    void *context;
    error_detail *detail;
    settings_entry entry;
} settings_walk;

static void node_place(const settings_walk *self, struct fy_node *node, char out[SETTINGS_PLACE_MAX])
{
    struct fy_token *token = node == NULL ? NULL : fy_node_get_scalar_token(node);
    const struct fy_mark *mark = token == NULL ? NULL : fy_token_start_mark(token);
    if (mark == NULL)
        snprintf(out, SETTINGS_PLACE_MAX, "%.250s", self->path);
    else
        snprintf(out, SETTINGS_PLACE_MAX, "%.250s:%d:%d", self->path, mark->line + 1, mark->column + 1);
}

/* The text of a plain value, or NULL. The caller frees it. */
static char *node_text(struct fy_node *node)
{
    size_t size = 0;
    const char *text = node != NULL && fy_node_is_scalar(node) ? fy_node_get_scalar(node, &size) : NULL;
    return text == NULL || memchr(text, '\0', size) != NULL ? NULL : strndup(text, size);
}

static status read_plain(settings_walk *self, struct fy_node *node)
{
    settings_entry *entry = &self->entry;
    char *text = node_text(node);
    if (text == NULL)
        return error_detail_set(self->detail, STATUS_INPUT_INVALID, "%s: '%.40s' must have a plain value",
                                entry->key_place, entry->keys[entry->depth - 1]);
    node_place(self, node, entry->place);
    entry->value = text;
    status code = self->take(self->context, entry, self->detail);
    if (code == STATUS_AGAIN)
        code = error_detail_set(self->detail, STATUS_INPUT_INVALID, "%s: unknown key '%.40s'; %s%s", entry->key_place,
                                entry->keys[entry->depth - 1],
                                entry->depth == 1 ? "allowed are " : "its place knows no such key", entry->depth == 1 ? self->allowed : "");
    free(text);
    return code;
}

static status read_map(settings_walk *self, struct fy_node *map);

static status read_value(settings_walk *self, struct fy_node *node)
{
    status code = STATUS_OK;
    void *state = NULL;
    if (node != NULL && fy_node_is_mapping(node))
        return read_map(self, node);
    if (node == NULL || !fy_node_is_sequence(node))
        return read_plain(self, node);
    for (struct fy_node *item; code == STATUS_OK && (item = fy_node_sequence_iterate(node, &state)) != NULL;)
        code = read_plain(self, item);
    return code;
}

/* Depth is bounded by SETTINGS_DEPTH_MAX, so recursion is too. */
static status read_map(settings_walk *self, struct fy_node *map)
{
    void *state = NULL;
    status code = STATUS_OK;
    for (struct fy_node_pair *pair; code == STATUS_OK && (pair = fy_node_mapping_iterate(map, &state)) != NULL;) {
        char *key = node_text(fy_node_pair_key(pair));
        settings_entry *entry = &self->entry;
        node_place(self, fy_node_pair_key(pair), entry->key_place);
        if (key == NULL || entry->depth == SETTINGS_DEPTH_MAX) {
            code = error_detail_set(self->detail, STATUS_INPUT_INVALID, "%s: %s", entry->key_place,
                                    key == NULL ? "every key must be a word" : "keys nest too deep here");
        } else {
            entry->keys[entry->depth++] = key;
            code = read_value(self, fy_node_pair_value(pair));
            entry->depth--;
        }
        free(key);
    }
    return code;
}

/* The parser's own words about a file that is no YAML, with their place. */
static status syntax_fail(const settings_walk *self, struct fy_diag *diag)
{
    void *state = NULL;
    const struct fy_diag_error *error = diag == NULL ? NULL : fy_diag_errors_iterate(diag, &state);
    if (error == NULL || error->line < 0)
        return error_detail_set(self->detail, STATUS_INPUT_SYNTAX, "%.300s is no YAML mapping of settings", self->path);
    return error_detail_set(self->detail, STATUS_INPUT_SYNTAX, "%.300s:%d:%d: this is no YAML: %.200s", self->path,
                            error->line, error->column, error->msg);
}

enum { QUOTES_IN_A_ROW_MAX = 3 };

static status check_bytes(const settings_walk *self, const char *text, size_t size)
{
    unsigned line = 1;
    uint32_t ended = 1;
    uint32_t quotes = 0;
    for (size_t at = 0, length = 0; at < size; at += length) {
        const unsigned char *bytes = (const unsigned char *)text + at;
        length = plain_text_length(bytes, size - at);
        if (length == 0 || plain_text_control(bytes, length))
            return error_detail_set(self->detail, STATUS_INPUT_SYNTAX,
                                    "%.300s:%u: the byte 0x%02X is no plain UTF-8 text; save the file as that", self->path, line,
                                    bytes[0]);
        line += bytes[0] == '\n';
        quotes = bytes[0] == '\'' ? quotes + 1 : 0;
        if (quotes > QUOTES_IN_A_ROW_MAX) /* libfyaml 0.7.12 keeps what it took for them */
            return error_detail_set(self->detail, STATUS_INPUT_SYNTAX,
                                    "%.300s:%u: found more than %d single quotes in a row, which are not read", self->path, line,
                                    QUOTES_IN_A_ROW_MAX);
        ended = plain_text_lines_ended(ended, bytes, length, at > 0 && text[at - 1] == '\r');
        if (ended > PLAIN_TEXT_EMPTY_LINES_MAX + 1)
            return error_detail_set(self->detail, STATUS_INPUT_SYNTAX,
                                    "%.300s:%u: found more than %d empty lines in a row, which are not read; remove some of them",
                                    self->path, line, PLAIN_TEXT_EMPTY_LINES_MAX);
    }
    return STATUS_OK;
}

static status read_text(settings_walk *self, const char *text, size_t size)
{
    status code = check_bytes(self, text, size);
    if (code != STATUS_OK)
        return code;
    struct fy_diag_cfg quiet;
    fy_diag_cfg_default(&quiet);
    quiet.level = FYET_MAX; /* nothing on stderr: errors are collected */
    struct fy_diag *diag = fy_diag_create(&quiet);
    if (diag != NULL)
        fy_diag_set_collect_errors(diag, true);
    const struct fy_parse_cfg parse = {.flags = FYPCF_QUIET, .diag = diag};
    struct fy_document *document = fy_document_build_from_string(&parse, text, size);
    struct fy_node *root = document == NULL ? NULL : fy_document_root(document);
    code = root != NULL && fy_node_is_mapping(root) ? read_map(self, root) : syntax_fail(self, diag);
    fy_document_destroy(document);
    fy_diag_destroy(diag);
    return code;
}

status settings_file_read(const char *path, const char *allowed, settings_take *take, void *context, error_detail *detail)
{
    settings_walk walk = {.path = path, .allowed = allowed, .take = take, .context = context, .detail = detail};
    FILE *stream = fopen(path, "re");
    if (stream == NULL)
        return error_detail_set(detail, STATUS_INPUT_MISSING,
                                "the configuration %.300s cannot be read: %s; name another with --config FILE", path, strerror(errno));
    char *text = malloc(SHOW_TEXT_MAX);
    ENSURE(text != NULL);
    size_t size = fread(text, 1, SHOW_TEXT_MAX, stream);
    fclose(stream);
    status code = size == SHOW_TEXT_MAX ? error_detail_set(detail, STATUS_LIMIT, "%.300s is larger than %d bytes", path,
                                                           SHOW_TEXT_MAX - 1)
                                        : read_text(&walk, text, size);
    free(text);
    return code;
}
