/**
 * The nodes of a render program: what stands between the mix and the output tiles when a program has any.
 *
 * The mix runs ahead of the output by the program's phase_reach, into windows that hold as much again behind: every lane is
 * mixed once, and lanes without nodes wait for those with. Output frames are a pure function of their position: a cell's
 * windows begin empty, phase_reach frames before its first frame. Ducking curves are made per cell, from the narration alone,
 * read through sources of their own.
 */
#ifndef WORKER_RENDER_RENDER_STAGE_H
#define WORKER_RENDER_RENDER_STAGE_H

#include "worker/render/render_parts.h"

typedef struct render_stage_duck {
    uint32_t slot_count;       /* edges with a gain */
    uint64_t first_slot;
    uint32_t slot_capacity, active_capacity;
    double *gains;
    bool *active;
} render_stage_duck;

typedef struct render_stage {
    const task_render *task;
    const dsp_table *dsp;
    render_sources *sources;
    const render_lanes *lanes;
    const mix_term *terms;     /* of output and side lanes; side lanes lie in tiles of their own behind the others */
    uint32_t term_count;
    uint32_t tile_count;       /* output tiles, then side tiles */
    double **mixed;            /* [tile_count] one tile */
    int64_t window_begin, window_end; /* programme frames held */
    double **windows;          /* [lanes.tile_count] frames x TILE_LANES */
    double **sides;            /* [side_lane_count] frames */
    double *taps;
    double *values;            /* of one node, one tile */
    uint32_t key_count;        /* narration lanes of all ducks */
    uint16_t keys[PROGRAM_INPUT_LANES_MAX];
    task_render key_task;      /* the same pieces with those lanes only */
    render_sources key_sources;
    render_stage_duck ducks[PROGRAM_DUCKS_MAX];
} render_stage;

status render_stage_open(render_stage *self, const task_render *task, render_sources *sources, const render_lanes *lanes,
                         const mix_term *terms, uint32_t term_count, const storage_roots *roots, const dsp_table *dsp,
                         arena *memory, error_detail *detail);
void render_stage_close(render_stage *self);
/* A cell, its pre-roll included: programme frames first .. end will be asked for, in order. */
status render_stage_begin(render_stage *self, uint64_t first, uint64_t end, error_detail *detail);
/* Mixes as far as the frames need; the bytes of cell frames (cell_begin .. cell_end) go into the input digests. */
status render_stage_fill(render_stage *self, uint64_t frame, uint32_t frame_count, uint64_t cell_begin, uint64_t cell_end,
                         error_detail *detail);
/* Writes the output tiles of filled frames; may be called again for the same ones. */
void render_stage_compose(render_stage *self, uint64_t frame, uint32_t frame_count, double *const *tiles);

/* The piece of a task that holds a programme frame, or -1. */
int32_t render_piece_of(const task_render *task, uint64_t frame);

#endif
