#include "coordinator/core/worker_table.h"

#include "common/base/ensure.h"

#include <stdlib.h>

bool worker_table_init(worker_table *self, uint32_t capacity, uint32_t prefetch)
{
    *self = (worker_table){.workers = calloc(capacity, sizeof *self->workers),
                           .capacity = capacity,
                           .free_slots = malloc(capacity * sizeof *self->free_slots),
                           .prefetch = prefetch};
    bool map = id_map_init(&self->by_number, capacity);
    bool heap = index_heap_init(&self->open, capacity);
    if (self->workers == NULL || self->free_slots == NULL || !map || !heap)
        return false;
    for (uint32_t i = 0; i < capacity; i++)
        self->free_slots[i] = capacity - 1 - i;
    self->free_count = capacity;
    return true;
}

void worker_table_deinit(worker_table *self)
{
    free(self->workers);
    free(self->free_slots);
    id_map_deinit(&self->by_number);
    index_heap_deinit(&self->open);
    *self = (worker_table){0};
}

uint32_t worker_table_find(const worker_table *self, uint32_t number)
{
    return number == SCHEDULER_LOCAL ? SLOT_NONE : id_map_find(&self->by_number, number);
}

/* Room by forgetting the lost worker with the lowest number. A walk over the table, but only when it is full. */
static bool worker_table_evict(worker_table *self)
{
    uint32_t oldest = SLOT_NONE;
    for (uint32_t i = 0; i < self->capacity; i++) {
        const worker_record *worker = &self->workers[i];
        if (!worker->alive && worker->running == 0 &&
            (oldest == SLOT_NONE || worker->number < self->workers[oldest].number))
            oldest = i;
    }
    if (oldest == SLOT_NONE)
        return false;
    id_map_remove(&self->by_number, self->workers[oldest].number);
    self->workers[oldest] = (worker_record){0};
    self->free_slots[self->free_count++] = oldest;
    return true;
}

uint32_t worker_table_add(worker_table *self, uint32_t number, uint32_t slots, uint64_t now_ms)
{
    if (self->free_count == 0 && !worker_table_evict(self))
        return SLOT_NONE;
    uint32_t slot = self->free_slots[--self->free_count];
    self->workers[slot] = (worker_record){.number = number,
                                          .slots = slots,
                                          .first_lease = SLOT_NONE,
                                          .heard_ms = now_ms,
                                          .near_affinity = UINT16_MAX};
    id_map_put(&self->by_number, number, slot);
    return slot;
}

bool worker_record_able(const worker_record *self)
{
    return self->alive && !self->drained && !self->leaving && self->trust != TRUST_NONE;
}

bool worker_record_rests(const worker_record *self, uint32_t job, uint64_t now_ms)
{
    return now_ms < self->rest_until_ms && (self->rest_job == 0 || self->rest_job == job);
}

bool worker_table_takes(const worker_table *self, const worker_record *worker, uint64_t now_ms)
{
    uint32_t credit = worker->trust == TRUST_CANARY ? 1 : worker->slots + self->prefetch;
    return worker_record_able(worker) && worker->running < credit && !worker_record_rests(worker, 0, now_ms);
}

worker_record *worker_table_open(worker_table *self, uint32_t slot)
{
    worker_record *worker = &self->workers[slot];
    if (worker_record_able(worker))
        self->able_count--;
    return worker;
}

void worker_table_close(worker_table *self, uint32_t slot, uint64_t now_ms)
{
    const worker_record *worker = &self->workers[slot];
    if (worker_record_able(worker))
        self->able_count++;
    if (!worker_table_takes(self, worker, now_ms)) {
        index_heap_remove(&self->open, slot);
        return;
    }
    /* Load in 1/65536 of its slots: the emptiest machine first, then the lowest number. */
    index_heap_set(&self->open, (index_heap_item){.key = (uint64_t)worker->running * 65536 / worker->slots,
                                                  .order = worker->number,
                                                  .id = slot});
}

uint64_t worker_record_due_ms(const worker_record *self, uint64_t now_ms, uint32_t lease_ms)
{
    uint64_t due = UINT64_MAX;
    if (self->alive)
        due = self->heard_ms + lease_ms;
    if (self->rest_until_ms > now_ms && self->rest_until_ms < due)
        due = self->rest_until_ms;
    if (self->trust == TRUST_NONE && self->quarantine_until_ms < due)
        due = self->quarantine_until_ms;
    return due;
}

void worker_table_check(const worker_table *self)
{
    index_heap_check(&self->open);
    uint32_t able = 0;
    uint32_t used = 0;
    for (uint32_t i = 0; i < self->capacity; i++) {
        const worker_record *worker = &self->workers[i];
        if (worker->number == 0) {
            ENSURE(!index_heap_has(&self->open, i));
            continue;
        }
        used++;
        able += worker_record_able(worker);
        ENSURE(id_map_find(&self->by_number, worker->number) == i);
        ENSURE(worker_record_able(worker) || !index_heap_has(&self->open, i));
        ENSURE((worker->running == 0) == (worker->first_lease == SLOT_NONE));
        /* Adopted attempts may exceed the credit; nothing is added to them. */
        ENSURE(!index_heap_has(&self->open, i) || worker->running < worker->slots + self->prefetch);
    }
    ENSURE(able == self->able_count && used + self->free_count == self->capacity);
}
