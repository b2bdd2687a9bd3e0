/** Channels in the wrong places, told from the stems. Not for others. */
#ifndef COORDINATOR_VERDICT_JUDGE_ORDER_H
#define COORDINATOR_VERDICT_JUDGE_ORDER_H

#include "common/measure/stem_order.h"
#include "coordinator/verdict/verdict_parts.h"

/**
 * Tells channels that change places, and puts the model right where they do from end to end. *out_orders: one for each piece
 * of the timeline of which `permuted` says that it differs from the rest: what is found there of moved channels is the same
 * fault. STATUS_NODE_MEMORY only.
 */
MUST_USE status judge_order(judgement *self, stem_model *model, const stem_order **out_orders);

/** True if a run of faults is what an order of channels that was told already makes. */
bool judge_order_explains(const judgement *self, const stem_order *orders, const stem_run *run);

#endif
