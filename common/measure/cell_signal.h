/**
 * What one cell says about its signal beyond loudness and peaks: levels of blocks of about 100 ms, a spectrum, mains
 * lines, the bits in use, and located events. The signal checks are judged from these and from nothing else.
 *
 * Blocks count from the cell's first frame, so nothing has to be added up across cells; a block is made of whole
 * tiles of the meters, so its length moves by up to a tile. Figures are single precision: enough for what is judged.
 * Events may begin before the cell (in its pre-roll) when only this cell could tell; each is told by one cell.
 */
#ifndef COMMON_MEASURE_CELL_SIGNAL_H
#define COMMON_MEASURE_CELL_SIGNAL_H

#include "common/base/byte_reader.h"
#include "common/base/byte_writer.h"
#include "common/base/limits.h"
#include "common/measure/speech_levels.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    SIGNAL_BLOCK_FRAMES_MIN = 4800,
    SIGNAL_BLOCKS_MAX = CELL_FRAMES / SIGNAL_BLOCK_FRAMES_MIN,
    SIGNAL_PAIRS_MAX = 6,
    SIGNAL_BANDS = 128,       /**< of the same width, from 0 to half the rate */
    SIGNAL_HUM_STRETCHES = 4, /**< per cell, of 1.4 s each */
    SIGNAL_HUM_MS = 1400,
    SIGNAL_HUM_LINES = 6,     /**< 50, 100, 150, 60, 120, 180 Hz */
    SIGNAL_SOURCES = 3,       /**< rates that sound may have been converted from: cell_signal_source_rate() */
    SIGNAL_MIRROR_TURNS = 3,  /**< a source's rate and, to compare with, two near it that nobody has */
    SIGNAL_LATE_MAX = 48,     /**< samples that one side of a pair may be late: 1 ms at 48 kHz */
    SIGNAL_EVENTS_PER_KIND = 80, /**< per cell; the rest is counted */
    SIGNAL_EVENTS_MAX = 400
};

/** What of it was taken: a job that asks for a few checks pays for no others. */
enum {
    SIGNAL_GROUP_DEPTH = 1,    /**< bits */
    SIGNAL_GROUP_SPECTRUM = 2, /**< spectrum */
    SIGNAL_GROUP_SOUND = 4,    /**< blocks, mains lines and events */
    SIGNAL_GROUPS_ALL = 7,     /**< what is taken where nothing else is said */
    SIGNAL_GROUP_CINEMA = 8,   /**< weighted power of blocks, with SOUND: for Leq(m), where a spec limits it */
    SIGNAL_GROUP_SPEECH = 16,  /**< levels of the voice, for the speech detector: where no stem says where speech is */
    SIGNAL_GROUP_GRID = 32,    /**< a lossy codec's grid: of programmes that are received */
    SIGNAL_GROUPS_MAX = 63
};

/** Frames of a block at a rate: 100 ms, and never more than SIGNAL_BLOCKS_MAX blocks in a cell. */
uint32_t cell_signal_block_frames(uint32_t sample_rate);

/** 32, 44.1 and 48 kHz. */
uint32_t cell_signal_source_rate(uint32_t source);

/** Transforms that a codec's grid is looked for with, by their windows. */
enum { SIGNAL_GRID_AAC, SIGNAL_GRID_VORBIS, SIGNAL_GRID_WINDOWS, SIGNAL_GRID_FRAMES = 1024 };

/** Milliseconds from one mains stretch of a cell to the next: at most SIGNAL_HUM_STRETCHES whole ones fit. */
uint32_t cell_signal_hum_stride_ms(uint32_t sample_rate);

enum {
    SIGNAL_CLICK,   /**< one click or step: level = its size, figure = its fourth difference over that around it; frame_count =
                         samples with a large fourth difference: 5 of a single sample, 4 of a step, more of natural sounds */
    SIGNAL_DROPOUT, /**< quiet for 1 to 100 ms between two hard edges: level = the lower edge */
    SIGNAL_STOP,    /**< a hard edge into at least 100 ms of quiet: level = what was before it */
    SIGNAL_START,   /**< a hard edge out of at least 100 ms of quiet: level = what comes */
    SIGNAL_TONE,    /**< a pure tone: level = its amplitude, figure = 4 sin^2(pi f / rate) */
    SIGNAL_EVENT_KINDS
};
static_assert(SIGNAL_EVENT_KINDS * SIGNAL_EVENTS_PER_KIND == SIGNAL_EVENTS_MAX, "every kind has its share");

typedef struct signal_event {
    uint8_t kind;
    uint8_t channel;
    int32_t frame;        /**< from the cell's first; negative in the pre-roll */
    uint32_t frame_count; /**< 0 for a place between frames */
    float level;          /**< linear */
    float figure;
} signal_event;

typedef struct cell_signal {
    uint8_t groups;                                                  /**< what follows is 0 where a group was not taken */
    uint8_t channel_count;
    uint8_t pair_count;
    uint8_t block_count;
    uint8_t hum_count;
    uint32_t block_frames[SIGNAL_BLOCKS_MAX];                        /**< frames of each; they add up to the cell */
    float energy[SIGNAL_BLOCKS_MAX][LAYOUT_CHANNELS_MAX];            /**< mean square, unweighted */
    float offset[SIGNAL_BLOCKS_MAX][LAYOUT_CHANNELS_MAX];            /**< mean */
    float cross[SIGNAL_BLOCKS_MAX][SIGNAL_PAIRS_MAX];                /**< mean product of left and right */
    float weighted[SIGNAL_BLOCKS_MAX][LAYOUT_CHANNELS_MAX];          /**< mean square behind the M weighting of ISO 21727 */
    uint64_t bits[LAYOUT_CHANNELS_MAX];                              /**< or of samples x 2^31, of all until the lowest bit that the
                                                                          form has is in use; bit 32: finer */
    float spectrum[LAYOUT_CHANNELS_MAX][SIGNAL_BANDS];               /**< mean power of each band, full-scale sine = 0.5 */
    /* The lines above half of a source's rate times those below that they would be the image of, as one number of size 0 to 1 for
       each window, turned back by the rate: their sum over the root of their squares' sum. Its square is 1 in the mean by chance,
       and the number of windows where there is nothing but an image. */
    float mirror[LAYOUT_CHANNELS_MAX][SIGNAL_SOURCES][SIGNAL_MIRROR_TURNS][2];
    float hum[SIGNAL_HUM_STRETCHES][LAYOUT_CHANNELS_MAX][2][SIGNAL_HUM_LINES]; /**< mean power of line; beside it */
    int8_t late_lag;                                                 /**< of stereo: samples by which right is left, later,
                                                                          in a window of the cell */
    float late_rest;                                                 /**< what left does not explain of right there; 1: no sound */
    uint8_t grid_window;                                             /**< SIGNAL_GRID_*, of the likeliest place */
    uint16_t grid_frame;                                             /**< where in 1,024 frames of the programme transforms begin */
    float grid_bits;                                                 /**< by how many bits lines are smaller there than beside it */
    uint32_t event_count;
    uint32_t event_dropped;
    signal_event events[SIGNAL_EVENTS_MAX];
    uint16_t speech_count;                                           /**< frames of the programme that end in the cell */
    uint8_t speech[SPEECH_FRAMES_MAX][SPEECH_BANDS];
} cell_signal;

/** What an event or a run begins with in the binary form: its kind, its channel and its frame, from the pre-roll on, in a word. */
uint32_t cell_place_word(uint8_t kind, uint8_t channel, int32_t frame);
void cell_place_read(uint32_t word, uint8_t *out_kind, uint8_t *out_channel, int32_t *out_frame);

/** First channel of each left-right pair of a layout (the second follows it); returns the count. */
uint32_t cell_signal_pairs(uint8_t layout, uint8_t out_first[SIGNAL_PAIRS_MAX]);

void cell_signal_encode(const cell_signal *self, byte_writer *writer);
/** The longest form of a cell's features at a rate, of these groups. */
size_t cell_signal_bytes_max(uint8_t layout, uint32_t sample_rate, uint8_t groups);
/** False for anything out of range. `frame_count` and the layout are those of the cell. */
bool cell_signal_decode(cell_signal *out_signal, uint8_t layout, uint8_t channel_count, uint32_t frame_count,
                        byte_reader *reader);

#endif
