/* Where in a stretch a track goes from one offset to another. */
#include "worker/render/sync_align_parts.h"

#include <math.h>

enum { STEP_FRAMES = 4096 /* a step is narrowed down to this */, STEP_RANGE = 512, STEP_TURNS = 24 };

static const double step_score_min = 6.0;

/* How well the track matches at a place of the reference, were it so late there. */
static status score_if(align_run *self, uint64_t place, uint32_t frames, double late, double drift, uint32_t slack,
                       double *out_score)
{
    sync_window window;
    sync_match match;
    status code = sync_matcher_take(self->matcher, (int64_t)place + llround(late), frames, NULL, &window);
    if (code == STATUS_OK)
        code = sync_matcher_place(self->matcher, &window, late, STEP_RANGE, SYNC_WHOLE);
    if (code != STATUS_OK)
        return code;
    sync_matcher_compare(self->matcher, drift, &match);
    *out_score = sync_matcher_score_at(self->matcher, late, slack);
    return STATUS_OK;
}

/* Which side of a step a place of the reference lies on: -1 before, 1 behind, 0 cannot be told, as of what repeats at the step. */
static status side_of(align_run *self, uint64_t place, uint32_t window, double before, double behind, double drift,
                      int *out_side)
{
    uint32_t slack = fabs(behind - before) > 10.0 ? 4 : 1;
    double early = 0.0;
    double late = 0.0;
    status code = score_if(self, place, window, before, drift, slack, &early);
    if (code == STATUS_OK)
        code = score_if(self, place, window, behind, drift, slack, &late);
    if (code != STATUS_OK)
        return code;
    bool told = fmax(early, late) >= step_score_min && fmin(early, late) <= align_rival_max * fmax(early, late);
    *out_side = !told ? 0 : early > late ? -1 : 1;
    sync_match match = {.late = early > late ? before : behind, .score = fmax(early, late)};
    if (*out_side != 0)
        align_add_point(self, (int64_t)place + llround(match.late), &match);
    return STATUS_OK;
}

status align_narrow_step(align_run *self, const sync_model *model, uint32_t segment)
{
    const sync_segment *a = &model->segments[segment];
    const sync_segment *b = &model->segments[segment + 1];
    uint64_t low = a->last;
    uint64_t high = b->first;
    for (uint32_t turn = 0; turn < STEP_TURNS && high - low > STEP_FRAMES; turn++) {
        uint64_t gap = high - low;
        uint32_t window = ALIGN_WINDOW;
        while (window > STEP_FRAMES && window > gap / 2)
            window /= 2;
        int side = 0;
        /* Where nothing sounds in the middle, a little to the side of it. */
        static const uint32_t eighths[] = {4, 3, 5, 2, 6};
        for (size_t k = 0; k < sizeof eighths / sizeof eighths[0] && side == 0; k++) {
            if (!align_affordable(self, 2 * window))
                return STATUS_OK;
            uint64_t place = low + gap * eighths[k] / 8;
            double drifted = model->drift * (double)place;
            status code = side_of(self, place, window, a->offset + drifted, b->offset + drifted, model->drift, &side);
            if (code != STATUS_OK)
                return code;
            low = side < 0 ? place : low;
            high = side > 0 ? place : high;
        }
        if (side == 0)
            return STATUS_OK;
    }
    return STATUS_OK;
}
