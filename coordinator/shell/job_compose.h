/**
 * Figures, verdict and reports of a job, from its plan, the cells' measures and what its tasks left. Off the loop: it
 * reads const things, copies made for it, and the job's measure file.
 *
 * Threads: any, one at a time per input; composing makes one of its own beside it. Everything lives in the arena given.
 */
#ifndef COORDINATOR_SHELL_JOB_COMPOSE_H
#define COORDINATOR_SHELL_JOB_COMPOSE_H

#include "coordinator/report/report.h"
#include "coordinator/shell/cell_file.h"
#include "coordinator/shell/job_payload.h"

/** Where the cells of one deliverable's programme lie, in the programme's order. */
typedef struct programme_input {
    uint16_t deliverable;
    bool scan;     /**< the scan for its gain, not the programme itself */
    double gain_db; /**< it was rendered at; NAN: not known */
    bool complete; /**< every task that measures it is done */
    uint32_t stretch_count;
    cell_stretch *stretches;
    const char *failure; /**< why it was not made, or NULL */
    bool metered; /**< the second meter's figures are there */
    task_meter_result second;
    const task_excerpt_result *excerpts; /**< NULL: nothing was looked at again */
} programme_input;

/** What became of one file: of plan.files, then of the received inputs. */
typedef struct file_outcome {
    bool verified;
    task_verify_result digests;
    bool published;
    const char *failure;
} file_outcome;

/** The job as the reports see it: made on the loop, read off it. */
typedef struct compose_input {
    const show *show;
    const plan *plan; /**< NULL: planning failed */
    const input_list *inputs;
    const media_facts *facts;
    const problem_list *problems;
    const char *cells_path;
    const char *folder; /**< of the job: the reports are written here */
    journal_keep keep;  /**< what they have to outlive */
    const sync_measure *const *heard; /**< [plan.listen_count], as in programme_facts */
    const struct job_source *source; /**< what it was planned from; NULL where planning failed */
    uint32_t slot_count, cells_per_task; /**< and how */
    uint32_t programme_count;
    programme_input *programmes;
    file_outcome *files; /**< [plan.file_count] */
    file_outcome *received; /**< [inputs.count], used for received programmes */
    const char *job_id;
    uint32_t task_count, retry_count, worker_count;
    double wall_seconds;
    double predicted_seconds, planned_seconds; /**< forecast when it was planned, and taken since; 0 = none was made */
    const char *finished_text;
    const char *meter; /**< the second meter that was asked for, or NULL */
    uint32_t sign_off_count;
    const report_sign_off *sign_offs;
} compose_input;

/** All that the cells of one deliverable say of it, merged. */
typedef struct merged_programme {
    programme_measure *measure;
    programme_measure *speech; /**< of its dialogue stems; NULL: it takes none */
    stem_programme stems;      /**< no lanes or no blocks where the features of the stems were not taken */
} merged_programme;

/** Merges one programme; the caller's to deinit. On failure nothing is left to free. */
MUST_USE status job_merge_programme(const plan *job_plan, const programme_input *input, const char *cells_path,
                                    merged_programme *out_merged, error_detail *detail);
void merged_programme_deinit(merged_programme *self);
/** What says where the programme speaks (speech_measure.h): its stems, or itself if the detector heard it; or NULL. */
const programme_measure *merged_programme_speech(const merged_programme *self);
/** Merge and verdict of one deliverable, as its MERGE task leaves them. */
MUST_USE status job_merge(const plan *job_plan, const programme_input *input, const sync_measure *const *heard,
                          const char *cells_path, merge_outcome *out_outcome, error_detail *detail);
/** The gain of one deliverable from its scan, as its GAIN task leaves it. */
MUST_USE status job_find_gain(const plan *job_plan, const programme_input *scan, const char *cells_path, double *out_gain_db,
                              error_detail *detail);
/** Writes report.json and report.html into the job's folder, durably. */
MUST_USE status job_compose(const compose_input *input, compose_outcome *out_outcome, error_detail *detail);

/**
 * report.html and report.pdf once more, of a job that was read back (job_measures.h), with its sign-offs. out_verdict: of the
 * job, judged anew.
 */
MUST_USE status job_compose_pages(const compose_input *input, byte_writer *html, byte_writer *pdf, verdict_word *out_verdict,
                                  error_detail *detail);

#endif
