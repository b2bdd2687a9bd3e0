/**
 * What each media root is: the identity that the first worker with it brought. A machine where another folder stands in its
 * place would find no file, and keep what it makes to itself.
 *
 * Threads: the loop's.
 */
#ifndef COORDINATOR_SHELL_KNOWN_ROOTS_H
#define COORDINATOR_SHELL_KNOWN_ROOTS_H

#include "coordinator/shell/shell_record.h"

typedef struct known_roots {
    uint32_t count;
    root_record items[ROOTS_MAX];
} known_roots;

/** NULL: nobody has brought it yet. */
const root_record *known_roots_find(const known_roots *self, const char *name);
/** A zero identity: it is forgotten. Where there are ROOTS_MAX, the oldest makes room. */
void known_roots_set(known_roots *self, const root_record *root);
/** Is this root of a worker not what it is known as? Then text is a sentence for that worker. */
bool known_roots_differ(const known_roots *self, const message_root *theirs, char *text, size_t text_size);

#endif
