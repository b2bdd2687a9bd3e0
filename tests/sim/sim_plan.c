#include "sim_plan.h"

#include "common/base/ensure.h"

#include <string.h>

typedef struct plan_builder {
    sim_plan *plan;
    sim_random *random;
    uint32_t flaws;
} plan_builder;

static uint32_t task_add(plan_builder *self, task_kind kind, uint32_t duration_ms)
{
    sim_plan *plan = self->plan;
    ENSURE(plan->task_count < SIM_TASKS_MAX);
    uint32_t number = plan->task_count++;
    bool local = kind > TASK_KIND_REMOTE_END;
    plan->tasks[number] = (sim_task){.kind = kind, .duration_ms = duration_ms};
    if (!local && kind != TASK_DISCARD && sim_random_chance(self->random, self->flaws))
        plan->tasks[number].flaw = (sim_flaw)sim_random_between(self->random, FLAW_POISON, FLAW_FLAKY);
    if (kind == TASK_RENDER)
        plan->tasks[number].cell_count = sim_random_below(self->random, 4);
    plan->specs[number] = (task_spec){
        .kind = (uint8_t)kind,
        .local = local,
        .even_if_failed = kind == TASK_PLAN || kind == TASK_COMPOSE || kind == TASK_DEPOSIT || kind == TASK_DISCARD,
        .even_if_cancelled = kind == TASK_DISCARD,
        .spare = kind == TASK_RENDER,
        .affinity = kind == TASK_RENDER ? (uint16_t)sim_random_below(self->random, 3) : UINT16_MAX,
        .cost = duration_ms,
        .waits = plan->waits + plan->wait_count};
    return number;
}

/* Of the task added last. */
static void task_wait(plan_builder *self, uint32_t number)
{
    sim_plan *plan = self->plan;
    ENSURE(plan->wait_count < SIM_WAITS_MAX);
    plan->waits[plan->wait_count++] = number;
    plan->specs[plan->task_count - 1].wait_count++;
}

static void deliverable_add(plan_builder *self, uint32_t first_render, uint32_t render_count, uint32_t allocate)
{
    uint32_t merge = task_add(self, TASK_MERGE, 20);
    for (uint32_t i = 0; i < render_count; i++)
        task_wait(self, first_render + i);
    uint32_t seal = task_add(self, TASK_SEAL, 30);
    task_wait(self, merge);
    uint32_t verify = task_add(self, TASK_VERIFY, sim_random_between(self->random, 100, 2000));
    task_wait(self, seal);
    uint32_t publish = task_add(self, TASK_PUBLISH, 30);
    task_wait(self, verify);
    task_add(self, TASK_DISCARD, 20);
    for (uint32_t i = 0; i < render_count; i++)
        task_wait(self, first_render + i);
    task_wait(self, allocate);
    task_wait(self, seal);
    task_wait(self, verify);
    task_wait(self, publish);
}

void sim_plan_make(sim_plan *self, sim_random *random, uint32_t flaws)
{
    memset(self, 0, sizeof *self);
    plan_builder builder = {.plan = self, .random = random, .flaws = flaws};
    self->priority = (int32_t)sim_random_below(random, 3) - 1;
    self->share = sim_random_below(random, 3);
    uint32_t probes = sim_random_between(random, 1, 4);
    for (uint32_t i = 0; i < probes; i++)
        task_add(&builder, TASK_PROBE, sim_random_between(random, 5, 50));
    task_add(&builder, TASK_PLAN, 30);
    for (uint32_t i = 0; i < probes; i++)
        task_wait(&builder, i);
    self->first_count = self->task_count;
    uint32_t deliverables = sim_random_between(random, 1, 2);
    uint32_t first = self->task_count;
    for (uint32_t i = 0; i < deliverables; i++)
        task_add(&builder, TASK_ALLOCATE, 20);
    uint32_t first_render = self->task_count;
    uint32_t renders = sim_random_between(random, 2, 16);
    uint32_t pace_ms = sim_random_between(random, 50, 3000);
    for (uint32_t i = 0; i < renders; i++) {
        task_add(&builder, TASK_RENDER, pace_ms + sim_random_below(random, pace_ms));
        for (uint32_t k = 0; k < deliverables; k++)
            task_wait(&builder, first + k);
    }
    for (uint32_t i = 0; i < deliverables; i++)
        deliverable_add(&builder, first_render, renders, first + i);
    uint32_t compose = task_add(&builder, TASK_COMPOSE, 20);
    for (uint32_t i = first; i < compose; i++)
        task_wait(&builder, i);
    task_add(&builder, TASK_DEPOSIT, 30);
    task_wait(&builder, compose);
}

void sim_plan_terms(sim_plan *self, uint64_t seed, uint32_t client)
{
    sim_random random = {.state = seed * 977 + client};
    self->terms = (job_terms){0};
    if (seed % 3 == 0)
        return;
    if (sim_random_chance(&random, 400))
        self->terms.deadline = sim_random_between(&random, 1, 3);
    if (sim_random_chance(&random, 200))
        self->terms.at_once = sim_random_between(&random, 1, 3);
    for (uint32_t i = 0; i < JOB_ROOTS_MAX; i++) {
        uint32_t root = sim_random_below(&random, SIM_ROOTS + 1);
        self->terms.roots[i] = root == 0 ? 0 : SIM_ROOT_KEY + root - 1;
    }
}

scheduler_limits sim_plan_limits(uint64_t seed)
{
    sim_random random = {.state = seed * 1009};
    scheduler_limits limits = {0};
    if (seed % 3 == 0)
        return limits;
    if (sim_random_chance(&random, 200))
        limits.each_show = sim_random_between(&random, 1, 6);
    for (uint64_t key = 0; key < SIM_ROOT_KEY + SIM_ROOTS; key = key + 1 == SIM_SHOWS ? SIM_ROOT_KEY : key + 1) {
        if (sim_random_chance(&random, 300))
            limits.rules[limits.count++] = (limit_rule){.key = key, .most = sim_random_between(&random, 1, 4)};
    }
    return limits;
}
