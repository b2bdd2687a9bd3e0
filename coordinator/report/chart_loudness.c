/* Loudness over time as a meter shows it, with the gate, the spec's limits and the reels. */
#include "coordinator/report/report_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 1000, HEIGHT = 262, COLUMNS_MAX = 421, LINES_MAX = 16, STEP_MS = 100 };
static const double label_step = 12.5;
static const double top_lufs = 0.0;
static const double bottom_lufs = -60.0;

static double y_of(const time_plot *plot, double lufs)
{
    double clamped = fmin(fmax(lufs, bottom_lufs), top_lufs);
    return plot->top + (top_lufs - clamped) / (top_lufs - bottom_lufs) * (plot->bottom - plot->top);
}

/* One point per column: the loudest value of its steps, so that no peak is lost at any length of programme. */
static void add_curve(const time_plot *plot, const report_programme *programme, uint32_t window_ms, ink colour, double width,
                      arena *memory)
{
    const plan_timeline *timeline = plot->timeline;
    size_t capacity = (size_t)(timeline->frame_count * 10 / timeline->sample_rate) + 2;
    double *values = arena_take_array(memory, capacity, sizeof *values);
    size_t count = programme_measure_curve(programme->measure, window_ms, STEP_MS, values, capacity);
    size_t columns = count < COLUMNS_MAX ? count : COLUMNS_MAX;
    drawing_point *points = arena_take_array(memory, columns + 1, sizeof *points);
    uint32_t used = 0;
    for (size_t column = 0; column < columns; column++) {
        size_t first = column * count / columns;
        size_t end = (column + 1) * count / columns;
        double loudest = (double)NAN;
        for (size_t i = first; i < end; i++)
            loudest = fmax(loudest, values[i]);
        if (isnan(loudest)) {
            drawing_line(plot->picture, colour, width, 0.0, points, used);
            used = 0;
            continue;
        }
        uint64_t frame = (uint64_t)end * timeline->sample_rate / 10;
        points[used++] = (drawing_point){time_plot_x(plot, frame < timeline->frame_count ? frame : timeline->frame_count),
                                         y_of(plot, loudest)};
    }
    drawing_line(plot->picture, colour, width, 0.0, points, used);
}

/* The lines across the plot, collected first: their names stand in the right margin in the same order, clear of each other. */
typedef struct plot_line {
    ink colour;
    double dash, lufs;
    const char *label;
} plot_line;

typedef struct line_list {
    uint32_t count;
    plot_line items[LINES_MAX];
} line_list;

static void add_line(line_list *lines, ink colour, double dash, double lufs, const char *label)
{
    if (isfinite(lufs) && lufs >= bottom_lufs && lufs <= top_lufs && lines->count < LINES_MAX)
        lines->items[lines->count++] = (plot_line){colour, dash, lufs, label};
}

static int louder_first(const void *a, const void *b)
{
    double left = ((const plot_line *)a)->lufs;
    double right = ((const plot_line *)b)->lufs;
    return left > right ? -1 : left < right;
}

static void draw_lines(const time_plot *plot, line_list *lines)
{
    char text[64];
    double place[LINES_MAX];
    if (lines->count > 1)
        qsort(lines->items, lines->count, sizeof *lines->items, louder_first);
    for (uint32_t i = 0; i < lines->count; i++) {
        place[i] = y_of(plot, lines->items[i].lufs) + 4.0;
        if (i > 0 && place[i] < place[i - 1] + label_step)
            place[i] = place[i - 1] + label_step;
    }
    /* Half of what the crowd was pushed down goes up again, as far as there is room. */
    for (uint32_t first = 0, end = 1; end <= lines->count; end++) {
        if (end < lines->count && place[end] <= place[end - 1] + label_step)
            continue;
        double room = first == 0 ? plot->top + 4.0 : place[first - 1] + label_step;
        double up = fmin((place[end - 1] - y_of(plot, lines->items[end - 1].lufs) - 4.0) / 2.0, place[first] - room);
        for (uint32_t i = first; i < end && up > 0.0; i++)
            place[i] -= up;
        first = end;
    }
    for (uint32_t i = 0; i < lines->count; i++) {
        const plot_line *line = &lines->items[i];
        double y = y_of(plot, line->lufs);
        snprintf(text, sizeof text, "%s %.1f", line->label, verdict_displayed(line->lufs));
        drawing_segment(plot->picture, line->colour, 1.3, line->dash, plot->left, y, plot->right, y);
        drawing_text(plot->picture, line->colour, 11.0, ANCHOR_START, plot->right + 6.0, place[i], text);
    }
}

static bool add_limits(line_list *list, const spec *rules, const programme_verdict *verdict)
{
    static const struct {
        const char *check, *max, *min;
    } lines[] = {{"loudness.integrated", "at most", "at least"},
                 {"loudness.dialogue", "dialogue to", "dialogue from"},
                 {"loudness.max_short_term", "short-term to", ""},
                 {"loudness.max_momentary", "momentary to", ""}};
    bool any = false;
    for (uint32_t i = 0; rules != NULL && i < rules->limit_count; i++) {
        const spec_limit *limit = &rules->limits[i];
        for (size_t k = 0; k < sizeof lines / sizeof lines[0]; k++) {
            if (strcmp(limit->check, lines[k].check) != 0 || !verdict_in_force(verdict, limit))
                continue;
            any = true;
            add_line(list, INK_FAIL, 3.0, limit->max, lines[k].max);
            if (lines[k].min[0] != '\0')
                add_line(list, INK_FAIL, 3.0, limit->min, lines[k].min);
        }
    }
    return any;
}

static void add_legend(const time_plot *plot, bool limits)
{
    static const struct {
        ink colour;
        const char *text;
        double x;
    } keys[] = {{INK_CURVE, "short-term (3 s)", 0.0},   {INK_CURVE_SOFT, "momentary (0.4 s)", 140.0}, {INK_PASS, "integrated", 290.0},
                {INK_SOFT, "relative gate", 395.0},      {INK_FAIL, "limits of the spec", 510.0}};
    double y = plot->bottom + 32.0;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0] - (limits ? 0 : 1); i++) {
        double x = plot->left + keys[i].x;
        drawing_box(plot->picture, keys[i].colour, x, y - 5.0, 18.0, 3.0);
        drawing_text(plot->picture, INK_SOFT, 11.0, ANCHOR_START, x + 23.0, y, keys[i].text);
    }
    drawing_text(plot->picture, INK_SOFT, 11.0, ANCHOR_END, plot->right, y, "LUFS over programme time");
}

const drawing *chart_loudness(const report_model *model, const report_programme *programme, arena *memory)
{
    const plan_timeline *timeline = report_timeline(model, programme->deliverable);
    time_plot plot = time_plot_begin(model, timeline, WIDTH, HEIGHT, 40.0, 122.0, "Loudness over time", memory);
    plot.picture->height += 14.0; /* of the legend, below the axis */
    for (int lufs = 0; lufs >= -60; lufs -= 10) {
        char text[16];
        snprintf(text, sizeof text, "%d", lufs);
        drawing_segment(plot.picture, INK_GRID, 1.0, 0.0, plot.left, y_of(&plot, lufs), plot.right, y_of(&plot, lufs));
        drawing_text(plot.picture, INK_SOFT, 11.0, ANCHOR_END, plot.left - 6.0, y_of(&plot, lufs) + 4.0, text);
    }
    add_curve(&plot, programme, 400, INK_CURVE_SOFT, 1.0, memory);
    add_curve(&plot, programme, 3000, INK_CURVE, 1.8, memory);
    line_list lines = {0};
    const loudness_figures *loudness = &programme->verdict.loudness;
    add_line(&lines, INK_PASS, 7.0, loudness->integrated_lufs, "integrated");
    add_line(&lines, INK_SOFT, 2.0, loudness->relative_gate_lufs, "gate");
    bool limits = add_limits(&lines, model->show->deliverables[programme->deliverable].spec, &programme->verdict);
    draw_lines(&plot, &lines);
    add_legend(&plot, limits);
    return plot.picture;
}
