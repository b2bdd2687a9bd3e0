/* What was found to leak between stems, as a matrix: source in rows, host in columns. From the findings' details alone. */
#include "coordinator/report/report_parts.h"

#include "common/measure/stem_bleed.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { STEMS_MAX = 16, BOX = 60, WIDE = 96 };

typedef struct bleed_matrix {
    const json_t *reach; /* {source: {host: dB or null: the source is silent, or the host too loud} */
    const json_t *reach_half; /* the same in half of the time */
    const json_t *reach_low;  /* the same of a leak without treble */
    uint32_t count;
    const char *names[STEMS_MAX];
    double found[STEMS_MAX][STEMS_MAX]; /* NAN = none */
} bleed_matrix;

static int place_of(const bleed_matrix *self, const char *name, size_t length)
{
    for (uint32_t i = 0; i < self->count; i++)
        if (strlen(self->names[i]) == length && strncmp(self->names[i], name, length) == 0)
            return (int)i;
    return -1;
}

/* "DX C -> MX": a leak of a channel of one stem into another stem. */
static void take_leak(bleed_matrix *self, const finding *item)
{
    const char *arrow = item->subject == NULL ? NULL : strstr(item->subject, " -> ");
    if (arrow == NULL || !isfinite(item->measured))
        return;
    int source = place_of(self, item->subject, strcspn(item->subject, " "));
    int host = place_of(self, arrow + 4, strlen(arrow + 4));
    if (source >= 0 && host >= 0)
        self->found[source][host] = fmax(self->found[source][host], item->measured);
}

static const json_t *reach_of(const json_t *rows, const char *source, const char *host)
{
    return json_object_get(json_object_get(rows, source), host);
}

/* A line of a pair's box, small, on its colour. */
static void draw_reach(drawing *picture, bool leak, double x, double y, const char *label, const json_t *reach)
{
    char text[48];
    snprintf(text, sizeof text, "%s %.0f dB", label, json_number_value(reach));
    drawing_text(picture, leak ? INK_PAPER : INK_SOFT, 9.0, ANCHOR_MIDDLE, x + WIDE / 2.0, y, text);
}

/* low_hz: what a leak without treble has nothing above. */
static void draw(drawing *picture, const bleed_matrix *self, double low_hz)
{
    char low_text[128];
    double left = 110.0;
    drawing_text(picture, INK_SOFT, 11.0, ANCHOR_START, left, 12.0, "heard in");
    drawing_text(picture, INK_SOFT, 11.0, ANCHOR_END, left - 8.0, 30.0, "source");
    for (uint32_t a = 0; a < self->count; a++) {
        double y = 36.0 + (double)BOX * a;
        drawing_text(picture, INK_TEXT, 12.0, ANCHOR_START, left + (double)WIDE * a + 4.0, 30.0, self->names[a]);
        drawing_text(picture, INK_TEXT, 12.0, ANCHOR_END, left - 8.0, y + BOX / 2.0 + 4.0, self->names[a]);
        for (uint32_t b = 0; b < self->count; b++) {
            double x = left + (double)WIDE * b;
            const json_t *reach = reach_of(self->reach, self->names[a], self->names[b]);
            const json_t *half = reach_of(self->reach_half, self->names[a], self->names[b]);
            const json_t *low = reach_of(self->reach_low, self->names[a], self->names[b]);
            char text[48];
            bool leak = isfinite(self->found[a][b]);
            drawing_box(picture, a == b ? INK_GRID : leak ? INK_FAIL : INK_SHADE, x, y, WIDE - 2.0, BOX - 2.0);
            if (a == b)
                continue;
            if (leak) {
                snprintf(text, sizeof text, "%.1f dB", self->found[a][b]);
                drawing_text(picture, INK_PAPER, 12.0, ANCHOR_MIDDLE, x + WIDE / 2.0, y + 19.0, text);
            } else {
                drawing_text(picture, INK_TEXT, 11.0, ANCHOR_MIDDLE, x + WIDE / 2.0, y + 19.0, json_is_number(reach) ? "none found" : "not known");
            }
            if (json_is_number(reach))
                draw_reach(picture, leak, x, y + 34.0, "down to", reach);
            else if (json_is_number(half))
                draw_reach(picture, leak, x, y + 34.0, "half:", half);
            if (json_is_number(low))
                draw_reach(picture, leak, x, y + 48.0, "low:", low);
        }
    }
    drawing_text(picture, INK_SOFT, 10.0, ANCHOR_START, 4.0, picture->height - 32.0,
                 "\"Down to\": the smallest leak that would have been found in nine tenths of the time in which the source plays;");
    snprintf(low_text, sizeof low_text, "\"low\": in nine tenths of it, of a leak with nothing above %.0f Hz; missing: not known.", low_hz);
    drawing_text(picture, INK_SOFT, 10.0, ANCHOR_START, 4.0, picture->height - 18.0, low_text);
    drawing_text(picture, INK_SOFT, 10.0, ANCHOR_START, 4.0, picture->height - 4.0, "\"half\": in half of it. Smaller ones may be there.");
}

const drawing *chart_bleed(const report_model *model, const report_programme *programme, arena *memory)
{
    const plan_timeline *timeline = report_timeline(model, programme->deliverable);
    bleed_matrix *self = arena_take(memory, sizeof *self);
    json_t *details = NULL;
    const finding_list *findings = &programme->verdict.findings;
    for (size_t i = 0; i < findings->count && details == NULL; i++)
        if (findings->items[i].subject != NULL && strcmp(findings->items[i].subject, "reach") == 0 &&
            strcmp(findings->items[i].check, "stems.bleed") == 0)
            details = json_loads(findings->items[i].details_json, 0, NULL);
    self->reach = json_object_get(details, "reach_db");
    self->reach_half = json_object_get(details, "reach_half_db");
    self->reach_low = json_object_get(details, "reach_low_db");
    const char *name;
    json_t *row;
    json_object_foreach ((json_t *)(uintptr_t)self->reach, name, row)
        if (self->count < STEMS_MAX)
            self->names[self->count++] = name;
    for (uint32_t a = 0; a < STEMS_MAX; a++)
        for (uint32_t b = 0; b < STEMS_MAX; b++)
            self->found[a][b] = (double)NAN;
    for (size_t i = 0; i < findings->count; i++)
        if (strcmp(findings->items[i].check, "stems.bleed") == 0)
            take_leak(self, &findings->items[i]);
    drawing *picture = NULL;
    if (self->count >= 2 && timeline != NULL) {
        double width = fmax(114.0 + (double)WIDE * self->count, 640.0);
        picture = drawing_create(memory, width, 88.0 + (double)BOX * self->count, "Leaks between stems");
        draw(picture, self, stem_band_high_hz(STEM_BANDS_LOW - 1, timeline->sample_rate));
    }
    json_decref(details);
    return picture;
}
