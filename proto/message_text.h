/**
 * What text may be on the wire: well-formed UTF-8 without NUL, other control characters (U+0000..U+001F,
 * U+007F..U+009F) and surrogates. Names from file systems are not always that, so senders clean them.
 */
#ifndef PROTO_MESSAGE_TEXT_H
#define PROTO_MESSAGE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/** Bytes of the allowed character at the front of text, 0 when there is none. */
size_t message_text_character(const char *text, size_t byte_size);
bool message_text_valid(const char *text, size_t byte_size);
/** Copies at most out_size - 1 bytes, with '?' for each that may not be sent, and a NUL. Returns the length. */
size_t message_text_clean(const char *text, char *out, size_t out_size);

#endif
