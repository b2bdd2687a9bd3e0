#include "common/media/limit_curve.h"

#include "common/base/ensure.h"

bool limit_shape_valid(const limit_shape *self)
{
    return self->ceiling > 0.0 && self->ceiling <= 1.0 && self->look_ahead >= 1 && self->look_ahead <= LIMIT_SLOTS_MAX &&
           self->release >= 1 && self->release <= LIMIT_SLOTS_MAX;
}

uint32_t limit_shape_before(const limit_shape *self)
{
    return 1u + LIMIT_FLAT_SLOTS + self->release;
}

uint32_t limit_shape_after(const limit_shape *self)
{
    return LIMIT_FLAT_SLOTS + self->look_ahead;
}

uint64_t limit_slot_frame(uint64_t slot, uint32_t sample_rate)
{
    return slot * sample_rate / 1000;
}

uint64_t limit_slot_of(uint64_t frame, uint32_t sample_rate)
{
    return ((frame + 1) * 1000 - 1) / sample_rate;
}

/* How much of a dip is left so many slots from where it is flat. */
static double share_at(uint32_t distance, uint32_t length)
{
    if (distance >= length)
        return 0.0;
    double t = (double)(length - distance) / (double)length;
    return t * t * (3.0 - 2.0 * t);
}

/* Deepens the dips of every edge that one slot reaches. */
static void ask(const limit_shape *self, double depth, uint32_t slot, uint32_t before, uint32_t gain_count, double *gains)
{
    int64_t first = (int64_t)slot - (int64_t)limit_shape_after(self); /* edges, counted as slots */
    int64_t last = (int64_t)slot + 1 + LIMIT_FLAT_SLOTS + self->release;
    for (int64_t edge = first; edge <= last; edge++) {
        int64_t place = edge - (int64_t)before;
        if (place < 0 || place >= (int64_t)gain_count)
            continue;
        int64_t ahead = (int64_t)slot - LIMIT_FLAT_SLOTS - edge;
        int64_t behind = edge - (int64_t)slot - 1 - LIMIT_FLAT_SLOTS;
        double share = ahead > 0    ? share_at((uint32_t)ahead, self->look_ahead)
                       : behind > 0 ? share_at((uint32_t)behind, self->release)
                                    : 1.0;
        double gain = 1.0 - depth * share;
        if (gain < gains[place])
            gains[place] = gain;
    }
}

void limit_curve_gains(const limit_shape *self, const double *peaks, uint32_t peak_count, uint32_t gain_count, double *gains)
{
    uint32_t before = limit_shape_before(self);
    double aim = self->ceiling * LIMIT_MARGIN;
    ENSURE(peak_count == before + gain_count + limit_shape_after(self));
    for (uint32_t i = 0; i < gain_count; i++)
        gains[i] = 1.0;
    for (uint32_t i = 0; i < peak_count; i++)
        if (peaks[i] > aim)
            ask(self, 1.0 - aim / peaks[i], i, before, gain_count, gains);
}
