/*
 * How far a received description ducks its programme under the narration. In each block of the stems' sums
 *   channel = g x (nominal sum of the other stems there) + narration at a gain of that channel
 * is solved for one g of all channels; g against its median where no narration plays is the depth. What is rendered here is
 * ducked by a curve that reaches the recipe's depth wherever the narration reaches its threshold: its energies say where.
 */
#include "coordinator/verdict/verdict_parts.h"

#include "common/measure/stem_solve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NARRATION_LANES_MAX = 4, COLOUR = 30, /* as in the truth: samples that count as one */ STRETCHES_LISTED_MAX = 200 };
static const double spoken_power = 1e-5;   /* -50 dBFS, as ad.overlap */
static const double least_own = 1e-3;
static const double certain = 0.05;        /* error of g, of 1 */
static const double present_gain = 0.1;    /* narration at least at -20 dB is in it */
static const double unducked_db = -1.0;
static const double clear_db = 10.0;       /* narration over the programme: Torcoli et al., JAES 67(12): 10 LU over music */
static const double settle_seconds = 3.0;  /* attack and release around narration */
static const double same_db = 0.3;         /* as runs of the truth are the same */

typedef struct ad_block {
    bool speaks;      /* narration plays */
    bool known;
    double gain;      /* g */
    double over_db;   /* narration over the programme, both as they are in the mix */
    bool narrated;    /* the narration is in the mix */
} ad_block;

typedef struct ad_stretch {
    size_t first, end; /* blocks */
    double depth_db, over_db;
    bool known;
} ad_stretch;

struct ad_judgement {
    judgement *base;
    const stem_model *model;
    const stem_programme *stems;
    uint32_t lanes[NARRATION_LANES_MAX];
    uint32_t lane_count;
    ad_block *blocks;
    double home; /* g where no narration plays */
};

static bool is_narration(const ad_judgement *self, uint32_t lane)
{
    const show *film = self->base->show;
    const render_program *program = &self->base->facts->plan->programs[self->base->deliverable->program];
    return film->stems[program->inputs[lane].stem].role == ROLE_NARRATION;
}

/* <sum of the other stems in an output, lane> */
static double with_sum(const ad_judgement *self, const double *sums, uint32_t output, uint32_t lane)
{
    double product = 0.0;
    for (uint32_t i = self->model->output_count; i < self->model->lane_count; i++)
        if (!is_narration(self, i))
            product += self->model->nominal[output][i] * sums[stem_sum_index(i, lane)];
    return product;
}

static double sum_energy(const ad_judgement *self, const double *sums, uint32_t output)
{
    double energy = 0.0;
    for (uint32_t i = self->model->output_count; i < self->model->lane_count; i++)
        if (!is_narration(self, i))
            energy += self->model->nominal[output][i] * with_sum(self, sums, output, i);
    return energy;
}

static void solve_block(ad_judgement *self, size_t index)
{
    const stem_block *block = &self->stems->blocks[index];
    const double *sums = block->sums;
    uint32_t outputs = self->model->output_count;
    uint32_t count = 1 + outputs * self->lane_count;
    double a[STEM_UNKNOWNS_MAX * STEM_UNKNOWNS_MAX] = {0.0};
    double b[STEM_UNKNOWNS_MAX] = {0.0};
    double x[STEM_UNKNOWNS_MAX], partial[STEM_UNKNOWNS_MAX];
    double own = 0.0;
    double narration = 0.0;
    ad_block *out = &self->blocks[index];
    for (uint32_t o = 0; o < outputs; o++) {
        own += sums[stem_sum_index(o, o)];
        a[0] += sum_energy(self, sums, o);
        b[0] += with_sum(self, sums, o, o);
        for (uint32_t k = 0; k < self->lane_count; k++) {
            uint32_t at = 1 + o * self->lane_count + k;
            a[at] = a[at * count] = with_sum(self, sums, o, self->lanes[k]);
            b[at] = sums[stem_sum_index(self->lanes[k], o)];
            for (uint32_t m = 0; m < self->lane_count; m++)
                a[at * count + 1 + o * self->lane_count + m] = sums[stem_sum_index(self->lanes[k], self->lanes[m])];
        }
    }
    for (uint32_t k = 0; k < self->lane_count; k++)
        out->speaks = out->speaks || sums[stem_sum_index(self->lanes[k], self->lanes[k])] > spoken_power * block->frame_count;
    stem_solve(count, a, b, least_own, x, partial);
    double left = own;
    for (uint32_t i = 0; i < count; i++)
        left -= x[i] * b[i];
    for (uint32_t i = 1; i < count; i++) {
        narration += x[i] * x[i] * a[i * count + i];
        out->narrated = out->narrated || (out->speaks && fabs(x[i]) > present_gain && left < 0.5 * own);
    }
    double noise = fmax(left, 1e-12 * own) * COLOUR / block->frame_count;
    out->gain = fabs(x[0]);
    out->known = partial[0] > 1e-9 * block->frame_count && sqrt(noise / partial[0]) < certain;
    out->over_db = 10.0 * log10(fmax(narration, 1e-30) / fmax(x[0] * x[0] * a[0], 1e-30));
}

static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return left < right ? -1 : left > right;
}

/* The median gain of blocks that lie away from narration; 1 where there are none. */
static double find_home(const ad_judgement *self)
{
    double *gains = arena_take_array(self->base->memory, self->stems->block_count + 1, sizeof *gains);
    size_t count = 0;
    for (size_t b = 1; b + 1 < self->stems->block_count; b++)
        if (self->blocks[b].known && !self->blocks[b - 1].speaks && !self->blocks[b].speaks && !self->blocks[b + 1].speaks)
            gains[count++] = self->blocks[b].gain;
    qsort(gains, count, sizeof *gains, by_value);
    return count == 0 ? 1.0 : gains[count / 2];
}

/* Blocks with narration, at most one without between them; returns the next block behind. */
static ad_stretch next_stretch(const ad_judgement *self, size_t from)
{
    size_t count = self->stems->block_count;
    ad_stretch found = {.first = from};
    while (found.first < count && !self->blocks[found.first].speaks)
        found.first++;
    found.end = found.first;
    for (size_t b = found.first; b < count && (self->blocks[b].speaks || (b + 1 < count && self->blocks[b + 1].speaks)); b++) {
        const ad_block *block = &self->blocks[b];
        found.end = b + 1;
        double depth = 20.0 * log10(fmax(block->gain / self->home, 1e-4));
        if (!block->speaks || !block->known || (found.known && depth >= found.depth_db))
            continue;
        found.known = true;
        found.depth_db = depth;
        found.over_db = block->over_db;
    }
    return found;
}

static uint64_t end_frame(const ad_judgement *self, const ad_stretch *found)
{
    const stem_block *last = &self->stems->blocks[found->end - 1];
    return last->frame + last->frame_count;
}

static void tell_stretch(ad_judgement *self, const ad_stretch *found, finding_severity severity, const spec_limit *limit)
{
    judgement *base = self->base;
    uint64_t start = self->stems->blocks[found->first].frame;
    finding *item = judgement_add(base, "ad.depth", severity);
    if (limit != NULL)
        judgement_limits(item, limit);
    judgement_locate(base, item, start, end_frame(self, found));
    item->measured = found->depth_db;
    item->unit = "dB";
    char place[PLACE_TEXT_SIZE];
    judgement_place(base, start, place);
    if (base->deliverable->rendered) {
        item->details_json = arena_format(base->memory, "{\"depth_db\": %.2f}", found->depth_db);
        item->message = arena_format(base->memory, "Under the narration at %s the programme is %.1f dB lower than beside it. Change the recipe's depth, or the level of narration that does not reach its threshold.",
                                     place, fmax(-found->depth_db, 0.0));
        return;
    }
    item->details_json = arena_format(base->memory, "{\"depth_db\": %.2f, \"narration_over_programme_db\": %.1f}", found->depth_db,
                                      found->over_db);
    item->message = arena_format(base->memory, "Under the narration at %s the programme is %.1f dB lower than beside it, with the narration %.1f dB %s it. Duck it deeper there, or raise the narration.",
                                 place, fmax(-found->depth_db, 0.0), fabs(found->over_db), found->over_db < 0.0 ? "below" : "over");
}

static bool breaks(const ad_stretch *found, const spec_limit *limit)
{
    double shown = verdict_displayed(found->depth_db);
    return limit != NULL ? shown > limit->max || shown < limit->min : found->depth_db > unducked_db && found->over_db < clear_db;
}

/* "6.0 to 9.0 dB", or "9.0 dB" where both are shown alike. */
static const char *depths_text(const judgement *base, double least, double most)
{
    bool alike = verdict_displayed(least) >= verdict_displayed(most);
    return alike ? arena_format(base->memory, "%.1f dB", least) : arena_format(base->memory, "%.1f to %.1f dB", least, most);
}

/* One finding says what was reached; those that break a bound have one each. */
static void tell_depth(ad_judgement *self, const spec_limit *limit)
{
    judgement *base = self->base;
    finding_severity severity = limit == NULL ? FINDING_WARN : judgement_breach(limit);
    size_t stretches = 0, unknown = 0, told = 0;
    double least = -HUGE_VAL, most = 0.0;
    const char *list = "";
    for (ad_stretch found = next_stretch(self, 0); found.first < self->stems->block_count; found = next_stretch(self, found.end)) {
        stretches++;
        unknown += !found.known;
        if (!found.known)
            continue;
        least = fmax(least, found.depth_db);
        most = fmin(most, found.depth_db);
        if (stretches <= STRETCHES_LISTED_MAX)
            list = arena_format(base->memory, "%s%s{\"start_sample\": %llu, \"end_sample\": %llu, \"depth_db\": %.2f}", list,
                                list[0] == '\0' ? "" : ", ", (unsigned long long)self->stems->blocks[found.first].frame,
                                (unsigned long long)end_frame(self, &found), found.depth_db);
        if (breaks(&found, limit) && told++ < VERDICT_RUNS_MAX)
            tell_stretch(self, &found, severity, limit);
    }
    judgement_tell_rest(base, "ad.depth", severity, told > VERDICT_RUNS_MAX ? told - VERDICT_RUNS_MAX : 0);
    bool nothing = unknown == stretches;
    finding *item = judgement_add(base, "ad.depth", nothing && limit != NULL ? FINDING_NOT_CHECKED : FINDING_INFO);
    if (nothing && limit != NULL)
        judgement_limits(item, limit);
    item->measured = nothing ? (double)NAN : least;
    item->unit = "dB";
    item->subject = "reached";
    item->details_json = arena_format(base->memory, "{\"stretches\": %zu, \"not_known\": %zu, \"programme_gain_db\": %.2f, \"reached\": [%s]}",
                                      stretches, unknown, 20.0 * log10(fmax(self->home, 1e-4)), list);
    item->message = nothing ? "How far the programme is ducked under the narration cannot be told: nothing of it plays there."
                            : arena_format(base->memory, "The programme is ducked by %s under the narration (%zu place%s%s).",
                                           depths_text(base, fmax(-least, 0.0), fmax(-most, 0.0)), stretches, stretches == 1 ? "" : "s",
                                           unknown == 0 ? "" : arena_format(base->memory, "; of %zu nothing can be said", unknown));
}

/* What ducking and narration make of the comparison with the stems' sum is no fault of its own. */
static void drop_ducked(ad_judgement *self, stem_truth *truth)
{
    uint64_t reach = (uint64_t)(settle_seconds * self->base->timeline->sample_rate);
    uint32_t kept = 0;
    double home_db = 20.0 * log10(fmax(self->home, 1e-4));
    if (fabs(home_db) > same_db)
        truth->programme_gain = self->home; /* told once, of all stems */
    for (uint32_t i = 0; i < truth->run_count; i++) {
        const stem_run *run = &truth->runs[i];
        uint64_t covered = run->start_frame;
        for (ad_stretch found = next_stretch(self, 0); found.first < self->stems->block_count;
             found = next_stretch(self, found.end))
            if (self->stems->blocks[found.first].frame <= covered + reach && end_frame(self, &found) + reach > covered)
                covered = end_frame(self, &found) + reach;
        bool ducked = covered >= run->end_frame && (run->fault == STEM_FAULT_GAIN || run->fault == STEM_FAULT_UNEXPLAINED);
        bool level = run->fault == STEM_FAULT_GAIN && fabs(run->gain_db - home_db) < same_db;
        if (!ducked && !level)
            truth->runs[kept++] = *run;
    }
    truth->run_count = kept;
}

static void depth_not_known(judgement *self, const char *why)
{
    judgement_cannot(self, "ad.depth", "The depth of its ducking", why);
}

/* NULL: no narration stem of the show is heard in it. */
ad_judgement *judgement_description(judgement *self, const stem_model *model)
{
    ad_judgement *ad = arena_take(self->memory, sizeof *ad);
    *ad = (ad_judgement){.base = self, .model = model, .stems = self->facts->stems};
    bool room = true;
    for (uint32_t i = model->output_count; i < model->lane_count; i++)
        if (is_narration(ad, i)) {
            room = room && ad->lane_count < NARRATION_LANES_MAX &&
                   1 + model->output_count * (ad->lane_count + 1) <= STEM_UNKNOWNS_MAX;
            if (room)
                ad->lanes[ad->lane_count++] = i;
        }
    if (!room || ad->lane_count == 0)
        return NULL;
    size_t speaking = 0, narrated = 0;
    ad->blocks = arena_take_array(self->memory, ad->stems->block_count + 1, sizeof *ad->blocks);
    memset(ad->blocks, 0, (ad->stems->block_count + 1) * sizeof *ad->blocks);
    for (size_t b = 0; b < ad->stems->block_count; b++) {
        solve_block(ad, b);
        speaking += ad->blocks[b].speaks;
        narrated += ad->blocks[b].narrated;
    }
    if (narrated == 0 || narrated * 2 < speaking)
        return NULL;
    ad->home = find_home(ad);
    return ad;
}

/* ---- rendered ---- */

/* Mean square of the narration that this deliverable takes, its channels summed. */
static double narration_power(const ad_judgement *self, const recipe *made_by, size_t index)
{
    const judgement *base = self->base;
    const render_program *program = &base->facts->plan->programs[base->deliverable->program];
    const stem_block *block = &self->stems->blocks[index];
    double power = 0.0;
    for (uint32_t lane = 0; lane < program->input_count; lane++) {
        uint16_t stem = program->inputs[lane].stem;
        if (strcmp(base->show->stems[stem].role_name, made_by->duck_role) == 0 &&
            plan_takes_stem(base->show, base->facts->deliverable, stem))
            power += block->sums[self->stems->crossed ? stem_sum_index(lane, lane) : lane] / block->frame_count;
    }
    return power;
}

/* Pauses over which the duck stays down belong to the narration. */
static void bridge_pauses(ad_judgement *self, const duck_shape *shape)
{
    uint64_t reach = (uint64_t)(shape->hold + shape->look_ahead) * self->base->timeline->sample_rate / 100;
    size_t last = self->stems->block_count;
    for (size_t b = 0; b < self->stems->block_count; b++) {
        if (!self->blocks[b].speaks)
            continue;
        bool near = last < b && self->stems->blocks[b].frame <=
                                    self->stems->blocks[last].frame + self->stems->blocks[last].frame_count + reach;
        for (size_t pause = last + 1; near && pause < b; pause++)
            self->blocks[pause].speaks = true;
        last = b;
    }
}

/*
 * A block whose mean reaches the threshold has a slot of 10 ms that does. One whose sum of ten would reach it may have one; where
 * nothing else of its stretch does, the depth is not known.
 */
static void solve_rendered(ad_judgement *self, const recipe *made_by)
{
    size_t count = self->stems->block_count;
    double *powers = arena_take_array(self->base->memory, count + 1, sizeof *powers);
    for (size_t b = 0; b < count; b++) {
        powers[b] = narration_power(self, made_by, b);
        self->blocks[b] = (ad_block){.speaks = powers[b] > spoken_power, .gain = 1.0, .over_db = HUGE_VAL};
    }
    bridge_pauses(self, &made_by->duck);
    for (ad_stretch found = next_stretch(self, 0); found.first < count; found = next_stretch(self, found.end)) {
        double most = 0.0;
        for (size_t b = found.first; b < found.end; b++)
            most = fmax(most, powers[b] / made_by->duck.threshold);
        double slots = (double)self->stems->blocks[found.first].frame_count * 100.0 / self->base->timeline->sample_rate;
        for (size_t b = found.first; b < found.end; b++) {
            self->blocks[b].known = most >= 1.0 || most * slots < 1.0;
            self->blocks[b].gain = most >= 1.0 ? made_by->duck.floor : 1.0;
        }
    }
}

static void judge_rendered(judgement *self, const spec_limit *limit)
{
    const recipe *made_by = self->show->deliverables[self->facts->deliverable].recipe;
    bool ducks = false;
    for (uint32_t i = 0; made_by != NULL && made_by->duck_role != NULL && i < made_by->role_count; i++)
        ducks = ducks || strcmp(made_by->roles[i], made_by->duck_role) != 0;
    if (!ducks || self->facts->stems == NULL || self->facts->stems->block_count == 0) {
        depth_not_known(self, "nothing in it is ducked");
        return;
    }
    ad_judgement *ad = arena_take(self->memory, sizeof *ad);
    *ad = (ad_judgement){.base = self, .stems = self->facts->stems, .home = 1.0};
    ad->blocks = arena_take_array(self->memory, ad->stems->block_count + 1, sizeof *ad->blocks);
    solve_rendered(ad, made_by);
    bool speaks = false;
    for (size_t b = 0; b < ad->stems->block_count; b++)
        speaks = speaks || ad->blocks[b].speaks;
    if (speaks)
        tell_depth(ad, limit);
    else
        depth_not_known(self, "its narration does not speak");
}

void judge_ad(judgement *self, ad_judgement *description, stem_truth *truth)
{
    const spec_limit *limit = judgement_limit(self, "ad.depth");
    if (self->deliverable->rendered) {
        judge_rendered(self, limit);
        return;
    }
    if (description == NULL) {
        static const char why[] = "no narration stem of the show was heard in it";
        depth_not_known(self, why);
        judgement_cannot(self, "ad.overlap", "Whether narration lies over dialogue", why);
        return;
    }
    tell_depth(description, limit);
    drop_ducked(description, truth);
}
