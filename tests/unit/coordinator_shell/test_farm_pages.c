/* The report as the pages show it. */
#include "coordinator/shell/farm_pages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *shown(const char *report, size_t *size)
{
    *size = strlen(report);
    return farm_page_report(strdup(report), size);
}

static void report__says_where_the_audio_is_instead_of_silent_players(void **unused)
{
    (void)unused;
    size_t size = 0;
    char *text = shown("<body><main><p>x</p><audio controls src=\"audition/a.wav\"></audio></main>", &size);
    assert_non_null(text);
    assert_int_equal(size, strlen(text));
    assert_non_null(strstr(text, "<main><style>audio{display:none}</style>"));
    assert_non_null(strstr(text, "<code>audition/</code>"));
    assert_non_null(strstr(text, "</section><p>x</p><audio controls"));
    free(text);
}

static void report__without_players_is_shown_as_it_is(void **unused)
{
    (void)unused;
    size_t size = 0;
    for (int i = 0; i < 2; i++) {
        const char *report = i == 0 ? "<body><main><p>audition/a.wav &lt;audio x</p></main>" : "not even a page";
        char *text = shown(report, &size);
        assert_string_equal(text, report);
        assert_int_equal(size, strlen(report));
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(report__says_where_the_audio_is_instead_of_silent_players),
        cmocka_unit_test(report__without_players_is_shown_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
