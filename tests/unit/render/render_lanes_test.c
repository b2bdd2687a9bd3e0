/* Where the channels of outputs lie in tiles. */
#include "worker/render/render_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static render_term sums[PROGRAM_OUTPUT_LANES_MAX];

/* A program of some layouts, 24 bits but for those measured only; no two channels have the same samples. */
static render_program *program_of(const channel_layout_id *layouts, uint16_t count, uint32_t measured)
{
    render_program *program = calloc(1, sizeof *program);
    program->output_count = count;
    program->terms = sums;
    for (uint16_t i = 0; i < count; i++) {
        program->outputs[i] = (render_output){.layout = (uint8_t)layouts[i],
                                              .encoding = i == measured ? ENCODING_NONE : ENCODING_PCM_24,
                                              .first_lane = program->output_lane_count};
        program->output_lane_count = (uint16_t)(program->output_lane_count + channel_layout_get(layouts[i])->channel_count);
    }
    program->term_count = program->output_lane_count;
    for (uint16_t i = 0; i < program->output_lane_count; i++)
        sums[i] = (render_term){.input = i, .output = i, .gain = 1.0};
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

/* The output lane's owners, in a bit each of the outputs. */
static uint32_t owners_of(const render_lanes *lanes, uint32_t lane)
{
    uint32_t outputs = 0;
    for (const render_owner *owner = &lanes->owners[lanes->tile_of[lane]][lanes->lane_of[lane]]; owner != NULL; owner = owner->also)
        outputs |= 1u << owner->output;
    return outputs;
}

/* Of 5.1, 5.1 and stereo, lanes 0, 6 and 12 and those behind them take the same inputs. */
static void render_lanes__the_same_samples_have_one_place(void **state)
{
    (void)state;
    const channel_layout_id layouts[] = {LAYOUT_5_1, LAYOUT_5_1, LAYOUT_STEREO};
    render_program *program = program_of(layouts, 3, UINT32_MAX);
    render_lanes *lanes = calloc(1, sizeof *lanes);
    mix_term placed[PROGRAM_OUTPUT_LANES_MAX];
    for (uint32_t i = 0; i < 14; i++)
        sums[i].input = (uint16_t)(i % 6);
    sums[9].gain = 0.5; /* the second's LFE, so its C is another pair too */
    render_lanes_make(lanes, program);
    assert_int_equal(lanes->tile_count, 1);
    assert_int_equal(owners_of(lanes, 0), 7);
    assert_int_equal(owners_of(lanes, 13), 7);
    assert_int_equal(owners_of(lanes, 8), 2);
    assert_int_equal(owners_of(lanes, 3), 1);
    assert_int_equal(owners_of(lanes, 10), 3);
    for (uint32_t i = 0; i < 4; i++)
        assert_true(lanes->tile_of[6 + i] == 0 && (lanes->lane_of[6 + i] == i) == (i < 2));
    assert_int_equal(render_lanes_terms(lanes, program, placed), 8);
    assert_true(placed[7].input_lane == 3 && placed[7].output_lane == lanes->lane_of[9] && placed[7].gain == 0.5);

    /* What is limited, has a noise of its own, gets a node's output or has another form holds other samples. */
    program->limit_count = 1;
    program->limits[0].output = 0;
    program->outputs[1].dither_seed = 1;
    render_lanes_make(lanes, program);
    assert_int_equal(render_lanes_terms(lanes, program, placed), 14);
    assert_int_equal(owners_of(lanes, 12), 4);
    program->limit_count = 0;
    program->outputs[1].encoding = ENCODING_PCM_16;
    program->node_count = 1;
    program->nodes[0].output = 13;
    render_lanes_make(lanes, program);
    assert_int_equal(render_lanes_terms(lanes, program, placed), 14);
    free(lanes);
    free(program);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(render_lanes__an_output_is_not_cut_in_two_where_tiles_allow),
                                       cmocka_unit_test(render_lanes__no_tile_more_is_taken_to_keep_outputs_whole),
                                       cmocka_unit_test(render_lanes__the_same_samples_have_one_place)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
