/* Which tracks are listened to, and where: the leaders and edges of stems and received programmes. */
#include "coordinator/plan/plan_parts.h"

#include "common/base/ensure.h"
#include "coordinator/show/check_names.h"

#include <math.h>

enum {
    AROUND_SECONDS = 10, /* searched beyond where a pop belongs: one that is off by less is found */
    INSIDE_SECONDS = 4,  /* of the programme at its edges: what the leader should have kept */
    RANGES_MAX = 2 * SHOW_REELS_MAX
};

/* From picture frames to frames of a track's files: counted from the file's first, or on the clock of its time reference. */
typedef struct listen_clock {
    const frame_rate *rate;
    uint32_t sample_rate;
    uint64_t first_picture;
    uint64_t time_reference;
} listen_clock;

static int64_t clock_frame(const listen_clock *self, uint64_t picture)
{
    if (picture < self->first_picture)
        return -1;
    return (int64_t)timecode_sample_of_frame(picture - self->first_picture, self->rate, self->sample_rate) -
           (int64_t)self->time_reference;
}

/* Where the pops of a reel belong in its files. */
static void listen_pops(plan_listen *self, const show *film, const show_reel *reel, const listen_clock *clock)
{
    double rate = (double)film->rate.num / (double)film->rate.den;
    uint64_t head = (uint64_t)llround(film->head_pop_seconds * rate);
    uint64_t tail = (uint64_t)llround(film->tail_pop_seconds * rate);
    uint64_t picture = 0;
    if (!film->has_pops || !plan_reel_edges(reel, &picture))
        return;
    self->pop_frames = (uint32_t)timecode_sample_of_frame(1, &film->rate, clock->sample_rate);
    if (head > 0 && head <= picture && clock_frame(clock, picture - head) >= 0) {
        self->has_head = true;
        self->head_frame = (uint64_t)clock_frame(clock, picture - head);
    }
    if (tail > 0) {
        self->has_tail = true;
        self->tail_frame = (uint64_t)clock_frame(clock, reel->lfoa_frame + tail);
    }
}

/* Adds a range, cut to the files; one that begins in the range before goes on with it. */
static void add_range(plan_listen *self, int64_t first, int64_t end, uint64_t file_frames)
{
    int64_t length = (int64_t)file_frames;
    first = first < 0 ? 0 : first;
    end = end > length ? length : end;
    if (first >= end)
        return;
    task_listen_range *last = self->range_count == 0 ? NULL : &self->ranges[self->range_count - 1];
    if (last != NULL && (uint64_t)first <= last->first_frame + last->frame_count) {
        if ((uint64_t)end > last->first_frame + last->frame_count)
            last->frame_count = (uint64_t)end - last->first_frame;
        return;
    }
    ENSURE(self->range_count < RANGES_MAX);
    self->ranges[self->range_count++] =
        (task_listen_range){.first_frame = (uint64_t)first, .frame_count = (uint64_t)(end - first)};
}

/* Around the edges of the programme: the leader as far as a pop may stand, and what follows. */
static void edge_ranges(plan_listen *self, const show *film, uint32_t rate, uint64_t file_frames)
{
    double head = film->has_pops ? film->head_pop_seconds : 0.0;
    double tail = film->has_pops ? film->tail_pop_seconds : 0.0;
    int64_t first = (int64_t)self->first_frame;
    int64_t end = first + (int64_t)self->frame_count;
    add_range(self, first - (int64_t)((head + AROUND_SECONDS) * rate), first + INSIDE_SECONDS * (int64_t)rate, file_frames);
    add_range(self, end - INSIDE_SECONDS * (int64_t)rate, end + (int64_t)((tail + AROUND_SECONDS) * rate), file_frames);
}

/* Frames of the shortest file; 0 when one cannot be used. */
static uint64_t usable_frames(const plan *self, uint32_t first, uint32_t count)
{
    uint64_t frames = UINT64_MAX;
    for (uint32_t i = first; i < first + count; i++) {
        const media_facts *facts = &self->facts[i];
        if (facts->outcome != STATUS_OK || facts->sample_rate != self->facts[first].sample_rate)
            return 0;
        frames = facts->frame_count < frames ? facts->frame_count : frames;
    }
    return count == 0 ? 0 : frames;
}

static plan_listen *begin_listen(plan *self, uint32_t first_input, uint32_t input_count)
{
    plan_listen *listen = &self->listens[self->listen_count];
    *listen = (plan_listen){.stem = -1,
                            .deliverable = -1,
                            .first_input = first_input,
                            .input_count = input_count,
                            .ranges = arena_take_array(&self->arena, RANGES_MAX, sizeof *listen->ranges)};
    return listen;
}

/* ---- the reference ---- */

/* Inputs of the reference in one reel; count 0: the show has none. */
static uint32_t reference_inputs(const plan *self, uint32_t reel, uint32_t *out_first)
{
    uint32_t first = self->inputs.count;
    uint32_t count = 0;
    for (uint32_t i = 0; i < self->inputs.count; i++) {
        const plan_input *input = &self->inputs.items[i];
        if (!input->reference || (input->reel >= 0 && input->reel != (int32_t)reel))
            continue;
        first = count == 0 ? i : first;
        count++;
    }
    *out_first = first;
    return count;
}

/*
 * Where a reel's programme begins in the reference: like a stem's file, from the reel's start, unless the file is the programme
 * alone; a reference without {reel} is the joined programme.
 */
static void align_listen(plan *self, plan_listen *listen, uint32_t reel_index, uint64_t joined_frame)
{
    const show *film = self->show;
    const show_reel *reel = &film->reels[reel_index];
    uint32_t first = 0;
    uint32_t count = reference_inputs(self, reel_index, &first);
    if (count == 0)
        return;
    uint64_t frames = usable_frames(self, first, count);
    uint32_t rate = self->facts[first].sample_rate;
    uint64_t picture = 0;
    if (frames == 0) {
        listen->unaligned = "the reference cannot be read";
        return;
    }
    if (rate != self->facts[listen->first_input].sample_rate) {
        listen->unaligned = "the reference has another sample rate";
        return;
    }
    listen->reference_frame = joined_frame;
    if (plan_input_of_reel(film, &self->inputs.items[first])) {
        bool with_leader = frames > listen->frame_count + 1 && film->rate.num != 0 && reel->has_start && reel->has_ffoa &&
                           plan_reel_edges(reel, &picture) && picture >= reel->start_frame;
        listen->reference_frame =
            with_leader ? timecode_sample_of_frame(picture - reel->start_frame, &film->rate, rate) : 0;
    }
    listen->first_reference = first;
    listen->reference_count = count;
}

/* Frame of the joined programme at which a reel begins, by the reels' edges; false when one is not known. */
static bool joined_frame(const show *film, uint32_t reel_index, uint32_t rate, uint64_t *out_frame)
{
    uint64_t pictures = 0;
    for (uint32_t i = 0; i < reel_index; i++) {
        uint64_t first = 0;
        if (film->rate.num == 0 || !plan_reel_edges(&film->reels[i], &first))
            return false;
        pictures += film->reels[i].lfoa_frame - first + 1;
    }
    *out_frame = pictures == 0 ? 0 : timecode_sample_of_frame(pictures, &film->rate, rate);
    return true;
}

/* ---- stems ---- */

/* Where a stem's programme lies in its files of one reel. */
typedef struct stem_place {
    uint32_t first_input, input_count;
    uint64_t frames;       /* of the shortest file */
    int64_t first, end;    /* of the programme */
    listen_clock clock;
} stem_place;

static bool find_stem_place(const plan *self, uint32_t stem, uint32_t reel_index, stem_place *out_place)
{
    const show *film = self->show;
    const show_reel *reel = &film->reels[reel_index];
    const show_stem *wanted = &film->stems[stem];
    uint32_t files = wanted->multi_mono ? channel_layout_get(wanted->layout)->channel_count : 1;
    stem_place place = {.first_input = self->stem_inputs[stem] + (wanted->per_reel ? reel_index * files : 0), .input_count = files};
    const plan_input *input = &self->inputs.items[place.first_input];
    const media_facts *facts = &self->facts[place.first_input];
    uint64_t picture = 0;
    place.frames = usable_frames(self, place.first_input, files);
    if (place.frames == 0 || facts->sample_rate != film->sample_rate || film->rate.num == 0 ||
        !plan_input_of_reel(film, input) || !plan_reel_edges(reel, &picture) ||
        !plan_stem_position(film, input, facts, reel_index, 0, &place.first) || place.first < 0)
        return false;
    place.clock = (listen_clock){.rate = &film->rate, .sample_rate = film->sample_rate};
    if (wanted->align_bext)
        place.clock.time_reference = facts->bext.time_reference;
    else
        place.clock.first_picture = reel->start_frame;
    place.end = clock_frame(&place.clock, reel->lfoa_frame + 1);
    *out_place = place;
    return true;
}

static void listen_stem(plan *self, uint32_t stem, uint32_t reel_index)
{
    const show *film = self->show;
    stem_place place;
    if (!find_stem_place(self, stem, reel_index, &place))
        return;
    plan_listen *listen = begin_listen(self, place.first_input, place.input_count);
    listen->stem = (int32_t)stem;
    listen->reel = (uint16_t)reel_index;
    listen->first_frame = (uint64_t)place.first;
    listen->frame_count = (uint64_t)(place.end - place.first);
    listen_pops(listen, film, &film->reels[reel_index], &place.clock);
    if (listen->has_head || listen->has_tail)
        edge_ranges(listen, film, film->sample_rate, place.frames);
    uint64_t joined = 0;
    /* A narration is in no guide track and in no print master. */
    if (film->stems[stem].role != ROLE_NARRATION && joined_frame(film, reel_index, film->sample_rate, &joined))
        align_listen(self, listen, reel_index, joined);
    self->listen_count += listen->range_count > 0 || listen->reference_count > 0 || listen->unaligned != NULL ? 1 : 0;
}

/* ---- joins: whether the end of a reel is heard again at the head of the next ---- */

enum { JOIN_SECONDS = 5 /* of the reel before: reels overlap by picture frames or a second or two */ };

/* The track is there; it is no longer than the shorter of both reels. */
static void listen_join(plan *self, plan_listen *listen, uint32_t first_reference, uint64_t reference_end, uint64_t frames)
{
    uint64_t most = (uint64_t)JOIN_SECONDS * self->facts[listen->first_input].sample_rate;
    listen->join = true;
    listen->first_reference = first_reference;
    listen->reference_count = listen->input_count;
    listen->reference_frame = reference_end;
    listen->frame_count = frames < most ? frames : most;
    self->listen_count++;
}

static void listen_stem_join(plan *self, uint32_t stem, uint32_t reel_index)
{
    stem_place before, behind;
    if (!find_stem_place(self, stem, reel_index - 1, &before) || !find_stem_place(self, stem, reel_index, &behind) ||
        before.input_count != behind.input_count || before.end < before.first || behind.end < behind.first)
        return;
    int64_t frames = before.end - before.first < behind.end - behind.first ? before.end - before.first : behind.end - behind.first;
    plan_listen *listen = begin_listen(self, behind.first_input, behind.input_count);
    listen->stem = (int32_t)stem;
    listen->reel = (uint16_t)reel_index;
    listen->first_frame = (uint64_t)behind.first;
    listen_join(self, listen, before.first_input, (uint64_t)before.end, (uint64_t)frames);
}

/* Of a received programme; its files are those of each reel, or hold them all. */
static void listen_received_join(plan *self, uint32_t deliverable, uint32_t piece_index)
{
    const plan_deliverable *wanted = &self->deliverables[deliverable];
    const plan_timeline *timeline = &self->timelines[wanted->timeline];
    const plan_piece *before = &timeline->pieces[piece_index - 1];
    const plan_piece *behind = &timeline->pieces[piece_index];
    bool by_reel = self->inputs.items[wanted->first_input].reel >= 0;
    uint32_t files = by_reel ? wanted->input_count / timeline->piece_count : wanted->input_count;
    uint32_t first_input = wanted->first_input + (by_reel ? piece_index * files : 0);
    uint32_t first_reference = by_reel ? first_input - files : first_input;
    if (before->reel == behind->reel || usable_frames(self, first_input, files) == 0 ||
        usable_frames(self, first_reference, files) == 0 ||
        self->facts[first_input].sample_rate != self->facts[first_reference].sample_rate)
        return;
    plan_listen *listen = begin_listen(self, first_input, files);
    listen->deliverable = (int32_t)deliverable;
    listen->reel = behind->reel;
    listen->first_frame = behind->file_frame;
    listen->programme_frame = behind->programme_frame;
    listen_join(self, listen, first_reference, before->file_frame + before->frame_count,
                before->frame_count < behind->frame_count ? before->frame_count : behind->frame_count);
}

/* ---- received programmes ---- */

/* Files of one reel each: cut like a stem, or programme from end to end. */
static void listen_received_reel(plan *self, uint32_t deliverable, uint32_t piece_index)
{
    const plan_deliverable *wanted = &self->deliverables[deliverable];
    const plan_timeline *timeline = &self->timelines[wanted->timeline];
    const plan_piece *piece = &timeline->pieces[piece_index];
    const show_reel *reel = &self->show->reels[piece->reel];
    uint32_t files = wanted->input_count / timeline->piece_count;
    uint32_t first_input = wanted->first_input + piece_index * files;
    uint64_t frames = usable_frames(self, first_input, files);
    if (frames == 0)
        return;
    plan_listen *listen = begin_listen(self, first_input, files);
    listen->deliverable = (int32_t)deliverable;
    listen->reel = piece->reel;
    listen->first_frame = piece->file_frame;
    listen->frame_count = piece->frame_count;
    listen->programme_frame = piece->programme_frame;
    if (piece->file_frame > 0 && self->show->rate.num != 0) {
        listen_clock clock = {.rate = &self->show->rate,
                              .sample_rate = timeline->sample_rate,
                              .first_picture = reel->start_frame};
        listen_pops(listen, self->show, reel, &clock);
    }
    edge_ranges(listen, self->show, timeline->sample_rate, frames);
    align_listen(self, listen, piece->reel, piece->programme_frame);
    self->listen_count += listen->range_count > 0 ? 1 : 0;
}

/* Against a reference of each reel, a whole is aligned reel by reel, where the joined programme has them. */
static void listen_whole_reels(plan *self, uint32_t deliverable)
{
    const plan_deliverable *wanted = &self->deliverables[deliverable];
    const plan_timeline *timeline = &self->timelines[wanted->timeline];
    const show *film = self->show;
    for (uint32_t i = 0; i < film->reel_count; i++) {
        uint64_t first = 0;
        uint64_t end = 0;
        uint64_t edge = 0;
        if (!plan_reel_edges(&film->reels[i], &edge) || !joined_frame(film, i, timeline->sample_rate, &first))
            continue;
        end = first + timecode_sample_of_frame(film->reels[i].lfoa_frame - edge + 1, &film->rate, timeline->sample_rate);
        plan_listen *listen = begin_listen(self, wanted->first_input, wanted->input_count);
        listen->deliverable = (int32_t)deliverable;
        listen->reel = (uint16_t)i;
        listen->programme_frame = first;
        listen->first_frame = first + timeline->pieces[0].file_frame;
        listen->frame_count = end - first;
        align_listen(self, listen, i, first);
        self->listen_count += listen->reference_count > 0 || listen->unaligned != NULL ? 1 : 0;
    }
}

/* One file (or set of mono files) that holds the whole programme: its ends and its joins. */
static void listen_received_whole(plan *self, uint32_t deliverable)
{
    const plan_deliverable *wanted = &self->deliverables[deliverable];
    const plan_timeline *timeline = &self->timelines[wanted->timeline];
    int64_t rate = timeline->sample_rate;
    uint64_t action = 0;
    uint64_t frames = usable_frames(self, wanted->first_input, wanted->input_count);
    if (frames == 0)
        return;
    plan_listen *listen = begin_listen(self, wanted->first_input, wanted->input_count);
    listen->deliverable = (int32_t)deliverable;
    listen->whole = true;
    listen->first_frame = timeline->pieces[0].file_frame;
    listen->frame_count = timeline->frame_count;
    if (listen->first_frame > 0 && plan_reel_edges(&self->show->reels[0], &action)) { /* the file has its leader */
        listen_clock clock = {.rate = &self->show->rate, .sample_rate = timeline->sample_rate};
        clock.time_reference = timecode_sample_of_frame(action, clock.rate, clock.sample_rate) - listen->first_frame;
        listen_pops(listen, self->show, &self->show->reels[0], &clock);
        listen->has_tail = listen->has_tail && self->show->reel_count == 1;
    }
    const int64_t head = (int64_t)listen->first_frame;
    add_range(listen, head - (2 + AROUND_SECONDS) * rate, head + AROUND_SECONDS * rate, frames);
    for (uint32_t i = 1; i < timeline->piece_count; i++) {
        int64_t join = (int64_t)timeline->pieces[i].file_frame;
        add_range(listen, join - INSIDE_SECONDS * rate, join + INSIDE_SECONDS * rate, frames);
    }
    add_range(listen, (int64_t)frames - AROUND_SECONDS * rate, (int64_t)frames, frames);
    uint32_t reference = 0;
    uint32_t references = reference_inputs(self, 0, &reference);
    bool by_reel = references > 0 && self->inputs.items[reference].reel >= 0 && self->show->reel_count > 1;
    if (!by_reel)
        align_listen(self, listen, 0, 0);
    self->listen_count++;
    if (by_reel)
        listen_whole_reels(self, deliverable);
}

/* ---- where a received whole begins in its file ---- */

enum {
    SEEK_SECONDS = 16,  /* of the file at most for each search by its sound, which hears 9 s to either side */
    SEEK_TRIES_MAX = 2 * PLAN_KEPT_SECONDS_MAX / SEEK_SECONDS + 1,
    SEEK_STEMS_MAX = 3, /* held against it one by one where the show has no reference: one may be silent, or not in the mix */
    SEEKS_MAX = 1 + SEEK_STEMS_MAX * SEEK_TRIES_MAX
};

uint64_t plan_seek_frames(uint32_t sample_rate)
{
    return UINT64_C(2) * PLAN_KEPT_SECONDS_MAX * sample_rate;
}

static plan_listen *begin_seek(plan *self, uint32_t deliverable)
{
    const plan_deliverable *wanted = &self->deliverables[deliverable];
    plan_listen *listen = begin_listen(self, wanted->first_input, wanted->input_count);
    listen->deliverable = (int32_t)deliverable;
    listen->whole = listen->seeks = true;
    return listen;
}

/* The first reel's sound, wherever it can begin; of a short one half of it must be left in both. */
static void seek_sound(plan *self, uint32_t deliverable, uint32_t first_reference, uint32_t reference_count,
                       uint64_t reference_frame)
{
    const plan_timeline *timeline = &self->timelines[self->deliverables[deliverable].timeline];
    uint64_t step = (uint64_t)SEEK_SECONDS * timeline->sample_rate;
    step = step < timeline->pieces[0].frame_count / 2 ? step : timeline->pieces[0].frame_count / 2 + 1;
    uint64_t tries = timeline->surplus / step + 1;
    tries = tries < SEEK_TRIES_MAX ? tries : SEEK_TRIES_MAX;
    for (uint64_t i = 0; i < tries; i++) {
        plan_listen *listen = begin_seek(self, deliverable);
        listen->first_frame = timeline->surplus * (2 * i + 1) / (2 * tries);
        listen->frame_count = timeline->pieces[0].frame_count;
        listen->first_reference = first_reference;
        listen->reference_count = reference_count;
        listen->reference_frame = reference_frame;
        self->listen_count++;
    }
}

static void seek_received(plan *self, uint32_t deliverable)
{
    plan_deliverable *wanted = &self->deliverables[deliverable];
    const plan_timeline *timeline = &self->timelines[wanted->timeline];
    uint64_t frames = usable_frames(self, wanted->first_input, wanted->input_count);
    if (timeline->surplus == 0 || timeline->surplus > plan_seek_frames(timeline->sample_rate) || frames == 0)
        return;
    wanted->first_seek = self->listen_count;
    plan_listen *pops = begin_seek(self, deliverable);
    add_range(pops, 0, (int64_t)timeline->surplus, frames);
    add_range(pops, (int64_t)timeline->frame_count, (int64_t)frames, frames);
    self->listen_count++;
    plan_listen reference = {.first_input = wanted->first_input, .frame_count = timeline->pieces[0].frame_count};
    align_listen(self, &reference, 0, 0);
    uint32_t stems = 0;
    if (reference.reference_count > 0)
        seek_sound(self, deliverable, reference.first_reference, reference.reference_count, reference.reference_frame);
    for (uint32_t i = 0; reference.reference_count == 0 && i < self->show->stem_count && stems < SEEK_STEMS_MAX; i++) {
        const show_stem *stem = &self->show->stems[i];
        stem_place place;
        if (stem->objects || stem->role == ROLE_NARRATION || !plan_speaks(self->show, deliverable, i) ||
            timeline->sample_rate != self->show->sample_rate || !find_stem_place(self, i, 0, &place))
            continue;
        seek_sound(self, deliverable, place.first_input, place.input_count, (uint64_t)place.first);
        stems++;
    }
    wanted->seek_count = self->listen_count - wanted->first_seek;
}

/* ---- all ---- */

static bool stem_wanted(const plan *self, uint32_t stem, const bool *wanted)
{
    bool all = true;
    bool taken = false;
    for (uint32_t i = 0; i < self->deliverable_count; i++) {
        all = all && wanted[i];
        taken = taken || (wanted[i] && plan_takes_stem(self->show, i, stem));
    }
    return all || taken;
}

static bool is_received(const plan *self, uint32_t deliverable, const bool *wanted)
{
    return wanted[deliverable] && !self->deliverables[deliverable].rendered &&
           self->deliverables[deliverable].timeline != PLAN_TIMELINE_NONE;
}

static bool listens_to(const char *checks, const char *kind)
{
    return checks == NULL || check_names_has_kind(checks, kind);
}

static void listen_received(plan *self, uint32_t deliverable, bool sync, bool joins)
{
    const plan_deliverable *wanted = &self->deliverables[deliverable];
    const plan_timeline *timeline = &self->timelines[wanted->timeline];
    bool by_reel = self->inputs.items[wanted->first_input].reel >= 0;
    if (sync && !by_reel)
        listen_received_whole(self, deliverable);
    for (uint32_t k = 0; sync && by_reel && k < timeline->piece_count; k++)
        listen_received_reel(self, deliverable, k);
    for (uint32_t k = 1; joins && k < timeline->piece_count; k++)
        listen_received_join(self, deliverable, k);
}

void plan_make_listens(plan *self, const plan_options *options, const bool *wanted)
{
    const show *film = self->show;
    bool sync = listens_to(options->checks, "sync");
    bool joins = listens_to(options->checks, "join");
    size_t most = 2 * ((size_t)film->reel_count + 1) * ((size_t)film->stem_count + film->deliverable_count);
    for (uint32_t i = 0; i < film->deliverable_count; i++)
        most += is_received(self, i, wanted) && self->timelines[self->deliverables[i].timeline].surplus > 0 ? SEEKS_MAX : 0;
    self->listens = arena_take_array(&self->arena, most, sizeof *self->listens);
    for (uint32_t i = 0; i < film->deliverable_count; i++)
        if (is_received(self, i, wanted))
            seek_received(self, i);
    self->first_stem_listen = self->listen_count;
    for (uint32_t i = 0; i < film->stem_count; i++)
        for (uint32_t reel = 0; !film->stems[i].objects && stem_wanted(self, i, wanted) && reel < film->reel_count; reel++) {
            if (sync)
                listen_stem(self, i, reel);
            if (joins && reel > 0)
                listen_stem_join(self, i, reel);
        }
    self->end_stem_listen = self->listen_count;
    for (uint32_t i = 0; i < film->deliverable_count; i++) {
        self->deliverables[i].first_listen = self->listen_count;
        if (is_received(self, i, wanted))
            listen_received(self, i, sync, joins);
        self->deliverables[i].listen_count = self->listen_count - self->deliverables[i].first_listen;
    }
}

/* The same listens in the same order, made into a list of their own: what of them depends on the pieces' places is taken over. */
void plan_listens_move(plan *self, uint32_t deliverable)
{
    plan again = *self;
    again.listen_count = 0;
    again.listens = arena_take_array(&again.arena, 2 * ((size_t)self->show->reel_count + 1), sizeof *again.listens);
    listen_received(&again, deliverable, listens_to(self->checks, "sync"), listens_to(self->checks, "join"));
    self->arena = again.arena;
    const plan_deliverable *wanted = &self->deliverables[deliverable];
    ENSURE(again.listen_count == wanted->listen_count);
    for (uint32_t i = 0; i < again.listen_count; i++) {
        plan_listen *listen = &self->listens[wanted->first_listen + i];
        const plan_listen *moved = &again.listens[i];
        listen->first_frame = moved->first_frame;
        listen->reference_frame = moved->reference_frame;
        listen->has_head = moved->has_head;
        listen->has_tail = moved->has_tail;
        listen->head_frame = moved->head_frame;
        listen->tail_frame = moved->tail_frame;
        listen->pop_frames = moved->pop_frames;
        listen->range_count = moved->range_count;
        listen->ranges = moved->ranges;
    }
}

bool plan_listen_concerns(const plan *self, const plan_listen *listen, uint32_t deliverable)
{
    if (listen->seeks)
        return false;
    return listen->deliverable == (int32_t)deliverable ||
           (listen->stem >= 0 && self->deliverables[deliverable].rendered &&
            plan_takes_stem(self->show, deliverable, (uint32_t)listen->stem));
}

uint32_t plan_listen_next(const plan *self, uint32_t deliverable, uint32_t index)
{
    const plan_deliverable *wanted = &self->deliverables[deliverable];
    for (index = index < self->first_stem_listen ? self->first_stem_listen : index; index < self->end_stem_listen; index++)
        if (plan_listen_concerns(self, &self->listens[index], deliverable))
            return index;
    index = index < wanted->first_listen ? wanted->first_listen : index;
    return index < wanted->first_listen + wanted->listen_count ? index : self->listen_count;
}

status plan_listen_body(const plan *self, const plan_task *task, task_listen *out_listen, arena *memory)
{
    const plan_listen *listen = &self->listens[task->file];
    if (listen->input_count > TASK_FILES_MAX || listen->range_count > TASK_LISTEN_RANGES_MAX)
        return STATUS_LIMIT;
    *out_listen = (task_listen){.input_count = listen->input_count,
                                .inputs = arena_take_array(memory, listen->input_count, sizeof *out_listen->inputs),
                                .range_count = listen->range_count,
                                .ranges = listen->ranges};
    for (uint32_t i = 0; i < listen->input_count; i++)
        out_listen->inputs[i] = plan_task_input(self, listen->first_input + i);
    out_listen->reference_count = listen->reference_count;
    out_listen->references = arena_take_array(memory, listen->reference_count, sizeof *out_listen->references);
    for (uint32_t i = 0; i < listen->reference_count; i++)
        out_listen->references[i] = plan_task_input(self, listen->first_reference + i);
    out_listen->frame = listen->first_frame;
    out_listen->reference_frame = listen->reference_frame;
    out_listen->frame_count = listen->frame_count;
    out_listen->join = listen->join;
    return STATUS_OK;
}
