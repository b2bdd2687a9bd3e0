/** Findings of a report.json on disk. */
#ifndef COORDINATOR_CLI_REPORT_READ_H
#define COORDINATOR_CLI_REPORT_READ_H

#include "coordinator/cli/cli.h"
#include "coordinator/cli/job_document_write.h"

#include <jansson.h>

/**
 * Where a document of a report ("report.json", "measures.bin") is to be read: the command's first word is a show file, a
 * report.json, or a job of a farm (a number, or `last`), whose document is then fetched. title, if not NULL, gets the waivers
 * of a show file.
 */
MUST_USE status report_locate(const cli_arguments *arguments, const char *document, arena *memory, const char **out_path,
                              show *title, error_detail *detail);
/** Where a run of the show leaves its report.json. */
const char *report_of_show(const loaded_show *loaded, arena *memory);
/** The whole report; *out_document is the caller's to release. */
MUST_USE status report_read(const char *path, arena *memory, json_t **out_document, error_detail *detail);
/** One finding by its id, of a programme or a stem. *out_document is the caller's to release and holds *out_finding. */
MUST_USE status report_read_finding(const char *path, const char *id, arena *memory, json_t **out_document,
                                    const json_t **out_finding, error_detail *detail);

#endif
