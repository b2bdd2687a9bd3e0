/**
 * The QC report: report.json to the contract (docs/report.schema.json), and the page that report.html and report.pdf are made of.
 * Pure: the model in, bytes out. Every text is escaped for its context by one function per context; nothing from a file
 * name or a show file can inject anything. No clock: the only times are those in the model.
 */
#ifndef COORDINATOR_REPORT_REPORT_H
#define COORDINATOR_REPORT_REPORT_H

#include "common/base/byte_writer.h"
#include "coordinator/plan/plan.h"
#include "coordinator/verdict/finding_places.h"
#include "coordinator/verdict/verdict.h"

/** What became of one delivered or received file. */
typedef struct report_file {
    const char *path;            /**< relative to OUT (rendered) or as given (received, qc) */
    int32_t deliverable;
    const char *container, *encoding;
    uint32_t sample_rate, channels;
    uint64_t frames, bytes;
    bool has_start;
    frame_rate rate;             /**< that its timecode counts */
    uint64_t start_frame;        /**< picture frame since midnight */
    bool has_digests;
    content_hash file_digest, audio_digest;
    bool published;
    const char *failure;         /**< why it was not made or could not be read, or NULL */
} report_file;

enum { REPORT_SPECTRA_MAX = 6 };

/** Information beside the figures of the whole. */
typedef struct report_reel {
    loudness_figures loudness;
    dialogue_figures dialogue;
    peak_figures peaks;
} report_reel;

typedef struct report_programme {
    uint16_t deliverable;
    double gain_db;                    /**< it was rendered at; NAN: received, or not known */
    const programme_measure *measure;  /**< for the plots; NULL if there is none */
    const programme_measure *speech;   /**< of its dialogue stems; NULL if it takes none */
    programme_verdict verdict;
    const task_meter_result *second;   /**< the second meter's figures; NULL: none were made */
    const task_excerpt_result *excerpts; /**< what was read again around its findings; NULL: nothing */
    const uint64_t *leaks_read;          /**< [stem][reel] frames read again to follow leaks and find clicks; NULL: none */
    const char *failure;               /**< the programme was not made: why; its verdict is incomplete */
    const report_reel *reels;          /**< by report_measure_reels: [pieces of its timeline]; NULL: none, or one piece */
    const struct drawing *levels;      /**< by report_draw_signal; NULL = none */
    uint32_t spectrum_count;
    const struct drawing *spectra[REPORT_SPECTRA_MAX];
} report_programme;

/** Findings about an input stem (handoff check). */
typedef struct report_stem {
    uint16_t reel, stem;
    uint32_t path_count;
    const char *const *paths;
    stem_verdict verdict;
} report_stem;

/** What a person said of a report, in words of their own. */
typedef struct report_sign_off {
    const char *by, *when, *remark;
    const char *verdict; /**< what the report said then */
    bool of_this;        /**< of what this report was made from; else of an earlier run under the same name */
} report_sign_off;

typedef struct report_model {
    const show *show;
    const plan *plan;            /**< NULL when planning failed */
    const char *engine;          /**< "reelmill 0.1.0" */
    verdict_word verdict;
    uint32_t programme_count;
    report_programme *programmes;
    uint32_t file_count;
    report_file *files;
    uint32_t stem_count;
    report_stem *stems;
    const sync_measure *const *heard; /**< [plan.listen_count], NULL = not known; for the plots */
    const problem_list *problems;/**< handoff problems, NULL or empty = none */
    const char *job_id;
    uint32_t task_count, retry_count, worker_count;
    double wall_seconds;
    double predicted_seconds; /**< that it would take, when it was planned; 0 = there was no forecast */
    double planned_seconds;   /**< that it took from then until the report */
    const char *finished_text;   /**< "2026-11-20 03:12 UTC", for people; "" if not known */
    uint32_t sign_off_count;
    const report_sign_off *sign_offs;
    const char *meter;           /**< name of a second meter whose figures are shown, or NULL */
} report_model;

MUST_USE status report_json(const report_model *model, byte_writer *writer);
/** delivery_list.json: every file that the job made, and what from. The model has a plan. */
MUST_USE status report_delivery_json(const report_model *model, byte_writer *writer);
/** The figures of each reel. The model has show and plan. */
void report_measure_reels(const report_model *model, report_programme *programme, arena *memory);
/** Makes the pictures that need the features of the signal, while they are there. The model has show and plan. */
void report_draw_signal(const report_model *model, report_programme *programme, arena *memory);
/** [stem][reel] of the show; NULL: the features of the stems were not taken. */
const uint64_t *report_leaks_read(const plan *made, uint16_t deliverable, const stem_programme *stems, arena *memory);
/** Of a deliverable whose listens have ended, before it is judged. */
read_share report_read_share(const plan *made, uint16_t deliverable, const sync_measure *const *heard, const stem_programme *stems,
                             arena *memory);
/** What report.html and report.pdf show (page.h). */
struct page *report_page(const report_model *model, arena *memory);

#endif
