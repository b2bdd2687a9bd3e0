#include "coordinator/core/limit_table.h"

#include "common/base/ensure.h"

#include <stdlib.h>

bool limit_table_init(limit_table *self, uint32_t job_slots)
{
    uint32_t capacity = job_slots * LIMIT_POOLS;
    *self = (limit_table){.pools = calloc(capacity, sizeof *self->pools),
                          .capacity = capacity,
                          .free_pools = malloc(capacity * sizeof *self->free_pools),
                          .free_count = capacity,
                          .members = calloc(job_slots, sizeof *self->members)};
    if (!id_map_init(&self->by_key, capacity) || self->pools == NULL || self->free_pools == NULL || self->members == NULL)
        return false;
    for (uint32_t i = 0; i < capacity; i++)
        self->free_pools[i] = capacity - 1 - i;
    return true;
}

void limit_table_deinit(limit_table *self)
{
    free(self->pools);
    free(self->free_pools);
    free(self->members);
    id_map_deinit(&self->by_key);
    *self = (limit_table){0};
}

static uint32_t rule_for(const limit_table *self, uint64_t key, bool show)
{
    for (uint32_t i = 0; i < self->rules.count; i++) {
        if (self->rules.rules[i].key == key)
            return self->rules.rules[i].most;
    }
    return show && self->rules.each_show != 0 ? self->rules.each_show : UINT32_MAX;
}

void limit_table_set(limit_table *self, const scheduler_limits *rules)
{
    self->rules = *rules;
    for (uint32_t i = 0; i < self->capacity; i++) {
        limit_pool *pool = &self->pools[i];
        if (pool->job_count > 0)
            pool->most = rule_for(self, pool->key, pool->show);
    }
}

static uint32_t pool_join(limit_table *self, uint64_t key, bool show)
{
    uint32_t slot = id_map_find(&self->by_key, key);
    if (slot == SLOT_NONE) {
        ENSURE(self->free_count > 0);
        slot = self->free_pools[--self->free_count];
        self->pools[slot] = (limit_pool){.key = key, .most = rule_for(self, key, show), .waiting = SLOT_NONE, .show = show};
        id_map_put(&self->by_key, key, slot);
    }
    self->pools[slot].job_count++;
    return slot;
}

void limit_table_join(limit_table *self, uint32_t job_slot, uint64_t share, const job_terms *terms)
{
    limit_member *member = &self->members[job_slot];
    *member = (limit_member){.at_once = terms->at_once != 0 ? terms->at_once : UINT32_MAX,
                             .waits_for = SLOT_NONE,
                             .previous = SLOT_NONE,
                             .next = SLOT_NONE};
    member->pools[LIMIT_SHOW] = pool_join(self, share, true);
    for (uint32_t i = 0; i < JOB_ROOTS_MAX; i++) {
        bool again = i > 0 && terms->roots[i] == terms->roots[0]; /* it writes where it reads: counted once */
        member->pools[LIMIT_SHOW + 1 + i] =
            terms->roots[i] == 0 || again ? SLOT_NONE : pool_join(self, terms->roots[i], false);
    }
}

void limit_table_leave(limit_table *self, uint32_t job_slot)
{
    const limit_member *member = &self->members[job_slot];
    ENSURE(member->running == 0 && member->waits_for == SLOT_NONE);
    for (uint32_t i = 0; i < LIMIT_POOLS; i++) {
        if (member->pools[i] == SLOT_NONE)
            continue;
        limit_pool *pool = &self->pools[member->pools[i]];
        if (--pool->job_count > 0)
            continue;
        ENSURE(pool->running == 0 && pool->waiting == SLOT_NONE);
        id_map_remove(&self->by_key, pool->key);
        self->free_pools[self->free_count++] = member->pools[i];
    }
}

void limit_table_take(limit_table *self, uint32_t job_slot)
{
    limit_member *member = &self->members[job_slot];
    member->running++;
    for (uint32_t i = 0; i < LIMIT_POOLS; i++) {
        if (member->pools[i] != SLOT_NONE)
            self->pools[member->pools[i]].running++;
    }
}

void limit_table_give(limit_table *self, uint32_t job_slot)
{
    limit_member *member = &self->members[job_slot];
    ENSURE(member->running > 0);
    member->running--;
    for (uint32_t i = 0; i < LIMIT_POOLS; i++) {
        if (member->pools[i] != SLOT_NONE)
            self->pools[member->pools[i]].running--;
    }
}

uint32_t limit_table_full(const limit_table *self, uint32_t job_slot)
{
    const limit_member *member = &self->members[job_slot];
    if (member->running >= member->at_once)
        return LIMIT_OWN;
    for (uint32_t i = 0; i < LIMIT_POOLS; i++) {
        if (member->pools[i] != SLOT_NONE && self->pools[member->pools[i]].running >= self->pools[member->pools[i]].most)
            return member->pools[i];
    }
    return SLOT_NONE;
}

static void wait_end(limit_table *self, uint32_t job_slot)
{
    limit_member *member = &self->members[job_slot];
    if (member->waits_for == SLOT_NONE)
        return;
    if (member->previous == SLOT_NONE)
        self->pools[member->waits_for].waiting = member->next;
    else
        self->members[member->previous].next = member->next;
    if (member->next != SLOT_NONE)
        self->members[member->next].previous = member->previous;
    member->waits_for = member->previous = member->next = SLOT_NONE;
}

bool limit_table_holds(limit_table *self, uint32_t job_slot, bool wants)
{
    uint32_t full = wants ? limit_table_full(self, job_slot) : SLOT_NONE;
    uint32_t list = full == LIMIT_OWN ? SLOT_NONE : full; /* its own attempts look at it when they are over */
    limit_member *member = &self->members[job_slot];
    if (list != member->waits_for) {
        wait_end(self, job_slot);
        if (list != SLOT_NONE) {
            member->waits_for = list;
            member->next = self->pools[list].waiting;
            if (member->next != SLOT_NONE)
                self->members[member->next].previous = job_slot;
            self->pools[list].waiting = job_slot;
        }
    }
    return full != SLOT_NONE;
}

uint32_t limit_table_woken(limit_table *self, uint32_t pool)
{
    const limit_pool *of = &self->pools[pool];
    if (of->job_count == 0 || of->running >= of->most)
        return SLOT_NONE;
    uint32_t job_slot = of->waiting;
    if (job_slot != SLOT_NONE)
        wait_end(self, job_slot);
    return job_slot;
}

void limit_table_check(const limit_table *self)
{
    for (uint32_t i = 0; i < self->capacity; i++) {
        const limit_pool *pool = &self->pools[i];
        if (pool->job_count == 0)
            continue;
        ENSURE(id_map_find(&self->by_key, pool->key) == i);
        uint32_t before = SLOT_NONE;
        for (uint32_t job = pool->waiting; job != SLOT_NONE; job = self->members[job].next) {
            ENSURE(self->members[job].waits_for == i && self->members[job].previous == before);
            ENSURE(pool->running >= pool->most);
            before = job;
        }
    }
}
