/** What the files of the signal checks share. Not for others. */
#ifndef COORDINATOR_VERDICT_JUDGE_SIGNAL_H
#define COORDINATOR_VERDICT_JUDGE_SIGNAL_H

#include "coordinator/verdict/finding_stretches.h"

/** By which bound a check is judged: the spec's, or ours where it has none. */
typedef struct signal_rule {
    const char *check;
    const spec_limit *limit; /**< NULL: ours */
    double bound;
    finding_severity severity;
    size_t listed;           /**< findings so far */
} signal_rule;

/** upper: the bound is a maximum; else a minimum. */
signal_rule signal_rule_of(const judgement *self, const char *check, double bound, bool upper, finding_severity severity);
/** The name of a channel of the programme. */
const char *signal_channel_name(const judgement *self, uint32_t channel);
/**
 * A finding at a place with its figure, in one channel (or none: LAYOUT_CHANNELS_MAX). NULL when VERDICT_RUNS_MAX are listed
 * already; signal_rule_close() tells how many more there are.
 */
finding *signal_tell(judgement *self, signal_rule *rule, uint32_t channel, uint64_t start, uint64_t end, double measured,
                     const char *unit);
void signal_rule_close(judgement *self, signal_rule *rule);
/** A limit of the spec on something that could not be measured. */
void signal_unjudged(judgement *self, const char *check, const char *why);
/** True if a rendered programme is made of one kind of stem: a dialogue stem in two channels may well be the same twice. */
bool signal_holds_one_role(const judgement *self);
/** 10 log10; -INFINITY for 0. */
double signal_db(double power);

/* By blocks, mains lines and events. */
void judge_signal_events(judgement *self, const programme_signal *signal);
void judge_signal_levels(judgement *self, const programme_signal *signal);
/** Tells where one side of a pair is turned upside down for a while, as the rule's check; returns these places. */
finding_stretches judge_signal_turns(judgement *self, signal_rule *rule, const programme_signal *signal, uint32_t left,
                                     uint32_t pair);
void judge_signal_hum(judgement *self, const programme_signal *signal);
/* By the spectrum. */
void judge_signal_bands(judgement *self, const programme_signal *signal);
void judge_signal_upsampled(judgement *self, const programme_signal *signal);
/* By the bits in use. */
void judge_signal_depth(judgement *self, const programme_signal *signal);

#endif
