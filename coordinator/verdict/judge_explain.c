/* What made a loudness figure, and the smallest change that would pass: into the finding's details, for `reelmill explain`. */
#include "coordinator/verdict/verdict_parts.h"

#include "common/measure/trim_measure.h"

#include <math.h>
#include <string.h>

static const char *number_or_null(judgement *self, bool known, double value)
{
    return known && isfinite(value) ? arena_format(self->memory, "%.6g", value) : "null";
}

/* The blocks that a loudness is of: those with speech, or NULL for all of them. */
static const programme_measure *speech_of(const judgement *self, const char *check)
{
    return strcmp(check, "loudness.dialogue") == 0 ? self->facts->speech : NULL;
}

/* A breach of a group ends where any of the group holds, so its smallest change may be another's; *by is whose it is. */
static trim_advice smallest_change(const judgement *self, const finding *item, uint64_t start, uint64_t end, const spec_limit **by)
{
    trim_advice least = trim_measure_solve(self->facts->measure, speech_of(self, item->check), start, end, item->min, item->max);
    bool open = item->rule->group >= 0 && item->severity == judgement_breach(item->rule);
    *by = item->rule;
    for (uint32_t i = 0; open && i < self->rules->limit_count; i++) {
        const spec_limit *other = &self->rules->limits[i];
        bool heard = strcmp(other->check, "loudness.dialogue") == 0 && self->facts->speech != NULL;
        if (other->group != item->rule->group || (!heard && strcmp(other->check, "loudness.integrated") != 0) ||
            judgement_force(self, other) != LIMIT_IN_FORCE)
            continue;
        trim_advice advice =
            trim_measure_solve(self->facts->measure, speech_of(self, other->check), start, end, other->min, other->max);
        if (advice.passes && (!least.passes || fabs(advice.gain_db) < fabs(least.gain_db))) {
            least = advice;
            *by = other;
        }
    }
    return least;
}

/* One entry for each reel: its own figure, and the change of it alone that would pass. Names of reels need no escapes. */
static const char *explain_reels(judgement *self, const finding *item, const programme_measure *speech, bool *all_sure)
{
    const programme_measure *measure = self->facts->measure;
    const char *text = "";
    for (uint32_t i = 0; self->timeline->piece_count > 1 && i < self->timeline->piece_count; i++) {
        const plan_piece *piece = &self->timeline->pieces[i];
        if (piece->spans_reels)
            continue;
        uint64_t end = piece->programme_frame + piece->frame_count;
        const spec_limit *by = NULL;
        trim_advice advice = smallest_change(self, item, piece->programme_frame, end, &by);
        *all_sure = *all_sure && (advice.sure || !advice.passes);
        double own = speech == NULL ? programme_measure_loudness(measure, piece->programme_frame, end).integrated_lufs
                                    : speech_measure_dialogue(measure, speech, piece->programme_frame, end).lufs;
        text = arena_format(self->memory, "%s%s{\"reel\": \"%s\", \"lufs\": %s, \"trim_db\": %s, \"trim_least_db\": %s}", text,
                            text[0] == '\0' ? "" : ", ",
                            self->show->reels[piece->reel].name, number_or_null(self, true, own),
                            number_or_null(self, advice.passes, advice.gain_db),
                            number_or_null(self, advice.passes, advice.least_db));
    }
    return text;
}

static void explain_loudness(judgement *self, finding *item)
{
    const loudness_figures *loudness = &self->verdict->loudness;
    const dialogue_figures *dialogue = &self->verdict->dialogue;
    const programme_measure *speech = speech_of(self, item->check);
    const spec_limit *by = NULL;
    trim_advice advice = smallest_change(self, item, 0, self->timeline->frame_count, &by);
    bool sure = advice.sure || !advice.passes;
    const char *reels = explain_reels(self, item, speech, &sure);
    uint64_t blocks = speech == NULL ? loudness->gated_block_count : dialogue->block_count;
    item->details_json =
        arena_format(self->memory, "{\"blocks\": %llu, \"gate_lufs\": %s, \"speech_share\": %s, \"gate\": %s, \"trim_db\": %s, \"trim_least_db\": %s, \"trim_check\": \"%s\", \"clamped\": %s, \"reels\": [%s]}",
                     (unsigned long long)blocks, number_or_null(self, speech == NULL, loudness->relative_gate_lufs),
                     number_or_null(self, speech != NULL, dialogue->speech_share),
                     speech == NULL ? "null" : dialogue->gate == DIALOGUE_GATE_DETECTOR ? "\"detector\"" : "\"stem\"",
                     number_or_null(self, advice.passes, advice.gain_db), number_or_null(self, advice.passes, advice.least_db),
                     by->check, sure ? "false" : "true", reels);
}

static void explain_peak(judgement *self, finding *item)
{
    bool clamped = false;
    double peak = judgement_peak_before_clamping(self, item->measured, 0, UINT64_MAX, &clamped);
    item->details_json = arena_format(self->memory, "{\"trim_db\": %.6g, \"clamped\": %s}", item->max - peak, clamped ? "true" : "false");
}

/* A gain moves Leq(m) by as much: it has no gates. */
static void explain_leqm(judgement *self, finding *item)
{
    bool clamped = false;
    double shown = verdict_displayed(item->measured);
    judgement_peak_before_clamping(self, shown, 0, UINT64_MAX, &clamped);
    item->details_json = arena_format(self->memory, "{\"trim_db\": %.6g, \"clamped\": %s}",
                                      (shown > item->max ? item->max : item->min) - shown, clamped ? "true" : "false");
}

void judge_explain(judgement *self)
{
    for (size_t i = 0; i < self->verdict->findings.count; i++) {
        finding *item = &self->verdict->findings.items[i];
        if (item->severity == FINDING_NOT_CHECKED || item->rule == NULL || item->details_json != NULL)
            continue;
        if (strcmp(item->check, "loudness.integrated") == 0 || strcmp(item->check, "loudness.dialogue") == 0)
            explain_loudness(self, item);
        else if (strcmp(item->check, "peak.true") == 0 && isfinite(item->measured))
            explain_peak(self, item);
        else if (strcmp(item->check, "loudness.leqm") == 0)
            explain_leqm(self, item);
    }
}
