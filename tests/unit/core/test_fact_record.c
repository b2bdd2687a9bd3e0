#include "coordinator/core/fact_record.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const scheduler_fact example = {.type = FACT_TASK_ENDED,
                                       .job = 0x01020304,
                                       .task = 5,
                                       .term = 6,
                                       .epoch = 0x0708,
                                       .worker = 9,
                                       .value = TASK_BACKOFF,
                                       .code = STATUS_STORAGE_IO,
                                       .priority = -2,
                                       .share = 0x1122334455667788};

static void fact_record__comes_back_as_it_was(void **unused)
{
    (void)unused;
    byte_writer writer;
    byte_writer_init(&writer, 4096);
    fact_record_encode(&example, &writer);
    assert_int_equal(writer.size, FACT_RECORD_BYTES);
    scheduler_fact back;
    assert_int_equal(fact_record_decode(&back, writer.bytes, writer.size), STATUS_OK);
    assert_int_equal(back.type, example.type);
    assert_int_equal(back.job, example.job);
    assert_int_equal(back.task, example.task);
    assert_int_equal(back.term, example.term);
    assert_int_equal(back.epoch, example.epoch);
    assert_int_equal(back.worker, example.worker);
    assert_int_equal(back.value, example.value);
    assert_int_equal(back.code, example.code);
    assert_int_equal(back.priority, example.priority);
    assert_true(back.share == example.share);
    byte_writer_deinit(&writer);
}

/* The layout is on disks: these bytes may not change while the version is 1. */
static void fact_record__has_the_layout_of_version_1(void **unused)
{
    (void)unused;
    static const uint8_t expected[FACT_RECORD_BYTES] = {
        1, FACT_TASK_ENDED, STATUS_STORAGE_IO, 0, 4, 3, 2, 1, 5, 0, 0, 0, 6, 0, 0, 0, 8, 7, 0, 0,
        9, 0, 0, 0, TASK_BACKOFF, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11};
    byte_writer writer;
    byte_writer_init(&writer, 4096);
    fact_record_encode(&example, &writer);
    assert_memory_equal(writer.bytes, expected, sizeof expected);
    byte_writer_deinit(&writer);
}

static void fact_record__refuses_every_cut_and_every_impossible_value(void **unused)
{
    (void)unused;
    byte_writer writer;
    byte_writer_init(&writer, 4096);
    fact_record_encode(&example, &writer);
    byte_writer_u8(&writer, 0);
    scheduler_fact back;
    for (size_t size = 0; size < FACT_RECORD_BYTES; size++)
        assert_int_equal(fact_record_decode(&back, writer.bytes, size), STATUS_PEER_MALFORMED);
    assert_int_equal(fact_record_decode(&back, writer.bytes, FACT_RECORD_BYTES + 1), STATUS_PEER_MALFORMED);
    static const struct {
        size_t offset;
        uint8_t value;
        status code;
    } cases[] = {
        {0, 2, STATUS_PEER_VERSION},
        {0, 0, STATUS_PEER_MALFORMED},
        {1, 0, STATUS_PEER_MALFORMED},
        {1, FACT_TYPE_END, STATUS_PEER_MALFORMED},
        {2, STATUS_COUNT, STATUS_PEER_MALFORMED},
        {24, TASK_CANCELLED + 1, STATUS_PEER_MALFORMED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t before = writer.bytes[cases[i].offset];
        writer.bytes[cases[i].offset] = cases[i].value;
        assert_int_equal(fact_record_decode(&back, writer.bytes, FACT_RECORD_BYTES), cases[i].code);
        writer.bytes[cases[i].offset] = before;
    }
    byte_writer_deinit(&writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fact_record__comes_back_as_it_was),
        cmocka_unit_test(fact_record__has_the_layout_of_version_1),
        cmocka_unit_test(fact_record__refuses_every_cut_and_every_impossible_value),
    };
    return cmocka_run_group_tests_name("fact record", tests, NULL, NULL);
}
