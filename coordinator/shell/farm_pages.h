/**
 * What the dashboard asks for: bounded work however many jobs and nodes there are, a page of rows at a time. JSON texts
 * are freed by the caller.
 *
 * Threads: the loop's.
 */
#ifndef COORDINATOR_SHELL_FARM_PAGES_H
#define COORDINATOR_SHELL_FARM_PAGES_H

#include "common/base/status.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct farm_state;
struct worker_node;

enum { PAGE_ROWS_MAX = 200, PAGE_FIND_BYTES = 64 };

/** Which rows: of those that fit, `rows` from `from` on. */
typedef struct page_query {
    uint32_t from, rows;            /**< rows 0: all that the plain document has */
    char state[16];                 /**< "" = any */
    char find[PAGE_FIND_BYTES];     /**< in title, name or number, whatever the case; "" = any */
} page_query;

/**
 * farm: the whole in figures. jobs, nodes: rows. node: one by its worker number. grid: a job's cells by reel and
 * deliverable. NULL: with STATUS_INPUT_MISSING there is no such thing; STATUS_INPUT_INVALID: none of these is asked.
 */
char *farm_page(struct farm_state *self, const char *what, uint32_t number, const page_query *query, size_t *out_size,
                error_detail *detail);

/**
 * A report as these pages show it, taking the text of report.html: the same, but that where it has players it says where the
 * audio lies. Whoever reaches the pages may see titles and figures; what a film sounds like they do not serve, and the
 * coordinator opens no media. NULL: out of memory.
 */
char *farm_page_report(char *report, size_t *size);

/** One node as `nodes --json` has it. */
json_t *farm_node_json(const struct farm_state *self, const struct worker_node *node);

#endif
