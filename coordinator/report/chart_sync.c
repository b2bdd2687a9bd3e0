/* Offset over time of one track against the reference: what was measured, and the model that was fitted to it. */
#include "coordinator/report/report_parts.h"

#include "common/measure/sync_model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 1000, HEIGHT = 170 };

typedef struct sync_plot {
    drawing *picture;
    double left, right, top, bottom;
    double frames; /* of the track */
    double low, high;
} sync_plot;

static double x_of(const sync_plot *self, double place)
{
    return self->left + place / self->frames * (self->right - self->left);
}

static double y_of(const sync_plot *self, double late)
{
    return self->bottom - (late - self->low) / (self->high - self->low) * (self->bottom - self->top);
}

/* Without the minus of what these decimals show as zero. */
static double shown(double value, int decimals)
{
    return fabs(value) < 0.5 * pow(10.0, -decimals) ? 0.0 : value;
}

static void add_axis(sync_plot *self, uint32_t rate, double picture_frames)
{
    for (int i = 0; i <= 4; i++) {
        double late = self->low + (self->high - self->low) * i / 4.0;
        char text[TIMECODE_TEXT_SIZE];
        snprintf(text, sizeof text, "%.1f", shown(late, 1));
        drawing_segment(self->picture, INK_GRID, 1.0, 0.0, self->left, y_of(self, late), self->right, y_of(self, late));
        drawing_text(self->picture, INK_SOFT, 11.0, ANCHOR_END, self->left - 6.0, y_of(self, late) + 4.0, text);
        if (picture_frames > 0.0) {
            int decimals = self->high - self->low < 0.1 * picture_frames ? 4 : 2;
            snprintf(text, sizeof text, "%.*f fr", decimals, shown(late / picture_frames, decimals));
            drawing_text(self->picture, INK_SOFT, 9.5, ANCHOR_START, self->right + 5.0, y_of(self, late) + 4.0, text);
        }
        double place = self->frames * i / 4.0;
        timecode_elapsed((uint64_t)place, rate, text);
        drawing_text(self->picture, INK_SOFT, 11.0, i == 0 ? ANCHOR_START : i == 4 ? ANCHOR_END : ANCHOR_MIDDLE, x_of(self, place),
                     self->bottom + 17.0, text);
    }
}

/* Room round the points that the model explains, or all, and at least 20 samples high: a track in sync is a straight line. */
static void set_bounds(sync_plot *self, const sync_measure *heard, const sync_model *model)
{
    self->low = HUGE_VAL;
    self->high = -HUGE_VAL;
    for (uint32_t i = 0; i < heard->point_count; i++) {
        if (model->known && !sync_model_explains(model, &heard->points[i]))
            continue;
        self->low = fmin(self->low, heard->points[i].late);
        self->high = fmax(self->high, heard->points[i].late);
    }
    double room = fmax((self->high - self->low) * 0.15, 10.0 - (self->high - self->low) / 2.0);
    self->low -= room;
    self->high += room;
}

static void add_model(sync_plot *self, const sync_model *model)
{
    for (uint32_t i = 0; i < model->segment_count; i++) {
        const sync_segment *segment = &model->segments[i];
        double first = i == 0 ? 0.0 : (double)segment->first;
        double last = i + 1 == model->segment_count ? self->frames : (double)segment->last;
        drawing_segment(self->picture, INK_PASS, 1.6, 0.0, x_of(self, first), y_of(self, segment->offset + model->drift * first),
                        x_of(self, last), y_of(self, segment->offset + model->drift * last));
    }
}

static const char *title_of(const report_model *model, const plan_listen *listen, const sync_measure *heard,
                            const sync_model *fitted, arena *memory)
{
    const char *name =
        listen->stem >= 0 ? model->show->stems[listen->stem].name : model->show->deliverables[listen->deliverable].name;
    if (!listen->whole)
        name = arena_format(memory, "%s %s", name, model->show->reels[listen->reel].name);
    if (!fitted->known)
        return arena_format(memory, "%s: %u of %u places match, no model fits them", name, heard->point_count, heard->tried);
    double late = shown(fitted->segments[0].offset, 1);
    return arena_format(memory, "%s: %.1f samples %s, drift %.2f ppm, %u step%s; %u match%s at %u places, of which the model explains %u", name,
                        fabs(late), late < 0.0 ? "early" : "late", fitted->drift * 1e6, fitted->segment_count - 1, fitted->segment_count == 2 ? "" : "s",
                        heard->point_count, heard->point_count == 1 ? "" : "es", heard->tried, fitted->used);
}

const drawing *chart_sync(const report_model *model, uint32_t listen, arena *memory)
{
    const sync_measure *heard = model->heard[listen];
    const plan_listen *track = &model->plan->listens[listen];
    if (track->join || heard == NULL || heard->point_count == 0 || track->frame_count == 0)
        return NULL;
    sync_plot self = {.picture = drawing_create(memory, WIDTH, HEIGHT, "Offset against the reference over time"),
                      .left = 64.0,
                      .right = WIDTH - 64.0,
                      .top = 28.0,
                      .bottom = HEIGHT - 40.0,
                      .frames = (double)track->frame_count};
    uint32_t rate = model->show->sample_rate == 0 ? 48000 : model->show->sample_rate;
    double picture_frames = model->show->rate.num == 0 ? 0.0 : (double)rate * model->show->rate.den / model->show->rate.num;
    sync_model fitted;
    sync_model_fit(&fitted, heard->points, heard->point_count);
    set_bounds(&self, heard, &fitted);
    add_axis(&self, rate, picture_frames);
    if (fitted.known)
        add_model(&self, &fitted);
    for (uint32_t i = 0; i < heard->point_count; i++)
        drawing_box(self.picture, INK_CURVE, x_of(&self, (double)heard->points[i].place) - 2.0,
                    y_of(&self, fmin(fmax(heard->points[i].late, self.low), self.high)) - 2.0, 4.0, 4.0);
    drawing_text(self.picture, INK_TEXT, 12.0, ANCHOR_START, 4.0, 14.0, title_of(model, track, heard, &fitted, memory));
    drawing_text(self.picture, INK_SOFT, 10.5, ANCHOR_START, self.left, HEIGHT - 6.0,
                 "Squares: places that match; line: the model. Samples (left) and picture frames (right) by which the track is late. At the edge: farther off.");
    return self.picture;
}
