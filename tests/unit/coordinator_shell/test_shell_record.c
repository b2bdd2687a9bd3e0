#include "coordinator/shell/job_payload.h"
#include "coordinator/shell/shell_record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void encode(const shell_record *record, byte_writer *writer)
{
    byte_writer_init(writer, 1 << 20);
    shell_record_encode(record, writer);
    assert_false(writer->failed);
}

/* Every beginning of a record is refused, and so is one with a byte too many. */
static void expect_exact(uint32_t kind, const byte_writer *writer)
{
    shell_record *read = calloc(1, sizeof *read);
    for (size_t size = 0; size < writer->size; size++) {
        uint8_t *cut = malloc(size + 1);
        memcpy(cut, writer->bytes, size);
        assert_int_not_equal(shell_record_decode(read, kind, cut, size), STATUS_OK);
        free(cut);
    }
    uint8_t *longer = calloc(1, writer->size + 1);
    memcpy(longer, writer->bytes, writer->size);
    assert_int_equal(shell_record_decode(read, kind, longer, writer->size + 1), STATUS_PEER_MALFORMED);
    longer[0]++;
    assert_int_equal(shell_record_decode(read, kind, longer, writer->size), STATUS_PEER_VERSION);
    free(longer);
    free(read);
}

static void shell_record__keeps_a_document(void **state)
{
    (void)state;
    shell_record record = {.kind = RECORD_DOCUMENT,
                           .document = {.job = 12,
                                        .request = {1, 2, 3},
                                        .priority = -7,
                                        .submitted_unix_ms = 1234567890123,
                                        .owner = "anna",
                                        .document = {.bytes = (const uint8_t *)"{}", .size = 2}}};
    byte_writer writer;
    encode(&record, &writer);
    shell_record read;
    assert_int_equal(shell_record_decode(&read, RECORD_DOCUMENT, writer.bytes, writer.size), STATUS_OK);
    assert_int_equal(read.document.job, 12);
    assert_memory_equal(read.document.request, record.document.request, REQUEST_BYTES);
    assert_int_equal(read.document.priority, -7);
    assert_true(read.document.submitted_unix_ms == 1234567890123);
    assert_int_equal(read.document.document.size, 2);
    assert_memory_equal(read.document.document.bytes, "{}", 2);
    assert_string_equal(read.document.owner, "anna");
    /* Version 1 ended before the owner: its text and the 4 bytes of the text's length. */
    writer.bytes[0] = 1;
    assert_int_equal(shell_record_decode(&read, RECORD_DOCUMENT, writer.bytes, writer.size - 8), STATUS_OK);
    assert_string_equal(read.document.owner, "");
    writer.bytes[0] = SHELL_RECORD_VERSION;
    expect_exact(RECORD_DOCUMENT, &writer);
    byte_writer_deinit(&writer);
}

static void shell_record__keeps_a_result(void **state)
{
    (void)state;
    shell_record record = {.kind = RECORD_RESULT,
                           .result = {.attempt = {.job = 1, .task = 2, .term = 3, .epoch = 4},
                                      .code = STATUS_STORAGE_FULL,
                                      .elapsed_ms = 5,
                                      .cells = {.offset = 6, .byte_size = 7},
                                      .cell_count = 8,
                                      .detail = "no space",
                                      .payload = {.bytes = (const uint8_t *)"facts", .size = 5}}};
    byte_writer writer;
    encode(&record, &writer);
    shell_record read;
    assert_int_equal(shell_record_decode(&read, RECORD_RESULT, writer.bytes, writer.size), STATUS_OK);
    assert_int_equal(read.result.attempt.epoch, 4);
    assert_int_equal(read.result.code, STATUS_STORAGE_FULL);
    assert_true(read.result.cells.offset == 6 && read.result.cells.byte_size == 7);
    assert_int_equal(read.result.cell_count, 8);
    assert_string_equal(read.result.detail, "no space");
    assert_memory_equal(read.result.payload.bytes, "facts", 5);
    expect_exact(RECORD_RESULT, &writer);
    writer.bytes[17] = STATUS_COUNT; /* version, attempt, then the code: a status that does not exist */
    assert_int_equal(shell_record_decode(&read, RECORD_RESULT, writer.bytes, writer.size), STATUS_PEER_MALFORMED);
    byte_writer_deinit(&writer);
}

static void shell_record__keeps_plans_drains_and_ends(void **state)
{
    (void)state;
    const shell_record records[] = {
        {.kind = RECORD_PLAN,
         .plan = {.job = 1, .digest = {{9, 8, 7}}, .slot_count = 2, .cells_per_task = 3, .task_count = 4}},
        {.kind = RECORD_DRAIN, .drain = {.name = "node-7", .drained = true, .reason = "new disk"}},
        {.kind = RECORD_ROOT, .root = {.name = "shows", .node = "node-7", .identity = {{1, 2, 3}}}},
        {.kind = RECORD_ENDED,
         .ended = {.job = 5, .ended_unix_ms = 6, .held = true, .has_verdict = true, .verdict = 3, .exit_code = 1, .message = "held"}},
        {.kind = RECORD_FORECAST, .forecast = {.job = 5, .made_unix_ms = 6, .ready_ms = 7}},
    };
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        byte_writer writer;
        encode(&records[i], &writer);
        shell_record read;
        assert_int_equal(shell_record_decode(&read, (uint32_t)records[i].kind, writer.bytes, writer.size), STATUS_OK);
        byte_writer again;
        encode(&read, &again);
        assert_int_equal(again.size, writer.size);
        assert_memory_equal(again.bytes, writer.bytes, writer.size);
        expect_exact((uint32_t)records[i].kind, &writer);
        byte_writer_deinit(&again);
        byte_writer_deinit(&writer);
    }
    shell_record read;
    assert_int_equal(shell_record_decode(&read, 99, "\x01", 1), STATUS_PEER_VERSION);
    /* An end of version 2, which knew no outcome. */
    assert_int_equal(shell_record_decode(&read, RECORD_ENDED, "\x02\x05\0\0\0\x06\0\0\0\0\0\0\0", 13), STATUS_OK);
    assert_false(read.ended.has_outcome);
    assert_int_equal(read.ended.ended_unix_ms, 6);
}

static void merge_outcome__comes_back_as_it_was(void **state)
{
    (void)state;
    merge_outcome outcome = {.verdict = VERDICT_WARN,
                             .publish = true,
                             .loudness_value = -2312,
                             .loudness_range = 910,
                             .max_true_peak = -105,
                             .max_momentary = 0x7FFF,
                             .max_short_term = -1500,
                             .by_severity = {1, 2, 3, 4},
                             .finding_count = 1};
    outcome.findings[0].severity = FINDING_WARN;
    strcpy(outcome.findings[0].check, "peak.true");
    strcpy(outcome.findings[0].message, "too high");
    byte_writer writer;
    byte_writer_init(&writer, 1 << 20);
    merge_outcome_encode(&outcome, &writer);
    merge_outcome read;
    assert_int_equal(merge_outcome_decode(&read, writer.bytes, writer.size), STATUS_OK);
    assert_int_equal(read.loudness_value, -2312);
    assert_int_equal(read.max_momentary, 0x7FFF);
    assert_int_equal(read.by_severity[FINDING_FAIL], 4);
    assert_true(read.publish);
    assert_string_equal(read.findings[0].message, "too high");
    /* Journals of before there were excerpts end before the u32 that counts their places. */
    for (size_t size = 0; size < writer.size; size++)
        assert_int_equal(merge_outcome_decode(&read, writer.bytes, size),
                         size == writer.size - 4 ? STATUS_OK : STATUS_PEER_MALFORMED);
    writer.bytes[1] = VERDICT_FAIL + 1;
    assert_int_equal(merge_outcome_decode(&read, writer.bytes, writer.size), STATUS_PEER_MALFORMED);
    byte_writer_deinit(&writer);
}

static void problems__come_back_as_they_were(void **state)
{
    (void)state;
    problem items[2] = {
        {.severity = PROBLEM_ERROR, .file = "show.yaml", .line = 3, .column = 9, .message = "unknown key"},
        {.severity = PROBLEM_INFO, .file = "", .message = "longer than its siblings"},
    };
    problem_list problems = {.items = items, .count = 2, .capacity = 2, .error_count = 1, .dropped = 5};
    byte_writer writer;
    byte_writer_init(&writer, 1 << 20);
    problems_encode(&problems, &writer);
    arena memory;
    arena_init(&memory);
    problem_list read = {0};
    assert_int_equal(problems_decode(&read, writer.bytes, writer.size, &memory), STATUS_OK);
    assert_int_equal(read.count, 2);
    assert_int_equal(read.error_count, 1);
    assert_int_equal(read.dropped, 5);
    assert_string_equal(read.items[0].message, "unknown key");
    assert_int_equal(read.items[0].column, 9);
    assert_int_equal(read.items[1].severity, PROBLEM_INFO);
    for (size_t size = 0; size < writer.size; size++)
        assert_int_equal(problems_decode(&read, writer.bytes, size, &memory), STATUS_PEER_MALFORMED);
    arena_deinit(&memory);
    byte_writer_deinit(&writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shell_record__keeps_a_document),
        cmocka_unit_test(shell_record__keeps_a_result),
        cmocka_unit_test(shell_record__keeps_plans_drains_and_ends),
        cmocka_unit_test(merge_outcome__comes_back_as_it_was),
        cmocka_unit_test(problems__come_back_as_they_were),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
