#include "coordinator/verdict/verdict_parts.h"

#include <math.h>
#include <string.h>

typedef enum member_state { MEMBER_HOLDS, MEMBER_BROKEN, MEMBER_UNKNOWN } member_state;

/* What the findings say of one limit. One that merely tells a figure within its limit is no breach. */
static member_state state_of(const judgement *self, const spec_limit *limit)
{
    member_state state = MEMBER_HOLDS;
    for (size_t i = 0; i < self->verdict->findings.count; i++) {
        const finding *item = &self->verdict->findings.items[i];
        if (item->rule != limit)
            continue;
        if (item->severity == FINDING_NOT_CHECKED)
            state = MEMBER_UNKNOWN;
        else if (item->severity == judgement_breach(limit) && state == MEMBER_HOLDS)
            state = MEMBER_BROKEN;
    }
    return state;
}

/* The group holds: what its other members say decides nothing, and is left out. */
static void drop_members(judgement *self, int group)
{
    finding_list *list = &self->verdict->findings;
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        const finding *item = &list->items[i];
        bool told = item->rule != NULL && item->rule->group == group &&
                    (item->severity == FINDING_NOT_CHECKED || item->severity == judgement_breach(item->rule));
        if (!told)
            list->items[kept++] = *item;
    }
    list->count = kept;
}

/* The length of what was found, without its full stop and without the advice that follows it. */
static int found_length(const char *text)
{
    const char *advice = strstr(text, ". ");
    int told = advice == NULL ? (int)strlen(text) : (int)(advice - text);
    return told > 0 && text[told - 1] == '.' ? told - 1 : told; /* all of it was one sentence */
}

/* A breach decides nothing while another member is unknown, which says so itself: what to do about it is not known yet. */
static void soften_members(judgement *self, int group)
{
    for (size_t i = 0; i < self->verdict->findings.count; i++) {
        finding *item = &self->verdict->findings.items[i];
        if (item->rule != NULL && item->rule->group == group && item->severity > FINDING_NOT_CHECKED) {
            item->message = arena_format(self->memory, "%.*s. That could not be judged, so this decides nothing.",
                                         found_length(item->message), item->message);
            item->severity = FINDING_INFO;
        }
    }
}

/* What holds it holds the other; NAN: no bound. */
static bool narrower(const spec_limit *a, const spec_limit *b)
{
    return (isnan(b->min) || a->min >= b->min) && (isnan(b->max) || a->max <= b->max);
}

static bool is_loudness(const finding *item)
{
    return item->rule != NULL && item->severity == judgement_breach(item->rule) && !item->has_range && isfinite(item->measured) &&
           strcmp(item->rule->unit, "LUFS") == 0;
}

/* The breach of a narrower limit in no group on the same figure, or NULL. */
static finding *narrower_breach(const judgement *self, const finding *wide)
{
    for (size_t i = 0; i < self->verdict->findings.count; i++) {
        finding *item = &self->verdict->findings.items[i];
        if (is_loudness(item) && item->rule->group < 0 && strcmp(item->check, wide->check) == 0 &&
            item->severity == wide->severity && narrower(item->rule, wide->rule))
            return item;
    }
    return NULL;
}

/*
 * Nothing of the group holds: what mends the narrower limit mends its own, and one figure that is off is one finding. It
 * mends the group too, so the others of the group need no change of their own, which might break the narrower one again.
 */
static void tell_with_narrower(judgement *self, int group)
{
    finding_list *list = &self->verdict->findings;
    const char *mends = NULL; /* the check of what was told with a narrower limit */
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        const finding item = list->items[i];
        finding *told = is_loudness(&item) && item.rule->group == group ? narrower_breach(self, &item) : NULL;
        if (told == NULL || told->wider != NULL) {
            list->items[kept++] = item;
            continue;
        }
        char allowed[LIMIT_TEXT_SIZE];
        judgement_allowed(item.rule, 1, allowed);
        told->wider = item.rule;
        told->message = arena_format(self->memory, "%s That meets the wider limit too, which it breaks as well: %s%s.", told->message, allowed,
                                     judgement_or_else(self, item.rule));
        told->clause = arena_format(self->memory, "%s; %s", told->clause, item.clause);
        mends = told->check;
    }
    list->count = kept;
    for (size_t i = 0; mends != NULL && i < list->count; i++) {
        finding *item = &list->items[i];
        if (is_loudness(item) && item->rule->group == group)
            item->message = arena_format(self->memory, "%.*s. What mends %s is enough.", found_length(item->message), item->message, mends);
    }
}

static bool rests_on_speech(const spec_limit *limit)
{
    return strcmp(limit->check, "loudness.dialogue") == 0 || strcmp(limit->check, "loudness.speech_share") == 0 ||
           limit->speech_at_least > 0.0 || limit->speech_below > 0.0;
}

/*
 * The errors that the detector states come from its own sureness, so they are smallest where it is wrong and sure: what
 * rests on its word alone is no silent pass.
 */
static void tell_heard(judgement *self)
{
    const dialogue_figures *dialogue = &self->verdict->dialogue;
    if (dialogue->gate != DIALOGUE_GATE_DETECTOR || dialogue->speech_share <= dialogue->share_error)
        return;
    for (size_t i = 0; i < self->verdict->findings.count; i++) {
        const finding *item = &self->verdict->findings.items[i];
        if (item->severity == FINDING_NOT_CHECKED && item->rule != NULL && rests_on_speech(item->rule))
            return;
    }
    finding *item = judgement_add(self, "loudness.dialogue", FINDING_NOT_CHECKED);
    item->subject = "detector";
    item->measured = dialogue->speech_share * 100.0;
    item->unit = "%";
    item->message = arena_format(self->memory,
                                 "That %.1f %% of it is speech is told by %s alone, which may take an instrument for speech: "
                                 "judge it beside its dialogue stem.",
                                 item->measured, judgement_detector(self));
}

void judge_groups(judgement *self)
{
    bool heard = false; /* something that holds rests on where speech is */
    uint32_t limit_count = self->rules == NULL ? 0 : self->rules->limit_count;
    for (uint32_t i = 0; i < limit_count; i++)
        heard = heard || (self->rules->limits[i].group < 0 && rests_on_speech(&self->rules->limits[i]));
    for (uint32_t group = 0; self->rules != NULL && group < self->rules->group_count; group++) {
        bool holds = false;
        bool holds_unheard = false;
        bool unknown = false;
        for (uint32_t i = 0; i < limit_count; i++) {
            const spec_limit *limit = &self->rules->limits[i];
            if (limit->group != (int)group || judgement_force(self, limit) == LIMIT_OUT_OF_FORCE)
                continue;
            member_state state = state_of(self, limit);
            holds = holds || state == MEMBER_HOLDS;
            holds_unheard = holds_unheard || (state == MEMBER_HOLDS && !rests_on_speech(limit));
            unknown = unknown || state == MEMBER_UNKNOWN;
        }
        heard = heard || (holds && !holds_unheard);
        if (holds)
            drop_members(self, (int)group);
        else if (unknown)
            soften_members(self, (int)group);
        else
            tell_with_narrower(self, (int)group);
    }
    if (heard)
        tell_heard(self);
}
