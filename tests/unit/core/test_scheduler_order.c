/* Who is next: priority, fair share, affinity, and second executions late in a job. */
#include "farm_script.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void scheduler__serves_higher_priority_first(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    task_spec specs[] = {{.cost = 10}, {.cost = 10}};
    uint32_t low = farm_submit(&farm, -5, 1);
    farm_extend(&farm, low, 2, specs);
    uint32_t high = farm_submit(&farm, 5, 1);
    farm_extend(&farm, high, 2, specs);
    farm_hello(&farm, 1, 3);
    assert_int_equal(farm_assigned(&farm, 0).job, high);
    assert_int_equal(farm_assigned(&farm, 1).job, high);
    assert_int_equal(farm_assigned(&farm, 2).job, low);
    farm_script_deinit(&farm);
}

static void scheduler__begins_nothing_of_a_held_job(void **unused)
{
    (void)unused;
    farm_script farm;
    uint32_t job = farm_begin(&farm, 3, 1);
    attempt first = farm_assigned(&farm, 0);
    assert_int_equal(farm_job_event(&farm, EVENT_JOB_HOLD, job), STATUS_OK);
    assert_true(farm_job(&farm, job).held);
    assert_int_equal(farm_job_event(&farm, EVENT_JOB_HOLD, job), STATUS_OK);
    assert_int_equal(farm.out.fact_count, 0); /* asking twice changes nothing */
    assert_int_equal(farm_result(&farm, 1, first, STATUS_OK), STATUS_OK);
    assert_int_equal(farm_count(&farm, COMMAND_ASSIGN), 0);
    assert_int_equal(farm_job(&farm, job).by_state[TASK_DONE], 1); /* what ran went on */
    farm_script_restart(&farm);
    farm_hello(&farm, 2, 1);
    assert_int_equal(farm_count(&farm, COMMAND_ASSIGN), 0); /* the journal remembers */
    assert_int_equal(farm_job_event(&farm, EVENT_JOB_RELEASE, job), STATUS_OK);
    assert_int_equal(farm_count(&farm, COMMAND_ASSIGN), 1);
    assert_false(farm_job(&farm, job).held);
    assert_int_equal(farm_job_event(&farm, EVENT_JOB_HOLD, job), STATUS_OK);
    assert_int_equal(farm_job_event(&farm, EVENT_JOB_CANCEL, job), STATUS_OK);
    assert_false(farm_job(&farm, job).held); /* or what undoes it would wait */
    assert_int_equal(farm_job_event(&farm, EVENT_JOB_HOLD, job), STATUS_CANCELLED);
    assert_int_equal(farm_job_event(&farm, EVENT_JOB_HOLD, job + 1), STATUS_INPUT_MISSING);
    farm_script_deinit(&farm);
}

static void scheduler__serves_by_the_priority_that_a_job_has_now(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    uint32_t first = farm_job_of(&farm, 2);
    uint32_t second = farm_job_of(&farm, 2);
    scheduler_event raise = {.type = EVENT_JOB_PRIORITY, .priority = {.job = second, .priority = 3}};
    assert_int_equal(farm_script_step(&farm, &raise), STATUS_OK);
    assert_int_equal(farm_script_step(&farm, &raise), STATUS_OK);
    assert_int_equal(farm.out.fact_count, 0);
    assert_int_equal(farm_job(&farm, second).priority, 3);
    farm_script_restart(&farm);
    farm_hello(&farm, 1, 3);
    assert_int_equal(farm_assigned(&farm, 0).job, second);
    assert_int_equal(farm_assigned(&farm, 1).job, second);
    assert_int_equal(farm_assigned(&farm, 2).job, first);
    raise.priority.job = second + 1;
    assert_int_equal(farm_script_step(&farm, &raise), STATUS_INPUT_MISSING);
    farm_script_deinit(&farm);
}

static void scheduler__shares_slots_between_shows_by_cost(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    task_spec light[12];
    task_spec heavy[12];
    for (int i = 0; i < 12; i++) {
        light[i] = (task_spec){.cost = 100, .affinity = UINT16_MAX};
        heavy[i] = (task_spec){.cost = 300, .affinity = UINT16_MAX};
    }
    uint32_t a = farm_submit(&farm, 0, 111); /* two jobs of one show do not count twice */
    uint32_t b = farm_submit(&farm, 0, 222);
    uint32_t c = farm_submit(&farm, 0, 111);
    farm_extend(&farm, a, 12, light);
    farm_extend(&farm, b, 12, heavy);
    farm_extend(&farm, c, 12, light);
    farm_hello(&farm, 1, 8);
    uint32_t of_b = 0;
    for (uint32_t i = 0; i < 8; i++)
        of_b += farm_assigned(&farm, i).job == b;
    assert_int_equal(of_b, 2); /* 2 x 300 against 6 x 100 */
    assert_int_equal(farm_job(&farm, a).by_state[TASK_RUNNING], 6);
    farm_script_deinit(&farm);
}

static void scheduler__keeps_a_worker_on_its_reel(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    uint32_t job = farm_submit(&farm, 0, 1);
    task_spec specs[8];
    for (uint32_t i = 0; i < 8; i++)
        specs[i] = (task_spec){.cost = 100, .affinity = i < 4 ? 0 : 1};
    farm_extend(&farm, job, 8, specs);
    farm_hello(&farm, 1, 1);
    assert_int_equal(farm_running(&farm, job, 0).epoch, 1);
    farm_hello(&farm, 2, 1);
    farm_hello(&farm, 3, 2);
    /* 1 has task 0, 2 has 1, 3 has 2 and 3: reel 0 is given out. Whoever goes to reel 1 stays there. */
    farm_result(&farm, 2, farm_running(&farm, job, 1), STATUS_OK);
    assert_int_equal(farm_assigned(&farm, 0).task, 4);
    farm_job_event(&farm, EVENT_JOB_CANCEL, job);
    farm_script_deinit(&farm);
}

static void scheduler__picks_the_free_worker_that_read_the_reel(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    uint32_t job = farm_submit(&farm, 0, 1);
    task_spec first[] = {{.cost = 100, .affinity = 3}, {.cost = 100, .affinity = 4}};
    static const uint32_t wait_1[] = {1};
    task_spec second[] = {{.cost = 100, .affinity = 4, .wait_count = 1, .waits = wait_1}};
    farm_extend(&farm, job, 2, first);
    farm_extend(&farm, job, 1, second);
    farm_hello(&farm, 1, 1);
    farm_hello(&farm, 2, 1);
    farm_result(&farm, 1, farm_running(&farm, job, 0), STATUS_OK);
    farm_result(&farm, 2, farm_running(&farm, job, 1), STATUS_OK);
    assert_int_equal(farm_command(&farm, COMMAND_ASSIGN, 0).worker, 2); /* though 1 comes first by number */
    farm_script_deinit(&farm);
}

static void scheduler__begins_deep_tasks_before_wide_ones(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    uint32_t job = farm_submit(&farm, 0, 1);
    static const uint32_t wait_0[] = {0};
    task_spec specs[] = {{.cost = 100}, {.cost = 100}, {.cost = 1, .wait_count = 1, .waits = wait_0}};
    farm_extend(&farm, job, 3, specs);
    farm_hello(&farm, 1, 1);
    farm_result(&farm, 1, farm_assigned(&farm, 0), STATUS_OK);
    assert_int_equal(farm_assigned(&farm, 0).task, 2);
    farm_script_deinit(&farm);
}

/* A job of four render-like tasks with one straggler on worker 2; three are done. */
static uint32_t straggler_begin(farm_script *farm, bool spare)
{
    uint32_t job = farm_submit(farm, 0, 1);
    task_spec specs[4];
    for (int i = 0; i < 4; i++)
        specs[i] = (task_spec){.cost = 1000, .affinity = UINT16_MAX, .spare = spare};
    farm_extend(farm, job, 4, specs);
    farm_hello(farm, 1, 3);
    farm_hello(farm, 2, 1);
    attempt slow = farm_running(farm, job, 3);
    assert_int_equal(farm_task(farm, job, 3).worker, 2);
    farm_wait(farm, 1000);
    farm_heartbeat(farm, 2, &slow, 1);
    for (uint32_t task = 0; task < 3; task++)
        farm_result(farm, 1, farm_running(farm, job, task), STATUS_OK);
    return job;
}

static void scheduler__runs_a_straggler_a_second_time_and_takes_the_first_result(void **unused)
{
    (void)unused;
    for (int winner = 0; winner < 2; winner++) {
        farm_script farm;
        farm_script_init(&farm, NULL);
        uint32_t job = straggler_begin(&farm, true);
        attempt slow = farm_running(&farm, job, 3);
        farm_wait(&farm, 900); /* 1.9 of 1.5 + 0.5 expected seconds */
        assert_int_equal(farm_running(&farm, job, 3).epoch, slow.epoch);
        farm_wait(&farm, 600);
        attempt spare = farm_running(&farm, job, 3);
        assert_int_equal(spare.epoch, slow.epoch + 1);
        attempt fast = winner == 0 ? spare : slow;
        attempt late = winner == 0 ? slow : spare;
        uint32_t fast_worker = winner == 0 ? 1 : 2;
        farm_wait(&farm, 1000);
        assert_int_equal(farm_running(&farm, job, 3).epoch, spare.epoch); /* once, not again */
        farm_result(&farm, fast_worker, fast, STATUS_OK);
        assert_int_equal(farm_task(&farm, job, 3).state, TASK_DONE);
        assert_int_equal(farm_task(&farm, job, 3).epoch, fast.epoch);
        assert_int_equal(farm_task(&farm, job, 3).begun, spare.epoch); /* whoever counted */
        assert_int_equal(farm_command(&farm, COMMAND_CANCEL_ATTEMPT, 0).attempt.epoch, late.epoch);
        assert_int_equal(farm_count(&farm, COMMAND_JOB_ENDED), 1);
        farm_result(&farm, fast_worker, fast, STATUS_OK); /* the winner again: its cells stay */
        assert_int_equal(farm_count(&farm, COMMAND_RESULT_REFUSED), 0);
        farm_result(&farm, 3 - fast_worker, late, STATUS_OK); /* the loser was quicker than the word to stop */
        assert_int_equal(farm_count(&farm, COMMAND_RESULT_REFUSED), 1);
        assert_int_equal(farm_count(&farm, COMMAND_ACK_RESULT), 1);
        worker_view view;
        assert_true(scheduler_worker_view(farm.core, 3 - fast_worker, &view));
        assert_int_equal(view.running, 0);
        farm_script_deinit(&farm);
    }
}

static void scheduler__begins_nothing_while_a_loser_still_writes(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    uint32_t job = straggler_begin(&farm, true);
    static const uint32_t wait_3[] = {3};
    task_spec seal = {.cost = 10, .affinity = UINT16_MAX, .wait_count = 1, .waits = wait_3};
    attempt slow = farm_running(&farm, job, 3);
    assert_int_equal(farm_extend(&farm, job, 1, &seal), STATUS_OK);
    farm_wait(&farm, 1500);
    farm_result(&farm, 1, farm_running(&farm, job, 3), STATUS_OK);
    assert_int_equal(farm_count(&farm, COMMAND_CANCEL_ATTEMPT), 1);
    assert_int_equal(farm_task(&farm, job, 4).state, TASK_READY);
    farm_heartbeat(&farm, 1, NULL, 0);
    assert_int_equal(farm_task(&farm, job, 4).state, TASK_READY);
    farm_result(&farm, 2, slow, STATUS_CANCELLED); /* its executor is dead */
    assert_int_equal(farm_assigned(&farm, 0).task, 4);
    farm_script_deinit(&farm);
}

static void scheduler__goes_on_with_one_attempt_when_the_other_fails(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    uint32_t job = straggler_begin(&farm, true);
    attempt slow = farm_running(&farm, job, 3);
    farm_wait(&farm, 1500);
    attempt spare = farm_running(&farm, job, 3);
    farm_result(&farm, 1, spare, STATUS_NODE_CRASHED);
    assert_int_equal(farm_task(&farm, job, 3).state, TASK_RUNNING);
    assert_int_equal(farm_task(&farm, job, 3).attempts_failed, 1);
    farm_result(&farm, 2, slow, STATUS_OK);
    assert_int_equal(farm_task(&farm, job, 3).state, TASK_DONE);
    farm_script_deinit(&farm);
}

static void scheduler__never_runs_twice_what_was_not_allowed_to(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    uint32_t job = straggler_begin(&farm, false);
    attempt slow = farm_running(&farm, job, 3);
    for (int i = 0; i < 20; i++) {
        farm_wait(&farm, 2000);
        farm_heartbeat(&farm, 2, &slow, 1);
        farm_heartbeat(&farm, 1, NULL, 0);
    }
    assert_int_equal(farm_running(&farm, job, 3).epoch, slow.epoch);
    farm_script_deinit(&farm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scheduler__serves_higher_priority_first),
        cmocka_unit_test(scheduler__begins_nothing_of_a_held_job),
        cmocka_unit_test(scheduler__serves_by_the_priority_that_a_job_has_now),
        cmocka_unit_test(scheduler__shares_slots_between_shows_by_cost),
        cmocka_unit_test(scheduler__keeps_a_worker_on_its_reel),
        cmocka_unit_test(scheduler__picks_the_free_worker_that_read_the_reel),
        cmocka_unit_test(scheduler__begins_deep_tasks_before_wide_ones),
        cmocka_unit_test(scheduler__runs_a_straggler_a_second_time_and_takes_the_first_result),
        cmocka_unit_test(scheduler__begins_nothing_while_a_loser_still_writes),
        cmocka_unit_test(scheduler__goes_on_with_one_attempt_when_the_other_fails),
        cmocka_unit_test(scheduler__never_runs_twice_what_was_not_allowed_to),
    };
    return cmocka_run_group_tests_name("scheduler order", tests, NULL, NULL);
}
