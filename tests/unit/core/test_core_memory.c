/*
 * Memory of the core: every allocation that fails leaves nothing half done, and nothing is taken between
 * scheduler_create and the next job table. malloc, calloc and realloc are wrapped by the linker.
 */
#include "farm_script.h"

#include "coordinator/core/task_graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

void *__real_malloc(size_t byte_size);
void *__real_calloc(size_t count, size_t byte_size);
void *__real_realloc(void *old, size_t byte_size);
void *__wrap_malloc(size_t byte_size);
void *__wrap_calloc(size_t count, size_t byte_size);
void *__wrap_realloc(void *old, size_t byte_size);

static uint32_t taken;              /* allocations so far */
static uint32_t fails_at = UINT32_MAX; /* that one gives NULL */

static bool allocation_fails(void)
{
    return taken++ == fails_at;
}

void *__wrap_malloc(size_t byte_size)
{
    return allocation_fails() ? NULL : __real_malloc(byte_size);
}

void *__wrap_calloc(size_t count, size_t byte_size)
{
    return allocation_fails() ? NULL : __real_calloc(count, byte_size);
}

void *__wrap_realloc(void *old, size_t byte_size)
{
    return allocation_fails() ? NULL : __real_realloc(old, byte_size);
}

static void scheduler__is_created_whole_or_not_at_all(void **unused)
{
    (void)unused;
    const scheduler_config config = farm_script_config();
    scheduler *core = NULL;
    uint32_t failures = 0;
    for (; core == NULL; failures++) {
        taken = 0;
        fails_at = failures;
        core = scheduler_create(&config);
        fails_at = UINT32_MAX;
    }
    assert_true(failures > 10);
    scheduler_check_invariants(core);
    scheduler_destroy(&core);
}

static void scheduler__extends_a_job_whole_or_not_at_all(void **unused)
{
    (void)unused;
    const scheduler_config config = farm_script_config();
    scheduler *core = scheduler_create(&config);
    scheduler_output out = {0};
    scheduler_event event = {.type = EVENT_JOB_SUBMITTED, .submitted = {.job = 1}};
    assert_int_equal(scheduler_step(core, 1, &event, &out), STATUS_OK);
    static const uint32_t wait_0[] = {0};
    static const uint32_t wait_2[] = {2};
    static const task_spec batches[2][2] = {{{.cost = 1}, {.cost = 1, .wait_count = 1, .waits = wait_0}},
                                            {{.cost = 1}, {.cost = 1, .wait_count = 1, .waits = wait_2}}};
    for (int batch = 0; batch < 2; batch++) {
        event = (scheduler_event){.type = EVENT_JOB_EXTENDED,
                                  .extended = {.job = 1, .task_count = 2, .tasks = batches[batch]}};
        status code = STATUS_NODE_MEMORY;
        uint64_t before = scheduler_dump_hash(core);
        for (uint32_t failures = 0; code == STATUS_NODE_MEMORY; failures++) {
            taken = 0;
            fails_at = failures;
            code = scheduler_step(core, 1, &event, &out);
            fails_at = UINT32_MAX;
            scheduler_check_invariants(core);
            assert_true(code == STATUS_OK || (scheduler_dump_hash(core) == before && out.fact_count == 0));
            assert_true(code == STATUS_OK || failures < 10);
        }
        assert_int_equal(code, STATUS_OK);
    }
    scheduler_output_deinit(&out);
    scheduler_destroy(&core);
}

static void scheduler__takes_no_memory_while_it_works(void **unused)
{
    (void)unused;
    const scheduler_config config = farm_script_config();
    scheduler *core = scheduler_create(&config);
    scheduler_output out = {.facts = calloc(4096, sizeof *out.facts),
                            .fact_capacity = 4096,
                            .commands = calloc(4096, sizeof *out.commands),
                            .command_capacity = 4096};
    scheduler_event event = {.type = EVENT_JOB_SUBMITTED, .submitted = {.job = 1}};
    assert_int_equal(scheduler_step(core, 1, &event, &out), STATUS_OK);
    task_spec specs[200];
    for (uint32_t i = 0; i < 200; i++)
        specs[i] = (task_spec){.cost = i, .affinity = (uint16_t)(i % 5), .spare = true};
    event = (scheduler_event){.type = EVENT_JOB_EXTENDED, .extended = {.job = 1, .task_count = 200, .tasks = specs}};
    assert_int_equal(scheduler_step(core, 1, &event, &out), STATUS_OK);
    uint32_t before = taken;
    for (uint32_t worker = 1; worker <= 8; worker++) {
        event = (scheduler_event){.type = EVENT_WORKER_HELLO, .hello = {.worker = worker, .slots = 2}};
        assert_int_equal(scheduler_step(core, 2, &event, &out), STATUS_OK);
        while (out.command_count > 0) {
            const scheduler_command given = out.commands[out.command_count - 1];
            if (given.type != COMMAND_ASSIGN || !scheduler_release(core, 2, &given))
                break;
            status code = given.attempt.task % 3 == 0 ? STATUS_STORAGE_IO : STATUS_OK;
            event = (scheduler_event){.type = EVENT_TASK_RESULT,
                                      .result = {.worker = worker, .attempt = given.attempt, .code = code}};
            assert_int_equal(scheduler_step(core, 2 + worker * 1000, &event, &out), STATUS_OK);
        }
    }
    event = (scheduler_event){.type = EVENT_TICK};
    for (uint64_t now_ms = 10000; now_ms < 400000; now_ms += 1000)
        assert_int_equal(scheduler_step(core, now_ms, &event, &out), STATUS_OK);
    event = (scheduler_event){.type = EVENT_JOB_CANCEL, .job = {.job = 1}};
    assert_int_equal(scheduler_step(core, 400000, &event, &out), STATUS_OK);
    assert_int_equal(taken, before);
    scheduler_output_deinit(&out);
    scheduler_destroy(&core);
}

/* 16 bytes of record, 8 of indexes and 4 for each wait, as task_graph.h says; nothing else grows with the tasks. */
static void task_graph__keeps_to_its_bytes_per_task(void **unused)
{
    (void)unused;
    assert_int_equal(sizeof(task_record), 16);
    task_graph graph = {0};
    assert_int_equal(sizeof *graph.first_dependent, 4);
    assert_int_equal(sizeof *graph.dependents, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scheduler__is_created_whole_or_not_at_all),
        cmocka_unit_test(scheduler__extends_a_job_whole_or_not_at_all),
        cmocka_unit_test(scheduler__takes_no_memory_while_it_works),
        cmocka_unit_test(task_graph__keeps_to_its_bytes_per_task),
    };
    return cmocka_run_group_tests_name("core memory", tests, NULL, NULL);
}
