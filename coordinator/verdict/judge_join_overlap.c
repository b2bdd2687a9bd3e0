/* Reels that overlap: the end of one is heard again at the head of the next. */
#include "coordinator/verdict/verdict_parts.h"

#include <math.h>

/* Found overlaps of two stems are one if they are this near to each other: both are to the sample. */
static const double same_frames = 2.0;

enum { SHORTEST_WINDOW = 4096 /* of those that are compared (worker/render/sync_overlap.h) */ };

/* What the stems of a join (or the received programme itself) say about it. */
typedef struct join_overlap {
    double frames;          /* 0: none was found */
    bool other_than_music;  /* heard in something that is no music stem */
    bool contradicted;      /* a stem that sounds there goes on without it */
    bool unknown;           /* a track could not be read */
    uint32_t heard_in;
    const char *names;
} join_overlap;

static const char *track_name(const judgement *self, const plan_listen *listen)
{
    return listen->stem >= 0 ? self->show->stems[listen->stem].name : self->show->deliverables[listen->deliverable].name;
}

static bool concerns(const judgement *self, const plan_listen *listen, uint16_t reel)
{
    return listen->join && listen->reel == reel && plan_listen_concerns(self->facts->plan, listen, self->facts->deliverable);
}

/* Whether a window that the overlap holds sounds and is not in the reel before. The shortest may fail in dull sound. */
static bool denies(const sync_measure *heard, double frames)
{
    bool tone = heard->point_count > 0 && heard->points[0].score <= 0.0f;
    for (uint32_t i = 0; !tone && i < heard->lost_count; i++)
        if (heard->lost[i] > SHORTEST_WINDOW && (double)heard->lost[i] <= frames)
            return true;
    return false;
}

/* The longest overlap that a track shows, and in which tracks it is. */
static join_overlap find_overlap(const judgement *self, uint16_t reel)
{
    const plan *made = self->facts->plan;
    join_overlap found = {.names = ""};
    for (uint32_t i = 0; i < made->listen_count; i++) {
        const sync_measure *heard = self->facts->heard[i];
        if (!concerns(self, &made->listens[i], reel))
            continue;
        found.unknown = found.unknown || heard == NULL;
        if (heard != NULL && heard->point_count > 0 && heard->points[0].score > 0.0f)
            found.frames = fmax(found.frames, heard->points[0].late);
    }
    for (uint32_t i = 0; found.frames > 0.0 && i < made->listen_count; i++) {
        const plan_listen *listen = &made->listens[i];
        const sync_measure *heard = self->facts->heard[i];
        if (!concerns(self, listen, reel) || heard == NULL)
            continue;
        if (heard->point_count > 0 && fabs(heard->points[0].late - found.frames) <= same_frames) {
            bool music = listen->stem >= 0 && self->show->stems[listen->stem].role == ROLE_MUSIC;
            found.names = arena_format(self->memory, "%s%s%s", found.names, found.heard_in++ == 0 ? "" : ", ",
                                       track_name(self, listen));
            found.other_than_music = found.other_than_music || !music;
        } else {
            found.contradicted = found.contradicted || denies(heard, found.frames);
        }
    }
    return found;
}

void judge_join_overlap(judgement *self, const plan_piece *before, const plan_piece *after)
{
    const spec_limit *limit = judgement_limit(self, "join.overlap");
    uint64_t join = after->programme_frame;
    const char *reels[] = {self->show->reels[before->reel].name, self->show->reels[after->reel].name};
    if (self->facts->heard == NULL)
        return;
    join_overlap found = find_overlap(self, after->reel);
    if (found.unknown) {
        finding *item = judgement_add(self, "join.overlap", FINDING_NOT_CHECKED);
        item->message = arena_format(self->memory, "Whether the end of %s is heard again at the head of %s was not looked for everywhere: a task that reads the join failed.",
                                     reels[0], reels[1]);
        return;
    }
    if (found.frames == 0.0)
        return;
    bool certain = found.other_than_music && !found.contradicted;
    bool over = limit == NULL || isnan(limit->max) || found.frames > limit->max;
    finding *item = judgement_add(self, "join.overlap", !certain || !over ? FINDING_INFO
                                                        : limit != NULL  ? judgement_breach(limit)
                                                                         : FINDING_WARN);
    if (limit != NULL)
        judgement_limits(item, limit);
    judgement_locate(self, item, join, join + (uint64_t)found.frames);
    item->measured = found.frames;
    item->unit = "samples";
    const frame_rate *pictures = &self->show->rate;
    double picture = pictures->num == 0 ? 0.0 : (double)self->timeline->sample_rate * pictures->den / pictures->num;
    const char *amount = arena_format(self->memory, "%.1f ms", found.frames * 1000.0 / self->timeline->sample_rate);
    if (picture > 0.0)
        amount = arena_format(self->memory, "%s (%.2f frames)", amount, found.frames / picture);
    char place[PLACE_TEXT_SIZE];
    judgement_place(self, join, place);
    item->details_json = arena_format(self->memory, "{\"overlap_samples\": %.0f, \"overlap_frames\": %.4f, \"heard_in\": \"%s\"}", found.frames,
                                      picture > 0.0 ? found.frames / picture : 0.0, found.names);
    item->message = certain
                        ? arena_format(self->memory, "The last %s of %s are heard again at the head of %s at %s, in %s. Begin %s so much later, or end %s so much earlier.",
                                       amount, reels[0], reels[1], place, found.names, reels[1], reels[0])
                        : arena_format(self->memory, "In %s the last %s of %s are heard again at the head of %s at %s, while the rest goes on. A loop does that by intent; if it is none, look at the edit of the join there.",
                                       found.names, amount, reels[0], reels[1], place);
}
