/* From names to recipes and specs, and what must hang together across one show. */
#include "coordinator/show/show_file.h"
#include "coordinator/show/spec.h"

#include <string.h>
#include <strings.h>

typedef struct resolver {
    show *show;
    const library *library;
    arena *arena;
    problem_list *problems;
    const recipe **recipes; /* [library.recipe_count], parsed when first used */
    const spec **specs;
    bool *recipe_bad;
    bool *spec_bad;
} resolver;

static void complain(resolver *self, const show_deliverable *at, const char *sentence)
{
    problem_list_add(self->problems, self->arena, PROBLEM_ERROR, self->show->file_name, at->line, at->column, "%s", sentence);
}

/* The last of that name: a text beside the show file stands before the one that ships. */
static size_t text_find(const named_text *texts, size_t count, const char *name)
{
    for (size_t i = count; i > 0; i--)
        if (strcmp(texts[i - 1].name, name) == 0)
            return i - 1;
    return count;
}

static void complain_unknown(resolver *self, const show_deliverable *at, const char *kind, const char *name,
                             const named_text *texts, size_t count)
{
    const char *list = count == 0 ? "none" : texts[0].name;
    const char **names = arena_take_array(self->arena, count + 1, sizeof *names);
    for (size_t i = 0; i < count; i++) {
        names[i] = texts[i].name;
        if (i > 0)
            list = arena_format(self->arena, "%s, %s", list, texts[i].name);
    }
    const char *guess = word_suggest(name, names, count);
    complain(self, at, arena_format(self->arena, "deliverable %s: there is no %s \"%s\"%s%s%s; available: %s", at->name, kind,
                                    name, guess == NULL ? "" : " (did you mean \"", guess == NULL ? "" : guess,
                                    guess == NULL ? "" : "\"?)", list));
}

static const recipe *recipe_at(resolver *self, size_t index)
{
    const library *all = self->library;
    if (self->recipes[index] == NULL && !self->recipe_bad[index]) {
        const named_text *text = &all->recipes[index];
        recipe *made = arena_take(self->arena, sizeof *made);
        self->recipe_bad[index] = recipe_parse(made, text->name, text->text, text->text_size, text->source, all,
                                               self->arena, self->problems) != STATUS_OK;
        self->recipes[index] = self->recipe_bad[index] ? NULL : made;
    }
    return self->recipes[index];
}

static const recipe *find_recipe(resolver *self, const show_deliverable *at)
{
    const library *all = self->library;
    size_t index = text_find(all->recipes, all->recipe_count, at->recipe_name);
    if (index == all->recipe_count) {
        complain_unknown(self, at, "recipe", at->recipe_name, all->recipes, all->recipe_count);
        return NULL;
    }
    return recipe_at(self, index);
}

/* Received programmes are held against the full mix that their layout stands for. */
static void find_print_masters(resolver *self)
{
    static const char *const names[] = {"printmaster-7.1.2", "printmaster-7.1", "printmaster-5.1", "stereo-loro", "mono"};
    const library *all = self->library;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t index = text_find(all->recipes, all->recipe_count, names[i]);
        const recipe *rule = index == all->recipe_count ? NULL : recipe_at(self, index);
        if (rule != NULL)
            self->show->print_masters[rule->layout] = rule;
    }
}

static const spec *find_spec(resolver *self, const show_deliverable *at)
{
    const library *all = self->library;
    size_t index = text_find(all->specs, all->spec_count, at->spec_name);
    if (index == all->spec_count) {
        complain_unknown(self, at, "spec", at->spec_name, all->specs, all->spec_count);
        return NULL;
    }
    if (self->specs[index] == NULL && !self->spec_bad[index]) {
        const named_text *text = &all->specs[index];
        spec *made = arena_take(self->arena, sizeof *made);
        self->spec_bad[index] = spec_parse(made, text->name, text->text, text->text_size, text->source, self->arena,
                                           self->problems) != STATUS_OK;
        self->specs[index] = self->spec_bad[index] ? NULL : made;
    }
    return self->specs[index];
}

/* ---- stems ---- */

static const show_stem *find_stem(const show *film, const char *name)
{
    for (uint32_t i = 0; i < film->stem_count; i++)
        if (strcmp(film->stems[i].name, name) == 0)
            return &film->stems[i];
    return NULL;
}

static bool recipe_takes_role(const recipe *rule, const char *role)
{
    for (uint32_t i = 0; i < rule->role_count; i++)
        if (strcmp(rule->roles[i], role) == 0)
            return true;
    return false;
}

static void check_layouts(resolver *self, const show_deliverable *at, const recipe *rule)
{
    for (uint32_t i = 0; i < self->show->stem_count; i++) {
        const show_stem *stem = &self->show->stems[i];
        bool taken = rule->takes_stem ? at->stem != NULL && strcmp(at->stem, stem->name) == 0
                                      : recipe_takes_role(rule, stem->role_name);
        fold_term terms[FOLD_TERMS_MAX];
        uint32_t count = 0;
        error_detail detail = {0};
        if (taken && recipe_matrix(rule, stem->role_name, stem->layout, terms, &count, &detail) != STATUS_OK)
            complain(self, at, arena_format(self->arena, "deliverable %s cannot take stem %s: %s", at->name, stem->name,
                                            detail.message));
    }
}

/* A recipe that sums roles wants at least one of them, and the dialogue of the deliverable's language if it has dialogue. */
static void check_roles(resolver *self, const show_deliverable *at, const recipe *rule)
{
    const show *film = self->show;
    bool found = false;
    bool spoken = false;
    bool in_language = false;
    const char *languages = "";
    for (uint32_t i = 0; i < film->stem_count; i++) {
        const show_stem *stem = &film->stems[i];
        if (!recipe_takes_role(rule, stem->role_name))
            continue;
        found = true;
        if (stem->role != ROLE_DIALOGUE && stem->role != ROLE_NARRATION)
            continue;
        spoken = true;
        in_language = in_language || stem->language[0] == '\0' || strcasecmp(stem->language, at->language) == 0;
        if (stem->language[0] != '\0')
            languages = arena_format(self->arena, "%s%s%s", languages, languages[0] == '\0' ? "" : ", ", stem->language);
    }
    if (!found) {
        const char *roles = rule->roles[0];
        for (uint32_t i = 1; i < rule->role_count; i++)
            roles = arena_format(self->arena, "%s, %s", roles, rule->roles[i]);
        complain(self, at, arena_format(self->arena, "deliverable %s: recipe %s sums stems of the roles %s, and the show has "
                                                     "none of them; correct the roles under `stems`",
                                        at->name, rule->name, roles));
        return;
    }
    if (at->language[0] != '\0' && spoken && !in_language)
        complain(self, at, arena_format(self->arena, "deliverable %s is in \"%s\", and no stem of recipe %s has that language; "
                                                     "the show has %s",
                                        at->name, at->language, rule->name, languages[0] == '\0' ? "no languages" : languages));
}

/* A role with a channel to itself whose stems all speak other languages: its channel is silent, which nobody may have meant. */
static void check_places(resolver *self, const show_deliverable *at, const recipe *rule)
{
    for (uint32_t r = 0; at->language[0] != '\0' && r < rule->role_count; r++) {
        const char *languages = NULL;
        bool taken = false;
        for (uint32_t i = 0; rule->places[r] != CHANNEL_NONE && i < self->show->stem_count; i++) {
            const show_stem *stem = &self->show->stems[i];
            if (strcmp(stem->role_name, rule->roles[r]) != 0)
                continue;
            taken = taken || stem->language[0] == '\0' || strcasecmp(stem->language, at->language) == 0;
            languages = languages == NULL ? stem->language : arena_format(self->arena, "%s, %s", languages, stem->language);
        }
        if (languages != NULL && !taken)
            problem_list_add(self->problems, self->arena, PROBLEM_WARNING, self->show->file_name, at->line, at->column,
                             "deliverable %s is in \"%s\", and the stems of role %s are in %s alone: its channel %s will be silent; "
                             "add a stem in \"%s\" if there is to be one",
                             at->name, at->language, rule->roles[r], languages, channel_label_name(rule->places[r]),
                             at->language);
    }
}

/* The stem of that name; where there is none, NULL and a complaint. */
static const show_stem *require_stem(resolver *self, const show_deliverable *at, const char *name)
{
    const show *film = self->show;
    const show_stem *stem = find_stem(film, name);
    if (stem != NULL)
        return stem;
    const char *names[SHOW_STEMS_MAX + 1] = {0};
    for (uint32_t i = 0; i < film->stem_count; i++)
        names[i] = film->stems[i].name;
    const char *guess = word_suggest(name, names, film->stem_count);
    complain(self, at, arena_format(self->arena, "deliverable %s: there is no stem \"%s\"%s%s%s; name one of `stems`",
                                    at->name, name, guess == NULL ? "" : " (did you mean \"",
                                    guess == NULL ? "" : guess, guess == NULL ? "" : "\"?)"));
    return NULL;
}

static void resolve_stem(resolver *self, show_deliverable *at, const recipe *rule)
{
    if (!rule->takes_stem) {
        if (at->stem != NULL)
            complain(self, at, arena_format(self->arena, "deliverable %s: `stem: %s` belongs to recipe stem, and recipe %s sums "
                                                         "stems by role; remove it",
                                            at->name, at->stem, rule->name));
        return;
    }
    if (at->stem == NULL) {
        complain(self, at, arena_format(self->arena, "deliverable %s: recipe %s needs to know which stem; add `stem: NAME`",
                                        at->name, rule->name));
        return;
    }
    const show_stem *stem = require_stem(self, at, at->stem);
    if (stem == NULL)
        return;
    if (at->language[0] != '\0' && stem->language[0] != '\0' && strcasecmp(at->language, stem->language) != 0)
        complain(self, at, arena_format(self->arena, "deliverable %s is in \"%s\", but its stem %s is in \"%s\"; take out `language`, "
                                                     "or name the stem of that language",
                                        at->name, at->language, stem->name, stem->language));
    recipe *own = arena_take(self->arena, sizeof *own);
    *own = *rule;
    if (own->layout == LAYOUT_NONE)
        own->layout = stem->layout;
    at->recipe = own;
}

/* ---- gains ---- */

static const show_deliverable *find_deliverable(const show *film, const char *name)
{
    for (uint32_t i = 0; i < film->deliverable_count; i++)
        if (strcmp(film->deliverables[i].name, name) == 0)
            return &film->deliverables[i];
    return NULL;
}

static bool spec_has_target(const spec *rules)
{
    for (uint32_t i = 0; i < rules->limit_count; i++)
        if (strncmp(rules->limits[i].check, "loudness.", 9) == 0 && rules->limits[i].target == rules->limits[i].target)
            return true;
    return false;
}

static void check_gain(resolver *self, const show_deliverable *at)
{
    const show *film = self->show;
    if (at->gain.mode == GAIN_TO_SPEC && at->spec != NULL && !spec_has_target(at->spec))
        complain(self, at, arena_format(self->arena, "deliverable %s: gain is {to: spec}, but spec %s has no loudness target; "
                                                     "choose another spec or give the gain in dB",
                                        at->name, at->spec_name));
    if (at->gain.mode != GAIN_MATCH)
        return;
    const show_deliverable *other = find_deliverable(film, at->gain.match);
    if (other == NULL || other->file != NULL) {
        complain(self, at, arena_format(self->arena, "deliverable %s: gain matches \"%s\", which is %s; name a deliverable that "
                                                     "this show makes",
                                        at->name, at->gain.match, other == NULL ? "no deliverable" : "a received file"));
        return;
    }
    const show_deliverable *step = at;
    for (uint32_t i = 0; i <= film->deliverable_count; i++) {
        if (step == NULL || step->gain.mode != GAIN_MATCH)
            return;
        step = find_deliverable(film, step->gain.match);
    }
    complain(self, at, arena_format(self->arena, "deliverable %s: its gain matches %s, which in turn matches it back; give one "
                                                 "of them a gain of its own",
                                    at->name, at->gain.match));
}

status show_resolve(show *self, const library *all, arena *memory, problem_list *problems)
{
    size_t errors_before = problems->error_count;
    resolver state = {.show = self, .library = all, .arena = memory, .problems = problems};
    state.recipes = arena_take_array(memory, all->recipe_count, sizeof *state.recipes);
    state.specs = arena_take_array(memory, all->spec_count, sizeof *state.specs);
    state.recipe_bad = arena_take_array(memory, all->recipe_count, sizeof *state.recipe_bad);
    state.spec_bad = arena_take_array(memory, all->spec_count, sizeof *state.spec_bad);
    for (uint32_t i = 0; i < self->deliverable_count; i++) {
        show_deliverable *deliverable = &self->deliverables[i];
        deliverable->spec = find_spec(&state, deliverable);
        for (uint32_t k = 0; k < deliverable->stem_name_count; k++)
            (void)require_stem(&state, deliverable, deliverable->stem_names[k]);
        if (deliverable->recipe_name == NULL)
            continue;
        const recipe *rule = find_recipe(&state, deliverable);
        if (rule == NULL)
            continue;
        deliverable->recipe = rule;
        if (deliverable->gain.mode == GAIN_NONE)
            deliverable->gain = rule->gain;
        resolve_stem(&state, deliverable, rule);
        if (!rule->takes_stem) {
            check_roles(&state, deliverable, rule);
            check_places(&state, deliverable, rule);
        }
        check_layouts(&state, deliverable, rule);
    }
    bool received = false;
    for (uint32_t i = 0; i < self->deliverable_count; i++)
        received = received || self->deliverables[i].recipe_name == NULL;
    if (received && self->stem_count > 0)
        find_print_masters(&state);
    for (uint32_t i = 0; i < self->deliverable_count; i++)
        check_gain(&state, &self->deliverables[i]);
    return problems->error_count == errors_before ? STATUS_OK : STATUS_INPUT_INVALID;
}
