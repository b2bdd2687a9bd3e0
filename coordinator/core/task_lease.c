#include "coordinator/core/task_lease.h"

#include "common/base/ensure.h"

#include <stdlib.h>

bool lease_table_init(lease_table *self, uint32_t capacity)
{
    *self = (lease_table){.leases = calloc(capacity, sizeof *self->leases),
                          .free_slots = malloc(capacity * sizeof *self->free_slots),
                          .capacity = capacity,
                          .free_count = capacity};
    if (self->leases == NULL || self->free_slots == NULL)
        return false;
    for (uint32_t i = 0; i < capacity; i++)
        self->free_slots[i] = capacity - 1 - i;
    return true;
}

void lease_table_deinit(lease_table *self)
{
    free(self->leases);
    free(self->free_slots);
    *self = (lease_table){0};
}

uint32_t lease_table_take(lease_table *self)
{
    if (self->free_count == 0)
        return SLOT_NONE;
    uint32_t slot = self->free_slots[--self->free_count];
    self->leases[slot] = (task_lease){
        .used = true, .worker_slot = SLOT_NONE, .sibling = SLOT_NONE, .previous = SLOT_NONE, .next = SLOT_NONE};
    return slot;
}

void lease_table_give(lease_table *self, uint32_t lease)
{
    ENSURE(self->leases[lease].used && self->leases[lease].worker_slot == SLOT_NONE);
    self->leases[lease].used = false;
    self->free_slots[self->free_count++] = lease;
}

void lease_table_attach(lease_table *self, uint32_t lease, worker_record *worker, uint32_t worker_slot)
{
    task_lease *record = &self->leases[lease];
    ENSURE(record->worker_slot == SLOT_NONE);
    record->worker_slot = worker_slot;
    record->previous = SLOT_NONE;
    record->next = worker->first_lease;
    if (record->next != SLOT_NONE)
        self->leases[record->next].previous = lease;
    worker->first_lease = lease;
    worker->running++;
}

void lease_table_detach(lease_table *self, uint32_t lease, worker_record *worker)
{
    task_lease *record = &self->leases[lease];
    if (record->previous == SLOT_NONE)
        worker->first_lease = record->next;
    else
        self->leases[record->previous].next = record->next;
    if (record->next != SLOT_NONE)
        self->leases[record->next].previous = record->previous;
    record->worker_slot = record->previous = record->next = SLOT_NONE;
    ENSURE(worker->running > 0);
    worker->running--;
}

uint64_t task_lease_age_ms(const task_lease *self, uint64_t now_ms)
{
    return self->sent && now_ms > self->begun_ms ? now_ms - self->begun_ms : 0;
}

bool attempt_equal(const attempt *a, const attempt *b)
{
    return a->job == b->job && a->task == b->task && a->term == b->term && a->epoch == b->epoch;
}
