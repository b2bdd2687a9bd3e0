/**
 * Every bound of reelmill, in one place, with the relations between them proved below.
 *
 * Anything from outside (files, messages, show files) is compared with a bound here before memory is taken for it.
 */
#ifndef COMMON_BASE_LIMITS_H
#define COMMON_BASE_LIMITS_H

#include <assert.h>

/* ---- the cell grid (design, section 1) ---- */
enum {
    CELL_FRAMES = 307200,        /**< 75 x 4096 frames at any rate: 6.4 s at 48 kHz, and a multiple of a page for every format */
    METER_PREROLL_FRAMES = 8192, /**< fixed pre-roll of every cell's meters; K-weighting has decayed below 1e-18 by then */
    PAGE_BYTES = 4096            /**< outputs are written in whole pages; `data` of an output begins at a multiple of it */
};

/* ---- media ---- */
enum {
    SAMPLE_RATE_MIN = 8000,
    SAMPLE_RATE_MAX = 768000,
    FILE_CHANNELS_MAX = 128,    /**< of one file */
    LAYOUT_CHANNELS_MAX = 16,   /**< of one layout (7.1.2 has 10) */
    CONTAINER_CHUNKS_MAX = 256, /**< chunks walked in one RIFF file */
    CODING_HISTORY_MAX = 4096,  /**< bytes of bext CodingHistory kept; longer is cut */
    OUTPUT_HEADER_MAX = 196608, /**< bytes before `data` of an output, metadata chunks included; it fits a frame */
    OBJECT_STEMS_MAX = 8,       /**< stems of objects in one deliverable */
    OBJECT_AXML_MAX = 48 << 20, /**< bytes of axml of all files whose objects one deliverable carries */
    OUTPUT_OFFSET_MAX = 128 << 20/**< bytes before `data` of an output with objects, whose metadata are made where they lie */
};

/* ---- shows ---- */
enum {
    NAME_MAX_BYTES = 64,        /**< reel, stem, deliverable, recipe and spec names, NUL included */
    SLUG_MAX_BYTES = 64,
    TITLE_MAX_BYTES = 256,
    PATH_MAX_BYTES = 1024,      /**< a path relative to a media root, NUL included */
    SHOW_TEXT_MAX = 1 << 20,    /**< bytes of a show file, recipe or spec */
    SHOW_REELS_MAX = 64,
    SHOW_STEMS_MAX = 64,
    SHOW_DELIVERABLES_MAX = 64,
    JOB_FILES_MAX = 65536,      /**< inputs of one job, a catalogue's QC included */
    JOB_DOCUMENT_MAX = 16 << 20
};

/* ---- render programs and tasks ---- */
enum {
    PROGRAM_INPUT_LANES_MAX = 512, /**< (stem, channel) pairs read by one render program */
    PROGRAM_OUTPUTS_MAX = 16,      /**< deliverables made by one render task */
    CELL_MEASURES_MAX = PROGRAM_OUTPUTS_MAX + 1, /**< one per deliverable, then the features of the stems */
    PROGRAM_OUTPUT_LANES_MAX = 128,
    STEM_BLEED_LANES_MAX = 64,     /**< input lanes that are held against each other for leaks */
    STEM_CROSSED_LANES_MAX = 128,  /**< input lanes of which every pair is correlated: their matrix fits a measure */
    PROGRAM_TERMS_MAX = 8192,
    PROGRAM_SIDE_LANES_MAX = 64,   /**< lanes that nodes read */
    PROGRAM_NODES_MAX = 64,
    PROGRAM_DUCKS_MAX = 4,
    DUCK_KEYS_MAX = 32,            /**< narration channels that one curve follows */
    PHASE_REACH_MAX = 32767,
    PROGRAM_SPEED_TERM_MAX = 65535,/**< of a change of speed, as a fraction */
    PROGRAM_LIMIT_LEAD = 512,      /**< frames that a limiter's scan mixes before the first that it needs */
    TASK_FILES_MAX = 512,          /**< input files bound to one task */
    TASK_PIECES_MAX = 8,           /**< the task's own piece and those its pre-roll and nodes reach into */
    TASK_CELLS_MAX = 1024,
    PEAK_RUNS_MAX = 256            /**< located exceedances stored per cell and channel group; the rest is counted */
};

/* ---- the wire ---- */
enum {
    PRIVATE_FARM_BITS = 48,        /**< of a private farm's number in names of .part files; one that lasts has more */
    FRAME_BYTES_MAX = 262144,      /**< one ZeroMQ frame */
    MEASURE_BYTES_MAX = 131072,    /**< one cell measure of one programme */
    DOCUMENT_CHUNK_MAX = 131072,   /**< one piece of a job document, report or artefact */
    MESSAGE_DEPTH_MAX = 8,
    MESSAGE_NODES_MAX = 16384
};

/* ---- the farm ---- */
enum {
    WORKERS_MAX = 16384,
    WORKER_SLOTS_MAX = 256,
    ROOTS_MAX = 32,
    JOBS_MAX = 65536,
    LEASES_MAX = 65536,            /**< tasks on workers at once */
    TASK_ATTEMPTS_MAX = 4          /**< executions of one task that may fail before its job is failed */
};

static_assert(CELL_FRAMES % PAGE_BYTES == 0, "a cell edge is a page edge for every sample size");
static_assert(CELL_FRAMES % 480 == 0, "a cell is a whole number of 10 ms slots at 48 kHz");
static_assert(METER_PREROLL_FRAMES >= PAGE_BYTES, "the page at a task's edge lies within its pre-roll");
static_assert(OUTPUT_HEADER_MAX + 16384 <= FRAME_BYTES_MAX, "an output's header fits the body of its task");
static_assert(MEASURE_BYTES_MAX + 4096 <= FRAME_BYTES_MAX, "one measure fits a frame");
static_assert(DOCUMENT_CHUNK_MAX + 4096 <= FRAME_BYTES_MAX, "one document chunk fits a frame");

#endif
