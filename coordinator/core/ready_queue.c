#include "coordinator/core/ready_queue.h"

#include "common/base/ensure.h"

#include <stdlib.h>
#include <string.h>

uint32_t ready_queue_lane_of(const task_record *task)
{
    if (task->local)
        return READY_LANE_LOCAL;
    return task->affinity < READY_REELS ? task->affinity : READY_LANE_PLAIN;
}

static int cost_power(uint32_t cost)
{
    return 31 - __builtin_clz(cost | 1u);
}

static bool task_before(const task_graph *graph, uint32_t a, uint32_t b)
{
    const task_record *x = &graph->tasks[a];
    const task_record *y = &graph->tasks[b];
    if (x->depth != y->depth)
        return x->depth > y->depth;
    int power_x = cost_power(x->cost);
    int power_y = cost_power(y->cost);
    if (power_x != power_y)
        return power_x > power_y;
    return a < b;
}

static void slot_store(ready_queue *self, task_graph *graph, ready_lane lane, uint32_t place, uint32_t task)
{
    self->slots[lane.first + place] = task;
    graph->tasks[task].link = place;
}

static void slot_settle(ready_queue *self, task_graph *graph, ready_lane lane, uint32_t place, uint32_t task)
{
    const uint32_t *slots = self->slots + lane.first;
    while (place > 0) {
        uint32_t parent = (place - 1) / 2;
        if (!task_before(graph, task, slots[parent]))
            break;
        slot_store(self, graph, lane, place, slots[parent]);
        place = parent;
    }
    for (;;) {
        uint32_t child = place * 2 + 1;
        if (child >= lane.count)
            break;
        if (child + 1 < lane.count && task_before(graph, slots[child + 1], slots[child]))
            child++;
        if (!task_before(graph, slots[child], task))
            break;
        slot_store(self, graph, lane, place, slots[child]);
        place = child;
    }
    slot_store(self, graph, lane, place, task);
}

bool ready_queue_init(ready_queue *self, task_graph *graph)
{
    *self = (ready_queue){.slots = malloc(((size_t)graph->task_count + 1) * sizeof *self->slots),
                          .lanes = calloc(READY_LANES, sizeof *self->lanes)};
    if (self->slots == NULL || self->lanes == NULL) {
        ready_queue_deinit(self);
        return false;
    }
    uint32_t sizes[READY_LANES] = {0};
    for (uint32_t t = 0; t < graph->task_count; t++)
        sizes[ready_queue_lane_of(&graph->tasks[t])]++;
    uint32_t first = 0;
    for (uint32_t lane = 0; lane < READY_LANES; lane++) {
        self->lanes[lane].first = first;
        first += sizes[lane];
    }
    for (uint32_t t = 0; t < graph->task_count; t++) {
        const task_record *task = &graph->tasks[t];
        if (task_record_state(task) == TASK_READY && task->link != SLOT_NONE)
            ready_queue_push(self, graph, t);
    }
    return true;
}

void ready_queue_deinit(ready_queue *self)
{
    free(self->slots);
    free(self->lanes);
    *self = (ready_queue){0};
}

static void lane_changed(ready_queue *self, uint32_t lane, bool came)
{
    uint32_t *total = lane == READY_LANE_LOCAL ? &self->local_count : &self->remote_count;
    *total = came ? *total + 1 : *total - 1;
    if (lane < READY_REELS) {
        uint64_t bit = (uint64_t)1 << lane;
        self->reels = self->lanes[lane].count > 0 ? self->reels | bit : self->reels & ~bit;
    }
}

void ready_queue_push(ready_queue *self, task_graph *graph, uint32_t task)
{
    uint32_t index = ready_queue_lane_of(&graph->tasks[task]);
    ready_lane *lane = &self->lanes[index];
    lane->count++;
    slot_settle(self, graph, *lane, lane->count - 1, task);
    lane_changed(self, index, true);
}

void ready_queue_remove(ready_queue *self, task_graph *graph, uint32_t task)
{
    uint32_t index = ready_queue_lane_of(&graph->tasks[task]);
    ready_lane *lane = &self->lanes[index];
    uint32_t place = graph->tasks[task].link;
    ENSURE(place < lane->count && self->slots[lane->first + place] == task);
    uint32_t last = self->slots[lane->first + --lane->count];
    if (last != task)
        slot_settle(self, graph, *lane, place, last);
    graph->tasks[task].link = SLOT_NONE;
    lane_changed(self, index, false);
}

uint32_t ready_queue_top(const ready_queue *self, uint32_t lane)
{
    if (self->lanes == NULL || self->lanes[lane].count == 0)
        return SLOT_NONE;
    return self->slots[self->lanes[lane].first];
}

uint32_t ready_queue_pick(const ready_queue *self, const task_graph *graph, uint32_t wanted)
{
    uint32_t best = ready_queue_top(self, READY_LANE_PLAIN);
    for (uint64_t left = self->reels; left != 0; left &= left - 1) {
        uint32_t top = ready_queue_top(self, (uint32_t)__builtin_ctzll(left));
        if (best == SLOT_NONE || task_before(graph, top, best))
            best = top;
    }
    if (best == SLOT_NONE || wanted >= READY_REELS)
        return best;
    uint32_t near = ready_queue_top(self, wanted);
    return near != SLOT_NONE && graph->tasks[near].depth == graph->tasks[best].depth ? near : best;
}

void ready_queue_check(const ready_queue *self, const task_graph *graph)
{
    uint32_t remote = 0;
    for (uint32_t index = 0; self->lanes != NULL && index < READY_LANES; index++) {
        const ready_lane *lane = &self->lanes[index];
        if (index < READY_REELS)
            ENSURE((self->reels >> index & 1u) == (lane->count > 0));
        if (lane->count == 0 && index != READY_LANE_LOCAL)
            continue;
        const uint32_t *slots = self->slots + lane->first;
        for (uint32_t i = 0; i < lane->count; i++) {
            const task_record *task = &graph->tasks[slots[i]];
            ENSURE(task_record_state(task) == TASK_READY && task->link == i);
            ENSURE(ready_queue_lane_of(task) == index);
            ENSURE(i == 0 || !task_before(graph, slots[i], slots[(i - 1) / 2]));
        }
        if (index == READY_LANE_LOCAL)
            ENSURE(lane->count == self->local_count);
        else
            remote += lane->count;
    }
    ENSURE(remote == self->remote_count);
}
