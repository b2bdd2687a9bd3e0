/*
 * Every container, depth and channel count that inputs may have, written by libsndfile from known numbers, must come back
 * from our reader as exactly those numbers: by any order of reads, from our own reader and through libsndfile alike.
 */
#define _GNU_SOURCE
#include "tests/unit/worker_media/temp_folder.h"
#include "worker/media/media_reader.h"

#include <fcntl.h>
#include <setjmp.h>
#include <sndfile.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { FRAMES = 5000 };

typedef struct container_case {
    const char *name;
    int format; /* libsndfile's major type and byte order */
    media_container container;
    bool big_endian;
    bool wave;  /* direct where 16 bit or more */
} container_case;

static const container_case containers[] = {
    {"WAV", SF_FORMAT_WAV, CONTAINER_WAV, false, true},
    {"WAVEX", SF_FORMAT_WAVEX, CONTAINER_WAV, false, true},
    {"RIFX", SF_FORMAT_WAV | SF_ENDIAN_BIG, CONTAINER_WAV, true, true},
    {"RF64", SF_FORMAT_RF64, CONTAINER_RF64, false, true},
    {"W64", SF_FORMAT_W64, CONTAINER_W64, false, true},
    {"AIFF", SF_FORMAT_AIFF, CONTAINER_AIFF, true, false},
    {"AIFF sowt", SF_FORMAT_AIFF | SF_ENDIAN_LITTLE, CONTAINER_AIFF, false, false},
    {"CAF", SF_FORMAT_CAF, CONTAINER_CAF, true, false},
    {"CAF little", SF_FORMAT_CAF | SF_ENDIAN_LITTLE, CONTAINER_CAF, false, false},
    {"FLAC", SF_FORMAT_FLAC, CONTAINER_FLAC, false, false},
};

typedef struct depth_case {
    int subtype;
    sample_encoding encoding;
    uint32_t valid_bits;
} depth_case;

static const depth_case depths[] = {
    {SF_FORMAT_PCM_S8, ENCODING_PCM_16, 8},  {SF_FORMAT_PCM_U8, ENCODING_PCM_16, 8},
    {SF_FORMAT_PCM_16, ENCODING_PCM_16, 16}, {SF_FORMAT_PCM_24, ENCODING_PCM_24, 24},
    {SF_FORMAT_PCM_32, ENCODING_PCM_32, 32}, {SF_FORMAT_FLOAT, ENCODING_FLOAT_32, 32},
    {SF_FORMAT_DOUBLE, ENCODING_FLOAT_64, 64},
};

static const int channel_counts[] = {1, 2, 6, 8, 10};

/* Full-range numbers that the depth holds exactly, the extremes first. */
static void source_fill(int32_t *samples, double *floats, size_t count, uint32_t bits, uint64_t seed)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t word = (uint32_t)test_random(&seed);
        word = i == 0 ? 0x80000000u : i == 1 ? 0x7FFFFFFFu : i == 2 ? 0u : i == 3 ? 0xFFFFFFFFu : word;
        if (bits < 32)
            word &= ~0u << (32 - bits);
        samples[i] = (int32_t)word;
        floats[i] = (double)(float)((double)samples[i] / 1073741824.0); /* over full scale too; exact as float */
    }
}

static void source_write(const char *path, const container_case *container, const depth_case *depth, int channels,
                         const int32_t *samples, const double *floats)
{
    SF_INFO info = {.samplerate = 48000, .channels = channels, .format = container->format | depth->subtype};
    SNDFILE *file = sf_open(path, SFM_WRITE, &info);
    assert_non_null(file);
    sf_count_t written = sample_encoding_is_float(depth->encoding) ? sf_writef_double(file, floats, FRAMES)
                                                                   : sf_writef_int(file, samples, FRAMES);
    assert_int_equal(written, FRAMES);
    assert_int_equal(sf_close(file), 0);
}

/* One sample of what the reader gave, as a left-justified int or a double. */
static void sample_check(sample_encoding encoding, const uint8_t *bytes, int32_t expected, double expected_float)
{
    if (encoding == ENCODING_FLOAT_64) {
        double value;
        memcpy(&value, bytes, sizeof value);
        assert_true(value == expected_float);
    } else if (encoding == ENCODING_FLOAT_32) {
        float value;
        memcpy(&value, bytes, sizeof value);
        assert_true((double)value == expected_float);
    } else {
        uint32_t width = sample_encoding_bytes(encoding);
        uint32_t word = 0;
        for (uint32_t b = 0; b < width; b++)
            word |= (uint32_t)bytes[b] << (8 * (4 - width + b));
        assert_int_equal((int32_t)word, expected);
    }
}

static void reads_check(media_reader *reader, uint32_t channels, const int32_t *samples, const double *floats)
{
    sample_encoding encoding = media_reader_encoding(reader);
    uint32_t width = sample_encoding_bytes(encoding);
    uint8_t *bytes = malloc((size_t)FRAMES * channels * width);
    /* Whole, then pieces forwards with odd sizes, then backwards, then one frame here and there. */
    static const uint32_t places[][2] = {{0, FRAMES}, {0, 1},      {1, 777},    {778, 1222},  {2000, 3000}, {4999, 1},
                                         {4000, 1000}, {3000, 333}, {0, 4096},  {17, 2},      {2500, 0},    {2500, 1}};
    for (size_t p = 0; p < sizeof places / sizeof places[0]; p++) {
        uint32_t first = places[p][0];
        uint32_t count = places[p][1];
        error_detail detail = {0};
        if (media_reader_frames(reader, first, count, bytes, &detail) != STATUS_OK)
            fail_msg("frames %u + %u: %s", first, count, detail.message);
        for (size_t i = 0; i < (size_t)count * channels; i++)
            sample_check(encoding, bytes + i * width, samples[(size_t)first * channels + i],
                         floats[(size_t)first * channels + i]);
    }
    free(bytes);
}

static void case_check(const temp_folder *folder, const container_case *container, const depth_case *depth, int channels)
{
    size_t count = (size_t)FRAMES * (size_t)channels;
    int32_t *samples = malloc(count * sizeof *samples);
    double *floats = malloc(count * sizeof *floats);
    source_fill(samples, floats, count, depth->valid_bits, (uint64_t)channels * 100 + (uint64_t)depth->valid_bits);
    const char *path = temp_folder_path(folder, "x.bin");
    source_write(path, container, depth, channels, samples, floats);

    int descriptor = open(path, O_RDONLY);
    assert_int_equal(lseek(descriptor, 11, SEEK_SET), 11);
    media_facts facts;
    assert_int_equal(media_probe(descriptor, "x.bin", &facts), STATUS_OK);
    if (facts.outcome != STATUS_OK)
        fail_msg("%s 0x%x %d: %s", container->name, depth->subtype, channels, facts.message);
    assert_int_equal(facts.container, container->container);
    assert_int_equal(facts.encoding, depth->encoding);
    assert_int_equal(facts.valid_bits, depth->valid_bits);
    assert_int_equal(facts.sample_rate, 48000);
    assert_int_equal(facts.channel_count, channels);
    assert_int_equal(facts.frame_count, FRAMES);
    assert_int_equal(facts.big_endian, container->big_endian);
    assert_int_equal(facts.direct, container->wave && !container->big_endian && depth->valid_bits > 8);

    media_reader *reader = NULL;
    assert_int_equal(media_reader_create(&reader, descriptor, facts.container, facts.encoding, facts.channel_count,
                                         facts.frame_count, facts.data_offset, facts.direct, NULL),
                     STATUS_OK);
    bool is_float = sample_encoding_is_float(depth->encoding);
    assert_int_equal(media_reader_encoding(reader),
                     facts.direct ? facts.encoding : is_float ? ENCODING_FLOAT_64 : ENCODING_PCM_32);
    reads_check(reader, (uint32_t)channels, samples, floats);
    media_reader_destroy(&reader);
    assert_null(reader);
    assert_int_equal(lseek(descriptor, 0, SEEK_CUR), 11); /* borrowed: neither closed nor moved */
    close(descriptor);
    free(samples);
    free(floats);
}

static void media_reader__gives_back_exactly_what_was_written_in_every_container_and_depth(void **state)
{
    (void)state;
    temp_folder folder;
    temp_folder_create(&folder);
    unsigned tried = 0;
    for (size_t c = 0; c < sizeof containers / sizeof containers[0]; c++)
        for (size_t d = 0; d < sizeof depths / sizeof depths[0]; d++)
            for (size_t n = 0; n < sizeof channel_counts / sizeof channel_counts[0]; n++) {
                SF_INFO info = {.samplerate = 48000,
                                .channels = channel_counts[n],
                                .format = containers[c].format | depths[d].subtype};
                if (containers[c].container == CONTAINER_FLAC && channel_counts[n] > 8)
                    continue; /* FLAC has 8 at most; sf_format_check does not know */
                if (!sf_format_check(&info))
                    continue;
                case_check(&folder, &containers[c], &depths[d], channel_counts[n]);
                tried++;
            }
    print_message("%u combinations read back exactly\n", tried);
    /* 272 with libsndfile 1.2.0; a later one may know more or fewer pairs of container and depth. */
    assert_true(tried >= 250);
    temp_folder_remove(&folder);
}

/* Any container cut short is found when it is probed, with both lengths in the sentence. */
static void media_probe__finds_a_cut_file_in_every_container(void **state)
{
    (void)state;
    temp_folder folder;
    temp_folder_create(&folder);
    static int32_t samples[FRAMES * 2];
    static double floats[FRAMES * 2];
    source_fill(samples, floats, FRAMES * 2, 16, 9);
    static const depth_case depth = {SF_FORMAT_PCM_16, ENCODING_PCM_16, 16};
    for (size_t c = 0; c < sizeof containers / sizeof containers[0]; c++) {
        source_write(temp_folder_path(&folder, "x"), &containers[c], &depth, 2, samples, floats);
        size_t size = 0;
        uint8_t *bytes = temp_folder_read(&folder, "x", &size);
        static const uint32_t kept_permille[] = {999, 900, 500, 100, 20, 1};
        for (size_t k = 0; k < sizeof kept_permille / sizeof kept_permille[0]; k++) {
            temp_folder_write(&folder, "cut", bytes, size * kept_permille[k] / 1000);
            int descriptor = open(temp_folder_path(&folder, "cut"), O_RDONLY);
            media_facts facts;
            assert_int_equal(media_probe(descriptor, "cut", &facts), STATUS_OK);
            close(descriptor);
            if (facts.outcome == STATUS_OK)
                fail_msg("%s cut to %u permille is taken as whole", containers[c].name, kept_permille[k]);
            assert_int_equal(status_class_of(facts.outcome), STATUS_CLASS_INPUT);
            if (kept_permille[k] < 900)
                continue; /* not even the first block of 4096 frames is left for FLAC to decode */
            assert_int_equal(facts.outcome, STATUS_INPUT_TRUNCATED);
            if (strstr(facts.message, "5000 frames") == NULL)
                fail_msg("%s: no promised length in \"%s\"", containers[c].name, facts.message);
        }
        free(bytes);
    }
    temp_folder_remove(&folder);
}

/* A file that loses its end between probe and read: a status, never silence in place of sound. */
static void media_reader__reports_a_file_that_shrinks_while_it_is_read(void **state)
{
    (void)state;
    temp_folder folder;
    temp_folder_create(&folder);
    static int32_t samples[FRAMES];
    static double floats[FRAMES];
    static uint8_t back[FRAMES * 8];
    source_fill(samples, floats, FRAMES, 16, 10);
    static const depth_case depth = {SF_FORMAT_PCM_16, ENCODING_PCM_16, 16};
    for (size_t c = 0; c < sizeof containers / sizeof containers[0]; c++) {
        const char *path = temp_folder_path(&folder, "x");
        source_write(path, &containers[c], &depth, 1, samples, floats);
        int descriptor = open(path, O_RDWR);
        media_facts facts;
        assert_int_equal(media_probe(descriptor, "x", &facts), STATUS_OK);
        media_reader *reader = NULL;
        assert_int_equal(media_reader_create(&reader, descriptor, facts.container, facts.encoding, 1, facts.frame_count,
                                             facts.data_offset, facts.direct, NULL),
                         STATUS_OK);
        assert_int_equal(ftruncate(descriptor, (off_t)(facts.identity.size / 2)), 0);
        error_detail detail = {0};
        status code = media_reader_frames(reader, FRAMES - 100, 100, back, &detail);
        assert_int_equal(code, STATUS_INPUT_TRUNCATED);
        assert_true(detail.message[0] != '\0');
        media_reader_destroy(&reader);
        close(descriptor);
    }
    temp_folder_remove(&folder);
}

static void media_reader__refuses_facts_that_cannot_be(void **state)
{
    (void)state;
    temp_folder folder;
    temp_folder_create(&folder);
    temp_folder_write(&folder, "x", "not audio at all", 16);
    int descriptor = open(temp_folder_path(&folder, "x"), O_RDONLY);
    media_reader *reader = NULL;
    error_detail detail;
    assert_int_equal(media_reader_create(&reader, descriptor, CONTAINER_WAV, ENCODING_PCM_24, 0, 1, 44, true, &detail),
                     STATUS_PEER_IMPOSSIBLE);
    assert_int_equal(media_reader_create(&reader, descriptor, CONTAINER_WAV, ENCODING_PCM_24, 129, 1, 44, true, &detail),
                     STATUS_PEER_IMPOSSIBLE);
    assert_int_equal(media_reader_create(&reader, descriptor, CONTAINER_WAV, ENCODING_NONE, 2, 1, 44, true, &detail),
                     STATUS_PEER_IMPOSSIBLE);
    assert_int_equal(
        media_reader_create(&reader, descriptor, CONTAINER_WAV, ENCODING_FLOAT_64, 128, INT64_MAX / 512, 44, true, &detail),
        STATUS_PEER_IMPOSSIBLE);
    /* Odd WAV and decoded containers look at the file itself. */
    assert_int_not_equal(media_reader_create(&reader, descriptor, CONTAINER_WAV, ENCODING_PCM_16, 2, 1, 44, false, &detail),
                         STATUS_OK);
    assert_int_not_equal(media_reader_create(&reader, descriptor, CONTAINER_FLAC, ENCODING_PCM_16, 2, 1, 0, false, &detail),
                         STATUS_OK);
    assert_null(reader);
    close(descriptor);
    temp_folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(media_reader__gives_back_exactly_what_was_written_in_every_container_and_depth),
        cmocka_unit_test(media_probe__finds_a_cut_file_in_every_container),
        cmocka_unit_test(media_reader__reports_a_file_that_shrinks_while_it_is_read),
        cmocka_unit_test(media_reader__refuses_facts_that_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
