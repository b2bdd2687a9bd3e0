#include "sim_journal.h"

#include "common/base/ensure.h"

#include <stdlib.h>

void sim_journal_deinit(sim_journal *self)
{
    free(self->records);
    *self = (sim_journal){0};
}

uint64_t sim_journal_append(sim_journal *self, const sim_record *record)
{
    if (self->count == self->capacity) {
        self->capacity = self->capacity == 0 ? 1024 : self->capacity * 2;
        sim_record *records = realloc(self->records, self->capacity * sizeof *records);
        ENSURE(records != NULL);
        self->records = records;
    }
    self->records[self->count++] = *record;
    return self->count;
}

void sim_journal_cut(sim_journal *self, uint64_t kept)
{
    ENSURE(kept <= self->count);
    self->count = kept;
    if (self->durable > kept)
        self->durable = kept;
}
