/** A small show for the farm of farm_harness.h: submitting it, and what must come of it. */
#ifndef TESTS_COORDINATOR_SHELL_FARM_SHOW_H
#define TESTS_COORDINATOR_SHELL_FARM_SHOW_H

#include "farm_harness.h"

#include <jansson.h>

enum { INPUT_FRAMES = 48000 * 30, INPUT_COUNT = 6 };
/** Two reels of 20 s of action after 8 s of leader; the joined programme has 1,920,000 samples, 4 cells per reel. */
extern const char show_text[];

void make_id(uint8_t id[REQUEST_BYTES], uint8_t number);
/** The job's document, for free(). */
char *make_document(const char *kind, const char *text, bool with_out);
/** The job's number. kind: "run", "check", ... */
uint32_t submit(farm_harness *farm, const char *kind, const char *text, uint8_t number);
/** The document of its end. */
json_t *await(farm_harness *farm, uint32_t job);
json_int_t number_at(const json_t *document, const char *key);
const char *text_at(const json_t *document, const char *key);
/** What a finished run must look like, whatever happened on the way. */
void expect_delivered(farm_harness *farm, const json_t *document);

#endif
