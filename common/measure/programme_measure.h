/**
 * The merge: cells of one programme in, figures of the joined programme out. The same code serves any split, because
 * cells are added in cell order, once each.
 *
 * Loudness: ITU-R BS.1770-5 Annex 1 (400 ms blocks each 100 ms, gates -70 LUFS and -10 LU, both strict; an incomplete
 * last block is dropped). Momentary and short-term maxima: EBU Tech 3341, 400 ms and 3 s windows moved in 10 ms steps.
 * LRA: EBU Tech 3342, 3 s windows at 10 Hz, 1.5 s of silence appended. Figures that do not exist (silence, a programme
 * shorter than a window) are NAN in memory and null in a report.
 */
#ifndef COMMON_MEASURE_PROGRAMME_MEASURE_H
#define COMMON_MEASURE_PROGRAMME_MEASURE_H

#include "common/measure/cell_measure.h"
#include "common/measure/programme_signal.h"

typedef struct programme_measure programme_measure;

typedef struct loudness_figures {
    double integrated_lufs;
    double ungated_lufs;             /**< BS.1770-1: all 400 ms blocks, no gates */
    double range_lu;
    double max_momentary_lufs;
    double max_short_term_lufs;
    double relative_gate_lufs;       /**< the -10 LU gate that made integrated_lufs */
    uint64_t max_momentary_frame;    /**< programme frame where that window begins */
    uint64_t max_short_term_frame;
    uint64_t gated_block_count;      /**< blocks that passed both gates */
} loudness_figures;

typedef struct peak_figures {
    double true_peak;                /**< linear, over all channels; NAN for a programme of no frames */
    double sample_peak;
    uint64_t overload_count;
    uint64_t nonfinite_count;
    uint64_t run_dropped;
    bool limited_dropped;            /**< some of them may be reductions of a limiter */
    channel_measure channels[LAYOUT_CHANNELS_MAX];
} peak_figures;

/** A run with its frame counted from the programme's first; runs that touch across a cell edge are joined. */
typedef struct programme_run {
    uint8_t kind;
    uint8_t channel;
    uint64_t frame;
    uint64_t frame_count;
    uint64_t sample_count;
    double peak;
} programme_run;

/** frame_count: length of the whole programme. NULL when out of memory. */
programme_measure *programme_measure_create(uint32_t sample_rate, uint8_t layout, uint64_t frame_count);
void programme_measure_destroy(programme_measure **self);
/**
 * Adds the next cell. Cells come in order of programme_frame and cover the programme without gap or overlap;
 * STATUS_PEER_IMPOSSIBLE otherwise.
 */
MUST_USE status programme_measure_add(programme_measure *self, const cell_measure *cell);
/** True when every frame is covered. */
bool programme_measure_complete(const programme_measure *self);

uint32_t programme_measure_rate(const programme_measure *self);
uint64_t programme_measure_frame_count(const programme_measure *self);
/** Energy of each 10 ms slot, the last of which may be partial; the pointer lives until destroy. */
const double *programme_measure_slots(const programme_measure *self, uint64_t *out_count);
/** LUFS of a mean K-weighted power, and back (BS.1770-5, equation 2); -INFINITY for 0. */
double measure_loudness(double mean_power);
double measure_power(double lufs);
/**
 * BS.1770-5 gating over the mean powers of blocks: LUFS of the blocks louder than -70 LUFS and than 10 LU below their mean,
 * both strictly; NAN if there is none.
 */
double measure_gated_loudness(const double *blocks, size_t count);
/** EBU Tech 3342 over the mean powers of 3 s windows, which it sorts: LU between 10 % and 95 %; NAN if none is loud enough. */
double measure_range(double *windows, size_t count);

/** Figures of frames first..end (programme frames, half open), cut at 10 ms slots; the whole programme with 0, frame_count. */
loudness_figures programme_measure_loudness(const programme_measure *self, uint64_t first_frame, uint64_t end_frame);
/** Integrated loudness of the whole programme if it were played at a gain (a factor): the gate at -70 LUFS stays where it is. */
double programme_measure_integrated_at(const programme_measure *self, double gain);
/** Peaks of the whole programme. */
peak_figures programme_measure_peaks(const programme_measure *self);
/** Peaks of the cells that begin in first..end: cells never cross a piece, so a reel's range is exact. */
peak_figures programme_measure_peaks_between(const programme_measure *self, uint64_t first_frame, uint64_t end_frame);
/** Located runs in order of frame; the pointer lives until destroy. */
const programme_run *programme_measure_runs(const programme_measure *self, size_t *out_count);
/** The features of the signal checks; NULL when a cell came without them. The pointer lives until drop_signal or destroy. */
const programme_signal *programme_measure_signal(const programme_measure *self);
/** Runs the speech detector over the whole programme where its cells brought the levels of its voice; else does nothing. */
MUST_USE status programme_measure_hear(programme_measure *self);
/** A speech_sureness (speech_detector.h) for each whole 100 ms step; NULL: it was not asked. Lives until destroy. */
const uint8_t *programme_measure_heard(const programme_measure *self, size_t *out_count);
/** Frees the features of the signal: what is judged needs them no more, and they are most of a long programme's memory. */
void programme_measure_drop_signal(programme_measure *self);
/**
 * Loudness over time for plots: window_ms a multiple of 10; one value each step_ms (a multiple of 10), each for the window
 * that ENDS there; NAN before the first full window. Returns the count written, at most capacity.
 */
size_t programme_measure_curve(const programme_measure *self, uint32_t window_ms, uint32_t step_ms, double *out_lufs,
                               size_t capacity);

/** 20 log10 of a linear value; -INFINITY for 0. */
double measure_db(double linear);

#endif
