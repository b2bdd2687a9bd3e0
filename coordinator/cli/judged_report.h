/** The programmes of a report judged by another spec: from measures.bin all that a run would say, from report.json levels alone. */
#ifndef COORDINATOR_CLI_JUDGED_REPORT_H
#define COORDINATOR_CLI_JUDGED_REPORT_H

#include "coordinator/verdict/verdict.h"

#include <jansson.h>

/** A programme, or a stem in one reel (then what was heard of it, which no spec changes). */
typedef struct judged_item {
    const char *name;
    bool of_stem;
    verdict_word word;
    finding_list findings;
} judged_item;

typedef struct judged_list {
    uint32_t count;
    judged_item *items;
    struct job_measures *measures; /**< what the findings point into, or NULL */
} judged_list;

/** Which part is judged: places as a person writes them, NULL = open. */
typedef struct judged_range {
    const char *from, *to;
} judged_range;

/**
 * From the measures beside a report. title: waivers to use instead of those of the job, or NULL. With a range only levels
 * and the forms of files are judged. What was made is closed by the caller, on failure too.
 */
MUST_USE status judged_from_measures(judged_list *out_list, const char *path, const spec *rules, const judged_range *range,
                                     const show *title, arena *memory, error_detail *detail);
void judged_list_close(judged_list *self);
/** From the figures of a report.json. */
MUST_USE status judged_from_figures(judged_list *out_list, const json_t *report, const spec *rules, const show *title,
                                    arena *memory);

#endif
