/**
 * Which channel's sound each channel of a received programme holds, found from the Gram matrices of its channels and the
 * stems: the sound of a channel is the nominal sum of the stems there, at any gain of each stem. Pure.
 */
#ifndef COMMON_MEASURE_STEM_ORDER_H
#define COMMON_MEASURE_STEM_ORDER_H

#include "common/measure/stem_truth.h"

typedef struct stem_order {
    bool known;                          /**< a channel that is told apart from all others plays */
    uint32_t sure;                       /**< bit per channel of which that was found; others fill the places left */
    bool permuted;                       /**< holds[] is not the identity */
    uint8_t holds[LAYOUT_CHANNELS_MAX];  /**< by channel of the programme: the channel whose sound it holds */
    double explained_db;                 /**< of the moved channels, the worst: what is left of them in that place, in dB */
    double elsewhere_db;                 /**< the same where they are stated to be, the best of them */
} stem_order;

/** Over the blocks that begin in first..end (programme frames, half open). STATUS_NODE_MEMORY only. */
MUST_USE status stem_order_find(stem_order *out_order, const stem_model *model, const stem_programme *programme,
                                uint64_t first_frame, uint64_t end_frame);

/** The model of a programme whose channels hold what `order` says: its outputs' nominal gains change places. */
void stem_order_apply(const stem_order *order, stem_model *model);

#endif
