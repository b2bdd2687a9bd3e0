/* The deliverables of a show file, as written; names are resolved by show_resolve. */
#include "coordinator/show/show_parts.h"

#include <string.h>
#include <strings.h>

static void refuse_key(const yaml_node *map, const char *key, const char *why, const show_deliverable *self,
                       const yaml_source *source)
{
    const yaml_node *node = yaml_get(map, key);
    if (node != NULL)
        yaml_complain_key(source, node, "deliverable %s: `%s` %s; remove it", self->name, key, why);
}

static void read_rendered(show_deliverable *self, const yaml_node *map, const yaml_source *source)
{
    static const char *const assemblies[] = {"joined", "reels", "both", NULL};
    const char *what = arena_format(source->arena, "recipe of deliverable %s", self->name);
    self->recipe_name = yaml_text(source, yaml_get(map, "recipe"), what, NAME_MAX_BYTES);
    const yaml_node *node = yaml_get(map, "stem");
    if (node != NULL)
        self->stem = yaml_name(source, node, arena_format(source->arena, "stem of deliverable %s", self->name));
    node = yaml_get(map, "gain");
    if (node != NULL)
        yaml_gain(source, node, arena_format(source->arena, "gain of deliverable %s", self->name), &self->gain);
    node = yaml_get(map, "assembly");
    int assembly = node == NULL ? -1
                                : yaml_word(source, node,
                                            arena_format(source->arena, "assembly of deliverable %s", self->name), assemblies);
    static const assembly_mode modes[] = {ASSEMBLY_JOINED, ASSEMBLY_REELS, ASSEMBLY_BOTH};
    self->assembly = assembly < 0 ? ASSEMBLY_RECIPE : modes[assembly];
    refuse_key(map, "stems", "says what a received `file` is the sum of, and a recipe sums roles", self, source);
    refuse_key(map, "layout", "is the recipe's business where one is given", self, source);
    refuse_key(map, "order", "is the recipe's business where one is given", self, source);
}

static void read_stem_names(show_deliverable *self, const yaml_node *node, const yaml_source *source)
{
    const char *what = arena_format(source->arena, "stems of deliverable %s", self->name);
    if (!yaml_list_check(source, node, what))
        return;
    if (node->count == 0 || node->count > SHOW_STEMS_MAX) {
        yaml_complain(source, node, "%s lists %u stems; 1 to %d are allowed", what, node->count, SHOW_STEMS_MAX);
        return;
    }
    self->stem_names = arena_take_array(source->arena, node->count, sizeof *self->stem_names);
    for (const yaml_node *child = node->first; child != NULL; child = child->next) {
        const char *name = yaml_name(source, child, what);
        if (name != NULL)
            self->stem_names[self->stem_name_count++] = name;
    }
}

static void read_received(show_deliverable *self, const yaml_node *map, const yaml_source *source)
{
    bool per_reel = false;
    bool multi_mono = false;
    const char *what = arena_format(source->arena, "file of deliverable %s", self->name);
    const yaml_node *file = yaml_get(map, "file");
    self->file = show_read_pattern(source, file, what, &per_reel, &multi_mono);
    const yaml_node *node = yaml_get(map, "layout");
    if (node != NULL)
        self->layout = yaml_layout(source, node, arena_format(source->arena, "layout of deliverable %s", self->name));
    else if (multi_mono)
        yaml_complain(source, file, "%s has one file per channel ({ch}); add `layout` to say which channels there are", what);
    node = yaml_get(map, "order");
    if (node != NULL && multi_mono)
        yaml_complain_key(source, node, "deliverable %s has one file per channel ({ch}), so `order` says nothing; remove it",
                          self->name);
    else if (node != NULL && yaml_get(map, "layout") == NULL)
        yaml_complain_key(source, node, "deliverable %s has `order` but no `layout`; add the layout that it orders",
                          self->name);
    else if (node != NULL)
        self->order_given = show_read_order(
            source, node, arena_format(source->arena, "order of deliverable %s", self->name), self->layout, &self->order);
    node = yaml_get(map, "stems");
    if (node != NULL)
        read_stem_names(self, node, source);
    static const char *const unwanted[] = {"stem", "gain", "assembly"};
    for (size_t i = 0; i < sizeof unwanted / sizeof unwanted[0]; i++)
        refuse_key(map, unwanted[i], "has no meaning for a received `file`, which is judged and never changed", self, source);
}

static void read_deliverable(show_deliverable *self, const yaml_node *node, const yaml_source *source)
{
    static const char *const keys[] = {"name", "recipe",   "file",   "spec",  "stem", "language",
                                       "gain", "assembly", "layout", "order", "stems", NULL};
    *self = (show_deliverable){.name = "", .spec_name = "none", .language = "", .line = node->line, .column = node->column};
    if (!yaml_map_check(source, node, "a deliverable", keys))
        return;
    const yaml_node *child = yaml_require(source, node, "name", "a deliverable", "give it one, like PM_51");
    const char *text = child == NULL ? NULL : yaml_name(source, child, "the name of a deliverable");
    if (text != NULL)
        text = yaml_folder_name(source, child, "the name of a deliverable");
    if (text != NULL && strcasecmp(text, "report") == 0)
        yaml_complain(source, child, "a deliverable cannot be called \"%s\": its folder would be the report's; rename it", text);
    else if (text != NULL)
        self->name = text;
    bool rendered = yaml_get(node, "recipe") != NULL;
    bool received = yaml_get(node, "file") != NULL;
    if (rendered == received)
        yaml_complain(source, node, "deliverable%s%s has %s; give a `recipe` to make it, or the `file` of one made elsewhere",
                      self->name[0] == '\0' ? "" : " ", self->name, rendered ? "both recipe and file" : "neither recipe nor file");
    else if (rendered)
        read_rendered(self, node, source);
    else
        read_received(self, node, source);
    child = yaml_get(node, "spec");
    text = child == NULL ? NULL
                         : yaml_text(source, child, arena_format(source->arena, "spec of deliverable %s", self->name),
                                     NAME_MAX_BYTES);
    if (text != NULL)
        self->spec_name = text;
    child = yaml_get(node, "language");
    text = child == NULL ? NULL
                         : yaml_language(source, child,
                                         arena_format(source->arena, "language of deliverable %s", self->name));
    if (text != NULL)
        self->language = text;
}

void show_read_deliverables(show *self, const yaml_node *node, const yaml_source *source)
{
    if (node == NULL || !yaml_list_check(source, node, "deliverables"))
        return;
    if (node->count == 0 || node->count > SHOW_DELIVERABLES_MAX) {
        yaml_complain(source, node, "the show lists %u deliverables; it may have 1 to %d", node->count, SHOW_DELIVERABLES_MAX);
        return;
    }
    self->deliverables = arena_take_array(source->arena, node->count, sizeof *self->deliverables);
    for (const yaml_node *child = node->first; child != NULL; child = child->next) {
        show_deliverable *deliverable = &self->deliverables[self->deliverable_count++];
        read_deliverable(deliverable, child, source);
        for (uint32_t i = 0; deliverable->name[0] != '\0' && i + 1 < self->deliverable_count; i++)
            if (strcasecmp(self->deliverables[i].name, deliverable->name) == 0)
                yaml_complain(source, child, "the deliverable name %s stands twice, first in line %u%s; rename one",
                              deliverable->name, self->deliverables[i].line,
                              strcmp(self->deliverables[i].name, deliverable->name) == 0
                                  ? ""
                                  : " (case alone makes no difference)");
    }
}
