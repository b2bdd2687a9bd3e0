/**
 * A render program: how some deliverables of a show are made from its stems, frame by frame; canonical and versioned.
 *
 * Compiled once per job from recipe, layouts and probe facts; sent with every task; part of every cell key. It speaks of
 * input lanes (a channel of a stem) and output lanes (a channel of a deliverable), never of files: files are bound to
 * lanes per piece in the task (proto/task_body.h), so the same program serves every reel.
 *
 * output lane o at frame n = sum over the program's terms with output o, in the order they stand, of
 *     gain x input lane (n)           each step one fma in double, starting from +0.0
 * plus, in the order of the program's nodes, what each node with output o makes of its side lane. Side lanes are sums of
 * terms as output lanes are (term.output = output_lane_count + number of the side lane) and written nowhere.
 *     PHASE_90   + the side lane shifted by 90 degrees: dsp_table.fir_odd with the taps of fir_design_phase_90(phase_reach)
 * The output of a DUCK may also be the side lane of a PHASE_90: what is ducked is shifted after that.
 *     DUCK       one fma: gain of the duck's curve (n) x side lane (n)
 * A node reaches over the edges of cells, tasks and reels: it sees the joined programme, silence before and after it. All
 * lanes are aligned to 0 frames: a node looks ahead, it does not delay.
 * An output with a limiter is then multiplied by its gain (common/media/limit_curve.h), all its lanes alike.
 * Input lanes come at sample_rate; speed_num / speed_den is how much faster the programme runs than its files, pitch and all: a
 * file at rate r is taken as one at r x speed_num / speed_den.
 * Around the join of two pieces an input lane is a cross-fade of both where `join` says so (common/media/join_fade.h), over the
 * frames that the task's pieces state. Not faded: a received programme's own lanes, and a lane that comes from one file running on.
 * Then dithered where the output says so (worker/render/render_dither.h), and quantised once (encoding below). A
 * measure-only output (encoding ENCODING_NONE) is not written.
 *
 * RENDER_VERSION changes whenever the same program over the same input could give other bytes.
 */
#ifndef COMMON_MEDIA_RENDER_PROGRAM_H
#define COMMON_MEDIA_RENDER_PROGRAM_H

#include "common/base/byte_reader.h"
#include "common/base/byte_writer.h"
#include "common/base/content_hash.h"
#include "common/base/limits.h"
#include "common/base/status.h"
#include "common/media/channel_layout.h"
#include "common/media/duck_curve.h"
#include "common/media/join_fade.h"
#include "common/media/limit_curve.h"
#include "common/media/media_facts.h"

#include <stdint.h>

enum {
    RENDER_STEM_RECEIVED = 0xFFFF, /**< render_lane.stem of a received programme's own channels */
    RENDER_DELIVERABLE_NONE = 0xFFFF /**< render_output.deliverable of what is measured for verdicts and never written: where
                                          speech is. Its loudness is all that is asked for: no features of its signal are taken */
};
enum { RENDER_VERSION = 5 };

typedef struct render_lane {
    uint16_t stem;        /**< index of the stem in the job's show */
    uint8_t label;        /**< channel_label */
} render_lane;

/** One addend. Gains are linear, finite, exact: they travel as IEEE 754 bits and are never recomputed on a worker. */
typedef struct render_term {
    uint16_t input;  /**< input lane */
    uint16_t output; /**< output lane, or a side lane behind them */
    double gain;     /**< constant: a piecewise-linear list of one segment; more segments come with a later version */
} render_term;

typedef enum render_node_kind { NODE_PHASE_90, NODE_DUCK } render_node_kind;

typedef struct render_node {
    uint8_t kind;    /**< render_node_kind */
    uint8_t duck;    /**< DUCK: index in ducks; else 0 */
    uint16_t side;   /**< side lane */
    uint16_t output; /**< output lane; of a DUCK also output_lane_count + a side lane that no DUCK reads */
} render_node;

/** The narration that ducks, and how. */
typedef struct render_duck {
    duck_shape shape;
    uint16_t key_count;
    uint16_t keys[DUCK_KEYS_MAX]; /**< input lanes, rising */
} render_duck;

typedef enum render_overload { OVERLOAD_FAIL, OVERLOAD_CLIP } render_overload;

typedef struct render_limiter {
    uint8_t output; /**< index in outputs, one that is written */
    limit_shape shape;
} render_limiter;

typedef struct render_output {
    uint16_t deliverable;       /**< index of the deliverable in the job's show */
    uint8_t layout;             /**< channel_layout_id; lanes are in canonical order */
    uint8_t encoding;           /**< sample_encoding of what is written, ENCODING_NONE = measured only */
    uint8_t overload;           /**< render_overload; both clamp, they differ in what the verdict says */
    uint16_t first_lane;        /**< output lanes first_lane .. first_lane + channel_count */
    uint32_t dither_seed;       /**< of its TPDF dither; 0 = none; PCM only */
} render_output;

/** Which of the features that a task asks for an output's measure holds. */
static inline uint8_t render_output_signal_groups(const render_output *self, uint8_t asked)
{
    return self->deliverable == RENDER_DELIVERABLE_NONE ? 0 : asked;
}

typedef struct render_program {
    uint32_t sample_rate;
    uint16_t input_count;
    uint16_t output_count;
    uint16_t output_lane_count;
    uint32_t term_count;
    render_lane inputs[PROGRAM_INPUT_LANES_MAX];
    render_output outputs[PROGRAM_OUTPUTS_MAX];
    render_term *terms; /**< sorted by (output, input); owned by whoever made the program (arena or decode's caller) */
    uint16_t side_lane_count;
    uint16_t node_count;
    uint16_t duck_count;
    uint32_t phase_reach; /**< frames to either side that PHASE_90 sees: odd; 0 without such nodes */
    render_node nodes[PROGRAM_NODES_MAX];
    render_duck ducks[PROGRAM_DUCKS_MAX];
    uint32_t speed_num, speed_den; /**< both 0: the files' own speed */
    uint8_t join;                  /**< join_law */
    uint8_t limit_count;
    render_limiter limits[PROGRAM_OUTPUTS_MAX]; /**< by output, at most one each */
} render_program;

/** Appends the canonical form. The same program gives the same bytes on every machine. */
void render_program_encode(const render_program *self, byte_writer *writer);
/**
 * Reads and checks a canonical form. terms_capacity terms are written to terms_storage, which the program then borrows.
 * STATUS_PEER_MALFORMED for anything out of range (lane indexes, order of terms, non-finite gains, unknown version).
 */
MUST_USE status render_program_decode(render_program *out_program, render_term *terms_storage, uint32_t terms_capacity,
                                      byte_reader *reader);
/** Frames before and after a frame that its nodes see, those of a duck's narration included. */
uint64_t render_program_reach_before(const render_program *self);
uint64_t render_program_reach_after(const render_program *self);
/** The part of both that limiters have. */
uint64_t render_program_limit_before(const render_program *self);
uint64_t render_program_limit_after(const render_program *self);
/** Digest of the canonical form: the identity of the program in cell keys. */
content_hash render_program_digest(const render_program *self);

#endif
