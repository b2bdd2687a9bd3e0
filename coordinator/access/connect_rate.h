/**
 * How often one key may connect: as many times at once as a whole farm that shares it comes back with, and a few dozen a
 * second for long. Who could connect without end would sooner or later come upon a connection whose name libzmq is about
 * to give, where it aborts (router_socket.c), and keeps the coordinator busy with handshakes.
 *
 * Pure.
 */
#ifndef COORDINATOR_ACCESS_CONNECT_RATE_H
#define COORDINATOR_ACCESS_CONNECT_RATE_H

#include "common/base/limits.h"

#include <stdbool.h>
#include <stdint.h>

enum { CONNECTS_AT_ONCE_MAX = WORKERS_MAX, CONNECTS_PER_S = 64 };

/** One connection more, at a time in microseconds. *paid_us: what those before come to; 0 at first. False: not now. */
bool connect_rate_take(uint64_t *paid_us, uint64_t now_us);

#endif
