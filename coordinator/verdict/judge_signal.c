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
    static const struct {
        const char *check;
        uint8_t group;
    } checks[] = {{"signal.dropout", SIGNAL_GROUP_SOUND},        {"signal.click", SIGNAL_GROUP_SOUND},
                  {"signal.dc", SIGNAL_GROUP_SOUND},             {"signal.polarity", SIGNAL_GROUP_SOUND},
                  {"signal.dual_mono", SIGNAL_GROUP_SOUND},      {"signal.phase", SIGNAL_GROUP_SOUND},
                  {"signal.hum", SIGNAL_GROUP_SOUND},            {"signal.noise", SIGNAL_GROUP_SOUND},
                  {"signal.tone", SIGNAL_GROUP_SOUND},           {"join.gap", SIGNAL_GROUP_SOUND},
                  {"join.tail", SIGNAL_GROUP_SOUND},
                  {"signal.lfe", SIGNAL_GROUP_SPECTRUM},         {"signal.channel_swap", SIGNAL_GROUP_SPECTRUM},
                  {"format.upsampled", SIGNAL_GROUP_SPECTRUM},   {"format.lossy", SIGNAL_GROUP_SPECTRUM},
                  {"format.effective_bit_depth", SIGNAL_GROUP_DEPTH}};
    const programme_signal *signal = programme_measure_signal(self->facts->measure);
    uint8_t groups = signal == NULL ? 0 : signal->groups;
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
        if ((groups & checks[i].group) == 0)
            signal_unjudged(self, checks[i].check, "its features were not measured");
    if ((groups & SIGNAL_GROUP_SOUND) != 0) {
        judge_signal_events(self, signal);
        judge_signal_levels(self, signal);
        judge_signal_hum(self, signal);
    }
    if ((groups & SIGNAL_GROUP_SPECTRUM) != 0)
        judge_signal_bands(self, signal);
    if ((groups & SIGNAL_GROUP_DEPTH) != 0)
        judge_signal_depth(self, signal);
    if ((groups & SIGNAL_GROUP_SPECTRUM) != 0)
        judge_signal_upsampled(self, signal);
}
