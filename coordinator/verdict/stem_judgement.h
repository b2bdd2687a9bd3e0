/** What the files that hold a received programme against its stems share. Its memory is the judgement's. */
#ifndef COORDINATOR_VERDICT_STEM_JUDGEMENT_H
#define COORDINATOR_VERDICT_STEM_JUDGEMENT_H

#include "coordinator/verdict/verdict_parts.h"

#include "common/measure/stem_phase.h"
#include "common/measure/stem_truth.h"

#define STEM_HEARD_POWER 1e-10 /**< -100 dBFS: below, a stem says nothing */
#define STEM_TOLD_POWER 1e-5    /**< -50 dBFS: from here on whatever is wrong with a stem leaves what is told (-60 dBFS) */
#define STEM_LEVEL_TOLD_DB 0.025 /**< from here on the gain that a whole programme has against its stems is told */

typedef struct stem_judgement {
    judgement *judgement;
    stem_model model;
    uint16_t stems[STEM_ELEMENTS_MAX]; /* by element: index in the show */
    channel_label bed[STEM_BED_MAX];
    stem_truth truth;
    stem_phase phase;
    stem_shifts shifts; /* that were told */
    bool another[STEM_ELEMENTS_MAX]; /* by element: told to be something else than what was printed */
    uint64_t dropout_end; /* of the drop-out of the programme that was told last; 0: none */
} stem_judgement;

uint32_t stem_judgement_count(const stem_judgement *self, stem_presence presence);
/** A fault of a stem: a warning until a spec says more. */
finding *stem_judgement_fault(stem_judgement *self, const char *check, double measured, const char *unit);
/**
 * A mix that lacks one of its stems, or lies a picture frame off, is sent back by whoever receives it; a spec that limits the check
 * says what it asks.
 */
void stem_judgement_reject(const stem_judgement *self, finding *item);
/** True if the stem of a run plays in other channels, too, above a power, where nothing was found of it. Not of a fold-down. */
bool stem_judgement_right_elsewhere(const stem_judgement *self, const stem_run *run, double least_power);
/** The first block of the programme that begins at a frame or behind it. */
size_t stem_judgement_block(const stem_judgement *self, uint64_t frame);
/** The gain that a lane of a stem should have in a channel of the programme, as this one was made. */
double stem_judgement_gain(const stem_judgement *self, uint32_t output, uint32_t lane);
/** Of what a programme lacks, how much of it each stem holds: 1 where all of it is in that stem, 0 where nothing is. */
typedef struct stem_lacking {
    double energy; /**< of what lacks */
    double frames; /**< that were added up, of all channels */
    double held[STEM_ELEMENTS_MAX];
} stem_lacking;

/**
 * What lacks is the sum of the stems less the programme. A stem with something that the programme has not correlates with that as
 * it does with itself; one at another gain or time as much more or less as that says, and what the print alone has with none.
 */
void stem_judgement_add_lacking(const stem_judgement *self, const stem_block *block, uint32_t output, stem_lacking *sum);
/** Sets the channels of a finding; none where it is in all of the programme. */
void stem_judgement_channels(stem_judgement *self, finding *item, uint32_t outputs);
/** " in L, R", or nothing where it names none */
const char *stem_judgement_channel_words(stem_judgement *self, const finding *item);
/** What a stem gives to a channel of the programme in a stretch: power times frames. */
double stem_judgement_energy(const stem_judgement *self, uint32_t element, uint32_t output, const stem_run *stretch);
/** True if a stem gives a channel of the programme sound above -100 dBFS in a stretch. */
bool stem_judgement_plays_in(const stem_judgement *self, uint32_t element, uint32_t output, const stem_run *run);
/** The drop-out of the programme, or else of a stem, that a run is made of: one that it is hardly longer than. */
bool stem_judgement_dropout(const stem_judgement *self, const stem_run *run, stem_gap_place *out_gap, bool *out_received);
/** True if a run is one, or lies in one of the programme. */
bool stem_judgement_drops_out(const stem_judgement *self, const stem_run *run);
/** True if a run is a drop-out, which is told then or was before; what all stems lack in one of the programme is unexplained. */
bool judge_dropout(stem_judgement *self, stem_run *run);
/** Takes the runs that a stem at another time explains out of the truth, as shifts. */
void stem_judgement_find_shifts(stem_judgement *self);
/** Tells those that are left. */
void stem_judgement_tell_shifts(stem_judgement *self);
/** Tells channels that lie at another time alone, and takes what that makes of the comparison out of the truth's runs. */
void judge_channel_shift(stem_judgement *self);
/** Takes out of the truth's runs what a pop in the programme (sync.pop) makes of the comparison, and says so there. */
void judge_stem_pops(stem_judgement *self);
/** Tells where the programme is silent between soft edges and its stems are not; takes that out of the truth's runs. */
void judge_stem_holes(stem_judgement *self);
/** Tells a stem that lies in another, in all of its channels; behind judge_bleed, whose findings of the two it takes away. */
void judge_stem_copies(stem_judgement *self);
/** Tells a stem of another version, once a reel; takes what that makes of the comparison out of the truth's runs and the shifts. */
void judge_versions(stem_judgement *self);
/**
 * One cause, one finding: runs of all stems that play in a channel become one of the programme; takes runs out of the
 * truth that are the edge of another, and those that clipping made, which are told as one.
 */
void judge_stem_causes(stem_judgement *self);
/** What most likely made an unexplained run, as the end of a sentence: a click or a hum of the print that the stems have not. */
const char *stem_judgement_cause(const stem_judgement *self, const stem_run *run);

/** The stems have channels that the programme has not. */
bool stem_judgement_folds(const stem_judgement *self);

/** Where it was matrix-encoded with angles: takes what that explains out of the truth's runs. STATUS_NODE_MEMORY only. */
MUST_USE status stem_judgement_find_phase(stem_judgement *self);
/**
 * Where it drifts against its stems: takes what that makes of the comparison out of the truth's runs and says so once. True if it
 * did: what was found of the whole programme then says nothing either.
 */
bool judge_drift(stem_judgement *self);
/** folddown.matrix. */
void judge_matrix(stem_judgement *self);

#endif
