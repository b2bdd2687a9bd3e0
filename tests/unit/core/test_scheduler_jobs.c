/* Jobs: what waits for what, what ends how, cancel, retry. */
#include "farm_script.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define COUNT_OF(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))
static const uint32_t wait_0[] = {0};
static const uint32_t wait_1[] = {1};
static const uint32_t wait_01[] = {0, 1};
static const uint32_t wait_12[] = {1, 2};

static void scheduler__accepts_a_job_once_its_fact_is_durable(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    farm_submit(&farm, 0, 1);
    assert_int_equal(farm.out.fact_count, 1);
    assert_int_equal(farm_command(&farm, COMMAND_JOB_ACCEPTED, 0).fact_sequence, 1);
    farm_script_deinit(&farm);
}

static void scheduler__refuses_a_job_number_that_does_not_rise(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    farm_submit(&farm, 0, 1);
    scheduler_event event = {.type = EVENT_JOB_SUBMITTED, .submitted = {.job = 1}};
    assert_int_equal(farm_script_step(&farm, &event), STATUS_PEER_IMPOSSIBLE);
    assert_int_equal(farm.out.fact_count, 0);
    farm_script_deinit(&farm);
}

static void scheduler__refuses_waits_that_do_not_point_back(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    uint32_t job = farm_submit(&farm, 0, 1);
    task_spec specs[] = {{.wait_count = 1, .waits = wait_0}};
    assert_int_equal(farm_extend(&farm, job, 1, specs), STATUS_PEER_IMPOSSIBLE);
    assert_int_equal(farm_job(&farm, job).task_count, 0);
    farm_script_deinit(&farm);
}

static void scheduler__runs_tasks_when_all_they_wait_for_is_done(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    farm_hello(&farm, 7, 4);
    uint32_t job = farm_submit(&farm, 0, 1);
    task_spec specs[] = {{.cost = 10}, {.cost = 10}, {.cost = 10, .wait_count = 2, .waits = wait_01}};
    assert_int_equal(farm_extend(&farm, job, COUNT_OF(specs), specs), STATUS_OK);
    assert_int_equal(farm_count(&farm, COMMAND_ASSIGN), 2);
    attempt first = farm_assigned(&farm, 0);
    attempt second = farm_assigned(&farm, 1);
    farm_result(&farm, 7, first, STATUS_OK);
    assert_int_equal(farm_count(&farm, COMMAND_ASSIGN), 0);
    assert_int_equal(farm_count(&farm, COMMAND_ACK_RESULT), 1);
    farm_result(&farm, 7, second, STATUS_OK);
    assert_int_equal(farm_assigned(&farm, 0).task, 2);
    farm_result(&farm, 7, farm_assigned(&farm, 0), STATUS_OK);
    assert_int_equal(farm_command(&farm, COMMAND_JOB_ENDED, 0).value, 0);
    assert_int_equal(farm_job(&farm, job).state, JOB_ENDED);
    assert_true(farm_job(&farm, job).cost_done == 30);
    farm_script_deinit(&farm);
}

static void scheduler__lets_a_second_extension_wait_for_the_first(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    farm_hello(&farm, 7, 1);
    uint32_t job = farm_submit(&farm, 0, 1);
    task_spec probe[] = {{.cost = 10}, {.local = true, .cost = 1, .wait_count = 1, .waits = wait_0}};
    assert_int_equal(farm_extend(&farm, job, COUNT_OF(probe), probe), STATUS_OK);
    farm_result(&farm, 7, farm_assigned(&farm, 0), STATUS_OK);
    assert_int_equal(farm_command(&farm, COMMAND_ASSIGN, 0).worker, SCHEDULER_LOCAL);
    attempt plan = farm_assigned(&farm, 0);
    static const uint32_t wait_2[] = {2};
    task_spec more[] = {{.cost = 5, .wait_count = 2, .waits = wait_01}, {.cost = 5, .wait_count = 1, .waits = wait_2}};
    assert_int_equal(farm_extend(&farm, job, COUNT_OF(more), more), STATUS_OK);
    assert_int_equal(farm_count(&farm, COMMAND_ASSIGN), 0);
    farm_result(&farm, SCHEDULER_LOCAL, plan, STATUS_OK);
    assert_int_equal(farm_assigned(&farm, 0).task, 2);
    farm_result(&farm, 7, farm_assigned(&farm, 0), STATUS_OK);
    farm_result(&farm, 7, farm_assigned(&farm, 0), STATUS_OK);
    assert_int_equal(farm_count(&farm, COMMAND_JOB_ENDED), 1);
    farm_script_deinit(&farm);
}

static void scheduler__skips_what_waits_for_a_failed_task_and_goes_on_with_the_rest(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    farm_hello(&farm, 7, 2);
    uint32_t job = farm_submit(&farm, 0, 1);
    static const uint32_t wait_all[] = {0, 1, 2, 3};
    task_spec specs[] = {{.cost = 10},
                         {.cost = 10},
                         {.cost = 10, .wait_count = 1, .waits = wait_0},
                         {.cost = 10, .wait_count = 2, .waits = wait_12},
                         {.cost = 10, .even_if_failed = true, .wait_count = 4, .waits = wait_all}};
    assert_int_equal(farm_extend(&farm, job, COUNT_OF(specs), specs), STATUS_OK);
    farm_result(&farm, 7, farm_running(&farm, job, 0), STATUS_INPUT_TRUNCATED);
    assert_int_equal(farm_count(&farm, COMMAND_TASK_FINAL), 3);
    assert_int_equal(farm_task(&farm, job, 2).state, TASK_SKIPPED);
    assert_int_equal(farm_task(&farm, job, 3).state, TASK_SKIPPED);
    assert_int_equal(farm_task(&farm, job, 3).last_code, STATUS_INPUT_TRUNCATED);
    farm_result(&farm, 7, farm_running(&farm, job, 1), STATUS_OK);
    assert_int_equal(farm_assigned(&farm, 0).task, 4);
    farm_result(&farm, 7, farm_assigned(&farm, 0), STATUS_OK);
    scheduler_command ended = farm_command(&farm, COMMAND_JOB_ENDED, 0);
    assert_int_equal(ended.value, 1);
    assert_int_equal(ended.code, STATUS_INPUT_TRUNCATED);
    farm_script_deinit(&farm);
}

static void scheduler__cancels_waiting_tasks_at_once_and_running_ones_when_they_answer(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    farm_hello(&farm, 7, 1);
    uint32_t job = farm_submit(&farm, 0, 1);
    static const uint32_t wait_012[] = {0, 1, 2};
    task_spec specs[] = {{.cost = 10},
                         {.cost = 10},
                         {.cost = 10, .even_if_failed = true, .wait_count = 2, .waits = wait_01},
                         {.cost = 10, .even_if_cancelled = true, .wait_count = 3, .waits = wait_012}};
    assert_int_equal(farm_extend(&farm, job, COUNT_OF(specs), specs), STATUS_OK);
    attempt running = farm_assigned(&farm, 0);
    farm_job_event(&farm, EVENT_JOB_CANCEL, job);
    assert_int_equal(farm_command(&farm, COMMAND_CANCEL_ATTEMPT, 0).worker, 7);
    assert_int_equal(farm_task(&farm, job, 1).state, TASK_CANCELLED);
    assert_int_equal(farm_task(&farm, job, 2).state, TASK_CANCELLED);
    assert_int_equal(farm_task(&farm, job, 0).state, TASK_RUNNING);
    assert_int_equal(farm_job(&farm, job).state, JOB_CANCELLING);
    /* The word to stop may be lost: it is repeated as long as the worker names the attempt. */
    farm_heartbeat(&farm, 7, &running, 1);
    assert_int_equal(farm_count(&farm, COMMAND_CANCEL_ATTEMPT), 1);
    farm_result(&farm, 7, running, STATUS_CANCELLED);
    assert_int_equal(farm_assigned(&farm, 0).task, 3); /* what undoes still runs */
    farm_result(&farm, 7, farm_assigned(&farm, 0), STATUS_OK);
    scheduler_command ended = farm_command(&farm, COMMAND_JOB_ENDED, 0);
    assert_int_equal(ended.value, 0);
    assert_int_equal(ended.code, STATUS_CANCELLED);
    assert_int_equal(farm_job_event(&farm, EVENT_JOB_CANCEL, job), STATUS_OK);
    farm_script_deinit(&farm);
}

static void scheduler__ends_a_job_that_is_cancelled_before_it_has_tasks(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    uint32_t job = farm_submit(&farm, 0, 1);
    farm_job_event(&farm, EVENT_JOB_CANCEL, job);
    assert_int_equal(farm_count(&farm, COMMAND_JOB_ENDED), 1);
    task_spec spec = {.cost = 1};
    assert_int_equal(farm_extend(&farm, job, 1, &spec), STATUS_PEER_IMPOSSIBLE);
    farm_script_deinit(&farm);
}

static void scheduler__keeps_a_result_that_came_before_the_cancel_was_heard(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    farm_hello(&farm, 7, 1);
    uint32_t job = farm_job_of(&farm, 1);
    attempt running = farm_assigned(&farm, 0);
    farm_job_event(&farm, EVENT_JOB_CANCEL, job);
    farm_result(&farm, 7, running, STATUS_OK);
    assert_int_equal(farm_task(&farm, job, 0).state, TASK_DONE);
    assert_int_equal(farm_count(&farm, COMMAND_JOB_ENDED), 1);
    farm_script_deinit(&farm);
}

static void scheduler__retries_what_failed_and_what_rests_on_it(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    farm_hello(&farm, 7, 2);
    uint32_t job = farm_submit(&farm, 0, 1);
    static const uint32_t wait_2[] = {2};
    task_spec specs[] = {{.cost = 10},
                         {.cost = 10, .wait_count = 1, .waits = wait_0},
                         {.cost = 10, .even_if_failed = true, .wait_count = 1, .waits = wait_1},
                         {.cost = 10, .wait_count = 1, .waits = wait_2}};
    assert_int_equal(farm_extend(&farm, job, COUNT_OF(specs), specs), STATUS_OK);
    farm_result(&farm, 7, farm_assigned(&farm, 0), STATUS_OK);
    farm_result(&farm, 7, farm_assigned(&farm, 0), STATUS_INPUT_MISSING); /* task 1 */
    farm_result(&farm, 7, farm_assigned(&farm, 0), STATUS_OK);            /* the report */
    assert_int_equal(farm_job_event(&farm, EVENT_JOB_RETRY, job), STATUS_AGAIN);
    farm_result(&farm, 7, farm_running(&farm, job, 3), STATUS_OK); /* what files it */
    assert_int_equal(farm_job(&farm, job).state, JOB_ENDED);
    uint32_t epoch = farm_task(&farm, job, 1).epoch;
    assert_int_equal(farm_job_event(&farm, EVENT_JOB_RETRY, job), STATUS_OK);
    assert_int_equal(farm_task(&farm, job, 0).state, TASK_DONE);
    assert_int_equal(farm_assigned(&farm, 0).task, 1);
    assert_int_equal(farm_assigned(&farm, 0).epoch, epoch + 1);
    assert_int_equal(farm_task(&farm, job, 2).state, TASK_WAITING);
    assert_int_equal(farm_task(&farm, job, 3).state, TASK_WAITING);
    farm_result(&farm, 7, farm_assigned(&farm, 0), STATUS_OK);
    farm_result(&farm, 7, farm_assigned(&farm, 0), STATUS_OK);
    farm_result(&farm, 7, farm_assigned(&farm, 0), STATUS_OK);
    assert_int_equal(farm_command(&farm, COMMAND_JOB_ENDED, 0).value, 0);
    assert_int_equal(farm_job_event(&farm, EVENT_JOB_RETRY, job), STATUS_INPUT_INVALID);
    farm_script_deinit(&farm);
}

static void scheduler__retries_what_a_discard_has_undone(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    farm_hello(&farm, 7, 1);
    uint32_t job = farm_submit(&farm, 0, 1);
    task_spec specs[] = {{.cost = 10},                                        /* probe */
                         {.cost = 10, .wait_count = 1, .waits = wait_0},      /* allocate */
                         {.cost = 10, .wait_count = 1, .waits = wait_1},      /* render */
                         {.cost = 10, .even_if_cancelled = true, .wait_count = 2, .waits = wait_12}};
    assert_int_equal(farm_extend(&farm, job, COUNT_OF(specs), specs), STATUS_OK);
    farm_result(&farm, 7, farm_assigned(&farm, 0), STATUS_OK);
    farm_result(&farm, 7, farm_assigned(&farm, 0), STATUS_OK);
    attempt render = farm_assigned(&farm, 0);
    farm_job_event(&farm, EVENT_JOB_CANCEL, job);
    farm_result(&farm, 7, render, STATUS_CANCELLED);
    farm_result(&farm, 7, farm_assigned(&farm, 0), STATUS_OK);
    assert_int_equal(farm_job(&farm, job).state, JOB_ENDED);
    assert_int_equal(farm_job_event(&farm, EVENT_JOB_RETRY, job), STATUS_OK);
    assert_int_equal(farm_task(&farm, job, 0).state, TASK_DONE);
    assert_int_equal(farm_assigned(&farm, 0).task, 1); /* allocated again, its file was removed */
    assert_int_equal(farm_task(&farm, job, 2).state, TASK_WAITING);
    assert_int_equal(farm_task(&farm, job, 3).state, TASK_WAITING);
    farm_script_deinit(&farm);
}

/* Two deliverables of one render and a third by itself; the second one's publish fails. */
static void scheduler__leaves_done_what_shares_nothing_with_the_failure(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    farm_hello(&farm, 7, 1);
    uint32_t job = farm_submit(&farm, 0, 1);
    enum { PROBE, MAKE_A, MAKE_B, MAKE_C, RENDER_AB, RENDER_C, OUT_A, OUT_B, OUT_C, UNDO_A, UNDO_B, UNDO_C, REPORT };
    enum { TASKS = REPORT + 1 };
    static const uint32_t probe[] = {PROBE};
    static const uint32_t ab[] = {MAKE_A, MAKE_B};
    static const uint32_t c[] = {MAKE_C};
    static const uint32_t render_ab[] = {RENDER_AB};
    static const uint32_t render_c[] = {RENDER_C};
    static const uint32_t all_a[] = {MAKE_A, RENDER_AB, OUT_A};
    static const uint32_t all_b[] = {MAKE_B, RENDER_AB, OUT_B};
    static const uint32_t all_c[] = {MAKE_C, RENDER_C, OUT_C};
    static const uint32_t everything[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    task_spec specs[TASKS] = {
        [PROBE] = {.cost = 1},
        [MAKE_A] = {.wait_count = 1, .waits = probe},
        [MAKE_B] = {.wait_count = 1, .waits = probe},
        [MAKE_C] = {.wait_count = 1, .waits = probe},
        [RENDER_AB] = {.wait_count = 2, .waits = ab},
        [RENDER_C] = {.wait_count = 1, .waits = c},
        [OUT_A] = {.wait_count = 1, .waits = render_ab},
        [OUT_B] = {.wait_count = 1, .waits = render_ab},
        [OUT_C] = {.wait_count = 1, .waits = render_c},
        [UNDO_A] = {.even_if_cancelled = true, .wait_count = 3, .waits = all_a},
        [UNDO_B] = {.even_if_cancelled = true, .wait_count = 3, .waits = all_b},
        [UNDO_C] = {.even_if_cancelled = true, .wait_count = 3, .waits = all_c},
        [REPORT] = {.even_if_failed = true, .wait_count = 12, .waits = everything},
    };
    assert_int_equal(farm_extend(&farm, job, TASKS, specs), STATUS_OK);
    while (farm_job(&farm, job).state == JOB_RUNNING) {
        attempt running = farm_assigned(&farm, 0);
        farm_result(&farm, 7, running, running.task == OUT_B ? STATUS_INPUT_CONFLICT : STATUS_OK);
    }
    assert_int_equal(farm_job(&farm, job).by_state[TASK_FAILED], 1);
    assert_int_equal(farm_job_event(&farm, EVENT_JOB_RETRY, job), STATUS_OK);
    static const uint32_t stays[] = {PROBE, MAKE_C, RENDER_C, OUT_C, UNDO_C};
    for (uint32_t i = 0; i < COUNT_OF(stays); i++)
        assert_int_equal(farm_task(&farm, job, stays[i]).state, TASK_DONE);
    assert_int_equal(farm_job(&farm, job).by_state[TASK_DONE], COUNT_OF(stays));
    while (farm_job(&farm, job).state == JOB_RUNNING)
        farm_result(&farm, 7, farm_assigned(&farm, 0), STATUS_OK);
    assert_int_equal(farm_job(&farm, job).by_state[TASK_DONE], TASKS);
    farm_script_deinit(&farm);
}

static void scheduler__forgets_an_ended_job_only(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    farm_hello(&farm, 7, 1);
    uint32_t job = farm_job_of(&farm, 1);
    attempt running = farm_assigned(&farm, 0);
    assert_int_equal(farm_job_event(&farm, EVENT_JOB_FORGET, job), STATUS_AGAIN);
    farm_result(&farm, 7, running, STATUS_OK);
    assert_int_equal(farm_job_event(&farm, EVENT_JOB_FORGET, job), STATUS_OK);
    job_view view;
    assert_false(scheduler_job_view(farm.core, job, &view));
    /* A result that comes again is not mistaken for anything. */
    farm_result(&farm, 7, running, STATUS_OK);
    assert_int_equal(farm_count(&farm, COMMAND_RESULT_REFUSED), 1);
    assert_int_equal(farm_count(&farm, COMMAND_ACK_RESULT), 1);
    farm_script_deinit(&farm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scheduler__accepts_a_job_once_its_fact_is_durable),
        cmocka_unit_test(scheduler__refuses_a_job_number_that_does_not_rise),
        cmocka_unit_test(scheduler__refuses_waits_that_do_not_point_back),
        cmocka_unit_test(scheduler__runs_tasks_when_all_they_wait_for_is_done),
        cmocka_unit_test(scheduler__lets_a_second_extension_wait_for_the_first),
        cmocka_unit_test(scheduler__skips_what_waits_for_a_failed_task_and_goes_on_with_the_rest),
        cmocka_unit_test(scheduler__cancels_waiting_tasks_at_once_and_running_ones_when_they_answer),
        cmocka_unit_test(scheduler__ends_a_job_that_is_cancelled_before_it_has_tasks),
        cmocka_unit_test(scheduler__keeps_a_result_that_came_before_the_cancel_was_heard),
        cmocka_unit_test(scheduler__retries_what_failed_and_what_rests_on_it),
        cmocka_unit_test(scheduler__retries_what_a_discard_has_undone),
        cmocka_unit_test(scheduler__leaves_done_what_shares_nothing_with_the_failure),
        cmocka_unit_test(scheduler__forgets_an_ended_job_only),
    };
    return cmocka_run_group_tests_name("scheduler jobs", tests, NULL, NULL);
}
