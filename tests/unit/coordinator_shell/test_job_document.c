#include "coordinator/shell/job_document.h"

#include "common/base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char run_text[] =
    "{\"reelmill\":1,\"kind\":\"run\",\"show\":{\"name\":\"show.yaml\",\"text\":\"reelmill: 1\\ntitle: T\\n\"},"
    "\"recipes\":[{\"name\":\"mine\",\"text\":\"x: 1\\n\",\"source\":\"recipes/mine.yaml\"}],\"specs\":[],"
    "\"places\":{\"media\":{\"root\":\"media\",\"prefix\":\"stems/r1\"},\"out\":{\"root\":\"out\",\"prefix\":\"\"}},"
    "\"options\":{\"replace\":true,\"only\":\"PM_51,PM_20\",\"cells_per_task\":7}}";

static const char qc_text[] =
    "{\"reelmill\":1,\"kind\":\"qc\",\"qc\":{\"files\":[\"a.L.wav\",\"b/"
    "c.wav\"],\"spec\":\"streaming\",\"layout\":\"5.1\","
    "\"order\":\"film\",\"frame_rate\":null,\"left_out\":[\"x.wav is gone\"]},\"places\":{\"media\":{\"root\":\"m\",\"prefix\":\"\"},\"out\":null}}";

static status parse(const char *text, size_t size, job_document *out_document, arena *memory, error_detail *detail)
{
    return job_document_parse(out_document, text, size, memory, detail);
}

static void job_document__reads_a_run(void **state)
{
    (void)state;
    arena memory;
    arena_init(&memory);
    job_document document;
    error_detail detail = {0};
    assert_int_equal(parse(run_text, strlen(run_text), &document, &memory, &detail), STATUS_OK);
    assert_int_equal(document.kind, JOB_KIND_RUN);
    assert_string_equal(document.show_name, "show.yaml");
    assert_string_equal(document.show_text, "reelmill: 1\ntitle: T\n");
    assert_int_equal(document.show_text_size, strlen(document.show_text));
    assert_int_equal(document.recipe_count, 1);
    assert_string_equal(document.recipes[0].name, "mine");
    assert_int_equal(document.recipes[0].text_size, 5);
    assert_int_equal(document.spec_count, 0);
    assert_string_equal(document.media.root, "media");
    assert_string_equal(document.media.prefix, "stems/r1");
    assert_true(document.has_out);
    assert_string_equal(document.out.root, "out");
    assert_true(document.replace);
    assert_string_equal(document.only, "PM_51,PM_20");
    assert_int_equal(document.cells_per_task, 7);
    arena_deinit(&memory);
}

static void job_document__lets_a_check_be_about_mere_files(void **state)
{
    (void)state;
    arena memory;
    arena_init(&memory);
    error_detail detail;
    job_document document;
    char text[sizeof qc_text + 8];
    const char *kind = strstr(qc_text, "\"kind\":\"qc\"");
    int before = (int)(kind - qc_text);
    snprintf(text, sizeof text, "%.*s\"kind\":\"check\"%s", before, qc_text, kind + strlen("\"kind\":\"qc\""));
    assert_int_equal(parse(text, strlen(text), &document, &memory, &detail), STATUS_OK);
    assert_int_equal(document.kind, JOB_KIND_CHECK);
    assert_null(document.show_name);
    assert_int_equal(document.qc.file_count, 2);
    arena_deinit(&memory);
}

static void job_document__reads_a_qc(void **state)
{
    (void)state;
    arena memory;
    arena_init(&memory);
    job_document document;
    error_detail detail = {0};
    assert_int_equal(parse(qc_text, strlen(qc_text), &document, &memory, &detail), STATUS_OK);
    assert_int_equal(document.kind, JOB_KIND_QC);
    assert_int_equal(document.qc.file_count, 2);
    assert_string_equal(document.qc.files[1], "b/c.wav");
    assert_string_equal(document.qc.spec_name, "streaming");
    assert_int_equal(document.qc.layout, LAYOUT_5_1);
    assert_true(document.qc.order_given);
    assert_int_equal(document.qc.order, ORDER_FILM);
    assert_null(document.qc.frame_rate_text);
    assert_int_equal(document.qc.left_out_count, 1);
    assert_string_equal(document.qc.left_out[0], "x.wav is gone");
    assert_false(document.has_out);
    assert_false(document.replace);
    assert_null(document.only);
    arena_deinit(&memory);
}

/* What replaces a piece of a good document, and a word that the sentence must hold. */
typedef struct damage {
    const char *from;
    const char *to;
    status code;
    const char *word;
} damage;

static char *damaged(const char *text, const damage *what)
{
    const char *at = strstr(text, what->from);
    assert_non_null(at);
    size_t size = strlen(text) - strlen(what->from) + strlen(what->to) + 1;
    char *made = malloc(size);
    snprintf(made, size, "%.*s%s%s", (int)(at - text), text, what->to, at + strlen(what->from));
    return made;
}

static void expect_refusal(const char *text, const damage *what)
{
    char *bad = damaged(text, what);
    arena memory;
    arena_init(&memory);
    job_document document = {.cells_per_task = 4711};
    error_detail detail = {0};
    status code = parse(bad, strlen(bad), &document, &memory, &detail);
    if (code != what->code)
        fail_msg("'%s' gave %s, not %s", what->to, status_text(code), status_text(what->code));
    if (strstr(detail.message, what->word) == NULL)
        fail_msg("'%s' does not name '%s'", detail.message, what->word);
    assert_int_equal(document.cells_per_task, 4711); /* left untouched on failure */
    arena_deinit(&memory);
    free(bad);
}

static void job_document__refuses_what_is_not_in_the_schema(void **state)
{
    (void)state;
    static const damage run_damages[] = {
        {"\"reelmill\":1", "\"reelmill\":2", STATUS_INPUT_UNSUPPORTED, "reelmill"},
        {"\"reelmill\":1", "\"reelmill\":\"1\"", STATUS_INPUT_UNSUPPORTED, "reelmill"},
        {"\"kind\":\"run\"", "\"kind\":\"destroy\"", STATUS_INPUT_INVALID, "kind"},
        {"\"kind\":\"run\"", "\"kind\":[]", STATUS_INPUT_INVALID, "kind"},
        {"\"kind\":\"run\",", "", STATUS_INPUT_INVALID, "kind"},
        {"\"kind\":\"run\"", "\"kind\":\"run\",\"qc\":{}", STATUS_INPUT_INVALID, "qc"},
        {"\"kind\":\"run\"", "\"kind\":\"qc\",\"qc\":{}", STATUS_INPUT_INVALID, "beside qc"},
        {"\"kind\":\"run\"", "\"kind\":\"run\",\"kind\":\"qc\"", STATUS_INPUT_SYNTAX, "duplicate"},
        {"\"kind\":\"run\"", "\"kind\":\"run\",\"priority\":1", STATUS_INPUT_INVALID, "priority"},
        {"\"name\":\"show.yaml\"", "\"name\":\"\"", STATUS_INPUT_INVALID, "show.name"},
        {"\"name\":\"show.yaml\"", "\"name\":null", STATUS_INPUT_INVALID, "show.name"},
        {"\"name\":\"show.yaml\"", "\"name\":\"a\\u0000b\"", STATUS_INPUT_SYNTAX, "job document"},
        {"\"name\":\"show.yaml\"", "\"name\":\"\xFF\xFE\"", STATUS_INPUT_SYNTAX, "job document"},
        {"\"root\":\"media\"", "\"root\":\"\"", STATUS_INPUT_INVALID, "places.media"},
        {"\"stems/r1\"", "\"/etc\"", STATUS_INPUT_INVALID, "places.media"},
        {"\"stems/r1\"", "\"../up\"", STATUS_INPUT_INVALID, "places.media"},
        {"\"stems/r1\"", "\"a/./b\"", STATUS_INPUT_INVALID, "places.media"},
        {"\"out\":{\"root\":\"out\",\"prefix\":\"\"}", "\"out\":null", STATUS_INPUT_INVALID, "places.out"},
        {"\"root\":\"out\"", "\"root\":\"../x\"", STATUS_INPUT_INVALID, "places.out"},
        {"\"replace\":true", "\"replace\":1", STATUS_INPUT_INVALID, "options.replace"},
        {"\"cells_per_task\":7", "\"cells_per_task\":-1", STATUS_INPUT_INVALID, "options.cells_per_task"},
        {"\"cells_per_task\":7", "\"cells_per_task\":1025", STATUS_INPUT_INVALID, "options.cells_per_task"},
        {"\"cells_per_task\":7", "\"cells_per_task\":1e3", STATUS_INPUT_INVALID, "options.cells_per_task"},
        {"\"cells_per_task\":7", "\"cells_per_task\":99999999999999999999", STATUS_INPUT_SYNTAX, "job document"},
        {"\"only\":\"PM_51,PM_20\"", "\"only\":[]", STATUS_INPUT_INVALID, "options.only"},
        {"\"specs\":[]", "\"specs\":{}", STATUS_INPUT_INVALID, "specs"},
        {"\"specs\":[]", "\"specs\":[1]", STATUS_INPUT_INVALID, "specs[0]"},
        {"\"specs\":[]", "\"specs\":[[[[[[[[[[]]]]]]]]]]", STATUS_INPUT_SYNTAX, "nested"},
        {"\"source\":\"recipes/mine.yaml\"", "\"path\":\"x\"", STATUS_INPUT_INVALID, "recipes[0]"},
        {"}}", "}}x", STATUS_INPUT_SYNTAX, "job document"},
    };
    static const damage qc_damages[] = {
        {"\"a.L.wav\"", "\"/etc/passwd\"", STATUS_INPUT_INVALID, "qc.files"},
        {"\"a.L.wav\"", "\"../a.wav\"", STATUS_INPUT_INVALID, "qc.files"},
        {"\"a.L.wav\"", "\"a//b.wav\"", STATUS_INPUT_INVALID, "qc.files"},
        {"[\"a.L.wav\",\"b/c.wav\"]", "[]", STATUS_INPUT_INVALID, "qc.files"},
        {"[\"a.L.wav\",\"b/c.wav\"]", "\"a.wav\"", STATUS_INPUT_INVALID, "qc.files"},
        {"\"layout\":\"5.1\"", "\"layout\":\"6.2\"", STATUS_INPUT_INVALID, "6.2"},
        {"\"order\":\"film\"", "\"order\":\"alphabet\"", STATUS_INPUT_INVALID, "qc.order"},
        {"[\"x.wav is gone\"]", "[7]", STATUS_INPUT_INVALID, "qc.left_out"},
        {"[\"x.wav is gone\"]", "{}", STATUS_INPUT_INVALID, "qc.left_out"},
        {"\"out\":null", "\"out\":7", STATUS_INPUT_INVALID, "places.out"},
        {"\"kind\":\"qc\"", "\"kind\":\"plan\"", STATUS_INPUT_INVALID, "qc"},
    };
    for (size_t i = 0; i < sizeof run_damages / sizeof run_damages[0]; i++)
        expect_refusal(run_text, &run_damages[i]);
    for (size_t i = 0; i < sizeof qc_damages / sizeof qc_damages[0]; i++)
        expect_refusal(qc_text, &qc_damages[i]);
}

static void job_document__refuses_every_beginning_of_a_document(void **state)
{
    (void)state;
    for (size_t size = 0; size < strlen(run_text); size++) {
        char *cut = malloc(size + 1); /* of its own, so that a sanitizer sees a read beyond */
        memcpy(cut, run_text, size);
        arena memory;
        arena_init(&memory);
        job_document document;
        error_detail detail = {0};
        assert_int_equal(parse(cut, size, &document, &memory, &detail), STATUS_INPUT_SYNTAX);
        arena_deinit(&memory);
        free(cut);
    }
}

static void job_document__refuses_nesting_without_recursing_into_it(void **state)
{
    (void)state;
    enum { DEPTH = 1 << 20 };
    char *text = malloc(DEPTH);
    memset(text, '[', DEPTH);
    arena memory;
    arena_init(&memory);
    job_document document;
    error_detail detail = {0};
    assert_int_equal(parse(text, DEPTH, &document, &memory, &detail), STATUS_INPUT_SYNTAX);
    assert_non_null(strstr(detail.message, "nested"));
    arena_deinit(&memory);
    free(text);
}

static void job_document__refuses_more_than_its_bounds(void **state)
{
    (void)state;
    char *text = malloc((size_t)JOB_DOCUMENT_MAX + 1);
    memset(text, ' ', (size_t)JOB_DOCUMENT_MAX + 1);
    arena memory;
    arena_init(&memory);
    job_document document;
    error_detail detail = {0};
    assert_int_equal(parse(text, (size_t)JOB_DOCUMENT_MAX + 1, &document, &memory, &detail), STATUS_LIMIT);
    arena_deinit(&memory);
    free(text);

    char name[NAME_MAX_BYTES + 16];
    snprintf(name, sizeof name, "\"name\":\"%0*d\"", NAME_MAX_BYTES, 0); /* one byte too long for a name */
    damage long_name = {"\"name\":\"mine\"", name, STATUS_LIMIT, "recipes[0]"};
    expect_refusal(run_text, &long_name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(job_document__reads_a_run),
        cmocka_unit_test(job_document__reads_a_qc),
        cmocka_unit_test(job_document__lets_a_check_be_about_mere_files),
        cmocka_unit_test(job_document__refuses_what_is_not_in_the_schema),
        cmocka_unit_test(job_document__refuses_every_beginning_of_a_document),
        cmocka_unit_test(job_document__refuses_nesting_without_recursing_into_it),
        cmocka_unit_test(job_document__refuses_more_than_its_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
