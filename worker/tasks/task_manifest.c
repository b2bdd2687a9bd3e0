/*
 * The ASC media hash list of a published deliverable: `ascmhl/0001_<folder>_<time>Z.mhl` and `ascmhl/ascmhl_chain.xml` beside
 * its files, ASC MHL 2.0 as its schemas say. The digests are those that were verified.
 *
 * No clock is asked: the list's time is the newest modification time of its files, so that running the task again writes the
 * same bytes. Names come from the storage's paths; sizes and times from the published files.
 */
#include "common/base/engine_version.h"
#include "common/base/ensure.h"
#include "worker/tasks/task_kinds.h"

#include <inttypes.h>
#include <libxml/xmlwriter.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { C4_TEXT_SIZE = 91, TIME_TEXT_SIZE = 32 };

/* The folder of a path, and the name of the folder itself. */
static void manifest_folder(const char *path, char out_folder[PATH_MAX_BYTES], const char **out_name)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : (size_t)(slash - path);
    memcpy(out_folder, path, length);
    out_folder[length] = '\0';
    const char *last = strrchr(out_folder, '/');
    *out_name = last == NULL ? out_folder : last + 1;
}

/* C4 identifier (SMPTE ST 2114): the SHA-512 as a number in base 58, 88 digits behind "c4". */
static void manifest_c4(const void *bytes, size_t size, char out[C4_TEXT_SIZE])
{
    static const char digits[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    unsigned char digest[crypto_hash_sha512_BYTES];
    (void)crypto_hash_sha512(digest, bytes, size); /* stateless: it needs no sodium_init(), which a sandbox may not allow */
    for (int place = C4_TEXT_SIZE - 2; place >= 2; place--) {
        unsigned rest = 0;
        for (size_t i = 0; i < sizeof digest; i++) {
            unsigned now = rest << 8 | digest[i];
            digest[i] = (unsigned char)(now / 58);
            rest = now % 58;
        }
        out[place] = digits[rest];
    }
    out[0] = 'c';
    out[1] = '4';
    out[C4_TEXT_SIZE - 1] = '\0';
}

/* As XML has it, or as file names of hash lists do. */
static void manifest_time(int64_t ns, bool for_name, char out[TIME_TEXT_SIZE])
{
    time_t seconds = (time_t)(ns / 1000000000);
    struct tm parts;
    out[0] = '\0';
    if (gmtime_r(&seconds, &parts) == NULL)
        return;
    if (for_name)
        (void)strftime(out, TIME_TEXT_SIZE, "%Y-%m-%d_%H%M%S", &parts);
    else
        (void)strftime(out, TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

/* ---- XML; memory is all that can fail ---- */

static void xml_begin(xmlTextWriterPtr xml, const char *name)
{
    ENSURE(xmlTextWriterStartElement(xml, BAD_CAST name) >= 0);
}

static void xml_end(xmlTextWriterPtr xml)
{
    ENSURE(xmlTextWriterEndElement(xml) >= 0);
}

static void xml_attribute(xmlTextWriterPtr xml, const char *name, const char *value)
{
    ENSURE(xmlTextWriterWriteAttribute(xml, BAD_CAST name, BAD_CAST value) >= 0);
}

static void xml_content(xmlTextWriterPtr xml, const char *text)
{
    ENSURE(xmlTextWriterWriteString(xml, BAD_CAST text) >= 0);
}

static void xml_text(xmlTextWriterPtr xml, const char *name, const char *text)
{
    ENSURE(xmlTextWriterWriteElement(xml, BAD_CAST name, BAD_CAST text) >= 0);
}

static xmlTextWriterPtr xml_open(xmlBufferPtr buffer, const char *root, const char *namespace)
{
    xmlTextWriterPtr xml = buffer == NULL ? NULL : xmlNewTextWriterMemory(buffer, 0);
    ENSURE(xml != NULL);
    xmlTextWriterSetIndent(xml, 1);
    ENSURE(xmlTextWriterStartDocument(xml, NULL, "UTF-8", NULL) >= 0);
    xml_begin(xml, root);
    xml_attribute(xml, "xmlns", namespace);
    return xml;
}

static void xml_close(xmlTextWriterPtr xml)
{
    ENSURE(xmlTextWriterEndDocument(xml) >= 0);
    xmlFreeTextWriter(xml);
}

static void write_list(xmlBufferPtr buffer, const task_publish *task, const media_identity *identities, int64_t newest,
                       char (*md5s)[MD5_TEXT_SIZE])
{
    char text[TIME_TEXT_SIZE];
    xmlTextWriterPtr xml = xml_open(buffer, "hashlist", "urn:ASC:MHL:v2.0");
    xml_attribute(xml, "version", "2.0");
    xml_begin(xml, "creatorinfo");
    manifest_time(newest, false, text);
    xml_text(xml, "creationdate", text);
    xml_text(xml, "hostname", "reelmill"); /* a farm has many, and the bytes are the same on each */
    xml_begin(xml, "tool");
    xml_attribute(xml, "version", strrchr(ENGINE_VERSION, ' ') + 1); /* the reference tool reads no list without it */
    xml_content(xml, "reelmill");
    xml_end(xml);
    xml_end(xml);
    xml_begin(xml, "processinfo");
    xml_text(xml, "process", "in-place");
    xml_begin(xml, "ignore");
    xml_text(xml, "pattern", ".DS_Store");
    xml_text(xml, "pattern", "ascmhl");
    xml_text(xml, "pattern", "ascmhl/");
    xml_end(xml);
    xml_end(xml);
    xml_begin(xml, "hashes");
    for (uint32_t i = 0; i < task->file_count; i++) {
        const char *slash = strrchr(task->files[i].final.path, '/');
        char size[24], digest[CONTENT_HASH_TEXT_SIZE];
        snprintf(size, sizeof size, "%" PRIu64, identities[i].size);
        content_hash_to_text(&task->files[i].digest, digest);
        manifest_time(identities[i].mtime_ns, false, text);
        xml_begin(xml, "hash");
        xml_begin(xml, "path");
        xml_attribute(xml, "size", size);
        xml_attribute(xml, "lastmodificationdate", text);
        xml_content(xml, slash == NULL ? task->files[i].final.path : slash + 1);
        xml_end(xml);
        if (md5s != NULL) {
            xml_begin(xml, "md5");
            xml_attribute(xml, "action", "original");
            xml_attribute(xml, "hashdate", text);
            xml_content(xml, md5s[i]);
            xml_end(xml);
        }
        xml_begin(xml, "xxh128");
        xml_attribute(xml, "action", "original");
        xml_attribute(xml, "hashdate", text);
        xml_content(xml, digest);
        xml_end(xml);
        xml_end(xml);
    }
    xml_end(xml);
    xml_close(xml);
}

static void write_chain(xmlBufferPtr buffer, const char *list_name, const char *c4)
{
    xmlTextWriterPtr xml = xml_open(buffer, "ascmhldirectory", "urn:ASC:MHL:DIRECTORY:v2.0");
    xml_begin(xml, "hashlist");
    xml_attribute(xml, "sequencenr", "1");
    xml_text(xml, "path", list_name);
    xml_text(xml, "c4", c4);
    xml_end(xml);
    xml_close(xml);
}

/* ---- files ---- */

static status manifest_identities(const task_context *context, const task_publish *task, media_identity *identities,
                                  int64_t *out_newest)
{
    *out_newest = 0;
    for (uint32_t i = 0; i < task->file_count; i++) {
        const storage_root *root = NULL;
        int descriptor = -1;
        status code = task_root(context, &task->files[i].final, &root);
        if (code == STATUS_OK)
            code = storage_open_published(root, task->files[i].final.path, &descriptor, context->detail);
        if (code != STATUS_OK)
            return code;
        code = storage_identity(descriptor, &identities[i]);
        close(descriptor);
        if (code != STATUS_OK)
            return error_detail_set(context->detail, code, "it cannot be examined");
        *out_newest = identities[i].mtime_ns > *out_newest ? identities[i].mtime_ns : *out_newest;
    }
    return STATUS_OK;
}

status task_file_put(const task_context *context, const storage_root *root, const char *path, const void *bytes, size_t size)
{
    char part[PATH_MAX_BYTES];
    int length = snprintf(part, sizeof part, "%s.manifest.part", path);
    if (length < 0 || (size_t)length >= sizeof part)
        return error_detail_set(context->detail, STATUS_LIMIT, "the path %.600s is too long", path);
    int descriptor = -1;
    status code = storage_remove(root, part, context->detail);
    if (code == STATUS_OK)
        code = storage_create_output(root, part, size, &descriptor, context->detail);
    if (code != STATUS_OK)
        return code;
    code = storage_write_at(descriptor, bytes, size, 0, context->detail);
    if (code == STATUS_OK)
        code = storage_sync(descriptor, context->detail);
    media_identity written = {0};
    if (code == STATUS_OK)
        code = storage_identity(descriptor, &written);
    if (close(descriptor) != 0 && code == STATUS_OK)
        code = error_detail_set(context->detail, STATUS_STORAGE_IO, "closing failed; check the storage");
    return code == STATUS_OK ? task_rename(context, root, part, &written, path, true) : code;
}

static status manifest_put(const task_context *context, const storage_root *root, const char *path, xmlBufferPtr buffer)
{
    return task_file_put(context, root, path, xmlBufferContent(buffer), (size_t)xmlBufferLength(buffer));
}

/* The list that a chain from before names, when files were replaced since: it speaks of files that are gone. */
static status manifest_remove_stale(const task_context *context, const storage_root *root, const char *folder,
                                    const char *chain_path, const char *list_name)
{
    static char const opening[] = "<path>";
    char chain[1024], old[PATH_MAX_BYTES];
    media_identity identity;
    int descriptor = -1;
    if (storage_open_published(root, chain_path, &descriptor, NULL) != STATUS_OK)
        return STATUS_OK; /* there is none */
    size_t size = 0;
    if (storage_identity(descriptor, &identity) == STATUS_OK && identity.size < sizeof chain &&
        storage_read_at(descriptor, chain, (size_t)identity.size, 0, NULL) == STATUS_OK)
        size = (size_t)identity.size;
    close(descriptor);
    chain[size] = '\0';
    char *name = strstr(chain, opening);
    char *end = name == NULL ? NULL : strchr(name + sizeof opening - 1, '<');
    if (end == NULL)
        return STATUS_OK;
    *end = '\0';
    name += sizeof opening - 1;
    if (strncmp(name, "0001_", 5) != 0 || strchr(name, '/') != NULL || strcmp(name, list_name) == 0 ||
        snprintf(old, sizeof old, "%s/ascmhl/%s", folder, name) >= (int)sizeof old)
        return STATUS_OK;
    return storage_remove(root, old, context->detail);
}

/* The list goes first: the chain still names it if this is interrupted, and the next attempt finds what to remove. */
status task_manifest_withdraw(const task_context *context, const task_path *file)
{
    const storage_root *root = NULL;
    char folder[PATH_MAX_BYTES], chain_path[PATH_MAX_BYTES];
    const char *folder_name = NULL;
    int descriptor = -1;
    manifest_folder(file->path, folder, &folder_name);
    status code = task_root(context, file, &root);
    if (code != STATUS_OK || snprintf(chain_path, sizeof chain_path, "%s/ascmhl/ascmhl_chain.xml", folder) >= (int)sizeof chain_path)
        return code; /* one that does not fit was never written */
    if (storage_open_published(root, chain_path, &descriptor, NULL) != STATUS_OK)
        return STATUS_OK;
    close(descriptor);
    code = manifest_remove_stale(context, root, folder, chain_path, "");
    if (code == STATUS_OK)
        code = storage_remove(root, chain_path, context->detail);
    return code == STATUS_OK ? storage_sync_folder(root, chain_path, context->detail) : code;
}

status task_manifest_write(const task_context *context, const task_publish *task, const char *folder_name,
                           char (*md5s)[MD5_TEXT_SIZE])
{
    const storage_root *root = NULL;
    char folder[PATH_MAX_BYTES], list_name[PATH_MAX_BYTES], path[PATH_MAX_BYTES], chain_path[PATH_MAX_BYTES];
    char c4[C4_TEXT_SIZE], when[TIME_TEXT_SIZE];
    const char *own_name = NULL;
    int64_t newest = 0;
    if (task->file_count == 0)
        return STATUS_OK;
    arena memory;
    arena_init(&memory);
    media_identity *identities = arena_take_array(&memory, task->file_count, sizeof *identities);
    status code = manifest_identities(context, task, identities, &newest);
    if (code == STATUS_OK)
        code = task_root(context, &task->files[0].final, &root);
    manifest_folder(task->files[0].final.path, folder, &own_name);
    manifest_time(newest, true, when);
    bool fits = snprintf(list_name, sizeof list_name, "0001_%s_%sZ.mhl", folder_name, when) < (int)sizeof list_name &&
                snprintf(path, sizeof path, "%s/ascmhl/%s", folder, list_name) < (int)sizeof path &&
                snprintf(chain_path, sizeof chain_path, "%s/ascmhl/ascmhl_chain.xml", folder) < (int)sizeof chain_path;
    if (code == STATUS_OK && !fits)
        code = error_detail_set(context->detail, STATUS_LIMIT, "the path of its hash list is too long; shorten the names");
    if (code == STATUS_OK) {
        xmlBufferPtr list = xmlBufferCreate();
        xmlBufferPtr chain = xmlBufferCreate();
        write_list(list, task, identities, newest, md5s);
        manifest_c4(xmlBufferContent(list), (size_t)xmlBufferLength(list), c4);
        write_chain(chain, list_name, c4);
        code = manifest_remove_stale(context, root, folder, chain_path, list_name);
        if (code == STATUS_OK)
            code = manifest_put(context, root, path, list);
        if (code == STATUS_OK)
            code = manifest_put(context, root, chain_path, chain);
        if (code == STATUS_OK)
            code = storage_sync_folder(root, chain_path, context->detail);
        xmlBufferFree(list);
        xmlBufferFree(chain);
    }
    arena_deinit(&memory);
    return code;
}
