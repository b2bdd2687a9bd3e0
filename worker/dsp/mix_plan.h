/**
 * Orders the terms of a mix into vector steps. Inside worker/dsp only; not an ISA file, and without floating
 * arithmetic.
 *
 * Lanes are taken in groups of `width`: 8, 4 or 2, a register of the level. A step adds gain[i] x input lane index[i]
 * to output lane i for the lanes of its mask, all from one group of one input tile. Each output lane meets its terms
 * in the order of the list, so the sums are those of the reference bit for bit.
 */
#ifndef WORKER_DSP_MIX_PLAN_H
#define WORKER_DSP_MIX_PLAN_H

#include "worker/dsp/dsp_table.h"

#include <stdbool.h>

enum { MIX_STEPS_MAX = 32 };

typedef struct mix_step {
    _Alignas(64) double gain[TILE_LANES]; /**< 0 outside the mask */
    uint64_t index[TILE_LANES];           /**< in the input group; its own number outside the mask */
    const double *input;                  /**< first lane of the input group in frame 0 */
    uint32_t mask;
    bool straight;                        /**< index[i] == i throughout */
    bool full;                            /**< mask holds all of width */
} mix_step;

typedef struct mix_plan {
    mix_step steps[MIX_STEPS_MAX];
    uint32_t step_count;
} mix_plan;

/**
 * Plans the terms from *term_at on for the group of `width` lanes from output_lane on of one output tile, until the
 * list ends or the plan is full; moves *term_at to the first term not planned (the rest goes into another plan, run
 * after it).
 */
void mix_plan_fill(mix_plan *self, uint32_t width, const double *const *input_tiles, uint32_t output_tile,
                   uint32_t output_lane, const mix_term *terms, uint32_t term_count, uint32_t *term_at);

/** Runs a plan over a group's lanes. output: the group's first lane in frame 0; fresh: sums begin at 0, not at what it holds. */
typedef void mix_plan_run(const mix_plan *plan, bool fresh, uint32_t frame_count, double *output);

/** dsp_table.mix() for a level whose registers are `width` lanes: group by group, and plan by plan. */
void mix_by_plans(uint32_t width, mix_plan_run *run, const double *const *input_tiles, double *const *output_tiles,
                  uint32_t output_tile_count, const mix_term *terms, uint32_t term_count, uint32_t frame_count);

#endif
