/* Our headers against libsndfile, ffmpeg and sox: other people's readers must find our audio where we put it. */
#define _GNU_SOURCE
#include "tests/unit/worker_media/temp_folder.h"
#include "worker/media/media_reader.h"
#include "worker/media/wave_writer.h"

#include <fcntl.h>
#include <setjmp.h>
#include <sndfile.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static output_header header_make(media_container container, sample_encoding encoding, uint32_t channels, uint64_t frames)
{
    output_header header = {
        .container = container,
        .encoding = encoding,
        .sample_rate = 48000,
        .channel_count = channels,
        .channel_mask = channels == 6 ? 0x60F : channels == 8 ? 0x63F : 0,
        .frame_count = frames,
        .data_offset = 4096,
        .bext = {.present = true,
                 .version = 2,
                 .time_reference = 172800000,
                 .description = "NIGHT_TRAIN PM_51 v03",
                 .originator = "reelmill",
                 .originator_reference = "NIGHT_TRAIN-v03",
                 .origination_date = "2026-11-20",
                 .origination_time = "00:00:00",
                 .loudness_value = -2700,
                 .loudness_range = 910,
                 .max_true_peak_level = -210,
                 .max_momentary_loudness = -1200,
                 .max_short_term_loudness = 0x7FFF},
        .coding_history = "A=PCM,F=48000,W=24,M=stereo,T=reelmill\r\n",
    };
    return header;
}

static uint32_t little(const uint8_t *bytes, int count)
{
    uint32_t value = 0;
    for (int i = count - 1; i >= 0; i--)
        value = value << 8 | bytes[i];
    return value;
}

static void wave_header_build__lays_out_every_field_where_tech_3285_says(void **state)
{
    (void)state;
    output_header header = header_make(CONTAINER_WAV, ENCODING_PCM_24, 6, 1001);
    byte_writer w;
    byte_writer_init(&w, OUTPUT_HEADER_MAX);
    assert_int_equal(wave_header_build(&header, &w), STATUS_OK);
    const uint8_t *b = w.bytes;
    assert_int_equal(w.size, 4096);
    assert_int_equal(wave_trailer_size(&header), 0); /* 1001 x 18 = 18018 bytes, even */
    assert_int_equal(wave_file_size(&header), 4096 + 18018);
    assert_memory_equal(b, "RIFF", 4);
    assert_int_equal(little(b + 4, 4), 4096 + 18018 - 8);
    assert_memory_equal(b + 8, "WAVEJUNK", 8);
    assert_int_equal(little(b + 16, 4), 28);
    assert_memory_equal(b + 48, "bext", 4);
    const uint8_t *bext = b + 56;
    assert_int_equal(little(b + 52, 4), 602 + 40);
    assert_string_equal((const char *)bext, "NIGHT_TRAIN PM_51 v03");
    assert_memory_equal(bext + 320, "2026-11-20", 10);
    assert_int_equal(little(bext + 338, 4), 172800000);
    assert_int_equal(little(bext + 346, 2), 2);
    assert_int_equal((int16_t)little(bext + 412, 2), -2700);
    assert_int_equal(little(bext + 414, 2), 910);
    assert_int_equal(little(bext + 420, 2), 0x7FFF);
    assert_memory_equal(bext + 602, header.coding_history, 40);
    const uint8_t *fmt = bext + 642;
    assert_memory_equal(fmt, "fmt ", 4);
    assert_int_equal(little(fmt + 4, 4), 40);
    assert_int_equal(little(fmt + 8, 2), 0xFFFE);
    assert_int_equal(little(fmt + 10, 2), 6);
    assert_int_equal(little(fmt + 12, 4), 48000);
    assert_int_equal(little(fmt + 16, 4), 48000 * 18);
    assert_int_equal(little(fmt + 20, 2), 18);
    assert_int_equal(little(fmt + 22, 2), 24);
    assert_int_equal(little(fmt + 24, 2), 22);
    assert_int_equal(little(fmt + 26, 2), 24);
    assert_int_equal(little(fmt + 28, 4), 0x60F);
    assert_int_equal(little(fmt + 32, 4), 1);
    const uint8_t *junk = fmt + 48;
    assert_memory_equal(junk, "JUNK", 4);
    assert_int_equal(junk + 8 + little(junk + 4, 4) - b, 4096 - 8);
    assert_memory_equal(b + 4088, "data", 4);
    assert_int_equal(little(b + 4092, 4), 18018);

    /* A pure function: again, into a writer that holds something already, the same bytes. */
    byte_writer again;
    byte_writer_init(&again, OUTPUT_HEADER_MAX);
    byte_writer_u8(&again, 7);
    assert_int_equal(wave_header_build(&header, &again), STATUS_OK);
    assert_memory_equal(again.bytes + 1, w.bytes, 4096);
    byte_writer_deinit(&again);
    byte_writer_deinit(&w);
}

static void wave_header_build__puts_the_sizes_of_rf64_into_ds64(void **state)
{
    (void)state;
    output_header header = header_make(CONTAINER_RF64, ENCODING_PCM_24, 1, 5000000001); /* odd: a pad byte follows */
    byte_writer w;
    byte_writer_init(&w, OUTPUT_HEADER_MAX);
    assert_int_equal(wave_header_build(&header, &w), STATUS_OK);
    const uint8_t *b = w.bytes;
    assert_memory_equal(b, "RF64\xff\xff\xff\xffWAVEds64", 16);
    assert_int_equal(wave_trailer_size(&header), 1);
    uint64_t data = 5000000001ull * 3;
    assert_int_equal(little(b + 20, 4) | (uint64_t)little(b + 24, 4) << 32, 4096 + data + 1 - 8);
    assert_int_equal(little(b + 28, 4) | (uint64_t)little(b + 32, 4) << 32, data);
    assert_int_equal(little(b + 36, 4) | (uint64_t)little(b + 40, 4) << 32, 5000000001ull);
    assert_int_equal(little(b + 44, 4), 0);
    assert_memory_equal(b + 4088, "data\xff\xff\xff\xff", 8);
    byte_writer_deinit(&w);
}

static void wave_header_build__takes_over_chunks_and_names_bw64(void **state)
{
    (void)state;
    static const uint8_t chunk[] = {'c', 'h', 'n', 'a', 2, 0, 0, 0, 7, 9};
    output_header header = header_make(CONTAINER_BW64, ENCODING_PCM_24, 10, 1000);
    header.plain_format = true;
    header.chunks = chunk;
    header.chunks_size = sizeof chunk;
    byte_writer w;
    byte_writer_init(&w, OUTPUT_HEADER_MAX);
    assert_int_equal(wave_header_build(&header, &w), STATUS_OK);
    assert_memory_equal(w.bytes, "BW64\xff\xff\xff\xffWAVEds64", 16);
    assert_int_equal(little(w.bytes + 36, 4), 1000);
    const uint8_t *fmt = w.bytes + 56 + 642;
    assert_memory_equal(fmt, "fmt \x10\0\0\0\x01\0\x0a\0", 12); /* ten channels and no extension */
    assert_memory_equal(fmt + 24, chunk, sizeof chunk);
    assert_memory_equal(fmt + 24 + sizeof chunk, "JUNK", 4);
    assert_memory_equal(w.bytes + 4088, "data\xff\xff\xff\xff", 8);
    byte_writer_deinit(&w);

    uint8_t large[4096] = {0}; /* does not fit before data_offset */
    header.chunks = large;
    header.chunks_size = sizeof large;
    byte_writer_init(&w, OUTPUT_HEADER_MAX);
    assert_int_equal(wave_header_build(&header, &w), STATUS_LIMIT);
    byte_writer_deinit(&w);
}

static void wave_header_build__refuses_what_cannot_be_written(void **state)
{
    (void)state;
    byte_writer w;
    byte_writer_init(&w, OUTPUT_HEADER_MAX);
    output_header header = header_make(CONTAINER_WAV, ENCODING_PCM_24, 6, 1000);
    header.data_offset = 512; /* bext alone is longer */
    assert_int_equal(wave_header_build(&header, &w), STATUS_LIMIT);
    /* The RIFF size field ends at 2^32 - 1, and 0xFFFFFFFF itself means "unknown": (2^32 - 2 - 4096 + 8) / 18 frames fit. */
    const uint64_t most = (0xFFFFFFFEull - 4096 + 8) / 18;
    header = header_make(CONTAINER_WAV, ENCODING_PCM_24, 6, most);
    byte_writer_reset(&w);
    assert_int_equal(wave_header_build(&header, &w), STATUS_OK);
    header.frame_count = most + 1;
    byte_writer_reset(&w);
    assert_int_equal(wave_header_build(&header, &w), STATUS_LIMIT);
    header.container = CONTAINER_RF64;
    byte_writer_reset(&w);
    assert_int_equal(wave_header_build(&header, &w), STATUS_OK);
    header.frame_count = UINT64_MAX / 4;
    byte_writer_reset(&w);
    assert_int_equal(wave_header_build(&header, &w), STATUS_LIMIT);
    header = header_make(CONTAINER_FLAC, ENCODING_PCM_24, 6, 1);
    assert_int_equal(wave_header_build(&header, &w), STATUS_LIMIT);
    header = header_make(CONTAINER_WAV, ENCODING_NONE, 6, 1);
    assert_int_equal(wave_header_build(&header, &w), STATUS_LIMIT);
    byte_writer_deinit(&w);

    /* Every data_offset either works, with data exactly there, or is refused: the gap is never 1 to 7 bytes. */
    for (uint32_t offset = 700; offset < 800; offset += 2) {
        byte_writer_init(&w, OUTPUT_HEADER_MAX);
        header = header_make(CONTAINER_WAV, ENCODING_PCM_24, 2, 10);
        header.data_offset = offset;
        if (wave_header_build(&header, &w) == STATUS_OK) {
            assert_int_equal(w.size, offset);
            assert_memory_equal(w.bytes + offset - 8, "data", 4);
        }
        byte_writer_deinit(&w);
    }
}

/* ---- others read it ---- */

static const sample_encoding encodings[] = {ENCODING_PCM_16, ENCODING_PCM_24, ENCODING_PCM_32, ENCODING_FLOAT_32,
                                            ENCODING_FLOAT_64};
static const uint32_t channel_counts[] = {1, 2, 3, 6, 8, 10};

/* Writes header, random audio of the encoding and trailer; returns left-justified ints or doubles of it. */
static void file_make(const char *path, const output_header *header, int32_t *samples, double *floats)
{
    byte_writer w;
    byte_writer_init(&w, 16 << 20);
    assert_int_equal(wave_header_build(header, &w), STATUS_OK);
    uint64_t seed = header->channel_count * 10u + (uint64_t)header->encoding;
    uint32_t width = sample_encoding_bytes(header->encoding);
    for (size_t i = 0; i < header->frame_count * header->channel_count; i++) {
        uint32_t word = (uint32_t)test_random(&seed);
        if (width < 4)
            word &= ~0u << (32 - 8 * width);
        samples[i] = (int32_t)word;
        floats[i] = (double)(float)((double)samples[i] / 2147483648.0);
        if (header->encoding == ENCODING_FLOAT_32) {
            float value = (float)floats[i];
            byte_writer_bytes(&w, &value, sizeof value);
        } else if (header->encoding == ENCODING_FLOAT_64) {
            byte_writer_f64(&w, floats[i]);
        } else {
            for (uint32_t b = 0; b < width; b++)
                byte_writer_u8(&w, (uint8_t)(word >> (8 * (4 - width + b))));
        }
    }
    byte_writer_zeros(&w, wave_trailer_size(header));
    assert_false(w.failed);
    assert_int_equal(w.size, wave_file_size(header));
    FILE *file = fopen(path, "wb");
    assert_int_equal(fwrite(w.bytes, 1, w.size, file), w.size);
    fclose(file);
    byte_writer_deinit(&w);
}

static void sndfile_check(const char *path, const output_header *header, const int32_t *samples, const double *floats)
{
    SF_INFO info = {0};
    SNDFILE *file = sf_open(path, SFM_READ, &info);
    if (file == NULL)
        fail_msg("libsndfile: %s", sf_strerror(NULL));
    assert_int_equal(info.frames, header->frame_count);
    assert_int_equal(info.channels, header->channel_count);
    assert_int_equal(info.samplerate, header->sample_rate);
    size_t count = (size_t)info.frames * header->channel_count;
    if (sample_encoding_is_float(header->encoding)) {
        double *back = malloc(count * sizeof *back);
        assert_int_equal(sf_readf_double(file, back, info.frames), info.frames);
        assert_memory_equal(back, floats, count * sizeof *back);
        free(back);
    } else {
        int *back = malloc(count * sizeof *back);
        assert_int_equal(sf_readf_int(file, back, info.frames), info.frames);
        assert_memory_equal(back, samples, count * sizeof *back);
        free(back);
    }
    SF_BROADCAST_INFO bext = {0};
    assert_int_equal(sf_command(file, SFC_GET_BROADCAST_INFO, &bext, sizeof bext), SF_TRUE);
    assert_string_equal(bext.description, header->bext.description);
    assert_memory_equal(bext.originator, "reelmill", 9);
    assert_memory_equal(bext.origination_date, "2026-11-20", 10);
    assert_int_equal(bext.time_reference_low | (uint64_t)bext.time_reference_high << 32, header->bext.time_reference);
    assert_int_equal(bext.version, 2);
    assert_int_equal(bext.loudness_value, -2700);
    assert_int_equal(bext.max_true_peak_level, -210);
    assert_int_equal(bext.coding_history_size, strlen(header->coding_history));
    assert_memory_equal(bext.coding_history, header->coding_history, strlen(header->coding_history));
    sf_close(file);
}

static void probe_check(const char *path, const output_header *header)
{
    int descriptor = open(path, O_RDONLY);
    media_facts facts;
    assert_int_equal(media_probe(descriptor, path, &facts), STATUS_OK);
    close(descriptor);
    assert_int_equal(facts.outcome, STATUS_OK);
    assert_int_equal(facts.container, header->container);
    assert_int_equal(facts.encoding, header->encoding);
    assert_int_equal(facts.frame_count, header->frame_count);
    assert_int_equal(facts.data_offset, header->data_offset);
    assert_true(facts.direct);
    assert_int_equal(facts.has_channel_mask, header->channel_mask != 0);
    assert_int_equal(facts.channel_mask, header->channel_mask);
    assert_int_equal(facts.bext.time_reference, header->bext.time_reference);
    assert_int_equal(facts.bext.loudness_range, 910);
    assert_string_equal(facts.bext.description, header->bext.description);
}

static void wave_files__are_read_sample_exact_by_libsndfile_and_by_our_own_probe(void **state)
{
    (void)state;
    enum { FRAMES = 1001 };
    temp_folder folder;
    temp_folder_create(&folder);
    int32_t *samples = malloc(FRAMES * 10 * sizeof *samples);
    double *floats = malloc(FRAMES * 10 * sizeof *floats);
    for (size_t e = 0; e < 5; e++)
        for (size_t c = 0; c < 6; c++)
            for (int large = 0; large <= 1; large++) {
                output_header header = header_make(large == 1 ? CONTAINER_RF64 : CONTAINER_WAV, encodings[e],
                                                   channel_counts[c], FRAMES);
                const char *path = temp_folder_path(&folder, "x.wav");
                file_make(path, &header, samples, floats);
                sndfile_check(path, &header, samples, floats);
                probe_check(path, &header);
            }
    free(samples);
    free(floats);
    temp_folder_remove(&folder);
}

static void wave_files__over_four_gigabytes_are_found_whole_by_libsndfile(void **state)
{
    (void)state;
    temp_folder folder;
    temp_folder_create(&folder);
    const uint64_t frames = 400000003; /* x 18 bytes = 7.2 GB, sparse on the disk */
    output_header header = header_make(CONTAINER_RF64, ENCODING_PCM_24, 6, frames);
    byte_writer w;
    byte_writer_init(&w, OUTPUT_HEADER_MAX);
    assert_int_equal(wave_header_build(&header, &w), STATUS_OK);
    const char *path = temp_folder_path(&folder, "big.wav");
    int descriptor = open(path, O_RDWR | O_CREAT, 0666);
    assert_int_equal(write(descriptor, w.bytes, w.size), w.size);
    byte_writer_deinit(&w);
    assert_int_equal(ftruncate(descriptor, (off_t)wave_file_size(&header)), 0);
    static const uint8_t last[18] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 0x81};
    assert_int_equal(pwrite(descriptor, last, 18, (off_t)(4096 + (frames - 1) * 18)), 18);
    close(descriptor);

    SF_INFO info = {0};
    SNDFILE *file = sf_open(path, SFM_READ, &info);
    assert_non_null(file);
    assert_int_equal(info.frames, frames);
    assert_int_equal(sf_seek(file, (sf_count_t)frames - 2, SEEK_SET), frames - 2);
    int back[12];
    assert_int_equal(sf_readf_int(file, back, 2), 2);
    assert_int_equal(back[0], 0);
    assert_int_equal(back[6], 0x03020100);
    assert_int_equal(back[11], (int32_t)0x81111000);
    sf_close(file);
    probe_check(path, &header);
    temp_folder_remove(&folder);
}

/* Frames that a command writes to its standard output as raw 32-bit integers. */
static size_t command_read(const char *command, int32_t *out, size_t capacity)
{
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    size_t got = fread(out, sizeof *out, capacity, pipe);
    assert_int_equal(pclose(pipe), 0);
    return got;
}

static void wave_files__are_read_sample_exact_by_ffmpeg_and_sox(void **state)
{
    (void)state;
    enum { FRAMES = 1001, CHANNELS = 6 };
    if (system("command -v ffmpeg >/dev/null && command -v sox >/dev/null") != 0) {
        print_message("ffmpeg and sox are not installed here: not tried\n");
        skip();
    }
    temp_folder folder;
    temp_folder_create(&folder);
    static int32_t samples[FRAMES * CHANNELS];
    static double floats[FRAMES * CHANNELS];
    static int32_t back[FRAMES * CHANNELS + 1];
    for (int large = 0; large <= 1; large++) {
        output_header header =
            header_make(large == 1 ? CONTAINER_RF64 : CONTAINER_WAV, ENCODING_PCM_24, CHANNELS, FRAMES);
        const char *path = temp_folder_path(&folder, "x.wav");
        char command[4096];
        file_make(path, &header, samples, floats);
        snprintf(command, sizeof command, "ffmpeg -v error -xerror -i %s -f s32le -", path);
        assert_int_equal(command_read(command, back, FRAMES * CHANNELS + 1), FRAMES * CHANNELS);
        assert_memory_equal(back, samples, sizeof samples);
        snprintf(command, sizeof command, "ffprobe -v error -show_entries format_tags=time_reference -of csv=p=0 %s | "
                                          "grep -qx 172800000", path);
        assert_int_equal(system(command), 0);
        if (large == 1)
            continue; /* sox 14.4 reads RF64 only through libsndfile, which has been asked above */
        snprintf(command, sizeof command, "sox -D %s -t s32 -", path);
        assert_int_equal(command_read(command, back, FRAMES * CHANNELS + 1), FRAMES * CHANNELS);
        assert_memory_equal(back, samples, sizeof samples);
    }
    temp_folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wave_header_build__lays_out_every_field_where_tech_3285_says),
        cmocka_unit_test(wave_header_build__puts_the_sizes_of_rf64_into_ds64),
        cmocka_unit_test(wave_header_build__takes_over_chunks_and_names_bw64),
        cmocka_unit_test(wave_header_build__refuses_what_cannot_be_written),
        cmocka_unit_test(wave_files__are_read_sample_exact_by_libsndfile_and_by_our_own_probe),
        cmocka_unit_test(wave_files__over_four_gigabytes_are_found_whole_by_libsndfile),
        cmocka_unit_test(wave_files__are_read_sample_exact_by_ffmpeg_and_sox),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
