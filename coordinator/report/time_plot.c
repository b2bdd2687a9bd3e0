#include "coordinator/report/report_parts.h"

#include <stdio.h>

double time_plot_x(const time_plot *self, uint64_t frame)
{
    return self->left + (double)frame / (double)self->timeline->frame_count * (self->right - self->left);
}

/* Timecode of the programme where it has one, else hours, minutes and seconds. */
static void add_ticks(const time_plot *self, const report_model *model)
{
    enum { TICKS = 6 };
    const plan_timeline *timeline = self->timeline;
    const frame_rate *rate = report_rate(model, timeline);
    for (uint32_t i = 0; i <= TICKS; i++) {
        uint64_t frame = timeline->frame_count * i / TICKS;
        char text[32];
        if (timeline->has_start && rate->num != 0) {
            timecode_format(timeline->start_frame + timecode_frame_of_sample(frame, rate, timeline->sample_rate), rate, text);
        } else {
            uint64_t seconds = frame / timeline->sample_rate;
            snprintf(text, sizeof text, "%u:%02u:%02u", (unsigned)(seconds / 3600 % 100), (unsigned)(seconds / 60 % 60),
                     (unsigned)(seconds % 60));
        }
        drawing_text(self->picture, INK_SOFT, 11.0, i == 0 ? ANCHOR_START : i == TICKS ? ANCHOR_END : ANCHOR_MIDDLE,
                     time_plot_x(self, frame), self->bottom + 17.0, text);
    }
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
