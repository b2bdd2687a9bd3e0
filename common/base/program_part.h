/**
 * Parts of a program in files of their own (lib/reelmill beside the programs' folder), loaded by the first who needs them
 * and then kept: they bring libraries that most runs do without, and whose loading costs more than many a run's work.
 * Their names carry the version, so that a program never meets a part of another installation. deploy/cmake: farm_part.
 */
#ifndef COMMON_BASE_PROGRAM_PART_H
#define COMMON_BASE_PROGRAM_PART_H

#include "common/base/limits.h"
#include "common/base/status.h"

/**
 * The function `symbol` of part `name` ("reelmill-pdf"), written to *out_function, a pointer to a function. Any thread.
 * STATUS_NODE_SYSTEM when the part cannot be loaded.
 */
MUST_USE status program_part_function(const char *name, const char *symbol, void *out_function, error_detail *detail);
/** Where that part lies which is a program of its own ("reelmill-executor"). */
MUST_USE status program_part_path(const char *name, char out_path[PATH_MAX_BYTES], error_detail *detail);

#endif
