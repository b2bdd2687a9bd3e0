/* Show files, recipes and specs, whole and damaged, through their fuzz target. */
#include "coordinator/show/show_file.h"
#include "tests/fuzz/damage.h"
#include "tests/unit/show/show_reading.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { COPIES = 150, SHOW_COPIES = 4000, KIND_SHOW = 0, KIND_RECIPE = 1, KIND_SPEC = 2 };

static void damage_text(uint8_t kind, const char *text, size_t size, uint32_t copies, uint64_t seed)
{
    uint8_t *bytes = malloc(size + 1);
    assert_non_null(bytes);
    bytes[0] = kind;
    memcpy(bytes + 1, text, size);
    damage_everywhere(bytes, size + 1, 1, copies, seed);
    free(bytes);
}

static void show_file__reads_any_damaged_text(void **state)
{
    (void)state;
    damage_text(KIND_SHOW, show_reading_example, strlen(show_reading_example), SHOW_COPIES, 1);
}

/* libfyaml takes 0.4 s for a copy of these lines that reaches it. */
static void show_file__refuses_damaged_empty_lines_at_once(void **state)
{
    (void)state;
    enum { LINES = 8000 };
    static char text[2 * LINES + 16] = "title: \"x\n";
    size_t size = strlen(text);
    for (size_t i = 0; i < LINES; i++, size += 2)
        memcpy(text + size, " \n", 2);
    memcpy(text + size, " y\"\n", 4);
    damage_text(KIND_SHOW, text, size + 4, COPIES, 2);
}

static void recipe__reads_any_damaged_text(void **state)
{
    (void)state;
    const library *shipped = library_shipped();
    assert_true(shipped->recipe_count > 0);
    for (size_t i = 0; i < shipped->recipe_count; i++)
        damage_text(KIND_RECIPE, shipped->recipes[i].text, shipped->recipes[i].text_size, COPIES, 100 + i);
}

static void spec__reads_any_damaged_text(void **state)
{
    (void)state;
    const library *shipped = library_shipped();
    assert_true(shipped->spec_count > 0);
    for (size_t i = 0; i < shipped->spec_count; i++)
        damage_text(KIND_SPEC, shipped->specs[i].text, shipped->specs[i].text_size, COPIES, 200 + i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(show_file__reads_any_damaged_text),
        cmocka_unit_test(show_file__refuses_damaged_empty_lines_at_once),
        cmocka_unit_test(recipe__reads_any_damaged_text),
        cmocka_unit_test(spec__reads_any_damaged_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
