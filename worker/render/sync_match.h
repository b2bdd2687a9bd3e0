/**
 * Finds by how many frames a track is later than a reference at one place: phase-transform cross-correlation (GCC-PHAT) of
 * a window of the reference with a wider one of the track, both as the sum of their channels, from 100 Hz to 8 kHz.
 *
 * Places are frames of the reference since the beginning of the stretch that both share; `drift` (frames per frame) is
 * taken out of the reference before it is compared, so that material at another speed can still be matched.
 */
#ifndef WORKER_RENDER_SYNC_MATCH_H
#define WORKER_RENDER_SYNC_MATCH_H

#include "worker/dsp/fft.h"
#include "worker/render/track_reader.h"

typedef struct sync_matcher {
    const dsp_table *dsp;
    track_reader *track, *reference;
    int64_t track_frame, reference_frame; /**< of the files at place 0 */
    uint64_t frames_read;                 /**< of the track so far */
    error_detail *detail;
    /* the window that was loaded last */
    uint64_t place;
    int64_t late;      /**< what is expected there */
    uint32_t window;   /**< frames of the reference */
    uint32_t range;    /**< lags searched on either side */
    double *sound;     /**< track, window + 2 range */
    double *guide;     /**< reference, window and sync_match_margin() on either side */
    double *re, *im;
    uint32_t capacity;
    fft_plan plan;
    arena memory;
} sync_matcher;

typedef struct sync_match {
    double late;
    double score;      /**< peak over the RMS of the rest */
    double rival;      /**< largest peak elsewhere, as a part of the peak */
} sync_match;

void sync_matcher_init(sync_matcher *self, const dsp_table *dsp, track_reader *track, int64_t track_frame,
                       track_reader *reference, int64_t reference_frame, error_detail *detail);
void sync_matcher_deinit(sync_matcher *self);

/** Root mean square of the track at a place, for choosing where to listen. */
MUST_USE status sync_matcher_level(sync_matcher *self, uint64_t place, uint32_t frame_count, double *out_level);
/** Reads both windows around a place. */
MUST_USE status sync_matcher_load(sync_matcher *self, uint64_t place, int64_t late, uint32_t window, uint32_t range);
/** Compares what was loaded. A score of 0: one of them is silent. */
void sync_matcher_compare(sync_matcher *self, double drift, sync_match *out_match);
/** After compare: the peak within `slack` frames of an offset, over the RMS of everything. */
double sync_matcher_score_at(const sync_matcher *self, double late, uint32_t slack);

#endif
