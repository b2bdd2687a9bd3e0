/* Documents beside published files, and the checksum lists that a show may ask for. */
#include "worker/tasks/task_kinds.h"

#include <md5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHECKSUM_BLOCK_BYTES = 1 << 20 };

status task_document_put(const task_context *context, const task_path *final, bool replace, const char *what,
                         const void *bytes, size_t size)
{
    const storage_root *root = NULL;
    media_identity identity;
    int descriptor = -1;
    bool same = false;
    status code = task_root(context, final, &root);
    if (code != STATUS_OK)
        return code;
    if (storage_open_published(root, final->path, &descriptor, NULL) == STATUS_OK) {
        uint8_t *old = malloc(size);
        same = old != NULL && storage_identity(descriptor, &identity) == STATUS_OK && identity.size == size &&
               storage_read_at(descriptor, old, size, 0, NULL) == STATUS_OK && memcmp(old, bytes, size) == 0;
        free(old);
        close(descriptor);
        if (!same && !replace)
            return error_detail_set(context->detail, STATUS_INPUT_CONFLICT, "%s; give the show a new version, or run with --replace",
                                    what);
    }
    if (same)
        return STATUS_OK;
    code = task_manifest_withdraw(context, final);
    return code == STATUS_OK ? task_file_put(context, root, final->path, bytes, size) : code;
}

static void md5_text(MD5_CTX *sum, char out[MD5_TEXT_SIZE])
{
    uint8_t digest[MD5_DIGEST_LENGTH];
    MD5Final(digest, sum);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

/* Read again, and only believed when it is what was verified: the checksum speaks of the same bytes. */
static status md5_of_file(const task_context *context, const task_publish_file *file, uint8_t *block, char out[MD5_TEXT_SIZE])
{
    const storage_root *root = NULL;
    media_identity identity;
    content_hash_stream stream;
    MD5_CTX sum;
    int descriptor = -1;
    status code = task_root(context, &file->final, &root);
    if (code == STATUS_OK)
        code = storage_open_published(root, file->final.path, &descriptor, context->detail);
    if (code != STATUS_OK)
        return code;
    code = storage_identity(descriptor, &identity);
    MD5Init(&sum);
    content_hash_stream_init(&stream);
    for (uint64_t offset = 0; code == STATUS_OK && offset < identity.size;) {
        uint64_t left = identity.size - offset;
        size_t take = left < CHECKSUM_BLOCK_BYTES ? (size_t)left : CHECKSUM_BLOCK_BYTES;
        code = storage_read_at(descriptor, block, take, offset, context->detail);
        if (code != STATUS_OK)
            break;
        MD5Update(&sum, block, take);
        content_hash_stream_add(&stream, block, take);
        offset += take;
        task_progress(context, 0, 1); /* at work; what is said of progress must not go back, and lists may be made twice */
    }
    close(descriptor);
    content_hash found = content_hash_stream_digest(&stream);
    if (code == STATUS_OK && !content_hash_equal(&found, &file->digest))
        code = error_detail_set(context->detail, STATUS_STORAGE_MISMATCH,
                                "it no longer holds the bytes that were verified, read again for its MD5; check the storage, then retry");
    md5_text(&sum, out);
    return code;
}

/* One list of all files so far; it joins them. */
static status list_put(const task_context *context, const task_publish *task, const char *name,
                       const char (*sums)[MD5_TEXT_SIZE], task_publish_file *files, uint32_t *file_count)
{
    byte_writer text;
    task_publish_file *list = &files[*file_count];
    task_path beside = files[0].final;
    const char *slash = strrchr(beside.path, '/');
    int folder = slash == NULL ? 0 : (int)(slash + 1 - beside.path);
    *list = (task_publish_file){.final = beside};
    int length = snprintf(list->final.path, sizeof list->final.path, "%.*s%s", folder, beside.path, name);
    if (length < 0 || (size_t)length >= sizeof list->final.path)
        return error_detail_set(context->detail, STATUS_LIMIT, "the path of its checksum list is too long; shorten the names");
    byte_writer_init(&text, (size_t)TASK_PUBLISH_FILES_MAX * (PATH_MAX_BYTES + 64));
    for (uint32_t i = 0; i < task->file_count; i++) {
        const char *base = strrchr(files[i].final.path, '/');
        base = base == NULL ? files[i].final.path : base + 1;
        byte_writer_bytes(&text, sums[i], MD5_TEXT_SIZE - 1);
        byte_writer_bytes(&text, "  ", 2);
        byte_writer_bytes(&text, base, strlen(base));
        byte_writer_bytes(&text, "\n", 1);
    }
    list->digest = content_hash_of(text.bytes, text.size);
    status code = task_document_put(context, &list->final, task->replace, "a published checksum list holds other sums", text.bytes,
                                    text.size);
    byte_writer_deinit(&text);
    (*file_count)++;
    return task_name_file(context, code, &list->final);
}

status task_checksum_lists(const task_context *context, const task_publish *task, const char *folder_name,
                           task_publish_file *files, uint32_t *file_count, char (*md5s)[MD5_TEXT_SIZE])
{
    char name[PATH_MAX_BYTES];
    uint32_t listed = *file_count;
    task_publish all = *task;
    all.file_count = listed;
    uint8_t *block = malloc(CHECKSUM_BLOCK_BYTES);
    char(*sums)[MD5_TEXT_SIZE] = calloc(listed + 1, sizeof *sums);
    status code = block != NULL && sums != NULL
                      ? STATUS_OK
                      : error_detail_set(context->detail, STATUS_NODE_MEMORY, "no memory is left for checksums");
    bool md5 = (task->checksums & CHECKSUMS_MD5) != 0;
    for (uint32_t i = 0; md5 && code == STATUS_OK && i < listed; i++)
        code = task_name_file(context, md5_of_file(context, &files[i], block, md5s[i]), &files[i].final);
    if (md5 && code == STATUS_OK && snprintf(name, sizeof name, "%s.md5", folder_name) > 0)
        code = list_put(context, &all, name, (const char(*)[MD5_TEXT_SIZE])md5s, files, file_count);
    for (uint32_t i = 0; code == STATUS_OK && i < listed; i++)
        content_hash_to_text(&files[i].digest, sums[i]);
    if ((task->checksums & CHECKSUMS_XXH128) != 0 && code == STATUS_OK && snprintf(name, sizeof name, "%s.xxh128", folder_name) > 0)
        code = list_put(context, &all, name, (const char(*)[MD5_TEXT_SIZE])sums, files, file_count);
    for (uint32_t i = listed; md5 && code == STATUS_OK && i < *file_count; i++)
        code = task_name_file(context, md5_of_file(context, &files[i], block, md5s[i]), &files[i].final);
    free(block);
    free(sums);
    return code;
}
