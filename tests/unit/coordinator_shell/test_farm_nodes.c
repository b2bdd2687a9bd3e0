/* What the real coordinator says of its nodes when they go and come back. */
#include "farm_show.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The nodes of this name: how many are listed, the last one's state and the beginning of its reason. */
static size_t look_at(farm_harness *farm, const char *name, bool *out_ready, char reason[13])
{
    size_t index = 0, listed = 0;
    json_t *node = NULL;
    char *nodes = farm_harness_query(farm, "nodes", 0);
    json_t *read = json_loads(nodes, 0, NULL);
    free(nodes);
    json_array_foreach(json_object_get(read, "nodes"), index, node)
    {
        const char *why = json_string_value(json_object_get(node, "reason"));
        if (strcmp(json_string_value(json_object_get(node, "name")), name) != 0)
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
        (void)look_at(farm, "fake-1", &ready, reason);
    farm_harness_kill_worker(farm, 1);
    while (ready)
        assert_int_equal(look_at(farm, "fake-1", &ready, reason), 1);
    assert_string_equal(reason, "silent since");
    farm_harness_start_worker(farm, 1);
    while (!ready)
        assert_int_equal(look_at(farm, "fake-1", &ready, reason), 1); /* its former self is listed no more */
    assert_string_equal(reason, "");
    farm_harness_destroy(&farm);
}

/* Its storage is not what the others see: what it does not find another looks for, and it is known by that. */
static void farm__has_another_node_look_for_what_one_does_not_find(void **state)
{
    (void)state;
    farm_harness *farm = farm_harness_create(2); /* each is given some of six files */
    farm->world.file_frames = INPUT_FRAMES;
    farm->world.missing = ".wav";
    farm->world.blind = &farm->workers[1];
    bool ready = false;
    char reason[13];
    while (!ready)
        (void)look_at(farm, "fake-0", &ready, reason);
    for (ready = false; !ready;)
        (void)look_at(farm, "fake-1", &ready, reason);
    for (uint8_t i = 1; ready; i++) { /* three that the other finds are enough; it may have got fewer of the first show */
        json_t *document = await(farm, submit(farm, "check", show_text, i));
        assert_int_equal(number_at(document, "exit_code"), 0);
        json_decref(document);
        (void)look_at(farm, "fake-1", &ready, reason);
    }
    assert_non_null(strstr(reason, "tasks fail")); /* "N tasks failed here, N of them were done elsewhere", as far as it is read */
    farm_harness_destroy(&farm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(farm__says_since_when_a_node_is_gone_until_it_is_back),
        cmocka_unit_test(farm__has_another_node_look_for_what_one_does_not_find),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
