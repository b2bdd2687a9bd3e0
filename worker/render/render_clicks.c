/*
 * Which stems hold the clicks that a programme was found to have: a few frames of each stem are read again there. A stem
 * has it where its own fourth difference stands out as it does in the programme, and is not far smaller than that of the
 * stem that has most of it.
 */
#include "worker/render/render_parts.h"

#include <math.h>
#include <string.h>

enum { WINDOW = 512, NEAR = 6, REACH = 12 };
static const double stands_out = 12.0;  /* of the root of the mean square around it */
static const double rough_min = 0.001;  /* a single sample of -76 dBFS: a programme may be louder than its stems */
static const double share_min = 0.25;

/* Height of the click at a frame of a row, or 0 where there is none. */
static double click_in(const float *row, uint32_t count, uint32_t at)
{
    double peak = 0.0;
    double sum = 0.0;
    uint32_t others = 0;
    for (uint32_t i = 2; i + 2 < count; i++) {
        double sides = (double)row[i - 1] + (double)row[i + 1];
        double rough = fabs(((double)row[i - 2] + (double)row[i + 2]) - 4.0 * sides + 6.0 * (double)row[i]);
        uint32_t distance = i > at ? i - at : at - i;
        if (distance <= NEAR)
            peak = rough > peak ? rough : peak;
        if (distance <= REACH)
            continue;
        sum += rough * rough;
        others++;
    }
    return peak >= rough_min && others > 0 && peak >= stands_out * sqrt(sum / others) ? peak : 0.0;
}

/* But what is there already, to a few samples. */
static void add_place(click_places *self, int32_t frame)
{
    for (uint32_t i = 0; i < self->count; i++)
        if (frame <= self->frames[i] + NEAR && self->frames[i] <= frame + NEAR)
            return;
    if (self->count < CLICK_PLACES_MAX)
        self->frames[self->count++] = frame;
}

click_places click_places_of(const render_meter *meters, uint32_t meter_count)
{
    click_places places = {0};
    for (uint32_t m = 0; m < meter_count; m++) {
        const cell_signal *signal = meters[m].measure.signal;
        for (uint32_t i = 0; signal != NULL && i < signal->event_count; i++)
            if (signal->events[i].kind == SIGNAL_CLICK)
                add_place(&places, signal->events[i].frame);
    }
    return places;
}

status render_clicks_find(const click_places *places, const render_program *program, const cell_beyond *beyond,
                          stem_features *features)
{
    features->click_frames = 0;
    features->click_count = 0;
    for (uint32_t p = 0; p < places->count; p++) {
        int64_t first = (int64_t)places->frames[p] - WINDOW / 2;
        int64_t end = first + WINDOW;
        int64_t last = (int64_t)features->frame_count + (int64_t)beyond->after;
        first = first < -(int64_t)beyond->before ? -(int64_t)beyond->before : first;
        end = end > last ? last : end;
        if (places->frames[p] < first || end <= places->frames[p])
            continue; /* of the reel before */
        features->click_frames += (uint32_t)(end - first);
        double heights[PROGRAM_INPUT_LANES_MAX] = {0.0};
        double highest = 0.0;
        for (uint16_t lane = 0; lane < program->input_count; lane++) {
            float row[WINDOW] = {0.0f};
            if (program->inputs[lane].stem == RENDER_STEM_RECEIVED)
                continue;
            status code = beyond->frames(beyond->context, lane, first, (uint32_t)(end - first), row);
            if (code != STATUS_OK)
                return code;
            heights[lane] = click_in(row, (uint32_t)(end - first), (uint32_t)(places->frames[p] - first));
            highest = fmax(highest, heights[lane]);
        }
        for (uint16_t lane = 0; lane < program->input_count && features->click_count < STEM_CLICKS_MAX; lane++)
            if (heights[lane] > 0.0 && heights[lane] >= share_min * highest)
                features->clicks[features->click_count++] = (stem_click){.lane = lane, .frame = places->frames[p]};
    }
    return STATUS_OK;
}
