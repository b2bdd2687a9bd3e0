/* Whose `gain` decides about a deliverable, and what must be measured before that gain is known. */
#include "coordinator/plan/plan_parts.h"

#include <string.h>
#include <strings.h>

bool plan_recipe_has_role(const recipe *rule, const char *role)
{
    for (uint32_t i = 0; i < rule->role_count; i++)
        if (strcmp(rule->roles[i], role) == 0)
            return true;
    return false;
}

channel_layout_id plan_deliverable_layout(const show *film, uint32_t index)
{
    const show_deliverable *deliverable = &film->deliverables[index];
    if (deliverable->recipe == NULL)
        return deliverable->layout;
    if (deliverable->recipe->layout != LAYOUT_NONE || deliverable->stem == NULL)
        return deliverable->recipe->layout;
    for (uint32_t i = 0; i < film->stem_count; i++)
        if (strcmp(film->stems[i].name, deliverable->stem) == 0)
            return film->stems[i].layout;
    return LAYOUT_NONE;
}

/* All of the programme, at a level of its own: print masters, and cinema packages with narration in a channel of its own. */
static bool deliverable_is_full_mix(const show_deliverable *deliverable)
{
    const recipe *rule = deliverable->recipe;
    return rule != NULL && !rule->takes_stem && rule->duck_role == NULL && plan_recipe_has_role(rule, "dialogue") &&
           plan_recipe_has_role(rule, "music") && plan_recipe_has_role(rule, "effects");
}

/* What M&E, AD and stems must still sum to, and whose gain they therefore share by default. */
static bool deliverable_is_print_master(const show_deliverable *deliverable)
{
    return deliverable_is_full_mix(deliverable) && !plan_recipe_has_role(deliverable->recipe, "narration");
}

/* A stem, or the narration alone: a part of a set that must sum, whatever layout it has itself. */
static bool deliverable_is_part(const show_deliverable *deliverable)
{
    return deliverable->recipe->takes_stem || deliverable->recipe->role_count == 1;
}

/* How many stems are delivered in this layout. */
static uint32_t stems_of_layout(const show *film, channel_layout_id layout)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < film->deliverable_count; i++) {
        const recipe *rule = film->deliverables[i].recipe;
        count += rule != NULL && rule->takes_stem && plan_deliverable_layout(film, i) == layout;
    }
    return count;
}

/*
 * The print master that a deliverable goes with, or -1: of its layout and language, else of its layout, else the first.
 * Parts go together with one of a language: that of the layout which most delivered stems have, else the first.
 */
static int32_t deliverable_print_master(const show *film, uint32_t index)
{
    bool part = deliverable_is_part(&film->deliverables[index]);
    int32_t best = -1;
    uint32_t best_score = 0;
    for (uint32_t i = 0; i < film->deliverable_count; i++) {
        if (i == index || !deliverable_is_print_master(&film->deliverables[i]))
            continue;
        channel_layout_id layout = plan_deliverable_layout(film, i);
        uint32_t same_language = strcasecmp(plan_language(film, i), plan_language(film, index)) == 0;
        uint32_t score = 1;
        if (part)
            score += (SHOW_DELIVERABLES_MAX + 1) * same_language + stems_of_layout(film, layout);
        else if (layout == plan_deliverable_layout(film, index))
            score += 1 + same_language;
        if (score > best_score) {
            best = (int32_t)i;
            best_score = score;
        }
    }
    return best;
}

static int32_t deliverable_find(const show *film, const char *name)
{
    for (uint32_t i = 0; i < film->deliverable_count; i++)
        if (strcmp(film->deliverables[i].name, name) == 0)
            return (int32_t)i;
    return -1;
}

/* The deliverable whose own `gain` decides the gain of this one; -1 = none, 0 dB. A circle of matches ends at its
 * start. */
static int32_t deliverable_gain_source(const show *film, uint32_t index)
{
    int32_t at = (int32_t)index;
    for (uint32_t step = 0; step <= film->deliverable_count; step++) {
        const show_deliverable *deliverable = &film->deliverables[at];
        int32_t next = -1;
        if (deliverable->gain.mode == GAIN_MATCH)
            next = deliverable_find(film, deliverable->gain.match);
        else if (deliverable->gain.mode == GAIN_NONE && deliverable->recipe != NULL &&
                 !deliverable_is_full_mix(deliverable))
            next = deliverable_print_master(film, (uint32_t)at);
        else
            return at;
        if (next < 0)
            return -1;
        at = next;
    }
    return -1;
}

void plan_gain_find(const show *film, uint32_t index, plan_deliverable *planned)
{
    int32_t source = deliverable_gain_source(film, index);
    planned->gain_source = source < 0 ? PLAN_DELIVERABLE_NONE : (uint16_t)source;
    planned->gain_scanned = source >= 0 && film->deliverables[source].gain.mode == GAIN_TO_SPEC;
    planned->gain_db = source >= 0 && film->deliverables[source].gain.mode == GAIN_DB ? film->deliverables[source].gain.db : 0.0;
}

void plan_mark_scanned(const show *film, const bool *wanted, bool *out_scanned)
{
    for (uint32_t i = 0; i < film->deliverable_count; i++) {
        int32_t source = wanted[i] && film->deliverables[i].recipe != NULL ? deliverable_gain_source(film, i) : -1;
        if (source >= 0 && film->deliverables[source].gain.mode == GAIN_TO_SPEC)
            out_scanned[source] = true;
    }
}

double plan_gain_db(const plan *self, uint32_t index, const double *gains_db)
{
    const plan_deliverable *deliverable = &self->deliverables[index];
    return deliverable->gain_scanned && gains_db != NULL ? gains_db[deliverable->gain_source] : deliverable->gain_db;
}
