#include "worker/tasks/task_run.h"

#include "worker/tasks/task_kinds.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

status task_root(const task_context *context, const task_path *path, const storage_root **out_root)
{
    const storage_root *root = storage_roots_find(context->roots, path->root);
    if (root == NULL)
        return error_detail_set(context->detail, STATUS_STORAGE_DENIED,
                                "%.600s is in the media root %s, which this worker does not have; add it to its configuration",
                                path->path, path->root);
    *out_root = root;
    return STATUS_OK;
}

status task_rename(const task_context *context, const storage_root *root, const char *from, const media_identity *noted,
                   const char *to, bool replace)
{
    int file = -1;
    media_identity found;
    status code = storage_open_published(root, from, &file, context->detail);
    bool same = code == STATUS_OK && storage_identity(file, &found) == STATUS_OK && found.ino == noted->ino &&
                found.size == noted->size && found.mtime_ns == noted->mtime_ns; /* a rename of our own changes ctime */
    if (file >= 0)
        close(file);
    if (code != STATUS_OK && code != STATUS_INPUT_MISSING)
        return code;
    if (!same)
        return error_detail_set(context->detail, STATUS_STORAGE_MISMATCH,
                                "%.600s: something replaced it or wrote to it while it was looked at; find out what, then retry",
                                from);
    return storage_rename(root, from, to, replace, context->detail);
}

void task_progress(const task_context *context, uint64_t done, uint64_t total)
{
    if (context->host->progress == NULL || total == 0)
        return;
    uint64_t permille = done >= total ? 1000 : done / (total / 1000 + 1);
    context->host->progress(context->host->context, (uint32_t)permille);
}

status task_name_file(const task_context *context, status code, const task_path *path)
{
    if (code == STATUS_OK || context->detail == NULL)
        return code;
    char sentence[400];
    snprintf(sentence, sizeof sentence, "%.399s", context->detail->message);
    return error_detail_set(context->detail, code, "%.600s: %s", path->path, sentence);
}

static status task_run_body(const task_context *context, const task_body *body)
{
    switch (body->kind) {
    case TASK_PROBE:
        return task_probe_run(context, &body->probe);
    case TASK_ALLOCATE:
        return task_allocate_run(context, &body->allocate);
    case TASK_RENDER:
    case TASK_INSPECT:
        return task_render_run(context, &body->render);
    case TASK_SEAL:
        return task_seal_run(context, &body->seal);
    case TASK_VERIFY:
        return task_verify_run(context, &body->verify);
    case TASK_PUBLISH:
        return task_publish_run(context, &body->publish);
    case TASK_DISCARD:
        return task_discard_run(context, &body->discard);
    case TASK_DEPOSIT:
        return task_deposit_run(context, &body->deposit);
    case TASK_METER:
        return task_meter_run(context, &body->meter);
    case TASK_LISTEN:
        return task_listen_run(context, &body->listen);
    case TASK_EXCERPT:
        return task_excerpt_run(context, &body->excerpt);
    case TASK_KIND_REMOTE_END:
    case TASK_PLAN:
    case TASK_MERGE:
    case TASK_GAIN:
    case TASK_COMPOSE:
        break;
    }
    return error_detail_set(context->detail, STATUS_PEER_MALFORMED, "a task of kind %d is not one for a worker",
                            (int)body->kind);
}

status task_run(task_kind kind, const void *body, size_t body_size, const storage_roots *roots, const dsp_table *dsp,
                const task_host *host, byte_writer *payload, error_detail *detail)
{
    error_detail unread; /* so that the kinds may always write a sentence and read it back */
    task_context context = {
        .roots = roots, .dsp = dsp, .host = host, .payload = payload, .detail = detail != NULL ? detail : &unread};
    *context.detail = (error_detail){0};
    arena memory;
    arena_init(&memory);
    task_body *decoded = arena_take(&memory, sizeof *decoded);
    status code = task_body_decode(decoded, kind, body, body_size, &memory);
    if (code != STATUS_OK)
        error_detail_set(context.detail, code, "the body of a %s task cannot be read: coordinator and worker differ in version",
                         task_kind_name(kind));
    else
        code = task_run_body(&context, decoded);
    if (code == STATUS_OK && payload->failed)
        code = error_detail_set(context.detail, STATUS_NODE_MEMORY, "no memory is left for the result of a %s task",
                                task_kind_name(kind));
    if (code != STATUS_OK && context.detail->message[0] == '\0')
        error_detail_set(context.detail, code, "a %s task failed: %s", task_kind_name(kind), status_text(code));
    if (code == STATUS_OK)
        *context.detail = (error_detail){0}; /* what was tried and is no failure leaves no sentence behind */
    arena_deinit(&memory);
    return code;
}
