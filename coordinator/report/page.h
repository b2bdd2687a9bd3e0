/**
 * A report as what stands in it, before it has a form: sections of headings, texts, figures, tables and pictures. Made once
 * from a report_model (report_page), then written as one HTML file and as a PDF. Everything lives in the page's arena;
 * texts are copied.
 */
#ifndef COORDINATOR_REPORT_PAGE_H
#define COORDINATOR_REPORT_PAGE_H

#include "common/base/arena.h"
#include "common/base/byte_writer.h"
#include "common/base/status.h"
#include "coordinator/report/drawing.h"

typedef enum page_style {
    STYLE_PLAIN,
    STYLE_SOFT,
    STYLE_STRONG,
    STYLE_CODE,
    STYLE_PATH,        /**< code that may be broken anywhere: the name of a file */
    STYLE_BADGE,       /**< a verdict or a severity */
    STYLE_BADGE_WAIVED /**< the same, crossed out */
} page_style;

typedef struct page_span {
    page_style style;
    bool new_line; /**< begins on a line of its own */
    const char *text;
    const char *link; /**< mark of the heading that it leads to, or NULL */
} page_span;

typedef struct page_spans {
    uint32_t count;
    size_t capacity;
    page_span *items;
} page_spans;

typedef enum page_row_kind {
    ROW_PLAIN,
    ROW_FOLD,  /**< one text over all columns: what the rows behind it are */
    ROW_BEHIND /**< HTML shows it when it is asked for, a PDF without its picture */
} page_row_kind;

typedef struct page_cell {
    page_row_kind row; /**< of the first of a row */
    page_spans spans;
    const drawing *picture; /**< below the text, or NULL */
    const char *audio;      /**< file beside the page, below the picture, or NULL */
} page_cell;

typedef struct page_column {
    const char *title;
    double share;  /**< of the width, against the other columns' */
    bool number;
} page_column;

typedef struct page_figure {
    const char *value, *unit, *name;
} page_figure;

typedef enum page_kind {
    PAGE_SECTION,
    PAGE_TITLE,
    PAGE_HEADING,
    PAGE_SUBHEADING,
    PAGE_PARAGRAPH,
    PAGE_VERDICT,
    PAGE_FIGURES,
    PAGE_TABLE,
    PAGE_PICTURE,
    PAGE_FIELDS    /**< lines to write on by hand; the last but one is high */
} page_kind;

typedef struct page_block {
    page_kind kind;
    bool flag;                 /**< PAGE_SECTION: the cover; PAGE_SUBHEADING: folded */
    const char *text;
    const char *badge;         /**< PAGE_HEADING: or NULL */
    const char *mark;          /**< PAGE_HEADING: what links name it by, or NULL */
    page_spans spans;          /**< PAGE_PARAGRAPH */
    const drawing *picture;    /**< PAGE_PICTURE */
    uint32_t column_count;     /**< PAGE_TABLE */
    const page_column *columns;
    uint32_t count;            /**< rows, figures or fields */
    size_t capacity;
    page_cell *cells;          /**< [count][column_count] */
    page_figure *figures;
} page_block;

typedef struct page {
    arena *memory;
    const char *title;
    const char *date;      /**< "2026-11-20T03:12:00Z": of the PDF, made from the model and never from a clock */
    uint32_t count;
    size_t capacity;
    page_block *blocks;
    page_spans *open;      /**< where page_add goes */
    page_cell *cell;
    bool folding;          /**< subheadings and what is below them are folded */
    bool behind;           /**< rows are */
} page;

page *page_create(arena *memory, const char *title, const char *date);
void page_section(page *self, bool cover);
void page_title(page *self, const char *text);
void page_heading(page *self, const char *text, const char *badge);
/** A name for the heading added last, of our own making: letters, digits and '-'. */
void page_mark(page *self, const char *mark);
void page_subheading(page *self, const char *text);
/** What the subheadings of this section from here on stand over is folded in HTML: shown when it is asked for. */
void page_fold(page *self);
void page_verdict(page *self, const char *word);
void page_picture(page *self, const drawing *picture);
void page_figures(page *self);
/** Into the figures opened last; NAN is a dash. Shown at 0.1. */
void page_figure_add(page *self, double value, const char *unit, const char *name);
void page_fields(page *self, const char *const *names, uint32_t count);
/** columns are borrowed. */
void page_table(page *self, const page_column *columns, uint32_t count);
/** A row of the table opened last; its cells are filled from the first on. */
void page_row(page *self);
void page_next_cell(page *self);
/** A line for the rows added from here on, which stand behind it until page_unfold_rows; text goes into it. */
void page_fold_rows(page *self);
void page_unfold_rows(page *self);
void page_cell_picture(page *self, const drawing *picture);
/** Something to listen to: a player in HTML. The path is relative to the page. */
void page_cell_audio(page *self, const char *path);
/** A cell with a number at 0.1, or a dash. */
void page_number(page *self, double value);
void page_paragraph(page *self);
/** Appends to the paragraph or cell opened last. */
void page_add(page *self, page_style style, const char *text);
void page_format(page *self, page_style style, const char *format, ...) PRINTF_LIKE(3, 4);
/** The text added last leads to the heading of that mark. */
void page_link(page *self, const char *mark);
/** As page_add, on a new line. */
void page_line(page *self, page_style style, const char *text);

/** The word of a badge for people. */
const char *page_badge_text(const char *word);
ink page_badge_ink(const char *word);

/** One self-contained file without script. */
MUST_USE status page_html(const page *self, byte_writer *writer);
/** A4. The same page gives the same bytes. STATUS_NODE_SYSTEM when the part that draws it cannot be loaded. */
MUST_USE status page_pdf(const page *self, byte_writer *writer, error_detail *detail);
/** Loads that part now, so that who needs it tonight hears today that it is not there. */
MUST_USE status page_pdf_ready(error_detail *detail);

#endif
