#include "common/media/duck_curve.h"

#include "common/base/ensure.h"

bool duck_shape_valid(const duck_shape *self)
{
    return self->threshold > 0.0 && self->threshold <= 1.0 && self->floor >= 0.0 && self->floor <= 1.0 &&
           self->look_ahead <= DUCK_SLOTS_MAX && self->hold <= DUCK_SLOTS_MAX && self->release <= DUCK_SLOTS_MAX &&
           self->attack >= 1 && self->attack <= self->look_ahead && self->release >= 1;
}

uint32_t duck_shape_before(const duck_shape *self)
{
    return 1u + self->hold + self->release;
}

uint32_t duck_shape_after(const duck_shape *self)
{
    return self->look_ahead;
}

/* What the last active slot before the edge still asks for; distance 1: it ends here. */
static double share_after(const duck_shape *self, uint32_t distance)
{
    if (distance <= 1u + self->hold)
        return 1.0;
    uint32_t released = distance - 1 - self->hold;
    return released >= self->release ? 0.0 : (double)(self->release - released) / (double)self->release;
}

/* What the next active slot already asks for; distance 0: it begins here. */
static double share_before(const duck_shape *self, uint32_t distance)
{
    if (distance >= self->look_ahead)
        return 0.0;
    uint32_t attacked = self->look_ahead - distance;
    return attacked >= self->attack ? 1.0 : (double)attacked / (double)self->attack;
}

void duck_curve_gains(const duck_shape *self, const bool *active, uint32_t active_count, uint32_t gain_count, double *gains)
{
    uint32_t before = duck_shape_before(self);
    uint32_t after = duck_shape_after(self);
    ENSURE(active_count == before + gain_count + after);
    uint32_t distance = before + 1; /* from the last active slot's beginning to the edge */
    for (uint32_t i = 0; i < before + gain_count; i++) {
        if (i >= before)
            gains[i - before] = share_after(self, distance);
        distance = active[i] ? 1 : distance + 1;
    }
    distance = after; /* from the edge to the next active slot's beginning */
    for (uint32_t i = active_count; i > before; i--) {
        distance = active[i - 1] ? 0 : distance + 1;
        if (i - 1 < before + gain_count) {
            double share = share_before(self, distance);
            double *gain = &gains[i - 1 - before];
            *gain = 1.0 - (1.0 - self->floor) * (share > *gain ? share : *gain);
        }
    }
}
