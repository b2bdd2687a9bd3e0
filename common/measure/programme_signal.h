/** The signal features of a whole programme, in order of time: cells put one behind the other. */
#ifndef COMMON_MEASURE_PROGRAMME_SIGNAL_H
#define COMMON_MEASURE_PROGRAMME_SIGNAL_H

#include "common/base/status.h"
#include "common/measure/cell_signal.h"

#include <stddef.h>

typedef struct signal_block {
    uint64_t frame; /**< of the programme */
    uint32_t frame_count;
    float energy[LAYOUT_CHANNELS_MAX];
    float offset[LAYOUT_CHANNELS_MAX];
    float cross[SIGNAL_PAIRS_MAX];
    float weighted[LAYOUT_CHANNELS_MAX];
} signal_block;

typedef struct signal_hum {
    uint64_t frame;
    uint32_t frame_count;
    float power[LAYOUT_CHANNELS_MAX][2][SIGNAL_HUM_LINES];
} signal_hum;

typedef struct signal_cell {
    uint64_t frame;
    uint32_t frame_count;
    uint64_t bits[LAYOUT_CHANNELS_MAX];
    float spectrum[LAYOUT_CHANNELS_MAX][SIGNAL_BANDS];
    float mirror[LAYOUT_CHANNELS_MAX][SIGNAL_SOURCES][SIGNAL_MIRROR_TURNS][2];
    int8_t late_lag;
    float late_rest;
    uint8_t grid_window;
    uint16_t grid_frame;
    float grid_bits;
} signal_cell;

/** An event with its place in the programme. */
typedef struct programme_event {
    uint8_t kind, channel;
    uint64_t frame;
    uint64_t frame_count;
    double level, figure;
} programme_event;

typedef struct programme_signal {
    size_t cells_expected;       /**< whole cells of the programme; where pieces end there are more */
    size_t block_count, block_capacity, hum_count, hum_capacity, cell_count, cell_capacity, event_count, event_capacity;
    signal_block *blocks;
    signal_hum *hums;
    signal_cell *cells;
    programme_event *events;     /**< by frame, within a channel and kind */
    uint64_t event_dropped;
    uint8_t groups;              /**< that every cell has */
    bool missing;                /**< a cell came without: nothing can be judged */
} programme_signal;

void programme_signal_init(programme_signal *self, uint64_t programme_frames);
/** signal NULL: the cell has none. False when out of memory. */
bool programme_signal_add(programme_signal *self, const cell_signal *signal, uint64_t cell_frame, uint32_t frame_count,
                          uint32_t sample_rate);
/**
 * Leq(m) by ISO 21727 in dB: 85 dB for a 2 kHz sine of -20 dBFS in a screen channel (qc-checks.md). Blocks without sound above
 * -70 dBFS do not count. NAN where it was not taken, or all is silent.
 */
double programme_signal_leqm(const programme_signal *self, uint8_t layout);
void programme_signal_deinit(programme_signal *self);

#endif
