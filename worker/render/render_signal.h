/**
 * Takes the features of the signal checks from the tiles of one output, cell by cell (common/measure/cell_signal.h).
 *
 * Everything is plain double arithmetic in a fixed order over what is written, and where a tile begins follows from its
 * position alone: the result is the same on every machine and for every split into tasks. No libm beyond sqrt.
 */
#ifndef WORKER_RENDER_RENDER_SIGNAL_H
#define WORKER_RENDER_RENDER_SIGNAL_H

#include "common/base/arena.h"
#include "common/measure/cell_signal.h"
#include "worker/dsp/dsp_table.h"
#include "worker/dsp/fir_design.h"

enum { HUM_PERIOD_MS = 200, TILE_MS_MAX = 72 };

/** Windows and rotations, made once per run of the engine. */
typedef struct signal_tables {
    double window[SPECTRUM_FRAMES];                   /* Hann */
    double turn[SPECTRUM_FRAMES / 2][2];              /* cos and -sin of 2 pi k / SPECTRUM_FRAMES */
    double hum_window[SIGNAL_HUM_MS];
    double hum_turn[HUM_PERIOD_MS][2];                /* cos and -sin of 2 pi k / HUM_PERIOD_MS */
    uint32_t m_tap_count;                             /* 0: no weighting for the cinema */
    double m_taps[M_WEIGHTING_TAPS_MAX];
} signal_tables;
/** sample_rate: of the weighting for the cinema, or 0. */
void signal_tables_init(signal_tables *self, uint32_t sample_rate);

/** Two lanes of a tile, side by side. */
typedef double lane_pair __attribute__((vector_size(16), aligned(8), may_alias));

/** Powers of the mains lines, and 5 Hz beside them, of a tile's lanes. */
typedef struct mains_powers {
    double line[SIGNAL_HUM_LINES][TILE_LANES];
    double beside[SIGNAL_HUM_LINES][TILE_LANES];
} mains_powers;
/** means: of SIGNAL_HUM_MS milliseconds. */
void signal_hum_powers(const signal_tables *tables, const double (*means)[TILE_LANES], mains_powers *out);

/** One tile of the engine with its sums; shared by all outputs that have lanes in it. */
typedef struct signal_tile {
    const double *samples;    /* with history before it */
    uint32_t pcm_bits;        /* they are PCM of so many bits; 0: not PCM */
    uint8_t groups;           /* SIGNAL_GROUP_* that outputs with lanes in it take */
    uint32_t frame_count;
    int64_t cell_frame;       /* negative in the pre-roll */
    signal_sums sums;
    uint64_t first_ms;        /* millisecond of the programme in which the tile begins */
    uint32_t ms_count;
    double ms_sums[TILE_MS_MAX][TILE_LANES];
    uint32_t block;           /* of the cell, for which the tile counts */
    double offset[TILE_LANES];/* sums of the block so far */
    double (*hum)[TILE_LANES];/* [SIGNAL_HUM_MS] means of the stretch so far; NULL: not wanted */
    uint64_t hum_first_ms;    /* where the first stretch of the cell begins */
    uint32_t hum_count;       /* of complete ones */
    mains_powers mains[SIGNAL_HUM_STRETCHES];
    uint64_t bits[TILE_LANES];/* of the cell so far */
    double *weighing;         /* m_taps frames before the tile, then the tile; NULL: not wanted */
    double weighted[TILE_LANES]; /* energy of the tile behind the M weighting */
    _Alignas(64) double power[SIGNAL_BANDS][TILE_LANES];
    _Alignas(64) double lines[SIGNAL_BANDS][2][TILE_LANES]; /* whose powers these are */
    double mirror_turns[SIGNAL_SOURCES][SIGNAL_MIRROR_TURNS][2]; /* cos and -sin, where the spectrum begins */
} signal_tile;
/** An output with lanes in it takes these groups. */
void signal_tile_take(signal_tile *self, uint8_t groups, const signal_tables *tables, arena *memory);
void signal_tile_begin(signal_tile *self, const signal_tables *tables);
/**
 * Fills what the groups need but the spectrum (samples and pcm_bits are the caller's); bits are added to, and nothing but
 * the sums is taken in the pre-roll. peak: the largest sample of each lane in the cell up to this tile.
 */
void signal_tile_measure(signal_tile *self, const dsp_table *dsp, const signal_tables *tables, const double *peak,
                         uint64_t programme_frame, uint32_t sample_rate, uint32_t frame_count, int64_t cell_frame);

/** The spectrum of SPECTRUM_FRAMES frames of the tile, which are others from tile to tile. */
void signal_tile_spectrum(signal_tile *self, const dsp_table *dsp, const signal_tables *tables, uint64_t programme_frame,
                          uint32_t sample_rate);

/** What a channel's mirror in its cell_signal is made of. */
typedef struct signal_mirror {
    double sums[SIGNAL_SOURCES][SIGNAL_MIRROR_TURNS][2], squares[SIGNAL_SOURCES][SIGNAL_MIRROR_TURNS];
} signal_mirror;
void signal_mirror_take(signal_mirror *self, const signal_tile *tile, uint32_t lane, uint32_t sample_rate);
void signal_mirror_end(const signal_mirror *self, float (*out)[SIGNAL_MIRROR_TURNS][2]);

/** Of a tile's lanes, of which SPECTRUM_FRAMES frames at least: late_lag and late_rest, unless it is softer than -60 dBFS. */
void signal_late_take(cell_signal *cell, const double *left, const double *right, uint32_t frame_count);

/** A place that may be a click; the tile behind it decides. */
typedef struct signal_candidate {
    bool waits;
    int64_t frame;
    uint32_t width;           /* samples near it with a large fourth difference */
    double peak, around;      /* fourth difference: magnitude there, largest mean square near it */
} signal_candidate;

typedef struct signal_channel {
    double energy, offset, cross, weighted; /* sums of the block */
    double rough_before;           /* mean square of the fourth difference in the tile before; infinite: none */
    signal_candidate candidate;
    uint64_t quiet_length;
    double quiet_edge;             /* largest sample of the millisecond before the quiet */
    uint64_t ended_length;         /* of a quiet stretch that just ended, while what follows it is looked at */
    int64_t ended_frame;
    double ended_edge, after_edge;
    uint32_t after_left;
    double tone_sums[3];           /* as signal_sums.tone, of tiles that are too short by themselves */
    uint32_t tone_frames;
    uint32_t tone_event;           /* index + 1 of the tone that goes on */
    int64_t tone_first, tone_end;
    double tone_figure;
    bool tone_pure;                /* nothing beside it in the last slot */
    double line_up[2];             /* cosine and sine, of a line-up tone over other sound */
    int64_t line_up_end;
    double bands[SIGNAL_BANDS];
    signal_mirror mirror;
} signal_channel;

typedef struct render_signal {
    uint32_t sample_rate;
    uint8_t pairs[SIGNAL_PAIRS_MAX];
    cell_signal cell;
    uint32_t kind_counts[SIGNAL_EVENT_KINDS];
    uint32_t block_frames;         /* so far */
    uint32_t block_count;          /* begun */
    uint32_t spectrum_count;
    bool spectrum_due;
    signal_channel channels[LAYOUT_CHANNELS_MAX];
    struct speech_bands *speech;   /* takes the levels of the voice; NULL: nobody asked */
    struct codec_grid *grid;       /* looks for a lossy codec's; NULL: nobody asked */
    int grid_channel;              /* that with most treble in the cell's first tile; -1: not known yet */
    double grid_rough;
} render_signal;

/** groups: SIGNAL_GROUP_*, at least one. */
void render_signal_init(render_signal *self, uint8_t groups, uint8_t layout, uint8_t channel_count, uint32_t sample_rate);
void render_signal_begin(render_signal *self);
/** Before the channels of a tile, and after them. True: the tiles' spectra are wanted. */
bool render_signal_tile_begin(render_signal *self, const signal_tile *tile);
void render_signal_tile_end(render_signal *self, const signal_tile *tile);
/** One channel of a tile. right: the tile and lane of the other channel of its pair, NULL without. */
void render_signal_channel(render_signal *self, uint32_t channel, const signal_tile *tile, uint32_t lane,
                           const signal_tile *right, uint32_t right_lane);
/** programme_end: nothing follows that could still decide. The figures lie in self->cell. */
void render_signal_end(render_signal *self, bool programme_end);

/* Between the two files of this module. */
void signal_event_add(render_signal *self, signal_event event);
void signal_events_take(render_signal *self, uint32_t channel, const signal_tile *tile, uint32_t lane);
void signal_candidate_settle(render_signal *self, uint32_t channel, double after);

#endif
