/* The small tables under the scheduler, each against the plainest model of itself. */
#include "coordinator/core/index_heap.h"
#include "coordinator/core/ready_queue.h"
#include "coordinator/core/share_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* xorshift64: any sequence does, as long as it is the same in every run. */
static uint32_t draw(uint64_t *state, uint32_t bound)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (uint32_t)(*state >> 33) % bound;
}

static void id_map__agrees_with_an_array(void **unused)
{
    (void)unused;
    enum { KEYS = 64, ROOM = 24 };
    uint32_t model[KEYS];
    uint32_t held = 0;
    uint64_t seed = 1;
    id_map map;
    assert_true(id_map_init(&map, ROOM));
    for (int i = 0; i < KEYS; i++)
        model[i] = SLOT_NONE;
    for (uint32_t round = 0; round < 50000; round++) {
        uint32_t key = draw(&seed, KEYS);
        /* Keys 2^32 apart, so that both halves matter. */
        uint64_t wide = (uint64_t)key << 32 | (key & 3u);
        if (model[key] == SLOT_NONE && held < ROOM) {
            id_map_put(&map, wide, round);
            model[key] = round;
            held++;
        } else if (model[key] != SLOT_NONE) {
            id_map_remove(&map, wide);
            model[key] = SLOT_NONE;
            held--;
        }
        for (uint32_t other = 0; other < KEYS; other++)
            assert_int_equal(id_map_find(&map, (uint64_t)other << 32 | (other & 3u)), model[other]);
    }
    id_map_deinit(&map);
}

static void index_heap__gives_the_least_of_what_it_holds(void **unused)
{
    (void)unused;
    enum { IDS = 40 };
    uint64_t model[IDS];
    uint64_t seed = 2;
    index_heap heap;
    assert_true(index_heap_init(&heap, IDS));
    for (int i = 0; i < IDS; i++)
        model[i] = UINT64_MAX;
    for (int round = 0; round < 20000; round++) {
        uint32_t id = draw(&seed, IDS);
        if (draw(&seed, 3) == 0) {
            index_heap_remove(&heap, id);
            model[id] = UINT64_MAX;
        } else {
            model[id] = draw(&seed, 12); /* few keys, many ties */
            index_heap_set(&heap, (index_heap_item){.key = model[id], .id = id});
        }
        index_heap_check(&heap);
        uint32_t least = IDS;
        uint32_t count = 0;
        for (uint32_t i = 0; i < IDS; i++) {
            count += model[i] != UINT64_MAX;
            if (model[i] != UINT64_MAX && (least == IDS || model[i] < model[least]))
                least = i;
        }
        assert_int_equal(heap.count, count);
        if (count > 0)
            assert_int_equal(heap.items[0].id, least);
    }
    index_heap_deinit(&heap);
}

static void ready_queue__gives_deep_then_long_then_low_numbers(void **unused)
{
    (void)unused;
    task_record tasks[] = {
        {.state = TASK_READY, .cost = 100, .affinity = 1, .depth = 1},
        {.state = TASK_READY, .cost = 100, .affinity = 2, .depth = 1},
        {.state = TASK_READY, .cost = 127, .affinity = 1, .depth = 1}, /* the same power of two as 100 */
        {.state = TASK_READY, .cost = 200, .affinity = 1, .depth = 1},
        {.state = TASK_READY, .cost = 1, .affinity = UINT16_MAX, .depth = 2},
        {.state = TASK_READY, .cost = 1, .affinity = 1, .local = true},
    };
    task_graph graph = {.task_count = 6, .tasks = tasks};
    ready_queue queue;
    assert_true(ready_queue_init(&queue, &graph));
    ready_queue_check(&queue, &graph);
    static const uint32_t expected[] = {4, 3, 0, 1, 2};
    for (int i = 0; i < 5; i++) {
        uint32_t task = ready_queue_pick(&queue, &graph, SLOT_NONE);
        assert_int_equal(task, expected[i]);
        ready_queue_remove(&queue, &graph, task);
        tasks[task].state = TASK_RUNNING;
        ready_queue_check(&queue, &graph);
    }
    assert_int_equal(ready_queue_pick(&queue, &graph, SLOT_NONE), SLOT_NONE);
    assert_int_equal(ready_queue_top(&queue, READY_LANE_LOCAL), 5);
    ready_queue_deinit(&queue);
}

static void ready_queue__prefers_the_wanted_reel_among_equally_deep_tasks(void **unused)
{
    (void)unused;
    task_record tasks[] = {
        {.state = TASK_READY, .cost = 900, .affinity = 1, .depth = 1},
        {.state = TASK_READY, .cost = 100, .affinity = 2, .depth = 1},
        {.state = TASK_READY, .cost = 900, .affinity = 3, .depth = 0},
    };
    task_graph graph = {.task_count = 3, .tasks = tasks};
    ready_queue queue;
    assert_true(ready_queue_init(&queue, &graph));
    assert_int_equal(ready_queue_pick(&queue, &graph, 2), 1);
    assert_int_equal(ready_queue_pick(&queue, &graph, 3), 0); /* reel 3 lies less deep */
    assert_int_equal(ready_queue_pick(&queue, &graph, 9), 0);
    ready_queue_deinit(&queue);
}

static void share_queue__takes_turns_by_what_was_given(void **unused)
{
    (void)unused;
    share_queue queue;
    assert_true(share_queue_init(&queue, 8));
    share_queue_join(&queue, 0, (share_place){10, 111, 0, 0});
    share_queue_join(&queue, 1, (share_place){11, 222, 0, 0});
    share_queue_join(&queue, 2, (share_place){12, 111, 0, 0});
    share_queue_join(&queue, 3, (share_place){13, 333, 5, 0});
    for (uint32_t slot = 0; slot < 3; slot++)
        share_queue_ready(&queue, slot, false, true);
    assert_int_equal(share_queue_next(&queue, SHARE_LOCAL), SLOT_NONE);
    assert_int_equal(share_queue_next(&queue, SHARE_REMOTE), 0); /* a tie: the lowest job */
    share_queue_charge(&queue, 0, SHARE_REMOTE, 100);
    assert_int_equal(share_queue_next(&queue, SHARE_REMOTE), 1);
    share_queue_charge(&queue, 1, SHARE_REMOTE, 300);
    assert_int_equal(share_queue_next(&queue, SHARE_REMOTE), 0);
    share_queue_ready(&queue, 0, true, false);
    assert_int_equal(share_queue_next(&queue, SHARE_REMOTE), 2); /* the same show's next job */
    assert_int_equal(share_queue_next(&queue, SHARE_LOCAL), 0);
    share_queue_ready(&queue, 3, false, true);
    assert_int_equal(share_queue_next(&queue, SHARE_REMOTE), 3); /* priority before share */
    share_queue_check(&queue);
    share_queue_ready(&queue, 0, false, true); /* comes back to its place by number */
    share_queue_ready(&queue, 3, false, false);
    assert_int_equal(share_queue_next(&queue, SHARE_REMOTE), 0);
    share_queue_check(&queue);
    /* A newcomer begins where the last one was served: he waits for no one, and no one waits for him. */
    share_queue_join(&queue, 4, (share_place){14, 444, 0, 0});
    share_queue_ready(&queue, 4, false, true);
    assert_int_equal(share_queue_next(&queue, SHARE_REMOTE), 4); /* account 0 of the last, 101 and 301 of the others */
    share_queue_charge(&queue, 4, SHARE_REMOTE, 100);
    share_queue_charge(&queue, 0, SHARE_REMOTE, 100);
    share_queue_join(&queue, 5, (share_place){15, 555, 0, 0});
    share_queue_ready(&queue, 5, false, true);
    share_queue_charge(&queue, 5, SHARE_REMOTE, 0); /* from 101, which was served last, to 102 */
    assert_int_equal(share_queue_next(&queue, SHARE_REMOTE), 4); /* at 101 */
    share_queue_check(&queue);
    share_queue_deinit(&queue);
}

static void task_graph__keeps_old_rows_when_it_grows(void **unused)
{
    (void)unused;
    static const uint32_t wait_0[] = {0};
    static const uint32_t wait_02[] = {0, 2};
    static const uint32_t wait_03[] = {0, 3};
    task_spec first[] = {{.cost = 1}, {.wait_count = 1, .waits = wait_0}, {.wait_count = 1, .waits = wait_0}};
    task_spec more[] = {{.wait_count = 2, .waits = wait_02}, {.wait_count = 2, .waits = wait_03}};
    task_graph empty = {0};
    task_graph graph;
    task_graph grown;
    assert_int_equal(task_graph_extend(&empty, 3, first, &graph), STATUS_OK);
    assert_int_equal(task_graph_extend(&graph, 2, more, &grown), STATUS_OK);
    static const uint32_t rows[] = {0, 4, 4, 5, 6, 6};
    static const uint32_t dependents[] = {1, 2, 3, 4, 3, 4};
    assert_memory_equal(grown.first_dependent, rows, sizeof rows);
    assert_memory_equal(grown.dependents, dependents, sizeof dependents);
    assert_int_equal(grown.tasks[4].depth, 3); /* 0 -> 2 -> 3 -> 4 */
    assert_int_equal(grown.tasks[4].link, 2);
    task_graph_deinit(&graph);
    task_graph_deinit(&grown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(id_map__agrees_with_an_array),
        cmocka_unit_test(index_heap__gives_the_least_of_what_it_holds),
        cmocka_unit_test(ready_queue__gives_deep_then_long_then_low_numbers),
        cmocka_unit_test(ready_queue__prefers_the_wanted_reel_among_equally_deep_tasks),
        cmocka_unit_test(share_queue__takes_turns_by_what_was_given),
        cmocka_unit_test(task_graph__keeps_old_rows_when_it_grows),
    };
    return cmocka_run_group_tests_name("core tables", tests, NULL, NULL);
}
