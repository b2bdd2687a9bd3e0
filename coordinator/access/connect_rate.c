#include "coordinator/access/connect_rate.h"

enum { EACH_US = 1000000 / CONNECTS_PER_S };

bool connect_rate_take(uint64_t *paid_us, uint64_t now_us)
{
    uint64_t from_us = *paid_us > now_us ? *paid_us : now_us;
    if (from_us - now_us > (uint64_t)(CONNECTS_AT_ONCE_MAX - 1) * EACH_US)
        return false;
    *paid_us = from_us + EACH_US;
    return true;
}
