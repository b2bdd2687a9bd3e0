/* Spectrograms of the seconds around findings, from what an EXCERPT task read again. */
#include "coordinator/report/report_parts.h"
#include "coordinator/verdict/finding_places.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SMALL_WIDTH = 170, SMALL_HEIGHT = 74, WIDTH = 1000, HEIGHT = 132 };

const task_excerpt_item *report_excerpt(const report_model *model, const report_programme *programme, const finding *item)
{
    const task_excerpt_result *all = programme->excerpts;
    if (all == NULL || !item->has_range || item->severity < FINDING_WARN)
        return NULL;
    for (uint32_t i = 0; i < all->count; i++)
        if (strcmp(all->items[i].place.name, item->id) == 0)
            return &all->items[i];
    const channel_layout *layout = channel_layout_get(model->plan->deliverables[programme->deliverable].layout);
    for (uint32_t i = 0; i < all->count; i++) {
        const task_place *place = &all->items[i].place;
        if (place->channels == finding_channels(item, layout) && item->start_sample >= place->first_frame &&
            item->start_sample < place->first_frame + place->frame_count)
            return &all->items[i];
    }
    return NULL;
}

/* The finding's place as a bar below the picture, at least as wide as an eye sees. */
static void add_mark(drawing *picture, const task_place *place, const finding *item, double left, double width, double y)
{
    double scale = width / place->frame_count;
    double begin = ((double)item->start_sample - (double)place->first_frame) * scale;
    double end = ((double)item->end_sample - (double)place->first_frame) * scale;
    begin = fmin(fmax(begin, 0.0), width - 2.0);
    end = fmin(fmax(end, begin + 2.0), width);
    drawing_box(picture, INK_FAIL, left + begin, y, end - begin, 3.0);
}

const drawing *chart_excerpt_small(const task_excerpt_item *excerpt, const finding *item, arena *memory)
{
    drawing *picture = drawing_create(memory, SMALL_WIDTH, SMALL_HEIGHT, "Spectrogram of the two seconds around the finding");
    drawing_heat(picture, 0.0, 0.0, SMALL_WIDTH, SMALL_HEIGHT - 4.0, EXCERPT_COLUMNS, excerpt->row_count, excerpt->levels);
    add_mark(picture, &excerpt->place, item, 0.0, SMALL_WIDTH, SMALL_HEIGHT - 3.0);
    return picture;
}

static void add_frequencies(drawing *picture, double left, double top, double height, uint32_t rows)
{
    static const double marks[] = {100, 300, 1000, 3000, 10000, 20000, 40000};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        char text[24];
        double row = log2(marks[i] / EXCERPT_LOW_HZ) * EXCERPT_ROWS_PER_OCTAVE;
        if (row > rows)
            break;
        double y = top + height * (1.0 - row / rows);
        snprintf(text, sizeof text, marks[i] < 1000.0 ? "%.0f Hz" : "%.0f kHz", marks[i] < 1000.0 ? marks[i] : marks[i] / 1000.0);
        drawing_segment(picture, INK_GRID, 0.8, 0.0, left - 4.0, y, left, y);
        drawing_text(picture, INK_SOFT, 9.0, ANCHOR_END, left - 6.0, fmax(y + 3.0, top + 7.0), text);
    }
}

const drawing *chart_excerpt(const report_model *model, const plan_timeline *timeline, const task_excerpt_item *excerpt,
                             const finding *item, arena *memory)
{
    const double left = 56.0;
    const double top = 22.0;
    const double width = WIDTH - left - 10.0;
    const task_place *place = &excerpt->place;
    drawing *picture = drawing_create(memory, WIDTH, top + HEIGHT + 24.0, "Spectrogram of the two seconds around the finding");
    const char *channels = "";
    for (uint32_t i = 0; i < item->channel_count; i++)
        channels = arena_format(memory, "%s%s%s", channels, i == 0 ? ", " : " ", item->channels[i]);
    drawing_text(picture, INK_TEXT, 11.5, ANCHOR_START, 4.0, 13.0,
                 arena_format(memory, "%s at %s%s", item->check, report_place(model, timeline, item->start_sample, memory), channels));
    drawing_heat(picture, left, top, width, HEIGHT, EXCERPT_COLUMNS, excerpt->row_count, excerpt->levels);
    add_frequencies(picture, left, top, HEIGHT, excerpt->row_count);
    add_mark(picture, place, item, left, width, top + HEIGHT + 1.0);
    drawing_text(picture, INK_SOFT, 10.0, ANCHOR_START, left, top + HEIGHT + 18.0,
                 report_place(model, timeline, place->first_frame, memory));
    drawing_text(picture, INK_SOFT, 10.0, ANCHOR_MIDDLE, left + width / 2.0, top + HEIGHT + 18.0,
                 arena_format(memory, "pale below %d, dark from %d dBFS up", EXCERPT_LOW_DB + EXCERPT_STEP_DB,
                              EXCERPT_LOW_DB + EXCERPT_STEP_DB * (EXCERPT_LEVELS - 1)));
    drawing_text(picture, INK_SOFT, 10.0, ANCHOR_END, WIDTH - 10.0, top + HEIGHT + 18.0,
                 report_place(model, timeline, place->first_frame + place->frame_count, memory));
    return picture;
}
