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

enum { JOB_LOG_LINE_MAX = 1400, JOB_LOG_BYTES_MAX = 8 << 20 };

/**
 * "time=... level=... event=... job=N " and the format's further pairs. Into the file go all levels, until it is full;
 * that it cannot be written is no reason to stop a job, and is told on the coordinator's log by what else fails then.
 */
void job_log(const farm_job *self, log_level level, const char *event, const char *format, ...) PRINTF_LIKE(4, 5);
/** The whole file, freed by the caller; NULL when out of memory. */
char *job_log_read(const farm_job *self, size_t *out_size);

#endif
