/**
 * Whether the end of a reel is heard again at the head of the next one: two reels that overlap.
 *
 * Windows of 4096 and 16384 frames at the head of the track are searched in the end of the reference by the phase transform
 * (sync_match), the shorter for overlaps that do not hold the longer; where that is quiet or comes again one of 65536, then the
 * shortest in all of the end. What matches must then be the same sound over the whole overlap, so that a tone, a beat or a word
 * that comes again is none. A loop that goes on over the join is indeed heard again: other stems tell it from an overlap.
 */
#ifndef WORKER_RENDER_SYNC_OVERLAP_H
#define WORKER_RENDER_SYNC_OVERLAP_H

#include "common/measure/sync_measure.h"
#include "worker/render/sync_match.h"

enum { SYNC_OVERLAP_SHORTEST = 4096 /* frames */ };

/**
 * matcher: track_frame is the head of the reel, reference_frame the end of the reel before. reach: frames of the reel before. Fills
 * tried and silent (windows), frames_read, lost (the length of each window that sounds on both sides and does not match) and, where
 * they overlap, one point: place 0, late = frames of the overlap, score 0 if the same sound lies elsewhere too.
 */
MUST_USE status sync_overlap(sync_matcher *matcher, uint64_t reach, sync_measure *measure, arena *memory);

#endif
