#include "common/base/arena.h"

#include "common/base/ensure.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Blocks grow with the arena: most arenas of a coordinator hold a few KiB for as long as their job is remembered. */
enum { ARENA_FIRST_BYTES = 4096, ARENA_BLOCK_BYTES = 65536, ARENA_ALIGNMENT = 16, ARENA_LINE = 64 };

struct arena_block {
    arena_block *next;
    size_t size;
    size_t used;
    _Alignas(ARENA_ALIGNMENT) unsigned char bytes[];
};

void arena_init(arena *self)
{
    *self = (arena){0};
}

void arena_deinit(arena *self)
{
    for (arena_block *block = self->head; block != NULL;) {
        arena_block *next = block->next;
        free(block);
        block = next;
    }
    *self = (arena){0};
}

void *arena_take(arena *self, size_t byte_size)
{
    ENSURE(byte_size <= SIZE_MAX / 2);
    size_t need = (byte_size + ARENA_ALIGNMENT - 1) / ARENA_ALIGNMENT * ARENA_ALIGNMENT;
    if (need == 0)
        need = ARENA_ALIGNMENT;
    if (self->head == NULL || self->head->size - self->head->used < need) {
        size_t size = self->total_bytes < ARENA_FIRST_BYTES ? ARENA_FIRST_BYTES : self->total_bytes;
        if (size > ARENA_BLOCK_BYTES)
            size = ARENA_BLOCK_BYTES;
        if (size < need)
            size = need;
        arena_block *block = calloc(1, sizeof *block + size);
        ENSURE(block != NULL);
        block->size = size;
        block->next = self->head;
        self->head = block;
    }
    void *taken = self->head->bytes + self->head->used;
    self->head->used += need;
    self->total_bytes += need;
    return taken;
}

void *arena_take_array(arena *self, size_t count, size_t element_size)
{
    ENSURE(element_size == 0 || count <= SIZE_MAX / 2 / element_size);
    return arena_take(self, count * element_size);
}

void *arena_grow_array(arena *self, void *items, size_t count, size_t *capacity, size_t element_size)
{
    if (count < *capacity)
        return items;
    size_t more = *capacity == 0 ? 8 : 2 * *capacity;
    void *bigger = arena_take_array(self, more, element_size);
    if (count > 0)
        memcpy(bigger, items, count * element_size);
    *capacity = more;
    return bigger;
}

void *arena_take_lines(arena *self, size_t count, size_t element_size)
{
    ENSURE(element_size == 0 || count <= SIZE_MAX / 4 / element_size);
    uintptr_t taken = (uintptr_t)arena_take(self, count * element_size + ARENA_LINE - 1);
    return (void *)((taken + ARENA_LINE - 1) / ARENA_LINE * ARENA_LINE);
}

char *arena_copy_bytes(arena *self, const void *bytes, size_t byte_size)
{
    char *copy = arena_take(self, byte_size + 1);
    if (byte_size > 0)
        memcpy(copy, bytes, byte_size);
    return copy;
}

char *arena_copy_text(arena *self, const char *text)
{
    return arena_copy_bytes(self, text, strlen(text));
}

char *arena_format(arena *self, const char *format, ...)
{
    va_list first;
    va_list second;
    va_start(first, format);
    va_copy(second, first);
    int length = vsnprintf(NULL, 0, format, first);
    va_end(first);
    ENSURE(length >= 0);
    char *text = arena_take(self, (size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, second);
    va_end(second);
    return text;
}
