/**
 * Who the workers are: the process instance behind each number, where it is reached, what it said of itself. The
 * scheduler knows numbers only. A number is given to a process start and never to another; a HELLO of the same instance
 * keeps it.
 *
 * Threads: the loop's. A node's address is stable until it is forgotten.
 */
#ifndef COORDINATOR_SHELL_WORKER_REGISTRY_H
#define COORDINATOR_SHELL_WORKER_REGISTRY_H

#include "coordinator/shell/router_socket.h"
#include "proto/message_types.h"

typedef struct worker_node {
    uint32_t number;
    bool connected; /**< heard of within the lease, and not gone */
    bool left;      /**< its last word was a GOODBYE */
    routing_id route;
    uint32_t hello_beat; /**< of the HELLO that it came by */
    uint8_t instance[INSTANCE_BYTES];
    char owner[NAME_MAX_BYTES]; /**< whose key it came with, by the allow-list; it alone speaks for the node */
    uint8_t key[KEY_BYTES];     /**< that key, of its last HELLO */
    char name[NAME_MAX_BYTES];
    char engine[32];
    char cpu[16];
    uint32_t slots;
    uint32_t root_count;
    message_root roots[ROOTS_MAX];
    bool draining; /**< it said so itself */
    bool replaced; /**< gone, and another process of its name and owner is here; as worker_registry_mark_replaced saw it */
    uint64_t heard_ms; /**< last message of any kind */
    uint64_t programme_ms, task_ms; /**< done since it joined: time of programmes, time that it took */
    uint32_t progress_count;
    message_progress progress[MESSAGE_ATTEMPTS_MAX]; /**< of the last heartbeat */
} worker_node;

/** A node name taken out of service by a person. */
typedef struct drained_name {
    char name[NAME_MAX_BYTES];
    char reason[REASON_TEXT_BYTES];
} drained_name;

/** By what nodes are found; each has an order of its own, so that a message costs the same among ten thousand nodes. */
typedef enum node_order {
    NODES_BY_ROUTE,    /**< nodes that were the last to speak on theirs */
    NODES_BY_INSTANCE, /**< and owner */
    NODES_BY_OWNER,    /**< and name */
    NODE_ORDERS
} node_order;

typedef struct worker_registry {
    worker_node **nodes; /**< by number */
    size_t count, capacity;
    worker_node **ordered[NODE_ORDERS]; /**< as many places as nodes has */
    size_t ordered_count[NODE_ORDERS];
    uint64_t oldest_ms; /**< no connected node was heard of before; exact when worker_registry_silent has found no more */
    uint32_t last_number; /**< numbers rise from here; a replay raises it over every number in the journal */
    drained_name *drained;
    size_t drained_count, drained_capacity;
} worker_registry;

void worker_registry_deinit(worker_registry *self);
/**
 * Takes a HELLO: a new node or the one of this instance and owner, at its new route. One said before the last that was
 * taken changes nothing. NULL when there is no room; one owner may have half of it.
 */
worker_node *worker_registry_hello(worker_registry *self, const routing_id *route, const char *owner,
                                   const message_hello *hello, uint64_t now_ms);
/** The owner's connected node behind a route, or NULL. */
worker_node *worker_registry_by_route(const worker_registry *self, const routing_id *route, const char *owner);
/** When another process of this name and owner, which is connected, was heard of last; 0: there is none. */
uint64_t worker_registry_double_ms(const worker_registry *self, const char *owner, const message_hello *hello);
/** Sets `replaced` of every node, in one walk. */
void worker_registry_mark_replaced(const worker_registry *self);
/** The last node that spoke on a route, whoever's and connected or not; NULL: none that is remembered. */
const worker_node *worker_registry_behind(const worker_registry *self, const routing_id *route);
worker_node *worker_registry_by_number(const worker_registry *self, uint32_t number);
/**
 * The next connected node that was not heard of since before_ms, which the caller then takes for gone; NULL: no more.
 * *at begins at 0.
 */
worker_node *worker_registry_silent(worker_registry *self, uint64_t before_ms, size_t *at);
/** When the longest silent connected node was last heard of, or a moment before; UINT64_MAX = there is none. */
uint64_t worker_registry_oldest_ms(const worker_registry *self);
/** Forgets nodes that have been gone since before_ms. */
void worker_registry_forget(worker_registry *self, uint64_t before_ms);
/** Slots of all connected nodes. */
uint32_t worker_registry_slots(const worker_registry *self);

/** Why a name is drained ("" = nobody said); NULL: it is not. */
const char *worker_registry_drained(const worker_registry *self, const char *name);
/** Drained again without a reason, it keeps the one it has. False when out of memory. */
bool worker_registry_set_drained(worker_registry *self, const char *name, bool drained, const char *reason);

#endif
