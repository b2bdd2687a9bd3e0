/**
 * A heap of small ids (0 .. id_count - 1), each at most once, the least first. Order is (key, tie, order, id), a total
 * order: the same members always leave in the same sequence, however they came in. Moving and removing take O(log n).
 * Memory is taken in init and never afterwards.
 */
#ifndef COORDINATOR_CORE_INDEX_HEAP_H
#define COORDINATOR_CORE_INDEX_HEAP_H

#include "coordinator/core/id_map.h"

typedef struct index_heap_item {
    uint64_t key;
    uint64_t tie;
    uint32_t order;
    uint32_t id;
} index_heap_item;

typedef struct index_heap {
    index_heap_item *items; /**< items[0] is the least; a caller may look at the first few, in no promised order */
    uint32_t *places;       /**< by id; SLOT_NONE = absent */
    uint32_t count;
    uint32_t id_count;
} index_heap;

/** False when out of memory (then only deinit is allowed). */
bool index_heap_init(index_heap *self, uint32_t id_count);
void index_heap_deinit(index_heap *self);
/** Puts an item in, or moves the one with this id. */
void index_heap_set(index_heap *self, index_heap_item item);
/** Nothing happens when the id is absent. */
void index_heap_remove(index_heap *self, uint32_t id);
bool index_heap_has(const index_heap *self, uint32_t id);
/** The total order: true when a leaves before b. */
bool index_heap_item_before(const index_heap_item *a, const index_heap_item *b);
/** Aborts when order or places are wrong. */
void index_heap_check(const index_heap *self);

#endif
