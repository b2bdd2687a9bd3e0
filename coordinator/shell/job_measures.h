/**
 * measures.bin: everything a job's verdict was made from, in one file beside the report. Whoever has it can judge the
 * programmes again, by another spec, without any audio and without the farm.
 *
 * Little-endian: u32 magic, u32 version, u32 header size, u32 0, XXH3-128 of the header, the header, then the cell records
 * of the job's measure file (cell_file.h; each carries its own digest). The header: engine, job document, facts of the
 * inputs, how it was planned and the plan's digest, what the tracks were heard to hold, where each programme's cells lie,
 * what became of the files, problems, and how long it took: all that the reports are made from.
 *
 * Threads: any; one object belongs to one thread.
 */
#ifndef COORDINATOR_SHELL_JOB_MEASURES_H
#define COORDINATOR_SHELL_JOB_MEASURES_H

#include "coordinator/shell/job.h"
#include "coordinator/shell/job_compose.h"

enum { JOB_MEASURES_VERSION = 5, JOB_MEASURES_HEADER_MAX = 64 << 20, JOB_MEASURES_MAX = 256 << 20 };

/**
 * Writes the file into the job's folder, durably. Nothing is written and out_document->size is 0 where it would be larger
 * than JOB_MEASURES_MAX.
 */
MUST_USE status job_measures_write(const compose_input *input, composed_document *out_document, error_detail *detail);

/** A job's measures read back. */
typedef struct job_measures {
    job_source *source;
    media_facts *facts;
    plan *plan;
    compose_input input; /**< as job_compose had it; cells_path is the file itself, and folder is not set */
    content_hash digest; /**< of the header: two runs have the same only if they came to the same */
    problem_list problems;
    arena arena;
} job_measures;

/**
 * path is kept in input.cells_path and must outlive the object. STATUS_INPUT_INVALID for a file that is damaged, of another
 * version, or of a reelmill that plans otherwise. On failure there is nothing to close.
 */
MUST_USE status job_measures_open(job_measures *out_measures, const char *path, error_detail *detail);
void job_measures_close(job_measures *self);

#endif
