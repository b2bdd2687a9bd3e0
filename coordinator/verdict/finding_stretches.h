/** Where a finding is that has several places. Not for other modules. */
#ifndef COORDINATOR_VERDICT_FINDING_STRETCHES_H
#define COORDINATOR_VERDICT_FINDING_STRETCHES_H

#include "coordinator/verdict/verdict_parts.h"

/** Frames, in order of time and apart from each other. */
typedef struct finding_stretch {
    uint64_t start, end;
} finding_stretch;
typedef struct finding_stretches {
    finding_stretch *items;
    size_t count, capacity;
} finding_stretches;
/** A stretch that begins no earlier than the last; one that is hardly (2 s) apart from it makes it longer. */
void finding_stretches_add(judgement *self, finding_stretches *list, uint64_t start, uint64_t end);
/** "from A to B", "for 25 s in all, from A to B, from C to D and at 3 more places" */
const char *finding_stretches_text(judgement *self, const finding_stretches *list);
/** "\"place_count\": n, \"places\": [{\"start_sample\": ..., \"end_sample\": ...}]", the first VERDICT_RUNS_MAX of them */
const char *finding_stretches_json(judgement *self, const finding_stretches *list);

#endif
