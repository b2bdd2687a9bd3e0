/* The binary form of the stems' features, and their merge. */
#include "common/measure/stem_features.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static stem_features make(uint32_t lanes, bool crossed, uint64_t frame, uint32_t frames)
{
    stem_features made = {.sample_rate = 48000,
                          .programme_frame = frame,
                          .frame_count = frames,
                          .lane_count = (uint16_t)lanes,
                          .crossed = crossed,
                          .block_count = stem_block_count(lanes, crossed, frames)};
    size_t count = (size_t)made.block_count * stem_sum_count(lanes, crossed);
    made.sums = malloc(count * sizeof *made.sums);
    assert_non_null(made.sums);
    for (size_t i = 0; i < count; i++)
        made.sums[i] = (double)(i + 1) + (double)frame;
    return made;
}

static void stem_features__come_back_as_they_were(void **state)
{
    (void)state;
    for (int crossed = 0; crossed < 2; crossed++) {
        stem_features made = make(24, crossed == 1, 5 * CELL_FRAMES, 100001);
        stem_features back;
        byte_writer writer;
        byte_writer_init(&writer, MEASURE_BYTES_MAX);
        stem_features_encode(&made, &writer);
        assert_int_equal(stem_features_decode(&back, writer.bytes, writer.size), STATUS_OK);
        assert_int_equal(back.block_count, crossed == 1 ? 3 : 21); /* of 38,400 or 4,800 frames */
        assert_true(back.programme_frame == made.programme_frame && back.frame_count == 100001);
        assert_memory_equal(back.sums, made.sums, back.block_count * stem_sum_count(24, crossed == 1) * sizeof(double));
        stem_features_deinit(&back);
        stem_features_deinit(&made);
        byte_writer_deinit(&writer);
    }
}

static void stem_features__of_any_number_of_lanes_fit_a_measure(void **state)
{
    (void)state;
    for (uint32_t lanes = 1; lanes <= PROGRAM_INPUT_LANES_MAX; lanes++)
        for (int crossed = 0; crossed < 2; crossed++) {
            if (crossed == 1 && lanes > STEM_CROSSED_LANES_MAX)
                continue;
            uint32_t blocks = stem_block_count(lanes, crossed == 1, CELL_FRAMES);
            assert_true(blocks >= 1 && blocks <= STEM_BLOCKS_ENERGY);
            assert_true((uint64_t)blocks * stem_sum_count(lanes, crossed == 1) * 8 + 40 +
                            STEM_GROUPS_MAX * STEM_GROUPS_MAX * 4 + STEM_LEAKS_MAX * 168 + STEM_GAPS_MAX * 11 +
                            6 + STEM_CLICKS_MAX * 6 +
                            STEM_GROUPS_MAX * 14 + 2 + 1 + STEM_PHASE_SUMS_MAX * 8 <=
                        MEASURE_BYTES_MAX); /* 166 bytes per leak: 3 x 2 + 4 + 3 x 4 + 4 x 9 x 4 */
        }
}

/* The planner leaves room for so much beside a cell's measures. */
static void stem_features__keep_to_their_bound(void **state)
{
    (void)state;
    static const uint32_t lanes[] = {2, 30, STEM_BLEED_LANES_MAX, PROGRAM_INPUT_LANES_MAX};
    for (size_t i = 0; i < sizeof lanes / sizeof lanes[0]; i++) {
        stem_features made = make(lanes[i], false, 0, CELL_FRAMES);
        made.group_count = lanes[i] < STEM_GROUPS_MAX ? (uint8_t)lanes[i] : STEM_GROUPS_MAX;
        made.leak_count = STEM_LEAKS_MAX;
        made.gap_count = STEM_GAPS_MAX;
        made.click_count = STEM_CLICKS_MAX;
        byte_writer writer;
        byte_writer_init(&writer, MEASURE_BYTES_MAX);
        stem_features_encode(&made, &writer);
        assert_false(writer.failed);
        assert_int_equal(writer.size, stem_features_bytes_max(lanes[i], made.group_count));
        stem_features_deinit(&made);
        byte_writer_deinit(&writer);
    }
}

static void stem_features__damaged_are_refused(void **state)
{
    (void)state;
    stem_features made = make(3, true, 0, 50000);
    byte_writer writer;
    byte_writer_init(&writer, MEASURE_BYTES_MAX);
    stem_features_encode(&made, &writer);
    stem_features back;
    for (size_t cut = 0; cut < writer.size; cut++)
        assert_int_equal(stem_features_decode(&back, writer.bytes, cut), STATUS_PEER_MALFORMED);
    for (size_t i = 0; i < 32; i++) { /* every byte of the head is checked, or harmless: never more than one result */
        writer.bytes[i] ^= 0xFF;
        if (stem_features_decode(&back, writer.bytes, writer.size) == STATUS_OK)
            stem_features_deinit(&back);
        writer.bytes[i] ^= 0xFF;
    }
    made.sums[1] = (double)NAN;
    byte_writer_reset(&writer);
    stem_features_encode(&made, &writer);
    assert_int_equal(stem_features_decode(&back, writer.bytes, writer.size), STATUS_PEER_MALFORMED);
    made.sums[1] = 1.0;
    made.sums[2] = -1.0; /* lane 1 x lane 1: an energy */
    byte_writer_reset(&writer);
    stem_features_encode(&made, &writer);
    assert_int_equal(stem_features_decode(&back, writer.bytes, writer.size), STATUS_PEER_MALFORMED);
    byte_writer_deinit(&writer);
    stem_features_deinit(&made);
}

static void stem_programme__takes_cells_in_order_and_no_other(void **state)
{
    (void)state;
    stem_programme programme;
    stem_programme_init(&programme, 2, false);
    for (uint64_t cell = 0; cell < 5; cell++) {
        stem_features made = make(2, false, cell * CELL_FRAMES, cell == 4 ? 1000 : CELL_FRAMES);
        assert_int_equal(stem_programme_add(&programme, &made), STATUS_OK);
        stem_features_deinit(&made);
    }
    stem_features again = make(2, false, 4 * CELL_FRAMES, 1000);
    assert_int_equal(stem_programme_add(&programme, &again), STATUS_STORAGE_MISMATCH);
    stem_features_deinit(&again);
    assert_int_equal(programme.block_count, 4 * STEM_BLOCKS_ENERGY + 1);
    assert_int_equal(programme.frame_count, 4 * CELL_FRAMES + 1000);
    for (size_t i = 0; i < programme.block_count; i++) {
        assert_true(programme.blocks[i].frame == i * (CELL_FRAMES / STEM_BLOCKS_ENERGY));
        assert_true(programme.blocks[i].sums[0] == (double)(programme.blocks[i].frame / CELL_FRAMES * CELL_FRAMES) + 1.0 +
                                                       2.0 * (double)(i % STEM_BLOCKS_ENERGY));
    }
    stem_programme_deinit(&programme);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stem_features__come_back_as_they_were),
        cmocka_unit_test(stem_features__of_any_number_of_lanes_fit_a_measure),
        cmocka_unit_test(stem_features__keep_to_their_bound),
        cmocka_unit_test(stem_features__damaged_are_refused),
        cmocka_unit_test(stem_programme__takes_cells_in_order_and_no_other),
    };
    return cmocka_run_group_tests_name("stem_features", tests, NULL, NULL);
}
