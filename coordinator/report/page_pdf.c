/* A page as a PDF of A4 sheets: pango lays out the text, cairo draws. Nothing in it comes from a clock. */
#include "coordinator/report/page.h"

#include "coordinator/report/page_pdf_text.h"

#include <cairo-pdf.h>
#include <math.h>
#include <pango/pangocairo.h>
#include <stdio.h>
#include <string.h>

static const double sheet_width = 595.28;
static const double sheet_height = 841.89;
static const double margin = 42.0;
static const double text_width = 595.28 - 2.0 * 42.0;
static const double bottom = 841.89 - 52.0;
static const double text_size = 8.6;
static const double gap = 5.0;

enum { FIGURES_PER_ROW = 4 };

typedef struct pdf {
    cairo_surface_t *surface;
    cairo_t *cairo;
    pdf_text *text;
    GHashTable *images;  /* of levels */
    const page *made;
    double y;
    int sheet;
    int sheets; /* of how many; 0: they are being counted, and hold no texts and pictures */
    int section; /* of the outline, which the small headings of a section stand under */
} pdf;

static void set_ink(cairo_t *cairo, ink colour)
{
    uint32_t rgb = ink_rgb(colour);
    cairo_set_source_rgb(cairo, (rgb >> 16 & 0xFF) / 255.0, (rgb >> 8 & 0xFF) / 255.0, (rgb & 0xFF) / 255.0);
}

static void show(const pdf *self, PangoLayout *layout, double x, double y)
{
    if (self->sheets == 0)
        return;
    set_ink(self->cairo, INK_TEXT);
    cairo_move_to(self->cairo, x, y);
    pango_cairo_show_layout(self->cairo, layout);
}

/* ---- links and the outline ---- */

static const char cover_mark[] = "cover";

/* A link that leads nowhere would cost the whole file. */
static bool has_mark(const page *made, const char *mark)
{
    for (uint32_t i = 0; i < made->count; i++)
        if (made->blocks[i].mark != NULL && strcmp(made->blocks[i].mark, mark) == 0)
            return true;
    return strcmp(mark, cover_mark) == 0;
}

static void put_link(const pdf *self, const char *mark, double x, double y, double width, double height)
{
    char text[200];
    if (!has_mark(self->made, mark))
        return;
    snprintf(text, sizeof text, "dest='%s' rect=[%d %d %d %d]", mark, (int)x, (int)y, (int)ceil(width), (int)ceil(height));
    cairo_tag_begin(self->cairo, CAIRO_TAG_LINK, text);
    cairo_tag_end(self->cairo, CAIRO_TAG_LINK);
}

/* A heading, for the outline and for links; mark: what links name it by, or NULL. */
static int put_outline(const pdf *self, int above, const char *mark, const char *text)
{
    char place[160];
    snprintf(place, sizeof place, "name='%s' internal x=%d y=%d", mark == NULL ? "" : mark, (int)margin, (int)self->y);
    if (mark != NULL) {
        cairo_tag_begin(self->cairo, CAIRO_TAG_DEST, place);
        cairo_tag_end(self->cairo, CAIRO_TAG_DEST);
    }
    snprintf(place, sizeof place, "page=%d pos=[%d %d]", self->sheet, (int)margin, (int)self->y);
    char *name = pdf_text_clean(text);
    int item = cairo_pdf_surface_add_outline(self->surface, above, name, place, 0);
    g_free(name);
    return item;
}

/* ---- sheets ---- */

static void begin_sheet(pdf *self)
{
    char text[80];
    if (self->sheet > 0)
        cairo_show_page(self->cairo);
    self->sheet++;
    self->y = margin;
    page_span title = {.style = STYLE_SOFT, .text = self->made->title};
    PangoLayout *left = pdf_text_make(self->text, &(page_spans){.count = 1, .items = &title}, 7.0, 380.0);
    pango_layout_set_height(left, -1); /* one line, cut with an ellipsis */
    pango_layout_set_ellipsize(left, PANGO_ELLIPSIZE_END);
    show(self, left, margin, sheet_height - 36.0);
    g_object_unref(left);
    snprintf(text, sizeof text, self->sheet == 1 ? "page %d of %d" : "to the cover \xC2\xB7 page %d of %d", self->sheet, self->sheets);
    PangoLayout *right = pdf_text_line(self->text, STYLE_SOFT, text, 7.0, 160.0);
    double x = sheet_width - margin - pdf_text_width(right);
    show(self, right, x, sheet_height - 36.0);
    if (self->sheet > 1)
        put_link(self, cover_mark, x, sheet_height - 38.0, pdf_text_width(right), pdf_text_height(right) + 4.0);
    g_object_unref(right);
}

static void need(pdf *self, double height)
{
    if (self->y + height > bottom && self->y > margin)
        begin_sheet(self);
}

/* ---- pictures ---- */

/* An image whose pixels are the levels. Drawn small and large it is one: the PDF then holds it once. */
static cairo_surface_t *image_of(const pdf *self, const drawing_item *item)
{
    cairo_surface_t *image = g_hash_table_lookup(self->images, item->levels);
    if (image != NULL)
        return image;
    image = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)item->column_count, (int)item->row_count);
    unsigned char *pixels = cairo_image_surface_get_data(image);
    if (pixels != NULL) { /* NULL: no memory; the sheet then fails as a whole */
        for (uint32_t row = 0; row < item->row_count; row++) {
            const uint8_t *levels = item->levels + (size_t)(item->row_count - 1 - row) * item->column_count;
            for (uint32_t c = 0; c < item->column_count; c++) {
                uint32_t rgb = ink_rgb((ink)(INK_HEAT + levels[c]));
                memcpy(pixels + (size_t)row * (size_t)cairo_image_surface_get_stride(image) + 4 * (size_t)c, &rgb, sizeof rgb);
            }
        }
        cairo_surface_mark_dirty(image);
    }
    g_hash_table_insert(self->images, (gpointer)(uintptr_t)item->levels, image);
    return image;
}

static void draw_heat(const pdf *self, const drawing_item *item)
{
    cairo_t *cairo = self->cairo;
    const drawing_point *points = item->points;
    cairo_save(cairo);
    cairo_translate(cairo, points[0].x, points[0].y);
    cairo_scale(cairo, points[1].x / item->column_count, points[1].y / item->row_count);
    cairo_set_source_surface(cairo, image_of(self, item), 0.0, 0.0);
    cairo_pattern_set_filter(cairo_get_source(cairo), CAIRO_FILTER_NEAREST);
    cairo_paint(cairo);
    cairo_restore(cairo);
}

static void draw_item(const pdf *self, const drawing_item *item)
{
    cairo_t *cairo = self->cairo;
    const drawing_point *points = item->points;
    set_ink(cairo, item->colour);
    if (item->kind == DRAWING_HEAT) {
        draw_heat(self, item);
    } else if (item->kind == DRAWING_BOX) {
        cairo_rectangle(cairo, points[0].x, points[0].y, points[1].x, points[1].y);
        cairo_fill(cairo);
    } else if (item->kind == DRAWING_LINE) {
        cairo_new_path(cairo);
        for (uint32_t i = 0; i < item->point_count; i++)
            cairo_line_to(cairo, points[i].x, points[i].y);
        cairo_set_line_width(cairo, item->width);
        cairo_set_dash(cairo, &item->dash, item->dash > 0.0 ? 1 : 0, 0.0);
        cairo_stroke(cairo);
    } else {
        PangoLayout *layout = pdf_text_line(self->text, STYLE_PLAIN, item->text, item->width, 2000.0);
        double width = pdf_text_width(layout);
        double x = points[0].x - (item->anchor == ANCHOR_END ? width : item->anchor == ANCHOR_MIDDLE ? width / 2.0 : 0.0);
        cairo_move_to(cairo, x, points[0].y - (double)pango_layout_get_baseline(layout) / PANGO_SCALE);
        pango_cairo_show_layout(cairo, layout);
        g_object_unref(layout);
    }
}

static double picture_scale(const drawing *picture, double width)
{
    return fmin(1.0, width / picture->width);
}

static void draw_picture(const pdf *self, const drawing *picture, double x, double y, double width)
{
    double scale = picture_scale(picture, width);
    if (self->sheets == 0)
        return;
    cairo_save(self->cairo);
    cairo_translate(self->cairo, x, y);
    cairo_scale(self->cairo, scale, scale);
    cairo_set_line_join(self->cairo, CAIRO_LINE_JOIN_ROUND);
    for (uint32_t i = 0; i < picture->count; i++)
        draw_item(self, &picture->items[i]);
    cairo_restore(self->cairo);
}

/* ---- blocks ---- */

static void put_text(pdf *self, const page_spans *spans, double size)
{
    PangoLayout *layout = pdf_text_layout(self->text, spans, size, text_width);
    need(self, pdf_text_height(layout));
    show(self, layout, margin, self->y);
    self->y += pdf_text_height(layout) + 3.0;
    g_object_unref(layout);
}

static void put_heading(pdf *self, const page_block *block)
{
    page_span spans[] = {{.style = STYLE_STRONG, .text = block->text},
                         {.style = STYLE_PLAIN, .text = "  "},
                         {.style = STYLE_BADGE, .text = block->badge}};
    page_spans all = {.count = block->badge == NULL ? 1 : 3, .items = spans};
    need(self, 90.0); /* a heading does not stand alone at the foot of a sheet */
    char *name = block->badge == NULL ? g_strdup(block->text) : g_strdup_printf("%s: %s", block->text, page_badge_text(block->badge));
    self->section = put_outline(self, CAIRO_PDF_OUTLINE_ROOT, block->mark, name);
    g_free(name);
    put_text(self, &all, 13.0);
}

/* Of a row behind another there is the text alone: on paper there is no behind. */
static const drawing *picture_of(const page_cell *cell, page_row_kind row)
{
    return row == ROW_BEHIND ? NULL : cell->picture;
}

static double cell_height(PangoLayout *layout, const page_cell *cell, page_row_kind row, double width)
{
    double picture = picture_of(cell, row) == NULL ? 0.0 : cell->picture->height * picture_scale(cell->picture, width) + 3.0;
    return pdf_text_height(layout) + picture;
}

static void put_table_head(pdf *self, const page_block *block, const double *widths)
{
    double x = margin;
    double height = 0.0;
    for (uint32_t c = 0; c < block->column_count; c++) {
        PangoLayout *layout = pdf_text_line(self->text, STYLE_SOFT, block->columns[c].title, text_size - 0.8, widths[c] - gap);
        show(self, layout, x, self->y);
        height = fmax(height, pdf_text_height(layout));
        x += widths[c];
        g_object_unref(layout);
    }
    self->y += height + 3.0;
}

static void put_rule(pdf *self, ink colour, double width)
{
    set_ink(self->cairo, colour);
    cairo_set_line_width(self->cairo, width);
    cairo_set_dash(self->cairo, NULL, 0, 0.0);
    cairo_move_to(self->cairo, margin, self->y);
    cairo_line_to(self->cairo, sheet_width - margin, self->y);
    cairo_stroke(self->cairo);
}

enum { COLUMNS_MAX = 24 };

static void table_widths(const page_block *block, double widths[COLUMNS_MAX])
{
    double shares = 0.0;
    for (uint32_t c = 0; c < block->column_count; c++)
        shares += block->columns[c].share;
    for (uint32_t c = 0; c < block->column_count && c < COLUMNS_MAX; c++)
        widths[c] = text_width * block->columns[c].share / shares;
}

/* What a table has on its sheet at least: its head and its first row. */
static double height_of_beginning(const pdf *self, const page_block *block)
{
    double widths[COLUMNS_MAX] = {0};
    double height = 0.0;
    table_widths(block, widths);
    for (uint32_t c = 0; block->count > 0 && c < block->column_count && c < COLUMNS_MAX; c++) {
        PangoLayout *layout = pdf_text_layout(self->text, &block->cells[c].spans, text_size, widths[c] - gap);
        height = fmax(height, cell_height(layout, &block->cells[c], block->cells[0].row, widths[c] - gap));
        g_object_unref(layout);
    }
    return 32.0 + height; /* titles of columns may take two lines */
}

static void put_row(pdf *self, const page_block *block, const page_cell *cells, const double *widths)
{
    PangoLayout *layouts[COLUMNS_MAX];
    double height = 0.0;
    uint32_t count = cells->row == ROW_FOLD ? 1 : block->column_count < COLUMNS_MAX ? block->column_count : COLUMNS_MAX;
    for (uint32_t c = 0; c < count; c++) {
        double width = (cells->row == ROW_FOLD ? text_width : widths[c]) - gap;
        layouts[c] = pdf_text_layout(self->text, &cells[c].spans, text_size, width);
        height = fmax(height, cell_height(layouts[c], &cells[c], cells->row, widths[c] - gap));
    }
    double below = cells->row == ROW_FOLD ? 50.0 : 6.0; /* a line for rows does not stand alone at the foot of a sheet */
    if (self->y + height + below > bottom) {
        begin_sheet(self);
        put_table_head(self, block, widths);
    }
    put_rule(self, INK_GRID, 0.5);
    double x = margin;
    for (uint32_t c = 0; c < count; c++) {
        show(self, layouts[c], x, self->y + 2.5);
        for (uint32_t i = 0; i < cells[c].spans.count; i++) /* a cell has one at most, and it leads from all of its text */
            if (cells[c].spans.items[i].link != NULL)
                put_link(self, cells[c].spans.items[i].link, x, self->y + 2.5, pdf_text_width(layouts[c]),
                         pdf_text_height(layouts[c]));
        if (picture_of(&cells[c], cells->row) != NULL)
            draw_picture(self, cells[c].picture, x, self->y + 4.5 + pdf_text_height(layouts[c]), widths[c] - gap);
        x += widths[c];
        g_object_unref(layouts[c]);
    }
    self->y += height + 6.0;
}

static void put_table(pdf *self, const page_block *block)
{
    double widths[COLUMNS_MAX] = {0};
    table_widths(block, widths);
    need(self, height_of_beginning(self, block));
    self->y += 2.0;
    put_table_head(self, block, widths);
    for (uint32_t r = 0; r < block->count; r++)
        put_row(self, block, &block->cells[(size_t)r * block->column_count], widths);
    put_rule(self, INK_GRID, 0.5);
    self->y += 6.0;
}

static void put_figures(pdf *self, const page_block *block)
{
    double width = text_width / FIGURES_PER_ROW;
    self->y += 4.0;
    for (uint32_t i = 0; i < block->count; i++) {
        double x = margin + width * (i % FIGURES_PER_ROW);
        char caption[160];
        if (i % FIGURES_PER_ROW == 0)
            need(self, 40.0);
        set_ink(self->cairo, INK_SHADE);
        cairo_rectangle(self->cairo, x, self->y, width - gap, 34.0);
        cairo_fill(self->cairo);
        snprintf(caption, sizeof caption, "%s \xC2\xB7 %s", block->figures[i].unit, block->figures[i].name);
        PangoLayout *value = pdf_text_line(self->text, STYLE_STRONG, block->figures[i].value, 12.5, width);
        PangoLayout *name = pdf_text_line(self->text, STYLE_SOFT, caption, 7.2, width - gap - 8.0);
        show(self, value, x + 6.0, self->y + 3.0);
        show(self, name, x + 6.0, self->y + 20.0);
        g_object_unref(value);
        g_object_unref(name);
        if (i % FIGURES_PER_ROW == FIGURES_PER_ROW - 1 || i + 1 == block->count)
            self->y += 34.0 + gap;
    }
}

static void put_fields(pdf *self, const page_block *block)
{
    for (uint32_t i = 0; i < block->count; i++) {
        double height = i + 2 == block->count ? 90.0 : 36.0;
        need(self, height);
        PangoLayout *name = pdf_text_line(self->text, STYLE_SOFT, block->figures[i].name, 7.5, text_width);
        show(self, name, margin, self->y);
        g_object_unref(name);
        self->y += height - 8.0;
        put_rule(self, INK_TEXT, 0.6);
        self->y += 8.0;
    }
}

static void put_verdict(pdf *self, const char *word)
{
    PangoLayout *layout = pdf_text_line(self->text, STYLE_BADGE, word, 20.0, text_width);
    need(self, pdf_text_height(layout) + 14.0);
    show(self, layout, margin, self->y + 4.0);
    self->y += pdf_text_height(layout) + 14.0;
    g_object_unref(layout);
}

static void put_picture(pdf *self, const drawing *picture)
{
    double height = picture->height * picture_scale(picture, text_width);
    need(self, height + 4.0);
    draw_picture(self, picture, margin, self->y, text_width);
    self->y += height + 4.0;
}

/* What must stand on the sheet of a small heading: a picture below it as a whole, of a table its first row, or a bit of text. */
static double height_of_next(const pdf *self, const page_block *next)
{
    if (next != NULL && next->kind == PAGE_TABLE)
        return height_of_beginning(self, next) + 6.0;
    return next == NULL || next->kind != PAGE_PICTURE
               ? 40.0
               : next->picture->height * picture_scale(next->picture, text_width) + 4.0;
}

static void put_block(pdf *self, const page_block *block, const page_block *next)
{
    page_span title = {.style = STYLE_STRONG, .text = block->text};
    page_spans line = {.count = 1, .items = &title};
    switch (block->kind) {
    case PAGE_SECTION:
        if (self->y > margin && self->y + 300.0 > bottom)
            begin_sheet(self);
        if (self->y > margin) {
            self->y += 10.0;
            put_rule(self, INK_TEXT, 1.2);
            self->y += 8.0;
        }
        break;
    case PAGE_TITLE:
        self->section = put_outline(self, CAIRO_PDF_OUTLINE_ROOT, cover_mark, block->text);
        put_text(self, &line, 19.0);
        break;
    case PAGE_HEADING:
        put_heading(self, block);
        break;
    case PAGE_SUBHEADING:
        title.style = STYLE_SOFT;
        need(self, 20.0 + height_of_next(self, next));
        self->y += 6.0;
        put_outline(self, self->section, NULL, block->text);
        put_text(self, &line, 9.6);
        break;
    case PAGE_PARAGRAPH:
        put_text(self, &block->spans, text_size);
        break;
    case PAGE_VERDICT:
        put_verdict(self, block->text);
        break;
    case PAGE_FIGURES:
        put_figures(self, block);
        break;
    case PAGE_TABLE:
        put_table(self, block);
        break;
    case PAGE_PICTURE:
        put_picture(self, block->picture);
        break;
    case PAGE_FIELDS:
        put_fields(self, block);
        break;
    }
}

static cairo_status_t write_bytes(void *closure, const unsigned char *bytes, unsigned int size)
{
    /* A full writer says so itself: told of an error, cairo 1.16 loses the images of the sheet. */
    byte_writer_bytes(closure, bytes, size);
    return CAIRO_STATUS_SUCCESS;
}

/* Into a surface that it finishes and gives back; returns how many sheets it takes. */
static int draw_sheets(pdf self, const char *title, bool *out_whole)
{
    cairo_pdf_surface_set_metadata(self.surface, CAIRO_PDF_METADATA_TITLE, title);
    cairo_pdf_surface_set_metadata(self.surface, CAIRO_PDF_METADATA_CREATOR, "reelmill");
    cairo_pdf_surface_set_metadata(self.surface, CAIRO_PDF_METADATA_CREATE_DATE, self.made->date);
    self.cairo = cairo_create(self.surface);
    begin_sheet(&self);
    for (uint32_t i = 0; i < self.made->count; i++)
        put_block(&self, &self.made->blocks[i], i + 1 < self.made->count ? &self.made->blocks[i + 1] : NULL);
    if (pdf_text_missing(self.text) > 0) {
        put_outline(&self, CAIRO_PDF_OUTLINE_ROOT, NULL, "Letters without a font");
        put_text(&self, &(page_spans){.count = 1, .items = &(page_span){.style = STYLE_SOFT, .text = "Some letters have no font where this was written, and are boxes with their numbers here; report.html has them."}}, text_size);
    }
    cairo_show_page(self.cairo);
    cairo_destroy(self.cairo);
    cairo_surface_finish(self.surface);
    *out_whole = cairo_surface_status(self.surface) == CAIRO_STATUS_SUCCESS;
    cairo_surface_destroy(self.surface);
    return self.sheet;
}

status page_pdf(const page *page_made, byte_writer *writer, error_detail *detail)
{
    char *title = pdf_text_clean(page_made->title);
    pdf self = {.text = pdf_text_create(),
                .images = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)cairo_surface_destroy),
                .made = page_made,
                .section = CAIRO_PDF_OUTLINE_ROOT};
    bool whole = false;
    self.surface = cairo_pdf_surface_create(NULL, sheet_width, sheet_height); /* goes nowhere: to count */
    self.sheets = draw_sheets(self, title, &whole);
    self.surface = cairo_pdf_surface_create_for_stream(write_bytes, writer, sheet_width, sheet_height);
    draw_sheets(self, title, &whole);
    g_hash_table_destroy(self.images);
    pdf_text_destroy(self.text);
    g_free(title);
    return whole && !writer->failed ? STATUS_OK : error_detail_set(detail, STATUS_LIMIT, "it is larger than %zu bytes", writer->size_max);
}
