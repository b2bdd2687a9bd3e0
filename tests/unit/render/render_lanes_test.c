/* Where the channels of outputs lie in tiles. */
#include "worker/render/render_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* A program of some layouts, 24 bits but for those measured only. */
static render_program *program_of(const channel_layout_id *layouts, uint16_t count, uint32_t measured)
{
    render_program *program = calloc(1, sizeof *program);
    program->output_count = count;
    for (uint16_t i = 0; i < count; i++) {
        program->outputs[i] = (render_output){.layout = (uint8_t)layouts[i],
                                              .encoding = i == measured ? ENCODING_NONE : ENCODING_PCM_24,
                                              .first_lane = program->output_lane_count};
        program->output_lane_count = (uint16_t)(program->output_lane_count + channel_layout_get(layouts[i])->channel_count);
    }
    return program;
}

/* Every channel has a lane of its own, its owner says so, pairs lie side by side, and a tile has one depth. */
static void assert_placed(const render_lanes *lanes, const render_program *program)
{
    uint32_t owned = 0;
    for (uint32_t t = 0; t < OUTPUT_TILES_MAX; t++)
        for (uint32_t l = 0; l < TILE_LANES; l++)
            owned += lanes->owners[t][l].used;
    assert_int_equal(owned, program->output_lane_count);
    for (uint32_t i = 0; i < program->output_count; i++) {
        const render_output *output = &program->outputs[i];
        uint32_t channels = channel_layout_get((channel_layout_id)output->layout)->channel_count;
        for (uint32_t c = 0; c < channels; c++) {
            uint32_t tile = lanes->tile_of[output->first_lane + c];
            uint32_t lane = lanes->lane_of[output->first_lane + c];
            const render_owner *owner = &lanes->owners[tile][lane];
            assert_true(tile < lanes->tile_count && owner->used && owner->output == i && owner->channel == c);
            assert_int_equal(lanes->bits[tile], output->encoding == ENCODING_NONE ? QUANTISE_MEASURE_ONLY : 24);
            if (channels > 1)
                assert_int_equal(lane % 2, c % 2);
            if (c % 2 == 1)
                assert_int_equal(tile, lanes->tile_of[output->first_lane + c - 1]);
        }
    }
}

static void render_lanes__an_output_is_not_cut_in_two_where_tiles_allow(void **state)
{
    (void)state;
    const channel_layout_id layouts[] = {LAYOUT_7_1_2, LAYOUT_7_1,    LAYOUT_MONO, LAYOUT_7_1_2,
                                         LAYOUT_5_1,   LAYOUT_STEREO, LAYOUT_MONO};
    render_program *program = program_of(layouts, 7, 6);
    render_lanes *lanes = calloc(1, sizeof *lanes);
    render_lanes_make(lanes, program);
    assert_placed(lanes, program);
    assert_int_equal(lanes->tile_count, 6); /* 38 lanes of 24 bits in five, the last output in its own */
    for (uint32_t i = 0; i < program->output_count; i++) {
        const uint16_t *tiles = &lanes->tile_of[program->outputs[i].first_lane];
        uint32_t channels = channel_layout_get(layouts[i])->channel_count;
        for (uint32_t c = 1; c < channels; c++)
            assert_true(tiles[c] == tiles[c - 1] || c == TILE_LANES);
    }
    free(lanes);
    free(program);
}

static void render_lanes__no_tile_more_is_taken_to_keep_outputs_whole(void **state)
{
    (void)state;
    const channel_layout_id layouts[] = {LAYOUT_5_1, LAYOUT_5_1, LAYOUT_5_1, LAYOUT_5_1};
    render_program *program = program_of(layouts, 4, UINT32_MAX);
    render_lanes *lanes = calloc(1, sizeof *lanes);
    render_lanes_make(lanes, program);
    assert_placed(lanes, program);
    assert_int_equal(lanes->tile_count, 3); /* 24 lanes; whole, they would be four */
    free(lanes);
    free(program);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(render_lanes__an_output_is_not_cut_in_two_where_tiles_allow),
                                       cmocka_unit_test(render_lanes__no_tile_more_is_taken_to_keep_outputs_whole)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
