#include "coordinator/core/share_queue.h"

#include "common/base/ensure.h"

#include <stdlib.h>

enum { SHARE_DATED_PARTS = 3 /* of four, while both classes wait */ };

bool share_queue_init(share_queue *self, uint32_t job_slots)
{
    *self = (share_queue){.entries = calloc(job_slots, sizeof *self->entries),
                          .members = calloc(job_slots, sizeof *self->members),
                          .free_entries = malloc(job_slots * sizeof *self->free_entries),
                          .free_count = job_slots,
                          .clocks = calloc(job_slots, sizeof *self->clocks),
                          .free_clocks = malloc(job_slots * sizeof *self->free_clocks),
                          .free_clock_count = job_slots,
                          .levels = calloc(job_slots, sizeof *self->levels),
                          .free_levels = malloc(job_slots * sizeof *self->free_levels),
                          .free_level_count = job_slots};
    bool keys = id_map_init(&self->by_key, job_slots);
    bool ranks = id_map_init(&self->by_rank, job_slots);
    bool priorities = id_map_init(&self->by_priority, job_slots);
    bool heaps = true;
    for (int i = 0; i < SHARE_SIDES * SHARE_CLASSES; i++)
        heaps = index_heap_init(&self->heaps[i / SHARE_CLASSES][i % SHARE_CLASSES], job_slots) && heaps;
    if (self->entries == NULL || self->members == NULL || self->free_entries == NULL || self->clocks == NULL ||
        self->free_clocks == NULL || self->levels == NULL || self->free_levels == NULL || !keys || !ranks || !priorities ||
        !heaps)
        return false;
    for (uint32_t i = 0; i < job_slots; i++)
        self->free_entries[i] = self->free_clocks[i] = self->free_levels[i] = job_slots - 1 - i;
    return true;
}

void share_queue_deinit(share_queue *self)
{
    free(self->entries);
    free(self->members);
    free(self->free_entries);
    free(self->clocks);
    free(self->free_clocks);
    free(self->levels);
    free(self->free_levels);
    id_map_deinit(&self->by_key);
    id_map_deinit(&self->by_rank);
    id_map_deinit(&self->by_priority);
    for (int i = 0; i < SHARE_SIDES * SHARE_CLASSES; i++)
        index_heap_deinit(&self->heaps[i / SHARE_CLASSES][i % SHARE_CLASSES]);
    *self = (share_queue){0};
}

static void entry_place(share_queue *self, uint32_t slot)
{
    const share_entry *entry = &self->entries[slot];
    share_level *level = &self->levels[entry->level];
    for (int side = 0; side < SHARE_SIDES; side++) {
        index_heap *heap = &self->heaps[side][entry->class];
        bool listed = entry->ready_jobs[side] > 0;
        if (listed != index_heap_has(heap, slot)) {
            level->listed[side][entry->class] += listed ? 1u : UINT32_MAX;
            if (level->listed[side][entry->class] == 0)
                level->lead[side] = 0; /* one class alone: nobody is owed for the time when he had nothing to do */
        }
        if (listed)
            index_heap_set(heap, (index_heap_item){
                                     .key = entry->rank, .tie = entry->account, .order = entry->first_number, .id = slot});
        else
            index_heap_remove(heap, slot);
    }
}

static uint32_t clock_join(share_queue *self, uint64_t rank)
{
    uint32_t slot = id_map_find(&self->by_rank, rank);
    if (slot == SLOT_NONE) {
        slot = self->free_clocks[--self->free_clock_count];
        self->clocks[slot] = (share_clock){.rank = rank};
        id_map_put(&self->by_rank, rank, slot);
    }
    self->clocks[slot].user_count++;
    return slot;
}

static void clock_leave(share_queue *self, uint32_t slot)
{
    if (--self->clocks[slot].user_count > 0)
        return;
    id_map_remove(&self->by_rank, self->clocks[slot].rank);
    self->free_clocks[self->free_clock_count++] = slot;
}

static uint32_t level_join(share_queue *self, int32_t priority)
{
    uint32_t slot = id_map_find(&self->by_priority, (uint32_t)priority);
    if (slot == SLOT_NONE) {
        slot = self->free_levels[--self->free_level_count];
        self->levels[slot] = (share_level){.priority = priority};
        id_map_put(&self->by_priority, (uint32_t)priority, slot);
    }
    self->levels[slot].user_count++;
    return slot;
}

static void level_leave(share_queue *self, uint32_t slot)
{
    if (--self->levels[slot].user_count > 0)
        return;
    id_map_remove(&self->by_priority, (uint32_t)self->levels[slot].priority);
    self->free_levels[self->free_level_count++] = slot;
}

/* Priority above, deadline below; no deadline is the last of them. */
static uint64_t rank_of(const share_place *place)
{
    uint32_t deadline = place->deadline == 0 ? UINT32_MAX : place->deadline;
    return (uint64_t)((int64_t)INT32_MAX - place->priority) << 32 | deadline;
}

void share_queue_join(share_queue *self, uint32_t job_slot, share_place place)
{
    /* The share is a hash already; the rank is folded in, and two shares that meet in 64 bits would only be treated as
     * one show of the rank that came first. */
    uint64_t rank = rank_of(&place);
    uint64_t key = place.share ^ rank * 0x9e3779b97f4a7c15u;
    uint32_t slot = id_map_find(&self->by_key, key);
    if (slot == SLOT_NONE) {
        ENSURE(self->free_count > 0);
        slot = self->free_entries[--self->free_count];
        self->entries[slot] = (share_entry){.key = key,
                                            .rank = rank,
                                            .class = place.deadline == 0 ? SHARE_UNDATED : SHARE_DATED,
                                            .first_number = place.number,
                                            .clock = clock_join(self, rank),
                                            .level = level_join(self, place.priority),
                                            .head = SLOT_NONE,
                                            .tail = SLOT_NONE};
        id_map_put(&self->by_key, key, slot);
    }
    self->entries[slot].job_count++;
    self->members[job_slot] =
        (share_member){.number = place.number, .entry = slot, .previous = SLOT_NONE, .next = SLOT_NONE};
}

void share_queue_leave(share_queue *self, uint32_t job_slot)
{
    const share_member *member = &self->members[job_slot];
    ENSURE(!member->listed);
    share_entry *entry = &self->entries[member->entry];
    if (--entry->job_count == 0) {
        ENSURE(entry->head == SLOT_NONE);
        clock_leave(self, entry->clock);
        level_leave(self, entry->level);
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

void share_queue_charge(share_queue *self, uint32_t job_slot, share_side side, uint32_t cost)
{
    uint32_t slot = self->members[job_slot].entry;
    share_entry *entry = &self->entries[slot];
    share_clock *clock = &self->clocks[entry->clock];
    share_level *level = &self->levels[entry->level];
    int64_t charge = (int64_t)cost + 1; /* a task without a cost still takes a slot */
    if (entry->account > clock->account)
        clock->account = entry->account;
    entry->account += (uint64_t)charge;
    if (level->listed[side][SHARE_DATED] > 0 && level->listed[side][SHARE_UNDATED] > 0)
        level->lead[side] += entry->class == SHARE_DATED ? charge : -SHARE_DATED_PARTS * charge;
    entry_place(self, slot);
}

/* The entry to be served on this side; SLOT_NONE: none has anything ready. */
static uint32_t entry_next(const share_queue *self, share_side side)
{
    const index_heap *dated = &self->heaps[side][SHARE_DATED];
    const index_heap *undated = &self->heaps[side][SHARE_UNDATED];
    if (dated->count == 0 || undated->count == 0)
        return dated->count > 0 ? dated->items[0].id : undated->count > 0 ? undated->items[0].id : SLOT_NONE;
    const share_entry *first = &self->entries[dated->items[0].id];
    const share_entry *other = &self->entries[undated->items[0].id];
    bool behind = first->level == other->level ? self->levels[first->level].lead[side] > 0 : other->rank < first->rank;
    return behind ? undated->items[0].id : dated->items[0].id;
}

uint32_t share_queue_next(const share_queue *self, share_side side)
{
    uint32_t entry = entry_next(self, side);
    if (entry == SLOT_NONE)
        return SLOT_NONE;
    uint32_t job_slot = self->entries[entry].head;
    while (!self->members[job_slot].ready[side])
        job_slot = self->members[job_slot].next;
    return job_slot;
}

static void heap_check(const share_queue *self, int side, int class)
{
    const index_heap *heap = &self->heaps[side][class];
    index_heap_check(heap);
    for (uint32_t i = 0; i < heap->count; i++) {
        const share_entry *entry = &self->entries[heap->items[i].id];
        uint32_t ready = 0;
        uint32_t before = SLOT_NONE;
        for (uint32_t job = entry->head; job != SLOT_NONE; job = self->members[job].next) {
            ENSURE(self->members[job].listed && self->members[job].previous == before);
            ENSURE(before == SLOT_NONE || self->members[before].number < self->members[job].number);
            ready += self->members[job].ready[side];
            before = job;
        }
        ENSURE(entry->tail == before && ready == entry->ready_jobs[side] && ready > 0);
        ENSURE((int)entry->class == class && self->levels[entry->level].listed[side][class] > 0);
    }
}

void share_queue_check(const share_queue *self)
{
    for (int i = 0; i < SHARE_SIDES * SHARE_CLASSES; i++)
        heap_check(self, i / SHARE_CLASSES, i % SHARE_CLASSES);
}
