/** The broadcast extension chunk, EBU Tech 3285 versions 0, 1 and 2. Internal to worker/media. */
#ifndef WORKER_MEDIA_BEXT_PARSE_H
#define WORKER_MEDIA_BEXT_PARSE_H

#include "common/media/media_facts.h"

enum {
    BEXT_FIXED_BYTES = 602,
    /* A chunk that ends before its version says nothing that can be used. */
    BEXT_USABLE_BYTES = 348
};

/** bytes: the first byte_size (BEXT_USABLE_BYTES .. BEXT_FIXED_BYTES) of the chunk. */
void bext_parse(const uint8_t *bytes, size_t byte_size, media_bext *out_bext);

#endif
