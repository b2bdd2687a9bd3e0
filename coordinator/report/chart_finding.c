/* Small pictures of one finding: how loud it is around it, and what its neighbourhood is made of. */
#include "coordinator/report/report_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { THUMB_WIDTH = 170, THUMB_HEIGHT = 46, THUMB_POINTS = THUMB_WIDTH / 2 };
enum { WIDTH = 1000, CELLS_MAX = 41, CELLS_AROUND = 8, ROWS = 40 };
static const double thumb_low = -70.0; /* LUFS; what is lower is drawn there */
static const double thumb_span = 12.0; /* at least as many LU from bottom to top */
static const double low_hz = 40.0;

/* Frames shown: the finding, as much again on both sides, and at least half a second. */
static void neighbourhood(const programme_measure *measure, const finding *item, uint64_t *out_first, uint64_t *out_end)
{
    uint64_t all = programme_measure_frame_count(measure);
    uint64_t around = (uint64_t)programme_measure_rate(measure) / 2;
    uint64_t length = item->end_sample > item->start_sample ? item->end_sample - item->start_sample : 0;
    if (around < length)
        around = length;
    *out_first = item->start_sample > around ? item->start_sample - around : 0;
    *out_end = item->end_sample < all && all - item->end_sample > around ? item->end_sample + around : all;
}

const drawing *chart_thumbnail(const report_programme *programme, const finding *item, arena *memory)
{
    uint64_t first = 0;
    uint64_t end = 0;
    uint64_t slot_count = 0;
    if (!item->has_range || programme->measure == NULL)
        return NULL;
    neighbourhood(programme->measure, item, &first, &end);
    uint32_t rate = programme_measure_rate(programme->measure);
    const double *slots = programme_measure_slots(programme->measure, &slot_count);
    uint64_t from = cell_measure_slot_of(first, rate);
    uint64_t to = cell_measure_slot_of(end, rate);
    to = to < slot_count ? to : slot_count;
    if (to < from + 2)
        return NULL;
    drawing *picture = drawing_create(memory, THUMB_WIDTH, THUMB_HEIGHT, "Loudness around the finding");
    drawing_box(picture, INK_SHADE, 0.0, 0.0, THUMB_WIDTH, THUMB_HEIGHT);
    double scale = THUMB_WIDTH / (double)(end - first);
    double begin = (double)(item->start_sample - first) * scale;
    double length = item->end_sample > item->start_sample ? (double)(item->end_sample - item->start_sample) * scale : 0.0;
    drawing_box(picture, INK_GRID, begin, 0.0, fmax(length, 1.5), THUMB_HEIGHT);
    drawing_box(picture, INK_FAIL, begin, THUMB_HEIGHT - 3.0, fmax(length, 1.5), 3.0);
    uint64_t columns = to - from < THUMB_POINTS ? to - from : THUMB_POINTS;
    drawing_point *points = arena_take_array(memory, (size_t)columns, sizeof *points);
    double low = 100.0;
    double high = thumb_low;
    for (uint64_t i = 0; i < columns; i++) {
        double most = 0.0;
        for (uint64_t s = from + i * (to - from) / columns; s < from + (i + 1) * (to - from) / columns; s++)
            most = fmax(most, slots[s]);
        points[i] = (drawing_point){THUMB_WIDTH * ((double)i + 0.5) / (double)columns,
                                    fmax(measure_loudness(most / (rate / 100.0)), thumb_low)};
        low = fmin(low, points[i].y);
        high = fmax(high, points[i].y);
    }
    double span = fmax(high - low, thumb_span);
    for (uint64_t i = 0; i < columns; i++)
        points[i].y = 3.0 + ((high + low + span) / 2.0 - points[i].y) / span * (THUMB_HEIGHT - 10.0);
    drawing_line(picture, INK_CURVE, 1.0, 0.0, points, (uint32_t)columns);
    return picture;
}

/* ---- spectra ---- */

/* Band of a row, rows going up in equal steps of pitch. */
static uint32_t band_of(uint32_t row, double high_hz)
{
    double hz = low_hz * pow(high_hz / low_hz, (row + 0.5) / ROWS);
    double band = hz / high_hz * SIGNAL_BANDS;
    return band < 0.0 ? 0 : band >= SIGNAL_BANDS ? SIGNAL_BANDS - 1 : (uint32_t)band;
}

static double power_of(const signal_cell *cell, const bool *wanted, uint32_t channels, uint32_t band)
{
    double power = 0.0;
    for (uint32_t c = 0; c < channels; c++)
        if (wanted[c])
            power = fmax(power, (double)cell->spectrum[c][band]);
    return power;
}

static void wanted_channels(const finding *item, const channel_layout *layout, bool *wanted)
{
    for (uint32_t c = 0; c < layout->channel_count; c++) {
        wanted[c] = item->channel_count == 0;
        for (uint32_t i = 0; i < item->channel_count; i++)
            wanted[c] = wanted[c] || strcmp(item->channels[i], channel_label_name(layout->labels[c])) == 0;
    }
}

static void add_frequencies(drawing *picture, double left, double top, double height, double high_hz)
{
    static const double marks[] = {50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 40000};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0] && marks[i] < high_hz; i++) {
        char text[24];
        double y = top + height * (1.0 - log(marks[i] / low_hz) / log(high_hz / low_hz));
        snprintf(text, sizeof text, marks[i] < 1000.0 ? "%.0f Hz" : "%.0f kHz", marks[i] < 1000.0 ? marks[i] : marks[i] / 1000.0);
        drawing_text(picture, INK_SOFT, 9.0, ANCHOR_END, left - 5.0, y + 3.0, text);
    }
}

const drawing *chart_spectrum(const report_model *model, const report_programme *programme, const plan_timeline *timeline,
                              const finding *item, arena *memory)
{
    const programme_signal *signal = programme->measure == NULL ? NULL : programme_measure_signal(programme->measure);
    if (!item->has_range || signal == NULL || signal->cell_count == 0)
        return NULL;
    size_t at = 0;
    while (at + 1 < signal->cell_count && signal->cells[at + 1].frame <= item->start_sample)
        at++;
    size_t first = at > CELLS_AROUND ? at - CELLS_AROUND : 0;
    size_t last = at;
    while (last + 1 < signal->cell_count && last - first + 1 < CELLS_MAX &&
           (signal->cells[last].frame < item->end_sample || last < at + CELLS_AROUND))
        last++;
    const channel_layout *layout = channel_layout_get(model->plan->deliverables[programme->deliverable].layout);
    bool wanted[LAYOUT_CHANNELS_MAX];
    wanted_channels(item, layout, wanted);
    double high_hz = timeline->sample_rate / 2.0;
    double left = 56.0;
    double top = 22.0;
    double height = 3.0 * ROWS;
    drawing *picture = drawing_create(memory, WIDTH, top + height + 24.0, "Spectra around the finding");
    uint64_t begin = signal->cells[first].frame;
    double scale = (WIDTH - left - 10.0) / (double)(signal->cells[last].frame + signal->cells[last].frame_count - begin);
    uint32_t columns = (uint32_t)(last - first + 1);
    double edges[CELLS_MAX + 1];
    uint8_t levels[ROWS * CELLS_MAX];
    for (uint32_t i = 0; i < columns; i++) {
        const signal_cell *cell = &signal->cells[first + i];
        edges[i] = left + (double)(cell->frame - begin) * scale;
        edges[i + 1] = edges[i] + (double)cell->frame_count * scale;
    }
    for (uint32_t row = 0; row < ROWS; row++) {
        uint32_t band = band_of(row, high_hz);
        for (uint32_t i = 0; i < columns; i++) {
            double power = power_of(&signal->cells[first + i], wanted, layout->channel_count, band);
            levels[row * columns + i] = heat_level((10.0 * log10(fmax(power, 1e-14)) + 120.0) / 110.0);
        }
    }
    drawing_heat_columns(picture, edges, top, height, columns, ROWS, levels);
    add_frequencies(picture, left, top, height, high_hz);
    double mark = left + (double)(item->start_sample - begin) * scale;
    double span = item->end_sample > item->start_sample ? (double)(item->end_sample - item->start_sample) * scale : 0.0;
    span = fmin(span, WIDTH - 10.0 - mark);
    drawing_box(picture, INK_FAIL, mark, top + height + 1.0, fmax(span, 2.0), 3.0);
    drawing_text(picture, INK_SOFT, 10.0, ANCHOR_START, left, top + height + 18.0, report_place(model, timeline, begin, memory));
    drawing_text(picture, INK_SOFT, 10.0, ANCHOR_END, WIDTH - 10.0, top + height + 18.0, "one column per 6.4 s at 48 kHz; pale -120, dark -10 dBFS a band");
    drawing_text(picture, INK_TEXT, 11.5, ANCHOR_START, 4.0, 13.0,
                 arena_format(memory, "%s at %s", item->check, report_place(model, timeline, item->start_sample, memory)));
    return picture;
}
