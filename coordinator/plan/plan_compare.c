/* Which stems a received programme is held against, and when that makes sense at all. */
#include "coordinator/plan/plan_parts.h"

#include <strings.h>

/* The programme's pieces are the reels': then every stem has a place in it. A second more or less is a matter of length. */
static const char *pieces_differ(const plan *target, const plan_timeline *timeline, plan_timeline *joined, arena *memory)
{
    plan_source source = {.show = target->show, .inputs = &target->inputs, .facts = target->facts};
    plan_timeline_joined(joined, &source, memory);
    if (timeline->sample_rate != joined->sample_rate)
        return "its sample rate is not the show's";
    bool apart = timeline->piece_count != joined->piece_count;
    for (uint32_t i = 0; !apart && i < joined->piece_count; i++) {
        const plan_piece *piece = &timeline->pieces[i];
        uint64_t a = piece->frame_count;
        uint64_t b = joined->pieces[i].frame_count;
        apart = piece->spans_reels || (a > b ? a - b : b - a) > timeline->sample_rate;
    }
    return apart ? "its length differs from the reels' by more than a second, so it is not known where they begin in it" : NULL;
}

/* A stem that can be read beside the programme in every piece; an optional one may be missing in some. */
static bool stem_usable(const plan *target, uint32_t stem, const plan_timeline *timeline)
{
    const show *film = target->show;
    bool present = false;
    for (uint32_t i = 0; i < target->inputs.count; i++) {
        const plan_input *input = &target->inputs.items[i];
        const media_facts *facts = &target->facts[i];
        if (input->stem != (int32_t)stem)
            continue;
        if (facts->outcome != STATUS_OK) {
            if (!input->optional)
                return false;
            continue;
        }
        present = true;
        uint32_t channels =
            input->channel != CHANNEL_NONE ? 1 : channel_layout_get(film->stems[stem].layout)->channel_count;
        if (facts->sample_rate != timeline->sample_rate || facts->channel_count != channels)
            return false;
        for (uint32_t k = 0; k < timeline->piece_count; k++) {
            int64_t position = 0;
            const plan_piece *piece = &timeline->pieces[k];
            if ((input->reel < 0 || input->reel == (int32_t)piece->reel) &&
                !plan_stem_position(film, input, facts, piece->reel, piece->programme_frame, &position))
                return false;
        }
    }
    return present;
}

bool plan_speaks(const show *film, uint32_t deliverable, uint32_t stem)
{
    const char *language = film->stems[stem].language;
    return language[0] == '\0' || strcasecmp(language, plan_language(film, deliverable)) == 0;
}

void plan_compare_stems(plan *target, uint32_t index, render_program *program)
{
    const show *film = target->show;
    plan_deliverable *planned = &target->deliverables[index];
    const plan_timeline *timeline = &target->timelines[planned->timeline];
    plan_timeline joined;
    uint32_t received_lanes = program->input_count;
    planned->uncompared = film->stem_count == 0       ? "there are no stems to compare it with"
                          : planned->object_count > 0 ? "it carries objects, which were not rendered"
                          : film->print_masters[planned->layout] == NULL
                              ? "no full mix of its layout is known"
                              : pieces_differ(target, timeline, &joined, &target->arena);
    for (uint32_t stem = 0; planned->uncompared == NULL && stem < film->stem_count; stem++) {
        const channel_layout *layout = channel_layout_get(film->stems[stem].layout);
        if (!plan_speaks(film, index, stem) || !stem_usable(target, stem, timeline))
            continue;
        if (program->input_count + layout->channel_count > STEM_CROSSED_LANES_MAX) {
            planned->uncompared = "the stems have too many channels to compare them all at once";
            break;
        }
        for (uint32_t i = 0; i < layout->channel_count; i++)
            program->inputs[program->input_count++] =
                (render_lane){.stem = (uint16_t)stem, .label = (uint8_t)layout->labels[i]};
    }
    if (planned->uncompared == NULL && program->input_count == received_lanes)
        planned->uncompared = "none of the show's stems can be read beside it";
    if (planned->uncompared != NULL)
        program->input_count = (uint16_t)received_lanes;
}
