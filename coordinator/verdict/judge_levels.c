#include "coordinator/verdict/verdict_parts.h"

#include "common/measure/speech_detector.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* One figure of the programme as the spec's limits name it. */
typedef struct level {
    const char *check;
    const char *what;    /**< for the sentence */
    double value;        /**< NAN = does not exist */
    const char *missing; /**< why it does not exist */
    const char *cure_high, *cure_low;
    double error;        /**< how far it may be off; 0: it is what it is */
    bool share;          /**< a part of 1: judged and shown in percent, at 0.1 */
    bool has_range;
    uint64_t start, end;
} level;

static const char no_stem[] = "no dialogue stem says where speech is; judge it beside its stems, or with a meter that hears speech";

const char *judgement_detector(const judgement *self)
{
    return arena_format(self->memory, "%s (not Dolby's)", speech_detector_name());
}

/* Too near to a bound for a figure that may be off by so much. */
static bool undecided(double value, double error, double min, double max)
{
    return error > 0.0 && (fabs(value - min) <= error || fabs(value - max) <= error); /* NAN limits compare false */
}

static bool within(double shown, const spec_limit *limit)
{
    return !(shown < limit->min) && !(shown > limit->max); /* NAN limits compare false */
}

/* Raising a programme raises its peaks; said where they would then break the spec themselves. */
static const char *peak_caution(const judgement *self, double raise_db)
{
    const spec_limit *limit = judgement_limit(self, "peak.true");
    double peak = measure_db(self->verdict->peaks.true_peak);
    if (raise_db <= 0.0 || limit == NULL || !(verdict_displayed(peak + raise_db) > limit->max))
        return "";
    return arena_format(self->memory, ", and limit its peaks, which would reach %.1f dBTP",
                        verdict_displayed(peak + raise_db));
}

static const char *share_text(judgement *self, const spec_limit *limit)
{
    spec_limit percent = {.min = limit->min * 100.0, .max = limit->max * 100.0, .unit = "%"};
    char text[LIMIT_TEXT_SIZE];
    judgement_allowed(&percent, 1, text);
    return arena_copy_text(self->memory, text);
}

static void judge_share(judgement *self, const level *figure, const spec_limit *limit)
{
    double percent = verdict_displayed(figure->value * 100.0);
    bool unknown = isnan(figure->value);
    if (undecided(figure->value, figure->error, limit->min, limit->max)) {
        finding *item = judgement_add(self, figure->check, FINDING_NOT_CHECKED);
        judgement_limits(item, limit);
        item->measured = figure->value;
        item->message = arena_format(self->memory,
                                     "%s is %.1f %% to %s, give or take %.0f: too near to what %s allows (%s) to judge. Judge it "
                                     "beside its dialogue stem.",
                                     figure->what, percent, judgement_detector(self), figure->error * 100.0, self->rules->name,
                                     share_text(self, limit));
        return;
    }
    if (!unknown && !(percent < verdict_displayed(limit->min * 100.0)) &&
        !(percent > verdict_displayed(limit->max * 100.0)))
        return;
    finding *item = judgement_add(self, figure->check, unknown ? FINDING_NOT_CHECKED : judgement_breach(limit));
    judgement_limits(item, limit);
    item->measured = figure->value;
    item->message = unknown ? arena_format(self->memory, "%s cannot be judged: %s.", figure->what, figure->missing)
                            : arena_format(self->memory, "%s is %.1f %%; %s allows %s.", figure->what, percent,
                                           self->rules->name, share_text(self, limit));
}

/* Why a limit says nothing about this programme, or NULL. */
static const char *cannot_apply(const judgement *self, const spec_limit *limit)
{
    const char *layout = channel_layout_get(self->deliverable->layout)->name;
    if (limit->layout != NULL && strcmp(limit->layout, layout) != 0)
        return arena_format(self->memory, "the spec judges it on a %s re-render, and this is %s; judge a %s programme beside it",
                            limit->layout, layout, limit->layout);
    const dialogue_figures *dialogue = &self->verdict->dialogue;
    if (judgement_force(self, limit) == LIMIT_FORCE_UNKNOWN && !isnan(dialogue->speech_share))
        return arena_format(self->memory,
                            "its limit depends on how much speech there is, and our speech detector hears %.1f %%, give or take "
                            "%.0f; judge it beside its dialogue stem",
                            dialogue->speech_share * 100.0, dialogue->share_error * 100.0);
    if (judgement_force(self, limit) == LIMIT_FORCE_UNKNOWN)
        return arena_format(self->memory, "its limit depends on how much speech there is, and %s", no_stem);
    return NULL;
}

const char *judgement_or_else(const judgement *self, const spec_limit *limit)
{
    const char *text = "";
    for (uint32_t i = 0; limit->group >= 0 && i < self->rules->limit_count; i++) {
        const spec_limit *other = &self->rules->limits[i];
        char allowed[LIMIT_TEXT_SIZE];
        if (other == limit || other->group != limit->group || judgement_force(self, other) == LIMIT_OUT_OF_FORCE)
            continue;
        judgement_allowed(other, 1, allowed);
        text = other->word_count > 0 ? arena_format(self->memory, "%s, or else another %s", text, other->check)
                                     : arena_format(self->memory, "%s, or else %s of %s", text, other->check, allowed);
    }
    return text;
}

static void judge_level(judgement *self, const level *figure, const spec_limit *limit)
{
    char allowed[LIMIT_TEXT_SIZE];
    if (figure->share) {
        judge_share(self, figure, limit);
        return;
    }
    judgement_allowed(limit, 1, allowed);
    if (judgement_force(self, limit) == LIMIT_OUT_OF_FORCE)
        return;
    const char *barred = cannot_apply(self, limit);
    if (barred != NULL || isnan(figure->value)) {
        finding *item = judgement_add(self, figure->check, FINDING_NOT_CHECKED);
        judgement_limits(item, limit);
        item->message = arena_format(self->memory, "%s cannot be judged: %s. Allowed: %s.", figure->what,
                                     barred != NULL ? barred : figure->missing, allowed);
        return;
    }
    double shown = verdict_displayed(figure->value);
    if (undecided(shown, figure->error, limit->min, limit->max)) {
        finding *item = judgement_add(self, figure->check, FINDING_NOT_CHECKED);
        judgement_limits(item, limit);
        item->measured = figure->value;
        item->message = arena_format(self->memory,
                                     "%s is %.1f %s, give or take %.1f LU: too near to what %s allows (%s) to judge. Judge it "
                                     "beside its dialogue stem.",
                                     figure->what, shown, limit->unit, figure->error, self->rules->name, allowed);
        return;
    }
    if (within(shown, limit))
        return;
    bool high = shown > limit->max;
    double aim = !isnan(limit->target) ? limit->target : high ? limit->max : limit->min;
    bool clamped = false;
    bool true_peak = high && strcmp(figure->check, "peak.true") == 0;
    double off = !true_peak ? fabs(shown - aim)
                            : judgement_peak_before_clamping(self, figure->value, 0, UINT64_MAX, &clamped) - aim;
    finding *item = judgement_add(self, figure->check, judgement_breach(limit));
    judgement_limits(item, limit);
    item->measured = figure->value;
    if (figure->has_range)
        judgement_locate(self, item, figure->start, figure->end);
    item->message = arena_format(self->memory, "%s is %.1f %s; %s allows %s%s. %s by %s%.1f %s%s.", figure->what, shown,
                                 limit->unit, self->rules->name, allowed, judgement_or_else(self, limit),
                                 high ? figure->cure_high : figure->cure_low, clamped ? "at least " : "", off, strcmp(limit->unit, "LU") == 0 ? "LU" : "dB",
                                 peak_caution(self, high || strcmp(limit->unit, "LU") == 0 ? 0.0 : off));
}

/* What is heard so rarely may be no speech at all, and then its loudness is none of dialogue. */
static bool faintly_heard(const dialogue_figures *dialogue)
{
    return dialogue->gate == DIALOGUE_GATE_DETECTOR && dialogue->speech_share <= dialogue->share_error;
}

static const char *why_unheard(const judgement *self, const dialogue_figures *dialogue)
{
    if (faintly_heard(dialogue))
        return arena_format(self->memory,
                            "that is %.1f %% of it, and as much of music and effects may be taken for speech; judge it beside "
                            "its dialogue stem",
                            dialogue->speech_share * 100.0);
    if (isnan(dialogue->speech_share))
        return no_stem;
    return dialogue->block_count == 0 ? "the dialogue stem never speaks"
                                      : "no 3 s of the programme are mostly dialogue, or it is silent there";
}

void judge_levels(judgement *self)
{
    const loudness_figures *loudness = &self->verdict->loudness;
    const peak_figures *peaks = &self->verdict->peaks;
    uint32_t rate = self->timeline->sample_rate;
    uint64_t end = self->timeline->frame_count;
    /* What is not known is no silence, which passes. */
    double true_peak = isnan(peaks->true_peak) ? (double)NAN : measure_db(peaks->true_peak);
    double sample_peak = isnan(peaks->sample_peak) ? (double)NAN : measure_db(peaks->sample_peak);
    const dialogue_figures *dialogue = &self->verdict->dialogue;
    bool heard = dialogue->gate == DIALOGUE_GATE_DETECTOR;
    bool faint = faintly_heard(dialogue);
    const char *unheard = why_unheard(self, dialogue);
    const char *silent = "the programme is silent or too short";
    const level levels[] = {
        {.check = "loudness.integrated", .what = "Integrated loudness", .value = loudness->integrated_lufs, .missing = silent,
         .cure_high = "Lower the programme", .cure_low = "Raise the programme"},
        {.check = "loudness.range", .what = "Loudness range", .value = loudness->range_lu,
         .missing = "the programme is silent or shorter than 3 s", .cure_high = "Bring loud and quiet scenes closer",
         .cure_low = "Open the dynamics"},
        {.check = "loudness.max_momentary", .what = "Maximum momentary loudness", .value = loudness->max_momentary_lufs,
         .missing = silent, .cure_high = "Lower this moment", .cure_low = "Raise the programme",
         .has_range = loudness->max_momentary_frame != UINT64_MAX, .start = loudness->max_momentary_frame,
         .end = loudness->max_momentary_frame + rate * UINT64_C(2) / 5},
        {.check = "loudness.max_short_term", .what = "Maximum short-term loudness", .value = loudness->max_short_term_lufs,
         .missing = silent, .cure_high = "Lower this passage", .cure_low = "Raise the programme",
         .has_range = loudness->max_short_term_frame != UINT64_MAX, .start = loudness->max_short_term_frame,
         .end = loudness->max_short_term_frame + rate * UINT64_C(3)},
        {.check = "loudness.dialogue",
         .what = heard ? arena_format(self->memory, "Dialogue loudness, where %s hears speech,", judgement_detector(self))
                       : "Dialogue loudness (gated by the dialogue stem)",
         .value = faint ? (double)NAN : dialogue->lufs, .error = dialogue->lufs_error, .missing = unheard,
         .cure_high = "Lower the programme", .cure_low = "Raise the programme"},
        {.check = "loudness.dialogue_range", .what = "Loudness range of the dialogue",
         .value = heard ? (double)NAN : dialogue->range_lu,
         .missing = heard ? "how far the speech detector is off in it is not known; judge it beside its dialogue stem" : unheard,
         .cure_high = "Bring loud and quiet dialogue closer", .cure_low = "Open the dynamics"},
        {.check = "loudness.speech_share", .what = "Share of speech", .value = dialogue->speech_share,
         .error = dialogue->share_error, .missing = unheard, .share = true},
        {.check = "loudness.plr", .what = "Peak to loudness ratio",
         .value = isfinite(true_peak) ? true_peak - loudness->integrated_lufs : (double)NAN, .missing = silent,
         .cure_high = "Reduce peaks", .cure_low = "Use less limiting"},
        {.check = "loudness.leqm", .what = "Loudness Leq(m)", .value = self->verdict->leqm_db,
         .missing = "its features were not measured (a run with this spec takes them), or the programme is silent",
         .cure_high = "Lower the programme", .cure_low = "Raise the programme"},
        {.check = "peak.true", .what = "True peak", .value = end == 0 ? (double)NAN : true_peak, .missing = silent,
         .cure_high = "Lower the peaks", .cure_low = "Raise the programme"},
        {.check = "peak.sample", .what = "Sample peak", .value = end == 0 ? (double)NAN : sample_peak, .missing = silent,
         .cure_high = "Lower the peaks", .cure_low = "Raise the programme"},
    };
    size_t level_count = sizeof levels / sizeof levels[0];
    uint32_t limit_count = self->rules == NULL ? 0 : self->rules->limit_count;
    for (uint32_t i = 0; i < limit_count; i++)
        for (size_t k = 0; k < level_count; k++)
            if (strcmp(levels[k].check, self->rules->limits[i].check) == 0)
                judge_level(self, &levels[k], &self->rules->limits[i]);
}
