/* What the real coordinator says of its nodes when they go and come back. */
#include "farm_harness.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The nodes called fake-1: how many are listed, the last one's state and the beginning of its reason. */
static size_t look_at_node_1(farm_harness *farm, bool *out_ready, char reason[13])
{
    size_t index = 0, listed = 0;
    json_t *node = NULL;
    char *nodes = farm_harness_query(farm, "nodes", 0);
    json_t *read = json_loads(nodes, 0, NULL);
    free(nodes);
    json_array_foreach(json_object_get(read, "nodes"), index, node)
    {
        const char *why = json_string_value(json_object_get(node, "reason"));
        if (strcmp(json_string_value(json_object_get(node, "name")), "fake-1") != 0)
            continue;
        listed++;
        *out_ready = strcmp(json_string_value(json_object_get(node, "state")), "ready") == 0;
        snprintf(reason, 13, "%s", why == NULL ? "" : why);
    }
    json_decref(read);
    return listed;
}

static void farm__says_since_when_a_node_is_gone_until_it_is_back(void **state)
{
    (void)state;
    farm_harness *farm = farm_harness_create(2);
    bool ready = false;
    char reason[13];
    while (!ready)
        (void)look_at_node_1(farm, &ready, reason);
    farm_harness_kill_worker(farm, 1);
    while (ready)
        assert_int_equal(look_at_node_1(farm, &ready, reason), 1);
    assert_string_equal(reason, "silent since");
    farm_harness_start_worker(farm, 1);
    while (!ready)
        assert_int_equal(look_at_node_1(farm, &ready, reason), 1); /* its former self is listed no more */
    assert_string_equal(reason, "");
    farm_harness_destroy(&farm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(farm__says_since_when_a_node_is_gone_until_it_is_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
