#include "coordinator/report/loudness_plot.h"

#include "coordinator/report/html_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 1000, HEIGHT = 250, LEFT = 46, RIGHT = 112, TOP = 18, BOTTOM = 26, COLUMNS_MAX = 842 };
enum { LABELS_MAX = 8, LABEL_STEP = 12 };
static const double top_lufs = 0.0;
static const double bottom_lufs = -60.0;

static double y_of(double lufs)
{
    double clamped = fmin(fmax(lufs, bottom_lufs), top_lufs);
    return TOP + (top_lufs - clamped) / (top_lufs - bottom_lufs) * (HEIGHT - TOP - BOTTOM);
}

static double x_of(const plan_timeline *timeline, uint64_t frame)
{
    return LEFT + (double)frame / (double)timeline->frame_count * (WIDTH - LEFT - RIGHT);
}

/* One point per column: the loudest value of its steps, so that no peak is lost at any length of programme. */
static void draw_curve(byte_writer *writer, const report_programme *programme, const plan_timeline *timeline,
                       uint32_t window_ms, const char *class)
{
    enum { STEP_MS = 100 };
    size_t capacity = (size_t)(timeline->frame_count * 10 / timeline->sample_rate) + 2;
    double *values = calloc(capacity, sizeof *values);
    if (values == NULL) {
        writer->failed = true;
        return;
    }
    size_t count = programme_measure_curve(programme->measure, window_ms, STEP_MS, values, capacity);
    size_t columns = count < COLUMNS_MAX ? count : COLUMNS_MAX;
    bool drawing = false;
    html_markup(writer, "<path class=\"%s\" d=\"", class);
    for (size_t column = 0; column < columns; column++) {
        size_t first = column * count / columns;
        size_t end = (column + 1) * count / columns;
        double loudest = NAN;
        for (size_t i = first; i < end; i++)
            loudest = fmax(loudest, values[i]);
        if (isnan(loudest)) {
            drawing = false;
            continue;
        }
        uint64_t frame = (uint64_t)end * timeline->sample_rate / 10;
        html_markup(writer, "%s%.1f %.1f", drawing ? "L" : "M", x_of(timeline, frame), y_of(loudest));
        drawing = true;
    }
    html_markup(writer, "\"/>");
    free(values);
}

static void draw_axes(byte_writer *writer, const report_model *model, const plan_timeline *timeline)
{
    for (int lufs = 0; lufs >= -60; lufs -= 10)
        html_markup(writer, "<path class=\"grid\" d=\"M%d %.1fH%d\"/><text class=\"ytick\" x=\"%d\" y=\"%.1f\">%d</text>", LEFT,
                    y_of(lufs), WIDTH - RIGHT, LEFT - 6, y_of(lufs) + 4.0, lufs);
    enum { TICKS = 6 };
    for (uint32_t i = 0; i <= TICKS; i++) {
        uint64_t frame = timeline->frame_count * i / TICKS;
        char text[32];
        if (timeline->has_start && model->show->rate.num != 0) {
            timecode_format(timeline->start_frame +
                                timecode_frame_of_sample(frame, &model->show->rate, timeline->sample_rate),
                            &model->show->rate, text);
        } else {
            uint64_t seconds = frame / timeline->sample_rate;
            snprintf(text, sizeof text, "%u:%02u:%02u", (unsigned)(seconds / 3600 % 100), (unsigned)(seconds / 60 % 60),
                     (unsigned)(seconds % 60));
        }
        html_markup(writer, "<text class=\"xtick\" text-anchor=\"%s\" x=\"%.1f\" y=\"%d\">", i == 0 ? "start" : i == TICKS ? "end" : "middle",
                    x_of(timeline, frame), HEIGHT - 8);
        html_text(writer, text);
        html_markup(writer, "</text>");
    }
}

/* Names of lines stand in the right margin, clear of the curves and of each other. */
typedef struct label_column {
    uint32_t count;
    double used[LABELS_MAX];
} label_column;

static double free_place(label_column *labels, double y)
{
    for (bool moved = true; moved;) {
        moved = false;
        for (uint32_t i = 0; i < labels->count; i++)
            if (fabs(labels->used[i] - y) < LABEL_STEP - 0.5) { /* less than a step, so that y moves at every turn */
                y = labels->used[i] + LABEL_STEP;
                moved = true;
            }
    }
    if (labels->count < LABELS_MAX)
        labels->used[labels->count++] = y;
    return y;
}

static void draw_line(byte_writer *writer, label_column *labels, const char *class, double lufs, const char *label)
{
    if (!isfinite(lufs) || lufs < bottom_lufs || lufs > top_lufs)
        return;
    html_markup(writer, "<path class=\"%s\" d=\"M%d %.1fH%d\"/><text class=\"%s\" x=\"%d\" y=\"%.1f\">", class, LEFT, y_of(lufs),
                WIDTH - RIGHT, class, WIDTH - RIGHT + 6, free_place(labels, y_of(lufs) + 4.0));
    html_text(writer, label);
    html_markup(writer, " %.1f</text>", verdict_displayed(lufs));
}

void loudness_plot(byte_writer *writer, const report_model *model, const report_programme *programme)
{
    const plan_deliverable *made = &model->plan->deliverables[programme->deliverable];
    const plan_timeline *timeline = &model->plan->timelines[made->timeline];
    if (programme->measure == NULL || timeline->frame_count == 0)
        return;
    html_markup(writer, "<div class=\"scroll\"><svg class=\"plot\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Loudness over time\">", WIDTH,
                HEIGHT);
    draw_axes(writer, model, timeline);
    for (uint32_t i = 0; i < timeline->piece_count && timeline->piece_count > 1; i++) {
        const plan_piece *piece = &timeline->pieces[i];
        double x = x_of(timeline, piece->programme_frame);
        html_markup(writer, "<path class=\"reel\" d=\"M%.1f %dV%d\"/><text class=\"reel\" x=\"%.1f\" y=\"12\">", x, TOP, HEIGHT - BOTTOM,
                    x + 4.0);
        if (!piece->spans_reels)
            html_text(writer, model->show->reels[piece->reel].name);
        html_markup(writer, "</text>");
    }
    draw_curve(writer, programme, timeline, 400, "momentary");
    draw_curve(writer, programme, timeline, 3000, "shortterm");
    label_column labels = {0};
    draw_line(writer, &labels, "integrated", programme->verdict.loudness.integrated_lufs, "integrated");
    uint32_t limits = 0;
    const spec *rules = model->show->deliverables[programme->deliverable].spec;
    for (uint32_t i = 0; rules != NULL && i < rules->limit_count; i++) {
        const spec_limit *limit = &rules->limits[i];
        limits += strncmp(limit->check, "loudness.", 9) == 0;
        if (!verdict_in_force(&programme->verdict, limit))
            continue;
        if (strcmp(limit->check, "loudness.integrated") == 0) {
            draw_line(writer, &labels, "limit", limit->max, "at most");
            draw_line(writer, &labels, "limit", limit->min, "at least");
        } else if (strcmp(limit->check, "loudness.max_short_term") == 0) {
            draw_line(writer, &labels, "limit", limit->max, "short-term");
        }
    }
    html_markup(writer, "</svg></div><p class=\"legend\"><span class=\"k shortterm\"></span>short-term (3 s) <span class=\"k momentary\"></span>momentary (0.4 s) <span class=\"k integrated\"></span>integrated %sLUFS over programme time</p>",
                limits == 0 ? "" : "<span class=\"k limit\"></span>limits of the spec; ");
}
