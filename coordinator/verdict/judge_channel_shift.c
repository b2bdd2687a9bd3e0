/*
 * A channel of a received programme that lies at another time than its stems, which are in their place in other channels. The
 * features tell it as what the search for leaks finds of a stem in the programme's channel of the same name: heard late, at unity.
 */
#include "coordinator/verdict/finding_places.h"
#include "coordinator/verdict/finding_stretches.h"
#include "coordinator/verdict/stem_judgement.h"

#include "common/measure/stem_bleed.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double near_unity = 2.0;   /* beside other stems a gain is inexact; that of a low tone's next turn is far off */
static const double most_energy = 0.75; /* of a channel: stems that hold less lie there beside others that are in their place */
enum { CELLS_LEAST = 2, CHANCE_BLOCKS = 4, NEAR_SAMPLES = 3 /* further off the phase transform tells a stem from others */ };

/* Whose it is: a channel of the print, that channel of one stem of several there, or stems in all of their channels. */
typedef enum shift_owner { OWNER_PRINT, OWNER_STEM_CHANNEL, OWNER_STEMS } shift_owner;

/* Of one channel in one reel. */
typedef struct channel_shift {
    int samples;         /* 0: none; the channel is later */
    uint64_t start, end;
    uint64_t elements;   /* bit per stem that shows it */
    shift_owner owner;
    double residual_dbfs;
} channel_shift;

static bool speaks_of(const stem_judgement *self, const stem_leak *leak, uint32_t output)
{
    if (leak->host != output || leak->delay == 0)
        return false;
    const double gain = stem_leak_gain(leak) / stem_judgement_gain(self, output, leak->source);
    return isfinite(gain) && gain < near_unity && gain * near_unity > 1.0;
}

/* How many cells of a stretch show so many samples, or any (0); of those that show them, which stems do. */
static size_t count_cells(const stem_judgement *self, const channel_shift *at, uint32_t output, int samples, uint64_t *out_elements)
{
    const stem_programme *programme = self->judgement->facts->stems;
    size_t count = 0;
    *out_elements = 0;
    for (size_t c = 0; c < programme->cell_count; c++) {
        const stem_cell *cell = &programme->bleed[c];
        bool any = false;
        for (uint32_t i = 0; i < cell->leak_count && cell->frame < at->end && cell->frame + cell->frame_count > at->start; i++) {
            const stem_leak *leak = &cell->leaks[i];
            if (!speaks_of(self, leak, output) || (samples != 0 && leak->delay != samples))
                continue;
            any = true;
            *out_elements |= UINT64_C(1) << self->model.element_of[leak->source];
        }
        count += any;
    }
    return count;
}

/* The cells in which something of a channel is unexplained. */
static size_t count_unexplained(const stem_judgement *self, const channel_shift *at, uint32_t output)
{
    const stem_programme *programme = self->judgement->facts->stems;
    size_t count = 0;
    for (size_t c = 0; c < programme->cell_count; c++) {
        const stem_cell *cell = &programme->bleed[c];
        bool any = false;
        for (uint32_t i = 0; i < self->truth.run_count; i++) {
            const stem_run *run = &self->truth.runs[i];
            any = any || (run->fault == STEM_FAULT_UNEXPLAINED && (run->outputs >> output & 1U) != 0 &&
                          run->start_frame < cell->frame + cell->frame_count && run->end_frame > cell->frame &&
                          cell->frame < at->end && cell->frame + cell->frame_count > at->start);
        }
        count += any;
    }
    return count;
}

/* One of the stems plays in another channel, and nothing was found of it there. Of an LFE few samples leave nothing. */
static bool right_elsewhere(const stem_judgement *self, const channel_shift *at, uint32_t output)
{
    const stem_run stretch = {.start_frame = at->start, .end_frame = at->end};
    const channel_layout *layout = channel_layout_get(self->judgement->deliverable->layout);
    const double told = STEM_TOLD_POWER * (double)(at->end - at->start);
    uint64_t elements = 0;
    for (uint32_t o = 0; o < self->model.output_count; o++) {
        bool right = o != output && layout->labels[o] != CHANNEL_LFE && count_cells(self, at, o, at->samples, &elements) == 0;
        for (uint32_t i = 0; right && i < self->truth.run_count; i++) {
            const stem_run *run = &self->truth.runs[i];
            right = run->fault != STEM_FAULT_UNEXPLAINED || (run->outputs >> o & 1U) == 0 || run->start_frame >= at->end ||
                    run->end_frame <= at->start;
        }
        for (uint32_t e = 0; right && e < self->model.element_count; e++)
            if ((at->elements >> e & 1U) != 0 && stem_judgement_energy(self, e, o, &stretch) > told)
                return true;
    }
    return false;
}

/* Stems that show it hold the channel: it is the print's. Else it is theirs, beside others that are in their place there. */
static bool is_print(const stem_judgement *self, const channel_shift *at, uint32_t output)
{
    const stem_run stretch = {.start_frame = at->start, .end_frame = at->end};
    double all = 0.0;
    double shown = 0.0;
    for (uint32_t e = 0; e < self->model.element_count; e++) {
        const double energy = stem_judgement_energy(self, e, output, &stretch);
        all += energy;
        shown += (at->elements >> e & 1U) != 0 ? energy : 0.0;
    }
    return shown >= most_energy * all;
}

static channel_shift find_shift(const stem_judgement *self, const plan_piece *piece, uint32_t output)
{
    const stem_programme *programme = self->judgement->facts->stems;
    const uint64_t piece_end = piece->programme_frame + piece->frame_count;
    channel_shift best = {.start = UINT64_MAX, .residual_dbfs = -HUGE_VAL};
    for (uint32_t i = 0; i < self->truth.run_count; i++) {
        const stem_run *run = &self->truth.runs[i];
        if (run->fault != STEM_FAULT_UNEXPLAINED || (run->outputs >> output & 1U) == 0 || run->start_frame >= piece_end ||
            run->end_frame <= piece->programme_frame)
            continue;
        const uint64_t start = run->start_frame > piece->programme_frame ? run->start_frame : piece->programme_frame;
        const uint64_t end = run->end_frame < piece_end ? run->end_frame : piece_end;
        best.start = start < best.start ? start : best.start;
        best.end = end > best.end ? end : best.end;
        best.residual_dbfs = fmax(best.residual_dbfs, run->residual_dbfs);
    }
    size_t most = CELLS_LEAST - 1;
    uint64_t elements = 0;
    for (size_t c = 0; c < programme->cell_count && best.end > 0; c++)
        for (uint32_t i = 0; i < programme->bleed[c].leak_count; i++) {
            const stem_leak *leak = &programme->bleed[c].leaks[i];
            if (leak->delay == best.samples || !speaks_of(self, leak, output))
                continue;
            const size_t count = count_cells(self, &best, output, leak->delay, &elements);
            if (count <= most)
                continue;
            most = count;
            best.samples = leak->delay;
            best.elements = elements;
        }
    if (best.samples == 0)
        return best;
    const bool elsewhere = right_elsewhere(self, &best, output);
    best.owner = !elsewhere ? OWNER_STEMS : is_print(self, &best, output) ? OWNER_PRINT : OWNER_STEM_CHANNEL;
    const uint32_t stems = self->model.element_count;
    if (most * 4 < 3 * count_cells(self, &best, output, 0, &elements) || most * 2 < count_unexplained(self, &best, output) ||
        (!elsewhere &&
         (abs(best.samples) > NEAR_SAMPLES || !judgement_some_lie_there(self->judgement, stems, best.samples))))
        best.samples = 0;
    return best;
}

static const char *names_of(const stem_judgement *self, uint64_t elements)
{
    arena *memory = self->judgement->memory;
    const char *list = "";
    for (uint32_t e = 0; e < self->model.element_count; e++)
        if ((elements >> e & 1U) != 0)
            list = arena_format(memory, "%s%s%s", list, list[0] == '\0' ? "" : ", ", self->judgement->show->stems[self->stems[e]].name);
    return list;
}

/* "1 sample earlier" */
static const char *move_words(const stem_judgement *self, int samples)
{
    return arena_format(self->judgement->memory, "%d sample%s %s", abs(samples), abs(samples) == 1 ? "" : "s",
                        samples > 0 ? "earlier" : "later");
}

static void tell_channels(stem_judgement *self, const channel_shift *all_of, uint32_t outputs, const finding_stretches *all)
{
    judgement *base = self->judgement;
    arena *memory = base->memory;
    finding *item = stem_judgement_fault(self, "stems.null", all_of->residual_dbfs, "dBFS");
    judgement_locate(base, item, all->items[0].start, all->items[all->count - 1].end);
    finding_set_channels(item, channel_layout_get(base->deliverable->layout), outputs);
    const char *channels = finding_channel_names(memory, item);
    const char *stems = names_of(self, all_of->elements);
    const char *shift = judgement_shift_words(base, all_of->samples);
    const bool several = (outputs & (outputs - 1)) != 0;
    item->subject = arena_format(memory, "shifted %s", channels);
    const char *move = move_words(self, all_of->samples);
    const char *where = finding_stretches_text(base, all);
    uint64_t others = 0;
    for (uint32_t e = 0; e < self->model.element_count; e++)
        others |= self->truth.presence[e] == STEM_PRESENT && (all_of->elements >> e & 1U) == 0 ? UINT64_C(1) << e : 0;
    switch (all_of->owner) {
    case OWNER_PRINT:
        item->message = arena_format(memory, "%s alone lie%s %s %s: in the other channels its stems (%s) are in their place. Look for a plug-in or a delay in %s "
                                     "of the print, move %s %s and print again.",
                                     channels, several ? "" : "s", shift, where, stems, channels, several ? "them" : "it", move);
        break;
    case OWNER_STEM_CHANNEL:
        item->message = arena_format(memory, "%s lies %s in %s alone, %s: its other channels are in their place. Look for a delay in that channel of it, in the "
                                     "print or in the stem, move it %s and print again.",
                                     stems, shift, channels, where, move);
        break;
    case OWNER_STEMS:
    default:
        item->message = arena_format(memory, "%s lie%s %s in %s %s%s. Move %s %s and print again, or all of the programme where the rest is "
                                     "off by as much.",
                                     stems, strchr(stems, ',') == NULL ? "s" : "", shift, channels, where,
                                     others == 0 ? "" : arena_format(memory, ", and not %s", names_of(self, others)),
                                     strchr(stems, ',') == NULL ? "it" : "them", move);
    }
    item->details_json = arena_format(memory, "{\"fault\": \"shifted\", \"source\": \"%s\", \"delay_samples\": %d, \"residual_dbfs\": %.2f, %s}",
                                      all_of->owner == OWNER_PRINT ? "" : stems, all_of->samples, all_of->residual_dbfs, finding_stretches_json(base, all));
}

/* What else is found of those channels there is the shift, and beside it what lasts a few blocks. */
static void take_out(stem_judgement *self, uint32_t outputs, uint64_t start, uint64_t end)
{
    stem_truth *truth = &self->truth;
    const uint64_t near = CHANCE_BLOCKS * (uint64_t)stem_block_frames(self->model.lane_count, true);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < truth->run_count; i++) {
        stem_run run = truth->runs[i];
        const uint64_t length = run.end_frame - run.start_frame;
        const uint64_t first = run.start_frame > start ? run.start_frame : start;
        const uint64_t last = run.end_frame < end ? run.end_frame : end;
        const bool within = last > first && (last - first) * 2 > length;
        const bool beside = length <= near && run.start_frame <= end + near && run.end_frame + near >= start;
        if (run.fault != STEM_FAULT_EXTRA && (within || beside))
            run.outputs &= ~outputs;
        if (run.outputs != 0)
            truth->runs[kept++] = run;
    }
    truth->run_count = kept;
}

/* All channels and reels that are off by as much, once. */
static void tell_alike(stem_judgement *self, channel_shift *found, const channel_shift *first)
{
    const uint32_t outputs = self->model.output_count;
    channel_shift all_of = *first;
    finding_stretches all = {0};
    uint32_t channels = 0;
    for (uint32_t p = 0; p < self->judgement->timeline->piece_count; p++) {
        uint64_t start = UINT64_MAX;
        uint64_t end = 0;
        for (uint32_t o = 0; o < outputs; o++) {
            channel_shift *shift = &found[p * outputs + o];
            if (shift->samples != all_of.samples || shift->owner != all_of.owner ||
                (shift->owner == OWNER_STEM_CHANNEL && shift->elements != all_of.elements))
                continue;
            start = shift->start < start ? shift->start : start;
            end = shift->end > end ? shift->end : end;
            channels |= 1U << o;
            all_of.elements |= shift->elements;
            all_of.residual_dbfs = fmax(all_of.residual_dbfs, shift->residual_dbfs);
            shift->samples = 0;
        }
        if (end > 0)
            finding_stretches_add(self->judgement, &all, start, end);
    }
    tell_channels(self, &all_of, channels, &all);
    take_out(self, channels, all.items[0].start, all.items[all.count - 1].end);
}

/* ---- stems that lie a few samples off, in all of their channels ---- */

static const double held_least = 0.02, held_sure = 4.0; /* of what lacks; in standard errors */
static const double half_least = 0.05, half_sure = 3.0; /* by so much, and so many standard errors more, it may not be one */
static const double place_share = 0.03; /* of what the late ones lack of themselves */

/* In one reel. */
typedef struct near_shift {
    int by_stem[STEM_ELEMENTS_MAX]; /* samples; 0: not late */
    uint32_t outputs;
    uint64_t start, end;
    uint64_t late, placed; /* bit per stem; of the others it cannot be told */
    double residual_dbfs;
} near_shift;

/* Standard error of a share of what lacks, by what blocks say apart. */
static double share_error(double held, double squares, double products, double all, double all_squares)
{
    const double share = held / all;
    return sqrt(fmax(squares - 2.0 * share * products + share * share * all_squares, 0.0)) / all;
}

/*
 * Who lies elsewhere in a channel, by the sums alone: of what lacks the late stems hold one half together, however little that is
 * (of E(1-r) each, with r its correlation with itself that much later, 2E(1-r) lacks), and those in their place nothing. False
 * where they do not, so that it is no shift.
 */
static bool find_late(const stem_judgement *self, near_shift *at, uint32_t output)
{
    const stem_programme *programme = self->judgement->facts->stems;
    const stem_run stretch = {.start_frame = at->start, .end_frame = at->end};
    const uint32_t stems = self->model.element_count;
    double held[STEM_ELEMENTS_MAX] = {0.0};
    double squares[STEM_ELEMENTS_MAX] = {0.0};
    double products[STEM_ELEMENTS_MAX] = {0.0};
    double all = 0.0, all_squares = 0.0, least = HUGE_VAL;
    double half = 0.0, half_squares = 0.0, half_products = 0.0;
    for (size_t b = stem_judgement_block(self, at->start);
         b < programme->block_count && programme->blocks[b].frame < at->end; b++) {
        stem_lacking block = {0};
        stem_judgement_add_lacking(self, &programme->blocks[b], output, &block);
        all += block.energy;
        all_squares += block.energy * block.energy;
        double sum = 0.0;
        for (uint32_t e = 0; e < stems; e++) {
            held[e] += block.held[e];
            squares[e] += block.held[e] * block.held[e];
            products[e] += block.held[e] * block.energy;
            sum += block.held[e];
        }
        half += sum;
        half_squares += sum * sum;
        half_products += sum * block.energy;
    }
    const double half_error = all <= 0.0 ? 0.0 : share_error(half, half_squares, half_products, all, all_squares);
    if (all <= 0.0 || fabs(half / all - 0.5) > half_least + half_sure * half_error)
        return false;
    double errors[STEM_ELEMENTS_MAX];
    uint64_t late = 0;
    for (uint32_t e = 0; e < stems; e++) {
        const double share = held[e] / all;
        errors[e] = share_error(held[e], squares[e], products[e], all, all_squares);
        if (share <= held_least || share <= held_sure * errors[e])
            continue;
        late |= UINT64_C(1) << e;
        least = fmin(least, share / stem_judgement_energy(self, e, output, &stretch));
    }
    for (uint32_t e = 0; e < stems; e++) {
        const double energy = stem_judgement_energy(self, e, output, &stretch);
        if ((late >> e & 1U) == 0 && energy > 0.0 && (fabs(held[e] / all) + 3.0 * errors[e]) / energy < place_share * least)
            at->placed |= UINT64_C(1) << e;
    }
    at->late |= late;
    return late != 0;
}

/* How many cells of a stretch say that a stem, or any (UINT32_MAX), lies so many samples off. */
static size_t count_near(const stem_judgement *self, const near_shift *at, uint32_t element, int samples)
{
    const stem_programme *programme = self->judgement->facts->stems;
    size_t count = 0;
    for (size_t c = 0; c < programme->cell_count; c++) {
        const stem_cell *cell = &programme->bleed[c];
        bool any = false;
        if (cell->frame >= at->end || cell->frame + cell->frame_count <= at->start)
            continue;
        for (uint32_t i = 0; i < cell->leak_count; i++)
            any = any || (cell->leaks[i].delay == samples && cell->leaks[i].host < self->model.output_count &&
                          speaks_of(self, &cell->leaks[i], cell->leaks[i].host) &&
                          (element == UINT32_MAX || self->model.element_of[cell->leaks[i].source] == element));
        for (uint32_t g = 0; g <= self->model.element_count && g < cell->group_count; g++)
            any = any || ((element == UINT32_MAX || g == element + 1) && cell->shifts[g].samples == samples &&
                          ((double)cell->shifts[g].left < STEM_SHIFT_LEFT_MAX ||
                           ((double)cell->shifts[g].score >= STEM_LEAK_SCORE_MIN &&
                            (double)cell->shifts[g].score >= 2.0 * (double)cell->shifts[g].score_in_place)));
        count += any;
    }
    return count;
}

/* By how many samples most cells say that a stem, or any, is off; 0: they do not. *out_alike: and none by how many else. */
static int samples_of(const stem_judgement *self, const near_shift *at, uint32_t element, bool *out_alike)
{
    size_t most = CELLS_LEAST - 1;
    int best = 0;
    *out_alike = true;
    for (int samples = -NEAR_SAMPLES; samples <= NEAR_SAMPLES; samples++) {
        const size_t count = samples == 0 ? 0 : count_near(self, at, element, samples);
        *out_alike = *out_alike && (count < CELLS_LEAST || best == 0);
        best = count > most ? samples : best;
        most = count > most ? count : most;
    }
    return best;
}

/* One of the late stems is in its place in a channel, where nothing lacks or none of what does is its: a channel's fault. */
static bool placed_elsewhere(const stem_judgement *self, const near_shift *at)
{
    const channel_layout *layout = channel_layout_get(self->judgement->deliverable->layout);
    const stem_run stretch = {.start_frame = at->start, .end_frame = at->end};
    for (uint32_t o = 0; o < self->model.output_count; o++)
        for (uint32_t e = 0; e < self->model.element_count; e++)
            if ((at->late >> e & 1U) != 0 && (at->outputs >> o & 1U) == 0 && layout->labels[o] != CHANNEL_LFE &&
                stem_judgement_energy(self, e, o, &stretch) > STEM_TOLD_POWER * (double)(at->end - at->start))
                return true;
    return (at->late & at->placed) != 0;
}

/* Where the channels of a reel are of which something is unexplained. */
static void find_stretch(const stem_judgement *self, const plan_piece *piece, near_shift *found, uint32_t outputs)
{
    const uint64_t piece_end = piece->programme_frame + piece->frame_count;
    *found = (near_shift){.start = UINT64_MAX, .residual_dbfs = -HUGE_VAL, .late = found->late, .placed = found->placed};
    for (uint32_t i = 0; i < self->truth.run_count; i++) {
        const stem_run *run = &self->truth.runs[i];
        if (run->fault != STEM_FAULT_UNEXPLAINED || (run->outputs & outputs) == 0 || run->start_frame >= piece_end ||
            run->end_frame <= piece->programme_frame)
            continue;
        const uint64_t start = run->start_frame > piece->programme_frame ? run->start_frame : piece->programme_frame;
        const uint64_t end = run->end_frame < piece_end ? run->end_frame : piece_end;
        found->start = start < found->start ? start : found->start;
        found->end = end > found->end ? end : found->end;
        found->outputs |= run->outputs & outputs;
        found->residual_dbfs = fmax(found->residual_dbfs, run->residual_dbfs);
    }
}

static near_shift find_near(const stem_judgement *self, const plan_piece *piece)
{
    const channel_layout *layout = channel_layout_get(self->judgement->deliverable->layout);
    near_shift found = {0};
    uint32_t outputs = 0; /* in which it is a shift */
    find_stretch(self, piece, &found, UINT32_MAX);
    for (uint32_t o = 0; o < self->model.output_count; o++)
        if ((found.outputs >> o & 1U) != 0 && (layout->labels[o] == CHANNEL_LFE || find_late(self, &found, o)))
            outputs |= 1U << o;
    find_stretch(self, piece, &found, outputs);
    if (found.late == 0 || placed_elsewhere(self, &found))
        return (near_shift){0};
    bool alike = true;
    bool own_alike = true;
    const int samples = samples_of(self, &found, UINT32_MAX, &alike);
    if (samples == 0)
        return (near_shift){0};
    for (uint32_t e = 0; e < self->model.element_count; e++) {
        if ((found.late >> e & 1U) == 0)
            continue;
        const int own = samples_of(self, &found, e, &own_alike);
        if (own == 0 && !alike)
            return (near_shift){0}; /* it may lie as any of the others */
        found.by_stem[e] = own != 0 ? own : samples;
    }
    return found;
}

/* Those stems of it that are off by so many samples, in all its stretches. */
static void tell_near(stem_judgement *self, const near_shift *all_of, int samples, const finding_stretches *all)
{
    judgement *base = self->judgement;
    arena *memory = base->memory;
    const stem_run stretch = {.start_frame = all->items[0].start, .end_frame = all->items[all->count - 1].end};
    uint64_t players = 0, placed = all_of->placed, alike = 0;
    uint32_t outputs = 0;
    for (uint32_t e = 0; e < self->model.element_count; e++)
        alike |= all_of->by_stem[e] == samples ? UINT64_C(1) << e : 0;
    for (uint32_t o = 0; o < self->model.output_count; o++)
        for (uint32_t e = 0; e < self->model.element_count; e++) {
            const double told = STEM_TOLD_POWER * (double)(stretch.end_frame - stretch.start_frame);
            const bool plays = stem_judgement_energy(self, e, o, &stretch) > told;
            players |= plays && self->truth.presence[e] == STEM_PRESENT ? UINT64_C(1) << e : 0;
            placed |= plays && (all_of->outputs >> o & 1U) == 0 ? UINT64_C(1) << e : 0;
            outputs |= plays && (alike >> e & 1U) != 0 ? all_of->outputs & 1U << o : 0;
        }
    placed &= players & ~all_of->late;
    const uint64_t unknown = players & ~all_of->late & ~placed;
    const bool whole = (players & ~alike) == 0 && (players & (players - 1)) != 0;
    const char *names = whole ? "" : names_of(self, alike);
    const bool several = strchr(names, ',') != NULL;
    finding *item = stem_judgement_fault(self, "stems.null", all_of->residual_dbfs, "dBFS");
    judgement_locate(base, item, stretch.start_frame, stretch.end_frame);
    stem_judgement_channels(self, item, outputs);
    item->subject = arena_format(memory, "shifted %s", names);
    const char *move = move_words(self, samples);
    const char *others = whole ? " against all its stems"
                               : arena_format(memory, "%s%s", placed == 0 ? "" : ", and not ", names_of(self, placed));
    const char *hidden = unknown == 0 ? ""
                                      : arena_format(memory, " Whether %s lie%s so, too, cannot be told beside %s; if so, move %s as well.", names_of(self, unknown),
                                                     unknown & (unknown - 1) ? "" : "s", several ? "them" : "it", unknown & (unknown - 1) ? "them" : "it");
    item->message = arena_format(memory, "%s lie%s %s%s %s%s. Move %s %s and print again.%s", whole ? "The programme" : names, several ? "" : "s",
                                 judgement_shift_words(base, samples), stem_judgement_channel_words(self, item),
                                 finding_stretches_text(base, all), others, several ? "them" : "it", move, hidden);
    item->details_json = arena_format(memory, "{\"fault\": \"shifted\", \"source\": \"%s\", \"delay_samples\": %d, \"not_known\": \"%s\", \"residual_dbfs\": %.2f, %s}",
                                      names, samples, names_of(self, unknown), all_of->residual_dbfs,
                                      finding_stretches_json(base, all));
}

/* All of a reel's runs that are this: a run may go on from one reel into the next. */
static void take_near(stem_judgement *self, const near_shift *found)
{
    const plan_timeline *timeline = self->judgement->timeline;
    const channel_layout *layout = channel_layout_get(self->judgement->deliverable->layout);
    stem_truth *truth = &self->truth;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < truth->run_count; i++) {
        stem_run run = truth->runs[i];
        uint64_t shared = 0;
        uint32_t outputs = 0;
        for (uint32_t p = 0; p < timeline->piece_count; p++) {
            const uint64_t first = run.start_frame > found[p].start ? run.start_frame : found[p].start;
            const uint64_t last = run.end_frame < found[p].end ? run.end_frame : found[p].end;
            shared += last > first ? last - first : 0;
            outputs |= last > first ? found[p].outputs : 0;
        }
        for (uint32_t o = 0; o < self->model.output_count && outputs != 0; o++)
            outputs |= layout->labels[o] == CHANNEL_LFE ? 1U << o : 0; /* where few samples leave little */
        if (run.fault != STEM_FAULT_EXTRA && shared * 2 > run.end_frame - run.start_frame)
            run.outputs &= ~outputs;
        if (run.outputs != 0)
            truth->runs[kept++] = run;
    }
    truth->run_count = kept;
}

/* Stems that lie a few samples off alike, in all reels, once. */
static void judge_near_shift(stem_judgement *self)
{
    const plan_timeline *timeline = self->judgement->timeline;
    near_shift *found = arena_take_array(self->judgement->memory, timeline->piece_count + 1u, sizeof *found);
    bool *told = arena_take_array(self->judgement->memory, timeline->piece_count + 1u, sizeof *told);
    for (uint32_t p = 0; p < timeline->piece_count; p++)
        found[p] = find_near(self, &timeline->pieces[p]);
    for (uint32_t p = 0; p < timeline->piece_count; p++) {
        near_shift all_of = found[p];
        finding_stretches all = {0};
        for (uint32_t k = p; k < timeline->piece_count && !told[p]; k++) {
            if (found[k].end == 0 || memcmp(found[k].by_stem, all_of.by_stem, sizeof all_of.by_stem) != 0)
                continue;
            finding_stretches_add(self->judgement, &all, found[k].start, found[k].end);
            all_of.outputs |= found[k].outputs;
            all_of.placed |= found[k].placed;
            all_of.residual_dbfs = fmax(all_of.residual_dbfs, found[k].residual_dbfs);
            told[k] = k > p;
        }
        for (int samples = -NEAR_SAMPLES; samples <= NEAR_SAMPLES && all.count > 0; samples++) {
            bool any = false;
            for (uint32_t e = 0; e < self->model.element_count; e++)
                any = any || (samples != 0 && all_of.by_stem[e] == samples);
            if (any)
                tell_near(self, &all_of, samples, &all);
        }
    }
    take_near(self, found);
}

void judge_channel_shift(stem_judgement *self)
{
    const plan_timeline *timeline = self->judgement->timeline;
    const uint32_t outputs = self->model.output_count;
    judge_near_shift(self);
    channel_shift *found = arena_take_array(self->judgement->memory, timeline->piece_count * outputs + 1u, sizeof *found);
    for (uint32_t p = 0; p < timeline->piece_count; p++)
        for (uint32_t o = 0; o < outputs; o++)
            found[p * outputs + o] = find_shift(self, &timeline->pieces[p], o);
    for (uint32_t i = 0; i < timeline->piece_count * outputs; i++) {
        const channel_shift first = found[i];
        if (first.samples != 0)
            tell_alike(self, found, &first);
    }
}
