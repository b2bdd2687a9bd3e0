/** A file written whole beside its name, which it then takes: it is never half of the old and half of the new. */
#ifndef COORDINATOR_CLI_FILE_REPLACE_H
#define COORDINATOR_CLI_FILE_REPLACE_H

#include "common/base/status.h"

#include <stddef.h>

/** Durable when it returns. A file that was there keeps its mode. */
MUST_USE status file_replace(const char *path, const void *bytes, size_t byte_size, error_detail *detail);

#endif
