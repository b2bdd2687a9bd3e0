#include "coordinator/core/id_map.h"

#include "common/base/ensure.h"

#include <stdlib.h>

bool id_map_init(id_map *self, uint32_t count_max)
{
    ENSURE(count_max <= UINT32_MAX / 4);
    uint32_t size = 16;
    while (size < count_max * 2)
        size *= 2;
    *self = (id_map){.keys = calloc(size, sizeof *self->keys),
                     .values = malloc(size * sizeof *self->values),
                     .mask = size - 1};
    if (self->keys == NULL || self->values == NULL)
        return false;
    for (uint32_t i = 0; i < size; i++)
        self->values[i] = SLOT_NONE;
    return true;
}

void id_map_deinit(id_map *self)
{
    free(self->keys);
    free(self->values);
    *self = (id_map){0};
}

/* The finaliser of splitmix64 (Steele, Lea, Flood 2014): neighbouring numbers spread over the table. */
static uint32_t id_map_home(const id_map *self, uint64_t key)
{
    key ^= key >> 30;
    key *= 0xbf58476d1ce4e5b9u;
    key ^= key >> 27;
    key *= 0x94d049bb133111ebu;
    key ^= key >> 31;
    return (uint32_t)key & self->mask;
}

/* The place of the key, or the empty place where it would go. */
static uint32_t id_map_place(const id_map *self, uint64_t key)
{
    uint32_t place = id_map_home(self, key);
    while (self->values[place] != SLOT_NONE && self->keys[place] != key)
        place = (place + 1) & self->mask;
    return place;
}

uint32_t id_map_find(const id_map *self, uint64_t key)
{
    return self->values[id_map_place(self, key)];
}

void id_map_put(id_map *self, uint64_t key, uint32_t value)
{
    uint32_t place = id_map_place(self, key);
    ENSURE(self->values[place] == SLOT_NONE && value != SLOT_NONE);
    self->keys[place] = key;
    self->values[place] = value;
}

void id_map_remove(id_map *self, uint64_t key)
{
    uint32_t hole = id_map_place(self, key);
    ENSURE(self->values[hole] != SLOT_NONE);
    /* Later members of the run move back into the hole unless that would put them before their home. */
    for (uint32_t next = (hole + 1) & self->mask; self->values[next] != SLOT_NONE;
         next = (next + 1) & self->mask) {
        uint32_t home = id_map_home(self, self->keys[next]);
        if (((next - home) & self->mask) >= ((next - hole) & self->mask)) {
            self->keys[hole] = self->keys[next];
            self->values[hole] = self->values[next];
            hole = next;
        }
    }
    self->values[hole] = SLOT_NONE;
}
