/**
 * The open file while it is probed: bounded reads, and the one place where "this file cannot be used" is said.
 *
 * Walkers return bool: false ends the probe, either because the file is refused (facts->outcome is set) or because
 * reading itself failed (failure is set). Internal to worker/media.
 */
#ifndef WORKER_MEDIA_PROBE_SOURCE_H
#define WORKER_MEDIA_PROBE_SOURCE_H

#include "common/media/adm_xml.h"
#include "common/media/media_facts.h"

typedef struct probe_source {
    int descriptor;
    uint64_t size;       /**< of the file when the probe began */
    const char *display; /**< borrowed */
    media_facts *facts;
    status failure;      /**< of the storage, not of the file */
} probe_source;

/** Reads exactly byte_size bytes at offset; what the file does not hold refuses it as truncated. */
bool probe_read(probe_source *self, uint64_t offset, void *bytes, size_t byte_size);
/** The bytes of its axml: refused and failing as above, while self lives. */
adm_source probe_text(probe_source *self, uint64_t offset, uint64_t byte_size);
/** Refuses the file. The sentence begins with the file's name: format continues it ("is empty; ..."). Returns false. */
bool probe_refuse(probe_source *self, status code, const char *format, ...) PRINTF_LIKE(3, 4);
/** Refuses a file whose header promises more frames than it holds. Returns false. */
bool probe_refuse_truncated(probe_source *self, uint64_t frames_found, uint64_t frames_expected);

#endif
