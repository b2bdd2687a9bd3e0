/**
 * Writes the closed job document (schema: coordinator/shell/job_document.h): the show's text, every recipe and spec text
 * of the person's own, the places, the options. After this nothing is read from the submitter's disk.
 *
 * A person's own recipes and specs lie beside the show file, in recipes/NAME.yaml and specs/NAME.yaml.
 */
#ifndef COORDINATOR_CLI_JOB_DOCUMENT_WRITE_H
#define COORDINATOR_CLI_JOB_DOCUMENT_WRITE_H

#include "common/base/arena.h"
#include "common/base/status.h"
#include "coordinator/plan/plan.h"
#include "coordinator/show/show_file.h"

#include <jansson.h>

/** A show file read and resolved, with everything needed to submit it. Lives in arena. */
typedef struct loaded_show {
    show show;
    const char *text;
    size_t text_size;
    const char *display;        /**< as the person named it */
    const char *folder;         /**< absolute folder of the show file */
    const char *media_folder;   /**< absolute */
    const char *out_folder;     /**< absolute; may not exist yet */
    library library;            /**< shipped + the person's own */
    size_t own_recipe_count, own_spec_count; /**< the last ones of the library */
    problem_list problems;      /**< what was printed; on failure too, with text */
} loaded_show;

/** Adds the recipes and specs of a folder (recipes/NAME.yaml, specs/NAME.yaml) behind those of a library. */
MUST_USE status library_add_own(library *self, const char *folder, size_t *out_recipes, size_t *out_specs, arena *arena,
                                error_detail *detail);

/**
 * Reads a show file and what lies beside it, parses and resolves. Problems are printed to stderr in the usual form
 * (file:line:column: error: ...); detail's message is then empty. What is wrong with its deliverables alone leaves *out_loaded
 * whole, with a media_folder. out_override: --out, or NULL.
 */
MUST_USE status loaded_show_read(loaded_show *out_loaded, const char *path, const char *out_override, arena *memory,
                                 error_detail *detail);

typedef struct job_options {
    const char *kind;           /**< "run", "check", "plan", "qc" */
    bool replace;
    const char *only;           /**< NULL = all */
    uint32_t cells_per_task;
    const char *meter;          /**< --meter, NULL = none */
    const char *checks;         /**< --checks, NULL = all */
    bool audition;              /**< --audition */
    bool figures_only;          /**< report.json is all that will be asked for */
    uint32_t deadline;          /**< seconds of UTC; 0 = as the show file says */
    uint32_t at_once;           /**< tasks on workers at once; 0 = as many as there are */
    plan_place media;
    plan_place out;
} job_options;

/** The document of a show's job, in arena; NULL when it would be larger than JOB_DOCUMENT_MAX. */
const char *job_document_of_show(const loaded_show *loaded, const job_options *options, arena *memory);

/**
 * The document of a QC job over files: paths relative to the media place, in UTF-8. spec_text: of a spec file given by path,
 * or NULL.
 */
typedef struct qc_files {
    uint32_t file_count;
    const char *const *files;
    const char *spec_name;
    const char *spec_text;      /**< NULL = shipped */
    size_t spec_text_size;
    const char *layout, *order, *frame_rate; /**< NULL = not given */
    json_t *left_out;           /**< why files are not among these, a sentence each; NULL = all are. Taken over. */
} qc_files;
const char *job_document_of_files(const qc_files *files, const job_options *options, arena *memory);

/** The whole of a file of at most size_max bytes, with a NUL after it. */
MUST_USE status read_text_file(const char *path, size_t size_max, arena *memory, const char **out_text, size_t *out_size,
                               error_detail *detail);

#endif
