/**
 * A picture as a list of lines, boxes and texts, in units of its own. Made once by a chart, then rendered as SVG into
 * report.html and by cairo into report.pdf, so that both show the same.
 */
#ifndef COORDINATOR_REPORT_DRAWING_H
#define COORDINATOR_REPORT_DRAWING_H

#include "common/base/arena.h"
#include "common/base/byte_writer.h"

#include <stdbool.h>
#include <stdint.h>

/** The colours of a report: of pictures and of pages. */
typedef enum ink {
    INK_TEXT,
    INK_SOFT,
    INK_GRID,
    INK_MARK,
    INK_SHADE,
    INK_PAPER,
    INK_CURVE,
    INK_CURVE_SOFT,
    INK_PASS,
    INK_WARN,
    INK_FAIL,
    INK_INCOMPLETE,
    INK_HEAT /**< and HEAT_LEVELS - 1 more behind it, from nothing to most */
} ink;
enum { HEAT_LEVELS = 16 };
/** 0xRRGGBB, on paper. */
uint32_t ink_rgb(ink colour);
/** The colours but heat as custom properties of CSS, by which drawing_svg names them, for paper or for a dark screen. */
void ink_style(byte_writer *writer, bool dark);
/** The level of heat of a part 0..1; below 0 and NAN the lowest, above 1 the highest. */
uint8_t heat_level(double part);

typedef enum drawing_anchor { ANCHOR_START, ANCHOR_MIDDLE, ANCHOR_END } drawing_anchor;
typedef enum drawing_kind { DRAWING_LINE, DRAWING_BOX, DRAWING_TEXT, DRAWING_HEAT } drawing_kind;

typedef struct drawing_point {
    double x, y;
} drawing_point;

typedef struct drawing_item {
    drawing_kind kind;
    ink colour;
    double width;       /**< of a line; size of a text */
    double dash;        /**< 0 = solid */
    drawing_anchor anchor;
    const char *text;
    uint32_t column_count, row_count;
    const uint8_t *levels; /**< of heat: [row_count][column_count], lowest row first */
    uint32_t point_count; /**< line: all; box and heat: corner, then width and height; text: where its baseline begins */
    drawing_point *points;
} drawing_item;

typedef struct drawing {
    arena *memory;
    double width, height;
    const char *label;  /**< what it shows, for those who do not see it */
    uint32_t count, capacity;
    drawing_item *items;
} drawing;

drawing *drawing_create(arena *memory, double width, double height, const char *label);
/** A line through points, which are copied. */
void drawing_line(drawing *self, ink colour, double width, double dash, const drawing_point *points, uint32_t count);
void drawing_segment(drawing *self, ink colour, double width, double dash, double x1, double y1, double x2, double y2);
void drawing_box(drawing *self, ink colour, double x, double y, double width, double height);
/** A grid of heat levels (below HEAT_LEVELS), lowest row first, in a box. levels are borrowed. */
void drawing_heat(drawing *self, double x, double y, double width, double height, uint32_t column_count, uint32_t row_count,
                  const uint8_t *levels);
/** The same with columns of different widths, from edges[i] to edges[i + 1]. */
void drawing_heat_columns(drawing *self, const double *edges, double y, double height, uint32_t column_count, uint32_t row_count,
                          const uint8_t *levels);
/** The text is copied. */
void drawing_text(drawing *self, ink colour, double size, drawing_anchor anchor, double x, double y, const char *text);

/** As an <svg> element of HTML whose style has ink_style's properties. */
void drawing_svg(const drawing *self, byte_writer *writer);

#endif
