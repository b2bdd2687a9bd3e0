/* Workers: leases, heartbeats, adoption, late news, drain. */
#include "coordinator/core/worker_table.h"
#include "farm_script.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Worker 7 has one slot, and in it the only task of the only job. */
static attempt begin_with_one(farm_script *farm)
{
    farm_script_init(farm, NULL);
    farm_job_of(farm, 1);
    farm_hello(farm, 7, 1);
    return farm_assigned(farm, 0);
}

static void scheduler__gives_a_worker_no_more_than_its_slots(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    farm_job_of(&farm, 5);
    farm_hello(&farm, 7, 2);
    assert_int_equal(farm_count(&farm, COMMAND_ASSIGN), 2);
    farm_result(&farm, 7, farm_assigned(&farm, 0), STATUS_OK);
    assert_int_equal(farm_count(&farm, COMMAND_ASSIGN), 1);
    worker_view view;
    assert_true(scheduler_worker_view(farm.core, 7, &view));
    assert_int_equal(view.running, 2);
    assert_int_equal(view.tasks_done, 1);
    farm_script_deinit(&farm);
}

/* Those that rest are idle, so they stand before all others that are free; a rack that lost its mount is many of them. */
static void scheduler__many_that_rest_hide_nobody_who_can(void **unused)
{
    (void)unused;
    enum { RACK = 100, WHOLE = 10 };
    farm_script farm;
    scheduler_config config = farm_script_config();
    config.workers_max = RACK + WHOLE;
    farm_script_init(&farm, &config);
    uint32_t job = farm_job_of(&farm, 3 * RACK);
    for (uint32_t worker = 1; worker <= RACK; worker++) {
        farm_hello(&farm, worker, 1);
        farm_result(&farm, worker, farm_assigned(&farm, 0), STATUS_STORAGE_MISMATCH);
    }
    assert_int_equal(farm_job(&farm, job).by_state[TASK_RUNNING], 0);
    attempt given[WHOLE];
    for (uint32_t i = 0; i < WHOLE; i++) {
        farm_hello(&farm, RACK + 1 + i, 1);
        assert_int_equal(farm_command(&farm, COMMAND_ASSIGN, 0).worker, RACK + 1 + i);
        given[i] = farm_assigned(&farm, 0);
    }
    for (uint32_t i = 0; i < WHOLE; i++) {
        farm_result(&farm, RACK + 1 + i, given[i], STATUS_OK);
        assert_int_equal(farm_command(&farm, COMMAND_ASSIGN, 0).worker, RACK + 1 + i);
    }
    farm_script_deinit(&farm);
}

static void scheduler__sends_prefetch_beyond_the_slots(void **unused)
{
    (void)unused;
    farm_script farm;
    scheduler_config config = farm_script_config();
    config.prefetch = 1;
    farm_script_init(&farm, &config);
    farm_job_of(&farm, 5);
    farm_hello(&farm, 7, 2);
    assert_int_equal(farm_count(&farm, COMMAND_ASSIGN), 3);
    farm_script_deinit(&farm);
}

static void scheduler__releases_an_assignment_only_after_its_fact(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    farm_job_of(&farm, 1); /* facts 1 and 2 */
    farm_hello(&farm, 7, 1);
    assert_int_equal(farm.out.facts[0].type, FACT_TASK_ASSIGNED);
    assert_true(farm_command(&farm, COMMAND_ASSIGN, 0).fact_sequence == 3);
    farm_script_deinit(&farm);
}

static void scheduler__requeues_a_task_when_its_lease_runs_out(void **unused)
{
    (void)unused;
    farm_script farm;
    attempt lost = begin_with_one(&farm);
    farm_heartbeat(&farm, 7, &lost, 1);
    farm_hello(&farm, 8, 1);
    farm_wait(&farm, SCRIPT_LEASE_MS - 1);
    farm_hello(&farm, 8, 1); /* worker 8 is there, 7 is silent */
    assert_int_equal(farm_task(&farm, lost.job, 0).worker, 7);
    farm_wait(&farm, 1);
    assert_int_equal(farm_command(&farm, COMMAND_ASSIGN, 0).worker, 8);
    assert_int_equal(farm_assigned(&farm, 0).epoch, lost.epoch + 1);
    assert_int_equal(farm_task(&farm, lost.job, 0).last_code, STATUS_NODE_LOST);
    assert_int_equal(farm_task(&farm, lost.job, 0).attempts_failed, 0);
    /* The zombie wakes: its result does not count, and it is told to forget it. */
    farm_result(&farm, 7, lost, STATUS_OK);
    assert_int_equal(farm_count(&farm, COMMAND_RESULT_REFUSED), 1);
    assert_int_equal(farm_count(&farm, COMMAND_ACK_RESULT), 1);
    assert_int_equal(farm_task(&farm, lost.job, 0).state, TASK_RUNNING);
    farm_script_deinit(&farm);
}

static void scheduler__renews_leases_by_heartbeats_that_name_the_attempt(void **unused)
{
    (void)unused;
    farm_script farm;
    attempt running = begin_with_one(&farm);
    for (int i = 0; i < 20; i++) {
        farm_wait(&farm, SCRIPT_LEASE_MS / 2);
        farm_heartbeat(&farm, 7, &running, 1);
    }
    assert_int_equal(farm_task(&farm, running.job, 0).state, TASK_RUNNING);
    assert_int_equal(farm_task(&farm, running.job, 0).epoch, 1);
    farm_script_deinit(&farm);
}

static void scheduler__requeues_without_blame_what_two_heartbeats_name_no_more(void **unused)
{
    (void)unused;
    farm_script farm;
    attempt running = begin_with_one(&farm);
    farm_heartbeat(&farm, 7, &running, 1);
    farm_heartbeat(&farm, 7, NULL, 0);
    assert_int_equal(farm_task(&farm, running.job, 0).epoch, 1);
    farm_heartbeat(&farm, 7, NULL, 0);
    assert_int_equal(farm_task(&farm, running.job, 0).epoch, 2);
    assert_int_equal(farm_task(&farm, running.job, 0).attempts_failed, 0);
    assert_int_equal(farm_job(&farm, running.job).retries, 0);
    farm_script_deinit(&farm);
}

/* The ASSIGN may be on its way as long as no answer that left after it has reached the worker: 10 + 3 heartbeats. */
static void scheduler__requeues_without_blame_what_no_heartbeat_ever_names(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    uint32_t job = farm_job_of(&farm, 1);
    farm_hello(&farm, 7, 1);
    for (int beat = 1; beat <= 13; beat++) {
        assert_int_equal(farm_task(&farm, job, 0).epoch, 1);
        farm_wait(&farm, SCRIPT_LEASE_MS / 10);
        farm_heartbeat(&farm, 7, NULL, 0);
    }
    assert_int_equal(farm_task(&farm, job, 0).state, TASK_READY);
    farm_wait(&farm, WORKER_REST_BASE_MS); /* it is asked again after a rest, being the only one */
    assert_int_equal(farm_task(&farm, job, 0).epoch, 2);
    assert_int_equal(farm_job(&farm, job).retries, 0);
    farm_script_deinit(&farm);
}

/* Seed 79521 of the simulation: a worker that had missed a restart ignored every ASSIGN, and got each task again. */
static void scheduler__gives_what_a_deaf_worker_never_began_to_another(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    uint32_t job = farm_job_of(&farm, 1);
    farm_hello(&farm, 7, 1);
    farm_hello(&farm, 8, 1);
    for (int beat = 1; beat <= 13; beat++) {
        farm_wait(&farm, SCRIPT_LEASE_MS / 10);
        farm_heartbeat(&farm, 8, NULL, 0);
        farm_heartbeat(&farm, 7, NULL, 0);
    }
    assert_int_equal(farm_command(&farm, COMMAND_ASSIGN, 0).worker, 8);
    assert_int_equal(farm_job(&farm, job).retries, 0);
    farm_script_deinit(&farm);
}

/* A disk that takes longer than a lease: nothing is given up, and what is over by then is not sent. */
static void scheduler__begins_a_lease_when_its_command_is_released(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    farm_hello(&farm, 7, 1);
    farm.disk_is_slow = true;
    uint32_t job = farm_job_of(&farm, 1);
    scheduler_command assign = farm_command(&farm, COMMAND_ASSIGN, 0);
    for (int beat = 0; beat < 30; beat++) {
        farm_wait(&farm, SCRIPT_LEASE_MS / 10);
        farm_heartbeat(&farm, 7, NULL, 0);
    }
    assert_int_equal(farm_task(&farm, job, 0).epoch, 1);
    assert_true(scheduler_release(farm.core, farm.now_ms, &assign));
    farm_hello(&farm, 8, 1);
    farm_wait(&farm, SCRIPT_LEASE_MS - 1);
    assert_int_equal(farm_task(&farm, job, 0).epoch, 1);
    farm_heartbeat(&farm, 8, NULL, 0);
    farm_wait(&farm, 1);
    assert_int_equal(farm_task(&farm, job, 0).epoch, 2);
    assert_false(scheduler_release(farm.core, farm.now_ms, &assign)); /* that attempt is over */
    assign = farm_command(&farm, COMMAND_ASSIGN, 0);
    farm_job_event(&farm, EVENT_JOB_CANCEL, job);
    assert_false(scheduler_release(farm.core, farm.now_ms, &assign)); /* not worth beginning */
    farm_wait(&farm, SCRIPT_LEASE_MS);
    assert_int_equal(farm_job(&farm, job).state, JOB_ENDED);
    farm_script_deinit(&farm);
}

static void scheduler__cancels_attempts_that_it_does_not_know(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    uint32_t job = farm_job_of(&farm, 1);
    attempt strange = {.job = job, .task = 0, .term = 1, .epoch = 9};
    farm_hello_with(&farm, 7, 1, &strange, 1);
    assert_int_equal(farm_command(&farm, COMMAND_CANCEL_ATTEMPT, 0).attempt.epoch, 9);
    attempt other_job = {.job = 99, .task = 4, .term = 1, .epoch = 1};
    farm_heartbeat(&farm, 7, &other_job, 1);
    assert_int_equal(farm_command(&farm, COMMAND_CANCEL_ATTEMPT, 0).attempt.job, 99);
    farm_script_deinit(&farm);
}

static void scheduler__refuses_a_result_from_a_worker_that_does_not_hold_the_attempt(void **unused)
{
    (void)unused;
    farm_script farm;
    attempt running = begin_with_one(&farm);
    farm_hello(&farm, 8, 1);
    farm_result(&farm, 8, running, STATUS_OK);
    assert_int_equal(farm_count(&farm, COMMAND_RESULT_REFUSED), 1);
    assert_int_equal(farm_task(&farm, running.job, 0).state, TASK_RUNNING);
    attempt wrong_term = running;
    wrong_term.term++;
    farm_result(&farm, 7, wrong_term, STATUS_OK);
    assert_int_equal(farm_count(&farm, COMMAND_RESULT_REFUSED), 1);
    assert_int_equal(farm_task(&farm, running.job, 0).state, TASK_RUNNING);
    assert_int_equal(farm_result(&farm, 55, running, STATUS_OK), STATUS_PEER_IMPOSSIBLE);
    farm_script_deinit(&farm);
}

static void scheduler__acknowledges_a_result_that_is_said_twice_and_counts_it_once(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    uint32_t job = farm_job_of(&farm, 2);
    farm_hello(&farm, 7, 1);
    attempt running = farm_assigned(&farm, 0);
    farm_result(&farm, 7, running, STATUS_OK);
    farm_result(&farm, 7, running, STATUS_OK);
    assert_int_equal(farm_count(&farm, COMMAND_RESULT_REFUSED), 0); /* its cells were counted: they stay */
    assert_int_equal(farm_count(&farm, COMMAND_ACK_RESULT), 1);
    assert_int_equal(farm_job(&farm, job).by_state[TASK_DONE], 1);
    farm_script_deinit(&farm);
}

static void scheduler__adopts_what_a_worker_held_over_a_restart(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    uint32_t job = farm_job_of(&farm, 2);
    farm_hello(&farm, 7, 2);
    attempt held = farm_assigned(&farm, 0);
    attempt dropped = farm_assigned(&farm, 1);
    farm_script_restart(&farm);
    assert_int_equal(farm_task(&farm, job, held.task).state, TASK_RUNNING);
    farm_hello_with(&farm, 9, 2, &held, 1); /* the same process, numbered anew */
    assert_int_equal(farm_count(&farm, COMMAND_CANCEL_ATTEMPT), 0);
    assert_int_equal(farm_task(&farm, job, held.task).worker, 9);
    farm_result(&farm, 9, held, STATUS_OK);
    assert_int_equal(farm_task(&farm, job, held.task).state, TASK_DONE);
    /* Nobody came with the other one: after one lease it is given out again, in the new term. */
    farm_wait(&farm, SCRIPT_LEASE_MS - 1);
    farm_heartbeat(&farm, 9, NULL, 0);
    farm_wait(&farm, 1);
    assert_int_equal(farm_assigned(&farm, 0).task, dropped.task);
    assert_int_equal(farm_assigned(&farm, 0).term, 2);
    assert_int_equal(farm_assigned(&farm, 0).epoch, dropped.epoch + 1);
    farm_script_deinit(&farm);
}

/*
 * The coordinator before gave it after this process had said the HELLO that the present one heard: the answer to that
 * HEARTBEAT would be contact, while the task is given to another when nobody adopts it.
 */
static void scheduler__asks_for_a_hello_when_a_heartbeat_names_what_nobody_holds(void **unused)
{
    (void)unused;
    farm_script farm;
    attempt held = begin_with_one(&farm);
    farm_script_restart(&farm);
    farm_hello(&farm, 9, 1); /* the same process, numbered anew */
    assert_int_equal(farm_heartbeat(&farm, 9, &held, 1), STATUS_PEER_IMPOSSIBLE);
    assert_int_equal(farm_count(&farm, COMMAND_CANCEL_ATTEMPT), 0);
    assert_int_equal(farm_hello_with(&farm, 9, 1, &held, 1), STATUS_OK);
    assert_int_equal(farm_task(&farm, held.job, 0).worker, 9);
    assert_int_equal(farm_heartbeat(&farm, 9, &held, 1), STATUS_OK);
    assert_int_equal(farm_task(&farm, held.job, 0).epoch, held.epoch);
    farm_script_deinit(&farm);
}

static void scheduler__does_not_adopt_from_a_worker_that_lives(void **unused)
{
    (void)unused;
    farm_script farm;
    attempt held = begin_with_one(&farm);
    farm_hello_with(&farm, 8, 1, &held, 1);
    assert_int_equal(farm_command(&farm, COMMAND_CANCEL_ATTEMPT, 0).worker, 8);
    assert_int_equal(farm_task(&farm, held.job, 0).worker, 7);
    farm_lost(&farm, 7, false);
    farm_hello_with(&farm, 8, 1, &held, 1);
    assert_int_equal(farm_count(&farm, COMMAND_CANCEL_ATTEMPT), 0);
    assert_int_equal(farm_task(&farm, held.job, 0).worker, 8);
    farm_script_deinit(&farm);
}

static void scheduler__runs_its_own_tasks_again_after_a_restart(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    uint32_t job = farm_submit(&farm, 0, 1);
    task_spec specs[] = {{.local = true}, {.local = true}, {.local = true}};
    assert_int_equal(farm_extend(&farm, job, 3, specs), STATUS_OK);
    assert_int_equal(farm_count(&farm, COMMAND_ASSIGN), 2); /* local_slots */
    assert_true(scheduler_next_deadline_ms(farm.core) == UINT64_MAX); /* own tasks have no lease */
    farm_script_restart(&farm);
    farm_wait(&farm, 0);
    assert_int_equal(farm_count(&farm, COMMAND_ASSIGN), 2);
    assert_int_equal(farm_assigned(&farm, 0).term, 2);
    assert_int_equal(farm_task(&farm, job, 0).attempts_failed, 0);
    farm_script_deinit(&farm);
}

static void scheduler__requeues_at_once_when_the_process_is_known_dead(void **unused)
{
    (void)unused;
    farm_script farm;
    attempt running = begin_with_one(&farm);
    farm_heartbeat(&farm, 7, &running, 1);
    farm_hello(&farm, 8, 1);
    farm_lost(&farm, 7, true);
    assert_int_equal(farm_command(&farm, COMMAND_ASSIGN, 0).worker, 8);
    assert_int_equal(farm_task(&farm, running.job, 0).last_code, STATUS_NODE_LOST);
    worker_view view;
    assert_true(scheduler_worker_view(farm.core, 7, &view));
    assert_int_equal(view.state, WORKER_LOST);
    farm_script_deinit(&farm);
}

static void scheduler__gives_nothing_to_a_silent_worker_until_it_is_heard(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    farm_hello(&farm, 7, 1);
    farm_wait(&farm, SCRIPT_LEASE_MS);
    farm_job_of(&farm, 1);
    assert_int_equal(farm_count(&farm, COMMAND_ASSIGN), 0);
    farm_heartbeat(&farm, 7, NULL, 0);
    assert_int_equal(farm_count(&farm, COMMAND_ASSIGN), 1);
    assert_int_equal(farm_heartbeat(&farm, 8, NULL, 0), STATUS_PEER_IMPOSSIBLE); /* never said HELLO */
    farm_script_deinit(&farm);
}

static void scheduler__drains_by_order_and_by_the_workers_own_word(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    farm_hello(&farm, 7, 1);
    scheduler_event event = {.type = EVENT_WORKER_DRAIN, .worker = {.worker = 7}};
    assert_int_equal(farm_script_step(&farm, &event), STATUS_OK);
    assert_int_equal(farm.out.facts[0].type, FACT_WORKER_STATE);
    farm_job_of(&farm, 1);
    assert_int_equal(farm_count(&farm, COMMAND_ASSIGN), 0);
    event.type = EVENT_WORKER_UNDRAIN;
    assert_int_equal(farm_script_step(&farm, &event), STATUS_OK);
    assert_int_equal(farm_count(&farm, COMMAND_ASSIGN), 1);
    attempt running = farm_assigned(&farm, 0);
    scheduler_event leaving = {
        .type = EVENT_WORKER_HEARTBEAT,
        .heartbeat = {.worker = 7, .draining = true, .running_count = 1, .running = &running}};
    assert_int_equal(farm_script_step(&farm, &leaving), STATUS_OK);
    farm_job_of(&farm, 1);
    farm_result(&farm, 7, running, STATUS_OK); /* what it had still counts */
    assert_int_equal(farm_count(&farm, COMMAND_ASSIGN), 0);
    worker_view view;
    assert_true(scheduler_worker_view(farm.core, 7, &view));
    assert_int_equal(view.state, WORKER_DRAINING);
    farm_script_deinit(&farm);
}

static void scheduler__blames_nobody_for_its_own_standstill(void **unused)
{
    (void)unused;
    farm_script farm;
    attempt running = begin_with_one(&farm);
    farm_heartbeat(&farm, 7, &running, 1);
    /* The process is stopped for an hour; the first event it then sees is its own timer. */
    farm.now_ms += 3600000;
    scheduler_event tick = {.type = EVENT_TICK};
    assert_int_equal(farm_script_step(&farm, &tick), STATUS_OK);
    assert_int_equal(farm_task(&farm, running.job, 0).epoch, 1);
    farm_heartbeat(&farm, 7, &running, 1);
    farm_result(&farm, 7, running, STATUS_OK);
    assert_int_equal(farm_task(&farm, running.job, 0).state, TASK_DONE);
    farm_script_deinit(&farm);
}

static status heartbeat_of(farm_script *farm, uint32_t beat, const attempt *running)
{
    const scheduler_event event = {
        .type = EVENT_WORKER_HEARTBEAT,
        .heartbeat = {.worker = 7, .beat = beat, .running_count = running != NULL, .running = running}};
    return farm_script_step(farm, &event);
}

/* Seed 156110 of the simulation: a burst of old heartbeats made a running task look over, and it ran twice. */
static void scheduler__does_not_believe_reports_that_come_late(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    uint32_t job = farm_job_of(&farm, 1);
    const scheduler_event hello = {.type = EVENT_WORKER_HELLO,
                                   .hello = {.worker = 7, .slots = 1, .beat = UINT32_MAX - 2}};
    assert_int_equal(farm_script_step(&farm, &hello), STATUS_OK);
    attempt running = farm_assigned(&farm, 0);
    assert_int_equal(heartbeat_of(&farm, UINT32_MAX - 1, &running), STATUS_OK);
    for (uint32_t beat = UINT32_MAX - 5; beat != UINT32_MAX; beat++)
        assert_int_equal(heartbeat_of(&farm, beat, NULL), STATUS_AGAIN);
    assert_int_equal(farm_script_step(&farm, &hello), STATUS_OK); /* a copy of it changes nothing either */
    assert_int_equal(farm_task(&farm, job, 0).epoch, 1);
    assert_int_equal(farm_task(&farm, job, 0).state, TASK_RUNNING);
    assert_int_equal(heartbeat_of(&farm, 3, NULL), STATUS_OK); /* the count went past its end */
    assert_int_equal(heartbeat_of(&farm, 4, NULL), STATUS_OK);
    assert_int_equal(farm_task(&farm, job, 0).epoch, 2);
    farm_script_deinit(&farm);
}

static void scheduler__refuses_impossible_workers(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    assert_int_equal(farm_hello(&farm, SCHEDULER_LOCAL, 1), STATUS_PEER_IMPOSSIBLE);
    assert_int_equal(farm_hello(&farm, 7, 0), STATUS_PEER_IMPOSSIBLE);
    assert_int_equal(farm_hello(&farm, 7, WORKER_SLOTS_MAX + 1), STATUS_PEER_IMPOSSIBLE);
    for (uint32_t worker = 1; worker <= farm.config.workers_max; worker++)
        assert_int_equal(farm_hello(&farm, worker, 1), STATUS_OK);
    assert_int_equal(farm_hello(&farm, 100, 1), STATUS_LIMIT);
    farm_lost(&farm, 3, true); /* a lost one gives way */
    assert_int_equal(farm_hello(&farm, 100, 1), STATUS_OK);
    worker_view view;
    assert_false(scheduler_worker_view(farm.core, 3, &view));
    farm_script_deinit(&farm);
}

/* What a worker may report on, and whose documents it may read. */
static void scheduler__knows_whose_an_attempt_is(void **unused)
{
    (void)unused;
    farm_script farm;
    const scheduler_config config = farm_script_config();
    farm_script_init(&farm, &config);
    assert_int_equal(farm_hello(&farm, 1, 1), STATUS_OK);
    assert_int_equal(farm_hello(&farm, 2, 1), STATUS_OK);
    uint32_t job = farm_job_of(&farm, 1);
    attempt given = farm_running(&farm, job, 0);
    uint32_t holder = farm_task(&farm, job, 0).worker;
    assert_true(scheduler_worker_holds(farm.core, holder, &given));
    assert_false(scheduler_worker_holds(farm.core, 3 - holder, &given));
    attempt other = given;
    other.epoch++;
    assert_false(scheduler_worker_holds(farm.core, holder, &other));
    other = given;
    other.task = 99;
    assert_false(scheduler_worker_holds(farm.core, holder, &other));
    other = given;
    other.job = 99;
    assert_false(scheduler_worker_holds(farm.core, holder, &other));
    assert_int_equal(farm_result(&farm, holder, given, STATUS_OK), STATUS_OK);
    assert_false(scheduler_worker_holds(farm.core, holder, &given));
    farm_script_deinit(&farm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scheduler__knows_whose_an_attempt_is),
        cmocka_unit_test(scheduler__gives_a_worker_no_more_than_its_slots),
        cmocka_unit_test(scheduler__many_that_rest_hide_nobody_who_can),
        cmocka_unit_test(scheduler__sends_prefetch_beyond_the_slots),
        cmocka_unit_test(scheduler__releases_an_assignment_only_after_its_fact),
        cmocka_unit_test(scheduler__requeues_a_task_when_its_lease_runs_out),
        cmocka_unit_test(scheduler__renews_leases_by_heartbeats_that_name_the_attempt),
        cmocka_unit_test(scheduler__requeues_without_blame_what_two_heartbeats_name_no_more),
        cmocka_unit_test(scheduler__requeues_without_blame_what_no_heartbeat_ever_names),
        cmocka_unit_test(scheduler__gives_what_a_deaf_worker_never_began_to_another),
        cmocka_unit_test(scheduler__begins_a_lease_when_its_command_is_released),
        cmocka_unit_test(scheduler__cancels_attempts_that_it_does_not_know),
        cmocka_unit_test(scheduler__refuses_a_result_from_a_worker_that_does_not_hold_the_attempt),
        cmocka_unit_test(scheduler__acknowledges_a_result_that_is_said_twice_and_counts_it_once),
        cmocka_unit_test(scheduler__adopts_what_a_worker_held_over_a_restart),
        cmocka_unit_test(scheduler__asks_for_a_hello_when_a_heartbeat_names_what_nobody_holds),
        cmocka_unit_test(scheduler__does_not_adopt_from_a_worker_that_lives),
        cmocka_unit_test(scheduler__runs_its_own_tasks_again_after_a_restart),
        cmocka_unit_test(scheduler__requeues_at_once_when_the_process_is_known_dead),
        cmocka_unit_test(scheduler__gives_nothing_to_a_silent_worker_until_it_is_heard),
        cmocka_unit_test(scheduler__drains_by_order_and_by_the_workers_own_word),
        cmocka_unit_test(scheduler__blames_nobody_for_its_own_standstill),
        cmocka_unit_test(scheduler__does_not_believe_reports_that_come_late),
        cmocka_unit_test(scheduler__refuses_impossible_workers),
    };
    return cmocka_run_group_tests_name("scheduler workers", tests, NULL, NULL);
}
