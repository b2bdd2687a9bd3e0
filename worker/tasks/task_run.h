/**
 * Runs one task of any kind, in the executor. One file per task kind beside this header.
 *
 * What a task needs from its parent comes by the host: cells and progress go up, document chunks come down.
 */
#ifndef WORKER_TASKS_TASK_RUN_H
#define WORKER_TASKS_TASK_RUN_H

#include "proto/task_body.h"
#include "worker/dsp/dsp_table.h"
#include "worker/media/storage_root.h"

typedef struct task_host {
    void *context;
    status (*cell)(void *context, const message_cell *cell); /**< attempt is filled in by the host */
    void (*progress)(void *context, uint32_t done_permille);
    /** Blocks for one chunk of a document of the job. */
    status (*fetch)(void *context, uint32_t document, uint64_t offset, uint8_t *bytes, size_t capacity, size_t *out_size,
                    uint64_t *out_total);
} task_host;

/**
 * Decodes and runs a task; the payload of its RESULT is appended to payload. Returns the RESULT's code, with the
 * sentence for the person in detail.
 */
MUST_USE status task_run(task_kind kind, const void *body, size_t body_size, const storage_roots *roots,
                         const dsp_table *dsp, const task_host *host, byte_writer *payload, error_detail *detail);

#endif
