#include "coordinator/access/ask_share.h"

#include <stdio.h>
#include <string.h>

/* Who owes nothing any more leaves its place. */
static void pay(ask_shares *self, uint64_t now_ms)
{
    uint32_t kept = 0;
    uint64_t each_us = self->count == 0 ? 0 : (now_ms - self->paid_ms) * 1000 / ASK_PART / self->count;
    for (uint32_t i = 0; i < self->count; i++) {
        if (self->of[i].debt_us <= each_us)
            continue;
        self->of[kept] = self->of[i];
        self->of[kept++].debt_us -= each_us;
    }
    self->count = kept;
    self->paid_ms = now_ms;
}

static ask_share *share_of(ask_shares *self, const char *name)
{
    uint32_t place = 0;
    while (place < self->count && strcmp(self->of[place].name, name) != 0)
        place++;
    if (place == ASK_SHARES_MAX)
        return &self->of[ASK_SHARES_MAX - 1];
    if (place == self->count) {
        self->of[place] = (ask_share){0};
        snprintf(self->of[place].name, sizeof self->of[place].name, "%s", name);
        self->count++;
    }
    return &self->of[place];
}

bool ask_shares_may(ask_shares *self, const char *name, uint64_t now_ms)
{
    pay(self, now_ms);
    const ask_share *own = share_of(self, name);
    return own->debt_us < ASK_AHEAD_US / self->count;
}

void ask_shares_spent(ask_shares *self, const char *name, uint64_t took_us)
{
    share_of(self, name)->debt_us += took_us;
}
