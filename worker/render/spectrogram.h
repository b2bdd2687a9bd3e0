/**
 * What a stretch of sound is made of, over time: levels of a picture (proto/task_body.h says what they stand for), for people
 * who read a report. Nothing of it reaches a media file or a verdict.
 *
 * The same samples give the same levels on every machine: FFTs in a fixed order, constants as literals, no libm.
 */
#ifndef WORKER_RENDER_SPECTROGRAM_H
#define WORKER_RENDER_SPECTROGRAM_H

#include "common/base/arena.h"
#include "worker/dsp/dsp_table.h"

#include <stdint.h>

/** Rows up to half the sample rate, at most EXCERPT_ROWS_MAX. */
uint32_t spectrogram_rows(uint32_t sample_rate);

/**
 * out_levels: [spectrogram_rows()][EXCERPT_COLUMNS], the largest of the channels. Columns are spread over the stretch; what
 * lies outside of it is silence.
 */
void spectrogram_make(const dsp_table *dsp, const double *const *channels, uint32_t channel_count, uint32_t frame_count,
                      uint32_t sample_rate, uint8_t *out_levels, arena *memory);

#endif
