#include "coordinator/report/report_parts.h"

#include <stdio.h>

double time_plot_x(const time_plot *self, uint64_t frame)
{
    return self->left + (double)frame / (double)self->timeline->frame_count * (self->right - self->left);
}

/* Seconds from tick to tick: round ones, and no more than seven to a plot. */
static uint64_t seconds_between_ticks(uint64_t seconds)
{
    static const uint64_t steps[] = {1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (seconds / steps[i] < 7)
            return steps[i];
    return (seconds / (7 * 3600) + 1) * 3600;
}

/* Timecode of the programme where it has one, else hours, minutes and seconds. */
static void tick_text(const time_plot *self, const frame_rate *rate, bool timecode, uint64_t frame, char text[TIMECODE_TEXT_SIZE])
{
    const plan_timeline *timeline = self->timeline;
    uint64_t seconds = frame / timeline->sample_rate;
    if (timecode)
        timecode_format(timeline->start_frame + timecode_frame_of_sample(frame, rate, timeline->sample_rate), rate, text);
    else
        snprintf(text, TIMECODE_TEXT_SIZE, "%u:%02u:%02u", (unsigned)(seconds / 3600 % 100), (unsigned)(seconds / 60 % 60),
                 (unsigned)(seconds % 60));
}

/* At the beginning, at round times, and at the end, before which there is room for its text. */
static void add_ticks(const time_plot *self, const report_model *model)
{
    static const double tick_width = 84.0;
    const plan_timeline *timeline = self->timeline;
    const frame_rate *rate = report_rate(model, timeline);
    bool timecode = timeline->has_start && rate->num != 0;
    uint64_t step = seconds_between_ticks(timeline->frame_count / timeline->sample_rate);
    uint64_t pictures = timecode ? step * ((rate->num + rate->den / 2) / rate->den) : 0;
    char text[TIMECODE_TEXT_SIZE];
    for (uint64_t i = 0;; i++) {
        uint64_t frame = timecode ? timecode_sample_of_frame(i * pictures, rate, timeline->sample_rate)
                                  : i * step * timeline->sample_rate;
        if (frame >= timeline->frame_count || (i > 0 && time_plot_x(self, frame) > self->right - 1.5 * tick_width))
            break;
        tick_text(self, rate, timecode, frame, text);
        drawing_text(self->picture, INK_SOFT, 11.0, i == 0 ? ANCHOR_START : ANCHOR_MIDDLE, time_plot_x(self, frame),
                     self->bottom + 17.0, text);
    }
    tick_text(self, rate, timecode, timeline->frame_count, text);
    drawing_text(self->picture, INK_SOFT, 11.0, ANCHOR_END, self->right, self->bottom + 17.0, text);
}

static void add_reels(const time_plot *self, const report_model *model)
{
    for (uint32_t i = 0; i < self->timeline->piece_count && self->timeline->piece_count > 1; i++) {
        const plan_piece *piece = &self->timeline->pieces[i];
        double x = time_plot_x(self, piece->programme_frame);
        double end = time_plot_x(self, piece->programme_frame + piece->frame_count);
        drawing_segment(self->picture, INK_MARK, 1.0, 3.0, x, self->top, x, self->bottom);
        if (!piece->spans_reels && end - x > 24.0)
            drawing_text(self->picture, INK_SOFT, 11.0, ANCHOR_START, x + 4.0, self->top - 6.0,
                         model->show->reels[piece->reel].name);
    }
}

time_plot time_plot_begin(const report_model *model, const plan_timeline *timeline, double width, double height, double left,
                          double right, const char *label, arena *memory)
{
    time_plot self = {.picture = drawing_create(memory, width, height, label),
                      .timeline = timeline,
                      .left = left,
                      .right = width - right,
                      .top = 20.0,
                      .bottom = height - 24.0};
    add_ticks(&self, model);
    add_reels(&self, model);
    return self;
}
