/**
 * The CLI's end of the wire: one DEALER socket, requests with ids, answers waited for with a time limit. Requests are
 * idempotent (the coordinator answers a repeated id from its store) and are sent again until answered.
 */
#ifndef COORDINATOR_CLI_FARM_CLIENT_H
#define COORDINATOR_CLI_FARM_CLIENT_H

#include "common/base/status.h"
#include "proto/secure_socket.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

typedef struct farm_client farm_client;

/** link is read during the call; NULL where the endpoint is ipc. */
MUST_USE status farm_client_create(farm_client **out_client, const char *endpoint, const link_config *link,
                                   error_detail *detail);
void farm_client_destroy(farm_client **self);
/** Called whenever a request was not answered for a second: brings a private farm back to life. Not OK ends the request. */
typedef status farm_client_tend(void *context, error_detail *detail);
void farm_client_set_tend(farm_client *self, farm_client_tend *tend, void *context);
/**
 * Sends a job document; the job's number comes back once it is durable. request: REQUEST_BYTES that name the submission (sent
 * again, it is the same job), or NULL.
 */
MUST_USE status farm_client_submit(farm_client *self, const char *document, size_t document_size, int32_t priority,
                                   const uint8_t *request, uint32_t timeout_ms, uint32_t *out_job, error_detail *detail);
/** A whole document (JSON, HTML, text), NUL-terminated, freed by the caller. */
MUST_USE status farm_client_query(farm_client *self, const char *what, uint32_t job, uint32_t timeout_ms, char **out_text,
                                  size_t *out_size, error_detail *detail);
/** The list of jobs, which comes in pages, newest first: whole. */
MUST_USE status farm_client_jobs(farm_client *self, uint32_t timeout_ms, json_t **out_list, error_detail *detail);
/** What a document that only grows (logs) has behind the first `from` bytes: perhaps nothing. Freed by the caller. */
MUST_USE status farm_client_query_from(farm_client *self, const char *what, uint32_t job, size_t from, uint32_t timeout_ms,
                                       char **out_text, size_t *out_size, error_detail *detail);
MUST_USE status farm_client_command(farm_client *self, const char *verb, uint32_t job, const char *target,
                                    const char *reason, uint32_t timeout_ms, error_detail *detail);

#endif
