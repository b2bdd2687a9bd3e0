/*
 * Random event streams. The script replays every fact after every step and compares; here events are drawn without any
 * regard to sense: results of attempts long over, workers that lie, jobs that do not exist.
 */
#include "farm_script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SEEDS = 150, STEPS = 150, TASKS_MAX = 12 };

static uint32_t draw(uint64_t *state, uint32_t bound)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (uint32_t)(*state >> 33) % bound;
}

static attempt draw_attempt(const farm_script *farm, uint64_t *seed)
{
    /* Mostly one that was really given out, sometimes slightly wrong. */
    attempt of = {
        .job = draw(seed, 4), .task = draw(seed, TASKS_MAX), .term = 1 + draw(seed, 2), .epoch = draw(seed, 4)};
    size_t assigned = 0;
    for (size_t i = 0; i < farm->fact_count; i++)
        assigned += farm->facts[i].type == FACT_TASK_ASSIGNED;
    if (assigned == 0 || draw(seed, 10) == 0)
        return of;
    size_t back = draw(seed, (uint32_t)(assigned < 12 ? assigned : 12));
    for (size_t i = farm->fact_count; i-- > 0;) {
        const scheduler_fact *fact = &farm->facts[i];
        if (fact->type == FACT_TASK_ASSIGNED && back-- == 0)
            return (attempt){.job = fact->job, .task = fact->task, .term = fact->term, .epoch = fact->epoch};
    }
    return of;
}

static uint32_t holder_of(const farm_script *farm, const attempt *of)
{
    for (size_t i = farm->fact_count; i-- > 0;) {
        const scheduler_fact *fact = &farm->facts[i];
        if (fact->type == FACT_TASK_ASSIGNED && fact->job == of->job && fact->task == of->task &&
            fact->epoch == of->epoch)
            return fact->worker;
    }
    return 1;
}

static void random_extend(farm_script *farm, uint64_t *seed)
{
    job_view view;
    uint32_t job = 1 + draw(seed, 4);
    if (!scheduler_job_view(farm->core, job, &view) || view.task_count >= 2 * TASKS_MAX)
        return;
    task_spec specs[TASKS_MAX];
    uint32_t waits[TASKS_MAX][3];
    uint32_t count = 1 + draw(seed, TASKS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t before = view.task_count + i;
        specs[i] = (task_spec){.kind = (uint8_t)draw(seed, 40),
                               .local = draw(seed, 5) == 0,
                               .even_if_failed = draw(seed, 6) == 0,
                               .even_if_cancelled = draw(seed, 6) == 0,
                               .spare = draw(seed, 2) == 0,
                               .affinity = (uint16_t)(draw(seed, 5) == 0 ? UINT16_MAX : draw(seed, 3)),
                               .cost = draw(seed, 3000),
                               .wait_count = before == 0 ? 0 : draw(seed, 4),
                               .waits = waits[i]};
        for (uint32_t w = 0; w < specs[i].wait_count; w++)
            waits[i][w] = draw(seed, before);
    }
    (void)farm_extend(farm, job, count, specs);
}

static void random_result(farm_script *farm, uint64_t *seed)
{
    static const status codes[] = {STATUS_OK,           STATUS_OK,          STATUS_OK,         STATUS_OK,
                                   STATUS_CANCELLED,    STATUS_AGAIN,       STATUS_STORAGE_IO, STATUS_NODE_CRASHED,
                                   STATUS_INPUT_SYNTAX, STATUS_NODE_MEMORY, STATUS_DEFECT,     STATUS_PEER_REFUSED};
    attempt of = draw_attempt(farm, seed);
    uint32_t worker = draw(seed, 10) == 0 ? draw(seed, 8) : holder_of(farm, &of);
    (void)farm_result(farm, worker, of, codes[draw(seed, sizeof codes / sizeof codes[0])]);
}

static void random_report(farm_script *farm, uint64_t *seed, bool hello)
{
    attempt held[4];
    uint32_t count = draw(seed, 5);
    uint32_t worker = 1 + draw(seed, 7);
    for (uint32_t i = 0; i < count; i++)
        held[i] = draw_attempt(farm, seed);
    if (hello)
        (void)farm_hello_with(farm, worker, 1 + draw(seed, 3), held, count);
    else
        (void)farm_heartbeat(farm, worker, held, count);
}

static void random_step(farm_script *farm, uint64_t *seed)
{
    uint32_t what = draw(seed, 100);
    if (what < 4 && farm->next_job < 5)
        (void)farm_submit(farm, (int32_t)draw(seed, 3) - 1, draw(seed, 2));
    else if (what < 12)
        random_extend(farm, seed);
    else if (what < 14)
        (void)farm_job_event(farm, EVENT_JOB_CANCEL, draw(seed, 5));
    else if (what < 20)
        (void)farm_job_event(farm, EVENT_JOB_RETRY, draw(seed, 5));
    else if (what < 21)
        (void)farm_job_event(farm, EVENT_JOB_FORGET, draw(seed, 5));
    else if (what < 30)
        random_report(farm, seed, true);
    else if (what < 42)
        random_report(farm, seed, false);
    else if (what < 45)
        (void)farm_lost(farm, 1 + draw(seed, 7), draw(seed, 2) == 0);
    else if (what < 48) {
        scheduler_event event = {.type = draw(seed, 2) == 0 ? EVENT_WORKER_DRAIN : EVENT_WORKER_UNDRAIN,
                                 .worker = {.worker = 1 + draw(seed, 7)}};
        (void)farm_script_step(farm, &event);
    } else if (what < 50)
        farm_script_restart(farm);
    else if (what < 60)
        farm_wait(farm, draw(seed, 4000));
    else if (what < 61)
        farm_wait(farm, 30000);
    else
        random_result(farm, seed);
}

static void scheduler__replays_random_streams_to_the_same_state(void **unused)
{
    (void)unused;
    for (uint64_t number = 1; number <= SEEDS; number++) {
        uint64_t seed = number * 0x9e3779b97f4a7c15u;
        farm_script farm;
        scheduler_config config = farm_script_config();
        config.leases_max = 3 + draw(&seed, 8); /* scarce now and then */
        config.strikes_max = draw(&seed, 4);
        config.prefetch = draw(&seed, 2);
        farm_script_init(&farm, &config);
        for (int step = 0; step < STEPS; step++)
            random_step(&farm, &seed);
        farm_script_deinit(&farm);
    }
}

/* A fact either gives a task a number higher than all before, or says an old one again in another worker's name. */
static void check_epoch(const farm_script *farm, size_t index)
{
    const scheduler_fact *fact = &farm->facts[index];
    uint32_t highest = 0;
    bool again = false;
    for (size_t i = 0; i < index; i++) {
        const scheduler_fact *before = &farm->facts[i];
        if (before->type != FACT_TASK_ASSIGNED || before->job != fact->job || before->task != fact->task)
            continue;
        again = again || (before->epoch == fact->epoch && before->term == fact->term);
        highest = before->epoch > highest ? before->epoch : highest;
    }
    assert_true(again || fact->epoch == highest + 1);
}

static void scheduler__raises_epochs_strictly(void **unused)
{
    (void)unused;
    for (uint64_t number = 1; number <= SEEDS / 3; number++) {
        uint64_t seed = number * 0xda942042e4dd58b5u;
        farm_script farm;
        farm_script_init(&farm, NULL);
        for (int step = 0; step < STEPS; step++)
            random_step(&farm, &seed);
        for (size_t i = 0; i < farm.fact_count; i++) {
            if (farm.facts[i].type == FACT_TASK_ASSIGNED)
                check_epoch(&farm, i);
        }
        farm_script_deinit(&farm);
    }
}

static void scheduler__refuses_facts_that_contradict_its_state(void **unused)
{
    (void)unused;
    farm_script farm;
    uint32_t job = farm_begin(&farm, 2, 1);
    scheduler *core = farm_script_replay(&farm, 1);
    const scheduler_fact wrong[] = {
        {.type = FACT_JOB_SUBMITTED, .job = job},
        {.type = FACT_JOB_EXTENDED, .job = job, .value = 3},
        {.type = FACT_JOB_EXTENDED, .job = 77},
        {.type = FACT_JOB_ENDED, .job = job},
        {.type = FACT_JOB_RETRIED, .job = job},
        {.type = FACT_JOB_FORGOTTEN, .job = job},
        {.type = FACT_TASK_ASSIGNED, .job = job, .task = 9, .term = 1, .epoch = 1, .worker = 1},
        {.type = FACT_TASK_ASSIGNED, .job = job, .task = 1, .term = 1, .epoch = 2, .worker = 1},
        {.type = FACT_TASK_ASSIGNED, .job = job, .task = 1, .term = 1, .epoch = 1, .worker = SCHEDULER_LOCAL},
        {.type = FACT_TASK_ENDED, .job = job, .task = 1, .term = 1, .epoch = 1, .worker = 1, .value = TASK_DONE},
        {.type = FACT_TASK_ENDED, .job = job, .task = 0, .term = 2, .epoch = 1, .worker = 1, .value = TASK_DONE},
        {.type = FACT_TASK_ENDED, .job = job, .task = 0, .term = 1, .epoch = 1, .worker = 1, .value = TASK_SKIPPED},
        {.type = FACT_TASK_ENDED, .job = job, .task = 0, .term = 1, .epoch = 1, .worker = 1, .value = TASK_RUNNING},
    };
    uint64_t before = scheduler_dump_hash(core);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(scheduler_apply(core, &wrong[i], 0, NULL), STATUS_PEER_IMPOSSIBLE);
        assert_true(scheduler_dump_hash(core) == before);
    }
    scheduler_check_invariants(core);
    scheduler_destroy(&core);
    farm_script_deinit(&farm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scheduler__replays_random_streams_to_the_same_state),
        cmocka_unit_test(scheduler__raises_epochs_strictly),
        cmocka_unit_test(scheduler__refuses_facts_that_contradict_its_state),
    };
    return cmocka_run_group_tests_name("scheduler replay", tests, NULL, NULL);
}
