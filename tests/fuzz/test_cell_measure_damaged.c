/* A worker's measures, whole and damaged, through their fuzz target. */
#include "common/measure/cell_measure.h"
#include "common/media/channel_layout.h"
#include "tests/fuzz/damage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { FRAMES = 4800, SLOTS = 10, DECISLOTS = 1, CHANNELS = 2, COPIES = 200000 };

static void cell_measure__reads_any_damaged_bytes(void **state)
{
    (void)state;
    double slots[SLOTS], decislots[DECISLOTS * CHANNELS] = {0.5, 0.25};
    for (int i = 0; i < SLOTS; i++)
        slots[i] = 0.125 * (i + 1);
    peak_run run = {.kind = PEAK_RUN_TRUE, .channel = 1, .frame = 17, .frame_count = 3, .sample_count = 2, .peak = 0.9};
    cell_measure cell = {.sample_rate = 48000, .layout = LAYOUT_STEREO, .channel_count = CHANNELS, .frame_count = FRAMES,
                         .slot_count = SLOTS, .slot_energy = slots, .decislot_count = DECISLOTS,
                         .channel_energy = decislots, .run_count = 1, .runs = &run};
    for (int i = 0; i < CHANNELS; i++)
        cell.channels[i] = (channel_measure){.sample_peak = 0.875, .true_peak = 0.9, .mix_peak = 0.875};
    static cell_signal signal = {.groups = SIGNAL_GROUPS_MAX,
                                 .channel_count = CHANNELS, .pair_count = 1, .block_count = 1, .hum_count = 1,
                                 .block_frames = {FRAMES}, .energy = {{0.5f}}, .cross = {{-0.25f}}, .event_count = 1,
                                 .events = {{.kind = SIGNAL_CLICK, .channel = 1, .frame = -5, .frame_count = 1, .level = 0.5f}},
                                 .speech_count = 2, .speech = {{100, 90}, {80}}};
    cell.signal = &signal;
    byte_writer writer;
    byte_writer_init(&writer, MEASURE_BYTES_MAX);
    cell_measure_encode(&cell, &writer);
    cell_measure back;
    assert_int_equal(cell_measure_decode(&back, writer.bytes, writer.size), STATUS_OK);
    cell_measure_deinit(&back);
    damage_everywhere(writer.bytes, writer.size, 0, COPIES, 7);
    byte_writer_deinit(&writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(cell_measure__reads_any_damaged_bytes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
