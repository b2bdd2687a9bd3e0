#include "coordinator/report/drawing.h"

#include "coordinator/report/heat_png.h"
#include "coordinator/report/html_text.h"

#include <math.h>
#include <string.h>

/* By what style sheets call it, on paper, and on a dark screen: there each stands out from the paper as much as here. */
static const struct {
    const char *name;
    uint32_t light, dark;
} inks[INK_HEAT] = {
    [INK_TEXT] = {"ink", 0x16202a, 0xe6eaee},         [INK_SOFT] = {"soft", 0x5b6b7a, 0x9aa7b4},
    [INK_GRID] = {"line", 0xd8dfe6, 0x2d3742},        [INK_MARK] = {"mark", 0x90a0b0, 0x5f6f7f},
    [INK_SHADE] = {"shade", 0xf4f6f8, 0x12181e},      [INK_PAPER] = {"paper", 0xffffff, 0x1a222a},
    [INK_CURVE] = {"curve", 0x14589b, 0x6cb0f2},      [INK_CURVE_SOFT] = {"curve-soft", 0x9cc0e2, 0x2f5d8a},
    [INK_PASS] = {"pass", 0x17753b, 0x3fb950},        [INK_WARN] = {"warn", 0x9a6200, 0xd29922},
    [INK_FAIL] = {"fail", 0xb3211d, 0xf47067},        [INK_INCOMPLETE] = {"incomplete", 0x5a3d9e, 0xb197f0}};

void ink_style(byte_writer *writer, bool dark)
{
    for (size_t i = 0; i < INK_HEAT; i++)
        html_markup(writer, "--%s:#%06x;", inks[i].name, (unsigned)(dark ? inks[i].dark : inks[i].light));
}

/* Heat is the same on every screen: its legend stands beside it. */
static void svg_ink(byte_writer *writer, const char *attribute, ink colour)
{
    if (colour < INK_HEAT)
        html_markup(writer, " %s=\"var(--%s)\"", attribute, inks[colour].name);
    else
        html_markup(writer, " %s=\"#%06x\"", attribute, (unsigned)ink_rgb(colour));
}

uint32_t ink_rgb(ink colour)
{
    /* From near white by way of blue to dark red; brightness falls all the way, so that it reads in grey too. */
    static const uint32_t heat[HEAT_LEVELS] = {0xf7fbff, 0xe6f0fa, 0xd3e4f3, 0xbcd7ec, 0x9fc8e2, 0x7db4d8, 0x5d9fcc, 0x4089bf,
                                               0x2a72b0, 0x1b5a9c, 0x3d4a8c, 0x63397c, 0x84286a, 0x9a1a50, 0x8a1030, 0x5c0a18};
    return colour < INK_HEAT ? inks[colour].light : heat[(unsigned)(colour - INK_HEAT) % HEAT_LEVELS];
}

uint8_t heat_level(double part)
{
    double level = fmin(fmax(part, 0.0), 1.0) * (HEAT_LEVELS - 1);
    return (uint8_t)(level + 0.5);
}

drawing *drawing_create(arena *memory, double width, double height, const char *label)
{
    drawing *self = arena_take(memory, sizeof *self);
    *self = (drawing){.memory = memory, .width = width, .height = height, .label = label};
    return self;
}

static drawing_item *add(drawing *self, drawing_kind kind, ink colour, const drawing_point *points, uint32_t count)
{
    if (self->count == self->capacity) {
        uint32_t capacity = self->capacity == 0 ? 64 : 2 * self->capacity;
        drawing_item *items = arena_take_array(self->memory, capacity, sizeof *items);
        if (self->count > 0)
            memcpy(items, self->items, self->count * sizeof *items);
        self->items = items;
        self->capacity = capacity;
    }
    drawing_item *item = &self->items[self->count++];
    *item = (drawing_item){.kind = kind, .colour = colour, .point_count = count,
                           .points = arena_take_array(self->memory, count, sizeof *points)};
    memcpy(item->points, points, count * sizeof *points);
    return item;
}

void drawing_line(drawing *self, ink colour, double width, double dash, const drawing_point *points, uint32_t count)
{
    if (count < 2)
        return;
    drawing_item *item = add(self, DRAWING_LINE, colour, points, count);
    item->width = width;
    item->dash = dash;
}

void drawing_segment(drawing *self, ink colour, double width, double dash, double x1, double y1, double x2, double y2)
{
    const drawing_point points[] = {{x1, y1}, {x2, y2}};
    drawing_line(self, colour, width, dash, points, 2);
}

void drawing_box(drawing *self, ink colour, double x, double y, double width, double height)
{
    const drawing_point points[] = {{x, y}, {width, height}};
    add(self, DRAWING_BOX, colour, points, 2);
}

void drawing_heat(drawing *self, double x, double y, double width, double height, uint32_t column_count, uint32_t row_count,
                  const uint8_t *levels)
{
    const drawing_point points[] = {{x, y}, {width, height}};
    drawing_item *item = add(self, DRAWING_HEAT, INK_HEAT, points, 2);
    item->column_count = column_count;
    item->row_count = row_count;
    item->levels = levels;
}

/* One grid for each stretch of columns that are equally wide: cells are, but for the last of a reel. */
void drawing_heat_columns(drawing *self, const double *edges, double y, double height, uint32_t column_count, uint32_t row_count,
                          const uint8_t *levels)
{
    for (uint32_t first = 0, end = 0; first < column_count; first = end) {
        double width = edges[first + 1] - edges[first];
        while (end < column_count && fabs(edges[end + 1] - edges[end] - width) < 1e-6)
            end++;
        uint8_t *part = arena_take_array(self->memory, (size_t)row_count * (end - first), 1);
        for (uint32_t row = 0; row < row_count; row++)
            memcpy(part + (size_t)row * (end - first), levels + (size_t)row * column_count + first, end - first);
        /* A little over the next one: two edges in the middle of a pixel would let the paper through. */
        drawing_heat(self, edges[first], y, edges[end] - edges[first] + 0.2, height, end - first, row_count, part);
    }
}

void drawing_text(drawing *self, ink colour, double size, drawing_anchor anchor, double x, double y, const char *text)
{
    const drawing_point point = {x, y};
    drawing_item *item = add(self, DRAWING_TEXT, colour, &point, 1);
    item->width = size;
    item->anchor = anchor;
    item->text = arena_copy_text(self->memory, text);
}

static void svg_item(const drawing_item *item, byte_writer *writer)
{
    static const char *const anchors[] = {"start", "middle", "end"};
    const drawing_point *points = item->points;
    if (item->kind == DRAWING_HEAT) {
        html_markup(writer, "<image x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" preserveAspectRatio=\"none\" href=\"",
                    points[0].x, points[0].y, points[1].x, points[1].y);
        heat_png_uri(item->levels, item->column_count, item->row_count, writer);
        html_markup(writer, "\"/>");
    } else if (item->kind == DRAWING_BOX) {
        html_markup(writer, "<path");
        svg_ink(writer, "fill", item->colour);
        html_markup(writer, " d=\"M%.1f %.1fh%.1fv%.1fh-%.1fz\"/>", points[0].x, points[0].y, points[1].x, points[1].y, points[1].x);
    } else if (item->kind == DRAWING_LINE) {
        html_markup(writer, "<path fill=\"none\"");
        svg_ink(writer, "stroke", item->colour);
        html_markup(writer, " stroke-width=\"%.1f\"", item->width);
        if (item->dash > 0.0)
            html_markup(writer, " stroke-dasharray=\"%.0f\"", item->dash);
        byte_writer_bytes(writer, " d=\"", 4);
        for (uint32_t i = 0; i < item->point_count; i++) {
            byte_writer_u8(writer, i == 0 ? 'M' : 'L');
            html_coordinate(writer, points[i].x);
            byte_writer_u8(writer, ' ');
            html_coordinate(writer, points[i].y);
        }
        html_markup(writer, "\"/>");
    } else {
        html_markup(writer, "<text");
        svg_ink(writer, "fill", item->colour);
        html_markup(writer, " font-size=\"%.1f\" text-anchor=\"%s\" x=\"%.1f\" y=\"%.1f\">", item->width, anchors[item->anchor], points[0].x,
                    points[0].y);
        html_text(writer, item->text);
        html_markup(writer, "</text>");
    }
}

void drawing_svg(const drawing *self, byte_writer *writer)
{
    html_markup(writer, "<svg class=\"plot\" style=\"max-width:%.0fpx\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"", self->width,
                self->width, self->height);
    html_text(writer, self->label);
    html_markup(writer, "\">");
    for (uint32_t i = 0; i < self->count; i++)
        svg_item(&self->items[i], writer);
    html_markup(writer, "</svg>");
}
