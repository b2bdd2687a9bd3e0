/* What tasks say on the wire, made when they are assigned. */
#include "coordinator/plan/plan_parts.h"

#include "common/base/ensure.h"
#include "common/base/plain_math.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Of the folder in which a deliverable's files are made. It is emptied: a name that nobody gives a folder of their own. */
#define STAGING_SUFFIX ".reelmill.part"

enum { BODY_BYTES_MAX = FRAME_BYTES_MAX - 4096, INPUT_NONE = -1 };

void plan_part_path(const task_path *final, uint64_t farm, uint32_t job, uint32_t generation, task_path *out_part)
{
    char suffix[64];
    int suffix_length =
        snprintf(suffix, sizeof suffix, ".%016" PRIx64 "-%" PRIu32 "-%" PRIu32 ".part", farm, job, generation);
    ENSURE(suffix_length > 0 && (size_t)suffix_length < sizeof suffix);
    const char *name = strrchr(final->path, '/');
    size_t folder = name == NULL ? 0 : (size_t)(name - final->path);
    task_path part = *final;
    ENSURE(snprintf(part.path, sizeof part.path, "%.*s%s%s%s", (int)folder, final->path, name == NULL ? "" : STAGING_SUFFIX,
                    final->path + folder, suffix) < (int)sizeof part.path);
    *out_part = part;
}

/* ---- which file a lane comes from ---- */

int64_t plan_lane_input(const plan *self, const render_program *program, const render_lane *lane, uint32_t reel,
                        uint16_t *out_channel)
{
    uint32_t first;
    channel_layout_id layout;
    const channel_order *order;
    if (lane->stem == PLAN_STEM_RECEIVED) {
        const plan_deliverable *deliverable = &self->deliverables[program->outputs[0].deliverable];
        first = deliverable->first_input;
        layout = deliverable->layout;
        order = &deliverable->order;
    } else {
        first = self->stem_inputs[lane->stem];
        layout = self->show->stems[lane->stem].layout;
        order = &self->show->stems[lane->stem].order;
    }
    const plan_input *input = &self->inputs.items[first];
    int channel = channel_layout_index(layout, (channel_label)lane->label);
    ENSURE(channel >= 0);
    bool mono_files = input->channel != CHANNEL_NONE;
    uint32_t files_per_reel = mono_files ? channel_layout_get(layout)->channel_count : 1;
    uint32_t index = first + (input->reel >= 0 ? reel * files_per_reel : 0) + (mono_files ? (uint32_t)channel : 0);
    ENSURE(index < self->inputs.count);
    int position = mono_files ? 0 : channel_order_position(order, layout, (uint32_t)channel);
    int track = mono_files ? -1 : media_adm_track(&self->facts[index].adm, lane->label);
    if (track >= 0)
        position = track; /* the metadata know where the bed's channels lie; order is for files that say nothing */
    ENSURE(position >= 0);
    *out_channel = (uint16_t)position;
    return self->facts[index].outcome == STATUS_OK ? (int64_t)index : INPUT_NONE;
}

/* The pieces that a task reads: its own, those before it as far as pre-roll and nodes reach, those behind it that nodes see. */
typedef struct task_reach {
    uint32_t count;
    uint32_t following; /* the last so many of them lie behind */
    uint16_t pieces[TASK_PIECES_MAX];
    bool whole;         /* there was room for all */
} task_reach;

static task_reach task_pieces(const plan *self, const plan_task *task)
{
    const plan_timeline *timeline = &self->timelines[task->timeline];
    const render_program *program = &self->programs[task->program];
    uint64_t fades = plan_join_reach(timeline);
    uint64_t back = METER_PREROLL_FRAMES + render_program_reach_before(program) + fades;
    uint64_t ahead = render_program_reach_after(program) + fades;
    task_reach reach = {.count = 1, .pieces = {task->piece}};
    uint64_t reached = (uint64_t)task->first_cell * CELL_FRAMES;
    while (reached < back && reach.count <= task->piece && reach.count < PLAN_PIECES_BEFORE + 1) {
        uint16_t before = (uint16_t)(task->piece - reach.count);
        reach.pieces[reach.count++] = before;
        reached += timeline->pieces[before].frame_count;
    }
    reach.whole = reached >= back || reach.count > task->piece;
    uint64_t end = ((uint64_t)task->first_cell + task->cell_count) * CELL_FRAMES;
    uint64_t left = timeline->pieces[task->piece].frame_count;
    left = end < left ? left - end : 0;
    uint32_t next = (uint32_t)task->piece + 1;
    for (; left < ahead && next < timeline->piece_count && reach.count < TASK_PIECES_MAX; next++) {
        reach.pieces[reach.count++] = (uint16_t)next;
        reach.following++;
        left += timeline->pieces[next].frame_count;
    }
    reach.whole = reach.whole && (left >= ahead || next == timeline->piece_count);
    return reach;
}

bool plan_task_reaches(const plan *self, const plan_task *task)
{
    return task_pieces(self, task).whole;
}

/* Position of an input in the task's list, which it joins when it is new. */
static uint16_t binding_file(plan_binding *binding, uint32_t input)
{
    uint32_t at = 0;
    while (at < binding->input_count && binding->inputs[at] != input)
        at++;
    if (at == binding->input_count)
        binding->inputs[binding->input_count++] = input;
    return (uint16_t)at;
}

/* The deliverable of a render program that carries objects; PLAN_DELIVERABLE_NONE if none does. */
static uint32_t objects_of(const plan *self, const plan_task *task)
{
    const render_program *program = &self->programs[task->program];
    for (uint32_t i = 0; task->kind == TASK_RENDER && !self->program_scans[task->program] && i < program->output_count; i++) {
        uint16_t deliverable = program->outputs[i].deliverable;
        if (deliverable != PLAN_DELIVERABLE_NONE && self->deliverables[deliverable].object_count > 0)
            return deliverable;
    }
    return PLAN_DELIVERABLE_NONE;
}

/* Objects of a deliverable in one piece, `shift` frames from its first one; of_reel: from files of the reel alone. */
static task_binding *binding_objects(const plan *self, uint32_t deliverable, const plan_piece *piece, int64_t shift, bool of_reel,
                                     plan_binding *binding, arena *memory)
{
    if (deliverable == PLAN_DELIVERABLE_NONE)
        return NULL;
    const plan_timeline *timeline = &self->timelines[self->deliverables[deliverable].timeline];
    task_binding *objects = arena_take_array(memory, self->deliverables[deliverable].object_count, sizeof *objects);
    for (uint32_t i = 0; i < self->deliverables[deliverable].object_count; i++) {
        uint16_t channel = 0;
        int64_t file_frame = 0;
        int64_t input = plan_object_input(self, deliverable, i, piece->reel, &channel);
        objects[i] = (task_binding){.file = TASK_FILE_NONE};
        if (input == INPUT_NONE || (of_reel && !plan_input_of_reel(self->show, &self->inputs.items[input])))
            continue;
        ENSURE(plan_stem_position(plan_timeline_show(self->show, timeline), &self->inputs.items[input], &timeline->placed[input],
                                  piece->reel, piece->programme_frame, &file_frame));
        objects[i] = (task_binding){
            .file = binding_file(binding, (uint32_t)input), .channel = channel, .file_frame = file_frame + shift};
    }
    return objects;
}

static void binding_pieces(const plan *self, const plan_task *task, plan_binding *binding, task_piece *pieces,
                           uint32_t piece_count, const uint16_t *piece_indexes, arena *memory)
{
    const render_program *program = &self->programs[task->program];
    const plan_timeline *timeline = &self->timelines[task->timeline];
    for (uint32_t i = 0; i < piece_count; i++) {
        const plan_piece *piece = &timeline->pieces[piece_indexes[i]];
        task_binding *bindings = arena_take_array(memory, program->input_count, sizeof *bindings);
        for (uint32_t k = 0; k < program->input_count; k++) {
            uint16_t channel = 0;
            int64_t input = plan_lane_input(self, program, &program->inputs[k], piece->reel, &channel);
            if (input == INPUT_NONE) {
                bindings[k] = (task_binding){.file = TASK_FILE_NONE};
                continue;
            }
            int64_t file_frame = (int64_t)piece->file_frame;
            if (program->inputs[k].stem != PLAN_STEM_RECEIVED)
                ENSURE(plan_stem_position(plan_timeline_show(self->show, timeline), &self->inputs.items[input],
                                          &timeline->placed[input], piece->reel,
                                          piece->programme_frame, &file_frame));
            bindings[k] = (task_binding){
                .file = binding_file(binding, (uint32_t)input), .channel = channel, .file_frame = file_frame};
        }
        task_binding *objects = binding_objects(self, objects_of(self, task), piece, 0, false, binding, memory);
        pieces[i] = (task_piece){.reel = piece->reel,
                                 .programme_frame = piece->programme_frame,
                                 .frame_count = piece->frame_count,
                                 .join_before = piece->join_before,
                                 .join_after = piece->join_after,
                                                                  .bindings = bindings,
                                 .objects = objects};
        if (i == 0)
            binding->own_input_count = binding->input_count;
    }
}

static void binding_files(const plan *self, const plan_task *task, plan_binding *binding, arena *memory)
{
    const render_program *program = &self->programs[task->program];
    uint32_t reel = self->timelines[task->timeline].pieces[task->piece].reel;
    binding->files = arena_take_array(memory, CELL_OUTPUTS_MAX, sizeof *binding->files);
    for (uint32_t i = 0; i < program->output_count; i++) {
        if (program->outputs[i].deliverable == PLAN_DELIVERABLE_NONE || self->program_scans[task->program])
            continue;
        const plan_deliverable *deliverable = &self->deliverables[program->outputs[i].deliverable];
        for (uint32_t k = 0; k < deliverable->file_count; k++) {
            uint32_t file = deliverable->first_file + k;
            if (self->files[file].reel >= 0 && self->files[file].reel != (int32_t)reel)
                continue;
            ENSURE(binding->file_count < CELL_OUTPUTS_MAX);
            binding->files[binding->file_count++] = file;
        }
    }
}

static void binding_make(const plan *self, const plan_task *task, plan_binding *binding, task_piece *pieces,
                         const task_reach *reach, arena *memory)
{
    size_t inputs_max = (size_t)reach->count * (self->programs[task->program].input_count + OBJECT_STEMS_MAX);
    *binding = (plan_binding){.inputs = arena_take_array(memory, inputs_max, sizeof *binding->inputs)};
    binding_pieces(self, task, binding, pieces, reach->count, reach->pieces, memory);
    binding_files(self, task, binding, memory);
}

void plan_task_binding(const plan *self, uint32_t task_index, arena *memory, plan_binding *out_binding)
{
    const plan_task *task = &self->tasks[task_index];
    task_piece pieces[TASK_PIECES_MAX];
    ENSURE(task->kind == TASK_RENDER || task->kind == TASK_INSPECT);
    task_reach reach = task_pieces(self, task);
    binding_make(self, task, out_binding, pieces, &reach, memory);
}

/* ---- bodies ---- */

static task_path plan_file_part(const plan *self, uint32_t file, const plan_context *context)
{
    task_path part;
    plan_part_path(&self->files[file].final, context->farm, context->job, context->generation, &part);
    return part;
}

static void body_output_file(const plan *self, const plan_piece *piece, uint32_t index, const plan_context *context,
                             task_output_file *out_file)
{
    const plan_file *file = &self->files[index];
    const plan_deliverable *deliverable = &self->deliverables[file->deliverable];
    const output_leader *leader = &file->header.leader;
    *out_file = (task_output_file){.part = plan_file_part(self, index, context),
                                   .output = deliverable->program_output,
                                   .data_offset = file->header.data_offset,
                                   .file_frame = leader->head_frames + (file->reel < 0 ? piece->programme_frame : 0),
                                   .file_frame_count = file->header.frame_count - leader->tail_frames,
                                   .leader_frames = leader->head_frames,
                                   .channel_count = (uint8_t)file->header.channel_count,
                                   .object_count = (uint8_t)file->header.object_count};
    for (uint32_t i = 0; i < file->header.channel_count - file->header.object_count; i++) {
        channel_label label = file->channel != CHANNEL_NONE ? file->channel : deliverable->order.labels[i];
        int channel = channel_layout_index(deliverable->layout, label);
        ENSURE(channel >= 0);
        out_file->channels[i] = (uint8_t)channel;
    }
}

task_input plan_task_input(const plan *self, uint32_t input)
{
    const media_facts *facts = &self->facts[input];
    return (task_input){.file = self->inputs.items[input].path,
                        .identity = facts->identity,
                        .container = facts->container,
                        .encoding = facts->encoding,
                        .sample_rate = facts->sample_rate,
                        .channel_count = facts->channel_count,
                        .frame_count = facts->frame_count,
                        .data_offset = facts->data_offset,
                        .direct = facts->direct};
}

/* Workers get its bits. */
double plan_gain_factor(double gain_db)
{
    return power_of_ten(gain_db / 20.0);
}

/* Terms of outputs whose gain a scan found; those of their side lanes too. Measured-only sums stay as they are. */
static void render_scale(const plan *self, render_program *program, const double *gains_db, arena *memory)
{
    render_term *terms = arena_take_array(memory, program->term_count, sizeof *terms);
    for (uint32_t i = 0; i < program->term_count; i++) {
        uint16_t lane = program->terms[i].output;
        terms[i] = program->terms[i];
        for (uint32_t n = 0; n < program->node_count; n++)
            if (lane == program->output_lane_count + program->nodes[n].side)
                lane = program->nodes[n].output;
        for (uint32_t o = 0; o < program->output_count; o++) {
            const render_output *output = &program->outputs[o];
            uint32_t channels = channel_layout_get((channel_layout_id)output->layout)->channel_count;
            if (output->deliverable != PLAN_DELIVERABLE_NONE && lane >= output->first_lane &&
                lane < output->first_lane + channels && self->deliverables[output->deliverable].gain_scanned)
                terms[i].gain *= plan_gain_factor(plan_gain_db(self, output->deliverable, gains_db));
        }
    }
    program->terms = terms;
}

static bool file_keeps_leader(const plan *self, uint32_t file)
{
    return self->show->deliverables[self->files[file].deliverable].recipe->keeps_leader;
}

static status body_render(const plan *self, const plan_task *task, const plan_context *context, task_body *body,
                          arena *memory)
{
    task_render *render = &body->render;
    const plan_timeline *timeline = &self->timelines[task->timeline];
    const plan_piece *piece = &timeline->pieces[task->piece];
    plan_binding binding;
    render->program = self->programs[task->program];
    if (context->gains_db != NULL && !self->program_scans[task->program])
        render_scale(self, &render->program, context->gains_db, memory);
    render->pieces = arena_take_array(memory, TASK_PIECES_MAX, sizeof *render->pieces);
    task_reach reach = task_pieces(self, task);
    binding_make(self, task, &binding, render->pieces, &reach, memory);
    uint32_t objects = objects_of(self, task);
    render->object_count = objects == PLAN_DELIVERABLE_NONE ? 0 : self->deliverables[objects].object_count;
    render->piece_count = reach.count;
    render->following_count = reach.following;
    if (binding.input_count > TASK_FILES_MAX)
        return STATUS_LIMIT;
    render->input_count = binding.input_count;
    render->inputs = arena_take_array(memory, binding.input_count, sizeof *render->inputs);
    for (uint32_t i = 0; i < binding.input_count; i++)
        render->inputs[i] = plan_task_input(self, binding.inputs[i]);
    render->file_count = binding.file_count;
    render->files = arena_take_array(memory, binding.file_count, sizeof *render->files);
    for (uint32_t i = 0; i < binding.file_count; i++) {
        task_output_file *file = &render->files[i];
        body_output_file(self, piece, binding.files[i], context, file);
        /* A leader that is kept is written by SEAL: an attempt that outlives its lease must not lay silence over its end. */
        file->exact = task->first_cell == 0 && file->file_frame == file->leader_frames && file_keeps_leader(self, binding.files[i]);
    }
    render->first_cell = task->first_cell;
    render->cell_count = task->cell_count;
    render->programme_end = (uint32_t)task->piece + 1 == timeline->piece_count;
    render->programme_frame_count = timeline->frame_count;
    render->stems = self->program_stems[task->program];
    render->signal_groups = self->signal_groups;
    render->digests_file = task->of_input;
    return STATUS_OK;
}

/* The ranges of a file are its cells: all pieces of a joined file, one piece of a reel's file. */
static status body_verify(const plan *self, const plan_task *task, const plan_context *context, task_body *body,
                          arena *memory)
{
    task_verify *verify = &body->verify;
    if (task->of_input) {
        const media_facts *facts = &self->facts[task->file];
        verify->file = self->inputs.items[task->file].path;
        if (facts->direct) {
            verify->data_offset = facts->data_offset > UINT32_MAX ? 0 : (uint32_t)facts->data_offset;
            verify->bytes_per_frame = facts->channel_count * sample_encoding_bytes(facts->encoding);
            verify->data_size = verify->data_offset == 0 ? 0 : facts->frame_count * verify->bytes_per_frame;
        }
        return STATUS_OK;
    }
    const plan_file *file = &self->files[task->file];
    const plan_timeline *timeline = &self->timelines[self->deliverables[file->deliverable].timeline];
    verify->file = plan_file_part(self, task->file, context);
    verify->file_size = file->file_size;
    const output_leader *leader = &file->header.leader;
    verify->bytes_per_frame = file->header.channel_count * sample_encoding_bytes(file->header.encoding);
    verify->data_offset = file->header.data_offset + leader->head_frames * verify->bytes_per_frame;
    verify->data_size = (file->header.frame_count - leader->head_frames - leader->tail_frames) * verify->bytes_per_frame;
    verify->header_digest = context->header_digest;
    verify->trailer_digest = context->trailer_digest;
    verify->read_back = context->read_back;

    uint32_t first = file->reel < 0 ? 0 : (uint32_t)file->reel;
    uint32_t end = file->reel < 0 ? timeline->piece_count : first + 1;
    uint32_t cells = 0;
    for (uint32_t i = first; i < end; i++)
        cells += timeline->pieces[i].cell_count;
    if (cells != context->cell_count)
        return STATUS_DEFECT;
    verify->ranges = arena_take_array(memory, cells, sizeof *verify->ranges);
    for (uint32_t i = first; i < end; i++)
        for (uint32_t k = 0; k < timeline->pieces[i].cell_count; k++) {
            uint64_t left = timeline->pieces[i].frame_count - (uint64_t)k * CELL_FRAMES;
            verify->ranges[verify->range_count] =
                (task_verify_range){.frame_count = left < CELL_FRAMES ? left : CELL_FRAMES,
                                    .digest = context->cell_digests[verify->range_count]};
            verify->range_count++;
        }
    return STATUS_OK;
}

/* Leader or tail as one reel's files have it: a programme of its own. A long-play file is in another reel's sound there. */
static status body_side(const plan *self, uint32_t index, bool tail, const plan_context *context, task_render *side, arena *memory)
{
    const plan_file *file = &self->files[index];
    const plan_deliverable *deliverable = &self->deliverables[file->deliverable];
    const plan_timeline *timeline = &self->timelines[deliverable->timeline];
    uint32_t number = file->reel >= 0 ? (uint32_t)file->reel : tail ? timeline->piece_count - 1 : 0;
    const plan_piece *piece = &timeline->pieces[number];
    const output_leader *leader = &file->header.leader;
    uint32_t frames = tail ? leader->tail_frames : leader->head_frames;
    *side = (task_render){.program = self->programs[deliverable->program], .piece_count = 1, .file_count = 1};
    if (context->gains_db != NULL)
        render_scale(self, &side->program, context->gains_db, memory);
    side->program.join = JOIN_BUTT;
    int64_t shift = tail ? (int64_t)piece->frame_count : -(int64_t)frames;
    side->object_count = deliverable->object_count;
    plan_binding binding = {
        .inputs = arena_take_array(memory, side->program.input_count + side->object_count, sizeof *binding.inputs)};
    task_binding *bindings = arena_take_array(memory, side->program.input_count, sizeof *bindings);
    for (uint32_t k = 0; k < side->program.input_count; k++) {
        uint16_t channel = 0;
        int64_t position = 0;
        int64_t input = plan_lane_input(self, &side->program, &side->program.inputs[k], piece->reel, &channel);
        bindings[k] = (task_binding){.file = TASK_FILE_NONE};
        if (input == INPUT_NONE || !plan_input_of_reel(self->show, &self->inputs.items[input]) ||
            !plan_stem_position(plan_timeline_show(self->show, timeline), &self->inputs.items[input], &timeline->placed[input],
                                piece->reel, piece->programme_frame, &position))
            continue;
        bindings[k] = (task_binding){
            .file = binding_file(&binding, (uint32_t)input), .channel = channel, .file_frame = position + shift};
    }
    task_binding *objects =
        side->object_count == 0 ? NULL : binding_objects(self, file->deliverable, piece, shift, true, &binding, memory);
    if (binding.input_count > TASK_FILES_MAX)
        return STATUS_LIMIT;
    side->input_count = binding.input_count;
    side->inputs = arena_take_array(memory, binding.input_count, sizeof *side->inputs);
    for (uint32_t i = 0; i < binding.input_count; i++)
        side->inputs[i] = plan_task_input(self, binding.inputs[i]);
    side->pieces = arena_take(memory, sizeof *side->pieces);
    side->pieces[0] = (task_piece){.reel = piece->reel, .frame_count = frames, .bindings = bindings, .objects = objects};
    side->files = arena_take(memory, sizeof *side->files);
    body_output_file(self, piece, index, context, &side->files[0]);
    side->files[0].leader_frames = 0;
    side->files[0].exact = true;
    side->files[0].file_frame = tail ? file->header.frame_count - frames : 0;
    side->files[0].file_frame_count = tail ? file->header.frame_count : frames;
    side->cell_count = (frames + CELL_FRAMES - 1) / CELL_FRAMES;
    side->programme_end = true;
    side->programme_frame_count = frames;
    return STATUS_OK;
}

static status body_seal(const plan *self, const plan_task *task, const plan_context *context, task_body *body, arena *memory)
{
    body->seal.part = plan_file_part(self, task->file, context);
    body->seal.header = self->files[task->file].header;
    media_bext *bext = &body->seal.header.bext;
    if (body->seal.header.object_count == 0) { /* else what was measured is the bed alone */
        bext->loudness_value = context->loudness_value;
        bext->loudness_range = context->loudness_range;
        bext->max_true_peak_level = context->max_true_peak;
        bext->max_momentary_loudness = context->max_momentary;
        bext->max_short_term_loudness = context->max_short_term;
    }
    if (!file_keeps_leader(self, task->file))
        return STATUS_OK;
    const output_leader *leader = &body->seal.header.leader;
    body->seal.sides = arena_take_array(memory, 2, sizeof *body->seal.sides);
    status code = STATUS_OK;
    if (leader->head_frames > 0)
        code = body_side(self, task->file, false, context, &body->seal.sides[body->seal.side_count++], memory);
    if (code == STATUS_OK && leader->tail_frames > 0)
        code = body_side(self, task->file, true, context, &body->seal.sides[body->seal.side_count++], memory);
    return code;
}

static status body_publish(const plan *self, const plan_task *task, const plan_context *context, task_body *body,
                           arena *memory)
{
    const plan_deliverable *deliverable = &self->deliverables[task->deliverable];
    uint32_t count = deliverable->file_count;
    if (count > TASK_PUBLISH_FILES_MAX)
        return STATUS_LIMIT;
    if (task->kind == TASK_PUBLISH) {
        body->publish.replace = context->replace;
        body->publish.checksums =
            (uint8_t)((self->show->md5 ? CHECKSUMS_MD5 : 0) | (self->show->xxh128 ? CHECKSUMS_XXH128 : 0));
        if (plan_has_control(self->show, task->deliverable)) {
            const recipe *rule = self->show->deliverables[task->deliverable].recipe;
            const output_header *header = &self->files[deliverable->first_file].header;
            double gain = plan_gain_factor(plan_gain_db(self, task->deliverable, context->gains_db));
            body->publish.has_control = true;
            body->publish.control = (task_control){.shape = rule->duck,
                                                   .encoding = header->encoding,
                                                   .sample_rate = header->sample_rate,
                                                   .data_offset = header->data_offset,
                                                   .frame_count = header->frame_count};
            double threshold = rule->duck.threshold * gain * gain; /* the curve listens before the gain, the file is behind it */
            body->publish.control.shape.threshold = threshold < 1.0 ? threshold : 1.0;
        }
        body->publish.file_count = count;
        body->publish.files = arena_take_array(memory, count, sizeof *body->publish.files);
        for (uint32_t i = 0; i < count; i++) {
            body->publish.files[i].part = plan_file_part(self, deliverable->first_file + i, context);
            body->publish.files[i].final = self->files[deliverable->first_file + i].final;
            if (context->files_verified != NULL) { /* plan_create only asks whether the body fits */
                body->publish.files[i].digest = context->files_verified[i].file_digest;
                body->publish.files[i].identity = context->files_verified[i].identity;
            }
        }
        return plan_publish_inputs(self, task->deliverable, &body->publish, memory);
    }
    /* What a publication that was stopped has staged goes too. */
    bool staged = 2 * count <= TASK_PUBLISH_FILES_MAX;
    body->discard.files = arena_take_array(memory, 2 * (size_t)count, sizeof *body->discard.files);
    for (uint32_t i = 0; i < count; i++) {
        const task_path *final = &self->files[deliverable->first_file + i].final;
        task_path part = plan_file_part(self, deliverable->first_file + i, context);
        body->discard.files[body->discard.file_count++] = part;
        const char *folder_end = strrchr(part.path, '/');
        const char *name = strrchr(final->path, '/');
        if (!staged || folder_end == NULL || name == NULL)
            continue;
        memcpy(part.path + (folder_end - part.path), name, strlen(name) + 1); /* shorter than the .part name was */
        body->discard.files[body->discard.file_count++] = part;
    }
    return STATUS_OK;
}

static status body_fill(const plan *self, const plan_task *task, const plan_context *context, task_body *body,
                        arena *memory)
{
    switch (task->kind) {
    case TASK_ALLOCATE:
        body->allocate.part = plan_file_part(self, task->file, context);
        body->allocate.final = self->files[task->file].final;
        body->allocate.header = self->files[task->file].header;
        return STATUS_OK;
    case TASK_RENDER:
    case TASK_INSPECT:
        return body_render(self, task, context, body, memory);
    case TASK_SEAL:
        return body_seal(self, task, context, body, memory);
    case TASK_VERIFY:
        return body_verify(self, task, context, body, memory);
    case TASK_PUBLISH:
    case TASK_DISCARD:
        return body_publish(self, task, context, body, memory);
    case TASK_METER:
        return plan_meter_body(self, task, &body->meter, memory);
    case TASK_LISTEN:
        return plan_listen_body(self, task, &body->listen, memory);
    case TASK_EXCERPT:
        plan_excerpt_body(self, task, context, &body->excerpt, memory);
        return STATUS_OK;
    case TASK_PROBE:
    case TASK_DEPOSIT:
    case TASK_KIND_REMOTE_END:
    case TASK_PLAN:
    case TASK_MERGE:
    case TASK_GAIN:
    case TASK_COMPOSE:
        break;
    }
    return STATUS_DEFECT; /* made by the shell, or never sent */
}

status plan_task_body(const plan *self, uint32_t task_index, const plan_context *context, byte_writer *writer)
{
    if (task_index >= self->task_count)
        return STATUS_DEFECT;
    const plan_task *task = &self->tasks[task_index];
    arena scratch = {0};
    task_body *body = arena_take(&scratch, sizeof *body);
    body->kind = task->kind;
    status result = body_fill(self, task, context, body, &scratch);
    size_t size_before = writer->size;
    if (result == STATUS_OK)
        task_body_encode(body, writer);
    if (result == STATUS_OK && (writer->failed || writer->size - size_before > BODY_BYTES_MAX))
        result = STATUS_LIMIT;
    arena_deinit(&scratch);
    return result;
}

content_hash plan_cell_key(const render_program *program, uint64_t frame_in_piece, sample_encoding encoding,
                           uint32_t input_count, const content_hash *input_digests)
{
    content_hash program_digest = render_program_digest(program);
    byte_writer writer;
    byte_writer_init(&writer, 64 + ((size_t)input_count + 1) * CONTENT_HASH_BYTES);
    byte_writer_u16(&writer, RENDER_VERSION);
    byte_writer_bytes(&writer, program_digest.bytes, CONTENT_HASH_BYTES);
    byte_writer_u64(&writer, frame_in_piece);
    byte_writer_u8(&writer, (uint8_t)encoding);
    byte_writer_u32(&writer, input_count);
    for (uint32_t i = 0; i < input_count; i++)
        byte_writer_bytes(&writer, input_digests[i].bytes, CONTENT_HASH_BYTES);
    ENSURE(!writer.failed);
    content_hash key = content_hash_of(writer.bytes, writer.size);
    byte_writer_deinit(&writer);
    return key;
}
