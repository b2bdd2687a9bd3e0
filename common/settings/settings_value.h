/** Values of settings, from a flag or a file: each wrong one is told with its place, what was found and what is allowed. */
#ifndef COMMON_SETTINGS_SETTINGS_VALUE_H
#define COMMON_SETTINGS_SETTINGS_VALUE_H

#include "common/base/log.h"
#include "common/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** where: "--slots", or "worker.yaml:3:8". */
MUST_USE status settings_text(char *out, size_t out_size, const char *where, const char *text, error_detail *detail);
MUST_USE status settings_number(uint32_t *out, const char *where, const char *text, uint32_t low, uint32_t high,
                                error_detail *detail);
MUST_USE status settings_bool(bool *out, const char *where, const char *text, error_detail *detail);
MUST_USE status settings_log_level(log_level *out, const char *where, const char *text, error_detail *detail);
/** The name of a file that holds a secret; the secret itself is refused, and not repeated in the sentence. */
MUST_USE status settings_secret_file(char *out, size_t out_size, const char *where, const char *text, error_detail *detail);

#endif
