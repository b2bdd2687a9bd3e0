/**
 * The limiters of a render program: gains for the mixed lanes of the outputs that have one, all channels of an output alike.
 *
 * A limiter looks ahead, so the peaks of a cell and of what its gains reach around it are found first, by mixing that stretch
 * once more through sources of its own. Gains are a pure function of position: nothing is carried from cell to cell.
 */
#ifndef WORKER_RENDER_RENDER_LIMIT_H
#define WORKER_RENDER_RENDER_LIMIT_H

#include "worker/render/render_stage.h"

typedef struct render_limit_curve {
    uint64_t first_slot;       /* of gains[0] */
    uint32_t slot_count;       /* edges with a gain */
    uint32_t slot_capacity, peak_capacity;
    double *gains;
    double *peaks;
} render_limit_curve;

typedef struct render_limit {
    const task_render *task;
    const dsp_table *dsp;
    const render_lanes *lanes;
    render_sources sources;
    render_stage stage;
    double **histories;        /* [output tile] TRUE_PEAK_HISTORY frames, then the tile */
    double **tiles;
    double *located;
    render_limit_curve curves[PROGRAM_OUTPUTS_MAX]; /* as program.limits */
} render_limit;

status render_limit_open(render_limit *self, const task_render *task, const render_lanes *lanes, const mix_term *terms,
                         uint32_t term_count, const storage_roots *roots, const dsp_table *dsp, arena *memory,
                         error_detail *detail);
void render_limit_close(render_limit *self);
/* Finds the gains of programme frames first .. end. */
status render_limit_begin(render_limit *self, uint64_t first, uint64_t end, error_detail *detail);
/* Applies them to mixed tiles that begin at a programme frame. meters: told where gain is reduced, from cell_frame on; or NULL. */
void render_limit_apply(const render_limit *self, uint64_t frame, uint32_t frame_count, double *const *tiles,
                        render_meter *meters, uint32_t cell_frame);

#endif
