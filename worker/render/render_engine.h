/**
 * Runs a render program over a run of cells of one piece: read -> unpack -> mix -> quantise -> measure -> pack -> write in
 * place, tile by tile, in cache, one pass. INSPECT is the same with outputs that are not written.
 *
 * Invariants: the bytes and figures of a cell do not depend on which other cells the task holds. Each cell's meters start
 * from zero state METER_PREROLL_FRAMES before it on the timeline (silence before the programme). Files are written in
 * whole pages: the page that a task's first frame shares with the task before belongs to this one. Memory is fixed by the
 * program, never by the length of the reel.
 */
#ifndef WORKER_RENDER_RENDER_ENGINE_H
#define WORKER_RENDER_RENDER_ENGINE_H

#include "proto/task_body.h"
#include "worker/dsp/dsp_table.h"
#include "worker/media/storage_root.h"

/** Called after each cell, in order. The message's views live during the call. A status other than OK stops the run. */
typedef struct render_observer {
    void *context;
    status (*cell)(void *context, uint32_t cell, uint32_t output_count, const content_hash *outputs, uint32_t measure_count,
                   const message_bytes *measures);
    void (*progress)(void *context, uint32_t done_permille);
    /** Once, at the end of a task that digests its file. */
    void (*digested)(void *context, const task_verify_result *result);
    /** Once, at the end, if every byte that was written was also read back from the medium; NULL: nobody wants that. */
    void (*read_back)(void *context);
} render_observer;

/** Runs the task. Input files are opened by identity and checked again at the end (STATUS_INPUT_CHANGED). */
MUST_USE status render_run(const task_render *task, const storage_roots *roots, const dsp_table *dsp,
                           const render_observer *observer, error_detail *detail);

#endif
