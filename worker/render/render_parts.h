/** What the files of this module share. Everything is taken once per task; nothing is allocated per tile. */
#ifndef WORKER_RENDER_RENDER_PARTS_H
#define WORKER_RENDER_RENDER_PARTS_H

#include "common/measure/cell_measure.h"
#include "common/measure/stem_features.h"
#include "worker/dsp/fir_design.h"
#include "worker/media/media_reader.h"
#include "worker/render/render_engine.h"
#include "worker/render/render_signal.h"

/*
 * Files are written in pieces that all files of a task have room for in a processor's cache, and sent to the medium and read
 * back by the span; both end at their own multiples in the file.
 */
enum { SINK_BYTES = 256 << 10, SPAN_BYTES = 1 << 20 };

enum { OUTPUT_TILES_MAX = PROGRAM_OUTPUT_LANES_MAX, SOURCE_BLOCK_BYTES = 1 << 18,
       BEYOND_FRAMES = 4096 /* of a window that is read beside the pass, at most */ };

/* ---- sources: files to input tiles ---- */

typedef struct render_file {
    int descriptor;
    media_reader *reader;
    sample_encoding encoding;  /* of what the reader gives */
    uint32_t frame_bytes;
    uint32_t block_frames;     /* capacity of block */
    uint8_t *block;            /* frames block_first .. + block_count */
    uint64_t block_first;
    uint32_t block_count;
    uint8_t *aside;            /* BEYOND_FRAMES that are read beside the pass, which keeps its block */
    bool whole;                /* the streams below take all of it, in order */
    content_hash_stream file_digest, audio_digest;
    struct render_resampler *resampler; /* NULL: the file has the program's rate */
} render_file;

/* Lanes of one input tile that one file feeds in one piece. */
typedef struct render_feed {
    uint16_t file, tile;
    uint8_t lane_count;
    uint8_t channels[TILE_LANES], lanes[TILE_LANES];
    int64_t file_frame;
    bool digests;              /* the first feed of its file: it hashes what was read, if the file is digested */
    bool alone;                /* no other feed fills lanes of its tile */
} render_feed;

typedef struct render_feeds {
    uint32_t count;
    render_feed *items;
} render_feeds;

/* What is measured of tiles as they are unpacked. */
typedef struct render_metering {
    const k_weighting_coefficients *coefficients;
    k_weighting_state *states; /* [tile] */
    tile_meter *meters;        /* [tile] */
    bool *done;                /* [tile]: this time; else it is measured apart */
} render_metering;

typedef struct render_sources {
    const task_render *task;
    const dsp_table *dsp;
    render_file *files;
    render_feeds feeds[TASK_PIECES_MAX];
    uint32_t tile_count;
    double **tiles;
    double **join_tiles;       /* what is faded with them; NULL: the program has butt joins */
    struct render_stems *stems;/* takes what was read of each cell, once and in order; NULL = nobody */
    const render_metering *metering; /* NULL: none is, as tiles are not what is measured */
    int32_t only;              /* the lane that alone is filled, from exactly as much as that takes; -1: all are */
    uint32_t cleared_piece;    /* the tiles were cleared for this piece; UINT32_MAX: for none */
} render_sources;

/* Opens one input by its identity; the caller closes both. */
status render_input_open(const task_input *input, const storage_roots *roots, int *out_descriptor,
                         media_reader **out_reader, error_detail *detail);
/* What reading the input failed of, with the file before it; returns code. */
status render_input_failed(const task_input *input, status code, error_detail *detail);
/* ---- files at another rate: their lanes come through a polyphase FIR ---- */

typedef struct render_resampler {
    fir_resample_plan plan;
    double *taps;
    double *frames;            /* input frames of one tile as lanes, tap_count more than it spans */
    uint32_t frame_capacity;
} render_resampler;

/* same: one for the same rates, whose taps are shared, or NULL. NULL for a ratio that no plan asks for. */
render_resampler *render_resampler_make(const task_input *input, const render_program *program, const render_resampler *same,
                                        arena *memory);
/*
 * Gives frame_count output frames from out_first on (counted from the file's first sample, at the program's rate) to the
 * feed's lanes of a tile; silence around the file.
 */
status render_resampler_fill(render_sources *self, const render_feed *feed, int64_t out_first, uint32_t frame_count,
                             error_detail *detail);
/* A view of frames of a file, read in large blocks; at most block_frames. */
status render_view_frames(render_file *file, const task_input *input, uint64_t first, uint32_t count,
                          const uint8_t **out_bytes, error_detail *detail);

status render_sources_open(render_sources *self, const task_render *task, const storage_roots *roots,
                           const dsp_table *dsp, arena *memory, error_detail *detail);
void render_sources_close(render_sources *self);
/* Fills the input tiles with frame_count frames of a piece; the bytes read go into the digests of a file that is digested,
 * and the frames to the stems' features, when `measuring`. */
status render_sources_fill(render_sources *self, uint32_t piece, uint64_t frame, uint32_t frame_count, bool measuring,
                           error_detail *detail);
/* One lane's frames, from so much of its file alone; `row` holds silence. The pass goes on where it was. */
MUST_USE status render_sources_beside(render_sources *self, uint32_t piece, uint32_t lane, uint64_t frame, uint32_t frame_count,
                                      float *row, error_detail *detail);
/* The first input is digested as a whole: what lies before its audio now, its audio as it is read, the rest at the end. */
status render_sources_digest_begin(render_sources *self, error_detail *detail);
status render_sources_digest_end(render_sources *self, task_verify_result *out_result, error_detail *detail);
/* Every file is still the one that was probed. */
status render_sources_unchanged(const render_sources *self, error_detail *detail);

/* ---- lanes: output lanes to output tiles ---- */

typedef struct render_owner {
    bool used;
    uint8_t output, channel;
    const struct render_owner *also; /* of the same sum; NULL: nobody more */
} render_owner;

typedef struct render_lanes {
    uint32_t tile_count;
    uint32_t bits[OUTPUT_TILES_MAX];             /* for quantise */
    uint16_t tile_of[PROGRAM_OUTPUT_LANES_MAX];
    uint8_t lane_of[PROGRAM_OUTPUT_LANES_MAX];
    render_owner owners[OUTPUT_TILES_MAX][TILE_LANES];
    /* Output lane whose samples are the same, which stands for both and comes first; else itself. Its place is theirs. */
    uint16_t same_as[PROGRAM_OUTPUT_LANES_MAX];
    render_owner others[PROGRAM_OUTPUT_LANES_MAX];
} render_lanes;
/* Owners point into it: it stays where it is made. */
void render_lanes_make(render_lanes *self, const render_program *program);
/* The terms that are mixed, in the program's order, those of side lanes in tiles behind the others; returns their number. */
uint32_t render_lanes_terms(const render_lanes *self, const render_program *program, mix_term *out_terms);

/* ---- objects: from file to file ---- */

typedef struct render_objects {
    const task_render *task;
    render_sources *sources;
    uint8_t *frames;           /* of one tile: the objects' samples as they lie in the output's frames; NULL: there are none */
} render_objects;
void render_objects_open(render_objects *self, const task_render *task, render_sources *sources, arena *memory);
/* Takes the frames of a piece. */
status render_objects_fill(render_objects *self, uint32_t piece, uint64_t frame, uint32_t frame_count, error_detail *detail);
/* Puts them at the ends of packed frames; first: of the tile. */
void render_objects_pack(const render_objects *self, uint32_t first, uint32_t count, uint32_t frame_bytes, uint8_t *frames);

/* ---- what is written, read back from the medium ---- */

typedef struct render_readback render_readback;
/* Opens the task's files once more and starts a thread. NULL: they cannot be read past the cache here, and nothing is. */
render_readback *render_readback_start(const task_render *task, const storage_roots *roots, arena *memory);
/* Bytes that were just written to files[file] will be read back, and are to have this digest. */
void render_readback_add(render_readback *self, uint32_t file, uint64_t offset, size_t byte_size, const content_hash *digest);
/* Nothing more is added. */
void render_readback_last(render_readback *self);
/* Behind that, waits until all is read back. STATUS_STORAGE_MISMATCH with a sentence where something is not what was written. */
status render_readback_finish(render_readback *self, const render_observer *observer, error_detail *detail);
/* Ends the thread, whatever is left to read. */
void render_readback_stop(render_readback *self);

/* ---- sinks: output tiles to files ---- */

typedef struct render_sink {
    const task_output_file *file;
    sample_encoding encoding;
    uint32_t frame_bytes;
    int descriptor;
    uint8_t *buffer;           /* SINK_BYTES and one tile of frames */
    uint64_t buffer_offset;    /* file offset of buffer[0]: a page edge */
    size_t buffer_used;
    size_t span_bytes;         /* written before it, of the span that is not at its end */
    content_hash_stream span_digest;
    uint64_t next_frame;       /* of the file; frames before it are passed over */
    uint32_t skip_bytes;       /* of the first frame: they lie on the page of the task before */
    render_readback *readback; /* is told what was written, as files[number]; NULL: nobody is */
    uint32_t number;
    content_hash_stream digest;
} render_sink;

status render_sink_open(render_sink *self, const task_output_file *file, sample_encoding encoding, uint64_t first_frame,
                        const storage_roots *roots, arena *memory, error_detail *detail);
/* Takes frame_count frames that lie at file_frame of the file (may be negative: not of this file). */
status render_sink_take(render_sink *self, const render_lanes *lanes, const render_output *output,
                        double *const *tiles, const render_objects *objects, const dsp_table *dsp, int64_t file_frame,
                        uint32_t frame_count, bool digesting, error_detail *detail);
/*
 * Nothing more is taken: writes what is left, whole pages, or everything at the end of a file. It goes to the medium and back
 * while the task does what else it has to do. readback: may be NULL.
 */
status render_sinks_finish(render_sink *sinks, uint32_t count, render_readback *readback, error_detail *detail);
void render_sink_close(render_sink *self);

/* ---- meters: output tiles to cell measures ---- */

/* The latest run of a kind in a channel; it stays open for RUN_GAP_FRAMES. */
typedef struct render_open_run {
    uint32_t run; /* index + 1; 0: none yet, or the table was full */
    uint32_t end; /* frame behind its last; 0: none yet */
} render_open_run;

typedef struct render_clip {
    double value;    /* of the latest sample */
    uint32_t length; /* samples that are equal to it, with it */
    double before;   /* the sample before them */
} render_clip;

typedef struct render_meter {
    const render_output *output;
    const channel_layout *layout;
    double weights[LAYOUT_CHANNELS_MAX];
    double full_scale;                   /* largest positive sample of the form that is measured */
    cell_measure measure;
    peak_run runs[PEAK_RUNS_MAX];
    render_open_run open_runs[PEAK_RUN_LIMITED + 1][LAYOUT_CHANNELS_MAX];
    render_clip clips[LAYOUT_CHANNELS_MAX];
    render_signal signal;
    byte_writer encoded;
} render_meter;

status render_meter_init(render_meter *self, const task_render *task, uint32_t output, arena *memory);
void render_meter_deinit(render_meter *self);
void render_meter_begin(render_meter *self, uint64_t programme_frame, uint32_t frame_count);
/* Energies of one slot (or a part of it), per channel. */
void render_meter_energy(render_meter *self, uint64_t slot, uint32_t channel, double energy);
/* One frame over a bound; frames of one kind and channel come in order, the same one may come again. */
void render_meter_run(render_meter *self, uint8_t kind, uint32_t channel, uint32_t frame, double peak);
/* Below it (-30.1 dBFS) equal samples are no clipped run. */
#define CLIP_LEAST 0.03125
/* Looks for clipped runs in one lane of a tile. frame: of the tile in the cell, negative before it; top: highest of the cell. */
void render_meter_clips(render_meter *self, uint32_t channel, const double *tile, uint32_t lane, uint32_t frame_count,
                        int64_t frame, double top);
/* There are none in a tile whose last sample this is. */
void render_meter_no_clips(render_meter *self, uint32_t channel, double last);
/* Sorts the runs and encodes; the bytes live until the next begin. programme_end: the cell is the last of all. */
status render_meter_end(render_meter *self, bool programme_end, message_bytes *out_bytes);

/* ---- stems: input tiles to stem features ---- */

typedef struct render_bleed render_bleed;
/* NULL where there is nothing to hold against each other, or too much. */
render_bleed *render_bleed_make(const render_program *program, const dsp_table *dsp, arena *memory);
void render_bleed_begin(render_bleed *self, uint32_t frame_count);
/* The next frames of the cell in one of its tiles; squares, nothing yet: of each lane. Lanes that are silent cost nothing. */
void render_bleed_take(render_bleed *self, uint32_t tile, const double *samples, uint32_t cell_frame, uint32_t frame_count,
                       double squares[TILE_LANES]);
/* What lies around a cell in its piece: read where a leak reaches the cell's edge. */
typedef struct cell_beyond {
    void *context;
    uint64_t before, after; /* frames of the piece */
    uint64_t most;          /* frames of each stem that may be read there, of one for another */
    /* Frames of a lane, from one on that is counted from the cell's first. */
    status (*frames)(void *context, uint16_t lane, int64_t frame, uint32_t frame_count, float *row);
} cell_beyond;
/* A status other than OK is that of reading beyond the cell. */
MUST_USE status render_bleed_end(render_bleed *self, stem_features *features, const cell_beyond *beyond);

/* Frames of the cell, or before it, in which programmes have a click. */
enum { CLICK_PLACES_MAX = 8 };
typedef struct click_places {
    uint32_t count;
    int32_t frames[CLICK_PLACES_MAX];
} click_places;
/* More than CLICK_PLACES_MAX are left out. */
click_places click_places_of(const render_meter *meters, uint32_t meter_count);
/* Reads the stems again at these places, and keeps which of them have the click. */
MUST_USE status render_clicks_find(const click_places *places, const render_program *program, const cell_beyond *beyond,
                                   stem_features *features);

typedef struct render_gaps render_gaps;
render_gaps *render_gaps_make(const render_program *program, arena *memory);
void render_gaps_begin(render_gaps *self);
/* frame: of the cell; gaps that end here are added to the features. */
void render_gaps_take(render_gaps *self, double *const *tiles, uint32_t frame, uint32_t frame_count, stem_features *features);
void render_gaps_end(render_gaps *self, stem_features *features);

/* Windows of `size` frames, one in the middle of each equal part of a whole cell. */
typedef struct cell_windows {
    uint32_t size, parts;
} cell_windows;
static inline uint32_t cell_window_start(cell_windows self, uint32_t window)
{
    uint32_t part = CELL_FRAMES / self.parts;
    return window * part + (part - self.size) / 2;
}
/* How many of them a cell of frame_count holds. */
static inline uint32_t cell_windows_within(cell_windows self, uint32_t frame_count)
{
    uint32_t count = 0;
    while (count < self.parts && cell_window_start(self, count) + self.size <= frame_count)
        count++;
    return count;
}
/* Adds what some frames of the cell have of a window to sound[size]: one lane of their tiles. */
void cell_window_add(cell_windows self, uint32_t window, double *const *tiles, uint32_t lane, uint32_t frame,
                     uint32_t frame_count, double *sound);

typedef struct render_phases render_phases;
/* NULL but for a stereo programme with few enough stems. */
render_phases *render_phases_make(const render_program *program, const dsp_table *dsp, arena *memory);
void render_phases_begin(render_phases *self, uint32_t frame_count);
void render_phases_take(render_phases *self, double *const *tiles, uint32_t frame, uint32_t frame_count);
void render_phases_end(render_phases *self, stem_features *features);

typedef struct render_shifts render_shifts;
/* NULL where no programme is received, or too many stems are. */
render_shifts *render_shifts_make(const render_program *program, const dsp_table *dsp, arena *memory);
void render_shifts_begin(render_shifts *self, uint32_t frame_count);
void render_shifts_take(render_shifts *self, double *const *tiles, uint32_t frame, uint32_t frame_count);
void render_shifts_end(render_shifts *self, stem_features *features);

typedef struct render_stems {
    const dsp_table *dsp;
    render_bleed *bleed;
    render_gaps *gaps;
    render_shifts *shifts;
    uint32_t frame;                      /* of the cell, next to come */
    bool crossed;
    uint32_t tile_count;
    uint32_t block_frames;
    uint32_t block, block_left;          /* being summed, and frames it still takes */
    uint32_t pair_count;
    double (*products)[TILE_LANES][TILE_LANES]; /* [tile pair] of the block so far; not crossed: row 0 holds squares */
    stem_features features;
    byte_writer encoded;
} render_stems;

status render_stems_init(render_stems *self, const task_render *task, const dsp_table *dsp, arena *memory);
void render_stems_deinit(render_stems *self);
void render_stems_begin(render_stems *self, uint64_t programme_frame, uint32_t frame_count);
/* The next frames of the cell, as the sources gave them. */
void render_stems_take(render_stems *self, double *const *tiles, uint32_t frame_count);
/*
 * cell: of the first piece; what lies around it is read where a leak reaches its edge. clicks: of its programmes. The bytes live
 * until the next end.
 */
status render_stems_end(render_stems *self, render_sources *sources, uint32_t cell, const click_places *clicks,
                        message_bytes *out_bytes, error_detail *detail);

#endif
