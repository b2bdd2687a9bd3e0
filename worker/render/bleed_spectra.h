/**
 * What render_bleed.c and bleed_spectra.c share: windows of all lanes, cut out of the cell, and their spectra. Inside worker/render
 * only. Everything is taken once per task.
 */
#ifndef WORKER_RENDER_BLEED_SPECTRA_H
#define WORKER_RENDER_BLEED_SPECTRA_H

#include "common/measure/leak_fit.h"
#include "worker/dsp/lane_fft.h"
#include "worker/render/render_parts.h"

enum {
    SIZE = LANE_FFT_SIZE,
    BINS = SIZE / 2,
    /* Rows that are read or written side by side begin 64 bytes apart in the cache: a multiple of 4096 would be one set of it. */
    CELL_ROW = CELL_FRAMES + 16,
    BINS_ROW = BINS + 16,
    FIRST_BIN = 4,     /* 47 Hz at 48 kHz: below, windows of 85 ms tell nothing */
    GROUP = 8,         /* bins that are one for choosing pairs */
    GROUPS = BINS / GROUP,
    LOW_GROUPS = (FIRST_BIN << STEM_BANDS_LOW) / GROUP,
    SMOOTH = MEAN_REACH, /* the host's power is averaged over so many bins on each side */
    SPECTRUM_PARTS = STEM_BANDS + 1, /* its octaves, and before them what lies below */
    NEAR = 2,          /* bins on each side that share a Hann window's noise */
    PAIRS_TRIED = 128, /* per cell; the best and, in turn, the others */
    PAIRS_BEST = 96,
    BLEED_ENDS = 2,    /* of a cell: its beginning and its end */
    END_WINDOWS = 2,
    END_PEAKS = 4,     /* a tone has several in so little sound: which of them is right the cell beside tells */
    BATCH = 2 * FFT_LANES,
    CROSSED = 2 * BATCH, /* pairs whose cross-spectra are made together, CROSSED_BINS at a time: those of 18 lanes fit the cache */
    CROSSED_BINS = 256,
    STEPS_ABREAST = 32, /* pairs whose steps are looked at together: they share the spectra of their channels */
    LINES = FFT_RADIX  /* lines of a transform that are turned from lanes to rows, or back, in the first-level cache */
};

static_assert((int)LANE_FFT_SIZE == (int)STEM_WINDOW_FRAMES, "a window is one transform");
static_assert(BINS % LINES == 0, "lines are turned in whole blocks");

typedef struct bleed_pair {
    uint16_t source, host;
    double reach;  /* smallest gain that would be found */
    double end_reach[BLEED_ENDS]; /* the same of the windows at either end of the cell */
    bool received; /* the host is a channel of a received programme */
    bool at_end;   /* only `end` of the cell is looked at */
    uint32_t end;
    double score;  /* of its highest correlation */
    int delay;
    bool stands_out; /* in the cell as a whole, further than by chance in 1 of 100 pairs */
} bleed_pair;

struct render_bleed {
    const dsp_table *dsp;
    uint32_t lane_count;
    uint8_t group_of[STEM_BLEED_LANES_MAX];
    uint8_t label_of[STEM_BLEED_LANES_MAX];
    bool received[STEM_BLEED_LANES_MAX];
    uint32_t group_count;
    uint32_t window_count, step_count, frame_count;        /* of this cell */
    lane_fft fft;
    float window[SIZE];
    float tilt[BINS_ROW];                                  /* by which a bin counts, low ones for more */
    float skirts[SPECTRUM_PARTS][4][SPECTRUM_PARTS];       /* [part][quarter of it][other part], see bleed_make_skirts() */
    float inverse_width[STEM_DELAY_MAX + 1];               /* one over how far chance spreads at a delay */
    float same_width[STEM_DELAY_MAX + 1];                  /* 1 */
    float group_tilt[GROUPS];
    float *captured;                                       /* [lane][CELL_ROW]; what has 24 bits is kept whole */
    uint32_t held[STEM_BLEED_LANES_MAX];                   /* behind these frames of a lane `captured` is silent */
    uint32_t sounded[STEM_BLEED_LANES_MAX];                /* behind these frames of a lane the cell has been, so far */
    float *silence;                                        /* [SIZE] */
    float *real, *imaginary, *work;                        /* [LANE_FFT_FLOATS] */
    float *even_re, *even_im;                              /* [lane][window][BINS_ROW] spectra of even power */
    float *root_level, *root_inverse;                      /* [lane][window][BINS_ROW] the root of the amplitude they had */
    float *group_root, *group_inverse;                     /* [lane][window][BINS_ROW / GROUP] of these, every GROUP-th */
    double power[STEM_BLEED_LANES_MAX][STEM_WINDOWS];      /* mean square; 0 everywhere: silent, and without spectra */
    float *lines_re, *lines_im;                            /* [2 x lane + second][BINS_ROW] of a transform, or [pair] */
    float *edge_re, *edge_im, *edge_level, *edge_inverse;  /* [BATCH][BINS_ROW] of windows where a leak may end */
    float *edge_weight;                                    /* [BATCH][BINS_ROW] by which a host's bins count */
    leak_sums (*step_sums)[STEM_STEPS][STEM_BANDS];        /* [STEPS_ABREAST] */
    double (*step_scores)[STEM_STEPS];                     /* [STEPS_ABREAST] */
    bleed_pair *pairs;
    uint32_t pair_count;
    bleed_pair *ends;                                      /* [BLEED_ENDS x PAIRS_TRIED] */
    bleed_pair *heard_ends;                                /* each with up to END_PEAKS delays */
    uint32_t end_count;
    float *beyond[2];                                      /* [SIZE] of source and host, beyond an edge */
};

#define BLEED_END_HEARD_MIN 4.6  /* times bleed_chance_width(): of an end of the cell, of which each pair has two: 1 of 100 */
#define BLEED_ACTIVE_POWER 1e-6  /* -60 dBFS: below, a source does not count as playing */
#define BLEED_WEIGHT_MOST 10.0f  /* 40 dB */

/*
 * How a bin counts: by the root of the ratio of source to host. The ratio itself would be best for a leak that is everywhere;
 * but where the host is all but silent because nothing leaks there it must not outweigh the bins and windows in which
 * something does.
 */
static inline float bleed_bin_weight(float root_of_ratio)
{
    return root_of_ratio < BLEED_WEIGHT_MOST ? root_of_ratio : BLEED_WEIGHT_MOST;
}

static inline size_t bleed_spectrum_at(uint32_t lane, uint32_t window)
{
    return ((size_t)lane * STEM_WINDOWS + window) * BINS_ROW;
}

/** The first of the windows at the beginning of the cell (end 0) or at its end (1). */
static inline uint32_t bleed_end_window(const render_bleed *self, uint32_t end)
{
    return end == 0 || self->window_count < END_WINDOWS ? 0 : self->window_count - END_WINDOWS;
}

/**
 * How far chance spreads at a delay, in the scores' unit, which takes each bin for a draw of its own. Those of a Hann window are
 * not: with w its square, the spread is the root of the sum of w(n) w(n - delay) over the mean of such sums, 1.39 in place and
 * 0.97 at 1,024 samples.
 */
double bleed_chance_width(const render_bleed *self, int delay);
/**
 * The skirts that the window gives what lies an octave or more off: in the mean one over 30 times the distance in bins to the sixth
 * of its power. All bins of one have the phase of the window's edges, so where a sound holds nothing else eight windows say eight
 * things, however many bins they have: two subwoofers would look like a leak in octaves that neither holds. No bin is taken for
 * less than 20 dB over it.
 */
void bleed_make_skirts(render_bleed *self);
/** A peak of a correlation. */
typedef struct bleed_peak {
    double score;
    int delay;
} bleed_peak;
/** Of up to CROSSED pairs, the source's windows `moved` by so many; peaks: [count][wanted], the highest first. */
void bleed_correlate(render_bleed *self, const bleed_pair *pairs, uint32_t count, uint32_t moved, uint32_t wanted,
                     bleed_peak *peaks);
/** A lane's frames from where a window begins, moved by up to STEM_DELAY_MAX. */
const float *bleed_window_frames(const render_bleed *self, uint32_t lane, uint32_t window, int moved);
/** Each lane of the transform gets a window as its real part and one as its imaginary part; NULL: silence. */
void bleed_load_windows(render_bleed *self, const float *frames[FFT_LANES][2]);
/** A spectrum, brought to even power. Returns the mean square of what it is of. */
double bleed_even_out(const render_bleed *self, const float *re, const float *im, const even_spectrum *out);
/** The spectra of the two windows in each lane of the transform, into lines_re and lines_im. */
void bleed_unpack_lines(render_bleed *self);
/** The spectra of all lanes that are not silent, brought to even power, and the powers and levels that they had. */
void bleed_transform_windows(render_bleed *self);
/** With which of up to END_PEAKS delays of a pair the windows of the cell are explained best. */
uint32_t bleed_best_shown(render_bleed *self, const bleed_pair *tried, uint32_t count);
/** Where in the cell each of up to CROSSED pairs whose delays are known leaks, and at which gains. clear: false: nowhere. */
void bleed_describe(render_bleed *self, const bleed_pair *const *pairs, uint32_t count, stem_leak *leaks, bool *clear);
/**
 * Whether a leak that the cell's windows hear up to an edge ends before it, in the half of their distance that they leave open
 * there; then it is told so.
 */
bool bleed_end_inside(render_bleed *self, stem_leak *leak, bool at_end);
/** What a window of a source, at the time of the leak, and one of its host have in common; returns how far it stands out. */
double bleed_sum_pair(render_bleed *self, const float *source, const float *host, leak_sums sums[STEM_BANDS]);
/** For how long the leaks that reach an edge of the cell go on beyond it. */
MUST_USE status bleed_look_beyond(render_bleed *self, stem_features *features, const cell_beyond *beyond);

#endif
