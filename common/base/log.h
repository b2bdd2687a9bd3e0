/**
 * Log lines of the shells: logfmt on stderr (`level=info event=worker.joined worker=...`). Only programs and shells
 * log; libraries return a status. Control characters in values are replaced, and what a value in quotes holds (key="%s")
 * cannot end them: '"' and '\' get a '\' before them. Secrets are never passed here.
 */
#ifndef COMMON_BASE_LOG_H
#define COMMON_BASE_LOG_H

#include "common/base/status.h"

#include <stdarg.h>
#include <stddef.h>

typedef enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_SILENT } log_level;

/** Lines below this level are dropped. Set once by the program before its loop starts. */
void log_set_level(log_level level);
/** Who speaks, as further pairs behind the event of every line (`worker="node-1"`). Set once, as the level. */
void log_set_identity(const char *pairs);
/** event: dotted lower-case words; format gives further key=value pairs, already in logfmt; may be "". */
void log_line(log_level level, const char *event, const char *format, ...) PRINTF_LIKE(3, 4);

/** The pairs of a line alone: as vsnprintf does it for %d %i %u %x %c %f %s, with the quotes of values kept whole. */
void log_values(char *out, size_t out_size, const char *format, va_list arguments) PRINTF_LIKE(3, 0);
/** The same line into out, newline included; returns its length, at most out_size - 1. */
int log_format(char *out, size_t out_size, log_level level, const char *event, const char *format, ...) PRINTF_LIKE(5, 6);

#endif
