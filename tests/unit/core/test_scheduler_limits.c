/* How much may run at once, and what a deadline changes. */
#include "farm_script.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { SHOW_A = 1, SHOW_B = 2, ROOT = 100, OTHER_ROOT = 101 };

static const task_spec six[6] = {{.cost = 1000}, {.cost = 1000}, {.cost = 1000}, {.cost = 1000}, {.cost = 1000}, {.cost = 1000}};

static uint32_t submit_six(farm_script *farm, uint64_t show, job_terms terms)
{
    farm->terms[farm->next_job] = terms;
    uint32_t job = farm_submit(farm, 0, show);
    assert_int_equal(farm_extend(farm, job, 6, six), STATUS_OK);
    return job;
}

static uint32_t running(const farm_script *farm, uint32_t job)
{
    return farm_job(farm, job).by_state[TASK_RUNNING];
}

static void scheduler__keeps_to_the_limit_of_a_show_across_its_jobs(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    farm_limit(&farm, SHOW_A, 3);
    uint32_t first = submit_six(&farm, SHOW_A, (job_terms){0});
    uint32_t second = submit_six(&farm, SHOW_A, (job_terms){0});
    uint32_t other = submit_six(&farm, SHOW_B, (job_terms){0});
    farm_hello(&farm, 1, 20);
    assert_int_equal(running(&farm, first) + running(&farm, second), 3);
    assert_int_equal(running(&farm, other), 6);
    job_view view = farm_job(&farm, second);
    assert_int_equal(view.limit, JOB_LIMIT_SHOW);
    assert_int_equal(view.limit_running, 3);
    assert_int_equal(view.limit_most, 3);
    assert_int_equal(farm_job(&farm, other).limit, JOB_LIMIT_NONE);
    assert_int_equal(farm_result(&farm, 1, farm_running(&farm, first, 0), STATUS_OK), STATUS_OK);
    assert_int_equal(farm_count(&farm, COMMAND_ASSIGN), 1); /* one is over, one begins */
    assert_int_equal(running(&farm, first) + running(&farm, second), 3);
    farm_script_restart(&farm); /* what runs counts as before */
    farm_hello(&farm, 2, 20);
    assert_int_equal(running(&farm, first) + running(&farm, second), 3);
    farm_script_deinit(&farm);
}

static void scheduler__keeps_to_the_limit_of_a_root_that_shows_share(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    farm_limit(&farm, ROOT, 4);
    uint32_t reads = submit_six(&farm, SHOW_A, (job_terms){.roots = {ROOT, OTHER_ROOT}});
    uint32_t writes = submit_six(&farm, SHOW_B, (job_terms){.roots = {OTHER_ROOT, ROOT}});
    uint32_t both = submit_six(&farm, SHOW_B, (job_terms){.roots = {ROOT, ROOT}}); /* counted once */
    uint32_t neither = submit_six(&farm, SHOW_B, (job_terms){.roots = {OTHER_ROOT, 0}});
    farm_hello(&farm, 1, 30);
    assert_int_equal(running(&farm, reads) + running(&farm, writes) + running(&farm, both), 4);
    assert_int_equal(running(&farm, neither), 6);
    assert_int_equal(farm_job(&farm, reads).limit, JOB_LIMIT_ROOT);
    assert_int_equal(farm_job(&farm, writes).limit, JOB_LIMIT_ROOT + 1);
    farm_script_deinit(&farm);
}

static void scheduler__begins_at_once_what_a_higher_limit_allows(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    farm_limit(&farm, SHOW_A, 1);
    uint32_t job = submit_six(&farm, SHOW_A, (job_terms){0});
    farm_hello(&farm, 1, 10);
    assert_int_equal(running(&farm, job), 1);
    farm_limit(&farm, SHOW_A, 4);
    assert_true(scheduler_next_deadline_ms(farm.core) <= farm.now_ms);
    farm_wait(&farm, 0);
    assert_int_equal(running(&farm, job), 4);
    farm_limit(&farm, SHOW_A, 2); /* takes nothing back, but nothing begins until one may */
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(farm_result(&farm, 1, farm_running(&farm, job, i), STATUS_OK), STATUS_OK);
        assert_int_equal(farm_count(&farm, COMMAND_ASSIGN), 0);
    }
    assert_int_equal(farm_result(&farm, 1, farm_running(&farm, job, 2), STATUS_OK), STATUS_OK);
    assert_int_equal(farm_count(&farm, COMMAND_ASSIGN), 1);
    farm_limit(&farm, SHOW_A, 0);
    farm_wait(&farm, 0);
    assert_int_equal(running(&farm, job), 3);
    farm_script_deinit(&farm);
}

static void scheduler__has_no_more_of_a_job_at_once_than_it_asked_for(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    farm_hello(&farm, 1, 10);
    farm_hello(&farm, 2, 10);
    uint32_t job = submit_six(&farm, SHOW_A, (job_terms){.at_once = 2});
    assert_int_equal(running(&farm, job), 2);
    assert_int_equal(farm_job(&farm, job).limit, JOB_LIMIT_OWN);
    uint32_t worker = farm_task(&farm, job, 0).worker;
    assert_int_equal(farm_result(&farm, worker, farm_running(&farm, job, 0), STATUS_STORAGE_IO), STATUS_OK);
    assert_int_equal(running(&farm, job), 2); /* the one that failed waits, another runs */
    farm_script_deinit(&farm);
}

static void scheduler__serves_the_earliest_deadline_of_a_priority_first(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    uint32_t late = submit_six(&farm, SHOW_A, (job_terms){.deadline = 2000});
    uint32_t early = submit_six(&farm, SHOW_B, (job_terms){.deadline = 1000});
    farm_hello(&farm, 1, 6);
    assert_int_equal(running(&farm, early), 6);
    farm_hello(&farm, 2, 3);
    assert_int_equal(running(&farm, late), 3);
    farm_script_deinit(&farm);
}

static void scheduler__gives_a_quarter_to_who_has_no_deadline(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    uint32_t none = submit_six(&farm, SHOW_A, (job_terms){0});
    uint32_t dated = submit_six(&farm, SHOW_A, (job_terms){.deadline = 1000});
    farm_hello(&farm, 1, 4);
    assert_int_equal(running(&farm, dated), 3); /* tasks of one cost: of four, */
    assert_int_equal(running(&farm, none), 1);  /* one */
    assert_int_equal(farm_assigned(&farm, 0).job, dated);
    farm_hello(&farm, 2, 4);
    assert_int_equal(running(&farm, none), 2);
    assert_int_equal(running(&farm, dated), 6);
    farm_script_deinit(&farm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scheduler__keeps_to_the_limit_of_a_show_across_its_jobs),
        cmocka_unit_test(scheduler__keeps_to_the_limit_of_a_root_that_shows_share),
        cmocka_unit_test(scheduler__begins_at_once_what_a_higher_limit_allows),
        cmocka_unit_test(scheduler__has_no_more_of_a_job_at_once_than_it_asked_for),
        cmocka_unit_test(scheduler__serves_the_earliest_deadline_of_a_priority_first),
        cmocka_unit_test(scheduler__gives_a_quarter_to_who_has_no_deadline),
    };
    return cmocka_run_group_tests_name("scheduler limits", tests, NULL, NULL);
}
