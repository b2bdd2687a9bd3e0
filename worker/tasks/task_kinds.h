/**
 * What the files of worker/tasks share: the surroundings of one running task, and one function per kind. Each appends its
 * payload and returns the RESULT's code. Internal to worker/tasks.
 */
#ifndef WORKER_TASKS_TASK_KINDS_H
#define WORKER_TASKS_TASK_KINDS_H

#include "worker/tasks/task_run.h"

typedef struct task_context {
    const storage_roots *roots;
    const dsp_table *dsp;
    const task_host *host;
    byte_writer *payload;
    error_detail *detail;
} task_context;

/** The media root of a path. STATUS_STORAGE_DENIED when this worker has none of that name: another may. */
MUST_USE status task_root(const task_context *context, const task_path *path, const storage_root **out_root);
/** Sets `done of total` bytes as progress. */
void task_progress(const task_context *context, uint64_t done, uint64_t total);
/** Puts the file's name in front of the sentence that code left in detail, and returns code. */
status task_name_file(const task_context *context, status code, const task_path *path);

MUST_USE status task_probe_run(const task_context *context, const task_probe *task);
MUST_USE status task_allocate_run(const task_context *context, const task_allocate *task);
MUST_USE status task_render_run(const task_context *context, const task_render *task);
MUST_USE status task_seal_run(const task_context *context, const task_seal *task);
MUST_USE status task_verify_run(const task_context *context, const task_verify *task);
MUST_USE status task_publish_run(const task_context *context, const task_publish *task);
/** Writes the control data of files[0] beside it; *out_file is what was written, as it would be published. */
MUST_USE status task_control_write(const task_context *context, const task_publish *task, task_publish_file *out_file);
/** A small file under its final name: written beside it, synced, then renamed over what is there. */
MUST_USE status task_file_put(const task_context *context, const storage_root *root, const char *path, const void *bytes,
                              size_t size);
/** The hash list of files that were just published; run again it writes the same. */
MUST_USE status task_manifest_write(const task_context *context, const task_publish *task);
/** Takes list and chain away before a file in the folder of `path` changes: a folder that has both is complete. */
MUST_USE status task_manifest_withdraw(const task_context *context, const task_path *file);
MUST_USE status task_discard_run(const task_context *context, const task_discard *task);
MUST_USE status task_deposit_run(const task_context *context, const task_deposit *task);
MUST_USE status task_meter_run(const task_context *context, const task_meter *task);
MUST_USE status task_listen_run(const task_context *context, const task_listen *task);

#endif
