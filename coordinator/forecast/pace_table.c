#include "coordinator/forecast/pace_table.h"

#include <stdlib.h>
#include <string.h>

void pace_table_deinit(pace_table *self)
{
    free(self->nodes);
    *self = (pace_table){0};
}

static pace_node *find_node(const pace_table *self, const char *name)
{
    for (size_t i = 0; i < self->count; i++)
        if (strcmp(self->nodes[i].name, name) == 0)
            return &self->nodes[i];
    return NULL;
}

/* The node's entry, made if need be; NULL when out of memory or the name is too long. */
static pace_node *need_node(pace_table *self, const char *name)
{
    pace_node *node = find_node(self, name);
    if (node != NULL || strlen(name) >= sizeof node->name)
        return node;
    if (self->count == PACE_NODES_MAX) {
        node = &self->nodes[0];
        for (size_t i = 1; i < self->count; i++)
            if (self->nodes[i].used < node->used)
                node = &self->nodes[i];
    } else {
        if (self->count == self->capacity) {
            size_t capacity = self->capacity == 0 ? 16 : 2 * self->capacity;
            pace_node *nodes = realloc(self->nodes, capacity * sizeof *nodes);
            if (nodes == NULL)
                return NULL;
            self->nodes = nodes;
            self->capacity = capacity;
        }
        node = &self->nodes[self->count++];
    }
    memset(node, 0, sizeof *node);
    memcpy(node->name, name, strlen(name) + 1);
    return node;
}

/* Stands among the nodes, so that it is kept with them; its kinds are sizes of jobs. */
static const char jobs_name[] = "*jobs";

static bool is_worker(const char *name)
{
    return name[0] != '\0' && strcmp(name, jobs_name) != 0;
}

static void add_sample(pace_sum *sum, uint64_t planned_ms, uint64_t spent_ms, uint32_t samples_max)
{
    sum->planned_ms += planned_ms;
    sum->spent_ms += spent_ms;
    sum->samples++;
    if (sum->samples > samples_max) {
        sum->planned_ms = (sum->planned_ms + 1) / 2;
        sum->spent_ms /= 2;
        sum->samples /= 2;
    }
}

void pace_table_learn(pace_table *self, const char *node, uint8_t kind, uint64_t planned_ms, uint64_t spent_ms)
{
    if (kind >= PACE_KINDS_MAX || planned_ms == 0 || planned_ms > UINT32_MAX || spent_ms > UINT32_MAX)
        return;
    pace_node *entry = need_node(self, node);
    if (entry == NULL)
        return;
    entry->used = ++self->clock;
    add_sample(&entry->sums[kind], planned_ms, spent_ms, PACE_SAMPLES_MAX);
    if (is_worker(node))
        add_sample(&self->farm[kind], planned_ms, spent_ms, PACE_SAMPLES_MAX);
}

uint8_t pace_job_size(uint64_t planned_ms)
{
    uint8_t size = 0;
    for (uint64_t limit_ms = 100; size + 1 < PACE_KINDS_MAX && planned_ms >= limit_ms; limit_ms *= 2)
        size++;
    return size;
}

void pace_table_learn_job(pace_table *self, uint64_t planned_ms, uint64_t spent_ms)
{
    if (planned_ms == 0 || planned_ms > UINT32_MAX || spent_ms > UINT32_MAX ||
        spent_ms * PACE_UNIT < planned_ms * PACE_JOB_MIN || spent_ms * PACE_UNIT > planned_ms * PACE_JOB_MAX)
        return;
    pace_node *jobs = need_node(self, jobs_name);
    if (jobs == NULL)
        return;
    jobs->used = ++self->clock;
    add_sample(&jobs->sums[pace_job_size(planned_ms)], planned_ms, spent_ms, PACE_JOBS_MAX);
}

void pace_table_jobs(const pace_table *self, uint32_t out_paces[PACE_KINDS_MAX])
{
    const pace_node *jobs = find_node(self, jobs_name);
    for (int size = 0; size < PACE_KINDS_MAX; size++) {
        /* At the edge between two sizes a repeat may fall on either side. */
        const pace_sum *sum = jobs == NULL ? NULL : &jobs->sums[size];
        if (sum != NULL && sum->samples == 0 && size > 0)
            sum = &jobs->sums[size - 1];
        if (sum != NULL && sum->samples == 0 && size + 1 < PACE_KINDS_MAX)
            sum = &jobs->sums[size + 1];
        out_paces[size] = sum == NULL || sum->samples == 0 ? PACE_UNIT : (uint32_t)(sum->spent_ms * PACE_UNIT / sum->planned_ms);
    }
}

static uint32_t pace_of(const pace_sum *sum)
{
    uint64_t pace = sum->spent_ms * PACE_UNIT / (sum->planned_ms == 0 ? 1 : sum->planned_ms);
    return pace < 1 ? 1 : pace > PACE_MAX ? PACE_MAX : (uint32_t)pace;
}

uint32_t pace_table_pace(const pace_table *self, const char *node, uint8_t kind)
{
    if (kind >= PACE_KINDS_MAX)
        return PACE_UNIT;
    const pace_node *entry = node == NULL ? NULL : find_node(self, node);
    /* What only the coordinator does, the farm can say nothing about: a job has one such task of a kind. */
    uint32_t needed = self->farm[kind].samples > 0 ? PACE_SAMPLES_MIN : 1;
    if (entry != NULL && entry->sums[kind].samples >= needed)
        return pace_of(&entry->sums[kind]);
    return self->farm[kind].samples > 0 ? pace_of(&self->farm[kind]) : PACE_UNIT;
}

bool pace_table_known(const pace_table *self)
{
    for (int kind = 0; kind < PACE_KINDS_MAX; kind++)
        if (self->farm[kind].samples > 0)
            return true;
    return false;
}

bool pace_table_restore(pace_table *self, const char *node, uint8_t kind, const pace_sum *sum)
{
    const uint64_t sum_max = (uint64_t)UINT32_MAX * (PACE_SAMPLES_MAX + 1);
    if (kind >= PACE_KINDS_MAX || sum->samples == 0 || sum->samples > PACE_SAMPLES_MAX || sum->planned_ms == 0 ||
        sum->planned_ms > sum_max || sum->spent_ms > sum_max)
        return false;
    pace_node *entry = need_node(self, node);
    if (entry == NULL)
        return false;
    entry->sums[kind] = *sum;
    pace_sum *farm = &self->farm[kind];
    if (is_worker(node)) {
        farm->planned_ms += sum->planned_ms;
        farm->spent_ms += sum->spent_ms;
        farm->samples += sum->samples;
        while (farm->samples > PACE_SAMPLES_MAX) {
            farm->planned_ms = (farm->planned_ms + 1) / 2;
            farm->spent_ms /= 2;
            farm->samples /= 2;
        }
    }
    return true;
}
