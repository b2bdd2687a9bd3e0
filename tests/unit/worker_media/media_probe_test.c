#define _GNU_SOURCE
#include "tests/unit/worker_media/riff_builder.h"
#include "tests/unit/worker_media/temp_folder.h"
#include "worker/media/media_reader.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

/* Probes bytes as a file called R1_DX.wav. */
static media_facts probe_bytes(const void *bytes, size_t byte_size)
{
    int descriptor = memfd_create("probe", MFD_CLOEXEC);
    assert_true(descriptor >= 0);
    if (byte_size > 0)
        assert_int_equal(write(descriptor, bytes, byte_size), byte_size);
    media_facts facts;
    memset(&facts, 0xAA, sizeof facts);
    assert_int_equal(media_probe(descriptor, "R1_DX.wav", &facts), STATUS_OK);
    close(descriptor);
    if (facts.outcome == STATUS_OK)
        assert_string_equal(facts.message, "");
    else
        assert_non_null(strstr(facts.message, "R1_DX.wav"));
    return facts;
}

static media_facts probe_writer(const byte_writer *writer)
{
    assert_false(writer->failed);
    return probe_bytes(writer->bytes, writer->size);
}

static void says(const media_facts *facts, status code, const char *words)
{
    if (facts->outcome != code || strstr(facts->message, words) == NULL)
        fail_msg("expected %s with \"%s\", got %s: %s", status_text(code), words, status_text(facts->outcome),
                 facts->message);
}

static int writer_create(void **state)
{
    byte_writer *writer = malloc(sizeof *writer);
    byte_writer_init(writer, 1 << 20);
    *state = writer;
    return 0;
}

static int writer_destroy(void **state)
{
    byte_writer_deinit(*state);
    free(*state);
    return 0;
}

static void media_probe__states_every_fact_of_a_plain_wav(void **state)
{
    byte_writer *w = *state;
    riff_builder_begin(w, "RIFF");
    riff_builder_format(w, 1, 2, 48000, 24);
    riff_builder_chunk(w, "LIST", "INFOxxx", 7);
    riff_builder_data(w, 600);
    riff_builder_finish(w);
    media_facts facts = probe_writer(w);
    assert_int_equal(facts.outcome, STATUS_OK);
    assert_int_equal(facts.container, CONTAINER_WAV);
    assert_int_equal(facts.encoding, ENCODING_PCM_24);
    assert_int_equal(facts.valid_bits, 24);
    assert_int_equal(facts.sample_rate, 48000);
    assert_int_equal(facts.channel_count, 2);
    assert_int_equal(facts.frame_count, 100);
    assert_int_equal(facts.data_offset, 12 + 24 + 16 + 8);
    assert_int_equal(facts.identity.size, w->size);
    assert_true(facts.direct);
    assert_false(facts.big_endian);
    assert_false(facts.has_channel_mask);
    assert_false(facts.has_adm);
    assert_false(facts.bext.present);
}

static void media_probe__reads_mask_and_valid_bits_of_an_extensible_format(void **state)
{
    byte_writer *w = *state;
    riff_builder_begin(w, "RIFF");
    riff_builder_extensible(w, 6, 24, 20, 0x60F, 1);
    riff_builder_data(w, 180);
    riff_builder_finish(w);
    media_facts facts = probe_writer(w);
    assert_int_equal(facts.outcome, STATUS_OK);
    assert_int_equal(facts.valid_bits, 20);
    assert_int_equal(facts.encoding, ENCODING_PCM_24);
    assert_true(facts.has_channel_mask);
    assert_int_equal(facts.channel_mask, 0x60F);
    assert_int_equal(facts.frame_count, 10);

    riff_builder_begin(w, "RIFF");
    riff_builder_extensible(w, 2, 32, 0, 0, 3);
    riff_builder_data(w, 80);
    riff_builder_finish(w);
    facts = probe_writer(w);
    assert_int_equal(facts.encoding, ENCODING_FLOAT_32);
    assert_int_equal(facts.valid_bits, 32);
    assert_false(facts.has_channel_mask); /* a mask of 0 states nothing */
}

static void media_probe__names_found_and_promised_frames_of_a_cut_wav(void **state)
{
    byte_writer *w = *state;
    riff_builder_begin(w, "RIFF");
    riff_builder_format(w, 1, 2, 48000, 16);
    riff_builder_data(w, 4000);
    riff_builder_finish(w);
    media_facts facts = probe_bytes(w->bytes, w->size - 1001); /* 2999 of 4000 bytes: 749 whole frames */
    says(&facts, STATUS_INPUT_TRUNCATED, "promises 1000 frames, the file holds 749");
    for (size_t size = 0; size < w->size; size++) {
        facts = probe_bytes(w->bytes, size);
        assert_int_not_equal(facts.outcome, STATUS_OK);
        assert_int_equal(status_class_of(facts.outcome), STATUS_CLASS_INPUT);
    }
    /* A chunk behind the audio that is cut counts too, and so does one that is missing whole. */
    riff_builder_begin(w, "RIFF");
    riff_builder_format(w, 1, 2, 48000, 16);
    riff_builder_data(w, 400);
    size_t audio_end = w->size;
    riff_builder_chunk(w, "iXML", "<x/>.............................", 32);
    riff_builder_finish(w);
    facts = probe_bytes(w->bytes, w->size - 4);
    says(&facts, STATUS_INPUT_TRUNCATED, "iXML");
    facts = probe_bytes(w->bytes, audio_end);
    says(&facts, STATUS_INPUT_TRUNCATED, "promises");
}

static void media_probe__refuses_a_wav_of_unknown_length(void **state)
{
    byte_writer *w = *state;
    riff_builder_begin(w, "RIFF");
    riff_builder_format(w, 1, 2, 48000, 16);
    riff_builder_header(w, "data", 0xFFFFFFFFu);
    byte_writer_zeros(w, 4000);
    byte_writer_patch_u32(w, 4, 0xFFFFFFFFu);
    media_facts facts = probe_writer(w);
    says(&facts, STATUS_INPUT_INVALID, "does not say how long its audio is");
    /* And one whose recorder died before it wrote the sizes. */
    riff_builder_begin(w, "RIFF");
    riff_builder_format(w, 1, 2, 48000, 16);
    riff_builder_header(w, "data", 0);
    for (int i = 0; i < 4000; i++)
        byte_writer_u8(w, (uint8_t)(i * 37));
    facts = probe_writer(w);
    says(&facts, STATUS_INPUT_INVALID, "never finished");
}

static void media_probe__takes_the_length_of_rf64_and_bw64_from_ds64(void **state)
{
    byte_writer *w = *state;
    const char *magics[] = {"RF64", "BW64"};
    const media_container containers[] = {CONTAINER_RF64, CONTAINER_BW64};
    for (int i = 0; i < 2; i++) {
        riff_builder_begin(w, magics[i]);
        riff_builder_ds64(w, 12 + 36 + 24 + 8 + 300 + 12 + 12 - 8, 300, 50);
        riff_builder_format(w, 1, 2, 48000, 24);
        riff_builder_header(w, "data", 0xFFFFFFFFu);
        byte_writer_zeros(w, 300);
        riff_builder_chunk(w, "chna", "\0\0\0\0", 4);
        riff_builder_chunk(w, "axml", "<x/>", 4);
        media_facts facts = probe_writer(w);
        assert_int_equal(facts.outcome, STATUS_OK);
        assert_int_equal(facts.container, containers[i]);
        assert_int_equal(facts.frame_count, 50);
        assert_true(facts.has_adm);
        /* Cut within the audio. */
        facts = probe_bytes(w->bytes, 12 + 36 + 24 + 8 + 100);
        says(&facts, STATUS_INPUT_TRUNCATED, "promises 50 frames, the file holds 16");
        /* Without ds64 nothing is known. */
        memcpy(w->bytes + 12, "JUNK", 4);
        facts = probe_writer(w);
        says(&facts, STATUS_INPUT_INVALID, "ds64");
    }
}

static void media_probe__counts_the_frames_of_files_over_four_gigabytes(void **state)
{
    byte_writer *w = *state;
    temp_folder folder;
    temp_folder_create(&folder);
    const uint64_t frames = 600000000; /* x 12 bytes = 7.2 GB, sparse on the disk */
    riff_builder_begin(w, "RF64");
    riff_builder_ds64(w, 12 + 36 + 24 + 8 + frames * 12 - 8, frames * 12, frames);
    riff_builder_format(w, 3, 3, 48000, 32);
    riff_builder_header(w, "data", 0xFFFFFFFFu);
    temp_folder_write(&folder, "big.wav", w->bytes, w->size);
    int descriptor = open(temp_folder_path(&folder, "big.wav"), O_RDWR);
    assert_int_equal(ftruncate(descriptor, (off_t)(w->size + frames * 12)), 0);
    const float last[3] = {0.25f, -0.5f, 1.0f};
    assert_int_equal(pwrite(descriptor, last, sizeof last, (off_t)(w->size + (frames - 1) * 12)), sizeof last);
    media_facts facts;
    assert_int_equal(media_probe(descriptor, "big.wav", &facts), STATUS_OK);
    assert_int_equal(facts.outcome, STATUS_OK);
    assert_int_equal(facts.frame_count, frames);
    media_reader *reader = NULL;
    assert_int_equal(media_reader_create(&reader, descriptor, facts.container, facts.encoding, facts.channel_count,
                                         facts.frame_count, facts.data_offset, facts.direct, NULL),
                     STATUS_OK);
    float back[6];
    assert_int_equal(media_reader_frames(reader, frames - 2, 2, back, NULL), STATUS_OK);
    assert_memory_equal(back + 3, last, sizeof last);
    media_reader_destroy(&reader);
    assert_int_equal(ftruncate(descriptor, (off_t)(w->size + frames * 12 - 1)), 0);
    assert_int_equal(media_probe(descriptor, "big.wav", &facts), STATUS_OK);
    says(&facts, STATUS_INPUT_TRUNCATED, "promises 600000000 frames, the file holds 599999999");
    close(descriptor);
    temp_folder_remove(&folder);
}

static void media_probe__reads_bext_of_every_version(void **state)
{
    byte_writer *w = *state;
    for (uint16_t version = 0; version <= 3; version++) {
        riff_builder_begin(w, "RIFF");
        riff_builder_bext(w, version, 172800000ull + (5ull << 32), "Night Train R1 DX");
        riff_builder_format(w, 1, 1, 48000, 16);
        riff_builder_data(w, 100);
        riff_builder_finish(w);
        media_facts facts = probe_writer(w);
        assert_int_equal(facts.outcome, STATUS_OK);
        assert_true(facts.bext.present);
        assert_int_equal(facts.bext.version, version);
        assert_int_equal(facts.bext.time_reference, 172800000ull + (5ull << 32));
        assert_string_equal(facts.bext.description, "Night Train R1 DX");
        assert_string_equal(facts.bext.originator, "Mixing Stage Five, a name of 32"); /* cut at 32, its last a space */
        assert_string_equal(facts.bext.originator_reference, "REF0001");
        assert_string_equal(facts.bext.origination_date, "2026-11-20");
        assert_string_equal(facts.bext.origination_time, "12:34:56");
        bool loudness = version >= 2; /* EBU Tech 3285 v2 added it; 0x7FFF = not set */
        assert_int_equal(facts.bext.loudness_value, loudness ? -1 : 0x7FFF);
        assert_int_equal(facts.bext.loudness_range, loudness ? -2 : 0x7FFF);
        assert_int_equal(facts.bext.max_true_peak_level, loudness ? -3 : 0x7FFF);
        assert_int_equal(facts.bext.max_momentary_loudness, loudness ? -4 : 0x7FFF);
        assert_int_equal(facts.bext.max_short_term_loudness, loudness ? -5 : 0x7FFF);
    }
}

static void media_probe__makes_bext_text_printable(void **state)
{
    byte_writer *w = *state;
    static const char *const pairs[][2] = {
        {"a\x1b[31mred\x07", "a?[31mred?"},
        {"line one\r\nline two\r\n", "line one  line two"},
        {"Zo\xc3\xab caf\xc3\xa9", "Zo\xc3\xab caf\xc3\xa9"},           /* UTF-8 stays */
        {"caf\xe9", "caf?"},                                           /* Latin-1 is no UTF-8 */
        {"\xc0\xaf\xed\xa0\x80\xf5\x80\x80\x80", "?????????"},          /* overlong, surrogate, beyond Unicode */
        {"evil\xe2\x80\xae" "gpj.exe", "evil???gpj.exe"},              /* U+202E turns text round */
        {"\xc2\x9b" "1m", "??1m"},                                     /* C1 control */
        {"   ", ""},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        riff_builder_begin(w, "RIFF");
        riff_builder_bext(w, 1, 0, pairs[i][0]);
        riff_builder_format(w, 1, 1, 48000, 16);
        riff_builder_data(w, 2);
        riff_builder_finish(w);
        media_facts facts = probe_writer(w);
        assert_string_equal(facts.bext.description, pairs[i][1]);
    }
    /* A field filled to its end, and a sequence that the end cuts. */
    char full[300];
    memset(full, 'x', sizeof full);
    full[255] = '\xc3';
    full[256] = '\0';
    riff_builder_begin(w, "RIFF");
    riff_builder_bext(w, 1, 0, full);
    riff_builder_format(w, 1, 1, 48000, 16);
    riff_builder_data(w, 2);
    riff_builder_finish(w);
    media_facts facts = probe_writer(w);
    assert_int_equal(strlen(facts.bext.description), 256);
    assert_int_equal(facts.bext.description[255], '?');
}

static void media_probe__passes_over_a_bext_too_short_to_mean_anything(void **state)
{
    byte_writer *w = *state;
    riff_builder_begin(w, "RIFF");
    riff_builder_header(w, "bext", 346);
    byte_writer_zeros(w, 346);
    riff_builder_format(w, 1, 1, 48000, 16);
    riff_builder_data(w, 2);
    riff_builder_finish(w);
    media_facts facts = probe_writer(w);
    assert_int_equal(facts.outcome, STATUS_OK);
    assert_false(facts.bext.present);
}

static void media_probe__bears_missing_and_present_pad_bytes(void **state)
{
    byte_writer *w = *state;
    for (int padded = 0; padded <= 1; padded++) {
        riff_builder_begin(w, "RIFF");
        riff_builder_format(w, 1, 1, 48000, 24);
        riff_builder_header(w, "data", 3);
        byte_writer_bytes(w, "\1\2\3", 3);
        byte_writer_zeros(w, (size_t)padded);
        riff_builder_chunk(w, "chna", "\0\0\0\0", 4);
        riff_builder_chunk(w, "axml", "<x/>", 4);
        riff_builder_finish(w);
        media_facts facts = probe_writer(w);
        assert_int_equal(facts.outcome, STATUS_OK);
        assert_int_equal(facts.frame_count, 1);
        assert_true(facts.has_adm); /* found behind the audio either way */
    }
    /* Zeros behind the form, as some archives add them. */
    riff_builder_begin(w, "RIFF");
    riff_builder_format(w, 1, 1, 48000, 16);
    riff_builder_data(w, 20);
    riff_builder_finish(w);
    byte_writer_zeros(w, 5000);
    media_facts facts = probe_writer(w);
    assert_int_equal(facts.outcome, STATUS_OK);
    assert_int_equal(facts.frame_count, 10);
}

static void media_probe__refuses_formats_that_are_not_plain_audio(void **state)
{
    byte_writer *w = *state;
    static const struct {
        uint16_t tag;
        uint16_t channels;
        uint32_t rate;
        uint16_t bits;
        status code;
        const char *words;
    } cases[] = {
        {1, 0, 48000, 16, STATUS_INPUT_UNSUPPORTED, "0 channels"},
        {1, 129, 48000, 16, STATUS_INPUT_UNSUPPORTED, "129 channels"},
        {1, 2, 7999, 16, STATUS_INPUT_UNSUPPORTED, "7999 Hz"},
        {1, 2, 768001, 16, STATUS_INPUT_UNSUPPORTED, "768001 Hz"},
        {1, 2, 48000, 0, STATUS_INPUT_UNSUPPORTED, "0-bit PCM"},
        {1, 2, 48000, 33, STATUS_INPUT_UNSUPPORTED, "33-bit PCM"},
        {3, 2, 48000, 24, STATUS_INPUT_UNSUPPORTED, "24-bit float"},
        {2, 2, 48000, 4, STATUS_INPUT_UNSUPPORTED, "ADPCM"},
        {0x55, 2, 48000, 0, STATUS_INPUT_UNSUPPORTED, "MP3"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        riff_builder_begin(w, "RIFF");
        riff_builder_format(w, cases[i].tag, cases[i].channels, cases[i].rate, cases[i].bits);
        riff_builder_data(w, 240);
        riff_builder_finish(w);
        media_facts facts = probe_writer(w);
        says(&facts, cases[i].code, cases[i].words);
    }
}

static void media_probe__refuses_structures_that_contradict_themselves(void **state)
{
    byte_writer *w = *state;
    riff_builder_begin(w, "RIFF");
    riff_builder_format(w, 1, 2, 48000, 16);
    riff_builder_data(w, 7);
    riff_builder_finish(w);
    media_facts facts = probe_writer(w);
    says(&facts, STATUS_INPUT_TRUNCATED, "within a frame");

    riff_builder_begin(w, "RIFF");
    riff_builder_data(w, 8);
    riff_builder_format(w, 1, 2, 48000, 16);
    riff_builder_finish(w);
    facts = probe_writer(w);
    says(&facts, STATUS_INPUT_INVALID, "before any fmt");

    riff_builder_begin(w, "RIFF");
    riff_builder_format(w, 1, 2, 48000, 16);
    riff_builder_format(w, 1, 2, 44100, 16);
    riff_builder_data(w, 8);
    riff_builder_finish(w);
    facts = probe_writer(w);
    says(&facts, STATUS_INPUT_INVALID, "second fmt");

    riff_builder_begin(w, "RIFF");
    riff_builder_format(w, 1, 2, 48000, 16);
    riff_builder_data(w, 8);
    riff_builder_data(w, 8);
    riff_builder_finish(w);
    facts = probe_writer(w);
    says(&facts, STATUS_INPUT_INVALID, "second data");

    riff_builder_begin(w, "RIFF");
    for (int i = 0; i < 300; i++)
        riff_builder_chunk(w, "JUNK", "", 0);
    riff_builder_format(w, 1, 2, 48000, 16);
    riff_builder_data(w, 8);
    riff_builder_finish(w);
    facts = probe_writer(w);
    says(&facts, STATUS_LIMIT, "256 chunks");

    riff_builder_begin(w, "RF64");
    riff_builder_ds64(w, UINT64_MAX, UINT64_MAX, UINT64_MAX);
    riff_builder_format(w, 1, 2, 48000, 16);
    riff_builder_header(w, "data", 0xFFFFFFFFu);
    byte_writer_zeros(w, 64);
    facts = probe_writer(w);
    says(&facts, STATUS_INPUT_TRUNCATED, "the file holds 16");
}

static void media_probe__says_what_a_file_is_that_is_no_audio(void **state)
{
    (void)state;
    media_facts facts = probe_bytes("", 0);
    says(&facts, STATUS_INPUT_INVALID, "is empty");
    facts = probe_bytes("Dear mixer,\nthe files follow tomorrow.\n", 38);
    says(&facts, STATUS_INPUT_UNSUPPORTED, "is text");
    facts = probe_bytes("OggS\0\0\0\0\0\0\0\0", 12);
    says(&facts, STATUS_INPUT_UNSUPPORTED, "Ogg");
    facts = probe_bytes("\0\0\0\x18" "ftypisom", 12);
    says(&facts, STATUS_INPUT_UNSUPPORTED, "MP4");
    facts = probe_bytes("\1\2\3", 3);
    says(&facts, STATUS_INPUT_UNSUPPORTED, "unknown kind");
    facts = probe_bytes("RIFF\x10\0\0\0AVI LIST", 16);
    says(&facts, STATUS_INPUT_INVALID, "no WAVE form");
    facts = probe_bytes("RIFF", 4);
    says(&facts, STATUS_INPUT_TRUNCATED, "too short");

    int folder = open("/", O_RDONLY | O_DIRECTORY);
    assert_int_equal(media_probe(folder, "R1_DX.wav", &facts), STATUS_OK);
    says(&facts, STATUS_INPUT_INVALID, "is a folder");
    close(folder);
}

static void media_probe__keeps_sentences_short_and_printable_for_any_name(void **state)
{
    (void)state;
    char name[PATH_MAX_BYTES];
    memset(name, 'n', sizeof name);
    name[5] = '\n';
    memcpy(name + sizeof name - 9, "\x1b[2Jtail", 9);
    int descriptor = memfd_create("probe", MFD_CLOEXEC);
    media_facts facts;
    assert_int_equal(media_probe(descriptor, name, &facts), STATUS_OK);
    close(descriptor);
    assert_int_equal(facts.outcome, STATUS_INPUT_INVALID);
    assert_non_null(strstr(facts.message, "?[2Jtail is empty (0 bytes), expected an audio file"));
    for (const char *c = facts.message; *c != '\0'; c++)
        assert_true((unsigned char)*c >= 0x20);
}

static void media_probe__reports_storage_that_fails_as_such(void **state)
{
    (void)state;
    media_facts facts = {.frame_count = 77};
    int pair[2];
    assert_int_equal(pipe(pair), 0);
    close(pair[0]);
    close(pair[1]);
    assert_int_not_equal(media_probe(pair[0], "R1_DX.wav", &facts), STATUS_OK);
    assert_int_equal(facts.frame_count, 77); /* untouched */
}

int main(void)
{
#define WITH_WRITER(test) cmocka_unit_test_setup_teardown(test, writer_create, writer_destroy)
    const struct CMUnitTest tests[] = {
        WITH_WRITER(media_probe__states_every_fact_of_a_plain_wav),
        WITH_WRITER(media_probe__reads_mask_and_valid_bits_of_an_extensible_format),
        WITH_WRITER(media_probe__names_found_and_promised_frames_of_a_cut_wav),
        WITH_WRITER(media_probe__refuses_a_wav_of_unknown_length),
        WITH_WRITER(media_probe__takes_the_length_of_rf64_and_bw64_from_ds64),
        WITH_WRITER(media_probe__counts_the_frames_of_files_over_four_gigabytes),
        WITH_WRITER(media_probe__reads_bext_of_every_version),
        WITH_WRITER(media_probe__makes_bext_text_printable),
        WITH_WRITER(media_probe__passes_over_a_bext_too_short_to_mean_anything),
        WITH_WRITER(media_probe__bears_missing_and_present_pad_bytes),
        WITH_WRITER(media_probe__refuses_formats_that_are_not_plain_audio),
        WITH_WRITER(media_probe__refuses_structures_that_contradict_themselves),
        cmocka_unit_test(media_probe__says_what_a_file_is_that_is_no_audio),
        cmocka_unit_test(media_probe__keeps_sentences_short_and_printable_for_any_name),
        cmocka_unit_test(media_probe__reports_storage_that_fails_as_such),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
