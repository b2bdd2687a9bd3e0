/* Task bodies there and back, and against everything that one changed byte or a missing end can make of them. */
#include "tests/unit/proto/sample_bodies.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Encoded sample of a kind; the caller frees. */
static uint8_t *encoded_sample(task_kind kind, size_t *out_size)
{
    arena memory;
    task_body body;
    byte_writer writer;
    arena_init(&memory);
    byte_writer_init(&writer, FRAME_BYTES_MAX);
    sample_body(kind, &body, &memory);
    task_body_encode(&body, &writer);
    assert_false(writer.failed);
    arena_deinit(&memory);
    uint8_t *bytes = byte_writer_detach(&writer, out_size);
    assert_non_null(bytes);
    uint8_t *exact = malloc(*out_size); /* no spare byte behind the end */
    assert_non_null(exact);
    memcpy(exact, bytes, *out_size);
    free(bytes);
    return exact;
}

static void task_body__comes_back_as_it_was_encoded(void **state)
{
    (void)state;
    for (int kind = TASK_PROBE; kind < TASK_KIND_REMOTE_END; kind++) {
        size_t size;
        uint8_t *bytes = encoded_sample((task_kind)kind, &size);
        arena memory;
        task_body body;
        byte_writer writer;
        arena_init(&memory);
        byte_writer_init(&writer, FRAME_BYTES_MAX);
        assert_int_equal(task_body_decode(&body, (task_kind)kind, bytes, size, &memory), STATUS_OK);
        task_body_encode(&body, &writer); /* every field reaches the bytes, so equal bytes are equal bodies */
        assert_int_equal(writer.size, size);
        assert_memory_equal(writer.bytes, bytes, size);
        byte_writer_deinit(&writer);
        arena_deinit(&memory);
        free(bytes);
    }
}

static void task_body__of_another_kind_or_version_is_refused(void **state)
{
    (void)state;
    size_t size;
    uint8_t *bytes = encoded_sample(TASK_PROBE, &size);
    arena memory;
    task_body body;
    arena_init(&memory);
    assert_int_equal(task_body_decode(&body, TASK_DISCARD, bytes, size, &memory), STATUS_PEER_MALFORMED);
    assert_int_equal(task_body_decode(&body, TASK_PLAN, bytes, size, &memory), STATUS_PEER_MALFORMED);
    bytes[0]++;
    assert_int_equal(task_body_decode(&body, TASK_PROBE, bytes, size, &memory), STATUS_PEER_MALFORMED);
    arena_deinit(&memory);
    free(bytes);
}

static void task_body__refuses_every_truncation(void **state)
{
    (void)state;
    for (int kind = TASK_PROBE; kind < TASK_KIND_REMOTE_END; kind++) {
        size_t size;
        uint8_t *bytes = encoded_sample((task_kind)kind, &size);
        for (size_t cut = 0; cut < size; cut++) {
            uint8_t *copy = malloc(cut == 0 ? 1 : cut);
            assert_non_null(copy);
            memcpy(copy, bytes, cut);
            arena memory;
            task_body body;
            arena_init(&memory);
            assert_int_equal(task_body_decode(&body, (task_kind)kind, copy, cut, &memory), STATUS_PEER_MALFORMED);
            arena_deinit(&memory);
            free(copy);
        }
        free(bytes);
    }
}

/* No byte makes the decoder take more memory than such bodies can need, or give what cannot be encoded again. */
static void task_body__survives_every_change_of_one_byte(void **state)
{
    (void)state;
    enum { MEMORY_MAX = 64 * 1024 }; /* samples are below 2 KB; structs with paths are at most 1.1 KB per 10 bytes */
    static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff, '/', '.'};
    unsigned accepted = 0, refused = 0;
    for (int kind = TASK_PROBE; kind < TASK_KIND_REMOTE_END; kind++) {
        size_t size;
        uint8_t *bytes = encoded_sample((task_kind)kind, &size);
        for (size_t at = 0; at < size; at++) {
            uint8_t original = bytes[at];
            for (size_t v = 0; v < sizeof values; v++) {
                bytes[at] = values[v];
                arena memory;
                task_body body;
                arena_init(&memory);
                if (task_body_decode(&body, (task_kind)kind, bytes, size, &memory) == STATUS_OK) {
                    byte_writer writer;
                    byte_writer_init(&writer, FRAME_BYTES_MAX);
                    task_body_encode(&body, &writer);
                    assert_int_equal(writer.size, size);
                    assert_memory_equal(writer.bytes, bytes, size);
                    byte_writer_deinit(&writer);
                    accepted++;
                } else {
                    refused++;
                }
                assert_true(memory.total_bytes <= MEMORY_MAX);
                arena_deinit(&memory);
            }
            bytes[at] = original;
        }
        free(bytes);
    }
    assert_true(accepted > 0 && refused > 0);
}

static status decode_changed(task_kind kind, void (*change)(task_body *body))
{
    arena memory;
    task_body body;
    byte_writer writer;
    arena_init(&memory);
    byte_writer_init(&writer, FRAME_BYTES_MAX);
    sample_body(kind, &body, &memory);
    change(&body);
    task_body_encode(&body, &writer);
    assert_false(writer.failed);
    status code = task_body_decode(&body, kind, writer.bytes, writer.size, &memory);
    byte_writer_deinit(&writer);
    arena_deinit(&memory);
    return code;
}

static void change_nothing(task_body *body)
{
    (void)body;
}
static void change_binding_file(task_body *body)
{
    body->render.pieces[0].bindings[0].file = 2;
}
static void change_binding_channel(task_body *body)
{
    body->render.pieces[1].bindings[1].channel = 2;
}
static void change_first_cell(task_body *body)
{
    body->render.first_cell = 2;
}
static void change_cell_count(task_body *body)
{
    body->render.cell_count = 0;
}
static void change_output_measured(task_body *body)
{
    body->render.files[0].output = 1;
}
static void change_output_channel(task_body *body)
{
    body->render.files[0].channels[0] = 2;
}
static void change_data_offset(task_body *body)
{
    body->render.files[0].data_offset = 4095;
}
static void change_file_frames(task_body *body)
{
    body->render.files[0].file_frame_count = 699999;
}
static void change_input_size(task_body *body)
{
    body->render.inputs[0].identity.size = 44 + 1000000 * 6 - 1;
}
static void change_path(task_body *body)
{
    strcpy(body->render.inputs[1].file.path, "mx/../../etc/passwd");
}

static void task_render__refuses_what_would_lead_outside_its_own_tables(void **state)
{
    (void)state;
    assert_int_equal(decode_changed(TASK_RENDER, change_nothing), STATUS_OK);
    assert_int_equal(decode_changed(TASK_RENDER, change_binding_file), STATUS_PEER_MALFORMED);
    assert_int_equal(decode_changed(TASK_RENDER, change_binding_channel), STATUS_PEER_MALFORMED);
    assert_int_equal(decode_changed(TASK_RENDER, change_first_cell), STATUS_PEER_MALFORMED);
    assert_int_equal(decode_changed(TASK_RENDER, change_cell_count), STATUS_PEER_MALFORMED);
    assert_int_equal(decode_changed(TASK_RENDER, change_output_measured), STATUS_PEER_MALFORMED);
    assert_int_equal(decode_changed(TASK_RENDER, change_output_channel), STATUS_PEER_MALFORMED);
    assert_int_equal(decode_changed(TASK_RENDER, change_data_offset), STATUS_PEER_MALFORMED);
    assert_int_equal(decode_changed(TASK_RENDER, change_file_frames), STATUS_PEER_MALFORMED);
    assert_int_equal(decode_changed(TASK_RENDER, change_input_size), STATUS_PEER_MALFORMED);
    assert_int_equal(decode_changed(TASK_RENDER, change_path), STATUS_PEER_MALFORMED);
}

static void task_body__does_not_take_memory_for_counts_it_cannot_hold(void **state)
{
    (void)state;
    /* DISCARD of 1,024 files in nine bytes; VERIFY is the same through decode_count. */
    const uint8_t bytes[] = {TASK_BODY_VERSION, 0, TASK_DISCARD, 0x00, 0x04, 0, 0, 1, 2};
    arena memory;
    task_body body;
    arena_init(&memory);
    assert_int_equal(task_body_decode(&body, TASK_DISCARD, bytes, sizeof bytes, &memory), STATUS_PEER_MALFORMED);
    assert_true(memory.total_bytes < 64);
    arena_deinit(&memory);
}

static void task_path__is_relative_and_stays_below_its_root(void **state)
{
    (void)state;
    static const char *const good[] = {"a", "a/b", "...", "..a", "a..", ".part", "a b", "\xff\xfe", "a\\b", "a/.b/..c",
                                       "\xc2\xa0", "\xc2"};
    static const char *const bad[] = {"",   "/",    "/a",   "a/",   "a//b", ".",    "..",     "./a",
                                      "../a", "a/.", "a/..", "a/./b", "a/../b", "a\nb", "a\x7f", "a\x1b[0m",
                                      ("a\xc2\x9b" "1m"), "\xc2\x80"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(task_path_valid(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(task_path_valid(bad[i]));
}

static void task_excerpt_result__comes_back_and_refuses_what_is_no_name(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "-a", "../a", "a/b", "a.wav", "A", "a b"};
    static uint8_t levels[3 * EXCERPT_COLUMNS];
    static task_excerpt_result result = {.count = TASK_PLACES_MAX, .failure = "the rest could not be read"}, back;
    for (size_t i = 0; i < sizeof levels; i++)
        levels[i] = (uint8_t)(i * 7 % EXCERPT_LEVELS);
    for (uint32_t i = 0; i < result.count; i++)
        result.items[i] = (task_excerpt_item){.place = {"0123456789ab-12", 5 + i, TASK_PLACE_FRAMES_MAX, 0xFFFF}, .row_count = 3,
                                              .levels = levels, .audition_size = 44 + i, .audition_gain = 1.0};
    byte_writer writer;
    arena memory;
    arena_init(&memory);
    byte_writer_init(&writer, FRAME_BYTES_MAX);
    task_excerpt_result_encode(&result, &writer);
    assert_int_equal(task_excerpt_result_decode(&back, writer.bytes, writer.size, &memory), STATUS_OK);
    assert_int_equal(back.count, TASK_PLACES_MAX);
    assert_string_equal(back.failure, result.failure);
    assert_memory_equal(back.items[11].levels, levels, sizeof levels);
    assert_int_equal(back.items[11].place.first_frame, 16);
    assert_int_equal(task_excerpt_result_decode(&back, writer.bytes, writer.size - 1, &memory), STATUS_PEER_MALFORMED);
    assert_int_equal(back.count, 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) { /* it becomes a file's name and a link of the page */
        snprintf(result.items[0].place.name, TASK_PLACE_NAME, "%s", bad[i]);
        byte_writer_reset(&writer);
        task_excerpt_result_encode(&result, &writer);
        assert_int_equal(task_excerpt_result_decode(&back, writer.bytes, writer.size, &memory), STATUS_PEER_MALFORMED);
    }
    /* As large as a result may be, it fits its message. */
    snprintf(result.items[0].place.name, TASK_PLACE_NAME, "a");
    static uint8_t most[EXCERPT_ROWS_MAX * EXCERPT_COLUMNS];
    for (uint32_t i = 0; i < result.count; i++) {
        result.items[i].row_count = EXCERPT_ROWS_MAX;
        result.items[i].levels = most;
    }
    byte_writer_reset(&writer);
    task_excerpt_result_encode(&result, &writer);
    assert_true(writer.size <= RESULT_PAYLOAD_MAX);
    byte_writer_deinit(&writer);
    arena_deinit(&memory);
}

static void task_verify_result__comes_back_and_refuses_other_sizes(void **state)
{
    (void)state;
    task_verify_result result = {.identity = {1, 2, 123456789012, -4, 5}}, back;
    result.file_digest = content_hash_of("file", 4);
    result.audio_digest = content_hash_of("audio", 5);
    byte_writer writer;
    byte_writer_init(&writer, FRAME_BYTES_MAX);
    task_verify_result_encode(&result, &writer);
    assert_int_equal(task_verify_result_decode(&back, writer.bytes, writer.size), STATUS_OK);
    assert_true(content_hash_equal(&back.file_digest, &result.file_digest));
    assert_true(content_hash_equal(&back.audio_digest, &result.audio_digest));
    assert_memory_equal(&back.identity, &result.identity, sizeof back.identity);
    assert_int_equal(task_verify_result_decode(&back, writer.bytes, writer.size - 1), STATUS_PEER_MALFORMED);
    byte_writer_u8(&writer, 0);
    assert_int_equal(task_verify_result_decode(&back, writer.bytes, writer.size), STATUS_PEER_MALFORMED);
    byte_writer_deinit(&writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(task_body__comes_back_as_it_was_encoded),
        cmocka_unit_test(task_body__of_another_kind_or_version_is_refused),
        cmocka_unit_test(task_body__refuses_every_truncation),
        cmocka_unit_test(task_body__survives_every_change_of_one_byte),
        cmocka_unit_test(task_render__refuses_what_would_lead_outside_its_own_tables),
        cmocka_unit_test(task_body__does_not_take_memory_for_counts_it_cannot_hold),
        cmocka_unit_test(task_path__is_relative_and_stays_below_its_root),
        cmocka_unit_test(task_excerpt_result__comes_back_and_refuses_what_is_no_name),
        cmocka_unit_test(task_verify_result__comes_back_and_refuses_other_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
