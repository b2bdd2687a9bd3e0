/** What a received ADM file holds, for report.json and the page. Not for others. */
#ifndef COORDINATOR_REPORT_REPORT_ADM_H
#define COORDINATOR_REPORT_REPORT_ADM_H

#include "coordinator/report/page.h"
#include "coordinator/report/report.h"

#include <jansson.h>

/** Text of strangers; null for NULL. */
json_t *report_json_text(const char *text);
/** null: rendered, or no ADM. */
json_t *report_adm_json(const report_model *model, uint32_t deliverable);
/** Nothing where there is no ADM. */
void report_adm_page(page *self, const report_model *model, uint32_t deliverable);

#endif
