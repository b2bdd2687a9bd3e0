#include "coordinator/show/show_parts.h"

#include <string.h>

static const char *read_word(const yaml_node *map, const char *key, const char *advice, size_t size_max,
                             const yaml_source *source)
{
    const yaml_node *node = yaml_require(source, map, key, "a waiver", advice);
    return node == NULL ? NULL : yaml_text(source, node, arena_format(source->arena, "%s of a waiver", key), size_max);
}

void show_read_waivers(show *self, const yaml_node *node, const yaml_source *source)
{
    static const char *const keys[] = {"finding", "measured", "who", "when", "why", NULL};
    if (node == NULL || yaml_is_null(node) || !yaml_list_check(source, node, "waivers"))
        return;
    if (node->count > SHOW_WAIVERS_MAX) {
        yaml_complain(source, node, "waivers lists %u entries; at most %d are read", node->count, SHOW_WAIVERS_MAX);
        return;
    }
    self->waivers = arena_take_array(source->arena, node->count, sizeof *self->waivers);
    for (const yaml_node *child = node->first; child != NULL; child = child->next) {
        if (!yaml_map_check(source, child, "a waiver", keys))
            continue;
        show_waiver made = {
            .finding = read_word(child, "finding", "give the id of the finding, as the report has it", NAME_MAX_BYTES, source),
            .measured = read_word(child, "measured", "give its figure as the report shows it, or \"-\" where it has none", 64, source),
            .who = read_word(child, "who", "say who accepts it", TITLE_MAX_BYTES, source),
            .when = read_word(child, "when", "give the day, like 2026-11-20", NAME_MAX_BYTES, source),
            .why = read_word(child, "why", "say why it is accepted", 1024, source),
        };
        if (made.finding == NULL || made.measured == NULL || made.who == NULL || made.when == NULL || made.why == NULL)
            continue;
        for (uint32_t i = 0; i < self->waiver_count; i++)
            if (strcmp(self->waivers[i].finding, made.finding) == 0 && strcmp(self->waivers[i].measured, made.measured) == 0)
                yaml_complain(source, child, "finding %s is waived twice; leave one", made.finding);
        self->waivers[self->waiver_count++] = made;
    }
}
