#include "coordinator/shell/path_claims.h"
#include "coordinator/shell/worker_registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static routing_id route_of(uint8_t number)
{
    return (routing_id){.size = 5, .bytes = {1, 2, 3, 4, number}};
}

static message_hello *hello_of(uint8_t instance, const char *name)
{
    message_hello *hello = calloc(1, sizeof *hello);
    hello->instance[0] = instance;
    hello->slots = 2;
    snprintf(hello->name, sizeof hello->name, "%s", name);
    return hello;
}

static worker_node *say_hello(worker_registry *registry, uint8_t instance, uint8_t route, const char *name,
                              uint64_t now_ms)
{
    message_hello *hello = hello_of(instance, name);
    routing_id from = route_of(route);
    worker_node *node = worker_registry_hello(registry, &from, "anna", hello, now_ms);
    free(hello);
    return node;
}

static void worker_registry__gives_a_number_to_a_process_start(void **state)
{
    (void)state;
    worker_registry registry = {.last_number = 40}; /* as a replay leaves it */
    worker_node *first = say_hello(&registry, 1, 1, "node", 10);
    worker_node *second = say_hello(&registry, 2, 2, "node", 10);
    assert_int_equal(first->number, 41);
    assert_int_equal(second->number, 42);
    assert_int_equal(worker_registry_slots(&registry), 4);
    /* A reconnect of the same process keeps its number, at its new route. */
    assert_ptr_equal(say_hello(&registry, 1, 3, "node", 20), first);
    routing_id old = route_of(1);
    routing_id new = route_of(3);
    assert_null(worker_registry_by_route(&registry, &old, "anna"));
    assert_ptr_equal(worker_registry_by_route(&registry, &new, "anna"), first);
    /* Another key speaks neither for the node nor as the node. */
    assert_null(worker_registry_by_route(&registry, &new, "max"));
    message_hello *stolen = hello_of(1, "node");
    routing_id theirs = route_of(9);
    worker_node *other = worker_registry_hello(&registry, &theirs, "max", stolen, 20);
    free(stolen);
    assert_ptr_not_equal(other, first);
    assert_int_equal(other->number, 43);
    assert_ptr_equal(worker_registry_by_route(&registry, &new, "anna"), first);
    assert_ptr_equal(worker_registry_by_number(&registry, 42), second);
    assert_null(worker_registry_by_number(&registry, 44));
    worker_registry_deinit(&registry);
}

/* Two HELLOs of one process over two connections: the first is read last. Its route is that of a connection that is gone. */
static void worker_registry__keeps_the_route_of_the_newest_hello(void **state)
{
    (void)state;
    worker_registry registry = {0};
    message_hello *hello = hello_of(1, "node");
    const uint32_t beats[][2] = {{7, 8}, {UINT32_MAX, 1}}; /* said before, said after */
    routing_id gone = route_of(1);
    routing_id new = route_of(2);
    for (uint8_t i = 0; i < 2; i++) {
        hello->instance[0] = i;
        hello->beat = beats[i][1];
        worker_node *node = worker_registry_hello(&registry, &new, "anna", hello, 10);
        hello->beat = beats[i][0];
        assert_ptr_equal(worker_registry_hello(&registry, &gone, "anna", hello, 20), node);
        assert_ptr_equal(worker_registry_by_route(&registry, &new, "anna"), node);
        assert_null(worker_registry_by_route(&registry, &gone, "anna"));
        assert_true(node->heard_ms == 10);
    }
    free(hello);
    worker_registry_deinit(&registry);
}

static void worker_registry__knows_who_came_in_the_place_of_whom(void **state)
{
    (void)state;
    worker_registry registry = {0};
    const worker_node *second = NULL;
    worker_node *first = say_hello(&registry, 1, 1, "node", 10);
    (void)say_hello(&registry, 2, 2, "another", 20);
    first->connected = false;
    worker_registry_mark_replaced(&registry);
    assert_false(first->replaced);
    second = say_hello(&registry, 3, 3, "node", 30);
    worker_registry_mark_replaced(&registry);
    assert_true(first->replaced);
    assert_false(second->replaced);
    worker_registry_deinit(&registry);
}

static void worker_registry__has_room_for_others_beside_one_key(void **state)
{
    (void)state;
    worker_registry registry = {0};
    message_hello *hello = hello_of(0, "many");
    routing_id from = route_of(1);
    uint32_t admitted = 0;
    for (uint32_t i = 1; i <= WORKERS_MAX / 2 + 1; i++) {
        memcpy(hello->instance, &i, sizeof i);
        admitted += worker_registry_hello(&registry, &from, "max", hello, 10) != NULL ? 1 : 0;
    }
    free(hello);
    assert_int_equal(admitted, WORKERS_MAX / 2);
    assert_non_null(say_hello(&registry, 1, 2, "node", 10)); /* anna's */
    worker_registry_deinit(&registry);
}

static void worker_registry__knows_who_was_silent(void **state)
{
    (void)state;
    worker_registry registry = {0};
    worker_node *first = say_hello(&registry, 1, 1, "a", 100);
    worker_node *second = say_hello(&registry, 2, 2, "b", 200);
    assert_true(worker_registry_oldest_ms(&registry) == 100);
    size_t at = 0;
    assert_ptr_equal(worker_registry_silent(&registry, 150, &at), first);
    first->connected = false;
    assert_null(worker_registry_silent(&registry, 150, &at));
    assert_true(worker_registry_oldest_ms(&registry) == 200);
    worker_registry_forget(&registry, 150);
    assert_int_equal(registry.count, 1);
    assert_ptr_equal(registry.nodes[0], second);
    worker_registry_deinit(&registry);
}

enum { TURNS = 4000, INSTANCES = 60, ROUTES = 40, NAMES = 9 };

/* Looking at every node, as the orders of the registry must not have to. */
static const worker_node *searched(const worker_registry *registry, const routing_id *route, const char *owner)
{
    for (size_t i = 0; i < registry->count; i++)
        if (registry->nodes[i]->connected && strcmp(registry->nodes[i]->owner, owner) == 0 &&
            registry->nodes[i]->route.bytes[4] == route->bytes[4])
            return registry->nodes[i];
    return NULL;
}

static bool searched_replaced(const worker_registry *registry, const worker_node *node)
{
    bool found = false;
    for (size_t i = 0; i < registry->count; i++)
        found = found || (registry->nodes[i]->connected && strcmp(registry->nodes[i]->owner, node->owner) == 0 &&
                          strcmp(registry->nodes[i]->name, node->name) == 0);
    return found && !node->connected;
}

static void worker_registry__finds_whoever_is_there(void **state)
{
    (void)state;
    static const char *const owners[] = {"anna", "max", "ann"};
    worker_registry registry = {0};
    uint32_t chance = 1;
    for (uint64_t turn = 1; turn <= TURNS; turn++) {
        chance = chance * 1664525u + 1013904223u;
        uint32_t drawn = chance >> 8;
        char name[8];
        snprintf(name, sizeof name, "n%u", drawn / 7 % NAMES);
        routing_id from = route_of((uint8_t)(drawn / 63 % ROUTES));
        message_hello *hello = hello_of((uint8_t)(drawn % INSTANCES), name);
        worker_node *said = worker_registry_hello(&registry, &from, owners[drawn / 3 % 3], hello, turn);
        free(hello);
        assert_string_equal(said->name, name);
        if (turn % 5 == 0)
            said->connected = false;
        if (turn % 50 == 0)
            worker_registry_forget(&registry, turn - 20);
        for (uint8_t route = 0; route < ROUTES; route++) {
            from = route_of(route);
            for (size_t i = 0; i < 3; i++)
                assert_ptr_equal(worker_registry_by_route(&registry, &from, owners[i]), searched(&registry, &from, owners[i]));
        }
        worker_registry_mark_replaced(&registry);
        for (size_t i = 0; i < registry.count; i++)
            assert_int_equal(registry.nodes[i]->replaced, searched_replaced(&registry, registry.nodes[i]));
    }
    worker_registry_deinit(&registry);
}

static void worker_registry__remembers_drained_names(void **state)
{
    (void)state;
    worker_registry registry = {0};
    assert_null(worker_registry_drained(&registry, "a"));
    assert_true(worker_registry_set_drained(&registry, "a", true, "why"));
    assert_true(worker_registry_set_drained(&registry, "a", true, "")); /* says nothing new */
    assert_string_equal(worker_registry_drained(&registry, "a"), "why");
    assert_true(worker_registry_set_drained(&registry, "a", true, "its disk"));
    assert_string_equal(worker_registry_drained(&registry, "a"), "its disk");
    assert_true(worker_registry_set_drained(&registry, "b", true, "why"));
    assert_int_equal(registry.drained_count, 2);
    assert_true(worker_registry_set_drained(&registry, "a", false, "why"));
    assert_null(worker_registry_drained(&registry, "a"));
    assert_non_null(worker_registry_drained(&registry, "b"));
    worker_registry_deinit(&registry);
}

static void path_claims__give_a_path_to_one_job(void **state)
{
    (void)state;
    plan_file *files = calloc(3, sizeof *files);
    static const char *const paths[] = {"S/v01/PM/S_PM.wav", "S/v01/ME/S_ME.wav", "s/V01/pm/s_pm.WAV"};
    for (int i = 0; i < 3; i++) {
        strcpy(files[i].final.root, "out");
        strcpy(files[i].final.path, paths[i]);
    }
    plan first = {.file_count = 2, .files = files};
    plan second = {.file_count = 2, .files = files + 1}; /* ME again, and PM in other letters */
    path_claims claims = {0};
    uint32_t other = 0;
    const plan_file *file = NULL;
    assert_int_equal(path_claims_take(&claims, 1, &first, &other, &file), STATUS_OK);
    assert_int_equal(path_claims_take(&claims, 1, &first, &other, &file), STATUS_OK); /* its own are no conflict */
    assert_int_equal(claims.count, 2);
    assert_int_equal(path_claims_take(&claims, 2, &second, &other, &file), STATUS_INPUT_CONFLICT);
    assert_int_equal(other, 1);
    assert_ptr_equal(file, &files[1]);
    plan third = {.file_count = 1, .files = files + 2};
    assert_int_equal(path_claims_take(&claims, 2, &third, &other, &file), STATUS_INPUT_CONFLICT);
    path_claims_release(&claims, 1);
    assert_int_equal(claims.count, 0);
    assert_int_equal(path_claims_take(&claims, 2, &second, &other, &file), STATUS_OK);
    path_claims_deinit(&claims);
    free(files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worker_registry__gives_a_number_to_a_process_start),
        cmocka_unit_test(worker_registry__keeps_the_route_of_the_newest_hello),
        cmocka_unit_test(worker_registry__knows_who_came_in_the_place_of_whom),
        cmocka_unit_test(worker_registry__has_room_for_others_beside_one_key),
        cmocka_unit_test(worker_registry__knows_who_was_silent),
        cmocka_unit_test(worker_registry__finds_whoever_is_there),
        cmocka_unit_test(worker_registry__remembers_drained_names),
        cmocka_unit_test(path_claims__give_a_path_to_one_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
