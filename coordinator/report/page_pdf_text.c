/* Texts of a PDF's sheets, laid out by pango. */
#include "coordinator/report/page_pdf_text.h"

#include "common/base/plain_text.h"

#include <pango/pangocairo.h>
#include <string.h>

enum { TEXT_BYTES_MAX = 32768, LAYOUTS_MAX = 4096 };

struct pdf_text {
    PangoContext *context;
    GHashTable *layouts; /* of texts that were laid out before: programmes have most of their words in common */
    int missing;
};

pdf_text *pdf_text_create(void)
{
    pdf_text *self = g_new0(pdf_text, 1);
    PangoFontMap *fonts = pango_cairo_font_map_new(); /* of this thread alone */
    self->context = pango_font_map_create_context(fonts);
    g_object_unref(fonts);
    pango_cairo_context_set_resolution(self->context, 72.0);
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    pango_cairo_context_set_font_options(self->context, options);
    cairo_font_options_destroy(options);
    self->layouts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_object_unref);
    return self;
}

void pdf_text_destroy(pdf_text *self)
{
    g_hash_table_destroy(self->layouts);
    g_object_unref(self->context);
    g_free(self);
}

int pdf_text_missing(const pdf_text *self)
{
    return self->missing;
}

static void attribute(PangoAttrList *list, PangoAttribute *item, size_t start, size_t end)
{
    item->start_index = (guint)start;
    item->end_index = (guint)end;
    pango_attr_list_insert(list, item);
}

static PangoAttribute *inked(PangoAttribute *(*make)(guint16, guint16, guint16), ink colour)
{
    uint32_t rgb = ink_rgb(colour);
    return make((guint16)((rgb >> 16 & 0xFF) * 257), (guint16)((rgb >> 8 & 0xFF) * 257), (guint16)((rgb & 0xFF) * 257));
}

static void style_span(PangoAttrList *list, const page_span *span, size_t start, size_t end)
{
    bool badge = span->style >= STYLE_BADGE;
    if (span->style == STYLE_SOFT)
        attribute(list, inked(pango_attr_foreground_new, INK_SOFT), start, end);
    if (span->style == STYLE_STRONG || badge)
        attribute(list, pango_attr_weight_new(PANGO_WEIGHT_BOLD), start, end);
    if (span->style == STYLE_CODE || span->style == STYLE_PATH) { /* broken without a hyphen that is not theirs */
        attribute(list, pango_attr_family_new("DejaVu Sans Mono"), start, end);
        attribute(list, pango_attr_scale_new(0.85), start, end);
        attribute(list, pango_attr_insert_hyphens_new(FALSE), start, end);
    }
    if (badge) {
        bool waived = span->style == STYLE_BADGE_WAIVED; /* not to be taken for one that counts */
        attribute(list, inked(pango_attr_foreground_new, waived ? INK_SOFT : INK_PAPER), start, end);
        attribute(list, inked(pango_attr_background_new, waived ? INK_SHADE : page_badge_ink(span->text)), start, end);
    }
    if (span->style == STYLE_BADGE_WAIVED)
        attribute(list, pango_attr_strikethrough_new(TRUE), start, end);
}

char *pdf_text_clean(const char *text)
{
    char *clean = g_strdup(text);
    plain_text_disarm(clean);
    return clean;
}

PangoLayout *pdf_text_make(pdf_text *self, const page_spans *spans, double size, double width)
{
    PangoLayout *layout = pango_layout_new(self->context);
    PangoFontDescription *font = pango_font_description_from_string("DejaVu Sans");
    pango_font_description_set_absolute_size(font, size * PANGO_SCALE);
    pango_layout_set_font_description(layout, font);
    pango_font_description_free(font);
    pango_layout_set_width(layout, (int)(width * PANGO_SCALE));
    pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    PangoAttrList *list = pango_attr_list_new();
    GString *text = g_string_new(NULL);
    for (uint32_t i = 0; i < spans->count; i++) {
        const page_span *span = &spans->items[i];
        bool badge = span->style >= STYLE_BADGE;
        char *clean = badge ? g_ascii_strup(page_badge_text(span->text), -1) : pdf_text_clean(span->text);
        if (span->new_line)
            g_string_append_c(text, '\n');
        size_t start = text->len;
        g_string_append_printf(text, badge ? "\xC2\xA0%s\xC2\xA0" : "%s", clean);
        style_span(list, span, start, text->len);
        g_free(clean);
    }
    pango_layout_set_text(layout, text->str, (int)(text->len < TEXT_BYTES_MAX ? text->len : TEXT_BYTES_MAX));
    pango_layout_set_attributes(layout, list);
    self->missing += pango_layout_get_unknown_glyphs_count(layout);
    pango_attr_list_unref(list);
    g_string_free(text, TRUE);
    return layout;
}

PangoLayout *pdf_text_layout(pdf_text *self, const page_spans *spans, double size, double width)
{
    GString *made_from = g_string_new(NULL);
    g_string_append_printf(made_from, "%d %d", (int)(size * PANGO_SCALE), (int)(width * PANGO_SCALE));
    for (uint32_t i = 0; i < spans->count; i++)
        g_string_append_printf(made_from, " %d %d %zu:%s", spans->items[i].new_line, spans->items[i].style,
                               strlen(spans->items[i].text), spans->items[i].text);
    char *key = g_string_free(made_from, FALSE);
    PangoLayout *layout = g_hash_table_lookup(self->layouts, key);
    if (layout != NULL) {
        g_free(key);
        return g_object_ref(layout);
    }
    if (g_hash_table_size(self->layouts) == LAYOUTS_MAX)
        g_hash_table_remove_all(self->layouts);
    layout = pdf_text_make(self, spans, size, width);
    g_hash_table_insert(self->layouts, key, g_object_ref(layout));
    return layout;
}

PangoLayout *pdf_text_line(pdf_text *self, page_style style, const char *text, double size, double width)
{
    page_span span = {.style = style, .text = text};
    page_spans spans = {.count = 1, .items = &span};
    return pdf_text_layout(self, &spans, size, width);
}

double pdf_text_height(PangoLayout *layout)
{
    int height = 0;
    pango_layout_get_size(layout, NULL, &height);
    return (double)height / PANGO_SCALE;
}

double pdf_text_width(PangoLayout *layout)
{
    int width = 0;
    pango_layout_get_size(layout, &width, NULL);
    return (double)width / PANGO_SCALE;
}
