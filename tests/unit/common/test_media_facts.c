#include "common/media/media_facts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static media_facts facts_sample(void)
{
    media_facts facts = {.outcome = STATUS_OK,
                         .identity = {.dev = 3, .ino = 9, .size = 600 + 1000 * 18, .mtime_ns = -5, .ctime_ns = 7},
                         .container = CONTAINER_RF64,
                         .encoding = ENCODING_PCM_24,
                         .valid_bits = 20,
                         .sample_rate = 48000,
                         .channel_count = 6,
                         .frame_count = 1000,
                         .data_offset = 600,
                         .direct = true,
                         .has_channel_mask = true,
                         .channel_mask = 0x60F,
                         .bext = {.present = true,
                                  .version = 2,
                                  .time_reference = 172972800,
                                  .description = "Night Train",
                                  .originator = "DAW",
                                  .origination_date = "2026-11-20",
                                  .loudness_value = -2700,
                                  .max_true_peak_level = 0x7FFF}};
    return facts;
}

static void facts_pack(const media_facts *facts, byte_writer *writer)
{
    byte_writer_init(writer, 65536);
    media_facts_encode(facts, writer);
    assert_false(writer->failed);
}

/* True when the facts survive the way over the wire. */
static bool facts_pass(const media_facts *facts, media_facts *out_facts)
{
    byte_writer writer;
    byte_reader reader;
    facts_pack(facts, &writer);
    byte_reader_init(&reader, writer.bytes, writer.size);
    media_facts_decode(out_facts, &reader);
    bool complete = byte_reader_complete(&reader);
    byte_writer_deinit(&writer);
    return complete;
}

static void media_facts__come_back_as_they_went(void **state)
{
    (void)state;
    media_facts facts = facts_sample();
    media_facts back = {0};
    assert_true(facts_pass(&facts, &back));
    assert_int_equal(back.identity.mtime_ns, -5);
    assert_int_equal(back.identity.size, facts.identity.size);
    assert_int_equal(back.container, CONTAINER_RF64);
    assert_int_equal(back.encoding, ENCODING_PCM_24);
    assert_int_equal(back.valid_bits, 20);
    assert_int_equal(back.channel_mask, 0x60F);
    assert_int_equal(back.frame_count, 1000);
    assert_true(back.direct);
    assert_int_equal(back.bext.time_reference, 172972800);
    assert_string_equal(back.bext.description, "Night Train");
    assert_string_equal(back.bext.origination_date, "2026-11-20");
    assert_int_equal(back.bext.loudness_value, -2700);
    assert_int_equal(back.bext.max_true_peak_level, 0x7FFF);

    byte_writer first;
    byte_writer second;
    facts_pack(&facts, &first);
    facts_pack(&back, &second);
    assert_int_equal(first.size, second.size);
    assert_memory_equal(first.bytes, second.bytes, first.size);
    byte_writer_deinit(&first);
    byte_writer_deinit(&second);
}

static void media_facts__carry_a_refusal(void **state)
{
    (void)state;
    media_facts facts = {.outcome = STATUS_INPUT_TRUNCATED, .message = "\"a.wav\" ends early"};
    media_facts back = {0};
    assert_true(facts_pass(&facts, &back));
    assert_int_equal(back.outcome, STATUS_INPUT_TRUNCATED);
    assert_string_equal(back.message, "\"a.wav\" ends early");
    assert_false(back.bext.present);
}

static void media_facts__refuse_every_cut(void **state)
{
    (void)state;
    media_facts facts = facts_sample();
    byte_writer writer;
    facts_pack(&facts, &writer);
    for (size_t size = 0; size < writer.size; size++) {
        byte_reader reader;
        media_facts back = {.frame_count = 77};
        byte_reader_init(&reader, writer.bytes, size);
        media_facts_decode(&back, &reader);
        assert_true(reader.failed);
        assert_int_equal(back.frame_count, 77); /* left untouched */
    }
    byte_writer_deinit(&writer);
}

static void media_facts__refuse_what_cannot_be(void **state)
{
    (void)state;
    media_facts back = {0};
    media_facts facts = facts_sample();
    facts.channel_count = 0;
    assert_false(facts_pass(&facts, &back));
    facts = facts_sample();
    facts.channel_count = FILE_CHANNELS_MAX + 1;
    assert_false(facts_pass(&facts, &back));
    facts = facts_sample();
    facts.sample_rate = SAMPLE_RATE_MAX + 1;
    assert_false(facts_pass(&facts, &back));
    facts = facts_sample();
    facts.frame_count = 1001; /* more than the file has bytes for */
    assert_false(facts_pass(&facts, &back));
    facts = facts_sample();
    facts.encoding = (sample_encoding)99;
    assert_false(facts_pass(&facts, &back));
    facts = facts_sample();
    facts.container = (media_container)99;
    assert_false(facts_pass(&facts, &back));
    facts = facts_sample();
    facts.outcome = STATUS_COUNT;
    assert_false(facts_pass(&facts, &back));
}

static void media_facts__name_encodings_and_containers(void **state)
{
    (void)state;
    static const struct {
        sample_encoding encoding;
        const char *name;
        uint32_t bytes;
        bool is_float;
    } rows[] = {{ENCODING_PCM_16, "PCM_16", 2, false},
                {ENCODING_PCM_24, "PCM_24", 3, false},
                {ENCODING_PCM_32, "PCM_32", 4, false},
                {ENCODING_FLOAT_32, "FLOAT_32", 4, true},
                {ENCODING_FLOAT_64, "FLOAT_64", 8, true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_string_equal(sample_encoding_name(rows[i].encoding), rows[i].name);
        assert_int_equal(sample_encoding_bytes(rows[i].encoding), rows[i].bytes);
        assert_int_equal(sample_encoding_bits(rows[i].encoding), 8 * rows[i].bytes);
        assert_int_equal(sample_encoding_is_float(rows[i].encoding), rows[i].is_float);
    }
    assert_int_equal(sample_encoding_bytes((sample_encoding)99), 0);
    assert_string_equal(media_container_name(CONTAINER_RF64), "RF64");
    assert_string_equal(media_container_name((media_container)99), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(media_facts__come_back_as_they_went),
        cmocka_unit_test(media_facts__carry_a_refusal),
        cmocka_unit_test(media_facts__refuse_every_cut),
        cmocka_unit_test(media_facts__refuse_what_cannot_be),
        cmocka_unit_test(media_facts__name_encodings_and_containers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
