/** What the files of this module share: one judgement in progress. Not for others. */
#ifndef COORDINATOR_VERDICT_VERDICT_PARTS_H
#define COORDINATOR_VERDICT_VERDICT_PARTS_H

#include "coordinator/verdict/verdict.h"

enum { VERDICT_RUNS_MAX = 50, PLACE_TEXT_SIZE = 64 };

typedef struct judgement {
    const programme_facts *facts;
    const show *show;
    const spec *rules;
    const plan_deliverable *deliverable;
    const plan_timeline *timeline;
    programme_verdict *verdict;
    arena *memory;
    bool group_passed[SPEC_LIMITS_MAX]; /* any_of groups of which a member holds: the others then say nothing */
} judgement;


/** A finding with nothing set but check, severity and message (all NAN, reel -1). */
finding *judgement_add(judgement *self, const char *check, finding_severity severity);
/** Severity of a breach of a limit: unverified evidence is never more than a warning. */
finding_severity judgement_breach(const spec_limit *limit);
/** "01:00:12:04" of a programme frame, or "12.345 s" where there is no timecode. */
void judgement_place(const judgement *self, uint64_t frame, char out[PLACE_TEXT_SIZE]);
/** Reel that holds a programme frame, or -1. */
int32_t judgement_reel(const judgement *self, uint64_t frame);
/** Fills the finding's limits from a spec limit. */
void judgement_limits(finding *item, const spec_limit *limit);
/** The first limit of the spec on a check, or NULL. */
const spec_limit *judgement_limit(const judgement *self, const char *check);

void judge_levels(judgement *self);
void judge_runs(judgement *self);
void judge_format(judgement *self);

#endif
