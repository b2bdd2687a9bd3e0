#include "coordinator/show/yaml_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct tree_test {
    arena memory;
    problem_list problems;
    yaml_node *root;
    status code;
} tree_test;

static void parse_bytes(tree_test *self, const char *text, size_t size)
{
    *self = (tree_test){.root = NULL};
    arena_init(&self->memory);
    yaml_source source = {.file = "t.yaml", .arena = &self->memory, .problems = &self->problems};
    self->code = yaml_tree_parse(&self->root, text, size, &source);
}

static void parse(tree_test *self, const char *text)
{
    parse_bytes(self, text, strlen(text));
}

/* Exactly one problem, at line:column, holding a word. */
static void expect_one(tree_test *self, status code, uint32_t line, uint32_t column, const char *word)
{
    assert_int_equal(self->code, code);
    assert_int_equal(self->problems.count, 1);
    const problem *said = &self->problems.items[0];
    if (said->line != line || said->column != column || strstr(said->message, word) == NULL)
        print_message("%u:%u %s\n", said->line, said->column, said->message);
    assert_int_equal(said->line, line);
    assert_int_equal(said->column, column);
    assert_non_null(strstr(said->message, word));
    arena_deinit(&self->memory);
}

static void yaml_tree__keeps_text_and_place_of_every_value(void **state)
{
    (void)state;
    tree_test test;
    parse(&test, "a: 5.1\nb: {c: 01:00:00:00, d: \"x y\"}\nl:\n  - 'one'\n  - ~\n");
    assert_int_equal(test.code, STATUS_OK);
    const yaml_node *a = test.root->first;
    assert_string_equal(a->key, "a");
    assert_string_equal(a->text, "5.1");
    assert_true(a->plain);
    assert_int_equal(a->line, 1);
    assert_int_equal(a->column, 4);
    const yaml_node *b = a->next;
    assert_int_equal(b->kind, YAML_MAP);
    assert_int_equal(b->count, 2);
    assert_string_equal(b->first->text, "01:00:00:00");
    assert_string_equal(b->first->next->text, "x y");
    assert_false(b->first->next->plain);
    assert_int_equal(b->first->next->line, 2);
    assert_int_equal(b->first->next->column, 24); /* of the opening quote */
    const yaml_node *list = b->next;
    assert_int_equal(list->kind, YAML_LIST);
    assert_string_equal(list->first->text, "one");
    assert_int_equal(list->first->line, 4);
    assert_int_equal(list->first->column, 5);
    assert_string_equal(list->first->next->text, "~");
    arena_deinit(&test.memory);
}

static void yaml_tree__reads_what_windows_editors_write(void **state)
{
    (void)state;
    tree_test test;
    parse(&test, "\xEF\xBB\xBF" "a: 1\r\nb: >-\r\n  two\r\n  lines\r\n");
    assert_int_equal(test.code, STATUS_OK);
    assert_string_equal(test.root->first->key, "a");
    assert_string_equal(test.root->first->text, "1");
    assert_string_equal(test.root->first->next->text, "two lines");
    arena_deinit(&test.memory);
}

static void yaml_tree__refuses_anchors_aliases_merges_and_tags(void **state)
{
    (void)state;
    tree_test test;
    parse(&test, "a: &x [1]\nb: *x\n");
    expect_one(&test, STATUS_INPUT_SYNTAX, 1, 7, "anchors");
    parse(&test, "a: 1\nb: *x\n");
    expect_one(&test, STATUS_INPUT_SYNTAX, 2, 4, "aliases");
    parse(&test, "a: {<<: {b: 1}}\n");
    expect_one(&test, STATUS_INPUT_SYNTAX, 1, 5, "merge keys");
    parse(&test, "a: !!str 1\n");
    assert_int_equal(test.problems.count, 1);
    assert_non_null(strstr(test.problems.items[0].message, "tags"));
    arena_deinit(&test.memory);
}

static void yaml_tree__refuses_a_cycle_and_a_billion_laughs_in_little_memory(void **state)
{
    (void)state;
    tree_test test;
    parse(&test, "a: &a {b: *a}\n");
    assert_int_equal(test.code, STATUS_INPUT_SYNTAX);
    assert_int_equal(test.problems.count, 1);
    arena_deinit(&test.memory);
    parse(&test, "a: &a [l,l,l,l,l,l,l,l,l]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
                 "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n");
    assert_true(test.memory.total_bytes < 65536);
    expect_one(&test, STATUS_INPUT_SYNTAX, 1, 7, "anchors");
}

static void yaml_tree__names_bytes_that_are_not_text(void **state)
{
    (void)state;
    tree_test test;
    parse(&test, "a: 1\nb: x\xFFy\n");
    expect_one(&test, STATUS_INPUT_SYNTAX, 2, 5, "0xFF");
    parse(&test, "a: \xC0\xAF\n"); /* overlong '/' */
    expect_one(&test, STATUS_INPUT_SYNTAX, 1, 4, "not UTF-8");
    parse(&test, "a: \xED\xA0\x80\n"); /* a surrogate */
    expect_one(&test, STATUS_INPUT_SYNTAX, 1, 4, "not UTF-8");
    parse_bytes(&test, "a: 1\0b", 6);
    expect_one(&test, STATUS_INPUT_SYNTAX, 1, 5, "control character");
    parse(&test, "a: \x1B[31m\n");
    expect_one(&test, STATUS_INPUT_SYNTAX, 1, 4, "control character");
    parse(&test, "t\xC3\xA9: \x07\n"); /* columns count characters */
    expect_one(&test, STATUS_INPUT_SYNTAX, 1, 5, "control character");
    parse(&test, "a: \"\\u001b[31m\"\n"); /* written as an escape */
    expect_one(&test, STATUS_INPUT_SYNTAX, 1, 4, "control character");
    parse(&test, "a: \"\\0\"\n");
    assert_int_equal(test.code, STATUS_INPUT_SYNTAX);
    arena_deinit(&test.memory);
}

/* What libfyaml would keep of more is seen by the leak checker of a sanitized build. */
static void yaml_tree__refuses_quotes_in_a_row(void **state)
{
    (void)state;
    tree_test test;
    parse(&test, "a: 1\nb: 'x''''x''''x''''x''''x''''x'\n");
    expect_one(&test, STATUS_INPUT_SYNTAX, 2, 9, "single quotes in a row, which");
    parse(&test, "q: \"\\u0027\\u0027\\u0027\\u0027\"\n");
    assert_int_equal(test.code, STATUS_OK);
    assert_string_equal(test.root->first->text, "''''");
    arena_deinit(&test.memory);
    parse(&test, "a: 'it''s'\nb: ''\nc: '''x'''\n");
    assert_int_equal(test.code, STATUS_OK);
    assert_string_equal(test.root->first->next->next->text, "'x'");
    arena_deinit(&test.memory);
}

/* before, count times the line, after. */
static void parse_lines(tree_test *self, const char *before, const char *line, size_t count, const char *after)
{
    static char text[1024];
    size_t size = strlen(before);
    memcpy(text, before, size + 1);
    for (size_t i = 0; i < count; i++, size += strlen(line))
        memcpy(text + size, line, strlen(line) + 1);
    memcpy(text + size, after, strlen(after) + 1);
    parse_bytes(self, text, size + strlen(after));
}

static void yaml_tree__refuses_more_than_a_hundred_empty_lines(void **state)
{
    (void)state;
    static const char *const empty[] = {"\n", " \n", " \t \n", "\r\n", "\r", " \xE2\x80\xA8", " \xE2\x80\xA9"};
    tree_test test;
    parse_lines(&test, "a: \"x\n", " \n", 101, " y\"\n");
    expect_one(&test, STATUS_INPUT_SYNTAX, 102, 2, "more than 100 empty lines");
    parse_lines(&test, "", "\n", 101, "a: 1\n");
    expect_one(&test, STATUS_INPUT_SYNTAX, 101, 1, "more than 100 empty lines");
    for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++) {
        parse_lines(&test, "a: \"x\n", empty[i], 101, " y\"\n");
        assert_int_equal(test.code, STATUS_INPUT_SYNTAX);
        assert_int_equal(test.problems.count, 1);
        assert_non_null(strstr(test.problems.items[0].message, "more than 100 empty lines"));
        arena_deinit(&test.memory);
        parse_lines(&test, "a: \"x\n", empty[i], 100, " y\"\n");
        assert_int_equal(test.code, STATUS_OK);
        arena_deinit(&test.memory);
    }
    parse_lines(&test, "a: 1\n", "#\n", 300, "b: 1\n");
    assert_int_equal(test.code, STATUS_OK);
    arena_deinit(&test.memory);
}

static void yaml_tree__names_every_key_that_stands_twice(void **state)
{
    (void)state;
    tree_test test;
    parse(&test, "a: 1\nb: 2\na: 3\nb: 4\n");
    assert_int_equal(test.code, STATUS_OK);
    assert_int_equal(test.problems.error_count, 2);
    assert_int_equal(test.problems.items[0].line, 3);
    assert_non_null(strstr(test.problems.items[0].message, "\"a\" stands twice, first in line 1"));
    assert_int_equal(test.problems.items[1].line, 4);
    assert_string_equal(test.root->first->text, "1");
    arena_deinit(&test.memory);
}

static void yaml_tree__refuses_broken_empty_and_second_documents(void **state)
{
    (void)state;
    tree_test test;
    parse(&test, "");
    expect_one(&test, STATUS_INPUT_SYNTAX, 1, 1, "empty");
    parse(&test, "# only a comment\n");
    expect_one(&test, STATUS_INPUT_SYNTAX, 1, 1, "empty");
    parse(&test, "a: [1, 2\n");
    assert_int_equal(test.code, STATUS_INPUT_SYNTAX);
    assert_int_equal(test.problems.count, 1);
    assert_non_null(strstr(test.problems.items[0].message, "closing bracket"));
    arena_deinit(&test.memory);
    parse(&test, "a: {file: {reel}_DX.wav}\n");
    assert_int_equal(test.problems.count, 1);
    assert_non_null(strstr(test.problems.items[0].message, "quotes (a value that begins with '{' needs them)"));
    arena_deinit(&test.memory);
    parse(&test, "a: 1\n---\nb: 2\n");
    expect_one(&test, STATUS_INPUT_SYNTAX, 2, 1, "second document");
    parse(&test, "{a: 1}: 2\n");
    assert_int_equal(test.code, STATUS_INPUT_SYNTAX);
    assert_int_equal(test.problems.count, 1);
    arena_deinit(&test.memory);
}

static void yaml_tree__bounds_size_depth_and_count(void **state)
{
    (void)state;
    tree_test test;
    static char text[SHOW_TEXT_MAX + 1];
    memset(text, 'a', sizeof text);
    parse_bytes(&test, text, sizeof text);
    expect_one(&test, STATUS_LIMIT, 0, 0, "at most");
    memset(text, '[', SHOW_TEXT_MAX);
    parse_bytes(&test, text, SHOW_TEXT_MAX);
    expect_one(&test, STATUS_INPUT_SYNTAX, 1, YAML_NODES_MAX + 1, "brackets");
    parse_bytes(&test, text, YAML_NODES_MAX);
    expect_one(&test, STATUS_INPUT_SYNTAX, 1, YAML_DEPTH_MAX + 1, "too deep");
    for (size_t i = 0; i + 1 < SHOW_TEXT_MAX; i += 2)
        memcpy(text + i, "- ", 2);
    parse_bytes(&test, text, SHOW_TEXT_MAX);
    assert_int_equal(test.code, STATUS_INPUT_SYNTAX);
    assert_int_equal(test.problems.count, 1);
    arena_deinit(&test.memory);
    text[0] = '[';
    for (size_t i = 1; i + 1 < SHOW_TEXT_MAX; i += 2)
        memcpy(text + i, "1,", 2);
    parse_bytes(&test, text, SHOW_TEXT_MAX);
    assert_true(test.memory.total_bytes < 4 << 20);
    assert_int_equal(test.code, STATUS_INPUT_SYNTAX);
    assert_non_null(strstr(test.problems.items[0].message, "too long"));
    arena_deinit(&test.memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(yaml_tree__keeps_text_and_place_of_every_value),
        cmocka_unit_test(yaml_tree__reads_what_windows_editors_write),
        cmocka_unit_test(yaml_tree__refuses_anchors_aliases_merges_and_tags),
        cmocka_unit_test(yaml_tree__refuses_a_cycle_and_a_billion_laughs_in_little_memory),
        cmocka_unit_test(yaml_tree__names_bytes_that_are_not_text),
        cmocka_unit_test(yaml_tree__refuses_quotes_in_a_row),
        cmocka_unit_test(yaml_tree__refuses_more_than_a_hundred_empty_lines),
        cmocka_unit_test(yaml_tree__names_every_key_that_stands_twice),
        cmocka_unit_test(yaml_tree__refuses_broken_empty_and_second_documents),
        cmocka_unit_test(yaml_tree__bounds_size_depth_and_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
