/* A received programme that stops and starts again while its stems go on, and the other way round: told once, by what says most. */
#include "coordinator/verdict/finding_places.h"
#include "coordinator/verdict/stem_judgement.h"

#include <math.h>
#include <string.h>

bool stem_judgement_dropout(const stem_judgement *self, const stem_run *run, stem_gap_place *out_gap, bool *out_received)
{
    uint64_t block = stem_block_frames(self->model.lane_count, true);
    *out_received = judgement_gap(self->judgement, true, run->start_frame, run->end_frame, out_gap);
    return (*out_received || judgement_gap(self->judgement, false, run->start_frame, run->end_frame, out_gap)) &&
           run->end_frame - run->start_frame <= out_gap->end - out_gap->start + 3 * block;
}

/* A drop-out that is told as one of the signal: there it is said, too, that the stems do not have it. */
static bool joins_signal(stem_judgement *self, const stem_gap_place *gap, double ms)
{
    judgement *base = self->judgement;
    finding_list *told = &base->verdict->findings;
    uint64_t near = base->timeline->sample_rate / 1000;
    bool joined = false;
    for (size_t i = 0; i < told->count && judgement_limit(base, "stems.null") == NULL; i++) {
        finding *item = &told->items[i];
        if (strcmp(item->check, "signal.dropout") != 0 || item->start_sample > gap->start + near || gap->start > item->start_sample + near)
            continue;
        char place[PLACE_TEXT_SIZE];
        judgement_place(base, item->start_sample, place);
        item->message = arena_format(base->memory, "%s %s out for %.1f ms at %s, and the stems do not: it was lost in the print. Print again.",
                                     finding_channel_names(base->memory, item), item->channel_count > 1 ? "drop" : "drops", item->measured, place);
        item->details_json = arena_format(base->memory, "{\"fault\": \"dropout\", \"source\": \"\", \"length_ms\": %.2f}", ms);
        joined = true;
    }
    return joined;
}

/* A drop-out of a stem that is told as one of the stem's own (stems.dropout), which says that the programme does not have it. */
static bool stem_tells(const stem_judgement *self, double ms)
{
    return judgement_is_first(self->judgement) && judgement_limit(self->judgement, "stems.null") == NULL && ms > STEM_DROPOUT_MS;
}

/* Where the programme stops and starts again while its stems go on, or a stem does while the programme goes on. */
static bool tell_dropout(stem_judgement *self, const stem_run *run)
{
    judgement *base = self->judgement;
    stem_gap_place gap;
    stem_gap_place other;
    uint64_t near = base->timeline->sample_rate / 1000;
    bool received = false;
    if (run->fault != STEM_FAULT_UNEXPLAINED || !stem_judgement_dropout(self, run, &gap, &received) ||
        judgement_gap(base, !received, gap.start > near ? gap.start - near : 0, gap.start + near, &other))
        return false;
    const char *residual = isfinite(run->residual_dbfs) ? arena_format(base->memory, "%.2f", run->residual_dbfs) : "null";
    char place[PLACE_TEXT_SIZE];
    double ms = 1000.0 * (double)(gap.end - gap.start) / (double)base->timeline->sample_rate;
    if (received ? joins_signal(self, &gap, ms) : stem_tells(self, ms))
        return true;
    finding *item = stem_judgement_fault(self, "stems.null", run->residual_dbfs, "dBFS");
    judgement_locate(base, item, run->start_frame, run->end_frame);
    stem_judgement_channels(self, item, run->outputs);
    judgement_place(base, gap.start, place);
    const char *name = received ? "" : base->show->stems[self->stems[self->model.element_of[gap.lane]]].name;
    item->subject = arena_format(base->memory, "dropout %s", name);
    item->message =
        received ? arena_format(base->memory, "It drops out for %.1f ms at %s, and its stems do not: it was lost in the print. Print again.",
                                ms, place)
                 : arena_format(base->memory, "%s drops out for %.1f ms at %s, and the programme does not: that stem is not what was printed. Export it again.",
                                name, ms, place);
    item->details_json =
        arena_format(base->memory, "{\"fault\": \"dropout\", \"source\": \"%s\", \"length_ms\": %.2f, \"residual_dbfs\": %s}", name, ms,
                     residual);
    return true;
}

/* A run that lies in a drop-out of the programme, but for a block. */
static bool lies_in_dropout(const stem_judgement *self, const stem_run *run, stem_gap_place *out_gap)
{
    uint64_t block = stem_block_frames(self->model.lane_count, true);
    uint64_t from = run->start_frame > 3 * block ? run->start_frame - 3 * block : 0;
    return run->fault != STEM_FAULT_EXTRA && run->fault != STEM_FAULT_POLARITY &&
           judgement_gap(self->judgement, true, from, run->end_frame, out_gap) && out_gap->end > run->start_frame &&
           out_gap->end + block >= run->end_frame && out_gap->start <= run->start_frame + block;
}

bool stem_judgement_drops_out(const stem_judgement *self, const stem_run *run)
{
    stem_gap_place gap;
    bool received = false;
    return lies_in_dropout(self, run, &gap) || stem_judgement_dropout(self, run, &gap, &received);
}

/*
 * Every stem is missing for as long as the programme drops out: that is one cause, told once. False where its drop-out was told
 * before.
 */
static bool join_dropout(stem_judgement *self, stem_run *run)
{
    stem_gap_place gap;
    if (!lies_in_dropout(self, run, &gap))
        return true;
    if (self->dropout_end == gap.end)
        return false;
    self->dropout_end = gap.end;
    run->fault = STEM_FAULT_UNEXPLAINED;
    run->element = UINT8_MAX;
    run->start_frame = gap.start < run->start_frame ? gap.start : run->start_frame;
    return true;
}

bool judge_dropout(stem_judgement *self, stem_run *run)
{
    return !join_dropout(self, run) || tell_dropout(self, run);
}

/* ---- what fades out and in again in the print ---- */

typedef struct stem_hole {
    uint64_t start, end;
    uint32_t outputs;
    double residual_dbfs;
} stem_hole;

/* Takes what lies in a hole, but for a block or two, out of the truth's runs; false where the stems are as silent. */
static bool take_hole(stem_judgement *self, stem_hole *hole)
{
    stem_truth *truth = &self->truth;
    const uint64_t near = 2 * (uint64_t)stem_block_frames(self->model.lane_count, true);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < truth->run_count; i++) {
        const stem_run *run = &truth->runs[i];
        const bool within = run->start_frame + near >= hole->start && run->end_frame <= hole->end + near &&
                            run->start_frame < hole->end && run->end_frame > hole->start;
        if (within && run->fault != STEM_FAULT_EXTRA) {
            hole->outputs |= run->outputs;
            hole->residual_dbfs = fmax(hole->residual_dbfs, run->residual_dbfs);
        } else {
            truth->runs[kept++] = *run;
        }
    }
    truth->run_count = kept;
    return hole->outputs != 0;
}

static void tell_hole(stem_judgement *self, uint64_t start, uint64_t end)
{
    enum { LONG_SECONDS = 2 };
    judgement *base = self->judgement;
    const double rate = base->timeline->sample_rate;
    const uint64_t near = base->timeline->sample_rate / 4;
    stem_gap_place gap;
    stem_hole hole = {.start = start, .end = end, .residual_dbfs = -HUGE_VAL};
    if (judgement_gap(base, true, start > near ? start - near : 0, end, &gap) || !take_hole(self, &hole))
        return; /* hard edges are a drop-out */
    finding *item = stem_judgement_fault(self, "stems.null", hole.residual_dbfs, "dBFS");
    if ((double)(end - start) >= LONG_SECONDS * rate)
        stem_judgement_reject(self, item);
    judgement_locate(base, item, start, end);
    stem_judgement_channels(self, item, hole.outputs);
    item->subject = "hole";
    item->message = arena_format(base->memory, "It is silent for %.1f s %s, and its stems are not: it was muted or faded out in the print. Print again.",
                                 (double)(end - start) / rate, judgement_stretch(base, start, end));
    item->details_json = arena_format(base->memory, "{\"fault\": \"hole\", \"source\": \"\", \"length_ms\": %.0f}", 1000.0 * (double)(end - start) / rate);
}

void judge_stem_holes(stem_judgement *self)
{
    enum { STEP_MS = 100, LEAST_STEPS = 2 };
    static const double silence_lufs = -70.0;
    const judgement *base = self->judgement;
    const uint32_t rate = base->timeline->sample_rate;
    const uint64_t steps = cell_measure_slot_of(base->timeline->frame_count, rate) * 10 / STEP_MS;
    double *levels = arena_take_array(base->memory, steps + 1, sizeof *levels);
    const size_t count = programme_measure_curve(base->facts->measure, STEP_MS, STEP_MS, levels, steps);
    size_t first = 0;
    for (size_t i = 0; i <= count; i++) {
        if (i < count && levels[i] < silence_lufs)
            continue;
        if (i >= first + LEAST_STEPS)
            tell_hole(self, cell_measure_slot_frame(first * (STEP_MS / 10), rate),
                      cell_measure_slot_frame(i * (STEP_MS / 10), rate));
        first = i + 1;
    }
}

/* ---- pops of the print ---- */

/* The pop in the programme that is told in a run as short as one. */
static finding *pop_of(const stem_judgement *self, const stem_run *run)
{
    enum { POP_BLOCKS = 3 };
    finding_list *found = &self->judgement->verdict->findings;
    if (run->fault == STEM_FAULT_EXTRA ||
        run->end_frame - run->start_frame > POP_BLOCKS * (uint64_t)stem_block_frames(self->model.lane_count, true))
        return NULL;
    for (size_t i = 0; i < found->count; i++) {
        finding *item = &found->items[i];
        if (strcmp(item->check, "sync.pop") == 0 && item->has_range && item->severity != FINDING_INFO &&
            item->start_sample < run->end_frame && item->end_sample > run->start_frame)
            return item;
    }
    return NULL;
}

void judge_stem_pops(stem_judgement *self)
{
    stem_truth *truth = &self->truth;
    const finding *told = NULL;
    uint32_t kept = 0;
    if (judgement_limit(self->judgement, "stems.null") != NULL)
        return;
    for (uint32_t i = 0; i < truth->run_count; i++) {
        finding *pop = pop_of(self, &truth->runs[i]);
        if (pop == NULL)
            truth->runs[kept++] = truth->runs[i];
        else if (pop != told)
            pop->message = arena_format(self->judgement->memory, "%s It is not in the stems: it came into the print.", pop->message);
        told = pop != NULL ? pop : told;
    }
    truth->run_count = kept;
}
