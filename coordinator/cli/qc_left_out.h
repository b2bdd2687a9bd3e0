/**
 * Programmes of a `qc` over many files that cannot be judged: a file that cannot be used, and with it the set of mono files that
 * it belongs to. The others are judged without them; these stand in the report as incomplete, with what is wrong.
 */
#ifndef COORDINATOR_CLI_QC_LEFT_OUT_H
#define COORDINATOR_CLI_QC_LEFT_OUT_H

#include <jansson.h>
#include <stdbool.h>

/** result: of a look at the files (kind "check"). A new array of programmes as report.json has them. */
json_t *qc_left_out(const json_t *result);
/** One file that no report can name as it is called; shown: its name as a person may read it. */
json_t *qc_left_out_name(const char *shown, const char *why);
/** True if a file, as the job names it, is of one of them. */
bool qc_left_out_has(const json_t *left_out, const char *path);
/** Appends a sentence about each of them, for the report that others read. */
void qc_left_out_tell(json_t *sentences, const json_t *left_out);
/** Appends them to a report, which is incomplete then where it was not worse. */
void qc_left_out_add(json_t *report, const json_t *left_out);

#endif
