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

/* A breach decides nothing while another member is unknown, which says so itself: what to do about it is not known yet. */
static void soften_members(judgement *self, int group)
{
    for (size_t i = 0; i < self->verdict->findings.count; i++) {
        finding *item = &self->verdict->findings.items[i];
        if (item->rule != NULL && item->rule->group == group && item->severity > FINDING_NOT_CHECKED) {
            const char *advice = strstr(item->message, ". ");
            int told = advice == NULL ? (int)strlen(item->message) : (int)(advice - item->message);
            item->message = arena_format(self->memory, "%.*s. That could not be judged, so this decides nothing.", told, item->message);
            item->severity = FINDING_INFO;
        }
    }
}

void judge_groups(judgement *self)
{
    for (uint32_t group = 0; self->rules != NULL && group < self->rules->group_count; group++) {
        bool holds = false;
        bool unknown = false;
        for (uint32_t i = 0; i < self->rules->limit_count; i++) {
            const spec_limit *limit = &self->rules->limits[i];
            if (limit->group != (int)group || judgement_force(self, limit) == LIMIT_OUT_OF_FORCE)
                continue;
            member_state state = state_of(self, limit);
            holds = holds || state == MEMBER_HOLDS;
            unknown = unknown || state == MEMBER_UNKNOWN;
        }
        if (holds)
            drop_members(self, (int)group);
        else if (unknown)
            soften_members(self, (int)group);
    }
}
