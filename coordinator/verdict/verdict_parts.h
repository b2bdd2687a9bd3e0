/** What the files of this module share: one judgement in progress. Not for others. */
#ifndef COORDINATOR_VERDICT_VERDICT_PARTS_H
#define COORDINATOR_VERDICT_VERDICT_PARTS_H

#include "coordinator/verdict/verdict.h"

#include "common/measure/stem_truth.h"

enum { VERDICT_RUNS_MAX = 50, PLACE_TEXT_SIZE = 64, LIMIT_TEXT_SIZE = 96 };

typedef struct judgement {
    const programme_facts *facts;
    const show *show;
    const spec *rules;
    const plan_deliverable *deliverable;
    const plan_timeline *timeline;
    programme_verdict *verdict;
    arena *memory;
} judgement;

/** Whether a limit with a condition on the share of speech is in force. */
typedef enum limit_force { LIMIT_IN_FORCE, LIMIT_OUT_OF_FORCE, LIMIT_FORCE_UNKNOWN } limit_force;
limit_force judgement_force(const judgement *self, const spec_limit *limit);


/** A finding with nothing set but check, its codes, severity and message (all NAN, reel -1). */
finding *judgement_add(judgement *self, const char *check, finding_severity severity);
/** Severity of a breach of a limit: unverified evidence is never more than a warning. */
finding_severity judgement_breach(const spec_limit *limit);
/** The speech detector, once in a sentence; the report's method says more. */
const char *judgement_detector(const judgement *self);
/** "01:00:12:04" of a programme frame, or "12.345 s" and "1:42:31.875" where there is no timecode. */
void judgement_place(const judgement *self, uint64_t frame, char out[PLACE_TEXT_SIZE]);
/** "from 01:00:00:00 to 01:00:12:10", from the judgement's memory. */
const char *judgement_stretch(const judgement *self, uint64_t start, uint64_t end);
/** Reel that holds a programme frame, or -1. */
int32_t judgement_reel(const judgement *self, uint64_t frame);
/** Sets a finding's range (programme frames, half open) and reel. */
void judgement_locate(const judgement *self, finding *item, uint64_t start, uint64_t end);
/** Names one channel more, once however often it is told; false where it is named, or as many as a layout has are. */
bool judgement_channel(finding *item, const char *name);
/** "-29.0 to -25.0 LUFS", "at most -2.0 dBTP", "at least 48000 Hz". */
void judgement_allowed(const spec_limit *limit, int decimals, char out[LIMIT_TEXT_SIZE]);
/** Ties a finding to the limit it breaks or cannot be judged by, and fills its bounds, unit and clause. */
void judgement_limits(finding *item, const spec_limit *limit);
/** The first limit of the spec on a check, or NULL. */
const spec_limit *judgement_limit(const judgement *self, const char *check);
/** ", or else loudness.integrated of -27.0 to -21.0 LUFS": the other limits of its group, of which one is enough. */
const char *judgement_or_else(const judgement *self, const spec_limit *limit);
/** "`what` cannot be judged: `why`.", where the spec limits that check. */
void judgement_cannot(judgement *self, const char *check, const char *what, const char *why);
/** One finding for all places beyond VERDICT_RUNS_MAX; nothing when there are none. */
void judgement_tell_rest(judgement *self, const char *check, finding_severity severity, size_t left_out);

/** Sorts the findings, worst first, gives them their ids (finding_list_identify), applies the show's waivers, sets the word. */
void judgement_conclude(judgement *self, const char *owner);
/** Sets the codes that others have for a check. */
void finding_code(finding *item);

void judge_levels(judgement *self);
void judge_runs(judgement *self);
/**
 * What a true peak must be lowered from, as displayed: from itself, or from what the sum held before it was clamped, where that is
 * higher. What lies between those samples is not known, so out_clamped says that it is a lower bound.
 */
double judgement_peak_before_clamping(const judgement *self, double peak_db, uint64_t start, uint64_t end, bool *out_clamped);
/** True peaks over the limit and clipped runs. */
void judge_peaks(judgement *self);
void judge_silence(judgement *self);
/**
 * Of an Lt/Rt: stretches in which L and R go against each other are its surround, and information, unless the spec limits them, or
 * they do so in the programme as a whole.
 */
void judgement_matrix_encoded(judgement *self);
void judge_joins(judgement *self);
/** Of one join: what is heard on both sides of it. */
void judge_join_overlap(judgement *self, const plan_piece *before, const plan_piece *after);
void judge_signal(judgement *self);
void judge_format(judgement *self);
void judge_adm(judgement *self);
void judge_form(judgement *self, const file_form *form);
/** Received programmes against the stems, and stems against each other. */
void judge_stems(judgement *self);
/** by_stem: which stems the programme was found to hold, by index in the show; NULL: not looked at. */
void judge_bleed(judgement *self, const stem_presence *by_stem);
#define STEM_SHIFT_LEFT_MAX 0.25 /**< a stem that leaves more is seen there, and does not explain what is wrong */
/** At which time a stem lies where nothing else explains a received programme; cell_count 0: that is not known. */
typedef struct stem_shift {
    uint32_t element;
    int samples;
    size_t cell_count; /**< that show it */
    double left;       /**< of what is unexplained with it in place, what is unexplained with it there; 1: not known */
    bool whole;        /**< all stems that play there lie so: the programme does */
} stem_shift;
/** players: bit per element that plays in one of the run's channels. */
stem_shift judgement_shift(const judgement *self, uint32_t element_count, uint64_t players, const stem_run *run);
/**
 * By so many samples lie some stems, and not all: where one that is in its place holds most of a cell, one
 * that is not leaves little by itself, and much where all are moved with it.
 */
bool judgement_some_lie_there(const judgement *self, uint32_t element_count, int samples);
enum { SHIFTS_TOLD_MAX = 64 };
/** A stretch in which a stem was told to lie at another time. */
typedef struct stem_shift_run {
    stem_shift shift;
    uint64_t start, end;
    uint32_t outputs;     /**< bit per channel of the programme */
    double residual_dbfs;
} stem_shift_run;
typedef struct stem_shifts {
    uint32_t count;
    stem_shift_run items[SHIFTS_TOLD_MAX];
} stem_shifts;
/**
 * What so many frames beside the picture are where no spec limits it: from a picture frame on platforms reject (Netflix: one
 * at most, if short, for information).
 */
finding_severity judgement_late_severity(const judgement *self, double frames);
/** "2000 samples (41.67 ms, 1 picture frame) late" */
const char *judgement_shift_words(const judgement *self, int samples);
typedef struct stem_gap_place {
    uint64_t start, end; /**< frames of the programme */
    uint32_t lane;
} stem_gap_place;
/** The first gap of a stem, or of the received programme itself, that begins in a stretch. */
bool judgement_gap(const judgement *self, bool received, uint64_t start, uint64_t end, stem_gap_place *out_place);
#define STEM_DROPOUT_MS (1.0 - 1e-9) /**< a longer one is told */
/** Stems that stop and start again. truth: of the received programme they are compared with, or NULL. */
void judge_stem_gaps(judgement *self, const stem_truth *truth);
/** True for the first programme whose tasks read these stems: it tells what is wrong with the stems themselves. */
bool judgement_is_first(const judgement *self);
/** What a received programme was found to be; of a rendered one its recipe says so. */
typedef enum stem_levels_kind { STEM_LEVELS_ANY, STEM_LEVELS_MUSIC_AND_EFFECTS, STEM_LEVELS_DESCRIPTION } stem_levels_kind;
/** first: as above. */
void judge_stem_levels(judgement *self, bool first, stem_levels_kind kind);
/** Ducking of a received description; takes what it explains out of the truth's runs. model NULL: a rendered programme. */
typedef struct ad_judgement ad_judgement;
ad_judgement *judgement_description(judgement *self, const stem_model *model);
void judge_ad(judgement *self, ad_judgement *description, stem_truth *truth);
void judge_pops(judgement *self);
/** Blocks, gates and the smallest change that passes, into the details of findings on loudness and true peak. */
void judge_explain(judgement *self);
void judge_sync(judgement *self);
/** How one track lies against the reference. Frames of findings are those of its files for stems, of the programme else. */
void judge_alignment(judgement *self, const plan_listen *listen, const sync_measure *heard);
/**
 * After all others: any_of groups. Of a group of which one limit holds, nothing else is told. Where none does, a loudness that
 * breaks a narrower limit in no group too is one finding.
 */
void judge_groups(judgement *self);

#endif
