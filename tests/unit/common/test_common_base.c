#include "common/base/arena.h"
#include "common/base/byte_reader.h"
#include "common/base/byte_writer.h"
#include "common/base/content_hash.h"
#include "common/base/log.h"
#include "common/base/plain_text.h"
#include "common/base/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void status__has_a_text_and_a_class_for_every_code(void **state)
{
    (void)state;
    for (int code = 0; code < STATUS_COUNT; code++) {
        assert_string_not_equal(status_text((status)code), "unknown status");
        assert_true(strlen(status_class_name(status_class_of((status)code))) > 0);
    }
    assert_string_equal(status_text(STATUS_COUNT), "unknown status");
    assert_int_equal(status_class_of(STATUS_INPUT_TRUNCATED), STATUS_CLASS_INPUT);
    assert_int_equal(status_class_of(STATUS_STORAGE_FULL), STATUS_CLASS_STORAGE);
    assert_string_equal(status_class_name(STATUS_CLASS_NODE), "node");
}

static void log_line__keeps_quoted_values_whole(void **state)
{
    (void)state;
    char line[256];
    (void)log_format(line, sizeof line, LOG_WARN, "a.b", "name=\"%s\" job=%u share=%.1f why=\"%.9s: %s\" id=%016llx size=%zu",
                     "x\" level=error \\", 7u, 0.25, "one\ntwo\"three", "end\"", 0xabcull, (size_t)9);
    assert_string_equal(strstr(line, "event="), "event=a.b name=\"x\\\" level=error \\\\\" job=7 share=0.2 "
                                                "why=\"one?two\\\"t: end\\\"\" id=0000000000000abc size=9\n");
    char small[64];
    int size = log_format(small, sizeof small, LOG_WARN, "a.b", "name=\"%s\"", "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"");
    assert_true(size < (int)sizeof small && small[size - 1] == '\n' && small[size] == '\0');
}

static void error_detail__is_bounded_and_holds_no_control_characters(void **state)
{
    (void)state;
    error_detail detail = {0};
    char text[2 * ERROR_MESSAGE_SIZE];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    text[1] = '\n';
    text[2] = '\x1B';
    assert_int_equal(error_detail_set(&detail, STATUS_INPUT_SYNTAX, "%s", text), STATUS_INPUT_SYNTAX);
    assert_int_equal(detail.code, STATUS_INPUT_SYNTAX);
    assert_true(strlen(detail.message) < ERROR_MESSAGE_SIZE);
    assert_memory_equal(detail.message, "a??a", 4);
    assert_int_equal(error_detail_set(&detail, STATUS_LIMIT, "a\xC2\x9B" "b\xFF"), STATUS_LIMIT);
    assert_string_equal(detail.message, "a?b?");
    assert_int_equal(error_detail_set(NULL, STATUS_LIMIT, "nobody listens"), STATUS_LIMIT);
}

static void plain_text__loses_what_a_terminal_may_obey(void **state)
{
    (void)state;
    static const struct {
        const char *given, *left;
    } cases[] = {
        {"", ""},
        {"plain, t\xC3\xA9l\xC3\xA9, \xE6\x98\xA0\xE7\x94\xBB, \xF0\x9F\x8E\xAC", "plain, t\xC3\xA9l\xC3\xA9, \xE6\x98\xA0\xE7\x94\xBB, \xF0\x9F\x8E\xAC"},
        {"\x1B[2Ja\tb\r\nc\x7F", "?[2Ja?b??c?"},
        {"\xC2\x80" "a\xC2\x9B" "b\xC2\x9F" "c\xC2\xA0", "?a?b?c\xC2\xA0"},                              /* C1; no-break space stays */
        {"\xE2\x80\xA9\xE2\x80\xAA\xE2\x80\xAEx\xE2\x80\xAF", "\xE2\x80\xA9??x\xE2\x80\xAF"},         /* U+202A, U+202E and neighbours */
        {"\xE2\x81\xA5\xE2\x81\xA6\xE2\x81\xA9x\xE2\x81\xAA", "\xE2\x81\xA5??x\xE2\x81\xAA"},         /* U+2066, U+2069 and neighbours */
        {"\x9B" "31m\xC0\xAF\xE2\x80", "?31m????"}, /* no UTF-8 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[64];
        strcpy(text, cases[i].given);
        plain_text_disarm(text);
        assert_string_equal(text, cases[i].left);
    }
}

static void byte_writer__and_reader_are_inverse(void **state)
{
    (void)state;
    byte_writer writer;
    byte_writer_init(&writer, 4096);
    byte_writer_u8(&writer, 0xFE);
    byte_writer_u16(&writer, 0x1234);
    byte_writer_u32(&writer, 0xDEADBEEF);
    byte_writer_u64(&writer, UINT64_MAX - 1);
    byte_writer_f64(&writer, -0.1);
    byte_writer_text(&writer, "reel");
    byte_writer_blob(&writer, "", 0);
    byte_writer_patch_u32(&writer, 3, 7);
    assert_memory_equal(writer.bytes, "\xFE\x34\x12\x07\x00\x00\x00", 7);
    byte_reader reader;
    char text[8];
    size_t size = 1;
    byte_reader_init(&reader, writer.bytes, writer.size);
    assert_int_equal(byte_reader_u8(&reader), 0xFE);
    assert_int_equal(byte_reader_u16(&reader), 0x1234);
    assert_int_equal(byte_reader_u32(&reader), 7);
    assert_true(byte_reader_u64(&reader) == UINT64_MAX - 1);
    assert_true(byte_reader_f64(&reader) == -0.1);
    byte_reader_text(&reader, text, sizeof text);
    assert_string_equal(text, "reel");
    (void)byte_reader_blob(&reader, 10, &size);
    assert_int_equal(size, 0);
    assert_true(byte_reader_complete(&reader));
    assert_int_equal(byte_reader_u8(&reader), 0);
    assert_true(reader.failed);
    assert_int_equal(byte_reader_left(&reader), 0);
    byte_writer_deinit(&writer);
}

static void byte_writer__stops_at_its_bound(void **state)
{
    (void)state;
    byte_writer writer;
    byte_writer_init(&writer, 10);
    byte_writer_u64(&writer, 1);
    byte_writer_u32(&writer, 2);
    assert_true(writer.failed);
    assert_int_equal(writer.size, 8);
    byte_writer_u8(&writer, 3); /* nothing more, even if it would fit */
    assert_int_equal(writer.size, 8);
    byte_writer_reset(&writer);
    byte_writer_zeros(&writer, 10);
    assert_false(writer.failed);
    size_t size = 0;
    uint8_t *bytes = byte_writer_detach(&writer, &size);
    assert_int_equal(size, 10);
    assert_int_equal(bytes[9], 0);
    assert_null(writer.bytes);
    byte_writer_deinit(&writer);
    free(bytes);
}

static void byte_reader__never_trusts_a_length(void **state)
{
    (void)state;
    static const uint8_t long_blob[] = {0xFF, 0xFF, 0xFF, 0xFF, 1, 2};
    static const uint8_t with_nul[] = {3, 0, 0, 0, 'a', 0, 'b'};
    static const uint8_t text[] = {3, 0, 0, 0, 'a', 'b', 'c'};
    byte_reader reader;
    size_t size = 9;
    byte_reader_init(&reader, long_blob, sizeof long_blob);
    assert_null(byte_reader_blob(&reader, SIZE_MAX, &size));
    assert_int_equal(size, 0);
    assert_true(reader.failed);
    char out[4];
    byte_reader_init(&reader, with_nul, sizeof with_nul);
    byte_reader_text(&reader, out, sizeof out);
    assert_true(reader.failed);
    assert_string_equal(out, "");
    byte_reader_init(&reader, text, sizeof text);
    byte_reader_text(&reader, out, 3); /* no room for the NUL */
    assert_true(reader.failed);
    byte_reader_init(&reader, text, sizeof text);
    byte_reader_text(&reader, out, 4);
    assert_string_equal(out, "abc");
    assert_true(byte_reader_complete(&reader));
}

static void content_hash__is_the_published_function(void **state)
{
    (void)state;
    /* XXH3_128bits of no bytes, seed 0: 99aa06d3014798d86001c324468d497f (xxhsum -H2 of an empty file). */
    char text[CONTENT_HASH_TEXT_SIZE];
    content_hash empty = content_hash_of("", 0);
    content_hash_to_text(&empty, text);
    assert_string_equal(text, "99aa06d3014798d86001c324468d497f");
    content_hash zero = {{0}};
    assert_true(content_hash_is_zero(&zero));
    assert_false(content_hash_is_zero(&empty));
}

static void content_hash__does_not_depend_on_pieces(void **state)
{
    (void)state;
    uint8_t bytes[5000];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 31 + i / 7);
    content_hash whole = content_hash_of(bytes, sizeof bytes);
    for (size_t piece = 1; piece < 700; piece += 37) {
        content_hash_stream stream;
        content_hash_stream_init(&stream);
        for (size_t at = 0; at < sizeof bytes; at += piece)
            content_hash_stream_add(&stream, bytes + at, sizeof bytes - at < piece ? sizeof bytes - at : piece);
        content_hash digest = content_hash_stream_digest(&stream);
        assert_true(content_hash_equal(&digest, &whole));
    }
}

static void arena__gives_zeroed_aligned_memory(void **state)
{
    (void)state;
    arena memory;
    arena_init(&memory);
    unsigned char *last = NULL;
    for (size_t size = 0; size < 3000; size += 7) {
        unsigned char *taken = arena_take(&memory, size);
        assert_non_null(taken);
        assert_int_equal((uintptr_t)taken % _Alignof(max_align_t), 0);
        assert_ptr_not_equal(taken, last);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(taken[i], 0);
        if (size > 0)
            memset(taken, 0xAA, size);
        last = taken;
    }
    assert_non_null(arena_take(&memory, 1 << 20));
    for (size_t count = 0; count < 300; count++) {
        unsigned char *taken = arena_take_lines(&memory, count, 3);
        assert_int_equal((uintptr_t)taken % 64, 0);
        for (size_t i = 0; i < 3 * count; i++)
            assert_int_equal(taken[i], 0);
        memset(taken, 0xFF, 3 * count);
    }
    assert_string_equal(arena_format(&memory, "%s-%d", "cell", 7), "cell-7");
    assert_string_equal(arena_copy_bytes(&memory, "abc", 2), "ab");
    arena_deinit(&memory);
    arena_deinit(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status__has_a_text_and_a_class_for_every_code),
        cmocka_unit_test(plain_text__loses_what_a_terminal_may_obey),
        cmocka_unit_test(error_detail__is_bounded_and_holds_no_control_characters),
        cmocka_unit_test(log_line__keeps_quoted_values_whole),
        cmocka_unit_test(byte_writer__and_reader_are_inverse),
        cmocka_unit_test(byte_writer__stops_at_its_bound),
        cmocka_unit_test(byte_reader__never_trusts_a_length),
        cmocka_unit_test(content_hash__is_the_published_function),
        cmocka_unit_test(content_hash__does_not_depend_on_pieces),
        cmocka_unit_test(arena__gives_zeroed_aligned_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
