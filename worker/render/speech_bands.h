/**
 * What the speech detector hears of one output: levels of bands, taken from its tiles cell by cell
 * (common/measure/speech_levels.h).
 *
 * The voice is the centre where the layout has one, the mean of left and right in stereo, the channel of mono. A triangle over
 * 2 factor - 1 frames brings it to about 12 kHz; what lies above 6.5 kHz then folds back into the bands, 3 dB lower than a
 * tone at 5.5 kHz, 18 dB at 3 kHz, and lower still from near multiples of that rate. Each frame of SPEECH_FRAME_SLOTS slots is
 * the window of SPECTRUM_FRAMES such samples (21 ms) that ends with it. Frames count from the programme's first, and belong to
 * the cell in which they end.
 *
 * Plain double arithmetic in a fixed order, cut by the position alone; what a frame needs from before its cell is in the pre-roll.
 */
#ifndef WORKER_RENDER_SPEECH_BANDS_H
#define WORKER_RENDER_SPEECH_BANDS_H

#include "common/base/arena.h"
#include "common/measure/cell_signal.h"
#include "worker/dsp/dsp_table.h"
#include "worker/render/render_signal.h"

typedef struct speech_bands speech_bands;

/** NULL for a rate below SPEECH_RATE_MIN. cell: gets the frames of each cell. */
speech_bands *speech_bands_make(const dsp_table *dsp, const signal_tables *tables, uint8_t layout, uint32_t sample_rate,
                                cell_signal *cell, arena *memory);
/** The channels that make the voice: first, and second or -1. */
void speech_bands_channels(const speech_bands *self, int out_channels[2]);
/** Before the pre-roll of a cell that begins at a frame of the programme. */
void speech_bands_begin(speech_bands *self, uint64_t cell_frame);
/**
 * The next tile: frame_count frames from programme_frame on, that end no later than the slot. first and second: the channels'
 * samples, TILE_LANES apart; second may be NULL.
 */
void speech_bands_take(speech_bands *self, const double *first, const double *second, uint64_t programme_frame,
                       uint32_t frame_count);
/** After the last tile of the cell. */
void speech_bands_end(speech_bands *self);

#endif
