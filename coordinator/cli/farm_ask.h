/** What the commands about a farm share: asking for a document, finding the jobs that words mean. */
#ifndef COORDINATOR_CLI_FARM_ASK_H
#define COORDINATOR_CLI_FARM_ASK_H

#include "coordinator/cli/cli.h"
#include "coordinator/cli/farm_client.h"

#include <jansson.h>

enum { FARM_ASK_MS = 10000 };

/** A document as JSON; json_decref. */
MUST_USE status farm_ask_json(farm_client *client, const char *what, uint32_t job, json_t **out_answer, error_detail *detail);

/** "" and 0 for what is not there. */
const char *farm_text_of(const json_t *object, const char *key);
double farm_number_of(const json_t *object, const char *key);
bool farm_job_has_ended(const json_t *job);

/** Of several jobs that one word means, which take part. */
typedef enum job_state_wanted { JOBS_ANY, JOBS_RUNNING, JOBS_ENDED } job_state_wanted;
/** The numbers of the jobs that the words mean. Plain numbers are passed on as they are: the farm knows best. */
MUST_USE status farm_ask_jobs(const char *const *words, uint32_t word_count, farm_client *client, job_state_wanted which,
                              arena *memory, uint32_t **out_numbers, uint32_t *out_count, error_detail *detail);

#endif
