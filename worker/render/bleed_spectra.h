/**
 * What render_bleed.c and bleed_spectra.c share: windows of all lanes, cut out of the cell, and their spectra. Inside worker/render
 * only. Everything is taken once per task.
 */
#ifndef WORKER_RENDER_BLEED_SPECTRA_H
#define WORKER_RENDER_BLEED_SPECTRA_H

#include "worker/dsp/lane_fft.h"
#include "worker/render/render_parts.h"

enum {
    SIZE = LANE_FFT_SIZE,
    SPAN = SIZE + 2 * STEM_DELAY_MAX, /* a window and what lies around it: a leak is measured against its source at its time */
    BINS = SIZE / 2,
    FIRST_BIN = 4,     /* 47 Hz at 48 kHz: below, windows of 85 ms tell nothing */
    GROUP = 8,         /* bins that are one for choosing pairs */
    GROUPS = BINS / GROUP,
    SMOOTH = 8,        /* the host's power is averaged over so many bins on each side */
    NEAR = 2,          /* bins on each side that share a Hann window's noise */
    PAIRS_TRIED = 128, /* per cell; the best and, in turn, the others */
    PAIRS_BEST = 96,
    BATCH = 2 * TILE_LANES
};

static_assert((int)LANE_FFT_SIZE == (int)STEM_WINDOW_FRAMES, "a window is one transform");

typedef struct bleed_pair {
    uint16_t source, host;
    double reach;  /* smallest gain that would be found */
    bool received; /* the host is a channel of a received programme */
    double score;  /* of its highest correlation */
    int delay;
} bleed_pair;

struct render_bleed {
    const dsp_table *dsp;
    uint32_t lane_count;
    uint8_t group_of[STEM_BLEED_LANES_MAX];
    uint8_t label_of[STEM_BLEED_LANES_MAX];
    bool received[STEM_BLEED_LANES_MAX];
    uint32_t group_count;
    uint32_t window_count;                                 /* of this cell */
    lane_fft fft;
    double window[SIZE];
    double *captured;                                      /* [lane][window][SPAN] */
    double *silence;                                       /* [SIZE] */
    double *real, *imaginary, *work;
    float *even_re, *even_im;                              /* [lane][window][BINS] spectra of even power */
    float *root_level, *root_inverse;                      /* [lane][window][BINS] the root of the amplitude they had */
    float *group_level, *group_inverse;                    /* [lane][window][GROUPS] */
    double power[STEM_BLEED_LANES_MAX][STEM_WINDOWS];      /* mean square; 0 everywhere: silent, and without spectra */
    bool white[STEM_BLEED_LANES_MAX];
    float *lines_re, *lines_im, *squares;                  /* [2 x lane + second][BINS] of what is in the transform */
    bleed_pair *pairs;
    uint32_t pair_count;
};

static inline size_t bleed_spectrum_at(uint32_t lane, uint32_t window)
{
    return ((size_t)lane * STEM_WINDOWS + window) * BINS;
}

/** A lane's frames from where a window begins, moved by up to STEM_DELAY_MAX. */
const double *bleed_window_frames(const render_bleed *self, uint32_t lane, uint32_t window, int moved);
/** Each of the first lanes of the transform gets a window as its real part and one, or NULL, as its imaginary part. */
void bleed_load_windows(render_bleed *self, const double *frames[TILE_LANES][2], uint32_t count);
/** The spectra of the two windows in each of the first lanes of the transform, into lines_re and lines_im. */
void bleed_unpack_lines(render_bleed *self, uint32_t count);
/** The spectra, powers and group levels of all lanes that are not silent. */
void bleed_transform_windows(render_bleed *self);
/** The spectra of a lane that is in a pair are brought to even power, once; the level they had is kept beside them. */
void bleed_whiten(render_bleed *self, uint32_t lane);

#endif
