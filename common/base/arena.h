/**
 * A growing arena: many small allocations, one release. For parsing, planning, merging and reports, never for tables
 * of the scheduler core and never per tile.
 *
 * Memory is zeroed. Out of memory aborts the process by way of ENSURE: the sizes given here are bounded by limits.h
 * long before. Not thread safe; an arena belongs to one thread at a time. Blocks live until arena_deinit.
 */
#ifndef COMMON_BASE_ARENA_H
#define COMMON_BASE_ARENA_H

#include "common/base/status.h"

#include <stddef.h>

typedef struct arena_block arena_block;
typedef struct arena {
    arena_block *head;
    size_t total_bytes; /**< handed out so far */
} arena;

void arena_init(arena *self);
/** Frees every block; accepts a zeroed arena. */
void arena_deinit(arena *self);
/** byte_size zeroed bytes, aligned for any type; byte_size 0 gives a valid pointer. */
void *arena_take(arena *self, size_t byte_size);
/** count elements of element_size zeroed bytes; the product is checked. */
void *arena_take_array(arena *self, size_t count, size_t element_size);
/** Room for one element more than count: items as they are, or a copy twice as large. */
void *arena_grow_array(arena *self, void *items, size_t count, size_t *capacity, size_t element_size);
/** As arena_take_array, at the edge of a cache line, for vectors. */
void *arena_take_lines(arena *self, size_t count, size_t element_size);
char *arena_copy_text(arena *self, const char *text);
char *arena_copy_bytes(arena *self, const void *bytes, size_t byte_size); /**< adds a NUL */
char *arena_format(arena *self, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
