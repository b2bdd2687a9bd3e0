/* DISCARD: the .part files of a generation that will not be finished, and the folders that they leave empty. */
#include "worker/tasks/task_kinds.h"

status task_discard_run(const task_context *context, const task_discard *task)
{
    status result = STATUS_OK;
    error_detail first = {0};
    for (uint32_t i = 0; i < task->file_count; i++) {
        const storage_root *root = NULL;
        status code = task_root(context, &task->files[i], &root);
        if (code == STATUS_OK)
            code = storage_remove(root, task->files[i].path, context->detail);
        if (code == STATUS_OK)
            storage_remove_empty_folders(root, task->files[i].path);
        /* One that cannot be removed does not keep the others; the first failure is the one reported. */
        if (code != STATUS_OK && result == STATUS_OK) {
            result = code;
            first = *context->detail;
        }
    }
    if (result != STATUS_OK)
        *context->detail = first;
    return result;
}
