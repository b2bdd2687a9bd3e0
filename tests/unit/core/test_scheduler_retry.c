/* What becomes of tasks and workers when attempts do not end well. */
#include "coordinator/core/retry_policy.h"
#include "coordinator/core/worker_table.h"
#include "farm_script.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void beat(farm_script *farm, uint32_t first, uint32_t last)
{
    for (uint32_t worker = first; worker <= last; worker++)
        assert_int_equal(farm_heartbeat(farm, worker, NULL, 0), STATUS_OK);
}

/* Waits with workers 1..last alive. */
static void wait_alive(farm_script *farm, uint32_t last, uint64_t ms)
{
    while (ms > 0) {
        uint64_t part = ms < SCRIPT_LEASE_MS / 2 ? ms : SCRIPT_LEASE_MS / 2;
        farm_wait(farm, part);
        ms -= part;
        if (ms > 0)
            beat(farm, 1, last);
    }
}

static void scheduler__never_retries_bad_input(void **unused)
{
    (void)unused;
    static const status codes[] = {STATUS_INPUT_TRUNCATED, STATUS_INPUT_CONFLICT, STATUS_LIMIT};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        farm_script farm;
        farm_script_init(&farm, NULL);
        uint32_t job = farm_job_of(&farm, 1);
        farm_hello(&farm, 1, 1);
        farm_hello(&farm, 2, 1);
        farm_result(&farm, 1, farm_running(&farm, job, 0), codes[i]);
        assert_int_equal(farm_task(&farm, job, 0).state, TASK_FAILED);
        assert_int_equal(farm_command(&farm, COMMAND_JOB_ENDED, 0).code, codes[i]);
        assert_int_equal(farm_job(&farm, job).retries, 0);
        farm_script_deinit(&farm);
    }
}

static void scheduler__retries_storage_elsewhere_after_growing_pauses(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    uint32_t job = farm_job_of(&farm, 1);
    for (uint32_t worker = 1; worker <= 4; worker++)
        farm_hello(&farm, worker, 1);
    uint64_t pause_ms = SCRIPT_BACKOFF_MS;
    for (uint32_t failures = 1; failures <= 3; failures++, pause_ms *= 2) {
        uint32_t worker = farm_task(&farm, job, 0).worker;
        assert_int_equal(worker, failures); /* never where it failed before */
        farm_result(&farm, worker, farm_running(&farm, job, 0), STATUS_STORAGE_IO);
        assert_int_equal(farm_task(&farm, job, 0).state, TASK_BACKOFF);
        assert_int_equal(farm_task(&farm, job, 0).attempts_failed, failures);
        beat(&farm, 1, 4);
        farm_wait(&farm, pause_ms - 1);
        assert_int_equal(farm_task(&farm, job, 0).state, TASK_BACKOFF);
        farm_wait(&farm, 1);
        assert_int_equal(farm_task(&farm, job, 0).state, TASK_RUNNING);
    }
    farm_result(&farm, 4, farm_running(&farm, job, 0), STATUS_STORAGE_FULL);
    assert_int_equal(farm_task(&farm, job, 0).state, TASK_FAILED);
    assert_int_equal(farm_job(&farm, job).retries, 3);
    for (uint32_t worker = 1; worker <= 4; worker++)
        assert_int_equal(farm_worker(&farm, worker).state, WORKER_READY);
    farm_script_deinit(&farm);
}

enum { STORAGE_WAIT_MS = 120000 };

/* A job of two tasks on one worker with one slot, of which the first has failed three times of full storage. */
static uint32_t storage_is_full(farm_script *farm)
{
    scheduler_config config = farm_script_config();
    config.storage_wait_ms = STORAGE_WAIT_MS;
    farm_script_init(farm, &config);
    const task_spec specs[] = {{.affinity = UINT16_MAX, .cost = 1000},
                               {.affinity = UINT16_MAX, .cost = 1000, .wait_count = 1, .waits = (const uint32_t[]){0}}};
    uint32_t job = farm_submit(farm, 0, 1);
    assert_int_equal(farm_extend(farm, job, 2, specs), STATUS_OK);
    farm_hello(farm, 1, 1);
    for (uint32_t failures = 1; failures < TASK_ATTEMPTS_MAX; failures++) {
        farm_result(farm, 1, farm_running(farm, job, 0), STATUS_STORAGE_FULL);
        wait_alive(farm, 1, (uint64_t)SCRIPT_BACKOFF_MS << (failures - 1));
        beat(farm, 1, 1);
    }
    return job;
}

static void scheduler__sets_a_job_aside_while_its_storage_is_full(void **unused)
{
    (void)unused;
    farm_script farm;
    uint32_t job = storage_is_full(&farm);
    const task_spec ready = {.affinity = UINT16_MAX, .cost = 10};
    farm_result(&farm, 1, farm_running(&farm, job, 0), STATUS_STORAGE_FULL);
    assert_int_equal(farm_extend(&farm, job, 1, &ready), STATUS_OK);
    assert_int_equal(farm_task(&farm, job, 0).state, TASK_BACKOFF);
    assert_true(farm_job(&farm, job).waits_for_storage);
    uint32_t other = farm_job_of(&farm, 1);
    assert_int_equal(farm_task(&farm, other, 0).state, TASK_RUNNING); /* the farm goes on, its worker does not rest */
    farm_result(&farm, 1, farm_running(&farm, other, 0), STATUS_OK);
    assert_int_equal(farm_task(&farm, job, 2).state, TASK_READY); /* nothing of the job begins */
    wait_alive(&farm, 1, SCRIPT_BACKOFF_MS << 3);
    beat(&farm, 1, 1);
    assert_false(farm_job(&farm, job).waits_for_storage);
    assert_int_equal(farm_task(&farm, job, 0).state, TASK_RUNNING);
    farm_result(&farm, 1, farm_running(&farm, job, 0), STATUS_OK); /* there is space */
    assert_true(farm_job(&farm, job).storage_wait_ms == 0);
    while (farm_job(&farm, job).state == JOB_RUNNING)
        farm_result(&farm, 1, farm_running(&farm, job, farm_task(&farm, job, 1).state == TASK_RUNNING ? 1 : 2), STATUS_OK);
    assert_int_equal(farm_job(&farm, job).by_state[TASK_DONE], 3);
    farm_script_deinit(&farm);
}

static void scheduler__gives_up_on_storage_after_the_stated_time(void **unused)
{
    (void)unused;
    farm_script farm;
    uint32_t job = storage_is_full(&farm);
    uint64_t begun_ms = farm.now_ms;
    while (farm_job(&farm, job).state == JOB_RUNNING) {
        farm_result(&farm, 1, farm_running(&farm, job, 0), STATUS_STORAGE_IO);
        while (farm_task(&farm, job, 0).state == TASK_BACKOFF) {
            beat(&farm, 1, 1);
            farm_wait(&farm, 1000);
        }
    }
    assert_int_equal(farm_task(&farm, job, 0).state, TASK_FAILED);
    assert_in_range(farm.now_ms - begun_ms, STORAGE_WAIT_MS, STORAGE_WAIT_MS + RETRY_BACKOFF_MAX_MS);
    farm_script_deinit(&farm);
}

static void scheduler__ends_a_wait_for_storage_when_told(void **unused)
{
    (void)unused;
    farm_script farm;
    uint32_t job = storage_is_full(&farm);
    farm_result(&farm, 1, farm_running(&farm, job, 0), STATUS_STORAGE_FULL);
    assert_int_equal(farm_job_event(&farm, EVENT_JOB_RELEASE, job), STATUS_OK);
    assert_false(farm_job(&farm, job).waits_for_storage);
    farm_script_deinit(&farm);
    job = storage_is_full(&farm);
    farm_result(&farm, 1, farm_running(&farm, job, 0), STATUS_STORAGE_FULL);
    assert_int_equal(farm_job_event(&farm, EVENT_JOB_CANCEL, job), STATUS_OK);
    assert_int_equal(farm_job(&farm, job).state, JOB_ENDED);
    farm_script_deinit(&farm);
}

static void scheduler__retries_where_it_failed_when_there_is_no_elsewhere(void **unused)
{
    (void)unused;
    farm_script farm;
    uint32_t job = farm_begin(&farm, 1, 1);
    farm_result(&farm, 1, farm_assigned(&farm, 0), STATUS_STORAGE_MISMATCH);
    farm_wait(&farm, SCRIPT_BACKOFF_MS);
    assert_int_equal(farm_task(&farm, job, 0).state, TASK_RUNNING);
    assert_int_equal(farm_task(&farm, job, 0).worker, 1);
    farm_script_deinit(&farm);
}

static void scheduler__lets_a_task_wait_for_a_busy_elsewhere(void **unused)
{
    (void)unused;
    farm_script farm;
    uint32_t job = farm_begin(&farm, 2, 2);
    attempt first = farm_running(&farm, job, 0);
    attempt second = farm_running(&farm, job, 1);
    farm_heartbeat(&farm, 2, &second, 1);
    farm_result(&farm, 1, first, STATUS_NODE_CRASHED);
    farm_wait(&farm, SCRIPT_BACKOFF_MS);
    assert_int_equal(farm_task(&farm, job, 0).state, TASK_READY); /* 1 is free, but 2 exists */
    farm_result(&farm, 2, second, STATUS_OK);
    assert_int_equal(farm_command(&farm, COMMAND_ASSIGN, 0).worker, 2);
    assert_int_equal(farm_assigned(&farm, 0).task, 0);
    farm_script_deinit(&farm);
}

static void scheduler__gives_a_waiting_task_back_when_its_elsewhere_is_gone(void **unused)
{
    (void)unused;
    farm_script farm;
    uint32_t job = farm_begin(&farm, 2, 2);
    farm_result(&farm, 1, farm_running(&farm, job, 0), STATUS_NODE_CRASHED);
    farm_wait(&farm, SCRIPT_BACKOFF_MS);
    assert_int_equal(farm_task(&farm, job, 0).state, TASK_READY);
    farm_lost(&farm, 2, false);
    assert_int_equal(farm_command(&farm, COMMAND_ASSIGN, 0).worker, 1);
    farm_script_deinit(&farm);
}

static void scheduler__tries_a_defect_once_more_and_no_more(void **unused)
{
    (void)unused;
    farm_script farm;
    uint32_t job = farm_begin(&farm, 1, 2);
    farm_result(&farm, 1, farm_running(&farm, job, 0), STATUS_DEFECT);
    farm_wait(&farm, SCRIPT_BACKOFF_MS);
    assert_int_equal(farm_task(&farm, job, 0).worker, 2);
    farm_result(&farm, 2, farm_running(&farm, job, 0), STATUS_DEFECT);
    assert_int_equal(farm_task(&farm, job, 0).state, TASK_FAILED);
    farm_script_deinit(&farm);
}

static void scheduler__bounds_how_often_a_task_may_lose_its_worker(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    uint32_t job = farm_job_of(&farm, 1);
    for (uint32_t worker = 1; worker <= RETRY_LOST_MAX; worker++) {
        assert_int_equal(farm_task(&farm, job, 0).state, TASK_READY);
        farm_hello(&farm, worker, 1);
        attempt running = farm_assigned(&farm, 0);
        farm_heartbeat(&farm, worker, &running, 1); /* it was executing: the blame may be its */
        farm_lost(&farm, worker, true);
    }
    assert_int_equal(farm_task(&farm, job, 0).state, TASK_FAILED);
    assert_int_equal(farm_task(&farm, job, 0).last_code, STATUS_NODE_LOST);
    assert_int_equal(farm_task(&farm, job, 0).attempts_failed, 0);
    farm_script_deinit(&farm);
}

/* One slot and one task sent ahead: the second waited, whatever ended the worker. */
static void scheduler__counts_a_lost_worker_only_against_what_it_may_have_executed(void **unused)
{
    (void)unused;
    farm_script farm;
    scheduler_config config = farm_script_config();
    config.prefetch = 1;
    farm_script_init(&farm, &config);
    uint32_t job = farm_job_of(&farm, 2);
    for (uint32_t worker = 1; worker <= RETRY_LOST_MAX; worker++) {
        assert_int_equal(farm_task(&farm, job, 0).state, TASK_READY);
        farm_hello(&farm, worker, 1);
        assert_int_equal(farm_assigned(&farm, 0).task, 0);
        assert_int_equal(farm_assigned(&farm, 1).task, 1);
        farm_lost(&farm, worker, true);
    }
    assert_int_equal(farm_task(&farm, job, 0).state, TASK_FAILED);
    assert_int_equal(farm_task(&farm, job, 0).last_code, STATUS_NODE_LOST);
    assert_int_equal(farm_task(&farm, job, 1).state, TASK_READY);
    assert_int_equal(farm_task(&farm, job, 1).last_code, STATUS_OK);
    assert_int_equal(farm_job(&farm, job).retries, RETRY_LOST_MAX - 1);
    /* Nor does one that leaves of its own will: it had begun nothing that it had not ended. */
    for (uint32_t worker = 101; worker <= 100 + 2 * RETRY_LOST_MAX; worker++) {
        farm_hello(&farm, worker, 1);
        assert_int_equal(farm_assigned(&farm, 0).task, 1);
        const scheduler_event leaves = {.type = EVENT_WORKER_LOST,
                                        .worker = {.worker = worker, .dead = true, .idle = true}};
        assert_int_equal(farm_script_step(&farm, &leaves), STATUS_OK);
    }
    assert_int_equal(farm_task(&farm, job, 1).state, TASK_READY);
    assert_int_equal(farm_job(&farm, job).retries, RETRY_LOST_MAX - 1);
    farm_script_deinit(&farm);
}

static void scheduler__rests_a_worker_whose_storage_fails(void **unused)
{
    (void)unused;
    farm_script farm;
    uint32_t job = farm_begin(&farm, 50, 1);
    farm_result(&farm, 1, farm_assigned(&farm, 0), STATUS_STORAGE_IO);
    assert_int_equal(farm_count(&farm, COMMAND_ASSIGN), 0);
    assert_int_equal(farm_worker(&farm, 1).rest_left_ms, WORKER_REST_BASE_MS);
    farm_wait(&farm, WORKER_REST_BASE_MS - 1);
    assert_int_equal(farm_worker(&farm, 1).rest_left_ms, 1);
    assert_int_equal(farm_job(&farm, job).by_state[TASK_RUNNING], 0);
    farm_wait(&farm, 1);
    assert_int_equal(farm_worker(&farm, 1).rest_left_ms, 0);
    assert_int_equal(farm_job(&farm, job).by_state[TASK_RUNNING], 1);
    farm_result(&farm, 1, farm_assigned(&farm, 0), STATUS_STORAGE_IO);
    farm_wait(&farm, 2 * WORKER_REST_BASE_MS - 1);
    assert_int_equal(farm_job(&farm, job).by_state[TASK_RUNNING], 0);
    farm_wait(&farm, 1);
    farm_result(&farm, 1, farm_assigned(&farm, 0), STATUS_OK); /* it is well again */
    assert_int_equal(farm_count(&farm, COMMAND_ASSIGN), 1);
    farm_script_deinit(&farm);
}

static void scheduler__rests_for_the_job_whose_storage_failed(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    uint32_t gone = farm_job_of(&farm, 50);
    uint32_t whole = farm_job_of(&farm, 50);
    farm_hello(&farm, 1, 1);
    attempt of = farm_assigned(&farm, 0);
    assert_int_equal(of.job, gone);
    for (uint32_t i = 0; i < 3; i++) { /* one failure, then others go on while it rests */
        farm_result(&farm, 1, of, i == 0 ? STATUS_STORAGE_MISMATCH : STATUS_OK);
        assert_int_equal(farm_worker(&farm, 1).rest_job, gone);
        of = farm_assigned(&farm, 0);
        assert_int_equal(of.job, whole);
    }
    farm_wait(&farm, WORKER_REST_BASE_MS);
    assert_int_equal(farm_worker(&farm, 1).rest_left_ms, 0);
    farm_result(&farm, 1, of, STATUS_OK);
    of = farm_assigned(&farm, 0);
    assert_int_equal(of.job, gone);
    farm_result(&farm, 1, of, STATUS_STORAGE_MISMATCH); /* what was done of the other one says nothing of this one */
    assert_int_equal(farm_worker(&farm, 1).rest_left_ms, 2 * WORKER_REST_BASE_MS);
    of = farm_assigned(&farm, 0);
    assert_int_equal(of.job, whole);
    farm_result(&farm, 1, of, STATUS_STORAGE_MISMATCH); /* two: it may be the machine */
    assert_int_equal(farm_worker(&farm, 1).rest_job, 0);
    assert_int_equal(farm_worker(&farm, 1).rest_left_ms, 4 * WORKER_REST_BASE_MS);
    assert_int_equal(farm_count(&farm, COMMAND_ASSIGN), 0);
    farm_wait(&farm, 4 * WORKER_REST_BASE_MS);
    assert_int_equal(farm_count(&farm, COMMAND_ASSIGN), 1);
    farm_script_deinit(&farm);
}

static void scheduler__sends_elsewhere_what_a_worker_rests_for(void **unused)
{
    (void)unused;
    farm_script farm;
    uint32_t job = farm_begin(&farm, 3, 1);
    farm_result(&farm, 1, farm_assigned(&farm, 0), STATUS_STORAGE_MISMATCH);
    assert_int_equal(farm_count(&farm, COMMAND_ASSIGN), 0);
    farm_hello(&farm, 2, 1); /* whoever comes takes it at once */
    assert_int_equal(farm_count(&farm, COMMAND_ASSIGN), 1);
    assert_int_equal(farm_command(&farm, COMMAND_ASSIGN, 0).worker, 2);
    farm_wait(&farm, WORKER_REST_BASE_MS);
    assert_int_equal(farm_job(&farm, job).by_state[TASK_RUNNING], 2);
    farm_script_deinit(&farm);
}

/* The task of any job that runs on this worker; waits, with workers 1 and 2 alive, until there is one. */
static attempt running_on(farm_script *farm, uint32_t worker)
{
    for (uint32_t guard = 0; guard < 100; guard++) {
        for (size_t i = farm->fact_count; i > 0; i--) {
            const scheduler_fact *fact = &farm->facts[i - 1];
            if (fact->type != FACT_TASK_ASSIGNED || fact->worker != worker)
                continue;
            task_view view = farm_task(farm, fact->job, fact->task);
            if (view.state == TASK_RUNNING && view.epoch == fact->epoch)
                return farm_running(farm, fact->job, fact->task);
        }
        wait_alive(farm, 2, WORKER_REST_BASE_MS);
    }
    fail_msg("worker %u is given nothing", worker);
    return (attempt){0};
}

static void fail_different_tasks(farm_script *farm, uint32_t worker, uint32_t times)
{
    for (uint32_t i = 0; i < times; i++)
        assert_int_equal(farm_result(farm, worker, running_on(farm, worker), STATUS_NODE_SYSTEM), STATUS_OK);
}

/* Of two shows, so that they are served in turn. */
static void two_jobs_in_turn(farm_script *farm)
{
    static const task_spec specs[30];
    for (uint64_t share = 1; share <= 2; share++)
        assert_int_equal(farm_extend(farm, farm_submit(farm, 0, share), 30, specs), STATUS_OK);
}

static void scheduler__quarantines_a_failing_worker_and_takes_it_back_after_a_canary(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    two_jobs_in_turn(&farm);
    farm_hello(&farm, 1, 1);
    farm_hello(&farm, 2, 1);
    fail_different_tasks(&farm, 1, 3); /* strikes_max */
    assert_int_equal(farm_worker(&farm, 1).state, WORKER_QUARANTINED);
    assert_int_equal(farm_worker(&farm, 1).strikes, 3);
    assert_int_equal(farm_worker(&farm, 1).strike_code, STATUS_NODE_SYSTEM);
    assert_int_equal(farm_worker(&farm, 1).quarantine_left_ms, WORKER_QUARANTINE_BASE_MS);
    wait_alive(&farm, 2, WORKER_QUARANTINE_BASE_MS - 1);
    assert_int_equal(farm_worker(&farm, 1).state, WORKER_QUARANTINED);
    assert_int_equal(farm_worker(&farm, 1).running, 0);
    farm_hello(&farm, 1, 4); /* more slots do not help: the canary is one task */
    wait_alive(&farm, 2, 1);
    assert_int_equal(farm_worker(&farm, 1).state, WORKER_READY);
    assert_true(farm_worker(&farm, 1).canary);
    assert_int_equal(farm_worker(&farm, 1).running, 1);
    fail_different_tasks(&farm, 1, 1);
    assert_int_equal(farm_worker(&farm, 1).state, WORKER_QUARANTINED);
    wait_alive(&farm, 2, 2 * WORKER_QUARANTINE_BASE_MS);
    assert_int_equal(farm_worker(&farm, 1).running, 1);
    farm_result(&farm, 1, running_on(&farm, 1), STATUS_OK);
    assert_int_equal(farm_worker(&farm, 1).running, 4);
    assert_false(farm_worker(&farm, 1).canary);
    farm_script_deinit(&farm);
}

/* A reel whose audio kills every executor: many tasks fail on every machine, and no machine is to blame. */
static void scheduler__keeps_its_workers_when_one_job_is_bad(void **unused)
{
    (void)unused;
    farm_script farm;
    uint32_t job = farm_begin(&farm, 12, 2);
    for (uint32_t guard = 0; farm_job(&farm, job).state == JOB_RUNNING; guard++) {
        assert_true(guard < 1000);
        beat(&farm, 1, 2);
        for (uint32_t worker = 1; worker <= 2; worker++) {
            if (farm_worker(&farm, worker).running > 0)
                fail_different_tasks(&farm, worker, 1);
        }
        wait_alive(&farm, 2, WORKER_REST_BASE_MS);
    }
    assert_int_equal(farm_job(&farm, job).by_state[TASK_FAILED], 12);
    for (size_t i = 0; i < farm.fact_count; i++)
        assert_int_not_equal(farm.facts[i].type, FACT_WORKER_STATE);
    farm_script_deinit(&farm);
}

/* In one job alone: what fails on worker 1 is done by worker 2, so worker 1 is at fault. */
static void scheduler__quarantines_a_worker_whose_failures_others_can_do(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    farm_job_of(&farm, 60);
    farm_hello(&farm, 1, 1);
    farm_hello(&farm, 2, 1);
    for (uint32_t guard = 0; farm_worker(&farm, 1).proofs < 2; guard++) {
        assert_true(guard < 60);
        assert_int_equal(farm_worker(&farm, 1).state, WORKER_READY);
        if (farm_worker(&farm, 1).strikes < 3)
            fail_different_tasks(&farm, 1, 1);
        farm_result(&farm, 2, running_on(&farm, 2), STATUS_OK);
    }
    for (uint32_t guard = 0; farm_worker(&farm, 1).state == WORKER_READY; guard++) {
        assert_true(guard < 60);
        farm_result(&farm, 2, running_on(&farm, 2), STATUS_OK);
    }
    assert_int_equal(farm_worker(&farm, 1).state, WORKER_QUARANTINED);
    assert_int_equal(farm_worker(&farm, 1).proofs, 3);
    farm_script_deinit(&farm);
}

static void scheduler__never_quarantines_the_last_worker(void **unused)
{
    (void)unused;
    farm_script farm;
    farm_script_init(&farm, NULL);
    two_jobs_in_turn(&farm);
    farm_hello(&farm, 1, 1);
    farm_hello(&farm, 2, 1);
    farm_lost(&farm, 2, true);
    for (uint32_t i = 0; i < 6; i++) {
        while (farm_worker(&farm, 1).running == 0) {
            farm_wait(&farm, WORKER_REST_BASE_MS);
            beat(&farm, 1, 1);
        }
        fail_different_tasks(&farm, 1, 1);
    }
    assert_int_equal(farm_worker(&farm, 1).state, WORKER_READY);
    farm_script_deinit(&farm);
}

static void scheduler__sets_a_poison_task_aside_and_clears_the_workers_it_struck(void **unused)
{
    (void)unused;
    farm_script farm;
    scheduler_config config = farm_script_config();
    config.strikes_max = 2;
    farm_script_init(&farm, &config);
    for (uint32_t worker = 1; worker <= 5; worker++)
        farm_hello(&farm, worker, 1);
    /* Two poison tasks one after the other, each failing on four workers: two strikes each if they were kept. */
    for (int round = 0; round < 2; round++) {
        uint32_t job = farm_job_of(&farm, 1);
        for (int i = 0; i < TASK_ATTEMPTS_MAX; i++) {
            assert_int_equal(farm_task(&farm, job, 0).state, TASK_RUNNING);
            uint32_t worker = farm_task(&farm, job, 0).worker;
            farm_result(&farm, worker, farm_running(&farm, job, 0), STATUS_NODE_CRASHED);
            beat(&farm, 1, 5);
            farm_wait(&farm, 4 * SCRIPT_BACKOFF_MS);
        }
        assert_int_equal(farm_task(&farm, job, 0).state, TASK_FAILED);
        assert_int_equal(farm_job(&farm, job).state, JOB_ENDED);
    }
    for (uint32_t worker = 1; worker <= 5; worker++)
        assert_int_equal(farm_worker(&farm, worker).state, WORKER_READY);
    farm_script_deinit(&farm);
}

static void scheduler__takes_a_cancel_that_nobody_asked_for_as_a_loss(void **unused)
{
    (void)unused;
    farm_script farm;
    uint32_t job = farm_begin(&farm, 1, 1);
    farm_result(&farm, 1, farm_assigned(&farm, 0), STATUS_CANCELLED); /* the worker is being stopped */
    assert_int_equal(farm_task(&farm, job, 0).state, TASK_BACKOFF);
    assert_int_equal(farm_task(&farm, job, 0).attempts_failed, 0);
    farm_script_deinit(&farm);
}

/* Numbers of attempts have 16 bits. Driven without the script, whose replays would take for ever. */
static void scheduler__gives_up_a_task_whose_numbers_are_used_up(void **unused)
{
    (void)unused;
    const scheduler_config config = farm_script_config();
    scheduler *core = scheduler_create(&config);
    scheduler_output out = {0};
    task_spec spec = {.cost = 1};
    scheduler_event event = {.type = EVENT_JOB_SUBMITTED, .submitted = {.job = 1}};
    assert_int_equal(scheduler_step(core, 1, &event, &out), STATUS_OK);
    event = (scheduler_event){.type = EVENT_JOB_EXTENDED, .extended = {.job = 1, .task_count = 1, .tasks = &spec}};
    assert_int_equal(scheduler_step(core, 1, &event, &out), STATUS_OK);
    event = (scheduler_event){.type = EVENT_WORKER_HELLO, .hello = {.worker = 1, .slots = 1}};
    assert_int_equal(scheduler_step(core, 1, &event, &out), STATUS_OK);
    task_view view;
    uint32_t epoch = 0;
    do { /* named once, then twice not: over, and nobody is to blame */
        const attempt running = {.job = 1, .task = 0, .term = config.term, .epoch = ++epoch};
        for (uint32_t report = 0; report < 3; report++) {
            event = (scheduler_event){.type = EVENT_WORKER_HEARTBEAT,
                                      .heartbeat = {.worker = 1, .running_count = report == 0, .running = &running}};
            assert_int_equal(scheduler_step(core, 1, &event, &out), STATUS_OK);
            for (size_t i = 0; i < out.command_count; i++)
                assert_true(scheduler_release(core, 1, &out.commands[i]));
        }
        assert_true(scheduler_task_view(core, 1, 0, &view));
    } while (view.state == TASK_RUNNING);
    assert_int_equal(epoch, 65535);
    assert_int_equal(view.state, TASK_FAILED);
    assert_int_equal(view.last_code, STATUS_LIMIT);
    event = (scheduler_event){.type = EVENT_JOB_RETRY, .job = {.job = 1}};
    assert_int_equal(scheduler_step(core, 1, &event, &out), STATUS_LIMIT);
    scheduler_output_deinit(&out);
    scheduler_destroy(&core);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scheduler__never_retries_bad_input),
        cmocka_unit_test(scheduler__retries_storage_elsewhere_after_growing_pauses),
        cmocka_unit_test(scheduler__sets_a_job_aside_while_its_storage_is_full),
        cmocka_unit_test(scheduler__gives_up_on_storage_after_the_stated_time),
        cmocka_unit_test(scheduler__ends_a_wait_for_storage_when_told),
        cmocka_unit_test(scheduler__retries_where_it_failed_when_there_is_no_elsewhere),
        cmocka_unit_test(scheduler__lets_a_task_wait_for_a_busy_elsewhere),
        cmocka_unit_test(scheduler__gives_a_waiting_task_back_when_its_elsewhere_is_gone),
        cmocka_unit_test(scheduler__tries_a_defect_once_more_and_no_more),
        cmocka_unit_test(scheduler__bounds_how_often_a_task_may_lose_its_worker),
        cmocka_unit_test(scheduler__counts_a_lost_worker_only_against_what_it_may_have_executed),
        cmocka_unit_test(scheduler__rests_a_worker_whose_storage_fails),
        cmocka_unit_test(scheduler__rests_for_the_job_whose_storage_failed),
        cmocka_unit_test(scheduler__sends_elsewhere_what_a_worker_rests_for),
        cmocka_unit_test(scheduler__quarantines_a_failing_worker_and_takes_it_back_after_a_canary),
        cmocka_unit_test(scheduler__keeps_its_workers_when_one_job_is_bad),
        cmocka_unit_test(scheduler__quarantines_a_worker_whose_failures_others_can_do),
        cmocka_unit_test(scheduler__never_quarantines_the_last_worker),
        cmocka_unit_test(scheduler__sets_a_poison_task_aside_and_clears_the_workers_it_struck),
        cmocka_unit_test(scheduler__gives_up_a_task_whose_numbers_are_used_up),
        cmocka_unit_test(scheduler__takes_a_cancel_that_nobody_asked_for_as_a_loss),
    };
    return cmocka_run_group_tests_name("scheduler retry", tests, NULL, NULL);
}
