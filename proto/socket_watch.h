/**
 * A ZeroMQ socket on a libuv loop. ZeroMQ's descriptor is edge-triggered and reading it in a poll callback alone stalls
 * for ever, so four handles work together: prepare looks whether something waits and then keeps the loop awake by idle,
 * check has messages read (at most SOCKET_BUDGET per turn, so that timers are not starved), poll only wakes the loop.
 *
 * Threads: the loop's. Ownership: embedded in its owner and returned to it by closed(); the socket is the owner's, and
 * must live until then.
 */
#ifndef PROTO_SOCKET_WATCH_H
#define PROTO_SOCKET_WATCH_H

#include "common/base/status.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

enum { SOCKET_BUDGET = 256 };

/** Reads one message off the socket, or of what its owner has read ahead of it; false when there was none. */
typedef bool socket_read_fn(void *owner);
typedef void socket_closed_fn(void *owner);

typedef struct socket_watch {
    void *socket;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_idle_t idle;
    uv_poll_t poll;
    uint32_t open_handles;
    socket_read_fn *read;
    socket_closed_fn *closed;
    void *owner;
} socket_watch;

/** STATUS_NODE_SYSTEM: nothing was started. */
MUST_USE status socket_watch_start(socket_watch *self, uv_loop_t *loop, void *socket, socket_read_fn *read, void *owner);
/** Has read what waits now, at most message_max. Stops early when the owner closes the watch. True: more may wait. */
bool socket_watch_drain(socket_watch *self, uint32_t message_max);
/** What its owner has read ahead is handed over in the loop's next turn. */
void socket_watch_wake(socket_watch *self);
/** Stops the handles; closed(owner) is called once the loop has let go of them. */
void socket_watch_close(socket_watch *self, socket_closed_fn *closed);

/** One integer option of a ZeroMQ socket. */
typedef struct socket_option {
    int name;
    int value;
} socket_option;
/** False when one of them is refused. */
MUST_USE bool socket_options_set(void *socket, const socket_option *options, size_t count);
/** The largest frame that is taken, from whomever: counted before anybody is authenticated. */
MUST_USE bool socket_frame_max_set(void *socket);

#endif
