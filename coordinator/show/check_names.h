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
/** True if a list of kinds ("loudness,peak") names this one. */
bool check_names_has_kind(const char *kinds, const char *kind);
/**
 * Features of the signal (common/measure/cell_signal.h) by which checks of these kinds are judged; kinds is a list
 * ("loudness,peak"), NULL = all of them. A new check that is judged by features has its line in this function.
 */
uint8_t check_names_signal_groups(const char *kinds);
/** The table; out_count entries. */
const check_name *check_name_table(size_t *out_count);

#endif
