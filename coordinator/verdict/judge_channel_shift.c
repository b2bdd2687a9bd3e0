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
    const char *move = arena_format(memory, "%d sample%s %s", abs(all_of->samples), abs(all_of->samples) == 1 ? "" : "s",
                                    all_of->samples > 0 ? "earlier" : "later");
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

void judge_channel_shift(stem_judgement *self)
{
    const plan_timeline *timeline = self->judgement->timeline;
    const uint32_t outputs = self->model.output_count;
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
