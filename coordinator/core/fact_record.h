/**
 * One fact as it lies in the journal: little-endian, version first, fixed size. A fact is written once and read for
 * years, so a field is never given another meaning; a new layout is a new version beside the old.
 */
#ifndef COORDINATOR_CORE_FACT_RECORD_H
#define COORDINATOR_CORE_FACT_RECORD_H

#include "common/base/byte_writer.h"
#include "coordinator/core/scheduler.h"

enum { FACT_RECORD_VERSION = 1, FACT_RECORD_BYTES = 40 };

/** Appends FACT_RECORD_BYTES. */
void fact_record_encode(const scheduler_fact *fact, byte_writer *writer);
/** STATUS_PEER_MALFORMED for another size or a value that no fact can have, STATUS_PEER_VERSION for a later version. */
MUST_USE status fact_record_decode(scheduler_fact *out_fact, const void *bytes, size_t byte_size);

#endif
