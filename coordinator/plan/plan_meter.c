/* Tasks that read a programme once more, from its received files or from those that the job made: the second meter the whole of
 * what was published, EXCERPT a few places of what will be, or is held back. */
#include "coordinator/plan/plan_parts.h"

#include "common/base/ensure.h"

/* Channel i of the layout goes straight to lane i of the only output, which is not written. */
static void meter_program(render_program *program, const plan_deliverable *deliverable, uint32_t deliverable_index,
                          uint32_t sample_rate, arena *memory)
{
    const channel_layout *layout = channel_layout_get(deliverable->layout);
    *program = (render_program){.sample_rate = sample_rate,
                                .input_count = layout->channel_count,
                                .output_count = 1,
                                .output_lane_count = layout->channel_count,
                                .term_count = layout->channel_count};
    program->outputs[0] = (render_output){
        .deliverable = (uint16_t)deliverable_index, .layout = (uint8_t)deliverable->layout, .encoding = ENCODING_NONE};
    program->terms = arena_take_array(memory, layout->channel_count, sizeof *program->terms);
    for (uint32_t c = 0; c < layout->channel_count; c++) {
        program->inputs[c] = (render_lane){.stem = PLAN_STEM_RECEIVED, .label = (uint8_t)layout->labels[c]};
        program->terms[c] = (render_term){.input = (uint16_t)c, .output = (uint16_t)c, .gain = 1.0};
    }
}

static void meter_bind_received(const plan *self, const plan_piece *piece, task_render *part, arena *memory)
{
    uint32_t channels = part->program.input_count;
    uint32_t *inputs = arena_take_array(memory, channels, sizeof *inputs);
    part->inputs = arena_take_array(memory, channels, sizeof *part->inputs);
    for (uint32_t c = 0; c < channels; c++) {
        uint16_t channel = 0;
        int64_t input = plan_lane_input(self, &part->program, &part->program.inputs[c], piece->reel, &channel);
        ENSURE(input >= 0); /* received files are never optional */
        uint32_t at = 0;
        while (at < part->input_count && inputs[at] != (uint32_t)input)
            at++;
        if (at == part->input_count) {
            inputs[part->input_count] = (uint32_t)input;
            part->inputs[part->input_count++] = plan_task_input(self, (uint32_t)input);
        }
        part->pieces[0].bindings[c] =
            (task_binding){.file = (uint16_t)at, .channel = channel, .file_frame = (int64_t)piece->file_frame};
    }
}

/* files: one, or one for each channel. unpublished: NULL where they have their final names. */
static void meter_bind_made(const plan_deliverable *deliverable, const plan_file *files, const plan_context *unpublished,
                            task_render *part, arena *memory)
{
    uint32_t channels = part->program.input_count;
    bool mono_files = files[0].channel != CHANNEL_NONE;
    part->input_count = mono_files ? channels : 1;
    part->inputs = arena_take_array(memory, part->input_count, sizeof *part->inputs);
    for (uint32_t i = 0; i < part->input_count; i++) {
        const output_header *header = &files[i].header;
        part->inputs[i] = (task_input){.file = files[i].final,
                                       .identity = {.size = files[i].file_size},
                                       .container = header->container,
                                       .encoding = header->encoding,
                                       .sample_rate = header->sample_rate,
                                       .channel_count = header->channel_count,
                                       .frame_count = header->frame_count,
                                       .data_offset = header->data_offset,
                                       .direct = true};
        if (unpublished != NULL)
            plan_part_path(&files[i].final, unpublished->farm, unpublished->job, unpublished->generation, &part->inputs[i].file);
    }
    for (uint32_t c = 0; c < channels; c++) {
        int position = mono_files ? 0 : channel_order_position(&deliverable->order, deliverable->layout, c);
        ENSURE(position >= 0);
        part->pieces[0].bindings[c] = (task_binding){.file = mono_files ? (uint16_t)c : 0,
                                                     .channel = (uint16_t)position,
                                                     .file_frame = files[0].header.leader.head_frames};
    }
}

/* What of a deliverable's files must be read: one piece, or all of it where one set of files has all. */
typedef struct meter_source {
    const plan_deliverable *deliverable;
    const plan_timeline *timeline;
    bool joined;
    uint32_t part_count;
} meter_source;

static meter_source meter_source_of(const plan *self, const plan_task *task)
{
    const plan_deliverable *deliverable = &self->deliverables[task->deliverable];
    const plan_timeline *timeline = &self->timelines[deliverable->timeline];
    bool joined = deliverable->rendered && self->files[deliverable->first_file].reel < 0;
    return (meter_source){deliverable, timeline, joined, joined ? 1 : timeline->piece_count};
}

static void meter_part(const plan *self, const plan_task *task, const meter_source *source, uint32_t index,
                       const plan_context *unpublished, task_render *part, arena *memory)
{
    const plan_deliverable *deliverable = source->deliverable;
    const plan_timeline *timeline = source->timeline;
    const plan_piece *piece = &timeline->pieces[index];
    const plan_file *files = &self->files[deliverable->first_file];
    uint32_t channels = channel_layout_get(deliverable->layout)->channel_count;
    uint32_t set_size = deliverable->rendered && files[0].channel != CHANNEL_NONE ? channels : 1;
    meter_program(&part->program, deliverable, task->deliverable, timeline->sample_rate, memory);
    part->piece_count = 1;
    part->pieces = arena_take_array(memory, 1, sizeof *part->pieces);
    part->pieces[0] = (task_piece){.reel = piece->reel,
                                   .programme_frame = piece->programme_frame,
                                   .frame_count = source->joined ? timeline->frame_count : piece->frame_count,
                                   .bindings = arena_take_array(memory, channels, sizeof(task_binding))};
    part->cell_count = 1;
    part->programme_end = index + 1 == source->part_count;
    part->programme_frame_count = timeline->frame_count;
    if (deliverable->rendered)
        meter_bind_made(deliverable, files + (size_t)index * set_size, unpublished, part, memory);
    else
        meter_bind_received(self, piece, part, memory);
}

status plan_meter_body(const plan *self, const plan_task *task, task_meter *out_meter, arena *memory)
{
    const meter_source source = meter_source_of(self, task);
    if (source.part_count > SHOW_REELS_MAX)
        return STATUS_LIMIT;
    out_meter->part_count = source.part_count;
    out_meter->parts = arena_take_array(memory, source.part_count, sizeof *out_meter->parts);
    for (uint32_t i = 0; i < source.part_count; i++)
        meter_part(self, task, &source, i, NULL, &out_meter->parts[i], memory);
    return STATUS_OK;
}

static bool any_place_in(const plan_context *context, uint64_t first, uint64_t end)
{
    for (uint32_t i = 0; i < context->place_count; i++)
        if (context->places[i].first_frame < end && context->places[i].first_frame + context->places[i].frame_count > first)
            return true;
    return false;
}

void plan_excerpt_body(const plan *self, const plan_task *task, const plan_context *context, task_excerpt *out_excerpt,
                       arena *memory)
{
    const meter_source source = meter_source_of(self, task);
    const plan_context *unpublished = context->published ? NULL : context;
    *out_excerpt = (task_excerpt){.parts = arena_take_array(memory, 2 * TASK_PLACES_MAX, sizeof *out_excerpt->parts)};
    for (uint32_t i = 0; i < source.part_count && out_excerpt->part_count < 2 * TASK_PLACES_MAX; i++) {
        const plan_piece *piece = &source.timeline->pieces[i];
        uint64_t end = source.joined ? source.timeline->frame_count : piece->programme_frame + piece->frame_count;
        if (any_place_in(context, piece->programme_frame, end))
            meter_part(self, task, &source, i, unpublished, &out_excerpt->parts[out_excerpt->part_count++], memory);
    }
    if (out_excerpt->part_count == 0)
        return;
    out_excerpt->place_count = context->place_count;
    out_excerpt->places = arena_take_array(memory, context->place_count, sizeof *out_excerpt->places);
    for (uint32_t i = 0; i < context->place_count; i++)
        out_excerpt->places[i] = context->places[i];
    if (context->audition != NULL) {
        out_excerpt->audition = true;
        out_excerpt->folder = *context->audition;
    }
}
