/**
 * What a task says to the executor that runs it, and what comes back: versioned little-endian binaries inside ASSIGN
 * and RESULT. Made by coordinator/plan, read by worker/tasks; opaque to the scheduler and to the sessions.
 *
 * Paths are relative to named media roots and never begin with '/', hold "." or ".." components, or are empty; decoding
 * refuses such a path, and resolving (worker/media/storage_root.h) never leaves the root.
 *
 * Decoded bodies live in the arena given to the decoder. Every count is bounded by limits.h before memory is taken.
 */
#ifndef PROTO_TASK_BODY_H
#define PROTO_TASK_BODY_H

#include "common/base/arena.h"
#include "common/base/byte_reader.h"
#include "common/base/byte_writer.h"
#include "common/base/limits.h"
#include "common/media/media_facts.h"
#include "common/media/render_program.h"
#include "proto/message_types.h"

enum { TASK_BODY_VERSION = 17, LEADER_POP_FRAMES_MAX = 65536, TASK_DOCUMENTS_MAX = 8, TASK_PUBLISH_FILES_MAX = 1024,
       TASK_PUBLISH_INPUTS_MAX = 4096 };

typedef struct task_path {
    char root[NAME_MAX_BYTES];
    char path[PATH_MAX_BYTES];
} task_path;

/* PROBE -> payload: media_facts. A file that cannot be used is a result with STATUS_OK whose facts say why. */
typedef struct task_probe {
    task_path file;
} task_probe;

/** One input file as probed; opened only if its identity is still the same, else STATUS_INPUT_CHANGED. */
typedef struct task_input {
    task_path file;
    media_identity identity;
    media_container container;
    sample_encoding encoding;
    uint32_t sample_rate;
    uint32_t channel_count;
    uint64_t frame_count;
    uint64_t data_offset;
    bool direct;
} task_input;

/** Objects of one ADM file in one piece of the programme; their metadata are taken from that file, cut and moved. */
typedef struct output_object_source {
    task_input input;
    int64_t file_frame;        /**< of the file at the piece's first frame */
    uint64_t programme_frame, frame_count; /**< the piece */
    uint16_t first_object;     /**< number of the file's first object in the output */
    uint16_t object_count;     /**< all that the file has, in the order of its tracks */
} output_object_source;

/** What stands before and after the programme, in the file's frames: silence with a pop, or the stems' own (pop_frames 0, SEAL
 * renders it); all 0: the file is programme alone. */
typedef struct output_leader {
    uint32_t head_frames, tail_frames;
    uint32_t head_pop;         /**< first frame of the 2-pop, from the file's first */
    uint32_t tail_pop;         /**< first frame of the tail pop, from the programme's end */
    uint32_t pop_frames;
    uint32_t silent_channel;   /**< of the file: has no pop (LFE); channel_count: all have one */
} output_leader;

/** Everything that the first bytes of an output say. The writer (worker/media) makes the header from this alone. */
typedef struct output_header {
    media_container container; /**< WAV, RF64 or BW64, decided by size and recipe at planning */
    sample_encoding encoding;
    uint32_t sample_rate;
    uint32_t channel_count;
    uint32_t channel_mask;     /**< 0: no WAVE_FORMAT_EXTENSIBLE mask fits; mono and stereo PCM use plain fmt */
    uint64_t frame_count;      /**< of the whole file, leader and tail too */
    output_leader leader;
    uint32_t data_offset;      /**< multiple of PAGE_BYTES; the gap is a JUNK chunk */
    media_bext bext;
    char coding_history[512];
    bool plain_format;         /**< fmt without WAVE_FORMAT_EXTENSIBLE whatever the channels: ADM files say it in chna */
    uint32_t chunks_size;
    const uint8_t *chunks;     /**< complete chunks that stand behind fmt (chna, axml, dbmd), taken over as they are */
    uint32_t object_count;     /**< tracks behind the bed's; chunks describe the bed alone, and the writer adds the objects */
    uint32_t object_source_count;
    output_object_source *object_sources; /**< by piece */
} output_header;

/* ALLOCATE: a new inode `part` (O_EXCL; other .part files of the same final name are removed first), header written,
 * full size reserved. Payload: empty. */
typedef struct task_allocate {
    task_path part;
    task_path final;  /**< only to find stale .part files, and to refuse early when it exists and `replace` is false and
                           nothing can make it equal: existence alone is no refusal, publish compares bytes */
    output_header header;
} task_allocate;

enum { TASK_FILE_NONE = 0xFFFF };

/** Where one input lane comes from in one piece. */
typedef struct task_binding {
    uint16_t file;       /**< index of the input, TASK_FILE_NONE = silence (an optional stem that this reel lacks) */
    uint16_t channel;    /**< channel of the file */
    int64_t file_frame;  /**< frame of the file at the piece's first frame; outside 0..frame_count is silence */
} task_binding;

typedef struct task_piece {
    uint16_t reel;
    uint64_t programme_frame;  /**< of the piece's first frame in its programme's timeline */
    uint64_t frame_count;
    uint32_t join_before;      /**< where it is faded into: frames before its first one that its own files hold, */
    uint32_t join_after;       /**< and frames from it on that the files of the piece before hold */
    task_binding *bindings;    /**< [program.input_count] */
    task_binding *objects;     /**< [object_count] */
} task_piece;

typedef struct task_output_file {
    task_path part;
    uint16_t output;           /**< index in program.outputs */
    uint32_t data_offset;
    uint64_t file_frame;       /**< of the file at the piece's first frame: leader_frames, and programme_frame if joined */
    uint64_t file_frame_count; /**< frames of the file up to the programme's end */
    uint32_t leader_frames;    /**< of the file before the programme, silent for a page and more at their end */
    bool exact;                /**< writing begins at the first frame; else at its page, whose frames are rendered too */
    uint8_t channel_count;
    uint8_t object_count;      /**< so many channels are the task's objects: the last ones */
    uint8_t channels[LAYOUT_CHANNELS_MAX]; /**< file channel i is canonical channel channels[i] of the output */
} task_output_file;

/** What is taken from the input lanes of a RENDER or INSPECT task (common/measure/stem_features.h). */
typedef enum task_stems { STEMS_NONE, STEMS_ENERGY, STEMS_CROSSED } task_stems;

/* RENDER, INSPECT: cells first_cell .. first_cell + cell_count of pieces[0]. pieces[1..] are the pieces before it on the
 * timeline, nearest first, as far as METER_PREROLL_FRAMES and the program's nodes reach back; the last following_count of
 * them are those behind it, nearest first, as far as nodes look ahead. Cells travel in
 * CELL messages. Payload: of digests_file that; of RENDER one byte 1 if all that was written was read back from the medium
 * and compared, else nothing. */
typedef struct task_render {
    render_program program;
    uint32_t input_count;
    task_input *inputs;
    uint32_t object_count;     /**< channels of inputs whose 24-bit samples pass to a file as they are; at most one file has them */
    uint32_t piece_count;
    task_piece *pieces;
    uint32_t following_count;
    uint32_t file_count;
    task_output_file *files;
    uint32_t first_cell;
    uint32_t cell_count;
    bool programme_end;        /**< the piece is the last of its timeline: true-peak filters are flushed after it */
    uint64_t programme_frame_count;
    uint8_t stems;             /**< task_stems: features of the input lanes that follow each cell's measures */
    bool digests_file;         /**< INSPECT of the whole of its one file, which is read as it lies on the disk: the payload is a
                                    task_verify_result of it, and nobody reads it again for that */
    uint8_t signal_groups;     /**< features that the measures hold (common/measure/cell_signal.h); 0: none */
} task_render;

/* SEAL: header rewritten with the measured loudness, a leader and tail that are kept rendered, fdatasync. Payload:
 * content_hash of everything before the programme (header and leader) and of everything after it (tail, pad byte), 16 bytes
 * each. */
typedef struct task_seal {
    task_path part;
    output_header header;
    uint32_t side_count;       /**< 0..2, head before tail: all cells of one piece into one file, which is part */
    task_render *sides;
} task_seal;

/* VERIFY: every byte read back from the medium; but where the tasks that wrote the audio have read it back so, it is read
 * again as the system holds it, and only the pages that SEAL wrote from the medium. Ranges cover the audio in order. Payload:
 * task_verify_result. With range_count 0 nothing is compared: the digests of an input are taken. */
typedef struct task_verify_range {
    uint64_t frame_count;
    content_hash digest;
} task_verify_range;
typedef struct task_verify {
    task_path file;
    uint64_t file_size;        /**< expected; 0 = whatever it is */
    uint32_t data_offset;
    uint64_t data_size;
    uint32_t bytes_per_frame;
    content_hash header_digest;
    content_hash trailer_digest;
    bool read_back;            /**< the audio was, by who wrote it, and nobody has written to it since */
    uint32_t range_count;
    task_verify_range *ranges;
} task_verify;
typedef struct task_verify_result {
    content_hash file_digest;  /**< XXH3-128 of the whole file */
    content_hash audio_digest; /**< XXH3-128 of the audio bytes */
    media_identity identity;   /**< of the file before it was read */
} task_verify_result;

/* PUBLISH: looks at every input that the deliverable was made and judged from: where one is not the file that was probed it is
 * STATUS_INPUT_CHANGED, and nothing gets a name. Of a received programme that is all. Then every part is renamed to its final
 * name and the folders are fsynced. Where the parts lie in a folder of their own and the final one is not there, the files get
 * their names and documents in that folder, which is then renamed as a whole. An existing final file with the same bytes counts
 * as published (the part is removed, or an earlier attempt renamed it: then the digest is compared); with different bytes
 * it is STATUS_INPUT_CONFLICT unless replace. All files are checked before the first is renamed: a part that is not the file that
 * was verified, or was written to since, is read from the medium once more. With control, the receiver's
 * control data of files[0] is written beside it. Payload: empty. */
typedef struct task_publish_file {
    task_path part;
    task_path final;
    content_hash digest;       /**< of every byte, as verified: what a final file must hold whose part is gone */
    media_identity identity;   /**< of the part, as verified */
} task_publish_file;
typedef struct task_probed {
    task_path file;
    media_identity identity;
} task_probed;
typedef struct task_control {
    duck_shape shape;          /**< the threshold is that of the samples in the file */
    sample_encoding encoding;
    uint32_t sample_rate, data_offset;
    uint64_t frame_count;
} task_control;
typedef enum task_checksums { CHECKSUMS_MD5 = 1, CHECKSUMS_XXH128 = 2 } task_checksums;
typedef struct task_publish {
    bool replace;
    uint8_t checksums;         /**< task_checksums: lists that are written beside the files */
    bool has_control;
    task_control control;      /**< files[0] is a narration in mono */
    uint32_t file_count;       /**< 0: a received programme */
    task_publish_file *files;
    uint32_t input_count;
    task_probed *inputs;
} task_publish;

/* DISCARD: removes files that exist; missing ones are fine. Empty folders left behind go too. */
typedef struct task_discard {
    uint32_t file_count;
    task_path *files;
} task_discard;

/*
 * DEPOSIT: documents fetched from the coordinator (FETCH/CHUNK), written as .part, fsynced, renamed (replacing). A file of
 * `standing` that is there is a deliverable of an earlier run, which this one has not made again: where documents[0] is there
 * too it is the proof of that deliverable and stays, and the documents go to the folder TASK_DEPOSIT_ASIDE beside them.
 * Payload: one byte, 1 when they went there.
 */
#define TASK_DEPOSIT_ASIDE "unpublished"
typedef struct task_document {
    task_path final;
    uint32_t document;
    uint64_t size;
    content_hash digest;
} task_document;
typedef struct task_deposit {
    uint32_t document_count;
    task_document documents[TASK_DOCUMENTS_MAX];
    uint32_t standing_count;
    task_path *standing; /**< SHOW_DELIVERABLES_MAX at most */
} task_deposit;

/* METER: libebur128 over a whole programme; its figures stand beside ours in the report and in no media file. Each part is
 * the INSPECT of one piece in the order of the timeline: its pieces[0] from the first to the last frame, whatever its cells
 * say. An input with inode 0 was published by this job and never probed: only its size is compared. Payload:
 * task_meter_result. */
typedef struct task_meter {
    uint32_t part_count;       /**< 1..SHOW_REELS_MAX, all of one layout and rate */
    task_render *parts;
} task_meter;
/** What does not exist (silence, or too short) is -infinity; LRA is then 0. */
typedef struct task_meter_result {
    double integrated_lufs, range_lu, max_momentary_lufs, max_short_term_lufs;
    double true_peak, sample_peak; /**< linear */
} task_meter_result;

/* LISTEN: targeted reads of one track, the files that together are one stem of a reel or one received programme; its
 * channels are those of the files, file after file. Payload: sync_measure. */
enum { TASK_LISTEN_RANGES_MAX = 2 * SHOW_REELS_MAX };
typedef struct task_listen_range {
    uint64_t first_frame, frame_count; /**< of the files */
} task_listen_range;
typedef struct task_listen {
    uint32_t input_count;      /**< at least 1, all of one rate */
    task_input *inputs;
    uint32_t range_count;      /**< where 2-pops are searched */
    task_listen_range *ranges;
    uint32_t reference_count;  /**< files that the track is aligned with, as one track; 0 = none */
    task_input *references;    /**< of the same rate as the inputs */
    uint64_t frame, reference_frame; /**< of the files where the stretch that both share begins */
    uint64_t frame_count;      /**< of the stretch */
    bool join;                 /**< the reference is the reel before, which ends at reference_frame: does it come again at frame? */
} task_listen;

/* EXCERPT: reads a few seconds around findings of one programme. Parts are as those of METER, but only such as a place lies in.
 * Payload: task_excerpt_result. What cannot be read or written is told in it and is no failure. */
enum { TASK_PLACES_MAX = 12, TASK_PLACE_FRAMES_MAX = 1 << 21, TASK_PLACE_NAME = 24, TASK_EXCERPT_TEXT = 400 };
typedef struct task_place {
    char name[TASK_PLACE_NAME]; /**< of the finding: digits, a to f and '-'; its file is "<name>.wav" */
    uint64_t first_frame;      /**< of the programme */
    uint32_t frame_count;
    uint32_t channels;         /**< bit i: channel i of the layout; never 0 */
} task_place;
typedef struct task_excerpt {
    uint32_t part_count;       /**< 0..2 * TASK_PLACES_MAX */
    task_render *parts;
    uint32_t place_count;
    task_place *places;
    bool audition;             /**< write a WAV for each place, named by it, into the folder */
    task_path folder;
} task_excerpt;
/* Rows of a spectrogram go up from EXCERPT_LOW_HZ, EXCERPT_ROWS_PER_OCTAVE for each octave. A level is the largest bin of its
 * row and channels, a sine at full scale being 0 dB: level L stands for EXCERPT_LOW_DB + 7 L, 0 for all below. */
enum {
    EXCERPT_COLUMNS = 112,
    EXCERPT_ROWS_MAX = 44,
    EXCERPT_LEVELS = 16,
    EXCERPT_LOW_HZ = 40,
    EXCERPT_ROWS_PER_OCTAVE = 4,
    EXCERPT_LOW_DB = -113,
    EXCERPT_STEP_DB = 7
};
typedef struct task_excerpt_item {
    task_place place;
    uint32_t row_count;
    uint8_t *levels;           /**< [row_count][EXCERPT_COLUMNS] below EXCERPT_LEVELS, lowest row first */
    uint64_t audition_size;    /**< of its file; 0: none was written */
    content_hash audition_digest;
    double audition_gain;      /**< linear, that the fold was written with: it cannot clip */
} task_excerpt_item;
typedef struct task_excerpt_result {
    uint32_t count;
    task_excerpt_item items[TASK_PLACES_MAX];
    char failure[TASK_EXCERPT_TEXT]; /**< why there are not all, or "" */
} task_excerpt_result;

typedef struct task_body {
    task_kind kind;
    union {
        task_probe probe;
        task_allocate allocate;
        task_render render; /* RENDER and INSPECT */
        task_seal seal;
        task_verify verify;
        task_publish publish;
        task_discard discard;
        task_deposit deposit;
        task_meter meter;
        task_listen listen;
        task_excerpt excerpt;
    };
} task_body;

/** Appends the body; the writer fails if it grows over its bound. */
void task_body_encode(const task_body *self, byte_writer *writer);
/** Reads and checks one body of the given kind; everything in it lives in arena. STATUS_PEER_MALFORMED otherwise. */
MUST_USE status task_body_decode(task_body *out_body, task_kind kind, const void *bytes, size_t byte_size,
                                 arena *arena);

/** True for a path that may go over the wire: relative, no empty, "." or ".." component, no control characters. */
bool task_path_valid(const char *path);

void task_verify_result_encode(const task_verify_result *self, byte_writer *writer);
MUST_USE status task_verify_result_decode(task_verify_result *out_result, const void *bytes, size_t byte_size);
void task_meter_result_encode(const task_meter_result *self, byte_writer *writer);
MUST_USE status task_meter_result_decode(task_meter_result *out_result, const void *bytes, size_t byte_size);

void task_excerpt_result_encode(const task_excerpt_result *self, byte_writer *writer);
MUST_USE status task_excerpt_result_decode(task_excerpt_result *out_result, const void *bytes, size_t byte_size, arena *memory);
/** A place as it stands in bodies and payloads; the reader is marked failed for one that cannot be. */
void task_place_encode(const task_place *self, byte_writer *writer);
void task_place_decode(task_place *out_place, byte_reader *reader);

#endif
