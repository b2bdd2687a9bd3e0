/**
 * The places of a programme that are read once more for its report: two seconds around the worst findings. Pure.
 *
 * Bounded: TASK_PLACES_MAX places, of the programme's frames no more than 1 %, and no more than its part of what sync, joins and
 * leaks leave of 1 % of all that its job reads and makes; where that is less (programmes under ten minutes) `always` places.
 */
#ifndef COORDINATOR_VERDICT_FINDING_PLACES_H
#define COORDINATOR_VERDICT_FINDING_PLACES_H

#include "coordinator/verdict/verdict.h"

/**
 * Samples of a programme and its part of those of the stems that it is made of, which it shares with all that are made of them,
 * and how many of them were read again before it was judged.
 */
typedef struct read_share {
    uint64_t samples, again;
    uint32_t channels;         /**< of the programme */
    uint32_t always;           /**< places that are read whatever is left */
} read_share;

/**
 * Failures that have a place before warnings, and of either first the worst of each check that is no longer than a cell, then of
 * each other check: what goes on for longer is seen in the spectra of the cells that are stored. Of those close together in the
 * same channels one.
 */
uint32_t finding_places(const finding_list *findings, channel_layout_id layout, uint64_t frame_count, uint32_t sample_rate,
                        const read_share *share, task_place out_places[TASK_PLACES_MAX]);
/** The channels that a finding names as bits of the layout; none or other names: all but LFE. */
uint32_t finding_channels(const finding *item, const channel_layout *layout);

/** The channels of a finding, in the order of the layout. */
void finding_set_channels(finding *item, const channel_layout *layout, uint32_t channels);
/** "L, R, C" of a finding that names at least one, from memory. */
const char *finding_channel_names(arena *memory, const finding *item);

#endif
