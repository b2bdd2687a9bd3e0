/**
 * Hangs up on connections that send what never becomes a message, and on those that read nothing of what they ask for.
 * ZeroMQ holds the parts of a message until its last one has come, without a bound: a peer with a key could fill the memory
 * with one message without an end. So what the kernel received on each tcp connection is held against what came out of the
 * socket as messages. And it holds 256 messages for each connection that does not read: 33 MB of answers, of as many
 * connections as somebody opens. So what was sent to each is held against what its kernel has acknowledged. Whose
 * connections these are, and how many there may be, it asks connection_share.
 *
 * Threads: the loop's. What ipc connections send and read is not watched: whoever opens that file may do everything anyway.
 */
#ifndef COORDINATOR_SHELL_BACKLOG_GUARD_H
#define COORDINATOR_SHELL_BACKLOG_GUARD_H

#include "coordinator/shell/peer_inbox.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BACKLOG_CHECK_MS = 100,           /**< how often backlog_guard_check is to be called */
    BACKLOG_BYTES_MAX = 32 << 20,     /**< of one connection: kernel buffers, ZeroMQ's, and messages of 256 KiB */
    BACKLOG_TOTAL_MAX = 512 << 20,    /**< of all together; beyond it each that has more than BACKLOG_EACH_BYTES goes */
    BACKLOG_EACH_BYTES = 1 << 20,
    WITHHELD_BYTES_MAX = 512 << 10,   /**< of one, from before the socket was last read until nothing was left: one message
                                           that is not whole yet; ZeroMQ's 64 bytes for each part make of it 16 MiB at most */
    UNREAD_TOTAL_MAX = 256 << 20,     /**< sent and not taken by all together; beyond it who has more than one share gets no more */
    UNREAD_EACH_BYTES = 1 << 20       /**< a share; beyond half of the total who has more and takes nothing is hung up on */
};

typedef struct backlog_guard backlog_guard;

/** Watches this ZeroMQ socket, from before its first bind on, and renews descriptors in its inbox. NULL when it cannot be had. */
backlog_guard *backlog_guard_create(void *context, void *socket, peer_inbox *inbox);
/** Takes note of the connections that came and went. A connection is known here before its first message is read. */
void backlog_guard_look(backlog_guard *self);
/** Before the socket is closed. */
void backlog_guard_destroy(backlog_guard **self);
/** A part of a message came out of the socket, from the connection with this descriptor (ZMQ_SRCFD; < 0 = none). */
void backlog_guard_delivered(backlog_guard *self, int descriptor, size_t byte_size);
/** A message came out of the socket, from this connection of this user: the party that it is of (connection_share.h). */
uint32_t backlog_guard_heard(backlog_guard *self, int descriptor, const char *user);
/** It is none of ours. */
void backlog_guard_hang_up(backlog_guard *self, int descriptor);
/** Connections that were taken since the beginning. */
uint64_t backlog_guard_accepted(const backlog_guard *self);
/** May this be sent on it now? Always where it is not watched. */
bool backlog_guard_may_send(backlog_guard *self, int descriptor, size_t byte_size);
/** It was. */
void backlog_guard_sent(backlog_guard *self, int descriptor, size_t byte_size);
/** More came from it than is kept of one connection, and was lost. */
void backlog_guard_flooded(backlog_guard *self, int descriptor);
/**
 * To be called when the socket has just been read; emptied: until nothing was left, since the last call. Where more arrives
 * than can be read, those go who sent more than is kept. How many connections were hung up on.
 */
uint32_t backlog_guard_check(backlog_guard *self, bool emptied);
/** So many descriptors are not closed long after they were hung up on that only closing all of tcp brings them back. */
bool backlog_guard_is_stuck(const backlog_guard *self);
/** All connections of tcp are being closed, without a word in the monitor. */
void backlog_guard_renew(backlog_guard *self);

#endif
