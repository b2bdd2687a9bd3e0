/** One text read as a show file, with its problems at hand. */
#ifndef TESTS_UNIT_SHOW_SHOW_READING_H
#define TESTS_UNIT_SHOW_SHOW_READING_H

#include "coordinator/show/show_file.h"
#include "coordinator/show/spec.h"

typedef struct show_reading {
    arena memory;
    problem_list problems;
    show film;
    status code;
} show_reading;

/** The example of the contract: two reels, five stems, five deliverables (shipped recipes and specs only). */
extern const char *const show_reading_example;

void show_reading_init(show_reading *self);
void show_reading_deinit(show_reading *self);
/** Reads a text as "show.yaml" after forgetting the last one. */
status show_reading_parse(show_reading *self, const char *text);
/** The example with one stretch replaced (which must be there), read. */
status show_reading_changed(show_reading *self, const char *from, const char *to);
/** show_resolve with the shipped library. */
status show_reading_resolve(show_reading *self);
/** Asserts one error at line:column whose message holds every word given (ends with NULL), and no other error. */
void show_reading_expect(const show_reading *self, uint32_t line, uint32_t column, ...);
/** Number of problems of a severity whose message holds the text. */
size_t show_reading_said(const show_reading *self, problem_severity severity, const char *text);
void show_reading_no_problems(const show_reading *self);

#endif
