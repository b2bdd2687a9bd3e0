/* Requests of a browser, whole and damaged, through their fuzz target. */
#include "tests/fuzz/damage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { COPIES = 400 };

static void http__answers_any_damaged_request(void **state)
{
    (void)state;
    static const char *const requests[] = {
        "GET /jobs.json?from=20&rows=50&state=open&find=night%20train HTTP/1.1\r\nHost: localhost:7071\r\nAccept: */*\r\n\r\n",
        "GET /jobs/12/report.html HTTP/1.1\r\nHost: 127.0.0.1\r\nRange: bytes=0-10\r\nConnection: close\r\n\r\n",
        "HEAD /nodes/4.json HTTP/1.1\r\nHost: [::1]:7071\r\n\r\nGET /metrics HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /jobs/1.json HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
        damage_everywhere((const uint8_t *)requests[i], strlen(requests[i]), 0, COPIES, i + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(http__answers_any_damaged_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
