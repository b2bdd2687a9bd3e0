#include "coordinator/report/html_text.h"
#include "coordinator/report/page.h"

#include <string.h>

/* One self-contained page without script: the policy forbids everything that is not in the file itself. */
static const char page_head[] =
    "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src 'self'\">"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><style>"
    "*{box-sizing:border-box}body{margin:0;background:var(--shade);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"
    "'Segoe UI',Roboto,'DejaVu Sans',sans-serif}main{max-width:1040px;margin:0 auto;padding:24px 16px 64px}"
    "header,section{background:var(--paper);border:1px solid var(--line);border-radius:10px;padding:20px 24px;margin:0 0 18px}"
    "h1{font-size:27px;line-height:1.2;margin:0 0 4px;overflow-wrap:anywhere}h2{font-size:19px;margin:0 0 2px;display:flex;gap:10px;"
    "align-items:center;flex-wrap:wrap;overflow-wrap:anywhere}h3{font-size:14px;margin:20px 0 6px;color:var(--soft);"
    "text-transform:uppercase;letter-spacing:.05em}"
    "p{margin:4px 0;overflow-wrap:anywhere}td b.long{overflow-wrap:anywhere}.soft{color:var(--soft)}.badge{color:var(--paper);border-radius:6px;padding:3px 12px;font-size:14px;font-weight:700;"
    "text-transform:uppercase;letter-spacing:.04em;white-space:nowrap}.big{font-size:22px;padding:8px 22px;display:inline-block;"
    "margin:12px 0 8px}.pass{background:var(--pass)}.warn{background:var(--warn)}.fail{background:var(--fail)}"
    ".incomplete,.not_checked{background:var(--incomplete)}.info{background:var(--soft)}.waived{background:none;color:var(--soft);box-shadow:inset 0 0 0 1px var(--soft);text-decoration:line-through}"
    ".fields{display:grid;grid-template-columns:1fr 1fr;gap:18px;margin-top:10px}.fields div{border-bottom:1px solid var(--ink);"
    "min-height:52px}.fields .wide{grid-column:1/-1;min-height:120px}.fields span{font-size:12px;color:var(--soft)}"
    ".figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(108px,1fr));gap:10px;margin:14px 0}"
    ".figures div{background:var(--shade);border-radius:8px;padding:8px 12px}.figures b{display:block;font-size:20px;"
    "font-variant-numeric:tabular-nums}.figures span{font-size:12px;color:var(--soft)}table{border-collapse:collapse;width:100%;"
    "font-size:13.5px}th{text-align:left;color:var(--soft);font-weight:600}th,td{border-bottom:1px solid var(--line);"
    "padding:6px 10px 6px 0;vertical-align:top}th{vertical-align:bottom}td.n{font-variant-numeric:tabular-nums;white-space:nowrap}td.n .soft{white-space:normal}td.n .plot{min-width:168px;margin-right:28px}td.n code.path{white-space:nowrap}.scroll{overflow-x:auto;"
    "background:linear-gradient(90deg,var(--paper) 12px,#fff0) 0/28px no-repeat local,linear-gradient(270deg,var(--paper) 12px,#fff0) 100%/28px no-repeat "
    "local,linear-gradient(90deg,var(--mark),#fff0) 0/9px no-repeat,linear-gradient(270deg,var(--mark),#fff0) 100%/9px no-repeat}"
    "code{font:12.5px ui-monospace,'DejaVu Sans Mono',monospace;white-space:nowrap}code.path{white-space:normal;overflow-wrap:anywhere}"
    ".up{margin-left:auto;font-size:13px;font-weight:400;color:var(--soft)}a{color:inherit;text-decoration-color:var(--line);text-underline-offset:3px}.plot{display:block;width:100%;height:auto;margin:6px 0}"
    "audio{display:block;width:198px;height:32px;margin:4px 0}image{image-rendering:pixelated}"
    ".scroll>.plot{min-width:600px}.plot text{font-family:system-ui,'DejaVu Sans',sans-serif}";

/* Where it is folded, on paper and on a phone. */
static const char page_head_more[] =
    "summary{cursor:pointer;color:var(--soft)}summary h3{display:inline-block;margin:12px 0 4px}tr.fold>td{padding:6px 0}"
    "tr.fold table{margin:6px 0 0 14px;width:calc(100% - 14px)}tr.fold thead{position:absolute;clip-path:inset(50%)}"
    "a:focus-visible,summary:focus-visible{outline:2px solid var(--ink);outline-offset:2px}"
    "@page{margin:14mm 14mm 18mm;@bottom-right{content:'page ' counter(page) ' of ' counter(pages);font:9px sans-serif}}"
    "@media print{audio,.up{display:none}details::details-content{content-visibility:visible;display:block}body{background:none}main{max-width:none;padding:0}header,section{border:0;border-radius:0;border-top:2px solid "
    "var(--ink);padding:12px 0;break-inside:auto}tr,svg,.figures{break-inside:avoid}h2,h3,h2+p,thead{break-after:avoid}h2+p{break-inside:avoid}.scroll{overflow:visible;background:none}"
    ".fields{break-inside:avoid}.scroll>.plot{min-width:0}*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}"
    "@media(max-width:600px){table,tbody,tr,td{display:block;border:0}thead{display:none}tr{border-bottom:1px solid var(--line);padding:8px 0}"
    "td{padding:2px 0}td:first-child,td.b,td.b:first-child+td{display:inline-block;margin-right:10px;vertical-align:top}td.n{display:inline-block;margin-right:14px;white-space:normal}td.n::before{content:attr(title) ' ';color:var(--soft)}"
    "code{white-space:normal;overflow-wrap:anywhere}header,section{padding:16px 14px}h1{font-size:22px}}</style><title>";

static void put(byte_writer *writer, const char *markup)
{
    byte_writer_bytes(writer, markup, strlen(markup));
}

static void put_element(byte_writer *writer, const char *open, const char *text, const char *close)
{
    put(writer, open);
    html_text(writer, text);
    put(writer, close);
}

enum { NAME_LONG = 20 }; /* a name of more bytes may be broken anywhere; one of fewer is not, however narrow its column */

/* The word comes from a table of ours: it is the name of a class too. */
static void put_badge(byte_writer *writer, const char *word, const char *more)
{
    html_markup(writer, "<span class=\"badge %s%s\">%s</span>", word, more, page_badge_text(word));
}

static void put_spans(byte_writer *writer, const page_spans *spans)
{
    static const char *const opens[] = {"", "<span class=\"soft\">", "<b>", "<code>", "<code class=\"path\">"};
    static const char *const closes[] = {"", "</span>", "</b>", "</code>", "</code>"};
    for (uint32_t i = 0; i < spans->count; i++) {
        const page_span *span = &spans->items[i];
        if (span->new_line)
            put(writer, "<br>");
        if (span->link != NULL)
            put_element(writer, "<a href=\"#", span->link, "\">");
        if (span->style >= STYLE_BADGE)
            put_badge(writer, span->text, span->style == STYLE_BADGE_WAIVED ? " waived" : "");
        else
            put_element(writer, span->style == STYLE_STRONG && strlen(span->text) > NAME_LONG ? "<b class=\"long\">" : opens[span->style],
                        span->text, closes[span->style]);
        if (span->link != NULL)
            put(writer, "</a>");
    }
}

static void put_row(byte_writer *writer, const page_block *block, const page_cell *cells)
{
    put(writer, "<tr>");
    for (uint32_t c = 0; c < block->column_count; c++) {
        if (block->columns[c].number) /* stands without its column's head where there is little width */
            put_element(writer, "<td class=\"n\" title=\"", block->columns[c].title, "\">");
        else
            put(writer, cells[c].spans.count > 0 && cells[c].spans.items[0].style >= STYLE_BADGE ? "<td class=\"b\">" : "<td>");
        put_spans(writer, &cells[c].spans);
        if (cells[c].picture != NULL)
            drawing_svg(cells[c].picture, writer);
        if (cells[c].audio != NULL)
            put_element(writer, "<audio controls preload=\"none\" src=\"", cells[c].audio, "\"></audio>");
        put(writer, "</td>");
    }
    put(writer, "</tr>");
}

static void put_table_head(byte_writer *writer, const page_block *block)
{
    put(writer, "<table><thead><tr>");
    for (uint32_t c = 0; c < block->column_count; c++)
        put_element(writer, "<th scope=\"col\">", block->columns[c].title, "</th>");
    put(writer, "</tr></thead><tbody>");
}

static void put_table(byte_writer *writer, const page_block *block)
{
    static const char table_end[] = "</tbody></table>";
    bool behind = false;
    put(writer, "<div class=\"scroll\">");
    put_table_head(writer, block);
    for (uint32_t r = 0; r < block->count; r++) {
        const page_cell *cells = &block->cells[(size_t)r * block->column_count];
        if (behind && cells->row != ROW_BEHIND) {
            html_markup(writer, "%s</details></td></tr>", table_end);
            behind = false;
        }
        if (cells->row == ROW_FOLD) {
            html_markup(writer, "<tr class=\"fold\"><td colspan=\"%u\"><details><summary>", block->column_count);
            put_spans(writer, &cells->spans);
            put(writer, "</summary>");
            put_table_head(writer, block);
            behind = true;
        } else {
            put_row(writer, block, cells);
        }
    }
    html_markup(writer, "%s%s%s</div>", behind ? table_end : "", behind ? "</details></td></tr>" : "", table_end);
}

static void put_figures(byte_writer *writer, const page_block *block)
{
    put(writer, "<div class=\"figures\">");
    for (uint32_t i = 0; i < block->count; i++) {
        put_element(writer, "<div><b>", block->figures[i].value, "</b><span>");
        put_element(writer, "", block->figures[i].unit, " &middot; ");
        put_element(writer, "", block->figures[i].name, "</span></div>");
    }
    put(writer, "</div>");
}

static void put_fields(byte_writer *writer, const page_block *block)
{
    put(writer, "<div class=\"fields\">");
    for (uint32_t i = 0; i < block->count; i++)
        put_element(writer, i + 2 == block->count ? "<div class=\"wide\"><span>" : "<div><span>", block->figures[i].name,
                    "</span></div>");
    put(writer, "</div>");
}

static void put_block(byte_writer *writer, const page_block *block)
{
    switch (block->kind) {
    case PAGE_SECTION:
        break;
    case PAGE_TITLE:
        put_element(writer, "<h1>", block->text, "</h1>");
        break;
    case PAGE_HEADING:
        if (block->mark != NULL)
            put_element(writer, "<h2 id=\"", block->mark, "\">");
        else
            put(writer, "<h2>");
        html_text(writer, block->text);
        if (block->badge != NULL)
            put_badge(writer, block->badge, "");
        put(writer, "<a class=\"up\" href=\"#cover\">Cover</a></h2>");
        break;
    case PAGE_SUBHEADING:
        put_element(writer, block->flag ? "<details><summary><h3>" : "<h3>", block->text, block->flag ? "</h3></summary>" : "</h3>");
        break;
    case PAGE_PARAGRAPH:
        put(writer, "<p>");
        put_spans(writer, &block->spans);
        put(writer, "</p>");
        break;
    case PAGE_VERDICT:
        put_badge(writer, block->text, " big");
        break;
    case PAGE_FIGURES:
        put_figures(writer, block);
        break;
    case PAGE_TABLE:
        put_table(writer, block);
        break;
    case PAGE_PICTURE:
        put(writer, "<div class=\"scroll\">");
        drawing_svg(block->picture, writer);
        put(writer, "</div>");
        break;
    case PAGE_FIELDS:
        put_fields(writer, block);
        break;
    }
}

status page_html(const page *self, byte_writer *writer)
{
    const char *close = "";
    bool folded = false;
    put(writer, page_head);
    put(writer, ":root{");
    ink_style(writer, false);
    put(writer, "}@media screen and (prefers-color-scheme:dark){:root{color-scheme:dark;");
    ink_style(writer, true);
    put(writer, "}}");
    put(writer, page_head_more);
    html_text(writer, self->title);
    put(writer, "</title></head><body><main>");
    for (uint32_t i = 0; i < self->count; i++) {
        const page_block *block = &self->blocks[i];
        if (folded && (block->kind == PAGE_SECTION || block->kind == PAGE_SUBHEADING))
            put(writer, "</details>");
        if (block->kind == PAGE_SECTION || block->kind == PAGE_SUBHEADING)
            folded = block->kind == PAGE_SUBHEADING && block->flag;
        if (block->kind == PAGE_SECTION) {
            put(writer, close);
            put(writer, block->flag ? "<header id=\"cover\">" : "<section>");
            close = block->flag ? "</header>" : "</section>";
        }
        put_block(writer, block);
    }
    put(writer, folded ? "</details>" : "");
    put(writer, close);
    put(writer, "</main></body></html>\n");
    return writer->failed ? STATUS_LIMIT : STATUS_OK;
}
