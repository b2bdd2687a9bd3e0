#include "coordinator/core/job_table.h"

#include "common/base/ensure.h"

#include <stdlib.h>

bool job_table_init(job_table *self, uint32_t capacity)
{
    *self = (job_table){.jobs = calloc(capacity, sizeof *self->jobs),
                        .capacity = capacity,
                        .free_slots = malloc(capacity * sizeof *self->free_slots),
                        .head = SLOT_NONE,
                        .tail = SLOT_NONE};
    if (!id_map_init(&self->by_number, capacity) || self->jobs == NULL || self->free_slots == NULL)
        return false;
    for (uint32_t i = 0; i < capacity; i++)
        self->free_slots[i] = capacity - 1 - i;
    return true;
}

static void job_record_deinit(job_record *self)
{
    task_graph_deinit(&self->graph);
    ready_queue_deinit(&self->ready);
    *self = (job_record){0};
}

void job_table_deinit(job_table *self)
{
    for (uint32_t i = 0; self->jobs != NULL && i < self->capacity; i++) {
        if (self->jobs[i].used)
            job_record_deinit(&self->jobs[i]);
    }
    free(self->jobs);
    free(self->free_slots);
    id_map_deinit(&self->by_number);
    *self = (job_table){0};
}

uint32_t job_table_add(job_table *self, uint32_t number, uint64_t share, int32_t priority)
{
    if (self->count == self->capacity)
        return SLOT_NONE;
    uint32_t slot = self->free_slots[self->capacity - 1 - self->count];
    self->count++;
    self->jobs[slot] = (job_record){.used = true,
                                    .state = JOB_RUNNING,
                                    .number = number,
                                    .priority = priority,
                                    .share = share,
                                    .previous = self->tail,
                                    .next = SLOT_NONE};
    if (self->tail == SLOT_NONE)
        self->head = slot;
    else
        self->jobs[self->tail].next = slot;
    self->tail = slot;
    self->last_number = number;
    self->any_seen = true;
    id_map_put(&self->by_number, number, slot);
    return slot;
}

void job_table_remove(job_table *self, uint32_t slot)
{
    job_record *job = &self->jobs[slot];
    if (job->previous == SLOT_NONE)
        self->head = job->next;
    else
        self->jobs[job->previous].next = job->next;
    if (job->next == SLOT_NONE)
        self->tail = job->previous;
    else
        self->jobs[job->next].previous = job->previous;
    id_map_remove(&self->by_number, job->number);
    job_record_deinit(job);
    self->count--;
    self->free_slots[self->capacity - 1 - self->count] = slot;
}

uint32_t job_table_find(const job_table *self, uint32_t number)
{
    return id_map_find(&self->by_number, number);
}

void job_record_set_state(job_record *self, uint32_t task, task_state state)
{
    task_record *record = &self->graph.tasks[task];
    task_state before = task_record_state(record);
    self->by_state[before]--;
    self->by_state[state]++;
    record->state = (unsigned)state & 7u;
    if (task_state_terminal(before) != task_state_terminal(state))
        self->open_count = task_state_terminal(state) ? self->open_count - 1 : self->open_count + 1;
    if (before == TASK_DONE)
        self->cost_done -= record->cost;
    if (state == TASK_DONE)
        self->cost_done += record->cost;
}

status job_record_extend(job_record *self, uint32_t count, const task_spec *specs)
{
    task_graph graph = {0};
    status code = task_graph_extend(&self->graph, count, specs, &graph);
    if (code != STATUS_OK)
        return code;
    ready_queue queue;
    if (!ready_queue_init(&queue, &graph)) {
        task_graph_deinit(&graph);
        return STATUS_NODE_MEMORY;
    }
    task_graph_deinit(&self->graph);
    ready_queue_deinit(&self->ready);
    self->graph = graph;
    self->ready = queue;
    self->open_count += count;
    self->by_state[TASK_WAITING] += count;
    for (uint32_t i = 0; i < count; i++)
        self->cost_total += specs[i].cost;
    return STATUS_OK;
}
