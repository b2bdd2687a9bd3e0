#include "worker/render/render_limit.h"

#include <assert.h>
#include <string.h>

static_assert((int)PROGRAM_LIMIT_LEAD >= (int)TILE_FRAMES_MAX, "the tile that is passed over is not needed");

static const double told_gain = 0.9999; /* what reduces less than 0.001 dB is not worth a line in the report */

status render_limit_open(render_limit *self, const task_render *task, const render_lanes *lanes, const mix_term *terms,
                         uint32_t term_count, const storage_roots *roots, const dsp_table *dsp, arena *memory,
                         error_detail *detail)
{
    const render_program *program = &task->program;
    self->task = task;
    self->dsp = dsp;
    self->lanes = lanes;
    status code = render_sources_open(&self->sources, task, roots, dsp, memory, detail);
    if (code == STATUS_OK)
        code = render_stage_open(&self->stage, task, &self->sources, lanes, terms, term_count, roots, dsp, memory, detail);
    if (code != STATUS_OK)
        return code;
    self->histories = arena_take_array(memory, lanes->tile_count, sizeof *self->histories);
    self->tiles = arena_take_array(memory, lanes->tile_count, sizeof *self->tiles);
    for (uint32_t t = 0; t < lanes->tile_count; t++) {
        self->histories[t] = arena_take_lines(memory, (TILE_FRAMES_MAX + TRUE_PEAK_HISTORY) * TILE_LANES, sizeof(double));
        self->tiles[t] = self->histories[t] + TRUE_PEAK_HISTORY * TILE_LANES;
    }
    self->located = arena_take_lines(memory, TILE_FRAMES_MAX * TILE_LANES, sizeof(double));
    for (uint32_t i = 0; i < program->limit_count; i++) {
        const limit_shape *shape = &program->limits[i].shape;
        render_limit_curve *curve = &self->curves[i];
        curve->slot_capacity = (uint32_t)((CELL_FRAMES + METER_PREROLL_FRAMES) * UINT64_C(1000) / program->sample_rate) + 4;
        curve->peak_capacity = curve->slot_capacity + limit_shape_before(shape) + limit_shape_after(shape);
        curve->gains = arena_take_lines(memory, curve->slot_capacity, sizeof(double));
        curve->peaks = arena_take_lines(memory, curve->peak_capacity, sizeof(double));
    }
    return STATUS_OK;
}

void render_limit_close(render_limit *self)
{
    render_sources_close(&self->sources);
    render_stage_close(&self->stage);
}

/* Larger of what is known of a limiter's slot and a peak in it; slots that no gain depends on are passed over. */
static void note_peak(const render_limit *self, uint32_t limit, uint64_t frame, double peak)
{
    const render_program *program = &self->task->program;
    const render_limit_curve *curve = &self->curves[limit];
    int64_t first = (int64_t)curve->first_slot - (int64_t)limit_shape_before(&program->limits[limit].shape);
    int64_t place = (int64_t)limit_slot_of(frame, program->sample_rate) - first;
    uint32_t count = limit_shape_before(&program->limits[limit].shape) + curve->slot_count +
                     limit_shape_after(&program->limits[limit].shape);
    if (place >= 0 && place < (int64_t)count && peak > curve->peaks[place])
        curve->peaks[place] = peak;
}

/* The tiles hold mixed frames from `frame` on; peaks below every aim are not looked for. */
static void take_peaks(render_limit *self, uint64_t frame, uint32_t frame_count)
{
    const render_program *program = &self->task->program;
    for (uint32_t t = 0; t < self->lanes->tile_count; t++) {
        double floors[TILE_LANES];
        double over[TILE_LANES];
        bool any = false;
        for (uint32_t l = 0; l < TILE_LANES; l++)
            floors[l] = 0x1p+60; /* lanes without a limiter */
        for (uint32_t i = 0; i < program->limit_count; i++)
            for (uint32_t l = 0; l < TILE_LANES; l++) {
                const render_owner *owner = &self->lanes->owners[t][l];
                if (owner->used && owner->output == program->limits[i].output)
                    floors[l] = program->limits[i].shape.ceiling * LIMIT_MARGIN;
            }
        double samples[TILE_LANES];
        self->dsp->true_peak_over(self->tiles[t], frame_count, floors, NULL, over, samples);
        for (uint32_t l = 0; l < TILE_LANES; l++)
            any = any || over[l] > floors[l] || samples[l] > floors[l];
        if (!any)
            continue;
        self->dsp->true_peak_frames(self->tiles[t], frame_count, self->located);
        for (uint32_t i = 0; i < program->limit_count; i++)
            for (uint32_t l = 0; l < TILE_LANES; l++) {
                const render_owner *owner = &self->lanes->owners[t][l];
                if (!owner->used || owner->output != program->limits[i].output)
                    continue;
                for (uint32_t k = 0; k < frame_count; k++) {
                    double sample = self->tiles[t][(size_t)k * TILE_LANES + l];
                    double peak = self->located[(size_t)k * TILE_LANES + l];
                    sample = sample < 0.0 ? -sample : sample;
                    note_peak(self, i, frame + k, sample > peak ? sample : peak);
                }
            }
    }
}

/* Mixes frames first .. end once for their peaks, from a filter that has seen the frames before them. */
static status scan(render_limit *self, uint64_t first, uint64_t end, error_detail *detail)
{
    status code = render_stage_begin(&self->stage, first, end, detail);
    for (uint32_t t = 0; t < self->lanes->tile_count; t++)
        memset(self->histories[t], 0, TRUE_PEAK_HISTORY * TILE_LANES * sizeof(double));
    for (uint64_t frame = first; code == STATUS_OK && frame < end;) {
        uint32_t count = end - frame < TILE_FRAMES_MAX ? (uint32_t)(end - frame) : TILE_FRAMES_MAX;
        code = render_stage_fill(&self->stage, frame, count, 0, 0, detail);
        if (code != STATUS_OK)
            break;
        render_stage_compose(&self->stage, frame, count, self->tiles);
        if (frame >= first + TRUE_PEAK_HISTORY || first == 0)
            take_peaks(self, frame, count);
        for (uint32_t t = 0; t < self->lanes->tile_count; t++)
            memmove(self->histories[t], self->histories[t] + (size_t)count * TILE_LANES,
                    TRUE_PEAK_HISTORY * TILE_LANES * sizeof(double));
        frame += count;
    }
    return code;
}

status render_limit_begin(render_limit *self, uint64_t first, uint64_t end, error_detail *detail)
{
    const render_program *program = &self->task->program;
    uint32_t rate = program->sample_rate;
    uint64_t scan_first = first;
    uint64_t scan_end = end;
    for (uint32_t i = 0; i < program->limit_count; i++) {
        const limit_shape *shape = &program->limits[i].shape;
        render_limit_curve *curve = &self->curves[i];
        curve->first_slot = limit_slot_of(first, rate);
        curve->slot_count = (uint32_t)(limit_slot_of(end - 1, rate) - curve->first_slot) + 2; /* edges of these slots */
        if (curve->slot_count > curve->slot_capacity)
            return error_detail_set(detail, STATUS_DEFECT, "a cell has more slots than a limiter's curve has room for");
        memset(curve->peaks, 0, curve->peak_capacity * sizeof *curve->peaks);
        uint64_t before = limit_shape_before(shape);
        uint64_t from = curve->first_slot > before ? limit_slot_frame(curve->first_slot - before, rate) : 0;
        uint64_t to = limit_slot_frame(curve->first_slot + curve->slot_count + limit_shape_after(shape), rate);
        /* One tile more, which is mixed for the filter's sake. */
        from = from > PROGRAM_LIMIT_LEAD ? from - PROGRAM_LIMIT_LEAD : 0;
        scan_first = from < scan_first ? from : scan_first;
        scan_end = to > scan_end ? to : scan_end;
    }
    status code = scan(self, scan_first, scan_end, detail);
    for (uint32_t i = 0; code == STATUS_OK && i < program->limit_count; i++) {
        const limit_shape *shape = &program->limits[i].shape;
        render_limit_curve *curve = &self->curves[i];
        limit_curve_gains(shape, curve->peaks, limit_shape_before(shape) + curve->slot_count + limit_shape_after(shape),
                          curve->slot_count, curve->gains);
    }
    return code;
}

void render_limit_apply(const render_limit *self, uint64_t frame, uint32_t frame_count, double *const *tiles,
                        render_meter *meters, uint32_t cell_frame)
{
    if (self->task == NULL)
        return; /* the program has no limiter */
    const render_program *program = &self->task->program;
    uint32_t rate = program->sample_rate;
    for (uint32_t n = 0; n < program->limit_count; n++) {
        const render_limit_curve *curve = &self->curves[n];
        const render_output *output = &program->outputs[program->limits[n].output];
        uint32_t channels = channel_layout_get((channel_layout_id)output->layout)->channel_count;
        for (uint32_t i = 0; i < frame_count;) {
            uint64_t slot = limit_slot_of(frame + i, rate);
            uint64_t first = limit_slot_frame(slot, rate);
            uint64_t end = limit_slot_frame(slot + 1, rate);
            const double *gain = &curve->gains[slot - curve->first_slot];
            bool reduces = gain[0] < 1.0 || gain[1] < 1.0;
            for (; i < frame_count && frame + i < end; i++) {
                if (!reduces)
                    continue;
                double now = gain[0] + (gain[1] - gain[0]) * ((double)(frame + i - first) / (double)(end - first));
                for (uint32_t c = 0; c < channels; c++)
                    tiles[self->lanes->tile_of[output->first_lane + c]]
                         [(size_t)i * TILE_LANES + self->lanes->lane_of[output->first_lane + c]] *= now;
                if (meters != NULL && now < told_gain)
                    render_meter_run(&meters[program->limits[n].output], PEAK_RUN_LIMITED, 0, cell_frame + i, 1.0 / now);
            }
        }
    }
}
