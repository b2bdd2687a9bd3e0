/*
 * PUBLISH: verified .part files get their final names. Everything is looked at before the first rename, so that a
 * conflict leaves the deliverable as it was; and the task may be run again at any point: what is already published stays.
 */
#include "worker/tasks/task_kinds.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COMPARE_BLOCK_BYTES = 1 << 20 };

typedef enum publish_action {
    PUBLISH_RENAME,  /* the final name is free */
    PUBLISH_REPLACE, /* it is taken by other bytes, which may be replaced */
    PUBLISH_DROP,    /* it holds the same bytes already */
    PUBLISH_NOTHING  /* an earlier attempt did it */
} publish_action;

static status publish_compare_open(const task_context *context, int part, int final, uint64_t size, bool *out_equal)
{
    uint8_t *blocks = malloc(2 * COMPARE_BLOCK_BYTES);
    if (blocks == NULL)
        return error_detail_set(context->detail, STATUS_NODE_MEMORY, "no memory is left to compare it");
    bool equal = true;
    status code = STATUS_OK;
    for (uint64_t offset = 0; code == STATUS_OK && equal && offset < size;) {
        size_t take = size - offset < COMPARE_BLOCK_BYTES ? (size_t)(size - offset) : COMPARE_BLOCK_BYTES;
        code = storage_read_at(part, blocks, take, offset, context->detail);
        if (code == STATUS_OK)
            code = storage_read_at(final, blocks + COMPARE_BLOCK_BYTES, take, offset, context->detail);
        equal = code == STATUS_OK && memcmp(blocks, blocks + COMPARE_BLOCK_BYTES, take) == 0;
        offset += take;
    }
    free(blocks);
    if (code == STATUS_OK)
        *out_equal = equal;
    return code;
}

static status publish_compare(const task_context *context, int part, int final, bool *out_equal)
{
    media_identity part_identity;
    media_identity final_identity;
    status code = storage_identity(part, &part_identity);
    if (code == STATUS_OK)
        code = storage_identity(final, &final_identity);
    if (code != STATUS_OK)
        return error_detail_set(context->detail, code, "it cannot be examined");
    *out_equal = false;
    if (part_identity.size != final_identity.size)
        return STATUS_OK;
    return publish_compare_open(context, part, final, part_identity.size, out_equal);
}

/* The final file of an earlier attempt must be the one that was verified: anything can have happened since. */
static status publish_check(const task_context *context, int final, const content_hash *digest)
{
    media_identity identity;
    status code = storage_identity(final, &identity);
    uint8_t *block = malloc(COMPARE_BLOCK_BYTES);
    if (code != STATUS_OK || block == NULL) {
        free(block);
        return error_detail_set(context->detail, code != STATUS_OK ? code : STATUS_NODE_MEMORY, "it cannot be examined");
    }
    content_hash_stream stream;
    content_hash_stream_init(&stream);
    for (uint64_t offset = 0; code == STATUS_OK && offset < identity.size;) {
        uint64_t left = identity.size - offset;
        size_t take = left < COMPARE_BLOCK_BYTES ? (size_t)left : COMPARE_BLOCK_BYTES;
        code = storage_read_at(final, block, take, offset, context->detail);
        if (code == STATUS_OK)
            content_hash_stream_add(&stream, block, take);
        offset += take;
    }
    free(block);
    content_hash found = content_hash_stream_digest(&stream);
    if (code != STATUS_OK || content_hash_equal(&found, digest))
        return code;
    return error_detail_set(context->detail, STATUS_STORAGE_MISMATCH,
                            "it is not the file that was verified, and the verified .part file is gone; something else "
                            "replaced it: find out what, then retry");
}

/* Opens an output if it is there: STATUS_OK and -1 when it is not. */
static status publish_open(const task_context *context, const task_path *path, int *out_descriptor)
{
    const storage_root *root = NULL;
    status code = task_root(context, path, &root);
    if (code == STATUS_OK)
        code = storage_open_published(root, path->path, out_descriptor, context->detail);
    return code == STATUS_INPUT_MISSING ? STATUS_OK : code;
}

static status publish_decide(const task_context *context, const task_publish_file *file, bool replace,
                             publish_action *out_action)
{
    int part = -1;
    int final = -1;
    bool equal = false;
    status code = publish_open(context, &file->part, &part);
    if (code == STATUS_OK)
        code = publish_open(context, &file->final, &final);
    if (code == STATUS_OK && strcmp(file->part.root, file->final.root) != 0)
        code = error_detail_set(context->detail, STATUS_PEER_MALFORMED, "it lies in another media root than its .part file");
    if (code == STATUS_OK && part < 0 && final < 0)
        code = error_detail_set(context->detail, STATUS_STORAGE_MISMATCH,
                                "neither it nor its verified .part file is there any more; something else removed them: find "
                                "out what, then retry");
    if (code == STATUS_OK && part >= 0 && final >= 0)
        code = task_name_file(context, publish_compare(context, part, final, &equal), &file->final);
    if (code == STATUS_OK && part < 0)
        code = publish_check(context, final, &file->digest);
    if (code == STATUS_OK) {
        *out_action = part < 0    ? PUBLISH_NOTHING
                      : final < 0 ? PUBLISH_RENAME
                      : equal     ? PUBLISH_DROP
                                  : PUBLISH_REPLACE;
        if (*out_action == PUBLISH_REPLACE && !replace)
            code = error_detail_set(context->detail, STATUS_INPUT_CONFLICT,
                                    "a published file of that name holds other bytes; give the show a new version, or run with "
                                    "--replace");
    }
    if (part >= 0)
        close(part);
    if (final >= 0)
        close(final);
    return code;
}

static status publish_do(const task_context *context, const task_publish_file *file, publish_action action)
{
    const storage_root *root = NULL;
    status code = task_root(context, &file->final, &root);
    if (code != STATUS_OK || action == PUBLISH_NOTHING)
        return code;
    if (action == PUBLISH_DROP)
        return storage_remove(root, file->part.path, context->detail);
    return storage_rename(root, file->part.path, file->final.path, action == PUBLISH_REPLACE, context->detail);
}

static bool publish_same_folder(const task_path *a, const task_path *b)
{
    const char *a_name = strrchr(a->path, '/');
    const char *b_name = strrchr(b->path, '/');
    size_t a_length = a_name == NULL ? 0 : (size_t)(a_name - a->path);
    size_t b_length = b_name == NULL ? 0 : (size_t)(b_name - b->path);
    return strcmp(a->root, b->root) == 0 && a_length == b_length && memcmp(a->path, b->path, a_length) == 0;
}

/* What stands beside the audio: control data of a narration, then the hash list, which names it too. */
static status publish_documents(const task_context *context, const task_publish *task)
{
    if (!task->has_control)
        return task_manifest_write(context, task);
    arena memory;
    arena_init(&memory);
    task_publish with_control = *task;
    with_control.files = arena_take_array(&memory, task->file_count + 1u, sizeof *with_control.files);
    memcpy(with_control.files, task->files, task->file_count * sizeof *task->files);
    status code = task_control_write(context, task, &with_control.files[with_control.file_count++]);
    if (code == STATUS_OK)
        code = task_manifest_write(context, &with_control);
    arena_deinit(&memory);
    return code;
}

status task_publish_run(const task_context *context, const task_publish *task)
{
    publish_action *actions = calloc(task->file_count + 1, sizeof *actions);
    if (actions == NULL)
        return error_detail_set(context->detail, STATUS_NODE_MEMORY, "no memory is left to publish");
    status code = STATUS_OK;
    for (uint32_t i = 0; code == STATUS_OK && i < task->file_count; i++) {
        code = publish_decide(context, &task->files[i], task->replace, &actions[i]);
        if (status_class_of(code) != STATUS_CLASS_STORAGE || code == STATUS_STORAGE_MISMATCH)
            code = task_name_file(context, code, &task->files[i].final);
    }
    bool changes = false;
    for (uint32_t i = 0; i < task->file_count; i++)
        changes = changes || actions[i] == PUBLISH_RENAME || actions[i] == PUBLISH_REPLACE;
    if (code == STATUS_OK && changes) /* from here to the new hash list the folder is not complete */
        code = task_manifest_withdraw(context, &task->files[0].final);
    for (uint32_t i = 0; code == STATUS_OK && i < task->file_count; i++) {
        code = publish_do(context, &task->files[i], actions[i]);
        task_progress(context, i + 1, task->file_count);
    }
    /* Synced even where nothing was left to rename: the earlier attempt may have died before its own sync. */
    for (uint32_t i = 0; code == STATUS_OK && i < task->file_count; i++) {
        const storage_root *root = NULL;
        if (i > 0 && publish_same_folder(&task->files[i - 1].final, &task->files[i].final))
            continue;
        code = task_root(context, &task->files[i].final, &root);
        if (code == STATUS_OK)
            code = storage_sync_folder(root, task->files[i].final.path, context->detail);
    }
    free(actions);
    return code == STATUS_OK ? publish_documents(context, task) : code;
}
