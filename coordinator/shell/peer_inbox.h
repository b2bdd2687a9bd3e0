/**
 * Messages that were taken off a socket and not handled yet: a queue for each connection, all of them bounded. Parties are
 * served in turns, whoever has how many connections, and each party's connections are. ZeroMQ's own queues have no bound that
 * is safe: where one is set (ZMQ_RCVHWM) libzmq 4.3.4 aborts over the PING of a peer that left while more waited
 * from it (`!_io_error`). So the socket has none, and is emptied into here at once.
 *
 * Threads: the loop's.
 */
#ifndef COORDINATOR_SHELL_PEER_INBOX_H
#define COORDINATOR_SHELL_PEER_INBOX_H

#include "common/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zmq.h>

enum {
    INBOX_EACH_MESSAGES = 16384,    /**< of one connection: a worker that comes back sends the cells of all that it holds */
    INBOX_EACH_BYTES = 64 << 20,    /**< the same; what is more is lost, and comes again when it is not acknowledged */
    INBOX_TOTAL_BYTES = 256 << 20,  /**< of all; beyond it no connection has more than INBOX_SHARE_BYTES, */
    INBOX_SHARE_BYTES = 1 << 20,
    INBOX_PARTY_BYTES = 512 << 20,  /**< and no party, however many connections it has, more than this */
    INBOX_LEFT_MESSAGES = 256,      /**< that a connection which is gone may leave in the way of the next on its descriptor */
    INBOX_MESSAGE_BYTES = 256       /**< counted for each message besides its payload: what it takes to hold it */
};

typedef struct peer_inbox peer_inbox;

/** NULL: out of memory. */
peer_inbox *peer_inbox_create(void);
void peer_inbox_destroy(peer_inbox **self);
/**
 * Takes both over, as the last message of this connection (its descriptor; < 0 = unknown) of this party (a small number).
 * False: nothing was taken, more waits of it than may, or memory is out.
 */
MUST_USE bool peer_inbox_put(peer_inbox *self, int link, uint32_t party, zmq_msg_t *from, zmq_msg_t *payload);
/** The next message, of each party and of each of its connections in turns, moved into what the caller has initialised. False:
 *  none waits. */
MUST_USE bool peer_inbox_take(peer_inbox *self, zmq_msg_t *from, zmq_msg_t *payload);
/** Nothing waits there, or what waits came from another peer: its descriptor may belong to a new connection. */
bool peer_inbox_may_be_new(const peer_inbox *self, int link, zmq_msg_t *from);
/** The descriptor is a new connection's: what the one before it left is dropped where it is much. */
void peer_inbox_renew(peer_inbox *self, int link);
bool peer_inbox_is_empty(const peer_inbox *self);

#endif
