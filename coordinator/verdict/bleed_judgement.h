/** What the files that judge leaks between stems share. Its memory is the judgement's. */
#ifndef COORDINATOR_VERDICT_BLEED_JUDGEMENT_H
#define COORDINATOR_VERDICT_BLEED_JUDGEMENT_H

#include "coordinator/verdict/verdict_parts.h"

#include "common/measure/stem_bleed.h"

#define BLEED_REVERB_S 0.005 /**< later than any path of a console: the pre-delay of a reverb, or a room */

/*
 * Leaks of one stem in another at one delay, one with the next or less than a cell apart: one send, whichever channels it goes
 * through and wherever its source pauses. Each pair of channels is in it once, as it is clearest, the loudest first.
 */
typedef struct bleed_cause {
    uint32_t count;
    const stem_bleed *pairs[STEM_BLEEDS_MAX];
    uint32_t first_band, last_band;
    uint64_t start_frame, end_frame;
    const stem_bleed *begins_with, *ends_with; /* which of it do */
} bleed_cause;

typedef struct bleed_judgement {
    judgement *base;
    const render_program *program;
    uint8_t group_of[PROGRAM_INPUT_LANES_MAX];
    uint16_t stem_of[STEM_GROUPS_MAX]; /* by group */
    uint32_t group_count;
    stem_bleeds bleeds;
    bool taken[STEM_BLEEDS_MAX]; /* of these, what a cause that was told holds */
    bleed_cause cause;
} bleed_judgement;

/* What it looks like by itself: a leak, the same sound in both, or the mains in both; see tell_cause(). */
typedef struct bleed_nature {
    bool shared;
    double mains_hz; /* 0: no */
} bleed_nature;

/* What is known of all pairs together. */
typedef struct bleed_reach_sum {
    stem_reach worst;           /* of the pairs of which it is known in nine tenths of the time */
    const char *source, *host;  /* these two */
    const char *unknown;        /* the others, with what is known in half of the time */
    uint32_t unknown_count;
} bleed_reach_sum;

const char *bleed_lane_stem(const bleed_judgement *self, uint32_t lane);
const char *bleed_lane_channel(const bleed_judgement *self, uint32_t lane);
double bleed_db(double gain);
bleed_nature bleed_nature_of(const bleed_judgement *self, const stem_bleed *bleed);
/** Into `cause`: all that has the cause of the leak `first` in the list, which is by time; marks it as taken. */
void bleed_gather_cause(bleed_judgement *self, uint32_t first);
/** "MX (L) is heard in FX (R) at -40.0 dB", "MX is heard in FX: L in R at -40.0 dB, R in R at -46.0 dB" */
const char *bleed_pairs_text(const bleed_judgement *self, const bleed_cause *cause);
const char *bleed_pairs_json(const bleed_judgement *self, const bleed_cause *cause);
/** Names the channels of its sources, or of its hosts, each once and in their order. */
void bleed_name_channels(const bleed_judgement *self, const bleed_cause *cause, bool hosts, finding *item);
/** " (it begins between 01:00:04:00 and 01:00:05:12)", or nothing. */
const char *bleed_further_text(const judgement *base, const bleed_cause *cause);
void bleed_add_reach(arena *memory, bleed_reach_sum *sum, const char *source, const char *host, const stem_reach *reach);
/** " Worst is MX in FX: one from ... up would have been found ...", and of how many pairs nothing is known; or nothing. */
const char *bleed_reach_known(judgement *base, const bleed_reach_sum *sum);
/** The members of a JSON object: the pair of which least is known, and those of which nothing is in nine tenths of the time. */
const char *bleed_reach_details(judgement *base, const bleed_reach_sum *sum);

/** Dialogue that leaks into what a rendered M&E is made of, and how small a leak of it would have been found. */
void judge_leaked_dialogue(bleed_judgement *self, const spec_limit *limit);
void judge_dialogue_unknown(judgement *base, const spec_limit *limit, const char *why);

#endif
