/**
 * What those who may only ask cost the coordinator: together a quarter of its time and half a second in advance, in equal
 * shares of those who asked lately. Who comes late finds a share all the same: one more divides by one more.
 *
 * Pure.
 */
#ifndef COORDINATOR_ACCESS_ASK_SHARE_H
#define COORDINATOR_ACCESS_ASK_SHARE_H

#include "common/base/limits.h"

#include <stdbool.h>
#include <stdint.h>

enum { ASK_SHARES_MAX = 16, ASK_PART = 4, ASK_AHEAD_US = 500000 };

typedef struct ask_share {
    char name[NAME_MAX_BYTES];
    uint64_t debt_us; /**< of what it has cost: not paid by time yet */
} ask_share;

/** Zeroed at first. */
typedef struct ask_shares {
    ask_share of[ASK_SHARES_MAX]; /**< the last is shared by all who find none */
    uint32_t count;
    uint64_t paid_ms;
} ask_shares;

/** What it cost lately leaves room for another question, at this time. */
bool ask_shares_may(ask_shares *self, const char *name, uint64_t now_ms);
/** One took so long. */
void ask_shares_spent(ask_shares *self, const char *name, uint64_t took_us);

#endif
