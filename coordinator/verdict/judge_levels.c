#include "coordinator/verdict/verdict_parts.h"

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
    bool has_range;
    uint64_t start, end;
    const char *netflix_code, *ebu_qc;
} level;

static bool within(double shown, const spec_limit *limit)
{
    return !(shown < limit->min) && !(shown > limit->max); /* NAN limits compare false */
}

static void allowed_text(const spec_limit *limit, char out[64])
{
    if (!isnan(limit->min) && !isnan(limit->max))
        snprintf(out, 64, "%.1f to %.1f %s", limit->min, limit->max, limit->unit);
    else if (!isnan(limit->max))
        snprintf(out, 64, "at most %.1f %s", limit->max, limit->unit);
    else
        snprintf(out, 64, "at least %.1f %s", limit->min, limit->unit);
}

/* A breach in a group decides nothing while another member cannot be judged: that one then says not_checked. */
static finding_severity breach_of(const judgement *self, const spec_limit *limit)
{
    for (uint32_t i = 0; limit->group >= 0 && i < self->rules->limit_count; i++)
        if (self->rules->limits[i].group == limit->group && !verdict_measures(self->rules->limits[i].check))
            return FINDING_INFO;
    return judgement_breach(limit);
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

static void judge_level(judgement *self, const level *figure, const spec_limit *limit)
{
    char allowed[64];
    allowed_text(limit, allowed);
    if (isnan(figure->value)) {
        finding *item = judgement_add(self, figure->check, FINDING_NOT_CHECKED);
        judgement_limits(item, limit);
        item->message = arena_format(self->memory, "%s cannot be judged: %s. Allowed: %s.", figure->what, figure->missing,
                                     allowed);
        return;
    }
    double shown = verdict_displayed(figure->value);
    if (within(shown, limit))
        return;
    bool high = shown > limit->max;
    double aim = !isnan(limit->target) ? limit->target : high ? limit->max : limit->min;
    double off = fabs(shown - aim);
    finding *item = judgement_add(self, figure->check, breach_of(self, limit));
    judgement_limits(item, limit);
    item->measured = figure->value;
    item->netflix_code = figure->netflix_code;
    item->ebu_qc = figure->ebu_qc;
    if (figure->has_range) {
        item->has_range = true;
        item->start_sample = figure->start;
        item->end_sample = figure->end;
        item->reel = judgement_reel(self, figure->start);
    }
    item->message = arena_format(self->memory, "%s is %.1f %s; %s allows %s. %s by %.1f dB%s.", figure->what, shown,
                                 limit->unit, self->rules->name, allowed, high ? figure->cure_high : figure->cure_low, off,
                                 peak_caution(self, high || strcmp(figure->check, "loudness.range") == 0 ? 0.0 : off));
}

void judge_levels(judgement *self)
{
    const loudness_figures *loudness = &self->verdict->loudness;
    const peak_figures *peaks = &self->verdict->peaks;
    uint32_t rate = self->timeline->sample_rate;
    uint64_t end = self->timeline->frame_count;
    double true_peak = measure_db(peaks->true_peak);
    double sample_peak = measure_db(peaks->sample_peak);
    const char *silent = "the programme is silent or too short";
    const level levels[] = {
        {.check = "loudness.integrated", .what = "Integrated loudness", .value = loudness->integrated_lufs, .missing = silent,
         .cure_high = "Lower the programme", .cure_low = "Raise the programme", .netflix_code = "020 Loudness LKFS",
         .ebu_qc = "0010B"},
        {.check = "loudness.range", .what = "Loudness range", .value = loudness->range_lu,
         .missing = "the programme is silent or shorter than 3 s", .cure_high = "Bring loud and quiet scenes closer",
         .cure_low = "Open the dynamics", .netflix_code = "020 Loudness LKFS", .ebu_qc = "0010B"},
        {.check = "loudness.max_momentary", .what = "Maximum momentary loudness", .value = loudness->max_momentary_lufs,
         .missing = silent, .cure_high = "Lower this moment", .cure_low = "Raise the programme", .has_range = true,
         .start = loudness->max_momentary_frame, .end = loudness->max_momentary_frame + rate * UINT64_C(2) / 5,
         .netflix_code = "020 Loudness LKFS", .ebu_qc = "0010B"},
        {.check = "loudness.max_short_term", .what = "Maximum short-term loudness", .value = loudness->max_short_term_lufs,
         .missing = silent, .cure_high = "Lower this passage", .cure_low = "Raise the programme", .has_range = true,
         .start = loudness->max_short_term_frame, .end = loudness->max_short_term_frame + rate * UINT64_C(3),
         .netflix_code = "020 Loudness LKFS", .ebu_qc = "0010B"},
        {.check = "loudness.plr", .what = "Peak to loudness ratio",
         .value = isfinite(true_peak) ? true_peak - loudness->integrated_lufs : (double)NAN, .missing = silent,
         .cure_high = "Reduce peaks", .cure_low = "Use less limiting"},
        {.check = "peak.true", .what = "True peak", .value = end == 0 ? (double)NAN : true_peak, .missing = silent,
         .cure_high = "Lower the peaks", .cure_low = "Raise the programme", .netflix_code = "022 True Peak",
         .ebu_qc = "0084B"},
        {.check = "peak.sample", .what = "Sample peak", .value = end == 0 ? (double)NAN : sample_peak, .missing = silent,
         .cure_high = "Lower the peaks", .cure_low = "Raise the programme", .netflix_code = "022 True Peak"},
    };
    size_t level_count = sizeof levels / sizeof levels[0];
    uint32_t limit_count = self->rules == NULL ? 0 : self->rules->limit_count;
    for (uint32_t i = 0; i < limit_count; i++)
        for (size_t k = 0; k < level_count; k++) {
            const spec_limit *limit = &self->rules->limits[i];
            if (limit->group >= 0 && strcmp(levels[k].check, limit->check) == 0 && !isnan(levels[k].value) &&
                within(verdict_displayed(levels[k].value), limit))
                self->group_passed[limit->group] = true;
        }
    for (uint32_t i = 0; i < limit_count; i++)
        for (size_t k = 0; k < level_count; k++) {
            const spec_limit *limit = &self->rules->limits[i];
            if (strcmp(levels[k].check, limit->check) == 0 && (limit->group < 0 || !self->group_passed[limit->group]))
                judge_level(self, &levels[k], limit);
        }
}
