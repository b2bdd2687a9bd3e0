#define _GNU_SOURCE
#include "worker/shell/root_identity.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { IDENTITY_READ_MAX = 4096 }; /* of a file that a person made */

status root_identity_read(const storage_root *root, content_hash *out_identity, error_detail *detail)
{
    uint8_t bytes[IDENTITY_READ_MAX];
    int descriptor = -1;
    media_identity file = {0};
    status code = storage_open_published(root, ROOT_IDENTITY_FILE, &descriptor, detail);
    *out_identity = (content_hash){0};
    if (code != STATUS_OK)
        return code == STATUS_INPUT_MISSING ? STATUS_OK : code;
    code = storage_identity(descriptor, &file);
    size_t size = file.size < sizeof bytes ? (size_t)file.size : sizeof bytes;
    if (code == STATUS_OK)
        code = storage_read_at(descriptor, bytes, size, 0, detail);
    else
        error_detail_set(detail, code, ROOT_IDENTITY_FILE " in %s could not be examined", root->name);
    close(descriptor);
    if (code != STATUS_OK || size == 0)
        return code;
    content_hash_stream stream;
    content_hash_stream_init(&stream);
    content_hash_stream_add(&stream, bytes, size);
    for (unsigned shift = 0; shift < 64; shift += 8)
        content_hash_stream_add(&stream, &(uint8_t){(uint8_t)(file.ino >> shift)}, 1);
    *out_identity = content_hash_stream_digest(&stream);
    return STATUS_OK;
}

/* Written beside and renamed, so that nobody reads half of it. */
status root_identity_make(const storage_root *root, error_detail *detail)
{
    content_hash random;
    char digits[CONTENT_HASH_TEXT_SIZE];
    char part[sizeof ROOT_IDENTITY_FILE + sizeof digits + 8];
    int descriptor = -1;
    if (getrandom(random.bytes, sizeof random.bytes, 0) != (ssize_t)sizeof random.bytes)
        return error_detail_set(detail, STATUS_NODE_SYSTEM, "the system gives no random numbers: %s", strerror(errno));
    content_hash_to_text(&random, digits);
    snprintf(part, sizeof part, ROOT_IDENTITY_FILE ".%s.part", digits);
    status code = storage_create_output(root, part, CONTENT_HASH_TEXT_SIZE, &descriptor, detail);
    if (code != STATUS_OK)
        return code;
    digits[CONTENT_HASH_TEXT_SIZE - 1] = '\n';
    code = storage_write_at(descriptor, digits, sizeof digits, 0, detail);
    (void)fchmod(descriptor, 0444); /* for workers of other users too; no secret */
    if (code == STATUS_OK)
        code = storage_sync(descriptor, detail);
    close(descriptor);
    if (code == STATUS_OK)
        code = storage_rename(root, part, ROOT_IDENTITY_FILE, false, detail);
    if (code == STATUS_OK)
        return storage_sync_folder(root, ROOT_IDENTITY_FILE, detail);
    (void)!storage_remove(root, part, NULL);
    return code == STATUS_INPUT_CONFLICT ? STATUS_OK : code; /* a neighbour was first */
}
