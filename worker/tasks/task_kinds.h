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

/**
 * Gives a file its name, if it is still the one that was noted (its time of change apart): an attempt that nobody waits for any
 * more may go on for a moment, and put its own half-written one under the name beside. STATUS_STORAGE_MISMATCH where it is not.
 */
MUST_USE status task_rename(const task_context *context, const storage_root *root, const char *from, const media_identity *noted,
                            const char *to, bool replace);

/** The bytes before an output's audio, the metadata of its objects with them. */
MUST_USE status task_header_build(const task_context *context, const output_header *header, byte_writer *writer);

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
/**
 * A document beside the files: what is there already stays when it is the same, only `replace` puts other data in its place, and
 * the hash list is withdrawn before it changes. what: the sentence of a conflict.
 */
MUST_USE status task_document_put(const task_context *context, const task_path *final, bool replace, const char *what,
                                  const void *bytes, size_t size);
/** True if parts lie in a folder of their own: *out_staged is the final name in it. */
bool task_staged_path(const task_path *part, const task_path *final, task_path *out_staged);
enum { MD5_TEXT_SIZE = 33 };
/**
 * The lists that task->checksums asks for, `<folder_name>.md5` and `.xxh128`, as md5sum and xxhsum read them. They join
 * files, whose room goes to *file_count + 2. md5s: [room] of every file, the lists' own too; not set unless MD5 is asked for.
 */
MUST_USE status task_checksum_lists(const task_context *context, const task_publish *task, const char *folder_name,
                                    task_publish_file *files, uint32_t *file_count, char (*md5s)[MD5_TEXT_SIZE]);
/**
 * The hash list of files that were just published; run again it writes the same. folder_name: of the folder as published; md5s:
 * [task->file_count] or NULL.
 */
MUST_USE status task_manifest_write(const task_context *context, const task_publish *task, const char *folder_name,
                                    char (*md5s)[MD5_TEXT_SIZE]);
/** Takes list and chain away before a file in the folder of `path` changes: a folder that has both is complete. */
MUST_USE status task_manifest_withdraw(const task_context *context, const task_path *file);
MUST_USE status task_discard_run(const task_context *context, const task_discard *task);
MUST_USE status task_deposit_run(const task_context *context, const task_deposit *task);
MUST_USE status task_meter_run(const task_context *context, const task_meter *task);
MUST_USE status task_listen_run(const task_context *context, const task_listen *task);
MUST_USE status task_excerpt_run(const task_context *context, const task_excerpt *task);

#endif
