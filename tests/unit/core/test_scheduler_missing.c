/* A file that is not there: the storage of one machine may not be what the others see, so another one looks too. */
#include "farm_script.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void scheduler__asks_another_worker_for_a_file_that_is_not_there(void **unused)
{
    (void)unused;
    farm_script farm;
    uint32_t job = farm_begin(&farm, 1, 2);
    farm_result(&farm, 1, farm_running(&farm, job, 0), STATUS_INPUT_MISSING);
    assert_int_equal(farm_task(&farm, job, 0).state, TASK_RUNNING);
    assert_int_equal(farm_task(&farm, job, 0).worker, 2);
    farm_result(&farm, 2, farm_running(&farm, job, 0), STATUS_INPUT_MISSING);
    assert_int_equal(farm_task(&farm, job, 0).state, TASK_FAILED);
    assert_int_equal(farm_command(&farm, COMMAND_JOB_ENDED, 0).code, STATUS_INPUT_MISSING);
    for (uint32_t worker = 1; worker <= 2; worker++)
        assert_int_equal(farm_worker(&farm, worker).strikes + farm_worker(&farm, worker).proofs, 0);
    farm_script_deinit(&farm);
}

static void scheduler__quarantines_a_worker_that_misses_what_others_find(void **unused)
{
    (void)unused;
    farm_script farm;
    uint32_t job = farm_begin(&farm, 60, 2);
    for (uint32_t guard = 0; farm_worker(&farm, 1).state == WORKER_READY; guard++) {
        assert_true(guard < 60);
        assert_int_equal(farm_worker(&farm, 1).strikes, farm_worker(&farm, 1).proofs);
        for (uint32_t task = 0; task < 60; task++) {
            uint32_t worker = farm_task(&farm, job, task).state == TASK_RUNNING ? farm_task(&farm, job, task).worker : 0;
            if (worker != 0)
                farm_result(&farm, worker, farm_running(&farm, job, task), worker == 1 ? STATUS_INPUT_MISSING : STATUS_OK);
        }
    }
    assert_int_equal(farm_worker(&farm, 1).state, WORKER_QUARANTINED);
    assert_true(farm_worker(&farm, 1).proofs >= 3); /* all that it had missed before anybody found a file */
    assert_int_equal(farm_worker(&farm, 1).strike_job, job);
    assert_int_equal(farm_worker(&farm, 1).strike_code, STATUS_INPUT_MISSING);
    assert_int_equal(farm_job(&farm, job).by_state[TASK_FAILED], 0);
    farm_script_deinit(&farm);
}

/* A probe that finds nothing ends well, with that as its result: where two find nothing neither is blamed. */
static void scheduler__blames_nobody_where_nobody_finds_the_file(void **unused)
{
    (void)unused;
    farm_script farm;
    uint32_t job = farm_begin(&farm, 1, 2);
    attempt tried = farm_running(&farm, job, 0);
    assert_true(scheduler_asks_another(farm.core, &tried));
    farm_result(&farm, 1, tried, STATUS_INPUT_MISSING);
    tried = farm_running(&farm, job, 0);
    assert_false(scheduler_asks_another(farm.core, &tried));
    const scheduler_event none = {.type = EVENT_TASK_RESULT, .result = {.worker = 2, .attempt = tried, .none_found = true}};
    assert_int_equal(farm_script_step(&farm, &none), STATUS_OK);
    assert_int_equal(farm_task(&farm, job, 0).state, TASK_DONE);
    assert_int_equal(farm_worker(&farm, 1).strikes + farm_worker(&farm, 1).proofs, 0);
    farm_script_deinit(&farm);
}

static void scheduler__believes_the_only_worker_and_the_coordinator_at_once(void **unused)
{
    (void)unused;
    farm_script farm;
    uint32_t job = farm_begin(&farm, 1, 1);
    farm_result(&farm, 1, farm_running(&farm, job, 0), STATUS_INPUT_MISSING);
    assert_int_equal(farm_task(&farm, job, 0).state, TASK_FAILED);
    farm_hello(&farm, 2, 1);
    job = farm_submit(&farm, 0, 1);
    const task_spec own = {.local = true, .cost = 1000};
    assert_int_equal(farm_extend(&farm, job, 1, &own), STATUS_OK);
    farm_result(&farm, SCHEDULER_LOCAL, farm_running(&farm, job, 0), STATUS_INPUT_MISSING);
    assert_int_equal(farm_task(&farm, job, 0).state, TASK_FAILED);
    farm_script_deinit(&farm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scheduler__asks_another_worker_for_a_file_that_is_not_there),
        cmocka_unit_test(scheduler__quarantines_a_worker_that_misses_what_others_find),
        cmocka_unit_test(scheduler__blames_nobody_where_nobody_finds_the_file),
        cmocka_unit_test(scheduler__believes_the_only_worker_and_the_coordinator_at_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
