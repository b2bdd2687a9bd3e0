#include "common/media/join_fade.h"

#include <math.h>

void join_fade_gains(join_law law, uint64_t frame, uint64_t length, double *out_outgoing, double *out_incoming)
{
    double t = ((double)frame + 0.5) / (double)length;
    if (law == JOIN_EQUAL_GAIN) {
        *out_outgoing = 1.0 - t;
        *out_incoming = t;
        return;
    }
    double share = t * t * (3.0 - 2.0 * t);
    *out_outgoing = sqrt(1.0 - share);
    *out_incoming = sqrt(share);
}
