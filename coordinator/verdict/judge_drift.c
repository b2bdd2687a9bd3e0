/* Where a received programme runs at another speed than its stems, nothing that gains tell of the mix is true there. */
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

static void tell_check(const stem_judgement *self, const char *check, const stem_drift *drift)
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
    char from[PLACE_TEXT_SIZE], to[PLACE_TEXT_SIZE];
    judgement_place(base, drift->start, from);
    judgement_place(base, drift->end, to);
    double apart = fabs(drift->ppm) * 1e-6 * (double)(drift->end - drift->start);
    item->message = arena_format(base->memory,
                                 "It was not compared with the stems from %s to %s: it runs %s than %s by %.2f ppm (sync.drift), %.0f samples by then, "
                                 "so no gain tells what is in the mix. Convert what drifts, then judge it again.",
                                 from, to, drift->ppm > 0.0 ? "slower" : "faster", drift->stem, fabs(drift->ppm), ceil(apart));
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

bool judge_drift(stem_judgement *self)
{
    const judgement *judged = self->judgement;
    stem_truth *truth = &self->truth;
    bool any = false;
    for (uint32_t i = 0; judged->facts->heard != NULL && i < judged->facts->plan->listen_count; i++) {
        stem_drift drift;
        if (!find_drift(self, &judged->facts->plan->listens[i], &drift))
            continue;
        uint32_t kept = 0;
        for (uint32_t r = 0; r < truth->run_count; r++)
            if (!explains(&drift, &truth->runs[r]))
                truth->runs[kept++] = truth->runs[r];
        if (kept == truth->run_count)
            continue;
        truth->run_count = kept;
        truth->run_dropped = 0;
        any = true;
        static const char *const checks[] = {"stems.null", "folddown.matrix", "me.dialogue", "me.optional"};
        for (size_t c = 0; c < sizeof checks / sizeof checks[0]; c++)
            tell_check(self, checks[c], &drift);
    }
    return any;
}
