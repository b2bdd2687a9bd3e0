/**
 * The show file: one title, its stems, reels and deliverables (design.md, section 9; docs/show-file.md).
 *
 * Parsing is exact: an unknown key, a wrong type, a value out of range, a duplicate name is an error with file, line,
 * column, what was found, what is allowed, and a suggestion for a misspelt word. All problems of a file are listed in
 * one go, not the first only. Anchors and aliases are bounded (no cycle, no billion laughs). No file but the given text
 * is read. Everything lives in the arena given to show_file_parse.
 */
#ifndef COORDINATOR_SHOW_SHOW_FILE_H
#define COORDINATOR_SHOW_SHOW_FILE_H

#include "common/base/arena.h"
#include "common/media/channel_layout.h"
#include "common/media/join_fade.h"
#include "common/media/media_facts.h"
#include "common/media/timecode.h"
#include "coordinator/show/recipe.h"

/** One thing wrong (or worth saying) with a text that a person wrote or a folder that was handed over. */
typedef enum problem_severity { PROBLEM_INFO, PROBLEM_WARNING, PROBLEM_ERROR } problem_severity;
typedef struct problem {
    problem_severity severity;
    const char *file;      /**< as named by the person; "" if none */
    uint32_t line, column; /**< 1-based; 0 where it does not apply */
    const char *message;   /**< one sentence: found, expected, what to do */
} problem;
typedef struct problem_list {
    problem *items;
    size_t count, capacity;
    size_t error_count;
    size_t dropped;        /**< beyond PROBLEMS_MAX */
} problem_list;
enum { PROBLEMS_MAX = 1000 };
/** Adds one; text is formatted into arena, what a terminal may obey becomes '?'. */
void problem_list_add(problem_list *self, arena *arena, problem_severity severity, const char *file, uint32_t line,
                      uint32_t column, const char *format, ...) PRINTF_LIKE(7, 8);
/** "file:line:column: error: message" lines in the usual form into one arena text. */
const char *problem_list_text(const problem_list *self, arena *arena);
/** The allowed word nearest to found (edit distance at most 2, or a prefix), or NULL. */
const char *word_suggest(const char *found, const char *const *allowed, size_t allowed_count);

typedef enum stem_role { ROLE_DIALOGUE, ROLE_MUSIC, ROLE_EFFECTS, ROLE_NARRATION, ROLE_OTHER, ROLE_COUNT } stem_role;
const char *stem_role_name(stem_role role);

typedef struct show_stem {
    const char *name;
    stem_role role;
    const char *role_name;        /**< as written; roles beyond the four known are allowed and compared by name */
    channel_layout_id layout;
    channel_order order;          /**< of interleaved files; for {ch} patterns one mono file per channel */
    bool order_given;
    const char *file;             /**< pattern with {reel} and {ch}, relative to media */
    bool per_reel;                /**< pattern has {reel} */
    bool multi_mono;              /**< pattern has {ch} */
    bool objects;                 /**< the object tracks of ADM files, and nothing else of them; layout is LAYOUT_NONE */
    const char *language;         /**< "" if none */
    bool optional;
    bool align_bext;              /**< placed by its own time reference */
    uint32_t line, column;        /**< where it stands in the show file */
} show_stem;

typedef struct show_reel {
    const char *name;
    uint64_t start_frame;         /**< picture frame of the files' first sample, since 00:00:00:00 */
    bool has_start;
    uint64_t ffoa_frame;          /**< first frame of action */
    bool has_ffoa;
    uint64_t lfoa_frame;          /**< last frame of action, inclusive */
    bool has_lfoa;
    uint32_t head_overlap;        /**< picture frames of sound for joins that its files hold before FFOA */
    uint32_t tail_overlap;        /**< and after LFOA */
    uint32_t line, column;
} show_reel;

typedef enum assembly_mode { ASSEMBLY_RECIPE, ASSEMBLY_JOINED, ASSEMBLY_REELS, ASSEMBLY_BOTH } assembly_mode;

typedef struct show_deliverable {
    const char *name;
    const char *recipe_name;      /**< NULL for a received programme */
    const recipe *recipe;         /**< resolved by show_resolve, with the deliverable's own settings (stem:) applied */
    const char *file;             /**< received: pattern, relative to media, may hold {reel} and {ch}; else NULL */
    channel_layout_id layout;     /**< received: as written, LAYOUT_NONE = from the file */
    channel_order order;
    bool order_given;
    const char *spec_name;        /**< "none" if not given */
    const struct spec *spec;      /**< resolved */
    const char *stem;             /**< for recipe `stem`: which */
    const char **stem_names;      /**< received: the stems that it is the sum of, and no others */
    uint32_t stem_name_count;     /**< 0: what it should hold is not said */
    const char *language;         /**< "" = stems of any language-less kind and the show's first dialogue language */
    gain_wish gain;               /**< show_resolve takes the recipe's where the show states none */
    assembly_mode assembly;       /**< joined, reels, both; ASSEMBLY_RECIPE = as the recipe says */
    uint32_t line, column;
} show_deliverable;

/** A person's word that a finding is accepted as it is: it changes the verdict and hides nothing. */
typedef struct show_waiver {
    const char *finding;          /**< the finding's id */
    const char *measured;         /**< its figure as displayed; of another figure the waiver does not hold. "-" = it has none */
    const char *who, *when, *why;
} show_waiver;
enum { SHOW_WAIVERS_MAX = 4096 };

typedef struct show {
    const char *file_name;        /**< for messages */
    const char *title;
    const char *slug;
    const char *version;          /**< "v01" by default */
    const char *date;             /**< "" if not given */
    const char *time;             /**< of the day, "hh:mm:ss"; "" if not given */
    uint32_t deadline;            /**< seconds of UTC; 0 = none */
    frame_rate rate;
    const char *joined_start;     /**< timecode of a joined programme's first frame of action; NULL: 01:00:00:00 */
    bool md5, xxh128;             /**< `checksums`: lists beside the files of every deliverable */
    join_law join;                /**< of joined programmes, where reels supply overlap */
    uint32_t sample_rate;         /**< 0 for a synthetic QC show: as the files say */
    const char *media;            /**< as written */
    uint32_t stem_count;
    show_stem *stems;
    uint32_t reel_count;
    show_reel *reels;             /**< a show without reels has one reel named "" that is whatever its files hold */
    bool has_pops;
    double head_pop_seconds;      /**< before FFOA */
    double tail_pop_seconds;      /**< after LFOA */
    const char *reference_file;   /**< NULL if none */
    channel_layout_id reference_layout;
    uint32_t deliverable_count;
    show_deliverable *deliverables;
    const char *output;           /**< as written, "out" by default */
    uint32_t waiver_count;
    show_waiver *waivers;
    size_t left_out_count;        /**< of a qc of files: programmes that could not be judged, a sentence each */
    const char *const *left_out;
    const recipe *print_masters[LAYOUT_COUNT]; /**< how a received full mix of a layout should have been made; NULL = no rule, or
                                                    nothing is received */
} show;

/** "2026-11-22T06:00+01:00" or "2026-11-22T05:00Z": seconds of UTC; 0 = not of this form, or no such time. */
uint32_t show_deadline_seconds(const char *text);

/**
 * Parses and validates one show file. Problems (also mere warnings) are added to problems; returns STATUS_OK when none
 * of them is an error, else STATUS_INPUT_SYNTAX or STATUS_INPUT_INVALID. file_name is used in messages only.
 */
MUST_USE status show_file_parse(show *out_show, const char *text, size_t text_size, const char *file_name, arena *arena,
                                problem_list *problems);

/** One recipe or spec text of the job document. name is the file's name without ".yaml". */
typedef struct named_text {
    const char *name;
    const char *text;
    size_t text_size;
    const char *source; /**< file name for messages, or "built in" */
} named_text;
typedef struct library {
    size_t recipe_count;
    const named_text *recipes;
    size_t spec_count;
    const named_text *specs;
} library;

/** The recipes and specs that ship with reelmill, built into the program from deploy/recipes and deploy/specs. */
const library *library_shipped(void);

/**
 * Resolves every deliverable's recipe and spec name against the library, checks what hangs together across the show
 * (stems a recipe needs, layouts, `stem:`, `gain: {match}` without a cycle, output names that would collide, languages).
 */
MUST_USE status show_resolve(show *self, const library *library, arena *arena, problem_list *problems);

/**
 * The file a pattern means: {reel} and {ch} replaced (channel names as channel_label_name gives them). Returns NULL if
 * the result is no valid relative path (proto's rule) or too long.
 */
const char *show_expand_pattern(const char *pattern, const char *reel, const char *channel, arena *arena);

/**
 * A show for QC without a show file: each group of files is one received deliverable. Files that differ only in a
 * channel suffix (.L .R .C .LFE .Ls .Rs, also _L, -L, and other usual spellings) and together make a layout are one
 * multi-mono programme. Deliverables are named after their files. Linear in the number of files.
 */
typedef struct qc_request {
    size_t file_count;
    const char *const *files;     /**< relative to the media root */
    const char *spec_name;
    channel_layout_id layout;     /**< LAYOUT_NONE = from the file */
    bool order_given;
    channel_order_id order;
    const char *frame_rate_text;  /**< NULL = not known */
    size_t left_out_count;
    const char *const *left_out;  /**< why programmes that were asked for are not among these */
} qc_request;
MUST_USE status show_for_qc(show *out_show, const qc_request *request, arena *arena, problem_list *problems);

#endif
