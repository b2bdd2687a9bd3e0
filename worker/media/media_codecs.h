/** What libsndfile of this machine can decode. */
#ifndef WORKER_MEDIA_MEDIA_CODECS_H
#define WORKER_MEDIA_MEDIA_CODECS_H

#include <stddef.h>

/** The library's name and version. */
const char *media_codecs_library(void);
/** Those of the formats that a show may come in which it lacks, "CAF, FLAC"; "" = it has them all. */
void media_codecs_missing(char *out, size_t out_size);

#endif
