/* Another spec over figures that are known already: in no time, and without any audio. */
#include "coordinator/verdict/verdict_parts.h"

#include <math.h>
#include <string.h>

/* What report.json says enough of. Places, clipped runs, contents of files and comparisons with stems it does not. */
static bool figures_tell(const char *check)
{
    static const char *const told[] = {"loudness.integrated",     "loudness.range",          "loudness.max_momentary",
                                       "loudness.max_short_term", "loudness.dialogue",       "loudness.dialogue_range",
                                       "loudness.speech_share",   "loudness.plr",            "peak.true",
                                       "peak.sample",             "format.container",        "format.encoding",
                                       "format.channels",         "format.sample_rate"};
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++)
        if (strcmp(told[i], check) == 0)
            return true;
    return false;
}

/*
 * A true peak that is only known to lie between two figures is judged where both give the same verdict: by the larger if that
 * passes, by the smaller if that fails. Else it has no figure.
 */
static bool choose_true_peak(judgement *self, double least)
{
    double *most = &self->verdict->peaks.true_peak;
    const spec_limit *limit = judgement_limit(self, "peak.true");
    if (least <= 0.0 || verdict_displayed(measure_db(least)) == verdict_displayed(measure_db(*most)))
        return true;
    bool passes = limit == NULL || !(verdict_displayed(measure_db(*most)) > limit->max);
    bool fails = limit != NULL && verdict_displayed(measure_db(least)) > limit->max;
    if (judgement_limit(self, "loudness.plr") == NULL && passes)
        return true;
    *most = fails ? least : (double)NAN;
    return fails;
}

/* Why a figure that rests on the true peak is not known. */
static void tell_unknown_peak(judgement *self, double least, double most)
{
    for (size_t i = 0; i < self->verdict->findings.count; i++) {
        finding *item = &self->verdict->findings.items[i];
        if (item->severity == FINDING_NOT_CHECKED &&
            (strcmp(item->check, "peak.true") == 0 || strcmp(item->check, "loudness.plr") == 0))
            item->message = arena_format(self->memory, "The true peak of this part is at most %.1f dBTP%s, and no more is known: measures tell single peaks above %.1f dBTP alone from those of the rest of their 6.4 s. Judge a part that begins and ends elsewhere, or measure the audio.",
                                         measure_db(most), least > 1e-9 ? arena_format(self->memory, " and at least %.1f", measure_db(least)) : "",
                                         PEAK_LOCATE_DBTP);
    }
}

status verdict_judge_figures(programme_verdict *out_verdict, const figure_facts *facts, const spec *rules, arena *memory)
{
    programme_verdict verdict = {.loudness = facts->loudness, .dialogue = facts->dialogue, .peaks = facts->peaks,
                                 .leqm_db = (double)NAN};
    plan_timeline timeline = {.sample_rate = facts->sample_rate, .frame_count = facts->frame_count};
    plan_deliverable deliverable = {.layout = facts->layout};
    programme_facts none = {.plan = NULL};
    judgement self = {.facts = &none,
                      .show = facts->show,
                      .rules = rules,
                      .deliverable = &deliverable,
                      .timeline = &timeline,
                      .verdict = &verdict,
                      .memory = memory};
    bool peak_known = choose_true_peak(&self, facts->true_peak_least);
    judge_levels(&self);
    if (!peak_known)
        tell_unknown_peak(&self, facts->true_peak_least, facts->peaks.true_peak);
    for (uint32_t i = 0; i < facts->file_count; i++)
        judge_form(&self, &facts->files[i]);
    for (uint32_t i = 0; i < rules->limit_count; i++) {
        const spec_limit *limit = &rules->limits[i];
        bool form = strncmp(limit->check, "format.", 7) == 0;
        bool depth = strcmp(limit->check, "format.bit_depth") == 0 && facts->file_count > 0 && !isnan(facts->files[0].bit_depth);
        if (depth || (figures_tell(limit->check) && !(form && facts->file_count == 0)))
            continue;
        finding *item = judgement_add(&self, limit->check, FINDING_NOT_CHECKED);
        judgement_limits(item, limit);
        item->message = facts->of_part ? arena_format(memory, "Of a part alone %s is not judged; judge the whole by %s.", limit->check, rules->name)
                                       : arena_format(memory, "A report does not keep what %s is judged by; judge the audio itself by %s.",
                                                      limit->check, rules->name);
    }
    judge_groups(&self);
    judgement_conclude(&self, facts->deliverable);
    *out_verdict = verdict;
    return STATUS_OK;
}
