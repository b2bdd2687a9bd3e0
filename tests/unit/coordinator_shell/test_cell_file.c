#define _GNU_SOURCE
#include "coordinator/shell/cell_file.h"
#include "coordinator/shell/cell_spool.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static content_hash hash_of_number(uint32_t number)
{
    return content_hash_of(&number, sizeof number);
}

/* A cell whose every field follows from its number. */
static void make_cell(message_cell *cell, content_hash hashes[5], char measure[64], uint32_t number)
{
    for (uint32_t i = 0; i < 5; i++)
        hashes[i] = hash_of_number(100 * number + i);
    int size = snprintf(measure, 64, "the measure of cell %u", number);
    *cell = (message_cell){.attempt = {.job = 1, .task = 9, .term = 2, .epoch = 3},
                           .cell = number,
                           .input_count = 2,
                           .inputs = hashes,
                           .output_count = 3,
                           .outputs = hashes + 2,
                           .measure_count = 2};
    cell->measures[0] = (message_bytes){.bytes = (const uint8_t *)measure, .size = (uint32_t)size};
    cell->measures[1] = (message_bytes){.bytes = (const uint8_t *)measure, .size = 0};
}

static void add_cell(byte_writer *writer, uint32_t number)
{
    message_cell *cell = calloc(1, sizeof *cell);
    content_hash hashes[5];
    char measure[64];
    make_cell(cell, hashes, measure, number);
    cell_record_encode(cell, writer);
    free(cell);
}

static void check_record(const cell_record *record, uint32_t number)
{
    char measure[64];
    int size = snprintf(measure, sizeof measure, "the measure of cell %u", number);
    assert_int_equal(record->task, 9);
    assert_int_equal(record->cell, number);
    assert_int_equal(record->input_count, 2);
    assert_int_equal(record->output_count, 3);
    content_hash first = hash_of_number(100 * number);
    content_hash third = hash_of_number(100 * number + 2);
    assert_true(content_hash_equal(&record->inputs[0], &first));
    assert_true(content_hash_equal(&record->outputs[0], &third));
    assert_int_equal(record->measure_count, 2);
    assert_int_equal(record->measures[0].size, size);
    assert_memory_equal(record->measures[0].bytes, measure, (size_t)size);
    assert_int_equal(record->measures[1].size, 0);
}

static void cell_record__comes_back_as_it_was(void **state)
{
    (void)state;
    byte_writer writer;
    byte_writer_init(&writer, 1 << 20);
    for (uint32_t i = 0; i < 4; i++)
        add_cell(&writer, i);
    size_t offset = 0;
    for (uint32_t i = 0; i < 4; i++) {
        cell_record record;
        assert_int_equal(cell_record_decode(&record, writer.bytes, writer.size, &offset), STATUS_OK);
        check_record(&record, i);
    }
    assert_int_equal(offset, writer.size);
    byte_writer_deinit(&writer);
}

static void cell_record__sees_a_torn_tail_at_every_byte(void **state)
{
    (void)state;
    byte_writer writer;
    byte_writer_init(&writer, 1 << 20);
    add_cell(&writer, 0);
    size_t whole = writer.size;
    add_cell(&writer, 1);
    for (size_t size = whole; size < writer.size; size++) {
        uint8_t *cut = malloc(size);
        memcpy(cut, writer.bytes, size);
        size_t offset = 0;
        cell_record record;
        assert_int_equal(cell_record_decode(&record, cut, size, &offset), STATUS_OK);
        assert_int_equal(offset, whole);
        assert_int_equal(cell_record_decode(&record, cut, size, &offset), STATUS_STORAGE_MISMATCH);
        assert_int_equal(offset, whole);
        free(cut);
    }
    byte_writer_deinit(&writer);
}

static void cell_record__sees_every_flipped_bit(void **state)
{
    (void)state;
    byte_writer writer;
    byte_writer_init(&writer, 1 << 20);
    add_cell(&writer, 5);
    for (size_t i = 0; i < writer.size; i++)
        for (int bit = 0; bit < 8; bit++) {
            writer.bytes[i] = (uint8_t)(writer.bytes[i] ^ (1u << bit));
            size_t offset = 0;
            cell_record record;
            assert_int_equal(cell_record_decode(&record, writer.bytes, writer.size, &offset), STATUS_STORAGE_MISMATCH);
            writer.bytes[i] = (uint8_t)(writer.bytes[i] ^ (1u << bit));
        }
    byte_writer_deinit(&writer);
}

static void cell_file__writes_over_what_was_not_kept(void **state)
{
    (void)state;
    char path[] = "/tmp/test_cells_XXXXXX";
    int made = mkstemp(path);
    assert_true(made >= 0);
    close(made);
    cell_file file;
    error_detail detail = {0};
    assert_int_equal(cell_file_open(&file, path, 0, JOURNAL_KEEP_MEDIUM, &detail), STATUS_OK);
    cell_stretch kept;
    cell_stretch refused;
    cell_stretch next;
    assert_int_equal(cell_file_write(&file, "kept", 4, &kept, &detail), STATUS_OK);
    cell_file_keep(&file, &kept);
    assert_int_equal(cell_file_write(&file, "refused attempt", 15, &refused, &detail), STATUS_OK);
    assert_int_equal(cell_file_write(&file, "next", 4, &next, &detail), STATUS_OK);
    cell_file_keep(&file, &next);
    cell_file_close(&file);
    assert_true(next.offset == 4);

    cell_bytes bytes = {0};
    assert_int_equal(cell_file_read(path, &kept, &bytes, &detail), STATUS_OK);
    assert_memory_equal(bytes.bytes, "kept", 4);
    assert_int_equal(cell_file_read(path, &next, &bytes, &detail), STATUS_OK);
    assert_memory_equal(bytes.bytes, "next", 4);
    cell_stretch beyond = {.offset = 10, .byte_size = 10}; /* the file has 19 bytes */
    assert_int_equal(cell_file_read(path, &beyond, &bytes, &detail), STATUS_STORAGE_MISMATCH);
    beyond = (cell_stretch){.offset = UINT64_MAX - 4, .byte_size = 10};
    assert_int_equal(cell_file_read(path, &beyond, &bytes, &detail), STATUS_STORAGE_MISMATCH);
    cell_bytes_deinit(&bytes);
    unlink(path);
}

static void cell_spool__holds_each_cell_of_an_attempt_once(void **state)
{
    (void)state;
    cell_spool *spool = calloc(1, sizeof *spool);
    message_cell *cell = calloc(1, sizeof *cell);
    content_hash hashes[5];
    char measure[64];
    for (uint32_t round = 0; round < 2; round++)
        for (uint32_t i = 0; i < 3; i++) {
            make_cell(cell, hashes, measure, i);
            assert_int_equal(cell_spool_add(spool, 4, cell), STATUS_OK);
        }
    const spooled_attempt *held = cell_spool_find(spool, &cell->attempt);
    assert_non_null(held);
    assert_int_equal(held->cell_count, 3);
    assert_int_equal(cell_spool_add(spool, 5, cell), STATUS_PEER_IMPOSSIBLE); /* another worker's */

    attempt_id other = cell->attempt;
    other.epoch++;
    assert_null(cell_spool_find(spool, &other));
    cell->attempt = other;
    assert_int_equal(cell_spool_add(spool, 5, cell), STATUS_OK);
    cell_spool_drop(spool, &other);
    assert_null(cell_spool_find(spool, &other));
    other.epoch--;
    assert_non_null(cell_spool_find(spool, &other));
    cell_spool_drop_task(spool, 1, 9);
    assert_null(cell_spool_find(spool, &other));
    cell_spool_deinit(spool);
    free(cell);
    free(spool);
}

/* One execution has made cells 0..2, a second beside it cells 1..3: the two that both made are compared. */
static void cell_spool__compares_what_two_executions_made(void **state)
{
    (void)state;
    cell_spool *spool = calloc(1, sizeof *spool);
    message_cell *cell = calloc(1, sizeof *cell);
    content_hash hashes[5];
    char measure[64];
    uint32_t number = 0;
    uint32_t worker = 0;
    for (uint32_t i = 0; i < 3; i++) {
        make_cell(cell, hashes, measure, i);
        assert_int_equal(cell_spool_add(spool, 4, cell), STATUS_OK);
    }
    attempt_id first = cell->attempt;
    attempt_id second = first;
    second.epoch++;
    assert_false(cell_spool_differs(spool, &first, &number, &worker));
    for (uint32_t i = 1; i < 4; i++) {
        make_cell(cell, hashes, measure, i);
        cell->attempt = second;
        assert_int_equal(cell_spool_add(spool, 5, cell), STATUS_OK);
    }
    assert_false(cell_spool_differs(spool, &first, &number, &worker));
    assert_false(cell_spool_differs(spool, &second, &number, &worker));
    cell_spool_drop(spool, &second);
    make_cell(cell, hashes, measure, 2);
    cell->attempt = second;
    hashes[4].bytes[15] ^= 1; /* one bit of one output's digest */
    assert_int_equal(cell_spool_add(spool, 5, cell), STATUS_OK);
    assert_true(cell_spool_differs(spool, &first, &number, &worker));
    assert_int_equal(number, 2);
    assert_int_equal(worker, 5);
    cell_spool_deinit(spool);
    free(cell);
    free(spool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cell_record__comes_back_as_it_was),
        cmocka_unit_test(cell_record__sees_a_torn_tail_at_every_byte),
        cmocka_unit_test(cell_record__sees_every_flipped_bit),
        cmocka_unit_test(cell_file__writes_over_what_was_not_kept),
        cmocka_unit_test(cell_spool__holds_each_cell_of_an_attempt_once),
        cmocka_unit_test(cell_spool__compares_what_two_executions_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
