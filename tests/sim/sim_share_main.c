/*
 * sim_share [--from N] [--count M]: who is served how much, with the real scheduler and simulated time. Each seed makes
 * shows of several jobs with tasks of very different costs, submitted at random, some held for a while or given another
 * priority. After every step:
 *  - nothing began while a job of higher priority had a task ready;
 *  - of two shows of one priority that both had tasks ready all the while, neither was given more than the other by more
 *    than one task of each (the bound of start-time fair queueing, Goyal, Vin, Cheng 1996);
 *  - nothing of a held job began.
 * At the end every job has ended. Ends with 1, and the command that repeats it, at the first seed where that is not so.
 */
#include "coordinator/core/scheduler.h"

#include "common/base/ensure.h"
#include "sim_random.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { JOBS = 16, SHOWS = 4, PRIORITIES = 2, KEYS = SHOWS * PRIORITIES, SLOTS_MAX = 32, TASKS_MAX = 60, LEASE_MS = 1 << 30 };

typedef struct share_slot {
    bool busy;
    uint32_t worker;
    attempt of;
    uint64_t end_ms;
} share_slot;

typedef struct share_job {
    uint32_t show, priority;
    uint64_t submit_ms;
    bool submitted, held;
    uint32_t task_count;
    task_spec tasks[TASKS_MAX];
} share_job;

typedef struct share_farm {
    scheduler *core;
    scheduler_output out;
    sim_random random;
    uint64_t now_ms;
    share_slot slots[SLOTS_MAX];
    share_job jobs[JOBS + 1]; /* by number */
    uint32_t cost_max[SHOWS];
    uint64_t served[KEYS];       /* what was given to a show at a priority */
    uint64_t base[KEYS][KEYS];   /* the same when it and another began to wait together */
    bool together[KEYS][KEYS];
    char reason[160];
} share_farm;

static uint32_t key_of(const share_job *job)
{
    return job->show * PRIORITIES + job->priority;
}

static bool key_waits(const share_farm *self, uint32_t key)
{
    for (uint32_t number = 1; number <= JOBS; number++) {
        const share_job *job = &self->jobs[number];
        job_view view;
        if (job->submitted && !job->held && key_of(job) == key && scheduler_job_view(self->core, number, &view) &&
            view.by_state[TASK_READY] > 0)
            return true;
    }
    return false;
}

static void shares_check(share_farm *self, uint32_t lowest_given)
{
    bool waits[KEYS];
    for (uint32_t key = 0; key < KEYS; key++)
        waits[key] = key_waits(self, key);
    for (uint32_t a = 0; a < KEYS; a++) {
        if (waits[a] && a % PRIORITIES > lowest_given)
            snprintf(self->reason, sizeof self->reason, "a task of priority %u began while one of priority %u was ready",
                     lowest_given, a % PRIORITIES);
        for (uint32_t b = 0; b < KEYS; b++) {
            bool now = a != b && waits[a] && waits[b] && a % PRIORITIES == b % PRIORITIES;
            if (now && !self->together[a][b])
                self->base[a][b] = self->served[a];
            self->together[a][b] = now;
        }
    }
    for (uint32_t a = 0; a < KEYS; a++) {
        for (uint32_t b = 0; b < KEYS; b++) {
            uint64_t of_a = self->served[a] - self->base[a][b];
            uint64_t of_b = self->served[b] - self->base[b][a];
            uint64_t most = (uint64_t)self->cost_max[a / PRIORITIES] + self->cost_max[b / PRIORITIES] + 2;
            if (self->together[a][b] && of_a > of_b + most)
                snprintf(self->reason, sizeof self->reason,
                         "show %u was given %" PRIu64 " while show %u, which waited too, was given %" PRIu64, a / PRIORITIES,
                         of_a, b / PRIORITIES, of_b);
        }
    }
}

static void begin(share_farm *self, const scheduler_command *command)
{
    uint32_t cost = self->jobs[command->attempt.job].tasks[command->attempt.task].cost;
    for (uint32_t i = 0; i < SLOTS_MAX; i++) {
        share_slot *slot = &self->slots[i];
        if (slot->busy || slot->worker != command->worker)
            continue;
        uint64_t took_ms = cost / 2 + 1 + sim_random_below(&self->random, cost);
        *slot = (share_slot){
            .busy = true, .worker = command->worker, .of = command->attempt, .end_ms = self->now_ms + took_ms};
        return;
    }
    snprintf(self->reason, sizeof self->reason, "worker %u was given more than it has slots", command->worker);
}

static void step(share_farm *self, const scheduler_event *event)
{
    uint32_t lowest = UINT32_MAX;
    ENSURE(scheduler_step(self->core, self->now_ms, event, &self->out) == STATUS_OK);
    scheduler_check_invariants(self->core);
    for (size_t i = 0; i < self->out.fact_count; i++) {
        const scheduler_fact *fact = &self->out.facts[i];
        share_job *job = &self->jobs[fact->job <= JOBS ? fact->job : 0];
        if (fact->type == FACT_JOB_HELD || fact->type == FACT_JOB_RELEASED || fact->type == FACT_JOB_ENDED)
            job->held = fact->type == FACT_JOB_HELD;
        if (fact->type == FACT_JOB_PRIORITY)
            job->priority = (uint32_t)fact->priority;
        if (fact->type != FACT_TASK_ASSIGNED)
            continue;
        if (job->held)
            snprintf(self->reason, sizeof self->reason, "task %u of job %u began, which is held", fact->task, fact->job);
        self->served[key_of(job)] += (uint64_t)job->tasks[fact->task].cost + 1;
        lowest = job->priority < lowest ? job->priority : lowest;
    }
    shares_check(self, lowest);
    for (size_t i = 0; i < self->out.command_count; i++) {
        const scheduler_command *command = &self->out.commands[i];
        if (scheduler_release(self->core, self->now_ms, command) && command->type == COMMAND_ASSIGN)
            begin(self, command);
    }
}

static void submit(share_farm *self, uint32_t number)
{
    share_job *job = &self->jobs[number];
    job->submitted = true;
    const scheduler_event submitted = {
        .type = EVENT_JOB_SUBMITTED,
        .submitted = {.job = number, .priority = (int32_t)job->priority, .share = job->show + 1}};
    step(self, &submitted);
    const scheduler_event extended = {.type = EVENT_JOB_EXTENDED,
                                      .extended = {.job = number, .task_count = job->task_count, .tasks = job->tasks}};
    step(self, &extended);
}

/* A person does something to a job that has not ended. */
static void people(share_farm *self)
{
    uint32_t number = sim_random_between(&self->random, 1, JOBS);
    job_view view;
    if (!self->jobs[number].submitted || !scheduler_job_view(self->core, number, &view) || view.state != JOB_RUNNING)
        return;
    scheduler_event event = {.type = self->jobs[number].held ? EVENT_JOB_RELEASE : EVENT_JOB_HOLD, .job = {.job = number}};
    if (sim_random_chance(&self->random, 400)) {
        event.type = EVENT_JOB_PRIORITY;
        event.priority.priority = (int32_t)sim_random_below(&self->random, PRIORITIES);
    }
    step(self, &event);
}

static void farm_make(share_farm *self, uint64_t seed)
{
    const scheduler_config config = {.jobs_max = JOBS, .workers_max = 8, .leases_max = SLOTS_MAX, .lease_ms = LEASE_MS,
                                     .retry_base_ms = 1, .local_slots = 1, .term = 1};
    *self = (share_farm){.core = scheduler_create(&config), .random = {.state = seed}};
    ENSURE(self->core != NULL);
    for (uint32_t show = 0; show < SHOWS; show++)
        self->cost_max[show] = sim_random_between(&self->random, 1, 2000);
    for (uint32_t number = 1; number <= JOBS; number++) {
        share_job *job = &self->jobs[number];
        job->show = sim_random_below(&self->random, SHOWS);
        job->priority = sim_random_chance(&self->random, 250) ? 1 : 0;
        job->submit_ms = sim_random_below(&self->random, 20000);
        job->task_count = sim_random_between(&self->random, 1, TASKS_MAX);
        for (uint32_t i = 0; i < job->task_count; i++)
            job->tasks[i] = (task_spec){.affinity = (uint16_t)sim_random_below(&self->random, 4),
                                        .cost = sim_random_between(&self->random, 1, self->cost_max[job->show])};
    }
    uint32_t workers = sim_random_between(&self->random, 1, 8);
    uint32_t slots = sim_random_between(&self->random, 1, SLOTS_MAX / 8);
    for (uint32_t worker = 1; worker <= workers; worker++) {
        for (uint32_t i = 0; i < slots; i++)
            self->slots[(worker - 1) * slots + i].worker = worker;
        const scheduler_event hello = {.type = EVENT_WORKER_HELLO, .hello = {.worker = worker, .slots = slots}};
        step(self, &hello);
    }
}

/* The next thing that happens; false: nothing is left. */
static bool turn(share_farm *self)
{
    uint64_t next_ms = UINT64_MAX;
    share_slot *ends = NULL;
    uint32_t comes = 0;
    for (uint32_t i = 0; i < SLOTS_MAX; i++) {
        if (self->slots[i].busy && self->slots[i].end_ms < next_ms) {
            ends = &self->slots[i];
            next_ms = ends->end_ms;
        }
    }
    for (uint32_t number = 1; number <= JOBS; number++) {
        if (!self->jobs[number].submitted && self->jobs[number].submit_ms < next_ms) {
            comes = number;
            next_ms = self->jobs[number].submit_ms;
        }
    }
    if (next_ms == UINT64_MAX)
        return false;
    self->now_ms = next_ms > self->now_ms ? next_ms : self->now_ms;
    if (comes != 0) { /* numbers rise as jobs come: what was to be the next is this one */
        uint32_t number = 1;
        while (self->jobs[number].submitted)
            number++;
        share_job first = self->jobs[number];
        self->jobs[number] = self->jobs[comes];
        self->jobs[comes] = first;
        submit(self, number);
    } else {
        ends->busy = false;
        const scheduler_event over = {
            .type = EVENT_TASK_RESULT, .result = {.worker = ends->worker, .attempt = ends->of, .code = STATUS_OK}};
        step(self, &over);
    }
    if (sim_random_chance(&self->random, 30))
        people(self);
    return true;
}

static bool seed_run(share_farm *self, uint64_t seed)
{
    farm_make(self, seed);
    while (self->reason[0] == '\0' && turn(self))
        continue;
    /* What is still held goes on, and then everything ends. */
    for (uint32_t number = 1; number <= JOBS && self->reason[0] == '\0'; number++) {
        const scheduler_event go = {.type = EVENT_JOB_RELEASE, .job = {.job = number}};
        if (self->jobs[number].held)
            step(self, &go);
    }
    while (self->reason[0] == '\0' && turn(self))
        continue;
    for (uint32_t number = 1; number <= JOBS && self->reason[0] == '\0'; number++) {
        job_view view;
        if (!scheduler_job_view(self->core, number, &view) || (view.state != JOB_ENDED && !self->jobs[number].held))
            snprintf(self->reason, sizeof self->reason, "job %u has not ended", number);
    }
    scheduler_output_deinit(&self->out);
    scheduler_destroy(&self->core);
    return self->reason[0] == '\0';
}

int main(int argc, char **argv)
{
    uint64_t from = 1;
    uint64_t count = 300;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--from") == 0)
            from = strtoull(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--count") == 0)
            count = strtoull(argv[i + 1], NULL, 10);
    }
    share_farm *self = malloc(sizeof *self);
    ENSURE(self != NULL);
    for (uint64_t seed = from; seed < from + count; seed++) {
        if (seed_run(self, seed))
            continue;
        printf("seed %" PRIu64 ": %s\nrepeat it with: %s --from %" PRIu64 " --count 1\n", seed, self->reason, argv[0], seed);
        free(self);
        return 1;
    }
    printf("%" PRIu64 " seeds from %" PRIu64 ": every show had its share\n", count, from);
    free(self);
    return 0;
}
