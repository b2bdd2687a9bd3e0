#include "worker/dsp/mix_plan.h"

static mix_step *step_append(mix_plan *self, uint32_t width, const double *input)
{
    mix_step *step = &self->steps[self->step_count++];
    for (uint32_t i = 0; i < width; i++) {
        step->gain[i] = 0.0;
        step->index[i] = i;
    }
    step->input = input;
    step->mask = 0;
    step->straight = true;
    step->full = false;
    return step;
}

void mix_plan_fill(mix_plan *self, uint32_t width, const double *const *input_tiles, uint32_t output_tile,
                   uint32_t output_lane, const mix_term *terms, uint32_t term_count, uint32_t *term_at)
{
    uint32_t first_step[TILE_LANES] = {0}; /* the first step that an output lane's next term may go into */
    const uint32_t all = (1u << width) - 1;
    self->step_count = 0;
    uint32_t at = *term_at;
    for (; at < term_count; at++) {
        const mix_term *term = &terms[at];
        const uint32_t lane = (uint32_t)term->output_lane - output_lane;
        if (term->output_tile != output_tile || lane >= width)
            continue;
        const double *input = input_tiles[term->input_tile] + term->input_lane / width * width;
        uint32_t number = first_step[lane];
        while (number < self->step_count && self->steps[number].input != input)
            number++;
        if (number == MIX_STEPS_MAX)
            break;
        mix_step *step = number < self->step_count ? &self->steps[number] : step_append(self, width, input);
        step->gain[lane] = term->gain;
        step->index[lane] = term->input_lane % width;
        step->mask |= 1u << lane;
        step->straight = step->straight && step->index[lane] == lane;
        step->full = step->mask == all;
        first_step[lane] = number + 1;
    }
    *term_at = at;
}

void mix_by_plans(uint32_t width, mix_plan_run *run, const double *const *input_tiles, double *const *output_tiles,
                  uint32_t output_tile_count, const mix_term *terms, uint32_t term_count, uint32_t frame_count)
{
    mix_plan plan;
    for (uint32_t tile = 0; tile < output_tile_count; tile++) {
        for (uint32_t lane = 0; lane < TILE_LANES; lane += width) {
            uint32_t term_at = 0;
            bool fresh = true;
            do {
                mix_plan_fill(&plan, width, input_tiles, tile, lane, terms, term_count, &term_at);
                run(&plan, fresh, frame_count, output_tiles[tile] + lane);
                fresh = false;
            } while (term_at < term_count);
        }
    }
}
