/* A configuration file, whole and damaged, through its fuzz target. */
#include "tests/fuzz/damage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { COPIES = 3000 };

static void settings__read_any_damaged_text(void **state)
{
    (void)state;
    static const char text[] =
        "# a farm\n"
        "listen: [\"tcp://*:7070\", \"ipc:///run/reelmill.sock\"]\n"
        "state: /var/lib/reelmill\n"
        "roots: {shows: /mnt/shows, library: /mnt/library}\n"
        "show_limits: {NIGHT_TRAIN: 8, \"*\": 20}\n"
        "root_limits:\n  shows: 12\n"
        "authorized: /etc/reelmill/authorized\nplain: false\nhttp: 127.0.0.1:7071\n"
        "on_end: [/usr/share/reelmill/mail-at-end, anna@example.org]\n"
        "lease_ms: 5000\nkeep_jobs_days: 30\nlog: info\n";
    damage_everywhere((const uint8_t *)text, strlen(text), 0, COPIES, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings__read_any_damaged_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
