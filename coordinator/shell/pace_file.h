/**
 * The paces that a farm has learnt, as a text file in the state folder: a line per node and kind of task. It is written
 * anew as a whole; losing it costs nothing but the accuracy of the next forecasts.
 *
 * Threads: any, one at a time per table.
 */
#ifndef COORDINATOR_SHELL_PACE_FILE_H
#define COORDINATOR_SHELL_PACE_FILE_H

#include "coordinator/forecast/pace_table.h"

/** No file is an empty table. STATUS_STORAGE_* with a sentence; what was read up to a wrong line stays. */
MUST_USE status pace_file_read(pace_table *out_table, const char *path, error_detail *detail);
MUST_USE status pace_file_write(const pace_table *table, const char *path, error_detail *detail);

#endif
