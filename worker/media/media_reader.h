/**
 * Reading audio files. Probing finds out what a file is; a reader delivers frames.
 *
 * WAV, RF64, BW64 and W64 with little-endian PCM or float are ours: a bounded chunk walk (size <= what is left, at most
 * CONTAINER_CHUNKS_MAX chunks), then raw bytes. Everything else (AIFF, CAF, FLAC; big-endian or odd WAV) is decoded
 * by libsndfile, allow-listed by container and subtype. A header that promises more than the file holds is
 * STATUS_INPUT_TRUNCATED, never silently cut. Sources: EBU Tech 3285 (bext), EBU Tech 3306 (RF64), ITU-R BS.2088 (BW64).
 *
 * Runs in the executor only: this code parses what strangers wrote.
 */
#ifndef WORKER_MEDIA_MEDIA_READER_H
#define WORKER_MEDIA_MEDIA_READER_H

#include "common/base/content_hash.h"
#include "common/media/media_facts.h"

/**
 * What the open file is. Facts always come back: a file that cannot be used is facts->outcome with its sentence (which
 * names `display`), and STATUS_OK. Another status means that probing itself failed (storage, memory); then only
 * out_facts->message is written, with the sentence.
 */
MUST_USE status media_probe(int descriptor, const char *display, media_facts *out_facts);

typedef struct media_reader media_reader;

/** Borrows the descriptor until destroy. facts: of a probe of the same identity (fields used: container .. direct). */
MUST_USE status media_reader_create(media_reader **out_reader, int descriptor, media_container container,
                                    sample_encoding encoding, uint32_t channel_count, uint64_t frame_count,
                                    uint64_t data_offset, bool direct, error_detail *detail);
void media_reader_destroy(media_reader **self);

/** Encoding of the frames that media_reader_frames gives: the file's own when direct, else PCM_32 or FLOAT_64. */
sample_encoding media_reader_encoding(const media_reader *self);
/**
 * Reads frame_count interleaved frames from first_frame (all within the file) into bytes
 * [frame_count][channel_count] of media_reader_encoding, little-endian. Sequential reads are cheapest; any order works.
 */
MUST_USE status media_reader_frames(media_reader *self, uint64_t first_frame, uint32_t frame_count, void *bytes,
                                    error_detail *detail);

#endif
