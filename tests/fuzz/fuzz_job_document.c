// links: coordinator_shell
/* What the coordinator reads from clients and from its own disk: job documents, journal records, measure records. */
#include "coordinator/shell/cell_file.h"
#include "coordinator/shell/job_document.h"
#include "coordinator/shell/job_payload.h"
#include "coordinator/shell/shell_record.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void read_records(const uint8_t *bytes, size_t size)
{
    cell_record cell;
    for (size_t offset = 0; cell_record_decode(&cell, bytes, size, &offset) == STATUS_OK;)
        continue;
    shell_record *record = calloc(1, sizeof *record);
    for (uint32_t kind = 0; record != NULL && kind <= RECORD_ROOT; kind++)
        (void)!(shell_record_decode(record, kind, bytes, size) == STATUS_OK);
    free(record);
    merge_outcome merged;
    compose_outcome composed;
    (void)!(merge_outcome_decode(&merged, bytes, size) == STATUS_OK);
    (void)!(compose_outcome_decode(&composed, bytes, size) == STATUS_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    arena memory;
    arena_init(&memory);
    job_document document;
    error_detail detail;
    problem_list problems;
    (void)!(job_document_parse(&document, (const char *)bytes, size, &memory, &detail) == STATUS_OK);
    (void)!(problems_decode(&problems, bytes, size, &memory) == STATUS_OK);
    read_records(bytes, size);
    arena_deinit(&memory);
    return 0;
}
