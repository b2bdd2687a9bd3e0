/* The fuzz target's checks on generated files of every container, then on tens of thousands of damaged copies. */
#define _GNU_SOURCE
#include "tests/unit/worker_media/riff_builder.h"
#include "tests/unit/worker_media/temp_folder.h"

#include <setjmp.h>
#include <sndfile.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t byte_size);

enum { MUTATIONS = 6000, COPY_BYTES_MAX = 1 << 16 };

/* One to four damages: a flipped bit, an extreme size, a stretch of zeros or of another place, a cut. */
static size_t mutate(uint8_t *bytes, size_t size, uint64_t *seed)
{
    static const uint32_t extremes[] = {0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFE, 0x10000, 0xFFFF};
    unsigned count = 1 + (unsigned)(test_random(seed) % 4);
    for (unsigned i = 0; i < count && size > 8; i++) {
        /* Headers are where damage matters: three of four hit the first 256 bytes. */
        size_t reach = test_random(seed) % 4 != 0 && size > 256 ? 256 : size;
        size_t place = test_random(seed) % (reach - 7);
        uint32_t value = extremes[test_random(seed) % 8];
        switch (test_random(seed) % 6) {
        case 0:
            bytes[place] ^= (uint8_t)(1u << (test_random(seed) % 8));
            break;
        case 1:
            memcpy(bytes + place, &value, 4);
            break;
        case 2:
            bytes[place] = (uint8_t)test_random(seed);
            break;
        case 3:
            memset(bytes + place, 0, 1 + test_random(seed) % 8);
            break;
        case 4:
            memmove(bytes + place, bytes + test_random(seed) % (size - 7), 1 + test_random(seed) % 8);
            break;
        default:
            size = test_random(seed) % size;
            break;
        }
    }
    return size;
}

static void damage_everywhere(const uint8_t *bytes, size_t size, uint64_t seed)
{
    static uint8_t copy[COPY_BYTES_MAX];
    assert_true(size <= sizeof copy);
    LLVMFuzzerTestOneInput(bytes, size);
    for (int i = 0; i < MUTATIONS; i++) {
        memcpy(copy, bytes, size);
        LLVMFuzzerTestOneInput(copy, mutate(copy, size, &seed));
    }
}

static void media_probe__withstands_damaged_wav_rf64_and_bw64(void **state)
{
    (void)state;
    byte_writer writer;
    byte_writer_init(&writer, COPY_BYTES_MAX);
    static const char *const magics[] = {"RIFF", "RF64", "BW64"};
    for (uint64_t i = 0; i < 3; i++) {
        riff_builder_begin(&writer, magics[i]);
        if (i > 0)
            riff_builder_ds64(&writer, 1500, 600, 100);
        riff_builder_bext(&writer, 2, 172800000, "Night Train");
        riff_builder_extensible(&writer, 2, 24, 24, 3, 1);
        riff_builder_header(&writer, "data", i > 0 ? 0xFFFFFFFFu : 600);
        byte_writer_zeros(&writer, 600);
        riff_builder_chunk(&writer, "chna", "\0\0\0\0", 4);
        riff_builder_chunk(&writer, "axml", "<x/>", 4);
        static const uint8_t sampler[36] = {0};
        riff_builder_chunk(&writer, "smpl", sampler, sizeof sampler);
        if (i == 0)
            riff_builder_finish(&writer);
        damage_everywhere(writer.bytes, writer.size, 100 + i);
    }
    byte_writer_deinit(&writer);
}

static void media_probe__withstands_damaged_files_of_other_containers(void **state)
{
    (void)state;
    static const int formats[] = {
        SF_FORMAT_WAV | SF_ENDIAN_BIG | SF_FORMAT_FLOAT, SF_FORMAT_WAV | SF_FORMAT_PCM_U8,
        SF_FORMAT_W64 | SF_FORMAT_PCM_24,                SF_FORMAT_AIFF | SF_FORMAT_PCM_16,
        SF_FORMAT_AIFF | SF_FORMAT_FLOAT,                SF_FORMAT_CAF | SF_FORMAT_PCM_24,
        SF_FORMAT_FLAC | SF_FORMAT_PCM_16,
    };
    temp_folder folder;
    temp_folder_create(&folder);
    uint64_t seed = 5;
    int samples[800];
    for (size_t i = 0; i < 800; i++)
        samples[i] = (int)(uint32_t)test_random(&seed);
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        SF_INFO info = {.samplerate = 48000, .channels = 2, .format = formats[i]};
        SNDFILE *file = sf_open(temp_folder_path(&folder, "x"), SFM_WRITE, &info);
        assert_non_null(file);
        assert_int_equal(sf_writef_int(file, samples, 400), 400);
        sf_close(file);
        size_t size = 0;
        uint8_t *bytes = temp_folder_read(&folder, "x", &size);
        damage_everywhere(bytes, size, 200 + i);
        free(bytes);
    }
    temp_folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(media_probe__withstands_damaged_wav_rf64_and_bw64),
        cmocka_unit_test(media_probe__withstands_damaged_files_of_other_containers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
