/* Offset, drift and steps against the reference, with what most likely made them. */
#include "coordinator/verdict/verdict_parts.h"

#include "common/measure/sync_model.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A single place without a match is an unlucky one; two in a row are a stretch of the track. */
enum { LOST_PLACES_MIN = 2 };

/* One judgement of one track. */
typedef struct alignment {
    judgement *judged;
    const plan_listen *listen;
    const sync_measure *heard;
    sync_model model;
    double picture;        /* frames of a picture frame; 0 = not known */
    uint64_t first;        /* frame that findings count from, where the stretch begins */
    const char *owner;
    double confidence;     /* share of the places with sound that the model explains */
} alignment;

static const char *track_name(const judgement *self, const plan_listen *listen)
{
    return listen->stem >= 0 ? self->show->stems[listen->stem].name : self->show->deliverables[listen->deliverable].name;
}

static const char *in_reel(const judgement *self, const plan_listen *listen, const char *name)
{
    const char *reel = self->show->reels[listen->reel].name;
    return listen->whole || reel[0] == '\0' ? name : arena_format(self->memory, "%s in reel %s", name, reel);
}

static const char *reference_name(const alignment *self)
{
    return self->judged->facts->plan->inputs.items[self->listen->first_reference].display;
}

/* "480 samples (0.24 frames)" */
static const char *amount(const alignment *self, double frames)
{
    if (self->picture == 0.0)
        return arena_format(self->judged->memory, "%.0f sample%s (%.1f ms)", fabs(frames), fabs(frames) == 1.0 ? "" : "s",
                            1000.0 * fabs(frames) / (double)self->judged->timeline->sample_rate);
    return arena_format(self->judged->memory, "%.0f sample%s (%.2f frames)", fabs(frames), fabs(frames) == 1.0 ? "" : "s",
                        fabs(frames) / self->picture);
}

finding_severity judgement_late_severity(const judgement *self, double frames)
{
    const bool known = self->show->rate.num > 0;
    const double rate = (double)self->timeline->sample_rate;
    const double bound = known ? rate * self->show->rate.den / self->show->rate.num : 0.04 * rate;
    return fabs(frames) >= bound - 1.0 ? FINDING_FAIL : FINDING_WARN;
}

/* A limit of the spec, else what others reject. */
static finding *add_measured(const alignment *self, const char *check, double measured, const char *unit, double frames)
{
    const spec_limit *limit = judgement_limit(self->judged, check);
    finding_severity severity = judgement_late_severity(self->judged, frames);
    if (limit != NULL)
        severity = measured < limit->min || measured > limit->max ? judgement_breach(limit) : FINDING_INFO;
    finding *item = judgement_add(self->judged, check, severity);
    item->min = item->max = 0.0;
    item->unit = unit;
    if (limit != NULL)
        judgement_limits(item, limit);
    item->measured = measured;
    return item;
}

static void locate_stretch(const alignment *self, finding *item, uint64_t first, uint64_t end)
{
    item->has_range = true;
    item->start_sample = self->first + first;
    item->end_sample = self->first + end;
    item->reel = self->listen->whole ? -1 : (int32_t)self->listen->reel;
    item->subject = self->listen->stem >= 0 && self->judged->deliverable != NULL
                        ? self->judged->show->stems[self->listen->stem].name
                        : NULL;
}

/* ---- causes ---- */

static bool near(double a, double b, double slack)
{
    return fabs(a - b) <= slack;
}

static const char *offset_cause(const alignment *self, double late)
{
    const show *film = self->judged->show;
    const show_reel *reel = &film->reels[self->listen->reel];
    double rate = (double)self->judged->timeline->sample_rate;
    double pictures = self->picture > 0.0 ? fabs(late) / self->picture : 0.0;
    double leader = self->picture > 0.0 && reel->has_start && reel->has_ffoa
                        ? (double)(reel->ffoa_frame - reel->start_frame) * self->picture
                        : 8.0 * rate;
    double pop = (film->has_pops ? film->head_pop_seconds : 2.0) * rate;
    if (leader > pop && near(fabs(late), leader, 2.0))
        return late > 0.0 ? "That is the leader: the reel begins with it where it should begin with the first frame of action."
                          : "That is the leader: it is missing, or counted twice.";
    if (near(fabs(late), pop, 2.0))
        return "That is the distance of the 2-pop: one of them is aligned to its pop where the other is to the first frame of action.";
    if (leader > pop && near(fabs(late), leader - pop, 2.0))
        return "That is the leader up to the 2-pop: one of them begins at its pop.";
    if (pictures >= 0.99 && near(pictures, round(pictures), 1.0 / self->picture))
        return arena_format(self->judged->memory, "That is exactly %.0f picture frame%s: an edit point or a timecode start is off by as much.",
                            round(pictures), pictures < 1.5 ? "" : "s");
    static const double others[] = {24.0, 25.0, 30.0, 24000.0 / 1001.0, 30000.0 / 1001.0};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (near(fabs(late), rate / others[i], 1.0))
            return arena_format(self->judged->memory, "That is one picture frame at %.5g fps, which is not the show's rate.", others[i]);
    return "It is no whole number of picture frames: look for a latency (a plug-in, a converter, a codec's delay) or a hand-made slip.";
}

static const char *drift_cause(double ppm)
{
    static const struct {
        double stretch;
        const char *cause;
    } causes[] = {
        {1001.0 / 1000.0, "That is 24 fps material slowed to 23.976 (pull-down); convert it back by 1001/1000, or correct the show's frame rate."},
        {1000.0 / 1001.0, "That is 23.976 fps material run at 24 (pull-up); convert it by 1001/1000, or correct the show's frame rate."},
        {25.0 / 24.0, "That is 25 fps material slowed to 24."},
        {24.0 / 25.0, "That is 24 fps material sped up to 25."},
        {25025.0 / 24000.0, "That is 25 fps material slowed to 23.976."},
        {24000.0 / 25025.0, "That is 23.976 fps material sped up to 25."},
    };
    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++) {
        double known = (causes[i].stretch - 1.0) * 1e6;
        if (fabs(ppm - known) <= 2.0 + fabs(known) * 1e-3)
            return causes[i].cause;
    }
    return fabs(ppm) < 200.0 ? "That is two clocks: one of them was recorded or played without a common word clock."
                             : "Look for a wrong sample rate or speed in one of the conversions.";
}

/* ---- findings ---- */

/* The same offset of another stem of this reel, told just before: one slip moved both. */
static finding *same_offset(const alignment *self, const char *subject, double late, uint64_t end)
{
    finding_list *list = &self->judged->verdict->findings;
    for (size_t i = 0; subject != NULL && i < list->count; i++) {
        finding *item = &list->items[i];
        if (strcmp(item->check, "sync.offset") == 0 && item->has_range && item->subject != NULL && item->measured == late &&
            item->reel == (int32_t)self->listen->reel && item->end_sample == self->first + end)
            return item;
    }
    return NULL;
}

static void say_offset(const alignment *self, finding *item, double late, bool several)
{
    const sync_model *model = &self->model;
    const char *owner = several ? in_reel(self->judged, self->listen, item->subject) : self->owner;
    item->message = arena_format(self->judged->memory, "%s %s %s %s against %s%s. %s Move %s %.0f sample%s %s.", owner, several ? "are" : "is",
                                 amount(self, late), late > 0.0 ? "late" : "early", reference_name(self),
                                 model->segment_count > 1 ? ", up to the first step" : model->drift != 0.0 ? " at its beginning" : "",
                                 offset_cause(self, late), several ? "them" : "it", fabs(late), fabs(late) == 1.0 ? "" : "s",
                                 late > 0.0 ? "earlier" : "later");
}

static void tell_offset(const alignment *self)
{
    const sync_model *model = &self->model;
    double late = model->drift == 0.0 ? round(model->segments[0].offset) : model->segments[0].offset;
    if (model->drift == 0.0 ? late == 0.0 : fabs(late) < 2.0)
        return;
    uint64_t end = model->segment_count == 1 ? self->listen->frame_count
                                             : (model->segments[0].last + model->segments[1].first) / 2;
    bool of_programme = self->judged->deliverable != NULL && self->listen->stem >= 0;
    const char *subject = of_programme ? track_name(self->judged, self->listen) : NULL;
    finding *item = same_offset(self, subject, late, end);
    if (item != NULL) {
        item->subject = arena_format(self->judged->memory, "%s, %s", item->subject, subject);
        say_offset(self, item, late, true);
        return;
    }
    item = add_measured(self, "sync.offset", late, "samples", late);
    locate_stretch(self, item, 0, end);
    item->details_json = arena_format(self->judged->memory,
                                      "{\"offset_samples\": %.2f, \"offset_frames\": %.4f, \"confidence\": %.2f, \"places\": %u}", late,
                                      self->picture > 0.0 ? late / self->picture : 0.0, self->confidence, model->used);
    say_offset(self, item, late, false);
}

static void tell_drift(const alignment *self)
{
    double ppm = self->model.drift * 1e6;
    double whole = self->model.drift * (double)self->listen->frame_count;
    if (ppm == 0.0)
        return;
    finding *item = add_measured(self, "sync.drift", round(ppm * 100.0) / 100.0, "ppm", whole);
    locate_stretch(self, item, 0, self->listen->frame_count);
    item->details_json = arena_format(self->judged->memory, "{\"drift_ppm\": %.2f, \"drift_samples\": %.1f, \"confidence\": %.2f, \"places\": %u}",
                                      ppm, whole, self->confidence, self->model.used);
    item->message = arena_format(self->judged->memory, "%s runs %s than %s by %.2f ppm: %s from its beginning to its end. %s", self->owner,
                                 ppm > 0.0 ? "slower" : "faster", reference_name(self), fabs(ppm), amount(self, whole),
                                 drift_cause(ppm));
}

static void tell_step(const alignment *self, uint32_t segment)
{
    const sync_segment *before = &self->model.segments[segment];
    const sync_segment *behind = &self->model.segments[segment + 1];
    double step = behind->offset - before->offset;
    step = self->model.drift == 0.0 ? round(step) : step;
    uint64_t place = (before->last + behind->first) / 2;
    uint64_t slack = (behind->first - before->last) / 2;
    char text[PLACE_TEXT_SIZE];
    judgement_place(self->judged, self->first + place, text);
    finding *item = add_measured(self, "sync.step", step, "samples", step);
    locate_stretch(self, item, before->last, behind->first);
    item->details_json = arena_format(self->judged->memory,
                                      "{\"step_samples\": %.1f, \"step_frames\": %.4f, \"uncertainty_samples\": %" PRIu64 ", \"confidence\": %.2f}",
                                      step, self->picture > 0.0 ? step / self->picture : 0.0, slack, self->confidence);
    item->message = arena_format(self->judged->memory, "At %s (within %.2f s) %s goes %s by %s against %s: %s there. Compare the edits.", text,
                                 (double)slack / (double)self->judged->timeline->sample_rate, self->owner,
                                 step > 0.0 ? "late" : "early", amount(self, step), reference_name(self),
                                 step > 0.0 ? "something was inserted, or is missing from the reference,"
                                            : "something was cut out, or was added to the reference,");
}

/* Not enough that both hold: said, and never a pass where the sound should be in the reference. */
static void tell_unknown(const alignment *self, const char *reason)
{
    const judgement *judged = self->judged;
    bool speaks = self->listen->stem < 0 || judged->show->stems[self->listen->stem].role == ROLE_DIALOGUE;
    bool silent = self->heard != NULL && self->heard->tried > 0 && self->heard->silent == self->heard->tried;
    finding *item = judgement_add(self->judged, "sync.offset", speaks && !silent ? FINDING_NOT_CHECKED : FINDING_INFO);
    item->reel = self->listen->whole ? -1 : (int32_t)self->listen->reel;
    item->subject = self->listen->stem >= 0 ? judged->show->stems[self->listen->stem].name : NULL;
    item->message = arena_format(judged->memory, "Whether %s is in sync is not known: %s.", self->owner, reason);
}

static const char *unknown_reason(const alignment *self)
{
    const sync_measure *heard = self->heard;
    arena *memory = self->judged->memory;
    if (self->listen->unaligned != NULL)
        return self->listen->unaligned;
    if (heard == NULL)
        return "the task that reads it failed";
    if (heard->tried == 0)
        return "it is too short to be compared";
    if (heard->silent == heard->tried)
        return arena_format(memory, "it is silent at all %u places that were listened to", heard->tried);
    if (heard->point_count >= SYNC_POINTS_MIN)
        return arena_format(memory, "%u of %u places match %s, but no offset with drift and steps explains half of them",
                            heard->point_count, heard->tried, reference_name(self));
    return arena_format(memory, "it has too little in common with %s (%u of %u places match, and %d must agree)",
                        reference_name(self), heard->point_count, heard->tried, SYNC_POINTS_MIN);
}

/* Whether the track has anything at all where a place of the reference would be. */
static bool has_counterpart(const alignment *self, uint64_t place)
{
    const sync_segment *segment = &self->model.segments[0];
    for (uint32_t i = 1; i < self->model.segment_count && self->model.segments[i].first <= place; i++)
        segment = &self->model.segments[i];
    double late = segment->offset + self->model.drift * (double)place;
    double there = (double)place + late;
    return there >= 0.0 && there < (double)self->listen->frame_count;
}

/* A stretch between places that are in the model, with sound of which nothing is known: not told by the model, and no pass. */
static void tell_lost(const alignment *self, uint64_t first, uint64_t end, uint32_t places)
{
    const judgement *judged = self->judged;
    bool speaks = self->listen->stem < 0 || judged->show->stems[self->listen->stem].role == ROLE_DIALOGUE;
    finding *item = judgement_add(self->judged, "sync.step", speaks ? FINDING_NOT_CHECKED : FINDING_INFO);
    locate_stretch(self, item, first, end);
    item->message = arena_format(judged->memory, "Whether %s stays in sync %s is not known: at %u places there that sound, nothing of it was found in %s. Look at the edit there, or compare it with a reference that holds this sound.",
                                 self->owner, judgement_stretch(judged, self->first + first, self->first + end), places,
                                 reference_name(self));
}

static void judge_lost(const alignment *self)
{
    const sync_measure *heard = self->heard;
    uint32_t k = 0;
    uint64_t before = 0;
    for (uint32_t i = 0; i < heard->lost_count;) {
        uint64_t behind = self->listen->frame_count;
        for (; k < heard->point_count && heard->points[k].place < heard->lost[i]; k++)
            before = sync_model_explains(&self->model, &heard->points[k]) ? heard->points[k].place : before;
        for (uint32_t m = heard->point_count; m-- > k;)
            behind = sync_model_explains(&self->model, &heard->points[m]) ? heard->points[m].place : behind;
        uint32_t places = 0;
        for (; i < heard->lost_count && heard->lost[i] < behind; i++)
            places += has_counterpart(self, heard->lost[i]);
        if (places >= LOST_PLACES_MIN)
            tell_lost(self, before, behind, places);
    }
}

void judge_alignment(judgement *judged, const plan_listen *listen, const sync_measure *heard)
{
    const frame_rate *rate = &judged->show->rate;
    if (listen->reference_count == 0 && listen->unaligned == NULL)
        return;
    alignment self = {.judged = judged, .listen = listen, .heard = heard,
                      .owner = in_reel(judged, listen, track_name(judged, listen))};
    if (rate->num != 0)
        self.picture = (double)judged->timeline->sample_rate * rate->den / rate->num;
    /* A stem is judged on its own files, or as a part of a joined programme. */
    if (listen->stem < 0)
        self.first = listen->programme_frame;
    else if (judged->deliverable == NULL)
        self.first = listen->first_frame;
    else if (listen->reel < judged->timeline->piece_count)
        self.first = judged->timeline->pieces[listen->reel].programme_frame;
    if (heard != NULL)
        sync_model_fit(&self.model, heard->points, heard->point_count);
    if (!self.model.known) {
        if (listen->stem < 0 || judged->deliverable == NULL) /* of a stem it is said once, with the stem */
            tell_unknown(&self, unknown_reason(&self));
        return;
    }
    self.confidence = (double)self.model.used / (double)heard->point_count;
    tell_offset(&self);
    tell_drift(&self);
    for (uint32_t i = 0; i + 1 < self.model.segment_count; i++)
        tell_step(&self, i);
    if (listen->stem < 0 || judged->deliverable == NULL)
        judge_lost(&self);
}

/* ---- length against the picture ---- */

static const char *length_cause(const judgement *self, double frames, double wanted)
{
    double picture = (double)self->timeline->sample_rate * self->show->rate.den / self->show->rate.num;
    double excess = frames - wanted;
    const struct {
        double ratio;
        const char *cause;
    } speeds[] = {{1001.0 / 1000.0, "That is 24 fps material slowed to 23.976 (pull-down)."},
                  {1000.0 / 1001.0, "That is 23.976 fps material run at 24 (pull-up)."},
                  {25.0 / 24.0, "That is 25 fps material slowed to 24."},
                  {24.0 / 25.0, "That is 24 fps material sped up to 25."},
                  {44100.0 / 48000.0, "That is 44.1 kHz sound labelled 48 kHz: it plays too fast and too high. Make it again from its source."},
                  {48000.0 / 44100.0, "That is 48 kHz sound labelled 44.1 kHz: it plays too slow and too low. Make it again from its source."}};
    for (size_t i = 0; i < sizeof speeds / sizeof speeds[0]; i++)
        if (near(excess, wanted * (speeds[i].ratio - 1.0), fmin(picture, 0.1 * wanted * fabs(speeds[i].ratio - 1.0))))
            return speeds[i].cause;
    if (near(excess, 8.0 * self->timeline->sample_rate, picture))
        return "That is a leader of 8 seconds: deliver from the first frame of action.";
    if (fabs(excess) >= picture - 1.0 && near(excess / picture, round(excess / picture), 2.0 / picture))
        return "That is a whole number of picture frames: look at the first and last frame of action, which both count.";
    return "That is no whole number of picture frames: it was cut by time, or padded by a codec.";
}

static void tell_length(judgement *self, int32_t reel, uint64_t start, uint64_t frames, uint64_t wanted)
{
    const spec_limit *limit = judgement_limit(self, "sync.length");
    double picture = (double)self->timeline->sample_rate * self->show->rate.den / self->show->rate.num;
    double excess = (double)frames - (double)wanted;
    if (limit == NULL ? fabs(excess) <= 1.0 : !(excess < limit->min) && !(excess > limit->max))
        return;
    /* A spec that says how long a programme may be says it under format.length: this is then the reason, not the verdict. */
    bool fails = fabs(excess) >= picture - 1.0 && judgement_limit(self, "format.length") == NULL;
    finding *item = judgement_add(self, "sync.length",
                                  limit != NULL ? judgement_breach(limit) : fails ? FINDING_FAIL : FINDING_INFO);
    item->min = item->max = 0.0;
    item->unit = "samples";
    if (limit != NULL)
        judgement_limits(item, limit);
    judgement_locate(self, item, start, start + frames);
    item->reel = reel;
    item->measured = excess;
    item->details_json = arena_format(self->memory, "{\"excess_samples\": %.0f, \"excess_frames\": %.4f}", excess, excess / picture);
    item->message = arena_format(self->memory, "%s%s is %.0f sample%s (%.2f frames) %s than the picture from FFOA to LFOA. %s",
                                 reel < 0 ? "The programme" : "Reel ", reel < 0 ? "" : self->show->reels[reel].name, fabs(excess),
                                 fabs(excess) == 1.0 ? "" : "s", fabs(excess) / picture, excess > 0.0 ? "longer" : "shorter",
                                 length_cause(self, (double)frames, (double)wanted));
}

/* Received programmes; one sample is rounding. What is rendered has the picture's length by the way it is made. */
static void judge_lengths(judgement *self)
{
    const show *film = self->show;
    const plan_timeline *timeline = self->timeline;
    bool by_reel = self->deliverable->input_count > 0 &&
                   self->facts->plan->inputs.items[self->deliverable->first_input].reel >= 0;
    uint64_t pictures = 0;
    bool known = film->rate.num != 0;
    for (uint32_t i = 0; known && i < film->reel_count; i++) {
        uint64_t first = 0;
        known = plan_reel_edges(&film->reels[i], &first);
        uint64_t reel_pictures = known ? film->reels[i].lfoa_frame - first + 1 : 0;
        pictures += reel_pictures;
        if (known && by_reel && i < timeline->piece_count && timeline->pieces[i].file_frame == 0)
            tell_length(self, (int32_t)i, timeline->pieces[i].programme_frame, timeline->pieces[i].frame_count,
                        timecode_sample_of_frame(reel_pictures, &film->rate, timeline->sample_rate));
    }
    if (known && !by_reel)
        tell_length(self, -1, 0, timeline->frame_count, timecode_sample_of_frame(pictures, &film->rate, timeline->sample_rate));
    if (!known)
        judgement_cannot(self, "sync.length", "Its length against the picture", "the reels' first and last frames of action are not known");
}

void judge_sync(judgement *self)
{
    const plan *made = self->facts->plan;
    bool referred = false;
    if (!self->deliverable->rendered)
        judge_lengths(self);
    const uint32_t of = self->facts->deliverable;
    for (uint32_t i = plan_listen_next(made, of, 0); self->facts->heard != NULL && i < made->listen_count;
         i = plan_listen_next(made, of, i + 1)) {
        const plan_listen *listen = &made->listens[i];
        if (listen->join)
            continue;
        referred = referred || listen->reference_count > 0 || listen->unaligned != NULL;
        judge_alignment(self, listen, self->facts->heard[i]);
    }
    static const char *const checks[] = {"sync.offset", "sync.drift", "sync.step"};
    for (size_t i = 0; !referred && i < sizeof checks / sizeof checks[0]; i++)
        judgement_cannot(self, checks[i], "Whether it is in sync", "the show has no reference that it could be held against");
}
