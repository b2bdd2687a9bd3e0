/*
 * Where a received programme runs at another speed than its stems, nothing that gains tell of the mix is true there. How fast it
 * runs a reference tells; without one, at which time its stems are found in it.
 */
#include "common/measure/sync_model.h"
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
    if (heard != NULL && !listen->join && listen->reference_count > 0)
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

/* The stretch in which a programme and its stems are apart by more than a sample. */
typedef struct stem_drift {
    double ppm; /* by which it runs slower than they */
    uint64_t start, end;
    const char *stem; /* or "its stems" */
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
                                 "so no gain tells what is in the mix. Convert what drifts, then judge it again.",
                                 judgement_stretch(base, drift->start, drift->end), drift->ppm > 0.0 ? "slower" : "faster", drift->stem,
                                 fabs(drift->ppm), told_by, ceil(apart));
    item->details_json = arena_format(base->memory, "{\"fault\": \"drift\", \"source\": \"%s\", \"drift_ppm\": %.2f}", drift->stem,
                                      drift->ppm);
}

/* Whether a run lies where the drift has added up. A stem that does not belong there is in it, wherever it lies. */
static bool explains(const stem_drift *drift, const stem_run *run)
{
    return run->fault != STEM_FAULT_EXTRA && run->end_frame > drift->start && run->start_frame < drift->end;
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
                              .stem = name};
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

/* Of all stems the places that stand out; *out_count of them, by time. */
static shift_place *find_places(const stem_judgement *self, size_t *out_count)
{
    const stem_programme *programme = self->judgement->facts->stems;
    const size_t most = programme->cell_count * self->model.element_count + 1;
    shift_place *places = arena_take_array(self->judgement->memory, most, sizeof *places);
    *out_count = 0;
    for (size_t c = 0; c < programme->cell_count; c++) {
        const stem_cell *cell = &programme->bleed[c];
        for (uint32_t g = 1; g < cell->group_count && g <= self->model.element_count; g++)
            if ((double)cell->shifts[g].score >= STEM_LEAK_SCORE_MIN)
                places[(*out_count)++] = (shift_place){.frame = (double)cell->frame + cell->frame_count / 2.0,
                                                       .samples = cell->shifts[g].samples,
                                                       .cell = c};
    }
    return places;
}

/* Shifts that grow from cell to cell, of all stems alike. */
static bool find_growth(const stem_judgement *self, stem_drift *out_drift, double *out_samples)
{
    const stem_programme *programme = self->judgement->facts->stems;
    size_t count = 0;
    const shift_place *places = find_places(self, &count);
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
                              .stem = "its stems"};
    *out_samples = best.at_zero + best.slope * (double)out_drift->end;
    return true;
}

static void tell_growth(const stem_judgement *self, const stem_drift *drift, double samples)
{
    judgement *base = self->judgement;
    const spec_limit *limit = judgement_limit(base, "stems.null");
    finding *item = judgement_add(base, "stems.null", limit == NULL ? FINDING_WARN : judgement_breach(limit));
    if (limit != NULL)
        judgement_limits(item, limit);
    judgement_locate(base, item, drift->start, drift->end);
    item->subject = "drift";
    item->message = arena_format(base->memory,
                                 "It drifts against its stems %s, evenly, and lies about %.0f samples %s there: it runs %s than they by about "
                                 "%.0f ppm, so no gain tells what is in the mix. Convert what drifts, then judge it again; beside a reference sync.drift tells it "
                                 "exactly.",
                                 judgement_stretch(base, drift->start, drift->end), fabs(samples), samples > 0.0 ? "late" : "early",
                                 drift->ppm > 0.0 ? "slower" : "faster", fabs(drift->ppm));
    item->details_json = arena_format(base->memory, "{\"fault\": \"drift\", \"source\": \"its stems\", \"drift_ppm\": %.1f}", drift->ppm);
}

/* ---- what that makes of the comparison ---- */

static bool take_explained(stem_truth *truth, const stem_drift *drift)
{
    uint32_t kept = 0;
    for (uint32_t r = 0; r < truth->run_count; r++)
        if (!explains(drift, &truth->runs[r]))
            truth->runs[kept++] = truth->runs[r];
    if (kept == truth->run_count)
        return false;
    truth->run_count = kept;
    truth->run_dropped = 0;
    return true;
}

bool judge_drift(stem_judgement *self)
{
    static const char *const checks[] = {"stems.null", "folddown.matrix", "me.dialogue", "me.optional"};
    const judgement *judged = self->judgement;
    bool any = false;
    stem_drift drift;
    double samples = 0.0;
    for (uint32_t i = 0; judged->facts->heard != NULL && i < judged->facts->plan->listen_count; i++) {
        if (!find_drift(self, &judged->facts->plan->listens[i], &drift) || !take_explained(&self->truth, &drift))
            continue;
        any = true;
        for (size_t c = 0; c < sizeof checks / sizeof checks[0]; c++)
            tell_check(self, checks[c], &drift, "sync.drift");
    }
    if (any || !find_growth(self, &drift, &samples) || !take_explained(&self->truth, &drift))
        return any;
    tell_growth(self, &drift, samples);
    for (size_t c = 1; c < sizeof checks / sizeof checks[0]; c++)
        tell_check(self, checks[c], &drift, "stems.null");
    return true;
}
