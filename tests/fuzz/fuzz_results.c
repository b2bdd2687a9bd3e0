// links: coordinator_shell common_measure
/*
 * What workers' results and the journal hold, beside cell measures and task bodies. The first byte chooses what the rest
 * is read as; whatever is accepted is let go of again.
 */
#include "common/measure/stem_features.h"
#include "common/measure/sync_measure.h"
#include "common/media/media_facts.h"
#include "coordinator/core/fact_record.h"
#include "coordinator/shell/job_payload.h"
#include "coordinator/shell/shell_record.h"
#include "proto/task_body.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t byte_size);

static void read_measures(unsigned kind, const uint8_t *bytes, size_t size)
{
    static media_facts facts;
    static task_verify_result verified;
    static task_meter_result metered;
    static task_excerpt_result excerpts;
    stem_features features;
    sync_measure heard;
    byte_reader reader;
    arena memory;
    arena_init(&memory);
    if (kind == 0 && stem_features_decode(&features, bytes, size) == STATUS_OK)
        stem_features_deinit(&features);
    if (kind == 1)
        (void)!sync_measure_decode(&heard, bytes, size, &memory);
    if (kind == 2) {
        byte_reader_init(&reader, bytes, size);
        media_facts_decode(&facts, &reader);
    }
    if (kind == 3)
        (void)!task_verify_result_decode(&verified, bytes, size);
    if (kind == 12 && task_excerpt_result_decode(&excerpts, bytes, size, &memory) == STATUS_OK) {
        byte_writer writer; /* as the measures of a job keep it */
        byte_writer_init(&writer, FRAME_BYTES_MAX);
        task_excerpt_result_encode(&excerpts, &writer);
        if (writer.failed || writer.size != size)
            abort();
        byte_writer_deinit(&writer);
    }
    if (kind == 4)
        (void)!task_meter_result_decode(&metered, bytes, size);
    arena_deinit(&memory);
}

static void read_records(unsigned kind, const uint8_t *bytes, size_t size)
{
    static shell_record record;
    scheduler_fact fact;
    merge_outcome merged;
    compose_outcome composed;
    problem_list problems = {0};
    cell_record cell;
    size_t offset = 0;
    double gain_db = 0.0;
    arena memory;
    arena_init(&memory);
    if (kind == 5)
        (void)!fact_record_decode(&fact, bytes, size);
    if (kind == 6 && size > 0)
        (void)!shell_record_decode(&record, bytes[0], bytes + 1, size - 1);
    if (kind == 7)
        (void)!merge_outcome_decode(&merged, bytes, size);
    if (kind == 8)
        (void)!compose_outcome_decode(&composed, bytes, size);
    if (kind == 9)
        (void)!problems_decode(&problems, bytes, size, &memory);
    if (kind == 10)
        (void)!gain_outcome_decode(&gain_db, bytes, size);
    while (kind == 11 && offset < size && cell_record_decode(&cell, bytes, size, &offset) == STATUS_OK)
        continue;
    arena_deinit(&memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t byte_size)
{
    if (byte_size < 1)
        return 0;
    unsigned kind = bytes[0] % 13u;
    /* A copy of its own size: a byte too far is seen. */
    uint8_t *copy = malloc(byte_size);
    if (copy == NULL)
        return 0;
    for (size_t i = 1; i < byte_size; i++)
        copy[i - 1] = bytes[i];
    read_measures(kind, copy, byte_size - 1);
    read_records(kind, copy, byte_size - 1);
    free(copy);
    return 0;
}
