/**
 * One ZeroMQ ROUTER socket on a libuv loop (socket_watch), every endpoint of it guarded (key_guard).
 *
 * Threads: the loop's. A message is two frames, the peer's routing id and one payload; anything else is dropped.
 */
#ifndef COORDINATOR_SHELL_ROUTER_SOCKET_H
#define COORDINATOR_SHELL_ROUTER_SOCKET_H

#include "coordinator/shell/key_guard.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

enum { ROUTING_ID_MAX = 255 };

/** Who a message came from and an answer goes to, while the connection lives. */
typedef struct routing_id {
    int link; /**< descriptor of the connection that it last spoke on; 0: not known */
    uint8_t size;
    uint8_t bytes[ROUTING_ID_MAX];
} routing_id;

typedef struct router_socket router_socket;
/** user: who sent it, for key_guard_whose; NULL: nobody knows. user and bytes are valid during the call only. */
typedef void router_receive_fn(void *context, const routing_id *from, const char *user, const void *bytes,
                               size_t byte_size);
typedef void router_closed_fn(void *context);

/** The guard, which must live longer, begins to serve. */
MUST_USE status router_socket_create(router_socket **out_socket, uv_loop_t *loop, key_guard *guard,
                                     router_receive_fn *receive, void *context, error_detail *detail);
/**
 * What the guard allows is bound; the first endpoint with keys only after its self-test has passed. tcp://127.0.0.1:0
 * takes a free port; the endpoint that was bound is written to out_endpoint (may be NULL).
 */
MUST_USE status router_socket_bind(router_socket *self, const char *endpoint, char *out_endpoint, size_t out_size,
                                   error_detail *detail);
/** Hands over what waits now, beyond the budget: before a deadline is judged, news that came in time is heard. */
void router_socket_drain(router_socket *self, uint32_t message_max);
/**
 * To be called every BACKLOG_CHECK_MS (backlog_guard.h): hangs up on connections that sent more than fits without a
 * message, take nothing of much that waits for them, say nothing, or are too many of one key (connection_share.h); how many
 * these were. Where only that brings descriptors back all tcp endpoints are closed and bound again. out_lost:
 * messages of those who sent more than may wait (peer_inbox.h), since the last call: as lost as on a bad network.
 */
uint32_t router_socket_guard(router_socket *self, uint32_t *out_lost);
/** Never blocks. STATUS_NODE_LOST: the peer is gone; STATUS_AGAIN: its queue is full, or too much waits for it. */
MUST_USE status router_socket_send(router_socket *self, const routing_id *to, const void *bytes, size_t byte_size);
/** Stops the handles; the socket is closed and closed() called once the loop has let go of them. */
void router_socket_close(router_socket **self, router_closed_fn *closed, void *context);

#endif
