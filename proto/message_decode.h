/**
 * Frames from outside to messages. Bounded before anything is allocated: a pre-scan walks the bytes (depth, node count,
 * every length against what is left), then fields are checked one by one. Allocates nothing but from the given arena
 * (cell digests). Unknown types, wrong field counts, values out of range, trailing bytes: STATUS_PEER_MALFORMED.
 */
#ifndef PROTO_MESSAGE_DECODE_H
#define PROTO_MESSAGE_DECODE_H

#include "common/base/arena.h"
#include "proto/message_types.h"

/** Views in out_message point into bytes or into arena. On failure out_message is undefined and must not be used. */
MUST_USE status message_decode(message *out_message, const void *bytes, size_t byte_size, arena *arena,
                               error_detail *detail);

#endif
