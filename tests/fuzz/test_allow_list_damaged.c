/* An allow-list, whole and damaged, through its fuzz target. */
#include "tests/fuzz/damage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { COPIES = 20000 };

static void allow_list__reads_any_damaged_text(void **state)
{
    (void)state;
    static const char text[] =
        "# who may connect\n"
        "worker aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa node-1\r\n\n"
        "submitter 0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef anna@post shows library:ro *\n"
        "operator bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb op\n"
        "viewer cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc v.i_e-w";
    damage_everywhere((const uint8_t *)text, strlen(text), 0, COPIES, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allow_list__reads_any_damaged_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
