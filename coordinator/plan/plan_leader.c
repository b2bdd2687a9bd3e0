/* Where the programme begins in a received file with a leader or a tail: by its 2-pops, by its sound, by timecode or length. */
#include "coordinator/plan/plan_parts.h"

#include "common/measure/sync_model.h"

#include <math.h>
#include <stdlib.h>

enum { BEGINNINGS_MAX = 2 * SYNC_POPS_MAX + 1 }; /* a pop may be that of either end */

/* A frame of the file at which the programme may begin, and what says so. */
typedef struct beginning {
    int64_t frame;
    plan_leader by;
    bool tail; /* a pop behind LFOA */
} beginning;

typedef struct leader_search {
    const plan *plan;
    const plan_deliverable *wanted;
    plan_timeline *timeline;
    uint32_t count;
    beginning items[BEGINNINGS_MAX];
    bool heard; /* the sound was found, at: */
    int64_t sound;
} leader_search;

static void add_beginning(leader_search *self, int64_t frame, plan_leader by, bool tail)
{
    if (frame >= 0 && frame <= (int64_t)self->timeline->surplus && self->count < BEGINNINGS_MAX)
        self->items[self->count++] = (beginning){.frame = frame, .by = by, .tail = tail};
}

/* Frames from the head pop to FFOA, and from there to the tail pop; -1: not known. A show without pops has them 2 s away. */
static void pop_distances(const leader_search *self, int64_t *out_head, int64_t *out_tail)
{
    const show *film = self->plan->show;
    const plan_piece *last = &self->timeline->pieces[self->timeline->piece_count - 1];
    const show_reel *reel = &film->reels[last->reel];
    const uint32_t rate = self->timeline->sample_rate;
    const double pictures = (double)film->rate.num / (double)film->rate.den;
    uint64_t head = (uint64_t)llround((film->has_pops ? film->head_pop_seconds : 2.0) * pictures);
    uint64_t tail = (uint64_t)llround((film->has_pops ? film->tail_pop_seconds : 2.0) * pictures);
    uint64_t action = 0;
    uint64_t first = 0;
    if (!plan_reel_edges(&film->reels[0], &action))
        action = plan_joined_start(film);
    *out_head = head == 0 || head > action ? -1
                                           : (int64_t)(timecode_sample_of_frame(action, &film->rate, rate) -
                                                       timecode_sample_of_frame(action - head, &film->rate, rate));
    *out_tail = tail == 0 || !plan_reel_edges(reel, &first)
                    ? -1
                    : (int64_t)(last->programme_frame + timecode_sample_of_frame(reel->lfoa_frame + tail, &film->rate, rate) -
                                timecode_sample_of_frame(first, &film->rate, rate));
}

static void take_pops(leader_search *self, const sync_measure *heard)
{
    int64_t head = 0;
    int64_t tail = 0;
    pop_distances(self, &head, &tail);
    for (uint32_t i = 0; i < heard->pop_count; i++) {
        const sync_pop *pop = &heard->pops[i];
        if (!sync_pop_is_plain(pop, self->timeline->sample_rate))
            continue;
        if (head >= 0)
            add_beginning(self, (int64_t)pop->frame + head, LEADER_BY_POPS, false);
        if (tail >= 0)
            add_beginning(self, (int64_t)pop->frame - tail, LEADER_BY_POPS, true);
    }
}

/* Of the searches by sound the one that most places agree on. */
static void take_sound(leader_search *self, const sync_measure *const *heard)
{
    uint32_t most = 0;
    for (uint32_t i = 1; i < self->wanted->seek_count; i++) {
        const plan_listen *listen = &self->plan->listens[self->wanted->first_seek + i];
        sync_model model;
        sync_model_fit(&model, heard[i]->points, heard[i]->point_count);
        if (!model.known || model.used <= most)
            continue;
        int64_t frame = (int64_t)listen->first_frame + llround(model.segments[0].offset);
        self->heard = frame > -(int64_t)self->timeline->sample_rate;
        self->sound = frame < 0 ? 0 : frame > (int64_t)self->timeline->surplus ? (int64_t)self->timeline->surplus : frame;
        most = model.used;
    }
}

/* What a file's pops, timecode or length say is believed where its sound lies within a second of it: how far it is off there is
 * told as what it is. Else the sound is. */
static beginning nearest_to_sound(const leader_search *self)
{
    const int64_t second = self->timeline->sample_rate;
    beginning best = {.frame = self->sound, .by = LEADER_BY_SOUND};
    int64_t apart = second;
    for (uint32_t i = 0; i < self->count; i++) {
        int64_t off = llabs(self->items[i].frame - self->sound);
        if (off < apart) {
            best = self->items[i];
            apart = off;
        }
    }
    return best;
}

/* A head and a tail pop that say the same, to a picture frame; else the last head pop, since a leader may beep every second; else
 * the first tail pop. */
static beginning by_pops(const leader_search *self)
{
    const frame_rate *rate = &self->plan->show->rate;
    const int64_t picture = (int64_t)timecode_sample_of_frame(1, rate, self->timeline->sample_rate) + 1;
    beginning head = {.by = LEADER_UNKNOWN};
    beginning tail = {.by = LEADER_UNKNOWN};
    for (uint32_t i = self->count; i-- > 0;) {
        const beginning *item = &self->items[i];
        if (item->by != LEADER_BY_POPS)
            continue;
        for (uint32_t k = 0; !item->tail && k < self->count; k++)
            if (self->items[k].by == LEADER_BY_POPS && self->items[k].tail && llabs(self->items[k].frame - item->frame) <= picture)
                return *item;
        if (item->tail)
            tail = *item;
        else if (head.by == LEADER_UNKNOWN)
            head = *item;
    }
    return head.by != LEADER_UNKNOWN ? head : tail;
}

/* Without the sound timecode counts before pops, which may be misplaced, and pops before length, unless it is about the same. */
static beginning without_sound(const leader_search *self)
{
    const beginning *last = self->count > 0 ? &self->items[self->count - 1] : NULL;
    const beginning *stated = last != NULL && last->by != LEADER_BY_POPS ? last : NULL;
    beginning pops = by_pops(self);
    if (stated == NULL || (stated->by == LEADER_BY_LENGTH && pops.by != LEADER_UNKNOWN &&
                           llabs(stated->frame - pops.frame) >= (int64_t)self->timeline->sample_rate))
        return pops;
    return *stated;
}

bool plan_leader_unknown(const plan_timeline *timeline)
{
    return timeline->surplus > 0 && timeline->leader == LEADER_UNKNOWN;
}

void plan_leader_settle(plan *self, uint32_t deliverable, const sync_measure *const *heard)
{
    const plan_deliverable *wanted = &self->deliverables[deliverable];
    bool all = wanted->seek_count > 0;
    for (uint32_t i = 0; all && i < wanted->seek_count; i++)
        all = heard[i] != NULL;
    if (!all)
        return;
    plan_timeline *timeline = &self->timelines[wanted->timeline];
    arena scratch;
    arena_init(&scratch);
    leader_search *search = arena_take(&scratch, sizeof *search);
    *search = (leader_search){.plan = self, .wanted = wanted, .timeline = timeline};
    take_pops(search, heard[0]);
    if (timeline->stated != LEADER_UNKNOWN)
        add_beginning(search, (int64_t)timeline->stated_frames, timeline->stated, false);
    take_sound(search, heard);
    beginning found = search->heard ? nearest_to_sound(search) : without_sound(search);
    for (uint32_t i = 0; i < timeline->piece_count; i++)
        timeline->pieces[i].file_frame = (uint64_t)found.frame + timeline->pieces[i].programme_frame;
    timeline->leader = found.by;
    plan_received_start(timeline, self->show, false, &self->facts[wanted->first_input].bext);
    arena_deinit(&scratch);
    plan_listens_move(self, deliverable);
}
