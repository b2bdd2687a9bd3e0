/**
 * What one cell says about how its input lanes hang together (the channels of the stems and, for a received programme,
 * its own), and its binary form beside the cell's measures. Null test, matrix, missing elements and silent stems are
 * judged from these sums and from no audio.
 *
 * A block is a fixed part of a cell. For each block `crossed` features hold the Gram matrix of the lanes: sum over the
 * block's frames of lane i x lane j, as its lower triangle by rows; else only its diagonal, the lanes' energies. Sums of
 * products run frame by frame in double, multiply then add, energies alone tile by tile in four sums (rows_of_tile in
 * worker/dsp/dsp_table.h); where a tile begins follows from its position, so they do not depend on tasks or instruction sets.
 * A block in which a sum is no finite number counts as silent.
 *
 * Leaks: eight windows of a cell, 4096 frames each, are held against each other, stem against stem
 * (worker/render/render_bleed.c). A stem_leak is one that may stand out of chance (stem_bleed.c decides); `reach` says for
 * every pair of stems how small one could have been found.
 *
 * Merging is placing cells one behind the other (stem_programme_add), so it is associative and ordered.
 */
#ifndef COMMON_MEASURE_STEM_FEATURES_H
#define COMMON_MEASURE_STEM_FEATURES_H

#include "common/base/byte_reader.h"
#include "common/base/byte_writer.h"
#include "common/base/limits.h"
#include "common/base/status.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    STEM_FEATURES_VERSION = 23,
    STEM_BLOCKS_CROSSED = 8,       /**< per cell: 0.8 s at 48 kHz; fewer where the Gram matrix is large */
    STEM_BLOCKS_ENERGY = 64,       /**< 0.1 s */
    STEM_SUMS_BYTES_CROSSED = 98304, /**< with leaks and reach it fits MEASURE_BYTES_MAX */
    STEM_SUMS_BYTES_ENERGY = 32768,
    STEM_WINDOWS = 8,
    STEM_WINDOW_FRAMES = 4096,
    STEM_STEP_FRAMES = 2048,       /**< where a leak begins and ends is told in these steps: 43 ms at 48 kHz */
    STEM_STEPS = CELL_FRAMES / STEM_STEP_FRAMES,
    STEM_DELAY_MAX = 1024,
    STEM_DELAY_SLACK = 12,         /**< samples by which one leak may differ from cell to cell: without treble its peak is wide */
    STEM_BANDS = 9,                /**< octaves below the Nyquist frequency: the last is 12 to 24 kHz at 48 kHz */
    STEM_BANDS_LOW = 5,            /**< of these, what is left of a sound without its treble: up to 1.5 kHz at 48 kHz */
    STEM_LEAKS_MAX = 64,
    STEM_LEAK_SCORE_MIN = 8,       /**< from here on a correlation is a leak by itself */
    STEM_GROUPS_MAX = 32,          /**< stems that are held against each other */
    STEM_GAPS_MAX = 128,           /**< per cell */
    STEM_CLICKS_MAX = 64,          /**< per cell */
    STEM_SHIFT_LOG2 = 16,
    STEM_SHIFT_FRAMES = 1 << STEM_SHIFT_LOG2,
    STEM_SHIFT_WINDOWS = 2,
    STEM_PHASE_LANES_MAX = 34,     /**< a stereo programme and as many channels of stems as their cross-spectra are taken of */
    STEM_PHASE_SUMS_MAX = STEM_PHASE_LANES_MAX * (STEM_PHASE_LANES_MAX + 1) / 2,
    STEM_SHIFT_MAX = 24000         /**< twelve picture frames of 24 at 48 kHz */
};

/** A channel that stops and starts again, both hard. Frames of the cell; a gap may be cut by the cell's edges. */
typedef struct stem_gap {
    uint16_t lane;
    uint32_t start, end;
    bool from_before; /**< it is quiet from the cell's first frame on: what began it is in the cell before */
    bool goes_on;     /**< it is quiet up to the cell's last frame */
} stem_gap;

/** A channel that has a click in the same place as a programme of its task. */
typedef struct stem_click {
    uint16_t lane;
    int32_t frame; /**< of the cell; negative in the meters' pre-roll */
} stem_click;

/** At which time a stem lies in a received programme where gains do not explain it; zeros where they do. */
typedef struct stem_shift_peak {
    int16_t samples;      /**< the programme is later */
    float score;          /**< standard deviations of chance; 0: the stem does not play */
    float score_in_place; /**< the same of no shift */
    float left;           /**< of the energy that no gains explain in place, what none explain with it there; 1: not known */
} stem_shift_peak;

#define STEM_LEAK_REACH_MOST 0.1 /**< -20 dB: a pair in which only more would be found is not tried */
#define STEM_LEAK_REST_MIN 4.5 /**< of all windows but the best: two clicks that meet once are no leak */

/** How far a leak goes on beyond an edge of its cell, in steps, heard <= told <= open; STEM_STEPS at most. */
typedef struct stem_beyond {
    uint8_t heard; /**< up to here it is heard */
    uint8_t told;  /**< where it is told to begin or end: between the two, or as far as it is heard */
    uint8_t open;  /**< up to here nothing is known that speaks against it; STEM_STEPS: and no further was looked */
} stem_beyond;

/** What one channel leaves in a channel of another stem, in one cell. */
typedef struct stem_leak {
    uint16_t source, host;             /**< lanes */
    int16_t delay;                     /**< samples that the host is later */
    uint8_t first_step, last_step;     /**< of the cell, in which it is heard */
    uint8_t first_open, last_open;     /**< steps up to these say nothing against it */
    stem_beyond before, after;         /**< the cell */
    uint32_t read;                     /**< frames of either stem that were read again for it */
    float score;  /**< height of the correlation's peak in standard deviations of chance */
    float chance; /**< the same of the highest peak with the windows of the source moved in time */
    float rest;   /**< the score of all windows but the one that shows it best */
    /** Octave by octave, over the windows in which it is heard: gain = (re, im) / own; noise is the variance of (re, im). */
    float band_own[STEM_BANDS], band_re[STEM_BANDS], band_im[STEM_BANDS], band_noise[STEM_BANDS];
} stem_leak;

/** One lane's spectrum times the conjugate of another's, summed. */
typedef struct stem_cross {
    float re, im;
} stem_cross;

typedef struct stem_features {
    uint32_t sample_rate;
    uint64_t programme_frame; /**< first frame of the cell, counted from the programme's first */
    uint32_t frame_count;
    uint16_t lane_count;
    bool crossed;
    uint32_t block_count;     /**< stem_block_count of the rest */
    double *sums;             /**< [block_count][stem_sum_count] */
    uint8_t window_count;     /**< windows that the cell has; 0: leaks were not looked for */
    uint8_t group_count;      /**< stems among the lanes, in their order */
    float reach[STEM_GROUPS_MAX][STEM_GROUPS_MAX]; /**< [source][host] smallest gain that would be found; 0: the source is silent */
    float reach_low[STEM_GROUPS_MAX][STEM_GROUPS_MAX]; /**< the same of a leak that has the lowest STEM_BANDS_LOW octaves alone */
    bool all_pairs;           /**< every pair in which a leak would show was tried: what is not among the leaks is not there */
    uint32_t leak_count;
    stem_leak leaks[STEM_LEAKS_MAX];
    uint32_t gap_count;
    stem_gap gaps[STEM_GAPS_MAX];
    uint32_t click_frames;    /**< of each stem that were read again to find its clicks */
    uint32_t click_count;
    stem_click clicks[STEM_CLICKS_MAX];
    stem_shift_peak shifts[STEM_GROUPS_MAX]; /**< [group]; of group 0, the received programme itself, `left` alone */
    bool phased;                             /**< a stereo programme that gains do not explain: */
    stem_cross phases[STEM_PHASE_SUMS_MAX];  /**< [stem_sum_index(i, j)] of lane i times that of lane j, i >= j */
} stem_features;

/** Numbers per block. */
uint32_t stem_sum_count(uint32_t lane_count, bool crossed);
/** Frames of every block of a cell but the last one, which may be shorter. */
uint32_t stem_block_frames(uint32_t lane_count, bool crossed);
uint32_t stem_block_count(uint32_t lane_count, bool crossed, uint32_t frame_count);
/** Where lane i x lane j stands in a block's Gram matrix. */
static inline uint32_t stem_sum_index(uint32_t i, uint32_t j)
{
    return i >= j ? i * (i + 1) / 2 + j : j * (j + 1) / 2 + i;
}

/** Windows of a cell: spread over it, or as many as lie in a short one side by side, with STEM_DELAY_MAX frames around them. */
uint32_t stem_window_count(uint32_t frame_count);
/** The first frame of one of them. */
uint32_t stem_window_frame(uint32_t frame_count, uint32_t window);
/** Whole steps of a cell; one at least. */
uint32_t stem_step_count(uint32_t frame_count);

/** Whether the sums of an octave stand out of their noise. */
bool stem_gain_known(double own, double re, double im, double noise);
/** Gain of a leak in an octave, in phase with the source and a quarter of a turn off. False where it is not known. */
bool stem_leak_band(const stem_leak *leak, uint32_t band, double *out_re, double *out_im);

void stem_features_encode(const stem_features *self, byte_writer *writer);
/** The longest form of a cell's features that are not crossed. */
size_t stem_features_bytes_max(uint32_t lane_count, uint32_t group_count);
/**
 * Reads one; sums are allocated with malloc (stem_features_deinit). STATUS_PEER_MALFORMED for anything out of range: counts,
 * numbers that are not finite, negative energies.
 */
MUST_USE status stem_features_decode(stem_features *out_features, const void *bytes, size_t byte_size);
void stem_features_deinit(stem_features *self);

/** The features of a whole programme: its cells' blocks in order. */
typedef struct stem_block {
    uint64_t frame;           /**< first frame, counted from the programme's first */
    uint32_t frame_count;
    const double *sums;
} stem_block;

typedef struct stem_cell {
    uint64_t frame;
    uint32_t frame_count;
    uint8_t window_count, group_count;
    float *reach, *reach_low; /**< [group_count][group_count] */
    bool all_pairs;
    uint32_t leak_count;
    stem_leak *leaks;
    uint32_t gap_count;
    stem_gap *gaps;
    uint32_t click_frames, click_count;
    stem_click *clicks;
    stem_shift_peak *shifts;  /**< [group_count] */
    stem_cross *phases;       /**< [stem_sum_count]; NULL: not taken */
} stem_cell;

typedef struct stem_programme {
    uint32_t lane_count;
    bool crossed;
    uint64_t frame_count;     /**< covered so far, without a gap from frame 0 */
    size_t block_count, block_capacity;
    stem_block *blocks;
    size_t cell_count, cell_capacity;
    double **cells;           /**< owned sums of each cell */
    stem_cell *bleed;         /**< [cell_count] */
} stem_programme;

void stem_programme_init(stem_programme *self, uint32_t lane_count, bool crossed);
void stem_programme_deinit(stem_programme *self);
/** Takes the next cell; its sums move here. STATUS_STORAGE_MISMATCH when it does not follow on the one before. */
MUST_USE status stem_programme_add(stem_programme *self, stem_features *features);

#endif
