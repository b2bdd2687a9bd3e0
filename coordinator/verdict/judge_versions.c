/*
 * A stem that holds something else than what was printed: another version of it, or another cut that lies too far off to be found
 * sample by sample. Gains that no stem has, stretches that nothing explains and chance peaks of its correlation are then one cause,
 * told once of a stem and reel.
 */
#include "coordinator/verdict/stem_judgement.h"

#include "common/measure/stem_solve.h"

#include <math.h>
#include <string.h>

/*
 * Reasons for the numbers. What was printed has of another version what chance gives; a stem at another time, too, and at a few
 * samples most. All else must be in its place, or the cause is another. What stands there instead is at least a twentieth as
 * strong (-13 dB): with less of it the stem is missing.
 */
static const double least_own = 1e-4; /* as in the truth */
static const double absent_most = 0.3;
static const double unity_within = 0.15;
static const double sure_within = 0.1;
static const double instead_least = 0.05;
enum { COLOUR = 30, LEAST_SECONDS = 3, NEAR_BLOCKS = 4, SHORT_BLOCKS = 2 };

typedef struct version {
    const plan_piece *piece;
    uint32_t element;
    uint64_t start, end;
    uint32_t outputs; /* bit per channel of the programme */
    double residual_dbfs;
} version;

static bool may_be_another(const stem_judgement *self, uint32_t element)
{
    return self->truth.presence[element] == STEM_PRESENT || self->model.belongs[element] == STEM_BELONGS;
}

/* ---- which stems a stretch does not hold, though all others are in their place ---- */

typedef struct stretch_sums {
    double a[STEM_ELEMENTS_MAX * STEM_ELEMENTS_MAX], b[STEM_ELEMENTS_MAX], own, frames;
} stretch_sums;

static double gain_of(const stem_judgement *self, uint32_t output, uint32_t lane)
{
    return may_be_another(self, self->model.element_of[lane]) ? stem_judgement_gain(self, output, lane) : 0.0;
}

static void add_block(const stem_judgement *self, const stem_block *block, uint32_t output, stretch_sums *sums)
{
    const stem_model *model = &self->model;
    for (uint32_t i = model->output_count; i < model->lane_count; i++) {
        double gain = gain_of(self, output, i);
        if (gain == 0.0)
            continue;
        uint32_t e = model->element_of[i];
        sums->b[e] += gain * block->sums[stem_sum_index(i, output)];
        for (uint32_t k = model->output_count; k < model->lane_count; k++)
            sums->a[e * model->element_count + model->element_of[k]] +=
                gain * gain_of(self, output, k) * block->sums[stem_sum_index(i, k)];
    }
    sums->own += block->sums[stem_sum_index(output, output)];
    sums->frames += block->frame_count;
}

/* True if another channel, in which nothing is found wrong, holds the stem: it was printed, and only these channels are not. */
static bool right_elsewhere(const stem_judgement *self, uint32_t element, uint64_t start, uint64_t end, uint32_t outputs)
{
    const stem_run stretch = {.start_frame = start, .end_frame = end, .outputs = outputs, .element = (uint8_t)element};
    return stem_judgement_right_elsewhere(self, &stretch, STEM_TOLD_POWER);
}

/* By bit; none where a stem is neither in its place nor away, or none is in its place: then it is those channels of the print. */
static uint64_t stems_away(stem_judgement *self, uint64_t start, uint64_t end, uint32_t outputs)
{
    const stem_programme *programme = self->judgement->facts->stems;
    const uint32_t count = self->model.element_count;
    stretch_sums *sums = arena_take(self->judgement->memory, sizeof *sums);
    for (size_t b = stem_judgement_block(self, start); b < programme->block_count && programme->blocks[b].frame < end; b++)
        for (uint32_t o = 0; o < self->model.output_count; o++)
            if ((outputs >> o & 1U) != 0)
                add_block(self, &programme->blocks[b], o, sums);
    double x[STEM_ELEMENTS_MAX];
    double partial[STEM_ELEMENTS_MAX];
    stem_solve(count, sums->a, sums->b, least_own, x, partial);
    double left = sums->own;
    for (uint32_t e = 0; e < count; e++)
        left -= x[e] * sums->b[e];
    uint64_t away = 0;
    uint32_t playing = 0;
    uint32_t in_place = 0;
    for (uint32_t e = 0; e < count; e++) {
        double energy = sums->a[e * count + e];
        if (energy <= STEM_HEARD_POWER * sums->frames || partial[e] <= 0.0)
            continue;
        playing++;
        double sigma = sqrt(fmax(left, 0.0) * COLOUR / sums->frames / partial[e]);
        if (fabs(x[e]) <= absent_most && sigma < sure_within && left >= instead_least * energy &&
            !right_elsewhere(self, e, start, end, outputs))
            away |= UINT64_C(1) << e;
        else if (fabs(x[e] - 1.0) > unity_within + 3.0 * sigma)
            return 0;
        else
            in_place++;
    }
    return playing > 1 && in_place == 0 ? 0 : away;
}

/* ---- where the stem has what was printed ---- */

/*
 * By the levels of blocks alone, at unity. A block is divided into parts; steady sound is alike everywhere, so no other place may
 * be nearly as good.
 */
enum { PARTS = 8, MATCH_MOST = 64, MATCH_LEAST = 20, APART_BLOCKS = 3 };
static const double alike_ratio = 1.41;  /* 1.5 dB */
static const double alike_least = 0.5;   /* of the blocks that are held against each other */
static const double others_most = 0.7;   /* of that, elsewhere */

/* Energies of blocks of a reel by channel of the programme, in dB. */
typedef struct level_track {
    size_t first, count; /* blocks */
    double *energy;      /* [block][output] */
} level_track;

static level_track piece_blocks(const stem_judgement *self, const plan_piece *piece)
{
    size_t first = stem_judgement_block(self, piece->programme_frame);
    size_t end = stem_judgement_block(self, piece->programme_frame + piece->frame_count);
    level_track track = {.first = first, .count = end - first};
    track.energy = arena_take_array(self->judgement->memory, track.count * self->model.output_count + 1, sizeof(double));
    return track;
}

/* What a stem gives to the programme, or (instead) what the programme has in its place. */
static level_track stem_track(const stem_judgement *self, const plan_piece *piece, uint32_t element, bool instead)
{
    const stem_model *model = &self->model;
    level_track track = piece_blocks(self, piece);
    for (size_t b = 0; b < track.count; b++)
        for (uint32_t o = 0; o < model->output_count; o++) {
            const double *sums = self->judgement->facts->stems->blocks[track.first + b].sums;
            double energy = instead ? sums[stem_sum_index(o, o)] : 0.0;
            for (uint32_t i = model->output_count; i < model->lane_count; i++) {
                double gain = (model->element_of[i] == element) == instead ? 0.0 : gain_of(self, o, i);
                energy -= instead && gain != 0.0 ? 2.0 * gain * sums[stem_sum_index(i, o)] : 0.0;
                for (uint32_t k = model->output_count; gain != 0.0 && k < model->lane_count; k++)
                    if ((model->element_of[k] == element) != instead)
                        energy += gain * gain_of(self, o, k) * sums[stem_sum_index(i, k)];
            }
            track.energy[b * model->output_count + o] = energy;
        }
    return track;
}

/* Blocks of what was printed, not too many of them. */
typedef struct printed_part {
    level_track track;
    size_t from, to, step;
} printed_part;

/* The share of what was printed that a stem has so many parts of a block earlier, at the same level; 0: it has too little of it. */
static double share_alike(const stem_judgement *self, const printed_part *printed, const level_track *held, int64_t parts)
{
    const uint32_t outputs = self->model.output_count;
    const double heard = STEM_HEARD_POWER * stem_block_frames(self->model.lane_count, true);
    const int64_t whole = (parts >= 0 ? parts : parts - (PARTS - 1)) / PARTS;
    const double rest = (double)(parts - whole * PARTS) / PARTS;
    uint32_t possible = 0;
    uint32_t known = 0;
    uint32_t alike = 0;
    for (size_t b = printed->from; b < printed->to; b += printed->step)
        for (uint32_t o = 0; o < outputs; o++) {
            const double level = printed->track.energy[b * outputs + o];
            possible += level > heard;
            const int64_t at = (int64_t)b - whole;
            if (at < 1 || at >= (int64_t)held->count)
                continue;
            const double *here = &held->energy[(size_t)at * outputs + o];
            const double there = (1.0 - rest) * here[0] + rest * *(here - outputs);
            if (level <= heard && there <= heard)
                continue;
            known++;
            alike += level < alike_ratio * there && there < alike_ratio * level;
        }
    return alike < MATCH_LEAST || known * 2 < possible ? 0.0 : (double)alike / (double)known;
}

/* By how many parts of a block a stem has it earlier; false where no place, or more than one, is like it. */
static bool find_match(const stem_judgement *self, const printed_part *printed, const level_track *held, int64_t *out_parts,
                       double *out_share)
{
    const int64_t reach = (int64_t)(printed->to > held->count ? printed->to : held->count) * PARTS;
    double *shares = arena_take_array(self->judgement->memory, (size_t)(2 * reach + 1), sizeof *shares);
    int64_t best = 0;
    for (int64_t i = 0; i <= 2 * reach; i++) {
        shares[i] = share_alike(self, printed, held, i - reach);
        best = shares[i] > shares[best] ? i : best;
    }
    double elsewhere = 0.0;
    for (int64_t i = 0; i <= 2 * reach; i++)
        if (i < best - APART_BLOCKS * PARTS || i > best + APART_BLOCKS * PARTS)
            elsewhere = fmax(elsewhere, shares[i]);
    *out_parts = best - reach;
    *out_share = shares[best];
    return shares[best] >= alike_least && elsewhere <= others_most * shares[best];
}

/* ---- telling ---- */

/* "What was printed there is what it has about 3.0 s earlier": by its level, block by block; "" where nothing is like it. */
static const char *match_words(stem_judgement *self, const version *found)
{
    judgement *base = self->judgement;
    const plan_piece *piece = found->piece;
    const double rate = base->timeline->sample_rate;
    printed_part printed = {.track = stem_track(self, piece, found->element, true), .step = 1};
    printed.from = stem_judgement_block(self, found->start) - printed.track.first;
    printed.to = stem_judgement_block(self, found->end) - printed.track.first;
    printed.to = printed.to < printed.track.count ? printed.to : printed.track.count;
    printed.step += (printed.to - printed.from) / MATCH_MOST;
    const char *words = "";
    double most = 0.0;
    for (uint32_t p = 0; p < base->timeline->piece_count; p++) {
        const plan_piece *other = &base->timeline->pieces[p];
        const level_track held = stem_track(self, other, found->element, false);
        int64_t parts = 0;
        double share = 0.0;
        if (!find_match(self, &printed, &held, &parts, &share) || share <= most)
            continue;
        most = share;
        const double half_seconds = round(2.0 * (double)parts * stem_block_frames(self->model.lane_count, true) / PARTS / rate);
        words = other != piece ? arena_format(base->memory, " Most of what was printed there is what it has in reel %s.",
                                              base->show->reels[other->reel].name)
                               : arena_format(base->memory, " Most of what was printed there is what it has %s.",
                                              half_seconds == 0.0 ? "at nearly the same time"
                                                                  : arena_format(base->memory, "about %.1f s %s", fabs(half_seconds) / 2.0,
                                                                                 half_seconds > 0.0 ? "earlier" : "later"));
    }
    return words;
}

static void tell_version(stem_judgement *self, const version *found)
{
    judgement *base = self->judgement;
    const plan_piece *piece = found->piece;
    const char *name = base->show->stems[self->stems[found->element]].name;
    finding *item = stem_judgement_fault(self, "stems.null", found->residual_dbfs, "dBFS");
    stem_judgement_reject(self, item);
    judgement_locate(base, item, found->start, found->end);
    stem_judgement_channels(self, item, found->outputs);
    const char *reel = base->show->reels[piece->reel].name;
    item->subject = arena_format(base->memory, "another %s %s", name, reel);
    const char *whose = piece->spans_reels || reel[0] == '\0' ? "" : arena_format(base->memory, " of reel %s", reel);
    item->message = arena_format(base->memory, "%s%s is not what was printed%s %s: another version of it, or another cut.%s Deliver the stem that was "
                                 "printed, or print again with this one.",
                                 name, whose, stem_judgement_channel_words(self, item),
                                 judgement_stretch(base, found->start, found->end), match_words(self, found));
    item->details_json = arena_format(base->memory, "{\"fault\": \"another\", \"source\": \"%s\", \"residual_dbfs\": %.2f}", name,
                                      found->residual_dbfs);
}

/* ---- of a reel ---- */

typedef struct candidates {
    uint64_t *of_run, *of_shift; /* stems that are away there, by bit */
} candidates;

static bool begins_in(const plan_piece *piece, uint64_t frame)
{
    return frame >= piece->programme_frame && frame < piece->programme_frame + piece->frame_count;
}

static void take_stretch(version *found, uint64_t start, uint64_t end, uint32_t outputs, double residual_dbfs)
{
    found->start = start < found->start ? start : found->start;
    found->end = end > found->end ? end : found->end;
    found->outputs |= outputs;
    found->residual_dbfs = fmax(found->residual_dbfs, residual_dbfs);
}

/* True if a stem is away in a reel for long; a shift alone that leaves much is told as that. */
static bool find_version(stem_judgement *self, const plan_piece *piece, const candidates *away, uint32_t element, version *found)
{
    uint64_t seen = piece->programme_frame;
    uint64_t frames = 0;
    uint32_t shifts = 0;
    uint32_t runs = 0;
    *found = (version){.piece = piece, .element = element, .start = UINT64_MAX, .residual_dbfs = -HUGE_VAL};
    for (uint32_t i = 0; i < self->shifts.count; i++) {
        const stem_shift_run *run = &self->shifts.items[i];
        if (!begins_in(piece, run->start) || (away->of_shift[i] >> element & 1U) == 0)
            continue;
        shifts++;
        frames += run->end - run->start;
        take_stretch(found, run->start, run->end, run->outputs, run->residual_dbfs);
    }
    for (uint32_t i = 0; i < self->truth.run_count; i++) { /* by time */
        const stem_run *run = &self->truth.runs[i];
        if (!begins_in(piece, run->start_frame) || (away->of_run[i] >> element & 1U) == 0)
            continue;
        runs++;
        uint64_t first = run->start_frame > seen ? run->start_frame : seen;
        frames += run->end_frame > first ? run->end_frame - first : 0;
        seen = run->end_frame > seen ? run->end_frame : seen;
        take_stretch(found, run->start_frame, run->end_frame, run->outputs, run->residual_dbfs);
    }
    return frames >= LEAST_SECONDS * (uint64_t)self->judgement->timeline->sample_rate && (runs > 0 || shifts > 1);
}

static uint64_t overlap(uint64_t start, uint64_t end, const version *found)
{
    uint64_t first = start > found->start ? start : found->start;
    uint64_t last = end < found->end ? end : found->end;
    return last > first ? last - first : 0;
}

/* What another version makes of the comparison: of its own stem all that touches it, of others what lasts a block or two. */
static bool belongs_to(const stem_judgement *self, const stem_run *run, const version *found)
{
    if (run->end_frame <= found->piece->programme_frame ||
        run->start_frame >= found->piece->programme_frame + found->piece->frame_count)
        return false; /* what another reel has is another fault, however near it ends */
    const uint64_t block = stem_block_frames(self->model.lane_count, true);
    const uint64_t length = run->end_frame - run->start_frame;
    const bool within = overlap(run->start_frame, run->end_frame, found) * 2 > length;
    if (run->fault == STEM_FAULT_EXTRA && run->element != found->element)
        return false;
    if (run->fault == STEM_FAULT_UNEXPLAINED)
        return within;
    if (run->element == found->element)
        return run->start_frame <= found->end + NEAR_BLOCKS * block && found->start <= run->end_frame + NEAR_BLOCKS * block;
    return within && length <= SHORT_BLOCKS * block && (run->outputs & ~found->outputs) == 0;
}

static void take_out(stem_judgement *self, version *found)
{
    stem_truth *truth = &self->truth;
    for (bool more = true; more;) {
        more = false;
        for (uint32_t i = 0; i < truth->run_count; i++) {
            const stem_run run = truth->runs[i];
            if (!belongs_to(self, &run, found))
                continue;
            if (run.element == found->element || run.fault == STEM_FAULT_UNEXPLAINED)
                take_stretch(found, run.start_frame, run.end_frame, run.outputs, run.residual_dbfs);
            memmove(&truth->runs[i], &truth->runs[i + 1], (truth->run_count - i - 1) * sizeof truth->runs[0]);
            truth->run_count--;
            more = true;
            break;
        }
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < self->shifts.count; i++) {
        const stem_shift_run *run = &self->shifts.items[i];
        if (run->shift.left < STEM_SHIFT_LEFT_MAX || overlap(run->start, run->end, found) * 2 <= run->end - run->start)
            self->shifts.items[kept++] = *run;
    }
    self->shifts.count = kept;
}

/* A run that goes on over a join, and of which other stems are away on both sides of it, becomes two. */
static void divide_at_join(stem_judgement *self, uint32_t at, uint64_t join)
{
    stem_truth *truth = &self->truth;
    const stem_run run = truth->runs[at];
    if (run.fault != STEM_FAULT_UNEXPLAINED || run.start_frame >= join || run.end_frame <= join ||
        truth->run_count == STEM_RUNS_MAX ||
        stems_away(self, run.start_frame, join, run.outputs) == stems_away(self, join, run.end_frame, run.outputs))
        return;
    uint32_t place = at + 1;
    while (place < truth->run_count && truth->runs[place].start_frame < join)
        place++;
    memmove(&truth->runs[place + 1], &truth->runs[place], (truth->run_count - place) * sizeof truth->runs[0]);
    truth->run_count++;
    truth->runs[place] = run;
    truth->runs[place].start_frame = join;
    truth->runs[at].end_frame = join;
}

static candidates find_candidates(stem_judgement *self)
{
    const plan_timeline *timeline = self->judgement->timeline;
    for (uint32_t p = 1; p < timeline->piece_count; p++)
        for (uint32_t i = 0; i < self->truth.run_count; i++)
            divide_at_join(self, i, timeline->pieces[p].programme_frame);

    arena *memory = self->judgement->memory;
    candidates away = {.of_run = arena_take_array(memory, self->truth.run_count + 1u, sizeof(uint64_t)),
                       .of_shift = arena_take_array(memory, self->shifts.count + 1u, sizeof(uint64_t))};
    for (uint32_t i = 0; i < self->truth.run_count; i++) {
        const stem_run *run = &self->truth.runs[i];
        if (run->fault == STEM_FAULT_UNEXPLAINED)
            away.of_run[i] = stems_away(self, run->start_frame, run->end_frame, run->outputs);
    }
    for (uint32_t i = 0; i < self->shifts.count; i++) {
        const stem_shift_run *run = &self->shifts.items[i];
        if (run->shift.left >= STEM_SHIFT_LEFT_MAX)
            away.of_shift[i] = stems_away(self, run->start, run->end, run->outputs);
    }
    return away;
}

void judge_versions(stem_judgement *self)
{
    const plan_timeline *timeline = self->judgement->timeline;
    const candidates away = find_candidates(self);
    const size_t most = (size_t)timeline->piece_count * self->model.element_count + 1;
    version *found = arena_take_array(self->judgement->memory, most, sizeof *found);
    uint32_t count = 0;
    for (uint32_t p = 0; p < timeline->piece_count; p++)
        for (uint32_t e = 0; e < self->model.element_count; e++)
            count += find_version(self, &timeline->pieces[p], &away, e, &found[count]);
    for (uint32_t i = 0; i < count; i++) {
        self->another[found[i].element] = true;
        take_out(self, &found[i]);
    }
    for (uint32_t i = 0; i < count; i++)
        tell_version(self, &found[i]);
}
