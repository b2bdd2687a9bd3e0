/**
 * A recipe: how a deliverable is made from stems. Read from YAML (deploy/recipes), errors with line and column.
 *
 * Fold-downs are stated as matrices with gains as exact as they are meant: a gain is written in dB or as a product of
 * roots ("sqrt1_2"); sqrt(1/2) is exactly the double nearest to it.
 */
#ifndef COORDINATOR_SHOW_RECIPE_H
#define COORDINATOR_SHOW_RECIPE_H

#include "common/base/arena.h"
#include "common/media/adm_bed.h"
#include "common/media/channel_layout.h"
#include "common/media/duck_curve.h"
#include "common/media/media_facts.h"
#include "common/media/render_program.h"
#include "common/media/timecode.h"

struct library;
struct problem_list;

/** One addend of a fold-down: from a channel to a channel. */
typedef struct fold_term {
    channel_label from;
    channel_label to;
    double gain; /**< linear */
    bool phase_90; /**< shifted by 90 degrees on its way: it leads from `via` to the layout */
} fold_term;

typedef enum gain_mode { GAIN_NONE, GAIN_DB, GAIN_MATCH, GAIN_TO_SPEC } gain_mode;

/** One gain for the whole programme. */
typedef struct gain_wish {
    gain_mode mode;
    double db;
    const char *match; /**< name of another deliverable */
} gain_wish;

enum { RECIPE_ROLES_MAX = 16, FOLD_TERMS_MAX = 128, RECIPE_EXTENDS_MAX = 8 };

typedef struct recipe {
    const char *name;
    const char *description;
    const char *source;              /**< where the rule comes from, for people */
    channel_layout_id layout;        /**< of the deliverable; LAYOUT_NONE for `stem`: the stem's own */
    uint32_t role_count;
    const char *roles[RECIPE_ROLES_MAX]; /**< stems of these roles are summed at unity; empty for `stem` */
    bool takes_stem;                 /**< the deliverable names its stem */
    channel_layout_id via;           /**< stems are first brought to this layout (stereo by way of 5.1); LAYOUT_NONE = direct */
    channel_label places[RECIPE_ROLES_MAX]; /**< by role: the one channel that takes it; CHANNEL_NONE = the bed */
    uint32_t fold_count;
    fold_term folds[FOLD_TERMS_MAX]; /**< from `via` (or the stem's layout) to `layout`, and from any higher layout to `via` */
    sample_encoding encoding;
    bool dither;                     /**< TPDF before rounding; PCM only */
    uint32_t sample_rate;            /**< of the file; 0: the show's */
    frame_rate picture_rate;         /**< the programme is brought to it by its speed, pitch and all; num 0: the show's */
    const char *file_name;           /**< template (output_name.h) */
    const char *ffoa;                /**< timecode of a joined file's first frame of action; NULL: 01:00:00:00 */
    channel_order_id order;          /**< of the file */
    bool multi_mono;
    bool leader;                     /**< every file gets silence and pops around the programme; else it is programme alone, */
    bool keeps_leader;               /**< or has what the stems have before FFOA and after LFOA */
    uint32_t slate_seconds;          /**< silence before a leader that is made */
    bool has_join;                   /**< join is stated; else the show's counts */
    join_law join;                   /**< of reels that supply overlap */
    bool joined;                     /**< default assembly */
    bool reels;
    gain_wish gain;                  /**< where the deliverable states none */
    render_overload overload;
    bool limits;                     /**< overload: limit; what is still over full scale then fails */
    limit_shape limiter;
    adm_flavour adm;                 /**< the file describes its bed by ADM */
    bool keeps_objects;              /**< object stems of its roles stand behind the bed, untouched; else they are refused */
    const char *duck_role;           /**< narration under which all other roles are ducked; NULL = none */
    duck_shape duck;
    const char *text;                /**< as read, for `reelmill recipes NAME` */
} recipe;

/**
 * Reads one recipe. Problems go to the list; STATUS_OK when none is an error. Everything lives in arena.
 *
 * `extends: NAME` takes every key that the text does not have from the last other recipe of that name in library (a
 * recipe beside the show file stands before the shipped one, and may extend it under the same name). What is wrong with
 * an inherited value in its new surroundings is reported at `extends`. library may be NULL: nothing to extend.
 */
MUST_USE status recipe_parse(recipe *out_recipe, const char *name, const char *text, size_t text_size,
                             const char *source_name, const struct library *library, arena *arena,
                             struct problem_list *problems);

/**
 * The complete matrix from one stem layout to the recipe's layout, as the product of the folds (a stem of a lower layout
 * sits in the bed where it belongs, mono in C). Terms sorted by (phase_90, to, from); at most FOLD_TERMS_MAX. LFE is dropped below
 * 5.1. STATUS_INPUT_UNSUPPORTED with a sentence if the recipe has no rule for that layout.
 *
 * role is the stem's (NULL for `stem`): a role with a place of its own goes there alone, in mono: a mono stem or the C of a
 * larger one at unity, L and R at one half each.
 */
MUST_USE status recipe_matrix(const recipe *self, const char *role, channel_layout_id from,
                              fold_term out_terms[FOLD_TERMS_MAX], uint32_t *out_count, error_detail *detail);

#endif
