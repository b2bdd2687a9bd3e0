#define _GNU_SOURCE
#include "worker/shell/worker_config.h"

#include "common/base/ensure.h"

#include <errno.h>
#include <libfyaml.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct config_file {
    worker_config *config;
    const char *path;
    error_detail *detail;
} config_file;

/* "worker.yaml:3:5" of a node. */
static void node_place(const config_file *self, struct fy_node *node, char out[320])
{
    struct fy_token *token = node == NULL ? NULL : fy_node_get_scalar_token(node);
    const struct fy_mark *mark = token == NULL ? NULL : fy_token_start_mark(token);
    if (mark == NULL)
        snprintf(out, 320, "%.250s", self->path);
    else
        snprintf(out, 320, "%.250s:%d:%d", self->path, mark->line + 1, mark->column + 1);
}

static status node_fail(const config_file *self, struct fy_node *node, const char *sentence)
{
    char place[320];
    node_place(self, node, place);
    return error_detail_set(self->detail, STATUS_INPUT_INVALID, "%s: %s", place, sentence);
}

/* The text of a plain value, or NULL. The caller frees it. */
static char *node_text(struct fy_node *node)
{
    size_t size = 0;
    const char *text = node != NULL && fy_node_is_scalar(node) ? fy_node_get_scalar(node, &size) : NULL;
    return text == NULL || memchr(text, '\0', size) != NULL ? NULL : strndup(text, size);
}

/* FOLDER, or {path: FOLDER, mode: ro | rw} */
static status read_root(const config_file *self, struct fy_node *key, struct fy_node *value)
{
    bool detailed = value != NULL && fy_node_is_mapping(value);
    struct fy_node *mode_node = detailed ? fy_node_mapping_lookup_by_string(value, "mode", FY_NT) : NULL;
    char *name = node_text(key);
    char *folder = node_text(detailed ? fy_node_mapping_lookup_by_string(value, "path", FY_NT) : value);
    char *mode = node_text(mode_node);
    int known = folder != NULL ? 1 : 0;
    known += mode != NULL ? 1 : 0;
    status code;
    if (name == NULL || folder == NULL || (detailed && fy_node_mapping_item_count(value) != known))
        code = node_fail(self, key, "a media root is NAME: FOLDER or NAME: {path: FOLDER, mode: ro}");
    else if (mode != NULL && strcmp(mode, "ro") != 0 && strcmp(mode, "rw") != 0)
        code = node_fail(self, mode_node, "the mode of a media root is ro or rw");
    else {
        char place[320];
        node_place(self, key, place);
        code = worker_config_add_root(self->config, place, name, folder, mode == NULL || strcmp(mode, "rw") == 0,
                                      self->detail);
    }
    free(name);
    free(folder);
    free(mode);
    return code;
}

static status read_roots(const config_file *self, struct fy_node *key, struct fy_node *value)
{
    if (value == NULL || !fy_node_is_mapping(value))
        return node_fail(self, key, "roots is a mapping of names to folders");
    void *state = NULL;
    status code = STATUS_OK;
    for (struct fy_node_pair *pair; code == STATUS_OK && (pair = fy_node_mapping_iterate(value, &state)) != NULL;)
        code = read_root(self, fy_node_pair_key(pair), fy_node_pair_value(pair));
    return code;
}

static status read_pair(const config_file *self, struct fy_node_pair *pair)
{
    struct fy_node *key_node = fy_node_pair_key(pair);
    struct fy_node *value_node = fy_node_pair_value(pair);
    char *key = node_text(key_node);
    char *value = node_text(value_node);
    char place[320];
    status code;
    node_place(self, value_node, place);
    if (key != NULL && strcmp(key, "roots") == 0)
        code = read_roots(self, key_node, value_node);
    else if (key == NULL || value == NULL)
        code = node_fail(self, key_node, "expected a key with a plain value");
    else
        code = worker_config_set(self->config, place, key, value, self->detail);
    if (code == STATUS_AGAIN)
        code = node_fail(self, key_node, "unknown key; allowed are coordinator, key, coordinator_key, plain, name, slots, cpu, hang_s, log, roots");
    free(key);
    free(value);
    return code;
}

/* The parser's own words about a file that is no YAML, with their place. */
static status syntax_fail(const config_file *self, struct fy_diag *diag)
{
    void *state = NULL;
    const struct fy_diag_error *error = diag == NULL ? NULL : fy_diag_errors_iterate(diag, &state);
    if (error == NULL || error->line < 0)
        return error_detail_set(self->detail, STATUS_INPUT_SYNTAX, "%.300s is no YAML mapping of settings", self->path);
    return error_detail_set(self->detail, STATUS_INPUT_SYNTAX, "%.300s:%d:%d: this is no YAML: %.200s", self->path,
                            error->line, error->column, error->msg);
}

static status read_text(const config_file *self, const char *text, size_t size)
{
    struct fy_diag_cfg quiet;
    fy_diag_cfg_default(&quiet);
    quiet.level = FYET_MAX; /* nothing on stderr: errors are collected */
    struct fy_diag *diag = fy_diag_create(&quiet);
    if (diag != NULL)
        fy_diag_set_collect_errors(diag, true);
    const struct fy_parse_cfg parse = {.flags = FYPCF_QUIET, .diag = diag};
    struct fy_document *document = fy_document_build_from_string(&parse, text, size);
    struct fy_node *root = document == NULL ? NULL : fy_document_root(document);
    status code = STATUS_OK;
    if (root == NULL || !fy_node_is_mapping(root))
        code = syntax_fail(self, diag);
    void *state = NULL;
    for (struct fy_node_pair *pair; code == STATUS_OK && (pair = fy_node_mapping_iterate(root, &state)) != NULL;)
        code = read_pair(self, pair);
    fy_document_destroy(document);
    fy_diag_destroy(diag);
    return code;
}

status worker_config_read_file(worker_config *self, const char *path, error_detail *detail)
{
    const config_file file = {.config = self, .path = path, .detail = detail};
    FILE *stream = fopen(path, "re");
    if (stream == NULL)
        return error_detail_set(detail, STATUS_INPUT_MISSING, "the configuration %.300s cannot be read: %s", path,
                                strerror(errno));
    char *text = malloc(SHOW_TEXT_MAX);
    ENSURE(text != NULL);
    size_t size = fread(text, 1, SHOW_TEXT_MAX, stream);
    fclose(stream);
    status code = size == SHOW_TEXT_MAX ? error_detail_set(detail, STATUS_LIMIT, "%.300s is larger than %d bytes", path,
                                                           SHOW_TEXT_MAX - 1)
                                        : read_text(&file, text, size);
    free(text);
    return code;
}
