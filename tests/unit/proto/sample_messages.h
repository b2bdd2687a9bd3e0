/** One message of every type with every field set to something of its own: what proto/vectors holds. */
#ifndef TESTS_UNIT_PROTO_SAMPLE_MESSAGES_H
#define TESTS_UNIT_PROTO_SAMPLE_MESSAGES_H

#include "proto/message_types.h"

#include <stddef.h>

/** Every type, in the order of their numbers. Views of the samples point to constant bytes. */
const message_type *sample_message_types(size_t *out_count);
void sample_message(message_type type, message *out_message);

#endif
