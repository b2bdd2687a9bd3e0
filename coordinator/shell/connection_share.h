/**
 * Whose the connections are, and that nobody's are so many that others find no descriptor. A party is a key (on ipc a
 * user of the machine); connections that have not spoken are one party together. Nobody is bounded while there is room:
 * thousands of nodes may share a key. When descriptors run short the parties that have most give some back, each those
 * that are silent, the longest first, and then those that came last.
 *
 * Threads: the loop's.
 */
#ifndef COORDINATOR_SHELL_CONNECTION_SHARE_H
#define COORDINATOR_SHELL_CONNECTION_SHARE_H

#include "common/base/status.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    SHARE_SILENT_MS = 10000, /**< who has said nothing for so long since it connected is hung up on */
    SHARE_STUCK_MS = 2000    /**< a descriptor is closed by then once it was hung up on, unless libzmq has forgotten it */
};

typedef struct connection_share connection_share;

/** NULL: out of memory. */
connection_share *connection_share_create(void);
void connection_share_destroy(connection_share **self);
void connection_share_opened(connection_share *self, int descriptor);
/** Nothing where it is not open. */
void connection_share_closed(connection_share *self, int descriptor);
/** It speaks, for this user (key_guard). Returns its party, a small number; 0 where it is not open. */
uint32_t connection_share_heard(connection_share *self, int descriptor, const char *user);
void connection_share_hang_up(connection_share *self, int descriptor);
/** Hangs up on those who have been silent for too long, and on those who have too many. On how many. To be called often. */
uint32_t connection_share_check(connection_share *self);
/** An eighth of all descriptors are stuck. */
bool connection_share_is_stuck(const connection_share *self);

#endif
