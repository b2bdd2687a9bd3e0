/**
 * Figures + specs to findings and a verdict. Pure. What could not be judged says so (`not_checked`) and is never a pass.
 *
 * Loudness is judged at 0.1 LU and true peak at 0.1 dB as displayed, half away from zero; the raw figure is kept too.
 */
#ifndef COORDINATOR_VERDICT_VERDICT_H
#define COORDINATOR_VERDICT_VERDICT_H

#include "common/measure/speech_measure.h"
#include "common/measure/stem_features.h"
#include "common/measure/sync_measure.h"
#include "coordinator/plan/plan.h"

typedef enum finding_severity { FINDING_INFO, FINDING_NOT_CHECKED, FINDING_WARN, FINDING_FAIL } finding_severity;
const char *finding_severity_name(finding_severity severity);
typedef enum verdict_word { VERDICT_PASS, VERDICT_WARN, VERDICT_INCOMPLETE, VERDICT_FAIL } verdict_word;
const char *verdict_word_name(verdict_word word);

typedef struct finding {
    const char *id;           /**< its identity: the same from version to version while nothing but its figure changes */
    const char *check;        /**< a check name of the contract */
    finding_severity severity;
    double measured;          /**< NAN = no figure */
    const char *measured_word;/**< for word limits ("PCM_16"), else NULL */
    double min, max, target;  /**< NAN = not set */
    const char *limit_words;  /**< allowed words, comma-separated, else NULL */
    const char *unit;
    const spec_limit *rule;   /**< the limit it breaks, or cannot be judged by; NULL = none */
    const spec_limit *wider;  /**< one of an any_of group, on the same figure, that it breaks too and tells of; NULL = none */
    const char *subject;      /**< what it is about beyond channels and place ("MX -> FX", a stem), part of its identity; NULL = nothing */
    double mains_hz;          /**< of a hum: the mains it is of; else 0 */
    uint32_t channel_count;
    const char *channels[LAYOUT_CHANNELS_MAX];
    bool has_range;
    uint64_t start_sample, end_sample;  /**< half open, from the programme's first sample */
    int32_t reel;             /**< index in show.reels, -1 = none */
    const char *message;      /**< a sentence a mixer understands, with what to do */
    const char *clause;
    const char *netflix_code; /**< e.g. "022 True Peak", or NULL */
    const char *ebu_qc;       /**< e.g. "0084B", or NULL */
    const char *details_json; /**< a JSON object text, or NULL */
    const show_waiver *waiver;/**< accepted as it is: it no longer counts for the verdict; or NULL */
    const show_waiver *stale; /**< a waiver of the same finding with another figure, which does not hold; or NULL */
} finding;

enum { FINDING_FIGURE_SIZE = 64 };

typedef struct finding_list {
    finding *items;
    size_t count, capacity;
} finding_list;

/** Everything known about one programme when it is judged. */
typedef struct programme_facts {
    const plan *plan;
    uint16_t deliverable;
    const programme_measure *measure;  /**< NULL when it could not be measured */
    const programme_measure *speech;   /**< of its dialogue stems (speech_measure.h); NULL when it takes none */
    const char *failure;               /**< why not, or NULL */
    const stem_programme *stems;       /**< of its render program's input lanes; NULL when not taken */
    const sync_measure *const *heard;  /**< [plan.listen_count] what its tracks were heard to hold; NULL entries: not known */
} programme_facts;

typedef struct programme_verdict {
    verdict_word word;
    loudness_figures loudness;
    dialogue_figures dialogue;
    peak_figures peaks;
    double leqm_db;                    /**< Leq(m); NAN where it was not measured */
    finding_list findings;             /**< sorted: worst first, then by time */
    bool publish;                      /**< false when the spec says hold and the verdict is fail */
} programme_verdict;

/** Judges one programme by its deliverable's spec. Everything lives in arena. */
MUST_USE status verdict_judge(programme_verdict *out_verdict, const programme_facts *facts, arena *arena);

/** One delivered file as a spec sees it. */
typedef struct file_form {
    const char *name;
    channel_label channel; /**< of a mono file of several; else CHANNEL_NONE */
    int32_t reel;          /**< -1: the whole programme */
    const char *container, *encoding, *channels;
    double sample_rate, bit_depth; /**< NAN: not known */
} file_form;

/** The files of a programme as a spec sees them, in arena. */
const file_form *verdict_forms(const plan *plan, uint32_t deliverable, uint32_t *out_count, arena *arena);

/**
 * The gain in dB, to the hundredth, that brings a programme to its spec: to the first target of loudness.dialogue or
 * loudness.integrated that is in force. The measures are those of its scan, which plays it at 0 dB. One gain for the whole
 * programme; peaks have no say. STATUS_INPUT_INVALID with a sentence where there is no such target or no loudness.
 */
MUST_USE status verdict_gain_to_spec(const programme_facts *facts, double *out_gain_db, error_detail *detail);

/** A programme of which the figures alone are left: those of a report.json. Frames of maxima are UINT64_MAX: not known. */
typedef struct figure_facts {
    const char *deliverable;
    const show *show;                  /**< for its waivers; no reels */
    channel_layout_id layout;
    uint32_t sample_rate;
    uint64_t frame_count;
    loudness_figures loudness;
    dialogue_figures dialogue;
    peak_figures peaks;
    double true_peak_least;            /**< linear: the true peak is no less than this; 0: peaks.true_peak is exact, not a bound */
    uint32_t file_count;
    const file_form *files;
    bool of_part;                      /**< the figures are those of a part of the programme */
} figure_facts;

/** Judges figures by a spec: levels and the forms of files. What wants audio or places, or the whole of it, is not_checked. */
MUST_USE status verdict_judge_figures(programme_verdict *out_verdict, const figure_facts *facts, const spec *rules,
                                      arena *memory);

/** What was found in one stem of one reel. Frames are those of its files. */
typedef struct stem_verdict {
    verdict_word word;
    finding_list findings;             /**< sorted: worst first, then by time */
    const plan_timeline *timeline;     /**< of the files; NULL when they were not listened to */
} stem_verdict;

/** Judges one stem in one reel. heard: as in programme_facts. Everything lives in arena. */
MUST_USE status verdict_judge_stem(stem_verdict *out_verdict, const plan *plan, uint32_t stem, uint16_t reel,
                                   const sync_measure *const *heard, arena *arena);

/**
 * Gives every finding its id: digest of owner (deliverable, or reel and stem), check, subject, channels, limit, and place
 * within its reel. Figures and messages have no part in it. Findings that are alike in all of that are numbered in order.
 */
void finding_list_identify(finding_list *list, const char *owner, const show *title, const plan_timeline *timeline,
                           arena *memory);

/** The figure of a finding as a waiver names it: "-24.2", "0.142" where it has no unit, "PCM_16", or "-" where there is none. */
void finding_figure(const finding *item, char out[FINDING_FIGURE_SIZE]);

/** True if this version has a method for the check; a limit on any other comes out as not_checked. */
bool verdict_measures(const char *check);

/** False for a limit that depends on the share of speech where that share is known and another limit's. */
bool verdict_in_force(const programme_verdict *verdict, const spec_limit *limit);

/** fail over incomplete over warn over pass. */
verdict_word verdict_worst(verdict_word a, verdict_word b);

/** Of one check, and equally severe; what is wrong with stems is of many kinds, of which the subject begins with the name. */
bool finding_alike(const finding *a, const finding *b);
/** How far it is beyond its limit; 0 where it has none. */
double finding_excess(const finding *item);
/** a tells the worse of two that are alike: of equals the one that has a place. */
bool finding_worse(const finding *a, const finding *b);

/** What programmes are sorted by: the worst verdict first, then the most failures, the most warnings, and the place in the show. */
typedef struct verdict_rank {
    verdict_word word;
    size_t fails, warnings, place;
} verdict_rank;
/** For qsort. */
int verdict_rank_compare(const void *a, const void *b);

/** A figure as displayed: rounded to 0.1, half away from zero; NAN stays. */
double verdict_displayed(double value);

#endif
