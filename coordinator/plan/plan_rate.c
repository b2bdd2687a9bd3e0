/* Stems at another rate than the show's: where they lie, counted at the show's rate. */
#include "coordinator/plan/plan_parts.h"

#include <string.h>

bool plan_converts(const show *film, const plan_input *input, const media_facts *facts)
{
    return input->stem >= 0 && facts->outcome == STATUS_OK && facts->sample_rate != film->sample_rate &&
           sample_rate_converts(facts->sample_rate, film->sample_rate);
}

/* Frames of a file at from Hz that a programme at to Hz has of it, in lowest terms so that no length overflows; rounded up. */
static uint64_t frames_at(uint64_t frames, uint64_t from, uint64_t to)
{
    uint64_t a = from;
    for (uint64_t b = to; b != 0;) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    from /= a;
    to /= a;
    return frames / from * to + (frames % from * to + from - 1) / from;
}

const media_facts *plan_facts_at_speed(const show *film, const input_list *inputs, const media_facts *facts,
                                       uint32_t speed_num, uint32_t speed_den, arena *memory)
{
    media_facts *made = NULL;
    uint64_t num = speed_num == 0 ? 1 : speed_num;
    uint64_t den = speed_num == 0 ? 1 : speed_den;
    for (uint32_t i = 0; i < inputs->count; i++) {
        bool sped = speed_num != 0 && inputs->items[i].stem >= 0 && facts[i].outcome == STATUS_OK;
        if (!sped && !plan_converts(film, &inputs->items[i], &facts[i]))
            continue;
        if (made == NULL) {
            made = arena_take_array(memory, inputs->count, sizeof *made);
            memcpy(made, facts, inputs->count * sizeof *made);
        }
        uint32_t from = facts[i].sample_rate;
        uint64_t reference = facts[i].bext.time_reference;
        made[i].sample_rate = film->sample_rate;
        made[i].frame_count = frames_at(facts[i].frame_count, from * num, film->sample_rate * den);
        /* In two parts, so that no reference a file may hold overflows. Files placed by theirs are not sped up. */
        made[i].bext.time_reference = reference / from * film->sample_rate +
                                      (reference % from * film->sample_rate + from / 2) / from;
    }
    return made == NULL ? facts : made;
}

const media_facts *plan_facts_at_rate(const show *film, const input_list *inputs, const media_facts *facts, arena *memory)
{
    return plan_facts_at_speed(film, inputs, facts, 0, 0, memory);
}

bool plan_reference_converts(const show *film, const media_facts *facts)
{
    return facts->bext.time_reference % facts->sample_rate * film->sample_rate % facts->sample_rate == 0;
}
