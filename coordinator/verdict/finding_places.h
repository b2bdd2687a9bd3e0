/**
 * The places of a programme that are read once more for its report: two seconds around the worst findings. Pure.
 *
 * Bounded: TASK_PLACES_MAX places, and of the programme's frames no more than 1 %, or three places where that is more
 * (programmes under ten minutes).
 */
#ifndef COORDINATOR_VERDICT_FINDING_PLACES_H
#define COORDINATOR_VERDICT_FINDING_PLACES_H

#include "coordinator/verdict/verdict.h"

/** Warnings and failures that have a place, worst first; one for those that are close together in the same channels. */
uint32_t finding_places(const finding_list *findings, channel_layout_id layout, uint64_t frame_count, uint32_t sample_rate,
                        task_place out_places[TASK_PLACES_MAX]);
/** The channels that a finding names as bits of the layout; none or other names: all but LFE. */
uint32_t finding_channels(const finding *item, const channel_layout *layout);

/** The channels of a finding, in the order of the layout. */
void finding_set_channels(finding *item, const channel_layout *layout, uint32_t channels);
/** "L, R, C" of a finding that names at least one, from memory. */
const char *finding_channel_names(arena *memory, const finding *item);

#endif
