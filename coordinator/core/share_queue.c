#include "coordinator/core/share_queue.h"

#include "common/base/ensure.h"

#include <stdlib.h>

bool share_queue_init(share_queue *self, uint32_t job_slots)
{
    *self = (share_queue){.entries = calloc(job_slots, sizeof *self->entries),
                          .members = calloc(job_slots, sizeof *self->members),
                          .free_entries = malloc(job_slots * sizeof *self->free_entries),
                          .free_count = job_slots,
                          .clocks = calloc(job_slots, sizeof *self->clocks),
                          .free_clocks = malloc(job_slots * sizeof *self->free_clocks),
                          .free_clock_count = job_slots};
    bool keys = id_map_init(&self->by_key, job_slots);
    bool priorities = id_map_init(&self->by_priority, job_slots);
    bool local = index_heap_init(&self->heaps[SHARE_LOCAL], job_slots);
    bool remote = index_heap_init(&self->heaps[SHARE_REMOTE], job_slots);
    if (self->entries == NULL || self->members == NULL || self->free_entries == NULL || self->clocks == NULL ||
        self->free_clocks == NULL || !keys || !priorities || !local || !remote)
        return false;
    for (uint32_t i = 0; i < job_slots; i++)
        self->free_entries[i] = self->free_clocks[i] = job_slots - 1 - i;
    return true;
}

void share_queue_deinit(share_queue *self)
{
    free(self->entries);
    free(self->members);
    free(self->free_entries);
    free(self->clocks);
    free(self->free_clocks);
    id_map_deinit(&self->by_key);
    id_map_deinit(&self->by_priority);
    index_heap_deinit(&self->heaps[SHARE_LOCAL]);
    index_heap_deinit(&self->heaps[SHARE_REMOTE]);
    *self = (share_queue){0};
}

static void entry_place(share_queue *self, uint32_t slot)
{
    const share_entry *entry = &self->entries[slot];
    for (int side = 0; side < SHARE_SIDES; side++) {
        if (entry->ready_jobs[side] == 0) {
            index_heap_remove(&self->heaps[side], slot);
            continue;
        }
        index_heap_set(&self->heaps[side], (index_heap_item){.key = (uint64_t)((int64_t)INT32_MAX - entry->priority),
                                                             .tie = entry->account,
                                                             .order = entry->first_number,
                                                             .id = slot});
    }
}

static uint32_t clock_join(share_queue *self, int32_t priority)
{
    uint32_t slot = id_map_find(&self->by_priority, (uint32_t)priority);
    if (slot == SLOT_NONE) {
        slot = self->free_clocks[--self->free_clock_count];
        self->clocks[slot] = (share_clock){.priority = priority};
        id_map_put(&self->by_priority, (uint32_t)priority, slot);
    }
    self->clocks[slot].user_count++;
    return slot;
}

static void clock_leave(share_queue *self, uint32_t slot)
{
    if (--self->clocks[slot].user_count > 0)
        return;
    id_map_remove(&self->by_priority, (uint32_t)self->clocks[slot].priority);
    self->free_clocks[self->free_clock_count++] = slot;
}

void share_queue_join(share_queue *self, uint32_t job_slot, uint32_t number, uint64_t share, int32_t priority)
{
    /* The share is a hash already; priority is folded in, and two shares that meet in 64 bits would only be treated as
     * one show. */
    uint64_t key = share ^ (uint64_t)(uint32_t)priority * 0x9e3779b97f4a7c15u;
    uint32_t slot = id_map_find(&self->by_key, key);
    if (slot == SLOT_NONE) {
        ENSURE(self->free_count > 0);
        slot = self->free_entries[--self->free_count];
        self->entries[slot] = (share_entry){.key = key,
                                            .priority = priority,
                                            .first_number = number,
                                            .clock = clock_join(self, priority),
                                            .head = SLOT_NONE,
                                            .tail = SLOT_NONE};
        id_map_put(&self->by_key, key, slot);
    }
    self->entries[slot].job_count++;
    self->members[job_slot] =
        (share_member){.number = number, .entry = slot, .previous = SLOT_NONE, .next = SLOT_NONE};
}

void share_queue_leave(share_queue *self, uint32_t job_slot)
{
    const share_member *member = &self->members[job_slot];
    ENSURE(!member->listed);
    share_entry *entry = &self->entries[member->entry];
    if (--entry->job_count == 0) {
        ENSURE(entry->head == SLOT_NONE);
        clock_leave(self, entry->clock);
        id_map_remove(&self->by_key, entry->key);
        self->free_entries[self->free_count++] = member->entry;
    }
}

static void member_link(share_queue *self, share_entry *entry, uint32_t job_slot)
{
    share_member *member = &self->members[job_slot];
    /* New jobs have the highest number; old ones that have ready tasks again stand near the head. */
    uint32_t after = entry->tail;
    if (after != SLOT_NONE && self->members[after].number > member->number) {
        after = SLOT_NONE;
        uint32_t next = entry->head;
        while (self->members[next].number < member->number) {
            after = next;
            next = self->members[next].next;
        }
    }
    member->previous = after;
    member->next = after == SLOT_NONE ? entry->head : self->members[after].next;
    if (after == SLOT_NONE)
        entry->head = job_slot;
    else
        self->members[after].next = job_slot;
    if (member->next == SLOT_NONE)
        entry->tail = job_slot;
    else
        self->members[member->next].previous = job_slot;
    member->listed = true;
}

static void member_unlink(share_queue *self, share_entry *entry, uint32_t job_slot)
{
    share_member *member = &self->members[job_slot];
    if (member->previous == SLOT_NONE)
        entry->head = member->next;
    else
        self->members[member->previous].next = member->next;
    if (member->next == SLOT_NONE)
        entry->tail = member->previous;
    else
        self->members[member->next].previous = member->previous;
    member->previous = member->next = SLOT_NONE;
    member->listed = false;
}

void share_queue_ready(share_queue *self, uint32_t job_slot, bool local, bool remote)
{
    share_member *member = &self->members[job_slot];
    const bool now[SHARE_SIDES] = {[SHARE_LOCAL] = local, [SHARE_REMOTE] = remote};
    if (member->ready[SHARE_LOCAL] == local && member->ready[SHARE_REMOTE] == remote)
        return;
    share_entry *entry = &self->entries[member->entry];
    if (entry->head == SLOT_NONE && entry->account < self->clocks[entry->clock].account)
        entry->account = self->clocks[entry->clock].account;
    for (int side = 0; side < SHARE_SIDES; side++) {
        if (now[side] && !member->ready[side])
            entry->ready_jobs[side]++;
        if (!now[side] && member->ready[side])
            entry->ready_jobs[side]--;
        member->ready[side] = now[side];
    }
    if ((local || remote) != member->listed) {
        if (member->listed)
            member_unlink(self, entry, job_slot);
        else
            member_link(self, entry, job_slot);
    }
    entry_place(self, member->entry);
}

void share_queue_charge(share_queue *self, uint32_t job_slot, uint32_t cost)
{
    uint32_t slot = self->members[job_slot].entry;
    share_entry *entry = &self->entries[slot];
    share_clock *clock = &self->clocks[entry->clock];
    if (entry->account > clock->account)
        clock->account = entry->account;
    entry->account += (uint64_t)cost + 1; /* a task without a cost still takes a slot */
    entry_place(self, slot);
}

uint32_t share_queue_next(const share_queue *self, share_side side)
{
    if (self->heaps[side].count == 0)
        return SLOT_NONE;
    uint32_t job_slot = self->entries[self->heaps[side].items[0].id].head;
    while (!self->members[job_slot].ready[side])
        job_slot = self->members[job_slot].next;
    return job_slot;
}

void share_queue_check(const share_queue *self)
{
    for (int side = 0; side < SHARE_SIDES; side++) {
        index_heap_check(&self->heaps[side]);
        for (uint32_t i = 0; i < self->heaps[side].count; i++) {
            const share_entry *entry = &self->entries[self->heaps[side].items[i].id];
            uint32_t ready = 0;
            uint32_t before = SLOT_NONE;
            for (uint32_t job = entry->head; job != SLOT_NONE; job = self->members[job].next) {
                ENSURE(self->members[job].listed && self->members[job].previous == before);
                ENSURE(before == SLOT_NONE || self->members[before].number < self->members[job].number);
                ready += self->members[job].ready[side];
                before = job;
            }
            ENSURE(entry->tail == before && ready == entry->ready_jobs[side] && ready > 0);
        }
    }
}
