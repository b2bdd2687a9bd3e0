#include "worker/render/codec_grid.h"
#include "worker/render/render_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RUN_GAP_FRAMES = 480, CLIP_SAMPLES = 3, SLOTS_PER_DECISLOT = 10 };

/*
 * Below full scale: equal samples at the highest level that the cell had so far, behind a step that the round top of a wave does
 * not have. At 16 bits such a top has up to four steps of 2^-15 beside samples that are equal.
 */
static const double flat_corner = 1.0 / 2048.0; /* -66 dBFS */

/* Largest positive sample of the form that is measured: what is written, or what the received file holds. */
static double full_scale_of(const task_render *task, const render_output *output)
{
    sample_encoding encoding = (sample_encoding)output->encoding;
    if (encoding == ENCODING_NONE && task->input_count > 0)
        encoding = task->inputs[0].encoding;
    if (encoding == ENCODING_NONE || sample_encoding_is_float(encoding))
        return 1.0;
    return 1.0 - ldexp(1.0, 1 - (int)sample_encoding_bits(encoding));
}

status render_meter_init(render_meter *self, const task_render *task, uint32_t output, arena *memory)
{
    *self = (render_meter){.output = &task->program.outputs[output]};
    self->layout = channel_layout_get((channel_layout_id)self->output->layout);
    self->full_scale = full_scale_of(task, self->output);
    for (uint32_t c = 0; c < self->layout->channel_count; c++)
        self->weights[c] = channel_loudness_weight(self->layout->id, c);
    uint32_t rate = task->program.sample_rate;
    size_t slots = (size_t)CELL_FRAMES * 100 / rate + 3;
    size_t decislots = slots / SLOTS_PER_DECISLOT + 3;
    self->measure.sample_rate = rate;
    self->measure.layout = self->output->layout;
    self->measure.channel_count = self->layout->channel_count;
    self->measure.slot_energy = arena_take_array(memory, slots, sizeof(double));
    self->measure.channel_energy = arena_take_array(memory, decislots * self->layout->channel_count, sizeof(double));
    self->measure.runs = self->runs;
    uint8_t groups = render_output_signal_groups(self->output, task->signal_groups);
    if (groups != 0) {
        self->measure.signal = &self->signal.cell;
        render_signal_init(&self->signal, groups, self->output->layout, self->layout->channel_count, rate);
    }
    byte_writer_init(&self->encoded, MEASURE_BYTES_MAX);
    return STATUS_OK;
}

void render_meter_deinit(render_meter *self)
{
    byte_writer_deinit(&self->encoded);
}

void render_meter_begin(render_meter *self, uint64_t programme_frame, uint32_t frame_count)
{
    cell_measure *measure = &self->measure;
    uint64_t last = cell_measure_slot_of(programme_frame + frame_count - 1, measure->sample_rate);
    measure->programme_frame = programme_frame;
    measure->frame_count = frame_count;
    measure->first_slot = cell_measure_slot_of(programme_frame, measure->sample_rate);
    measure->slot_count = (uint32_t)(last - measure->first_slot + 1);
    measure->first_decislot = measure->first_slot / SLOTS_PER_DECISLOT;
    measure->decislot_count = (uint32_t)(last / SLOTS_PER_DECISLOT - measure->first_decislot + 1);
    memset(measure->slot_energy, 0, measure->slot_count * sizeof(double));
    memset(measure->channel_energy, 0, (size_t)measure->decislot_count * measure->channel_count * sizeof(double));
    memset(measure->channels, 0, sizeof measure->channels);
    memset(self->open_runs, 0, sizeof self->open_runs);
    memset(self->clips, 0, sizeof self->clips);
    measure->run_count = 0;
    measure->run_dropped = 0;
    if (measure->signal != NULL)
        render_signal_begin(&self->signal);
    if (self->signal.grid != NULL)
        codec_grid_begin(self->signal.grid, programme_frame);
}

void render_meter_energy(render_meter *self, uint64_t slot, uint32_t channel, double energy)
{
    cell_measure *measure = &self->measure;
    double *sum = &measure->slot_energy[slot - measure->first_slot];
    *sum = fma(self->weights[channel], energy, *sum);
    measure->channel_energy[(slot / SLOTS_PER_DECISLOT - measure->first_decislot) * measure->channel_count + channel] +=
        energy;
}

/*
 * Place + 1 of a new run; 0 = none left. What a limiter did goes before what was only near or over full scale: the
 * latest run of another kind makes room for it.
 */
static uint32_t run_place(render_meter *self, uint8_t kind)
{
    cell_measure *measure = &self->measure;
    if (measure->run_count < PEAK_RUNS_MAX)
        return ++measure->run_count;
    measure->run_dropped++;
    uint32_t place = kind == PEAK_RUN_LIMITED ? PEAK_RUNS_MAX : 0;
    while (place > 0 && self->runs[place - 1].kind == PEAK_RUN_LIMITED)
        place--;
    for (uint32_t i = 0; place > 0 && i < PEAK_RUN_LIMITED; i++)
        for (uint32_t channel = 0; channel < LAYOUT_CHANNELS_MAX; channel++)
            if (self->open_runs[i][channel].run == place)
                self->open_runs[i][channel].run = 0;
    return place;
}

void render_meter_run(render_meter *self, uint8_t kind, uint32_t channel, uint32_t frame, double peak)
{
    render_open_run *open = &self->open_runs[kind][channel];
    bool goes_on = open->end > 0 && frame <= open->end + RUN_GAP_FRAMES;
    bool new_frame = frame >= open->end;
    if (new_frame)
        open->end = frame + 1;
    if (!goes_on) {
        open->run = run_place(self, kind);
        if (open->run > 0)
            self->runs[open->run - 1] = (peak_run){.kind = kind, .channel = (uint8_t)channel, .frame = frame};
    }
    if (open->run == 0)
        return;
    peak_run *run = &self->runs[open->run - 1];
    run->frame_count = open->end - run->frame;
    run->sample_count += new_frame;
    run->peak = fmax(run->peak, peak);
}

void render_meter_clips(render_meter *self, uint32_t channel, const double *tile, uint32_t lane, uint32_t frame_count,
                        int64_t frame, double top)
{
    render_clip clip = self->clips[channel]; /* in registers: most samples do no more than take the place of another */
    double flat = fmax(top - CLIP_LEVEL_STEP, CLIP_LEAST);
    for (uint32_t i = 0; i < frame_count; i++) {
        double sample = tile[(size_t)i * TILE_LANES + lane];
        if (sample != clip.value) {
            clip = (render_clip){.value = sample, .length = 1, .before = clip.value};
            continue;
        }
        clip.length++;
        bool full = sample >= self->full_scale || sample <= -1.0;
        bool corner = fabs(clip.value - clip.before) > flat_corner;
        if (clip.length < CLIP_SAMPLES || !(full || (corner && fabs(sample) >= flat)))
            continue;
        /* With the third sample the two before it count as well, as far as they lie in this cell. */
        int64_t now = frame + (int64_t)i;
        for (int64_t k = clip.length == CLIP_SAMPLES ? now - (CLIP_SAMPLES - 1) : now; k <= now; k++)
            if (k >= 0)
                render_meter_run(self, PEAK_RUN_CLIP, channel, (uint32_t)k, fabs(sample));
    }
    self->clips[channel] = clip;
}

void render_meter_no_clips(render_meter *self, uint32_t channel, double last)
{
    self->clips[channel] = (render_clip){.value = last, .length = 1};
}

static int by_place(const void *a, const void *b)
{
    const peak_run *left = a;
    const peak_run *right = b;
    if (left->frame != right->frame)
        return left->frame < right->frame ? -1 : 1;
    if (left->channel != right->channel)
        return left->channel < right->channel ? -1 : 1;
    return (int)left->kind - (int)right->kind;
}

status render_meter_end(render_meter *self, bool programme_end, message_bytes *out_bytes)
{
    if (self->measure.run_count > 1)
        qsort(self->runs, self->measure.run_count, sizeof self->runs[0], by_place);
    for (uint32_t c = 0; c < self->measure.channel_count; c++) {
        channel_measure *channel = &self->measure.channels[c];
        channel->true_peak = fmax(channel->true_peak, channel->sample_peak);
    }
    if (self->measure.signal != NULL)
        render_signal_end(&self->signal, programme_end);
    byte_writer_reset(&self->encoded);
    cell_measure_encode(&self->measure, &self->encoded);
    if (self->encoded.failed)
        return STATUS_NODE_MEMORY;
    *out_bytes = (message_bytes){.bytes = self->encoded.bytes, .size = (uint32_t)self->encoded.size};
    return STATUS_OK;
}
