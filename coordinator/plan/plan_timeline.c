#include "coordinator/plan/plan_parts.h"

#include "common/base/ensure.h"

uint64_t plan_joined_start(const show *film)
{
    uint64_t frame = 0;
    const char *text = film->joined_start == NULL ? "01:00:00:00" : film->joined_start;
    if (film->rate.num != 0)
        ENSURE(timecode_parse(text, &film->rate, &frame, NULL) == STATUS_OK); /* plan_clock.c has tried a recipe's */
    return frame;
}

const show *plan_timeline_show(const show *film, const plan_timeline *timeline)
{
    return timeline->clock == NULL ? film : timeline->clock;
}

bool plan_reel_edges(const show_reel *reel, uint64_t *out_first)
{
    *out_first = reel->has_ffoa ? reel->ffoa_frame : reel->start_frame;
    return (reel->has_ffoa || reel->has_start) && reel->has_lfoa && reel->lfoa_frame >= *out_first;
}

bool plan_input_of_reel(const show *film, const plan_input *input)
{
    return input->reel >= 0 || film->reel_count == 1;
}

bool plan_reels_continuous(const show *film)
{
    for (uint32_t i = 0; i < film->reel_count; i++) {
        const show_reel *reel = &film->reels[i];
        if (!reel->has_ffoa || !reel->has_lfoa || (i > 0 && reel->ffoa_frame != film->reels[i - 1].lfoa_frame + 1))
            return false;
    }
    return film->reel_count > 1;
}

/* The sample on the clock of an aligned file at which a reel's programme begins. */
static bool plan_clock_position(const show *film, const plan_input *input, const show_reel *reel,
                                uint64_t programme_frame, uint64_t *out_sample)
{
    if (plan_input_of_reel(film, input) || plan_reels_continuous(film)) {
        if (!reel->has_ffoa && !reel->has_start)
            return false;
        uint64_t frame = reel->has_ffoa ? reel->ffoa_frame : reel->start_frame;
        *out_sample = timecode_sample_of_frame(frame, &film->rate, film->sample_rate);
        return true;
    }
    show delivered = *film;
    delivered.joined_start = NULL; /* long-play stems lie at 01:00:00:00, whatever is written into a file made of them */
    *out_sample = timecode_sample_of_frame(plan_joined_start(&delivered), &film->rate, film->sample_rate) + programme_frame;
    return true;
}

bool plan_stem_position(const show *film, const plan_input *input, const media_facts *facts, uint32_t reel_index,
                        uint64_t programme_frame, int64_t *out_file_frame)
{
    ENSURE(input->stem >= 0);
    const show_reel *reel = &film->reels[reel_index];
    if (film->stems[input->stem].align_bext) {
        uint64_t clock = 0;
        if (!facts->bext.present || facts->bext.time_reference > INT64_MAX / 2 ||
            !plan_clock_position(film, input, reel, programme_frame, &clock))
            return false;
        *out_file_frame = (int64_t)clock - (int64_t)facts->bext.time_reference;
        return true;
    }
    if (!plan_input_of_reel(film, input)) {
        *out_file_frame = (int64_t)programme_frame;
        return true;
    }
    if (!reel->has_ffoa) {
        *out_file_frame = 0;
        return true;
    }
    if (!reel->has_start || reel->ffoa_frame < reel->start_frame)
        return false;
    *out_file_frame =
        (int64_t)timecode_sample_of_frame(reel->ffoa_frame - reel->start_frame, &film->rate, film->sample_rate);
    return true;
}

/* Frames from the programme's start in a reel to the end of its longest file; aligned files count only when all are. */
static uint64_t plan_reel_length(const plan_source *source, uint32_t reel, uint64_t programme_frame)
{
    uint64_t longest[2] = {0, 0}; /* not aligned, aligned */
    for (uint32_t i = 0; i < source->inputs->count; i++) {
        const plan_input *input = &source->inputs->items[i];
        const media_facts *facts = &source->facts[i];
        bool here = input->stem >= 0 && (input->reel == (int32_t)reel || source->show->reel_count == 1);
        int64_t position = 0;
        if (!here || facts->outcome != STATUS_OK || facts->frame_count > INT64_MAX / 2 ||
            !plan_stem_position(source->show, input, facts, reel, programme_frame, &position))
            continue;
        int64_t length = (int64_t)facts->frame_count - position;
        uint64_t *best = &longest[source->show->stems[input->stem].align_bext ? 1 : 0];
        if (length > 0 && (uint64_t)length > *best)
            *best = (uint64_t)length;
    }
    return longest[0] > 0 ? longest[0] : longest[1];
}

/* Programme positions: picture frames since `base`, which moves behind every piece that has no edges of its own. */
typedef struct programme_cursor {
    uint64_t base;
    uint64_t picture_frames;
    const frame_rate *rate;
    uint32_t sample_rate;
} programme_cursor;

static uint64_t programme_cursor_sample(const programme_cursor *self)
{
    return self->base + timecode_sample_of_frame(self->picture_frames, self->rate, self->sample_rate);
}

static void programme_cursor_add_pictures(programme_cursor *self, plan_piece *piece, uint64_t picture_frames)
{
    piece->programme_frame = programme_cursor_sample(self);
    self->picture_frames += picture_frames;
    piece->frame_count = programme_cursor_sample(self) - piece->programme_frame;
}

static void programme_cursor_add_samples(programme_cursor *self, plan_piece *piece, uint64_t frame_count)
{
    piece->programme_frame = programme_cursor_sample(self);
    piece->frame_count = frame_count;
    self->base = piece->programme_frame + frame_count;
    self->picture_frames = 0;
}

/* What the reels at a join supply, in samples of differences of positions. The cursor stands at the piece's first frame. */
static void programme_cursor_join(const programme_cursor *self, const show *film, uint32_t reel, plan_piece *piece)
{
    if (reel == 0 || film->join == JOIN_BUTT || film->rate.num == 0)
        return;
    uint64_t here = timecode_sample_of_frame(self->picture_frames, self->rate, self->sample_rate);
    uint64_t head = film->reels[reel].head_overlap;
    uint64_t tail = film->reels[reel - 1].tail_overlap;
    uint64_t behind = head <= self->picture_frames ? self->picture_frames - head : 0;
    uint64_t from = head <= self->picture_frames ? here : timecode_sample_of_frame(head, self->rate, self->sample_rate);
    piece->join_before = (uint32_t)(from - timecode_sample_of_frame(behind, self->rate, self->sample_rate));
    piece->join_after =
        (uint32_t)(timecode_sample_of_frame(self->picture_frames + tail, self->rate, self->sample_rate) - here);
}

static void plan_timeline_finish(plan_timeline *self, const programme_cursor *cursor)
{
    for (uint32_t i = 0; i < self->piece_count; i++) {
        uint64_t cells = (self->pieces[i].frame_count + CELL_FRAMES - 1) / CELL_FRAMES;
        self->pieces[i].cell_count = cells > UINT32_MAX ? UINT32_MAX : (uint32_t)cells;
    }
    self->frame_count = programme_cursor_sample(cursor);
}

void plan_timeline_joined(plan_timeline *out_timeline, const plan_source *source, arena *memory)
{
    const show *film = source->show;
    programme_cursor cursor = {.rate = &film->rate, .sample_rate = film->sample_rate};
    plan_timeline timeline = {.piece_count = film->reel_count,
                              .sample_rate = film->sample_rate,
                              .has_start = film->rate.num != 0,
                              .start_frame = plan_joined_start(film)};
    timeline.pieces = arena_take_array(memory, film->reel_count, sizeof *timeline.pieces);
    for (uint32_t i = 0; i < film->reel_count; i++) {
        plan_piece *piece = &timeline.pieces[i];
        piece->reel = (uint16_t)i;
        uint64_t first = 0;
        programme_cursor_join(&cursor, film, i, piece);
        if (plan_reel_edges(&film->reels[i], &first))
            programme_cursor_add_pictures(&cursor, piece, film->reels[i].lfoa_frame - first + 1);
        else
            programme_cursor_add_samples(&cursor, piece, plan_reel_length(source, i, programme_cursor_sample(&cursor)));
    }
    plan_timeline_finish(&timeline, &cursor);
    *out_timeline = timeline;
}

/* One file (or set of mono files) of a received deliverable that belongs to a reel: as a whole, or cut like a stem. */
static void plan_received_piece(programme_cursor *cursor, plan_piece *piece, const show_reel *reel,
                                uint64_t frame_count)
{
    uint64_t first = 0;
    piece->file_frame = 0;
    if (reel != NULL && cursor->rate->num != 0 && plan_reel_edges(reel, &first) && reel->has_start &&
        first >= reel->start_frame) {
        uint64_t pictures = reel->lfoa_frame - first + 1;
        uint64_t programme = timecode_sample_of_frame(pictures, cursor->rate, cursor->sample_rate);
        uint64_t to_end =
            timecode_sample_of_frame(reel->lfoa_frame - reel->start_frame + 1, cursor->rate, cursor->sample_rate);
        bool as_long = frame_count + 1 >= programme && frame_count <= programme + 1;
        if (!as_long && frame_count >= to_end) {
            piece->file_frame = timecode_sample_of_frame(first - reel->start_frame, cursor->rate, cursor->sample_rate);
            programme_cursor_add_pictures(cursor, piece, pictures);
            return;
        }
    }
    programme_cursor_add_samples(cursor, piece, frame_count);
}

/*
 * What is known without listening of the leader in one received file of all reels, which is longer than they are: its timecode
 * says so, or, where it has none that could, it is longer by the first reel's leader, with a tail of TAIL_SECONDS at most.
 */
static plan_leader plan_received_leader(const show *film, const media_facts *facts, uint64_t surplus, uint64_t *out_frames)
{
    enum { TAIL_SECONDS = 10 };
    uint64_t rate = facts->sample_rate;
    uint64_t action = timecode_sample_of_frame(plan_joined_start(film), &film->rate, facts->sample_rate);
    uint64_t begins = facts->bext.time_reference;
    *out_frames = 0;
    if (facts->bext.present && begins <= action && action - begins <= PLAN_KEPT_SECONDS_MAX * rate) {
        *out_frames = action - begins <= surplus ? action - begins : 0;
        return action - begins <= surplus ? LEADER_BY_TIMECODE : LEADER_UNKNOWN;
    }
    const show_reel *reel = &film->reels[0];
    uint64_t first = 0;
    if (!reel->has_start || !plan_reel_edges(reel, &first) || first < reel->start_frame)
        return LEADER_UNKNOWN;
    uint64_t leader = timecode_sample_of_frame(first - reel->start_frame, &film->rate, facts->sample_rate);
    if (leader > surplus || surplus - leader > TAIL_SECONDS * rate)
        return LEADER_UNKNOWN;
    *out_frames = leader;
    return LEADER_BY_LENGTH;
}


/*
 * Fills the pieces of the reels when one received file is as long as the joined programme, to a second: what it has more or less
 * is the last reel's. Of one that is longer, with a leader or a tail, they are the programme in it, and the rest is no part of it.
 */
static bool plan_received_by_reels(plan_timeline *timeline, programme_cursor *cursor, const plan_source *source,
                                   const media_facts *facts, arena *memory)
{
    uint64_t file_frames = facts->frame_count;
    const show *film = source->show;
    if (film->rate.num == 0)
        return false;
    programme_cursor whole = *cursor;
    plan_piece *pieces = arena_take_array(memory, film->reel_count, sizeof *pieces);
    for (uint32_t i = 0; i < film->reel_count; i++) {
        uint64_t first = 0;
        plan_piece *piece = &pieces[i];
        piece->reel = (uint16_t)i;
        programme_cursor_join(&whole, film, i, piece);
        if (plan_reel_edges(&film->reels[i], &first))
            programme_cursor_add_pictures(&whole, piece, film->reels[i].lfoa_frame - first + 1);
        else if (timeline->sample_rate == film->sample_rate)
            programme_cursor_add_samples(&whole, piece, plan_reel_length(source, i, programme_cursor_sample(&whole)));
        piece->file_frame = piece->programme_frame;
        if (piece->frame_count == 0)
            return false;
    }
    plan_piece *last = &pieces[film->reel_count - 1];
    uint64_t wanted = programme_cursor_sample(&whole);
    uint64_t leader = 0;
    uint64_t surplus = file_frames > wanted + facts->sample_rate ? file_frames - wanted : 0;
    plan_leader known = surplus > 0 ? plan_received_leader(film, facts, surplus, &leader) : LEADER_UNKNOWN;
    bool sought = (film->stem_count > 0 || film->has_pops) && surplus <= plan_seek_frames(facts->sample_rate);
    if (surplus > 0 && (known != LEADER_UNKNOWN || sought)) {
        timeline->surplus = surplus;
        timeline->stated = timeline->leader = known;
        timeline->stated_frames = leader;
        file_frames = wanted;
    } else if (film->reel_count < 2) {
        return false;
    }
    for (uint32_t i = 0; i < film->reel_count; i++)
        pieces[i].file_frame += leader;
    uint64_t apart = file_frames > wanted ? file_frames - wanted : wanted - file_frames;
    if (apart > timeline->sample_rate || file_frames <= last->programme_frame)
        return false;
    if (apart > 0) {
        *cursor = (programme_cursor){.base = last->programme_frame, .rate = whole.rate, .sample_rate = whole.sample_rate};
        programme_cursor_add_samples(cursor, last, file_frames - last->programme_frame);
    } else {
        *cursor = whole;
    }
    timeline->piece_count = film->reel_count;
    timeline->pieces = pieces;
    return true;
}

void plan_received_start(plan_timeline *timeline, const show *film, bool per_reel, const media_bext *bext)
{
    if (film->rate.num == 0)
        return;
    uint64_t first = 0;
    if (per_reel && film->reel_count > 1) {
        timeline->has_start = true;
        timeline->start_frame = plan_joined_start(film);
    } else if (bext->present && bext->time_reference <= INT64_MAX / 2) {
        timeline->has_start = true;
        timeline->start_frame = timecode_frame_of_sample(bext->time_reference + timeline->pieces[0].file_frame,
                                                         &film->rate, timeline->sample_rate);
    } else if (film->reel_count == 1 && plan_reel_edges(&film->reels[0], &first)) {
        timeline->has_start = true;
        timeline->start_frame = first;
    }
}

uint64_t plan_join_reach(const plan_timeline *timeline)
{
    uint64_t reach = 0;
    for (uint32_t i = 0; i < timeline->piece_count; i++) {
        const plan_piece *piece = &timeline->pieces[i];
        reach = piece->join_before > reach ? piece->join_before : reach;
        reach = piece->join_after > reach ? piece->join_after : reach;
    }
    return reach;
}

join_law plan_timeline_join(const plan *self, const plan_timeline *timeline)
{
    return plan_join_reach(timeline) == 0 ? JOIN_BUTT : plan_timeline_show(self->show, timeline)->join;
}

void plan_timeline_received(plan_timeline *out_timeline, const plan_source *source, uint32_t first, uint32_t count,
                            arena *memory)
{
    const show *film = source->show;
    const media_facts *facts = &source->facts[first];
    plan_timeline timeline = {.sample_rate = facts->sample_rate};
    programme_cursor cursor = {.rate = &film->rate, .sample_rate = facts->sample_rate};
    bool per_reel = source->inputs->items[first].reel >= 0;
    if (per_reel || !plan_received_by_reels(&timeline, &cursor, source, facts, memory)) {
        timeline.piece_count = per_reel ? film->reel_count : 1;
        timeline.pieces = arena_take_array(memory, timeline.piece_count, sizeof *timeline.pieces);
        uint32_t files_per_reel = per_reel ? count / film->reel_count : count;
        for (uint32_t i = 0; i < timeline.piece_count; i++) {
            plan_piece *piece = &timeline.pieces[i];
            uint64_t frame_count = source->facts[first + i * files_per_reel].frame_count;
            piece->reel = (uint16_t)i;
            piece->spans_reels = !per_reel && film->reel_count > 1;
            if (piece->spans_reels) {
                programme_cursor_add_samples(&cursor, piece, frame_count);
                continue;
            }
            programme_cursor_join(&cursor, film, i, piece);
            plan_received_piece(&cursor, piece, i < film->reel_count ? &film->reels[i] : NULL, frame_count);
        }
    }
    plan_received_start(&timeline, film, per_reel, &facts->bext);
    plan_timeline_finish(&timeline, &cursor);
    *out_timeline = timeline;
}
