/**
 * What one cell of one programme measured, and its binary form on the wire and in the job's measure file.
 *
 * Figures are merged from these and from nothing else (invariant 2). Energies are sums of squares of K-weighted
 * samples, so they add; dividing and taking logarithms happens once, over the merged sums.
 *
 * Slots count from the programme's first frame: slot s covers frames floor(s x rate / 100) .. floor((s+1) x rate / 100).
 * A cell holds energies for every slot it touches; the first and last may be partial (their missing part is in the
 * neighbouring cell) and are added in cell order.
 */
#ifndef COMMON_MEASURE_CELL_MEASURE_H
#define COMMON_MEASURE_CELL_MEASURE_H

#include "common/base/byte_reader.h"
#include "common/base/byte_writer.h"
#include "common/base/limits.h"
#include "common/base/status.h"
#include "common/measure/cell_signal.h"

#include <stdbool.h>
#include <stdint.h>

enum { CELL_MEASURE_VERSION = 19 };
enum { PEAK_RUN_TRUE, PEAK_RUN_CLIP, PEAK_RUN_OVERLOAD, PEAK_RUN_LIMITED };

/** True peaks above this are located one by one, whatever the spec, so that other specs can be judged without audio. */
#define PEAK_LOCATE_DBTP (-3.5)

/** Samples within a step of 16 bits of the highest of their channel are at its level. */
#define CLIP_LEVEL_STEP (1.0 / 32768.0)

/** A stretch in which one channel stayed over a bound (gaps of up to 480 frames are bridged). */
typedef struct peak_run {
    uint8_t kind;        /**< PEAK_RUN_TRUE: above PEAK_LOCATE_DBTP. PEAK_RUN_CLIP: 3 or more equal samples at full
                              scale, or behind a step at the highest level of the cell so far (below).
                              PEAK_RUN_OVERLOAD: the mix exceeded full scale and was clamped. PEAK_RUN_LIMITED: a
                              limiter lowered all channels; it stands in channel 0, its peak is 1 / gain */
    uint8_t channel;     /**< canonical index in the programme's layout */
    uint32_t frame;      /**< first frame, counted from the cell's first */
    uint32_t frame_count;/**< to the last frame over the bound, inclusive */
    uint32_t sample_count;/**< frames over the bound in it, at most frame_count */
    double peak;         /**< largest absolute value, linear, 1.0 = full scale */
} peak_run;

typedef struct channel_measure {
    double sample_peak;       /**< linear, of what is written (after quantising and clamping) */
    double true_peak;         /**< linear, BS.1770-5 Annex 2 4x FIR over what is written; never below sample_peak */
    double mix_peak;          /**< linear, of the mix before clamping; equals sample_peak up to half a step without overload */
    uint64_t overload_count;  /**< samples clamped */
    uint64_t nonfinite_count; /**< samples met in float input that are NaN, infinite or beyond a 32-bit float's range;
                                   written as 0 */
} channel_measure;

typedef struct cell_measure {
    uint32_t sample_rate;
    uint8_t layout;              /**< channel_layout_id */
    uint8_t channel_count;
    uint64_t programme_frame;    /**< first frame of the cell, counted from the programme's first */
    uint32_t frame_count;
    uint64_t first_slot;         /**< slot of programme_frame */
    uint32_t slot_count;
    double *slot_energy;         /**< [slot_count] weighted sum over channels of sum of squares */
    uint64_t first_decislot;     /**< first_slot / 10 */
    uint32_t decislot_count;
    double *channel_energy;      /**< [decislot_count][channel_count] unweighted K-weighted energy per 100 ms */
    channel_measure channels[LAYOUT_CHANNELS_MAX];
    uint32_t run_count;          /**< at most PEAK_RUNS_MAX, by (frame, channel, kind) */
    uint32_t run_dropped;        /**< runs beyond that; of PEAK_RUN_LIMITED only when all that are stored are such */
    peak_run *runs;
    cell_signal *signal;         /**< NULL: the features of the signal checks were not taken */
} cell_measure;

/** First frame of slot s. */
uint64_t cell_measure_slot_frame(uint64_t slot, uint32_t sample_rate);
/** Slot that holds a frame. */
uint64_t cell_measure_slot_of(uint64_t frame, uint32_t sample_rate);

/** Appends the binary form; at most MEASURE_BYTES_MAX for any cell the grid allows. */
void cell_measure_encode(const cell_measure *self, byte_writer *writer);
/** The longest form of a cell's measure at a rate, with these features of its signal (SIGNAL_GROUP_*; 0: without). */
size_t cell_measure_bytes_max(uint8_t layout, uint32_t sample_rate, uint8_t signal_groups);
/**
 * Reads one; arrays are allocated with malloc and owned by the measure (cell_measure_deinit).
 * STATUS_PEER_MALFORMED for anything out of range: counts, non-finite or negative energies, channels outside the layout.
 */
MUST_USE status cell_measure_decode(cell_measure *out_measure, const void *bytes, size_t byte_size);
void cell_measure_deinit(cell_measure *self);

#endif
