/* 2-pops: where the show says they belong, and nowhere else. */
#include "coordinator/verdict/verdict_parts.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH_SLACK = 2 /* samples: a fade or a cut beside a zero crossing */ };

static double level_dbfs(const sync_pop *pop)
{
    return 10.0 * log10((double)pop->power);
}

typedef struct pop_place {
    const char *name;      /* "head", "tail" */
    bool expected;
    uint64_t frame;        /* where it belongs */
    const sync_pop *found; /* nearest in its half of the file, or NULL */
    int64_t offset;
} pop_place;

/* One picture frame is not always the same number of samples. */
static int64_t rounding(const judgement *self)
{
    const frame_rate *rate = &self->show->rate;
    return (uint64_t)self->timeline->sample_rate * rate->den % rate->num == 0 ? 0 : 1;
}

static pop_place find_pop(const plan_listen *listen, const sync_measure *heard, bool head)
{
    pop_place place = {.name = head ? "head" : "tail",
                       .expected = head ? listen->has_head : listen->has_tail,
                       .frame = head ? listen->head_frame : listen->tail_frame};
    uint64_t middle = listen->first_frame + listen->frame_count / 2;
    for (uint32_t i = 0; i < heard->pop_count; i++) {
        const sync_pop *pop = &heard->pops[i];
        int64_t offset = (int64_t)pop->frame - (int64_t)place.frame;
        if ((pop->frame < middle) != head || (place.found != NULL && llabs(offset) >= llabs(place.offset)))
            continue;
        place.found = pop;
        place.offset = offset;
    }
    return place;
}

/* Which channels hold a pop at this place; those that hold it elsewhere are none of them. */
static void name_channels(const judgement *self, const plan_listen *listen, const sync_measure *heard, uint64_t frame,
                          finding *item)
{
    const plan_input *first = &self->facts->plan->inputs.items[listen->first_input];
    channel_layout_id layout;
    const channel_order *order;
    if (listen->stem >= 0) {
        layout = self->show->stems[listen->stem].layout;
        order = &self->show->stems[listen->stem].order;
    } else {
        layout = self->deliverable->layout;
        order = &self->deliverable->order;
    }
    for (uint32_t i = 0; i < heard->pop_count && item->channel_count < LAYOUT_CHANNELS_MAX; i++) {
        uint32_t channel = heard->pops[i].channel;
        if (heard->pops[i].frame != frame)
            continue;
        if (first->channel != CHANNEL_NONE && channel < channel_layout_get(layout)->channel_count)
            item->channels[item->channel_count++] = channel_label_name(channel_layout_get(layout)->labels[channel]);
        else if (first->channel == CHANNEL_NONE && channel < order->channel_count)
            item->channels[item->channel_count++] = channel_label_name(order->labels[channel]);
    }
}

/* "DX in reel R1" */
static const char *owner_text(const judgement *self, const plan_listen *listen)
{
    const char *name = listen->stem >= 0 ? self->show->stems[listen->stem].name
                                         : self->show->deliverables[listen->deliverable].name;
    const char *reel = self->show->reels[listen->reel].name;
    return reel[0] == '\0' ? name : arena_format(self->memory, "%s in reel %s", name, reel);
}

/* Timecode of a frame of the files of a reel. */
static const char *file_place(const judgement *self, const plan_listen *listen, uint64_t frame)
{
    const show_reel *reel = &self->show->reels[listen->reel];
    const frame_rate *rate = &self->show->rate;
    uint64_t edge = 0;
    (void)plan_reel_edges(reel, &edge);
    uint64_t clock = timecode_sample_of_frame(edge, rate, self->timeline->sample_rate) + frame;
    char text[TIMECODE_TEXT_SIZE];
    if (clock < listen->first_frame)
        return "before midnight";
    timecode_format(timecode_frame_of_sample(clock - listen->first_frame, rate, self->timeline->sample_rate), rate, text);
    return arena_copy_text(self->memory, text);
}

/* How many other stems of the reel have the pop: none, some or all of them. */
static const char *company(const judgement *self, const plan_listen *listen, bool head)
{
    const plan *made = self->facts->plan;
    uint32_t others = 0;
    uint32_t having = 0;
    const char *one = "";
    for (uint32_t i = 0; listen->stem >= 0 && i < made->listen_count; i++) {
        const plan_listen *other = &made->listens[i];
        const sync_measure *heard = self->facts->heard[i];
        if (other == listen || other->join || other->stem < 0 || other->reel != listen->reel || heard == NULL)
            continue;
        others++;
        if (find_pop(other, heard, head).found != NULL) {
            having++;
            one = self->show->stems[other->stem].name;
        }
    }
    if (others == 0)
        return "";
    if (having == 0)
        return " No other stem of this reel has one either.";
    if (having == 1 && others > 1)
        return arena_format(self->memory, " Only %s has one.", one);
    return arena_format(self->memory, " %s other stem%s of this reel %s one.",
                        having == others ? "Every" : "Some", having == others ? "" : "s", having == others ? "has" : "have");
}

/* A pop that is not where it belongs, by so many samples; not a number: it is not there. */
static finding *add_pop(judgement *self, finding_severity severity, double offset)
{
    const spec_limit *limit = judgement_limit(self, "sync.pop");
    if (limit != NULL)
        severity = isnan(offset) || offset < limit->min || offset > limit->max ? judgement_breach(limit) : FINDING_INFO;
    finding *item = judgement_add(self, "sync.pop", severity);
    if (!isnan(offset)) {
        item->measured = offset;
        item->min = item->max = 0.0;
        item->unit = "samples";
    }
    if (limit != NULL)
        judgement_limits(item, limit);
    return item;
}

static void tell_missing(judgement *self, const plan_listen *listen, const pop_place *place)
{
    finding *item = add_pop(self, FINDING_WARN, (double)NAN);
    item->subject = place->name;
    item->reel = listen->reel;
    item->message = arena_format(self->memory, "%s has no %s pop; it belongs at %s.%s Ask for the file with its leader, or say `pops: none`.",
                                 owner_text(self, listen), place->name, file_place(self, listen, place->frame),
                                 company(self, listen, place->name[0] == 'h'));
}

static void tell_misplaced(judgement *self, const plan_listen *listen, const sync_measure *heard, const pop_place *place,
                           const pop_place *other)
{
    double pictures = (double)place->offset / (double)listen->pop_frames;
    bool tail_later = place->name[0] == 't' && place->offset == (int64_t)listen->pop_frames &&
                      (!other->expected || (other->found != NULL && llabs(other->offset) <= rounding(self)));
    bool inside = place->found->frame >= listen->first_frame &&
                  place->found->frame < listen->first_frame + listen->frame_count;
    finding_severity severity = tail_later                ? FINDING_INFO
                                : fabs(pictures) >= 1.0 ? FINDING_FAIL
                                                        : FINDING_WARN;
    bool together = other->found != NULL && other->expected && other->offset == place->offset;
    const char *cause = tail_later ? "It is counted from the frame after the last frame of action; nothing is wrong with the sound."
                        : inside   ? "It is in the programme. Cut it out and put it where it belongs."
                        : together ? arena_format(self->memory, "Both pops are off alike, so the whole file is: slip it by %" PRId64 " samples.",
                                                  -place->offset)
                        : other->found != NULL && other->expected && llabs(other->offset) <= rounding(self)
                            ? "The other pop is right: either this one was misplaced, or the length of the reel changed."
                            : "Compare the file with the picture, and slip it or correct the show's timecodes.";
    finding *item = add_pop(self, severity, (double)place->offset);
    item->subject = place->name;
    item->reel = listen->reel;
    name_channels(self, listen, heard, place->found->frame, item);
    item->details_json = arena_format(self->memory, "{\"offset_samples\": %" PRId64 ", \"offset_frames\": %.4f, \"level_dbfs\": %.1f}",
                                      place->offset, pictures, level_dbfs(place->found));
    item->message = arena_format(self->memory, "The %s pop of %s is %" PRId64 " samples (%.2f frames) %s: it is at %s and belongs at %s. %s",
                                 place->name, owner_text(self, listen), (int64_t)llabs(place->offset), fabs(pictures),
                                 place->offset > 0 ? "late" : "early", file_place(self, listen, place->found->frame),
                                 file_place(self, listen, place->frame), cause);
    if (listen->stem >= 0) {
        item->has_range = true;
        item->start_sample = place->found->frame;
        item->end_sample = place->found->frame + place->found->frame_count;
    }
}

static void tell_length(judgement *self, const plan_listen *listen, const sync_measure *heard, const pop_place *place)
{
    int64_t excess = (int64_t)place->found->frame_count - (int64_t)listen->pop_frames;
    if (llabs(excess) <= LENGTH_SLACK + rounding(self))
        return;
    finding *item = judgement_add(self, "sync.pop", FINDING_WARN);
    item->subject = place->name[0] == 'h' ? "length of the head pop" : "length of the tail pop";
    item->reel = listen->reel;
    name_channels(self, listen, heard, place->found->frame, item);
    item->measured = (double)place->found->frame_count;
    item->min = item->max = (double)listen->pop_frames;
    item->unit = "samples";
    item->message = arena_format(self->memory, "The %s pop of %s lasts %u samples (%.2f frames); one picture frame is %u. Use a pop of the show's frame rate.",
                                 place->name, owner_text(self, listen), place->found->frame_count,
                                 (double)place->found->frame_count / (double)listen->pop_frames, listen->pop_frames);
}

/* The same pop at different samples in different channels: they were shifted against each other. */
static void tell_apart(judgement *self, const plan_listen *listen, const sync_measure *heard, const pop_place *place)
{
    int64_t worst = 0;
    uint64_t frame = place->found->frame;
    for (uint32_t i = 0; i < heard->pop_count; i++) {
        int64_t apart = (int64_t)heard->pops[i].frame - (int64_t)place->found->frame;
        if (llabs(apart) < (int64_t)listen->pop_frames && llabs(apart) > llabs(worst)) {
            worst = apart;
            frame = heard->pops[i].frame;
        }
    }
    if (worst == 0)
        return;
    finding *item = judgement_add(self, "sync.pop", FINDING_WARN);
    item->subject = place->name[0] == 'h' ? "channels of the head pop" : "channels of the tail pop";
    item->reel = listen->reel;
    name_channels(self, listen, heard, frame, item);
    item->measured = (double)worst;
    item->min = item->max = 0.0;
    item->unit = "samples";
    item->message = arena_format(self->memory, "The %s pop of %s is %" PRId64 " samples %s in some channels than in others. Align the channels of the file.",
                                 place->name, owner_text(self, listen), (int64_t)llabs(worst), worst > 0 ? "later" : "earlier");
}

static void judge_listen(judgement *self, const plan_listen *listen, const sync_measure *heard)
{
    pop_place places[] = {find_pop(listen, heard, true), find_pop(listen, heard, false)};
    for (size_t i = 0; i < 2; i++) {
        const pop_place *place = &places[i];
        if (!place->expected)
            continue;
        if (place->found == NULL) {
            tell_missing(self, listen, place);
            continue;
        }
        if (llabs(place->offset) > rounding(self))
            tell_misplaced(self, listen, heard, place, &places[1 - i]);
        tell_length(self, listen, heard, place);
        tell_apart(self, listen, heard, place);
    }
}

/* ---- pops in the programme ---- */

/* A file that was delivered with its leader: the pop stands where it should before 01:00:00:00. */
static bool leader_pop(const judgement *self, const plan_listen *listen, const sync_pop *pop)
{
    const frame_rate *rate = &self->show->rate;
    uint64_t action = plan_joined_start(self->show);
    if (!listen->whole || rate->num == 0 || !self->timeline->has_start || self->timeline->start_frame >= action)
        return false;
    double seconds = self->show->has_pops ? self->show->head_pop_seconds : 2.0;
    uint64_t pictures = (uint64_t)llround(seconds * (double)rate->num / (double)rate->den);
    uint64_t leader = action - self->timeline->start_frame;
    return pictures <= leader &&
           llabs((int64_t)pop->frame -
                 (int64_t)timecode_sample_of_frame(leader - pictures, rate, self->timeline->sample_rate)) <= 1;
}

/* Its tone and its edges are no faults of their own, unless a spec limits them. */
static void drop_parts(judgement *self, uint64_t start, uint64_t end)
{
    finding_list *list = &self->verdict->findings;
    const uint64_t near = self->timeline->sample_rate / 100;
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        const finding *item = &list->items[i];
        const bool part = (strcmp(item->check, "signal.tone") == 0 || strcmp(item->check, "signal.click") == 0) && item->has_range &&
                          item->rule == NULL && item->start_sample + near >= start && item->end_sample <= end + near;
        if (!part)
            list->items[kept++] = *item;
    }
    list->count = kept;
}

static void tell_inside(judgement *self, const plan_listen *listen, const sync_measure *heard, const sync_pop *pop,
                        uint64_t frame)
{
    bool leader = leader_pop(self, listen, pop);
    bool certain = listen->stem >= 0 || !listen->whole || self->timeline->piece_count > 1;
    char place[PLACE_TEXT_SIZE];
    judgement_place(self, frame, place);
    if (!leader)
        drop_parts(self, frame, frame + pop->frame_count);
    finding *item =
        judgement_add(self, "sync.pop", leader ? FINDING_INFO : certain ? FINDING_FAIL : FINDING_WARN);
    judgement_locate(self, item, frame, frame + pop->frame_count);
    name_channels(self, listen, heard, pop->frame, item);
    if (listen->stem >= 0)
        item->subject = self->show->stems[listen->stem].name;
    item->measured = level_dbfs(pop);
    item->unit = "dBFS";
    item->message =
        leader ? arena_format(self->memory, "The file has its leader: the 2-pop is at %s, where it belongs. What is before the first frame of action is measured as programme; deliver without leader if the platform wants that.",
                              place)
               : arena_format(self->memory, "A pop (%.0f Hz, %.0f ms, %.1f dBFS) is in the programme at %s%s%s. Cut it out%s.",
                              (double)pop->frequency_hz,
                              1000.0 * (double)pop->frame_count / (double)self->timeline->sample_rate,
                              level_dbfs(pop), place, listen->stem >= 0 ? ", from stem " : "",
                              listen->stem >= 0 ? self->show->stems[listen->stem].name : "",
                              certain ? ", or correct the show's ffoa and lfoa" : ", or deliver without leader");
}

/* Pops of one track that lie in the programme, each told once for all its channels. */
static void judge_inside(judgement *self, const plan_listen *listen, const sync_measure *heard, size_t *listed)
{
    uint64_t start = listen->programme_frame;
    if (listen->stem >= 0 && listen->reel < self->timeline->piece_count)
        start = self->timeline->pieces[listen->reel].programme_frame;
    uint64_t told_end = 0;
    for (uint32_t i = 0; i < heard->pop_count; i++) {
        const sync_pop *pop = &heard->pops[i];
        if (pop->frame < listen->first_frame || pop->frame >= listen->first_frame + listen->frame_count ||
            pop->frame < told_end || !sync_pop_is_plain(pop, self->timeline->sample_rate))
            continue;
        told_end = pop->frame + pop->frame_count;
        if ((*listed)++ < VERDICT_RUNS_MAX)
            tell_inside(self, listen, heard, pop, start + pop->frame - listen->first_frame);
    }
}

void judge_pops(judgement *self)
{
    const plan *made = self->facts->plan;
    size_t listed = 0;
    const uint32_t of = self->facts->deliverable;
    for (uint32_t i = plan_listen_next(made, of, 0); self->facts->heard != NULL && i < made->listen_count;
         i = plan_listen_next(made, of, i + 1)) {
        const plan_listen *listen = &made->listens[i];
        const sync_measure *heard = self->facts->heard[i];
        if (listen->join)
            continue;
        if (heard == NULL) {
            finding *item = judgement_add(self, "sync.pop", FINDING_NOT_CHECKED);
            item->subject = made->inputs.items[listen->first_input].display;
            item->message = arena_format(self->memory, "Pops were not looked for in %s: the task that reads it failed.",
                                         item->subject);
            continue;
        }
        judge_inside(self, listen, heard, &listed);
        if (listen->deliverable >= 0)
            judge_listen(self, listen, heard);
    }
    if (!self->show->has_pops)
        judgement_cannot(self, "sync.pop", "Whether pops are where they belong", "the show says that there are none (`pops`)");
    judgement_tell_rest(self, "sync.pop", FINDING_FAIL, listed > VERDICT_RUNS_MAX ? listed - VERDICT_RUNS_MAX : 0);
}

/* ---- stems ---- */

status verdict_judge_stem(stem_verdict *out_verdict, const plan *made, uint32_t stem, uint16_t reel,
                          const sync_measure *const *heard, arena *memory)
{
    programme_facts facts = {.plan = made, .heard = heard};
    programme_verdict verdict = {.word = VERDICT_PASS};
    judgement self = {.facts = &facts, .show = made->show, .verdict = &verdict, .memory = memory};
    stem_verdict judged = {.word = VERDICT_PASS};
    for (uint32_t i = 0; heard != NULL && i < made->listen_count; i++) {
        const plan_listen *listen = &made->listens[i];
        if (listen->join || listen->stem != (int32_t)stem || listen->reel != reel || heard[i] == NULL)
            continue;
        plan_piece *whole = arena_take(memory, sizeof *whole);
        plan_timeline *timeline = arena_take(memory, sizeof *timeline);
        *whole = (plan_piece){.reel = reel, .frame_count = UINT64_MAX / 2, .whole_file = true};
        *timeline = (plan_timeline){.piece_count = 1,
                                    .pieces = whole,
                                    .sample_rate = made->facts[listen->first_input].sample_rate,
                                    .start_frame = made->show->reels[reel].start_frame,
                                    .has_start = made->show->reels[reel].has_start};
        judged.timeline = self.timeline = timeline;
        judge_listen(&self, listen, heard[i]);
        judge_alignment(&self, listen, heard[i]);
    }
    judgement_conclude(&self, arena_format(memory, "%s|%s", made->show->reels[reel].name, made->show->stems[stem].name));
    judged.word = verdict.word;
    judged.findings = verdict.findings;
    *out_verdict = judged;
    return STATUS_OK;
}
