/*
 * Files that broke other readers, and files that real tools wrote: ../shared/audio/malformed, adm and layouts. All are
 * probed and, where they open, read whole; the expectations that their own projects state are held against ours.
 */
#define _GNU_SOURCE
#include "common/media/channel_layout.h"
#include "worker/media/media_reader.h"
#include "worker/media/wave_writer.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t byte_size);

static const char *corpus_root(void)
{
    const char *shared = getenv("REELMILL_SHARED");
    return shared == NULL ? "" : shared;
}

static media_facts corpus_probe(const char *relative)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/audio/%s", corpus_root(), relative);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        fail_msg("%s is missing", path);
    media_facts facts;
    assert_int_equal(media_probe(descriptor, relative, &facts), STATUS_OK);
    close(descriptor);
    return facts;
}

/* ---- every file ---- */

static unsigned walked;
static unsigned opened;
static unsigned read_whole;

static void corpus_read(int descriptor, const media_facts *facts, const char *path)
{
    enum { BLOCK_FRAMES = 8192 };
    media_reader *reader = NULL;
    error_detail detail = {0};
    if (media_reader_create(&reader, descriptor, facts->container, facts->encoding, facts->channel_count,
                            facts->frame_count, facts->data_offset, facts->direct, &detail) != STATUS_OK)
        fail_msg("%s was probed as good and does not open: %s", path, detail.message);
    uint8_t *block = malloc((size_t)BLOCK_FRAMES * facts->channel_count * 8);
    status code = STATUS_OK;
    for (uint64_t frame = 0; code == STATUS_OK && frame < facts->frame_count; frame += BLOCK_FRAMES) {
        uint64_t left = facts->frame_count - frame;
        code = media_reader_frames(reader, frame, left < BLOCK_FRAMES ? (uint32_t)left : BLOCK_FRAMES, block, &detail);
    }
    if (code != STATUS_OK && code != STATUS_INPUT_TRUNCATED)
        fail_msg("%s: %s", path, detail.message);
    read_whole += code == STATUS_OK;
    free(block);
    media_reader_destroy(&reader);
}

static int corpus_visit(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    if (kind != FTW_F || info->st_size > (16 << 20))
        return 0;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(descriptor >= 0);
    media_facts facts;
    assert_int_equal(media_probe(descriptor, path + place->base, &facts), STATUS_OK);
    walked++;
    if (facts.outcome == STATUS_OK) {
        opened++;
        assert_string_equal(facts.message, "");
        corpus_read(descriptor, &facts, path);
    } else {
        status_class class = status_class_of(facts.outcome);
        assert_true(class == STATUS_CLASS_INPUT || class == STATUS_CLASS_LIMIT);
        if (strstr(facts.message, path + place->base) == NULL)
            fail_msg("\"%s\" does not name %s", facts.message, path + place->base);
    }
    /* The same through the checks of the fuzz target. */
    uint8_t *bytes = malloc((size_t)info->st_size + 1);
    assert_int_equal(pread(descriptor, bytes, (size_t)info->st_size, 0), info->st_size);
    LLVMFuzzerTestOneInput(bytes, (size_t)info->st_size);
    free(bytes);
    close(descriptor);
    return 0;
}

static void media_probe__ends_with_facts_or_a_sentence_for_every_file_of_the_corpus(void **state)
{
    (void)state;
    static const char *const folders[] = {"malformed", "adm", "layouts"};
    walked = opened = read_whole = 0;
    for (size_t i = 0; i < 3; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/audio/%s", corpus_root(), folders[i]);
        assert_int_equal(nftw(path, corpus_visit, 16, FTW_PHYS), 0);
    }
    print_message("%u files probed, %u open, %u read whole\n", walked, opened, read_whole);
    assert_true(walked >= 400 && opened >= 200);
}

/* ---- what their projects say of them ---- */

static bool visit_must_open;

static int jstrait_visit(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    if (kind != FTW_F || strstr(path, ".wav") == NULL)
        return 0;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    media_facts facts;
    assert_int_equal(media_probe(descriptor, path + place->base, &facts), STATUS_OK);
    close(descriptor);
    walked++;
    if ((facts.outcome == STATUS_OK) != visit_must_open)
        fail_msg("%s %s: %s", path + place->base, visit_must_open ? "must open" : "must be refused", facts.message);
    return 0;
}

static void media_probe__agrees_with_jstrait_on_valid_and_invalid(void **state)
{
    (void)state;
    char path[4096];
    for (int valid = 0; valid <= 1; valid++) {
        visit_must_open = valid == 1;
        walked = 0;
        snprintf(path, sizeof path, "%s/audio/malformed/jstrait/test/fixtures/wave/%s", corpus_root(),
                 valid == 1 ? "valid" : "invalid");
        assert_int_equal(nftw(path, jstrait_visit, 16, FTW_PHYS), 0);
        assert_true(walked >= 35);
    }
}

typedef struct expectation {
    const char *path;
    status outcome;
    const char *words; /* in the sentence */
} expectation;

#define JHOVE "malformed/jhove/test-root/corpora/"
#define SCIPY "malformed/scipy/scipy/io/tests/data/"
#define EAR "adm/ebu-ear/ear/fileio/bw64/test/test_wav_files/"
#define FLAC "layouts/flac-testbench/"

static const expectation expectations[] = {
    {JHOVE "errors/modules/WAVE-hul/rf64-pcm-44khz-8bit-mono-ds64-chunk-missing.wav", STATUS_INPUT_INVALID, "ds64"},
    {JHOVE "errors/modules/WAVE-hul/wf-pcm-44khz-8bit-mono-data-chunk-before-fmt.wav", STATUS_INPUT_INVALID, "before any fmt"},
    {JHOVE "errors/modules/WAVE-hul/wf-pcm-44khz-8bit-mono-data-chunk-missing.wav", STATUS_INPUT_INVALID, "no data chunk"},
    {JHOVE "errors/modules/WAVE-hul/wf-pcm-44khz-8bit-mono-fmt-chunk-multiple.wav", STATUS_INPUT_INVALID, "second fmt"},
    {JHOVE "errors/modules/WAVE-hul/wf-pcm-44khz-8bit-mono-truncated-final-chunk-by-2-bytes.wav", STATUS_INPUT_TRUNCATED,
     "1 frames"},
    {JHOVE "errors/modules/WAVE-hul/wf-pcm-44khz-8bit-mono-truncated-inner-chunk-by-2-bytes.wav", STATUS_INPUT_INVALID,
     "damaged"},
    {JHOVE "errors/modules/WAVE-hul/wf-pcm-44khz-8bit-mono-chunk-size-larger-than-bytes-remaining.wav",
     STATUS_INPUT_TRUNCATED, "fmt"},
    {JHOVE "examples/modules/WAVE-hul/rf64-pcm-44khz-8bit-mono-ds64-with-table-length.wav", STATUS_OK, NULL},
    {JHOVE "examples/modules/WAVE-hul/rf64-float-44khz-64bit-mono.wav", STATUS_OK, NULL},
    {JHOVE "examples/modules/WAVE-hul/rf64-alaw-44khz-8bit-mono.wav", STATUS_INPUT_UNSUPPORTED, "A-law"},
    {SCIPY "test-44100Hz-le-1ch-4bytes-early-eof.wav", STATUS_INPUT_TRUNCATED, "4410 frames"},
    {SCIPY "test-44100Hz-le-1ch-4bytes-early-eof-no-data.wav", STATUS_INPUT_TRUNCATED, "no audio"},
    {SCIPY "test-44100Hz-le-1ch-4bytes-incomplete-chunk.wav", STATUS_INPUT_TRUNCATED, "no format"},
    {SCIPY "test-8000Hz-le-3ch-5S-24bit-inconsistent.wav", STATUS_INPUT_UNSUPPORTED, "frames of 4 bytes"},
    {SCIPY "test-8000Hz-le-3ch-5S-64bit.wav", STATUS_INPUT_UNSUPPORTED, "64-bit PCM"},
    {SCIPY "test-8000Hz-be-3ch-5S-24bit.wav", STATUS_OK, NULL},
    {SCIPY "test-8000Hz-le-4ch-9S-12bit.wav", STATUS_OK, NULL},
    {SCIPY "test-8000Hz-le-1ch-1byte-ulaw.wav", STATUS_INPUT_UNSUPPORTED, "mu-law"},
    {EAR "24bit_missing_padding.wav", STATUS_OK, NULL},
    {EAR "fmt_padding.wav", STATUS_OK, NULL},
    {EAR "rect_24bit_nods64.wav", STATUS_INPUT_INVALID, "ds64"},
    {EAR "rect_24bit_nowave.wav", STATUS_INPUT_INVALID, "no WAVE form"},
    {EAR "rect_24bit_noriff.wav", STATUS_INPUT_UNSUPPORTED, "unknown kind"},
    {EAR "rect_24bit_rf64.wav", STATUS_OK, NULL},
    {EAR "rect_24bit_wrong_fmt_size.wav", STATUS_INPUT_INVALID, "damaged"},
    {"adm/libbw64/tests/test_data/noise_24bit_uneven_data_chunk_size.wav", STATUS_OK, NULL},
    {"malformed/music-metadata/test/samples/wav/ffmpeg-missing-chunksize.wav", STATUS_INPUT_INVALID, "how long its audio is"},
    {"malformed/music-metadata/test/samples/wav/odd-list-type.wav", STATUS_INPUT_TRUNCATED, "frames"},
    {"malformed/music-metadata/test/samples/wav/gsm610.wav", STATUS_INPUT_UNSUPPORTED, "GSM"},
    {"malformed/rochars/test/files/4bit-imaadpcm-8kHz-noBext-mono.wav", STATUS_INPUT_UNSUPPORTED, "IMA ADPCM"},
    {"malformed/rochars/test/files/M1F1-int12WE-AFsp.wav", STATUS_OK, NULL},
    {"malformed/taglib/tests/data/infloop.wav", STATUS_INPUT_TRUNCATED, "ISTt"},
    {"malformed/misc-pocketsphinx/test/data/evil.wav", STATUS_INPUT_TRUNCATED, "HURF"},
    {"layouts/libnyquist/test_data/ad_hoc/TestBeat_44_16_stereo-ima4.caf", STATUS_INPUT_UNSUPPORTED, "ima4"},
    {"layouts/libnyquist/test_data/ad_hoc/TestBeat_44_16_stereo-ima4.aiff", STATUS_INPUT_UNSUPPORTED, "ima4"},
    {"layouts/libnyquist/test_data/degenerate/header_larger_than_file_size.wav", STATUS_INPUT_TRUNCATED, "160844"},
    {FLAC "faulty/06 - missing streaminfo metadata block.flac", STATUS_INPUT_INVALID, "STREAMINFO"},
    {FLAC "faulty/04 - wrong number of channels.flac", STATUS_INPUT_INVALID, "decoded"},
    {FLAC "subset/37 - 20 bit per sample.flac", STATUS_INPUT_UNSUPPORTED, "20 bits"},
    {FLAC "subset/45 - no total number of samples set.flac", STATUS_OK, NULL},
    {FLAC "subset/43 - 8 channels (7.1).flac", STATUS_OK, NULL},
};

static void media_probe__judges_known_files_as_their_projects_do(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof expectations / sizeof expectations[0]; i++) {
        const expectation *e = &expectations[i];
        media_facts facts = corpus_probe(e->path);
        if (facts.outcome != e->outcome || (e->words != NULL && strstr(facts.message, e->words) == NULL))
            fail_msg("%s: expected %s, got %s: %s", e->path, status_text(e->outcome), status_text(facts.outcome),
                     facts.message);
    }
}

/* What a tool of Dolby's, Avid's or the EBU's wrote breaks no rule. */
static void assert_profile(const media_facts *facts, bool dolby)
{
    const adm_profile *profile = &facts->adm.profile;
    for (uint32_t i = 0; i < profile->breach_count; i++)
        print_error("%s: %s\n", adm_rule_name((adm_rule)profile->breaches[i].rule), profile->breaches[i].what);
    assert_true(profile->judged && profile->breach_count == 0);
    assert_int_equal(profile->dolby, dolby);
}

static void media_probe__reads_what_real_recorders_and_stations_wrote(void **state)
{
    (void)state;
    media_facts facts = corpus_probe("adm/wavinfo/tests/test_files/protools/Test_ADM_ProTools.wav");
    assert_true(facts.has_adm);
    assert_int_equal(facts.channel_count, 14);
    /* Its axml, read by eye: a bed of ten in tracks 1 to 10, four objects behind it. */
    static const channel_label bed[] = {CHANNEL_L,   CHANNEL_R,   CHANNEL_C,   CHANNEL_LFE, CHANNEL_LSS,
                                        CHANNEL_RSS, CHANNEL_LRS, CHANNEL_RRS, CHANNEL_LTS, CHANNEL_RTS};
    assert_string_equal(facts.adm.problem, "");
    for (int i = 0; i < 10; i++)
        assert_int_equal(media_adm_track(&facts.adm, (uint8_t)bed[i]), i);
    assert_true(facts.adm.object_count == 4 && facts.adm.unknown_count == 0);
    assert_string_equal(facts.adm.programme, "Atmos_Master");
    assert_string_equal(facts.adm.bed, "Atmos_Bed_1");
    assert_string_equal(media_adm_object_name(&facts.adm, 3), "Atmos_Obj_4");
    assert_string_equal(media_adm_object_name(&facts.adm, 4), "");
    assert_profile(&facts, true);
    facts = corpus_probe("adm/wavinfo/tests/test_files/sounddevices/A101_1.WAV");
    assert_int_equal(facts.bext.time_reference, 2190940753); /* ffprobe 5.1 prints the same */
    assert_int_equal(facts.bext.version, 1);
    facts = corpus_probe("adm/wavinfo/tests/test_files/nuendo/wavinfo Test Project - Audio - 7.1.wav");
    assert_int_equal(facts.channel_mask, 0x63F);
    assert_int_equal(facts.frame_count, 48000);
    assert_int_equal(facts.bext.time_reference, 172800000); /* 01:00:00:00 at 48 kHz */
    facts = corpus_probe("adm/dolby-dbmd/sample_files/sample_adm_file_0.wav");
    assert_true(facts.has_adm);
    assert_int_equal(facts.frame_count, 240000);
    assert_string_equal(facts.adm.problem, "");
    assert_true(facts.adm.object_count == 2 && facts.adm.unknown_count == 0);
    assert_profile(&facts, true);
    facts = corpus_probe("adm/ebu-ear/ear/test/data/test_bwf.wav");
    assert_profile(&facts, false);
    facts = corpus_probe("malformed/rochars/test/files/RIFX-16bit-mono.wav");
    assert_true(facts.big_endian);
    assert_false(facts.direct);
    assert_int_equal(facts.frame_count, 48000);
}

/* ---- ADM: read and written back ---- */

static uint8_t *corpus_bytes(const char *relative, size_t *out_size)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/audio/%s", corpus_root(), relative);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    enum { LARGEST = 4 << 20 };
    uint8_t *bytes = malloc(LARGEST);
    *out_size = fread(bytes, 1, LARGEST, file);
    assert_true(*out_size > 12 && *out_size < LARGEST);
    fclose(file);
    return bytes;
}

/* The first chunk of that name, header included, without pad byte; chunks end at even bytes. */
static const uint8_t *chunk_find(const uint8_t *bytes, size_t size, const char *id, size_t *out_size)
{
    for (size_t at = 12; at + 8 <= size;) {
        size_t length = (size_t)bytes[at + 4] | (size_t)bytes[at + 5] << 8 | (size_t)bytes[at + 6] << 16 |
                        (size_t)bytes[at + 7] << 24;
        if (memcmp(bytes + at, id, 4) == 0) {
            *out_size = 8 + length;
            return bytes + at;
        }
        at += 8 + length + length % 2;
    }
    return NULL;
}

/* What Dolby's and Avid's tools wrote, in our container: the same audio and metadata to the byte, read as before. */
static void wave_header_build__writes_real_adm_files_back(void **state)
{
    (void)state;
    static const char *const files[] = {"adm/dolby-dbmd/sample_files/sample_adm_file_0.wav",
                                        "adm/dolby-dbmd/sample_files/sample_adm_file_6.wav",
                                        "adm/wavinfo/tests/test_files/protools/Test_ADM_ProTools.wav"};
    static const char *const names[] = {"chna", "axml", "dbmd"};
    for (size_t f = 0; f < sizeof files / sizeof files[0]; f++)
        for (int container = CONTAINER_WAV; container <= CONTAINER_BW64; container++) {
            media_facts facts = corpus_probe(files[f]);
            size_t size = 0, audio_size = 0;
            uint8_t *bytes = corpus_bytes(files[f], &size);
            byte_writer chunks, out;
            byte_writer_init(&chunks, OUTPUT_HEADER_MAX);
            byte_writer_init(&out, 8 << 20);
            for (int n = 0; n < 3; n++) {
                size_t chunk_size = 0;
                const uint8_t *chunk = chunk_find(bytes, size, names[n], &chunk_size);
                assert_non_null(chunk);
                byte_writer_bytes(&chunks, chunk, chunk_size);
                byte_writer_zeros(&chunks, chunk_size % 2);
            }
            output_header header = {.container = (media_container)container,
                                    .encoding = facts.encoding,
                                    .sample_rate = facts.sample_rate,
                                    .channel_count = facts.channel_count,
                                    .frame_count = facts.frame_count,
                                    .data_offset = (uint32_t)((chunks.size + 2 * PAGE_BYTES) / PAGE_BYTES * PAGE_BYTES),
                                    .plain_format = true,
                                    .chunks = chunks.bytes,
                                    .chunks_size = (uint32_t)chunks.size};
            const uint8_t *audio = chunk_find(bytes, size, "data", &audio_size);
            assert_non_null(audio);
            assert_int_equal(wave_header_build(&header, &out), STATUS_OK);
            byte_writer_bytes(&out, audio + 8, audio_size - 8);
            byte_writer_zeros(&out, wave_trailer_size(&header));
            assert_int_equal(out.size, wave_file_size(&header));
            for (int n = 0; n < 3; n++) {
                size_t before = 0, after = 0;
                const uint8_t *old = chunk_find(bytes, size, names[n], &before);
                const uint8_t *made = chunk_find(out.bytes, out.size, names[n], &after);
                assert_int_equal(before, after);
                assert_memory_equal(old, made, before);
            }
            FILE *file = tmpfile();
            assert_int_equal(fwrite(out.bytes, 1, out.size, file), out.size);
            fflush(file);
            media_facts back;
            assert_int_equal(media_probe(fileno(file), "written back", &back), STATUS_OK);
            assert_true(back.outcome == STATUS_OK && back.frame_count == facts.frame_count &&
                        back.channel_count == facts.channel_count && back.container == (media_container)container);
            assert_memory_equal(&back.adm, &facts.adm, sizeof back.adm);
            assert_memory_equal(out.bytes + back.data_offset, audio + 8, audio_size - 8);
            fclose(file);
            byte_writer_deinit(&chunks);
            byte_writer_deinit(&out);
            free(bytes);
        }
}

int main(void)
{
    char path[4096];
    struct stat info;
    snprintf(path, sizeof path, "%s/audio/malformed", corpus_root());
    if (stat(path, &info) != 0) {
        printf("skipped: no corpus at %s (REELMILL_SHARED names the folder that holds audio/)\n", path);
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(media_probe__ends_with_facts_or_a_sentence_for_every_file_of_the_corpus),
        cmocka_unit_test(media_probe__agrees_with_jstrait_on_valid_and_invalid),
        cmocka_unit_test(media_probe__judges_known_files_as_their_projects_do),
        cmocka_unit_test(media_probe__reads_what_real_recorders_and_stations_wrote),
        cmocka_unit_test(wave_header_build__writes_real_adm_files_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
