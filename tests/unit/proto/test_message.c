/*
 * Frames against proto/vectors. "test_message DIR" tests; "test_message DIR write" writes the vectors anew, for a
 * change of protocol that is meant.
 *
 * Why re-encoding proves decoding: every field reaches the frame, so two messages that differ give different frames;
 * encode(sample) = vector and encode(decode(vector)) = vector leave decode(vector) = sample.
 */
#include "proto/message_decode.h"
#include "proto/message_encode.h"
#include "proto/message_scan.h"
#include "proto/message_text.h"
#include "tests/unit/proto/sample_messages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { VECTOR_MAX = 4096 };

static void vector_path(const char *folder, message_type type, char out[512])
{
    snprintf(out, 512, "%s/%02d_%s.hex", folder, (int)type, message_type_name(type));
}

static size_t vector_read(const char *folder, message_type type, uint8_t out[VECTOR_MAX])
{
    char path[512];
    vector_path(folder, type, path);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t size = 0;
    unsigned value;
    while (size < VECTOR_MAX && fscanf(file, "%2x", &value) == 1)
        out[size++] = (uint8_t)value;
    fclose(file);
    return size;
}

static int vectors_write(const char *folder)
{
    size_t count;
    const message_type *types = sample_message_types(&count);
    for (size_t i = 0; i < count; i++) {
        char path[512];
        message sample;
        byte_writer writer;
        byte_writer_init(&writer, FRAME_BYTES_MAX);
        sample_message(types[i], &sample);
        vector_path(folder, types[i], path);
        FILE *file = fopen(path, "w");
        if (file == NULL || message_encode(&sample, &writer) != STATUS_OK)
            return 1;
        for (size_t j = 0; j < writer.size; j++)
            fprintf(file, "%02x%s", writer.bytes[j], j % 32 == 31 || j + 1 == writer.size ? "\n" : " ");
        fclose(file);
        byte_writer_deinit(&writer);
    }
    return 0;
}

/* A copy of exactly the right size, so that the address sanitizer sees a read past the end. */
static status decode_copy(const uint8_t *bytes, size_t byte_size, message *out, uint8_t **out_copy)
{
    *out_copy = malloc(byte_size == 0 ? 1 : byte_size);
    assert_non_null(*out_copy);
    memcpy(*out_copy, bytes, byte_size);
    return message_decode(out, *out_copy, byte_size, NULL, NULL);
}

static void message__encodes_to_the_golden_vectors_and_back(void **state)
{
    size_t count;
    const message_type *types = sample_message_types(&count);
    for (size_t i = 0; i < count; i++) {
        uint8_t vector[VECTOR_MAX];
        size_t size = vector_read(*state, types[i], vector);
        message sample, decoded;
        byte_writer writer;
        byte_writer_init(&writer, FRAME_BYTES_MAX);
        sample_message(types[i], &sample);
        assert_int_equal(message_encode(&sample, &writer), STATUS_OK);
        assert_int_equal(writer.size, size);
        assert_memory_equal(writer.bytes, vector, size);

        error_detail detail = {0};
        status code = message_decode(&decoded, vector, size, NULL, &detail);
        if (code != STATUS_OK)
            fail_msg("%s: %s", message_type_name(types[i]), detail.message);
        assert_int_equal(decoded.type, types[i]);
        byte_writer_reset(&writer);
        assert_int_equal(message_encode(&decoded, &writer), STATUS_OK);
        assert_int_equal(writer.size, size);
        assert_memory_equal(writer.bytes, vector, size);
        byte_writer_deinit(&writer);
    }
}

static void message__refuses_every_truncation_and_every_addition(void **state)
{
    size_t count;
    const message_type *types = sample_message_types(&count);
    for (size_t i = 0; i < count; i++) {
        uint8_t vector[VECTOR_MAX + 1];
        size_t size = vector_read(*state, types[i], vector);
        vector[size] = 0;
        for (size_t cut = 0; cut <= size + 1; cut++) {
            message decoded;
            uint8_t *copy;
            status code = decode_copy(vector, cut, &decoded, &copy);
            assert_int_equal(code, cut == size ? STATUS_OK : STATUS_PEER_MALFORMED);
            free(copy);
        }
    }
}

/* Whatever one byte becomes, the frame is refused or is a whole message that survives being sent on. */
static void message__survives_every_change_of_one_byte(void **state)
{
    size_t count;
    const message_type *types = sample_message_types(&count);
    unsigned accepted = 0, refused = 0;
    for (size_t i = 0; i < count; i++) {
        uint8_t vector[VECTOR_MAX];
        size_t size = vector_read(*state, types[i], vector);
        for (size_t at = 0; at < size; at++) {
            uint8_t original = vector[at];
            for (unsigned value = 0; value < 256; value++) {
                vector[at] = (uint8_t)value;
                message decoded, again;
                uint8_t *copy;
                if (decode_copy(vector, size, &decoded, &copy) == STATUS_OK) {
                    byte_writer writer;
                    byte_writer_init(&writer, FRAME_BYTES_MAX);
                    assert_int_equal(message_encode(&decoded, &writer), STATUS_OK);
                    assert_int_equal(message_decode(&again, writer.bytes, writer.size, NULL, NULL), STATUS_OK);
                    byte_writer_deinit(&writer);
                    accepted++;
                } else {
                    refused++;
                }
                free(copy);
            }
            vector[at] = original;
        }
    }
    assert_true(accepted > 0 && refused > 0);
}

static void assert_scan_refuses(const void *bytes, size_t byte_size)
{
    message decoded;
    uint8_t *copy;
    assert_int_equal(message_scan(bytes, byte_size, NULL), STATUS_PEER_MALFORMED);
    assert_int_equal(decode_copy(bytes, byte_size, &decoded, &copy), STATUS_PEER_MALFORMED);
    free(copy);
}

static void message_scan__refuses_what_would_cost_memory_or_stack(void **state)
{
    (void)state;
    assert_scan_refuses("", 0);
    assert_scan_refuses("\xdd\xff\xff\xff\xff", 5);                 /* 4 G items, none there */
    assert_scan_refuses("\xdc\xff\xff\x01\x01", 5);                 /* 65,535 items, two there */
    assert_scan_refuses("\x93\x01\x02\xc6\xff\xff\xff\xff", 8);     /* 4 GiB of bytes */
    assert_scan_refuses("\x93\x01\x02\xdb\x7f\xff\xff\xff", 8);     /* 2 GiB of text */
    assert_scan_refuses("\x93\x01\x02\xc4", 4);                     /* a length that is cut off */
    assert_scan_refuses("\x93\x01\x02\xcf\x00\x00", 6);             /* an integer that is cut off */
    assert_scan_refuses("\x93\x01\x02\xc0", 4);                     /* nil */
    assert_scan_refuses("\x93\x01\x02\xc1", 4);                     /* the type that does not exist */
    assert_scan_refuses("\x93\x01\x02\x80", 4);                     /* a map */
    assert_scan_refuses("\x93\x01\x02\xca\x00\x00\x00\x00", 8);     /* a float */
    assert_scan_refuses("\x93\x01\x02\xd4\x00\x00", 6);             /* fixext 1 */
    assert_scan_refuses("\x93\x01\x02\xc9\x00\x00\x00\x00\x01", 9); /* ext of length 0, which msgpack-c accepts */
    assert_scan_refuses("\x01", 1);                                 /* no array */
    assert_scan_refuses("\x80", 1);

    uint8_t deep[MESSAGE_DEPTH_MAX + 1];
    memset(deep, 0x91, sizeof deep);
    deep[MESSAGE_DEPTH_MAX] = 0x01;
    assert_int_equal(message_scan(deep, sizeof deep, NULL), STATUS_OK); /* exactly as deep as allowed */
    uint8_t deeper[MESSAGE_DEPTH_MAX + 2];
    memset(deeper, 0x91, sizeof deeper);
    deeper[MESSAGE_DEPTH_MAX + 1] = 0x01;
    assert_scan_refuses(deeper, sizeof deeper);

    static uint8_t many[3 + MESSAGE_NODES_MAX];
    many[0] = 0xdc;
    many[1] = (uint8_t)((MESSAGE_NODES_MAX - 1) >> 8);
    many[2] = (uint8_t)(MESSAGE_NODES_MAX - 1);
    assert_int_equal(message_scan(many, 3 + MESSAGE_NODES_MAX - 1, NULL), STATUS_OK); /* the array and its items */
    many[1] = (uint8_t)(MESSAGE_NODES_MAX >> 8);
    many[2] = (uint8_t)(MESSAGE_NODES_MAX & 0xff);
    assert_scan_refuses(many, 3 + MESSAGE_NODES_MAX);

    uint8_t *large = calloc(1, FRAME_BYTES_MAX + 1);
    assert_non_null(large);
    large[0] = 0x91;
    large[1] = 0xc6;
    large[2] = (FRAME_BYTES_MAX - 5) >> 24;
    large[3] = (FRAME_BYTES_MAX - 5) >> 16;
    large[4] = (uint8_t)((FRAME_BYTES_MAX - 5) >> 8);
    large[5] = (uint8_t)(FRAME_BYTES_MAX - 5);
    assert_scan_refuses(large, FRAME_BYTES_MAX + 1);
    free(large);
}

static void message__refuses_values_out_of_range(void **state)
{
    (void)state;
    message decoded;
    /* HEARTBEAT: beat 0, then 1001 permille, then an attempt of four items. */
    assert_int_equal(message_decode(&decoded, "\x95\x02\x02\x01\x90\xc2", 6, NULL, NULL), STATUS_OK);
    assert_int_equal(message_decode(&decoded, "\x95\x02\x02\x00\x90\xc2", 6, NULL, NULL), STATUS_PEER_MALFORMED);
    assert_int_equal(message_decode(&decoded, "\x95\x02\x02\x01\x91\x95\x01\x01\x01\x01\xcd\x03\xe9\xc2", 14, NULL,
                                    NULL),
                     STATUS_PEER_MALFORMED);
    assert_int_equal(message_decode(&decoded, "\x95\x02\x02\x01\x91\x94\x01\x01\x01\x01\xc2", 11, NULL, NULL),
                     STATUS_PEER_MALFORMED);
    /* An unknown type; GOODBYE with a field; a negative term. */
    assert_int_equal(message_decode(&decoded, "\x92\x63\x02", 3, NULL, NULL), STATUS_PEER_MALFORMED);
    assert_int_equal(message_decode(&decoded, "\x93\x06\x02\x01", 4, NULL, NULL), STATUS_PEER_MALFORMED);
    assert_int_equal(message_decode(&decoded, "\x92\x06\x02", 3, NULL, NULL), STATUS_OK);
    assert_int_equal(message_decode(&decoded, "\x98\x10\x02\x01\xff\x01\x01\x01\x01", 9, NULL, NULL),
                     STATUS_PEER_MALFORMED);
    /* REFUSE whose text holds a newline, an incomplete sequence, or a NUL. */
    assert_int_equal(message_decode(&decoded, "\x94\x11\x02\x01\xa1\x0a", 6, NULL, NULL), STATUS_PEER_MALFORMED);
    assert_int_equal(message_decode(&decoded, "\x94\x11\x02\x01\xa1\xc3", 6, NULL, NULL), STATUS_PEER_MALFORMED);
    assert_int_equal(message_decode(&decoded, "\x94\x11\x02\x01\xa1\x00", 6, NULL, NULL), STATUS_PEER_MALFORMED);
}

static void message__of_another_version_is_told_apart_and_refuse_is_always_read(void **state)
{
    (void)state;
    message decoded;
    assert_int_equal(message_decode(&decoded, "\x92\x06\x01", 3, NULL, NULL), STATUS_PEER_VERSION);
    assert_int_equal(message_decode(&decoded, "\x96\x01\x05\x01\x02\x03\x04", 7, NULL, NULL), STATUS_PEER_VERSION);
    assert_int_equal(message_decode(&decoded, "\x94\x11\x09\x05\xa3old", 8, NULL, NULL), STATUS_OK);
    assert_int_equal(decoded.refuse.code, 5);
    assert_string_equal(decoded.refuse.detail, "old");
}

static void message__text_is_cleaned_when_sent(void **state)
{
    (void)state;
    message sample = {.type = MESSAGE_REFUSE, .refuse = {.code = STATUS_PEER_REFUSED}};
    strcpy(sample.refuse.detail, "a\nb\x80" "c\xC3\xA9\xC2\x9B\xED\xA0\x80");
    byte_writer writer;
    byte_writer_init(&writer, FRAME_BYTES_MAX);
    assert_int_equal(message_encode(&sample, &writer), STATUS_OK);
    message decoded;
    assert_int_equal(message_decode(&decoded, writer.bytes, writer.size, NULL, NULL), STATUS_OK);
    assert_string_equal(decoded.refuse.detail, "a?b?c\xC3\xA9?????");
    byte_writer_deinit(&writer);
}

static void message_text__cuts_at_the_size_of_its_field(void **state)
{
    (void)state;
    char out[4];
    assert_int_equal(message_text_clean("ab\xC3\xA9", out, sizeof out), 3);
    assert_string_equal(out, "ab?"); /* half a letter is none */
    assert_true(message_text_valid("\xF4\x8F\xBF\xBF", 4));
    assert_false(message_text_valid("\xF4\x90\x80\x80", 4));
    assert_false(message_text_valid("\xC0\xAF", 2)); /* an overlong '/' */
}

static void message__over_the_frame_limit_is_an_error_not_a_frame(void **state)
{
    (void)state;
    uint8_t *measure = calloc(1, MEASURE_BYTES_MAX);
    assert_non_null(measure);
    message sample = {.type = MESSAGE_CELL, .cell = {.measure_count = 2}};
    sample.cell.measures[0] = sample.cell.measures[1] = (message_bytes){measure, MEASURE_BYTES_MAX};
    byte_writer writer;
    byte_writer_init(&writer, 2 * FRAME_BYTES_MAX);
    assert_int_equal(message_encode(&sample, &writer), STATUS_LIMIT);
    byte_writer_deinit(&writer);
    free(measure);
}

static void message__with_everything_at_its_bound_passes(void **state)
{
    (void)state;
    static message full;
    sample_message(MESSAGE_HELLO, &full);
    full.hello.root_count = ROOTS_MAX;
    for (uint32_t i = 0; i < ROOTS_MAX; i++) {
        memset(full.hello.roots[i].name, 'r', NAME_MAX_BYTES - 1);
        full.hello.roots[i].name[NAME_MAX_BYTES - 1] = '\0';
    }
    full.hello.held_count = MESSAGE_ATTEMPTS_MAX;
    memset(full.hello.held, 0xff, sizeof full.hello.held);
    byte_writer writer;
    byte_writer_init(&writer, FRAME_BYTES_MAX);
    assert_int_equal(message_encode(&full, &writer), STATUS_OK);
    message decoded;
    assert_int_equal(message_decode(&decoded, writer.bytes, writer.size, NULL, NULL), STATUS_OK);
    assert_int_equal(decoded.hello.held_count, MESSAGE_ATTEMPTS_MAX);
    assert_int_equal(decoded.hello.held[MESSAGE_ATTEMPTS_MAX - 1].epoch, UINT32_MAX);
    byte_writer_deinit(&writer);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    if (argc > 2 && strcmp(argv[2], "write") == 0)
        return vectors_write(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(message__encodes_to_the_golden_vectors_and_back, argv[1]),
        cmocka_unit_test_prestate(message__refuses_every_truncation_and_every_addition, argv[1]),
        cmocka_unit_test_prestate(message__survives_every_change_of_one_byte, argv[1]),
        cmocka_unit_test(message_scan__refuses_what_would_cost_memory_or_stack),
        cmocka_unit_test(message__refuses_values_out_of_range),
        cmocka_unit_test(message__of_another_version_is_told_apart_and_refuse_is_always_read),
        cmocka_unit_test(message__text_is_cleaned_when_sent),
        cmocka_unit_test(message_text__cuts_at_the_size_of_its_field),
        cmocka_unit_test(message__over_the_frame_limit_is_an_error_not_a_frame),
        cmocka_unit_test(message__with_everything_at_its_bound_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
