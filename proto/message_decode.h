/**
 * Frames from outside to messages. Bounded before anything is allocated: a pre-scan walks the bytes (depth, node count,
 * every length against what is left), then msgpack-c unpacks them and the fields are checked one by one. Unknown types,
 * wrong field counts, values out of range, trailing bytes: STATUS_PEER_MALFORMED. Another protocol version, in any type
 * but REFUSE: STATUS_PEER_VERSION.
 */
#ifndef PROTO_MESSAGE_DECODE_H
#define PROTO_MESSAGE_DECODE_H

#include "common/base/arena.h"
#include "proto/message_types.h"

/**
 * Views in out_message point into bytes, or into arena for what cannot be a view (nothing in version 1; NULL is allowed
 * then). On failure out_message is undefined and must not be used.
 */
MUST_USE status message_decode(message *out_message, const void *bytes, size_t byte_size, arena *arena,
                               error_detail *detail);

#endif
