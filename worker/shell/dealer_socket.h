/**
 * The worker's ZeroMQ DEALER on a libuv loop (socket_watch).
 *
 * Threads: the loop's. A message is one frame; anything else is dropped.
 */
#ifndef WORKER_SHELL_DEALER_SOCKET_H
#define WORKER_SHELL_DEALER_SOCKET_H

#include "proto/message_types.h"
#include "proto/secure_socket.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

typedef struct dealer_socket dealer_socket;
/** bytes are valid during the call only. */
typedef void dealer_receive_fn(void *context, const void *bytes, size_t byte_size);
/** A connection is up: what is sent from now on does not go nowhere. */
typedef void dealer_connected_fn(void *context);

/**
 * Connects in the background, for ever; a coordinator that refuses us is logged once, and asked again every two seconds:
 * an operator may have authorized the key meanwhile. link is read during the call. The coordinator gives each connection a
 * routing id of its own: one that was fixed would have to be taken over from a connection that hangs, and libzmq 4.3.4 then
 * never closes that one's descriptor.
 */
MUST_USE status dealer_socket_create(dealer_socket **out_socket, uv_loop_t *loop, const char *endpoint,
                                     const link_config *link, dealer_receive_fn *receive, dealer_connected_fn *connected,
                                     void *context, error_detail *detail);
/** Never blocks. False: there is no connection, or its queue is full; the frame is lost. */
bool dealer_socket_send(dealer_socket *self, const void *bytes, size_t byte_size);
/** Stops the handles; what was sent gets linger_ms to leave once the loop has let go of them. */
void dealer_socket_close(dealer_socket **self, int linger_ms);

#endif
