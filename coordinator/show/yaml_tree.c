#include "coordinator/show/yaml_tree.h"

#include "common/base/ensure.h"
#include "common/base/plain_text.h"

#include <libfyaml.h>
#include <string.h>

/* ---- the bytes ---- */

/*
 * What libfyaml 0.7.12 takes too much memory for, besides what plain_text.h names. It keeps what it took for '' that follow
 * each other, 32 MB for a megabyte of them, and reads ahead of the first event past all brackets that open, 200 MB for a
 * megabyte.
 */
enum { QUOTES_IN_A_ROW_MAX = 3, BRACKETS_MAX = YAML_NODES_MAX };

static status check_bytes(const char *text, size_t text_size, const yaml_source *source)
{
    if (text_size > SHOW_TEXT_MAX) {
        problem_list_add(source->problems, source->arena, PROBLEM_ERROR, source->file, 0, 0,
                         "the text has %zu bytes and at most %d are allowed; is this the right file?", text_size,
                         SHOW_TEXT_MAX);
        return STATUS_LIMIT;
    }
    uint32_t line = 1;
    uint32_t column = 1;
    uint32_t quotes = 0;
    uint32_t brackets = 0;
    uint32_t ended = 1;
    for (size_t at = 0; at < text_size;) {
        const unsigned char *bytes = (const unsigned char *)text + at;
        size_t length = plain_text_length(bytes, text_size - at);
        quotes = bytes[0] == '\'' ? quotes + 1 : 0;
        if (length == 0 || plain_text_control(bytes, length)) {
            problem_list_add(source->problems, source->arena, PROBLEM_ERROR, source->file, line, column,
                             "found the byte 0x%02X, which is %s; save the file as plain UTF-8 text", bytes[0],
                             length == 0 ? "not UTF-8" : "a control character");
            return STATUS_INPUT_SYNTAX;
        }
        if (quotes > QUOTES_IN_A_ROW_MAX) {
            problem_list_add(source->problems, source->arena, PROBLEM_ERROR, source->file, line, column,
                             "found more than %d single quotes in a row, which are not read; in a text between double "
                             "quotes, write each as \\u0027",
                             QUOTES_IN_A_ROW_MAX);
            return STATUS_INPUT_SYNTAX;
        }
        brackets += bytes[0] == '[' || bytes[0] == '{' ? 1 : 0;
        if (brackets > BRACKETS_MAX) {
            problem_list_add(source->problems, source->arena, PROBLEM_ERROR, source->file, line, column,
                             "more than %d brackets open; it cannot be a show file, recipe or spec", BRACKETS_MAX);
            return STATUS_INPUT_SYNTAX;
        }
        ended = plain_text_lines_ended(ended, bytes, length, at > 0 && text[at - 1] == '\r');
        if (ended > PLAIN_TEXT_EMPTY_LINES_MAX + 1) {
            problem_list_add(source->problems, source->arena, PROBLEM_ERROR, source->file, line, column,
                             "found more than %d empty lines in a row, which are not read; remove some of them",
                             PLAIN_TEXT_EMPTY_LINES_MAX);
            return STATUS_INPUT_SYNTAX;
        }
        column++;
        if (bytes[0] == '\n') {
            line++;
            column = 1;
        }
        at += length;
    }
    return STATUS_OK;
}

/* ---- the tree ---- */

typedef struct tree_level {
    yaml_node *node;
    yaml_node *last;      /* child */
    const char *key;      /* of a map: read, its value not yet */
    uint32_t key_line, key_column;
} tree_level;

typedef struct tree_builder {
    const yaml_source *source;
    struct fy_parser *parser;
    yaml_node *root;
    uint32_t node_count;
    uint32_t depth;
    tree_level levels[YAML_DEPTH_MAX + 1];
    bool failed;
} tree_builder;

static void builder_refuse(tree_builder *self, uint32_t line, uint32_t column, const char *sentence)
{
    if (!self->failed)
        problem_list_add(self->source->problems, self->source->arena, PROBLEM_ERROR, self->source->file, line, column,
                         "%s", sentence);
    self->failed = true;
}

/* libfyaml counts from 0; where an event has no mark (an empty value) the key's place serves. */
static void builder_mark(const tree_builder *self, struct fy_event *event, uint32_t *out_line, uint32_t *out_column)
{
    const struct fy_mark *mark = fy_event_start_mark(event);
    const tree_level *level = &self->levels[self->depth];
    *out_line = mark != NULL && mark->line >= 0 ? (uint32_t)mark->line + 1 : level->key_line;
    *out_column = mark != NULL && mark->column >= 0 ? (uint32_t)mark->column + 1 : level->key_column;
    if (*out_line == 0)
        *out_line = *out_column = 1;
}

/* A copy of a scalar's text: line ends and tabs inside become spaces, those at the end go; NULL if it holds a control. */
static const char *builder_text(tree_builder *self, struct fy_token *token)
{
    size_t size = 0;
    const char *found = fy_token_get_text(token, &size);
    if (found == NULL)
        return "";
    while (size > 0 && (found[size - 1] == '\n' || found[size - 1] == '\r'))
        size--;
    char *text = arena_copy_bytes(self->source->arena, found, size);
    for (size_t at = 0; at < size;) {
        const unsigned char *bytes = (const unsigned char *)text + at;
        size_t length = plain_text_length(bytes, size - at);
        if (length == 0 || plain_text_control(bytes, length))
            return NULL;
        if (bytes[0] < 0x20)
            text[at] = ' ';
        at += length;
    }
    return text;
}

static void builder_attach(tree_builder *self, yaml_node *node)
{
    if (self->depth == 0) {
        self->root = node;
        return;
    }
    tree_level *level = &self->levels[self->depth];
    yaml_node *parent = level->node;
    if (parent->kind == YAML_MAP) {
        node->key = level->key;
        node->key_line = level->key_line;
        node->key_column = level->key_column;
        level->key = NULL;
        for (const yaml_node *other = parent->first; other != NULL; other = other->next) {
            if (strcmp(other->key, node->key) != 0)
                continue;
            problem_list_add(self->source->problems, self->source->arena, PROBLEM_ERROR, self->source->file,
                             node->key_line, node->key_column,
                             "the key \"%s\" stands twice, first in line %u; keep one of them", node->key,
                             other->key_line);
            return;
        }
    }
    if (parent->count == YAML_CHILDREN_MAX) {
        builder_refuse(self, node->line, node->column, "this list or map is too long; at most 4096 entries are read");
        return;
    }
    if (level->last == NULL)
        parent->first = node;
    else
        level->last->next = node;
    level->last = node;
    parent->count++;
}

static yaml_node *builder_node(tree_builder *self, struct fy_event *event, yaml_kind kind)
{
    yaml_node *node = arena_take(self->source->arena, sizeof *node);
    node->kind = kind;
    node->text = "";
    builder_mark(self, event, &node->line, &node->column);
    if (++self->node_count > YAML_NODES_MAX)
        builder_refuse(self, node->line, node->column,
                       "the text has more than 16384 values; it cannot be a show file, recipe or spec");
    return node;
}

static void builder_scalar(tree_builder *self, struct fy_event *event)
{
    struct fy_token *token = event->scalar.value;
    enum fy_scalar_style style = fy_token_scalar_style(token);
    yaml_node *node = builder_node(self, event, YAML_SCALAR);
    node->plain = style == FYSS_PLAIN || style == FYSS_ANY;
    if ((style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED) && node->column > 1)
        node->column--; /* the mark stands behind the quote */
    node->text = builder_text(self, token);
    if (node->text == NULL) {
        builder_refuse(self, node->line, node->column, "this text holds a control character; remove it");
        return;
    }
    tree_level *level = &self->levels[self->depth];
    if (self->depth == 0 || level->node->kind == YAML_LIST || level->key != NULL) {
        builder_attach(self, node);
        return;
    }
    if (node->plain && strcmp(node->text, "<<") == 0)
        builder_refuse(self, node->line, node->column, "merge keys (<<) are not used here; write the values out");
    level->key = node->text;
    level->key_line = node->line;
    level->key_column = node->column;
}

static void builder_open(tree_builder *self, struct fy_event *event, yaml_kind kind)
{
    yaml_node *node = builder_node(self, event, kind);
    tree_level *level = &self->levels[self->depth];
    if (self->depth > 0 && level->node->kind == YAML_MAP && level->key == NULL) {
        builder_refuse(self, node->line, node->column, "a key must be a word, not a list or map; quote it if it is one");
        return;
    }
    if (self->depth == YAML_DEPTH_MAX) {
        builder_refuse(self, node->line, node->column, "lists and maps are nested too deep here; 12 levels are read");
        return;
    }
    builder_attach(self, node);
    self->levels[++self->depth] = (tree_level){.node = node};
}

static void builder_property(tree_builder *self, struct fy_event *event, struct fy_token *anchor, struct fy_token *tag)
{
    uint32_t line = 0;
    uint32_t column = 0;
    builder_mark(self, event, &line, &column);
    if (anchor != NULL)
        builder_refuse(self, line, column, "anchors (&name) and aliases (*name) are not used here; write the value out");
    if (tag != NULL)
        builder_refuse(self, line, column, "tags (!name) are not used here; remove it");
}

static void builder_event(tree_builder *self, struct fy_event *event, uint32_t *document_count)
{
    uint32_t line = 0;
    uint32_t column = 0;
    switch (event->type) {
    case FYET_DOCUMENT_START:
        builder_mark(self, event, &line, &column);
        if (++*document_count > 1)
            builder_refuse(self, line, column, "a second document begins here; keep one per file");
        return;
    case FYET_ALIAS:
        builder_mark(self, event, &line, &column);
        builder_refuse(self, line, column > 1 ? column - 1 : column, /* the mark stands behind the '*' */
                       "anchors (&name) and aliases (*name) are not used here; write the value out, and quote a text "
                       "that begins with '*' or '&'");
        return;
    case FYET_SCALAR:
        builder_property(self, event, event->scalar.anchor, event->scalar.tag);
        if (!self->failed)
            builder_scalar(self, event);
        return;
    case FYET_MAPPING_START:
        builder_property(self, event, event->mapping_start.anchor, event->mapping_start.tag);
        if (!self->failed)
            builder_open(self, event, YAML_MAP);
        return;
    case FYET_SEQUENCE_START:
        builder_property(self, event, event->sequence_start.anchor, event->sequence_start.tag);
        if (!self->failed)
            builder_open(self, event, YAML_LIST);
        return;
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END:
        ENSURE(self->depth > 0);
        self->depth--;
        return;
    case FYET_NONE:
    case FYET_STREAM_START:
    case FYET_STREAM_END:
    case FYET_DOCUMENT_END:
        return;
    }
}

static void builder_diagnose(tree_builder *self, struct fy_diag *diagnostics)
{
    void *at = NULL;
    struct fy_diag_error *error = NULL;
    while (!self->failed && (error = fy_diag_errors_iterate(diagnostics, &at)) != NULL) {
        uint32_t line = error->line > 0 ? (uint32_t)error->line : 1;
        uint32_t column = error->column > 0 ? (uint32_t)error->column : 1;
        const char *sentence = arena_format(self->source->arena, "the YAML is broken here: %.200s; check quotes (a value "
                                            "that begins with '{' needs them), brackets and indentation", error->msg == NULL ? "unreadable" : error->msg);
        builder_refuse(self, line, column, sentence);
    }
    builder_refuse(self, 1, 1, "the YAML cannot be read; check quotes, brackets and indentation");
}

static void builder_run(tree_builder *self, const char *text, size_t text_size, struct fy_diag *diagnostics)
{
    uint32_t document_count = 0;
    bool ended = false;
    if (fy_parser_set_string(self->parser, text, text_size) != 0)
        self->failed = true;
    while (!self->failed && !ended) {
        struct fy_event *event = fy_parser_parse(self->parser);
        if (event == NULL)
            break;
        ended = event->type == FYET_STREAM_END;
        builder_event(self, event, &document_count);
        fy_parser_event_free(self->parser, event);
    }
    if (!self->failed && !ended)
        builder_diagnose(self, diagnostics);
    if (!self->failed && self->root == NULL)
        builder_refuse(self, 1, 1, "the file is empty; docs/show-file.md shows what belongs here");
}

status yaml_tree_parse(yaml_node **out_root, const char *text, size_t text_size, const yaml_source *source)
{
    status code = check_bytes(text, text_size, source);
    if (code != STATUS_OK)
        return code;
    struct fy_diag_cfg diagnostics_config;
    fy_diag_cfg_default(&diagnostics_config);
    diagnostics_config.fp = NULL;
    diagnostics_config.level = FYET_ERROR;
    struct fy_diag *diagnostics = fy_diag_create(&diagnostics_config);
    ENSURE(diagnostics != NULL);
    fy_diag_set_collect_errors(diagnostics, true);
    struct fy_parse_cfg config = {.flags = FYPCF_COLLECT_DIAG | FYPCF_QUIET | FYPCF_JSON_NONE, .diag = diagnostics};
    tree_builder builder = {.source = source, .parser = fy_parser_create(&config)};
    ENSURE(builder.parser != NULL);
    /* An empty text is no string to libfyaml. */
    builder_run(&builder, text_size == 0 ? "\n" : text, text_size == 0 ? 1 : text_size, diagnostics);
    fy_parser_destroy(builder.parser);
    fy_diag_destroy(diagnostics);
    if (builder.failed)
        return STATUS_INPUT_SYNTAX;
    *out_root = builder.root;
    return STATUS_OK;
}
