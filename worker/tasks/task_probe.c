/* PROBE: what is this file? What a person must fix is in the facts of a task that succeeded; what is wrong with storage
 * or node is the task's own failure, since another worker may see the file. */
#include "worker/media/media_reader.h"
#include "worker/tasks/task_kinds.h"

#include <string.h>
#include <unistd.h>

status task_probe_run(const task_context *context, const task_probe *task)
{
    const storage_root *root = NULL;
    status code = task_root(context, &task->file, &root);
    if (code != STATUS_OK)
        return code;
    media_facts facts = {0};
    int descriptor = -1;
    code = storage_open_input(root, task->file.path, &descriptor, context->detail);
    if (code == STATUS_OK) {
        code = media_probe(descriptor, task->file.path, &facts);
        close(descriptor);
        if (code != STATUS_OK)
            return error_detail_set(context->detail, code, "%s",
                                    facts.message[0] != '\0' ? facts.message : status_text(code));
    } else if (status_class_of(code) == STATUS_CLASS_INPUT || status_class_of(code) == STATUS_CLASS_LIMIT) {
        facts.outcome = code;
        memcpy(facts.message, context->detail->message, sizeof facts.message);
    } else {
        return code;
    }
    media_facts_encode(&facts, context->payload);
    return STATUS_OK;
}
