/*
 * Lanes of a file whose rate is not the program's. Output frame m of a file is one fixed-order sum over the input frames
 * around m x down / up, whatever the tile it is computed in: so neither cells nor tasks leave a seam. Frames before the first
 * and behind the last of the file are silence.
 */
#include "worker/render/render_parts.h"

#include <string.h>

static int64_t floor_divide(int64_t a, int64_t b)
{
    int64_t quotient = a / b;
    return a % b < 0 ? quotient - 1 : quotient;
}

render_resampler *render_resampler_make(const task_input *input, const render_program *program, const render_resampler *same,
                                        arena *memory)
{
    render_resampler *self = arena_take(memory, sizeof *self);
    bool sped = program->speed_num != 0;
    if (!fir_resample_plan_init(&self->plan, (uint64_t)input->sample_rate * (sped ? program->speed_num : 1),
                                (uint64_t)program->sample_rate * (sped ? program->speed_den : 1)))
        return NULL;
    if (same != NULL) {
        self->taps = same->taps;
    } else {
        self->taps = arena_take_array(memory, (size_t)self->plan.up * self->plan.tap_count, sizeof *self->taps);
        fir_design_resample(&self->plan, self->taps);
    }
    self->frame_capacity =
        (uint32_t)(((uint64_t)TILE_FRAMES_MAX * self->plan.down) / self->plan.up) + self->plan.tap_count + 2;
    self->frames = arena_take_lines(memory, (size_t)self->frame_capacity * TILE_LANES, sizeof(double));
    return self;
}

/* Input frames first .. first + count as lanes 0, 1, ... of the resampler's frames; silence where the file has none. */
static status unpack_span(render_sources *self, const render_feed *feed, int64_t first, uint32_t count, error_detail *detail)
{
    render_file *file = &self->files[feed->file];
    const task_input *input = &self->task->inputs[feed->file];
    double *frames = file->resampler->frames;
    int64_t end = first + (int64_t)count;
    int64_t from = first < 0 ? 0 : first;
    int64_t to = end > (int64_t)input->frame_count ? (int64_t)input->frame_count : end;
    uint8_t lanes[TILE_LANES];
    for (uint8_t i = 0; i < TILE_LANES; i++)
        lanes[i] = i;
    memset(frames, 0, (size_t)count * TILE_LANES * sizeof *frames);
    while (from < to) {
        int64_t left = to - from;
        uint32_t part = left < (int64_t)file->block_frames ? (uint32_t)left : file->block_frames;
        const uint8_t *bytes = NULL;
        status code = render_view_frames(file, input, (uint64_t)from, part, &bytes, detail);
        if (code != STATUS_OK)
            return code;
        self->dsp->unpack(file->encoding, bytes, input->channel_count, part, feed->lane_count, feed->channels, lanes,
                          frames + (from - first) * TILE_LANES);
        from += part;
    }
    return STATUS_OK;
}

status render_resampler_fill(render_sources *self, const render_feed *feed, int64_t out_first, uint32_t frame_count,
                             error_detail *detail)
{
    const render_resampler *resampler = self->files[feed->file].resampler;
    const fir_resample_plan *plan = &resampler->plan;
    int64_t up = plan->up;
    int64_t down = plan->down;
    int64_t first = floor_divide(out_first * down, up) - (int64_t)plan->before + 1;
    int64_t last = floor_divide((out_first + (int64_t)frame_count - 1) * down, up);
    uint32_t span = (uint32_t)(last - first) + plan->tap_count - plan->before + 1;
    status code = unpack_span(self, feed, first, span, detail);
    double *tile = self->tiles[feed->tile];
    for (uint32_t i = 0; code == STATUS_OK && i < frame_count; i++) {
        int64_t place = (out_first + (int64_t)i) * down;
        int64_t whole = floor_divide(place, up);
        const double *taps = resampler->taps + (size_t)(place - whole * up) * plan->tap_count;
        double out[TILE_LANES];
        self->dsp->fir_lanes(resampler->frames + (whole - (int64_t)plan->before + 1 - first) * TILE_LANES, taps,
                             plan->tap_count, out);
        for (uint32_t l = 0; l < feed->lane_count; l++)
            tile[(size_t)i * TILE_LANES + feed->lanes[l]] = out[l];
    }
    return code;
}
