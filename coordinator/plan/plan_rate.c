/* Stems at another rate than the show's: where they lie, counted at the show's rate. */
#include "coordinator/plan/plan_parts.h"

#include <string.h>

bool plan_converts(const show *film, const plan_input *input, const media_facts *facts)
{
    return input->stem >= 0 && facts->outcome == STATUS_OK && facts->sample_rate != film->sample_rate &&
           sample_rate_converts(facts->sample_rate, film->sample_rate);
}

const media_facts *plan_facts_at_rate(const show *film, const input_list *inputs, const media_facts *facts, arena *memory)
{
    media_facts *made = NULL;
    for (uint32_t i = 0; i < inputs->count; i++) {
        if (!plan_converts(film, &inputs->items[i], &facts[i]))
            continue;
        if (made == NULL) {
            made = arena_take_array(memory, inputs->count, sizeof *made);
            memcpy(made, facts, inputs->count * sizeof *made);
        }
        uint32_t from = facts[i].sample_rate;
        uint64_t reference = facts[i].bext.time_reference;
        made[i].sample_rate = film->sample_rate;
        made[i].frame_count = sample_rate_frames(facts[i].frame_count, from, film->sample_rate);
        /* In two parts, so that no reference a file may hold overflows. */
        made[i].bext.time_reference = reference / from * film->sample_rate +
                                      (reference % from * film->sample_rate + from / 2) / from;
    }
    return made == NULL ? facts : made;
}

bool plan_reference_converts(const show *film, const media_facts *facts)
{
    return facts->bext.time_reference % facts->sample_rate * film->sample_rate % facts->sample_rate == 0;
}
