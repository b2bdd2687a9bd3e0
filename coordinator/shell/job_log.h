/**
 * What happened to a job, for people: logfmt lines in its folder's `log`, which outlive the coordinator, and the same on
 * the coordinator's own log. Lines are only ever added, so a reader goes on where it stopped.
 *
 * Threads: the loop's.
 */
#ifndef COORDINATOR_SHELL_JOB_LOG_H
#define COORDINATOR_SHELL_JOB_LOG_H

#include "common/base/log.h"
#include "coordinator/shell/job.h"

#include <sys/types.h>

enum { JOB_LOG_LINE_MAX = 1400, JOB_LOG_BYTES_MAX = 8 << 20, JOB_LOG_FILES = 4 };

/** The logs that were written last, still open: a busy job writes two lines for each task. All zero: none. */
typedef struct job_log_files {
    struct job_log_file {
        uint32_t job; /**< 0: unused */
        int descriptor;
        off_t size;
    } items[JOB_LOG_FILES];
    uint32_t next;
} job_log_files;
void job_log_files_close(job_log_files *self);

/**
 * "time=... level=... event=... job=N " and the format's further pairs. Into the file go all levels, until it is full;
 * that it cannot be written is no reason to stop a job, and is told on the coordinator's log by what else fails then.
 */
void job_log(const farm_job *self, log_level level, const char *event, const char *format, ...) PRINTF_LIKE(4, 5);
/** The whole file, freed by the caller; NULL when out of memory. */
char *job_log_read(const farm_job *self, size_t *out_size);

#endif
