/* Programmes made elsewhere: their layout, and the program that measures them as they are. */
#include "coordinator/plan/plan_parts.h"

#include "common/measure/speech_measure.h"

#include <string.h>

/* The largest bed of which its metadata name every channel once. */
static channel_layout_id adm_layout(const media_adm *adm)
{
    const channel_layout *found = channel_layout_get(LAYOUT_NONE);
    for (int id = LAYOUT_NONE + 1; id < LAYOUT_COUNT; id++) {
        const channel_layout *layout = channel_layout_get((channel_layout_id)id);
        bool all = layout->channel_count > found->channel_count;
        for (uint32_t i = 0; all && i < layout->channel_count; i++)
            all = media_adm_track(adm, (uint8_t)layout->labels[i]) >= 0;
        if (all)
            found = layout;
    }
    return found->id;
}

channel_layout_id plan_received_layout(const plan_source *source, uint32_t deliverable_index, uint32_t first_input,
                                       channel_order *out_order)
{
    const show_deliverable *deliverable = &source->show->deliverables[deliverable_index];
    const media_facts *facts = &source->facts[first_input];
    bool mono_files = source->inputs->items[first_input].channel != CHANNEL_NONE;
    channel_layout_id layout = deliverable->layout;
    if (layout == LAYOUT_NONE && !mono_files && facts->adm.object_count > 0)
        layout = adm_layout(&facts->adm);
    else if (layout == LAYOUT_NONE && !mono_files)
        layout = channel_layout_guess(facts->channel_count);
    channel_order_of(layout, ORDER_SMPTE, out_order);
    if (mono_files)
        return layout;
    if (deliverable->order_given && deliverable->order.channel_count == out_order->channel_count)
        *out_order = deliverable->order;
    else if (facts->has_channel_mask && facts->channel_mask != 0)
        (void)channel_order_from_mask(layout, facts->channel_mask, out_order);
    return layout;
}

/* Whether a programme holds dialogue at all, only its spec says: an M&E made elsewhere looks like any other file. */
static bool asks_for_dialogue(const spec *rules)
{
    for (uint32_t i = 0; rules != NULL && i < rules->limit_count; i++) {
        const spec_limit *limit = &rules->limits[i];
        if (strcmp(limit->check, "loudness.dialogue") == 0 || strcmp(limit->check, "loudness.dialogue_range") == 0 ||
            strcmp(limit->check, "loudness.speech_share") == 0 || limit->speech_at_least > 0.0 || limit->speech_below > 0.0)
            return true;
    }
    return false;
}

/* Where the show's dialogue stems, which are read beside the programme, speak (speech_measure.h). */
static void add_speech(const plan *target, plan_deliverable *planned, render_program *program)
{
    uint32_t before = program->term_count;
    for (uint16_t i = 0; i < program->input_count; i++) {
        const render_lane *from = &program->inputs[i];
        if (from->stem != PLAN_STEM_RECEIVED && target->show->stems[from->stem].role == ROLE_DIALOGUE &&
            from->label != CHANNEL_LFE)
            program->terms[program->term_count++] =
                (render_term){.input = i, .output = program->output_lane_count, .gain = SPEECH_SUM_GAIN};
    }
    if (program->term_count == before)
        return;
    planned->speech_output = program->output_count;
    program->outputs[program->output_count++] = (render_output){.deliverable = PLAN_DELIVERABLE_NONE,
                                                                .layout = LAYOUT_MONO,
                                                                .encoding = ENCODING_NONE,
                                                                .overload = OVERLOAD_CLIP,
                                                                .first_lane = program->output_lane_count++};
}

bool plan_received_listens(const plan *self, uint32_t deliverable)
{
    const plan_deliverable *planned = &self->deliverables[deliverable];
    return !planned->rendered && planned->speech_output == PLAN_OUTPUT_NONE &&
           asks_for_dialogue(self->show->deliverables[deliverable].spec);
}

void plan_received_program(plan *target, uint32_t index)
{
    plan_deliverable *planned = &target->deliverables[index];
    plan_source source = {.show = target->show, .inputs = &target->inputs, .facts = target->facts};
    const media_facts *facts = &target->facts[planned->first_input];
    planned->layout = plan_received_layout(&source, index, planned->first_input, &planned->order);
    planned->encoding = facts->encoding;
    planned->sample_rate = facts->sample_rate;
    planned->object_count = facts->adm.object_count;
    planned->program = (uint16_t)target->program_count;

    const channel_layout *layout = channel_layout_get(planned->layout);
    render_program *program = &target->programs[target->program_count++];
    *program = (render_program){.sample_rate = facts->sample_rate,
                                .input_count = layout->channel_count,
                                .output_count = 1,
                                .join = (uint8_t)plan_timeline_join(target, &target->timelines[planned->timeline]),
                                .output_lane_count = layout->channel_count,
                                .term_count = layout->channel_count};
    program->outputs[0] = (render_output){.deliverable = (uint16_t)index,
                                          .layout = (uint8_t)planned->layout,
                                          .encoding = ENCODING_NONE,
                                          .overload = OVERLOAD_FAIL};
    program->terms = arena_take_array(&target->arena, PROGRAM_INPUT_LANES_MAX, sizeof *program->terms);
    for (uint16_t i = 0; i < layout->channel_count; i++) {
        program->inputs[i] = (render_lane){.stem = PLAN_STEM_RECEIVED, .label = (uint8_t)layout->labels[i]};
        program->terms[i] = (render_term){.input = i, .output = i, .gain = 1.0};
    }
    plan_compare_stems(target, index, program);
    if (asks_for_dialogue(target->show->deliverables[index].spec))
        add_speech(target, planned, program);
    target->program_timelines[planned->program] = planned->timeline;
    target->program_stems[planned->program] = planned->uncompared == NULL ? STEMS_CROSSED : STEMS_NONE;
}
