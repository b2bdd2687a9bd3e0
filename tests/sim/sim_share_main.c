/*
 * sim_share [--from N] [--count M]: who is served how much, with the real scheduler and simulated time. Each seed makes
 * shows of several jobs with tasks of very different costs, submitted at random, some with deadlines, some held for a
 * while or given another priority, and limits of shows, storage roots and jobs. A job may begin something when it has a
 * task ready, is not held and at no limit. After every step:
 *  - nothing began while a job of higher priority, or of the same and with an earlier deadline, might begin something;
 *  - of two shows of one priority and deadline that both might begin something all the while, neither was given more
 *    than the other by more than one task of each (the bound of start-time fair queueing, Goyal, Vin, Cheng 1996);
 *  - while at one priority jobs with and without a deadline might, those without were given a quarter, to within one
 *    task of each;
 *  - nothing of a held job began, and no limit was exceeded.
 * At the end every job has ended. Ends with 1, and the command that repeats it, at the first seed where that is not so.
 */
#include "coordinator/core/scheduler.h"

#include "common/base/ensure.h"
#include "sim_random.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { JOBS = 16, SHOWS = 4, PRIORITIES = 2, DATES = 4 /* 0: none */, ROOTS = 3, SLOTS_MAX = 32, TASKS_MAX = 60 };
enum { KEYS = SHOWS * PRIORITIES * DATES, LEASE_MS = 1 << 30, ROOT_KEY = 1000, UNLIMITED = SLOTS_MAX + 1 };

typedef struct share_slot {
    bool busy;
    uint32_t worker;
    attempt of;
    uint64_t end_ms;
} share_slot;

typedef struct share_job {
    uint32_t show, priority, date, at_once;
    uint32_t roots[JOB_ROOTS_MAX]; /* + 1; 0 = none */
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
    uint32_t show_most[SHOWS], root_most[ROOTS];
    uint64_t served[KEYS];       /* what was given to a show at a priority and deadline */
    uint64_t base[KEYS][KEYS];   /* the same when it and another began to wait together */
    bool together[KEYS][KEYS];
    int64_t lead[PRIORITIES], lead_least[PRIORITIES], lead_most[PRIORITIES]; /* dated less three times undated */
    bool mixed[PRIORITIES];      /* both might begin something after the last step */
    char reason[160];
} share_farm;

static uint32_t key_of(const share_job *job)
{
    return (job->show * PRIORITIES + job->priority) * DATES + job->date;
}
static uint32_t key_priority(uint32_t key)
{
    return key / DATES % PRIORITIES;
}
static uint32_t key_show(uint32_t key)
{
    return key / DATES / PRIORITIES;
}

static bool uses_root(const share_job *job, uint32_t root)
{
    return job->roots[0] == root + 1 || job->roots[1] == root + 1;
}

/* By how much the fullest of the job's limits is exceeded, counted from what runs: 0 = exactly full, below: has room. */
static int limits_over(const share_farm *self, const share_job *job)
{
    int own = -(int)job->at_once, show = -(int)self->show_most[job->show], root[ROOTS];
    for (uint32_t r = 0; r < ROOTS; r++)
        root[r] = uses_root(job, r) ? -(int)self->root_most[r] : -UNLIMITED - SLOTS_MAX;
    for (uint32_t i = 0; i < SLOTS_MAX; i++) {
        const share_job *other = &self->jobs[self->slots[i].busy ? self->slots[i].of.job : 0];
        if (!self->slots[i].busy)
            continue;
        own += other == job;
        show += other->show == job->show;
        for (uint32_t r = 0; r < ROOTS; r++)
            root[r] += uses_root(other, r);
    }
    int most = own > show ? own : show;
    for (uint32_t r = 0; r < ROOTS; r++)
        most = root[r] > most ? root[r] : most;
    return most;
}

static bool key_waits(const share_farm *self, uint32_t key)
{
    for (uint32_t number = 1; number <= JOBS; number++) {
        const share_job *job = &self->jobs[number];
        job_view view;
        if (job->submitted && !job->held && key_of(job) == key && scheduler_job_view(self->core, number, &view) &&
            view.by_state[TASK_READY] > 0 && limits_over(self, job) < 0)
            return true;
    }
    return false;
}

/* Key b goes before key a: a higher priority, or the same and an earlier deadline. */
static bool goes_before(uint32_t b, uint32_t a)
{
    if (key_priority(a) != key_priority(b))
        return key_priority(b) > key_priority(a);
    return a % DATES != 0 && b % DATES != 0 && b % DATES < a % DATES;
}

static void order_check(share_farm *self, const bool *given, const bool *waits)
{
    for (uint32_t a = 0; a < KEYS; a++) {
        for (uint32_t b = 0; b < KEYS; b++) {
            if (given[a] && waits[b] && goes_before(b, a))
                snprintf(self->reason, sizeof self->reason,
                         "a task of priority %u, deadline %u began while one of priority %u, deadline %u might", key_priority(a),
                         a % DATES, key_priority(b), b % DATES);
        }
    }
}

static void shares_check(share_farm *self, const bool *waits)
{
    for (uint32_t a = 0; a < KEYS; a++) {
        for (uint32_t b = 0; b < KEYS; b++) {
            bool now = a != b && waits[a] && waits[b] && key_priority(a) == key_priority(b) && a % DATES == b % DATES;
            if (now && !self->together[a][b])
                self->base[a][b] = self->served[a];
            self->together[a][b] = now;
        }
    }
    for (uint32_t a = 0; a < KEYS; a++) {
        for (uint32_t b = 0; b < KEYS; b++) {
            uint64_t of_a = self->served[a] - self->base[a][b];
            uint64_t of_b = self->served[b] - self->base[b][a];
            uint64_t most = (uint64_t)self->cost_max[key_show(a)] + self->cost_max[key_show(b)] + 2;
            if (self->together[a][b] && of_a > of_b + most)
                snprintf(self->reason, sizeof self->reason,
                         "show %u was given %" PRIu64 " while show %u, which waited too, was given %" PRIu64, key_show(a),
                         of_a, key_show(b), of_b);
        }
    }
}

/* Who has no deadline is given a quarter while who has one waits too. */
static void quarters_check(share_farm *self, const bool *waits)
{
    int64_t largest = 0;
    for (uint32_t show = 0; show < SHOWS; show++)
        largest = self->cost_max[show] + 1 > largest ? self->cost_max[show] + 1 : largest;
    for (uint32_t p = 0; p < PRIORITIES; p++) {
        bool dated = false, undated = false;
        for (uint32_t key = 0; key < KEYS; key++) {
            dated = dated || (waits[key] && key_priority(key) == p && key % DATES != 0);
            undated = undated || (waits[key] && key_priority(key) == p && key % DATES == 0);
        }
        int64_t lead = self->lead[p];
        bool go_on = self->mixed[p] && dated && undated;
        self->lead_least[p] = !go_on || lead < self->lead_least[p] ? lead : self->lead_least[p];
        self->lead_most[p] = !go_on || lead > self->lead_most[p] ? lead : self->lead_most[p];
        self->mixed[p] = dated && undated;
        if (self->mixed[p] && self->lead_most[p] - self->lead_least[p] > 4 * largest)
            snprintf(self->reason, sizeof self->reason,
                     "what jobs with a deadline were given, less three times what others were, went from %" PRId64 " to %" PRId64
                     " while both waited",
                     self->lead_least[p], self->lead_most[p]);
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
    bool given[KEYS] = {false}, waits[KEYS];
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
        int64_t charge = (int64_t)job->tasks[fact->task].cost + 1;
        self->served[key_of(job)] += (uint64_t)charge;
        self->lead[job->priority] += job->date != 0 ? charge : -3 * charge;
        given[key_of(job)] = true;
    }
    for (size_t i = 0; i < self->out.command_count; i++) {
        const scheduler_command *command = &self->out.commands[i];
        if (scheduler_release(self->core, self->now_ms, command) && command->type == COMMAND_ASSIGN)
            begin(self, command);
    }
    for (uint32_t i = 0; i < SLOTS_MAX; i++) {
        if (self->slots[i].busy && limits_over(self, &self->jobs[self->slots[i].of.job]) > 0)
            snprintf(self->reason, sizeof self->reason, "a limit of job %u is exceeded", self->slots[i].of.job);
    }
    for (uint32_t key = 0; key < KEYS; key++)
        waits[key] = key_waits(self, key);
    order_check(self, given, waits);
    shares_check(self, waits);
    quarters_check(self, waits);
}

static void submit(share_farm *self, uint32_t number)
{
    share_job *job = &self->jobs[number];
    job->submitted = true;
    scheduler_event submitted = {
        .type = EVENT_JOB_SUBMITTED,
        .submitted = {.job = number,
                      .priority = (int32_t)job->priority,
                      .share = job->show + 1,
                      .terms = {.deadline = job->date, .at_once = job->at_once < UNLIMITED ? job->at_once : 0}}};
    for (uint32_t i = 0; i < JOB_ROOTS_MAX; i++)
        submitted.submitted.terms.roots[i] = job->roots[i] == 0 ? 0 : ROOT_KEY + job->roots[i];
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

/* A limit of some, none of most. */
static uint32_t limit_make(share_farm *self, uint32_t chance)
{
    return sim_random_chance(&self->random, chance) ? sim_random_between(&self->random, 1, 4) : UNLIMITED;
}

static void limits_make(share_farm *self)
{
    scheduler_limits limits = {.each_show = sim_random_chance(&self->random, 300) ? sim_random_between(&self->random, 1, 8) : 0};
    for (uint32_t show = 0; show < SHOWS; show++) {
        self->show_most[show] = limit_make(self, 300);
        if (self->show_most[show] != UNLIMITED)
            limits.rules[limits.count++] = (limit_rule){.key = show + 1, .most = self->show_most[show]};
        else if (limits.each_show != 0)
            self->show_most[show] = limits.each_show;
    }
    for (uint32_t root = 0; root < ROOTS; root++) {
        self->root_most[root] = limit_make(self, 300);
        if (self->root_most[root] != UNLIMITED)
            limits.rules[limits.count++] = (limit_rule){.key = ROOT_KEY + root + 1, .most = self->root_most[root]};
    }
    scheduler_set_limits(self->core, &limits);
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
        job->date = sim_random_chance(&self->random, 400) ? sim_random_between(&self->random, 1, DATES - 1) : 0;
        job->at_once = limit_make(self, 150);
        for (uint32_t i = 0; i < JOB_ROOTS_MAX; i++)
            job->roots[i] = sim_random_below(&self->random, ROOTS + 1);
        job->submit_ms = sim_random_below(&self->random, 20000);
        job->task_count = sim_random_between(&self->random, 1, TASKS_MAX);
        for (uint32_t i = 0; i < job->task_count; i++)
            job->tasks[i] = (task_spec){.affinity = (uint16_t)sim_random_below(&self->random, 4),
                                        .cost = sim_random_between(&self->random, 1, self->cost_max[job->show])};
    }
    limits_make(self);
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

/* An assertion of the scheduler or the session ends the program: it too must say which seed that was. */
static uint64_t seed_now;

static void on_abort(int number)
{
    char line[80];
    (void)number;
    int size = snprintf(line, sizeof line, "seed %" PRIu64 ": the assertion above; repeat it with --%s %" PRIu64 "\n", seed_now,
                        "count 1 --from", seed_now);
    if (size > 0 && write(STDOUT_FILENO, line, (size_t)size) < 0)
        _exit(3);
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
    (void)signal(SIGABRT, on_abort);
    for (uint64_t seed = from; seed < from + count; seed++) {
        seed_now = seed;
        if (seed_run(self, seed))
            continue;
        printf("seed %" PRIu64 ": %s\nrepeat it with: %s --from %" PRIu64 " --count 1\n", seed, self->reason, argv[0], seed);
        free(self);
        return 1;
    }
    printf("%" PRIu64 " seeds from %" PRIu64 ": every show had its share, every limit held\n", count, from);
    free(self);
    return 0;
}
