#include "coordinator/forecast/ready_forecast.h"

#include "coordinator/core/index_heap.h"

#include <stdlib.h>
#include <string.h>

/* One placing of all tasks. Slots are numbered node by node, the coordinator's last. */
typedef struct placing {
    const forecast_task *tasks;
    uint32_t task_count, first_number;
    uint32_t *waiting;       /* [task] how many it still waits for */
    uint32_t *followers;     /* of all tasks, by first_follower */
    uint32_t *first_follower; /* [task + 1] */
    index_heap ready[2];     /* of workers, of the coordinator: the longest first */
    index_heap running;      /* by end */
    uint32_t *slot_of;       /* [task] while it runs */
    uint32_t *free_slots[2];
    uint32_t free_count[2];
    const forecast_node **slot_node; /* [slot] */
    uint32_t remote_slots;
    uint64_t now_ms;
} placing;

static uint64_t spent_ms(const forecast_node *node, const forecast_task *task)
{
    return ((uint64_t)task->cost_ms * node->paces[task->kind] + PACE_UNIT / 2) / PACE_UNIT;
}

static void placing_deinit(placing *self)
{
    free(self->waiting);
    free(self->followers);
    free(self->first_follower);
    free(self->slot_of);
    free(self->free_slots[0]);
    free(self->free_slots[1]);
    free(self->slot_node);
    index_heap_deinit(&self->ready[0]);
    index_heap_deinit(&self->ready[1]);
    index_heap_deinit(&self->running);
}

static bool counts_as_wait(const placing *self, uint32_t number)
{
    return number >= self->first_number && !self->tasks[number - self->first_number].done;
}

/* Who follows on whom, from who waits for whom: counted one place on, so that filling in moves each beginning to its end. */
static bool link_followers(placing *self)
{
    uint32_t count = self->task_count;
    self->waiting = calloc((size_t)count + 1, sizeof *self->waiting);
    self->first_follower = calloc((size_t)count + 2, sizeof *self->first_follower);
    if (self->waiting == NULL || self->first_follower == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; !self->tasks[i].done && k < self->tasks[i].wait_count; k++)
            if (counts_as_wait(self, self->tasks[i].waits[k])) {
                self->waiting[i]++;
                self->first_follower[self->tasks[i].waits[k] - self->first_number + 2]++;
            }
    for (uint32_t i = 2; i < count + 2; i++)
        self->first_follower[i] += self->first_follower[i - 1];
    self->followers = calloc((size_t)self->first_follower[count + 1] + 1, sizeof *self->followers);
    if (self->followers == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; !self->tasks[i].done && k < self->tasks[i].wait_count; k++)
            if (counts_as_wait(self, self->tasks[i].waits[k]))
                self->followers[self->first_follower[self->tasks[i].waits[k] - self->first_number + 1]++] = i;
    return true;
}

static void make_ready(placing *self, uint32_t task)
{
    index_heap_item item = {.key = UINT32_MAX - self->tasks[task].cost_ms, .order = task, .id = task};
    index_heap_set(&self->ready[self->tasks[task].local ? 1 : 0], item);
}

static void start_ready(placing *self, int side)
{
    while (self->ready[side].count > 0 && self->free_count[side] > 0) {
        uint32_t task = self->ready[side].items[0].id;
        uint32_t slot = self->free_slots[side][--self->free_count[side]];
        index_heap_remove(&self->ready[side], task);
        self->slot_of[task] = slot;
        uint64_t end_ms = self->now_ms + spent_ms(self->slot_node[slot], &self->tasks[task]);
        index_heap_set(&self->running, (index_heap_item){.key = end_ms, .order = task, .id = task});
    }
}

static void end_next(placing *self)
{
    uint32_t task = self->running.items[0].id;
    self->now_ms = self->running.items[0].key;
    index_heap_remove(&self->running, task);
    int side = self->slot_of[task] >= self->remote_slots ? 1 : 0;
    self->free_slots[side][self->free_count[side]++] = self->slot_of[task];
    for (uint32_t i = self->first_follower[task]; i < self->first_follower[task + 1]; i++)
        if (--self->waiting[self->followers[i]] == 0)
            make_ready(self, self->followers[i]);
}

static bool lay_out_slots(placing *self, const forecast_node *nodes, uint32_t node_count, const forecast_node *local)
{
    uint64_t slots = local->slots;
    for (uint32_t i = 0; i < node_count; i++)
        slots += nodes[i].slots;
    if (slots > FORECAST_SLOTS_MAX)
        slots = FORECAST_SLOTS_MAX;
    self->slot_node = calloc(slots + 1, sizeof(forecast_node *));
    self->free_slots[0] = calloc(slots + 1, sizeof(uint32_t));
    self->free_slots[1] = calloc(slots + 1, sizeof(uint32_t));
    if (self->slot_node == NULL || self->free_slots[0] == NULL || self->free_slots[1] == NULL)
        return false;
    uint32_t slot = 0;
    for (uint32_t i = 0; i < node_count; i++)
        for (uint32_t k = 0; k < nodes[i].slots && slot + local->slots < slots; k++)
            self->slot_node[slot++] = &nodes[i];
    self->remote_slots = slot;
    for (uint32_t i = 0; i < self->remote_slots; i++) /* the last is taken first */
        self->free_slots[0][self->free_count[0]++] = self->remote_slots - 1 - i;
    for (uint32_t k = 0; k < local->slots && slot < slots; k++) {
        self->slot_node[slot] = local;
        self->free_slots[1][self->free_count[1]++] = slot++;
    }
    return true;
}

/* The time of all tasks on these slots. */
static status place_all(const forecast_task *tasks, uint32_t task_count, uint32_t first_number,
                        const forecast_node *nodes, uint32_t node_count, const forecast_node *local, uint64_t *out_ms)
{
    placing work = {.tasks = tasks, .task_count = task_count, .first_number = first_number};
    status code = STATUS_NODE_MEMORY;
    work.slot_of = calloc((size_t)task_count + 1, sizeof *work.slot_of);
    if (work.slot_of != NULL && index_heap_init(&work.ready[0], task_count + 1) &&
        index_heap_init(&work.ready[1], task_count + 1) && index_heap_init(&work.running, task_count + 1) &&
        link_followers(&work) && lay_out_slots(&work, nodes, node_count, local)) {
        for (uint32_t i = 0; i < task_count; i++)
            if (!tasks[i].done && work.waiting[i] == 0)
                make_ready(&work, i);
        for (;;) {
            start_ready(&work, 0);
            start_ready(&work, 1);
            if (work.running.count == 0)
                break;
            end_next(&work);
        }
        *out_ms = work.ready[0].count > 0 || work.ready[1].count > 0 ? UINT64_MAX : work.now_ms;
        code = STATUS_OK;
    }
    placing_deinit(&work);
    return code;
}

status ready_forecast_spent(uint64_t *out_ms, uint32_t slots, uint32_t local_slots, const forecast_task *tasks,
                            uint32_t task_count, uint32_t first_number)
{
    forecast_node as_it_was = {.slots = slots}, local = {.slots = local_slots};
    for (int kind = 0; kind < PACE_KINDS_MAX; kind++)
        as_it_was.paces[kind] = local.paces[kind] = PACE_UNIT;
    if (task_count > FORECAST_TASKS_MAX)
        return STATUS_AGAIN;
    return place_all(tasks, task_count, first_number, &as_it_was, 1, &local, out_ms);
}

/* Without placing: all slots busy to the end, or the longest chain. */
static status bound_all(const forecast_task *tasks, uint32_t task_count, uint32_t first_number, uint32_t slots,
                        const forecast_farm *farm, uint64_t work_ms, uint64_t *out_ms)
{
    uint64_t *ends = calloc((size_t)task_count + 1, sizeof *ends);
    uint64_t chain_ms = 0;
    if (ends == NULL)
        return STATUS_NODE_MEMORY;
    for (uint32_t i = 0; i < task_count; i++) {
        const forecast_task *task = &tasks[i];
        for (uint32_t k = 0; k < task->wait_count; k++)
            if (task->waits[k] >= first_number && ends[task->waits[k] - first_number] > ends[i])
                ends[i] = ends[task->waits[k] - first_number];
        ends[i] += task->done ? 0 : spent_ms(task->local ? &farm->local : &farm->average, task);
        chain_ms = ends[i] > chain_ms ? ends[i] : chain_ms;
    }
    free(ends);
    *out_ms = slots == 0 ? UINT64_MAX : work_ms / slots > chain_ms ? work_ms / slots : chain_ms;
    return STATUS_OK;
}

/* What passes between the tasks comes to it, as it was with jobs of that size. */
static uint64_t job_ms(const forecast_farm *farm, uint64_t placed_ms)
{
    uint32_t pace = farm->job_paces[pace_job_size(placed_ms)];
    return pace == 0 || placed_ms > UINT32_MAX ? placed_ms : placed_ms * pace / PACE_UNIT;
}

status ready_forecast_make(ready_forecast *out_forecast, const forecast_farm *farm, const forecast_task *tasks,
                           uint32_t task_count, uint32_t first_number)
{
    memset(out_forecast, 0, sizeof *out_forecast);
    bool placed = task_count <= FORECAST_TASKS_MAX;
    for (uint32_t i = 0; i < farm->node_count; i++)
        out_forecast->slots += farm->nodes[i].slots;
    for (uint32_t i = 0; i < task_count; i++)
        out_forecast->work_ms += tasks[i].done ? 0 : spent_ms(tasks[i].local ? &farm->local : &farm->average, &tasks[i]);
    uint32_t slots = out_forecast->slots;
    uint64_t alone_ms = 0;
    status code = placed ? place_all(tasks, task_count, first_number, farm->nodes, farm->node_count, &farm->local, &alone_ms)
                         : bound_all(tasks, task_count, first_number, slots, farm, out_forecast->work_ms, &alone_ms);
    out_forecast->nodes = farm->node_count;
    out_forecast->placed_ms = alone_ms;
    out_forecast->ready_ms = alone_ms == UINT64_MAX || slots == 0 ? alone_ms : job_ms(farm, alone_ms) + farm->ahead_ms / slots;
    for (uint32_t count = 1; code == STATUS_OK && out_forecast->point_count < FORECAST_POINTS_MAX; count *= 2) {
        forecast_node node = farm->average;
        forecast_point *point = &out_forecast->points[out_forecast->point_count];
        node.slots = count;
        code = placed ? place_all(tasks, task_count, first_number, &node, 1, &farm->local, &point->ready_ms)
                      : bound_all(tasks, task_count, first_number, count, farm, out_forecast->work_ms, &point->ready_ms);
        point->ready_ms = job_ms(farm, point->ready_ms) + farm->ahead_ms / count;
        point->slots = count;
        out_forecast->point_count++;
        /* More slots than tasks change nothing any more. */
        if (count >= task_count)
            break;
    }
    return code;
}
