/**
 * libsndfile over a borrowed descriptor: FLAC, AIFF, CAF and W64 become frames of PCM_32 (exact, left-justified) or
 * FLOAT_64. It reads by pread, never closes or moves the descriptor, and keeps apart "the bytes are bad" from "the
 * storage failed". Internal to worker/media; only files that foreign_walk let through come here.
 */
#ifndef WORKER_MEDIA_SNDFILE_SOURCE_H
#define WORKER_MEDIA_SNDFILE_SOURCE_H

#include "common/media/media_facts.h"

typedef struct sndfile_source sndfile_source;

/** STATUS_INPUT_UNSUPPORTED / STATUS_INPUT_INVALID with libsndfile's reason in detail; the file's name is not in it. */
MUST_USE status sndfile_source_create(sndfile_source **out_source, int descriptor, media_container container,
                                      error_detail *detail);
/** Accepts a pointer to NULL. */
void sndfile_source_destroy(sndfile_source **self);

sample_encoding sndfile_source_file_encoding(const sndfile_source *self);
/** ENCODING_PCM_32 or ENCODING_FLOAT_64. */
sample_encoding sndfile_source_encoding(const sndfile_source *self);
uint32_t sndfile_source_sample_rate(const sndfile_source *self);
uint32_t sndfile_source_channel_count(const sndfile_source *self);
/** As libsndfile believes; INT64_MAX where a stream does not say. */
uint64_t sndfile_source_frame_count(const sndfile_source *self);

/** Up to frame_count frames from first_frame; fewer only at the end or where decoding fails. STATUS_STORAGE_*: reading failed. */
MUST_USE status sndfile_source_read(sndfile_source *self, uint64_t first_frame, uint32_t frame_count, void *bytes,
                                    uint32_t *out_frame_count, error_detail *detail);
/** Decodes from the start and counts frames, at most frames_max. */
MUST_USE status sndfile_source_count(sndfile_source *self, uint64_t frames_max, uint64_t *out_frame_count,
                                     error_detail *detail);

#endif
