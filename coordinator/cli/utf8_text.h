/** Names that come from a disk may hold any bytes; what is written as JSON may not. */
#ifndef COORDINATOR_CLI_UTF8_TEXT_H
#define COORDINATOR_CLI_UTF8_TEXT_H

#include "common/base/arena.h"

#include <stdbool.h>

/** Would a JSON text hold it as it is? */
bool utf8_is_valid(const char *text);
/** The text with each byte that belongs to no character written as \xE4; in the arena. */
const char *utf8_escaped(const char *text, arena *memory);

#endif
