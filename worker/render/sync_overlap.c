#include "worker/render/sync_overlap.h"

#include <math.h>

static const double score_min = 5.0;  /* chance peaks stay below */
static const double rival_max = 0.8;  /* tones and beats have rivals */
static const double same_min = 0.9;    /* correlation over the whole overlap: a fade or a little of something else is allowed */
static const double silent_rms = 0.001; /* -60 dBFS */

enum { NEAR_RANGE = 1024, LONGEST = 65536 };

static double rms(const double *x, uint32_t count)
{
    double sum = 0.0;
    for (uint32_t i = 0; i < count; i++)
        sum += x[i] * x[i];
    return sqrt(sum / (double)count);
}

/* Correlation of the differences of both: rumble and hum are alike anywhere. */
static double likeness(const double *a, const double *b, uint32_t count)
{
    double cross = 0.0;
    double left = 0.0;
    double right = 0.0;
    for (uint32_t i = 1; i < count; i++) {
        double x = a[i] - a[i - 1];
        double y = b[i] - b[i - 1];
        cross += x * y;
        left += x * x;
        right += y * y;
    }
    return left > 0.0 && right > 0.0 ? fabs(cross) / sqrt(left * right) : 0.0;
}

/* The last frames of the reel before, and as many of the head of the next: the same sound? */
static status confirm(sync_matcher *self, uint32_t frames, bool *out_same)
{
    sync_window all;
    status code = sync_matcher_take(self, frames / 2, frames, NULL, &all);
    if (code == STATUS_OK)
        code = sync_matcher_place(self, &all, frames, 0, SYNC_WHOLE);
    *out_same = code == STATUS_OK && likeness(self->sound + self->margin, self->guide, frames) >= same_min;
    return code;
}

status sync_overlap(sync_matcher *matcher, uint64_t reach, sync_measure *measure, arena *memory)
{
    measure->points = arena_take(memory, sizeof *measure->points);
    measure->lost = arena_take_array(memory, SYNC_PLACES_MAX, sizeof *measure->lost);
    if (reach < SYNC_OVERLAP_SHORTEST)
        return STATUS_OK;
    uint32_t longest = SYNC_OVERLAP_SHORTEST;
    while (4 * (uint64_t)longest <= reach && longest < LONGEST)
        longest *= 4;
    sync_window head;
    status code = sync_matcher_take(matcher, longest / 2, longest, NULL, &head);
    for (uint32_t frames = SYNC_OVERLAP_SHORTEST; code == STATUS_OK && frames <= longest; frames *= 4) {
        uint32_t range = (uint32_t)(reach - frames) / 2;
        sync_window window = sync_window_part(&head, frames / 2, frames);
        sync_match match;
        bool same = false;
        code = sync_matcher_place(matcher, &window, (double)frames + (double)range, range,
                                  frames == SYNC_OVERLAP_SHORTEST ? SYNC_NEAR : SYNC_WIDE); /* short ones need all bands */
        if (code != STATUS_OK)
            return code;
        measure->tried++;
        if (rms(matcher->sound + matcher->margin, matcher->window) < silent_rms ||
            rms(matcher->guide + 2 * matcher->range, matcher->window) < silent_rms) {
            measure->silent++;
            continue;
        }
        sync_matcher_compare(matcher, 0.0, &match);
        double rival = match.rival;
        if (match.score >= score_min) { /* to the sample */
            code = sync_matcher_place(matcher, &window, match.late, NEAR_RANGE, SYNC_NEAR);
            sync_matcher_compare(matcher, 0.0, &match);
        }
        double overlap = round(match.late);
        if (code == STATUS_OK && match.score >= score_min && overlap >= frames && overlap <= (double)reach)
            code = confirm(matcher, (uint32_t)overlap, &same);
        if (code != STATUS_OK)
            return code;
        /* A tone is the same at many places: it neither shows an overlap nor denies that of another track. */
        if (!same)
            measure->lost[measure->lost_count++] = frames;
        else if (measure->point_count == 0 || rival <= rival_max)
            measure->points[0] = (sync_point){.late = overlap, .score = rival <= rival_max ? (float)match.score : 0.0f};
        measure->point_count |= same;
    }
    measure->frames_read = matcher->frames_read;
    return code;
}
