/*
 * Which task goes where. The worker with the least load asks; the job is the share queue's choice; within the job a
 * task of the reel that the worker read last is taken if it is as urgent as the best one. A task that failed on a
 * worker goes elsewhere while there is an elsewhere: if that is busy now, the task is parked until somebody else is
 * free. Limits (of a show, a storage root, a job) hold for every attempt, also a second one.
 */
#include "coordinator/core/scheduler_state.h"

#include "common/base/ensure.h"

enum {
    PLACEMENT_STEP_MAX = 1024,  /* assignments in one step; more are made in the next, which is due at once */
    PLACEMENT_LOOK_MAX = 64,    /* free workers or parked tasks looked at for a better fit */
    SPARE_INTERVAL_MS = 250,    /* between looks for stragglers */
    SPARE_PER_LOOK = 4,
    SPARE_SAMPLES_MIN = 3,      /* finished tasks of the job before its pace is believed */
    SPARE_SLACK_MS = 500
};

static void assign(scheduler *self, uint32_t job_slot, uint32_t task, uint32_t worker)
{
    const job_record *job = &self->jobs.jobs[job_slot];
    const attempt given = {.job = job->number,
                           .task = task,
                           .term = self->config.term,
                           .epoch = job->graph.tasks[task].epoch + 1u};
    status code = scheduler_say(self,
                                (scheduler_fact){.type = FACT_TASK_ASSIGNED,
                                                 .job = given.job,
                                                 .task = task,
                                                 .term = given.term,
                                                 .epoch = given.epoch,
                                                 .worker = worker},
                                0, NULL);
    ENSURE(code == STATUS_OK);
    /* In the journal it has begun; here its lease begins in scheduler_release. */
    uint32_t lease = fact_apply_find_lease(self, &given);
    self->leases.leases[lease].sent = false;
    index_heap_remove(&self->deadlines, lease);
    scheduler_command_add(self,
                          (scheduler_command){.type = COMMAND_ASSIGN, .worker = worker, .attempt = given});
}

static void placement_run_local(scheduler *self, uint32_t *left)
{
    while (*left > 0 && self->local_running < self->config.local_slots && self->leases.free_count > 0) {
        uint32_t job_slot = share_queue_next(&self->shares, SHARE_LOCAL);
        if (job_slot == SLOT_NONE)
            return;
        assign(self, job_slot, ready_queue_top(&self->jobs.jobs[job_slot].ready, READY_LANE_LOCAL), SCHEDULER_LOCAL);
        --*left;
    }
}

static bool worker_is_near(const worker_record *worker, const job_record *job, const task_record *task)
{
    return worker->near_job == job->number && worker->near_affinity == task->affinity;
}

/* An able worker, busy or not, that the task does not avoid. */
static bool elsewhere_exists(const scheduler *self, const task_trouble *trouble)
{
    uint32_t avoided = 0;
    for (uint32_t i = 0; i < trouble->avoid_count; i++) {
        uint32_t slot = worker_table_find(&self->workers, trouble->avoid[i]);
        avoided += slot != SLOT_NONE && worker_record_able(&self->workers.workers[slot]);
    }
    return self->workers.able_count > avoided;
}

/* One of the first free workers takes tasks of this job, and is none that this one (NULL: any task) avoids. */
static bool free_worker_suits(const scheduler *self, uint32_t job_slot, const task_trouble *trouble)
{
    for (uint32_t i = 0, looked = 0; i < self->workers.open.count && looked < PLACEMENT_LOOK_MAX; i++) {
        const worker_record *worker = &self->workers.workers[self->workers.open.items[i].id];
        if (worker_record_rests(worker, self->jobs.jobs[job_slot].number, self->now_ms))
            continue; /* those that rest are idle and stand in front: they hide nobody */
        looked++;
        if (trouble == NULL || !task_trouble_avoids(trouble, worker->number))
            return true;
    }
    return false;
}

/* Every free worker rests for this job: the next one gets its turn. There is one such job, for a worker rests for one. */
static void job_pass(scheduler *self, uint32_t job_slot)
{
    uint32_t before = self->passed_job;
    self->passed_job = job_slot;
    fact_apply_job_changed(self, job_slot);
    if (before != SLOT_NONE)
        fact_apply_job_changed(self, before);
}

/* A job that was passed, and parked tasks, compete again once somebody suits; tasks also when there is nobody else left. */
static void passed_wake(scheduler *self)
{
    uint32_t passed = self->passed_job;
    if (passed != SLOT_NONE && free_worker_suits(self, passed, NULL)) {
        self->passed_job = SLOT_NONE;
        fact_apply_job_changed(self, passed);
    }
    uint32_t looked = 0;
    uint32_t next = SLOT_NONE;
    for (uint32_t i = self->troubles.parked_head; i != SLOT_NONE && looked < PLACEMENT_LOOK_MAX; i = next, looked++) {
        const task_trouble *trouble = &self->troubles.troubles[i];
        next = trouble->next;
        if (!free_worker_suits(self, trouble->job_slot, trouble) && elsewhere_exists(self, trouble))
            continue;
        trouble_table_unpark(&self->troubles, i);
        fact_apply_task_ready(self, trouble->job_slot, trouble->task);
        fact_apply_job_changed(self, trouble->job_slot);
    }
}

/* What a task asks of a worker. */
typedef struct worker_wish {
    const job_record *job;
    const task_record *task;
    const task_trouble *trouble; /* NULL = it failed nowhere, or everywhere */
    bool near;                   /* only one that read the reel last */
    uint64_t now_ms;
} worker_wish;

static bool wish_fits(const worker_wish *wish, const worker_record *worker)
{
    if (worker_record_rests(worker, wish->job->number, wish->now_ms))
        return false;
    if (wish->trouble != NULL && task_trouble_avoids(wish->trouble, worker->number))
        return false;
    return !wish->near || worker_is_near(worker, wish->job, wish->task);
}

/* The least loaded, then lowest, of those that fit among the first free workers; SLOT_NONE when none does. */
static uint32_t worker_search(const scheduler *self, const worker_wish *wish)
{
    const index_heap *open = &self->workers.open;
    uint32_t best = SLOT_NONE;
    for (uint32_t i = 0, looked = 0; i < open->count && looked < PLACEMENT_LOOK_MAX; i++) {
        const index_heap_item *item = &open->items[i];
        looked += !worker_record_rests(&self->workers.workers[item->id], wish->job->number, wish->now_ms);
        if (wish_fits(wish, &self->workers.workers[item->id]) &&
            (best == SLOT_NONE || index_heap_item_before(item, &open->items[best])))
            best = i;
    }
    return best == SLOT_NONE ? SLOT_NONE : open->items[best].id;
}

/* Slot of the worker for this task: `first` unless another free one fits better; SLOT_NONE: the task must wait. */
static uint32_t worker_choose(const scheduler *self, uint32_t job_slot, uint32_t task, uint32_t first)
{
    const job_record *job = &self->jobs.jobs[job_slot];
    worker_wish wish = {.job = job, .task = &job->graph.tasks[task], .now_ms = self->now_ms};
    uint32_t trouble = trouble_table_find(&self->troubles, job_slot, task);
    if (trouble != SLOT_NONE)
        wish.trouble = &self->troubles.troubles[trouble];
    if (!wish_fits(&wish, &self->workers.workers[first])) {
        uint32_t other = worker_search(self, &wish);
        if (other != SLOT_NONE || wish.trouble == NULL || elsewhere_exists(self, wish.trouble))
            return other;
        wish.trouble = NULL;
        return wish_fits(&wish, &self->workers.workers[first]) ? first : worker_search(self, &wish);
    }
    if (wish.task->affinity >= READY_REELS || worker_is_near(&self->workers.workers[first], job, wish.task))
        return first;
    wish.near = true;
    uint32_t near = worker_search(self, &wish);
    return near == SLOT_NONE ? first : near;
}

static void assign_to_slot(scheduler *self, uint32_t job_slot, uint32_t task, uint32_t worker_slot)
{
    worker_record *worker = &self->workers.workers[worker_slot];
    const job_record *job = &self->jobs.jobs[job_slot];
    if (job->graph.tasks[task].affinity < READY_REELS) {
        worker->near_job = job->number;
        worker->near_affinity = job->graph.tasks[task].affinity;
    }
    assign(self, job_slot, task, worker->number);
}

static void placement_run_remote(scheduler *self, uint32_t *left)
{
    while (*left > 0 && self->workers.open.count > 0 && self->leases.free_count > 0) {
        uint32_t first = self->workers.open.items[0].id;
        const worker_record *worker = &self->workers.workers[first];
        uint32_t job_slot = share_queue_next(&self->shares, SHARE_REMOTE);
        if (job_slot == SLOT_NONE)
            return;
        --*left;
        if (limit_table_full(&self->limits, job_slot) != SLOT_NONE) { /* since it was listed: it is no more */
            fact_apply_job_changed(self, job_slot);
            continue;
        }
        job_record *job = &self->jobs.jobs[job_slot];
        uint32_t wanted = worker->near_job == job->number ? worker->near_affinity : UINT32_MAX;
        uint32_t task = ready_queue_pick(&job->ready, &job->graph, wanted);
        uint32_t chosen = worker_choose(self, job_slot, task, first);
        if (chosen != SLOT_NONE) {
            assign_to_slot(self, job_slot, task, chosen);
            continue;
        }
        if (!free_worker_suits(self, job_slot, NULL)) {
            job_pass(self, job_slot);
            continue;
        }
        ready_queue_remove(&job->ready, &job->graph, task);
        trouble_table_park(&self->troubles, trouble_table_find(&self->troubles, job_slot, task));
        fact_apply_job_changed(self, job_slot);
    }
}

void placement_run(scheduler *self)
{
    uint32_t left = PLACEMENT_STEP_MAX;
    passed_wake(self);
    placement_run_local(self, &left);
    placement_run_remote(self, &left);
    if (left == 0)
        self->work_left = true;
}

/* How far the attempt is beyond what its job's pace promises, in ms; 0 = no straggler. */
static uint64_t lease_overdue_ms(const scheduler *self, const task_lease *lease)
{
    const job_record *job = &self->jobs.jobs[lease->job_slot];
    const task_record *task = &job->graph.tasks[lease->attempt.task];
    if (!lease->used || lease->leftover || lease->cancelling || !lease->listed || !task->spare || !job_record_begins(job) ||
        lease->sibling != SLOT_NONE || self->leases.leases[task->link].sibling != SLOT_NONE ||
        job->timed_count < SPARE_SAMPLES_MIN || task->epoch >= TASK_EPOCH_MAX ||
        limit_table_full(&self->limits, lease->job_slot) != SLOT_NONE)
        return 0;
    uint64_t expected_ms = (uint64_t)task->cost * job->timed_ms / (job->timed_cost + 1);
    uint64_t elapsed_ms = task_lease_age_ms(lease, self->now_ms);
    uint64_t allowed_ms = expected_ms + expected_ms / 2 + SPARE_SLACK_MS;
    return elapsed_ms > allowed_ms ? elapsed_ms - expected_ms : 0;
}

static uint32_t spare_worker(const scheduler *self, uint32_t job_slot, const task_lease *lease)
{
    const index_heap *open = &self->workers.open;
    uint32_t trouble = trouble_table_find(&self->troubles, job_slot, lease->attempt.task);
    for (uint32_t i = 0; i < open->count && i < PLACEMENT_LOOK_MAX; i++) {
        const worker_record *worker = &self->workers.workers[open->items[i].id];
        /* Prefetched work would only wait: a spare goes where a slot is idle. */
        if (worker->number == lease->worker || worker->trust != TRUST_FULL || worker->running >= worker->slots ||
            worker_record_rests(worker, lease->attempt.job, self->now_ms) ||
            (trouble != SLOT_NONE && task_trouble_avoids(&self->troubles.troubles[trouble], worker->number)))
            continue;
        return open->items[i].id;
    }
    return SLOT_NONE;
}

uint64_t placement_spare_due_ms(const scheduler *self)
{
    bool idle = self->workers.open.count > 0 && share_queue_next(&self->shares, SHARE_REMOTE) == SLOT_NONE;
    bool busy = self->leases.free_count < self->leases.capacity;
    return idle && busy ? self->spare_due_ms : UINT64_MAX;
}

void placement_spare(scheduler *self)
{
    if (placement_spare_due_ms(self) > self->now_ms)
        return;
    self->spare_due_ms = self->now_ms + SPARE_INTERVAL_MS;
    for (uint32_t round = 0; round < SPARE_PER_LOOK && self->leases.free_count > 0; round++) {
        uint64_t worst_ms = 0;
        uint32_t worst = SLOT_NONE;
        for (uint32_t i = 0; i < self->leases.capacity; i++) {
            if (!self->leases.leases[i].used)
                continue;
            uint64_t overdue_ms = lease_overdue_ms(self, &self->leases.leases[i]);
            if (overdue_ms > worst_ms) {
                worst_ms = overdue_ms;
                worst = i;
            }
        }
        if (worst == SLOT_NONE)
            return;
        const task_lease *lease = &self->leases.leases[worst];
        uint32_t worker = spare_worker(self, lease->job_slot, lease);
        if (worker == SLOT_NONE)
            return;
        assign_to_slot(self, lease->job_slot, lease->attempt.task, worker);
    }
}
