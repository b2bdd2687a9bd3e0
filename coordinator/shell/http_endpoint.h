/**
 * What a browser and Prometheus may see of a farm, over HTTP: read-only, no key, nothing that changes anything.
 *
 *   /                     the dashboard: one page, nothing from elsewhere
 *   /jobs.json /nodes.json /jobs/N.json /jobs/N/report.json /jobs/N/report.html     as the CLI's --json has them
 *   /farm.json /nodes/N.json /jobs/N/grid.json, and /jobs.json and /nodes.json with ?from=&rows=&state=&find=: the page's own
 *   /metrics              Prometheus' text format
 *   /healthz              "ok" while the loop turns
 *   /events               server-sent events: "change" with a number that rises whenever something has changed
 *
 * Bounds: CONNECTIONS_MAX connections; where they run short, the longest idle one of the address that has the most goes,
 * and likewise the oldest stream: whoever holds many makes room, others are not locked out. 10 s until a first request,
 * 30 s without a word after it (streams are told something every second), 16 KiB of request each; GET and HEAD only. What
 * documents cost is counted where viewers' questions are; beyond it the answer is 503. Whoever may not see titles and
 * figures must not reach the address: it is off unless configured, and has no encryption of its own (docs/operations.md).
 *
 * Threads: the loop's, which also calls `ask`.
 */
#ifndef COORDINATOR_SHELL_HTTP_ENDPOINT_H
#define COORDINATOR_SHELL_HTTP_ENDPOINT_H

#include "common/base/status.h"
#include "coordinator/shell/farm_pages.h"

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

typedef struct http_endpoint http_endpoint;

/** A document as text, the caller's to free; NULL with detail. page: one of farm_page's, else NULL: one of farm_query's. */
typedef char *(*http_ask_fn)(void *context, const char *what, uint32_t number, const page_query *page, size_t *out_size,
                             error_detail *detail);
/** A number that differs once something has changed. */
typedef uint64_t (*http_version_fn)(void *context);

typedef struct http_endpoint_config {
    const char *address; /**< "127.0.0.1:7071", "[::1]:7071", "0.0.0.0:7071" */
    http_ask_fn ask;
    http_version_fn version;
    void *context;
} http_endpoint_config;

/** STATUS_INPUT_INVALID for an address that is none. */
MUST_USE status http_endpoint_check(const char *address, error_detail *detail);
/** STATUS_INPUT_INVALID for an address that is none; STATUS_NODE_SYSTEM when it cannot be listened on. */
MUST_USE status http_endpoint_create(http_endpoint **out_endpoint, uv_loop_t *loop, const http_endpoint_config *config,
                                     error_detail *detail);
/** Closes every connection; its handles go with the loop's next turn. NULL is fine. */
void http_endpoint_close(http_endpoint **self);

#endif
