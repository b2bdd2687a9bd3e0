/* Paces learnt from results, and the time that a job's tasks take on a farm's slots. Times are added up by hand. */
#include "coordinator/forecast/pace_table.h"
#include "coordinator/forecast/ready_forecast.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RENDER = 3, MERGE = 33 };

static forecast_node even_node(uint32_t slots, uint32_t pace)
{
    forecast_node node = {.slots = slots};
    for (int kind = 0; kind < PACE_KINDS_MAX; kind++)
        node.paces[kind] = pace;
    return node;
}

static forecast_farm even_farm(const forecast_node *nodes, uint32_t node_count)
{
    return (forecast_farm){.node_count = node_count,
                           .nodes = nodes,
                           .local = even_node(4, PACE_UNIT),
                           .average = even_node(1, PACE_UNIT)};
}

static ready_forecast made(const forecast_farm *farm, const forecast_task *tasks, uint32_t count, uint32_t first)
{
    ready_forecast forecast;
    assert_int_equal(ready_forecast_make(&forecast, farm, tasks, count, first), STATUS_OK);
    return forecast;
}

static void pace_table__begins_at_the_plan_and_learns_each_node(void **unused)
{
    (void)unused;
    pace_table table = {0};
    assert_int_equal(pace_table_pace(&table, "a", RENDER), PACE_UNIT);
    assert_false(pace_table_known(&table));
    for (int i = 0; i < PACE_SAMPLES_MIN; i++)
        pace_table_learn(&table, "a", RENDER, 1000, 2000);
    pace_table_learn(&table, "b", RENDER, 1000, 6000);
    assert_true(pace_table_known(&table));
    assert_int_equal(pace_table_pace(&table, "a", RENDER), 2000);
    /* b has too few of its own: the farm's, (3 x 2000 + 6000) / 4000. */
    assert_int_equal(pace_table_pace(&table, "b", RENDER), 3000);
    assert_int_equal(pace_table_pace(&table, NULL, RENDER), 3000);
    assert_int_equal(pace_table_pace(&table, "a", MERGE), PACE_UNIT);
    /* The coordinator's own tasks say nothing about nodes. */
    for (int i = 0; i < PACE_SAMPLES_MIN; i++)
        pace_table_learn(&table, "", MERGE, 10, 5);
    assert_int_equal(pace_table_pace(&table, "", MERGE), 500);
    assert_int_equal(pace_table_pace(&table, NULL, MERGE), PACE_UNIT);
    pace_table_deinit(&table);
}

static void pace_table__forgets_what_a_machine_once_was(void **unused)
{
    (void)unused;
    pace_table table = {0};
    for (int i = 0; i < 2 * PACE_SAMPLES_MAX; i++)
        pace_table_learn(&table, "a", RENDER, 100, 1000);
    assert_int_equal(pace_table_pace(&table, "a", RENDER), 10000);
    for (int i = 0; i < 5 * PACE_SAMPLES_MAX; i++)
        pace_table_learn(&table, "a", RENDER, 100, 100);
    /* Ten halvings of what was there leave less than one per cent of 9000 above 1000. */
    assert_in_range(pace_table_pace(&table, "a", RENDER), 1000, 1090);
    pace_table_deinit(&table);
}

static void pace_table__drops_nonsense_and_bounds_its_nodes(void **unused)
{
    (void)unused;
    pace_table table = {0};
    char name[NAME_MAX_BYTES];
    pace_table_learn(&table, "a", RENDER, 0, 10);
    pace_table_learn(&table, "a", PACE_KINDS_MAX, 10, 10);
    pace_table_learn(&table, "a", RENDER, 10, UINT64_MAX);
    assert_int_equal(table.count, 0);
    for (int i = 0; i < PACE_NODES_MAX + 10; i++) {
        snprintf(name, sizeof name, "node-%d", i);
        pace_table_learn(&table, name, RENDER, 10, 10);
    }
    assert_int_equal(table.count, PACE_NODES_MAX);
    pace_sum bad = {.planned_ms = 10, .spent_ms = 10, .samples = PACE_SAMPLES_MAX + 1};
    assert_false(pace_table_restore(&table, "x", RENDER, &bad));
    pace_sum good = {.planned_ms = 100, .spent_ms = 300, .samples = PACE_SAMPLES_MIN};
    assert_true(pace_table_restore(&table, "x", RENDER, &good));
    assert_int_equal(pace_table_pace(&table, "x", RENDER), 3000);
    pace_table_deinit(&table);
}

/* Two reels of 1 s on one slot, then a merge of 0.5 s: 2.5 s; on two slots 1.5 s, and more slots change nothing. */
static void ready_forecast__adds_up_what_waits_for_each_other(void **unused)
{
    (void)unused;
    const uint32_t waits[] = {10, 11, 3};
    const forecast_task tasks[] = {
        {.kind = RENDER, .cost_ms = 1000, .wait_count = 1, .waits = waits + 2}, /* 3 is before the plan: over */
        {.kind = RENDER, .cost_ms = 1000},
        {.kind = MERGE, .local = true, .cost_ms = 500, .wait_count = 2, .waits = waits}};
    forecast_node node = even_node(1, PACE_UNIT);
    forecast_farm farm = even_farm(&node, 1);
    ready_forecast forecast = made(&farm, tasks, 3, 10);
    assert_int_equal(forecast.ready_ms, 2500);
    assert_int_equal(forecast.work_ms, 2500);
    assert_int_equal(forecast.slots, 1);
    assert_int_equal(forecast.point_count, 3);
    assert_int_equal(forecast.points[0].ready_ms, 2500);
    assert_int_equal(forecast.points[1].ready_ms, 1500);
    assert_int_equal(forecast.points[2].ready_ms, 1500);
}

/* A node at half the speed takes one of three tasks while the other does two: 2 s, where two alike slots need 2 s too. */
static void ready_forecast__knows_slow_nodes_and_running_work(void **unused)
{
    (void)unused;
    const forecast_task tasks[] = {{.kind = RENDER, .cost_ms = 1000},
                                   {.kind = RENDER, .cost_ms = 1000},
                                   {.kind = RENDER, .cost_ms = 1000},
                                   {.kind = RENDER, .cost_ms = 9000, .done = true}};
    forecast_node nodes[] = {even_node(1, PACE_UNIT), even_node(1, 2 * PACE_UNIT)};
    forecast_farm farm = even_farm(nodes, 2);
    assert_int_equal(made(&farm, tasks, 4, 0).ready_ms, 2000);
    nodes[1] = even_node(1, 5 * PACE_UNIT);
    assert_int_equal(made(&farm, tasks, 4, 0).ready_ms, 5000);
    farm.ahead_ms = 3000; /* others' three seconds are shared by two slots */
    assert_int_equal(made(&farm, tasks, 4, 0).ready_ms, 6500);
    assert_int_equal(made(&farm, tasks, 4, 0).points[1].ready_ms, 3500); /* 2 s on two alike, and 1.5 s of others */
    farm.node_count = 0;
    assert_true(made(&farm, tasks, 4, 0).ready_ms == UINT64_MAX);
    assert_int_equal(made(&farm, tasks, 4, 0).slots, 0);
}

/* The same job again and again on a simulated farm that is not as the planner thinks: two slots render in 0.4 and judge in
 * three times what was planned, and a quarter of the job passes between its tasks. What a repeat takes is known from the
 * second on, and must be forecast within 10 %, though the first began with the planner's guess. */
static void forecast__of_a_repeat_is_within_a_tenth(void **unused)
{
    (void)unused;
    enum { RENDERS = 12, COUNT = RENDERS + 1, SLOTS = 2, LOCAL = 2 };
    uint32_t waits[RENDERS];
    forecast_task planned[COUNT], took[COUNT];
    for (uint32_t i = 0; i < RENDERS; i++) {
        waits[i] = i;
        planned[i] = took[i] = (forecast_task){.kind = RENDER, .cost_ms = 500 + 10 * i};
        took[i].cost_ms = planned[i].cost_ms * 4 / 10;
    }
    planned[RENDERS] = took[RENDERS] = (forecast_task){
        .kind = MERGE, .local = true, .cost_ms = 200, .wait_count = RENDERS, .waits = waits};
    took[RENDERS].cost_ms = 600;
    pace_table table = {0};
    for (int repeat = 1; repeat <= 6; repeat++) {
        forecast_node node = {.slots = SLOTS};
        forecast_farm farm = {.node_count = 1, .nodes = &node, .local = {.slots = LOCAL}};
        for (int kind = 0; kind < PACE_KINDS_MAX; kind++) {
            node.paces[kind] = farm.average.paces[kind] = pace_table_pace(&table, "a", (uint8_t)kind);
            farm.local.paces[kind] = pace_table_pace(&table, "", (uint8_t)kind);
        }
        pace_table_jobs(&table, farm.job_paces);
        uint64_t expected_ms = made(&farm, planned, COUNT, 0).ready_ms, placed_ms = 0;
        assert_int_equal(ready_forecast_spent(&placed_ms, SLOTS, LOCAL, took, COUNT, 0), STATUS_OK);
        /* 12 renders of 0.200 to 0.244 s on two slots, and 0.6 s. */
        assert_in_range(placed_ms, 600 + 6 * 200, 600 + 6 * 244);
        uint64_t taken_ms = placed_ms * 4 / 3;
        printf("repeat %d: expected %.2f s, took %.2f s\n", repeat, (double)expected_ms / 1000.0, (double)taken_ms / 1000.0);
        if (repeat > 1)
            assert_in_range(expected_ms, taken_ms * 9 / 10, taken_ms * 11 / 10);
        for (uint32_t i = 0; i < COUNT; i++)
            pace_table_learn(&table, planned[i].local ? "" : "a", planned[i].kind, planned[i].cost_ms, took[i].cost_ms);
        pace_table_learn_job(&table, placed_ms, taken_ms);
    }
    pace_table_deinit(&table);
}

/* 100 x 100 s on 10 slots is 1000 s whether placed one by one or, with too many tasks, divided. */
static void pace_table__learns_what_lies_between_the_tasks_of_a_job(void **unused)
{
    (void)unused;
    pace_table table = {0};
    uint32_t paces[PACE_KINDS_MAX];
    for (int i = 0; i < 10; i++)
        pace_table_learn_job(&table, 400, 600);
    pace_table_learn_job(&table, 400, 400 * 5); /* it waited for something else */
    pace_table_jobs(&table, paces);
    assert_int_equal(paces[pace_job_size(400)], 1500);
    assert_int_equal(paces[pace_job_size(400000)], PACE_UNIT); /* a long job is another matter */
    assert_int_equal(pace_table_pace(&table, NULL, RENDER), PACE_UNIT); /* and no worker did it */
    assert_false(pace_table_known(&table));
    forecast_task task = {.kind = RENDER, .cost_ms = 400};
    forecast_node node = {.slots = 1};
    for (int kind = 0; kind < PACE_KINDS_MAX; kind++)
        node.paces[kind] = PACE_UNIT;
    forecast_farm farm = {.node_count = 1, .nodes = &node, .local = node, .average = node};
    memcpy(farm.job_paces, paces, sizeof paces);
    ready_forecast forecast;
    assert_int_equal(ready_forecast_make(&forecast, &farm, &task, 1, 1), STATUS_OK);
    assert_int_equal(forecast.placed_ms, 400);
    assert_int_equal(forecast.ready_ms, 600);
    pace_table_deinit(&table);
}

static void ready_forecast__bounds_what_is_too_large_to_place(void **unused)
{
    (void)unused;
    enum { MANY = FORECAST_TASKS_MAX + 1 };
    forecast_task *tasks = calloc(MANY, sizeof *tasks);
    forecast_node node = even_node(10, PACE_UNIT);
    forecast_farm farm = even_farm(&node, 1);
    for (uint32_t i = 0; i < MANY; i++)
        tasks[i] = (forecast_task){.kind = RENDER, .cost_ms = 100};
    ready_forecast placed = made(&farm, tasks, MANY - 1, 0);
    ready_forecast bounded = made(&farm, tasks, MANY, 0);
    assert_int_equal(placed.ready_ms, 200000);
    assert_int_equal(bounded.ready_ms, 200010);
    for (uint32_t i = 1; i < placed.point_count; i++)
        assert_true(placed.points[i].ready_ms <= placed.points[i - 1].ready_ms);
    free(tasks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pace_table__begins_at_the_plan_and_learns_each_node),
        cmocka_unit_test(pace_table__forgets_what_a_machine_once_was),
        cmocka_unit_test(pace_table__drops_nonsense_and_bounds_its_nodes),
        cmocka_unit_test(ready_forecast__adds_up_what_waits_for_each_other),
        cmocka_unit_test(ready_forecast__knows_slow_nodes_and_running_work),
        cmocka_unit_test(pace_table__learns_what_lies_between_the_tasks_of_a_job),
        cmocka_unit_test(forecast__of_a_repeat_is_within_a_tenth),
        cmocka_unit_test(ready_forecast__bounds_what_is_too_large_to_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
