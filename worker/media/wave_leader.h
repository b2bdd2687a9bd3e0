/**
 * The bytes of a made leader and tail (output_leader): silence with one pop, 1 kHz at -20 dBFS (a peak of 0.1), in every
 * channel but the silent one. A pure function of the header, without libm, so that every machine makes the same bytes.
 */
#ifndef WORKER_MEDIA_WAVE_LEADER_H
#define WORKER_MEDIA_WAVE_LEADER_H

#include "common/base/byte_writer.h"
#include "common/base/content_hash.h"
#include "proto/task_body.h"

/** Appends one pop as it stands in the file: pop_frames frames. Nothing without a leader. */
void wave_leader_pop(const output_header *header, byte_writer *writer);
/** Adds the bytes of the leader, or of the tail, to a digest. Nothing without a leader. */
void wave_leader_digest(const output_header *header, bool tail, content_hash_stream *stream);

#endif
