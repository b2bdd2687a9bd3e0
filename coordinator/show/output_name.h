/**
 * Names of delivered files from a template: "{slug}_{deliverable}{_language}{_reel}{.channel}". A word in braces stands for its
 * value; with '_', '-' or '.' in front of it for that sign and the value, and for nothing where there is no value. Everything
 * else is letters, digits and those three signs. ".wav" is added.
 */
#ifndef COORDINATOR_SHOW_OUTPUT_NAME_H
#define COORDINATOR_SHOW_OUTPUT_NAME_H

#include "common/base/arena.h"
#include "common/base/status.h"

#define OUTPUT_NAME_DEFAULT "{slug}_{deliverable}{_language}{_reel}{.channel}"

enum { OUTPUT_NAME_WORDS = 6, OUTPUT_NAME_MAX = 256 };

/** "slug", "version", "deliverable", "language", "reel", "channel": in this order are the values. */
extern const char *const output_name_words[OUTPUT_NAME_WORDS + 1];

/** STATUS_INPUT_SYNTAX with a sentence for a template that is none. */
MUST_USE status output_name_check(const char *template, error_detail *detail);
/** The name of one file; the template was checked. "" is no value. */
const char *output_name_make(const char *template, const char *const values[OUTPUT_NAME_WORDS], arena *memory);

#endif
