#include "sim_check.h"

#include "coordinator/core/retry_policy.h"
#include "sim_coordinator.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHECK_JOBS_MAX = 16, CHECK_EPOCHS_MAX = 512, CHECK_ENDS_MAX = 16384, CHECK_LIVE_MAX = 64, CHECK_WORKERS_MAX = 1024 };

/* What the journal has said for sure about one task. */
typedef struct checked_task {
    uint32_t epoch;       /* highest given out */
    bool done;
    bool may_run_again;   /* JOB_RETRIED came since it was done */
    uint32_t failed, lost;/* since submission or retry */
    task_state state;
    status code;
    attempt_id result;    /* last RESULT record */
    uint64_t payload;
    uint32_t holder[CHECK_EPOCHS_MAX]; /* worker number, by epoch */
    uint8_t given[CHECK_EPOCHS_MAX / 8];
    uint8_t over[CHECK_EPOCHS_MAX / 8];
    uint8_t over_before[CHECK_EPOCHS_MAX / 8]; /* when the coordinator started last: it does not know whether it runs */
    uint8_t taken_by[CHECK_EPOCHS_MAX]; /* process + 1, by epoch */
    uint8_t begun[CHECK_EPOCHS_MAX / 8];
} checked_task;

typedef struct checked_job {
    uint32_t client; /* + 1; 0 = not submitted */
    bool submitted, ended, cancelled_ever, failed;
    bool held; /* nothing of it may begin */
    uint32_t running; /* attempts given to workers and not over */
    checked_task tasks[SIM_TASKS_MAX];
} checked_job;

typedef struct execution_end {
    attempt_id attempt;
    uint32_t process;
    status code;
} execution_end;

struct sim_check {
    char reason[512];
    bool failed;
    checked_job jobs[CHECK_JOBS_MAX];
    bool overdue[SIM_PROCESSES_MAX]; /* it has executed what the coordinator did not want: others may wait behind that */
    bool quarantined[CHECK_WORKERS_MAX]; /* ever; by worker number */
    bool accused[CHECK_WORKERS_MAX];     /* for the first time, just now: what proves it comes next in the journal */
    execution_end *ends; /* how executions really ended */
    uint32_t end_count;
    struct {
        attempt_id attempt;
        uint32_t process;
    } live[CHECK_LIVE_MAX];
    uint32_t live_count;
};

sim_check *sim_check_create(void)
{
    sim_check *self = calloc(1, sizeof *self);
    if (self != NULL)
        self->ends = calloc(CHECK_ENDS_MAX, sizeof *self->ends);
    return self;
}

void sim_check_destroy(sim_check **self)
{
    if (*self != NULL)
        free((*self)->ends);
    free(*self);
    *self = NULL;
}

const char *sim_check_reason(const sim_check *self)
{
    return self->failed ? self->reason : NULL;
}

void sim_check_fail(sim_check *self, const char *format, ...)
{
    if (self->failed)
        return;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(self->reason, sizeof self->reason, format, arguments);
    va_end(arguments);
    self->failed = true;
}

static checked_task *task_of(sim_check *self, uint32_t job, uint32_t task)
{
    return job < CHECK_JOBS_MAX && task < SIM_TASKS_MAX ? &self->jobs[job].tasks[task] : NULL;
}

static bool bit_get(const uint8_t *bits, uint32_t index)
{
    return index < CHECK_EPOCHS_MAX && ((uint32_t)bits[index / 8] >> (index % 8) & 1u) != 0;
}

static void bit_set(uint8_t *bits, uint32_t index)
{
    if (index < CHECK_EPOCHS_MAX)
        bits[index / 8] = (uint8_t)((uint32_t)bits[index / 8] | 1u << (index % 8));
}

uint64_t sim_check_payload(attempt_id id, uint32_t process)
{
    sim_random mix = {.state = (uint64_t)id.job << 48 ^ (uint64_t)id.task << 32 ^
                               (uint64_t)id.term << 16 ^ id.epoch ^ (uint64_t)process << 56};
    return sim_random_next(&mix);
}

/* ---- executions ---- */

static const sim_task *plan_task_of(const sim_check *self, const sim_world *world, attempt_id id)
{
    if (id.job >= CHECK_JOBS_MAX || self->jobs[id.job].client == 0)
        return NULL;
    const sim_plan *plan = &world->clients[self->jobs[id.job].client - 1].plan;
    return id.task < plan->task_count ? &plan->tasks[id.task] : NULL;
}

/* The execution goes on where nobody has lied, and nobody is about to end it. */
static bool live_really(const sim_check *self, const sim_world *world, uint32_t index)
{
    const sim_process *of = &world->processes[self->live[index].process];
    if (!of->alive || of->liar || of->frozen_until_ms > world->now_ms)
        return false;
    for (uint32_t slot = 0; slot < SIM_SLOTS_MAX; slot++) {
        if (of->executions[slot].used && of->executions[slot].killed &&
            attempt_id_equal(&of->executions[slot].attempt, &self->live[index].attempt))
            return false;
    }
    return true;
}

/* ---- limits ---- */

static bool plan_in_pool(const sim_plan *plan, uint64_t key)
{
    return key < SIM_ROOT_KEY ? plan->share == key : plan->terms.roots[0] == key || plan->terms.roots[1] == key;
}

/* Of what goes on, by client, no more than `most` is of this pool. */
static void check_pool(sim_check *self, const sim_world *world, const uint32_t *counts, uint64_t key, uint32_t most,
                       const char *what)
{
    uint32_t running = 0;
    for (uint32_t client = 0; client < world->client_count; client++)
        running += plan_in_pool(&world->clients[client].plan, key) ? counts[client] : 0;
    if (running > most)
        sim_check_fail(self, "%u %s go on in pool %u, which may have %u", running, what, (unsigned)key, most);
}

/* No show, storage root or job has more than it may. */
static void check_limits(sim_check *self, const sim_world *world, const uint32_t *counts, const char *what)
{
    for (uint32_t i = 0; i < world->limits.count; i++)
        check_pool(self, world, counts, world->limits.rules[i].key, world->limits.rules[i].most, what);
    for (uint64_t show = 0; show < SIM_SHOWS && world->limits.each_show != 0; show++) {
        bool named = false;
        for (uint32_t i = 0; i < world->limits.count; i++)
            named = named || world->limits.rules[i].key == show;
        if (!named)
            check_pool(self, world, counts, show, world->limits.each_show, what);
    }
    for (uint32_t client = 0; client < world->client_count; client++) {
        uint32_t most = world->clients[client].plan.terms.at_once;
        if (most != 0 && counts[client] > most)
            sim_check_fail(self, "%u %s of client %u's job go on, which may have %u", counts[client], what, client, most);
    }
}

/* As they really go on, where nobody has lied. */
static void check_limits_live(sim_check *self, const sim_world *world)
{
    uint32_t counts[SIM_JOBS_MAX] = {0};
    for (uint32_t i = 0; i < self->live_count; i++) {
        uint32_t job = self->live[i].attempt.job;
        const checked_task *task = task_of(self, job, self->live[i].attempt.task);
        if (task != NULL && bit_get(task->over_before, self->live[i].attempt.epoch))
            continue;
        if (live_really(self, world, i) && job < CHECK_JOBS_MAX && self->jobs[job].client != 0)
            counts[self->jobs[job].client - 1]++;
    }
    check_limits(self, world, counts, "executions");
}

/* As the journal has it. */
static void check_limits_given(sim_check *self, const sim_world *world)
{
    uint32_t counts[SIM_JOBS_MAX] = {0};
    for (uint32_t job = 0; job < CHECK_JOBS_MAX; job++) {
        if (self->jobs[job].client != 0)
            counts[self->jobs[job].client - 1] = self->jobs[job].running;
    }
    check_limits(self, world, counts, "attempts");
}

static void attempt_over(sim_check *self, uint32_t job, checked_task *task, uint32_t epoch)
{
    if (bit_get(task->given, epoch) && !bit_get(task->over, epoch) && task->holder[epoch] != SCHEDULER_LOCAL)
        self->jobs[job].running--;
    bit_set(task->over, epoch);
}

/*
 * When an execution begins no other of its task goes on; where a second one does no harm there may be one, if its
 * attempt is not over for the journal. Where frames overtake each other everything may come late.
 */
static void check_alone(sim_check *self, const sim_world *world, uint32_t process, attempt_id id, bool spare)
{
    uint32_t others = 0;
    if (world->disordered || world->processes[process].liar)
        return;
    for (uint32_t i = 0; i < self->live_count; i++) {
        const attempt_id *other = &self->live[i].attempt;
        if (other->job != id.job || other->task != id.task || !live_really(self, world, i))
            continue;
        others++;
        if (bit_get(task_of(self, id.job, id.task)->over, other->epoch))
            sim_check_fail(self,
                           "process %u began epoch %u of task %u of job %u while its epoch %u, long over, goes on",
                           process, id.epoch, id.task, id.job, other->epoch);
    }
    if (others > (spare ? 1u : 0u))
        sim_check_fail(self, "process %u began epoch %u of task %u of job %u while %u other executions of it go on",
                       process, id.epoch, id.task, id.job, others);
}

void sim_check_restarted(sim_check *self)
{
    for (uint32_t job = 0; job < CHECK_JOBS_MAX; job++) {
        for (uint32_t i = 0; i < SIM_TASKS_MAX; i++) {
            checked_task *task = &self->jobs[job].tasks[i];
            memcpy(task->over_before, task->over, sizeof task->over);
        }
    }
}

void sim_check_arrived(sim_check *self, uint32_t process, attempt_id id)
{
    checked_task *task = task_of(self, id.job, id.task);
    if (task != NULL && id.epoch < CHECK_EPOCHS_MAX)
        task->taken_by[id.epoch] = (uint8_t)(process + 1);
}

void sim_check_killed(sim_check *self, uint32_t process)
{
    self->overdue[process] = true;
}

void sim_check_begun(sim_check *self, const sim_world *world, uint32_t process, attempt_id id)
{
    const sim_task *task = plan_task_of(self, world, id);
    if (task == NULL) {
        sim_check_fail(self, "process %u began task %u of job %u before the job was durable", process, id.task,
                       id.job);
        return;
    }
    checked_task *known = task_of(self, id.job, id.task);
    if (!bit_get(known->given, id.epoch))
        sim_check_fail(self, "process %u began epoch %u of task %u of job %u, which is not in the journal", process,
                       id.epoch, id.task, id.job);
    bit_set(known->begun, id.epoch);
    check_alone(self, world, process, id, task->kind == TASK_RENDER);
    if (self->live_count < CHECK_LIVE_MAX) {
        self->live[self->live_count].attempt = id;
        self->live[self->live_count++].process = process;
        if (!world->disordered)
            check_limits_live(self, world);
    } else {
        sim_check_fail(self, "more executions go on than the farm has slots");
    }
}

static void live_remove(sim_check *self, uint32_t process, const attempt_id *id)
{
    for (uint32_t i = 0; i < self->live_count; i++) {
        if (self->live[i].process == process && (id == NULL || attempt_id_equal(&self->live[i].attempt, id)))
            self->live[i--] = self->live[--self->live_count];
    }
}

void sim_check_ended(sim_check *self, uint32_t process, attempt_id id, status code)
{
    live_remove(self, process, &id);
    if (self->end_count < CHECK_ENDS_MAX)
        self->ends[self->end_count++] = (execution_end){.attempt = id, .process = process, .code = code};
}

void sim_check_died(sim_check *self, uint32_t process)
{
    live_remove(self, process, NULL);
}

void sim_check_stopped(sim_check *self, const sim_world *world, uint32_t job)
{
    for (uint32_t i = 0; i < self->live_count && job < CHECK_JOBS_MAX; i++) {
        const sim_task *task = plan_task_of(self, world, self->live[i].attempt);
        if (self->live[i].attempt.job == job && self->jobs[job].cancelled_ever && task != NULL &&
            task->kind != TASK_DISCARD)
            sim_check_fail(self, "process %u still executes task %u of job %u, which was cancelled",
                           self->live[i].process, self->live[i].attempt.task, job);
    }
}

/* ---- what became durable ---- */

void sim_check_durable_job(sim_check *self, uint32_t client, uint32_t job)
{
    if (job == 0 || job >= CHECK_JOBS_MAX || self->jobs[job].client != 0)
        sim_check_fail(self, "job number %u was given out twice", job);
    else
        self->jobs[job].client = client + 1;
}

void sim_check_durable_result(sim_check *self, attempt_id id, uint64_t payload)
{
    checked_task *task = task_of(self, id.job, id.task);
    if (task == NULL)
        return;
    task->result = id;
    task->payload = payload;
}

static void check_assigned(sim_check *self, const scheduler_fact *fact, checked_task *task)
{
    if (task->done && !task->may_run_again)
        sim_check_fail(self, "task %u of job %u was given out after its result had counted", fact->task, fact->job);
    if (self->jobs[fact->job].held && fact->epoch > task->epoch)
        sim_check_fail(self, "task %u of job %u was given out while the job is held", fact->task, fact->job);
    if (fact->epoch > task->epoch)
        task->epoch = fact->epoch;
    else if (!bit_get(task->given, fact->epoch) || bit_get(task->over, fact->epoch))
        sim_check_fail(self, "task %u of job %u was given out under number %u, which is used up", fact->task, fact->job,
                       fact->epoch);
    task->done = false;
    task->may_run_again = false;
    task->state = TASK_RUNNING;
    if (!bit_get(task->given, fact->epoch) && fact->worker != SCHEDULER_LOCAL && fact->epoch < CHECK_EPOCHS_MAX)
        self->jobs[fact->job].running++;
    bit_set(task->given, fact->epoch);
    if (fact->epoch < CHECK_EPOCHS_MAX)
        task->holder[fact->epoch] = fact->worker;
}

static void check_done(sim_check *self, const scheduler_fact *fact, checked_task *task)
{
    attempt_id id = {.job = fact->job, .task = fact->task, .term = fact->term, .epoch = fact->epoch};
    if (task->done)
        sim_check_fail(self, "task %u of job %u counted twice", fact->task, fact->job);
    task->done = true;
    if (fact->worker == SCHEDULER_LOCAL)
        return;
    if (!attempt_id_equal(&task->result, &id)) {
        sim_check_fail(self, "task %u of job %u is done by epoch %u, but its result was lost", fact->task, fact->job,
                       fact->epoch);
        return;
    }
    for (uint32_t i = 0; i < self->end_count; i++) {
        const execution_end *end = &self->ends[i];
        if (end->code == STATUS_OK && attempt_id_equal(&end->attempt, &id) &&
            sim_check_payload(id, end->process) == task->payload)
            return;
    }
    sim_check_fail(self, "task %u of job %u counts a result that its attempt %u did not make", fact->task, fact->job,
                   fact->epoch);
}

/* An attempt is blamed only for what really happened to it. */
static void check_blame(sim_check *self, const scheduler_fact *fact, checked_task *task)
{
    retry_count counter = retry_policy_counter(fact->code);
    task->failed += counter == RETRY_COUNT_FAILED;
    task->lost += counter == RETRY_COUNT_LOST;
    bool really = counter != RETRY_COUNT_FAILED;
    for (uint32_t i = 0; i < self->end_count && !really; i++) {
        const attempt_id *of = &self->ends[i].attempt;
        really = of->job == fact->job && of->task == fact->task && of->term == fact->term &&
                 of->epoch == fact->epoch && self->ends[i].code == fact->code;
    }
    if (!really)
        sim_check_fail(self, "task %u of job %u is blamed for \"%s\", which its attempt %u did not end with",
                       fact->task, fact->job, status_text(fact->code), fact->epoch);
    uint32_t taken_by = fact->epoch < CHECK_EPOCHS_MAX ? task->taken_by[fact->epoch] : 0;
    if (fact->code == STATUS_NODE_LOST && taken_by != 0 && !self->overdue[taken_by - 1] &&
        !bit_get(task->begun, fact->epoch))
        sim_check_fail(self, "attempt %u of task %u of job %u, which waited for a slot, is blamed for its worker's end",
                       fact->epoch, fact->task, fact->job);
    if (fact->value != TASK_FAILED)
        return;
    self->jobs[fact->job].failed = true;
    status_class class = status_class_of(fact->code);
    bool enough = class == STATUS_CLASS_INPUT || class == STATUS_CLASS_LIMIT || task->failed >= TASK_ATTEMPTS_MAX ||
                  task->lost >= RETRY_LOST_MAX ||
                  ((class == STATUS_CLASS_DEFECT || class == STATUS_CLASS_PEER) && task->failed >= RETRY_DEFECTS_MAX);
    if (!enough)
        sim_check_fail(self, "task %u of job %u was given up after %u failures and %u losses", fact->task, fact->job,
                       task->failed, task->lost);
}

static void check_ended(sim_check *self, const scheduler_fact *fact, checked_task *task)
{
    if (!bit_get(task->given, fact->epoch) || bit_get(task->over, fact->epoch))
        sim_check_fail(self, "attempt %u of task %u of job %u ended without running", fact->epoch, fact->task,
                       fact->job);
    attempt_over(self, fact->job, task, fact->epoch);
    for (uint32_t i = 0; i < self->live_count; i++) {
        const attempt_id *live = &self->live[i].attempt;
        if (live->job == fact->job && live->task == fact->task && live->epoch == fact->epoch)
            self->overdue[self->live[i].process] = true;
    }
    if (fact->value == TASK_DONE)
        check_done(self, fact, task);
    else if (fact->value != TASK_CANCELLED)
        check_blame(self, fact, task);
    bool final = fact->value != TASK_RUNNING && fact->value != TASK_READY && fact->value != TASK_BACKOFF;
    for (uint32_t epoch = 1; final && epoch <= task->epoch; epoch++)
        attempt_over(self, fact->job, task, epoch); /* also of the loser of two attempts, which has no end of its own */
    if (fact->value != TASK_RUNNING)
        task->state = (task_state)fact->value;
    task->code = fact->code;
}

/*
 * Nobody is quarantined who has not failed three tasks, of different jobs or such that others could do. A file that was not
 * found is a failure once another has found it; a crash may take the last such proof, which the journal has behind the quarantine.
 */
static void check_quarantine(sim_check *self, uint32_t worker)
{
    self->accused[worker] = false;
    uint32_t failures = 0, unproven = 0;
    uint32_t first_job = 0;
    bool proven = false;
    for (uint32_t i = 0; i < self->end_count; i++) {
        const execution_end *end = &self->ends[i];
        const checked_task *task = task_of(self, end->attempt.job, end->attempt.task);
        if (task == NULL || end->attempt.epoch >= CHECK_EPOCHS_MAX || task->holder[end->attempt.epoch] != worker)
            continue;
        bool missed = end->code == STATUS_INPUT_MISSING;
        unproven += missed && !task->done;
        if (!(missed && task->done) && !retry_policy_strikes(end->code))
            continue;
        failures++;
        proven = proven || task->done || (first_job != 0 && first_job != end->attempt.job);
        first_job = end->attempt.job;
    }
    if (failures + (unproven > 0) < 3 || !proven)
        sim_check_fail(self, "worker %u is quarantined after %u failures", worker, failures);
}

void sim_check_durable_fact(sim_check *self, const sim_world *world, const scheduler_fact *fact)
{
    if (fact->type == FACT_WORKER_STATE) { /* after the first a single failure is enough */
        if (fact->value == WORKER_QUARANTINED && fact->worker < CHECK_WORKERS_MAX && !self->quarantined[fact->worker])
            self->quarantined[fact->worker] = self->accused[fact->worker] = true;
        return;
    }
    if (fact->job >= CHECK_JOBS_MAX || self->jobs[fact->job].client == 0) {
        sim_check_fail(self, "a fact about job %u came before the job", fact->job);
        return;
    }
    checked_job *job = &self->jobs[fact->job];
    checked_task *task = task_of(self, fact->job, fact->task);
    if (job->ended && fact->type != FACT_JOB_RETRIED)
        sim_check_fail(self, "something happened to job %u after its end", fact->job);
    switch (fact->type) {
    case FACT_JOB_SUBMITTED:
        job->submitted = true;
        break;
    case FACT_JOB_CANCELLED:
        job->cancelled_ever = true;
        job->held = false;
        break;
    case FACT_JOB_ENDED:
        job->ended = true;
        job->held = false;
        break;
    case FACT_JOB_RETRIED:
        job->ended = job->failed = job->cancelled_ever = false;
        for (uint32_t i = 0; i < SIM_TASKS_MAX; i++) {
            job->tasks[i].may_run_again = true;
            job->tasks[i].failed = job->tasks[i].lost = 0;
        }
        break;
    case FACT_TASK_ASSIGNED:
        check_assigned(self, fact, task);
        check_limits_given(self, world);
        break;
    case FACT_TASK_ENDED:
        check_ended(self, fact, task);
        for (uint32_t i = 0; i < CHECK_WORKERS_MAX; i++)
            if (self->accused[i])
                check_quarantine(self, i);
        break;
    case FACT_JOB_HELD:
    case FACT_JOB_RELEASED:
        job->held = fact->type == FACT_JOB_HELD;
        break;
    case FACT_JOB_EXTENDED:
    case FACT_JOB_FORGOTTEN:
    case FACT_WORKER_STATE:
    case FACT_JOB_PRIORITY:
    case FACT_TYPE_END:
        break;
    }
}

/* ---- what was told ---- */

void sim_check_acknowledged(sim_check *self, uint32_t worker, attempt_id id)
{
    checked_task *task = task_of(self, id.job, id.task);
    /* Others may forget what they never had; for the holder it must have ended on disk first. */
    if (task != NULL && bit_get(task->given, id.epoch) && task->holder[id.epoch] == worker &&
        !bit_get(task->over, id.epoch))
        sim_check_fail(self, "attempt %u of task %u of job %u was acknowledged before its end was durable",
                       id.epoch, id.task, id.job);
}

void sim_check_accepted(sim_check *self, uint32_t client, uint32_t job)
{
    if (job >= CHECK_JOBS_MAX || self->jobs[job].client != client + 1 || !self->jobs[job].submitted)
        sim_check_fail(self, "client %u was told of job %u before it was durable", client, job);
}

void sim_check_told_ended(sim_check *self, uint32_t job)
{
    if (job >= CHECK_JOBS_MAX || !self->jobs[job].ended)
        sim_check_fail(self, "job %u was called ended before that was durable", job);
}

/* ---- the end ---- */

static void check_job_end(sim_check *self, const sim_world *world, uint32_t client)
{
    const sim_coordinator *coordinator = world->coordinator;
    uint32_t number = world->clients[client].job;
    job_view view;
    if (!world->clients[client].told || !scheduler_job_view(coordinator->core, number, &view)) {
        sim_check_fail(self, "the job of client %u was forgotten", client);
        return;
    }
    if (view.state != JOB_ENDED || !self->jobs[number].ended) {
        sim_check_fail(self, "job %u has not ended: %u tasks wait, %u are ready, %u pause, %u run", number,
                       view.by_state[TASK_WAITING], view.by_state[TASK_READY], view.by_state[TASK_BACKOFF],
                       view.by_state[TASK_RUNNING]);
        return;
    }
    if (view.by_state[TASK_CANCELLED] > 0 && !self->jobs[number].cancelled_ever)
        sim_check_fail(self, "tasks of job %u were cancelled, which nobody asked for", number);
    if (view.by_state[TASK_SKIPPED] > 0 && view.by_state[TASK_FAILED] == 0 && view.by_state[TASK_CANCELLED] == 0)
        sim_check_fail(self, "tasks of job %u were skipped, though none failed", number);
    for (uint32_t task = 0; task < view.task_count; task++) {
        task_view of;
        bool done = scheduler_task_view(coordinator->core, number, task, &of) && of.state == TASK_DONE;
        const checked_task *known = &self->jobs[number].tasks[task];
        /* A retry put it back, and then it was not reached again. */
        bool put_back = known->done && known->may_run_again && of.epoch >= 1;
        if (done != known->done && !put_back)
            sim_check_fail(self, "task %u of job %u: the scheduler and the journal disagree whether it is done", task,
                           number);
    }
}

void sim_check_end(sim_check *self, const sim_world *world)
{
    for (uint32_t client = 0; client < world->client_count; client++)
        check_job_end(self, world, client);
    for (uint32_t process = 0; process < world->process_count; process++) {
        const sim_process *of = &world->processes[process];
        uint32_t held = of->alive ? worker_session_held_count(of->session) : 0;
        if (held > 0)
            sim_check_fail(self, "process %u still holds %u attempts when everything is over", process, held);
    }
    if (self->live_count > 0)
        sim_check_fail(self, "%u executions go on when everything is over", self->live_count);
}
