/** The check names of the contract (docs/qc-checks.md) and what each is measured in. */
#ifndef COORDINATOR_SHOW_CHECK_NAMES_H
#define COORDINATOR_SHOW_CHECK_NAMES_H

#include "coordinator/show/yaml_tree.h"

typedef struct check_name {
    const char *name;
    const char *unit; /**< of its figure; "" where it has none */
    bool words;       /**< judged by a list of allowed words */
} check_name;

/** NULL if there is no such check. */
const check_name *check_name_find(const char *name);
/** "unknown check ..." with a suggestion. */
void check_name_complain(const char *name, const yaml_node *at, const yaml_source *source);
/** The table; out_count entries. */
const check_name *check_name_table(size_t *out_count);

#endif
