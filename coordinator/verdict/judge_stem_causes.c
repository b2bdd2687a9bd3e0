/* Runs of the stems' truth that have one cause: a channel, the edge of another, clipping, something in the print or in a stem. */
#include "coordinator/verdict/stem_judgement.h"

#include "coordinator/verdict/finding_places.h"
#include "coordinator/verdict/finding_stretches.h"

#include <math.h>
#include <string.h>

enum { EDGE_BLOCKS = 2, CLIPS_APART_BLOCKS = 5, CLICK_BLOCKS = 3 };
enum { TOLD = -2 }; /* a holder of a run that was told */

static uint64_t blocks(const stem_judgement *self, uint64_t count)
{
    return count * stem_block_frames(self->model.lane_count, true);
}

size_t stem_judgement_block(const stem_judgement *self, uint64_t frame)
{
    const stem_programme *programme = self->judgement->facts->stems;
    size_t first = 0;
    size_t end = programme->block_count;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (programme->blocks[middle].frame < frame)
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

/* ---- what all stems of a channel share ---- */

static bool lies_in(const stem_judgement *self, const stem_run *run, const stem_run *stretch)
{
    uint64_t near = blocks(self, EDGE_BLOCKS);
    return run->start_frame + near >= stretch->start_frame && run->end_frame <= stretch->end_frame + near;
}

/* The same fault of a stem, by as much, in a stretch. */
static bool alike_in(const stem_judgement *self, const stem_run *run, const stem_run *stretch)
{
    enum { SAME_DB_10 = 3 }; /* as runs_alike() of the truth */
    return run->fault == stretch->fault && run->element != UINT8_MAX && lies_in(self, run, stretch) &&
           fabs(run->gain_db - stretch->gain_db) * 10.0 <= SAME_DB_10;
}

/* What a stem gives to a channel of the programme in a stretch. but_for: only where no run like that of the stretch tells it. */
static double energy_in(const stem_judgement *self, uint32_t element, uint32_t output, const stem_run *stretch, bool but_for)
{
    const stem_programme *programme = self->judgement->facts->stems;
    const stem_truth *truth = &self->truth;
    uint64_t near = blocks(self, EDGE_BLOCKS);
    double sum = 0.0;
    for (size_t b = stem_judgement_block(self, stretch->start_frame);
         b < programme->block_count && programme->blocks[b].frame < stretch->end_frame; b++) {
        const stem_block *block = &programme->blocks[b];
        bool told = false;
        for (uint32_t i = 0; but_for && !told && i < truth->run_count; i++) {
            const stem_run *run = &truth->runs[i];
            told = run->element == element && (run->outputs >> output & 1U) != 0 && alike_in(self, run, stretch) &&
                   block->frame + near >= run->start_frame && block->frame < run->end_frame + near;
        }
        for (uint32_t i = self->model.output_count; !told && i < self->model.lane_count; i++)
            if (self->model.element_of[i] == element)
                sum += self->model.nominal[output][i] * self->model.nominal[output][i] * block->sums[stem_sum_index(i, i)];
    }
    return sum;
}

double stem_judgement_energy(const stem_judgement *self, uint32_t element, uint32_t output, const stem_run *stretch)
{
    return energy_in(self, element, output, stretch, false);
}

bool stem_judgement_plays_in(const stem_judgement *self, uint32_t element, uint32_t output, const stem_run *run)
{
    return energy_in(self, element, output, run, false) > STEM_HEARD_POWER * (double)(run->end_frame - run->start_frame);
}

bool stem_judgement_right_elsewhere(const stem_judgement *self, const stem_run *run, double least_power)
{
    const stem_truth *truth = &self->truth;
    uint32_t told = 0;
    for (uint32_t i = 0; i < truth->run_count; i++) {
        const stem_run *other = &truth->runs[i];
        bool near = other->start_frame < run->end_frame && run->start_frame < other->end_frame;
        told |= near && (other->element == run->element || other->element == UINT8_MAX) ? other->outputs : 0;
    }
    for (uint32_t o = 0; o < self->model.output_count && !stem_judgement_folds(self); o++)
        if ((told >> o & 1U) == 0 &&
            energy_in(self, run->element, o, run, false) > least_power * (double)(run->end_frame - run->start_frame))
            return true;
    return false;
}

/* Channels in which each stem that plays has the fault of a run, and of them those in which several do. */
typedef struct shared_fault {
    uint32_t all, several;
    bool whole; /* no other channel plays */
} shared_fault;

static shared_fault shared_with(const stem_judgement *self, const stem_run *run)
{
    shared_fault shared = {.whole = true};
    for (uint32_t o = 0; o < self->model.output_count; o++) {
        uint32_t playing = 0;
        uint32_t faulty = 0;
        for (uint32_t e = 0; e < self->model.element_count; e++) {
            if (self->truth.presence[e] != STEM_PRESENT || !stem_judgement_plays_in(self, e, o, run))
                continue;
            playing++;
            faulty += energy_in(self, e, o, run, true) < 0.01 * energy_in(self, e, o, run, false);
        }
        shared.all |= playing > 0 && faulty == playing ? 1U << o : 0;
        shared.several |= playing > 1 && faulty == playing ? 1U << o : 0;
        shared.whole = shared.whole && faulty == playing;
    }
    return shared;
}

/* Another stem has it too, in one of the same channels. */
static bool has_partner(const stem_judgement *self, const stem_run *run)
{
    for (uint32_t k = 0; k < self->truth.run_count; k++) {
        const stem_run *other = &self->truth.runs[k];
        if (other->element != run->element && (other->outputs & run->outputs) != 0 && alike_in(self, other, run))
            return true;
    }
    return false;
}

/* Every stem that plays in a channel is upside down, or at the same other gain: that channel of the programme is, and no stem. */
static void join_level_runs(stem_judgement *self)
{
    stem_truth *truth = &self->truth;
    for (uint32_t i = 0; i < truth->run_count; i++) {
        stem_run *run = &truth->runs[i];
        if ((run->fault != STEM_FAULT_GAIN && run->fault != STEM_FAULT_POLARITY) || run->element == UINT8_MAX ||
            !has_partner(self, run))
            continue;
        shared_fault shared = shared_with(self, run);
        uint32_t outputs = shared.whole ? shared.all : shared.several;
        if (shared.several == 0 || (run->outputs & ~outputs) != 0)
            continue;
        for (uint32_t k = 0; k < truth->run_count; k++) {
            stem_run *other = &truth->runs[k];
            if (k == i || !alike_in(self, other, run))
                continue;
            run->residual_dbfs = fmax(run->residual_dbfs, other->residual_dbfs);
            other->outputs &= ~outputs;
        }
        run->outputs = outputs;
        run->element = UINT8_MAX; /* all of them */
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < truth->run_count; i++)
        if (truth->runs[i].outputs != 0)
            truth->runs[kept++] = truth->runs[i];
    truth->run_count = kept;
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

/* ---- what a stem has and the print has not ---- */

double stem_judgement_gain(const stem_judgement *self, uint32_t output, uint32_t lane)
{
    const stem_truth *truth = &self->truth;
    return truth->programme_gain *
           (truth->matrix_wrong ? truth->matrix[output][self->model.bed_of[lane]] : self->model.nominal[output][lane]);
}

static double gain_in(const stem_judgement *self, uint32_t output, uint32_t lane)
{
    return self->truth.presence[self->model.element_of[lane]] == STEM_PRESENT ? stem_judgement_gain(self, output, lane) : 0.0;
}

void stem_judgement_add_lacking(const stem_judgement *self, const stem_block *block, uint32_t output, stem_lacking *sum)
{
    const stem_model *model = &self->model;
    double own = -block->sums[stem_sum_index(output, output)];
    double with_programme = own;
    double energy = 0.0;
    for (uint32_t i = model->output_count; i < model->lane_count; i++)
        with_programme += gain_in(self, output, i) * block->sums[stem_sum_index(i, output)];
    for (uint32_t i = model->output_count; i < model->lane_count; i++) {
        double gain = gain_in(self, output, i);
        if (gain == 0.0)
            continue;
        double with_lane = -block->sums[stem_sum_index(i, output)];
        for (uint32_t k = model->output_count; k < model->lane_count; k++)
            with_lane += gain_in(self, output, k) * block->sums[stem_sum_index(i, k)];
        sum->held[model->element_of[i]] += gain * with_lane;
        energy += gain * with_lane;
    }
    sum->energy += energy - with_programme;
    sum->frames += block->frame_count;
}

static stem_lacking lacking_in(const stem_judgement *self, const stem_run *run, uint32_t outputs)
{
    const stem_programme *programme = self->judgement->facts->stems;
    stem_lacking sum = {0};
    for (size_t b = stem_judgement_block(self, run->start_frame);
         b < programme->block_count && programme->blocks[b].frame < run->end_frame; b++)
        for (uint32_t o = 0; o < self->model.output_count; o++)
            if ((outputs >> o & 1U) != 0)
                stem_judgement_add_lacking(self, &programme->blocks[b], o, &sum);
    return sum;
}

/* The stem that holds what lacks, within a share of it, and no other stem any: its element, or -1. */
static int holder_of(const stem_judgement *self, const stem_lacking *sum, double within)
{
    int holder = -1;
    for (uint32_t e = 0; e < self->model.element_count; e++) {
        double share = sum->energy > 0.0 ? sum->held[e] / sum->energy : 0.0;
        if (fabs(share) <= within)
            continue;
        if (holder >= 0 || fabs(share - 1.0) > within)
            return -1;
        holder = (int)e;
    }
    return holder;
}

static int run_holder(const stem_judgement *self, const stem_run *run, double within)
{
    stem_lacking sum = lacking_in(self, run, run->outputs);
    return holder_of(self, &sum, within);
}

/* A run of several channels in which one stem lacks here and another there becomes two: of the first stem, and of others. */
static void divide_run(stem_judgement *self, uint32_t at, double within)
{
    stem_truth *truth = &self->truth;
    stem_run *run = &truth->runs[at];
    uint32_t alike = 0;
    int first = -1;
    double loudest[2] = {-HUGE_VAL, -HUGE_VAL};
    for (uint32_t o = 0; o < self->model.output_count; o++) {
        if ((run->outputs >> o & 1U) == 0)
            continue;
        stem_lacking sum = lacking_in(self, run, 1U << o);
        int holder = holder_of(self, &sum, within);
        first = alike == 0 ? holder : first;
        alike |= holder == first ? 1U << o : 0;
        loudest[holder != first] = fmax(loudest[holder != first], 10.0 * log10(sum.energy / sum.frames));
    }
    if (alike == run->outputs || truth->run_count == STEM_RUNS_MAX)
        return;
    memmove(run + 1, run, (truth->run_count - at) * sizeof *run);
    truth->run_count++;
    run[0].outputs = alike;
    run[0].residual_dbfs = loudest[0];
    run[1].outputs &= ~alike;
    run[1].residual_dbfs = loudest[1];
}

/* Beside what is in a stem alone, gains are those at which the stem with it fits best, or lacks where it plays nothing else. */
static bool follows_holder(const stem_judgement *self, const stem_run *run, const stem_run *found, int holder)
{
    static const double within = 0.5, louder_db = 3.0;
    uint64_t near = blocks(self, EDGE_BLOCKS);
    return run->fault != STEM_FAULT_EXTRA && run->fault != STEM_FAULT_UNEXPLAINED &&
           (run->outputs & found->outputs) != 0 && run->start_frame <= found->end_frame + near &&
           found->start_frame <= run->end_frame + near && run->residual_dbfs <= found->residual_dbfs + louder_db &&
           run_holder(self, run, within) == holder;
}

static void tell_holder(stem_judgement *self, int holder, int32_t reel, uint32_t outputs, double residual,
                        const finding_stretches *all)
{
    judgement *base = self->judgement;
    finding *item = stem_judgement_fault(self, "stems.null", residual, "dBFS");
    const char *name = base->show->stems[self->stems[holder]].name;
    judgement_locate(base, item, all->items[0].start, all->items[all->count - 1].end);
    stem_judgement_channels(self, item, outputs);
    item->subject = arena_format(base->memory, "in stem %s %d", name, reel);
    item->details_json = arena_format(base->memory, "{\"fault\": \"in stem\", \"source\": \"%s\", \"residual_dbfs\": %.2f, %s}", name,
                                      residual, finding_stretches_json(base, all));
    item->message = arena_format(base->memory, "What it lacks%s %s, up to %.1f dBFS, is in %s alone: something in that stem that was not printed, or a cut of it too short to be told. Listen to %s and the print there; export that stem again, or print again.",
                                 stem_judgement_channel_words(self, item), finding_stretches_text(base, all), residual, name, name);
}

/* What is hardly longer than a drop-out is told with that. */
static bool drops_out(const stem_judgement *self, const stem_run *run)
{
    stem_gap_place gap;
    return run->end_frame - run->start_frame <= blocks(self, CLICK_BLOCKS) &&
           (judgement_gap(self->judgement, true, run->start_frame, run->end_frame, &gap) ||
            judgement_gap(self->judgement, false, run->start_frame, run->end_frame, &gap));
}

/* One cause makes many runs: of each stem in a reel they are told as one. */
static void tell_holders(stem_judgement *self)
{
    static const double within = 0.25;
    stem_truth *truth = &self->truth;
    for (uint32_t i = 0; i < truth->run_count; i++)
        if (truth->runs[i].fault == STEM_FAULT_UNEXPLAINED && !drops_out(self, &truth->runs[i]))
            divide_run(self, i, within);
    int *holders = arena_take_array(self->judgement->memory, truth->run_count + 1u, sizeof *holders);
    for (uint32_t i = 0; i < truth->run_count; i++)
        if (truth->runs[i].fault != STEM_FAULT_UNEXPLAINED || drops_out(self, &truth->runs[i]))
            holders[i] = -1;
        else
            holders[i] = run_holder(self, &truth->runs[i], within);
    for (uint32_t i = 0; i < truth->run_count; i++)
        for (uint32_t k = 0; k < truth->run_count && holders[i] < 0; k++)
            if (truth->runs[k].fault == STEM_FAULT_UNEXPLAINED && holders[k] >= 0 &&
                follows_holder(self, &truth->runs[i], &truth->runs[k], holders[k]))
                holders[i] = holders[k];
    uint32_t kept = 0;
    for (uint32_t i = 0; i < truth->run_count; i++) {
        const int holder = holders[i];
        const int32_t reel = judgement_reel(self->judgement, truth->runs[i].start_frame);
        if (holder < 0)
            continue;
        finding_stretches all = {0};
        uint32_t outputs = 0;
        double residual = -HUGE_VAL;
        for (uint32_t k = i; k < truth->run_count; k++) {
            const stem_run *run = &truth->runs[k];
            if (holders[k] != holder || judgement_reel(self->judgement, run->start_frame) != reel)
                continue;
            finding_stretches_add(self->judgement, &all, run->start_frame, run->end_frame);
            outputs |= run->outputs;
            residual = fmax(residual, run->residual_dbfs);
            holders[k] = TOLD;
        }
        tell_holder(self, holder, reel, outputs, residual, &all);
    }
    for (uint32_t i = 0; i < truth->run_count; i++)
        if (holders[i] != TOLD)
            truth->runs[kept++] = truth->runs[i];
    truth->run_count = kept;
}

/* ---- what the print has and the stems have not ---- */

static const finding *cause_of(const stem_judgement *self, const stem_run *run, const char **out_name)
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
            *out_name = causes[k].name;
            return item;
        }
    }
    return NULL;
}

const char *stem_judgement_cause(const stem_judgement *self, const stem_run *run)
{
    const char *name = NULL;
    const finding *cause = cause_of(self, run, &name);
    char place[PLACE_TEXT_SIZE];
    if (cause == NULL)
        return "something else is in it, or a stem lies at another time there. Compare it with the stems by ear";
    judgement_place(self->judgement, cause->start_sample, place);
    return arena_format(self->judgement->memory, "%s that is told at %s is not in the stems. Print again without it", name, place);
}

/* ---- what nothing explains, again and again in the same channels ---- */

enum { ANY_REEL = -2 };

static bool in_reel(const stem_judgement *self, const stem_run *run, int32_t reel)
{
    return reel == ANY_REEL || judgement_reel(self->judgement, run->start_frame) == reel;
}

/* Of the same channels and reel, and no drop-out; or a block or two of a gain that chance gives beside one. */
static bool is_like(const stem_judgement *self, const stem_run *run, uint32_t outputs, int32_t reel)
{
    const bool unexplained = run->fault == STEM_FAULT_UNEXPLAINED;
    if (reel == ANY_REEL && run->fault != STEM_FAULT_EXTRA && !unexplained)
        return true; /* a channel alone: its sound is another one, and its gains are chance */
    if (run->fault == STEM_FAULT_EXTRA || (run->outputs & ~outputs) != 0 || (unexplained && run->outputs != outputs) ||
        (!unexplained && run->end_frame - run->start_frame > blocks(self, EDGE_BLOCKS)) || !in_reel(self, run, reel))
        return false;
    bool beside = unexplained;
    for (uint32_t i = 0; i < self->truth.run_count && !beside; i++) {
        const stem_run *other = &self->truth.runs[i];
        beside = other->fault == STEM_FAULT_UNEXPLAINED && other->outputs == outputs && run->start_frame <= other->end_frame &&
                 other->start_frame <= run->end_frame;
    }
    return beside && (!unexplained || cause_of(self, run, &(const char *){NULL}) == NULL) && !drops_out(self, run) &&
           !stem_judgement_drops_out(self, run);
}

static void tell_places(stem_judgement *self, uint32_t outputs, int32_t reel, double residual, bool alone,
                        const finding_stretches *all)
{
    judgement *base = self->judgement;
    finding *item = stem_judgement_fault(self, "stems.null", residual, "dBFS");
    judgement_locate(base, item, all->items[0].start, all->items[all->count - 1].end);
    stem_judgement_channels(self, item, outputs);
    item->subject = arena_format(base->memory, "unexplained %d", reel);
    item->details_json = arena_format(base->memory, "{\"fault\": \"unexplained\", \"source\": \"\", \"gain_db\": null, \"residual_dbfs\": %.2f, %s}",
                                      residual, finding_stretches_json(base, all));
    const char *why = alone ? "while its other channels are the sum of theirs: this channel alone lies at another time (by more than 1,024 samples, or its sound is too dull to tell by how much) or was processed after the mix"
                            : "which no gain of a stem explains: something else is in it, or a stem lies at another time there";
    item->message = arena_format(base->memory, "It differs%s %s from the sum of its stems by up to %.1f dBFS, %s. Compare it with the stems by ear.",
                                 stem_judgement_channel_words(self, item), finding_stretches_text(base, all), residual, why);
}

/* True if nothing is wrong in any other channel of a programme of more than two, at any time, and what is is mostly unexplained. */
static bool is_alone(const stem_judgement *self, uint32_t outputs)
{
    uint32_t all = 0;
    uint64_t unexplained = 0;
    uint64_t named = 0;
    for (uint32_t i = 0; i < self->truth.run_count; i++) {
        const stem_run *run = &self->truth.runs[i];
        all |= run->outputs;
        *(run->fault == STEM_FAULT_UNEXPLAINED ? &unexplained : &named) += run->end_frame - run->start_frame;
    }
    return self->model.output_count > 2 && (outputs & (outputs - 1)) == 0 && (all & ~outputs) == 0 && self->shifts.count == 0 &&
           unexplained > named && unexplained > blocks(self, CLICK_BLOCKS);
}

/* Tells all runs that are like one, and takes them out; false where there is no other. */
static bool tell_alike(stem_judgement *self, const stem_run *first)
{
    stem_truth *truth = &self->truth;
    const uint32_t outputs = first->outputs;
    const bool alone = is_alone(self, outputs);
    const int32_t reel = alone ? ANY_REEL : judgement_reel(self->judgement, first->start_frame);
    bool *like = arena_take_array(self->judgement->memory, truth->run_count, sizeof *like);
    finding_stretches all = {0};
    double residual = -HUGE_VAL;
    uint32_t count = 0;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < truth->run_count; i++) {
        const stem_run *run = &truth->runs[i];
        like[i] = is_like(self, run, outputs, reel);
        if (!like[i])
            continue;
        finding_stretches_add(self->judgement, &all, run->start_frame, run->end_frame);
        residual = fmax(residual, run->residual_dbfs);
        count++;
    }
    if (count == 0 || (count == 1 && !alone))
        return false;
    tell_places(self, outputs, reel, residual, alone, &all);
    for (uint32_t i = 0; i < truth->run_count; i++)
        if (!like[i])
            truth->runs[kept++] = truth->runs[i];
    truth->run_count = kept;
    return true;
}

/* Of each reel and set of channels one finding; of a channel that is the only one in which anything is wrong, one in all. */
static void tell_unexplained(stem_judgement *self)
{
    for (uint32_t i = 0; i < self->truth.run_count;) {
        const stem_run run = self->truth.runs[i];
        if (run.fault != STEM_FAULT_UNEXPLAINED || !tell_alike(self, &run))
            i++;
    }
}

void judge_stem_causes(stem_judgement *self)
{
    join_level_runs(self);
    drop_edges(self);
    tell_clipped(self);
    tell_holders(self);
    tell_unexplained(self);
}
