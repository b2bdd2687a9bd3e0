/**
 * What the files of this folder share: the steps of plan_create, each a pure function of show, inputs and facts.
 * Nothing outside coordinator/plan includes this.
 */
#ifndef COORDINATOR_PLAN_PLAN_PARTS_H
#define COORDINATOR_PLAN_PLAN_PARTS_H

#include "common/media/adm_bed.h"
#include "coordinator/plan/plan.h"

enum {
    PLAN_STEM_RECEIVED = RENDER_STEM_RECEIVED,
    PLAN_TIMELINE_NONE = 0xFFFF,  /**< plan_deliverable.timeline of what is not wanted */
    PLAN_AFFINITY_NONE = 0xFFFF,
    PLAN_PIECES_BEFORE = 5,       /**< pieces before its own that a task may name; the rest is for those behind */
    PLAN_DATA_OFFSET = PAGE_BYTES /**< bext, fmt and ds64 of an output take less than half of it */
};

/** The show with what is known of its files. */
typedef struct plan_source {
    const show *show;
    const input_list *inputs;
    const media_facts *facts;
} plan_source;

/** Where problems go. */
typedef struct plan_notes {
    problem_list *list;
    arena *arena;
} plan_notes;

/* ---- plan_rate.c ---- */
/** True for a stem's file at another rate than the show's from which it can be converted. */
bool plan_converts(const show *show, const plan_input *input, const media_facts *facts);
/**
 * The facts as the timeline sees them: rate, length and time reference of files that are converted stand at the show's rate,
 * all else as probed. Returns facts itself when nothing is converted.
 */
const media_facts *plan_facts_at_rate(const show *show, const input_list *inputs, const media_facts *facts, arena *arena);
/** The same for a programme that runs speed_num / speed_den times faster than its files. */
const media_facts *plan_facts_at_speed(const show *show, const input_list *inputs, const media_facts *facts,
                                       uint32_t speed_num, uint32_t speed_den, arena *arena);
/** True if the file's time reference (as probed) falls on a sample of the show's rate. */
bool plan_reference_converts(const show *show, const media_facts *facts);

/* ---- plan_clock.c ---- */
/** Index of the timeline that a rendered deliverable is made on, added when it is the first; PLAN_TIMELINE_NONE: problems. */
uint16_t plan_timeline_rendered(plan *self, uint32_t deliverable, plan_notes *notes);

/* ---- plan_timeline.c ---- */
/** True when a file without {reel} (reel -1) is the only reel's own. */
bool plan_input_of_reel(const show *show, const plan_input *input);
/** True when the reels' timecode runs on from each LFOA to the next FFOA. */
bool plan_reels_continuous(const show *show);
/**
 * Frame of a stem's file at the first programme frame of a reel, which lies at programme_frame. False when it cannot be known
 * (an aligned file without bext, a reel without the timecode it takes).
 */
bool plan_stem_position(const show *show, const plan_input *input, const media_facts *facts, uint32_t reel,
                        uint64_t programme_frame, int64_t *out_file_frame);
/** The timeline of all reels. Problems of single files are plan_check's; a reel without length has frame_count 0. */
void plan_timeline_joined(plan_timeline *out_timeline, const plan_source *source, arena *arena);
/** The timeline of one received deliverable, whose files are inputs first .. first + count. */
void plan_timeline_received(plan_timeline *out_timeline, const plan_source *source, uint32_t first, uint32_t count,
                            arena *arena);
/** Fills the timecode of a received programme's first frame, which lies in its file where pieces[0] says. */
void plan_received_start(plan_timeline *timeline, const show *show, bool per_reel, const media_bext *bext);
/** Frames that a timeline's fades lie at most to either side of a join; 0: it has none. */
uint64_t plan_join_reach(const plan_timeline *timeline);
/** How it is joined: JOIN_BUTT where no reel supplies overlap. */
join_law plan_timeline_join(const plan *self, const plan_timeline *timeline);

/* ---- plan_gain.c ---- */
/** True if the recipe sums stems of this role. */
bool plan_recipe_has_role(const recipe *rule, const char *role);
/** Layout of what is rendered; that of a stem where the recipe leaves it to the stem. */
channel_layout_id plan_deliverable_layout(const show *show, uint32_t deliverable);
/** Fills gain_db, gain_scanned and gain_source. */
void plan_gain_find(const show *show, uint32_t deliverable, plan_deliverable *planned);
/** Marks every deliverable that must be measured before what is wanted can be rendered. */
void plan_mark_scanned(const show *show, const bool *wanted, bool *out_scanned);

/* ---- plan_program.c ---- */
/** The language in force: the deliverable's own, or the first dialogue stem's. */
const char *plan_language(const show *show, uint32_t deliverable);
/** True if the stem has a usable file in any reel. The stem's files stand side by side in the list. */
bool plan_stem_present(const plan_source *source, uint32_t stem);
/** Layout and order of a received deliverable's file; LAYOUT_NONE when neither the show nor the file says. */
channel_layout_id plan_received_layout(const plan_source *source, uint32_t deliverable, uint32_t first_input,
                                       channel_order *out_order);
/** Adds the program that measures a received deliverable. */
void plan_received_program(plan *self, uint32_t deliverable);
/** Whether its spec asks for dialogue and no stem says where that is: the speech detector is to listen to it. */
bool plan_received_listens(const plan *self, uint32_t deliverable);
/** Fills gain, layout, order, encoding and program of the wanted deliverables and makes the programs. */
void plan_make_programs(plan *self, const bool *wanted, const bool *scanned, plan_notes *notes);

/* ---- plan_compare.c ---- */
/** Whether a stem is of the language of a received programme, or of none. */
bool plan_speaks(const show *show, uint32_t deliverable, uint32_t stem);
/**
 * Appends the lanes of the stems that a received programme is compared with to its program; or says in the deliverable why
 * there are none.
 */
void plan_compare_stems(plan *target, uint32_t deliverable, render_program *program);

/* ---- plan_check.c ---- */
/** plan_check over the inputs that are needed and the deliverables that are wanted (NULL = all). */
void plan_check_needed(const plan_source *source, const bool *needed, const bool *wanted, plan_notes *notes);

/* ---- plan_objects.c ---- */
/** The object stems that a deliverable takes: their tracks, or why it cannot have them. */
void plan_find_objects(plan *target, uint32_t deliverable, plan_notes *notes);
/** Where object number `object` of a deliverable lies in a reel: index in inputs, -1 where the reel has none of that stem. */
int64_t plan_object_input(const plan *self, uint32_t deliverable, uint32_t object, uint32_t reel, uint16_t *out_channel);
/** Fills the header's object tracks, and moves its data offset back for their metadata. */
void plan_object_sources(plan *target, uint32_t deliverable, output_header *header);

/* ---- plan_adm.c ---- */
/** A bed to be described; everything in it comes from recipe, show and timeline. */
typedef struct plan_adm {
    adm_flavour flavour;
    channel_layout_id layout;
    const char *title;
    uint64_t frame_count;
    uint32_t sample_rate;
    uint32_t bit_depth;
    uint8_t dolby_frame_rate;  /**< as dbmd counts them; 0 where it has no number */
} plan_adm;
/** Appends the chunks chna, axml and (Dolby) dbmd, each with its header and pad byte. */
void plan_adm_chunks(const plan_adm *self, byte_writer *writer);

/* ---- plan_ixml.c ---- */
/** Appends the iXML chunk of a file whose header is filled but for its chunks. */
void plan_ixml_chunk(const plan *self, const plan_file *file, byte_writer *writer);

/* ---- plan_files.c ---- */
/** Names and headers of every output of the wanted deliverables. */
void plan_make_files(plan *self, const plan_options *options, const bool *wanted, plan_notes *notes);
/** True if the deliverable is delivered joined (reels). */
bool plan_is_joined(const show *show, uint32_t deliverable);
bool plan_is_by_reel(const show *show, uint32_t deliverable);
/** True if control data is written beside the deliverable: a recipe with a duck that takes nothing that would be ducked. */
bool plan_has_control(const show *show, uint32_t deliverable);

/* ---- plan_tasks.c ---- */
void plan_make_tasks(plan *self, const plan_options *options);

/* ---- plan_body.c ---- */
/** The one place where a gain in dB becomes a factor. */
double plan_gain_factor(double gain_db);
/** True if the pieces that a RENDER or INSPECT task may name cover what its pre-roll and nodes see. */
bool plan_task_reaches(const plan *self, const plan_task *task);
/** Index in inputs and channel in that file of one lane in one reel; -1 for an optional stem that the reel lacks. */
int64_t plan_lane_input(const plan *self, const render_program *program, const render_lane *lane, uint32_t reel,
                        uint16_t *out_channel);
/** An input as probed. */
task_input plan_task_input(const plan *self, uint32_t input);

/* ---- plan_meter.c ---- */
status plan_meter_body(const plan *self, const plan_task *task, task_meter *out_meter, arena *memory);
/** The context's places and what of the programme's files they lie in. */
void plan_excerpt_body(const plan *self, const plan_task *task, const plan_context *context, task_excerpt *out_excerpt,
                       arena *memory);

/* ---- plan_listen.c ---- */
/** What is listened to, for the wanted deliverables: wants their timelines. */
void plan_make_listens(plan *self, const plan_options *options, const bool *wanted);
/** The places of a received whole's listens once more, after its pieces have moved in their file. */
void plan_listens_move(plan *self, uint32_t deliverable);
/** Frames of leader and tail together in which the programme's beginning is sought. */
uint64_t plan_seek_frames(uint32_t sample_rate);
status plan_listen_body(const plan *self, const plan_task *task, task_listen *out_listen, arena *memory);

/* ---- plan_publish.c ---- */
/** Every file that a deliverable was made and judged from, as probed. STATUS_LIMIT when they are more than a message holds. */
status plan_publish_inputs(const plan *self, uint32_t deliverable, task_publish *out_publish, arena *memory);

/* ---- plan_digest.c ---- */
content_hash plan_digest(const plan *self);

#endif
