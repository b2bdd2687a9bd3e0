/** A deliverable of one mono timeline with a spec and a programme made of level steps, judged without any audio. */
#ifndef TESTS_UNIT_VERDICT_VERDICT_BENCH_H
#define TESTS_UNIT_VERDICT_VERDICT_BENCH_H

#include "coordinator/verdict/verdict.h"

enum { RATE = 48000, SLOT_FRAMES = RATE / 100 };

typedef struct bench {
    arena memory;
    spec rules;
    show source;
    show_deliverable wanted;
    plan made;
    plan_deliverable deliverable;
    plan_timeline timeline;
    plan_piece piece;
    plan_input input;
    media_facts file;
    show_reel reels[2];
    recipe made_by;
    programme_measure *measure;
    uint32_t run_count, run_dropped; /**< of the first cell */
    uint32_t overload_count; /**< samples over full scale, of the first cell */
    peak_run *runs;
    const struct signal_event *clicks; /**< of the first cell, where blocks are judged */
    uint32_t click_count;
    const struct stem_programme *stems; /**< where blocks are judged; NULL = there are none */
    float (*mains)(uint64_t cell, uint32_t channel, uint32_t line); /**< power of a line of the mains, where blocks are judged */
    float (*mirror)(uint64_t cell, uint32_t channel, uint32_t source, uint32_t turn); /* points one way; NULL: no spectrum */
    float (*cross)(uint64_t block, uint32_t pair); /**< mean product of a pair, where blocks are judged */
    const struct level_step *speech; /**< level of the dialogue stem over time; NULL = there is none */
    size_t speech_count;
    programme_measure *speech_measure;
} bench;

/* A level of the programme from a time on. */
typedef struct level_step {
    double from_s, lufs;
} level_step;

int bench_set_up(void **state);
int bench_tear_down(void **state);
/** Adds a limit, failing, of primary evidence, in no group. */
spec_limit *bench_limit(bench *self, const char *check, double min, double max);
/** A programme of that length with levels over time and one true peak. */
programme_verdict bench_judge_steps(bench *self, double seconds, const level_step *steps, size_t step_count, double dbtp);
/** A programme of that length with one constant loudness and one true peak. */
programme_verdict bench_judge(bench *self, double seconds, double lufs, double dbtp);
/** The first finding of a check, or NULL. */
const finding *bench_found(const programme_verdict *verdict, const char *check);

#endif
