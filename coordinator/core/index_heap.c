#include "coordinator/core/index_heap.h"

#include "common/base/ensure.h"

#include <stdlib.h>

bool index_heap_init(index_heap *self, uint32_t id_count)
{
    *self = (index_heap){.items = calloc((size_t)id_count + 1, sizeof *self->items),
                         .places = malloc(((size_t)id_count + 1) * sizeof *self->places),
                         .id_count = id_count};
    if (self->items == NULL || self->places == NULL)
        return false;
    for (uint32_t i = 0; i < id_count; i++)
        self->places[i] = SLOT_NONE;
    return true;
}

void index_heap_deinit(index_heap *self)
{
    free(self->items);
    free(self->places);
    *self = (index_heap){0};
}

bool index_heap_item_before(const index_heap_item *a, const index_heap_item *b)
{
    if (a->key != b->key)
        return a->key < b->key;
    if (a->tie != b->tie)
        return a->tie < b->tie;
    if (a->order != b->order)
        return a->order < b->order;
    return a->id < b->id;
}

static void item_store(index_heap *self, uint32_t place, index_heap_item item)
{
    self->items[place] = item;
    self->places[item.id] = place;
}

/* Puts item at place or wherever order asks, place being free. */
static void item_settle(index_heap *self, uint32_t place, index_heap_item item)
{
    while (place > 0) {
        uint32_t parent = (place - 1) / 2;
        if (!index_heap_item_before(&item, &self->items[parent]))
            break;
        item_store(self, place, self->items[parent]);
        place = parent;
    }
    for (;;) {
        uint32_t child = place * 2 + 1;
        if (child >= self->count)
            break;
        if (child + 1 < self->count && index_heap_item_before(&self->items[child + 1], &self->items[child]))
            child++;
        if (!index_heap_item_before(&self->items[child], &item))
            break;
        item_store(self, place, self->items[child]);
        place = child;
    }
    item_store(self, place, item);
}

void index_heap_set(index_heap *self, index_heap_item item)
{
    ENSURE(item.id < self->id_count);
    uint32_t place = self->places[item.id];
    if (place == SLOT_NONE)
        place = self->count++;
    item_settle(self, place, item);
}

void index_heap_remove(index_heap *self, uint32_t id)
{
    ENSURE(id < self->id_count);
    uint32_t place = self->places[id];
    if (place == SLOT_NONE)
        return;
    self->places[id] = SLOT_NONE;
    index_heap_item last = self->items[--self->count];
    if (last.id != id)
        item_settle(self, place, last);
}

bool index_heap_has(const index_heap *self, uint32_t id)
{
    return id < self->id_count && self->places[id] != SLOT_NONE;
}

void index_heap_check(const index_heap *self)
{
    for (uint32_t i = 0; i < self->count; i++) {
        ENSURE(self->places[self->items[i].id] == i);
        if (i > 0)
            ENSURE(!index_heap_item_before(&self->items[i], &self->items[(i - 1) / 2]));
    }
}
