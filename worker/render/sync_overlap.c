#include "worker/render/sync_overlap.h"

#include <math.h>

static const double score_min = 5.0;  /* chance peaks stay below */
static const double rival_max = 0.8;  /* tones and beats have rivals */
static const double same_min = 0.9;    /* correlation over the whole overlap: a fade or a little of something else is allowed */
static const double quiet_part = 0.5; /* of the level of all that is searched: what is quieter is lost among the louder */
static const double silent_rms = 0.001; /* -60 dBFS */

enum { NEAR_RANGE = 1024, MIDDLE = 16384, LONGEST = 65536 };

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

static status take_head(sync_matcher *self, uint32_t frames, sync_window *head)
{
    return sync_matcher_take(self, frames / 2, frames, NULL, head);
}

status sync_overlap(sync_matcher *matcher, uint64_t reach, sync_measure *measure, arena *memory)
{
    measure->points = arena_take(memory, sizeof *measure->points);
    measure->lost = arena_take_array(memory, SYNC_PLACES_MAX, sizeof *measure->lost);
    if (reach < SYNC_OVERLAP_SHORTEST)
        return STATUS_OK;
    /* An overlap that is longer than the second window is for that one, and for the short one where no longer one tells it. */
    static const uint32_t lengths[] = {SYNC_OVERLAP_SHORTEST, MIDDLE, LONGEST, SYNC_OVERLAP_SHORTEST};
    enum { TURNS = sizeof lengths / sizeof lengths[0], LAST = TURNS - 1, SHORT_REACH = MIDDLE + NEAR_RANGE };
    sync_window head;
    bool told = false;
    bool longer = true;
    status code = take_head(matcher, reach < MIDDLE ? SYNC_OVERLAP_SHORTEST : MIDDLE, &head);
    for (size_t turn = 0; code == STATUS_OK && turn < TURNS && !told; turn++) {
        uint32_t frames = lengths[turn];
        bool last_wanted = measure->point_count == 0 && reach > SHORT_REACH;
        if (frames > reach || (frames == LONGEST && !longer) || (turn == LAST && !last_wanted))
            continue;
        uint64_t most = turn == 0 && reach > SHORT_REACH ? SHORT_REACH : reach;
        uint32_t range = (uint32_t)(most - frames) / 2;
        sync_match match;
        bool same = false;
        if (frames > head.frames)
            code = take_head(matcher, frames, &head);
        if (code != STATUS_OK)
            return code;
        sync_window window = sync_window_part(&head, frames / 2, frames);
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
        bool quiet = rms(matcher->sound + matcher->margin, matcher->window) <
                     quiet_part * rms(matcher->guide, matcher->window + 2 * matcher->range);
        sync_matcher_compare(matcher, 0.0, &match);
        double rival = match.rival;
        bool chance = match.score < score_min;
        if (match.score >= score_min) { /* to the sample */
            code = sync_matcher_place(matcher, &window, match.late, NEAR_RANGE, SYNC_NEAR);
            sync_matcher_compare(matcher, 0.0, &match);
        }
        if (frames == MIDDLE) {
            told = !quiet && (chance || (rival <= rival_max && match.score >= score_min));
            longer = quiet || match.score >= score_min;
        }
        double overlap = round(match.late);
        if (code == STATUS_OK && match.score >= score_min && overlap >= frames && overlap <= (double)reach)
            code = confirm(matcher, (uint32_t)overlap, &same);
        if (code != STATUS_OK)
            return code;
        /* A tone is the same at many places: it neither shows an overlap nor denies that of another track. */
        if (!same && turn < LAST) /* the shortest is among them */
            measure->lost[measure->lost_count++] = frames;
        else if (same && (measure->point_count == 0 || rival <= rival_max))
            measure->points[0] = (sync_point){.late = overlap, .score = rival <= rival_max ? (float)match.score : 0.0f};
        measure->point_count |= same;
    }
    measure->frames_read = matcher->frames_read;
    return code;
}
