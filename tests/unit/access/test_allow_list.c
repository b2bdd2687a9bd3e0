#include "coordinator/access/allow_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Keys are 64 times one digit. */
#define KEY_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define KEY_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define KEY_1 "1111111111111111111111111111111111111111111111111111111111111111"

static status parse(allow_list *list, const char *text, error_detail *detail)
{
    return allow_list_parse(list, text, strlen(text), "list", detail);
}

static const access_grant *find(const allow_list *list, const char *digits)
{
    uint8_t key[KEY_BYTES];
    assert_true(key_parse(digits, strlen(digits), key));
    return allow_list_by_key(list, key);
}

static void allow_list__finds_grants_by_key(void **state)
{
    (void)state;
    allow_list list;
    error_detail detail = {0};
    const char *text = "# who may connect\n"
                       "worker    " KEY_B "   node-1\r\n"
                       "\n"
                       "  submitter " KEY_A " anna@post shows library:ro\n"
                       "operator " KEY_1 " op"; /* the last line need not end */
    if (parse(&list, text, &detail) != STATUS_OK)
        fail_msg("%s", detail.message);
    assert_int_equal(list.count, 3);
    assert_int_equal(find(&list, KEY_B)->role, ACCESS_WORKER);
    assert_string_equal(find(&list, KEY_B)->name, "node-1");
    assert_string_equal(find(&list, KEY_A)->name, "anna@post");
    assert_string_equal(find(&list, KEY_A)->roots, "shows library:ro");
    assert_int_equal(find(&list, KEY_1)->role, ACCESS_OPERATOR);
    uint8_t stranger[KEY_BYTES] = {0};
    assert_null(allow_list_by_key(&list, stranger));
    allow_list_deinit(&list);
}

static void allow_list__empty_lets_nobody_in(void **state)
{
    (void)state;
    allow_list list;
    assert_int_equal(parse(&list, "", NULL), STATUS_OK);
    assert_int_equal(list.count, 0);
    assert_null(find(&list, KEY_A));
    allow_list_deinit(&list);
}

/* One wrong line and there is no list at all. */
static void allow_list__is_refused_whole(void **state)
{
    (void)state;
    static const struct {
        const char *line, *sentence;
    } cases[] = {
        {"worker " KEY_A, "ROLE PUBLICKEY NAME"},
        {"admin " KEY_A " x", "none of worker, submitter, operator, viewer"},
        {"local " KEY_A " x", "none of worker, submitter, operator, viewer"},
        {"WORKER " KEY_A " x", "none of worker, submitter, operator, viewer"},
        {"worker " KEY_A "a x", "64 hexadecimal digits"},
        {"worker aaaa x", "64 hexadecimal digits"},
        {"worker " KEY_A " a/b", "a name is"},
        {"worker " KEY_A " a\"b", "a name is"},
        {"worker " KEY_A " local", "a name is"},
        {"worker " KEY_A " " KEY_B, "a name is"}, /* 64 bytes: one too many */
        {"worker " KEY_A " x shows", "only a submitter's line"},
        {"operator " KEY_A " x *", "only a submitter's line"},
        {"submitter " KEY_A " x", "ends in the media roots"},
        {"submitter " KEY_A " x shows:rw", "a media root is its name"},
        {"submitter " KEY_A " x ../etc", "a media root is its name"},
        {"submitter " KEY_A " x shows:ro:ro", "a media root is its name"},
        {"submitter " KEY_A " x :ro", "a media root is its name"},
        {"worker " KEY_A " x\x01", "control characters"},
        {"worker " KEY_B " other", "the same key"},
        {"worker " KEY_A " good", "stands in two lines"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[1024];
        allow_list list;
        error_detail detail = {0};
        snprintf(text, sizeof text, "viewer " KEY_B " good\n%s\n", cases[i].line);
        assert_int_equal(status_class_of(parse(&list, text, &detail)), STATUS_CLASS_INPUT);
        assert_int_equal(list.count, 0);
        assert_null(find(&list, KEY_B));
        if (strstr(detail.message, cases[i].sentence) == NULL)
            fail_msg("\"%s\" is told \"%s\", which lacks \"%s\"", cases[i].line, detail.message, cases[i].sentence);
        if (strstr(cases[i].sentence, "same key") == NULL && strstr(cases[i].sentence, "two lines") == NULL)
            assert_non_null(strstr(detail.message, "list:2: "));
    }
}

static void allow_list__bounds_lines_roots_and_text(void **state)
{
    (void)state;
    allow_list list;
    char *text = malloc(ALLOW_LIST_TEXT_MAX + 2);
    assert_non_null(text);
    memset(text, ' ', ALLOW_LIST_TEXT_MAX + 1);
    text[ALLOW_LIST_TEXT_MAX + 1] = '\0';
    assert_int_equal(allow_list_parse(&list, text, ALLOW_LIST_TEXT_MAX + 1, "list", NULL), STATUS_LIMIT);
    assert_int_equal(allow_list_parse(&list, text, ALLOW_LIST_LINE_MAX, "list", NULL), STATUS_INPUT_SYNTAX);
    assert_int_equal(allow_list_parse(&list, text, ALLOW_LIST_LINE_MAX - 1, "list", NULL), STATUS_OK);
    allow_list_deinit(&list);
    size_t size = (size_t)sprintf(text, "submitter " KEY_A " x");
    for (int i = 0; i < ROOTS_MAX + 1; i++)
        size += (size_t)sprintf(text + size, " r%d", i);
    assert_int_equal(allow_list_parse(&list, text, size, "list", NULL), STATUS_INPUT_SYNTAX);
    free(text);
}

static void access_grant__has_the_roots_its_line_names(void **state)
{
    (void)state;
    const access_grant some = {.role = ACCESS_SUBMITTER, .roots = "shows library:ro"};
    assert_true(access_grant_has_root(&some, "shows", true));
    assert_true(access_grant_has_root(&some, "library", false));
    assert_false(access_grant_has_root(&some, "library", true));
    assert_false(access_grant_has_root(&some, "show", false));
    assert_false(access_grant_has_root(&some, "showsx", false));
    assert_false(access_grant_has_root(&some, "", false));
    assert_false(access_grant_has_root(&some, "library:ro", false));
    const access_grant reads_all = {.role = ACCESS_SUBMITTER, .roots = "*:ro out"};
    assert_true(access_grant_has_root(&reads_all, "anything", false));
    assert_false(access_grant_has_root(&reads_all, "anything", true));
    assert_true(access_grant_has_root(&reads_all, "out", true));
    const access_grant none = {.role = ACCESS_SUBMITTER, .roots = ""};
    assert_false(access_grant_has_root(&none, "shows", false));
    assert_false(access_grant_has_root(&none, "", true));
}

static void allow_list__loses_a_line_by_key_or_name(void **state)
{
    (void)state;
    static const char text[] = "# a\nworker " KEY_A " one\nviewer " KEY_B " two\n\noperator " KEY_1 " one1\n";
    arena memory;
    size_t removed = 0;
    arena_init(&memory);
    assert_string_equal(allow_list_without(text, sizeof text - 1, "one", &memory, &removed),
                        "# a\nviewer " KEY_B " two\n\noperator " KEY_1 " one1\n");
    assert_int_equal(removed, 1);
    assert_string_equal(allow_list_without(text, sizeof text - 1, KEY_B, &memory, &removed),
                        "# a\nworker " KEY_A " one\n\noperator " KEY_1 " one1\n");
    assert_int_equal(removed, 1);
    assert_string_equal(allow_list_without(text, sizeof text - 1, "nobody", &memory, &removed), text);
    assert_int_equal(removed, 0);
    arena_deinit(&memory);
}

static void access_grant__formats_what_is_read_again(void **state)
{
    (void)state;
    access_grant grant = {.role = ACCESS_SUBMITTER, .name = "anna", .roots = "shows library:ro"};
    char line[ALLOW_LIST_LINE_MAX];
    allow_list list;
    assert_true(key_parse(KEY_A, 64, grant.key));
    access_grant_format(&grant, line);
    assert_string_equal(line, "submitter " KEY_A " anna shows library:ro");
    assert_int_equal(parse(&list, line, NULL), STATUS_OK);
    assert_string_equal(find(&list, KEY_A)->roots, grant.roots);
    allow_list_deinit(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allow_list__finds_grants_by_key),
        cmocka_unit_test(allow_list__empty_lets_nobody_in),
        cmocka_unit_test(allow_list__is_refused_whole),
        cmocka_unit_test(allow_list__bounds_lines_roots_and_text),
        cmocka_unit_test(access_grant__has_the_roots_its_line_names),
        cmocka_unit_test(allow_list__loses_a_line_by_key_or_name),
        cmocka_unit_test(access_grant__formats_what_is_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
