#include "worker/render/second_meter.h"

#include "worker/render/render_parts.h"

#include <ebur128.h>
#include <float.h>
#include <math.h>

enum { STEPS_PER_SECOND = 100, STEP_MS = 10, MOMENTARY_STEPS = 40, SHORT_TERM_STEPS = 300, PROGRESS_FRAMES = 1 << 20 };

typedef struct second_meter {
    const dsp_table *dsp;
    ebur128_state *state;
    const channel_layout *layout;
    double *frames;                         /* [TILE_FRAMES_MAX][channel_count] */
    uint32_t step_frames, step_left;
    double energies[SHORT_TERM_STEPS];      /* mean power of the newest steps, a ring */
    uint64_t step_count;
    double momentary, short_term;           /* largest mean power so far; negative: none */
    uint64_t done_frames, all_frames;
    void (*progress)(void *context, uint32_t done_permille);
    void *context;
} second_meter;

static int place_of(channel_label label)
{
    switch (label) {
    case CHANNEL_M:
    case CHANNEL_C:
        return EBUR128_CENTER;
    case CHANNEL_L:
        return EBUR128_LEFT;
    case CHANNEL_R:
        return EBUR128_RIGHT;
    case CHANNEL_LS:
        return EBUR128_LEFT_SURROUND;
    case CHANNEL_RS:
        return EBUR128_RIGHT_SURROUND;
    case CHANNEL_LSS:
        return EBUR128_Mp090;
    case CHANNEL_RSS:
        return EBUR128_Mm090;
    case CHANNEL_LRS:
        return EBUR128_Mp135;
    case CHANNEL_RRS:
        return EBUR128_Mm135;
    case CHANNEL_LTS:
        return EBUR128_Up090;
    case CHANNEL_RTS:
        return EBUR128_Um090;
    case CHANNEL_CS:
        return EBUR128_Mp180;
    case CHANNEL_LC:
        return EBUR128_MpSC;
    case CHANNEL_RC:
        return EBUR128_MmSC;
    case CHANNEL_NONE:
    case CHANNEL_LFE:
    case CHANNEL_HI:
    case CHANNEL_VIN:
    case CHANNEL_LABEL_COUNT:
        break;
    }
    return EBUR128_UNUSED;
}

static status meter_open(second_meter *self, const task_meter *task, arena *memory, error_detail *detail)
{
    const render_program *program = &task->parts[0].program;
    self->layout = channel_layout_get((channel_layout_id)program->outputs[0].layout);
    self->step_frames = program->sample_rate / STEPS_PER_SECOND;
    self->step_left = self->step_frames;
    self->momentary = -1.0;
    self->short_term = -1.0;
    for (uint32_t i = 0; i < task->part_count; i++)
        self->all_frames += task->parts[i].pieces[0].frame_count;
    self->frames = arena_take_array(memory, (size_t)TILE_FRAMES_MAX * self->layout->channel_count, sizeof *self->frames);
    self->state = ebur128_init(self->layout->channel_count, program->sample_rate,
                               EBUR128_MODE_M | EBUR128_MODE_S | EBUR128_MODE_I | EBUR128_MODE_LRA | EBUR128_MODE_TRUE_PEAK);
    bool placed = self->state != NULL;
    for (uint32_t c = 0; placed && c < self->layout->channel_count; c++)
        placed = ebur128_set_channel(self->state, c, place_of(self->layout->labels[c])) == EBUR128_SUCCESS;
    return placed ? STATUS_OK : error_detail_set(detail, STATUS_NODE_MEMORY, "no memory is left for libebur128");
}

/* The largest mean power over the newest `count` steps. */
static double raised(const second_meter *self, double largest, uint32_t count)
{
    if (self->step_count < count)
        return largest;
    double sum = 0.0;
    for (uint64_t i = self->step_count - count; i < self->step_count; i++)
        sum += self->energies[i % SHORT_TERM_STEPS];
    return fmax(largest, sum / count);
}

static bool end_step(second_meter *self)
{
    double loudness;
    if (ebur128_loudness_window(self->state, STEP_MS, &loudness) != EBUR128_SUCCESS)
        return false;
    self->energies[self->step_count++ % SHORT_TERM_STEPS] = pow(10.0, (loudness + 0.691) / 10.0); /* -inf gives 0 */
    self->momentary = raised(self, self->momentary, MOMENTARY_STEPS);
    self->short_term = raised(self, self->short_term, SHORT_TERM_STEPS);
    self->step_left = self->step_frames;
    return true;
}

static bool meter_tile(second_meter *self, double *const *tiles, uint32_t frame_count)
{
    uint32_t channels = self->layout->channel_count;
    for (uint32_t i = 0; i < frame_count; i++)
        for (uint32_t c = 0; c < channels; c++) {
            double sample = tiles[c / TILE_LANES][(size_t)i * TILE_LANES + c % TILE_LANES];
            self->frames[(size_t)i * channels + c] = fabs(sample) <= (double)FLT_MAX ? sample : 0.0;
        }
    if (ebur128_add_frames_double(self->state, self->frames, frame_count) != EBUR128_SUCCESS)
        return false;
    self->step_left -= frame_count;
    return self->step_left > 0 || end_step(self);
}

static status meter_part(second_meter *self, const task_render *part, const storage_roots *roots, error_detail *detail)
{
    arena memory;
    arena_init(&memory);
    render_sources sources = {0};
    status code = render_sources_open(&sources, part, roots, self->dsp, &memory, detail);
    uint64_t end = part->pieces[0].frame_count;
    for (uint64_t frame = 0; code == STATUS_OK && frame < end;) {
        uint32_t count = self->step_left < TILE_FRAMES_MAX ? self->step_left : TILE_FRAMES_MAX;
        if (count > end - frame)
            count = (uint32_t)(end - frame);
        code = render_sources_fill(&sources, 0, frame, count, false, detail);
        if (code == STATUS_OK && !meter_tile(self, sources.tiles, count))
            code = error_detail_set(detail, STATUS_NODE_MEMORY, "libebur128 has no memory left for '%s'",
                                    part->input_count > 0 ? part->inputs[0].file.path : "");
        frame += count;
        uint64_t before = self->done_frames / PROGRESS_FRAMES;
        self->done_frames += count;
        if (self->progress != NULL && self->done_frames / PROGRESS_FRAMES != before)
            self->progress(self->context, (uint32_t)(self->done_frames * 1000 / self->all_frames));
    }
    if (code == STATUS_OK)
        code = render_sources_unchanged(&sources, detail);
    render_sources_close(&sources);
    arena_deinit(&memory);
    return code;
}

static double loudness_of(double power)
{
    return power > 0.0 ? 10.0 * log10(power) - 0.691 : (double)-INFINITY;
}

static void meter_figures(const second_meter *self, task_meter_result *out)
{
    *out = (task_meter_result){.max_momentary_lufs = loudness_of(self->momentary),
                               .max_short_term_lufs = loudness_of(self->short_term)};
    if (ebur128_loudness_global(self->state, &out->integrated_lufs) != EBUR128_SUCCESS)
        out->integrated_lufs = (double)-INFINITY;
    if (ebur128_loudness_range(self->state, &out->range_lu) != EBUR128_SUCCESS)
        out->range_lu = 0.0;
    for (uint32_t c = 0; c < self->layout->channel_count; c++) {
        double peak = 0.0;
        if (ebur128_true_peak(self->state, c, &peak) == EBUR128_SUCCESS)
            out->true_peak = fmax(out->true_peak, peak);
        if (ebur128_sample_peak(self->state, c, &peak) == EBUR128_SUCCESS)
            out->sample_peak = fmax(out->sample_peak, peak);
    }
}

status second_meter_run(const task_meter *task, const storage_roots *roots, const dsp_table *dsp,
                        void (*progress)(void *context, uint32_t done_permille), void *context,
                        task_meter_result *out_result, error_detail *detail)
{
    arena memory;
    arena_init(&memory);
    second_meter *self = arena_take(&memory, sizeof *self);
    *self = (second_meter){.dsp = dsp, .progress = progress, .context = context};
    status code = meter_open(self, task, &memory, detail);
    for (uint32_t i = 0; code == STATUS_OK && i < task->part_count; i++)
        code = meter_part(self, &task->parts[i], roots, detail);
    if (code == STATUS_OK)
        meter_figures(self, out_result);
    if (self->state != NULL)
        ebur128_destroy(&self->state);
    arena_deinit(&memory);
    return code;
}
