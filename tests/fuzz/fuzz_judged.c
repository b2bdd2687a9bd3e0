// links: coordinator_cli coordinator_shell
/*
 * A report of another house, judged again: the first byte chooses report.json or measures.bin, whose digest is put right, so
 * that what it holds is read. Whatever the bytes are, there are verdicts, or a sentence.
 */
#define _GNU_SOURCE
#include "common/base/content_hash.h"
#include "common/base/ensure.h"
#include "coordinator/cli/judged_report.h"
#include "coordinator/cli/report_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t byte_size);

enum { DIGEST_AT = 16, SIZE_AT = 8, HEADER_AT = DIGEST_AT + CONTENT_HASH_BYTES };

static void put_digest_right(uint8_t *bytes, size_t size)
{
    uint32_t header = 0;
    if (size < HEADER_AT)
        return;
    for (int i = 3; i >= 0; i--)
        header = header << 8 | bytes[SIZE_AT + i];
    if (header > size - HEADER_AT)
        return;
    content_hash digest = content_hash_of(bytes + HEADER_AT, header);
    memcpy(bytes + DIGEST_AT, digest.bytes, CONTENT_HASH_BYTES);
}

static void judge(unsigned kind, const char *path, const spec *rules, arena *memory)
{
    static show title;
    error_detail detail = {0};
    judged_list list = {0};
    judged_range whole = {0};
    json_t *report = NULL;
    status code;
    if (kind == 0) {
        code = judged_from_measures(&list, path, rules, &whole, NULL, memory, &detail);
        ENSURE(code == STATUS_OK || detail.message[0] != '\0');
    } else {
        code = report_read(path, memory, &report, &detail);
        ENSURE(code == STATUS_OK || detail.message[0] != '\0');
        if (code == STATUS_OK)
            (void)!judged_from_figures(&list, report, rules, &title, memory);
    }
    judged_list_close(&list);
    json_decref(report);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t byte_size)
{
    if (byte_size < 1)
        return 0;
    static spec rules; /* too large for a stack */
    char path[64];
    size_t size = byte_size - 1;
    uint8_t *copy = malloc(size + 1);
    ENSURE(copy != NULL);
    memcpy(copy, bytes + 1, size);
    if (bytes[0] % 2 == 0)
        put_digest_right(copy, size);
    int descriptor = memfd_create("fuzz", MFD_CLOEXEC);
    ENSURE(descriptor >= 0 && write(descriptor, copy, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    arena memory;
    arena_init(&memory);
    problem_list problems = {0};
    const library *shipped = library_shipped();
    const named_text *text = &shipped->specs[bytes[0] / 2 % shipped->spec_count];
    ENSURE(spec_parse(&rules, text->name, text->text, text->text_size, text->source, &memory, &problems) == STATUS_OK);
    judge(bytes[0] % 2, path, &rules, &memory);
    arena_deinit(&memory);
    close(descriptor);
    free(copy);
    return 0;
}
