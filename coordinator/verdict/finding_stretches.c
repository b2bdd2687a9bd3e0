#include "coordinator/verdict/finding_stretches.h"

enum { STRETCH_APART_SECONDS = 2 };

void finding_stretches_add(judgement *self, finding_stretches *list, uint64_t start, uint64_t end)
{
    finding_stretch *last = list->count > 0 ? &list->items[list->count - 1] : NULL;
    if (last != NULL && start <= last->end + STRETCH_APART_SECONDS * (uint64_t)self->timeline->sample_rate) {
        last->end = end > last->end ? end : last->end;
        return;
    }
    list->items = arena_grow_array(self->memory, list->items, list->count, &list->capacity, sizeof *list->items);
    list->items[list->count++] = (finding_stretch){.start = start, .end = end};
}

const char *finding_stretches_text(judgement *self, const finding_stretches *list)
{
    enum { TOLD_MAX = 4 };
    const char *text = "";
    uint64_t sum = 0;
    for (size_t i = 0; i < list->count; i++) {
        sum += list->items[i].end - list->items[i].start;
        if (i < TOLD_MAX)
            text = arena_format(self->memory, "%s%s%s", text, i == 0 ? "" : ", ",
                                judgement_stretch(self, list->items[i].start, list->items[i].end));
    }
    if (list->count == 1)
        return text;
    const char *more = list->count > TOLD_MAX ? arena_format(self->memory, " and at %zu more place%s", list->count - TOLD_MAX,
                                                             list->count == TOLD_MAX + 1 ? "" : "s") : "";
    return arena_format(self->memory, "for %.0f s in all, %s%s", (double)sum / self->timeline->sample_rate, text, more);
}

const char *finding_stretches_json(judgement *self, const finding_stretches *list)
{
    const char *text = arena_format(self->memory, "\"place_count\": %zu, \"places\": [", list->count);
    for (size_t i = 0; i < list->count && i < VERDICT_RUNS_MAX; i++)
        text = arena_format(self->memory, "%s%s{\"start_sample\": %llu, \"end_sample\": %llu}", text, i == 0 ? "" : ", ",
                            (unsigned long long)list->items[i].start, (unsigned long long)list->items[i].end);
    return arena_format(self->memory, "%s]", text);
}
