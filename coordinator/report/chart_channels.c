/* Channel by channel over time: where the true peak is high, and how loud each channel is. */
#include "coordinator/report/report_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 1000, ROW = 17, LEVEL_ROW = 30, COLUMNS_MAX = 210, LEVEL_COLUMNS_MAX = 210 };
static const double low_dbtp = -30.0; /* what is lower is shown as nothing */
static const double low_dbfs = -72.0;

/* The lowest limit on the true peak that is in force; NAN: none. */
static double peak_limit(const report_model *model, const report_programme *programme)
{
    const spec *rules = model->show->deliverables[programme->deliverable].spec;
    double lowest = (double)NAN;
    for (uint32_t i = 0; rules != NULL && i < rules->limit_count; i++)
        if (strcmp(rules->limits[i].check, "peak.true") == 0 && verdict_in_force(&programme->verdict, &rules->limits[i]))
            lowest = fmin(lowest, rules->limits[i].max);
    return lowest;
}

static const channel_layout *layout_of(const report_model *model, const report_programme *programme)
{
    return channel_layout_get(model->plan->deliverables[programme->deliverable].layout);
}

static void add_names(const time_plot *plot, const channel_layout *layout, double row)
{
    for (uint32_t c = 0; c < layout->channel_count; c++)
        drawing_text(plot->picture, INK_SOFT, 11.0, ANCHOR_END, plot->left - 6.0, plot->top + row * c + row / 2.0 + 4.0,
                     channel_label_name(layout->labels[c]));
}

/* A stretch of whole cells: cells never cross a piece, and peaks are known of whole cells. */
typedef struct cell_group {
    uint64_t first, end; /* programme frames */
} cell_group;

static uint32_t group_cells(const plan_timeline *timeline, uint32_t per_group, cell_group *groups)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < timeline->piece_count; i++) {
        const plan_piece *piece = &timeline->pieces[i];
        uint64_t step = (uint64_t)per_group * CELL_FRAMES;
        for (uint64_t at = 0; at < piece->frame_count; at += step, count++) {
            uint64_t left = piece->frame_count - at;
            if (groups != NULL)
                groups[count] =
                    (cell_group){piece->programme_frame + at, piece->programme_frame + at + (left < step ? left : step)};
        }
    }
    return count;
}

static void add_map(const time_plot *plot, const report_programme *programme, const channel_layout *layout, arena *memory)
{
    uint32_t per_group = 1;
    while (group_cells(plot->timeline, per_group, NULL) > COLUMNS_MAX && per_group < 1024)
        per_group *= 2;
    cell_group *groups = arena_take_array(memory, group_cells(plot->timeline, per_group, NULL), sizeof *groups);
    uint32_t count = group_cells(plot->timeline, per_group, groups);
    uint8_t *levels = arena_take_array(memory, (size_t)layout->channel_count * count, sizeof *levels);
    double *edges = arena_take_array(memory, (size_t)count + 1, sizeof *edges);
    for (uint32_t i = 0; i < count; i++) {
        peak_figures peaks = programme_measure_peaks_between(programme->measure, groups[i].first, groups[i].end);
        edges[i] = time_plot_x(plot, groups[i].first);
        edges[i + 1] = time_plot_x(plot, groups[i].end);
        for (uint32_t c = 0; c < layout->channel_count; c++)
            levels[(size_t)(layout->channel_count - 1 - c) * count + i] =
                heat_level(1.0 - measure_db(peaks.channels[c].true_peak) / low_dbtp);
    }
    double height = (double)ROW * layout->channel_count;
    double width = plot->right - plot->left + 1.0;
    drawing_heat_columns(plot->picture, edges, plot->top, height, count, layout->channel_count, levels);
    for (uint32_t c = 0; c < layout->channel_count; c++)
        drawing_box(plot->picture, INK_PAPER, plot->left, plot->top + (double)ROW * (c + 1) - 2.0, width, 2.0);
}

static void add_scale(const time_plot *plot, double limit)
{
    char text[96];
    double y = plot->bottom + 24.0;
    double x = plot->left;
    drawing_text(plot->picture, INK_SOFT, 11.0, ANCHOR_START, x, y + 9.0, "-30 dBTP");
    for (int i = 0; i < HEAT_LEVELS; i++)
        drawing_box(plot->picture, (ink)(INK_HEAT + i), x + 58.0 + 12.0 * i, y, 12.0, 10.0);
    drawing_text(plot->picture, INK_SOFT, 11.0, ANCHOR_START, x + 58.0 + 12.0 * HEAT_LEVELS + 6.0, y + 9.0, "0 dBTP");
    if (isnan(limit))
        return;
    drawing_box(plot->picture, INK_FAIL, x + 330.0, y, 3.0, 10.0);
    snprintf(text, sizeof text, "a place above the limit of %.1f dBTP", limit);
    drawing_text(plot->picture, INK_SOFT, 11.0, ANCHOR_START, x + 339.0, y + 9.0, text);
}

const drawing *chart_true_peak(const report_model *model, const report_programme *programme, arena *memory)
{
    const plan_timeline *timeline = report_timeline(model, programme->deliverable);
    const channel_layout *layout = layout_of(model, programme);
    double rows = (double)ROW * layout->channel_count;
    time_plot plot = time_plot_begin(model, timeline, WIDTH, rows + 44.0, 40.0, 20.0, "True peak of each channel over time", memory);
    plot.picture->height += 18.0;
    add_map(&plot, programme, layout, memory);
    add_names(&plot, layout, ROW);
    double limit = peak_limit(model, programme);
    size_t count = 0;
    const programme_run *runs = programme_measure_runs(programme->measure, &count);
    enum { MARKS_MAX = 2000 };
    for (size_t i = 0, marks = 0; i < count && marks < MARKS_MAX; i++) {
        if (runs[i].kind != PEAK_RUN_TRUE || !(verdict_displayed(measure_db(runs[i].peak)) > limit))
            continue;
        drawing_box(plot.picture, INK_FAIL, time_plot_x(&plot, runs[i].frame) - 1.0,
                    plot.top + (double)ROW * runs[i].channel, 2.0, ROW - 2.0);
        marks++;
    }
    add_scale(&plot, limit);
    return plot.picture;
}

const drawing *chart_levels(const report_model *model, const report_programme *programme, arena *memory)
{
    const programme_signal *signal = programme_measure_signal(programme->measure);
    const plan_timeline *timeline = report_timeline(model, programme->deliverable);
    const channel_layout *layout = layout_of(model, programme);
    if (signal == NULL || signal->block_count < 2)
        return NULL;
    time_plot plot = time_plot_begin(model, timeline, WIDTH, (double)LEVEL_ROW * layout->channel_count + 44.0, 40.0, 48.0,
                                     "RMS level of each channel over time", memory);
    size_t columns = signal->block_count < LEVEL_COLUMNS_MAX ? signal->block_count : LEVEL_COLUMNS_MAX;
    for (uint32_t c = 0; c < layout->channel_count; c++) {
        double floor = plot.top + (double)LEVEL_ROW * (c + 1) - 3.0;
        drawing_point *points = arena_take_array(memory, columns, sizeof *points);
        drawing_segment(plot.picture, INK_GRID, 1.0, 0.0, plot.left, floor, plot.right, floor);
        for (size_t i = 0; i < columns; i++) {
            size_t first = i * signal->block_count / columns;
            size_t end = (i + 1) * signal->block_count / columns;
            double most = 0.0;
            for (size_t k = first; k < end; k++)
                most = fmax(most, (double)signal->blocks[k].energy[c]);
            double level = fmax(10.0 * log10(fmax(most, 1e-12)), low_dbfs);
            points[i] = (drawing_point){time_plot_x(&plot, signal->blocks[first].frame),
                                        floor - (1.0 - level / low_dbfs) * (LEVEL_ROW - 6.0)};
        }
        drawing_line(plot.picture, INK_CURVE, 1.0, 0.0, points, (uint32_t)columns);
        if (c > 0)
            continue;
        drawing_text(plot.picture, INK_SOFT, 9.0, ANCHOR_START, plot.right + 4.0, floor - LEVEL_ROW + 12.0, "0 dBFS");
        drawing_text(plot.picture, INK_SOFT, 9.0, ANCHOR_START, plot.right + 4.0, floor + 2.0, "-72");
    }
    add_names(&plot, layout, LEVEL_ROW);
    return plot.picture;
}
