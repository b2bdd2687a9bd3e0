/**
 * The planner, pure: show + probe facts in; timelines, render programs, output files and tasks out. The same input
 * gives the same plan on every machine (the journal stores only its digest and makes it again after a restart).
 *
 * Where things lie in time:
 * - A piece is FFOA to LFOA of one reel. Its programme position is sample(picture frames of all pieces before it); lengths
 *   are differences of positions. A reel without both edges is programme to its files' ends: it is exactly as long as
 *   they are, and the frame count of the pieces behind it starts anew at its end.
 * - A reel's file begins at the reel's `start`; FFOA is sample(ffoa - start) of the file. With `align: bext` the file begins
 *   at its own time reference, and FFOA is its sample on the same clock minus that reference.
 * - In a show of one reel a file without {reel} is that reel's file. In a show of several it is a long-play file and
 *   serves all reels: its first sample is the programme's first frame; with `align: bext` it lies on the programme's clock
 *   (01:00:00:00 at the first frame of action, or the reels' own timecode where that runs on from reel to reel).
 * - With a `join` that fades, each piece but the first is faded into over the overlap that the show states around its first
 *   frame. Positions, lengths and timecodes are those of a butt join; a reel's own file holds the same samples.
 * - A received file is programme as a whole, unless it belongs to a reel with `start`, `ffoa` and `lfoa`, is not as long as
 *   the reel's programme (one sample of rounding allowed) and reaches the LFOA counted from `start`: then it is cut like a
 *   stem. One file as long as the joined programme has the reels' pieces; else it is one piece.
 *
 * Threads: a plan is made off the loop and is const afterwards. Everything lives in the plan's own arena.
 */
#ifndef COORDINATOR_PLAN_PLAN_H
#define COORDINATOR_PLAN_PLAN_H

#include "common/base/arena.h"
#include "common/base/content_hash.h"
#include "common/media/media_facts.h"
#include "common/measure/sync_measure.h"
#include "common/media/render_program.h"
#include "coordinator/show/show_file.h"
#include "coordinator/show/spec.h"
#include "proto/task_body.h"

/**
 * Where a file of the show lies. Patterns are expanded in order of (stem, reel, channel), then received files in order of
 * (deliverable, reel, channel), then the reference; channels in the layout's canonical order.
 */
typedef struct plan_input {
    task_path path;
    const char *display;   /**< as a person would name it: relative to the media folder */
    int32_t stem;          /**< -1 for received programmes and the reference */
    int32_t deliverable;   /**< received: which; else -1 */
    int32_t reel;          /**< -1 for long-play files */
    channel_label channel; /**< of a {ch} pattern; CHANNEL_NONE for interleaved */
    bool optional;
    bool reference;
} plan_input;

typedef struct input_list {
    uint32_t count;
    plan_input *items;
} input_list;

/** Roots of a job: where the show's folders lie in terms of named media roots. prefix is relative and may be "". */
typedef struct plan_place {
    char root[NAME_MAX_BYTES];
    char prefix[PATH_MAX_BYTES];
} plan_place;

/** Every file the show names (the job's probe tasks), before anything is known about them. */
MUST_USE status plan_list_inputs(input_list *out_inputs, const show *show, const plan_place *media, arena *arena,
                                 problem_list *problems);

/** A contiguous part of a programme. */
typedef struct plan_piece {
    uint16_t reel;             /**< index in show.reels */
    uint64_t programme_frame;  /**< sample frame of its first frame in the joined programme */
    uint64_t frame_count;
    uint32_t join_before;      /**< where its first frame is a cross-fade: frames that it begins earlier, */
    uint32_t join_after;       /**< and frames that the piece before goes on */
    uint32_t cell_count;
    uint64_t file_frame;       /**< received: frame of the deliverable's files at the piece's first frame */
    bool whole_file;           /**< begins where the reel's file does, not at its first frame of action */
    bool spans_reels;          /**< one received piece over several reels whose edges are not known: `reel` is 0 and says nothing */
} plan_piece;

/** What says where the programme begins in one received file of all reels that is longer than they are. */
typedef enum plan_leader { LEADER_UNKNOWN, LEADER_BY_TIMECODE, LEADER_BY_LENGTH, LEADER_BY_POPS, LEADER_BY_SOUND } plan_leader;

typedef struct plan_timeline {
    uint32_t piece_count;
    plan_piece *pieces;
    uint64_t frame_count;
    uint64_t surplus;          /**< received: frames of leader and tail together; 0: the rest says nothing */
    plan_leader stated;        /**< what says without listening that the leader has stated_frames; LEADER_UNKNOWN: nothing */
    uint64_t stated_frames;
    plan_leader leader;        /**< what said where the pieces lie; as stated, until it was heard (plan_leader_settle) */
    uint64_t start_frame;      /**< picture frame (timecode) of the programme's first frame */
    bool has_start;
    uint32_t sample_rate;
    const show *clock;         /**< the show at this timeline's rates and start; NULL: the show itself */
    uint32_t speed_num, speed_den; /**< how much faster it runs than the show; both 0: it does not */
    const media_facts *placed; /**< the facts at its rates (plan_facts_at_rate) */
} plan_timeline;

/** One file that will be delivered. */
typedef struct plan_file {
    uint16_t deliverable;
    int32_t reel;              /**< -1 = joined */
    channel_label channel;     /**< multi-mono; else CHANNEL_NONE */
    task_path final;           /**< below the out place; the .part name is made by plan_part_path */
    const char *display;       /**< relative to OUT, as the report names it */
    output_header header;      /**< loudness fields not set */
    uint64_t file_size;
    uint32_t allocate_task, seal_task, verify_task; /**< numbers in the job (plan.first_task + index) */
} plan_file;

enum {
    PLAN_LEADER_SECONDS = 8,      /**< before FFOA, where a recipe makes a leader */
    PLAN_KEPT_SECONDS_MAX = 120,  /**< of a leader or tail that is kept */
    PLAN_PROGRAM_NONE = 0xFFFF,   /**< plan_deliverable.scan_program: its gain needs no scan */
    PLAN_OUTPUT_NONE = 0xFFFF,    /**< plan_deliverable.speech_output: no dialogue stem, or the deliverable is one */
    PLAN_DELIVERABLE_NONE = RENDER_DELIVERABLE_NONE
};

typedef struct plan_deliverable {
    uint16_t timeline;
    bool rendered;             /**< false: received */
    channel_layout_id layout;
    channel_order order;       /**< of the file(s) */
    sample_encoding encoding;
    uint32_t sample_rate;
    double gain_db;            /**< 0 when gain_scanned: then gain_source's GAIN task finds it */
    bool gain_scanned;
    uint16_t gain_source;      /**< deliverable whose `gain` decides; PLAN_DELIVERABLE_NONE: nobody's, 0 dB */
    const char *language;      /**< its own, else that of a stem that it takes; "" for an M&E */
    uint32_t first_file, file_count;   /**< in plan.files (rendered) */
    uint32_t first_input, input_count; /**< in inputs (received) */
    uint32_t first_seek, seek_count;   /**< in listens: those that seek where the programme begins (received) */
    uint32_t first_listen, listen_count; /**< in listens: those of the programme itself (received) */
    uint16_t object_count;     /**< tracks behind the bed, from the files of object_stems in that order */
    uint16_t object_stem_count;
    uint16_t object_stems[OBJECT_STEMS_MAX], object_counts[OBJECT_STEMS_MAX];
    uint16_t program;          /**< index in plan.programs */
    uint16_t program_output;   /**< index in that program's outputs */
    uint16_t speech_output;    /**< likewise: the mono sum of the dialogue stems it takes, measured only; PLAN_OUTPUT_NONE */
    uint16_t scan_timeline;    /**< of the scan that brings it to its spec, whether it is wanted itself or not */
    uint16_t scan_program, scan_output, scan_speech; /**< as program, program_output and speech_output */
    uint32_t gain_task;        /**< ends the scan */
    uint32_t merge_task, publish_task, meter_task, excerpt_task; /**< numbers in the job; UINT32_MAX where there is none. Of a
                                    received programme PUBLISH only looks whether it is still the one that was judged */
    const char *uncompared;    /**< received: why it is not compared with the stems; NULL: it is */
} plan_deliverable;

/** One task: what the scheduler sees, and what its body is made from. */
typedef struct plan_task {
    task_kind kind;
    bool local, even_if_failed;
    uint16_t affinity;
    uint32_t cost;             /**< thousandths of a second of estimated work */
    uint32_t first_wait, wait_count;   /**< in plan.waits; task numbers, lower than this one's */
    /* by kind */
    uint32_t file;             /**< ALLOCATE, SEAL, VERIFY: index in files (VERIFY of a received file: in inputs);
                                    LISTEN: in listens; INSPECT that leaves digests: in inputs */
    uint16_t deliverable;      /**< GAIN, MERGE, PUBLISH, METER, EXCERPT */
    uint16_t program;          /**< RENDER, INSPECT */
    uint16_t timeline;
    uint16_t piece;
    uint32_t first_cell, cell_count;
    bool of_input;             /**< VERIFY: digests of an input. INSPECT: it leaves those of its one input, number `file`, too */
} plan_task;

/**
 * A track that is listened to by a LISTEN task: one stem in one reel, or what was received of one reel or as a whole.
 * Frames are those of its files.
 */
typedef struct plan_listen {
    int32_t stem, deliverable;         /**< one of them is -1 */
    uint16_t reel;
    bool whole;                        /**< the files hold the whole programme, `reel` says nothing */
    uint32_t first_input, input_count;
    uint64_t first_frame, frame_count; /**< the programme in the files */
    uint64_t programme_frame;          /**< received: of first_frame in the programme */
    bool has_head, has_tail;           /**< pops belong at head_frame and tail_frame */
    uint64_t head_frame, tail_frame;
    uint32_t pop_frames;               /**< how long each is: one picture frame */
    uint32_t range_count;              /**< where pops are searched */
    task_listen_range *ranges;
    uint32_t first_reference, reference_count; /**< in inputs: what it is aligned with; 0 = nothing */
    uint64_t reference_frame;          /**< of the reference's files at first_frame */
    bool join;                         /**< the reference is the reel before, and ends at reference_frame */
    bool seeks;                        /**< it seeks where the programme begins; nothing that it finds is judged */
    const char *unaligned;             /**< why it is not aligned although the show has a reference, or NULL */
    uint32_t task;                     /**< number in the job */
} plan_listen;

typedef struct plan_options {
    uint32_t slot_count;       /**< of the farm, for task sizes; the bytes do not depend on it */
    uint32_t cells_per_task;   /**< 0 = chosen from the work and slot_count */
    bool replace;
    bool second_meter;         /**< adds a METER per deliverable */
    bool excerpts;             /**< adds an EXCERPT per deliverable: what its report shows of the places of findings */
    bool discard_failed;       /**< adds a DISCARD per deliverable that removes what it left unpublished. Not for jobs that a
                                    person may retry: what was rendered would be gone while its tasks count as done */
    const char *only;          /**< comma-separated deliverable names, NULL = all */
    const char *checks;        /**< comma-separated kinds of checks that are asked for, NULL = all */
    plan_place out;
} plan_options;

typedef struct plan {
    arena arena;
    const show *show;
    input_list inputs;
    const media_facts *facts;  /**< [inputs.count], borrowed: as probed */
    uint32_t *stem_inputs;     /**< [show.stem_count] index of each stem's first file in inputs */
    uint32_t timeline_count;
    plan_timeline *timelines;
    uint32_t program_count;
    render_program *programs;
    uint8_t *program_stems;    /**< [program_count] task_stems */
    const char *checks;        /**< as asked for; NULL: all */
    uint8_t signal_groups;     /**< features that the checks asked for need (check_names_signal_groups) */
    uint16_t *program_timelines; /**< [program_count] */
    bool *program_scans;       /**< [program_count] measured for a gain, before anything is rendered; its outputs have no files */
    uint32_t deliverable_count;/**< = show.deliverable_count; those not wanted have timeline 0xFFFF */
    plan_deliverable *deliverables;
    uint32_t file_count;
    plan_file *files;
    uint32_t listen_count;
    plan_listen *listens;      /**< those that seek, those of stems, those of received programmes, by their number */
    uint32_t first_stem_listen, end_stem_listen;
    uint32_t first_received, received_count; /**< in inputs: received files stand together */
    uint32_t first_task;       /**< number of tasks[0] in the job: probes and the plan task come before */
    uint32_t task_count;
    plan_task *tasks;
    uint32_t wait_count;
    uint32_t *waits;
    content_hash digest;       /**< of everything above that tasks depend on */
    uint64_t read_bytes, write_bytes; /**< of the whole job */
} plan;

/**
 * The handoff check alone: what `reelmill check` reports. Every file is there, opens, has the stated layout, rate and
 * length, reaches its LFOA (longer than its siblings is information, shorter an error), and its bext time reference fits
 * the reel's start (a reference made by the 24 fps rule at 23.976 is named as such).
 */
MUST_USE status plan_check(const show *show, const input_list *inputs, const media_facts *facts, arena *arena,
                           problem_list *problems);

/**
 * Makes the plan. Runs plan_check first; STATUS_INPUT_* with every problem in the list when the show cannot be rendered.
 * show, facts and inputs are borrowed and must outlive the plan. first_task: number of the plan's first task in the job.
 */
MUST_USE status plan_create(plan **out_plan, const show *show, const input_list *inputs, const media_facts *facts,
                            const plan_options *options, uint32_t first_task, arena *problem_arena,
                            problem_list *problems);
void plan_destroy(plan **self);

/** The frame where a joined programme begins: that of 01:00:00:00, or of the recipe's `ffoa`; 0 without a frame rate. */
uint64_t plan_joined_start(const show *show);
/** The show as it is on a timeline: its rates and its joined start. */
const show *plan_timeline_show(const show *show, const plan_timeline *timeline);
/** True if FFOA and LFOA of the reel are known (FFOA may be the reel's start); then *out_first is the first frame. */
bool plan_reel_edges(const show_reel *reel, uint64_t *out_first);

/** True if a deliverable that is rendered takes this stem (role or name, and language). */
bool plan_takes_stem(const show *show, uint32_t deliverable, uint32_t stem);
/**
 * What the listens that seek found, [seek_count] results, NULL for what is not known yet: when all are there, where the programme
 * begins in the received file is settled, and the places that its other tasks read, which wait for them. The same results, the
 * same places.
 */
void plan_leader_settle(plan *self, uint32_t deliverable, const sync_measure *const *heard);
/** True of a received file that is longer than its programme where nothing says where that begins: measured from its start. */
bool plan_leader_unknown(const plan_timeline *timeline);

/** True if the deliverable is made from what is listened to, or is it. */
bool plan_listen_concerns(const plan *self, const plan_listen *listen, uint32_t deliverable);
/** The first listen from `index` on that concerns the deliverable, listen_count: none; those of other received programmes are
 * passed over at once. */
uint32_t plan_listen_next(const plan *self, uint32_t deliverable, uint32_t index);

/** `<folder>.part/<name>.<farm>-<job>-<generation>.part` for `<folder>/<name>`, farm as 16 hexadecimal
 * digits. plan_create sees to it that it fits. */
void plan_part_path(const task_path *final, uint64_t farm, uint32_t job, uint32_t generation, task_path *out_part);

/** What the body of a task needs beyond the plan: results of tasks before it. */
typedef struct plan_context {
    uint64_t farm;
    uint32_t job;
    uint32_t generation;
    bool replace;
    /** RENDER: [plan.deliverable_count] what GAIN tasks found for each gain_source, in dB; NULL: nothing is known yet. */
    const double *gains_db;
    /** SEAL: the figures of the deliverable (hundredths as bext wants them, 0x7FFF = not set). */
    int16_t loudness_value, loudness_range, max_true_peak, max_momentary, max_short_term;
    /** VERIFY: digests of the sealed header and trailer, and of every cell of the file in order. */
    content_hash header_digest, trailer_digest;
    uint32_t cell_count;
    const content_hash *cell_digests;
    bool read_back; /**< the tasks that wrote them have read them back */
    /** EXCERPT: what MERGE wants to be looked at; a folder to write audition audio to, or NULL. */
    uint32_t place_count;
    const task_place *places;
    const task_path *audition;
    bool published; /**< EXCERPT: the job's files have their final names */
    /** PUBLISH: of each file of the deliverable in order, as verified. */
    const task_verify_result *files_verified;
} plan_context;

/** The gain of a deliverable; gains_db as in plan_context. */
double plan_gain_db(const plan *self, uint32_t deliverable, const double *gains_db);

/** Encodes the body of a task of the plan (remote kinds but PROBE and DEPOSIT). STATUS_LIMIT if it does not fit a frame. */
MUST_USE status plan_task_body(const plan *self, uint32_t task_index, const plan_context *context, byte_writer *writer);

/**
 * What a RENDER or INSPECT task is bound to, in the order of its CELL messages: files[i] (index in plan.files) is output i of
 * the task, inputs[i] (index in plan.inputs) its input i. The files of the task's own piece come first in inputs; the rest
 * serve the pre-roll only. Both arrays are taken from arena.
 */
typedef struct plan_binding {
    uint32_t file_count;
    uint32_t *files;
    uint32_t input_count;
    uint32_t own_input_count;  /**< of the task's own piece */
    uint32_t *inputs;
} plan_binding;
void plan_task_binding(const plan *self, uint32_t task_index, arena *arena, plan_binding *out_binding);

/**
 * Identity of one rendered cell (design.md, section 7): digest(render_version, program, digests of the input cells within
 * reach, frame in piece, encoding).
 */
content_hash plan_cell_key(const render_program *program, uint64_t frame_in_piece, sample_encoding encoding,
                           uint32_t input_count, const content_hash *input_digests);

/** The plan as `reelmill plan` shows it: one line per task with kind, what, size and what it waits for. */
const char *plan_text(const plan *self, arena *arena);

#endif
