/* What workers' results and the journal hold, whole and damaged, through their fuzz target. */
#include "common/media/media_facts.h"
#include "coordinator/core/fact_record.h"
#include "coordinator/shell/job_payload.h"
#include "coordinator/shell/shell_record.h"
#include "proto/task_body.h"
#include "tests/fuzz/damage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { COPIES = 200000 };

/* The first byte says what it is (fuzz_results.c), and stays. */
static void damage_as(unsigned kind, const byte_writer *good)
{
    byte_writer bytes;
    byte_writer_init(&bytes, 1 << 20);
    byte_writer_u8(&bytes, (uint8_t)kind);
    byte_writer_bytes(&bytes, good->bytes, good->size);
    assert_false(bytes.failed);
    damage_everywhere(bytes.bytes, bytes.size, 1, COPIES, kind + 1);
    byte_writer_deinit(&bytes);
}

static void results__read_any_damaged_bytes(void **state)
{
    (void)state;
    byte_writer good;
    byte_writer_init(&good, 1 << 20);
    const scheduler_fact fact = {.type = FACT_TASK_ENDED, .job = 3, .task = 4, .term = 1, .epoch = 2, .worker = 9};
    fact_record_encode(&fact, &good);
    damage_as(5, &good);
    byte_writer_reset(&good);
    shell_record record = {.kind = RECORD_RESULT, .result = {.attempt = {1, 2, 3, 4}, .code = 7, .cell_count = 2}};
    snprintf(record.result.detail, sizeof record.result.detail, "why");
    record.result.payload = (message_bytes){.bytes = (const uint8_t *)"payload", .size = 7};
    byte_writer_u8(&good, (uint8_t)record.kind);
    shell_record_encode(&record, &good);
    damage_as(6, &good);
    byte_writer_reset(&good);
    record = (shell_record){.kind = RECORD_ROOT, .root = {.name = "shows", .node = "node-7", .identity = {{1, 2, 3}}}};
    byte_writer_u8(&good, (uint8_t)record.kind);
    shell_record_encode(&record, &good);
    damage_as(6, &good);
    byte_writer_reset(&good);
    static media_facts facts = {.frame_count = 48000, .sample_rate = 48000, .channel_count = 2};
    media_facts_encode(&facts, &good);
    damage_as(2, &good);
    static uint8_t levels[2 * EXCERPT_COLUMNS] = {1, 15, 0, 7};
    static task_excerpt_result excerpts = {.count = 2, .failure = "why"};
    for (uint32_t i = 0; i < 2; i++)
        excerpts.items[i] = (task_excerpt_item){.place = {"0123456789ab-2", 96000, 96000, 5}, .row_count = i + 1,
                                                .levels = levels, .audition_size = 384044, .audition_gain = 0.5};
    byte_writer_reset(&good);
    task_excerpt_result_encode(&excerpts, &good);
    damage_as(12, &good);
    byte_writer_reset(&good);
    static merge_outcome merged = {.finding_count = 1, .findings = {{FINDING_FAIL, "peak.true", "too loud"}}, .place_count = 1};
    merged.places[0] = excerpts.items[0].place;
    merge_outcome_encode(&merged, &good);
    damage_as(7, &good);
    for (unsigned kind = 0; kind < 13; kind++) /* and of all kinds, bytes that are nothing */
        damage_as(kind, &good);
    byte_writer_deinit(&good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(results__read_any_damaged_bytes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
