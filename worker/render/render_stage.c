#include "worker/render/render_stage.h"

#include "worker/dsp/fir_design.h"

#include <string.h>

enum { WINDOW_SLACK_FRAMES = 8 * TILE_FRAMES_MAX };

int32_t render_piece_of(const task_render *task, uint64_t frame)
{
    for (uint32_t i = 0; i < task->piece_count; i++)
        if (frame >= task->pieces[i].programme_frame && frame - task->pieces[i].programme_frame < task->pieces[i].frame_count)
            return (int32_t)i;
    return -1;
}

static size_t window_frames(const render_program *program)
{
    return 2 * (size_t)program->phase_reach + WINDOW_SLACK_FRAMES;
}

/* ---- the narration's own sources ---- */

/* The task with the narration's lanes and files only. */
static void make_key_task(render_stage *self, arena *memory)
{
    const task_render *task = self->task;
    task_render *keys = &self->key_task;
    uint16_t *file_of = arena_take_array(memory, task->input_count, sizeof *file_of);
    *keys = *task;
    keys->program.input_count = (uint16_t)self->key_count;
    keys->inputs = arena_take_array(memory, task->input_count, sizeof *keys->inputs);
    keys->input_count = 0;
    memset(file_of, 0xFF, task->input_count * sizeof *file_of);
    keys->pieces = arena_take_array(memory, task->piece_count, sizeof *keys->pieces);
    for (uint32_t i = 0; i < task->piece_count; i++) {
        keys->pieces[i] = task->pieces[i];
        keys->pieces[i].bindings = arena_take_array(memory, self->key_count, sizeof *keys->pieces[i].bindings);
        for (uint32_t k = 0; k < self->key_count; k++) {
            task_binding *binding = &keys->pieces[i].bindings[k];
            *binding = task->pieces[i].bindings[self->keys[k]];
            if (binding->file == TASK_FILE_NONE)
                continue;
            if (file_of[binding->file] == UINT16_MAX) {
                file_of[binding->file] = (uint16_t)keys->input_count;
                keys->inputs[keys->input_count++] = task->inputs[binding->file];
            }
            binding->file = file_of[binding->file];
        }
    }
}

static void collect_keys(render_stage *self)
{
    const render_program *program = &self->task->program;
    for (uint16_t lane = 0; lane < program->input_count; lane++) {
        bool used = false;
        for (uint32_t d = 0; d < program->duck_count; d++)
            for (uint32_t k = 0; k < program->ducks[d].key_count; k++)
                used = used || program->ducks[d].keys[k] == lane;
        if (used)
            self->keys[self->key_count++] = lane;
    }
}

/* Sum of squares of a duck's narration over frames of one slot, lane by lane, added in order. */
static status slot_energy(render_stage *self, const render_duck *duck, uint64_t first, uint64_t end, double *out_energy,
                          error_detail *detail)
{
    const task_render *task = &self->key_task;
    double energy = 0.0;
    for (uint64_t frame = first; frame < end;) {
        int32_t piece = render_piece_of(task, frame);
        if (piece < 0) { /* before or behind what the task knows: silence */
            frame++;
            continue;
        }
        const task_piece *of = &task->pieces[piece];
        uint64_t left = of->programme_frame + of->frame_count - frame;
        left = left < end - frame ? left : end - frame;
        uint32_t count = left < TILE_FRAMES_MAX ? (uint32_t)left : TILE_FRAMES_MAX;
        status code = render_sources_fill(&self->key_sources, (uint32_t)piece, frame - of->programme_frame, count, false, detail);
        if (code != STATUS_OK)
            return code;
        for (uint32_t k = 0, at = 0; k < duck->key_count; k++) {
            while (self->keys[at] != duck->keys[k])
                at++;
            const double *tile = self->key_sources.tiles[at / TILE_LANES] + at % TILE_LANES;
            for (uint32_t i = 0; i < count; i++)
                energy += tile[(size_t)i * TILE_LANES] * tile[(size_t)i * TILE_LANES];
        }
        frame += count;
    }
    *out_energy = energy;
    return STATUS_OK;
}

static status make_curve(render_stage *self, uint32_t index, uint64_t first, uint64_t end, error_detail *detail)
{
    const render_duck *duck = &self->task->program.ducks[index];
    render_stage_duck *made = &self->ducks[index];
    uint32_t rate = self->task->program.sample_rate;
    uint32_t before = duck_shape_before(&duck->shape);
    made->first_slot = cell_measure_slot_of(first, rate);
    made->slot_count = (uint32_t)(cell_measure_slot_of(end - 1, rate) - made->first_slot) + 2; /* edges of these slots */
    uint32_t active_count = before + made->slot_count + duck_shape_after(&duck->shape);
    if (made->slot_count > made->slot_capacity || active_count > made->active_capacity)
        return error_detail_set(detail, STATUS_DEFECT, "a cell has more slots than a ducking curve has room for");
    for (uint32_t i = 0; i < active_count; i++) {
        int64_t slot = (int64_t)made->first_slot - (int64_t)before + (int64_t)i;
        made->active[i] = false;
        if (slot < 0)
            continue;
        uint64_t slot_first = cell_measure_slot_frame((uint64_t)slot, rate);
        uint64_t slot_end = cell_measure_slot_frame((uint64_t)slot + 1, rate);
        double energy = 0.0;
        status code = slot_energy(self, duck, slot_first, slot_end, &energy, detail);
        if (code != STATUS_OK)
            return code;
        made->active[i] = energy >= duck->shape.threshold * (double)(slot_end - slot_first);
    }
    duck_curve_gains(&duck->shape, made->active, active_count, made->slot_count, made->gains);
    return STATUS_OK;
}

/* ---- life ---- */

status render_stage_open(render_stage *self, const task_render *task, render_sources *sources, const render_lanes *lanes,
                         const mix_term *terms, uint32_t term_count, const storage_roots *roots, const dsp_table *dsp,
                         arena *memory, error_detail *detail)
{
    const render_program *program = &task->program;
    *self = (render_stage){.task = task, .dsp = dsp, .sources = sources, .lanes = lanes, .terms = terms,
                            .term_count = term_count};
    self->tile_count = lanes->tile_count + (program->side_lane_count + TILE_LANES - 1u) / TILE_LANES;
    self->mixed = arena_take_array(memory, self->tile_count, sizeof *self->mixed);
    for (uint32_t i = 0; i < self->tile_count; i++)
        self->mixed[i] = arena_take_lines(memory, TILE_FRAMES_MAX * TILE_LANES, sizeof(double));
    self->windows = arena_take_array(memory, lanes->tile_count, sizeof *self->windows);
    for (uint32_t i = 0; i < lanes->tile_count; i++)
        self->windows[i] = arena_take_lines(memory, window_frames(program) * TILE_LANES, sizeof(double));
    self->sides = arena_take_array(memory, program->side_lane_count, sizeof *self->sides);
    for (uint32_t i = 0; i < program->side_lane_count; i++)
        self->sides[i] = arena_take_lines(memory, window_frames(program), sizeof(double));
    self->values = arena_take_lines(memory, TILE_FRAMES_MAX, sizeof(double));
    if (program->phase_reach > 0) {
        self->taps = arena_take_lines(memory, (program->phase_reach + 1) / 2, sizeof(double));
        fir_design_phase_90(program->phase_reach, self->taps);
    }
    uint64_t frames = CELL_FRAMES + METER_PREROLL_FRAMES + render_program_limit_before(program) +
                      render_program_limit_after(program) + 2 * program->phase_reach; /* a limiter looks at more than its cell */
    uint64_t slots = frames / (program->sample_rate / 100) + 4;
    for (uint32_t i = 0; i < program->duck_count; i++) {
        const duck_shape *shape = &program->ducks[i].shape;
        render_stage_duck *made = &self->ducks[i];
        made->slot_capacity = (uint32_t)slots;
        made->active_capacity = (uint32_t)slots + duck_shape_before(shape) + duck_shape_after(shape);
        made->gains = arena_take_lines(memory, made->slot_capacity, sizeof(double));
        made->active = arena_take_array(memory, made->active_capacity, sizeof *made->active);
    }
    collect_keys(self);
    if (self->key_count == 0)
        return STATUS_OK;
    make_key_task(self, memory);
    return render_sources_open(&self->key_sources, &self->key_task, roots, dsp, memory, detail);
}

void render_stage_close(render_stage *self)
{
    if (self->key_sources.files != NULL)
        render_sources_close(&self->key_sources);
}

status render_stage_begin(render_stage *self, uint64_t first, uint64_t end, error_detail *detail)
{
    self->window_begin = self->window_end = (int64_t)first - (int64_t)self->task->program.phase_reach;
    uint64_t reach = self->task->program.phase_reach; /* what is ducked and then shifted is ducked as far as the shifter sees */
    status code = STATUS_OK;
    for (uint32_t i = 0; code == STATUS_OK && i < self->task->program.duck_count; i++)
        code = make_curve(self, i, first < reach ? 0 : first - reach, end + reach, detail);
    return code;
}

/* ---- filling ---- */

/* Gains of frames that all lie in one slot or several: linear between the slots' edges. */
static void duck_add(const render_stage *self, const render_stage_duck *duck, uint64_t frame, uint32_t frame_count,
                     const double *side, double *lane, size_t stride)
{
    uint32_t rate = self->task->program.sample_rate;
    for (uint32_t i = 0; i < frame_count;) {
        uint64_t slot = cell_measure_slot_of(frame + i, rate);
        uint64_t first = cell_measure_slot_frame(slot, rate);
        uint64_t end = cell_measure_slot_frame(slot + 1, rate);
        const double *gain = &duck->gains[slot - duck->first_slot];
        for (; i < frame_count && frame + i < end; i++) {
            double share = (double)(frame + i - first) / (double)(end - first);
            double now = gain[0] + (gain[1] - gain[0]) * share;
            lane[i * stride] = __builtin_fma(now, side[i], lane[i * stride]);
        }
    }
}

/* How many frames from window_end on can be mixed at once: one piece, one side of the cell's edges, room in the windows. */
static uint32_t next_run(const render_stage *self, int64_t wanted_end, uint64_t cell_begin, uint64_t cell_end,
                         int32_t *out_piece, bool *out_measuring)
{
    int64_t frame = self->window_end;
    int64_t end = wanted_end;
    const int64_t edges[] = {0, (int64_t)cell_begin, (int64_t)cell_end};
    for (uint32_t i = 0; i < sizeof edges / sizeof edges[0]; i++)
        if (frame < edges[i] && end > edges[i])
            end = edges[i];
    *out_piece = frame < 0 ? -1 : render_piece_of(self->task, (uint64_t)frame);
    *out_measuring = frame >= (int64_t)cell_begin && frame < (int64_t)cell_end;
    for (uint32_t i = 0; i < self->task->piece_count; i++) {
        const task_piece *piece = &self->task->pieces[i];
        int64_t begin = (int64_t)piece->programme_frame;
        if (*out_piece == (int32_t)i && end > begin + (int64_t)piece->frame_count)
            end = begin + (int64_t)piece->frame_count;
        if (frame < begin && end > begin)
            end = begin;
    }
    return end - frame < TILE_FRAMES_MAX ? (uint32_t)(end - frame) : TILE_FRAMES_MAX;
}

/* Keeps frames from `from` on at the windows' beginning. */
static void windows_move(render_stage *self, int64_t from)
{
    size_t dropped = (size_t)(from - self->window_begin);
    size_t kept = (size_t)(self->window_end - from);
    for (uint32_t t = 0; t < self->lanes->tile_count; t++)
        memmove(self->windows[t], self->windows[t] + dropped * TILE_LANES, kept * TILE_LANES * sizeof(double));
    for (uint32_t s = 0; s < self->task->program.side_lane_count; s++)
        memmove(self->sides[s], self->sides[s] + dropped, kept * sizeof(double));
    self->window_begin = from;
}

/* sounding: the frames lie in the programme */
static void windows_append(render_stage *self, uint32_t count, bool sounding)
{
    const render_program *program = &self->task->program;
    size_t at = (size_t)(self->window_end - self->window_begin);
    for (uint32_t t = 0; t < self->lanes->tile_count; t++)
        memcpy(self->windows[t] + at * TILE_LANES, self->mixed[t], (size_t)count * TILE_LANES * sizeof(double));
    for (uint32_t s = 0; s < program->side_lane_count; s++) {
        const double *tile = self->mixed[self->lanes->tile_count + s / TILE_LANES] + s % TILE_LANES;
        for (uint32_t i = 0; i < count; i++)
            self->sides[s][at + i] = tile[(size_t)i * TILE_LANES];
    }
    for (uint32_t n = 0; sounding && n < program->node_count; n++) {
        const render_node *node = &program->nodes[n];
        if (node->output >= program->output_lane_count)
            duck_add(self, &self->ducks[node->duck], (uint64_t)self->window_end, count, self->sides[node->side] + at,
                     self->sides[node->output - program->output_lane_count] + at, 1);
    }
    self->window_end += count;
}

status render_stage_fill(render_stage *self, uint64_t frame, uint32_t frame_count, uint64_t cell_begin, uint64_t cell_end,
                         error_detail *detail)
{
    const render_program *program = &self->task->program;
    int64_t wanted_end = (int64_t)(frame + frame_count + program->phase_reach);
    int64_t keep_from = (int64_t)frame - (int64_t)program->phase_reach;
    while (self->window_end < wanted_end) {
        int32_t piece = -1;
        bool measuring = false;
        uint32_t count = next_run(self, wanted_end, cell_begin, cell_end, &piece, &measuring);
        if ((size_t)(self->window_end - self->window_begin) + count > window_frames(program))
            windows_move(self, keep_from);
        if (piece >= 0) {
            uint64_t in_piece = (uint64_t)self->window_end - self->task->pieces[piece].programme_frame;
            status code = render_sources_fill(self->sources, (uint32_t)piece, in_piece, count, measuring, detail);
            if (code != STATUS_OK)
                return code;
            self->dsp->mix((const double *const *)self->sources->tiles, self->mixed, self->tile_count, self->terms,
                           self->term_count, count);
        } else {
            for (uint32_t t = 0; t < self->tile_count; t++)
                memset(self->mixed[t], 0, (size_t)count * TILE_LANES * sizeof(double));
        }
        windows_append(self, count, piece >= 0);
    }
    return STATUS_OK;
}

void render_stage_compose(render_stage *self, uint64_t frame, uint32_t frame_count, double *const *tiles)
{
    const render_program *program = &self->task->program;
    size_t at = (size_t)((int64_t)frame - self->window_begin);
    for (uint32_t t = 0; t < self->lanes->tile_count; t++)
        memcpy(tiles[t], self->windows[t] + at * TILE_LANES, (size_t)frame_count * TILE_LANES * sizeof(double));
    for (uint32_t n = 0; n < program->node_count; n++) {
        const render_node *node = &program->nodes[n];
        if (node->output >= program->output_lane_count)
            continue; /* windows_append did it */
        double *lane = tiles[self->lanes->tile_of[node->output]] + self->lanes->lane_of[node->output];
        const double *side = self->sides[node->side] + at;
        if (node->kind == NODE_DUCK) {
            duck_add(self, &self->ducks[node->duck], frame, frame_count, side, lane, TILE_LANES);
            continue;
        }
        self->dsp->fir_odd(side, self->taps, (program->phase_reach + 1) / 2, frame_count, self->values);
        for (uint32_t i = 0; i < frame_count; i++)
            lane[(size_t)i * TILE_LANES] += self->values[i];
    }
}
