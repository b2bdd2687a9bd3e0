/* Texts and ids of the report: nothing that a name contains becomes markup, and every finding can be told from the others. */
#include "coordinator/report/html_text.h"
#include "coordinator/report/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

static void assert_html(const char *text, const char *expected)
{
    byte_writer writer;
    byte_writer_init(&writer, 4096);
    html_text(&writer, text);
    assert_false(writer.failed);
    assert_int_equal(writer.size, strlen(expected));
    assert_memory_equal(writer.bytes, expected, writer.size);
    byte_writer_deinit(&writer);
}

static void report__escapes_all_that_html_reads_as_markup(void **state)
{
    (void)state;
    assert_html("</script><a href=\"x\" b='y'>&", "&lt;/script&gt;&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;");
    assert_html("bell\a tab\t delete\x7f.", "bell? tab? delete?.");
    /* C1 and the marks that turn the order of letters: U+0085, U+009B, U+202E, U+2066; the dash U+2013 is none. */
    assert_html("a\xC2\x85 b\xC2\x9B[2J \xE2\x80\xAEgnp.exe\xE2\x81\xA6 \xE2\x80\x93", "a? b?[2J ?gnp.exe? \xE2\x80\x93");
}

static void report__replaces_bytes_that_are_not_utf8(void **state)
{
    (void)state;
    assert_html("n\xC3\xA9\xE4\xB8\xAD\xF0\x9F\x8E\xA7", "n\xC3\xA9\xE4\xB8\xAD\xF0\x9F\x8E\xA7");
    assert_html("a\xE9.wav", "a?.wav");
    /* Unicode, table 3-7: the first sequences beyond each bound, and a sequence cut by the end of the text. */
    assert_html("\xC0\xBC", "??");
    assert_html("\xE0\x9F\xBF", "???");
    assert_html("\xED\xA0\x80", "???");
    assert_html("\xF0\x8F\xBF\xBF", "????");
    assert_html("\xF4\x90\x80\x80", "????");
    assert_html("\xE4\xB8", "??");
}

static void report__writes_coordinates_to_a_tenth(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0.0, "0"},      {0.04, "0"},     {-0.04, "0"},    {0.05, "0.1"},         {-0.06, "-0.1"},        {0.96, "1"},
                 {9.96, "10"},    {10.0, "10"},    {100.0, "100"},  {838.0 / 3.0, "279.3"}, {-1234.56, "-1234.6"}, {1e9, "1000000000"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        byte_writer writer;
        byte_writer_init(&writer, 64);
        html_coordinate(&writer, cases[i].value);
        byte_writer_u8(&writer, 0);
        assert_string_equal(writer.bytes, cases[i].text);
        byte_writer_deinit(&writer);
    }
}

/* Ids of the findings of a programme of several files, in the order of the report. */
static json_t *document_of(finding *items, size_t count)
{
    spec rules = {.name = "house", .title = "House", .version = "1"};
    show_deliverable wanted = {.name = "MIX", .spec = &rules, .spec_name = "house"};
    show title = {.title = "T", .slug = "T", .version = "v01", .deliverables = &wanted, .deliverable_count = 1};
    report_programme programme = {.verdict = {.findings = {.items = items, .count = count, .capacity = count}}};
    arena memory;
    arena_init(&memory);
    finding_list_identify(&programme.verdict.findings, wanted.name, &title, NULL, &memory);
    report_model model = {.show = &title, .engine = "reelmill", .job_id = "1", .programme_count = 1,
                          .programmes = &programme, .finished_text = "", .meter = ""};
    byte_writer writer;
    byte_writer_init(&writer, 1 << 20);
    assert_int_equal(report_json(&model, &writer), STATUS_OK);
    json_t *root = json_loadb((const char *)writer.bytes, writer.size, 0, NULL);
    assert_non_null(root);
    byte_writer_deinit(&writer);
    arena_deinit(&memory);
    return root;
}

static const char *id_at(const json_t *root, size_t index)
{
    const json_t *programme = json_array_get(json_object_get(root, "programmes"), 0);
    return json_string_value(json_object_get(json_array_get(json_object_get(programme, "findings"), index), "id"));
}

static void report__tells_findings_of_sibling_files_apart(void **state)
{
    (void)state;
    finding twin = {.check = "format.encoding", .severity = FINDING_FAIL, .measured_word = "PCM_16", .unit = "", .reel = -1,
                    .message = "left", .clause = ""};
    finding items[] = {twin, twin, twin};
    items[1].message = "right";
    items[2].check = "format.bit_depth";
    json_t *root = document_of(items, 3);
    assert_string_not_equal(id_at(root, 0), id_at(root, 1));
    assert_string_not_equal(id_at(root, 0), id_at(root, 2));
    json_decref(root);
}

static void report__keeps_the_id_of_a_finding_whose_figure_moved(void **state)
{
    (void)state;
    finding before = {.check = "peak.true", .severity = FINDING_FAIL, .measured = -1.0, .max = -2.0, .unit = "dBTP",
                      .has_range = true, .start_sample = 48000, .end_sample = 48100, .reel = -1, .message = "-1.0",
                      .clause = ""};
    finding after = before;
    after.measured = -1.2;
    after.message = "-1.2";
    json_t *old = document_of(&before, 1);
    json_t *new = document_of(&after, 1);
    assert_string_equal(id_at(old, 0), id_at(new, 0));
    json_decref(old);
    json_decref(new);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(report__escapes_all_that_html_reads_as_markup),
        cmocka_unit_test(report__replaces_bytes_that_are_not_utf8),
        cmocka_unit_test(report__writes_coordinates_to_a_tenth),
        cmocka_unit_test(report__tells_findings_of_sibling_files_apart),
        cmocka_unit_test(report__keeps_the_id_of_a_finding_whose_figure_moved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
