/* The page of a report in its two forms: the same page gives the same PDF, and no text of it becomes markup or breaks it. */
#include "coordinator/report/page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* One of everything, with texts that are nobody's friends. */
static page *page_of_everything(arena *memory, const char *text)
{
    static const page_column columns[] = {{"A", 1.0, false}, {"B", 3.0, true}};
    static const char *const fields[] = {"by", "remarks", "signature"};
    page *made = page_create(memory, text, "2026-11-20T03:12:00Z");
    drawing *picture = drawing_create(memory, 300.0, 80.0, text);
    drawing_segment(picture, INK_FAIL, 1.0, 3.0, 0.0, 0.0, 300.0, 80.0);
    drawing_box(picture, (ink)(INK_HEAT + heat_level(0.5)), 10.0, 10.0, 20.0, 20.0);
    static const uint8_t levels[] = {0, 1, 2, 7, 15, 3};
    static const double edges[] = {80.0, 90.0, 100.0, 103.0};
    drawing_heat(picture, 40.0, 10.0, 30.0, 20.0, 3, 2, levels);
    drawing_heat_columns(picture, edges, 10.0, 20.0, 3, 2, levels);
    drawing_text(picture, INK_TEXT, 11.0, ANCHOR_MIDDLE, 150.0, 40.0, text);
    page_section(made, true);
    page_title(made, text);
    page_verdict(made, "not_checked");
    page_section(made, false);
    page_heading(made, text, "fail");
    page_mark(made, "place-1");
    page_paragraph(made);
    page_add(made, STYLE_PLAIN, text);
    page_link(made, "place-1");
    page_subheading(made, text);
    page_picture(made, picture);
    page_figures(made);
    page_figure_add(made, -23.04, "LUFS", "integrated");
    page_table(made, columns, 2);
    for (int i = 0; i < 120; i++) { /* over several sheets */
        page_row(made);
        page_add(made, STYLE_BADGE_WAIVED, "warn");
        page_next_cell(made);
        page_add(made, STYLE_CODE, text);
        page_line(made, STYLE_SOFT, text);
        page_cell_picture(made, picture);
        page_cell_audio(made, text);
    }
    page_fields(made, fields, 3);
    return made;
}

static void write_both(const char *text, byte_writer *html, byte_writer *pdf)
{
    arena memory;
    arena_init(&memory);
    const page *made = page_of_everything(&memory, text);
    assert_int_equal(page_html(made, html), STATUS_OK);
    assert_int_equal(page_pdf(made, pdf, NULL), STATUS_OK);
    arena_deinit(&memory);
}

static void page__gives_the_same_bytes_again(void **state)
{
    (void)state;
    static const char *const texts[] = {"Night Train", "</script><img src=x onerror=alert(1)>\xFF\x01", "\xE2\x80\xAEgnp.exe \xD7\xA9 \xE4\xB8\xAD"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        byte_writer html[2];
        byte_writer pdf[2];
        for (int k = 0; k < 2; k++) {
            byte_writer_init(&html[k], 8 << 20);
            byte_writer_init(&pdf[k], 8 << 20);
            write_both(texts[i], &html[k], &pdf[k]);
        }
        assert_memory_equal(pdf[0].bytes, "%PDF-1.", 7);
        assert_int_equal(pdf[0].size, pdf[1].size);
        assert_memory_equal(pdf[0].bytes, pdf[1].bytes, pdf[0].size);
        assert_int_equal(html[0].size, html[1].size);
        assert_memory_equal(html[0].bytes, html[1].bytes, html[0].size);
        byte_writer_u8(&html[0], 0);
        assert_null(strstr((const char *)html[0].bytes, "<script"));
        assert_null(strstr((const char *)html[0].bytes, "<img"));
        assert_non_null(strstr((const char *)html[0].bytes, "-23.0"));
        for (int k = 0; k < 2; k++) {
            byte_writer_deinit(&html[k]);
            byte_writer_deinit(&pdf[k]);
        }
    }
}

static size_t count_of(const byte_writer *bytes, const char *text)
{
    size_t found = 0;
    for (size_t i = 0; i + strlen(text) <= bytes->size; i++)
        found += memcmp(bytes->bytes + i, text, strlen(text)) == 0;
    return found;
}

/* Rows behind a line and what is below a folded heading are there to be opened, and nothing else stands within them. */
static void page__folds_rows_and_headings(void **state)
{
    (void)state;
    static const page_column columns[] = {{"A", 1.0, false}, {"B", 3.0, true}};
    static const char *const rows[] = {"worst", "second", "third", "another kind"};
    arena memory;
    arena_init(&memory);
    page *made = page_create(&memory, "folds", "2026-11-20T03:12:00Z");
    page_section(made, true);
    page_title(made, "folds");
    page_section(made, false);
    page_heading(made, "PM_51", "fail");
    page_table(made, columns, 2);
    for (int i = 0; i < 4; i++) {
        if (i == 1) {
            page_fold_rows(made);
            page_add(made, STYLE_SOFT, "2 more");
        } else if (i == 3) {
            page_unfold_rows(made);
        }
        page_row(made);
        page_add(made, STYLE_PLAIN, rows[i]);
    }
    page_fold(made);
    page_subheading(made, "Channels");
    page_subheading(made, "Reels");
    page_section(made, false);
    page_subheading(made, "Open");
    byte_writer html;
    byte_writer_init(&html, 1 << 20);
    assert_int_equal(page_html(made, &html), STATUS_OK);
    byte_writer_u8(&html, 0);
    const char *text = strstr((const char *)html.bytes, "worst");
    assert_non_null(text);
    static const char *const order[] = {"<details><summary>", "2 more", "</summary>", "second", "third", "</details>", "another kind",
                                        "<details><summary><h3>Channels</h3>", "</details>", "<details><summary><h3>Reels</h3>",
                                        "</details></section><section><h3>Open</h3></section>"};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        text = strstr(text, order[i]);
        assert_non_null(text);
        text += strlen(order[i]);
    }
    assert_int_equal(count_of(&html, "<details>"), 3);
    assert_int_equal(count_of(&html, "</details>"), 3);
    assert_int_equal(count_of(&html, "<table>"), count_of(&html, "</table>"));
    byte_writer_deinit(&html);
    arena_deinit(&memory);
}

/* Each sheet leads back to the first, and a cell to the section that it names; a link that leads nowhere costs nothing. */
static void page__leads_through_its_sheets(void **state)
{
    (void)state;
    static const page_column columns[] = {{"A", 1.0, false}};
    static const char *const marks[] = {"place-1", "place-2", "nowhere"};
    arena memory;
    arena_init(&memory);
    page *made = page_create(&memory, "links", "2026-11-20T03:12:00Z");
    page_section(made, true);
    page_title(made, "links");
    page_table(made, columns, 1);
    for (size_t i = 0; i < 3; i++) {
        page_row(made);
        page_add(made, STYLE_STRONG, marks[i]);
        page_link(made, marks[i]);
    }
    for (size_t i = 0; i < 2; i++) {
        page_section(made, false);
        page_heading(made, marks[i], "pass");
        page_mark(made, marks[i]);
        page_table(made, columns, 1);
        for (int k = 0; k < 60; k++) {
            page_row(made);
            page_add(made, STYLE_PLAIN, "row");
        }
    }
    byte_writer pdf;
    byte_writer_init(&pdf, 1 << 20);
    assert_int_equal(page_pdf(made, &pdf, NULL), STATUS_OK);
    size_t sheets = count_of(&pdf, "/Type /Page %"); /* as cairo numbers them */
    assert_true(sheets > 2);
    assert_int_equal(count_of(&pdf, "/Subtype /Link"), 2 + sheets - 1);
    assert_int_equal(count_of(&pdf, "(place-2: pass)"), 1); /* of the outline */
    byte_writer_deinit(&pdf);
    arena_deinit(&memory);
}

/* A letter that no font has is told of; a title in letters that every font has is not. */
static void page__tells_letters_without_a_font(void **state)
{
    (void)state;
    static const char *const titles[] = {"Night Train", "\xF4\x8F\xBF\xBD"}; /* for private use: U+10FFFD */
    for (size_t i = 0; i < 2; i++) {
        arena memory;
        arena_init(&memory);
        page *made = page_create(&memory, "letters", "2026-11-20T03:12:00Z");
        page_section(made, true);
        page_title(made, titles[i]);
        byte_writer pdf;
        byte_writer_init(&pdf, 1 << 20);
        assert_int_equal(page_pdf(made, &pdf, NULL), STATUS_OK);
        assert_int_equal(count_of(&pdf, "(Letters without a font)"), i);
        byte_writer_deinit(&pdf);
        arena_deinit(&memory);
    }
}

/* A report has thousands of cells to show: columns that are equally wide are one picture, whatever their number. */
static void page__has_one_picture_for_equal_columns(void **state)
{
    (void)state;
    static const double edges[] = {0.0, 10.0, 20.0, 30.0, 33.0};
    static const uint8_t levels[] = {0, 1, 2, 3, 4, 5, 6, 7};
    arena memory;
    arena_init(&memory);
    drawing *picture = drawing_create(&memory, 40.0, 20.0, "cells");
    drawing_heat_columns(picture, edges, 5.0, 8.0, 4, 2, levels);
    assert_int_equal(picture->count, 2);
    const drawing_item *wide = &picture->items[0];
    const drawing_item *narrow = &picture->items[1];
    assert_int_equal(wide->column_count, 3);
    assert_memory_equal(wide->levels, ((const uint8_t[]){0, 1, 2, 4, 5, 6}), 6);
    assert_true(wide->points[0].x == 0.0 && wide->points[1].x >= 30.0 && wide->points[1].x < 30.5);
    assert_int_equal(narrow->column_count, 1);
    assert_memory_equal(narrow->levels, ((const uint8_t[]){3, 7}), 2);
    assert_true(narrow->points[0].x == 30.0 && narrow->points[0].y == 5.0 && narrow->points[1].y == 8.0);
    arena_deinit(&memory);
}

static void page__stops_at_the_bound_of_its_writer(void **state)
{
    (void)state;
    arena memory;
    arena_init(&memory);
    const page *made = page_of_everything(&memory, "long");
    byte_writer small;
    byte_writer_init(&small, 1000);
    assert_int_equal(page_pdf(made, &small, NULL), STATUS_LIMIT);
    byte_writer_deinit(&small);
    byte_writer_init(&small, 1000);
    assert_int_equal(page_html(made, &small), STATUS_LIMIT);
    byte_writer_deinit(&small);
    arena_deinit(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(page__gives_the_same_bytes_again),
        cmocka_unit_test(page__folds_rows_and_headings),
        cmocka_unit_test(page__leads_through_its_sheets),
        cmocka_unit_test(page__tells_letters_without_a_font),
        cmocka_unit_test(page__has_one_picture_for_equal_columns),
        cmocka_unit_test(page__stops_at_the_bound_of_its_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
