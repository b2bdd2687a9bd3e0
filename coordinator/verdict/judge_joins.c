#include "coordinator/verdict/verdict_parts.h"

#include <math.h>

/* The short-term window of EBU Tech 3341, once on each side of the join, and the absolute gate of BS.1770-5. */
enum { JOIN_SECONDS = 3 };
static const double silence_lufs = -70.0;
/* Steps below this are what any two scenes may have; without a limit they are not worth a reader's time. */
static const double told_lu = 3.0;

/* Loudness of the 3 s that end (or begin) at a frame, on whole 10 ms slots; NAN in silence and where there is less. */
static double beside(const judgement *self, uint64_t first, uint64_t end)
{
    double lufs = programme_measure_loudness(self->facts->measure, first, end).max_short_term_lufs;
    return lufs > silence_lufs ? lufs : (double)NAN;
}

static void judge_join(judgement *self, const spec_limit *limit, const plan_piece *before, const plan_piece *after)
{
    uint64_t join = after->programme_frame;
    /* One slot more than the window, because edges of slots need not meet the join. */
    uint64_t window = (uint64_t)JOIN_SECONDS * self->timeline->sample_rate + self->timeline->sample_rate / 100;
    uint64_t first = before->frame_count > window ? join - window : before->programme_frame;
    uint64_t end = after->frame_count > window ? join + window : join + after->frame_count;
    double left = beside(self, first, join);
    double right = beside(self, join, end);
    double step = right - left;
    char place[PLACE_TEXT_SIZE];
    judgement_place(self, join, place);
    const char *reels[] = {self->show->reels[before->reel].name, self->show->reels[after->reel].name};
    if (isnan(step)) {
        if (limit == NULL)
            return;
        finding *item = judgement_add(self, "join.level", FINDING_NOT_CHECKED);
        judgement_limits(item, limit);
        item->message = arena_format(self->memory, "The join of %s and %s at %s has silence, or less than 3 s of a reel, on one side: there is no step to judge.",
                                     reels[0], reels[1], place);
        return;
    }
    double shown = fabs(verdict_displayed(step));
    if (limit == NULL && shown < told_lu)
        return;
    bool over = limit != NULL && shown > limit->max; /* a NAN limit compares false */
    finding *item = judgement_add(self, "join.level", over ? judgement_breach(limit) : FINDING_INFO);
    if (limit != NULL)
        judgement_limits(item, limit);
    item->has_range = true;
    item->start_sample = first;
    item->end_sample = end;
    item->reel = after->reel;
    item->measured = step;
    item->unit = "LU";
    item->message = arena_format(self->memory, "%s begins %.1f LU %s than %s ends at %s (3 s on each side). Listen across the join; if the scene does not ask for it, match the reels there.",
                                 reels[1], shown, step < 0.0 ? "softer" : "louder", reels[0], place);
}

void judge_joins(judgement *self)
{
    const spec_limit *limit = judgement_limit(self, "join.level");
    for (uint32_t i = 1; i < self->timeline->piece_count; i++) {
        const plan_piece *before = &self->timeline->pieces[i - 1];
        const plan_piece *after = &self->timeline->pieces[i];
        if (before->spans_reels || after->spans_reels || before->reel == after->reel)
            continue;
        judge_join(self, limit, before, after);
    }
}
