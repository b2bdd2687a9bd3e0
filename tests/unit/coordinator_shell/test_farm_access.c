/* Which workers may join. */
#include "coordinator/shell/farm_state.h"

#include "common/base/engine_version.h"
#include "common/media/render_program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void farm__has_workers_of_another_version_wait(void **unused)
{
    (void)unused;
    farm_state *farm = calloc(1, sizeof *farm);
    assert_non_null(farm);
    farm->config.private_farm = true;
    const access_grant who = {.name = "node-1"};
    char text[256] = "";
    message_hello hello = {
        .protocol_version = PROTOCOL_VERSION, .render_version = RENDER_VERSION, .slots = 1, .engine = ENGINE_VERSION};
    assert_int_equal(farm_refuses_hello(farm, &who, &hello, text, sizeof text), STATUS_OK);
    snprintf(hello.engine, sizeof hello.engine, "reelmill 0.0.9");
    assert_int_equal(farm_refuses_hello(farm, &who, &hello, text, sizeof text), STATUS_AGAIN);
    assert_string_equal(text, "this farm is " ENGINE_VERSION ", the worker reelmill 0.0.9; install the same reelmill on both");
    snprintf(hello.engine, sizeof hello.engine, "%s", ENGINE_VERSION);
    hello.render_version++;
    assert_int_equal(farm_refuses_hello(farm, &who, &hello, text, sizeof text), STATUS_AGAIN);
    hello.render_version--;
    hello.protocol_version++;
    assert_int_equal(farm_refuses_hello(farm, &who, &hello, text, sizeof text), STATUS_AGAIN);
    hello.protocol_version--;
    hello.slots = 0; /* no upgrade mends that */
    assert_int_equal(farm_refuses_hello(farm, &who, &hello, text, sizeof text), STATUS_PEER_VERSION);
    free(farm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(farm__has_workers_of_another_version_wait)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
