/**
 * The second opinion: libebur128, the field's reference meter, over a whole programme. Its filters, gates, range and peaks
 * are its own; the samples come through our readers. Nothing of it reaches a media file or a verdict: it
 * takes powers and logarithms from libm, as we do here to undo them, so its last bits may differ between processors.
 *
 * It cannot be cut into cells and runs at some 15 million samples/s: one task for a programme, in order.
 */
#ifndef WORKER_RENDER_SECOND_METER_H
#define WORKER_RENDER_SECOND_METER_H

#include "worker/render/render_engine.h"

/**
 * Measures the parts one after the other as one programme. progress: as of render_observer, may be NULL.
 * Maxima are taken every 10 ms (rate / 100 frames, rounded down): the loudness that libebur128 gives for each such step is
 * turned back into energy and averaged over the last 40 or 300 of them, which is its own momentary or short-term figure
 * at a fortieth of the cost. As in ours, samples that are no finite 32-bit float count as silence.
 */
MUST_USE status second_meter_run(const task_meter *task, const storage_roots *roots, const dsp_table *dsp,
                                 void (*progress)(void *context, uint32_t done_permille), void *context,
                                 task_meter_result *out_result, error_detail *detail);

#endif
