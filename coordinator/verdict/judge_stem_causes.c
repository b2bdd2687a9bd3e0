/* Runs of the stems' truth that have one cause: the edge of another run, clipping, a click or a hum of the print. */
#include "coordinator/verdict/stem_judgement.h"

#include "coordinator/verdict/finding_places.h"
#include "coordinator/verdict/finding_stretches.h"

#include <math.h>
#include <string.h>

enum { EDGE_BLOCKS = 2, CLIPS_APART_BLOCKS = 5, CLICK_BLOCKS = 3 };

static uint64_t blocks(const stem_judgement *self, uint64_t count)
{
    return count * stem_block_frames(self->model.lane_count, true);
}

/* ---- edges ---- */

/* A block or two in which a fault begins or ends: the same stem, at a gain on the way to that of the fault. */
static bool is_edge(const stem_judgement *self, const stem_run *run, const stem_run *fault)
{
    uint64_t length = run->end_frame - run->start_frame;
    bool touches = run->start_frame <= fault->end_frame && fault->start_frame <= run->end_frame;
    bool lacks = fault->fault == STEM_FAULT_MISSING || (fault->fault == STEM_FAULT_GAIN && fault->gain_db < 0.0);
    bool between = lacks ? run->gain_db < 0.0 && (fault->fault == STEM_FAULT_MISSING || run->gain_db > fault->gain_db)
                         : fault->fault == STEM_FAULT_GAIN && run->gain_db > 0.0 && run->gain_db < fault->gain_db;
    return run->fault == STEM_FAULT_GAIN && run->element == fault->element && (run->outputs & ~fault->outputs) == 0 && touches &&
           between && length <= blocks(self, EDGE_BLOCKS) && length < fault->end_frame - fault->start_frame;
}

static void drop_edges(stem_judgement *self)
{
    stem_truth *truth = &self->truth;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < truth->run_count; i++) {
        bool edge = false;
        for (uint32_t k = 0; k < truth->run_count && !edge; k++)
            edge = k != i && is_edge(self, &truth->runs[i], &truth->runs[k]);
        if (!edge)
            truth->runs[kept++] = truth->runs[i];
    }
    truth->run_count = kept;
}

/* ---- clipping ---- */

/* True if a channel is clipped again and again in a stretch; a cell that did not locate all its runs is where it dropped them. */
static bool clipped(const stem_judgement *self, uint32_t channel, uint64_t start, uint64_t end)
{
    const programme_measure *measure = self->judgement->facts->measure;
    uint64_t apart = blocks(self, CLIPS_APART_BLOCKS);
    uint64_t last = start;
    size_t count = 0;
    const programme_run *runs = programme_measure_runs(measure, &count);
    bool any = false;
    for (size_t i = 0; i <= count; i++) {
        bool behind = i == count || runs[i].frame >= end;
        uint64_t next = behind ? end : runs[i].frame;
        bool other = !behind && (runs[i].kind != PEAK_RUN_CLIP || runs[i].channel != channel);
        if (other || (!behind && runs[i].frame + runs[i].frame_count <= start))
            continue;
        if (next > last + apart && programme_measure_peaks_between(measure, last, next).run_dropped == 0)
            return false;
        if (behind)
            break;
        any = true;
        last = runs[i].frame + runs[i].frame_count;
    }
    return any || programme_measure_peaks_between(measure, start, end).run_dropped > 0;
}

static bool is_clipped(const stem_judgement *self, const stem_run *run)
{
    if (run->fault != STEM_FAULT_GAIN && run->fault != STEM_FAULT_UNEXPLAINED)
        return false;
    uint64_t block = blocks(self, 1); /* a run begins and ends with one of them, a clip anywhere in it */
    uint64_t start = run->start_frame > block ? run->start_frame - block : 0;
    for (uint32_t c = 0; c < self->model.output_count; c++)
        if ((run->outputs >> c & 1U) != 0 && !clipped(self, c, start, run->end_frame + block))
            return false;
    return true;
}

/* What is clipped is no sum of anything: said once, of all places. */
static void tell_clipped(stem_judgement *self)
{
    stem_truth *truth = &self->truth;
    judgement *base = self->judgement;
    finding_stretches all = {0};
    uint32_t outputs = 0, kept = 0;
    double residual = -HUGE_VAL;
    for (uint32_t i = 0; i < truth->run_count; i++) {
        const stem_run *run = &truth->runs[i];
        if (!is_clipped(self, run)) {
            truth->runs[kept++] = *run;
            continue;
        }
        finding_stretches_add(base, &all, run->start_frame, run->end_frame);
        outputs |= run->outputs;
        residual = fmax(residual, run->residual_dbfs);
    }
    truth->run_count = kept;
    if (all.count == 0)
        return;
    finding *item = stem_judgement_fault(self, "stems.null", residual, "dBFS");
    judgement_locate(base, item, all.items[0].start, all.items[all.count - 1].end);
    stem_judgement_channels(self, item, outputs);
    item->subject = "clipped";
    item->details_json = arena_format(base->memory, "{\"fault\": \"clipped\", \"residual_dbfs\": %.2f, %s}", residual, finding_stretches_json(base, &all));
    item->message = arena_format(base->memory, "It is clipped%s %s: it differs from the sum of its stems there, by up to %.1f dBFS, and whether anything else is wrong there cannot be told. Print it again without clipping, and compare it then.",
                                 stem_judgement_channel_words(self, item), finding_stretches_text(base, &all), residual);
}

void judge_stem_causes(stem_judgement *self)
{
    drop_edges(self);
    tell_clipped(self);
}

/* ---- what the print has and the stems have not ---- */

const char *stem_judgement_cause(const stem_judgement *self, const stem_run *run)
{
    static const struct {
        const char *check, *name;
    } causes[] = {{"signal.click", "the click"}, {"signal.hum", "the hum"}, {"signal.tone", "the tone"}, {"signal.dc", "the direct current"}};
    const judgement *base = self->judgement;
    const finding_list *found = &base->verdict->findings;
    uint64_t length = run->end_frame - run->start_frame;
    for (size_t i = 0; i < found->count; i++) {
        const finding *item = &found->items[i];
        for (size_t k = 0; k < sizeof causes / sizeof causes[0]; k++) {
            if (strcmp(item->check, causes[k].check) != 0 || !item->has_range)
                continue;
            uint64_t first = item->start_sample > run->start_frame ? item->start_sample : run->start_frame;
            uint64_t last = item->end_sample < run->end_frame ? item->end_sample : run->end_frame;
            bool there = k == 0 ? first < last && length <= blocks(self, CLICK_BLOCKS)
                                : last > first && (double)(last - first) >= 0.8 * (double)length;
            if (!there || (run->outputs & ~finding_channels(item, channel_layout_get(base->deliverable->layout))) != 0)
                continue;
            char place[PLACE_TEXT_SIZE];
            judgement_place(base, item->start_sample, place);
            return arena_format(base->memory, "%s that is told at %s is not in the stems. Print again without it", causes[k].name, place);
        }
    }
    return "something else is in it, or a stem lies at another time there. Compare it with the stems by ear";
}
