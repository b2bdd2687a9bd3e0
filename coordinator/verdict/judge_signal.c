#include "coordinator/verdict/judge_signal.h"

#include <math.h>
#include <string.h>

signal_rule signal_rule_of(const judgement *self, const char *check, double bound, bool upper, finding_severity severity)
{
    const spec_limit *limit = judgement_limit(self, check);
    signal_rule rule = {.check = check, .limit = limit, .bound = bound, .severity = severity};
    if (limit != NULL) {
        double wanted = upper ? limit->max : limit->min;
        rule.bound = isnan(wanted) ? bound : wanted;
        rule.severity = judgement_breach(limit);
    }
    return rule;
}

const char *signal_channel_name(const judgement *self, uint32_t channel)
{
    return channel_label_name(channel_layout_get(self->deliverable->layout)->labels[channel]);
}

finding *signal_tell(judgement *self, signal_rule *rule, uint32_t channel, uint64_t start, uint64_t end, double measured,
                     const char *unit)
{
    if (rule->listed++ >= VERDICT_RUNS_MAX)
        return NULL;
    finding *item = judgement_add(self, rule->check, rule->severity);
    if (rule->limit != NULL)
        judgement_limits(item, rule->limit);
    item->unit = unit;
    item->measured = measured;
    judgement_locate(self, item, start, end);
    if (channel < LAYOUT_CHANNELS_MAX) {
        item->channel_count = 1;
        item->channels[0] = signal_channel_name(self, channel);
    }
    return item;
}

void signal_rule_close(judgement *self, signal_rule *rule)
{
    if (rule->listed > VERDICT_RUNS_MAX)
        judgement_tell_rest(self, rule->check, rule->severity, rule->listed - VERDICT_RUNS_MAX);
}

void signal_unjudged(judgement *self, const char *check, const char *why)
{
    const spec_limit *limit = judgement_limit(self, check);
    if (limit == NULL)
        return;
    finding *item = judgement_add(self, check, FINDING_NOT_CHECKED);
    judgement_limits(item, limit);
    item->message = arena_format(self->memory, "%s cannot be judged: %s.", check, why);
}

bool signal_holds_one_role(const judgement *self)
{
    const recipe *made_by = self->show->deliverables[self->facts->deliverable].recipe;
    return made_by != NULL && (made_by->takes_stem || made_by->role_count == 1);
}

double signal_db(double power)
{
    return power > 0.0 ? 10.0 * log10(power) : -(double)INFINITY;
}

void judge_signal(judgement *self)
{
    static const char *const checks[] = {
        "signal.dropout", "signal.click", "signal.dc",    "signal.polarity", "signal.dual_mono",
        "signal.phase",   "signal.lfe",   "signal.hum",   "signal.noise",    "signal.tone",
        "signal.channel_swap", "format.effective_bit_depth", "format.upsampled", "join.gap"};
    const programme_signal *signal = programme_measure_signal(self->facts->measure);
    if (signal == NULL) {
        for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
            signal_unjudged(self, checks[i], "the measure holds no features of the signal");
        return;
    }
    judge_signal_events(self, signal);
    judge_signal_levels(self, signal);
    judge_signal_bands(self, signal);
    judge_signal_depth(self, signal);
}
