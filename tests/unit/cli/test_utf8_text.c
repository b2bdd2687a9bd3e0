/* Names of files that are no text. */
#include "coordinator/cli/utf8_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* The sequences are those of RFC 3629: Latin-1's a umlaut, an overlong slash, half of a surrogate pair, a character cut off. */
static void utf8_text__writes_out_bytes_that_are_no_character(void **state)
{
    static const struct {
        const char *text, *escaped;
    } rows[] = {
        {"b\xE4" "d.wav", "b\\xE4d.wav"},
        {"\xC0\xAF", "\\xC0\\xAF"},
        {"\xED\xA0\x80", "\\xED\\xA0\\x80"},
        {"\xC3\xA4 \xE2\x82", "\xC3\xA4 \\xE2\\x82"},
        {"\xF4\x90\x80\x80", "\\xF4\\x90\\x80\\x80"},
        {"\x80", "\\x80"},
    };
    arena memory;
    (void)state;
    arena_init(&memory);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_false(utf8_is_valid(rows[i].text));
        assert_string_equal(utf8_escaped(rows[i].text, &memory), rows[i].escaped);
    }
    arena_deinit(&memory);
}

static void utf8_text__leaves_text_as_it_is(void **state)
{
    static const char *const rows[] = {"", "R1_DX.wav", "\xC3\xA4", "\xE2\x82\xAC\xF0\x9F\x98\x80", "a\\xE4"};
    arena memory;
    (void)state;
    arena_init(&memory);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(utf8_is_valid(rows[i]));
        assert_string_equal(utf8_escaped(rows[i], &memory), rows[i]);
    }
    arena_deinit(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_text__writes_out_bytes_that_are_no_character),
        cmocka_unit_test(utf8_text__leaves_text_as_it_is),
    };
    return cmocka_run_group_tests_name("utf8_text", tests, NULL, NULL);
}
