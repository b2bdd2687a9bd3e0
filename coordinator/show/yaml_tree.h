/**
 * The subset of YAML that show files, recipes and specs are written in, as a tree with exact positions: maps, lists and
 * scalars. Anchors, aliases, merge keys, tags, directives and further documents are refused with a sentence, so nothing
 * can refer to itself or grow. Text is UTF-8; size, depth and node count are bounded before memory is taken.
 *
 * A scalar is text; whether "5.1" is a word or a number is the reader's question (yaml_read.h). No text of the tree holds
 * a control character. Everything lives in the source's arena.
 */
#ifndef COORDINATOR_SHOW_YAML_TREE_H
#define COORDINATOR_SHOW_YAML_TREE_H

#include "common/base/arena.h"
#include "coordinator/show/show_file.h"

#include <stdbool.h>
#include <stdint.h>

enum { YAML_DEPTH_MAX = 12, YAML_NODES_MAX = 16384, YAML_CHILDREN_MAX = 4096 };

typedef enum yaml_kind { YAML_SCALAR, YAML_MAP, YAML_LIST } yaml_kind;

typedef struct yaml_node yaml_node;
struct yaml_node {
    yaml_kind kind;
    bool plain;                   /**< scalar without quotes: an empty one is no value at all */
    uint32_t line, column;        /**< 1-based */
    const char *text;             /**< scalar, else "" */
    const char *key;              /**< in a map: its key, else NULL */
    uint32_t key_line, key_column;
    uint32_t count;               /**< of children */
    yaml_node *first;             /**< children in order of the text */
    yaml_node *next;
};

/** Where a text comes from and where its problems go. */
typedef struct yaml_source {
    const char *file;
    arena *arena;
    problem_list *problems;
} yaml_source;

/**
 * Parses one document. STATUS_INPUT_SYNTAX or STATUS_LIMIT with at least one problem added; duplicate keys are problems
 * too, but the tree is made all the same (the first one counts), so that the rest of the text can be judged.
 */
MUST_USE status yaml_tree_parse(yaml_node **out_root, const char *text, size_t text_size, const yaml_source *source);

#endif
