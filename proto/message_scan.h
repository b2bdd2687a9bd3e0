/**
 * The look at a frame before any memory is taken for it: walks the msgpack bytes without recursion or allocation and
 * accepts one array, at most MESSAGE_DEPTH_MAX deep and MESSAGE_NODES_MAX nodes large, whose every length fits what is
 * left, made of nothing but integers, booleans, text, bytes and arrays, with no byte over.
 *
 * Why: msgpack-c takes count x 24 bytes on the word of a container's header (reliability notes: up to 96 GB from five
 * bytes), and accepts extension types, which no message has.
 */
#ifndef PROTO_MESSAGE_SCAN_H
#define PROTO_MESSAGE_SCAN_H

#include "common/base/status.h"

/** STATUS_PEER_MALFORMED with the offset and the reason, or STATUS_OK. */
MUST_USE status message_scan(const void *bytes, size_t byte_size, error_detail *detail);

#endif
