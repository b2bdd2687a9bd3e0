/** A show that has been read, given to a farm of others: its folders are found below the farm's media roots first. */
#ifndef COORDINATOR_CLI_SHOW_SUBMIT_H
#define COORDINATOR_CLI_SHOW_SUBMIT_H

#include "coordinator/cli/farm_client.h"
#include "coordinator/cli/job_document_write.h"

typedef struct show_order {
    job_options options;    /**< media and out are filled in */
    int32_t priority;
    const uint8_t *request; /**< REQUEST_BYTES: the same request makes one job, however often it is sent; NULL = a new one */
} show_order;

MUST_USE status show_submit(farm_client *client, const loaded_show *loaded, show_order *order, arena *memory, uint32_t *out_job,
                            error_detail *detail);

#endif
