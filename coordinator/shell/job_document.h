/**
 * The job document: everything a person submits, closed. After it nothing is read from the submitter's disk. JSON,
 * UTF-8, at most JOB_DOCUMENT_MAX bytes; a key that is not listed here is an error.
 *
 *   {"reelmill": 1,
 *    "kind": "run" | "qc" | "check" | "plan",
 *    "show": {"name": "show.yaml", "text": "..."}                         a show's job, or
 *    "qc":   {"files": ["a.wav", ...], "spec": "none",                    one about files: qc, check
 *             "layout": "5.1" | null, "order": "smpte" | null, "frame_rate": "24" | null,
 *             "left_out": ["a sentence", ...]},                           what could not be judged beside these, for the report; may be missing
 *    "recipes": [{"name": "...", "text": "...", "source": "..."}],        the person's own, added to what ships
 *    "specs":   [{"name": "...", "text": "...", "source": "..."}],
 *    "places":  {"media": {"root": "media", "prefix": ""}, "out": {"root": "out", "prefix": ""} | null},
 *    "options": {"replace": false, "only": null | "NAME,NAME", "cells_per_task": 0,
 *                "meter": null | "libebur128", "checks": null | "KIND,KIND",
 *                "figures_only": false, "audition": false, "deadline": 0, "at_once": 0}}
 *
 * "deadline" is in seconds of UTC and stands over the show file's; 0 = none. "order" is smpte, film or wave. "recipes", "specs" and "options" may be missing. Texts hold no NUL. A place's prefix
 * is a relative path or "". Only a run writes, and needs "out"; the reports of a qc are had by asking.
 *
 * Threads: any; everything lives in the arena.
 */
#ifndef COORDINATOR_SHELL_JOB_DOCUMENT_H
#define COORDINATOR_SHELL_JOB_DOCUMENT_H

#include "common/base/arena.h"
#include "coordinator/plan/plan.h"
#include "coordinator/show/show_file.h"

typedef enum job_kind { JOB_KIND_RUN, JOB_KIND_QC, JOB_KIND_CHECK, JOB_KIND_PLAN } job_kind;
/** "run", "qc", "check", "plan". */
const char *job_kind_name(job_kind kind);

enum { JOB_TEXTS_MAX = 256, JOB_CHECKS_MAX = 256 };

/** The only name that "meter" may have. */
#define SECOND_METER_NAME "libebur128"

typedef struct job_document {
    job_kind kind;
    const char *show_name; /**< NULL: the job is about the files of qc */
    const char *show_text;
    size_t show_text_size;
    qc_request qc;
    size_t recipe_count;
    named_text *recipes;
    size_t spec_count;
    named_text *specs;
    plan_place media;
    plan_place out;
    bool has_out; /**< something is written: a run */
    bool replace;
    const char *only; /**< NULL = all */
    uint32_t cells_per_task; /**< 0 = chosen by the planner */
    uint32_t deadline;       /**< seconds of UTC; 0 = as the show file says */
    uint32_t at_once;        /**< tasks on workers at once; 0 = as many as there are */
    const char *meter; /**< a second meter for the report, or NULL */
    bool figures_only; /**< of the reports only report.json is made: nobody will ask for the others, or for the measures */
    bool audition; /**< two seconds of audio for each finding that has a place are written beside the report; needs "out" */
    const char *checks; /**< kinds of checks that are asked for ("loudness,peak"); what others need is not measured. NULL = all */
} job_document;

/** STATUS_INPUT_* or STATUS_LIMIT with a sentence that names the key. */
MUST_USE status job_document_parse(job_document *out_document, const char *text, size_t text_size, arena *memory,
                                   error_detail *detail);

#endif
