/**
 * From a number that others chose to a slot of a table: a hash map of fixed size, open addressing. Look-ups only; it is
 * never walked, so its inner order decides nothing. Memory is taken in init and never afterwards.
 */
#ifndef COORDINATOR_CORE_ID_MAP_H
#define COORDINATOR_CORE_ID_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** "No slot", "no task", "no worker" in every table of the core. */
#define SLOT_NONE UINT32_MAX

typedef struct id_map {
    uint64_t *keys;
    uint32_t *values; /**< SLOT_NONE marks an empty place */
    uint32_t mask;
} id_map;

/** Room for count_max keys; false when out of memory (then only deinit is allowed). */
bool id_map_init(id_map *self, uint32_t count_max);
void id_map_deinit(id_map *self);
/** SLOT_NONE when the key is not there. */
uint32_t id_map_find(const id_map *self, uint64_t key);
/** The key must not be there, and the caller keeps within count_max. */
void id_map_put(id_map *self, uint64_t key, uint32_t value);
/** The key must be there. */
void id_map_remove(id_map *self, uint64_t key);

#endif
