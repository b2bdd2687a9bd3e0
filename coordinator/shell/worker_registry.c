#include "coordinator/shell/worker_registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the places for nodes one key has half: whoever has stolen it locks nobody out. */
enum { OWNER_NODES_MAX = WORKERS_MAX / 2 };

void worker_registry_deinit(worker_registry *self)
{
    for (size_t i = 0; i < self->count; i++)
        free(self->nodes[i]);
    free(self->nodes);
    for (int order = 0; order < NODE_ORDERS; order++)
        free(self->ordered[order]);
    free(self->drained);
    *self = (worker_registry){0};
}

/* ---- nodes in order ---- */

/* What is looked for: of an order only its own fields count. name NULL: every node of the owner; number 0: of the name. */
typedef struct node_key {
    const routing_id *route;
    const uint8_t *instance;
    const char *owner, *name;
    uint32_t number;
} node_key;

static int compare(node_order order, const node_key *key, const worker_node *node)
{
    int by = 0;
    if (order == NODES_BY_ROUTE)
        return key->route->size != node->route.size ? (int)key->route->size - (int)node->route.size
                                                    : memcmp(key->route->bytes, node->route.bytes, node->route.size);
    if (order == NODES_BY_INSTANCE)
        by = memcmp(key->instance, node->instance, INSTANCE_BYTES);
    if (by == 0)
        by = strcmp(key->owner, node->owner);
    if (by == 0 && order == NODES_BY_OWNER && key->name != NULL)
        by = strcmp(key->name, node->name);
    if (by == 0 && order == NODES_BY_OWNER && key->number != 0)
        by = key->number < node->number ? -1 : key->number > node->number;
    return by;
}

/* The first place whose node is not below the key; with `behind` the first whose node is above it. */
static size_t place_of(const worker_registry *self, node_order order, const node_key *key, bool behind)
{
    size_t low = 0;
    size_t high = self->ordered_count[order];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int by = compare(order, key, self->ordered[order][middle]);
        if (by > 0 || (behind && by == 0))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The node of an order in which each has a key of its own. */
static worker_node *node_at(const worker_registry *self, node_order order, const node_key *key)
{
    size_t at = place_of(self, order, key, false);
    bool there = at < self->ordered_count[order] && compare(order, key, self->ordered[order][at]) == 0;
    return there ? self->ordered[order][at] : NULL;
}

static node_key key_of(const worker_node *node)
{
    return (node_key){.route = &node->route, .instance = node->instance, .owner = node->owner, .name = node->name,
                      .number = node->number};
}

static void put_in_order(worker_registry *self, node_order order, worker_node *node)
{
    node_key key = key_of(node);
    size_t at = place_of(self, order, &key, false);
    worker_node **place = &self->ordered[order][at];
    memmove(place + 1, place, (self->ordered_count[order]++ - at) * sizeof(worker_node *));
    *place = node;
}

static void take_out_of_order(worker_registry *self, node_order order, const worker_node *node)
{
    node_key key = key_of(node);
    size_t at = place_of(self, order, &key, false);
    if (at == self->ordered_count[order] || self->ordered[order][at] != node)
        return;
    worker_node **place = &self->ordered[order][at];
    memmove(place, place + 1, (--self->ordered_count[order] - at) * sizeof(worker_node *));
}

/* ---- HELLO ---- */

static bool make_room(worker_registry *self)
{
    size_t capacity = self->capacity == 0 ? 16 : 2 * self->capacity;
    worker_node ***lists[] = {&self->nodes, &self->ordered[NODES_BY_ROUTE], &self->ordered[NODES_BY_INSTANCE],
                              &self->ordered[NODES_BY_OWNER]};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        worker_node **wider = realloc(*lists[i], capacity * sizeof(worker_node *));
        if (wider == NULL)
            return false;
        *lists[i] = wider;
    }
    self->capacity = capacity;
    return true;
}

static worker_node *add_node(worker_registry *self, const char *owner, const message_hello *hello)
{
    node_key theirs = {.owner = owner};
    size_t owned = place_of(self, NODES_BY_OWNER, &theirs, true) - place_of(self, NODES_BY_OWNER, &theirs, false);
    if (owned >= OWNER_NODES_MAX || self->count == WORKERS_MAX || self->last_number == UINT32_MAX ||
        (self->count == self->capacity && !make_room(self)))
        return NULL;
    worker_node *node = calloc(1, sizeof *node);
    if (node == NULL)
        return NULL;
    node->number = ++self->last_number;
    memcpy(node->instance, hello->instance, INSTANCE_BYTES);
    snprintf(node->owner, sizeof node->owner, "%s", owner);
    memcpy(node->name, hello->name, sizeof node->name);
    self->nodes[self->count++] = node;
    put_in_order(self, NODES_BY_INSTANCE, node);
    put_in_order(self, NODES_BY_OWNER, node);
    return node;
}

/* Whoever had the route before is not reached there any more. */
static void take_route(worker_registry *self, worker_node *node, const routing_id *route)
{
    worker_node *before = node_at(self, NODES_BY_ROUTE, &(node_key){.route = route});
    if (before != NULL && before != node) {
        before->connected = false;
        take_out_of_order(self, NODES_BY_ROUTE, before);
    }
    if (before == node) {
        node->route.link = route->link;
        return;
    }
    take_out_of_order(self, NODES_BY_ROUTE, node);
    node->route = *route;
    put_in_order(self, NODES_BY_ROUTE, node);
}

/* It waited in a connection that is gone, while its sender said another one on the next. The count of beats may wrap. */
static bool hello_is_old(const worker_node *node, const message_hello *hello)
{
    return hello->beat != 0 && node->hello_beat != 0 && hello->beat - node->hello_beat > UINT32_MAX / 2;
}

worker_node *worker_registry_hello(worker_registry *self, const routing_id *route, const char *owner,
                                   const message_hello *hello, uint64_t now_ms)
{
    worker_node *node = node_at(self, NODES_BY_INSTANCE, &(node_key){.instance = hello->instance, .owner = owner});
    if (node == NULL)
        node = add_node(self, owner, hello);
    if (node == NULL || hello_is_old(node, hello))
        return node;
    take_route(self, node, route);
    node->hello_beat = hello->beat;
    if (strcmp(node->name, hello->name) != 0) {
        take_out_of_order(self, NODES_BY_OWNER, node);
        memcpy(node->name, hello->name, sizeof node->name);
        put_in_order(self, NODES_BY_OWNER, node);
    }
    node->connected = true;
    node->left = false;
    memcpy(node->engine, hello->engine, sizeof node->engine);
    memcpy(node->cpu, hello->cpu, sizeof node->cpu);
    node->slots = hello->slots;
    node->root_count = hello->root_count;
    memcpy(node->roots, hello->roots, sizeof node->roots);
    node->draining = false;
    node->heard_ms = now_ms;
    self->oldest_ms = self->count == 1 || now_ms < self->oldest_ms ? now_ms : self->oldest_ms;
    node->progress_count = 0;
    return node;
}

/* ---- look-ups ---- */

worker_node *worker_registry_by_route(const worker_registry *self, const routing_id *route, const char *owner)
{
    worker_node *node = node_at(self, NODES_BY_ROUTE, &(node_key){.route = route});
    return node != NULL && node->connected && strcmp(node->owner, owner) == 0 ? node : NULL;
}

/* The next connected one of a name and owner; *at begins at 0. */
static const worker_node *next_of_name(const worker_registry *self, const char *owner, const char *name, size_t *at)
{
    node_key key = {.owner = owner, .name = name};
    size_t first = place_of(self, NODES_BY_OWNER, &key, false);
    for (; first + *at < self->ordered_count[NODES_BY_OWNER]; ++*at) {
        const worker_node *node = self->ordered[NODES_BY_OWNER][first + *at];
        if (compare(NODES_BY_OWNER, &key, node) != 0)
            return NULL;
        if (node->connected) {
            ++*at;
            return node;
        }
    }
    return NULL;
}

uint64_t worker_registry_double_ms(const worker_registry *self, const char *owner, const message_hello *hello)
{
    uint64_t heard_ms = 0;
    size_t at = 0;
    for (const worker_node *node; (node = next_of_name(self, owner, hello->name, &at)) != NULL;)
        if (memcmp(node->instance, hello->instance, INSTANCE_BYTES) != 0 && node->heard_ms > heard_ms)
            heard_ms = node->heard_ms;
    return heard_ms;
}

void worker_registry_mark_replaced(const worker_registry *self)
{
    worker_node *const *nodes = self->ordered[NODES_BY_OWNER];
    size_t end = 0;
    for (size_t first = 0; first < self->ordered_count[NODES_BY_OWNER]; first = end) {
        node_key key = {.owner = nodes[first]->owner, .name = nodes[first]->name};
        bool here = false;
        for (end = first; end < self->ordered_count[NODES_BY_OWNER] && compare(NODES_BY_OWNER, &key, nodes[end]) == 0; end++)
            here = here || nodes[end]->connected;
        for (size_t i = first; i < end; i++)
            nodes[i]->replaced = here && !nodes[i]->connected;
    }
}

const worker_node *worker_registry_behind(const worker_registry *self, const routing_id *route)
{
    return node_at(self, NODES_BY_ROUTE, &(node_key){.route = route});
}

worker_node *worker_registry_by_number(const worker_registry *self, uint32_t number)
{
    /* Nodes are in order of their numbers. */
    size_t low = 0;
    size_t high = self->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (self->nodes[middle]->number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < self->count && self->nodes[low]->number == number ? self->nodes[low] : NULL;
}

worker_node *worker_registry_silent(worker_registry *self, uint64_t before_ms, size_t *at)
{
    if (*at == 0)
        self->oldest_ms = UINT64_MAX;
    while (*at < self->count) {
        worker_node *node = self->nodes[(*at)++];
        if (node->connected && node->heard_ms < before_ms)
            return node;
        if (node->connected && node->heard_ms < self->oldest_ms)
            self->oldest_ms = node->heard_ms;
    }
    return NULL;
}

uint64_t worker_registry_oldest_ms(const worker_registry *self)
{
    return self->count == 0 ? UINT64_MAX : self->oldest_ms;
}

void worker_registry_forget(worker_registry *self, uint64_t before_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < self->count; i++) {
        worker_node *node = self->nodes[i];
        if (!node->connected && node->heard_ms < before_ms) {
            for (node_order order = NODES_BY_ROUTE; order < NODE_ORDERS; order++)
                take_out_of_order(self, order, node);
            free(node);
        } else {
            self->nodes[kept++] = node;
        }
    }
    self->count = kept;
}

uint32_t worker_registry_slots(const worker_registry *self)
{
    uint32_t slots = 0;
    for (size_t i = 0; i < self->count; i++)
        if (self->nodes[i]->connected)
            slots += self->nodes[i]->slots;
    return slots;
}

const char *worker_registry_drained(const worker_registry *self, const char *name)
{
    for (size_t i = 0; i < self->drained_count; i++)
        if (strcmp(self->drained[i].name, name) == 0)
            return self->drained[i].reason;
    return NULL;
}

bool worker_registry_set_drained(worker_registry *self, const char *name, bool drained, const char *reason)
{
    size_t at = 0;
    while (at < self->drained_count && strcmp(self->drained[at].name, name) != 0)
        at++;
    if (!drained) {
        if (at < self->drained_count)
            self->drained[at] = self->drained[--self->drained_count];
        return true;
    }
    if (at < self->drained_count && reason[0] == '\0')
        return true;
    if (at == self->drained_capacity) {
        size_t capacity = self->drained_capacity == 0 ? 8 : 2 * self->drained_capacity;
        drained_name *names = realloc(self->drained, capacity * sizeof *names);
        if (names == NULL)
            return false;
        self->drained = names;
        self->drained_capacity = capacity;
    }
    if (at == self->drained_count)
        self->drained_count++;
    drained_name *entry = &self->drained[at];
    *entry = (drained_name){0};
    strncpy(entry->name, name, sizeof entry->name - 1);
    strncpy(entry->reason, reason, sizeof entry->reason - 1);
    return true;
}
