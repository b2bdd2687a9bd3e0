/* What the scheduler is told of a plan's tasks. */
#include "coordinator/shell/job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* On one machine a late render has no second execution beside it: both would write, and VERIFY would read all again. */
static void job_specs__spare_what_a_second_execution_helps(void **unused)
{
    (void)unused;
    for (int kind = 0; kind <= TASK_KIND_REMOTE_END; kind++) {
        plan_task task = {.kind = (task_kind)kind};
        plan job_plan = {.tasks = &task, .task_count = 1};
        farm_job job = {.plan = &job_plan};
        arena memory;
        arena_init(&memory);
        assert_int_equal(job_plan_specs(&job, false, &memory)->spare, kind == TASK_RENDER || kind == TASK_INSPECT);
        assert_int_equal(job_plan_specs(&job, true, &memory)->spare, kind == TASK_INSPECT);
        arena_deinit(&memory);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(job_specs__spare_what_a_second_execution_helps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
