#include "coordinator/report/page.h"

#include "coordinator/verdict/verdict.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { SPAN_TEXT_MAX = 4096 };

static page_block *add_block(page *self, page_kind kind)
{
    self->blocks = arena_grow_array(self->memory, self->blocks, self->count, &self->capacity, sizeof *self->blocks);
    page_block *block = &self->blocks[self->count++];
    *block = (page_block){.kind = kind};
    self->open = NULL;
    self->cell = NULL;
    return block;
}

static page_block *last(page *self)
{
    return &self->blocks[self->count - 1];
}

page *page_create(arena *memory, const char *title, const char *date)
{
    page *self = arena_take(memory, sizeof *self);
    *self = (page){.memory = memory, .title = title, .date = date};
    return self;
}

void page_section(page *self, bool cover)
{
    self->folding = false;
    add_block(self, PAGE_SECTION)->flag = cover;
}

void page_title(page *self, const char *text)
{
    add_block(self, PAGE_TITLE)->text = arena_copy_text(self->memory, text);
}

void page_heading(page *self, const char *text, const char *badge)
{
    page_block *block = add_block(self, PAGE_HEADING);
    block->text = arena_copy_text(self->memory, text);
    block->badge = badge;
}

void page_mark(page *self, const char *mark)
{
    last(self)->mark = arena_copy_text(self->memory, mark);
}

void page_subheading(page *self, const char *text)
{
    page_block *block = add_block(self, PAGE_SUBHEADING);
    block->text = arena_copy_text(self->memory, text);
    block->flag = self->folding;
}

void page_fold(page *self)
{
    self->folding = true;
}

void page_verdict(page *self, const char *word)
{
    add_block(self, PAGE_VERDICT)->text = word;
}

void page_picture(page *self, const drawing *picture)
{
    if (picture != NULL)
        add_block(self, PAGE_PICTURE)->picture = picture;
}

void page_figures(page *self)
{
    add_block(self, PAGE_FIGURES);
}

static page_figure *add_figure(page *self)
{
    page_block *block = last(self);
    block->figures = arena_grow_array(self->memory, block->figures, block->count, &block->capacity, sizeof *block->figures);
    return &block->figures[block->count++];
}

static const char *number_text(page *self, double value)
{
    return isfinite(value) ? arena_format(self->memory, "%.1f", verdict_displayed(value)) : "\xE2\x80\x93";
}

void page_figure_add(page *self, double value, const char *unit, const char *name)
{
    *add_figure(self) = (page_figure){.value = number_text(self, value), .unit = unit, .name = name};
}

void page_fields(page *self, const char *const *names, uint32_t count)
{
    add_block(self, PAGE_FIELDS);
    for (uint32_t i = 0; i < count; i++)
        *add_figure(self) = (page_figure){.name = names[i]};
}

void page_table(page *self, const page_column *columns, uint32_t count)
{
    page_block *block = add_block(self, PAGE_TABLE);
    block->columns = columns;
    block->column_count = count;
    self->behind = false;
}

void page_row(page *self)
{
    page_block *block = last(self);
    size_t size = block->column_count * sizeof *block->cells;
    block->cells = arena_grow_array(self->memory, block->cells, block->count, &block->capacity, size);
    memset(&block->cells[(size_t)block->count * block->column_count], 0, size);
    self->cell = &block->cells[(size_t)block->count * block->column_count];
    self->cell->row = self->behind ? ROW_BEHIND : ROW_PLAIN;
    self->open = &self->cell->spans;
    block->count++;
}

void page_fold_rows(page *self)
{
    page_row(self);
    self->cell->row = ROW_FOLD;
    self->behind = true;
}

void page_unfold_rows(page *self)
{
    self->behind = false;
}

void page_next_cell(page *self)
{
    self->cell++;
    self->open = &self->cell->spans;
}

void page_cell_picture(page *self, const drawing *picture)
{
    self->cell->picture = picture;
}

void page_cell_audio(page *self, const char *path)
{
    self->cell->audio = arena_copy_text(self->memory, path);
}

void page_paragraph(page *self)
{
    self->open = &add_block(self, PAGE_PARAGRAPH)->spans;
}

static page_span *add_span(page *self, page_style style, const char *text)
{
    page_spans *spans = self->open;
    spans->items = arena_grow_array(self->memory, spans->items, spans->count, &spans->capacity, sizeof *spans->items);
    page_span *span = &spans->items[spans->count++];
    *span = (page_span){.style = style, .text = arena_copy_text(self->memory, text == NULL ? "" : text)};
    return span;
}

void page_add(page *self, page_style style, const char *text)
{
    add_span(self, style, text);
}

void page_link(page *self, const char *mark)
{
    self->open->items[self->open->count - 1].link = arena_copy_text(self->memory, mark);
}

void page_line(page *self, page_style style, const char *text)
{
    add_span(self, style, text)->new_line = true;
}

void page_format(page *self, page_style style, const char *format, ...)
{
    char text[SPAN_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments); /* what is longer is cut */
    va_end(arguments);
    add_span(self, style, text);
}

void page_number(page *self, double value)
{
    add_span(self, STYLE_PLAIN, number_text(self, value));
}

const char *page_badge_text(const char *word)
{
    return strcmp(word, "not_checked") == 0 ? "not checked" : word;
}

ink page_badge_ink(const char *word)
{
    return strcmp(word, "pass") == 0                                              ? INK_PASS
           : strcmp(word, "warn") == 0                                            ? INK_WARN
           : strcmp(word, "fail") == 0                                            ? INK_FAIL
           : strcmp(word, "incomplete") == 0 || strcmp(word, "not_checked") == 0 ? INK_INCOMPLETE
                                                                                  : INK_SOFT;
}
