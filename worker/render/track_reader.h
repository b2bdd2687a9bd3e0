/**
 * Reads stated stretches of one track: the files that together are one stem of a reel or one received programme. Its
 * channels are those of its files, file after file. For targeted reads of files that a pass has read, or will, as a whole.
 *
 * Frames before and behind a file are silence, and so is what is no finite 32-bit float.
 */
#ifndef WORKER_RENDER_TRACK_READER_H
#define WORKER_RENDER_TRACK_READER_H

#include "common/base/arena.h"
#include "proto/task_body.h"
#include "worker/dsp/dsp_table.h"
#include "worker/media/storage_root.h"

typedef struct track_reader track_reader;

/** Opens every file by its identity. Everything but the descriptors lives in memory; inputs are borrowed. */
MUST_USE status track_reader_open(track_reader **out_reader, uint32_t input_count, const task_input *inputs,
                                  const storage_roots *roots, const dsp_table *dsp, arena *memory, error_detail *detail);
/** Accepts NULL. */
void track_reader_close(track_reader *self);

uint32_t track_reader_channels(const track_reader *self);
uint32_t track_reader_rate(const track_reader *self);
/** Frames of the longest file. */
uint64_t track_reader_frames(const track_reader *self);

/** channels: [track_reader_channels] arrays of frame_count. */
MUST_USE status track_reader_read(track_reader *self, int64_t first_frame, uint32_t frame_count, double *const *channels,
                                  error_detail *detail);
/** The sum of all channels. */
MUST_USE status track_reader_read_sum(track_reader *self, int64_t first_frame, uint32_t frame_count, double *out,
                                      error_detail *detail);
MUST_USE status track_reader_read_channel(track_reader *self, uint32_t channel, int64_t first_frame, uint32_t frame_count,
                                          double *out, error_detail *detail);

#endif
