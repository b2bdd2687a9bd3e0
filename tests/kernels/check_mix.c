#include "tests/kernels/kernel_check.h"

#include <math.h>
#include <stdio.h>

enum { INPUT_TILES = 3, OUTPUT_TILES = 3, TERMS_MAX = 400 };

typedef struct mix_case {
    const double *inputs[INPUT_TILES];
    double *outputs[OUTPUT_TILES];
    mix_term terms[TERMS_MAX];
    uint32_t term_count;
    uint32_t frame_count;
} mix_case;

/* Shapes: anything; identity of all stems (the print master); a fold-down; many terms on one lane. */
static void fill_terms(kernel_check *self, mix_case *it, uint32_t shape)
{
    static const uint32_t counts[] = {0, 1, 2, 8, 24, 100, TERMS_MAX};
    it->term_count = counts[check_below(self, 7)];
    if (shape == 1)
        it->term_count = INPUT_TILES * TILE_LANES;
    for (uint32_t i = 0; i < it->term_count; i++) {
        mix_term *term = &it->terms[i];
        *term = (mix_term){.input_tile = (uint16_t)check_below(self, INPUT_TILES),
                           .input_lane = (uint16_t)check_below(self, TILE_LANES),
                           .output_tile = (uint16_t)check_below(self, OUTPUT_TILES),
                           .output_lane = (uint16_t)check_below(self, TILE_LANES),
                           .gain = check_below(self, 4) ? check_uniform(self) : 1.0};
        if (shape == 1) {
            term->input_tile = (uint16_t)(i / TILE_LANES);
            term->input_lane = term->output_lane = (uint16_t)(i % TILE_LANES);
            term->output_tile = 0;
            term->gain = 1.0;
        } else if (shape == 2) {
            term->output_lane = (uint16_t)(i % 2);
            term->gain = 0.7071;
        } else if (shape == 3) {
            term->output_tile = 1;
            term->output_lane = 5;
        }
    }
}

/* Tiles side by side in one guarded buffer. */
static double *place_tiles(guarded *memory, uint32_t tile_count, uint32_t frame_count, placement where)
{
    return (double *)(void *)guarded_place(memory, tile_count * (size_t)frame_count * TILE_LANES * sizeof(double),
                                           where, 0);
}

static void mix_once(kernel_check *self, uint32_t frame_count, uint32_t shape, hostility kind, placement where)
{
    static mix_case it; /* scratch: too large for a stack under emulation */
    double *expected[OUTPUT_TILES];
    double *actual[OUTPUT_TILES];
    const size_t values = (size_t)frame_count * TILE_LANES;
    double *inputs = place_tiles(&self->memory[0], INPUT_TILES, frame_count, where);
    double *all_expected = place_tiles(&self->memory[1], OUTPUT_TILES, frame_count, where);
    double *all_actual = place_tiles(&self->memory[2], OUTPUT_TILES, frame_count, where);
    check_fill(self, inputs, INPUT_TILES * values, kind);
    for (uint32_t i = 0; i < INPUT_TILES; i++)
        it.inputs[i] = inputs + i * values;
    for (uint32_t i = 0; i < OUTPUT_TILES; i++) {
        expected[i] = all_expected + i * values;
        actual[i] = all_actual + i * values;
    }
    fill_terms(self, &it, shape);
    self->reference->mix(it.inputs, expected, OUTPUT_TILES, it.terms, it.term_count, frame_count);
    self->variant->mix(it.inputs, actual, OUTPUT_TILES, it.terms, it.term_count, frame_count);
    char what[96];
    (void)snprintf(what, sizeof what, "%s, shape %u, %u terms, %u frames", hostility_name(kind), shape, it.term_count,
                   frame_count);
    check_doubles(self, expected[0], actual[0], OUTPUT_TILES * values, what);
    check_that(self,
               guarded_intact(&self->memory[2], (const uint8_t *)actual[0], OUTPUT_TILES * values * sizeof(double)),
               "%s: margin written", what);
}

void check_mix(kernel_check *self)
{
    uint32_t frame_count;
    for (uint32_t index = 0; check_frame_count(index, &frame_count); index++) {
        for (uint32_t kind = 0; kind < DATA_KIND_COUNT; kind++) {
            if (check_below(self, 100) < self->effort)
                mix_once(self, frame_count, check_below(self, 4), (hostility)kind,
                         (placement)(kind % PLACEMENT_COUNT));
        }
    }
}

/*
 * Bound: n rounded multiply-adds differ from the true sum by at most n x 2^-53 x (sum of |gain x input|) to first
 * order (Higham, "Accuracy and stability of numerical algorithms", 3.1, with fused operations); 1 % is added for the
 * rest.
 */
void judge_mix(kernel_check *self)
{
    for (uint32_t round = 0; round < check_rounds(self, 60); round++) {
        static mix_case it;
        enum { FRAMES = 4 };
        _Alignas(64) static double inputs[INPUT_TILES][FRAMES * TILE_LANES];
        _Alignas(64) static double outputs[OUTPUT_TILES][FRAMES * TILE_LANES];
        for (uint32_t i = 0; i < INPUT_TILES; i++) {
            check_fill(self, inputs[i], FRAMES * TILE_LANES, round % 2 ? DATA_NOISE : DATA_OVER);
            it.inputs[i] = inputs[i];
            it.outputs[i] = outputs[i];
        }
        fill_terms(self, &it, round % 4);
        self->reference->mix(it.inputs, it.outputs, OUTPUT_TILES, it.terms, it.term_count, FRAMES);
        for (uint32_t tile = 0; tile < OUTPUT_TILES; tile++) {
            for (uint32_t at = 0; at < FRAMES * TILE_LANES; at++) {
                long double sum = 0.0L;
                long double size = 0.0L;
                uint32_t count = 0;
                for (uint32_t i = 0; i < it.term_count; i++) {
                    const mix_term *term = &it.terms[i];
                    if (term->output_tile != tile || term->output_lane != at % TILE_LANES)
                        continue;
                    const double input = inputs[term->input_tile][at / TILE_LANES * TILE_LANES + term->input_lane];
                    const long double x = (long double)input;
                    sum += (long double)term->gain * x;
                    size += fabsl((long double)term->gain * x);
                    count++;
                }
                const long double bound = 1.01L * (long double)count * 0x1p-53L * size;
                check_that(self, fabsl((long double)outputs[tile][at] - sum) <= bound,
                           "%u terms: %La beyond %La of %La", count, (long double)outputs[tile][at], bound, sum);
            }
        }
    }
}
