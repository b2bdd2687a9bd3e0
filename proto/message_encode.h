/** Messages to msgpack frames. */
#ifndef PROTO_MESSAGE_ENCODE_H
#define PROTO_MESSAGE_ENCODE_H

#include "common/base/byte_writer.h"
#include "proto/message_types.h"

/**
 * Appends the frame of one message. Text is cleaned (message_text.h); counts over their bound are our own bug (ENSURE).
 * The writer fails (and STATUS_LIMIT is returned) over FRAME_BYTES_MAX.
 */
MUST_USE status message_encode(const message *self, byte_writer *writer);

#endif
