/** What `qc` prints: one line per programme, worst first, with what was found below it while there are few; counts on stderr. */
#ifndef COORDINATOR_CLI_QC_TABLE_H
#define COORDINATOR_CLI_QC_TABLE_H

#include <jansson.h>

/** report: as report.json is. */
void qc_table_print(const json_t *report);

#endif
