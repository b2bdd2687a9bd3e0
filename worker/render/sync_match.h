/**
 * Finds by how many frames a track is later than a reference at one place: phase-transform cross-correlation (GCC-PHAT) of
 * a window of the track with a wider one of the reference, both as the sum of their channels, from 100 Hz to 8 kHz.
 *
 * A window of the track is read once and searched as often as wanted: what is read again is that, and the reference, which no pass
 * reads, as far around as needed; what was read of it last is kept. Both are thinned out to half their rate and less before they
 * are compared, the further around the more. `drift` (frames of lateness per frame of the reference) is taken out of the window, so
 * that material at another speed can still be matched. Frames count from the beginning of the stretch that both share.
 */
#ifndef WORKER_RENDER_SYNC_MATCH_H
#define WORKER_RENDER_SYNC_MATCH_H

#include "worker/dsp/fft.h"
#include "worker/render/track_reader.h"

/** How far thinned: to the bands up to 8 kHz, to 4.5 kHz for half a second around, to 1.1 kHz for many seconds around. */
typedef enum sync_detail { SYNC_WHOLE, SYNC_NEAR, SYNC_WIDE, SYNC_FAR } sync_detail;

/** A stretch of the track that was read. */
typedef struct sync_window {
    int64_t middle;    /**< of the track */
    uint32_t frames;   /**< 0: not read */
    double *sound;     /**< those, and sync_window_margin() on either side */
} sync_window;

typedef struct sync_matcher {
    const dsp_table *dsp;
    track_reader *track, *reference;
    int64_t track_frame, reference_frame; /**< of the files where the stretch begins */
    uint64_t frames_read;                 /**< of the track so far */
    error_detail *detail;
    /* what is searched */
    int64_t late;          /**< what is expected */
    uint32_t step;         /**< frames of the files to one of what follows */
    uint32_t window;       /**< of the track */
    uint32_t margin;
    uint32_t range;        /**< lags searched on either side */
    double *sound;         /**< track, window and margin on either side */
    double *guide;         /**< reference, window + 2 range */
    double *re, *im;
    uint32_t capacity;     /**< of those four */
    double *heard;         /**< of the reference, as it was read: what lies within is not read again */
    int64_t heard_place;
    uint32_t heard_count, heard_capacity;
    fft_plan *plan;
    fft_plan plans[FFT_LOG2_MAX + 1]; /**< those that were needed */
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

/** Frames on either side of a window of so many, for material at another speed. */
uint32_t sync_window_margin(uint32_t frames);
/** Root mean square of the track at a place, and its share of what it and the reference around have there: where to listen. */
MUST_USE status sync_matcher_level(sync_matcher *self, uint64_t place, uint32_t frame_count, double *out_level, double *out_share);
/** Reads a window of the track; it lives as long as the matcher. Nothing is read again of `known`, a shorter one there or none. */
MUST_USE status sync_matcher_take(sync_matcher *self, int64_t middle, uint32_t frames, const sync_window *known,
                                  sync_window *out_window);
/** The part of a window around another middle, which it holds with its margins. Borrows its sound. */
sync_window sync_window_part(const sync_window *all, int64_t middle, uint32_t frames);
/** Reads the reference `range` frames and half the window around where a window belongs that is later by `late`. */
MUST_USE status sync_matcher_place(sync_matcher *self, const sync_window *window, double late, uint32_t range, sync_detail detail);
/** Compares what was placed. A score of 0: one of them is silent. */
void sync_matcher_compare(sync_matcher *self, double drift, sync_match *out_match);
/** After compare: the peak within `slack` frames of an offset, over the RMS of everything. */
double sync_matcher_score_at(const sync_matcher *self, double late, uint32_t slack);

#endif
