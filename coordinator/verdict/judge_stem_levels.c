/* Stems that are silent where they should play, M&E that is silent where the dialogue plays, narration over dialogue. */
#include "coordinator/verdict/verdict_parts.h"

#include <math.h>
#include <string.h>

/* Below the first a stem does not play at all (16 bits with dither are at -96.3 dB); above the second somebody speaks. */
static const double silent_power = 1e-9; /* -90 dBFS */
static const double spoken_power = 1e-5; /* -50 dBFS */
/* A side that plays in so much of a reel has the other side playing somewhere in it, too. */
static const double plays_share = 0.1;
static const double plays_elsewhere = 0.5;
/* The absolute gate of BS.1770-5. */
static const double silence_lufs = -70.0;
static const double hole_seconds = 0.5;
static const double overlap_seconds = 0.3;
/* Beside a received programme blocks last 0.8 s, and in one both may speak in turn: two in a row, the last perhaps shorter. */
static const double crossed_overlap_seconds = 0.9;
enum { STEP_MS = 100 };

typedef struct level_judgement {
    judgement *base;
    const render_program *program;
    const stem_programme *stems;
} level_judgement;

static const show_stem *stem_at(const level_judgement *self, uint32_t lane)
{
    return &self->base->show->stems[self->program->inputs[lane].stem];
}

static bool is_received(const level_judgement *self, uint32_t lane)
{
    return self->program->inputs[lane].stem == RENDER_STEM_RECEIVED;
}

static double lane_power(const level_judgement *self, size_t block, uint32_t lane)
{
    const stem_block *at = &self->stems->blocks[block];
    return at->sums[self->stems->crossed ? stem_sum_index(lane, lane) : lane] / (double)at->frame_count;
}

/* The share of a reel's blocks in which a lane plays. */
static double lane_share(const level_judgement *self, uint32_t lane, const plan_piece *piece)
{
    size_t playing = 0;
    size_t count = 0;
    for (size_t b = 0; b < self->stems->block_count; b++) {
        uint64_t frame = self->stems->blocks[b].frame;
        if (frame < piece->programme_frame || frame >= piece->programme_frame + piece->frame_count)
            continue;
        count++;
        playing += lane_power(self, b, lane) > silent_power;
    }
    return count == 0 ? 0.0 : (double)playing / (double)count;
}

/* ---- stems.silent ---- */

static finding *add_silent(level_judgement *self, const plan_piece *piece, uint32_t lane)
{
    judgement *base = self->base;
    const spec_limit *limit = judgement_limit(base, "stems.silent");
    finding *item = judgement_add(base, "stems.silent", limit == NULL ? FINDING_WARN : judgement_breach(limit));
    if (limit != NULL)
        judgement_limits(item, limit);
    judgement_locate(base, item, piece->programme_frame, piece->programme_frame + piece->frame_count);
    item->subject = stem_at(self, lane)->name;
    return item;
}

static const char *reel_words(const level_judgement *self, const plan_piece *piece)
{
    const char *name = self->base->show->reels[piece->reel].name;
    return piece->spans_reels || name[0] == '\0' ? "the whole programme" : arena_format(self->base->memory, "reel %s", name);
}

/* An optional stem that a reel does not have is silent by right. */
static bool stem_delivered(const level_judgement *self, uint16_t stem, const plan_piece *piece)
{
    const plan *made = self->base->facts->plan;
    for (uint32_t i = 0; i < made->inputs.count; i++) {
        const plan_input *input = &made->inputs.items[i];
        if (input->stem == (int32_t)stem && (input->reel < 0 || input->reel == (int32_t)piece->reel))
            return made->facts[i].outcome == STATUS_OK;
    }
    return false;
}

static channel_label other_side(channel_label label)
{
    static const channel_label sides[][2] = {{CHANNEL_L, CHANNEL_R},     {CHANNEL_LS, CHANNEL_RS},   {CHANNEL_LSS, CHANNEL_RSS},
                                             {CHANNEL_LRS, CHANNEL_RRS}, {CHANNEL_LTS, CHANNEL_RTS}};
    for (size_t i = 0; i < sizeof sides / sizeof sides[0]; i++)
        for (uint32_t k = 0; k < 2; k++)
            if (sides[i][k] == label)
                return sides[i][1 - k];
    return CHANNEL_NONE;
}

/* A channel that is silent in a reel while its other side plays there, or while it plays through half of other reels. */
static void judge_silent_channel(level_judgement *self, const plan_piece *piece, uint32_t first, uint32_t count, uint32_t lane)
{
    const plan_timeline *timeline = self->base->timeline;
    channel_label label = (channel_label)self->program->inputs[lane].label;
    if (label == CHANNEL_LFE || lane_share(self, lane, piece) > 0.0)
        return;
    const char *why = NULL;
    for (uint32_t i = first; i < first + count; i++)
        if (self->program->inputs[i].label == other_side(label) && lane_share(self, i, piece) > plays_share)
            why = arena_format(self->base->memory, "%s plays there", channel_label_name((channel_label)self->program->inputs[i].label));
    for (uint32_t p = 0; why == NULL && p < timeline->piece_count; p++)
        if (&timeline->pieces[p] != piece && lane_share(self, lane, &timeline->pieces[p]) > plays_elsewhere)
            why = arena_format(self->base->memory, "it plays through most of %s", reel_words(self, &timeline->pieces[p]));
    if (why == NULL)
        return;
    finding *item = add_silent(self, piece, lane);
    item->channels[item->channel_count++] = channel_label_name(label);
    item->message = arena_format(self->base->memory, "%s is silent in %s in all of %s, while %s. Look for a muted track, or export it again.",
                                 item->subject, item->channels[0], reel_words(self, piece), why);
}

static void judge_silent(level_judgement *self)
{
    const plan_timeline *timeline = self->base->timeline;
    for (uint32_t first = 0; first < self->program->input_count;) {
        uint32_t count = 1;
        while (first + count < self->program->input_count &&
               self->program->inputs[first + count].stem == self->program->inputs[first].stem)
            count++;
        for (uint32_t p = 0; !is_received(self, first) && p < timeline->piece_count; p++) {
            const plan_piece *piece = &timeline->pieces[p];
            if (!stem_delivered(self, self->program->inputs[first].stem, piece))
                continue;
            double share = 0.0;
            for (uint32_t i = first; i < first + count; i++)
                share = fmax(share, lane_share(self, i, piece));
            if (share == 0.0) {
                finding *item = add_silent(self, piece, first);
                item->message = arena_format(self->base->memory, "%s is silent in all of %s (never above -90 dBFS). If it is not meant, export it again.",
                                             item->subject, reel_words(self, piece));
            }
            for (uint32_t i = first; share > plays_share && i < first + count; i++)
                judge_silent_channel(self, piece, first, count, i);
        }
        first += count;
    }
}

/* ---- me.fill, ad.overlap ---- */

static bool block_speaks(const level_judgement *self, size_t block, stem_role role)
{
    for (uint32_t i = 0; i < self->program->input_count; i++)
        if (!is_received(self, i) && stem_at(self, i)->role == role && lane_power(self, block, i) > spoken_power)
            return true;
    return false;
}

static bool program_has(const level_judgement *self, stem_role role)
{
    for (uint32_t i = 0; i < self->program->input_count; i++)
        if (!is_received(self, i) && stem_at(self, i)->role == role)
            return true;
    return false;
}

/* A stretch of a check whose limit is in seconds, without its sentence; NULL: too short, or enough are told. */
static finding *add_stretch(level_judgement *self, const char *check, double least_s, uint64_t start, uint64_t end,
                            size_t *told, char place[PLACE_TEXT_SIZE])
{
    judgement *base = self->base;
    const spec_limit *limit = judgement_limit(base, check);
    double seconds = (double)(end - start) / (double)base->timeline->sample_rate;
    bool over = limit != NULL && !(seconds <= limit->max);
    if (seconds < least_s || (*told)++ >= VERDICT_RUNS_MAX)
        return NULL;
    finding *item = judgement_add(base, check, over ? judgement_breach(limit) : limit != NULL ? FINDING_INFO : FINDING_WARN);
    if (limit != NULL)
        judgement_limits(item, limit);
    judgement_locate(base, item, start, end);
    judgement_place(base, start, place);
    item->measured = seconds;
    item->unit = "s";
    return item;
}

static bool covers(const finding *item, uint64_t start, uint64_t end)
{
    uint64_t first = item->start_sample > start ? item->start_sample : start;
    uint64_t last = item->end_sample < end ? item->end_sample : end;
    return last > first && (last - first) * 2 > end - start;
}

/*
 * A hole that is told as a drop-out or as one of the print, too, is one cause: true if it was lost in the print alone, which that
 * says. What the stems lack as well, the hole says, and the drop-out is left out. What a spec limits stays.
 */
static bool lost_in_print(level_judgement *self, uint64_t start, uint64_t end)
{
    finding_list *list = &self->base->verdict->findings;
    bool lost = false;
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        const finding *item = &list->items[i];
        bool faded = strcmp(item->check, "stems.null") == 0 && item->subject != NULL && strcmp(item->subject, "hole") == 0;
        bool same = (faded || strcmp(item->check, "signal.dropout") == 0) && covers(item, start, end);
        bool in_print = same && item->details_json != NULL; /* it was held against the stems */
        lost = lost || in_print;
        if (!same || in_print || item->rule != NULL)
            list->items[kept++] = *item;
    }
    list->count = kept;
    return lost && judgement_limit(self->base, "me.fill") == NULL;
}

static void tell_hole(level_judgement *self, uint64_t start, uint64_t end, size_t *told)
{
    char place[PLACE_TEXT_SIZE];
    if (end - start >= (uint64_t)(hole_seconds * self->base->timeline->sample_rate) && lost_in_print(self, start, end))
        return;
    finding *item = add_stretch(self, "me.fill", hole_seconds, start, end, told, place);
    if (item != NULL)
        item->message = arena_format(self->base->memory, "The M&E is silent for %.1f s from %s, while the dialogue plays: what the production sound gave there went with it. Fill it with room tone, foley and effects.",
                                     item->measured, place);
}

/* Each 100 ms in which the M&E lies below the gate and a dialogue stem speaks. */
static void judge_fill(level_judgement *self)
{
    judgement *base = self->base;
    const spec_limit *limit = judgement_limit(base, "me.fill");
    if (!program_has(self, ROLE_DIALOGUE)) {
        if (limit == NULL)
            return;
        finding *item = judgement_add(base, "me.fill", FINDING_NOT_CHECKED);
        judgement_limits(item, limit);
        item->message = "No dialogue stem is read with it, so it is not known where the dialogue plays.";
        return;
    }
    uint32_t rate = base->timeline->sample_rate;
    uint64_t steps = cell_measure_slot_of(base->timeline->frame_count, rate) * 10 / STEP_MS;
    double *levels = arena_take_array(base->memory, steps + 1, sizeof *levels);
    size_t count = programme_measure_curve(base->facts->measure, STEP_MS, STEP_MS, levels, steps);
    size_t block = 0;
    size_t told = 0;
    uint64_t start = 0;
    bool open = false;
    for (size_t i = 0; i <= count; i++) {
        uint64_t frame = cell_measure_slot_frame(i * (STEP_MS / 10), rate);
        while (block + 1 < self->stems->block_count && self->stems->blocks[block + 1].frame <= frame)
            block++;
        bool hole = i < count && levels[i] < silence_lufs && block_speaks(self, block, ROLE_DIALOGUE);
        if (hole && !open)
            start = frame;
        if (!hole && open)
            tell_hole(self, start, frame, &told);
        open = hole;
    }
    judgement_tell_rest(base, "me.fill", FINDING_WARN, told > VERDICT_RUNS_MAX ? told - VERDICT_RUNS_MAX : 0);
}

/* Who speaks in which block, and in how many before it. */
typedef struct speech_map {
    const bool *narration;
    const uint32_t *narration_before, *dialogue_before; /* [block_count + 1] */
    size_t first, end;                                  /* blocks of the reel that is looked at */
} speech_map;

static speech_map map_speech(const level_judgement *self)
{
    arena *memory = self->base->memory;
    size_t count = self->stems->block_count;
    bool *narration = arena_take_array(memory, count + 1, sizeof *narration);
    uint32_t *narration_before = arena_take_array(memory, count + 1, sizeof *narration_before);
    uint32_t *dialogue_before = arena_take_array(memory, count + 1, sizeof *dialogue_before);
    narration_before[0] = dialogue_before[0] = 0;
    for (size_t b = 0; b < count; b++) {
        narration[b] = block_speaks(self, b, ROLE_NARRATION);
        narration_before[b + 1] = narration_before[b] + narration[b];
        dialogue_before[b + 1] = dialogue_before[b] + block_speaks(self, b, ROLE_DIALOGUE);
    }
    return (speech_map){.narration = narration, .narration_before = narration_before, .dialogue_before = dialogue_before};
}

/* The whole blocks of the reel that a block lies in. */
static void find_reel(const level_judgement *self, speech_map *map, size_t block)
{
    const stem_block *blocks = self->stems->blocks;
    const plan_timeline *timeline = self->base->timeline;
    uint64_t begin = 0;
    uint64_t finish = timeline->frame_count;
    for (uint32_t i = 0; i < timeline->piece_count; i++) {
        const plan_piece *piece = &timeline->pieces[i];
        if (piece->programme_frame > blocks[block].frame || piece->programme_frame + piece->frame_count <= blocks[block].frame)
            continue;
        begin = piece->programme_frame;
        finish = begin + piece->frame_count;
    }
    map->first = map->end = block;
    while (map->first > 0 && blocks[map->first - 1].frame >= begin)
        map->first--;
    while (map->end < self->stems->block_count && blocks[map->end].frame + blocks[map->first].frame_count <= finish)
        map->end++;
}

static bool is_free(const speech_map *map, size_t first, size_t end, size_t cue_first, size_t cue_end)
{
    size_t own_first = first > cue_first ? first : cue_first;
    size_t own_end = end < cue_end ? end : cue_end;
    uint32_t own = own_end > own_first ? map->narration_before[own_end] - map->narration_before[own_first] : 0;
    return map->dialogue_before[end] == map->dialogue_before[first] &&
           map->narration_before[end] - map->narration_before[first] == own;
}

/*
 * The least by how much a cue of narration would have to move within its reel to lie over nobody, in seconds, later above zero;
 * 0: no gap takes it. A cue is what is spoken without a pause of a second. Moved by whole blocks it has the same energies.
 */
static double move_of(const level_judgement *self, speech_map *map, uint64_t start)
{
    const stem_block *blocks = self->stems->blocks;
    size_t at = 0;
    while (at + 1 < self->stems->block_count && blocks[at + 1].frame <= start)
        at++;
    find_reel(self, map, at);
    size_t pause = (self->base->timeline->sample_rate + blocks[at].frame_count - 1) / blocks[at].frame_count;
    size_t first = at;
    size_t end = at + 1;
    for (size_t b = at; b > map->first && first - (b - 1) <= pause; b--)
        first = map->narration[b - 1] ? b - 1 : first;
    for (size_t b = at + 1; b < map->end && b + 1 - end <= pause; b++)
        end = map->narration[b] ? b + 1 : end;
    double block_seconds = (double)blocks[at].frame_count / self->base->timeline->sample_rate;
    for (size_t by = 1; by < map->end - map->first; by++) {
        if (first >= map->first + by && is_free(map, first - by, end - by, first, end))
            return -block_seconds * (double)by;
        if (end + by <= map->end && is_free(map, first + by, end + by, first, end))
            return block_seconds * (double)by;
    }
    return 0.0;
}

static void tell_overlap(level_judgement *self, speech_map *map, uint64_t start, uint64_t end, size_t *told)
{
    char place[PLACE_TEXT_SIZE];
    finding *item = add_stretch(self, "ad.overlap", self->stems->crossed ? crossed_overlap_seconds : overlap_seconds, start, end,
                                told, place);
    if (item == NULL)
        return;
    arena *memory = self->base->memory;
    double move = move_of(self, map, start);
    item->details_json = arena_format(memory, move == 0.0 ? "{\"move_s\": null}" : "{\"move_s\": %.2f}", move);
    item->message = arena_format(memory, "The narration lies over dialogue for %.1f s from %s. %s", item->measured, place,
                                 move == 0.0 ? "No gap of the reel takes it: shorten it."
                                             : arena_format(memory, "Move it by %.2f s, %s, into the nearest gap that takes it, or shorten it.",
                                                            fabs(move), move < 0.0 ? "earlier" : "later"));
}

static void judge_overlap(level_judgement *self)
{
    speech_map map = map_speech(self);
    size_t told = 0;
    uint64_t start = 0;
    bool open = false;
    for (size_t b = 0; b <= self->stems->block_count; b++) {
        bool last = b == self->stems->block_count;
        bool both = !last && map.narration[b] && map.dialogue_before[b + 1] > map.dialogue_before[b];
        uint64_t frame = last ? self->stems->frame_count : self->stems->blocks[b].frame;
        if (both && !open)
            start = frame;
        if (!both && open)
            tell_overlap(self, &map, start, frame, &told);
        open = both;
    }
    judgement_tell_rest(self->base, "ad.overlap", FINDING_WARN, told > VERDICT_RUNS_MAX ? told - VERDICT_RUNS_MAX : 0);
}

static bool recipe_takes(const recipe *made_by, const char *role)
{
    for (uint32_t i = 0; i < made_by->role_count; i++)
        if (strcmp(made_by->roles[i], role) == 0)
            return true;
    return false;
}

void judge_stem_levels(judgement *self, bool first, stem_levels_kind kind)
{
    level_judgement levels = {.base = self,
                              .program = &self->facts->plan->programs[self->deliverable->program],
                              .stems = self->facts->stems};
    const recipe *made_by = self->show->deliverables[self->facts->deliverable].recipe;
    if (first)
        judge_silent(&levels);
    bool mixed = made_by != NULL && !made_by->takes_stem;
    if (kind == STEM_LEVELS_MUSIC_AND_EFFECTS ||
        (mixed && recipe_takes(made_by, "music") && recipe_takes(made_by, "effects") &&
         !recipe_takes(made_by, "dialogue") && !recipe_takes(made_by, "narration")))
        judge_fill(&levels);
    if (kind == STEM_LEVELS_DESCRIPTION ||
        (mixed && recipe_takes(made_by, "dialogue") && recipe_takes(made_by, "narration") && !levels.stems->crossed))
        judge_overlap(&levels);
}
