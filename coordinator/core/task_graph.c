#include "coordinator/core/task_graph.h"

#include "common/base/ensure.h"

#include <stdlib.h>
#include <string.h>

bool task_state_terminal(task_state state)
{
    return state == TASK_DONE || state == TASK_FAILED || state == TASK_SKIPPED || state == TASK_CANCELLED;
}

void task_graph_deinit(task_graph *self)
{
    free(self->tasks);
    free(self->first_dependent);
    free(self->dependents);
    *self = (task_graph){0};
}

static status specs_check(const task_graph *self, uint32_t count, const task_spec *specs, uint32_t *out_edges)
{
    if (count > SCHEDULER_JOB_TASKS_MAX - self->task_count)
        return STATUS_LIMIT;
    uint64_t edges = self->edge_count;
    for (uint32_t i = 0; i < count; i++) {
        const task_spec *spec = &specs[i];
        if (spec->kind > 63)
            return STATUS_PEER_IMPOSSIBLE;
        edges += spec->wait_count;
        if (edges > SCHEDULER_JOB_WAITS_MAX)
            return STATUS_LIMIT;
        for (uint32_t w = 0; w < spec->wait_count; w++) {
            if (spec->waits[w] >= self->task_count + i)
                return STATUS_PEER_IMPOSSIBLE;
        }
    }
    *out_edges = (uint32_t)edges;
    return STATUS_OK;
}

static void record_init(task_graph *graph, uint32_t number, const task_spec *spec)
{
    unsigned depth = 0;
    uint32_t waiting = 0;
    for (uint32_t w = 0; w < spec->wait_count; w++) {
        const task_record *before = &graph->tasks[spec->waits[w]];
        if (before->depth + 1u > depth)
            depth = before->depth + 1u;
        if (!task_state_terminal(task_record_state(before)))
            waiting++;
    }
    graph->tasks[number] = (task_record){.cost = spec->cost,
                                         .link = waiting,
                                         .affinity = spec->affinity,
                                         .kind = spec->kind & 63u,
                                         .local = spec->local,
                                         .even_if_failed = spec->even_if_failed,
                                         .even_if_cancelled = spec->even_if_cancelled,
                                         .spare = spec->spare && !spec->local,
                                         .state = TASK_WAITING,
                                         .depth = (depth > TASK_DEPTH_MAX ? TASK_DEPTH_MAX : depth) & 63u};
}

/* Rows of the old graph followed, per task, by the new dependents in ascending order. */
static void dependents_build(const task_graph *old, task_graph *graph, uint32_t count, const task_spec *specs)
{
    for (uint32_t t = 0; t < old->task_count; t++)
        graph->first_dependent[t + 1] = old->first_dependent[t + 1] - old->first_dependent[t];
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t w = 0; w < specs[i].wait_count; w++)
            graph->first_dependent[specs[i].waits[w] + 1]++;
    }
    for (uint32_t t = 0; t < graph->task_count; t++)
        graph->first_dependent[t + 1] += graph->first_dependent[t];
    for (uint32_t t = 0; t < old->task_count; t++) {
        uint32_t length = old->first_dependent[t + 1] - old->first_dependent[t];
        if (length > 0)
            memcpy(graph->dependents + graph->first_dependent[t], old->dependents + old->first_dependent[t],
                   length * sizeof *graph->dependents);
        graph->first_dependent[t] += length;
    }
    /* first_dependent[t] serves as the write mark of row t, and is put back afterwards: each row ends where its mark
     * stands, which is where the next one began. */
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t w = 0; w < specs[i].wait_count; w++)
            graph->dependents[graph->first_dependent[specs[i].waits[w]]++] = old->task_count + i;
    }
    for (uint32_t t = graph->task_count; t > 0; t--)
        graph->first_dependent[t] = graph->first_dependent[t - 1];
    graph->first_dependent[0] = 0;
}

status task_graph_extend(const task_graph *self, uint32_t count, const task_spec *specs, task_graph *out_graph)
{
    uint32_t edges = 0;
    status code = specs_check(self, count, specs, &edges);
    if (code != STATUS_OK)
        return code;
    uint32_t total = self->task_count + count;
    task_graph graph = {.task_count = total,
                        .edge_count = edges,
                        .tasks = malloc(((size_t)total + 1) * sizeof *graph.tasks),
                        .first_dependent = calloc((size_t)total + 1, sizeof *graph.first_dependent),
                        .dependents = malloc(((size_t)edges + 1) * sizeof *graph.dependents)};
    if (graph.tasks == NULL || graph.first_dependent == NULL || graph.dependents == NULL) {
        task_graph_deinit(&graph);
        return STATUS_NODE_MEMORY;
    }
    if (self->task_count > 0)
        memcpy(graph.tasks, self->tasks, self->task_count * sizeof *graph.tasks);
    for (uint32_t i = 0; i < count; i++)
        record_init(&graph, self->task_count + i, &specs[i]);
    dependents_build(self, &graph, count, specs);
    ENSURE(graph.first_dependent[total] == edges);
    *out_graph = graph;
    return STATUS_OK;
}
