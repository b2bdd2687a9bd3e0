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
    free(self->drained);
    *self = (worker_registry){0};
}

static bool route_equal(const routing_id *a, const routing_id *b)
{
    return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

static worker_node *add_node(worker_registry *self)
{
    if (self->count == WORKERS_MAX || self->last_number == UINT32_MAX)
        return NULL;
    if (self->count == self->capacity) {
        size_t capacity = self->capacity == 0 ? 16 : 2 * self->capacity;
        worker_node **nodes = realloc(self->nodes, capacity * sizeof(worker_node *));
        if (nodes == NULL)
            return NULL;
        self->nodes = nodes;
        self->capacity = capacity;
    }
    worker_node *node = calloc(1, sizeof *node);
    if (node == NULL)
        return NULL;
    node->number = ++self->last_number;
    self->nodes[self->count++] = node;
    return node;
}

worker_node *worker_registry_hello(worker_registry *self, const routing_id *route, const char *owner,
                                   const message_hello *hello, uint64_t now_ms)
{
    worker_node *node = NULL;
    uint32_t owned = 0;
    for (size_t i = 0; i < self->count; i++) {
        worker_node *other = self->nodes[i];
        bool own = strcmp(other->owner, owner) == 0;
        owned += own ? 1 : 0;
        if (own && memcmp(other->instance, hello->instance, INSTANCE_BYTES) == 0)
            node = other;
        else if (route_equal(&other->route, route))
            other->connected = false; /* the route was taken over by another process */
    }
    if (node == NULL && owned < OWNER_NODES_MAX)
        node = add_node(self);
    if (node == NULL)
        return NULL;
    node->connected = true;
    node->left = false;
    node->route = *route;
    memcpy(node->instance, hello->instance, INSTANCE_BYTES);
    snprintf(node->owner, sizeof node->owner, "%s", owner);
    memcpy(node->name, hello->name, sizeof node->name);
    memcpy(node->engine, hello->engine, sizeof node->engine);
    memcpy(node->cpu, hello->cpu, sizeof node->cpu);
    node->slots = hello->slots;
    node->root_count = hello->root_count;
    memcpy(node->roots, hello->roots, sizeof node->roots);
    node->draining = false;
    node->heard_ms = now_ms;
    node->progress_count = 0;
    return node;
}

worker_node *worker_registry_by_route(const worker_registry *self, const routing_id *route, const char *owner)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->nodes[i]->connected && route_equal(&self->nodes[i]->route, route) &&
            strcmp(self->nodes[i]->owner, owner) == 0)
            return self->nodes[i];
    return NULL;
}

uint64_t worker_registry_double_ms(const worker_registry *self, const char *owner, const message_hello *hello)
{
    uint64_t heard_ms = 0;
    for (size_t i = 0; i < self->count; i++) {
        const worker_node *node = self->nodes[i];
        if (node->connected && strcmp(node->name, hello->name) == 0 && strcmp(node->owner, owner) == 0 &&
            memcmp(node->instance, hello->instance, INSTANCE_BYTES) != 0 && node->heard_ms > heard_ms)
            heard_ms = node->heard_ms;
    }
    return heard_ms;
}

bool worker_registry_replaced(const worker_registry *self, const worker_node *node)
{
    for (size_t i = 0; i < self->count && !node->connected; i++) {
        const worker_node *other = self->nodes[i];
        if (other->connected && strcmp(node->name, other->name) == 0 && strcmp(node->owner, other->owner) == 0)
            return true;
    }
    return false;
}

const worker_node *worker_registry_behind(const worker_registry *self, const routing_id *route)
{
    for (size_t i = self->count; i-- > 0;)
        if (route_equal(&self->nodes[i]->route, route))
            return self->nodes[i];
    return NULL;
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

worker_node *worker_registry_silent(const worker_registry *self, uint64_t before_ms)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->nodes[i]->connected && self->nodes[i]->heard_ms < before_ms)
            return self->nodes[i];
    return NULL;
}

uint64_t worker_registry_oldest_ms(const worker_registry *self)
{
    uint64_t oldest = UINT64_MAX;
    for (size_t i = 0; i < self->count; i++)
        if (self->nodes[i]->connected && self->nodes[i]->heard_ms < oldest)
            oldest = self->nodes[i]->heard_ms;
    return oldest;
}

void worker_registry_forget(worker_registry *self, uint64_t before_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < self->count; i++) {
        worker_node *node = self->nodes[i];
        if (!node->connected && node->heard_ms < before_ms)
            free(node);
        else
            self->nodes[kept++] = node;
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
