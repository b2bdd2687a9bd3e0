/*
 * PUBLISH: verified .part files get their final names, a new folder as a whole. Everything is looked at before the first
 * rename, so that a conflict leaves the deliverable as it was; and the task may be run again at any point: what is already
 * published stays.
 */
#include "common/base/ensure.h"
#include "worker/tasks/task_kinds.h"

#include <stdio.h>
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

/* Where a verified file lies: its .part file, or under its name in the staging folder, where an earlier attempt was stopped. */
typedef struct publish_source {
    task_path path;
    publish_action action;
    media_identity identity; /* as it was looked at; all are before the first gets its name, which may take minutes */
} publish_source;

/*
 * Each task sees to it that what it reads stays the file that was probed; what was replaced behind the last that read it is found
 * here, so that what gets a name or a verdict is made from the sound that lies there.
 */
static status publish_check_inputs(const task_context *context, const task_publish *task)
{
    status code = STATUS_OK;
    for (uint32_t i = 0; code == STATUS_OK && i < task->input_count; i++) {
        const task_probed *input = &task->inputs[i];
        int descriptor;
        code = storage_open_probed(context->roots, input->file.root, input->file.path, &input->identity, &descriptor,
                                   context->detail);
        if (descriptor >= 0)
            close(descriptor);
        task_progress(context, 0, 1);
    }
    return code;
}

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
        task_progress(context, 0, 1);
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

/* Every byte once more: a file that somebody may have changed since must hold what was verified. `otherwise`: what to say. */
static status publish_check(const task_context *context, const task_path *path, int file, const content_hash *digest,
                            const char *otherwise)
{
    media_identity identity;
    status code = storage_identity(file, &identity);
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
        code = storage_read_at(file, block, take, offset, context->detail);
        if (code == STATUS_OK)
            content_hash_stream_add(&stream, block, take);
        offset += take;
        task_progress(context, 0, 1); /* at work */
    }
    free(block);
    content_hash found = content_hash_stream_digest(&stream);
    if (status_class_of(code) == STATUS_CLASS_STORAGE) /* of the rest the deliverable's file is named */
        return task_name_file(context, code, path);
    if (code != STATUS_OK || content_hash_equal(&found, digest))
        return code;
    return error_detail_set(context->detail, STATUS_STORAGE_MISMATCH, "%s", otherwise);
}

/*
 * The .part file must still be what VERIFY read. A late attempt of an earlier task (frozen, its lease lost) may have replaced it or
 * written to it since: what is as it was then is believed, anything else is read from the medium once more.
 */
static status publish_check_part(const task_context *context, const task_publish_file *file, int part,
                                 const media_identity *found)
{
    if (storage_identity_equal(found, &file->identity))
        return STATUS_OK;
    status code = storage_sync(part, context->detail);
    storage_drop_cache(part);
    if (code != STATUS_OK)
        return task_name_file(context, code, &file->part);
    return publish_check(context, &file->part, part, &file->digest,
                         "its .part file is not what was verified; something else replaced it or wrote to it since: find out what, "
                         "then retry");
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

/* Opens what is to get a name, and notes which file it is; -1 when it is not there. */
static status publish_open_noted(const task_context *context, publish_source *source, int *out_part)
{
    status code = publish_open(context, &source->path, out_part);
    if (code != STATUS_OK || *out_part < 0)
        return code;
    code = storage_identity(*out_part, &source->identity);
    return code == STATUS_OK ? code : error_detail_set(context->detail, code, "its .part file cannot be examined");
}

/* Opens the .part file, or what an earlier attempt has staged of it: only if it is what was verified. */
static status publish_open_source(const task_context *context, const task_publish_file *file, publish_source *out_source,
                                  int *out_part)
{
    out_source->path = file->part;
    status code = publish_open_noted(context, out_source, out_part);
    if (code == STATUS_OK && *out_part >= 0)
        return publish_check_part(context, file, *out_part, &out_source->identity);
    if (code != STATUS_OK || !task_staged_path(&file->part, &file->final, &out_source->path))
        return code;
    code = publish_open_noted(context, out_source, out_part);
    if (code == STATUS_OK && *out_part >= 0 &&
        publish_check(context, &out_source->path, *out_part, &file->digest, "it is not what was verified") != STATUS_OK) {
        close(*out_part);
        *out_part = -1;
    }
    return code;
}

static status publish_decide(const task_context *context, const task_publish_file *file, bool replace,
                             publish_source *out_source)
{
    int part = -1;
    int final = -1;
    bool equal = false;
    status code = publish_open_source(context, file, out_source, &part);
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
        code = publish_check(context, &file->final, final, &file->digest,
                             "it is not the file that was verified, and the verified .part file is gone; something else "
                             "replaced it: find out what, then retry");
    if (code == STATUS_OK) {
        out_source->action = part < 0    ? PUBLISH_NOTHING
                             : final < 0 ? PUBLISH_RENAME
                             : equal     ? PUBLISH_DROP
                                         : PUBLISH_REPLACE;
        if (out_source->action == PUBLISH_REPLACE && !replace)
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

static status publish_do(const task_context *context, const task_publish_file *file, const publish_source *source)
{
    const storage_root *root = NULL;
    status code = task_root(context, &file->final, &root);
    if (code != STATUS_OK || source->action == PUBLISH_NOTHING)
        return code;
    if (source->action == PUBLISH_DROP)
        return storage_remove(root, source->path.path, context->detail);
    return task_rename(context, root, source->path.path, &source->identity, file->final.path, source->action == PUBLISH_REPLACE);
}

static bool publish_same_folder(const task_path *a, const task_path *b)
{
    const char *a_name = strrchr(a->path, '/');
    const char *b_name = strrchr(b->path, '/');
    size_t a_length = a_name == NULL ? 0 : (size_t)(a_name - a->path);
    size_t b_length = b_name == NULL ? 0 : (size_t)(b_name - b->path);
    return strcmp(a->root, b->root) == 0 && a_length == b_length && memcmp(a->path, b->path, a_length) == 0;
}

bool task_staged_path(const task_path *part, const task_path *final, task_path *out_staged)
{
    const char *name = strrchr(final->path, '/');
    const char *slash = strrchr(part->path, '/');
    if (publish_same_folder(part, final) || name == NULL || slash == NULL)
        return false;
    *out_staged = *part;
    int length = snprintf(out_staged->path, sizeof out_staged->path, "%.*s%s", (int)(slash - part->path), part->path, name);
    return length > 0 && (size_t)length < sizeof out_staged->path;
}

static void publish_folder(const char *path, char out_folder[PATH_MAX_BYTES])
{
    const char *slash = strrchr(path, '/');
    snprintf(out_folder, PATH_MAX_BYTES, "%.*s", slash == NULL ? 0 : (int)(slash - path), path);
}

/* What stands beside the audio: control data of a narration, checksum lists, then the hash list, which names them too. */
static status publish_documents(const task_context *context, const task_publish *task, const char *folder_name)
{
    arena memory;
    arena_init(&memory);
    task_publish all = *task;
    all.files = arena_take_array(&memory, task->file_count + 3u, sizeof *all.files);
    char(*md5s)[MD5_TEXT_SIZE] = arena_take_array(&memory, task->file_count + 3u, sizeof *md5s);
    memcpy(all.files, task->files, task->file_count * sizeof *task->files);
    status code = STATUS_OK;
    if (task->has_control)
        code = task_control_write(context, task, &all.files[all.file_count++]);
    if (code == STATUS_OK && task->checksums != 0)
        code = task_checksum_lists(context, task, folder_name, all.files, &all.file_count, md5s);
    if (code == STATUS_OK)
        code = task_manifest_write(context, &all, folder_name, (task->checksums & CHECKSUMS_MD5) != 0 ? md5s : NULL);
    arena_deinit(&memory);
    return code;
}

/* Whatever lies in the staging folder beside the files of this task is of generations that are gone, or another farm is at it. */
static status publish_sweep(const task_context *context, const storage_root *root, const task_publish *staged, const char *folder)
{
    const char **names = calloc(staged->file_count, sizeof *names);
    if (names == NULL)
        return error_detail_set(context->detail, STATUS_NODE_MEMORY, "no memory is left to publish");
    for (uint32_t i = 0; i < staged->file_count; i++)
        names[i] = strrchr(staged->files[i].final.path, '/') + 1;
    status code = storage_keep_only(root, folder, staged->file_count, names, staged->files[0].part.path, context->detail);
    free(names);
    return code;
}

/*
 * A folder that is not there yet is made complete under another name, documents and all, and then gets its own in one step.
 * *out_done is false where it cannot be had so: something lies in a folder of that name. The files then wait under their names in
 * the staging folder.
 */
static status publish_whole(const task_context *context, const task_publish *task, const publish_source *sources, bool *out_done)
{
    const storage_root *root = NULL;
    char folder[PATH_MAX_BYTES], stage[PATH_MAX_BYTES];
    arena memory;
    arena_init(&memory);
    task_publish staged = *task;
    staged.files = arena_take_array(&memory, task->file_count, sizeof *staged.files);
    status code = task_root(context, &task->files[0].final, &root);
    for (uint32_t i = 0; code == STATUS_OK && i < task->file_count; i++) {
        staged.files[i] = task->files[i];
        ENSURE(task_staged_path(&task->files[i].part, &task->files[i].final, &staged.files[i].final));
        if (strcmp(sources[i].path.path, staged.files[i].final.path) != 0)
            code = task_rename(context, root, sources[i].path.path, &sources[i].identity, staged.files[i].final.path, true);
        task_progress(context, 0, 1);
    }
    publish_folder(task->files[0].final.path, folder);
    publish_folder(task->files[0].part.path, stage);
    const char *name = strrchr(folder, '/');
    if (code == STATUS_OK)
        code = publish_sweep(context, root, &staged, stage);
    if (code == STATUS_OK)
        code = publish_documents(context, &staged, name == NULL ? folder : name + 1);
    if (code == STATUS_OK)
        code = storage_sync_folder(root, staged.files[0].final.path, context->detail);
    if (code == STATUS_OK)
        code = storage_rename_folder(root, stage, folder, out_done, context->detail);
    if (code == STATUS_OK && *out_done)
        code = storage_sync_folder(root, folder, context->detail);
    if (code == STATUS_OK && !*out_done) /* the documents are made again where they belong */
        code = task_manifest_withdraw(context, &staged.files[0].final);
    if (code == STATUS_OK && !*out_done)
        code = publish_sweep(context, root, &staged, stage);
    arena_deinit(&memory);
    return code;
}

/* The staging folder goes once nothing is in it. */
static void publish_leave_stage(const storage_root *root, const task_path *part)
{
    char folder[PATH_MAX_BYTES], inside[PATH_MAX_BYTES];
    publish_folder(part->path, folder);
    if (snprintf(inside, sizeof inside, "%s/ascmhl/x", folder) < (int)sizeof inside)
        storage_remove_empty_folders(root, inside);
    storage_remove_empty_folders(root, part->path);
}

/* One file after the other into a folder that is there; its hash list is away meanwhile. */
static status publish_each(const task_context *context, const task_publish *task, const publish_source *sources)
{
    status code = STATUS_OK;
    bool changes = false;
    for (uint32_t i = 0; i < task->file_count; i++)
        changes = changes || sources[i].action == PUBLISH_RENAME || sources[i].action == PUBLISH_REPLACE;
    if (changes) /* from here to the new hash list the folder is not complete */
        code = task_manifest_withdraw(context, &task->files[0].final);
    for (uint32_t i = 0; code == STATUS_OK && i < task->file_count; i++) {
        code = publish_do(context, &task->files[i], &sources[i]);
        task_progress(context, 0, 1);
    }
    /* Synced even where nothing was left to rename: the earlier attempt may have died before its own sync. */
    for (uint32_t i = 0; code == STATUS_OK && i < task->file_count; i++) {
        const storage_root *root = NULL;
        if (i > 0 && publish_same_folder(&task->files[i - 1].final, &task->files[i].final))
            continue;
        code = task_root(context, &task->files[i].final, &root);
        if (code == STATUS_OK)
            code = storage_sync_folder(root, task->files[i].final.path, context->detail);
        if (code == STATUS_OK && !publish_same_folder(&task->files[i].part, &task->files[i].final))
            publish_leave_stage(root, &task->files[i].part);
    }
    char folder[PATH_MAX_BYTES];
    publish_folder(task->files[0].final.path, folder);
    const char *name = strrchr(folder, '/');
    return code == STATUS_OK ? publish_documents(context, task, name == NULL ? folder : name + 1) : code;
}

status task_publish_run(const task_context *context, const task_publish *task)
{
    publish_source *sources = calloc(task->file_count + 1, sizeof *sources);
    if (sources == NULL)
        return error_detail_set(context->detail, STATUS_NODE_MEMORY, "no memory is left to publish");
    status code = STATUS_OK;
    for (uint32_t i = 0; code == STATUS_OK && i < task->file_count; i++) {
        code = publish_decide(context, &task->files[i], task->replace, &sources[i]);
        if (status_class_of(code) != STATUS_CLASS_STORAGE || code == STATUS_STORAGE_MISMATCH)
            code = task_name_file(context, code, &task->files[i].final);
    }
    if (code == STATUS_OK)
        code = publish_check_inputs(context, task);
    bool whole = task->file_count > 0;
    bool done = task->file_count == 0;
    for (uint32_t i = 0; i < task->file_count; i++)
        whole = whole && sources[i].action == PUBLISH_RENAME && publish_same_folder(&task->files[0].part, &task->files[i].part) &&
                publish_same_folder(&task->files[0].final, &task->files[i].final) &&
                task_staged_path(&task->files[i].part, &task->files[i].final, &(task_path){.path = ""});
    if (code == STATUS_OK && whole) {
        code = publish_whole(context, task, sources, &done);
        for (uint32_t i = 0; code == STATUS_OK && !done && i < task->file_count; i++)
            (void)task_staged_path(&task->files[i].part, &task->files[i].final, &sources[i].path);
    }
    if (code == STATUS_OK && !done)
        code = publish_each(context, task, sources);
    free(sources);
    return code;
}
