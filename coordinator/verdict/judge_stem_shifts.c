/* Which runs of the stems' truth a stem, or the programme, at another time explains. */
#include "coordinator/verdict/stem_judgement.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- shifts that are the same ---- */

enum { APART_BLOCKS = 4 };

static bool beside(const stem_shift_run *a, const stem_shift_run *b, uint64_t block_frames)
{
    return a->start <= b->end + APART_BLOCKS * block_frames && b->start <= a->end + APART_BLOCKS * block_frames;
}

static void take_in(stem_shift_run *known, const stem_shift_run *other)
{
    known->start = other->start < known->start ? other->start : known->start;
    known->end = other->end > known->end ? other->end : known->end;
    known->outputs |= other->outputs;
    known->residual_dbfs = fmax(known->residual_dbfs, other->residual_dbfs);
}

/* One of the same shift, hardly apart, is the same. */
static void add_shift(stem_shifts *self, const stem_shift *shift, const stem_run *run, uint64_t block_frames)
{
    stem_shift_run added = {*shift, run->start_frame, run->end_frame, run->outputs, run->residual_dbfs};
    for (uint32_t i = 0; i < self->count; i++) {
        stem_shift_run *known = &self->items[i];
        bool same = known->shift.whole == shift->whole && known->shift.samples == shift->samples &&
                    (shift->whole || known->shift.element == shift->element);
        if (!same || !beside(known, &added, block_frames))
            continue;
        take_in(known, &added);
        return;
    }
    if (self->count < SHIFTS_TOLD_MAX)
        self->items[self->count++] = added;
}

/* Between two shifts a stem is heard where nothing is found wrong: there it lies in its place. */
static bool in_place_between(const stem_judgement *self, const stem_shift_run *a, const stem_shift_run *b)
{
    const stem_programme *programme = self->judgement->facts->stems;
    const uint64_t start = a->end < b->end ? a->end : b->end;
    const uint64_t end = a->start > b->start ? a->start : b->start;
    for (size_t k = stem_judgement_block(self, start); k < programme->block_count && programme->blocks[k].frame < end; k++) {
        const stem_block *block = &programme->blocks[k];
        const stem_run within = {.start_frame = block->frame, .end_frame = block->frame + block->frame_count};
        uint32_t wrong = 0;
        for (uint32_t i = 0; i < self->truth.run_count; i++) {
            const stem_run *run = &self->truth.runs[i];
            wrong |= run->start_frame < within.end_frame && run->end_frame > within.start_frame ? run->outputs : 0;
        }
        for (uint32_t o = 0; o < self->model.output_count; o++)
            for (uint32_t e = 0; e < self->model.element_count; e++)
                if (((a->outputs & ~wrong) >> o & 1U) != 0 && (a->shift.whole || a->shift.element == e) &&
                    stem_judgement_energy(self, e, o, &within) > STEM_TOLD_POWER * block->frame_count)
                    return true;
    }
    return false;
}

/* Of a stem's shift and the programme's. */
static bool stem_is_longer(const stem_shift_run *a, const stem_shift_run *b)
{
    const stem_shift_run *stem = a->shift.whole ? b : a;
    const stem_shift_run *whole = a->shift.whole ? a : b;
    return stem->end - stem->start > whole->end - whole->start;
}

/*
 * What is told of a stem and of the whole programme beside it, by as much, is the programme's; or the stem's, where that lasts
 * longer and a stem in its place only paused. A pause between makes no two.
 */
static bool is_one(const stem_judgement *self, const stem_shift_run *known, const stem_shift_run *other, uint64_t block_frames)
{
    if (known->shift.samples != other->shift.samples)
        return false;
    if (beside(known, other, block_frames) && (known->shift.whole || other->shift.whole) &&
        (known->shift.whole == other->shift.whole ||
         known->shift.whole != (stem_is_longer(known, other) &&
                                judgement_some_lie_there(self->judgement, self->model.element_count, known->shift.samples))))
        return true;
    return known->shift.whole == other->shift.whole && (known->shift.whole || known->shift.element == other->shift.element) &&
           !in_place_between(self, known, other);
}

static void join_shifts(stem_judgement *self, uint64_t block_frames)
{
    stem_shifts *shifts = &self->shifts;
    for (bool joined = true; joined;) {
        joined = false;
        for (uint32_t i = 0; i < shifts->count && !joined; i++)
            for (uint32_t k = 0; k < shifts->count && !joined; k++) {
                const stem_shift_run *other = &shifts->items[k];
                if (i == k || !is_one(self, &shifts->items[i], other, block_frames))
                    continue;
                take_in(&shifts->items[i], other);
                for (uint32_t rest = k + 1; rest < shifts->count; rest++)
                    shifts->items[rest - 1] = shifts->items[rest];
                shifts->count--;
                joined = true;
            }
    }
}

/*
 * What a stem at another time makes of single channels and blocks is that shift and nothing more: a low tone may come out upside
 * down, and the stem is missing where it should be. True if the run lies at a shift of its stem, or most of it in one of others.
 */
static bool follows_shift(const stem_shifts *shifts, const stem_run *run, uint64_t block_frames)
{
    for (uint32_t i = 0; i < shifts->count; i++) {
        const stem_shift_run *known = &shifts->items[i];
        uint64_t first = run->start_frame > known->start ? run->start_frame : known->start;
        uint64_t end = run->end_frame < known->end ? run->end_frame : known->end;
        bool any = known->shift.whole || (run->fault == STEM_FAULT_UNEXPLAINED && (run->outputs & known->outputs) != 0);
        bool own = !any && run->element == known->shift.element;
        if (any && end > first && (end - first) * 2 > run->end_frame - run->start_frame)
            return true;
        const uint64_t near = run->end_frame - run->start_frame <= APART_BLOCKS * block_frames ? APART_BLOCKS : 2;
        if (own && end + near * block_frames >= first)
            return true;
    }
    return false;
}

/* ---- finding them ---- */

/* Which stems play in any of a run's channels, by bit. */
static uint64_t players_of(const stem_judgement *self, uint32_t outputs, const stem_run *run)
{
    uint64_t players = 0;
    for (uint32_t e = 0; e < self->model.element_count; e++)
        for (uint32_t o = 0; o < self->model.output_count; o++)
            if ((outputs >> o & 1U) != 0 && stem_judgement_plays_in(self, e, o, run))
                players |= UINT64_C(1) << e;
    return players;
}

/*
 * Adds what explains a run whose channels have the same stems: the programme lies elsewhere where all of them do by as much,
 * and else each stem that shows it in more than half as many cells as the clearest. False where nothing explains it.
 */
static bool explain_by_shifts(stem_judgement *self, const stem_run *run, uint64_t players)
{
    uint64_t block = stem_block_frames(self->model.lane_count, true);
    stem_shift clearest = judgement_shift(self->judgement, self->model.element_count, players, run);
    if (clearest.cell_count > 0 && clearest.whole)
        add_shift(&self->shifts, &clearest, run, block);
    for (uint32_t e = 0; e < self->model.element_count && clearest.cell_count > 0 && !clearest.whole; e++) {
        stem_shift shift = judgement_shift(self->judgement, self->model.element_count, players & UINT64_C(1) << e, run);
        if (shift.cell_count * 2 > clearest.cell_count)
            add_shift(&self->shifts, &shift, run, block);
    }
    return clearest.cell_count > 0;
}

/* Of a run, at once or by channels that have the same stems; returns the channels that nothing explains. */
static uint32_t find_shifts_of(stem_judgement *self, const stem_run *run)
{
    uint64_t players = players_of(self, run->outputs, run);
    if (judgement_shift(self->judgement, self->model.element_count, players, run).whole)
        return explain_by_shifts(self, run, players) ? 0 : run->outputs;
    uint32_t unexplained = 0;
    for (uint32_t left = run->outputs; left != 0;) {
        stem_run part = *run;
        part.outputs = 0;
        for (uint32_t o = 0; o < self->model.output_count; o++) {
            uint64_t here = (left >> o & 1U) != 0 ? players_of(self, 1U << o, run) : 0;
            if ((left >> o & 1U) != 0 && (part.outputs == 0 || here == players)) {
                part.outputs |= 1U << o;
                players = here;
            }
        }
        left &= ~part.outputs;
        if (!explain_by_shifts(self, &part, players))
            unexplained |= part.outputs;
    }
    return unexplained;
}

void stem_judgement_find_shifts(stem_judgement *self)
{
    stem_truth *truth = &self->truth;
    uint64_t block = stem_block_frames(self->model.lane_count, true);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < truth->run_count; i++) {
        stem_run run = truth->runs[i];
        stem_gap_place gap;
        bool received = false;
        if (run.fault == STEM_FAULT_UNEXPLAINED && !(stem_judgement_dropout(self, &run, &gap, &received) && received))
            run.outputs = find_shifts_of(self, &run);
        if (run.outputs != 0)
            truth->runs[kept++] = run;
    }
    truth->run_count = kept;
    join_shifts(self, block);
    kept = 0;
    for (uint32_t i = 0; i < truth->run_count; i++)
        if (!follows_shift(&self->shifts, &truth->runs[i], block))
            truth->runs[kept++] = truth->runs[i];
    truth->run_count = kept;
}

/* ---- telling ---- */

static const char *shifted_name(const stem_judgement *self, const stem_shift_run *found)
{
    return self->judgement->show->stems[self->stems[found->shift.element]].name;
}

static bool lie_together(const stem_shift_run *a, const stem_shift_run *b)
{
    const uint64_t first = a->start > b->start ? a->start : b->start;
    const uint64_t end = a->end < b->end ? a->end : b->end;
    return end > first && ((end - first) * 2 > a->end - a->start || (end - first) * 2 > b->end - b->start);
}

/* Stems that lie elsewhere, and otherwise, most of that time: "MX 5 samples (0.10 ms) late"; "" where there are none. */
static const char *others_of(const stem_judgement *self, const stem_shift_run *found)
{
    const judgement *base = self->judgement;
    const char *list = "";
    for (uint32_t i = 0; i < self->shifts.count && !found->shift.whole; i++) {
        const stem_shift_run *other = &self->shifts.items[i];
        if (other->shift.whole || other->shift.samples == found->shift.samples || !lie_together(found, other))
            continue;
        list = arena_format(base->memory, "%s%s%s %s", list, list[0] == '\0' ? "" : ", ", shifted_name(self, other),
                            judgement_shift_words(base, other->shift.samples));
    }
    return list;
}

/* Dialogue does not lie late in an M&E: it does not belong there. It is as loud as what no gain explains. */
static void tell_late_dialogue(stem_judgement *self, const stem_shift_run *found)
{
    judgement *base = self->judgement;
    const stem_run stretch = {.start_frame = found->start, .end_frame = found->end};
    double own = 0.0;
    double frames = 0.0;
    for (uint32_t o = 0; o < self->model.output_count; o++)
        own += stem_judgement_energy(self, found->shift.element, o, &stretch);
    const stem_programme *programme = base->facts->stems;
    for (size_t b = stem_judgement_block(self, found->start);
         b < programme->block_count && programme->blocks[b].frame < found->end; b++)
        frames += (double)programme->blocks[b].frame_count;
    const double gain_db = found->residual_dbfs - 10.0 * log10(fmax(own, 1e-20) / fmax(frames, 1.0));
    const char *name = shifted_name(self, found);
    finding *item = stem_judgement_fault(self, "me.dialogue", gain_db, "dB");
    judgement_locate(base, item, found->start, found->end);
    stem_judgement_channels(self, item, found->outputs);
    item->subject = arena_format(base->memory, "late %s", name);
    item->message = arena_format(base->memory, "%s is in it%s %s at about %.0f dB, %s, though it is not part of this programme. Mute it and print again.",
                                 name, stem_judgement_channel_words(self, item), judgement_stretch(base, found->start, found->end),
                                 gain_db, judgement_shift_words(base, found->shift.samples));
    item->details_json = arena_format(base->memory, "{\"fault\": \"extra\", \"source\": \"%s\", \"gain_db\": %.2f, \"delay_samples\": %d, \"residual_dbfs\": %.2f}",
                                      name, gain_db, found->shift.samples, found->residual_dbfs);
}

static bool is_foreign_dialogue(const stem_judgement *self, const stem_shift_run *found)
{
    const uint32_t e = found->shift.element;
    return !found->shift.whole && self->model.belongs[e] == STEM_FOREIGN &&
           self->judgement->show->stems[self->stems[e]].role == ROLE_DIALOGUE;
}

/* Of several stems that are off alike: names; their first for the rest. */
static void tell_shift(stem_judgement *self, const stem_shift_run *found, const char *names)
{
    judgement *base = self->judgement;
    const stem_shift *shift = &found->shift;
    const char *others = others_of(self, found);
    const bool known = shift->left < STEM_SHIFT_LEFT_MAX || others[0] != '\0'; /* beside others that are off none fits well alone */
    finding *item = stem_judgement_fault(self, "stems.null", found->residual_dbfs, "dBFS");
    if (known && judgement_late_severity(base, shift->samples) == FINDING_FAIL)
        stem_judgement_reject(self, item);
    judgement_locate(base, item, found->start, found->end);
    stem_judgement_channels(self, item, found->outputs);
    item->subject = arena_format(base->memory, "shifted %s", names);
    const bool several = strchr(names, ',') != NULL;
    const char *who = shift->whole ? "The programme" : names;
    const char *beside = others[0] == '\0' ? "" : arena_format(base->memory, " Off there, too: %s.", others);
    const char *advice = known ? arena_format(base->memory, "Move %s %d sample%s %s and print again.%s", several ? "them" : "it", abs(shift->samples),
                                              abs(shift->samples) == 1 ? "" : "s", shift->samples > 0 ? "earlier" : "later", beside)
                               : "It fits best there, and not well: it may be another version, or cut otherwise. Compare it by ear before it is moved.";
    item->message = arena_format(base->memory, "%s lie%s %s%s %s against %s. %s", who, several ? "" : "s", judgement_shift_words(base, shift->samples),
                                 stem_judgement_channel_words(self, item), judgement_stretch(base, found->start, found->end),
                                 shift->whole ? "all its stems" : "the other stems", advice);
    item->details_json = arena_format(
        base->memory, "{\"fault\": \"shifted\", \"source\": \"%s\", \"delay_samples\": %d, \"left\": %.3f, \"residual_dbfs\": %s}", names,
        shift->samples, shift->left, isfinite(found->residual_dbfs) ? arena_format(base->memory, "%.2f", found->residual_dbfs) : "null");
}

void stem_judgement_tell_shifts(stem_judgement *self)
{
    bool told[SHIFTS_TOLD_MAX] = {false};
    for (uint32_t i = 0; i < self->shifts.count; i++) {
        stem_shift_run all = self->shifts.items[i];
        if (is_foreign_dialogue(self, &all)) {
            tell_late_dialogue(self, &all);
            continue;
        }
        const char *names = all.shift.whole ? "" : shifted_name(self, &all);
        for (uint32_t k = i + 1; k < self->shifts.count && !told[i] && !all.shift.whole; k++) {
            const stem_shift_run *other = &self->shifts.items[k];
            if (told[k] || other->shift.whole || is_foreign_dialogue(self, other) || other->shift.element == all.shift.element ||
                other->shift.samples != all.shift.samples || !lie_together(&all, other))
                continue;
            take_in(&all, other);
            all.shift.left = fmin(all.shift.left, other->shift.left);
            names = arena_format(self->judgement->memory, "%s, %s", names, shifted_name(self, other));
            told[k] = true;
        }
        if (!told[i])
            tell_shift(self, &all, names);
    }
}
