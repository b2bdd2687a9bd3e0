/*
 * Where a received programme runs at another speed than its stems, nothing that gains tell of the mix is true there. How fast it
 * runs a reference tells; without one, at which time its stems are found in it.
 */
#include "common/measure/sync_model.h"
#include "coordinator/verdict/finding_stretches.h"
#include "coordinator/verdict/stem_judgement.h"

#include <math.h>
#include <string.h>

/* A sample is enough to change what the treble leaves; less is what single places are off by. */
static const double frames_most = 1.5;
static const double alike_most = 0.5e-6;

/* Frames per frame by which a track runs slower than the reference; false: not known. */
static bool drift_of(const judgement *judged, const plan_listen *listen, double *out_drift)
{
    uint32_t index = (uint32_t)(listen - judged->facts->plan->listens);
    const sync_measure *heard = judged->facts->heard[index];
    sync_model model = {0};
    if (heard != NULL && !listen->join && !listen->seeks && listen->reference_count > 0)
        sync_model_fit(&model, heard->points, heard->point_count);
    *out_drift = model.drift;
    return model.known;
}

/* By how much the programme runs slower than that of its stems that it differs most from, and which that is: "its stems" where
 * all do alike. A stem of which nothing is known stands for the reference. */
static double against_stems(const stem_judgement *self, const plan_listen *listen, double drift, const char **out_name)
{
    const judgement *judged = self->judgement;
    const plan *made = judged->facts->plan;
    double most = 0.0;
    uint32_t alike = 0;
    for (uint32_t e = 0; e < self->model.element_count; e++) {
        double apart = 0.0;
        bool known = false;
        for (uint32_t i = 0; i < made->listen_count; i++) {
            const plan_listen *of = &made->listens[i];
            double own = 0.0;
            if (of->stem != (int32_t)self->stems[e] || (!listen->whole && of->reel != listen->reel) || !drift_of(judged, of, &own))
                continue;
            known = true;
            apart = fabs(drift - own) > fabs(apart) ? drift - own : apart;
        }
        apart = known ? apart : drift;
        if (fabs(apart - most) < alike_most) {
            alike++;
        } else if (fabs(apart) > fabs(most)) {
            most = apart;
            alike = 1;
            *out_name = judged->show->stems[self->stems[e]].name;
        }
    }
    if (alike == self->model.element_count)
        *out_name = "its stems";
    return most;
}

enum { ALL_STEMS = STEM_ELEMENTS_MAX };

/* The stretch in which a programme and its stems are apart by more than a sample. */
typedef struct stem_drift {
    double ppm; /* by which it runs slower than they */
    uint64_t start, end;
    const char *stem; /* or "its stems" */
    uint32_t element; /* that drifts alone, or ALL_STEMS */
    double samples;   /* by which it is late at the end */
} stem_drift;

static void tell_check(const stem_judgement *self, const char *check, const stem_drift *drift, const char *told_by)
{
    judgement *base = self->judgement;
    const spec_limit *limit = judgement_limit(base, check);
    if (limit == NULL && strcmp(check, "stems.null") != 0)
        return;
    finding *item = judgement_add(base, check, limit == NULL ? FINDING_INFO : FINDING_NOT_CHECKED);
    if (limit != NULL)
        judgement_limits(item, limit);
    judgement_locate(base, item, drift->start, drift->end);
    item->subject = "drift";
    double apart = fabs(drift->ppm) * 1e-6 * (double)(drift->end - drift->start);
    item->message = arena_format(base->memory,
                                 "It was not compared with the stems %s: it runs %s than %s by %.2f ppm (%s), %.0f samples by then, "
                                 "so at which level each stem is in the mix cannot be told. Convert what drifts, then judge it again.",
                                 judgement_stretch(base, drift->start, drift->end), drift->ppm > 0.0 ? "slower" : "faster", drift->stem,
                                 fabs(drift->ppm), told_by, ceil(apart));
    item->details_json = arena_format(base->memory, "{\"fault\": \"drift\", \"source\": \"%s\", \"drift_ppm\": %.2f}", drift->stem,
                                      drift->ppm);
}

static bool find_drift(const stem_judgement *self, const plan_listen *listen, stem_drift *out_drift)
{
    const judgement *judged = self->judgement;
    double own = 0.0;
    const char *name = "";
    if (listen->deliverable != (int32_t)judged->facts->deliverable || !drift_of(judged, listen, &own))
        return false;
    double apart = against_stems(self, listen, own, &name);
    if (fabs(apart) * (double)listen->frame_count < frames_most)
        return false;
    uint64_t begin = (uint64_t)(frames_most / fabs(apart));
    *out_drift = (stem_drift){.ppm = apart * 1e6,
                              .start = listen->programme_frame + begin,
                              .end = listen->programme_frame + listen->frame_count,
                              .stem = name,
                              .element = ALL_STEMS};
    return true;
}

/* ---- without a reference: at which time each stem is found in it, cell by cell ---- */

static const double shift_frames = 2.0;   /* by which a cell's shift is off by itself */
static const double growth_least = 6.0;   /* against by how much places may lie off the line: no cuts grow so evenly */
static const double on_line_least = 0.8;
enum { PLACES_LEAST = 6, CELLS_LEAST = 4 };

typedef struct shift_place {
    double frame, samples;
    size_t cell;
} shift_place;

typedef struct shift_line {
    double slope, at_zero, within; /* within: frames that a place on it may be off by */
    size_t count, first, last;     /* places on it */
} shift_line;

static bool lies_on(const shift_line *line, const shift_place *place)
{
    return fabs(line->at_zero + line->slope * place->frame - place->samples) <= line->within;
}

/* Where in its cell a shift was measured is not known: over half a cell the line itself may move. */
static shift_line line_through(const shift_place *places, size_t count, const shift_place *a, const shift_place *b)
{
    shift_line line = {.slope = (b->samples - a->samples) / (b->frame - a->frame)};
    line.at_zero = a->samples - line.slope * a->frame;
    line.within = shift_frames + fabs(line.slope) * CELL_FRAMES / 2.0;
    for (size_t i = 0; i < count; i++) {
        if (!lies_on(&line, &places[i]))
            continue;
        line.first = line.count++ == 0 ? i : line.first;
        line.last = i;
    }
    return line;
}

/* By least squares through the places that lie on it. */
static void straighten(shift_line *line, const shift_place *places, size_t count)
{
    double frames = 0.0, samples = 0.0, squares = 0.0, products = 0.0;
    for (size_t i = 0; i < count; i++)
        if (lies_on(line, &places[i])) {
            frames += places[i].frame / (double)line->count;
            samples += places[i].samples / (double)line->count;
        }
    for (size_t i = 0; i < count; i++)
        if (lies_on(line, &places[i])) {
            squares += (places[i].frame - frames) * (places[i].frame - frames);
            products += (places[i].frame - frames) * (places[i].samples - samples);
        }
    line->slope = products / squares;
    line->at_zero = samples - line->slope * frames;
}

/* Of a stem, or all of them, the places that stand out in a stretch; *out_count of them, by time. */
static shift_place *find_places(const stem_judgement *self, uint32_t element, uint64_t start, uint64_t end, size_t *out_count)
{
    const stem_programme *programme = self->judgement->facts->stems;
    const size_t most = programme->cell_count * self->model.element_count + 1;
    shift_place *places = arena_take_array(self->judgement->memory, most, sizeof *places);
    *out_count = 0;
    for (size_t c = 0; c < programme->cell_count; c++) {
        const stem_cell *cell = &programme->bleed[c];
        for (uint32_t g = 1; g < cell->group_count && g <= self->model.element_count; g++)
            if ((element == ALL_STEMS || element == g - 1) && cell->frame >= start && cell->frame < end &&
                (double)cell->shifts[g].score >= STEM_LEAK_SCORE_MIN)
                places[(*out_count)++] = (shift_place){.frame = (double)cell->frame + cell->frame_count / 2.0,
                                                       .samples = cell->shifts[g].samples,
                                                       .cell = c};
    }
    return places;
}

/* At its edge a reel may have less than tells where a stem lies. */
static void extend_to_edges(const plan_timeline *timeline, stem_drift *drift)
{
    for (uint32_t p = 0; p < timeline->piece_count; p++) {
        const uint64_t start = timeline->pieces[p].programme_frame;
        const uint64_t end = start + timeline->pieces[p].frame_count;
        drift->start = start < drift->start && drift->start - start <= CELL_FRAMES ? start : drift->start;
        drift->end = end > drift->end && end - drift->end <= CELL_FRAMES ? end : drift->end;
    }
}

/* Shifts that grow from cell to cell in a stretch, of a stem or of all alike. */
static bool find_growth(const stem_judgement *self, uint32_t element, uint64_t start, uint64_t end, stem_drift *out_drift)
{
    const judgement *base = self->judgement;
    const stem_programme *programme = base->facts->stems;
    size_t count = 0;
    const shift_place *places = find_places(self, element, start, end, &count);
    shift_line best = {0};
    for (size_t i = 0; i < count / 2; i++) {
        const shift_place *other = &places[i + count / 2];
        if (other->cell == places[i].cell)
            continue;
        const shift_line line = line_through(places, count, &places[i], other);
        best = line.count > best.count ? line : best;
    }
    if (best.count < PLACES_LEAST || (double)best.count < on_line_least * (double)count ||
        places[best.last].cell - places[best.first].cell + 1 < CELLS_LEAST)
        return false;
    const stem_cell *first = &programme->bleed[places[best.first].cell];
    const stem_cell *last = &programme->bleed[places[best.last].cell];
    straighten(&best, places, count);
    if (fabs(best.slope) * (double)(last->frame - first->frame) < growth_least * best.within)
        return false;
    *out_drift = (stem_drift){.ppm = best.slope * 1e6,
                              .start = first->frame,
                              .end = last->frame + last->frame_count,
                              .stem = element == ALL_STEMS ? "its stems" : base->show->stems[self->stems[element]].name,
                              .element = element};
    extend_to_edges(base->timeline, out_drift);
    out_drift->samples = best.at_zero + best.slope * (double)out_drift->end;
    return true;
}

/* From end to end, or reel by reel, where each has drifted from its own beginning; how many there are. */
static uint32_t find_growths(const stem_judgement *self, uint32_t element, stem_drift *out_drifts)
{
    const plan_timeline *timeline = self->judgement->timeline;
    if (find_growth(self, element, 0, timeline->frame_count, out_drifts))
        return 1;
    uint32_t count = 0;
    for (uint32_t p = 0; p < timeline->piece_count; p++) {
        const plan_piece *piece = &timeline->pieces[p];
        const uint64_t end = piece->programme_frame + piece->frame_count;
        count += find_growth(self, element, piece->programme_frame, end, &out_drifts[count]);
    }
    return count;
}

/* One finding of all its stretches, with the figures of the worst. */
static void tell_growths(stem_judgement *self, const stem_drift *drifts, uint32_t count)
{
    judgement *base = self->judgement;
    const stem_drift *worst = &drifts[0];
    finding_stretches all = {0};
    for (uint32_t i = 0; i < count; i++) {
        worst = fabs(drifts[i].samples) > fabs(worst->samples) ? &drifts[i] : worst;
        finding_stretches_add(base, &all, drifts[i].start, drifts[i].end);
    }
    const bool whole = worst->element == ALL_STEMS;
    const spec_limit *limit = judgement_limit(base, "stems.null");
    finding *item = judgement_add(base, "stems.null", limit != NULL ? judgement_breach(limit) : judgement_late_severity(base, worst->samples));
    if (limit != NULL)
        judgement_limits(item, limit);
    judgement_locate(base, item, drifts[0].start, drifts[count - 1].end);
    item->subject = whole ? "drift" : arena_format(base->memory, "drift %s", worst->stem);
    const char *who = whole ? "It drifts against its stems" : arena_format(base->memory, "%s in it drifts against the stem", worst->stem);
    item->message = arena_format(base->memory,
                                 "%s %s, evenly%s, and lies up to %.0f samples %s there: it runs %s than %s by about %.0f ppm, so %s cannot be told. "
                                 "Convert what drifts, then judge it again%s.",
                                 who, finding_stretches_text(base, &all), count > 1 ? ", anew in each reel" : "", fabs(worst->samples),
                                 worst->samples > 0.0 ? "late" : "early", worst->ppm > 0.0 ? "slower" : "faster", whole ? "they do" : "the stem",
                                 fabs(worst->ppm), whole ? "at which level each stem is in the mix" : "whether anything else is wrong with it", whole ? "; beside a reference sync.drift tells it exactly" : "");
    item->details_json = arena_format(base->memory, "{\"fault\": \"drift\", \"source\": \"%s\", \"drift_ppm\": %.1f, %s}", worst->stem, worst->ppm,
                                      finding_stretches_json(base, &all));
}

/* ---- what that makes of the comparison ---- */

/*
 * Takes from a run the channels in which the drift explains it. A stem that does not belong there is in it, wherever it lies; where
 * one drifts alone others have gains by chance in its channels, for a block or two.
 */
static void take_channels(const stem_judgement *self, const stem_drift *drift, stem_run *run)
{
    enum { CHANCE_BLOCKS = 2 };
    const uint64_t block = stem_block_frames(self->model.lane_count, true);
    const bool chance = run->end_frame - run->start_frame <= CHANCE_BLOCKS * block;
    if (run->fault == STEM_FAULT_EXTRA || run->end_frame <= drift->start || run->start_frame >= drift->end)
        return;
    if (drift->element == ALL_STEMS || run->element == drift->element) {
        run->outputs = 0;
        return;
    }
    for (uint32_t o = 0; o < self->model.output_count; o++)
        if ((run->fault == STEM_FAULT_UNEXPLAINED || chance) && stem_judgement_plays_in(self, drift->element, o, run))
            run->outputs &= ~(1U << o);
}

static bool take_explained(stem_judgement *self, const stem_drift *drift)
{
    stem_truth *truth = &self->truth;
    uint32_t kept = 0;
    bool any = false;
    for (uint32_t r = 0; r < truth->run_count; r++) {
        stem_run run = truth->runs[r];
        take_channels(self, drift, &run);
        any = any || run.outputs != truth->runs[r].outputs;
        if (run.outputs != 0)
            truth->runs[kept++] = run;
    }
    truth->run_count = kept;
    truth->run_dropped = any ? 0 : truth->run_dropped;
    return any;
}

static bool tell_explained(stem_judgement *self, uint32_t element, stem_drift *drifts)
{
    const uint32_t count = find_growths(self, element, drifts);
    bool any = false;
    for (uint32_t i = 0; i < count; i++)
        any = take_explained(self, &drifts[i]) || any;
    if (any)
        tell_growths(self, drifts, count);
    return any;
}

bool judge_drift(stem_judgement *self)
{
    static const char *const checks[] = {"stems.null", "folddown.matrix", "me.dialogue", "me.optional"};
    const judgement *judged = self->judgement;
    stem_drift *drifts = arena_take_array(judged->memory, judged->timeline->piece_count + 1u, sizeof *drifts);
    bool any = false;
    for (uint32_t i = 0; judged->facts->heard != NULL && i < judged->facts->plan->listen_count; i++) {
        if (!find_drift(self, &judged->facts->plan->listens[i], drifts) || !take_explained(self, drifts))
            continue;
        any = true;
        for (size_t c = 0; c < sizeof checks / sizeof checks[0]; c++)
            tell_check(self, checks[c], drifts, "sync.drift");
    }
    if (any)
        return true;
    if (tell_explained(self, ALL_STEMS, drifts)) {
        for (size_t c = 1; c < sizeof checks / sizeof checks[0]; c++)
            tell_check(self, checks[c], drifts, "stems.null");
        return true;
    }
    for (uint32_t e = 0; e < self->model.element_count; e++)
        if (tell_explained(self, e, drifts))
            self->another[e] = true; /* in it, and not where it is looked for */
    return false;
}
