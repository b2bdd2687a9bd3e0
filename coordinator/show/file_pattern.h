/**
 * File patterns: "{reel}_MX.{ch}.wav". {reel} and {ch} are replaced by the reel's name and the channel's label;
 * {Lrs=Lsr} stands for nothing and says that channel Lrs is called Lsr in these file names; {brace} is a '{'.
 */
#ifndef COORDINATOR_SHOW_FILE_PATTERN_H
#define COORDINATOR_SHOW_FILE_PATTERN_H

#include "common/base/arena.h"

#include <stdbool.h>

typedef struct file_pattern_facts {
    bool per_reel;
    bool multi_mono;
} file_pattern_facts;

/** NULL if the pattern is right, else what is wrong with it and what to do, as the end of a sentence. */
const char *file_pattern_fault(const char *pattern, file_pattern_facts *out_facts, arena *arena);
/** A pattern that means exactly this file name. */
const char *file_pattern_literal(const char *file_name, arena *arena);

#endif
