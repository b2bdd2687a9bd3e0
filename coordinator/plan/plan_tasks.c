/* The tasks of a job and what each waits for. Numbers are given in the order of this file; waits always point back. */
#include "coordinator/plan/plan_parts.h"

#include "common/base/ensure.h"

#include <stdlib.h>
#include <string.h>

enum {
    TASKS_PER_SLOT = 4, /**< enough to balance, few enough to keep the cost per task small */
    CELLS_PER_TASK_MAX = 64,
    LAST_TASKS_PART = 8, /**< of such a task, at least, in the last ones */
    /* Estimates for order and balance only; no byte depends on them. */
    STORAGE_BYTES_PER_MS = 200000,
    LANE_FRAMES_PER_MS = 50000,
    METER_LANE_FRAMES_PER_MS = 15000, /* libebur128 with true peak */
    SMALL_TASK_MS = 20
};

typedef struct task_builder {
    plan *plan;
    uint32_t task_capacity;
    uint32_t wait_capacity;
    uint32_t slot_count;
    uint64_t cells_left;     /**< of all programmes, in no task yet */
    uint32_t cells_per_task; /**< at most */
    uint32_t cells_least;    /**< the same: all tasks are of one size */
    bool whole_files;        /**< programmes enough that each may be one task */
    uint32_t *program_first; /**< [program_count] number of its first RENDER or INSPECT task */
    uint32_t *program_count; /**< how many it has */
    uint32_t *input_verify;  /**< [inputs.count] number of a received file's VERIFY task; UINT32_MAX: it has none */
} task_builder;

/* Begins a task; its waits are those added until the next one begins. */
static plan_task *task_begin(task_builder *self, task_kind kind)
{
    plan *target = self->plan;
    if (target->task_count == self->task_capacity) {
        self->task_capacity = self->task_capacity == 0 ? 256 : 2 * self->task_capacity;
        target->tasks = realloc(target->tasks, self->task_capacity * sizeof *target->tasks);
        ENSURE(target->tasks != NULL);
    }
    plan_task *task = &target->tasks[target->task_count++];
    *task = (plan_task){.kind = kind, .affinity = PLAN_AFFINITY_NONE, .first_wait = target->wait_count};
    return task;
}

static uint32_t task_last_number(const task_builder *self)
{
    return self->plan->first_task + self->plan->task_count - 1;
}

/* The task begun last waits for `number`. */
static void task_wait(task_builder *self, uint32_t number)
{
    plan *target = self->plan;
    if (target->wait_count == self->wait_capacity) {
        self->wait_capacity = self->wait_capacity == 0 ? 1024 : 2 * self->wait_capacity;
        target->waits = realloc(target->waits, self->wait_capacity * sizeof *target->waits);
        ENSURE(target->waits != NULL);
    }
    ENSURE(number < task_last_number(self));
    target->waits[target->wait_count++] = number;
    target->tasks[target->task_count - 1].wait_count++;
}

static uint32_t task_cost(uint64_t byte_count, uint64_t lane_frames)
{
    uint64_t cost = SMALL_TASK_MS + byte_count / STORAGE_BYTES_PER_MS + lane_frames / LANE_FRAMES_PER_MS;
    return cost > UINT32_MAX ? UINT32_MAX : (uint32_t)cost;
}

static bool program_rendered(const plan *target, uint32_t program)
{
    return !target->program_scans[program] &&
           target->deliverables[target->programs[program].outputs[0].deliverable].rendered;
}

static void tasks_allocate(task_builder *self)
{
    for (uint32_t i = 0; i < self->plan->file_count; i++) {
        plan_task *task = task_begin(self, TASK_ALLOCATE);
        task->file = i;
        task->deliverable = self->plan->files[i].deliverable;
        task->cost = SMALL_TASK_MS;
        self->plan->files[i].allocate_task = task_last_number(self);
    }
}

/* Waits for the inodes that the cells of this piece are written to. */
static void task_wait_files(task_builder *self, const render_program *program, uint32_t piece_reel)
{
    const plan *target = self->plan;
    for (uint32_t i = 0; i < program->output_count; i++) {
        const plan_deliverable *deliverable = &target->deliverables[program->outputs[i].deliverable];
        if (program->outputs[i].deliverable == PLAN_DELIVERABLE_NONE)
            continue;
        for (uint32_t k = 0; k < deliverable->file_count; k++) {
            const plan_file *file = &target->files[deliverable->first_file + k];
            if (file->reel < 0 || file->reel == (int32_t)piece_reel)
                task_wait(self, file->allocate_task);
        }
    }
}

/* Waits for the gains that its outputs are rendered at. */
static void task_wait_gains(task_builder *self, const render_program *program)
{
    const plan *target = self->plan;
    bool waits[SHOW_DELIVERABLES_MAX] = {false};
    for (uint32_t i = 0; i < program->output_count; i++) {
        uint16_t index = program->outputs[i].deliverable;
        if (index == PLAN_DELIVERABLE_NONE || !target->deliverables[index].gain_scanned)
            continue;
        uint16_t source = target->deliverables[index].gain_source;
        if (!waits[source])
            task_wait(self, target->deliverables[source].gain_task);
        waits[source] = true;
    }
}

/* Bytes read and written for one frame of a program, near enough for a cost. */
static uint64_t program_frame_bytes(const plan *target, const render_program *program)
{
    uint64_t bytes = (uint64_t)program->input_count * 3;
    for (uint32_t i = 0; i < program->output_count; i++)
        bytes += program->outputs[i].deliverable != PLAN_DELIVERABLE_NONE &&
                         target->deliverables[program->outputs[i].deliverable].file_count > 0
                     ? sample_encoding_bytes((sample_encoding)program->outputs[i].encoding) *
                           channel_layout_get((channel_layout_id)program->outputs[i].layout)->channel_count
                     : 0;
    return bytes;
}

/*
 * A received programme that one task can measure as it reads its one file from end to end: that task takes the digests too.
 * It pays where programmes enough keep every slot busy; else the cells of one are spread over the slots.
 */
static bool program_one_read(const task_builder *self, uint32_t program_index)
{
    const plan *target = self->plan;
    const render_program *program = &target->programs[program_index];
    if (program->outputs[0].deliverable == PLAN_DELIVERABLE_NONE)
        return false;
    const plan_deliverable *deliverable = &target->deliverables[program->outputs[0].deliverable];
    const plan_timeline *timeline = &target->timelines[target->program_timelines[program_index]];
    if (!self->whole_files || deliverable->rendered || deliverable->input_count != 1 || timeline->piece_count != 1)
        return false;
    for (uint32_t i = 0; i < program->input_count; i++)
        if (program->inputs[i].stem != PLAN_STEM_RECEIVED)
            return false;
    const media_facts *facts = &target->facts[deliverable->first_input];
    const plan_piece *piece = &timeline->pieces[0];
    return facts->direct && facts->sample_rate == timeline->sample_rate && piece->file_frame == 0 &&
           facts->frame_count == piece->frame_count && piece->cell_count <= TASK_CELLS_MAX;
}

/*
 * Half of a slot's share of what is left: so the tasks become small towards the end, and no slot waits long for the one that is
 * last. What a slot is late by, or slower, is made up for by what the others take meanwhile.
 */
static uint32_t next_task_cells(const task_builder *self)
{
    uint64_t half = (self->cells_left + 2 * self->slot_count - 1) / (2 * self->slot_count);
    return half > self->cells_per_task ? self->cells_per_task : half < self->cells_least ? self->cells_least : (uint32_t)half;
}

/* Where a received programme begins in its file is known when these have ended. */
static void task_wait_seeks(task_builder *self, uint32_t deliverable)
{
    const plan_deliverable *wanted = &self->plan->deliverables[deliverable];
    for (uint32_t i = 0; i < wanted->seek_count; i++)
        task_wait(self, self->plan->listens[wanted->first_seek + i].task);
}

static void tasks_render(task_builder *self, uint32_t program_index)
{
    const plan *target = self->plan;
    const render_program *program = &target->programs[program_index];
    bool rendered = program_rendered(target, program_index);
    uint16_t timeline_index = target->program_timelines[program_index];
    const plan_timeline *timeline = &target->timelines[timeline_index];
    bool one_read = program_one_read(self, program_index);
    self->program_first[program_index] = target->first_task + target->task_count;
    for (uint32_t piece = 0; piece < timeline->piece_count; piece++)
        for (uint32_t cell = 0, count; cell < timeline->pieces[piece].cell_count; cell += count) {
            uint32_t left = timeline->pieces[piece].cell_count - cell;
            uint32_t cells = one_read ? TASK_CELLS_MAX : next_task_cells(self);
            count = left < cells ? left : cells;
            self->cells_left -= count;
            plan_task *task = task_begin(self, rendered ? TASK_RENDER : TASK_INSPECT);
            task->deliverable = program->outputs[0].deliverable;
            task->program = (uint16_t)program_index;
            task->timeline = timeline_index;
            task->piece = (uint16_t)piece;
            task->affinity = timeline->pieces[piece].reel;
            task->first_cell = cell;
            task->cell_count = count;
            task->of_input = one_read;
            task->file = one_read ? target->deliverables[task->deliverable].first_input : 0;
            uint64_t frames = (uint64_t)task->cell_count * CELL_FRAMES;
            task->cost = task_cost(frames * program_frame_bytes(target, program),
                                   frames * (uint64_t)(program->input_count + program->output_lane_count));
            self->program_count[program_index]++;
            if (rendered) {
                task_wait_files(self, program, timeline->pieces[piece].reel);
                task_wait_gains(self, program);
            } else if (!target->program_scans[program_index]) {
                task_wait_seeks(self, task->deliverable);
            }
        }
}

/* One for each deliverable that is brought to its spec, behind the scan that measures it. */
static void tasks_gain(task_builder *self)
{
    for (uint32_t i = 0; i < self->plan->deliverable_count; i++) {
        plan_deliverable *deliverable = &self->plan->deliverables[i];
        if (deliverable->scan_program == PLAN_PROGRAM_NONE)
            continue;
        plan_task *task = task_begin(self, TASK_GAIN);
        task->local = true;
        task->deliverable = (uint16_t)i;
        task->program = deliverable->scan_program;
        task->timeline = deliverable->scan_timeline;
        task->cost = SMALL_TASK_MS;
        for (uint32_t k = 0; k < self->program_count[deliverable->scan_program]; k++)
            task_wait(self, self->program_first[deliverable->scan_program] + k);
        deliverable->gain_task = task_last_number(self);
    }
}

/* Digests of received files, for the report. */
static void tasks_verify_inputs(task_builder *self)
{
    const plan *target = self->plan;
    for (uint32_t i = 0; i < target->inputs.count; i++) {
        int32_t deliverable = target->inputs.items[i].deliverable;
        if (deliverable < 0 || target->deliverables[deliverable].timeline == PLAN_TIMELINE_NONE ||
            program_one_read(self, target->deliverables[deliverable].program))
            continue;
        plan_task *task = task_begin(self, TASK_VERIFY);
        task->of_input = true;
        task->file = i;
        task->deliverable = (uint16_t)deliverable;
        task->cost = task_cost(target->facts[i].identity.size, 0);
        self->input_verify[i] = task_last_number(self);
    }
}

/* Those that seek come before what waits for them. */
static void tasks_listen(task_builder *self, bool seeks)
{
    plan *target = self->plan;
    for (uint32_t i = 0; i < target->listen_count; i++) {
        plan_listen *listen = &target->listens[i];
        if (listen->seeks != seeks)
            continue;
        plan_task *task = task_begin(self, TASK_LISTEN);
        uint64_t lane_frames = 0;
        for (uint32_t k = 0; k < listen->input_count; k++)
            for (uint32_t r = 0; r < listen->range_count; r++)
                lane_frames += listen->ranges[r].frame_count * target->facts[listen->first_input + k].channel_count;
        task->file = i;
        task->deliverable = listen->deliverable < 0 ? 0 : (uint16_t)listen->deliverable;
        task->affinity = listen->whole ? PLAN_AFFINITY_NONE : listen->reel;
        task->cost = task_cost(3 * lane_frames, lane_frames);
        listen->task = task_last_number(self);
        if (!seeks && listen->deliverable >= 0)
            task_wait_seeks(self, (uint32_t)listen->deliverable);
    }
}

static void tasks_merge(task_builder *self)
{
    for (uint32_t i = 0; i < self->plan->deliverable_count; i++) {
        plan_deliverable *deliverable = &self->plan->deliverables[i];
        if (deliverable->timeline == PLAN_TIMELINE_NONE)
            continue;
        plan_task *task = task_begin(self, TASK_MERGE);
        task->local = true;
        task->deliverable = (uint16_t)i;
        task->program = deliverable->program;
        task->timeline = deliverable->timeline;
        task->cost = SMALL_TASK_MS;
        for (uint32_t k = 0; k < self->program_count[deliverable->program]; k++)
            task_wait(self, self->program_first[deliverable->program] + k);
        const plan *made = self->plan;
        for (uint32_t k = plan_listen_next(made, i, 0); k < made->listen_count; k = plan_listen_next(made, i, k + 1))
            task_wait(self, made->listens[k].task);
        deliverable->merge_task = task_last_number(self);
    }
}

static void tasks_seal_and_verify(task_builder *self)
{
    plan *target = self->plan;
    for (uint32_t i = 0; i < target->file_count; i++) {
        plan_task *task = task_begin(self, TASK_SEAL);
        task->file = i;
        task->deliverable = target->files[i].deliverable;
        task->cost = SMALL_TASK_MS;
        task_wait(self, target->deliverables[target->files[i].deliverable].merge_task);
        target->files[i].seal_task = task_last_number(self);
    }
    for (uint32_t i = 0; i < target->file_count; i++) {
        plan_task *task = task_begin(self, TASK_VERIFY);
        task->file = i;
        task->deliverable = target->files[i].deliverable;
        task->cost = task_cost(target->files[i].file_size, 0);
        task_wait(self, target->files[i].seal_task);
        target->files[i].verify_task = task_last_number(self);
    }
}

/* Behind the verdict, which says where. What is rendered is read before it gets its final name, so that what a failed verdict
 * holds back is seen too. */
static void tasks_excerpt(task_builder *self)
{
    plan *target = self->plan;
    for (uint32_t i = 0; i < target->deliverable_count; i++) {
        plan_deliverable *deliverable = &target->deliverables[i];
        if (deliverable->timeline == PLAN_TIMELINE_NONE)
            continue;
        plan_task *task = task_begin(self, TASK_EXCERPT);
        task->deliverable = (uint16_t)i;
        task->cost = SMALL_TASK_MS;
        task_wait(self, deliverable->merge_task);
        for (uint32_t k = 0; k < deliverable->file_count; k++)
            task_wait(self, target->files[deliverable->first_file + k].verify_task);
        deliverable->excerpt_task = task_last_number(self);
    }
}

static void tasks_publish(task_builder *self)
{
    plan *target = self->plan;
    for (uint32_t i = 0; i < target->deliverable_count; i++) {
        plan_deliverable *deliverable = &target->deliverables[i];
        if (deliverable->timeline == PLAN_TIMELINE_NONE)
            continue;
        plan_task *task = task_begin(self, TASK_PUBLISH);
        task->deliverable = (uint16_t)i;
        task->cost = SMALL_TASK_MS;
        task_wait(self, deliverable->merge_task);
        for (uint32_t k = 0; k < deliverable->input_count; k++)
            if (self->input_verify[deliverable->first_input + k] != UINT32_MAX)
                task_wait(self, self->input_verify[deliverable->first_input + k]);
        for (uint32_t k = 0; k < deliverable->file_count; k++)
            task_wait(self, target->files[deliverable->first_file + k].verify_task);
        if (deliverable->excerpt_task != UINT32_MAX)
            task_wait(self, deliverable->excerpt_task);
        deliverable->publish_task = task_last_number(self);
    }
}

/* The second meter reads what was published; received programmes are there already. */
static void tasks_meter(task_builder *self)
{
    plan *target = self->plan;
    for (uint32_t i = 0; i < target->deliverable_count; i++) {
        plan_deliverable *deliverable = &target->deliverables[i];
        if (deliverable->timeline == PLAN_TIMELINE_NONE)
            continue;
        const plan_timeline *timeline = &target->timelines[deliverable->timeline];
        plan_task *task = task_begin(self, TASK_METER);
        task->deliverable = (uint16_t)i;
        task->cost = task_cost(0, timeline->frame_count * channel_layout_get(deliverable->layout)->channel_count *
                                      (LANE_FRAMES_PER_MS / METER_LANE_FRAMES_PER_MS));
        if (deliverable->rendered)
            task_wait(self, deliverable->publish_task);
        else
            task_wait_seeks(self, i);
        deliverable->meter_task = task_last_number(self);
    }
}

/* Removes what a failed deliverable left, once nothing can write to its files any more. */
static void tasks_discard(task_builder *self)
{
    plan *target = self->plan;
    for (uint32_t i = 0; i < target->deliverable_count; i++) {
        const plan_deliverable *deliverable = &target->deliverables[i];
        if (deliverable->file_count == 0)
            continue;
        plan_task *task = task_begin(self, TASK_DISCARD);
        task->deliverable = (uint16_t)i;
        task->even_if_failed = true;
        task->cost = SMALL_TASK_MS;
        for (uint32_t k = 0; k < self->program_count[deliverable->program]; k++)
            task_wait(self, self->program_first[deliverable->program] + k);
        for (uint32_t k = 0; k < deliverable->file_count; k++) {
            const plan_file *file = &target->files[deliverable->first_file + k];
            task_wait(self, file->allocate_task);
            task_wait(self, file->seal_task);
            task_wait(self, file->verify_task);
        }
        task_wait(self, deliverable->publish_task);
    }
}

static void tasks_report(task_builder *self)
{
    plan *target = self->plan;
    uint32_t before = target->task_count;
    plan_task *compose = task_begin(self, TASK_COMPOSE);
    compose->local = true;
    compose->even_if_failed = true;
    compose->cost = SMALL_TASK_MS;
    /* Every task, not the last ones only: a task is skipped as soon as one before it failed, while others still run. */
    for (uint32_t i = 0; i < before; i++)
        task_wait(self, target->first_task + i);
    uint32_t number = task_last_number(self);
    plan_task *deposit = task_begin(self, TASK_DEPOSIT);
    deposit->even_if_failed = true;
    deposit->cost = SMALL_TASK_MS;
    task_wait(self, number);
}

static void plan_task_sizes(task_builder *self, const plan_options *options)
{
    const plan *target = self->plan;
    self->slot_count = options->slot_count == 0 ? 1 : options->slot_count;
    for (uint32_t i = 0; i < target->program_count; i++) {
        const plan_timeline *timeline = &target->timelines[target->program_timelines[i]];
        for (uint32_t k = 0; k < timeline->piece_count; k++)
            self->cells_left += timeline->pieces[k].cell_count;
    }
    uint64_t tasks = (uint64_t)TASKS_PER_SLOT * self->slot_count;
    uint64_t each = (self->cells_left + tasks - 1) / tasks;
    self->cells_per_task = each < 1 ? 1 : each > CELLS_PER_TASK_MAX ? CELLS_PER_TASK_MAX : (uint32_t)each;
    if (options->cells_per_task > 0)
        self->cells_per_task = options->cells_per_task < TASK_CELLS_MAX ? options->cells_per_task : TASK_CELLS_MAX;
    self->cells_least = self->cells_per_task;
    if (options->cells_per_task == 0 && self->slot_count > 1)
        self->cells_least = (self->cells_per_task + LAST_TASKS_PART - 1) / LAST_TASKS_PART;
}

void plan_make_tasks(plan *self, const plan_options *options)
{
    task_builder builder = {.plan = self};
    builder.program_first = arena_take_array(&self->arena, self->program_count, sizeof *builder.program_first);
    builder.program_count = arena_take_array(&self->arena, self->program_count, sizeof *builder.program_count);
    builder.input_verify = arena_take_array(&self->arena, self->inputs.count, sizeof *builder.input_verify);
    memset(builder.input_verify, 0xFF, self->inputs.count * sizeof *builder.input_verify);
    plan_task_sizes(&builder, options);
    builder.whole_files = options->cells_per_task == 0 &&
                          (options->slot_count <= 1 || self->program_count >= TASKS_PER_SLOT * options->slot_count);
    tasks_allocate(&builder);
    tasks_listen(&builder, true);
    for (uint32_t i = 0; i < self->program_count; i++)
        if (self->program_scans[i])
            tasks_render(&builder, i);
    tasks_gain(&builder);
    for (uint32_t i = 0; i < self->program_count; i++)
        if (!self->program_scans[i])
            tasks_render(&builder, i);
    tasks_listen(&builder, false);
    tasks_verify_inputs(&builder);
    tasks_merge(&builder);
    tasks_seal_and_verify(&builder);
    if (options->excerpts)
        tasks_excerpt(&builder);
    tasks_publish(&builder);
    if (options->second_meter)
        tasks_meter(&builder);
    if (options->discard_failed)
        tasks_discard(&builder);
    tasks_report(&builder);

    /* The growing arrays move into the arena, where everything of a plan lives. */
    plan_task *tasks = arena_take_array(&self->arena, self->task_count, sizeof *tasks);
    uint32_t *waits = arena_take_array(&self->arena, self->wait_count, sizeof *waits);
    memcpy(tasks, self->tasks, self->task_count * sizeof *tasks);
    if (self->wait_count > 0)
        memcpy(waits, self->waits, self->wait_count * sizeof *waits);
    free(self->tasks);
    free(self->waits);
    self->tasks = tasks;
    self->waits = waits;
}
