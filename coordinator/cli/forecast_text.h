/** A forecast (coordinator/shell/forecast_json.h) as sentences on stdout. */
#ifndef COORDINATOR_CLI_FORECAST_TEXT_H
#define COORDINATOR_CLI_FORECAST_TEXT_H

#include "common/base/status.h"

#include <jansson.h>
#include <stdint.h>
#include <time.h>

/** by: "HH:MM" or NULL; it has been checked. */
void forecast_text_print(const json_t *forecast, const char *by);
/** Seconds from now until the next HH:MM of this machine's clock. STATUS_INPUT_INVALID with a sentence. */
MUST_USE status forecast_text_until(const char *by, time_t now, double *out_seconds, error_detail *detail);
/** The least slots that have it ready within so long, on the straight line between the points; 0: none. */
uint32_t forecast_text_slots(const json_t *forecast, double within_s);
/** What it took against what was forecast: ", 21 % less", ", 274 % longer"; "" = the same. Returns `out`. */
const char *forecast_text_miss(double predicted_s, double actual_s, char *out, size_t out_size);

#endif
