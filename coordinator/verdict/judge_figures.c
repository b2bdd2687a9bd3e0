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
    judge_levels(&self);
    for (uint32_t i = 0; i < facts->file_count; i++)
        judge_form(&self, &facts->files[i]);
    for (uint32_t i = 0; i < rules->limit_count; i++) {
        const spec_limit *limit = &rules->limits[i];
        bool no_form = facts->file_count == 0 && strncmp(limit->check, "format.", 7) == 0;
        if (figures_tell(limit->check) && !no_form)
            continue;
        finding *item = judgement_add(&self, limit->check, FINDING_NOT_CHECKED);
        judgement_limits(item, limit);
        item->message = arena_format(memory, "A report does not keep what %s is judged by; judge the audio itself by %s.", limit->check,
                                     rules->name);
    }
    judge_groups(&self);
    judgement_conclude(&self, facts->deliverable);
    *out_verdict = verdict;
    return STATUS_OK;
}
