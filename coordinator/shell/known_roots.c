#include "coordinator/shell/known_roots.h"

#include <stdio.h>
#include <string.h>

static root_record *find(known_roots *self, const char *name)
{
    for (uint32_t i = 0; i < self->count; i++)
        if (strcmp(self->items[i].name, name) == 0)
            return &self->items[i];
    return NULL;
}

const root_record *known_roots_find(const known_roots *self, const char *name)
{
    return find((known_roots *)self, name);
}

void known_roots_set(known_roots *self, const root_record *root)
{
    root_record *place = find(self, root->name);
    if (place == NULL && self->count == ROOTS_MAX)
        place = &self->items[0];
    if (place != NULL)
        memmove(place, place + 1, (size_t)(&self->items[self->count--] - (place + 1)) * sizeof *place);
    if (!content_hash_is_zero(&root->identity))
        self->items[self->count++] = *root;
}

bool known_roots_differ(const known_roots *self, const message_root *theirs, char *text, size_t text_size)
{
    const root_record *known = known_roots_find(self, theirs->name);
    if (known == NULL || content_hash_equal(&known->identity, &theirs->identity))
        return false;
    snprintf(text, text_size,
             "media root %s is not the storage that it is on node %s: its " ROOT_IDENTITY_FILE " is %s; mount the right one (if "
             "the root itself has moved: `reelmill root-moved %s`)",
             theirs->name, known->node, content_hash_is_zero(&theirs->identity) ? "missing or empty" : "another", theirs->name);
    return true;
}
