/**
 * Looks in each cell of one output for the grid of a lossy codec: where a transform (MDCT of 2,048 samples each 1,024, as of
 * AAC and Vorbis) begins at the very samples where the codec's began, with its window, what that rounded to nothing is nothing
 * again.
 *
 * Four places of 1,024 are tried in a cell, others in the next; first those 64 apart from the programme's beginning, where
 * files lie that were coded from there. Bit-exact on every machine, and cut by the position alone.
 */
#ifndef WORKER_RENDER_CODEC_GRID_H
#define WORKER_RENDER_CODEC_GRID_H

#include "common/base/arena.h"
#include "common/measure/cell_signal.h"
#include "worker/dsp/dsp_table.h"

typedef struct codec_grid codec_grid;

/** cell: gets what is found in each cell. */
codec_grid *codec_grid_make(const dsp_table *dsp, cell_signal *cell, arena *memory);
/** Before a cell that begins at a frame of the programme. */
void codec_grid_begin(codec_grid *self, uint64_t cell_frame);
/** The next frames of one channel, TILE_LANES apart, in a row from a frame of the cell on; what it does not need it leaves. */
void codec_grid_take(codec_grid *self, const double *samples, uint32_t cell_frame, uint32_t frame_count);

#endif
