#include "coordinator/show/spec.h"

#include "coordinator/show/check_names.h"
#include "coordinator/show/yaml_read.h"

#include <math.h>
#include <string.h>

static const char *const numeric_keys[] = {"check",    "min",    "max",             "target",       "unit", "severity",
                                           "evidence", "clause", "speech_at_least", "speech_below", "layout", NULL};
static const char *const word_keys[] = {"check", "allowed", "unit", "severity", "evidence", "clause", NULL};

static void read_number(const yaml_node *map, const char *key, const spec_limit *limit, const yaml_source *source,
                        double *out_value)
{
    const yaml_node *node = yaml_get(map, key);
    *out_value = (double)NAN;
    if (node != NULL)
        (void)yaml_number(source, node, arena_format(source->arena, "%s of %s", key, limit->check), -1e9, 1e9, out_value);
}

static void read_share(const yaml_node *map, const char *key, const spec_limit *limit, const yaml_source *source,
                       double *out_value)
{
    const yaml_node *node = yaml_get(map, key);
    if (node != NULL)
        (void)yaml_number(source, node, arena_format(source->arena, "%s of %s (15 %% is 0.15)", key, limit->check), 0.001, 1.0,
                          out_value);
}

/* Levels alone can depend on how much of a programme is speech, and be those of a re-render. */
static void read_conditions(spec_limit *self, const yaml_node *node, const yaml_source *source)
{
    static const char *const keys[] = {"speech_at_least", "speech_below", "layout"};
    bool level = strncmp(self->check, "loudness.", 9) == 0 || strncmp(self->check, "peak.", 5) == 0;
    for (size_t i = 0; !level && i < sizeof keys / sizeof keys[0]; i++)
        if (yaml_get(node, keys[i]) != NULL)
            yaml_complain(source, yaml_get(node, keys[i]), "%s of %s: only limits on loudness and peaks have conditions; take it out",
                          keys[i], self->check);
    read_share(node, "speech_at_least", self, source, &self->speech_at_least);
    read_share(node, "speech_below", self, source, &self->speech_below);
    const yaml_node *child = yaml_get(node, "layout");
    const char *text = child == NULL ? NULL : yaml_text(source, child, "layout", NAME_MAX_BYTES);
    if (text != NULL && channel_layout_from_name(text) == LAYOUT_NONE)
        yaml_complain(source, child, "layout of %s is \"%s\"; write one like \"5.1\" or stereo", self->check, text);
    self->layout = text;
}

static void read_bounds(spec_limit *self, const yaml_node *node, const yaml_source *source)
{
    read_number(node, "min", self, source, &self->min);
    read_number(node, "max", self, source, &self->max);
    read_number(node, "target", self, source, &self->target);
    read_conditions(self, node, source);
    if (yaml_get(node, "min") == NULL && yaml_get(node, "max") == NULL)
        yaml_complain(source, node, "the limit on %s has neither min nor max; a target alone judges nothing", self->check);
    else if (self->min > self->max)
        yaml_complain(source, node, "the limit on %s has min %g above max %g", self->check, self->min, self->max);
    else if (self->target < self->min || self->target > self->max)
        yaml_complain(source, node, "the limit on %s has its target %g outside min and max", self->check, self->target);
}

static void read_words(spec_limit *self, const yaml_node *node, const yaml_source *source)
{
    self->min = self->max = self->target = (double)NAN;
    const yaml_node *list =
        yaml_require(source, node, "allowed", arena_format(source->arena, "the limit on %s", self->check), "list the words");
    if (list == NULL || !yaml_list_check(source, list, "allowed"))
        return;
    if (list->count == 0 || list->count > SPEC_WORDS_MAX) {
        yaml_complain(source, list, "allowed lists %u words; 1 to %d are allowed", list->count, SPEC_WORDS_MAX);
        return;
    }
    for (const yaml_node *child = list->first; child != NULL; child = child->next) {
        const char *word = yaml_text(source, child, "an allowed word", NAME_MAX_BYTES);
        if (word != NULL)
            self->words[self->word_count++] = word;
    }
}

static void read_weight(spec_limit *self, const yaml_node *node, const yaml_source *source)
{
    static const char *const severities[] = {"info", "warn", "fail", NULL};
    static const char *const evidences[] = {"primary", "secondary", "unverified", NULL};
    const char *what = arena_format(source->arena, "the limit on %s", self->check);
    const yaml_node *child = yaml_get(node, "severity");
    int severity = child == NULL ? SPEC_FAIL : yaml_word(source, child, "severity", severities);
    self->severity = severity < 0 ? SPEC_FAIL : (spec_severity)severity;
    child = yaml_require(source, node, "evidence", what, "say primary (the text itself was read), secondary or unverified");
    int evidence = child == NULL ? -1 : yaml_word(source, child, "evidence", evidences);
    self->evidence = evidence < 0 ? EVIDENCE_UNVERIFIED : (spec_evidence)evidence;
    child = yaml_require(source, node, "clause", what, "name the document and clause it comes from");
    const char *clause = child == NULL ? NULL : yaml_text(source, child, "clause", 1024);
    self->clause = clause == NULL ? "" : clause;
}

static void read_limit(spec *self, const yaml_node *node, int group, const yaml_source *source)
{
    const yaml_node *child = yaml_get(node, "check");
    if (child == NULL) {
        if (yaml_map_check(source, node, "a limit", numeric_keys))
            (void)yaml_require(source, node, "check", "a limit", "name what is limited, like loudness.integrated");
        return;
    }
    const char *text = yaml_text(source, child, "check", NAME_MAX_BYTES);
    const check_name *known = text == NULL ? NULL : check_name_find(text);
    if (known == NULL) {
        if (text != NULL)
            check_name_complain(text, child, source);
        return;
    }
    if (self->limit_count == SPEC_LIMITS_MAX) {
        yaml_complain(source, node, "the spec has more than %d limits", SPEC_LIMITS_MAX);
        return;
    }
    spec_limit *limit = &self->limits[self->limit_count++];
    *limit = (spec_limit){.check = known->name,
                          .unit = known->unit,
                          .group = group,
                          .line = node->line,
                          .column = node->column};
    if (!yaml_map_check(source, node, arena_format(source->arena, "the limit on %s", known->name),
                        known->words ? word_keys : numeric_keys))
        return;
    child = yaml_get(node, "unit");
    text = child == NULL ? NULL : yaml_text(source, child, "unit", NAME_MAX_BYTES);
    if (text != NULL && strcmp(text, known->unit) != 0)
        yaml_complain(source, child, "unit of %s is \"%s\"; its figures are in %s", known->name, text,
                      known->unit[0] == '\0' ? "no unit" : known->unit);
    if (known->words)
        read_words(limit, node, source);
    else
        read_bounds(limit, node, source);
    read_weight(limit, node, source);
}

/* A list of limits; an entry may be {any_of: [...]}, which passes if one of its limits does, or {all_of: [...]}. */
static void read_limits(spec *self, const yaml_node *list, int group, const yaml_source *source)
{
    static const char *const any_keys[] = {"any_of", NULL};
    static const char *const all_keys[] = {"all_of", NULL};
    if (!yaml_list_check(source, list, "limits"))
        return;
    for (const yaml_node *child = list->first; child != NULL; child = child->next) {
        const yaml_node *any = yaml_get(child, "any_of");
        const yaml_node *all = yaml_get(child, "all_of");
        if (any == NULL && all == NULL) {
            read_limit(self, child, group, source);
        } else if (group >= 0) {
            yaml_complain(source, child, "any_of holds single limits; groups within groups are not read by this version");
        } else if (any != NULL && yaml_map_check(source, child, "a group", any_keys)) {
            read_limits(self, any, (int)self->group_count, source);
            self->group_count++;
        } else if (all != NULL && yaml_map_check(source, child, "a group", all_keys)) {
            read_limits(self, all, -1, source);
        }
    }
}

static const char *read_text(const yaml_node *root, const char *key, const char *advice, const yaml_source *source)
{
    const yaml_node *node = yaml_require(source, root, key, "the spec", advice);
    const char *text = node == NULL ? NULL : yaml_text(source, node, key, 4096);
    return text == NULL ? "" : text;
}

static void read_spec(spec *self, const yaml_node *root, const yaml_source *source)
{
    static const char *const keys[] = {"reelmill_spec", "title", "version", "source", "on_fail", "limits", NULL};
    static const char *const reactions[] = {"publish", "hold", NULL};
    if (!yaml_map_check(source, root, "the spec", keys))
        return;
    const yaml_node *node = yaml_require(source, root, "reelmill_spec", "the spec", "begin the file with `reelmill_spec: 1`");
    if (node != NULL && (node->kind != YAML_SCALAR || strcmp(node->text, "1") != 0))
        yaml_complain(source, node, "this version reads specs of form 1; write `reelmill_spec: 1`");
    self->title = read_text(root, "title", "say whose spec it is", source);
    self->version = read_text(root, "version", "name the edition it follows", source);
    self->source = read_text(root, "source", "say where its numbers come from", source);
    node = yaml_get(root, "on_fail");
    self->hold_on_fail = node != NULL && yaml_word(source, node, "on_fail", reactions) == 1;
    node = yaml_require(source, root, "limits", "the spec", "list them; `limits: []` limits nothing");
    if (node != NULL)
        read_limits(self, node, -1, source);
}

status spec_parse(spec *out_spec, const char *name, const char *text, size_t text_size, const char *source_name,
                  arena *memory, problem_list *problems)
{
    yaml_source source = {.file = source_name, .arena = memory, .problems = problems};
    size_t errors_before = problems->error_count;
    yaml_node *root = NULL;
    status code = yaml_tree_parse(&root, text, text_size, &source);
    if (code != STATUS_OK)
        return code;
    spec *made = arena_take(memory, sizeof *made); /* too large for a stack */
    made->name = arena_copy_text(memory, name);
    made->text = arena_copy_bytes(memory, text, text_size);
    made->digest = content_hash_of(text, text_size);
    read_spec(made, root, &source);
    if (problems->error_count != errors_before)
        return STATUS_INPUT_INVALID;
    *out_spec = *made;
    return STATUS_OK;
}
