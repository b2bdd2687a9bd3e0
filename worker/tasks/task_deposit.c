/*
 * DEPOSIT: the reports. Fetched in chunks from the coordinator, written beside their final names, synced, then renamed.
 * The last rename is the job's commit point, so no name changes before every document is whole on the medium.
 */
#include "worker/tasks/task_kinds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool deposit_part_path(const task_document *document, task_path *out_part)
{
    *out_part = document->final;
    int length = snprintf(out_part->path, sizeof out_part->path, "%s.deposit.part", document->final.path);
    return length > 0 && (size_t)length < sizeof out_part->path;
}

static bool deposit_is_there(const task_context *context, const task_path *path)
{
    int descriptor = -1;
    const storage_root *root = storage_roots_find(context->roots, path->root);
    if (root == NULL || storage_open_published(root, path->path, &descriptor, NULL) != STATUS_OK)
        return false;
    close(descriptor);
    return true;
}

/* Is the report in place the proof of something that this run has not made? */
static bool deposit_goes_aside(const task_context *context, const task_deposit *task)
{
    bool stands = false;
    for (uint32_t i = 0; i < task->standing_count && !stands; i++)
        stands = deposit_is_there(context, &task->standing[i]);
    return stands && task->document_count > 0 && deposit_is_there(context, &task->documents[0].final);
}

static status deposit_move_aside(const task_context *context, task_path *final)
{
    task_path beside = *final;
    const char *name = strrchr(final->path, '/');
    size_t folder = name == NULL ? 0 : (size_t)(name - final->path) + 1;
    int length = snprintf(beside.path, sizeof beside.path, "%.*s%s/%s", (int)folder, final->path, TASK_DEPOSIT_ASIDE,
                          final->path + folder);
    if (length < 0 || (size_t)length >= sizeof beside.path)
        return error_detail_set(context->detail, STATUS_LIMIT, "the path %.600s is too long", final->path);
    *final = beside;
    return STATUS_OK;
}

/*
 * What an earlier run left beside the report that now stands is out of date. Best effort, and only what a run writes there:
 * somebody's own file keeps the folder.
 */
static void deposit_remove_aside(const task_context *context, const task_deposit *task)
{
    const task_context quiet = {0};
    for (uint32_t i = 0; i < task->document_count; i++) {
        task_document old = task->documents[i];
        task_path part;
        const storage_root *root = storage_roots_find(context->roots, old.final.root);
        if (root == NULL || deposit_move_aside(&quiet, &old.final) != STATUS_OK)
            continue;
        (void)!storage_remove(root, old.final.path, NULL);
        if (deposit_part_path(&old, &part))
            (void)!storage_remove(root, part.path, NULL);
        storage_remove_empty_folders(root, old.final.path);
    }
}

static status deposit_fetch(const task_context *context, const task_document *document, int descriptor, uint8_t *chunk)
{
    content_hash_stream stream;
    content_hash_stream_init(&stream);
    for (uint64_t offset = 0; offset < document->size;) {
        size_t got = 0;
        uint64_t total = 0;
        status code = context->host->fetch(context->host->context, document->document, offset, chunk,
                                           DOCUMENT_CHUNK_MAX, &got, &total);
        if (code != STATUS_OK)
            return error_detail_set(context->detail, code, "fetching it from the coordinator failed: %s", status_text(code));
        if (got == 0 || got > DOCUMENT_CHUNK_MAX || total != document->size || got > document->size - offset)
            return error_detail_set(context->detail, STATUS_PEER_IMPOSSIBLE,
                                    "the coordinator gave %zu bytes of %llu at byte %llu, expected a document of %llu",
                                    got, (unsigned long long)total, (unsigned long long)offset,
                                    (unsigned long long)document->size);
        content_hash_stream_add(&stream, chunk, got);
        code = storage_write_at(descriptor, chunk, got, offset, context->detail);
        if (code != STATUS_OK)
            return code;
        offset += got;
    }
    content_hash digest = content_hash_stream_digest(&stream);
    if (!content_hash_equal(&digest, &document->digest))
        return error_detail_set(context->detail, STATUS_PEER_IMPOSSIBLE,
                                "the document that the coordinator sent is not the one that it announced");
    return storage_sync(descriptor, context->detail);
}

static status deposit_write(const task_context *context, const task_document *document, uint8_t *chunk, media_identity *out_written)
{
    const storage_root *root = NULL;
    task_path part;
    status code = task_root(context, &document->final, &root);
    if (code != STATUS_OK)
        return code;
    if (!deposit_part_path(document, &part))
        return error_detail_set(context->detail, STATUS_LIMIT, "the path %.600s is too long", document->final.path);
    int descriptor = -1;
    code = storage_remove(root, part.path, context->detail);
    if (code == STATUS_OK)
        code = storage_create_output(root, part.path, document->size, &descriptor, context->detail);
    if (code != STATUS_OK)
        return code;
    code = deposit_fetch(context, document, descriptor, chunk);
    if (code == STATUS_OK)
        code = storage_identity(descriptor, out_written);
    if (close(descriptor) != 0 && code == STATUS_OK)
        code = error_detail_set(context->detail, STATUS_STORAGE_IO, "closing failed; check the storage");
    return task_name_file(context, code, &document->final);
}

static void deposit_remove_parts(const task_context *context, const task_deposit *task)
{
    for (uint32_t i = 0; i < task->document_count; i++) {
        const storage_root *root = storage_roots_find(context->roots, task->documents[i].final.root);
        task_path part;
        if (root != NULL && deposit_part_path(&task->documents[i], &part))
            (void)!storage_remove(root, part.path, NULL);
    }
}

status task_deposit_run(const task_context *context, const task_deposit *wanted)
{
    media_identity written[TASK_DOCUMENTS_MAX];
    uint8_t *chunk = malloc(DOCUMENT_CHUNK_MAX);
    task_deposit *task = malloc(sizeof *task);
    status code = chunk != NULL && task != NULL
                      ? STATUS_OK
                      : error_detail_set(context->detail, STATUS_NODE_MEMORY, "no memory is left for the reports");
    bool aside = code == STATUS_OK && deposit_goes_aside(context, wanted);
    if (code == STATUS_OK)
        *task = *wanted;
    for (uint32_t i = 0; code == STATUS_OK && aside && i < task->document_count; i++)
        code = deposit_move_aside(context, &task->documents[i].final);
    if (code != STATUS_OK) {
        free(task);
        free(chunk);
        return code;
    }
    for (uint32_t i = 0; code == STATUS_OK && i < task->document_count; i++) {
        code = deposit_write(context, &task->documents[i], chunk, &written[i]);
        task_progress(context, i + 1, task->document_count + 1);
    }
    for (uint32_t i = 0; code == STATUS_OK && i < task->document_count; i++) {
        const task_document *document = &task->documents[i];
        const storage_root *root = NULL;
        task_path part;
        code = task_root(context, &document->final, &root);
        if (code == STATUS_OK && deposit_part_path(document, &part))
            code = task_rename(context, root, part.path, &written[i], document->final.path, true);
        if (code == STATUS_OK)
            code = storage_sync_folder(root, document->final.path, context->detail);
    }
    if (code == STATUS_OK && !aside)
        deposit_remove_aside(context, task);
    if (code != STATUS_OK)
        deposit_remove_parts(context, task);
    else
        byte_writer_u8(context->payload, aside ? 1 : 0);
    free(task);
    free(chunk);
    return code;
}
